//! Did agents restart while we were looking?

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::{Check, Inputs, Judge, count, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-restarted",
    section: "CNI agents",
    title: "no agent restarted during the run",
    means: "Restart counters count since the pod was made, so their value says nothing about now; only what was added during the run is judged. \
            Older restarts are shown as a note.",
    remedy: "kubectl logs --previous of the agents that are named; look for OOMKilled and failing probes with kubectl describe.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    if inputs.detections.iter().all(|detection| detection.agents.is_empty()) {
        return Vec::new();
    }
    let (Ok(before), Ok(after)) = (&inputs.recording.snapshot.agent_pods, &inputs.recording.agent_pods_after) else {
        let missing = [&inputs.recording.snapshot.agent_pods, &inputs.recording.agent_pods_after]
            .into_iter()
            .find_map(|part| part.as_ref().err());
        return vec![check.result(Verdict::Unknown, missing.map(ToString::to_string).unwrap_or_default())];
    };
    let (before, after) = (restarts(before), restarts(after));
    let delta: Vec<String> = after
        .iter()
        .filter_map(|(pod, now)| match before.get(pod) {
            Some(then) if now > then => Some(format!("{pod}: {} more", now - then)),
            None if !before.is_empty() => Some(format!("{pod}: new")),
            _ => None,
        })
        .collect();
    if !delta.is_empty() {
        return vec![check.result(Verdict::Fail, some_of(&delta, 5))];
    }
    let old: Vec<String> =
        after.iter().filter(|(_, count)| **count > 0).map(|(pod, count)| format!("{pod} {count}")).collect();
    if old.is_empty() {
        return vec![check.result(Verdict::Pass, "")];
    }
    let total: i32 = after.values().sum();
    vec![check.result(
        Verdict::Note,
        format!(
            "none; {} since the agents were made ({})",
            count(usize::try_from(total).unwrap_or(0), "restart"),
            some_of(&old, 3)
        ),
    )]
}

fn restarts(pods: &[Pod]) -> BTreeMap<String, i32> {
    let of = |pod: &Pod| {
        pod.status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten())
            .map(|container| container.restart_count)
            .sum()
    };
    pods.iter().map(|pod| (pod.metadata.name.clone().unwrap_or_default(), of(pod))).collect()
}
