//! Can every stored custom resource of the CNI still be read?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "stored-version-unserved",
    section: "Versions",
    title: "custom resources are stored in versions that are served",
    means: "A CustomResourceDefinition remembers every version that objects may be stored in. The API server refuses a new one that leaves such a version \
            out, and an upgrade that wants to stops there.",
    remedy: "Write all objects anew (kubectl get … -o json | kubectl replace -f -), then take the version out of the CustomResourceDefinition's \
             status.storedVersions.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Some(cni) = upgrade.main.and_then(|main| upgrade.seen.facts.get(&main.id)) else { return Vec::new() };
    if cni.detect.crd_groups.is_empty() {
        return Vec::new();
    }
    let crds = match &upgrade.survey.crds {
        Ok(crds) => crds,
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let own: Vec<_> = crds
        .iter()
        .filter(|crd| {
            crd.name.split_once('.').is_some_and(|(_, group)| cni.detect.crd_groups.iter().any(|one| one == group))
        })
        .collect();
    if own.is_empty() {
        return vec![check.result(
            Verdict::Fail,
            format!("there is no CustomResourceDefinition of {}", cni.detect.crd_groups.join(", ")),
        )];
    }
    let mut lines: Vec<String> = Vec::new();
    for crd in &own {
        let unserved: Vec<String> = crd.stored.iter().filter(|one| !crd.served.contains(one)).cloned().collect();
        if !unserved.is_empty() {
            lines.push(format!("{}: stored in {}, served in {}", crd.name, unserved.join(", "), crd.served.join(", ")));
        }
    }
    if lines.is_empty() {
        return vec![check.result(Verdict::Pass, format!("{} definitions", own.len()))];
    }
    let mut result = check.result(Verdict::Warn, lines[0].clone());
    result.evidence = lines.split_off(1);
    vec![result]
}
