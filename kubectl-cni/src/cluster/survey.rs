//! Reads what `preflight` judges: what `verify` reads, and beside it only what a check or a rule looks at. Secrets are never asked for, pods only
//! those of the CNI, and lists come in pages.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{Detection, Facts, Need, Role};
use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Namespace, PodSpec, PodTemplateSpec, Service};
use k8s_openapi::api::networking::v1::ServiceCIDR;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use kube::api::{Api, ApiResource, ListParams};
use kube::core::{Object, Request};
use serde::Deserialize;
use serde_json::Value;

use super::call::Call;
use super::connect::Cluster;
use super::gather::{call_for, gather, list_all};
use crate::snapshot::{Gathered, Missing};
use crate::survey::{Crd, NOT_NEEDED, Objects, Survey};

/// CustomResourceDefinitions per page: with their schemas they are a hundred kilobytes each.
const CRD_PAGE: u32 = 25;
/// Other objects per page.
const PAGE: u32 = 500;
/// The annotation in which kubectl keeps what was applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Reads a cluster. `needs` tells what the rules at hand read, once it is known which CNI runs.
pub(crate) async fn survey(
    cluster: &Cluster,
    facts: &Facts,
    needs: impl Fn(&[Detection]) -> BTreeSet<Need>,
) -> (Survey, Vec<Detection>) {
    let (mut snapshot, detections) = gather(cluster, facts, false).await;
    lighten(&mut snapshot, &detections);
    let needs = needs(&detections);
    let mut survey = Survey::unread(snapshot, NOT_NEEDED);
    let groups = served(cluster).await;
    survey.apis = groups.as_ref().map_err(Clone::clone).map(|groups| {
        groups.iter().flat_map(|(group, versions)| versions.iter().map(move |one| format!("{group}/{one}"))).collect()
    });
    let groups = groups.unwrap_or_default();
    let namespaces: BTreeSet<String> =
        detections.iter().flat_map(|one| &one.agents).map(|agent| agent.namespace.clone()).collect();
    let everything = ListParams::default();
    let (mutating, validating, budgets, api_service, service_cidrs) = tokio::join!(
        list_all::<MutatingWebhookConfiguration>(cluster, &everything),
        list_all::<ValidatingWebhookConfiguration>(cluster, &everything),
        list_all::<PodDisruptionBudget>(cluster, &everything),
        api_service(cluster),
        list_all::<ServiceCIDR>(cluster, &everything),
    );
    survey.mutating_webhooks = mutating.map(|mut list| {
        let hooks = list.iter_mut().flat_map(|one| one.webhooks.iter_mut().flatten());
        hooks.for_each(|hook| hook.client_config.ca_bundle = None);
        list
    });
    survey.validating_webhooks = validating.map(|mut list| {
        let hooks = list.iter_mut().flat_map(|one| one.webhooks.iter_mut().flatten());
        hooks.for_each(|hook| hook.client_config.ca_bundle = None);
        list
    });
    survey.budgets = budgets;
    survey.api_service = api_service;
    for (namespace, name) in configmaps(facts, &detections, &namespaces, &needs) {
        let data = configmap(cluster, &namespace, &name).await;
        survey.configmaps.insert(format!("{namespace}/{name}"), data);
    }
    survey.service_cidrs = match service_cidrs {
        Ok(list) => Ok(list
            .iter()
            .flat_map(|one| one.spec.iter().flat_map(|spec| spec.cidrs.iter().flatten()))
            .cloned()
            .collect()),
        // Clusters older than 1.33 do not serve them; kubeadm wrote down what it was told.
        Err(Missing::Absent) => {
            let read = configmap(cluster, "kube-system", "kubeadm-config").await;
            match read.as_ref().ok().and_then(kubeadm_service_subnet) {
                Some(networks) => Ok(networks),
                None => Err(Missing::Failed(
                    "the API server serves no ServiceCIDRs (from 1.33), and ConfigMap kube-system/kubeadm-config does not tell".to_owned(),
                )),
            }
        }
        Err(missing) => Err(missing),
    };
    for agent in detections.iter().flat_map(|one| &one.agents) {
        let api: Api<DaemonSet> = Api::namespaced(cluster.client.clone(), &agent.namespace);
        let read = call_for::<DaemonSet>(cluster, "get", &agent.namespace).run(|| api.get_metadata(&agent.name)).await;
        let managers = read.map(|one| {
            let fields = one.metadata.managed_fields.into_iter().flatten();
            fields.filter(|one| one.subresource.is_none()).filter_map(|one| one.manager).collect()
        });
        survey.managers.insert(format!("{}/{}", agent.namespace, agent.name), managers.map_err(Missing::from));
    }
    for namespace in &namespaces {
        let api: Api<Namespace> = Api::all(cluster.client.clone());
        let read = call_for::<Namespace>(cluster, "get", "").run(|| api.get(namespace)).await;
        let labels = read.map(|one| one.metadata.labels.unwrap_or_default()).map_err(Missing::from);
        survey.namespaces.insert(namespace.clone(), labels);
    }
    let own_groups =
        detections.iter().filter_map(|one| facts.get(&one.id)).any(|cni| !cni.detect.crd_groups.is_empty());
    if own_groups || needs.contains(&Need::Crds) {
        survey.crds = crds(cluster).await;
    }
    for (resource, how) in resources(&needs) {
        let found = objects(cluster, &groups, &resource, how).await;
        survey.objects.insert(resource, found);
    }
    (survey, detections)
}

/// How much of an object is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Depth {
    /// Whether there is one.
    Exists,
    /// What is below `metadata`.
    Metadata,
    /// All of it.
    Whole,
}

fn resources(needs: &BTreeSet<Need>) -> BTreeMap<String, Depth> {
    let mut found: BTreeMap<String, Depth> = BTreeMap::new();
    for need in needs {
        let (resource, depth) = match need {
            Need::Exists(resource) => (resource, Depth::Exists),
            Need::Objects { resource, metadata_only: true } => (resource, Depth::Metadata),
            Need::Objects { resource, metadata_only: false } => (resource, Depth::Whole),
            _ => continue,
        };
        let known = found.entry(resource.clone()).or_insert(depth);
        *known = (*known).max(depth);
    }
    found
}

/// Drops what is never judged, first of all what could be confidential: the environment of other people's containers, and what was applied.
fn lighten(snapshot: &mut crate::snapshot::Snapshot, detections: &[Detection]) {
    let own = |meta: &ObjectMeta| {
        let at = (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        detections.iter().any(|one| {
            one.agents.iter().any(|agent| (agent.namespace.as_str(), agent.name.as_str()) == at)
                || one.companions.iter().any(|companion| (companion.namespace.as_str(), companion.name.as_str()) == at)
        })
    };
    let blank = |meta: &mut ObjectMeta| {
        if let Some(applied) = meta.annotations.as_mut().and_then(|all| all.get_mut(LAST_APPLIED)) {
            applied.clear(); // that it is there tells how the object was made
        }
    };
    let strip = |template: &mut PodTemplateSpec| {
        let Some(spec) = &mut template.spec else { return };
        for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
            container.env = None;
            container.args = None;
            container.command = None;
        }
    };
    for set in snapshot.daemonsets.iter_mut().flatten() {
        blank(&mut set.metadata);
        if !own(&set.metadata) {
            set.spec.iter_mut().for_each(|spec| strip(&mut spec.template));
        }
    }
    for one in snapshot.deployments.iter_mut().flatten() {
        blank(&mut one.metadata);
        if !own(&one.metadata) {
            one.spec.iter_mut().for_each(|spec| strip(&mut spec.template));
        }
    }
    for node in snapshot.nodes.iter_mut().flatten() {
        node.status.iter_mut().for_each(|status| status.images = None);
    }
    for pod in snapshot.agent_pods.iter_mut().flatten() {
        // Of what a pod is made the DaemonSet tells; of each are judged its node, its images and how it is.
        if let Some(spec) = pod.spec.take() {
            let bare = |one: Container| Container { name: one.name, image: one.image, ..Container::default() };
            pod.spec = Some(PodSpec {
                node_name: spec.node_name,
                containers: spec.containers.into_iter().map(bare).collect(),
                init_containers: spec.init_containers.map(|list| list.into_iter().map(bare).collect()),
                ..PodSpec::default()
            });
        }
    }
    for revision in snapshot.revisions.iter_mut().flatten() {
        revision.data = None; // a whole pod template each; only the hash is compared
        blank(&mut revision.metadata);
    }
}

/// ConfigMaps to read, as namespace and name.
fn configmaps(
    facts: &Facts,
    detections: &[Detection],
    namespaces: &BTreeSet<String>,
    needs: &BTreeSet<Need>,
) -> BTreeSet<(String, String)> {
    let mut wanted = BTreeSet::from([("kube-system".to_owned(), "kube-proxy".to_owned())]);
    let mut names: BTreeSet<String> = needs
        .iter()
        .filter_map(|need| if let Need::ConfigMap(name) = need { Some(name.clone()) } else { None })
        .collect();
    for detection in detections.iter().filter(|one| one.role == Role::Main) {
        names.extend(facts.backup(&detection.id).into_iter().flat_map(|backup| backup.configmaps));
    }
    names.remove("kube-proxy");
    for namespace in namespaces {
        wanted.extend(names.iter().map(|name| (namespace.clone(), name.clone())));
    }
    wanted
}

async fn configmap(cluster: &Cluster, namespace: &str, name: &str) -> Gathered<BTreeMap<String, String>> {
    let api: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), namespace);
    let read = call_for::<ConfigMap>(cluster, "get", namespace).run(|| api.get(name)).await;
    read.map(|one| one.data.unwrap_or_default()).map_err(Missing::from)
}

fn kubeadm_service_subnet(data: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let document: Value = serde_yaml::from_str(data.get("ClusterConfiguration")?).ok()?;
    let text = document.pointer("/networking/serviceSubnet")?.as_str()?;
    Some(text.split(',').map(|one| one.trim().to_owned()).collect())
}

async fn api_service(cluster: &Cluster) -> Gathered<Vec<String>> {
    let api: Api<Service> = Api::namespaced(cluster.client.clone(), "default");
    let read = call_for::<Service>(cluster, "get", "default").run(|| api.get("kubernetes")).await;
    read.map(|one| one.spec.and_then(|spec| spec.cluster_ips).unwrap_or_default()).map_err(Missing::from)
}

/// Served groups with their versions, the preferred one first.
async fn served(cluster: &Cluster) -> Gathered<BTreeMap<String, Vec<String>>> {
    let call =
        Call { verb: "get", resource: "/apis".to_owned(), namespace: String::new(), timeout: cluster.request_timeout };
    let list = call.run(|| cluster.client.list_api_groups()).await.map_err(Missing::from)?;
    let versions = |group: &k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroup| {
        let preferred = group.preferred_version.as_ref().map(|one| one.version.clone());
        let others = group.versions.iter().map(|one| one.version.clone()).filter(|one| Some(one) != preferred.as_ref());
        preferred.iter().cloned().chain(others).collect()
    };
    Ok(list.groups.iter().map(|group| (group.name.clone(), versions(group))).collect())
}

/// What is looked at of a CustomResourceDefinition. With its schema, the decoder alone would be a thirtieth of the program.
#[derive(Clone, Debug, Deserialize)]
struct CrdSpec {
    versions: Vec<CrdVersion>,
}

#[derive(Clone, Debug, Deserialize)]
struct CrdVersion {
    name: String,
    served: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CrdStatus {
    #[serde(default)]
    stored_versions: Vec<String>,
}

async fn crds(cluster: &Cluster) -> Gathered<Vec<Crd>> {
    let resource = ApiResource::erase::<CustomResourceDefinition>(&());
    let api: Api<Object<CrdSpec, CrdStatus>> = Api::all_with(cluster.client.clone(), &resource);
    let call = call_for::<CustomResourceDefinition>(cluster, "list", "");
    let mut page = ListParams::default().limit(CRD_PAGE);
    let mut found = Vec::new();
    loop {
        let list = call.run(|| api.list(&page)).await.map_err(Missing::from)?;
        found.extend(list.items.into_iter().map(|one| Crd {
            name: one.name_any(),
            served:
                one.spec.versions.into_iter().filter(|version| version.served).map(|version| version.name).collect(),
            stored: one.status.map(|status| status.stored_versions).unwrap_or_default(),
        }));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page.continue_token = Some(token),
            None => return Ok(found),
        }
    }
}

async fn objects(
    cluster: &Cluster,
    groups: &BTreeMap<String, Vec<String>>,
    resource: &str,
    depth: Depth,
) -> Gathered<Objects> {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    if plural == "secrets" {
        return Err(Missing::Failed("Secrets are never read".to_owned()));
    }
    let paths: Vec<String> = match group {
        "" => vec![format!("/api/v1/{plural}")],
        group => match groups.get(group) {
            Some(versions) => versions.iter().map(|version| format!("/apis/{group}/{version}/{plural}")).collect(),
            None => return Err(Missing::Absent),
        },
    };
    // A group need not serve a resource in the version it prefers.
    let mut last = Err(Missing::Absent);
    for path in paths {
        last = list_path(cluster, resource, &path, depth).await;
        if !matches!(last, Err(Missing::Absent)) {
            break;
        }
    }
    last
}

async fn list_path(cluster: &Cluster, resource: &str, path: &str, depth: Depth) -> Gathered<Objects> {
    let request = Request::new(path.to_owned());
    let call = Call {
        verb: "list",
        resource: resource.to_owned(),
        namespace: String::new(),
        timeout: cluster.request_timeout,
    };
    let limit = if depth == Depth::Exists { 1 } else { PAGE };
    let mut page = ListParams::default().limit(limit);
    let mut found = Vec::new();
    loop {
        let (items, next) = one_page(cluster, &call, &request, &page, depth).await?;
        if depth == Depth::Exists {
            return Ok(Objects::Count(items.len()));
        }
        found.extend(items);
        match next {
            Some(token) => page.continue_token = Some(token),
            None => return Ok(Objects::Listed(found)),
        }
    }
}

/// One page as JSON, and where the next one begins.
async fn one_page(
    cluster: &Cluster,
    call: &Call,
    request: &Request,
    page: &ListParams,
    depth: Depth,
) -> Gathered<(Vec<Value>, Option<String>)> {
    let ask = || async {
        let request = if depth == Depth::Whole { request.list(page) } else { request.list_metadata(page) };
        cluster.client.request::<Value>(request.map_err(kube::Error::BuildRequest)?).await
    };
    let mut list = call.run(ask).await.map_err(Missing::from)?;
    let next = list["metadata"]["continue"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
    let is_list = list["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    let mut items = match list["items"].take() {
        Value::Array(items) => items,
        // How the API server writes an empty list of metadata.
        Value::Null if is_list => Vec::new(),
        _ => return Err(Missing::Failed(format!("list {}: the answer is no list", call.resource))),
    };
    for item in &mut items {
        if let Some(meta) = item.get_mut("metadata").and_then(Value::as_object_mut) {
            meta.remove("managedFields");
            if let Some(notes) = meta.get_mut("annotations").and_then(Value::as_object_mut) {
                notes.remove(LAST_APPLIED);
            }
        }
    }
    Ok((items, next))
}
