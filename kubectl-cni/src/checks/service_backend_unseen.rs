//! Does every backend of a Service get connections?

use std::collections::BTreeSet;

use super::{Check, Inputs, Judge, some_of};
use crate::probe::judge::server_name;
use crate::probe::plan::Path;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "service-backend-unseen",
    section: "Services",
    title: "every backend of the probe Service answers",
    means: "Connections to a cluster IP are spread over its backends by chance. One that no connection of any node ever reached is missing from \
            the rules. It is only judged when missing it by chance is less likely than one in a million.",
    remedy: "Compare the Service's EndpointSlices with the rules of kube-proxy or its replacement.",
    judge: Judge::Run(run),
};

/// Chance below which an unseen backend is taken as missing.
const BY_CHANCE: f64 = 1e-6;

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let topology = &inputs.recording.topology;
    let backends: Vec<&str> =
        topology.nodes.iter().filter(|node| node.server.is_some()).map(|node| node.name.as_str()).collect();
    let answers: Vec<&str> = inputs
        .judged
        .iter()
        .filter(|one| matches!(one.probe.path, Path::ClusterIp { .. }))
        .filter_map(|one| one.answered_by.as_deref())
        .collect();
    if backends.is_empty() || topology.cluster_ip.is_none() {
        return Vec::new();
    }
    let seen: BTreeSet<&str> = answers.iter().copied().collect();
    let unseen: Vec<String> = backends
        .iter()
        .filter(|node| !seen.contains(server_name(topology, node).as_str()))
        .map(|node| format!("pod on {node}"))
        .collect();
    if unseen.is_empty() {
        return vec![check.result(Verdict::Pass, format!("{} of {}", backends.len(), backends.len()))];
    }
    // Probability that one given backend gets none of n connections, times the number of backends (union bound).
    let n = backends.len() as f64;
    let chance = n * (1.0 - 1.0 / n).powi(i32::try_from(answers.len()).unwrap_or(i32::MAX));
    let detail = format!(
        "{} of {} never answered in {} connections: {}",
        unseen.len(),
        backends.len(),
        answers.len(),
        some_of(&unseen, 5)
    );
    if chance < BY_CHANCE {
        vec![check.result(Verdict::Fail, detail)]
    } else if answers.is_empty() {
        vec![check.result(Verdict::Unknown, "no connection to the Service was answered")]
    } else {
        vec![check.result(Verdict::Note, format!("{detail}; too few connections to tell from chance"))]
    }
}
