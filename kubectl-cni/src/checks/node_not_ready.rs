//! Are the nodes ready?

use super::{Check, Judge, Seen, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::{condition, node_name};

pub(super) const CHECK: Check = Check {
    id: "node-not-ready",
    section: "Nodes",
    title: "nodes are ready",
    means: "The kubelet reports a node Ready only when the container runtime finds a working CNI configuration. A node that is not ready cannot \
            start probe pods, so its paths stay unknown.",
    remedy: "kubectl describe node; \"cni plugin not initialized\" means that no configuration is in /etc/cni/net.d, which the CNI's agent (or its \
             init container) writes.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let snapshot = seen.snapshot;
    if let Err(missing) = &snapshot.nodes {
        return vec![check.result(Verdict::Unknown, missing.to_string())];
    }
    let nodes: Vec<_> = snapshot.linux_nodes().collect();
    let mut bad: Vec<String> = Vec::new();
    for node in &nodes {
        match condition(node, "Ready") {
            Some((Some(true), _, _)) => {}
            Some((_, reason, message)) => bad.push(format!("{}: {reason} {message}", node_name(node))),
            None => bad.push(format!("{}: reports no Ready condition", node_name(node))),
        }
    }
    let mut results = Vec::new();
    if bad.is_empty() {
        results.push(check.result(Verdict::Pass, format!("{} of {}", nodes.len(), nodes.len())));
    } else {
        let mut result = check.result(Verdict::Fail, format!("{} of {} not ready", bad.len(), nodes.len()));
        result.evidence = bad.into_iter().take(8).collect();
        results.push(result);
    }
    let others = snapshot
        .nodes
        .iter()
        .flatten()
        .filter(|node| !crate::snapshot::is_linux(node))
        .map(|node| node_name(node).to_owned())
        .collect::<Vec<_>>();
    if !others.is_empty() {
        let mut result = check.result(Verdict::Skip, format!("not Linux, not probed: {}", some_of(&others, 5)));
        result.title = "nodes of other systems".to_owned();
        results.push(result);
    }
    results
}
