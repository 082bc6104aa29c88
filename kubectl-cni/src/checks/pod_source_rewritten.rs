//! Do pods see each other's own addresses?

use super::{Check, Inputs, Judge, some_of};
use crate::report::{CheckResult, Verdict};
use std::collections::BTreeSet;

pub(super) const CHECK: Check = Check {
    id: "pod-source-rewritten",
    section: "Pod network",
    title: "pods see each other's own addresses",
    means: "Kubernetes asks that pods reach each other without address translation. When a pod's packets arrive with another source address, \
            policies by pod and logs by address no longer mean what they say.",
    remedy: "Look for a masquerade rule that also takes pod-to-pod traffic: a pod CIDR missing from the CNI's or kube-proxy's cluster CIDR, or from \
             ip-masq-agent's nonMasqueradeCIDRs.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let nodes = &inputs.recording.topology.nodes;
    let rewritten: BTreeSet<String> = inputs
        .judged
        .iter()
        .filter_map(|one| Some(format!("pods of {} appear as {}", nodes[one.probe.node].name, one.seen_as?)))
        .collect();
    let tried = inputs.judged.iter().filter(|one| one.answered_by.is_some() && one.good()).count();
    if !rewritten.is_empty() {
        let rewritten: Vec<String> = rewritten.into_iter().collect();
        return vec![check.result(Verdict::Warn, some_of(&rewritten, 4))];
    }
    if tried == 0 {
        return vec![check.result(Verdict::Unknown, "no pod answered")];
    }
    vec![check.result(Verdict::Pass, "")]
}
