//! A report as GitHub-flavoured Markdown for a change ticket: the verdict first, all checks folded away at the end.

use std::cmp::Reverse;

use super::text::{commands, count, duration, printable};
use super::{CheckResult, Explanation, Outcome, PlanStep, Report, Section, Verdict, result};

/// Lines of evidence or paths written out; tickets have size limits, so the rest is counted.
const FEW: usize = 10;

/// The report as a Markdown document.
pub fn markdown(report: &Report) -> String {
    let mut blocks = head(report);
    blocks.extend(left_behind(&report.run.left_behind));
    blocks.extend(findings(report));
    blocks.extend(explanations(&report.explanations));
    blocks.extend(listed("Failed paths without a cause found", &report.unexplained));
    blocks.extend(listed("Nodes that took no part", &report.absent));
    blocks.extend(plan(&report.plan));
    blocks.extend(every_check(&report.sections));
    blocks.push(facts(report));
    blocks.join("\n\n") + "\n"
}

fn head(report: &Report) -> Vec<String> {
    let subject = &report.subject;
    let outcome = result(report, report.strict);
    let meaning = match outcome {
        Outcome::Ok => "Nothing to report",
        Outcome::Findings if report.strict => "Something is not as it should be, or was not tested (--strict)",
        Outcome::Findings => "Something is not as it should be",
        Outcome::Undecided if report.counts().unknown == 0 => "Objects of the run were left behind",
        Outcome::Undecided => "Not everything could be decided",
        Outcome::Interrupted => "The run was cut short, this report is partial",
    };
    let counts =
        if report.sections.is_empty() { "no checks ran".to_owned() } else { report.counts().phrases().join(", ") };
    let mut place = Vec::new();
    if subject.nodes > 0 {
        place.push(count(subject.nodes, "node"));
    }
    place
        .extend([&subject.cni, &subject.families].into_iter().filter(|fact| !fact.is_empty()).map(|fact| escape(fact)));
    if !subject.context.is_empty() {
        place.insert(0, code(&subject.context));
    }
    let mut blocks =
        vec![format!("## CNI check: {}", outcome.word()), format!("**{}**: {counts}. {meaning}.", outcome.word())];
    blocks.extend((!place.is_empty()).then(|| place.join(" · ")));
    blocks
}

fn left_behind(objects: &[String]) -> Option<String> {
    let list: String = objects.iter().map(|object| format!("\n> - {}", code(object))).collect();
    let head = format!(
        "> **Left behind:** {} could not be removed. Run `kubectl cni cleanup`.\n>",
        count(objects.len(), "object")
    );
    (!objects.is_empty()).then(|| head + &list)
}

fn findings(report: &Report) -> Vec<String> {
    let mut checks: Vec<&CheckResult> =
        report.checks().filter(|check| check.verdict.is_finding(report.strict)).collect();
    if checks.is_empty() {
        return Vec::new();
    }
    checks.sort_by_key(|check| Reverse(check.verdict));
    let mut table = String::from("| | Check | Found | Next step |\n|---|---|---|---|");
    for check in checks {
        let mut found = vec![escape(&check.detail)];
        for (name, text) in check.finding.iter().flat_map(|finding| finding.parts()) {
            if text != check.detail {
                found.push(format!("{name}: {}", escape(text)));
            }
        }
        found.extend(few(&check.evidence).into_iter().map(|line| cell(&line)));
        found.retain(|line| !line.is_empty());
        table.push_str(&format!(
            "\n| {} | {} {} | {} | {} |",
            word(check.verdict),
            escape(&check.title),
            code(&check.id),
            found.join("<br>"),
            cell(&hint(check.hint.as_deref().unwrap_or_default())),
        ));
    }
    vec!["### Not passing".to_owned(), table]
}

fn explanations(explanations: &[Explanation]) -> Vec<String> {
    if explanations.is_empty() {
        return Vec::new();
    }
    let mut list = Vec::new();
    for (i, explanation) in explanations.iter().enumerate() {
        let label = format!("{}. ", i + 1);
        let pad = " ".repeat(label.len());
        let mut lines = vec![format!("{label}**{}**", escape(&explanation.cause))];
        let checks: Vec<String> = explanation.checks.iter().map(|id| code(id)).collect();
        let of = if checks.is_empty() { String::new() } else { format!(" of {}", checks.join(", ")) };
        lines.push(format!("{pad}- explains {}{of}", count(explanation.explains, "failed probe")));
        lines.extend(few(&explanation.evidence).iter().map(|line| format!("{pad}- {line}")));
        if !explanation.hint.is_empty() {
            lines.push(format!("{pad}- next: {}", hint(&explanation.hint)));
        }
        list.push(lines.join("\n"));
    }
    vec!["### Diagnosis".to_owned(), list.join("\n")]
}

fn listed(title: &str, lines: &[String]) -> Vec<String> {
    if lines.is_empty() {
        return Vec::new();
    }
    let list: Vec<String> = few(lines).iter().map(|line| format!("- {line}")).collect();
    vec![format!("### {title} ({})", lines.len()), list.join("\n")]
}

fn plan(steps: &[PlanStep]) -> Vec<String> {
    if steps.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec!["### Plan".to_owned()];
    for (number, step) in steps.iter().enumerate() {
        let mut block = format!("{}. {}", number + 1, escape(&step.title));
        if !step.note.is_empty() {
            block.push_str(&format!(". {}", hint(&step.note)));
        }
        if !step.commands.is_empty() {
            let lines: Vec<String> = step.commands.iter().map(|line| format!("   {}", printable(line))).collect();
            block.push_str(&format!("\n   ```sh\n{}\n   ```", lines.join("\n")));
        }
        blocks.push(block);
    }
    blocks
}

fn every_check(sections: &[Section]) -> Option<String> {
    let total: usize = sections.iter().map(|section| section.checks.len()).sum();
    if total == 0 {
        return None;
    }
    let mut table = String::from("| Section | | Check | Found |\n|---|---|---|---|");
    for section in sections {
        for check in &section.checks {
            table.push_str(&format!(
                "\n| {} | {} | {} {} | {} |",
                escape(section.title),
                word(check.verdict),
                escape(&check.title),
                code(&check.id),
                escape(&check.detail),
            ));
        }
    }
    Some(format!("<details>\n<summary>All {}</summary>\n\n{table}\n\n</details>", count(total, "check")))
}

fn facts(report: &Report) -> String {
    let run = &report.run;
    let probes = if run.planned == 0 {
        String::new()
    } else {
        format!("{} of {} decided, {} retried", run.decided, run.planned, run.retried)
    };
    let took = if run.duration_ms == 0 { String::new() } else { duration(run.duration_ms) };
    let facts = [
        ("Run", code(&run.id)),
        ("Started", code(&run.started)),
        ("Took", took),
        ("Kubernetes", code(&report.subject.server)),
        ("Mesh", escape(&run.mesh)),
        ("Probes", probes),
        ("Namespace", code(&run.namespace)),
        ("Image", code(&run.image)),
        ("Exit code", result(report, report.strict).exit_code().to_string()),
    ];
    let mut table = String::from("| Run | |\n|---|---|");
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        table.push_str(&format!("\n| {name} | {} |", cell(value)));
    }
    table
}

/// The first lines as code, and how many more there are.
fn few(lines: &[String]) -> Vec<String> {
    // One more line costs no more than saying that there is one.
    let shown = if lines.len() == FEW + 1 { lines.len() } else { lines.len().min(FEW) };
    let mut out: Vec<String> = lines[..shown].iter().map(|line| code(line)).collect();
    if shown < lines.len() {
        out.push(format!("… and {} more, all of them in `-o json`", lines.len() - shown));
    }
    out
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fail => "**FAIL**",
        Verdict::Unknown => "**unknown**",
        other => other.word(),
    }
}

fn hint(hint: &str) -> String {
    let safe = printable(hint);
    commands(&safe).into_iter().map(|(part, command)| if command { code(part) } else { escape(part) }).collect()
}

/// A pipe ends a table cell even inside a code span; outside of one [`escape`] has written it as an entity.
fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// A code span, which no Markdown, mention or link in the text gets out of.
fn code(text: &str) -> String {
    let text = printable(text);
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Running text with everything taken literally. A zero-width space parts what would become a mention, a reference or a link after Markdown is done with its escapes.
fn escape(text: &str) -> String {
    let text = printable(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        let rest = &text[i + c.len_utf8()..];
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '@' | '#' => out.push_str(&format!("{c}&#8203;")),
            ':' if rest.starts_with("//") => out.push_str(":&#8203;"),
            '.' if before.eq_ignore_ascii_case(&'w') => out.push_str("&#8203;."), // after the dot it would still be a link
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '!' | '{' | '}' => out.extend(['\\', c]),
            '-' | '+' | '=' if out.is_empty() => out.extend(['\\', c]),
            '.' | ')' if !out.is_empty() && out.bytes().all(|b| b.is_ascii_digit()) => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{cell, code, escape, hint};

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("3 of 3, kube-flannel-ds"), "3 of 3, kube-flannel-ds");
        assert_eq!(escape("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(escape("@all see #12"), "@&#8203;all see #&#8203;12");
        assert_eq!(escape("[x](https://evil)"), "\\[x\\](https:&#8203;//evil)");
        assert_eq!(escape("www.evil.example"), "www&#8203;.evil.example");
        assert_eq!(escape("- a | b"), "\\- a &#124; b");
        assert_eq!(escape("1. `x`\n# y"), "1\\. \\`x\\` #&#8203; y");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "");
        assert_eq!(cell(&code("a|b")), "`a\\|b`");
    }

    #[test]
    fn commands_are_code() {
        assert_eq!(hint("try `kubectl get <pod>` @once"), "try `kubectl get <pod>` @&#8203;once");
    }
}
