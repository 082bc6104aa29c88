//! Are there nodes that took no part at all?

use super::{Check, Inputs, Judge, count, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::{is_linux, node_name};

pub(super) const CHECK: Check = Check {
    id: "node-left-out",
    section: "Nodes",
    title: "every node takes part",
    means: "The probe agent is a Linux program, so nodes of other systems are not probed; nor are those that --nodes or --node-selector leave out. \
            Nothing is known of their paths.",
    remedy: "For a whole picture run without --nodes and --node-selector. Nodes of other systems have to be tried by other means.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let Ok(nodes) = &inputs.recording.snapshot.nodes else { return Vec::new() };
    let topology = &inputs.recording.topology;
    if topology.nodes.is_empty() {
        return Vec::new(); // nothing was chosen yet, for a reason that is told elsewhere
    }
    let out: Vec<_> = nodes.iter().filter(|node| topology.node(node_name(node)).is_none()).collect();
    let (linux, foreign): (Vec<_>, Vec<_>) = out.into_iter().partition(|node| is_linux(node));
    let names = |nodes: &[&k8s_openapi::api::core::v1::Node]| {
        some_of(&nodes.iter().map(|node| node_name(node).to_owned()).collect::<Vec<_>>(), 3)
    };
    let mut results = Vec::new();
    if !foreign.is_empty() {
        let detail = format!("{} not running Linux: {}", count(foreign.len(), "node"), names(&foreign));
        results.push(check.result(Verdict::Skip, detail));
    }
    if !linux.is_empty() {
        let detail =
            format!("{} left out by --nodes or --node-selector: {}", count(linux.len(), "node"), names(&linux));
        results.push(check.result(Verdict::Skip, detail));
    }
    results
}
