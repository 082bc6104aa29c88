//! Asks the CNI's agents how they are, in their own containers. Only with --allow-exec: these containers are privileged.

use std::collections::BTreeMap;
use std::time::Duration;

use cni_facts::{Detection, Facts, Version};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;

use super::connect::Cluster;
use super::exec::exec_answer;
use crate::snapshot::{AgentAnswer, Gathered, Missing};

/// Bound on one command.
const BOUND: Duration = Duration::from_secs(20);
/// Agents asked at once.
const AT_ONCE: usize = 16;

/// Runs the status command of every agent pod. By "namespace/pod".
pub(super) async fn ask_agents(
    cluster: &Cluster,
    facts: &Facts,
    detections: &[Detection],
    pods: &[Pod],
) -> BTreeMap<String, Gathered<AgentAnswer>> {
    let mut asks = Vec::new();
    for detection in detections {
        for agent in &detection.agents {
            for pod in pods.iter().filter(|pod| pod.namespace().as_deref() == Some(agent.namespace.as_str())) {
                if agent.selector.iter().all(|(key, value)| pod.labels().get(key) == Some(value)) {
                    let commands = commands(facts, detection, pod, &agent.container);
                    if !commands.is_empty() {
                        asks.push((agent.namespace.clone(), pod.name_any(), agent.container.clone(), commands));
                    }
                }
            }
        }
    }
    let answers = asks.into_iter().map(|(namespace, pod, container, commands)| async move {
        let answer = ask(cluster, &namespace, &pod, &container, &commands).await;
        (format!("{namespace}/{pod}"), answer)
    });
    futures::stream::iter(answers).buffer_unordered(AT_ONCE).collect().await
}

/// Commands to try: the pod's own readiness command where it has one, since it fits the version and its settings; else those of the facts
/// for this version, or all of them when the version is not known.
fn commands(facts: &Facts, detection: &Detection, pod: &Pod, container: &str) -> Vec<Vec<String>> {
    let Some(cni) = facts.get(&detection.id) else { return Vec::new() };
    if cni.health.exec.is_empty() {
        return Vec::new();
    }
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let own = containers
        .filter(|one| one.name == container)
        .find_map(|one| one.readiness_probe.as_ref()?.exec.as_ref()?.command.clone());
    if let Some(own) = own {
        return vec![own];
    }
    let version = detection.version.as_deref().and_then(|text| Version::parse(text).ok());
    let fits = |from: &Option<String>, below: &Option<String>| {
        let Some(version) = &version else { return true };
        let at_least = from.as_ref().is_none_or(|from| Version::parse(from).is_ok_and(|from| *version >= from));
        let under = below.as_ref().is_none_or(|below| Version::parse(below).is_ok_and(|below| *version < below));
        at_least && under
    };
    cni.health.exec.iter().filter(|exec| fits(&exec.from, &exec.below)).map(|exec| exec.command.clone()).collect()
}

/// The first command that the container has.
async fn ask(
    cluster: &Cluster,
    namespace: &str,
    pod: &str,
    container: &str,
    commands: &[Vec<String>],
) -> Gathered<AgentAnswer> {
    let mut last = Err(Missing::Absent);
    for command in commands {
        let answer = exec_answer(cluster, namespace, pod, container, command, BOUND).await.map_err(Missing::from)?;
        let there = answer.exit.is_some();
        last = Ok(answer);
        if there {
            break;
        }
    }
    last
}
