//! Does any node say that its network is not there?

use super::{Check, Judge, Seen, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::{condition, node_name};

pub(super) const CHECK: Check = Check {
    id: "node-network-unavailable",
    section: "Nodes",
    title: "no node reports its network unavailable",
    means: "Cilium, Calico, Flannel and cloud route controllers set the node condition NetworkUnavailable. Some set it at start and stop only, so \
            False may be stale; True is believed. Nodes without the condition are fine: not every CNI sets it.",
    remedy: "Look at the CNI agent of the nodes that are named.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let Ok(nodes) = &seen.snapshot.nodes else { return Vec::new() };
    let bad: Vec<String> = nodes
        .iter()
        .filter_map(|node| match condition(node, "NetworkUnavailable") {
            Some((Some(true), reason, message)) => Some(format!("{}: {reason} {message}", node_name(node))),
            _ => None,
        })
        .collect();
    if bad.is_empty() {
        vec![check.result(Verdict::Pass, "")]
    } else {
        vec![check.result(Verdict::Fail, some_of(&bad, 3))]
    }
}
