//! Is a rollout of the agents finished?

use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet};

use super::agent_version_skew::belongs;
use super::{Check, Judge, Seen, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-rollout-unfinished",
    section: "CNI agents",
    title: "no rollout is going on",
    means: "Each agent pod carries the hash of the DaemonSet revision it was made from. Pods of an older revision than the newest are not updated \
            yet; that also tells for updateStrategy OnDelete and for cordoned nodes, where the DaemonSet's own numbers do not.",
    remedy: "kubectl rollout status of the DaemonSet. With OnDelete, old pods stay until they are deleted.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let snapshot = seen.snapshot;
    let Ok(sets) = &snapshot.daemonsets else { return Vec::new() };
    let mut results = Vec::new();
    for agent in seen.detections.iter().flat_map(|detection| &detection.agents) {
        let same = |set: &&DaemonSet| {
            set.metadata.namespace.as_deref() == Some(&agent.namespace)
                && set.metadata.name.as_deref() == Some(&agent.name)
        };
        let Some(set) = sets.iter().find(same) else { continue };
        let mut result = match (&snapshot.revisions, &snapshot.agent_pods) {
            (Err(missing), _) | (_, Err(missing)) => check.result(Verdict::Unknown, missing.to_string()),
            (Ok(revisions), Ok(pods)) => {
                let observed = set.status.as_ref().and_then(|status| status.observed_generation);
                let strategy =
                    set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.clone()).unwrap_or_default();
                match newest(set, revisions) {
                    None => check.result(Verdict::Unknown, "the DaemonSet has no ControllerRevision"),
                    Some(_) if observed != set.metadata.generation => {
                        check.result(Verdict::Warn, "the DaemonSet changed and its controller has not looked yet")
                    }
                    Some(hash) => {
                        let old: Vec<String> = pods
                            .iter()
                            .filter(|pod| belongs(pod, &agent.namespace, &agent.selector))
                            .filter(|pod| {
                                pod.metadata
                                    .labels
                                    .as_ref()
                                    .and_then(|labels| labels.get("controller-revision-hash"))
                                    .is_some_and(|pod_hash| pod_hash != hash)
                            })
                            .map(|pod| pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default())
                            .collect();
                        if old.is_empty() {
                            check.result(Verdict::Pass, "")
                        } else {
                            check.result(
                                Verdict::Warn,
                                format!(
                                    "{} of {} agents run an older revision ({strategy}): {}",
                                    old.len(),
                                    pods.len(),
                                    some_of(&old, 5)
                                ),
                            )
                        }
                    }
                }
            }
        };
        result.title = format!("no rollout is going on: {}/{}", agent.namespace, agent.name);
        if result.verdict == Verdict::Warn {
            result.hint = Some(format!("`kubectl -n {} rollout status daemonset/{}`", agent.namespace, agent.name));
        }
        results.push(result);
    }
    results
}

/// Hash of the newest revision: the highest `revision` among those the DaemonSet owns.
fn newest<'a>(set: &DaemonSet, revisions: &'a [ControllerRevision]) -> Option<&'a str> {
    let owned = |revision: &&ControllerRevision| {
        revision.metadata.owner_references.iter().flatten().any(|owner| Some(&owner.uid) == set.metadata.uid.as_ref())
    };
    let newest = revisions.iter().filter(owned).max_by_key(|revision| revision.revision)?;
    newest.metadata.labels.as_ref()?.get("controller-revision-hash").map(String::as_str)
}
