//! Waits until probe pods run, or until it is known why they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams};
use tokio::time::{Instant, sleep, timeout};

use super::call::{Call, CallError};
use super::connect::Cluster;
use crate::probe::manifests::RUN_LABEL;

/// What is known of the probe pod of one node and component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodReport {
    /// Node.
    pub node: String,
    /// "server", "client", "host".
    pub component: String,
    /// Pod name; empty when none was made.
    pub pod: String,
    /// State.
    pub state: PodState,
    /// Whether the kubelet found it ready.
    pub ready: bool,
}

/// How far a pod came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PodState {
    /// Its container runs; its addresses.
    Running(Vec<IpAddr>),
    /// It does not, and why as far as is known.
    Stuck(String),
}

/// What to wait for.
pub(crate) struct WaitPods<'a> {
    /// Namespaces to look in.
    pub namespaces: Vec<String>,
    /// Run id.
    pub run: &'a str,
    /// Nodes that should get a pod, with whether each is Ready.
    pub nodes: BTreeMap<String, bool>,
    /// Components per node.
    pub components: Vec<&'a str>,
    /// Bound on the whole wait.
    pub timeout: Duration,
}

/// How long pods that are stuck for a reason that may pass, or on a node that is not Ready, hold up the rest.
const PATIENCE: Duration = Duration::from_secs(6);
/// How often events are read while pods are missing.
const EVENTS_EVERY: Duration = Duration::from_secs(2);

/// Reasons that do not pass by themselves within a run.
const HOPELESS: [&str; 8] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "CrashLoopBackOff",
];

/// Waits. `progress` hears how many of how many pods run and what is awaited. Returns one report per node and component.
///
/// # Errors
///
/// Pods cannot be listed.
pub(crate) async fn wait_pods(
    cluster: &Cluster,
    want: &WaitPods<'_>,
    mut progress: impl FnMut(usize, usize, &str),
) -> Result<Vec<PodReport>, CallError> {
    let start = Instant::now();
    let deadline = start + want.timeout;
    let mut pods: BTreeMap<(String, String), Pod> = BTreeMap::new();
    let mut events: BTreeMap<String, String> = BTreeMap::new();
    let mut next_events = start + EVENTS_EVERY;
    let mut watches = Vec::new();
    for namespace in &want.namespaces {
        watches.push(Box::pin(watch_pods(cluster.clone(), namespace.clone(), want.run.to_owned())));
    }
    let mut changes = futures::stream::select_all(watches);
    loop {
        let reports = reports(want, &pods, &events);
        let running = reports.iter().filter(|report| matches!(report.state, PodState::Running(_))).count();
        let waiting: Vec<&PodReport> =
            reports.iter().filter(|report| matches!(report.state, PodState::Stuck(_))).collect();
        let text = waiting.first().map(|report| awaited(report)).unwrap_or_default();
        progress(running, reports.len(), &text);
        let now = Instant::now();
        if waiting.is_empty() || now >= deadline {
            return Ok(reports);
        }
        let given_up = now >= start + PATIENCE && waiting.iter().all(|report| excused(want, report, &pods, &events));
        let hopeless = waiting.iter().all(|report| hopeless(report, &pods, &events));
        if given_up || (hopeless && now >= start + Duration::from_secs(1)) {
            return Ok(reports);
        }
        if now >= next_events {
            events = read_events(cluster, want).await;
            next_events = Instant::now() + EVENTS_EVERY;
            continue;
        }
        let tick = next_events.min(deadline).saturating_duration_since(now).min(Duration::from_millis(500));
        match timeout(tick, changes.next()).await {
            Ok(Some(Change::Pod(pod))) => {
                if let (Some(component), Some(node)) = (component(&pod), node_of(&pod)) {
                    pods.insert((node, component), *pod);
                }
            }
            Ok(Some(Change::Gone(pod))) => {
                pods.retain(|_, known| known.metadata.uid != pod.metadata.uid);
            }
            Ok(Some(Change::Failed(error))) => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
}

enum Change {
    Pod(Box<Pod>),
    Gone(Box<Pod>),
    Failed(CallError),
}

/// Lists, then watches, then lists again whenever the watch ends. Where watching is not allowed, listing has to do.
fn watch_pods(cluster: Cluster, namespace: String, run: String) -> impl futures::Stream<Item = Change> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), &namespace);
    let events: Api<DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), &namespace, &ApiResource::erase::<Pod>(&()));
    let selector = format!("{RUN_LABEL}={run}");
    let call = Call { verb: "list", resource: "pods".to_owned(), namespace, timeout: cluster.request_timeout };
    let (sender, receiver) = tokio::sync::mpsc::channel(256);
    tokio::spawn(async move {
        let list = ListParams::default().labels(&selector);
        loop {
            let found = match call.run(|| api.list(&list)).await {
                Ok(found) => found,
                Err(error) => {
                    let _ = sender.send(Change::Failed(error)).await;
                    return;
                }
            };
            let version = found.metadata.resource_version.clone().unwrap_or_default();
            for pod in found.items {
                if sender.send(Change::Pod(Box::new(pod))).await.is_err() {
                    return;
                }
            }
            if let Ok(stream) = events.watch(&WatchParams::default().labels(&selector).timeout(60), &version).await {
                let mut stream = Box::pin(stream);
                while let Ok(Some(event)) = stream.try_next().await {
                    let (object, gone) = match event {
                        WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                        WatchEvent::Deleted(object) => (object, true),
                        WatchEvent::Bookmark(_) => continue,
                        WatchEvent::Error(_) => break,
                    };
                    let Some(pod) = pod_of(&object) else { break };
                    let change = if gone { Change::Gone(Box::new(pod)) } else { Change::Pod(Box::new(pod)) };
                    if sender.send(change).await.is_err() {
                        return;
                    }
                }
            }
            if sender.is_closed() {
                return;
            }
            sleep(Duration::from_millis(300)).await;
        }
    });
    futures::stream::unfold(
        receiver,
        |mut receiver| async move { receiver.recv().await.map(|change| (change, receiver)) },
    )
}

/// A pod of a watch. Events are read as plain JSON first: decoding pods from within an event's envelope would be a second copy of the whole
/// decoder, a twentieth of the program.
fn pod_of(object: &DynamicObject) -> Option<Pod> {
    serde_json::to_string(object).ok().and_then(|text| serde_json::from_str(&text).ok())
}

/// Latest warning per pod or DaemonSet name. Events are a help only: without the right to read them the pod's own status has to do.
async fn read_events(cluster: &Cluster, want: &WaitPods<'_>) -> BTreeMap<String, String> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    for namespace in &want.namespaces {
        let api: Api<Event> = Api::namespaced(cluster.client.clone(), namespace);
        let params = ListParams::default().fields("type=Warning").limit(500);
        let Ok(Ok(events)) = timeout(Duration::from_secs(5), api.list(&params)).await else { continue };
        for event in events.items {
            let reason = event.reason.unwrap_or_default();
            if matches!(
                reason.as_str(),
                "FailedCreate"
                    | "FailedCreatePodSandBox"
                    | "FailedScheduling"
                    | "Failed"
                    | "FailedMount"
                    | "NetworkNotReady"
                    | "BackOff"
            ) {
                let at = event
                    .last_timestamp
                    .map(|time| time.0.to_string())
                    .or(event.event_time.map(|time| time.0.to_string()))
                    .unwrap_or_default();
                let message = event.message.unwrap_or_default();
                found.push((
                    at,
                    event.involved_object.name.unwrap_or_default(),
                    format!("{reason}: {}", one_line(&message)),
                ));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, name, text)| (name, text)).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn component(pod: &Pod) -> Option<String> {
    pod.metadata.labels.as_ref()?.get("app.kubernetes.io/component").cloned()
}

/// The node of a pod, also before it is bound: a DaemonSet's pod names it in its affinity.
fn node_of(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    if let Some(node) = &spec.node_name {
        return Some(node.clone());
    }
    let affinity =
        spec.affinity.as_ref()?.node_affinity.as_ref()?.required_during_scheduling_ignored_during_execution.as_ref()?;
    affinity
        .node_selector_terms
        .iter()
        .flat_map(|term| term.match_fields.iter().flatten())
        .find_map(|field| field.values.as_ref()?.first().cloned())
}

fn reports(
    want: &WaitPods<'_>,
    pods: &BTreeMap<(String, String), Pod>,
    events: &BTreeMap<String, String>,
) -> Vec<PodReport> {
    let mut reports = Vec::new();
    for node in want.nodes.keys() {
        for component in &want.components {
            let pod = pods.get(&(node.clone(), (*component).to_owned()));
            let name = pod.and_then(|pod| pod.metadata.name.clone()).unwrap_or_default();
            reports.push(PodReport {
                node: node.clone(),
                component: (*component).to_owned(),
                state: state(pod, component, events),
                ready: pod.is_some_and(is_ready),
                pod: name,
            });
        }
    }
    reports
}

fn state(pod: Option<&Pod>, component: &str, events: &BTreeMap<String, String>) -> PodState {
    let Some(pod) = pod else {
        let denied = events
            .iter()
            .find(|(name, text)| name.starts_with(&format!("cni-{component}")) && text.starts_with("FailedCreate:"));
        return PodState::Stuck(
            denied.map_or("no pod was made for this node yet".to_owned(), |(_, text)| text.clone()),
        );
    };
    let status = pod.status.as_ref();
    let container = status.and_then(|status| status.container_statuses.as_ref()?.first());
    let running = container.and_then(|container| container.state.as_ref()?.running.as_ref()).is_some();
    let ips: Vec<IpAddr> = status
        .into_iter()
        .flat_map(|status| status.pod_ips.iter().flatten())
        .filter_map(|ip| ip.ip.parse().ok())
        .collect();
    if running && !ips.is_empty() {
        return PodState::Running(ips);
    }
    let event = events.get(pod.metadata.name.as_deref().unwrap_or_default());
    if let Some(waiting) = container.and_then(|container| container.state.as_ref()?.waiting.as_ref()) {
        let reason = waiting.reason.clone().unwrap_or_default();
        if HOPELESS.contains(&reason.as_str()) {
            return PodState::Stuck(format!("{reason}: {}", one_line(waiting.message.as_deref().unwrap_or_default())));
        }
        return PodState::Stuck(event.cloned().unwrap_or(reason));
    }
    if let Some(event) = event {
        return PodState::Stuck(event.clone());
    }
    let scheduled = status.and_then(|status| {
        status
            .conditions
            .as_ref()?
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
    });
    let unscheduled = scheduled.map(|condition| one_line(condition.message.as_deref().unwrap_or("not scheduled")));
    let phase = status.and_then(|status| status.phase.clone()).unwrap_or_else(|| "Pending".to_owned());
    PodState::Stuck(unscheduled.unwrap_or_else(|| format!("{phase}: the kubelet has not started it")))
}

fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.is_some_and(|conditions| {
        conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    })
}

fn awaited(report: &PodReport) -> String {
    match &report.state {
        PodState::Stuck(why) => format!("{} on {}: {why}", report.component, report.node),
        PodState::Running(_) => String::new(),
    }
}

fn hopeless(report: &PodReport, pods: &BTreeMap<(String, String), Pod>, events: &BTreeMap<String, String>) -> bool {
    let PodState::Stuck(why) = &report.state else { return true };
    let reason = why.split(':').next().unwrap_or_default();
    // A pull error shows as BackOff a little later; the first pull of a large image shows as ContainerCreating and is waited for.
    HOPELESS.contains(&reason)
        || (!pods.contains_key(&(report.node.clone(), report.component.clone()))
            && !events.is_empty()
            && reason == "FailedCreate")
}

/// Stuck in a way that others need not wait for any longer.
fn excused(
    want: &WaitPods<'_>,
    report: &PodReport,
    pods: &BTreeMap<(String, String), Pod>,
    events: &BTreeMap<String, String>,
) -> bool {
    let PodState::Stuck(why) = &report.state else { return true };
    let node_ready = want.nodes.get(&report.node).copied().unwrap_or(false);
    let reason = why.split(':').next().unwrap_or_default();
    hopeless(report, pods, events)
        || !node_ready
        || matches!(reason, "FailedCreatePodSandBox" | "FailedCreate" | "FailedScheduling" | "NetworkNotReady")
}

/// Node and component of the pods of a run that are Ready.
///
/// # Errors
///
/// They cannot be listed.
pub(crate) async fn ready_pods(
    cluster: &Cluster,
    namespace: &str,
    run: &str,
) -> Result<BTreeSet<(String, String)>, CallError> {
    let api: Api<Pod> = Api::namespaced(cluster.client.clone(), namespace);
    let call = Call {
        verb: "list",
        resource: "pods".to_owned(),
        namespace: namespace.to_owned(),
        timeout: cluster.request_timeout,
    };
    let list = ListParams::default().labels(&format!("{RUN_LABEL}={run}"));
    let found = call.run(|| api.list(&list)).await;
    Ok(found?
        .items
        .iter()
        .filter(|pod| is_ready(pod))
        .filter_map(|pod| Some((node_of(pod)?, component(pod)?)))
        .collect())
}
