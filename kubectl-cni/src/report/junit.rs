//! A report as JUnit XML: a suite per section, a case per check, and one more suite for the run itself, so that an empty report still shows up.

use super::text::{duration, printable};
use super::{CheckResult, Report, Verdict, result};

/// The report as an XML document.
pub fn junit(report: &Report) -> String {
    let mut suites: Vec<Suite> = report.sections.iter().map(|section| suite(section, report)).collect();
    suites.push(run_suite(report));
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites name=\"kubectl-cni\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">\n",
        sum(|suite| suite.cases.len()),
        sum(|suite| suite.having(Kind::Failure)),
        sum(|suite| suite.having(Kind::Error)),
        sum(|suite| suite.having(Kind::Skipped)),
        seconds(report),
    ));
    for suite in &suites {
        suite.write(&mut out, report);
    }
    out.push_str("</testsuites>\n");
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passed,
    Said,
    Skipped,
    Failure,
    Error,
}

struct Case {
    name: String,
    kind: Kind,
    /// Type of the failure or error.
    word: &'static str,
    message: String,
    lines: Vec<String>,
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

fn suite(section: &super::Section, report: &Report) -> Suite {
    Suite { name: section.title.to_owned(), cases: section.checks.iter().map(|check| case(check, report)).collect() }
}

fn case(check: &CheckResult, report: &Report) -> Case {
    let kind = match check.verdict {
        Verdict::Pass => Kind::Passed,
        Verdict::Fail => Kind::Failure,
        Verdict::Warn if report.warnings_fail => Kind::Failure,
        _ if report.strict && check.verdict.is_finding(true) => Kind::Failure,
        Verdict::Unknown => Kind::Error,
        Verdict::Skip => Kind::Skipped,
        Verdict::Warn | Verdict::Note => Kind::Said,
    };
    let word = match check.verdict {
        Verdict::Fail => "fail",
        other => other.word(),
    };
    let mut lines = Vec::new();
    for (name, text) in check.finding.iter().flat_map(|finding| finding.parts()) {
        lines.push(format!("{name}: {text}"));
    }
    lines.extend(check.evidence.iter().cloned());
    for explanation in
        report.explanations.iter().filter(|explanation| explanation.checks.iter().any(|id| check.id == *id))
    {
        lines.push(format!("cause: {} (explains {} failed probes)", explanation.cause, explanation.explains));
        lines.push(format!("next: {}", explanation.hint));
    }
    lines.extend(check.hint.iter().map(|hint| format!("next: {hint}")));
    Case { name: format!("{}: {}", check.id, check.title), kind, word, message: check.detail.clone(), lines }
}

/// What belongs to no check: whether the run came to its end and left nothing, and all that was found out by putting checks together.
fn run_suite(report: &Report) -> Suite {
    let run = &report.run;
    let mut lines = vec![format!(
        "result: {}, exit code {}",
        result(report, report.strict).word(),
        result(report, report.strict).exit_code()
    )];
    lines.push(format!(
        "{} of {} probes decided, {} retried, {}",
        run.decided,
        run.planned,
        run.retried,
        duration(run.duration_ms)
    ));
    lines.extend(run.left_behind.iter().map(|object| format!("left behind: {object}")));
    for explanation in &report.explanations {
        lines.push(format!("cause: {} (explains {} failed probes)", explanation.cause, explanation.explains));
        lines.extend(explanation.evidence.iter().map(|evidence| format!("  {evidence}")));
    }
    lines.extend(report.unexplained.iter().map(|path| format!("no cause found: {path}")));
    lines.extend(report.absent.iter().map(|node| format!("took no part: {node}")));
    let (kind, word, message) = if run.interrupted {
        (Kind::Error, "interrupted", "the run was cut short, the report is partial".to_owned())
    } else if !run.left_behind.is_empty() {
        (
            Kind::Error,
            "left-behind",
            format!("{} objects could not be removed: kubectl cni cleanup", run.left_behind.len()),
        )
    } else {
        (Kind::Said, "", String::new())
    };
    let name = "run: came to its end and removed what it had created".to_owned();
    Suite { name: "Run".to_owned(), cases: vec![Case { name, kind, word, message, lines }] }
}

impl Suite {
    fn having(&self, kind: Kind) -> usize {
        self.cases.iter().filter(|case| case.kind == kind).count()
    }

    fn write(&self, out: &mut String, report: &Report) {
        let name = xml(&self.name);
        let started = &report.run.started;
        let timestamp = if started.is_empty() { String::new() } else { format!(" timestamp=\"{}\"", xml(started)) };
        out.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"{timestamp}>\n",
            self.cases.len(),
            self.having(Kind::Failure),
            self.having(Kind::Error),
            self.having(Kind::Skipped),
        ));
        for case in &self.cases {
            case.write(out, &name);
        }
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn write(&self, out: &mut String, suite: &str) {
        out.push_str(&format!("    <testcase classname=\"kubectl-cni.{suite}\" name=\"{}\"", xml(&self.name)));
        let message = xml(&self.message);
        let text: String = self.lines.iter().map(|line| format!("{}\n", xml(line))).collect();
        let element = match self.kind {
            Kind::Passed => {
                out.push_str("/>\n");
                return;
            }
            Kind::Said => {
                let said = if message.is_empty() { String::new() } else { format!("{}: {message}\n", self.word) };
                format!("<system-out>{said}{text}</system-out>")
            }
            Kind::Skipped => format!("<skipped message=\"{message}\"/>"),
            Kind::Failure => format!("<failure type=\"{}\" message=\"{message}\">{text}</failure>", self.word),
            Kind::Error => format!("<error type=\"{}\" message=\"{message}\">{text}</error>", self.word),
        };
        out.push_str(&format!(">\n      {element}\n    </testcase>\n"));
    }
}

fn seconds(report: &Report) -> String {
    format!("{}.{:03}", report.run.duration_ms / 1000, report.run.duration_ms % 1000)
}

/// Fit for an attribute or an element; [`printable`] has made visible what XML forbids.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
