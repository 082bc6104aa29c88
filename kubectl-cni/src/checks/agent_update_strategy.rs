//! Will the rollout go through the nodes in an orderly way?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::survey::{host_ports, written};

pub(super) const CHECK: Check = Check {
    id: "agent-update-strategy",
    section: "CNI agents",
    title: "the rollout is orderly",
    means: "RollingUpdate with maxUnavailable 1 restarts one agent after the other, and stops at the first that does not come up. OnDelete restarts \
            none by itself. maxUnavailable above 1, or a share of a large cluster, cuts several nodes at once. maxSurge starts the new agent beside \
            the old one, which cannot work where both want the same port of the node.",
    remedy: "Set updateStrategy: RollingUpdate with maxUnavailable 1 and maxSurge 0. With OnDelete: delete the pods one node at a time, and look at \
             each node before the next.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let nodes = upgrade.survey.snapshot.nodes.as_ref().map_or(0, Vec::len);
    let mut results = Vec::new();
    for set in super::agent_sets(upgrade) {
        let Some(spec) = &set.spec else { continue };
        let strategy = spec.update_strategy.clone().unwrap_or_default();
        let kind = strategy.type_.unwrap_or_else(|| "RollingUpdate".to_owned());
        let rolling = strategy.rolling_update.unwrap_or_default();
        let at_once = rolling.max_unavailable.as_ref().map_or_else(|| "1".to_owned(), written);
        let surge = rolling.max_surge.as_ref().map_or_else(|| "0".to_owned(), written);
        let ports = spec.template.spec.as_ref().map(host_ports).unwrap_or_default();
        let mut result = if kind == "OnDelete" {
            check.result(Verdict::Warn, "OnDelete: a new version starts only where a pod is deleted")
        } else if share(&surge, nodes) > 0 && !ports.is_empty() {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            let detail = format!("maxSurge {surge}, but the agents take ports of the node: {}", ports.join(", "));
            check.result(Verdict::Fail, detail)
        } else if share(&at_once, nodes) > 1 {
            let detail = format!("maxUnavailable {at_once}: {} of {nodes} agents at once", share(&at_once, nodes));
            check.result(Verdict::Note, detail)
        } else {
            check.result(Verdict::Pass, format!("{kind}, maxUnavailable {at_once}"))
        };
        result.title = format!("{}: {}", check.title, super::place(set));
        results.push(result);
    }
    results
}

/// How many of so many nodes a number or a percentage is; percentages are rounded up, as the controller does.
fn share(written: &str, nodes: usize) -> usize {
    match written.strip_suffix('%') {
        Some(percent) => percent.parse::<usize>().map_or(0, |percent| (nodes * percent).div_ceil(100)),
        None => written.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_are_rounded_up() {
        for (written, nodes, expected) in [("1", 3, 1), ("10%", 3, 1), ("10%", 25, 3), ("0%", 25, 0), ("x", 3, 0)] {
            assert_eq!(share(written, nodes), expected, "{written} of {nodes}");
        }
    }
}
