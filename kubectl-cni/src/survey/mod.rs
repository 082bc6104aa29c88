//! What `preflight` reads of a cluster, as plain data: a [`Snapshot`] and what upgrades depend on beside it. [`folder`] writes it down and reads
//! it back, so that the same report can be had without the cluster; [`situation`] turns it into what rules look at.

pub mod folder;
mod situation;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhookConfiguration, ValidatingWebhookConfiguration};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde::{Deserialize, Serialize};

use crate::snapshot::{Gathered, Missing, Snapshot};

pub use situation::situation;
pub(crate) use situation::{host_ports, workloads, written};

/// Why a part was left out on purpose.
pub const NOT_NEEDED: &str = "not read: no check of this CNI looks at it";

/// Everything that `preflight` judges.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What `verify` reads too.
    pub snapshot: Snapshot,
    /// Served API groups with each of their versions ("apps/v1").
    pub apis: Gathered<BTreeSet<String>>,
    /// ConfigMaps that rules or checks look at, by "namespace/name": their data.
    pub configmaps: BTreeMap<String, Gathered<BTreeMap<String, String>>>,
    /// Objects that rules look at, by resource ("services", "ciliumnodes.cilium.io").
    pub objects: BTreeMap<String, Gathered<Objects>>,
    /// CustomResourceDefinitions, without their schemas.
    pub crds: Gathered<Vec<Crd>>,
    /// Who manages fields of the CNI's DaemonSets, by "namespace/name" ("kubectl-client-side-apply", "helm").
    pub managers: BTreeMap<String, Gathered<BTreeSet<String>>>,
    /// Labels of the namespaces that the CNI runs in.
    pub namespaces: BTreeMap<String, Gathered<BTreeMap<String, String>>>,
    /// Webhooks that may change what is created.
    pub mutating_webhooks: Gathered<Vec<MutatingWebhookConfiguration>>,
    /// Webhooks that may refuse what is created.
    pub validating_webhooks: Gathered<Vec<ValidatingWebhookConfiguration>>,
    /// Disruption budgets of all namespaces.
    pub budgets: Gathered<Vec<PodDisruptionBudget>>,
    /// Networks that Services get their addresses from.
    pub service_cidrs: Gathered<Vec<String>>,
    /// Cluster IPs of `default/kubernetes`.
    pub api_service: Gathered<Vec<String>>,
}

/// Objects of one resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objects {
    /// Whether there is any: at least so many.
    Count(usize),
    /// All of them.
    Listed(Vec<serde_json::Value>),
}

/// A CustomResourceDefinition, without its schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crd {
    /// Full name ("ciliumnodes.cilium.io").
    pub name: String,
    /// Versions that are served.
    pub served: Vec<String>,
    /// Versions that objects may be stored in.
    pub stored: Vec<String>,
}

impl Survey {
    /// A survey of which no part but the snapshot was read, and why.
    pub fn unread(snapshot: Snapshot, why: &str) -> Survey {
        fn part<T>(why: &str) -> Gathered<T> {
            Err(Missing::Failed(why.to_owned()))
        }
        Survey {
            snapshot,
            apis: part(why),
            configmaps: BTreeMap::new(),
            objects: BTreeMap::new(),
            crds: part(why),
            managers: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            mutating_webhooks: part(why),
            validating_webhooks: part(why),
            budgets: part(why),
            service_cidrs: part(why),
            api_service: part(why),
        }
    }

    /// A ConfigMap that was asked for.
    pub fn configmap(&self, namespace: &str, name: &str) -> Gathered<&BTreeMap<String, String>> {
        match self.configmaps.get(&format!("{namespace}/{name}")) {
            Some(Ok(data)) => Ok(data),
            Some(Err(missing)) => Err(missing.clone()),
            None => Err(Missing::Failed(format!("ConfigMap {namespace}/{name} was not read"))),
        }
    }

    /// Everything that could not be read, with its name; what is not there is no such thing.
    pub fn missing(&self) -> Vec<(String, Missing)> {
        fn reason<T>(part: &Gathered<T>) -> Option<Missing> {
            part.as_ref().err().filter(|missing| !matches!(missing, Missing::Absent)).cloned()
        }
        let snapshot = &self.snapshot;
        let mut all = vec![
            ("server version".to_owned(), reason(&snapshot.server_version)),
            ("nodes".to_owned(), reason(&snapshot.nodes)),
            ("daemonsets".to_owned(), reason(&snapshot.daemonsets)),
            ("deployments".to_owned(), reason(&snapshot.deployments)),
            ("API groups".to_owned(), reason(&snapshot.groups)),
            ("agent pods".to_owned(), reason(&snapshot.agent_pods)),
            ("controller revisions".to_owned(), reason(&snapshot.revisions)),
            ("CustomResourceDefinitions".to_owned(), reason(&self.crds)),
            ("mutating webhooks".to_owned(), reason(&self.mutating_webhooks)),
            ("validating webhooks".to_owned(), reason(&self.validating_webhooks)),
            ("disruption budgets".to_owned(), reason(&self.budgets)),
            ("networks of Services".to_owned(), reason(&self.service_cidrs)),
            ("Service default/kubernetes".to_owned(), reason(&self.api_service)),
        ];
        all.extend(self.configmaps.iter().map(|(name, part)| (format!("ConfigMap {name}"), reason(part))));
        all.extend(self.objects.iter().map(|(name, part)| (name.clone(), reason(part))));
        all.extend(self.managers.iter().map(|(name, part)| (format!("managers of DaemonSet {name}"), reason(part))));
        all.extend(self.namespaces.iter().map(|(name, part)| (format!("namespace {name}"), reason(part))));
        all.extend(snapshot.cni_objects.iter().map(|(name, part)| (name.clone(), reason(part))));
        all.into_iter().filter_map(|(name, missing)| Some((name, missing?))).collect()
    }
}
