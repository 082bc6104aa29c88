//! What the caller saw in a cluster, as plain data; a part that could not be read is `None`.

use std::collections::{BTreeMap, BTreeSet};

/// Everything [`detect`](crate::detect()) looks at. `Evidence::default()` means that nothing was looked at.
///
/// `None` is "not read" (no permission, not asked), `Some` of something empty is "read, and there is none".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// DaemonSets of all namespaces.
    pub daemonsets: Option<Vec<WorkloadSeen>>,
    /// Deployments of all namespaces.
    pub deployments: Option<Vec<WorkloadSeen>>,
    /// API groups that the cluster serves (`GET /apis`); custom resources and aggregated APIs alike.
    pub crd_groups: Option<BTreeSet<String>>,
    /// Names of ConfigMaps, without their namespaces.
    pub configmaps: Option<BTreeSet<String>>,
    /// Keys of the annotations found on any node.
    pub node_annotations: Option<BTreeSet<String>>,
    /// Keys of the labels found on any node.
    pub node_labels: Option<BTreeSet<String>>,
    /// `status.nodeInfo.kubeletVersion` of the nodes; its build suffix names the distribution (`v1.33.1+k3s1`).
    pub kubelet_versions: Option<BTreeSet<String>>,
}

/// A DaemonSet or Deployment, reduced to what tells whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadSeen {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec.selector.matchLabels`.
    pub selector: BTreeMap<String, String>,
    /// Containers and init containers of the pod template, in the order they are written.
    pub containers: Vec<ContainerSeen>,
    /// Names in the pod template's `imagePullSecrets`.
    pub pull_secrets: Vec<String>,
}

/// A container of a pod template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerSeen {
    /// Its name.
    pub name: String,
    /// Its image reference, as written.
    pub image: String,
    /// Whether it is an init container.
    pub init: bool,
    /// `imagePullPolicy`; the API server fills it in, a manifest may lack it.
    pub pull_policy: Option<String>,
}
