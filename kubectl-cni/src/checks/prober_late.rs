//! Was the prober itself in time?

use super::{Check, Inputs, Judge, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "prober-late",
    section: "Run",
    title: "the probing pods got their processor time",
    means: "An agent that does not get the processor for a while sees answers late and could take its own starvation for packet loss. Each agent \
            measures by how much its loop was late.",
    remedy: "The nodes that are named are short of processor time, or the pod's limit throttles it: believe failures there only when a second run \
             shows them again.",
    judge: Judge::Run(run),
};

/// Lateness below which no verdict can have changed: a small part of the shortest probe timeout.
const HARMLESS_MS: u32 = 250;

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let nodes = &inputs.recording.topology.nodes;
    let late: Vec<String> = inputs
        .recording
        .runs
        .iter()
        .filter_map(|((node, _), rounds)| {
            let worst = rounds.iter().map(|run| run.late_ms).max()?;
            (worst > HARMLESS_MS).then(|| format!("{} ({worst} ms)", nodes[*node].name))
        })
        .collect();
    if inputs.recording.runs.is_empty() {
        return Vec::new();
    }
    if late.is_empty() {
        vec![check.result(Verdict::Pass, "")]
    } else {
        vec![check.result(Verdict::Warn, some_of(&late, 5))]
    }
}
