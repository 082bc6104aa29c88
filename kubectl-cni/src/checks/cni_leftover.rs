//! Are there traces of a CNI that does not run here any more?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "cni-leftover",
    section: "CNI agents",
    title: "no traces of another CNI",
    means: "API groups and node annotations of a CNI that does not run here were left when it was removed. What it left on the nodes (interfaces, chains, \
            a configuration in /etc/cni/net.d) is not seen from here, and can come back to life when the present agent restarts.",
    remedy: "Look at the nodes for what that CNI leaves behind; then remove its CustomResourceDefinitions and node annotations. Leave them when another \
             program uses them on purpose.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let snapshot = &upgrade.survey.snapshot;
    let (Ok(groups), Ok(nodes), Ok(_)) = (&snapshot.groups, &snapshot.nodes, &snapshot.daemonsets) else {
        let reason =
            [snapshot.groups.as_ref().err(), snapshot.nodes.as_ref().err(), snapshot.daemonsets.as_ref().err()];
        let reason = reason.into_iter().flatten().next().map(ToString::to_string).unwrap_or_default();
        return vec![check.result(Verdict::Unknown, reason)];
    };
    let evidence = snapshot.evidence();
    let annotations = evidence.node_annotations.unwrap_or_default();
    let here: Vec<_> = upgrade.seen.detections.iter().filter_map(|one| upgrade.seen.facts.get(&one.id)).collect();
    let used = |pick: fn(&cni_facts::HintRule) -> &Vec<String>, name: &String| {
        here.iter().any(|cni| {
            cni.detect.crd_groups.contains(name) || cni.detect.hints.iter().any(|hint| pick(hint).contains(name))
        })
    };
    let mut traces: Vec<String> = Vec::new();
    for cni in upgrade.seen.facts.all() {
        let same_family = |other: &&cni_facts::Cni| cni.family.is_some() && other.family == cni.family;
        if here.iter().any(|other| other.id == cni.id || same_family(other)) {
            continue;
        }
        for hint in &cni.detect.hints {
            let mut seen: Vec<String> = Vec::new();
            for group in
                hint.crd_groups.iter().filter(|one| groups.contains(one) && !used(|hint| &hint.crd_groups, one))
            {
                seen.push(format!("the API serves {group}"));
            }
            let of_nodes = hint.node_annotations.iter();
            for key in of_nodes.filter(|one| annotations.contains(*one) && !used(|hint| &hint.node_annotations, one)) {
                let with = nodes
                    .iter()
                    .filter(|node| node.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(key)));
                seen.push(format!("{} nodes carry {key}", with.count()));
            }
            traces.extend(seen.into_iter().map(|trace| format!("{}: {trace}", cni.name)));
        }
    }
    // Flavours of one CNI share their traces; each trace is one, by whatever name it comes first.
    let mut known: Vec<String> = Vec::new();
    traces.retain(|line| {
        let trace = line.split_once(": ").map_or(line.as_str(), |(_, trace)| trace).to_owned();
        let new = !known.contains(&trace);
        known.push(trace);
        new
    });
    if traces.is_empty() {
        return vec![check.result(Verdict::Pass, "")];
    }
    let mut result = check.result(Verdict::Warn, traces[0].clone());
    result.evidence = traces.split_off(1);
    vec![result]
}
