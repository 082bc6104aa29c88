//! What is known of an installation and of what it is to become, as plain data: everything a rule's `when` looks at.
//!
//! The caller fills what it read and says of the rest why it is not known. A part that nobody filled is unknown, so a
//! caller that forgets one gets "unknown", never "no".

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;

use crate::version::Version;

/// A part of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part<T> {
    /// It was read.
    Known(T),
    /// It was looked for and does not exist: no such ConfigMap, a resource that is not served.
    Absent,
    /// It is not known; the text says why: `no permission to list secrets`.
    Unknown(String),
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self::Unknown("it was not looked at".to_owned())
    }
}

impl<T> Part<T> {
    /// The same part, borrowed.
    pub fn as_ref(&self) -> Part<&T> {
        match self {
            Self::Known(value) => Part::Known(value),
            Self::Absent => Part::Absent,
            Self::Unknown(why) => Part::Unknown(why.clone()),
        }
    }
}

/// Everything that rules look at. `Situation::default()` means that nothing was looked at.
///
/// [`Condition::needs`](crate::Condition::needs) tells which parts a rule reads, so that nothing else has to be gathered.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// How the CNI is installed.
    pub install: Part<InstallMethod>,
    /// Flags of the planned helm command without dashes: `reuse-values`; `install` for `helm install`.
    pub helm_flags: Part<BTreeSet<String>>,
    /// Helm values of the planned upgrade; `Absent` where helm is not used.
    pub values: Part<Values>,
    /// ConfigMaps of the CNI's namespace by name, and `kube-proxy` of `kube-system`: their `data`.
    pub configmaps: BTreeMap<String, Part<BTreeMap<String, String>>>,
    /// Objects by resource (`plural.group`, `services`); `Absent`: the resource is not served.
    pub objects: BTreeMap<String, Part<Objects>>,
    /// `apiVersion` of every owner reference found on any object.
    pub owner_api_versions: Part<BTreeSet<String>>,
    /// CustomResourceDefinitions by full name.
    pub crds: Part<BTreeMap<String, CrdSeen>>,
    /// API groups with version that are served: `monitoring.coreos.com/v1`, `apps/v1`.
    pub apis: Part<BTreeSet<String>>,
    /// The nodes.
    pub nodes: Part<Vec<NodeSeen>>,
    /// The control plane's version.
    pub kubernetes: Part<Version>,
    /// DaemonSets and Deployments; at least those of the CNI and `kube-proxy`.
    pub workloads: Part<Vec<WorkloadState>>,
    /// What was seen on the nodes themselves, by node name; empty: no node was looked at.
    pub hosts: BTreeMap<String, HostSeen>,
    /// The target, rendered.
    pub target: Target,
}

/// How a CNI is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstallMethod {
    /// A Helm release.
    Helm,
    /// A manifest that was applied.
    Manifest,
    /// An operator builds it from custom resources that were applied by hand.
    Operator,
    /// cilium-cli before it used Helm.
    CiliumCliClassic,
    /// A distribution or cloud provider manages it.
    Addon,
}

/// Helm values of the planned upgrade.
#[derive(Debug, Clone, Default)]
pub struct Values {
    /// What the upgrade lays over the target chart's own defaults: the user's values. With `--reuse-values` the running
    /// chart's defaults are part of it.
    pub user: Value,
    /// The target chart's `values.yaml`; unknown where the chart is not at hand.
    pub target_defaults: Part<Value>,
}

/// Objects of one resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Objects {
    /// Only how many there are, at least (a listing with a limit will do).
    Count(usize),
    /// All of them, as the API gives them.
    Listed(Vec<Value>),
}

/// What is known of a CustomResourceDefinition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrdSeen {
    /// Names of the versions with `served: true`.
    pub served: BTreeSet<String>,
    /// `status.storedVersions`.
    pub stored: Vec<String>,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeSeen {
    /// Its name.
    pub name: String,
    /// `status.nodeInfo.kernelVersion`.
    pub kernel: String,
    /// `status.nodeInfo.osImage`.
    pub os_image: String,
    /// `status.nodeInfo.operatingSystem`.
    pub os: String,
    /// `status.nodeInfo.architecture`.
    pub architecture: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// `spec.podCIDRs`.
    pub pod_cidrs: Vec<String>,
    /// How many more pods fit (`status.allocatable.pods` less those bound to it), where that was counted.
    pub pods_free: Option<i64>,
}

/// A DaemonSet or Deployment as far as rules look at it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkloadState {
    /// `DaemonSet` or `Deployment`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether it belongs to the CNI.
    pub own: bool,
    /// `spec.selector.matchLabels`.
    pub selector: BTreeMap<String, String>,
    /// `spec.updateStrategy.type` of a DaemonSet.
    pub update_strategy: Option<String>,
    /// `spec.updateStrategy.rollingUpdate.maxUnavailable`, as written: `2`, `10%`.
    pub max_unavailable: Option<String>,
    /// Ports it takes on the node: host ports, and container ports under the host's network.
    pub host_ports: BTreeSet<u16>,
}

/// What was seen on a node by something that runs there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSeen {
    /// Files by path; `Absent` where there is none, the content where it was read.
    pub files: BTreeMap<String, Part<String>>,
    /// Names of network devices.
    pub interfaces: Part<BTreeSet<String>>,
    /// Chains that hold rules, per iptables variant.
    pub iptables: Part<IptablesChains>,
    /// Names of nftables tables.
    pub nft_tables: Part<BTreeSet<String>>,
    /// Kernel settings by name: `net.ipv4.conf.all.rp_filter`.
    pub sysctls: BTreeMap<String, Part<String>>,
    /// Mount points.
    pub mounts: Part<BTreeSet<String>>,
    /// TCP and UDP ports that something listens on.
    pub ports_in_use: Part<BTreeSet<u16>>,
    /// CNI configuration files whose first plugin is a main CNI (not a meta CNI), in the order the runtime takes them.
    pub main_cni_files: Part<Vec<String>>,
}

/// Chains that hold at least one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IptablesChains {
    /// As `iptables-legacy` shows them.
    pub legacy: BTreeSet<String>,
    /// As `iptables-nft` shows them.
    pub nft: BTreeSet<String>,
}

/// The target, rendered: chart or manifest.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Its DaemonSets and Deployments.
    pub workloads: Part<Vec<WorkloadState>>,
    /// Its ConfigMaps by name: their `data`.
    pub configmaps: Part<BTreeMap<String, BTreeMap<String, String>>>,
    /// Its images that could not be pulled when that was tried; `Known` and empty: all could.
    pub images_not_pulled: Part<BTreeSet<String>>,
}

/// A part of [`Situation`] that a condition reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// [`Situation::install`].
    Install,
    /// [`Situation::helm_flags`].
    HelmFlags,
    /// [`Situation::values`].
    Values,
    /// The target chart's default of this value.
    TargetDefault(String),
    /// The ConfigMap of that name.
    ConfigMap(String),
    /// Whether objects of that resource exist.
    Exists(String),
    /// Objects of that resource; `metadata_only` when nothing below `metadata` is enough.
    Objects {
        /// The resource.
        resource: String,
        /// Whether listing metadata is enough.
        metadata_only: bool,
    },
    /// [`Situation::owner_api_versions`].
    OwnerApiVersions,
    /// [`Situation::crds`].
    Crds,
    /// [`Situation::apis`].
    Apis,
    /// [`Situation::nodes`].
    Nodes,
    /// [`NodeSeen::pods_free`].
    PodsFree,
    /// [`Situation::kubernetes`].
    Kubernetes,
    /// [`Situation::workloads`].
    Workloads,
    /// This file on each node.
    HostFile(String),
    /// This kernel setting on each node.
    HostSysctl(String),
    /// Another part of [`HostSeen`], by field name.
    Host(&'static str),
    /// [`Target::workloads`].
    TargetWorkloads,
    /// [`Target::configmaps`].
    TargetConfigMaps,
    /// [`Target::images_not_pulled`].
    TargetImages,
}
