//! Is a node cordoned?

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "node-cordoned",
    section: "Nodes",
    title: "no node is cordoned",
    means: "Somebody is at work on a cordoned node, or forgot it. Its agent is updated all the same, but no pod is started there afterwards, so nothing \
            shows whether its network works.",
    remedy: "Finish that work first, or `kubectl uncordon` the nodes that are named.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Ok(nodes) = &upgrade.survey.snapshot.nodes else { return Vec::new() };
    let cordoned = nodes.iter().filter(|node| node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true)));
    let names: Vec<String> = cordoned.map(|node| node_name(node).to_owned()).collect();
    vec![if names.is_empty() {
        check.result(Verdict::Pass, "")
    } else {
        check.result(Verdict::Warn, format!("{} cordoned: {}", count(names.len(), "node"), some_of(&names, 5)))
    }]
}
