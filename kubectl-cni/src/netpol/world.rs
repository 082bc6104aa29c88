//! The cluster that policies act on, and a connection to be judged in it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use super::labels::Labels;
use super::model::{Policy, Protocol, TierKind, TierPolicy};
use crate::probe::topology::Family;

/// Everything that decides whether a connection is allowed. Sorted maps, so that the order of arrival cannot matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Labels by namespace.
    pub namespaces: BTreeMap<String, Labels>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// Pods that run.
    pub pods: BTreeMap<PodName, Pod>,
    /// NetworkPolicies by namespace and name.
    pub policies: BTreeMap<(String, String), Policy>,
    /// Cluster-wide policies by kind and name.
    pub tiers: BTreeMap<(TierKind, String), TierPolicy>,
}

impl World {
    /// Adds a namespace; the API server's own label `kubernetes.io/metadata.name` is set whatever was given.
    pub fn add_namespace(&mut self, name: &str, mut labels: Labels) {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
        self.namespaces.insert(name.to_owned(), labels);
    }

    /// Adds or replaces a pod; its namespace is there from now on.
    pub fn add_pod(&mut self, pod: Pod) {
        if !self.namespaces.contains_key(&pod.name.namespace) {
            self.add_namespace(&pod.name.namespace.clone(), Labels::new());
        }
        self.pods.insert(pod.name.clone(), pod);
    }

    /// Adds or replaces a NetworkPolicy.
    pub fn add_policy(&mut self, policy: Policy) {
        self.policies.insert((policy.namespace.clone(), policy.name.clone()), policy);
    }

    /// Adds or replaces a cluster-wide policy.
    pub fn add_tier(&mut self, policy: TierPolicy) {
        self.tiers.insert((policy.kind, policy.name.clone()), policy);
    }
}

/// Namespace and name of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl PodName {
    /// The pod of this namespace and name.
    pub fn new(namespace: &str, name: &str) -> PodName {
        PodName { namespace: namespace.to_owned(), name: name.to_owned() }
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Who it is.
    pub name: PodName,
    /// Its labels.
    pub labels: Labels,
    /// The ports it names.
    pub ports: Vec<NamedPort>,
    /// Its addresses, at most one per family.
    pub addresses: Vec<IpAddr>,
    /// Whether it is in its node's network.
    pub host_network: bool,
    /// The node it is on.
    pub node: Option<String>,
}

impl Pod {
    /// Its address in a family.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        address(&self.addresses, family)
    }
}

/// A port that a pod gives a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPort {
    /// The name; a pod may use it once per protocol.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// The number.
    pub port: u16,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its labels.
    pub labels: Labels,
    /// All addresses of its status.
    pub addresses: Vec<IpAddr>,
}

impl Node {
    /// Its first address in a family.
    pub fn address(&self, family: Family) -> Option<IpAddr> {
        address(&self.addresses, family)
    }
}

fn address(addresses: &[IpAddr], family: Family) -> Option<IpAddr> {
    addresses.iter().copied().find(|address| Family::of(*address) == family)
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// A pod of the world.
    Pod(PodName),
    /// A node of the world.
    Node(String),
    /// An address outside the cluster.
    Outside(IpAddr),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Pod(name) => write!(f, "pod {name}"),
            Endpoint::Node(name) => write!(f, "node {name}"),
            Endpoint::Outside(address) => write!(f, "{address}"),
        }
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Traffic {
    /// To a port of the destination itself, behind any Service.
    Port(Protocol, u16),
    /// ICMP and whatever else policies cannot name.
    Other,
}

/// How the destination is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Via {
    /// By its own address.
    Address,
    /// By this Service address.
    ClusterIp(IpAddr),
    /// By a node port or load balancer that hands over at this node; the source may come out as the node's address.
    NodePort(String),
}

/// A new connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// Who opens it.
    pub from: Endpoint,
    /// Who answers, behind any Service.
    pub to: Endpoint,
    /// On what.
    pub traffic: Traffic,
    /// In which family.
    pub family: Family,
    /// By which address.
    pub via: Via,
}
