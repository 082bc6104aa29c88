//! Who takes part: nodes with their probe pods, Services, DNS pods and the API server, as addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An IP family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Family {
        if ip.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// "IPv4" or "IPv6".
    pub fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }
}

/// A pod that answers or asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pod {
    /// Pod name.
    pub name: String,
    /// All its addresses, at most one per family.
    pub ips: Vec<IpAddr>,
}

impl Pod {
    /// Its address of one family.
    pub fn ip(&self, family: Family) -> Option<IpAddr> {
        self.ips.iter().copied().find(|ip| Family::of(*ip) == family)
    }
}

/// One node and the probe pods on it. A pod that did not start is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Node name.
    pub name: String,
    /// Its InternalIP addresses.
    pub internal_ips: Vec<IpAddr>,
    /// What groups it: zone, pool and architecture; used to order large meshes.
    pub stratum: String,
    /// Port of its kubelet.
    pub kubelet_port: u16,
    /// The pod that is probed.
    pub server: Option<Pod>,
    /// The pod that probes.
    pub client: Option<Pod>,
    /// The pod in the node's own network (`--host-network`).
    pub host: Option<Pod>,
}

impl Node {
    /// Its InternalIP of one family.
    pub fn internal_ip(&self, family: Family) -> Option<IpAddr> {
        self.internal_ips.iter().copied().find(|ip| Family::of(*ip) == family)
    }
}

/// A Service as pods see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Cluster IPs; empty for a headless Service.
    pub ips: Vec<IpAddr>,
    /// Port, the same for TCP and UDP.
    pub port: u16,
    /// Node ports for TCP and UDP.
    pub node_ports: Option<(u16, u16)>,
}

/// A pod behind the cluster DNS Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsPod {
    /// Pod name.
    pub name: String,
    /// Node it runs on, if known.
    pub node: Option<String>,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
    /// Port it answers on behind the Service.
    pub port: u16,
}

/// Everything that can be probed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// Id of the run. Probe pods answer with it, so that another run's pods, or anybody else's, are told from ours.
    #[serde(default)]
    pub run: String,
    /// Nodes that were to take part, ordered by stratum and name.
    pub nodes: Vec<Node>,
    /// The probe Service with a cluster IP.
    pub cluster_ip: Option<Service>,
    /// The probe Service with node ports.
    pub node_port: Option<Service>,
    /// The headless probe Service.
    pub headless: Option<Service>,
    /// `default/kubernetes`.
    pub api: Option<Service>,
    /// The cluster DNS Service.
    pub dns: Option<Service>,
    /// Its pods.
    pub dns_pods: Vec<DnsPod>,
    /// Targets outside, resolved on this side where they are names.
    pub external: Vec<External>,
}

/// A target outside the cluster, asked for by the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    /// As the user wrote it.
    pub text: String,
    /// Address, or a host name for the pods to look up.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Topology {
    /// Families that at least one probing and one probed pod have.
    pub fn families(&self) -> BTreeSet<Family> {
        let of = |pick: fn(&Node) -> Option<&Pod>| -> BTreeSet<Family> {
            self.nodes.iter().filter_map(pick).flat_map(|pod| &pod.ips).map(|ip| Family::of(*ip)).collect()
        };
        of(|node| node.client.as_ref()).intersection(&of(|node| node.server.as_ref())).copied().collect()
    }

    /// Index of a node by name.
    pub fn node(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.name == name)
    }
}
