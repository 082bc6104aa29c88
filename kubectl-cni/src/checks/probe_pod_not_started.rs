//! Did a probe pod start on every node?

use super::{Check, Inputs, Judge, count};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "probe-pod-not-started",
    section: "Nodes",
    title: "probe pods started on every node",
    means: "A node without its probe pods cannot be judged: its paths stay unknown, and so does the run. The reason is the pod's own: its status, \
            or the latest warning event. A sandbox that cannot be made (FailedCreatePodSandBox) is the CNI's own failure to set up a pod.",
    remedy: "Image: choose one that is on the nodes with --image, or add --image-pull-secret. Admission: do what its message asks. Sandbox: look at \
             the CNI's agent and /etc/cni/net.d on that node. Leave nodes out with --nodes or --node-selector.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let pods = &inputs.recording.pods;
    if pods.is_empty() {
        return vec![check.result(Verdict::Unknown, "no probe pod was started")];
    }
    let stuck: Vec<String> = pods
        .iter()
        .filter_map(|pod| Some(format!("{} on {}: {}", pod.component, pod.node, pod.stuck.as_ref()?)))
        .collect();
    if stuck.is_empty() {
        return vec![check.result(Verdict::Pass, count(pods.len(), "pod"))];
    }
    let mut result = check.result(Verdict::Unknown, format!("{} of {} did not start", stuck.len(), pods.len()));
    // The CNI could not give a pod its network: that is a finding, whatever else stays unknown.
    if stuck.iter().any(|line| line.contains("FailedCreatePodSandBox")) {
        result.verdict = Verdict::Fail;
    }
    result.evidence = stuck.into_iter().take(8).collect();
    vec![result]
}
