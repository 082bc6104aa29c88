//! Reads what is judged: each part once, at the same time where they do not depend on each other.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{Detection, Facts};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::{Node, Pod, Service as CoreService};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::{Api, ListParams, PostParams};
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::agents::ask_agents;
use super::call::{Call, CallError};
use super::connect::Cluster;
use crate::probe::manifests::MANAGED_BY;
use crate::probe::topology::{DnsPod, Service};
use crate::snapshot::{Gathered, Missing, Snapshot};

/// Objects per page; a page of nodes is about 3.5 MB at the most common sizes.
const PAGE: u32 = 500;
/// Objects of one CNI resource that are read at the most.
const CNI_OBJECTS_MAX: u32 = 5_000;

/// Reads everything that is judged before a probe pod exists. `allow_exec` also asks the CNI's agents themselves.
pub(crate) async fn gather(cluster: &Cluster, facts: &Facts, allow_exec: bool) -> (Snapshot, Vec<Detection>) {
    let version_call = Call {
        verb: "get",
        resource: "/version".to_owned(),
        namespace: String::new(),
        timeout: cluster.request_timeout,
    };
    let version = async {
        version_call
            .run(|| cluster.client.apiserver_version())
            .await
            .map(|info| info.git_version)
            .map_err(Missing::from)
    };
    let groups_call =
        Call { verb: "get", resource: "/apis".to_owned(), namespace: String::new(), timeout: cluster.request_timeout };
    let groups = async { groups_call.run(|| cluster.client.list_api_groups()).await.map_err(Missing::from) };
    let everything = ListParams::default();
    let not_ours = not_ours();
    let (server_version, groups, nodes, daemonsets, deployments, policies) = tokio::join!(
        version,
        groups,
        list_all::<Node>(cluster, &everything),
        list_all::<DaemonSet>(cluster, &everything),
        list_all::<Deployment>(cluster, &everything),
        list_names::<NetworkPolicy>(cluster, &not_ours),
    );
    let versions: BTreeMap<String, String> = groups
        .iter()
        .flat_map(|list| &list.groups)
        .filter_map(|group| Some((group.name.clone(), group.preferred_version.as_ref()?.version.clone())))
        .collect();
    let mut snapshot = Snapshot {
        schema: 1,
        context: cluster.context.clone(),
        server_version,
        nodes,
        daemonsets,
        deployments,
        groups: groups.map(|_| versions.keys().cloned().collect()),
        agent_pods: Ok(Vec::new()),
        revisions: Ok(Vec::new()),
        cni_objects: BTreeMap::new(),
        agent_status: BTreeMap::new(),
        network_policies: policies,
    };
    let detections = cni_facts::detect(facts, &snapshot.evidence());
    read_agents(cluster, &detections, &mut snapshot).await;
    read_cni_objects(cluster, facts, &detections, &versions, &mut snapshot).await;
    if allow_exec {
        let pods = snapshot.agent_pods.as_deref().unwrap_or_default();
        snapshot.agent_status = ask_agents(cluster, facts, &detections, pods).await;
    }
    (snapshot, detections)
}

/// NetworkPolicies in one namespace that no run of ours made, as "namespace/name".
pub(crate) async fn foreign_policies(cluster: &Cluster, namespace: &str) -> Gathered<Vec<String>> {
    let api: Api<NetworkPolicy> = Api::namespaced(cluster.client.clone(), namespace);
    names(&api, &call_for::<NetworkPolicy>(cluster, "list", namespace), &not_ours()).await
}

fn not_ours() -> ListParams {
    ListParams::default().labels(&format!("{}!={}", MANAGED_BY.0, MANAGED_BY.1))
}

/// The cluster DNS Service with its pods, and `default/kubernetes`.
pub(crate) async fn read_dns_and_api(
    cluster: &Cluster,
) -> (Gathered<Option<Service>>, Gathered<Vec<DnsPod>>, Gathered<Option<Service>>) {
    let (dns, api) = tokio::join!(read_dns(cluster), async {
        let api: Api<CoreService> = Api::namespaced(cluster.client.clone(), "default");
        let call = call_for::<CoreService>(cluster, "get", "default");
        call.run(|| api.get_opt("kubernetes")).await.map(|found| found.as_ref().map(service_of)).map_err(Missing::from)
    });
    (dns.0, dns.1, api)
}

async fn read_dns(cluster: &Cluster) -> (Gathered<Option<Service>>, Gathered<Vec<DnsPod>>) {
    let labels = ListParams::default().labels("k8s-app=kube-dns");
    let near: Api<CoreService> = Api::namespaced(cluster.client.clone(), "kube-system");
    let far: Api<CoreService> = Api::all(cluster.client.clone());
    let call = call_for::<CoreService>(cluster, "list", "kube-system");
    let mut found = call.run(|| near.list(&labels)).await.map(|list| list.items);
    if found.as_ref().is_ok_and(Vec::is_empty) {
        // Distributions that keep it elsewhere keep the label. Looking further is a help, not a need.
        if let Ok(list) = call_for::<CoreService>(cluster, "list", "").run(|| far.list(&labels)).await {
            found = Ok(list.items);
        }
    }
    let services = match found {
        Ok(services) => services,
        Err(error) => return (Err(error.clone().into()), Err(error.into())),
    };
    let Some(chosen) =
        services.iter().find(|one| one.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() != Some("None")))
    else {
        return (Ok(None), Ok(Vec::new()));
    };
    let service = service_of(chosen);
    let slices: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), &service.namespace);
    let params = ListParams::default().labels(&format!("kubernetes.io/service-name={}", service.name));
    let slices = call_for::<EndpointSlice>(cluster, "list", &service.namespace).run(|| slices.list(&params)).await;
    let pods = slices.map(|list| dns_pods(&list.items)).map_err(Missing::from);
    (Ok(Some(service)), pods)
}

fn dns_pods(slices: &[EndpointSlice]) -> Vec<DnsPod> {
    let mut pods: BTreeMap<String, DnsPod> = BTreeMap::new();
    for slice in slices {
        let port = slice
            .ports
            .iter()
            .flatten()
            .find(|port| port.protocol.as_deref() == Some("UDP"))
            .and_then(|port| port.port)
            .unwrap_or(53);
        for endpoint in &slice.endpoints {
            let name = endpoint
                .target_ref
                .as_ref()
                .and_then(|target| target.name.clone())
                .unwrap_or_else(|| endpoint.addresses.join(","));
            let ready = endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true);
            if !ready {
                continue;
            }
            let pod = pods.entry(name.clone()).or_insert_with(|| DnsPod {
                name,
                node: endpoint.node_name.clone(),
                ips: Vec::new(),
                port: u16::try_from(port).unwrap_or(53),
            });
            pod.ips.extend(endpoint.addresses.iter().filter_map(|address| address.parse::<std::net::IpAddr>().ok()));
        }
    }
    pods.into_values().collect()
}

/// A Service as pods see it. TCP and UDP are expected on one port number; the first TCP port counts.
pub(crate) fn service_of(object: &CoreService) -> Service {
    let spec = object.spec.clone().unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    let node_port = |protocol: &str| {
        let port = ports.iter().find(|port| port.protocol.as_deref().unwrap_or("TCP") == protocol)?;
        u16::try_from(port.node_port?).ok()
    };
    let port = ports.iter().find(|port| port.protocol.as_deref().unwrap_or("TCP") == "TCP").or(ports.first());
    Service {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        ips: spec.cluster_ips.unwrap_or_default().iter().filter_map(|ip| ip.parse().ok()).collect(),
        port: port.and_then(|port| u16::try_from(port.port).ok()).unwrap_or_default(),
        node_ports: node_port("TCP").zip(node_port("UDP")),
    }
}

/// The pods of the CNI's DaemonSets as they are now.
pub(crate) async fn read_agent_pods(cluster: &Cluster, detections: &[Detection]) -> Gathered<Vec<Pod>> {
    let mut pods = Vec::new();
    for agent in detections.iter().flat_map(|detection| &detection.agents) {
        let selector: Vec<String> = agent.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        pods.extend(
            list_in::<Pod>(cluster, &agent.namespace, &ListParams::default().labels(&selector.join(","))).await?,
        );
    }
    Ok(pods)
}

/// Whether the API server lets us do something (SelfSubjectAccessReview).
///
/// # Errors
///
/// It does not say.
pub(crate) async fn may(
    cluster: &Cluster,
    namespace: &str,
    verb: &str,
    resource: &str,
    subresource: Option<&str>,
) -> Result<bool, CallError> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                namespace: Some(namespace.to_owned()),
                verb: Some(verb.to_owned()),
                resource: Some(resource.to_owned()),
                subresource: subresource.map(str::to_owned),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let params = PostParams::default();
    let answer =
        call_for::<SelfSubjectAccessReview>(cluster, "create", "").run(|| api.create(&params, &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

async fn read_agents(cluster: &Cluster, detections: &[Detection], snapshot: &mut Snapshot) {
    snapshot.agent_pods = read_agent_pods(cluster, detections).await;
    let namespaces: BTreeSet<&str> =
        detections.iter().flat_map(|detection| &detection.agents).map(|agent| agent.namespace.as_str()).collect();
    for namespace in namespaces {
        match list_in::<ControllerRevision>(cluster, namespace, &ListParams::default()).await {
            Ok(found) => {
                if let Ok(known) = &mut snapshot.revisions {
                    known.extend(found);
                }
            }
            Err(missing) => snapshot.revisions = Err(missing),
        }
    }
}

/// Objects in which the CNI says how it is, as far as its group is served.
async fn read_cni_objects(
    cluster: &Cluster,
    facts: &Facts,
    detections: &[Detection],
    versions: &BTreeMap<String, String>,
    snapshot: &mut Snapshot,
) {
    let resources: BTreeSet<&str> = detections
        .iter()
        .filter_map(|detection| facts.get(&detection.id))
        .flat_map(|cni| cni.health.objects.iter().map(|object| object.resource.as_str()))
        .collect();
    for resource in resources {
        let Some((plural, group)) = resource.split_once('.') else { continue };
        let Some(version) = versions.get(group) else { continue };
        let request = kube::core::Request::new(format!("/apis/{group}/{version}/{plural}"));
        let page = ListParams::default().limit(CNI_OBJECTS_MAX);
        let call = Call {
            verb: "list",
            resource: resource.to_owned(),
            namespace: String::new(),
            timeout: cluster.request_timeout,
        };
        let answer = call
            .run(|| async {
                cluster
                    .client
                    .request::<serde_json::Value>(request.list(&page).map_err(kube::Error::BuildRequest)?)
                    .await
            })
            .await;
        let items = answer.map(|mut list| match list["items"].take() {
            serde_json::Value::Array(items) => items,
            _ => Vec::new(),
        });
        snapshot.cni_objects.insert(resource.to_owned(), items.map_err(Missing::from));
    }
}

pub(super) fn call_for<K: Resource<DynamicType = ()>>(cluster: &Cluster, verb: &'static str, namespace: &str) -> Call {
    let (plural, group) = (K::plural(&()), K::group(&()));
    let resource = if group.is_empty() { plural.into_owned() } else { format!("{plural}.{group}") };
    Call { verb, resource, namespace: namespace.to_owned(), timeout: cluster.request_timeout }
}

pub(super) async fn list_all<K>(cluster: &Cluster, params: &ListParams) -> Gathered<Vec<K>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    pages(&Api::all(cluster.client.clone()), &call_for::<K>(cluster, "list", ""), params).await
}

async fn list_in<K>(cluster: &Cluster, namespace: &str, params: &ListParams) -> Gathered<Vec<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + std::fmt::Debug + DeserializeOwned,
{
    pages(&Api::namespaced(cluster.client.clone(), namespace), &call_for::<K>(cluster, "list", namespace), params).await
}

async fn pages<K>(api: &Api<K>, call: &Call, params: &ListParams) -> Gathered<Vec<K>>
where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned,
{
    let mut items = Vec::new();
    let mut page = params.clone().limit(PAGE);
    loop {
        let list = call.run(|| api.list(&page)).await.map_err(Missing::from)?;
        items.extend(list.items.into_iter().map(|mut item| {
            item.managed_fields_mut().clear(); // half of an object's size, and never judged
            item
        }));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page.continue_token = Some(token),
            None => return Ok(items),
        }
    }
}

async fn list_names<K>(cluster: &Cluster, params: &ListParams) -> Gathered<Vec<String>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let api: Api<K> = Api::all(cluster.client.clone());
    names(&api, &call_for::<K>(cluster, "list", ""), params).await
}

async fn names<K>(api: &Api<K>, call: &Call, params: &ListParams) -> Gathered<Vec<String>>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let list = call.run(|| api.list_metadata(params)).await.map_err(Missing::from)?;
    Ok(list.items.iter().map(|item| format!("{}/{}", item.namespace().unwrap_or_default(), item.name_any())).collect())
}

/// Counts the ready-to-use endpoints of a Service.
///
/// # Errors
///
/// They cannot be read.
pub(crate) async fn endpoint_count(cluster: &Cluster, namespace: &str, service: &str) -> Result<usize, CallError> {
    let api: Api<EndpointSlice> = Api::namespaced(cluster.client.clone(), namespace);
    let params = ListParams::default().labels(&format!("kubernetes.io/service-name={service}"));
    let list = call_for::<EndpointSlice>(cluster, "list", namespace).run(|| api.list(&params)).await?;
    let mut per_family: BTreeMap<String, usize> = BTreeMap::new();
    for slice in &list.items {
        *per_family.entry(slice.address_type.clone()).or_default() += slice.endpoints.len();
    }
    Ok(per_family.values().copied().min().unwrap_or(0))
}
