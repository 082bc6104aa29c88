//! What each cause must and may account for, and whether a working probe contradicts it.

use std::collections::BTreeMap;

use super::cause::{Cause, Packets, Pairs, packets_match, pairs_match};
use crate::probe::judge::Judged;
use crate::probe::plan::{DnsServer, How, Origin, PORT, Path, Question};
use crate::probe::topology::{Family, Topology};

/// Probes a cause speaks of.
#[derive(Clone, Debug, Default)]
pub(super) struct Cover {
    /// Failures that it accounts for, by index, in order.
    pub(super) must: Vec<usize>,
    contradicted: bool,
}

impl Cover {
    pub(super) fn holds(&self) -> bool {
        !self.contradicted && !self.must.is_empty()
    }
}

/// Judged probes, found by what they are about: a cause looks only at those it speaks of, which keeps a hundred nodes that all fail cheap.
pub(super) struct Facts<'a> {
    pub(super) topology: &'a Topology,
    pub(super) judged: &'a [Judged],
    by_class: BTreeMap<Class, Vec<usize>>,
    by_source: BTreeMap<(Class, usize), Vec<usize>>,
    by_target: BTreeMap<(Class, usize), Vec<usize>>,
    by_pair: BTreeMap<(usize, usize), Vec<usize>>,
    /// The node of each DNS pod.
    dns_nodes: Vec<Option<usize>>,
}

/// Rough kind of a path.
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

/// The node a path leads to, where it leads to one.
fn target(path: Path) -> Option<usize> {
    match path {
        Path::Pod { to, .. } | Path::NodePort { to, .. } | Path::Node { to } | Path::Host { to, .. } => Some(to),
        _ => None,
    }
}

impl<'a> Facts<'a> {
    pub(super) fn new(topology: &'a Topology, judged: &'a [Judged]) -> Facts<'a> {
        let mut facts = Facts {
            topology,
            judged,
            by_class: BTreeMap::new(),
            by_source: BTreeMap::new(),
            by_target: BTreeMap::new(),
            by_pair: BTreeMap::new(),
            dns_nodes: topology.dns_pods.iter().map(|pod| topology.node(pod.node.as_deref()?)).collect(),
        };
        for (index, one) in judged.iter().enumerate() {
            let (class, from) = (class(one.probe.path), one.probe.node);
            facts.by_class.entry(class).or_default().push(index);
            facts.by_source.entry((class, from)).or_default().push(index);
            if let Some(to) = target(one.probe.path) {
                facts.by_target.entry((class, to)).or_default().push(index);
                if class == Class::Pods {
                    facts.by_pair.entry((from, to)).or_default().push(index);
                }
            }
        }
        facts
    }

    /// Probes of one kind.
    pub(super) fn of(&self, class: Class) -> impl Iterator<Item = (usize, &'a Judged)> + '_ {
        self.look_up(self.by_class.get(&class))
    }

    /// Probes of one kind that one node sent.
    fn from(&self, class: Class, node: usize) -> impl Iterator<Item = (usize, &'a Judged)> + '_ {
        self.look_up(self.by_source.get(&(class, node)))
    }

    /// Probes of one kind that lead to one node.
    fn to(&self, class: Class, node: usize) -> impl Iterator<Item = (usize, &'a Judged)> + '_ {
        self.look_up(self.by_target.get(&(class, node)))
    }

    fn look_up<'s>(&'s self, list: Option<&'s Vec<usize>>) -> impl Iterator<Item = (usize, &'a Judged)> + 's {
        list.into_iter().flatten().map(|index| (*index, &self.judged[*index]))
    }

    /// Pod probes among which those of some pairs are.
    fn pods(&self, pairs: Pairs) -> Vec<(usize, &'a Judged)> {
        let pair = |from: usize, to: usize| self.look_up(self.by_pair.get(&(from, to)));
        match pairs {
            Pairs::AllCross | Pairs::AllSame => self.of(Class::Pods).collect(),
            Pairs::Node(node) => self.from(Class::Pods, node).chain(self.to(Class::Pods, node)).collect(),
            Pairs::From(node) => self.from(Class::Pods, node).collect(),
            Pairs::To(node) => self.to(Class::Pods, node).collect(),
            Pairs::Between(a, b) => pair(a, b).chain(pair(b, a)).collect(),
            Pairs::OneWay(a, b) => pair(a, b).collect(),
            Pairs::Same(node) => pair(node, node).collect(),
        }
    }

    /// What a cause must account for.
    pub(super) fn cover(&self, cause: &Cause) -> Cover {
        let spoken_of: Vec<(usize, &Judged)> = match *cause {
            Cause::Pods { pairs, packets, family, origin } => {
                let mut probes = self.pods(pairs);
                probes.retain(|(_, one)| {
                    matches!(one.probe.path, Path::Pod { to, how }
                        if pairs_match(pairs, one.probe.node, to) && packets_match(packets, how))
                        && one.probe.origin == origin
                        && is_of(family, one)
                });
                probes
            }
            Cause::ServiceFrom { node, packets, family } => self
                .from(Class::ClusterIp, node)
                .filter(|(_, one)| is_of(family, one) && packets_are(one, packets))
                .collect(),
            Cause::ServiceEverywhere { packets, family } => {
                self.of(Class::ClusterIp).filter(|(_, one)| is_of(family, one) && packets_are(one, packets)).collect()
            }
            Cause::NodePortTo { node, packets } => {
                self.to(Class::NodePort, node).filter(|(_, one)| packets_are(one, packets)).collect()
            }
            Cause::NodePortEverywhere { packets } => {
                self.of(Class::NodePort).filter(|(_, one)| packets_are(one, packets)).collect()
            }
            Cause::ApiFrom(node) => self.from(Class::Api, node).collect(),
            Cause::ApiEverywhere => self.of(Class::Api).collect(),
            Cause::DnsPod(pod) => self.dns(|server, _, _| server == DnsServer::Pod(pod)),
            Cause::DnsPodTransport { pod, tcp } => {
                self.dns(|server, _, over_tcp| server == DnsServer::Pod(pod) && over_tcp == tcp)
            }
            Cause::DnsPodAnswer { pod, question } => {
                self.dns(|server, asked, _| server == DnsServer::Pod(pod) && asked == question)
            }
            Cause::DnsFrom(node) => self.from(Class::Dns, node).filter(|(_, one)| asks_configured(one)).collect(),
            Cause::DnsEverywhere => self.of(Class::Dns).filter(|(_, one)| asks_configured(one)).collect(),
            Cause::NodeFromPods(node) => self.to(Class::Node, node).filter(|(_, one)| one.probe.node != node).collect(),
            Cause::ExternalEverywhere(target) => {
                self.of(Class::External).filter(|(_, one)| one.probe.path == Path::External { target }).collect()
            }
            Cause::ExternalFrom { node, target } => self
                .from(Class::External, node)
                .filter(|(_, one)| one.probe.path == Path::External { target })
                .collect(),
        };
        let contradicted = spoken_of.iter().any(|(_, one)| one.good());
        let mut must: Vec<usize> =
            spoken_of.into_iter().filter(|(_, one)| !contradicted && one.bad()).map(|(index, _)| index).collect();
        must.sort_unstable();
        must.dedup();
        Cover { must, contradicted }
    }

    fn dns(&self, want: impl Fn(DnsServer, Question, bool) -> bool) -> Vec<(usize, &'a Judged)> {
        let wanted =
            |one: &Judged| matches!(one.probe.path, Path::Dns { server, question, tcp } if want(server, question, tcp));
        self.of(Class::Dns).filter(|(_, one)| wanted(one)).collect()
    }

    /// Could this failure follow from the cause?
    pub(super) fn consequence(&self, cause: &Cause, one: &Judged) -> bool {
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
                    Path::ClusterIp { how } => meets(*packets, how) && pairs.may_touch(from),
                    Path::NodePort { to, how } => {
                        meets(*packets, how) && (hits(from, to) || pairs.may_touch(from) || pairs.may_touch(to))
                    }
                    Path::Dns { server: DnsServer::Pod(pod), tcp, .. } => {
                        transport(tcp) && self.dns_nodes[pod].is_some_and(|to| hits(from, to))
                    }
                    Path::Dns { server: DnsServer::Configured, tcp, .. } => {
                        transport(tcp) && self.dns_nodes.iter().flatten().any(|to| hits(from, *to))
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

    pub(super) fn name(&self, node: usize) -> &str {
        &self.topology.nodes[node].name
    }
}

fn is_of(family: Option<Family>, one: &Judged) -> bool {
    family.is_none_or(|family| one.probe.family == family)
}

fn packets_are(one: &Judged, packets: Packets) -> bool {
    matches!(one.probe.path, Path::ClusterIp { how } | Path::NodePort { how, .. } if packets_match(packets, how))
}

fn asks_configured(one: &Judged) -> bool {
    matches!(one.probe.path, Path::Dns { server: DnsServer::Configured, .. })
}

/// Whether a Service connection made `how` crosses a pair on which these packets are lost. The Service leads to port [`PORT`].
fn meets(packets: Packets, how: How) -> bool {
    match (packets, how) {
        (Packets::Any, _) | (Packets::Tcp, How::Tcp(_)) | (Packets::Udp, How::Udp(_)) => true,
        (Packets::TcpPort(port), How::Tcp(_)) | (Packets::UdpPort(port), How::Udp(_)) => port == PORT,
        _ => false,
    }
}
