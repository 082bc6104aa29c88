//! Does the CNI run on the nodes' systems and processors?

use std::collections::BTreeMap;

use cni_facts::Supported;

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "node-platform-unsupported",
    section: "Versions",
    title: "the CNI runs on the nodes' systems and processors",
    means: "An image without a node's architecture does not start there, and its node has no CNI agent.",
    remedy: "Keep the agents off the nodes that are named by a node selector, or choose a CNI that has images for them.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Some((_, support)) = super::supported_version(upgrade) else { return Vec::new() };
    let Some(support) = support else {
        return vec![check.result(Verdict::Skip, "systems and processors of this CNI's images are not known")];
    };
    let nodes = match &upgrade.survey.snapshot.nodes {
        Ok(nodes) => nodes,
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let mut kinds: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for node in nodes {
        let info = node.status.as_ref().and_then(|status| status.node_info.clone()).unwrap_or_default();
        kinds.entry((info.operating_system, info.architecture)).or_default().push(node_name(node).to_owned());
    }
    let mut bad: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for ((os, architecture), names) in &kinds {
        for (what, answer) in [(os, support.operating_system(os)), (architecture, support.architecture(architecture))] {
            match answer {
                Supported::Yes => {}
                Supported::No { expected } => {
                    bad.push((format!("{what} on {}: {}", count(names.len(), "node"), some_of(names, 5)), expected));
                }
                Supported::Unknown { .. } => open = true,
            }
        }
    }
    let shown: Vec<String> = kinds.into_keys().map(|(os, architecture)| format!("{os}/{architecture}")).collect();
    let Some((first, expected)) = bad.first().cloned() else {
        // What is known fits; of the rest the facts say nothing.
        let known = !support.architectures.is_empty() || !support.operating_systems.is_empty();
        return vec![match (open, known) {
            (true, false) => check.result(Verdict::Skip, "systems and processors of this CNI's images are not known"),
            _ => check.result(Verdict::Pass, some_of(&shown, 4)),
        }];
    };
    let mut result = check.result(Verdict::Fail, first);
    let source = support.platforms_source.clone().unwrap_or_default();
    result.finding = Some(super::finding(&result, "nodes", &expected, check.means, &source));
    result.evidence = bad.into_iter().skip(1).map(|(line, _)| line).collect();
    vec![result]
}
