//! Do the agents keep their place when a node is full?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-can-be-evicted",
    section: "CNI agents",
    title: "agents keep their place on a full node",
    means: "An agent that restarts needs room on its node. Without the priority class system-node-critical or system-cluster-critical other pods may \
            take that room while it is away, and it then waits while the node has no CNI agent.",
    remedy: "Set priorityClassName: system-node-critical in the DaemonSet (values or manifest) before the rollout.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let of = |(set, spec): (super::Place, &k8s_openapi::api::core::v1::PodSpec)| {
        let class = spec.priority_class_name.as_deref().unwrap_or_default();
        let mut result = match class {
            "system-node-critical" | "system-cluster-critical" => check.result(Verdict::Pass, class),
            "" => check.result(Verdict::Warn, "the agents have no priority class"),
            other => check.result(Verdict::Note, format!("priority class {other}")),
        };
        result.title = format!("{}: {set}", check.title);
        result
    };
    super::agent_specs(upgrade).into_iter().map(of).collect()
}
