//! Are the nodes' kernels new enough?

use std::collections::BTreeMap;

use cni_facts::Supported;

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "node-kernel-unsupported",
    section: "Versions",
    title: "the nodes' kernels are new enough",
    means: "Each minor of a CNI needs a kernel of some age; what Red Hat carried back into older ones counts where the project says so. On a kernel that \
            is too old the new agent does not start, and its node has none. Judged is the target where one is given, else what runs.",
    remedy: "Update the kernel of the nodes that are named, or stay with a version of the CNI that runs on it.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Some((version, support)) = super::supported_version(upgrade) else { return Vec::new() };
    let Some(support) = support else {
        return vec![check.result(Verdict::Skip, "no kernel floor is known for this CNI")];
    };
    if let Err(missing) = &upgrade.survey.snapshot.nodes {
        return vec![check.result(Verdict::Unknown, missing.to_string())];
    }
    // Nodes are many, kernels are few.
    let mut kernels: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for node in upgrade.survey.snapshot.linux_nodes() {
        let info = node.status.as_ref().and_then(|status| status.node_info.clone()).unwrap_or_default();
        kernels.entry((info.kernel_version, info.os_image)).or_default().push(node_name(node).to_owned());
    }
    let (mut old, mut open) = (Vec::new(), Vec::new());
    let mut floor = String::new();
    for ((kernel, os), nodes) in &kernels {
        match support.kernel(&version, kernel, os) {
            Supported::Yes => {}
            Supported::No { expected } => {
                floor = expected;
                old.push(format!("Linux {kernel} ({os}) on {}: {}", count(nodes.len(), "node"), some_of(nodes, 5)));
            }
            Supported::Unknown { why } => open.push(why),
        }
    }
    if old.is_empty() {
        return vec![match open.first() {
            Some(why) if support.minor(&version).is_some_and(|minor| minor.kernel_min.is_some()) => {
                check.result(Verdict::Unknown, why.clone())
            }
            Some(why) => check.result(Verdict::Skip, why.clone()),
            None => check
                .result(Verdict::Pass, some_of(&kernels.into_keys().map(|(kernel, _)| kernel).collect::<Vec<_>>(), 3)),
        }];
    }
    let mut result = check.result(Verdict::Fail, old[0].clone());
    let source = support.minor(&version).map(|minor| minor.source.clone()).unwrap_or_default();
    result.finding = Some(super::finding(&result, "nodes", &floor, check.means, &source));
    result.evidence = old.split_off(1);
    vec![result]
}
