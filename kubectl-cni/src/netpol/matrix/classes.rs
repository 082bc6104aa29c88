//! Which pods no policy can tell apart: same namespace, same values of the labels that some selector asks for, same numbers under the port
//! names that some rule uses, inside and outside of the same address ranges.

use std::collections::{BTreeMap, BTreeSet};

use crate::netpol::cidr::Cidr;
use crate::netpol::labels::Selector;
use crate::netpol::model::{Direction, Peer, Peers, PortMatch, Ports, TierPeer};
use crate::netpol::world::{NamedPort, Pod, PodName, World};
use crate::probe::topology::Family;

/// Pods that get the same answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Their namespace.
    pub namespace: String,
    /// Them, sorted; at least one.
    pub pods: Vec<PodName>,
}

/// What decides the class of a pod.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'w> {
    namespace: &'w str,
    labels: Vec<Option<&'w str>>,
    ports: BTreeSet<&'w NamedPort>,
    /// Per range: inside, outside, or not known.
    blocks: Vec<Option<bool>>,
}

/// What the policies of a world look at.
#[derive(Default)]
struct Looked<'w> {
    labels: BTreeSet<&'w str>,
    ports: BTreeSet<&'w str>,
    blocks: BTreeSet<Cidr>,
}

pub(super) fn classes(world: &World, family: Family) -> (Vec<Class>, Vec<PodName>) {
    let looked = Looked::at_by(world);
    let mut host_network = Vec::new();
    let mut classes: BTreeMap<Key<'_>, Class> = BTreeMap::new();
    for pod in world.pods.values() {
        if pod.host_network {
            host_network.push(pod.name.clone());
            continue;
        }
        let namespace = pod.name.namespace.clone();
        let class = classes.entry(looked.key(pod, family)).or_insert_with(|| Class { namespace, pods: Vec::new() });
        class.pods.push(pod.name.clone());
    }
    (classes.into_values().collect(), host_network)
}

impl<'w> Looked<'w> {
    fn at_by(world: &'w World) -> Looked<'w> {
        let mut looked = Looked::default();
        for policy in world.policies.values() {
            looked.labels.extend(policy.subject.keys());
            for rule in Direction::BOTH.iter().filter_map(|direction| policy.rules(*direction)).flatten() {
                looked.add_ports(&rule.ports);
                if let Peers::AnyOf(peers) = &rule.peers {
                    peers.iter().for_each(|peer| looked.add_peer(peer));
                }
            }
        }
        for policy in world.tiers.values() {
            looked.labels.extend(policy.pods.keys());
            for rule in Direction::BOTH.iter().flat_map(|direction| policy.rules(*direction)) {
                looked.add_ports(&rule.ports);
                rule.peers.iter().for_each(|peer| looked.add_tier_peer(peer));
            }
        }
        looked
    }

    fn add_peer(&mut self, peer: &'w Peer) {
        match peer {
            Peer::OwnNamespace(pods) | Peer::Pods { pods, .. } => self.labels.extend(Selector::keys(pods)),
            Peer::Block { cidr, except } => self.blocks.extend(except.iter().chain([cidr])),
        }
    }

    fn add_tier_peer(&mut self, peer: &'w TierPeer) {
        match peer {
            TierPeer::Pods { pods, .. } => self.labels.extend(pods.keys()),
            TierPeer::Networks(networks) => self.blocks.extend(networks),
            TierPeer::Nodes(_) | TierPeer::DomainNames(_) | TierPeer::Everything => {}
        }
    }

    fn add_ports(&mut self, ports: &'w Ports) {
        let items = match ports {
            Ports::All => return,
            Ports::AnyOf(items) => items,
        };
        self.ports.extend(items.iter().filter_map(|item| match item {
            PortMatch::Named(_, name) => Some(name.as_str()),
            PortMatch::Protocol(_) | PortMatch::Range(..) => None,
        }));
    }

    fn key<'p>(&self, pod: &'p Pod, family: Family) -> Key<'p> {
        let address = pod.address(family);
        Key {
            namespace: &pod.name.namespace,
            labels: self.labels.iter().map(|key| pod.labels.get(*key).map(String::as_str)).collect(),
            ports: pod.ports.iter().filter(|port| self.ports.contains(port.name.as_str())).collect(),
            blocks: self.blocks.iter().map(|block| address.map(|address| block.contains(address))).collect(),
        }
    }
}
