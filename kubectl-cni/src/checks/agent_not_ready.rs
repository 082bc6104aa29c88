//! Do all agents of the CNI run?

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;

use super::{Check, Judge, Seen, count, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "agent-not-ready",
    section: "CNI agents",
    title: "agents run and are ready",
    means: "Each node needs a running agent: without it new pods get no network, and changes of routes, Services or policies do not arrive. A \
            DaemonSet that wants no pod at all is a finding too, since it looks complete.",
    remedy: "kubectl describe the pods that are named, and read their logs (also --previous). Do not start an upgrade before all are ready.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let mut results = Vec::new();
    let snapshot = seen.snapshot;
    for agent in seen.detections.iter().flat_map(|detection| &detection.agents) {
        let Some(set) = find(seen, &agent.namespace, &agent.name) else { continue };
        let status = set.status.clone().unwrap_or_default();
        let title = format!("agents run and are ready: {}/{}", agent.namespace, agent.name);
        let (wanted, ready) = (status.desired_number_scheduled, status.number_ready);
        let mut result = if wanted == 0 {
            check.result(Verdict::Fail, "the DaemonSet wants no pod on any node")
        } else if ready < wanted {
            check.result(Verdict::Fail, format!("{ready} of {wanted} ready"))
        } else {
            check.result(Verdict::Pass, format!("{ready} of {wanted}"))
        };
        result.title = title;
        match &snapshot.agent_pods {
            Ok(pods) => {
                let of_set = |pod: &&Pod| {
                    pod.metadata
                        .owner_references
                        .iter()
                        .flatten()
                        .any(|owner| owner.kind == "DaemonSet" && Some(&owner.uid) == set.metadata.uid.as_ref())
                };
                let troubled: Vec<String> = pods.iter().filter(of_set).filter_map(trouble).collect();
                if !troubled.is_empty() && result.verdict == Verdict::Pass {
                    result.verdict = Verdict::Fail;
                    result.detail = some_of(&troubled, 1);
                }
                result.evidence = troubled.into_iter().take(5).collect();
                if result.verdict == Verdict::Fail {
                    let missing = nodes_without(seen, pods.iter().filter(of_set));
                    if wanted > 0 && !missing.is_empty() {
                        result.evidence.push(format!(
                            "no agent on {}: {}",
                            count(missing.len(), "node"),
                            some_of(&missing, 5)
                        ));
                    }
                    let selector: Vec<String> =
                        agent.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    result.hint =
                        Some(format!("`kubectl -n {} get pods -l {} -o wide`", agent.namespace, selector.join(",")));
                }
            }
            Err(missing) if result.verdict == Verdict::Pass => {
                result.verdict = Verdict::Unknown;
                result.detail = missing.to_string();
            }
            Err(_) => {}
        }
        results.push(result);
    }
    results
}

fn find<'a>(seen: &'a Seen<'_>, namespace: &str, name: &str) -> Option<&'a DaemonSet> {
    let sets = seen.snapshot.daemonsets.as_ref().ok()?;
    sets.iter()
        .find(|set| set.metadata.namespace.as_deref() == Some(namespace) && set.metadata.name.as_deref() == Some(name))
}

/// What is wrong with an agent's pod, in one line.
fn trouble(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("no node");
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    for container in status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten()) {
        let state = container.state.as_ref();
        if let Some(waiting) = state.and_then(|state| state.waiting.as_ref()) {
            let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
            let last = last
                .map(|last| format!(", last exit {} {}", last.exit_code, last.reason.as_deref().unwrap_or_default()))
                .unwrap_or_default();
            let reason = waiting.reason.as_deref().unwrap_or("waiting");
            return Some(format!(
                "{name} on {node}: container {} {reason}{last}, {} restarts",
                container.name, container.restart_count
            ));
        }
    }
    let ready =
        status.conditions.iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let phase = status.phase.as_deref().unwrap_or("Unknown");
    (!ready).then(|| format!("{name} on {node}: {phase}, not ready"))
}

fn nodes_without<'a>(seen: &Seen<'_>, pods: impl Iterator<Item = &'a Pod>) -> Vec<String> {
    let with: Vec<&str> = pods.filter_map(|pod| pod.spec.as_ref()?.node_name.as_deref()).collect();
    seen.snapshot.linux_nodes().map(node_name).filter(|name| !with.contains(name)).map(str::to_owned).collect()
}
