//! A report as JSON, by serialisable twins of the report's types, so that those can change without breaking a reader. [`SCHEMA`] describes the result.

use std::collections::BTreeMap;

use serde::Serialize;

use super::text::printable;
use super::{Cell, Outcome, Report, Verdict, result};

/// JSON Schema (draft 2020-12) of what [`json`] writes.
pub const SCHEMA: &str = include_str!("schema.json");

/// The report as indented JSON with a final line break.
pub fn json(report: &Report) -> String {
    let mut text =
        serde_json::to_string_pretty(&document(report)).expect("the twins hold only strings, numbers and lists");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document {
    schema: u8,
    result: &'static str,
    exit_code: u8,
    strict: bool,
    subject: Subject,
    run: Run,
    counts: Counts,
    sections: Vec<Section>,
    explanations: Vec<Explanation>,
    unexplained: Vec<String>,
    absent: Vec<Absent>,
    matrix: Matrix,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    plan: Vec<PlanStep>,
}

#[derive(Serialize)]
struct PlanStep {
    title: String,
    note: String,
    commands: Vec<String>,
}

#[derive(Serialize)]
struct Finding {
    subject: String,
    observed: String,
    expected: String,
    why: String,
    source: String,
}

#[derive(Serialize)]
struct Subject {
    context: String,
    server: String,
    cni: String,
    nodes: usize,
    families: Vec<String>,
}

#[derive(Serialize)]
struct Run {
    id: String,
    namespace: String,
    image: String,
    started: String,
    duration_ms: u64,
    phases_ms: BTreeMap<String, u64>,
    probes: Probes,
    mesh: String,
    interrupted: bool,
    left_behind: Vec<String>,
}

#[derive(Serialize)]
struct Probes {
    planned: usize,
    decided: usize,
    retried: usize,
}

#[derive(Serialize)]
struct Counts {
    pass: usize,
    note: usize,
    skip: usize,
    warn: usize,
    unknown: usize,
    fail: usize,
}

#[derive(Serialize)]
struct Section {
    title: &'static str,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Check {
    id: String,
    title: String,
    verdict: &'static str,
    detail: String,
    evidence: Vec<String>,
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
}

#[derive(Serialize)]
struct Explanation {
    cause: String,
    evidence: Vec<String>,
    hint: String,
    explains: usize,
    checks: Vec<&'static str>,
}

#[derive(Serialize)]
struct Absent {
    node: String,
    reason: String,
}

/// Only the pairs that were probed: above a hundred nodes almost all are not.
#[derive(Serialize)]
struct Matrix {
    nodes: Vec<String>,
    pairs: Vec<Pair>,
}

#[derive(Serialize)]
struct Pair {
    from: String,
    to: String,
    outcome: &'static str,
}

fn document(report: &Report) -> Document {
    let Report { subject, run, .. } = report;
    let outcome = result(report, report.strict);
    let counts = report.counts();
    Document {
        schema: 1,
        result: match outcome {
            Outcome::Ok => "ok",
            Outcome::Findings => "fail",
            Outcome::Undecided => "undecided",
            Outcome::Interrupted => "interrupted",
        },
        exit_code: outcome.exit_code(),
        strict: report.strict,
        subject: Subject {
            context: printable(&subject.context),
            server: printable(&subject.server),
            cni: printable(&subject.cni),
            nodes: subject.nodes,
            families: subject.families.split('+').filter(|family| !family.is_empty()).map(printable).collect(),
        },
        run: Run {
            id: printable(&run.id),
            namespace: printable(&run.namespace),
            image: printable(&run.image),
            started: printable(&run.started),
            duration_ms: run.duration_ms,
            phases_ms: run.phases.iter().map(|(name, ms)| (printable(name), *ms)).collect(),
            probes: Probes { planned: run.planned, decided: run.decided, retried: run.retried },
            mesh: printable(&run.mesh),
            interrupted: run.interrupted,
            left_behind: all(&run.left_behind),
        },
        counts: Counts {
            pass: counts.pass,
            note: counts.note,
            skip: counts.skip,
            warn: counts.warn,
            unknown: counts.unknown,
            fail: counts.fail,
        },
        sections: report.sections.iter().map(section).collect(),
        explanations: report.explanations.iter().map(explanation).collect(),
        unexplained: all(&report.unexplained),
        absent: report.absent.iter().map(|line| absent(line)).collect(),
        matrix: matrix(&report.matrix),
        plan: report
            .plan
            .iter()
            .map(|step| PlanStep {
                title: printable(&step.title),
                note: printable(&step.note),
                commands: all(&step.commands),
            })
            .collect(),
    }
}

fn section(section: &super::Section) -> Section {
    let checks = section.checks.iter().map(|check| Check {
        id: check.id.to_string(),
        title: printable(&check.title),
        verdict: match check.verdict {
            Verdict::Pass => "pass",
            Verdict::Note => "note",
            Verdict::Skip => "skip",
            Verdict::Warn => "warn",
            Verdict::Unknown => "unknown",
            Verdict::Fail => "fail",
        },
        detail: printable(&check.detail),
        evidence: all(&check.evidence),
        hint: check.hint.as_deref().map(printable),
        finding: check.finding.as_deref().map(|finding| Finding {
            subject: printable(&finding.subject),
            observed: printable(&finding.observed),
            expected: printable(&finding.expected),
            why: printable(&finding.why),
            source: printable(&finding.source),
        }),
    });
    Section { title: section.title, checks: checks.collect() }
}

fn explanation(explanation: &super::Explanation) -> Explanation {
    Explanation {
        cause: printable(&explanation.cause),
        evidence: all(&explanation.evidence),
        hint: printable(&explanation.hint),
        explains: explanation.explains,
        checks: explanation.checks.clone(),
    }
}

/// A node's name holds no colon, so the first one ends it.
fn absent(line: &str) -> Absent {
    let (node, reason) = line.split_once(": ").unwrap_or((line, ""));
    Absent { node: printable(node), reason: printable(reason) }
}

fn matrix(matrix: &super::Matrix) -> Matrix {
    let nodes = all(&matrix.nodes);
    let mut pairs = Vec::new();
    for (from, row) in nodes.iter().zip(&matrix.cells) {
        for (to, cell) in nodes.iter().zip(row) {
            let outcome = match cell {
                Cell::Open => "open",
                Cell::Partial => "partial",
                Cell::Shut => "shut",
                Cell::Unknown => "unknown",
                Cell::NotProbed => continue,
            };
            pairs.push(Pair { from: from.clone(), to: to.clone(), outcome });
        }
    }
    Matrix { nodes, pairs }
}

fn all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| printable(text)).collect()
}
