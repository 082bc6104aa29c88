//! Finds what runs left behind and removes it. Only objects with our run label are ever touched.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ListParams};
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::call::{Call, CallError};
use super::connect::Cluster;
use super::session::{Applied, remove_all};
use crate::probe::manifests::{MANAGED_BY, RENEWED, RUN_LABEL};
use crate::snapshot::Missing;

/// A run that left objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leftover {
    /// Run id.
    pub run: String,
    /// Its objects.
    pub objects: Vec<Applied>,
    /// Unix time of its last sign of life, if it left one.
    pub renewed: Option<u64>,
}

impl Leftover {
    /// Seconds without a sign of life after which a run counts as abandoned. A running command renews every five; clocks may differ some.
    const ABANDONED: u64 = 30;

    /// Whether the run may still be going on.
    pub(crate) fn active(&self, now: u64) -> bool {
        self.renewed.is_some_and(|renewed| now.abs_diff(renewed) < Self::ABANDONED)
    }
}

/// Lists the objects of every run, in one namespace or in all. What may not be listed is left out and named.
pub(crate) async fn find_leftovers(cluster: &Cluster, namespace: Option<&str>) -> (Vec<Leftover>, Vec<Missing>) {
    let mut found: BTreeMap<String, Leftover> = BTreeMap::new();
    let mut missing = Vec::new();
    let (namespaces, maps, sets, services, policies) = tokio::join!(
        list(cluster, Api::<Namespace>::all(cluster.client.clone()), None),
        list(cluster, scoped::<ConfigMap>(cluster, namespace), namespace),
        list(cluster, scoped::<DaemonSet>(cluster, namespace), namespace),
        list(cluster, scoped::<Service>(cluster, namespace), namespace),
        list(cluster, scoped::<NetworkPolicy>(cluster, namespace), namespace),
    );
    let mut add = |kind: &str, part: Result<Vec<Seen>, CallError>| match part {
        Ok(items) => {
            for item in items {
                if namespace.is_some_and(|wanted| kind == "Namespace" && item.name != wanted) {
                    continue;
                }
                let entry = found.entry(item.run.clone()).or_insert(Leftover {
                    run: item.run,
                    objects: Vec::new(),
                    renewed: None,
                });
                entry.renewed = entry.renewed.max(item.renewed);
                entry.objects.push(Applied { kind: kind.to_owned(), namespace: item.namespace, name: item.name });
            }
        }
        Err(error) => missing.push(Missing::from(error)),
    };
    add("Namespace", namespaces);
    add("ConfigMap", maps);
    add("Service", services);
    add("NetworkPolicy", policies);
    add("DaemonSet", sets);
    (found.into_values().collect(), missing)
}

/// Runs whose namespace, or objects in the given namespace, are still there. Looks only where `verify` itself may look.
pub(crate) async fn find_leftovers_in(cluster: &Cluster, namespace: Option<&str>) -> Vec<Leftover> {
    if namespace.is_some() {
        return find_leftovers(cluster, namespace).await.0;
    }
    let namespaces = list(cluster, Api::<Namespace>::all(cluster.client.clone()), None).await.unwrap_or_default();
    let mut found: BTreeMap<String, Leftover> = BTreeMap::new();
    for seen in namespaces {
        let inside = list(cluster, Api::<ConfigMap>::namespaced(cluster.client.clone(), &seen.name), Some(&seen.name))
            .await
            .unwrap_or_default();
        let sets = list(cluster, Api::<DaemonSet>::namespaced(cluster.client.clone(), &seen.name), Some(&seen.name))
            .await
            .unwrap_or_default();
        let entry =
            found.entry(seen.run.clone()).or_insert(Leftover { run: seen.run, objects: Vec::new(), renewed: None });
        entry.renewed = inside.iter().map(|map| map.renewed).chain([entry.renewed, seen.renewed]).max().flatten();
        entry.objects.extend(sets.into_iter().map(|set| Applied {
            kind: "DaemonSet".to_owned(),
            namespace: set.namespace,
            name: set.name,
        }));
        entry.objects.push(Applied { kind: "Namespace".to_owned(), namespace: String::new(), name: seen.name });
    }
    found.into_values().collect()
}

/// Removes a run's objects. Returns what is left with the reason.
pub(crate) async fn remove(cluster: &Cluster, leftover: &Leftover) -> Vec<String> {
    remove_all(cluster, &leftover.run, leftover.objects.clone(), Instant::now() + Duration::from_secs(90)).await
}

struct Seen {
    run: String,
    namespace: String,
    name: String,
    renewed: Option<u64>,
}

async fn list<K>(cluster: &Cluster, api: Api<K>, namespace: Option<&str>) -> Result<Vec<Seen>, CallError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + DeserializeOwned,
{
    let (plural, group) = (K::plural(&()), K::group(&()));
    let resource = if group.is_empty() { plural.into_owned() } else { format!("{plural}.{group}") };
    let call = Call {
        verb: "list",
        resource,
        namespace: namespace.unwrap_or_default().to_owned(),
        timeout: cluster.request_timeout,
    };
    let params = ListParams::default().labels(&format!("{}={},{RUN_LABEL}", MANAGED_BY.0, MANAGED_BY.1));
    let items = call.run(|| api.list_metadata(&params)).await?.items;
    Ok(items
        .into_iter()
        .filter_map(|item| {
            Some(Seen {
                run: item.labels().get(RUN_LABEL)?.clone(),
                namespace: item.namespace().unwrap_or_default(),
                renewed: sign_of_life(&item.metadata),
                name: item.name_any(),
            })
        })
        .collect())
}

/// Unix time of the last renewal, or of the creation: between a namespace and the first object in it lies a moment too.
fn sign_of_life(metadata: &ObjectMeta) -> Option<u64> {
    let renewed = metadata.annotations.as_ref().and_then(|all| all.get(RENEWED)).and_then(|text| text.parse().ok());
    let created = metadata.creation_timestamp.as_ref().and_then(|time| u64::try_from(time.0.as_second()).ok());
    renewed.max(created)
}

/// All namespaces, or one.
fn scoped<K>(cluster: &Cluster, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(cluster.client.clone(), namespace),
        None => Api::all(cluster.client.clone()),
    }
}
