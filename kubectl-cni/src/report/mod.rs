//! What a run found, as plain data. Judging fills a [`Report`]; the renderers beside this file turn it into text and never decide anything.

mod human;
mod json;
mod junit;
mod markdown;
mod page;
mod text;

use std::borrow::Cow;

pub use human::{HumanStyle, human};
pub use json::{SCHEMA, json};
pub use junit::junit;
pub use markdown::markdown;

/// The outcome of one check. `Unknown` and `Skip` carry the reason in [`CheckResult::detail`] and are printed and counted, never dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Tested, and as it should be.
    Pass,
    /// Tested; a fact to know that is neither good nor bad by itself.
    Note,
    /// Not tested, by choice or because it does not apply here.
    Skip,
    /// Tested; worth a look, does not fail the run.
    Warn,
    /// Could not be decided; never a pass.
    Unknown,
    /// Tested, and not as it should be.
    Fail,
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckResult {
    /// Frozen kebab-case id, as `kubectl cni explain` knows it.
    pub id: Cow<'static, str>,
    /// What was asked, in a few words ("pods reach pods on other nodes, IPv4").
    pub title: String,
    /// The answer.
    pub verdict: Verdict,
    /// One line: the observed value, or why it was skipped or stayed unknown. May be empty for a pass.
    pub detail: String,
    /// Further lines of evidence, most telling first.
    pub evidence: Vec<String>,
    /// What to do or type next; only for `Warn`, `Unknown`, `Fail`, sometimes `Skip`. A command stands between backticks: no renderer breaks it across lines.
    pub hint: Option<String>,
    /// What `preflight` adds to a finding.
    pub finding: Option<Box<Finding>>,
}

/// What a reviewer asks of a finding; an empty text means that there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// What it is about ("DaemonSet kube-flannel/kube-flannel-ds").
    pub subject: String,
    /// What was seen.
    pub observed: String,
    /// What should be.
    pub expected: String,
    /// Why it matters.
    pub why: String,
    /// Where that is written.
    pub source: String,
}

/// A step of a plan: what it is for, and what to type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanStep {
    /// What it is for ("Save what works now").
    pub title: String,
    /// What to know first; may be empty.
    pub note: String,
    /// Commands, one per line of a shell.
    pub commands: Vec<String>,
}

/// Checks that belong together, in the order they are printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Heading ("Agents", "Paths").
    pub title: &'static str,
    /// At least one check.
    pub checks: Vec<CheckResult>,
}

/// The smallest cause found for a set of failed paths.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// One sentence that names the cause ("everything to and from node n2 fails").
    pub cause: String,
    /// Counts and one example path.
    pub evidence: Vec<String>,
    /// What to type next; commands between backticks, as in [`CheckResult::hint`].
    pub hint: String,
    /// How many failed probes this accounts for.
    pub explains: usize,
    /// Ids of the checks whose failures it accounts for.
    pub checks: Vec<&'static str>,
}

/// What was under test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// Context of the kubeconfig, "" when unnamed.
    pub context: String,
    /// Git version of the API server ("v1.36.3").
    pub server: String,
    /// "Flannel v0.28.4", or "unknown CNI".
    pub cni: String,
    /// Nodes that were to take part.
    pub nodes: usize,
    /// "IPv4", "IPv4+IPv6", "IPv6".
    pub families: String,
}

/// How the run went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunInfo {
    /// Run id, as on every created object's label.
    pub id: String,
    /// Namespace the probe pods were in.
    pub namespace: String,
    /// Image of the probe pods.
    pub image: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Whole run, milliseconds.
    pub duration_ms: u64,
    /// Steps of the run in order, with the milliseconds each took.
    pub phases: Vec<(String, u64)>,
    /// Probes that were decided, of how many planned.
    pub decided: usize,
    /// Probes planned.
    pub planned: usize,
    /// Probes that came out open only at a later try.
    pub retried: usize,
    /// How the mesh was chosen ("full mesh of 3 nodes").
    pub mesh: String,
    /// True when the run was cut short by a signal.
    pub interrupted: bool,
    /// Objects that could not be removed, as "kind namespace/name".
    pub left_behind: Vec<String>,
}

/// One square of the node × node table shown with `-v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Every probe of the pair was open.
    Open,
    /// Some were, some were not.
    Partial,
    /// None was.
    Shut,
    /// Nothing is known.
    Unknown,
    /// Not in the chosen mesh.
    NotProbed,
}

/// Pod-to-pod results by source (row) and destination (column) node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Names of rows and columns.
    pub nodes: Vec<String>,
    /// `cells[row][column]`.
    pub cells: Vec<Vec<Cell>>,
}

/// Everything a renderer needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// What was tested.
    pub subject: Subject,
    /// How.
    pub run: RunInfo,
    /// All checks.
    pub sections: Vec<Section>,
    /// Causes of failures, largest first.
    pub explanations: Vec<Explanation>,
    /// Failed paths that no explanation covers.
    pub unexplained: Vec<String>,
    /// Nodes that took no part, with the reason ("n2: FailedCreatePodSandBox: …").
    pub absent: Vec<String>,
    /// Pod-to-pod table.
    pub matrix: Matrix,
    /// What to type for the upgrade, in order; of `preflight` with a target.
    pub plan: Vec<PlanStep>,
    /// `--strict`: whatever is not a pass or a note is a finding.
    pub strict: bool,
    /// `--fail-on warning`: a warning is a finding.
    pub warnings_fail: bool,
}

/// What a run comes to. The exit code and every format take it from [`result`], so they cannot disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report.
    Ok,
    /// Something is not as it should be.
    Findings,
    /// Nothing was found, but not everything could be decided, or objects stayed behind.
    Undecided,
    /// Cut short by a signal; whatever the report holds is partial.
    Interrupted,
}

impl Outcome {
    /// Exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Ok => 0,
            Outcome::Findings => 1,
            Outcome::Undecided => 2,
            Outcome::Interrupted => 130,
        }
    }

    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Ok => "OK",
            Outcome::Findings => "FAIL",
            Outcome::Undecided => "UNDECIDED",
            Outcome::Interrupted => "INTERRUPTED",
        }
    }
}

/// The one place that decides what a report comes to.
pub fn result(report: &Report, strict: bool) -> Outcome {
    let counts = report.counts();
    if report.run.interrupted {
        Outcome::Interrupted
    } else if counts.fail > 0
        || report.warnings_fail && counts.warn > 0
        || strict && counts.skip + counts.unknown + counts.warn > 0
    {
        Outcome::Findings
    } else if counts.unknown > 0 || !report.run.left_behind.is_empty() {
        Outcome::Undecided
    } else {
        Outcome::Ok
    }
}

/// How many checks came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub pass: usize,
    /// Notes.
    pub note: usize,
    /// Skipped.
    pub skip: usize,
    /// Warnings.
    pub warn: usize,
    /// Undecided.
    pub unknown: usize,
    /// Failed.
    pub fail: usize,
}

impl Verdict {
    /// The word for it, the same in every format.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "ok",
            Verdict::Note => "note",
            Verdict::Skip => "skip",
            Verdict::Warn => "warn",
            Verdict::Unknown => "unknown",
            Verdict::Fail => "FAIL",
        }
    }

    /// Whether it wants a reader's attention; under `--strict` a skip does too.
    pub fn is_finding(self, strict: bool) -> bool {
        match self {
            Verdict::Warn | Verdict::Unknown | Verdict::Fail => true,
            Verdict::Skip => strict,
            Verdict::Pass | Verdict::Note => false,
        }
    }
}

impl Counts {
    /// Worst first, zeros left out but for passes ("2 fail", "1 skip", "20 ok").
    pub fn phrases(&self) -> Vec<String> {
        let all = [
            (self.fail, "fail"),
            (self.warn, "warn"),
            (self.unknown, "unknown"),
            (self.skip, "skip"),
            (self.note, "note"),
        ];
        let mut phrases: Vec<String> =
            all.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        phrases.push(format!("{} ok", self.pass));
        phrases
    }
}

impl Finding {
    /// Its parts with their names, without those that have nothing to say.
    pub fn parts(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("subject", &self.subject),
            ("observed", &self.observed),
            ("expected", &self.expected),
            ("why", &self.why),
            ("source", &self.source),
        ];
        all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, text.as_str())).collect()
    }
}

impl Report {
    /// Every check in printing order.
    pub fn checks(&self) -> impl Iterator<Item = &CheckResult> {
        self.sections.iter().flat_map(|section| &section.checks)
    }

    /// Counts by verdict.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for check in self.checks() {
            match check.verdict {
                Verdict::Pass => counts.pass += 1,
                Verdict::Note => counts.note += 1,
                Verdict::Skip => counts.skip += 1,
                Verdict::Warn => counts.warn += 1,
                Verdict::Unknown => counts.unknown += 1,
                Verdict::Fail => counts.fail += 1,
            }
        }
        counts
    }
}
