//! Creates the objects of one run and removes them again. Nothing else in the program creates anything.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::join_all;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::call::{Call, CallError};
use super::connect::Cluster;
use crate::probe::manifests::{RENEWED, RUN_LABEL, RunSpec};
use crate::snapshot::Missing;

/// An object that was sent to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// "DaemonSet"
    pub kind: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Applied {
    /// What a manifest names.
    pub(crate) fn of(manifest: &Value) -> Applied {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Applied {
            kind: text(&manifest["kind"]),
            namespace: text(&manifest["metadata"]["namespace"]),
            name: text(&manifest["metadata"]["name"]),
        }
    }
}

impl std::fmt::Display for Applied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A run's objects.
pub(crate) struct Session {
    cluster: Cluster,
    /// Settings.
    pub spec: RunSpec,
    applied: Vec<Applied>,
}

/// How long clean-up may take before what is left is reported.
const CLEAN_UP: Duration = Duration::from_secs(60);

impl Session {
    /// A session that has created nothing yet.
    pub(crate) fn new(cluster: Cluster, spec: RunSpec) -> Session {
        Session { cluster, spec, applied: Vec::new() }
    }

    /// Objects sent so far, oldest first.
    pub(crate) fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// Has the API server check objects without keeping them. All are tried, so that every objection is known.
    pub(crate) async fn dry_run(&self, manifests: &[Value]) -> Vec<(Applied, CallError)> {
        let checks = manifests.iter().map(|manifest| async move {
            let deadline = Instant::now() + Duration::from_secs(5);
            loop {
                match send(&self.cluster, manifest, true).await {
                    Ok(_) => return None,
                    // A namespace gets its default service account a moment after it was made.
                    Err(CallError::Missing(Missing::Forbidden { message, .. }))
                        if message.contains("serviceaccount \"default\" not found") && Instant::now() < deadline =>
                    {
                        sleep(Duration::from_millis(50)).await;
                    }
                    Err(CallError::Exists) => return None,
                    Err(error) => return Some((Applied::of(manifest), error)),
                }
            }
        });
        join_all(checks).await.into_iter().flatten().collect()
    }

    /// Creates one object and returns it as the API server keeps it.
    ///
    /// # Errors
    ///
    /// What stood against it.
    pub(crate) async fn create(&mut self, manifest: &Value) -> Result<Value, CallError> {
        self.applied.push(Applied::of(manifest)); // before it is sent: the answer may be lost on the way back
        let answer = match send(&self.cluster, manifest, false).await {
            // An earlier try of the same request got through although its answer did not.
            Err(CallError::Exists) => fetch(&self.cluster, manifest, &self.spec.id).await,
            other => other,
        };
        if matches!(answer, Err(CallError::Missing(Missing::Forbidden { .. }) | CallError::Refused(_))) {
            self.applied.pop();
        }
        answer
    }

    /// Removes one object early, as a step of the run.
    ///
    /// # Errors
    ///
    /// What stood against it.
    pub(crate) async fn delete(&mut self, manifest: &Value) -> Result<(), CallError> {
        let target = Applied::of(manifest);
        delete(&self.cluster, &target).await?;
        self.applied.retain(|applied| *applied != target);
        Ok(())
    }

    /// Removes every pod of one component and waits until they are gone.
    pub(crate) async fn drop_pods(&self, component: &str) -> Result<(), CallError> {
        let selector = format!("{RUN_LABEL}={},app.kubernetes.io/component={component}", self.spec.id);
        delete_pods(&self.cluster, &self.spec.namespace, &selector).await?;
        wait_no_pods(&self.cluster, &self.spec.namespace, &selector, Instant::now() + CLEAN_UP).await
    }

    /// Removes everything, newest first, and waits until all but the namespaces is gone. Returns what is left with the reason, and the
    /// namespaces that are on their way out, empty of ours.
    pub(crate) async fn close(&mut self) -> (Vec<String>, Closing) {
        let deadline = Instant::now() + CLEAN_UP;
        let objects: Vec<Applied> = self.applied.drain(..).rev().collect();
        remove_contents(&self.cluster, &self.spec.id, objects, deadline).await
    }
}

/// Namespaces that were told to go. Their controller waits five seconds before it looks, and nothing of ours is in them any more.
pub(crate) struct Closing {
    cluster: Cluster,
    namespaces: Vec<Applied>,
    deadline: Instant,
}

impl Closing {
    /// Waits until they are gone. Returns what is left with the reason.
    pub(crate) async fn wait(&self) -> Vec<String> {
        let mut left = Vec::new();
        for namespace in &self.namespaces {
            if let Err(error) = wait_gone(&self.cluster, namespace, self.deadline).await {
                left.push(format!("{namespace}: {error}"));
            }
        }
        left
    }

    /// The namespaces as people read them.
    pub(crate) fn objects(&self) -> Vec<String> {
        self.namespaces.iter().map(ToString::to_string).collect()
    }
}

/// Says every five seconds that a run is alive, so that another one does not tidy it away. Never ends by itself.
pub(crate) async fn heartbeat(cluster: Cluster, namespace: String, name: String) {
    let api = api(&cluster, "ConfigMap", &namespace);
    loop {
        sleep(Duration::from_secs(5)).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let patch = json!({"metadata": {"annotations": {RENEWED: now.to_string()}}});
        // Best effort: a missed beat only lets another run see this one as abandoned half a minute later.
        let _ = tokio::time::timeout(
            Duration::from_secs(3),
            api.patch_metadata(&name, &PatchParams::default(), &Patch::Merge(&patch)),
        )
        .await;
    }
}

/// Removes a run's objects and waits until they are gone.
pub(super) async fn remove_all(cluster: &Cluster, run: &str, objects: Vec<Applied>, deadline: Instant) -> Vec<String> {
    let (mut left, closing) = remove_contents(cluster, run, objects, deadline).await;
    left.extend(closing.wait().await);
    left
}

/// Tells everything to go, workloads before their pods, so that nothing is started anew, and waits until the pods are gone.
async fn remove_contents(
    cluster: &Cluster,
    run: &str,
    objects: Vec<Applied>,
    deadline: Instant,
) -> (Vec<String>, Closing) {
    let mut left = Vec::new();
    let (namespaces, inside): (Vec<Applied>, Vec<Applied>) =
        objects.into_iter().partition(|object| object.kind == "Namespace");
    let (workloads, rest): (Vec<Applied>, Vec<Applied>) =
        inside.into_iter().partition(|object| object.kind == "DaemonSet");
    // Namespaces first: their controller waits five seconds before it empties one, time in which the rest can go.
    note(&mut left, &namespaces, join_all(namespaces.iter().map(|object| delete(cluster, object))).await);
    note(&mut left, &workloads, join_all(workloads.iter().map(|object| delete(cluster, object))).await);
    let pod_namespaces: BTreeSet<&str> = workloads.iter().map(|object| object.namespace.as_str()).collect();
    let selector = format!("{RUN_LABEL}={run}");
    let told = join_all(pod_namespaces.iter().map(|namespace| delete_pods(cluster, namespace, &selector))).await;
    note(&mut left, &rest, join_all(rest.iter().map(|object| delete(cluster, object))).await);
    for (namespace, told) in pod_namespaces.into_iter().zip(told) {
        let gone = match told {
            // Without this right the garbage collector does it, only later.
            Ok(()) | Err(CallError::Missing(Missing::Forbidden { .. })) => {
                wait_no_pods(cluster, namespace, &selector, deadline).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = gone {
            left.push(format!("pods labelled {selector} in {namespace}: {error}"));
        }
    }
    (left, Closing { cluster: cluster.clone(), namespaces, deadline })
}

fn note(left: &mut Vec<String>, objects: &[Applied], results: Vec<Result<(), CallError>>) {
    for (object, result) in objects.iter().zip(results) {
        if let Err(error) = result {
            left.push(format!("{object}: {error}"));
        }
    }
}

fn resource(api_version: &str, kind: &str) -> ApiResource {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let plural = match kind {
        "NetworkPolicy" => "networkpolicies".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    };
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), &plural)
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "DaemonSet" => "apps/v1",
        "NetworkPolicy" => "networking.k8s.io/v1",
        _ => "v1",
    }
}

fn api(cluster: &Cluster, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let resource = resource(api_version(kind), kind);
    if namespace.is_empty() {
        Api::all_with(cluster.client.clone(), &resource)
    } else {
        Api::namespaced_with(cluster.client.clone(), namespace, &resource)
    }
}

fn call(cluster: &Cluster, verb: &'static str, kind: &str, namespace: &str) -> Call {
    let resource = resource(api_version(kind), kind);
    let name =
        if resource.group.is_empty() { resource.plural } else { format!("{}.{}", resource.plural, resource.group) };
    Call { verb, resource: name, namespace: namespace.to_owned(), timeout: cluster.request_timeout }
}

async fn send(cluster: &Cluster, manifest: &Value, dry_run: bool) -> Result<Value, CallError> {
    let target = Applied::of(manifest);
    let api = api(cluster, &target.kind, &target.namespace);
    let object: DynamicObject = serde_json::from_value(manifest.clone())
        .map_err(|error| CallError::Refused(format!("{target} does not parse: {error}")))?;
    let params = PostParams { dry_run, field_manager: Some("kubectl-cni".to_owned()) };
    let created = call(cluster, "create", &target.kind, &target.namespace).run(|| api.create(&params, &object)).await?;
    Ok(serde_json::to_value(created).unwrap_or_default())
}

/// The object under a name that is taken, if it is of this run.
async fn fetch(cluster: &Cluster, manifest: &Value, run: &str) -> Result<Value, CallError> {
    let target = Applied::of(manifest);
    let api = api(cluster, &target.kind, &target.namespace);
    let found = call(cluster, "get", &target.kind, &target.namespace).run(|| api.get(&target.name)).await?;
    let ours = found.metadata.labels.as_ref().and_then(|labels| labels.get(RUN_LABEL)).is_some_and(|id| id == run);
    if ours { Ok(serde_json::to_value(found).unwrap_or_default()) } else { Err(CallError::Exists) }
}

async fn delete(cluster: &Cluster, target: &Applied) -> Result<(), CallError> {
    let api = api(cluster, &target.kind, &target.namespace);
    let params = DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
    let result = call(cluster, "delete", &target.kind, &target.namespace)
        .run(|| async { api.delete(&target.name, &params).await.map(|_| ()) })
        .await;
    match result {
        Err(CallError::Missing(Missing::Absent)) => Ok(()),
        other => other,
    }
}

async fn delete_pods(cluster: &Cluster, namespace: &str, selector: &str) -> Result<(), CallError> {
    let pods = api(cluster, "Pod", namespace);
    let list = ListParams::default().labels(selector);
    let params = DeleteParams::default();
    call(cluster, "deletecollection", "Pod", namespace)
        .run(|| async { pods.delete_collection(&params, &list).await.map(|_| ()) })
        .await
}

async fn wait_no_pods(cluster: &Cluster, namespace: &str, selector: &str, deadline: Instant) -> Result<(), CallError> {
    let pods = api(cluster, "Pod", namespace);
    let list = ListParams::default().labels(selector);
    let mut pause = Duration::from_millis(150);
    loop {
        let found = match call(cluster, "list", "Pod", namespace).run(|| pods.list_metadata(&list)).await {
            Err(CallError::Missing(Missing::Absent)) => return Ok(()),
            other => other?,
        };
        if found.items.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(CallError::Missing(Missing::Failed(format!("{} still there", found.items.len()))));
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(500));
    }
}

async fn wait_gone(cluster: &Cluster, target: &Applied, deadline: Instant) -> Result<(), CallError> {
    let api = api(cluster, &target.kind, &target.namespace);
    let mut pause = Duration::from_millis(100);
    loop {
        match call(cluster, "get", &target.kind, &target.namespace).run(|| api.get_metadata_opt(&target.name)).await {
            Ok(None) | Err(CallError::Missing(Missing::Absent)) => return Ok(()),
            // Without the right to look, being told to go is all that can be known.
            Err(CallError::Missing(Missing::Forbidden { .. })) => return Ok(()),
            Err(error) => return Err(error),
            Ok(Some(_)) if Instant::now() >= deadline => {
                return Err(CallError::Missing(Missing::Failed("is still being removed".to_owned())));
            }
            Ok(Some(_)) => {}
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_millis(500));
    }
}
