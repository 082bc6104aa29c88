//! Does each kubelet reach the pods on its own node?

use super::{Check, Inputs, Judge, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "kubelet-cannot-reach-pod",
    section: "Nodes",
    title: "kubelets reach the pods of their node",
    means: "Each probe pod has an HTTP readiness probe, which the kubelet sends from the node's own network: a pod that is Ready was reached. \
            Kubernetes asks of every network that agents on a node reach all pods of that node.",
    remedy: "Check the routes from the node to its pods, host firewalls and host policies (a default-deny policy must not shut out the node).",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    // Pods that get their plan by ConfigMap probe before they serve, and are gone when they have: their readiness says nothing.
    let serves = |pod: &&crate::recording::PodRecord| !(inputs.recording.options.by_log && pod.component == "client");
    let running: Vec<_> = inputs.recording.pods.iter().filter(|pod| pod.stuck.is_none()).filter(serves).collect();
    if running.is_empty() {
        return vec![check.result(Verdict::Unknown, "no probe pod ran")];
    }
    let bad: Vec<String> =
        running.iter().filter(|pod| !pod.ready).map(|pod| format!("{} on {}", pod.component, pod.node)).collect();
    if bad.is_empty() {
        return vec![check.result(Verdict::Pass, format!("{} of {} pods", running.len(), running.len()))];
    }
    if inputs.recording.run.interrupted {
        return vec![check.result(Verdict::Unknown, "the run ended before all pods could become ready")];
    }
    vec![check.result(
        Verdict::Fail,
        format!("{} of {} pods never became ready: {}", bad.len(), running.len(), some_of(&bad, 4)),
    )]
}
