//! Judged probes in, the smallest set of causes that accounts for the failures out.
//!
//! Each candidate cause names the probes that *must* fail if it is true, and those that *may* fail as its consequence. A candidate that a
//! single working probe contradicts is dropped. Of the rest the one that accounts for most of the failures still open is taken, again and
//! again (greedy set cover, which is within ln n of the smallest cover). Ties go to the narrower cause, then to the earlier one.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{Judged, State, Symptom, describe};
use super::plan::{DnsServer, How, Origin, PORT, PORT_2, Path, Question};
use super::topology::{Family, Topology};
use crate::report::Explanation;

/// What is known beside the probes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Witness {
    /// For each node whose server log could be read: the client nodes whose UDP probes it received. Tells a lost request from a lost answer.
    pub received: BTreeMap<usize, BTreeSet<usize>>,
}

/// Causes, and the failures that none of them covers.
pub struct Diagnosis {
    /// Largest first.
    pub explanations: Vec<Explanation>,
    /// One line per failure that is left.
    pub unexplained: Vec<String>,
}

/// Finds the causes.
pub fn diagnose(topology: &Topology, judged: &[Judged], witness: &Witness) -> Diagnosis {
    let facts = Facts::new(topology, judged);
    let mut open: BTreeSet<usize> =
        (0..judged.len()).filter(|index| judged[*index].bad() && !policy(&judged[*index])).collect();
    let mut candidates: Vec<(Cause, Cover)> = facts
        .candidates()
        .into_iter()
        .map(|cause| {
            let cover = facts.cover(&cause);
            (cause, cover)
        })
        .filter(|(_, cover)| cover.holds())
        .collect();
    let mut explanations = Vec::new();
    loop {
        let best = candidates
            .iter()
            .enumerate()
            .map(|(index, (cause, cover))| {
                let must = cover.must.intersection(&open).count();
                (must, std::cmp::Reverse(cause.breadth()), std::cmp::Reverse(index))
            })
            .max();
        let Some((must, _, std::cmp::Reverse(index))) = best else { break };
        if must == 0 {
            break;
        }
        let (cause, cover) = candidates.swap_remove(index);
        let covered: BTreeSet<usize> =
            cover.must.union(&cover.may).copied().filter(|index| open.contains(index)).collect();
        explanations.push(facts.explain(&cause, &cover.must, &covered, witness));
        open.retain(|index| !covered.contains(index));
        candidates.sort_by_key(|(cause, _)| cause.breadth()); // swap_remove changed the order
    }
    explanations.sort_by_key(|explanation| std::cmp::Reverse(explanation.explains));
    Diagnosis { explanations, unexplained: open.iter().map(|index| describe(topology, &judged[*index])).collect() }
}

fn policy(judged: &Judged) -> bool {
    matches!(judged.probe.path, Path::Policy { .. })
}

/// Which node pairs a cause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pairs {
    AllCross,
    AllSame,
    Node(usize),
    From(usize),
    To(usize),
    Between(usize, usize),
    OneWay(usize, usize),
    Same(usize),
}

/// Which packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packets {
    Any,
    Tcp,
    Udp,
    TcpPort(u16),
    UdpPort(u16),
    Large,
}

/// A candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    Pods { pairs: Pairs, packets: Packets, family: Option<Family>, origin: Origin },
    ServiceFrom { node: usize, packets: Packets, family: Option<Family> },
    ServiceEverywhere { packets: Packets, family: Option<Family> },
    NodePortTo { node: usize, packets: Packets },
    NodePortEverywhere { packets: Packets },
    ApiFrom(usize),
    ApiEverywhere,
    DnsPod(usize),
    DnsPodTransport { pod: usize, tcp: bool },
    DnsPodAnswer { pod: usize, question: Question },
    DnsFrom(usize),
    DnsEverywhere,
    NodeFromPods(usize),
    ExternalEverywhere(usize),
    ExternalFrom { node: usize, target: usize },
}

impl Cause {
    /// How wide a claim it is; the narrower wins a tie.
    fn breadth(&self) -> usize {
        match self {
            Cause::Pods { pairs, packets, family, .. } => {
                let pairs = match pairs {
                    Pairs::Same(_) | Pairs::OneWay(..) => 0,
                    Pairs::Between(..) => 1,
                    Pairs::From(_) | Pairs::To(_) => 2,
                    Pairs::Node(_) => 3,
                    Pairs::AllSame | Pairs::AllCross => 4,
                };
                let packets = match packets {
                    Packets::Any => 0,
                    Packets::Tcp | Packets::Udp | Packets::Large => 1,
                    Packets::TcpPort(_) | Packets::UdpPort(_) => 2,
                };
                10 * pairs + 2 * packets + usize::from(family.is_some())
            }
            Cause::DnsPod(_) => 10,
            Cause::ServiceFrom { packets, family, .. } => {
                20 + usize::from(*packets != Packets::Any) + usize::from(family.is_some())
            }
            Cause::ApiFrom(_)
            | Cause::DnsFrom(_)
            | Cause::NodePortTo { .. }
            | Cause::NodeFromPods(_)
            | Cause::ExternalFrom { .. } => 30,
            Cause::DnsPodTransport { .. } | Cause::DnsPodAnswer { .. } => 35,
            Cause::ExternalEverywhere(_) => 40,
            Cause::ServiceEverywhere { .. }
            | Cause::NodePortEverywhere { .. }
            | Cause::ApiEverywhere
            | Cause::DnsEverywhere => 40,
        }
    }
}

/// Probes a cause speaks of, by index.
#[derive(Clone, Debug, Default)]
struct Cover {
    must: BTreeSet<usize>,
    may: BTreeSet<usize>,
    contradicted: bool,
}

impl Cover {
    fn holds(&self) -> bool {
        !self.contradicted && !self.must.is_empty()
    }
}

struct Facts<'a> {
    topology: &'a Topology,
    judged: &'a [Judged],
    by_path: BTreeMap<Class, Vec<usize>>,
}

/// Rough kind of a path, to look only at the probes that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
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

fn packets_match(packets: Packets, how: How) -> bool {
    match packets {
        Packets::Any => true,
        Packets::Tcp => matches!(how, How::Tcp(_) | How::Bulk),
        Packets::Udp => matches!(how, How::Udp(_) | How::Largest),
        Packets::TcpPort(port) => how == How::Tcp(port) || (how == How::Bulk && port == PORT),
        Packets::UdpPort(port) => how == How::Udp(port) || (how == How::Largest && port == PORT),
        Packets::Large => how == How::Largest,
    }
}

fn pairs_match(pairs: Pairs, from: usize, to: usize) -> bool {
    match pairs {
        Pairs::AllCross => from != to,
        Pairs::AllSame => from == to,
        Pairs::Node(node) => from != to && (from == node || to == node),
        Pairs::From(node) => from != to && from == node,
        Pairs::To(node) => from != to && to == node,
        Pairs::Between(a, b) => (from, to) == (a, b) || (from, to) == (b, a),
        Pairs::OneWay(a, b) => (from, to) == (a, b),
        Pairs::Same(node) => from == node && to == node,
    }
}

impl<'a> Facts<'a> {
    fn new(topology: &'a Topology, judged: &'a [Judged]) -> Facts<'a> {
        let mut by_path: BTreeMap<Class, Vec<usize>> = BTreeMap::new();
        for (index, one) in judged.iter().enumerate() {
            by_path.entry(class(one.probe.path)).or_default().push(index);
        }
        Facts { topology, judged, by_path }
    }

    fn of(&self, class: Class) -> impl Iterator<Item = (usize, &'a Judged)> + '_ {
        self.by_path.get(&class).into_iter().flatten().map(|index| (*index, &self.judged[*index]))
    }

    /// Every cause that at least one failure suggests.
    fn candidates(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = Vec::new();
        let mut add = |cause: Cause| {
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        };
        let families: Vec<Option<Family>> = if self.topology.families().len() > 1 {
            vec![None, Some(Family::V4), Some(Family::V6)]
        } else {
            vec![None]
        };
        let all_packets = [
            Packets::Any,
            Packets::Tcp,
            Packets::Udp,
            Packets::Large,
            Packets::TcpPort(PORT),
            Packets::TcpPort(PORT_2),
            Packets::UdpPort(PORT),
            Packets::UdpPort(PORT_2),
        ];
        let transports = [Packets::Any, Packets::Tcp, Packets::Udp];
        let mut pod_scopes: Vec<(Pairs, Origin)> = Vec::new();
        for (_, bad) in self.of(Class::Pods).filter(|(_, one)| one.bad()) {
            let Path::Pod { to, .. } = bad.probe.path else { continue };
            let from = bad.probe.node;
            let scopes = if from == to {
                vec![Pairs::Same(from), Pairs::AllSame]
            } else {
                let between = Pairs::Between(from.min(to), from.max(to));
                vec![
                    Pairs::OneWay(from, to),
                    between,
                    Pairs::From(from),
                    Pairs::To(to),
                    Pairs::Node(from),
                    Pairs::Node(to),
                    Pairs::AllCross,
                ]
            };
            for pairs in scopes {
                if !pod_scopes.contains(&(pairs, bad.probe.origin)) {
                    pod_scopes.push((pairs, bad.probe.origin));
                }
            }
        }
        for (pairs, origin) in pod_scopes {
            for packets in all_packets {
                for family in &families {
                    add(Cause::Pods { pairs, packets, family: *family, origin });
                }
            }
        }
        for (_, bad) in self.of(Class::ClusterIp).filter(|(_, one)| one.bad()) {
            for packets in transports {
                for family in &families {
                    add(Cause::ServiceFrom { node: bad.probe.node, packets, family: *family });
                    add(Cause::ServiceEverywhere { packets, family: *family });
                }
            }
        }
        for (_, bad) in self.of(Class::NodePort).filter(|(_, one)| one.bad()) {
            let Path::NodePort { to, .. } = bad.probe.path else { continue };
            for packets in transports {
                add(Cause::NodePortTo { node: to, packets });
                add(Cause::NodePortEverywhere { packets });
            }
        }
        for (_, bad) in self.of(Class::Api).filter(|(_, one)| one.bad()) {
            add(Cause::ApiFrom(bad.probe.node));
            add(Cause::ApiEverywhere);
        }
        for (_, bad) in self.of(Class::Dns).filter(|(_, one)| one.bad()) {
            let Path::Dns { server, question, tcp } = bad.probe.path else { continue };
            if let DnsServer::Pod(pod) = server {
                add(Cause::DnsPod(pod));
                add(Cause::DnsPodTransport { pod, tcp });
                add(Cause::DnsPodAnswer { pod, question });
            } else {
                add(Cause::DnsFrom(bad.probe.node));
                add(Cause::DnsEverywhere);
            }
        }
        for (_, bad) in self.of(Class::Node).filter(|(_, one)| one.bad()) {
            let Path::Node { to } = bad.probe.path else { continue };
            add(Cause::NodeFromPods(to));
        }
        for (_, bad) in self.of(Class::External).filter(|(_, one)| one.bad()) {
            let Path::External { target } = bad.probe.path else { continue };
            add(Cause::ExternalEverywhere(target));
            add(Cause::ExternalFrom { node: bad.probe.node, target });
        }
        causes
    }

    /// What a cause must and may account for.
    fn cover(&self, cause: &Cause) -> Cover {
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

    fn name(&self, node: usize) -> &str {
        &self.topology.nodes[node].name
    }

    fn explain(
        &self,
        cause: &Cause,
        must: &BTreeSet<usize>,
        covered: &BTreeSet<usize>,
        witness: &Witness,
    ) -> Explanation {
        let (text, hint) = self.words(cause, must, witness);
        let mut evidence = vec![self.count(must, covered)];
        evidence.extend(self.extra_evidence(cause));
        if let Some(first) = must.iter().next() {
            evidence.push(format!("example: {}", describe(self.topology, &self.judged[*first])));
        }
        let checks: BTreeSet<&'static str> =
            covered.iter().map(|index| crate::checks::paths::id_of(&self.judged[*index].probe)).collect();
        Explanation { cause: text, evidence, hint, explains: covered.len(), checks: checks.into_iter().collect() }
    }

    fn count(&self, must: &BTreeSet<usize>, covered: &BTreeSet<usize>) -> String {
        let mut symptoms: BTreeMap<String, usize> = BTreeMap::new();
        for index in must {
            if let State::Bad(symptom) = &self.judged[*index].state {
                *symptoms.entry(symptom.describe()).or_default() += 1;
            }
        }
        let mut symptoms: Vec<(String, usize)> = symptoms.into_iter().collect();
        symptoms.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rest = symptoms.len().saturating_sub(3);
        let mut listed: Vec<String> =
            symptoms.into_iter().take(3).map(|(text, count)| format!("{text} ×{count}")).collect();
        if rest > 0 {
            listed.push(format!("{rest} more"));
        }
        let followed = covered.difference(must).count();
        let followed =
            if followed == 0 { String::new() } else { format!("; {followed} more failures can follow from it") };
        format!("all {} probes of this kind fail, none works ({}){followed}", must.len(), listed.join(", "))
    }

    fn extra_evidence(&self, cause: &Cause) -> Vec<String> {
        let Cause::ServiceFrom { node, .. } = cause else { return Vec::new() };
        let older: Vec<&Judged> = self
            .judged
            .iter()
            .filter(|one| {
                one.probe.node == *node
                    && (one.probe.path == Path::Api
                        || matches!(one.probe.path, Path::Dns { server: DnsServer::Configured, .. }))
            })
            .collect();
        if !older.is_empty() && older.iter().all(|one| one.good()) {
            vec![format!(
                "Services that existed before still work from {}: its rules are there but no longer updated",
                self.name(*node)
            )]
        } else {
            Vec::new()
        }
    }

    /// Which direction of a pair is lost, by what the servers received. Only for causes whose packets include UDP.
    fn direction(&self, a: usize, b: usize, witness: &Witness) -> Option<(usize, usize)> {
        let received = |at: usize, from: usize| witness.received.get(&at).map(|from_nodes| from_nodes.contains(&from));
        match (received(b, a)?, received(a, b)?) {
            (false, true) => Some((a, b)),
            (true, false) => Some((b, a)),
            _ => None,
        }
    }

    fn words(&self, cause: &Cause, must: &BTreeSet<usize>, witness: &Witness) -> (String, String) {
        match *cause {
            Cause::Pods { pairs, packets, family, origin } => self.pod_words(pairs, packets, family, origin, must, witness),
            Cause::ServiceFrom { node, packets, family } => {
                let node = self.name(node);
                (
                    format!("{}Services cannot be reached from {node}{}: kube-proxy or its replacement on {node}", prefix(packets), suffix(family)),
                    format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={node}`: is kube-proxy (or the CNI agent that replaces it) running there, what does its log say?"),
                )
            }
            Cause::ServiceEverywhere { packets, family } => (
                format!("{}Services cannot be reached from any node{}", prefix(packets), suffix(family)),
                "`kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide`: or the CNI's replacement of kube-proxy; are its rules up to date?".to_owned(),
            ),
            Cause::NodePortTo { node, packets } => (
                format!("{}node ports of {} do not answer: kube-proxy or its replacement there, or a firewall in front of it", prefix(packets), self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy and the CNI agent of that node", self.name(node)),
            ),
            Cause::NodePortEverywhere { packets } => (
                format!("{}node ports do not answer on any node", prefix(packets)),
                "check the firewall between nodes for the node port range (30000-32767 by default), and kube-proxy's nodePortAddresses".to_owned(),
            ),
            Cause::ApiFrom(node) => (
                format!("the API server's cluster IP cannot be reached from pods on {}", self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy or its replacement there", self.name(node)),
            ),
            Cause::ApiEverywhere => (
                "the API server's cluster IP cannot be reached from pods on any node".to_owned(),
                "`kubectl -n default get endpointslices -l kubernetes.io/service-name=kubernetes`: are these addresses reachable from pods?".to_owned(),
            ),
            Cause::DnsPod(pod) | Cause::DnsPodTransport { pod, .. } | Cause::DnsPodAnswer { pod, .. } => self.dns_pod_words(cause, pod, must),
            Cause::DnsFrom(node) => (
                format!("cluster DNS does not answer rightly from {}", self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy or its replacement, and node-local DNS, on that node", self.name(node)),
            ),
            Cause::DnsEverywhere => (
                "cluster DNS does not answer rightly from any node".to_owned(),
                "`kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`: running? then: kubectl -n kube-system logs -l k8s-app=kube-dns".to_owned(),
            ),
            Cause::NodeFromPods(node) => (
                format!("pods on other nodes cannot reach node {} itself", self.name(node)),
                format!("check firewall and routes between the pod network and {} (kubelet port {})", self.name(node), self.topology.nodes[node].kubelet_port),
            ),
            Cause::ExternalEverywhere(target) => (
                format!("{} cannot be reached from any node", self.topology.external[target].text),
                "check egress: masquerading, NAT gateway, firewall, proxies; is the target up?".to_owned(),
            ),
            Cause::ExternalFrom { node, target } => (
                format!("{} cannot be reached from {}", self.topology.external[target].text, self.name(node)),
                "check that node's masquerading rules and default route".to_owned(),
            ),
        }
    }

    fn dns_pod_words(&self, cause: &Cause, pod: usize, must: &BTreeSet<usize>) -> (String, String) {
        let dns = &self.topology.dns_pods[pod];
        let place = dns.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        let wrong = must.iter().find_map(|index| match &self.judged[*index].state {
            State::Bad(Symptom::Wrong(what)) => Some(what.clone()),
            _ => None,
        });
        let namespace = self.topology.dns.as_ref().map_or("kube-system", |service| service.namespace.as_str());
        let hint = format!(
            "`kubectl -n {namespace} logs {}`: and: kubectl -n {namespace} get configmap coredns -o yaml",
            dns.name
        );
        let text = match (wrong, cause) {
            (Some(what), _) => format!("DNS pod {}{place} gives wrong answers: {what}", dns.name),
            (None, Cause::DnsPodTransport { tcp: true, .. }) => {
                format!("DNS pod {}{place} does not answer over TCP", dns.name)
            }
            (None, Cause::DnsPodTransport { tcp: false, .. }) => {
                format!("DNS pod {}{place} does not answer over UDP", dns.name)
            }
            (None, _) => format!("DNS pod {}{place} answers nobody", dns.name),
        };
        (text, hint)
    }

    fn pod_words(
        &self,
        pairs: Pairs,
        packets: Packets,
        family: Option<Family>,
        origin: Origin,
        must: &BTreeSet<usize>,
        witness: &Witness,
    ) -> (String, String) {
        let sees_direction = matches!(packets, Packets::Any | Packets::Udp);
        let pairs = match pairs {
            Pairs::Between(a, b) if sees_direction => match self.direction(a, b, witness) {
                Some((from, to)) => Pairs::OneWay(from, to),
                None => pairs,
            },
            Pairs::Node(node) if sees_direction => self.node_direction(node, witness).unwrap_or(pairs),
            other => other,
        };
        let source = if origin == Origin::Host { "nodes" } else { "pods" };
        let place = match pairs {
            Pairs::AllCross => "between all nodes".to_owned(),
            Pairs::AllSame => "between pods of the same node, on every node".to_owned(),
            Pairs::Node(node) => format!("to and from node {}", self.name(node)),
            Pairs::From(node) => format!("from node {}, in that direction only,", self.name(node)),
            Pairs::To(node) => format!("to node {}, in that direction only,", self.name(node)),
            Pairs::Between(a, b) => format!("between nodes {} and {}, in both directions,", self.name(a), self.name(b)),
            Pairs::OneWay(a, b) => {
                format!("from node {} to node {}, in that direction only,", self.name(a), self.name(b))
            }
            Pairs::Same(node) => format!("between pods on node {}", self.name(node)),
        };
        let what = match packets {
            Packets::Any => format!("everything {place} is lost"),
            Packets::Tcp => format!("TCP only: everything {place} is lost"),
            Packets::Udp => format!("UDP only: everything {place} is lost"),
            Packets::TcpPort(port) => format!("TCP port {port} only: everything {place} is lost"),
            Packets::UdpPort(port) => format!("UDP port {port} only: everything {place} is lost"),
            Packets::Large => {
                let (largest, mtu) = self.sizes(must);
                format!("packets above {largest} bytes {place} are lost (MTU): the pods' route promises {mtu}")
            }
        };
        let rejected = self.all_rejected(must);
        let what = if rejected { what.replacen("is lost", "is rejected", 1) } else { what };
        let hint = match (packets, pairs) {
            (Packets::Large, _) => {
                "compare the MTU of the CNI's device with the links beneath it, less the encapsulation (VXLAN 50, Geneve 50+, IPIP 20, WireGuard 60 to 80 bytes); lower the CNI's MTU or raise the links'".to_owned()
            }
            (Packets::Any, Pairs::AllCross) => "check that the CNI's transport between nodes is not filtered (VXLAN UDP 8472/4789, Geneve UDP 6081, BGP TCP 179, IP-in-IP protocol 4, WireGuard UDP 51871/51820)".to_owned(),
            (Packets::Any, Pairs::Node(node) | Pairs::From(node) | Pairs::To(node)) => format!(
                "`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: the CNI agent's log there; then that node's routes, tunnel device and firewall",
                self.name(node)
            ),
            (Packets::Any, Pairs::OneWay(a, b) | Pairs::Between(a, b)) => {
                format!("on {}: `ip route get <pod address on {}>`, the tunnel's forwarding entries, and filters between the two", self.name(a), self.name(b))
            }
            (Packets::Any, _) => "check the CNI's bridge or veth devices, and packet filters on that node".to_owned(),
            _ => "something filters by protocol or port: security groups, host firewall, network policies (kubectl get networkpolicies -A)".to_owned(),
        };
        let subject = if source == "nodes" { "from the nodes' own network: " } else { "" };
        (format!("{subject}{what}{}", suffix(family)), hint)
    }

    fn node_direction(&self, node: usize, witness: &Witness) -> Option<Pairs> {
        let others: Vec<usize> = (0..self.topology.nodes.len())
            .filter(|other| *other != node && self.topology.nodes[*other].server.is_some())
            .collect();
        let directions: Vec<_> = others.iter().map(|other| self.direction(node, *other, witness)).collect();
        if directions.iter().zip(&others).all(|(direction, other)| *direction == Some((node, *other))) {
            Some(Pairs::From(node))
        } else if directions.iter().zip(&others).all(|(direction, other)| *direction == Some((*other, node))) {
            Some(Pairs::To(node))
        } else {
            None
        }
    }

    fn all_rejected(&self, must: &BTreeSet<usize>) -> bool {
        must.iter().all(|index| {
            matches!(self.judged[*index].state, State::Bad(Symptom::Refused | Symptom::Unreachable(Some(_))))
        })
    }

    fn sizes(&self, must: &BTreeSet<usize>) -> (String, String) {
        let mut largest = None;
        let mut mtu = None;
        for index in must {
            if let State::Bad(Symptom::TooLarge { largest: Some(l), mtu: m }) = &self.judged[*index].state {
                largest = Some(largest.map_or(*l, |known: u32| known.min(*l)));
                mtu = mtu.or(*m);
            }
        }
        let text = |value: Option<u32>| value.map_or("some".to_owned(), |value| value.to_string());
        (text(largest), text(mtu))
    }
}

fn prefix(packets: Packets) -> &'static str {
    match packets {
        Packets::Tcp => "TCP only: ",
        Packets::Udp => "UDP only: ",
        _ => "",
    }
}

fn suffix(family: Option<Family>) -> String {
    family.map(|family| format!(" ({} only)", family.name())).unwrap_or_default()
}
