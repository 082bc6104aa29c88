//! Do all agents run one version?

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::{Check, Judge, Seen, count, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-version-skew",
    section: "CNI agents",
    title: "agents run one version",
    means: "The images that run are compared, not those that are wanted: between nodes of different versions lies an upgrade that is going on, got \
            stuck, or left out nodes.",
    remedy: "Finish or undo the rollout. With updateStrategy OnDelete, delete the pods of the old version one by one.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for agent in seen.detections.iter().flat_map(|detection| &detection.agents) {
        let Ok(pods) = &seen.snapshot.agent_pods else { continue };
        let mut by_image: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pod in pods.iter().filter(|pod| belongs(pod, &agent.namespace, &agent.selector)) {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
            if let Some(image) = image(pod, &agent.container) {
                by_image.entry(image).or_default().push(node);
            }
        }
        let mut result = match by_image.len() {
            0 => continue,
            1 => check.result(Verdict::Pass, by_image.into_keys().next().unwrap_or_default()),
            _ => {
                let mut result = check.result(Verdict::Warn, format!("{} different images run", by_image.len()));
                result.evidence = by_image
                    .iter()
                    .map(|(image, nodes)| format!("{image}: {} ({})", count(nodes.len(), "node"), some_of(nodes, 5)))
                    .collect();
                result
            }
        };
        result.title = format!("agents run one version: {}/{}", agent.namespace, agent.name);
        results.push(result);
    }
    results
}

pub(super) fn belongs(pod: &Pod, namespace: &str, selector: &BTreeMap<String, String>) -> bool {
    let labels = pod.metadata.labels.as_ref();
    pod.metadata.namespace.as_deref() == Some(namespace)
        && selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

/// The image reference of a running container, else the one wanted.
fn image(pod: &Pod, container: &str) -> Option<String> {
    pod.spec.as_ref()?.containers.iter().find(|one| one.name == container).and_then(|one| one.image.clone())
}
