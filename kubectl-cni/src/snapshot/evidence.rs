//! Snapshot in, what CNI detection looks at out.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{ContainerSeen, Evidence, WorkloadSeen};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::Snapshot;

pub(super) fn of(snapshot: &Snapshot) -> Evidence {
    let nodes = snapshot.nodes.as_ref().ok();
    let keys = |pick: fn(&ObjectMeta) -> &Option<BTreeMap<String, String>>| -> Option<BTreeSet<String>> {
        Some(
            nodes?
                .iter()
                .filter_map(|node| pick(&node.metadata).as_ref())
                .flat_map(|map| map.keys().cloned())
                .collect(),
        )
    };
    Evidence {
        daemonsets: snapshot.daemonsets.as_ref().ok().map(|sets| {
            sets.iter()
                .filter_map(|set| {
                    set.spec.as_ref().map(|spec| workload(&set.metadata, Some(&spec.selector), &spec.template))
                })
                .collect()
        }),
        deployments: snapshot.deployments.as_ref().ok().map(|sets| {
            sets.iter()
                .filter_map(|set| {
                    set.spec.as_ref().map(|spec| workload(&set.metadata, Some(&spec.selector), &spec.template))
                })
                .collect()
        }),
        crd_groups: snapshot.groups.as_ref().ok().map(|groups| groups.iter().cloned().collect()),
        configmaps: None,
        node_annotations: keys(|meta| &meta.annotations),
        node_labels: keys(|meta| &meta.labels),
        kubelet_versions: nodes.map(|nodes| {
            nodes
                .iter()
                .filter_map(|node| Some(node.status.as_ref()?.node_info.as_ref()?.kubelet_version.clone()))
                .collect()
        }),
    }
}

fn workload(meta: &ObjectMeta, selector: Option<&LabelSelector>, template: &PodTemplateSpec) -> WorkloadSeen {
    let spec = template.spec.as_ref();
    let container = |container: &k8s_openapi::api::core::v1::Container, init| ContainerSeen {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        init,
        pull_policy: container.image_pull_policy.clone(),
    };
    let init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten()).map(|one| container(one, true));
    let main = spec.into_iter().flat_map(|spec| &spec.containers).map(|one| container(one, false));
    WorkloadSeen {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        labels: meta.labels.clone().unwrap_or_default(),
        selector: selector.and_then(|selector| selector.match_labels.clone()).unwrap_or_default(),
        containers: init.chain(main).collect(),
        pull_secrets: spec
            .into_iter()
            .flat_map(|spec| spec.image_pull_secrets.iter().flatten())
            .map(|secret| secret.name.clone())
            .collect(),
    }
}
