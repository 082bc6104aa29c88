//! Are the ports that the CNI takes on its nodes free of others?

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{Part, WorkloadState};

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "host-port-taken",
    section: "Ways to get stuck",
    title: "no other workload takes the CNI's ports on nodes",
    means: "Two programs that want one port of a node do not both start: the agent then crashes, or its pod stays pending. Compared are the ports that \
            workloads declare, of the running CNI and, with --manifest, of the target; a program that declares none, or no pod, is not seen.",
    remedy: "Move one of them to another port before the rollout.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    if upgrade.main.is_none() {
        return Vec::new();
    }
    let workloads = match &upgrade.situation.workloads {
        Part::Known(workloads) => workloads,
        Part::Unknown(why) => return vec![check.result(Verdict::Unknown, why.clone())],
        Part::Absent => return Vec::new(),
    };
    let own = |one: &&WorkloadState| one.own;
    let mut wanted: BTreeMap<u16, String> = BTreeMap::new();
    for one in workloads.iter().filter(own) {
        wanted.extend(one.host_ports.iter().map(|port| (*port, format!("{}/{}", one.namespace, one.name))));
    }
    let names: BTreeSet<(String, String)> =
        workloads.iter().filter(own).map(|one| (one.namespace.clone(), one.name.clone())).collect();
    if let Part::Known(target) = &upgrade.situation.target.workloads {
        for one in target.iter().filter(own) {
            let of = format!("the target's {}/{}", one.namespace, one.name);
            one.host_ports.iter().for_each(|port| {
                wanted.entry(*port).or_insert_with(|| of.clone());
            });
        }
    }
    let mut clashes: Vec<String> = Vec::new();
    for one in workloads.iter().filter(|one| !names.contains(&(one.namespace.clone(), one.name.clone()))) {
        for port in &one.host_ports {
            if let Some(by) = wanted.get(port) {
                clashes.push(format!("port {port}: {} {}/{} and {by}", one.kind, one.namespace, one.name));
            }
        }
    }
    if clashes.is_empty() {
        let ports: Vec<String> = wanted.keys().map(ToString::to_string).collect();
        return vec![check.result(Verdict::Pass, ports.join(", "))];
    }
    let mut result = check.result(Verdict::Warn, clashes[0].clone());
    result.evidence = clashes.split_off(1);
    vec![result]
}
