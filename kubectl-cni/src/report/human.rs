//! A report as lines for a terminal: sections of one-line checks, the diagnosis, and a summary last.

use super::page::{Lead, Look, Page, Word, indent};
use super::text::{columns, count, duration};
use super::{Cell, CheckResult, Explanation, Matrix, Outcome, PlanStep, Report, Verdict, result};

/// How the reader's terminal wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanStyle {
    /// Colour by escape sequences.
    pub colour: bool,
    /// Columns to wrap at, taken as at least 40 and at most 160. A name or a command longer than that stays whole.
    pub width: usize,
    /// All evidence, the id of every check, the facts of the run and the node × node table.
    pub verbose: bool,
    /// Only what wants attention, and the summary.
    pub quiet: bool,
    /// ASCII characters only.
    pub ascii: bool,
}

/// Columns of "× FAIL     ": symbol, word, gaps.
const MARK: usize = 11;
/// Widest title that answers are aligned behind.
const TITLE: usize = 48;
/// Lines of evidence, paths or nodes shown without `-v`.
const FEW: usize = 5;
/// Nodes up to which the table is drawn.
const TABLE_NODES: usize = 40;

/// The report as text, every line ended.
pub fn human(report: &Report, style: &HumanStyle) -> String {
    let mut page = Page { style, width: style.width.clamp(40, 160), out: String::new() };
    if !style.quiet {
        page.head(report);
    }
    let ids_shown = page.sections(report);
    page.diagnosis(report);
    page.absent(&report.absent);
    if style.verbose {
        page.matrix(&report.matrix);
        page.facts(report);
    }
    if ids_shown && !style.quiet {
        page.explain();
    }
    if !style.quiet {
        page.plan(&report.plan);
    }
    page.left_behind(&report.run.left_behind);
    page.summary(report);
    page.out
}

impl Page<'_> {
    fn head(&mut self, report: &Report) {
        let subject = &report.subject;
        let mut facts = Vec::new();
        if !subject.context.is_empty() {
            facts.push(subject.context.clone());
        }
        if !subject.server.is_empty() {
            facts.push(format!("Kubernetes {}", subject.server));
        }
        if !subject.cni.is_empty() {
            facts.push(subject.cni.clone());
        }
        if subject.nodes > 0 {
            facts.push(count(subject.nodes, "node"));
        }
        facts.extend([&subject.families, &report.run.mesh].into_iter().filter(|fact| !fact.is_empty()).cloned());
        let lead = Lead { painted: self.paint("kubectl cni", Look::Strong) + "  ", columns: 13, hang: 13 };
        let words = self.joined(&facts, Look::Plain);
        self.put(lead, &words);
    }

    /// Draws all checks; says whether the id of any was shown.
    fn sections(&mut self, report: &Report) -> bool {
        let mut ids_shown = false;
        let shown = |check: &CheckResult| !self.style.quiet || check.verdict.is_finding(report.strict);
        let sections: Vec<(&str, Vec<&CheckResult>)> = report
            .sections
            .iter()
            .map(|section| (section.title, section.checks.iter().filter(|check| shown(check)).collect::<Vec<_>>()))
            .filter(|(_, checks)| !checks.is_empty())
            .collect();
        // A title wider than most of the line does not move the answers of all others to the right.
        let most = TITLE.min((self.width - MARK) * 3 / 5);
        let widths = sections.iter().flat_map(|(_, checks)| checks).map(|check| columns(&self.safe(&check.title)));
        let titles = widths.filter(|width| *width <= most).max().unwrap_or(most);
        for (title, checks) in sections {
            self.heading(title);
            for check in checks {
                ids_shown |= self.check(check, titles, report.strict);
            }
        }
        ids_shown
    }

    /// Draws one check; says whether its id was shown.
    fn check(&mut self, check: &CheckResult, titles: usize, strict: bool) -> bool {
        let attention = check.verdict.is_finding(strict);
        let with_id = attention || self.style.verbose;
        let mark = self.mark(check.verdict);
        let title = self.safe(&check.title);
        let title_look = if check.verdict == Verdict::Fail { Look::Strong } else { Look::Plain };
        let mut answer = self.words(&check.detail, if attention { Look::Plain } else { Look::Faint }, false);
        if with_id {
            answer.push(Word(vec![(format!("[{}]", check.id), Look::Faint)]));
        }
        let aligned = MARK + titles + 2;
        let close = MARK + columns(&title) + 2;
        let beside = if close <= aligned && self.lines(&answer, self.width - aligned) <= 2 {
            Some(aligned)
        } else {
            (aligned < close && close < self.width && self.lines(&answer, self.width - close) <= 1).then_some(close)
        };
        if let Some(beside) = beside {
            let gap = " ".repeat(beside - close + 2);
            let painted = mark + &self.paint(&title, title_look) + &gap;
            self.put(Lead { painted, columns: beside, hang: beside }, &answer);
        } else {
            let words = self.words(&check.title, title_look, false);
            self.put(Lead { painted: mark, columns: MARK, hang: MARK }, &words);
            if !answer.is_empty() {
                self.put(indent(MARK + 2), &answer);
            }
        }
        if attention || self.style.verbose {
            self.finding(check, MARK + 2);
            self.evidence(&check.evidence, MARK + 2);
        }
        if let Some(hint) = &check.hint {
            self.hint(hint, MARK);
        }
        with_id
    }

    fn diagnosis(&mut self, report: &Report) {
        if !report.explanations.is_empty() {
            self.heading("Diagnosis");
            for (i, explanation) in report.explanations.iter().enumerate() {
                self.explanation(i + 1, explanation);
            }
        }
        if !report.unexplained.is_empty() {
            self.heading(&format!("Unexplained failed paths ({})", report.unexplained.len()));
            self.listed(&report.unexplained, 2);
        }
    }

    fn explanation(&mut self, number: usize, explanation: &Explanation) {
        let label = format!("{number}. ");
        let hang = label.len();
        let cause = self.words(&explanation.cause, Look::Strong, false);
        self.put(Lead { painted: self.paint(&label, Look::Strong), columns: hang, hang }, &cause);
        let mut explains = format!("explains {}", count(explanation.explains, "failed probe"));
        if !explanation.checks.is_empty() {
            explains.push_str(&format!(" of {}", explanation.checks.join(", ")));
        }
        let explains = self.words(&explains, Look::Faint, false);
        self.put(indent(hang + 2), &explains);
        self.evidence(&explanation.evidence, hang + 2);
        self.hint(&explanation.hint, hang);
    }

    fn absent(&mut self, absent: &[String]) {
        if absent.is_empty() {
            return;
        }
        self.heading(&format!("Nodes that took no part ({})", absent.len()));
        self.listed(absent, 2);
    }

    fn matrix(&mut self, matrix: &Matrix) {
        if matrix.nodes.is_empty() {
            return;
        }
        self.heading("Pod to pod, by node");
        let names: Vec<String> = matrix.nodes.iter().map(|name| self.safe(name)).collect();
        let digits = names.len().to_string().len();
        let left = 2 + digits + 1 + names.iter().map(|name| columns(name)).max().unwrap_or(0) + 1;
        let room = self.width.saturating_sub(left);
        let step = if names.len() * 2 <= room { 2 } else { 1 };
        if names.len() <= TABLE_NODES && names.len() * step <= room {
            self.table(matrix, &names, digits, left, step);
        } else {
            self.rows(matrix, &names);
        }
    }

    /// Every cell: rows are sources, columns destinations by number.
    fn table(&mut self, matrix: &Matrix, names: &[String], digits: usize, left: usize, step: usize) {
        let gap = " ".repeat(step - 1);
        if names.len() >= 10 {
            let tens = (1..=names.len())
                .map(|n| format!("{gap}{}", if n % 10 == 0 { (n / 10 % 10).to_string() } else { " ".to_owned() }));
            let tens = format!("{:left$}{}", "", tens.collect::<String>());
            self.line(&self.paint_words(&tens, Look::Faint));
        }
        let units: String = (1..=names.len()).map(|n| format!("{gap}{}", n % 10)).collect();
        let corner = "from \\ to";
        let corner =
            if left > corner.len() + 2 { format!("  {corner:pad$}", pad = left - 2) } else { " ".repeat(left) };
        self.line(&self.paint_words(&format!("{corner}{units}"), Look::Faint));
        for (i, (name, row)) in names.iter().zip(&matrix.cells).enumerate() {
            let number = format!("{:>digits$}", i + 1);
            let pad = " ".repeat(left - 3 - digits - columns(name));
            let cells: String = row.iter().map(|cell| gap.clone() + &self.cell(*cell)).collect();
            let line = format!("  {} {name}{pad}{cells}", self.paint(&number, Look::Faint));
            self.line(&line);
        }
        let all = [
            (Cell::Open, "open"),
            (Cell::Partial, "in part"),
            (Cell::Shut, "shut"),
            (Cell::Unknown, "unknown"),
            (Cell::NotProbed, "not probed"),
        ];
        let seen = all.iter().filter(|(cell, _)| matrix.cells.iter().flatten().any(|c| c == cell));
        let legend: Vec<Word> = seen
            .map(|(cell, word)| {
                let (symbol, look) = self.cell_symbol(*cell);
                Word(vec![
                    (if symbol == " " { "blank" } else { symbol }.to_owned(), look),
                    (format!(" {word} "), Look::Plain),
                ])
            })
            .collect();
        self.put(Lead { painted: "  ".to_owned(), columns: 2, hang: 2 }, &legend);
    }

    /// Only the rows with something to say.
    fn rows(&mut self, matrix: &Matrix, names: &[String]) {
        let mut quiet_rows = 0;
        for (name, row) in names.iter().zip(&matrix.cells) {
            let mut parts = Vec::new();
            for (cell, word) in [(Cell::Shut, "shut"), (Cell::Partial, "in part"), (Cell::Unknown, "unknown")] {
                let to: Vec<&str> =
                    names.iter().zip(row).filter(|(_, c)| **c == cell).map(|(name, _)| name.as_str()).collect();
                match to.len() {
                    0 => {}
                    n if n > FEW => {
                        parts.push(format!("{word} to {n} nodes: {}, and {} more", to[..FEW].join(", "), n - FEW))
                    }
                    _ => parts.push(format!("{word} to {}", to.join(", "))),
                }
            }
            if parts.is_empty() {
                quiet_rows += 1;
                continue;
            }
            let mut words = self.words(name, Look::Strong, false);
            words.extend(self.words(&parts.join("; "), Look::Plain, false));
            self.put(Lead { painted: "  ".to_owned(), columns: 2, hang: 4 }, &words);
        }
        let rest = self.words(
            &format!("{} of {}: every probed pair open", quiet_rows, count(names.len(), "row")),
            Look::Faint,
            false,
        );
        self.put(Lead { painted: "  ".to_owned(), columns: 2, hang: 4 }, &rest);
    }

    fn facts(&mut self, report: &Report) {
        let run = &report.run;
        let facts = [("started", &run.started), ("namespace", &run.namespace), ("image", &run.image)];
        if facts.iter().all(|(_, value)| value.is_empty()) {
            return;
        }
        self.heading("About this run");
        for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
            let words = self.words(value, Look::Plain, false);
            self.put(Lead { painted: format!("  {name:<9}  "), columns: 13, hang: 13 }, &words);
        }
        if !run.phases.is_empty() {
            let steps: Vec<String> = run.phases.iter().map(|(name, ms)| format!("{name} {}", duration(*ms))).collect();
            let words = self.joined(&steps, Look::Plain);
            self.put(Lead { painted: "  time       ".to_owned(), columns: 13, hang: 13 }, &words);
        }
    }

    fn explain(&mut self) {
        self.out.push('\n');
        let note = self.words(
            "Why a check matters and what to do: `kubectl cni explain ID`, with an ID from [brackets]",
            Look::Faint,
            true,
        );
        self.put(indent(0), &note);
    }

    fn left_behind(&mut self, objects: &[String]) {
        if objects.is_empty() {
            return;
        }
        self.out.push('\n');
        let (symbol, _, _) = self.symbol(Verdict::Fail);
        let loud = format!("{symbol} LEFT BEHIND: {} could not be removed", count(objects.len(), "object"));
        let loud = self.words(&loud, Look::Bad, false);
        self.put(indent(0), &loud);
        for object in objects {
            let words = self.words(object, Look::Plain, false);
            self.put(indent(2), &words);
        }
        self.hint("`kubectl cni cleanup`", 0);
    }

    fn summary(&mut self, report: &Report) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let run = &report.run;
        if run.interrupted {
            let note =
                self.words("Interrupted: what had not been decided by then is unknown or missing.", Look::Doubt, false);
            self.put(indent(0), &note);
        }
        let outcome = result(report, report.strict);
        let look = match outcome {
            Outcome::Ok => Look::Good,
            Outcome::Findings => Look::Bad,
            Outcome::Undecided | Outcome::Interrupted => Look::Doubt,
        };
        let mut words = Vec::new();
        if report.strict {
            words.push(Word(vec![("(strict)".to_owned(), Look::Plain)]));
        }
        if report.sections.is_empty() {
            words.extend(self.words("no checks ran", Look::Plain, false));
        } else {
            let phrases = report.counts().phrases();
            let last = phrases.len() - 1;
            words.extend(
                phrases
                    .into_iter()
                    .enumerate()
                    .map(|(i, phrase)| Word(vec![(if i < last { phrase + "," } else { phrase }, Look::Plain)])),
            );
        }
        let mut tail = Vec::new();
        if run.planned > 0 {
            let retried = if run.retried > 0 { format!(", {} retried", run.retried) } else { String::new() };
            tail.push(format!("{} of {} decided{retried}", run.decided, count(run.planned, "probe")));
        }
        if run.duration_ms > 0 {
            tail.push(duration(run.duration_ms));
        }
        if !run.id.is_empty() {
            tail.push(format!("run {}", run.id));
        }
        if !tail.is_empty() {
            if let Some((text, _)) = words.last_mut().and_then(|word| word.0.last_mut()) {
                text.push_str(&self.safe(" ·"));
            }
            words.extend(self.joined(&tail, Look::Plain));
        }
        let painted = format!("result: {}  ", self.paint(outcome.word(), look));
        self.put(Lead { painted, columns: 10 + outcome.word().len(), hang: 8 }, &words);
    }

    fn heading(&mut self, title: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        let title = self.safe(title);
        let rule = if self.style.ascii { "-" } else { "─" }.repeat(columns(&title));
        self.line(&self.paint(&title, Look::Heading));
        self.line(&self.paint(&rule, Look::Faint));
    }

    /// What the line of the check itself does not say.
    fn finding(&mut self, check: &CheckResult, at: usize) {
        let Some(finding) = &check.finding else { return };
        // Why a check matters is what `explain` prints.
        let shown = |name: &str| name != "why" || self.style.verbose;
        let parts = finding.parts().into_iter().filter(|(name, text)| *text != check.detail && shown(name));
        for (name, text) in parts.collect::<Vec<_>>() {
            let words = self.words(text, Look::Faint, false);
            let painted = " ".repeat(at) + &self.paint_words(&format!("{name:<10}"), Look::Faint);
            self.put(Lead { painted, columns: at + 10, hang: at + 10 }, &words);
        }
    }

    fn plan(&mut self, steps: &[PlanStep]) {
        if steps.is_empty() {
            return;
        }
        self.heading("Plan");
        for (number, step) in steps.iter().enumerate() {
            let words = self.words(&step.title, Look::Strong, false);
            self.put(Lead { painted: format!("{:>2}. ", number + 1), columns: 4, hang: 4 }, &words);
            if !step.note.is_empty() {
                let words = self.words(&step.note, Look::Faint, true);
                self.put(indent(4), &words);
            }
            for command in &step.commands {
                // Whole on its line, so that it can be pasted.
                let command = self.safe(command);
                self.line(&format!("    {command}"));
            }
        }
    }

    fn evidence(&mut self, lines: &[String], at: usize) {
        self.some(lines, at, Look::Faint);
    }

    fn listed(&mut self, lines: &[String], at: usize) {
        self.some(lines, at, Look::Plain);
    }

    /// The first lines, or all of them with `-v`; what is held back is counted.
    fn some(&mut self, lines: &[String], at: usize, look: Look) {
        // One more line costs no more than saying that there is one.
        let shown = if self.style.verbose || lines.len() == FEW + 1 { lines.len() } else { lines.len().min(FEW) };
        for line in &lines[..shown] {
            let words = self.words(line, look, false);
            self.put(Lead { painted: " ".repeat(at), columns: at, hang: at + 2 }, &words);
        }
        if shown < lines.len() {
            let more = self.words(&format!("… and {} more: -v shows all", lines.len() - shown), Look::Faint, false);
            self.put(indent(at), &more);
        }
    }

    fn hint(&mut self, hint: &str, at: usize) {
        if hint.is_empty() {
            return;
        }
        let arrow = if self.style.ascii { "> " } else { "→ " };
        let painted = " ".repeat(at) + &self.paint_words(arrow, Look::Info);
        let words = self.words(hint, Look::Plain, true);
        self.put(Lead { painted, columns: at + 2, hang: at + 2 }, &words);
    }

    fn symbol(&self, verdict: Verdict) -> (&'static str, &'static str, Look) {
        let (symbol, plain, look) = match verdict {
            Verdict::Pass => ("√", "+", Look::Good),
            Verdict::Note => ("i", "i", Look::Info),
            Verdict::Skip => ("-", "-", Look::Faint),
            Verdict::Warn => ("‼", "!", Look::Caution),
            Verdict::Unknown => ("?", "?", Look::Doubt),
            Verdict::Fail => ("×", "x", Look::Bad),
        };
        (if self.style.ascii { plain } else { symbol }, verdict.word(), look)
    }

    fn mark(&self, verdict: Verdict) -> String {
        let (symbol, word, look) = self.symbol(verdict);
        let mark = format!("{symbol} {word}");
        let gap = " ".repeat(MARK - columns(&mark));
        self.paint(&mark, look) + &gap
    }

    fn cell(&self, cell: Cell) -> String {
        let (symbol, look) = self.cell_symbol(cell);
        self.paint(symbol, look)
    }

    fn cell_symbol(&self, cell: Cell) -> (&'static str, Look) {
        let (symbol, plain, look) = match cell {
            Cell::Open => ("·", ".", Look::Faint),
            Cell::Partial => ("~", "~", Look::Caution),
            Cell::Shut => ("×", "x", Look::Bad),
            Cell::Unknown => ("?", "?", Look::Doubt),
            Cell::NotProbed => (" ", " ", Look::Plain),
        };
        (if self.style.ascii { plain } else { symbol }, look)
    }
}
