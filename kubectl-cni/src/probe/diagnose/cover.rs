//! What each cause must and may account for, and whether a working probe contradicts it.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Cause, Packets, Pairs, packets_match, pairs_match};
use crate::probe::judge::Judged;
use crate::probe::plan::{DnsServer, How, Origin, PORT, Path, Question};
use crate::probe::topology::{Family, Topology};

/// Probes a cause speaks of, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    pub(super) must: BTreeSet<usize>,
    pub(super) may: BTreeSet<usize>,
    contradicted: bool,
}

impl Cover {
    pub(super) fn holds(&self) -> bool {
        !self.contradicted && !self.must.is_empty()
    }
}

pub(super) struct Facts<'a> {
    pub(super) topology: &'a Topology,
    pub(super) judged: &'a [Judged],
    by_path: BTreeMap<Class, Vec<usize>>,
}

/// Rough kind of a path, to look only at the probes that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Pods,
    ClusterIp,
    NodePort,
    Api,
    Dns,
    Node,
    External,
    Policy,
    Host,
}

fn class(path: Path) -> Class {
    match path {
        Path::Pod { .. } => Class::Pods,
        Path::ClusterIp { .. } => Class::ClusterIp,
        Path::NodePort { .. } => Class::NodePort,
        Path::Api => Class::Api,
        Path::Dns { .. } => Class::Dns,
        Path::Node { .. } => Class::Node,
        Path::External { .. } => Class::External,
        Path::Policy { .. } => Class::Policy,
        Path::Host { .. } => Class::Host,
    }
}

impl<'a> Facts<'a> {
    pub(super) fn new(topology: &'a Topology, judged: &'a [Judged]) -> Facts<'a> {
        let mut by_path: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for (index, one) in judged.iter().enumerate() {
            by_path.entry(class(one.probe.path)).or_default().push(index);
        }
        Facts { topology, judged, by_path }
    }

    pub(super) fn of(&self, class: Class) -> impl Iterator<Item = (usize, &'a Judged)> + '_ {
        self.by_path.get(&class).into_iter().flatten().map(|index| (*index, &self.judged[*index]))
    }

    /// What a cause must and may account for.
    pub(super) fn cover(&self, cause: &Cause) -> Cover {
        let mut cover = Cover::default();
        let mut must = |index: usize, one: &Judged| {
            if one.bad() {
                cover.must.insert(index);
            } else if one.good() {
                cover.contradicted = true;
            }
        };
        let family_is = |family: Option<Family>, one: &Judged| family.is_none_or(|family| one.probe.family == family);
        match *cause {
            Cause::Pods { pairs, packets, family, origin } => {
                for (index, one) in self.of(Class::Pods) {
                    if let Path::Pod { to, how } = one.probe.path
                        && one.probe.origin == origin
                        && pairs_match(pairs, one.probe.node, to)
                        && packets_match(packets, how)
                        && family_is(family, one)
                    {
                        must(index, one);
                    }
                }
            }
            Cause::ServiceFrom { node, packets, family } => self.of(Class::ClusterIp).for_each(|(index, one)| {
                if one.probe.node == node && family_is(family, one) && self.packets_are(one, packets) {
                    must(index, one);
                }
            }),
            Cause::ServiceEverywhere { packets, family } => self.of(Class::ClusterIp).for_each(|(index, one)| {
                if family_is(family, one) && self.packets_are(one, packets) {
                    must(index, one);
                }
            }),
            Cause::NodePortTo { node, packets } => self.of(Class::NodePort).for_each(|(index, one)| {
                if matches!(one.probe.path, Path::NodePort { to, .. } if to == node) && self.packets_are(one, packets) {
                    must(index, one);
                }
            }),
            Cause::NodePortEverywhere { packets } => self.of(Class::NodePort).for_each(|(index, one)| {
                if self.packets_are(one, packets) {
                    must(index, one);
                }
            }),
            Cause::ApiFrom(node) => {
                self.of(Class::Api).filter(|(_, one)| one.probe.node == node).for_each(|(index, one)| must(index, one))
            }
            Cause::ApiEverywhere => self.of(Class::Api).for_each(|(index, one)| must(index, one)),
            Cause::DnsPod(pod) => {
                self.dns(|server, _, _| server == DnsServer::Pod(pod)).for_each(|(index, one)| must(index, one))
            }
            Cause::DnsPodTransport { pod, tcp } => {
                self.dns(|server, _, over_tcp| server == DnsServer::Pod(pod) && over_tcp == tcp)
                    .for_each(|(index, one)| must(index, one));
            }
            Cause::DnsPodAnswer { pod, question } => {
                self.dns(|server, asked, _| server == DnsServer::Pod(pod) && asked == question)
                    .for_each(|(index, one)| must(index, one));
            }
            Cause::DnsFrom(node) => self
                .dns(|server, _, _| server == DnsServer::Configured)
                .filter(|(_, one)| one.probe.node == node)
                .for_each(|(index, one)| must(index, one)),
            Cause::DnsEverywhere => {
                self.dns(|server, _, _| server == DnsServer::Configured).for_each(|(index, one)| must(index, one))
            }
            Cause::NodeFromPods(node) => self
                .of(Class::Node)
                .filter(|(_, one)| one.probe.path == Path::Node { to: node } && one.probe.node != node)
                .for_each(|(index, one)| must(index, one)),
            Cause::ExternalEverywhere(target) => {
                self.of(Class::External)
                    .filter(|(_, one)| one.probe.path == Path::External { target })
                    .for_each(|(index, one)| must(index, one));
            }
            Cause::ExternalFrom { node, target } => self
                .of(Class::External)
                .filter(|(_, one)| one.probe.path == Path::External { target } && one.probe.node == node)
                .for_each(|(index, one)| must(index, one)),
        }
        if !cover.contradicted {
            cover.may = (0..self.judged.len())
                .filter(|index| self.judged[*index].bad() && self.consequence(cause, &self.judged[*index]))
                .collect();
        }
        cover
    }

    fn packets_are(&self, one: &Judged, packets: Packets) -> bool {
        match one.probe.path {
            Path::ClusterIp { how } | Path::NodePort { how, .. } => packets_match(packets, how),
            _ => false,
        }
    }

    fn dns(&self, want: impl Fn(DnsServer, Question, bool) -> bool) -> impl Iterator<Item = (usize, &'a Judged)> {
        self.of(Class::Dns).filter(move |(_, one)| matches!(one.probe.path, Path::Dns { server, question, tcp } if want(server, question, tcp)))
    }

    /// Could this failure follow from the cause?
    fn consequence(&self, cause: &Cause, one: &Judged) -> bool {
        let from = one.probe.node;
        match cause {
            Cause::Pods { pairs, packets, family, .. } => {
                if family.is_some_and(|family| family != one.probe.family) {
                    return false;
                }
                // A transfer stalls in both directions when large packets vanish in one of them.
                let stalls = |a: usize, b: usize| {
                    *packets == Packets::Large && (pairs_match(*pairs, a, b) || pairs_match(*pairs, b, a))
                };
                let hits = |a: usize, b: usize| pairs_match(*pairs, a, b) || pairs_match(*pairs, b, a);
                let transport = |tcp: bool| match packets {
                    Packets::Any => true,
                    Packets::Tcp => tcp,
                    Packets::Udp => !tcp,
                    _ => false,
                };
                match one.probe.path {
                    Path::Pod { to, how } => {
                        (one.probe.origin == Origin::Host && packets_match(*packets, how) && hits(from, to))
                            || (matches!(how, How::Bulk) && stalls(from, to))
                    }
                    Path::ClusterIp { how } => {
                        self.meets(*packets, how) && (0..self.topology.nodes.len()).any(|to| hits(from, to))
                    }
                    Path::NodePort { to, how } => {
                        self.meets(*packets, how)
                            && (hits(from, to)
                                || (0..self.topology.nodes.len()).any(|next| hits(to, next) || hits(from, next)))
                    }
                    Path::Dns { server: DnsServer::Pod(pod), tcp, .. } => {
                        transport(tcp) && self.dns_node(pod).is_some_and(|to| hits(from, to))
                    }
                    Path::Dns { server: DnsServer::Configured, tcp, .. } => {
                        transport(tcp)
                            && (0..self.topology.dns_pods.len())
                                .filter_map(|pod| self.dns_node(pod))
                                .any(|to| hits(from, to))
                    }
                    Path::Node { to } => transport(true) && hits(from, to),
                    Path::Host { to, how } => packets_match(*packets, how) && hits(from, to),
                    Path::Api | Path::External { .. } => {
                        matches!(pairs, Pairs::Node(node) | Pairs::From(node) if *node == from) && transport(true)
                    }
                    Path::Policy { .. } => false,
                }
            }
            Cause::ServiceFrom { node, .. } => match one.probe.path {
                Path::NodePort { to, .. } => to == *node || from == *node,
                Path::Api | Path::ClusterIp { .. } | Path::Dns { server: DnsServer::Configured, .. } => from == *node,
                _ => false,
            },
            Cause::ServiceEverywhere { .. } => {
                matches!(
                    one.probe.path,
                    Path::NodePort { .. }
                        | Path::Api
                        | Path::ClusterIp { .. }
                        | Path::Dns { server: DnsServer::Configured, .. }
                )
            }
            Cause::DnsPod(_) | Cause::DnsPodTransport { .. } | Cause::DnsPodAnswer { .. } => {
                matches!(one.probe.path, Path::Dns { server: DnsServer::Configured, .. })
            }
            _ => false,
        }
    }

    /// Whether a Service connection made `how` crosses a pair on which these packets are lost. The Service leads to port [`PORT`].
    fn meets(&self, packets: Packets, how: How) -> bool {
        match (packets, how) {
            (Packets::Any, _) | (Packets::Tcp, How::Tcp(_)) | (Packets::Udp, How::Udp(_)) => true,
            (Packets::TcpPort(port), How::Tcp(_)) | (Packets::UdpPort(port), How::Udp(_)) => port == PORT,
            _ => false,
        }
    }

    fn dns_node(&self, pod: usize) -> Option<usize> {
        self.topology.node(self.topology.dns_pods[pod].node.as_deref()?)
    }

    pub(super) fn name(&self, node: usize) -> &str {
        &self.topology.nodes[node].name
    }
}
