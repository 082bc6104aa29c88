//! What the policies of one end see of the other end.

use std::net::IpAddr;

use super::why::Why;
use crate::netpol::model::{Peer, Peers, PortMatch, Ports, TierPeer};
use crate::netpol::world::{Pod, Traffic, World};

/// One end of a connection, under one reading of what the API leaves open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party<'w> {
    /// The pod, where its labels count.
    pub pod: Option<&'w Pod>,
    /// The node whose own network it is in.
    pub host_of: Option<&'w str>,
    /// The address that policy sees.
    pub address: Option<IpAddr>,
    /// Whether that is the address of a pod.
    pub own: bool,
}

impl<'w> Party<'w> {
    /// The node it is on.
    pub(crate) fn node(&self) -> Option<&'w str> {
        self.host_of.or_else(|| self.pod.and_then(|pod| pod.node.as_deref()))
    }
}

/// Whether something matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    /// It does not.
    No,
    /// The API does not say.
    Open(Why),
    /// It does.
    Yes,
}

impl Match {
    fn from_bool(matches: bool) -> Match {
        if matches { Match::Yes } else { Match::No }
    }
}

/// Whether a party is among the peers of a rule of a policy of this namespace.
pub(crate) fn peers(world: &World, namespace: &str, peers: &Peers, party: &Party<'_>) -> Match {
    match peers {
        Peers::Anyone => Match::Yes,
        Peers::AnyOf(peers) => peers.iter().map(|item| peer(world, namespace, item, party)).max().unwrap_or(Match::No),
    }
}

fn peer(world: &World, namespace: &str, peer: &Peer, party: &Party<'_>) -> Match {
    match peer {
        Peer::OwnNamespace(pods) => {
            Match::from_bool(party.pod.is_some_and(|pod| pod.name.namespace == namespace && pods.matches(&pod.labels)))
        }
        Peer::Pods { namespaces, pods } => Match::from_bool(
            party.pod.is_some_and(|pod| in_namespaces(world, namespaces, pod) && pods.matches(&pod.labels)),
        ),
        Peer::Block { cidr, except } => match party.address {
            None => Match::Open(Why::AddressUnknown),
            Some(address) if !cidr.contains(address) || except.iter().any(|except| except.contains(address)) => {
                Match::No
            }
            Some(_) if party.own && party.pod.is_some() => Match::Open(Why::BlockOnPod),
            Some(_) => Match::Yes,
        },
    }
}

fn in_namespaces(world: &World, selector: &crate::netpol::labels::Selector, pod: &Pod) -> bool {
    world.namespaces.get(&pod.name.namespace).is_some_and(|labels| selector.matches(labels))
}

/// Whether a party is among the peers of a cluster-wide rule.
pub(crate) fn tier_peers(world: &World, peers: &[TierPeer], party: &Party<'_>) -> Match {
    peers.iter().map(|item| tier_peer(world, item, party)).max().unwrap_or(Match::No)
}

fn tier_peer(world: &World, peer: &TierPeer, party: &Party<'_>) -> Match {
    match peer {
        TierPeer::Everything => Match::Yes,
        TierPeer::Pods { namespaces, pods } => Match::from_bool(party.pod.is_some_and(|pod| {
            !pod.host_network && in_namespaces(world, namespaces, pod) && pods.matches(&pod.labels)
        })),
        TierPeer::Networks(networks) => match party.address {
            None => Match::Open(Why::AddressUnknown),
            Some(address) => Match::from_bool(networks.iter().any(|network| network.contains(address))),
        },
        TierPeer::Nodes(nodes) => Match::from_bool(
            party.host_of.and_then(|name| world.nodes.get(name)).is_some_and(|node| nodes.matches(&node.labels)),
        ),
        TierPeer::DomainNames(_) => {
            if party.pod.is_none() && party.host_of.is_none() {
                Match::Open(Why::DomainName)
            } else {
                Match::No
            }
        }
    }
}

/// Whether the traffic goes to one of the ports of a rule; names are those of the destination pod.
pub(crate) fn ports(ports: &Ports, traffic: Traffic, target: Option<&Pod>) -> bool {
    let items = match ports {
        Ports::All => return true,
        Ports::AnyOf(items) => items,
    };
    let Traffic::Port(protocol, number) = traffic else { return false };
    items.iter().any(|item| match item {
        PortMatch::Protocol(named) => *named == protocol,
        PortMatch::Range(named, first, last) => *named == protocol && (*first..=*last).contains(&number),
        PortMatch::Named(named, name) => {
            named.is_none_or(|named| named == protocol)
                && target.is_some_and(|pod| {
                    pod.ports.iter().any(|port| port.protocol == protocol && port.port == number && port.name == *name)
                })
        }
    })
}
