//! Can the agents run on every node?

use k8s_openapi::api::core::v1::{PodSpec, Taint, Toleration};

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "agent-kept-off-nodes",
    section: "CNI agents",
    title: "agents tolerate every node's taints",
    means: "A taint that the agents do not tolerate keeps new agents off the node: with NoExecute at once, with NoSchedule from the next restart on, \
            which is what an upgrade is. The DaemonSet does not count such a node, so it looks complete.",
    remedy: "Add a toleration to the DaemonSet, best `operator: Exists` without a key, or remove the taint from the nodes that are named.",
    judge: Judge::Upgrade(run),
};

/// What the DaemonSet controller makes every one of its pods tolerate
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations>).
const ALWAYS_TOLERATED: [&str; 6] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
];

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    if let Err(missing) = &upgrade.survey.snapshot.nodes {
        return vec![check.result(Verdict::Unknown, missing.to_string())];
    }
    let mut results = Vec::new();
    for (set, spec) in super::agent_specs(upgrade) {
        let mut kept_off: Vec<String> = Vec::new();
        for node in upgrade.survey.snapshot.linux_nodes() {
            let labels = node.metadata.labels.clone().unwrap_or_default();
            let chosen = spec.node_selector.iter().flatten().all(|(key, value)| labels.get(key) == Some(value));
            let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
            for taint in taints.filter(|taint| chosen && taint.effect != "PreferNoSchedule" && !tolerated(spec, taint))
            {
                let value = taint.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
                kept_off.push(format!("{}: {}{value}:{}", node_name(node), taint.key, taint.effect));
            }
        }
        let mut result = if kept_off.is_empty() {
            check.result(Verdict::Pass, "")
        } else {
            let nodes = count(kept_off.len(), "taint");
            let mut result = check.result(Verdict::Fail, format!("{nodes} not tolerated: {}", some_of(&kept_off, 1)));
            result.evidence = kept_off.split_off(1);
            result
        };
        result.title = format!("{}: {set}", check.title);
        results.push(result);
    }
    results
}

fn tolerated(spec: &PodSpec, taint: &Taint) -> bool {
    ALWAYS_TOLERATED.contains(&taint.key.as_str())
        || spec.host_network == Some(true) && taint.key == "node.kubernetes.io/network-unavailable"
        || spec.tolerations.iter().flatten().any(|toleration| tolerates(toleration, taint))
}

fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let key = toleration.key.as_deref().unwrap_or_default();
    if !effect.is_empty() && effect != taint.effect {
        return false;
    }
    match toleration.operator.as_deref().unwrap_or("Equal") {
        "Exists" => key.is_empty() || key == taint.key,
        _ => {
            key == taint.key && toleration.value.clone().unwrap_or_default() == taint.value.clone().unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerations_match_as_the_scheduler_has_it() {
        let taint = Taint {
            key: "a".to_owned(),
            value: Some("b".to_owned()),
            effect: "NoSchedule".to_owned(),
            time_added: None,
        };
        let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
            key: Some(key.to_owned()),
            operator: (!operator.is_empty()).then(|| operator.to_owned()),
            value: (!value.is_empty()).then(|| value.to_owned()),
            effect: (!effect.is_empty()).then(|| effect.to_owned()),
            toleration_seconds: None,
        };
        let cases = [
            (toleration("", "Exists", "", ""), true),
            (toleration("a", "Exists", "", ""), true),
            (toleration("a", "", "b", "NoSchedule"), true),
            (toleration("a", "Equal", "c", ""), false),
            (toleration("a", "Exists", "", "NoExecute"), false),
            (toleration("c", "Exists", "", ""), false),
        ];
        for (toleration, expected) in cases {
            assert_eq!(tolerates(&toleration, &taint), expected, "{toleration:?}");
        }
    }
}
