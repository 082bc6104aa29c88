//! Survey in, what the rules of a version step look at out. Where a part was not read, the reason goes along.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{CrdSeen, Detection, NodeSeen, Objects as Known, Part, Situation, Version, WorkloadState};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Node, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Objects, Survey};
use crate::snapshot::{Gathered, Missing, node_name};

/// What was read, for rules. How the CNI is installed, values and the target are the caller's to add.
pub fn situation(survey: &Survey, detection: Option<&Detection>) -> Situation {
    let snapshot = &survey.snapshot;
    let namespace = detection.and_then(|detection| detection.agents.first()).map(|agent| agent.namespace.as_str());
    let mut configmaps: BTreeMap<String, Part<BTreeMap<String, String>>> = BTreeMap::new();
    for (key, data) in &survey.configmaps {
        let Some((space, name)) = key.split_once('/') else { continue };
        if Some(space) == namespace || (space, name) == ("kube-system", "kube-proxy") {
            configmaps.insert(name.to_owned(), part(data, Clone::clone));
        }
    }
    Situation {
        configmaps,
        objects: survey.objects.iter().map(|(name, found)| (name.clone(), part(found, known))).collect(),
        owner_api_versions: Part::Unknown("the owners of all objects are not read".to_owned()),
        crds: part(&survey.crds, |crds| {
            crds.iter()
                .map(|crd| {
                    let seen = CrdSeen { served: crd.served.iter().cloned().collect(), stored: crd.stored.clone() };
                    (crd.name.clone(), seen)
                })
                .collect()
        }),
        apis: part(&survey.apis, Clone::clone),
        nodes: part(&snapshot.nodes, |nodes| nodes.iter().map(node).collect()),
        kubernetes: match &snapshot.server_version {
            Ok(text) => Version::parse(text).map_or_else(|error| Part::Unknown(error.to_string()), Part::Known),
            Err(missing) => Part::Unknown(missing.to_string()),
        },
        workloads: match (&snapshot.daemonsets, &snapshot.deployments) {
            (Ok(sets), Ok(deployments)) => Part::Known(workloads(sets, deployments, detection)),
            (Err(missing), _) | (_, Err(missing)) => Part::Unknown(missing.to_string()),
        },
        ..Situation::default()
    }
}

/// DaemonSets and Deployments as rules look at them.
pub(crate) fn workloads(
    sets: &[DaemonSet],
    deployments: &[Deployment],
    detection: Option<&Detection>,
) -> Vec<WorkloadState> {
    let own = |meta: &ObjectMeta| {
        let at = (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
        detection.is_some_and(|detection| {
            detection.agents.iter().any(|agent| (agent.namespace.as_str(), agent.name.as_str()) == at)
                || detection.companions.iter().any(|one| (one.namespace.as_str(), one.name.as_str()) == at)
        })
    };
    let of_set = |set: &DaemonSet| {
        let spec = set.spec.as_ref()?;
        let strategy = spec.update_strategy.as_ref();
        Some(WorkloadState {
            own: own(&set.metadata),
            update_strategy: strategy.and_then(|strategy| strategy.type_.clone()),
            max_unavailable: strategy
                .and_then(|strategy| strategy.rolling_update.as_ref()?.max_unavailable.as_ref())
                .map(written),
            ..state("DaemonSet", &set.metadata, &spec.selector, spec.template.spec.as_ref())
        })
    };
    let of_deployment = |one: &Deployment| {
        let spec = one.spec.as_ref()?;
        let state = state("Deployment", &one.metadata, &spec.selector, spec.template.spec.as_ref());
        Some(WorkloadState { own: own(&one.metadata), ..state })
    };
    sets.iter().filter_map(of_set).chain(deployments.iter().filter_map(of_deployment)).collect()
}

/// Ports that a pod takes on its node.
pub(crate) fn host_ports(spec: &PodSpec) -> BTreeSet<u16> {
    let host_network = spec.host_network == Some(true);
    let containers = spec.init_containers.iter().flatten().filter(|one| one.restart_policy.is_some());
    containers
        .chain(&spec.containers)
        .flat_map(|container| container.ports.iter().flatten())
        .filter_map(|port| if host_network { Some(port.container_port) } else { port.host_port })
        .filter_map(|port| u16::try_from(port).ok())
        .collect()
}

fn state(kind: &str, meta: &ObjectMeta, selector: &LabelSelector, spec: Option<&PodSpec>) -> WorkloadState {
    WorkloadState {
        kind: kind.to_owned(),
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        selector: selector.match_labels.clone().unwrap_or_default(),
        host_ports: spec.map(host_ports).unwrap_or_default(),
        ..WorkloadState::default()
    }
}

pub(crate) fn written(value: &IntOrString) -> String {
    match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => text.clone(),
    }
}

fn node(node: &Node) -> NodeSeen {
    let info = node.status.as_ref().and_then(|status| status.node_info.clone()).unwrap_or_default();
    let addresses = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
    let spec = node.spec.as_ref();
    NodeSeen {
        name: node_name(node).to_owned(),
        kernel: info.kernel_version,
        os_image: info.os_image,
        os: info.operating_system,
        architecture: info.architecture,
        addresses: addresses.filter_map(|address| address.address.parse().ok()).collect(),
        pod_cidrs: spec.and_then(|spec| spec.pod_cidrs.clone()).unwrap_or_default(),
        pods_free: None,
    }
}

fn known(objects: &Objects) -> Known {
    match objects {
        Objects::Count(count) => Known::Count(*count),
        Objects::Listed(list) => Known::Listed(list.clone()),
    }
}

fn part<T, U>(part: &Gathered<T>, of: impl FnOnce(&T) -> U) -> Part<U> {
    match part {
        Ok(value) => Part::Known(of(value)),
        Err(Missing::Absent) => Part::Absent,
        Err(missing) => Part::Unknown(missing.to_string()),
    }
}
