//! Topology in, probes out: which packets are sent from where to where, and what each must bring back.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::topology::{Family, Topology};

/// TCP and UDP port every probe pod answers on; Services lead here.
pub const PORT: u16 = 18080;
/// A second port, so that a filter on one port can be told from one on a protocol.
pub const PORT_2: u16 = 18081;
/// TCP port that the policy smoke test shuts and opens.
pub const PORT_POLICY: u16 = 18082;
/// Port of the probe pods in the nodes' own network.
pub const PORT_HOST: u16 = 18083;

/// Nodes up to which every ordered pair is probed.
pub const FULL_MESH_MAX: usize = 100;
/// Peers of each node in a circulant mesh.
const CIRCULANT_PEERS: usize = 8;
/// Bytes of an ordinary echo.
const SMALL: u32 = 64;
/// Bytes of a large TCP echo: some forty full segments in each direction.
const BULK: u32 = 64 * 1024;
/// Connections to a Service per node, family and protocol, at the least and at the most.
const SERVICE_TRIES: (usize, usize) = (8, 24);

/// When a probe is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Round {
    /// First: pods, nodes, DNS, API server.
    Pods,
    /// Once the probe Services have all their endpoints.
    Services,
    /// The policy port before any policy.
    PolicyBefore,
    /// While the deny policy is there; the last observation counts.
    PolicyDenied,
    /// After it is gone.
    PolicyAfter,
}

/// Where a probe starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The client pod.
    Pod,
    /// The pod in the node's own network.
    Host,
}

/// How a peer is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum How {
    /// TCP echo of 64 bytes on a port.
    Tcp(u16),
    /// UDP echo of 64 bytes on a port.
    Udp(u16),
    /// TCP echo of 64 KiB.
    Bulk,
    /// UDP datagrams up to the route's MTU, don't-fragment.
    Largest,
}

/// Which DNS server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DnsServer {
    /// The first nameserver of the pod's own resolv.conf.
    Configured,
    /// The DNS pod of this index, by its own address.
    Pod(usize),
}

/// What is asked of a DNS server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Question {
    /// `kubernetes.default`: its cluster IP.
    Kubernetes,
    /// The headless probe Service: the server pods.
    Headless,
    /// A name that must not exist.
    Missing,
}

/// What a probe tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Path {
    /// The server pod of a node.
    Pod {
        /// Node index.
        to: usize,
        /// How.
        how: How,
    },
    /// The probe Service's cluster IP.
    ClusterIp {
        /// How.
        how: How,
    },
    /// The probe Service's node port on a node.
    NodePort {
        /// Node index.
        to: usize,
        /// TCP or UDP; the port says which and is the node port.
        how: How,
    },
    /// A DNS question.
    Dns {
        /// Asked whom.
        server: DnsServer,
        /// What.
        question: Question,
        /// Over TCP.
        tcp: bool,
    },
    /// `kubernetes.default:443` by cluster IP.
    Api,
    /// The kubelet's port on a node.
    Node {
        /// Node index.
        to: usize,
    },
    /// A target outside.
    External {
        /// Index into [`Topology::external`].
        target: usize,
    },
    /// The policy port of a node's server pod.
    Policy {
        /// Node index.
        to: usize,
    },
    /// The host-network pod of a node.
    Host {
        /// Node index.
        to: usize,
        /// How.
        how: How,
    },
}

/// A planned probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Probe {
    /// Unique within the run; the id on the wire.
    pub id: u32,
    /// Index of the node it is sent from.
    pub node: usize,
    /// From which pod there.
    pub origin: Origin,
    /// What is tried.
    pub path: Path,
    /// Family.
    pub family: Family,
    /// When.
    pub round: Round,
}

/// All probes of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Ordered by id.
    pub probes: Vec<Probe>,
    /// How pairs were chosen, in words.
    pub mesh: String,
}

/// What the user left out or added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Plan the policy smoke test.
    pub policy: bool,
}

/// Plans every probe for every round.
pub fn plan(topology: &Topology, choice: Choice) -> Plan {
    let mut planner = Planner { topology, probes: Vec::new() };
    let count = topology.nodes.len();
    let offsets = offsets(count);
    for node in 0..count {
        for family in topology.families() {
            planner.plan_node(node, family, &offsets, choice);
        }
    }
    let mesh = if offsets.len() == count {
        format!("full mesh of {count} node{}", if count == 1 { "" } else { "s" })
    } else {
        format!("{count} nodes in a circulant: each probes {} others and is probed by as many", offsets.len() - 1)
    };
    let mut probes = planner.probes;
    probes.sort_by_key(|probe| (probe.round, probe.node));
    for (id, probe) in (1..).zip(&mut probes) {
        probe.id = id;
    }
    Plan { probes, mesh }
}

/// Distances, in the node order, to the peers of each node; 0 is the node itself. Fixed offsets give every node exactly as many
/// probers as peers. Neighbours in the order share a stratum, distant ones do not, so near and far offsets cover both.
fn offsets(count: usize) -> Vec<usize> {
    if count <= FULL_MESH_MAX {
        return (0..count).collect();
    }
    let mut chosen = BTreeSet::from([0, 1, 2]);
    for divisor in [2, 3, 4, 5, 7, 9, 11, 13] {
        if chosen.len() <= CIRCULANT_PEERS {
            chosen.insert(count / divisor);
        }
    }
    chosen.into_iter().collect()
}

struct Planner<'a> {
    topology: &'a Topology,
    probes: Vec<Probe>,
}

impl Planner<'_> {
    fn push(&mut self, node: usize, origin: Origin, family: Family, round: Round, path: Path) {
        self.probes.push(Probe { id: 0, node, origin, path, family, round });
    }

    fn plan_node(&mut self, node: usize, family: Family, offsets: &[usize], choice: Choice) {
        let topology = self.topology;
        let here = &topology.nodes[node];
        let peers: Vec<usize> = offsets.iter().map(|offset| (node + offset) % topology.nodes.len()).collect();
        if here.client.as_ref().and_then(|pod| pod.ip(family)).is_some() {
            for &to in &peers {
                if topology.nodes[to].server.as_ref().and_then(|pod| pod.ip(family)).is_some() {
                    self.pod_pair(node, to, family, choice);
                }
                if topology.nodes[to].internal_ip(family).is_some() {
                    self.push(node, Origin::Pod, family, Round::Pods, Path::Node { to });
                }
                if topology.nodes[to].host.is_some() && topology.nodes[to].internal_ip(family).is_some() {
                    for how in [How::Tcp(PORT_HOST), How::Udp(PORT_HOST)] {
                        self.push(node, Origin::Pod, family, Round::Pods, Path::Host { to, how });
                    }
                }
            }
            self.dns(node, family);
            self.services(node, family, &peers);
            for (target, external) in topology.external.iter().enumerate() {
                if external.host.parse::<IpAddr>().is_ok_and(|ip| Family::of(ip) == family) {
                    self.push(node, Origin::Pod, family, Round::Pods, Path::External { target });
                }
            }
        }
        if here.host.is_some() && here.internal_ip(family).is_some() {
            for &to in &peers {
                for how in [How::Tcp(PORT), How::Udp(PORT), How::Largest] {
                    if topology.nodes[to].server.as_ref().and_then(|pod| pod.ip(family)).is_some() {
                        self.push(node, Origin::Host, family, Round::Pods, Path::Pod { to, how });
                    }
                }
                if to != node && topology.nodes[to].host.is_some() && topology.nodes[to].internal_ip(family).is_some() {
                    for how in [How::Tcp(PORT_HOST), How::Udp(PORT_HOST), How::Largest] {
                        self.push(node, Origin::Host, family, Round::Pods, Path::Host { to, how });
                    }
                }
            }
        }
    }

    fn pod_pair(&mut self, node: usize, to: usize, family: Family, choice: Choice) {
        for how in [How::Tcp(PORT), How::Tcp(PORT_2), How::Udp(PORT), How::Udp(PORT_2), How::Bulk, How::Largest] {
            self.push(node, Origin::Pod, family, Round::Pods, Path::Pod { to, how });
        }
        if choice.policy {
            for round in [Round::PolicyBefore, Round::PolicyDenied, Round::PolicyAfter] {
                self.push(node, Origin::Pod, family, round, Path::Policy { to });
            }
        }
    }

    fn dns(&mut self, node: usize, family: Family) {
        let topology = self.topology;
        let kubernetes = topology.api.as_ref().is_some_and(|api| api.ips.iter().any(|ip| Family::of(*ip) == family));
        if let Some(dns) = &topology.dns
            && dns.ips.iter().any(|ip| Family::of(*ip) == family)
        {
            let first = dns.ips.first().map(|ip| Family::of(*ip));
            let mut ask = |question, tcp, round| {
                self.push(node, Origin::Pod, family, round, Path::Dns { server: DnsServer::Configured, question, tcp });
            };
            if kubernetes {
                ask(Question::Kubernetes, false, Round::Pods);
                ask(Question::Kubernetes, true, Round::Pods);
            }
            if first == Some(family) {
                ask(Question::Missing, false, Round::Pods);
            }
            if topology.headless.is_some() {
                ask(Question::Headless, false, Round::Services);
            }
        }
        for (index, pod) in topology.dns_pods.iter().enumerate() {
            if kubernetes && pod.ips.iter().any(|ip| Family::of(*ip) == family) {
                for (question, tcp) in
                    [(Question::Kubernetes, false), (Question::Kubernetes, true), (Question::Missing, false)]
                {
                    self.push(
                        node,
                        Origin::Pod,
                        family,
                        Round::Pods,
                        Path::Dns { server: DnsServer::Pod(index), question, tcp },
                    );
                }
            }
        }
    }

    fn services(&mut self, node: usize, family: Family, peers: &[usize]) {
        let topology = self.topology;
        let of_family = |ips: &[IpAddr]| ips.iter().any(|ip| Family::of(*ip) == family);
        if topology.api.as_ref().is_some_and(|api| of_family(&api.ips)) {
            self.push(node, Origin::Pod, family, Round::Pods, Path::Api);
        }
        if topology.cluster_ip.as_ref().is_some_and(|service| of_family(&service.ips)) {
            let tries = (2 * topology.nodes.len()).clamp(SERVICE_TRIES.0, SERVICE_TRIES.1);
            for _ in 0..tries {
                self.push(node, Origin::Pod, family, Round::Services, Path::ClusterIp { how: How::Tcp(PORT) });
                self.push(node, Origin::Pod, family, Round::Services, Path::ClusterIp { how: How::Udp(PORT) });
            }
        }
        if let Some(service) = &topology.node_port
            && of_family(&service.ips)
            && let Some((tcp, udp)) = service.node_ports
        {
            for &to in peers {
                if topology.nodes[to].internal_ip(family).is_some() {
                    self.push(node, Origin::Pod, family, Round::Services, Path::NodePort { to, how: How::Tcp(tcp) });
                    self.push(node, Origin::Pod, family, Round::Services, Path::NodePort { to, how: How::Udp(udp) });
                }
            }
        }
    }
}

/// Where the packets of a probe go: an address, or `None` for the agent's own nameserver.
pub fn destination(topology: &Topology, probe: &Probe) -> Option<SocketAddr> {
    let at = |ip: Option<IpAddr>, port| ip.map(|ip| SocketAddr::new(ip, port));
    let service = |service: &Option<super::topology::Service>| {
        let service = service.as_ref()?;
        let ip = service.ips.iter().copied().find(|ip| Family::of(*ip) == probe.family)?;
        Some(SocketAddr::new(ip, service.port))
    };
    match probe.path {
        Path::Pod { to, how } => at(topology.nodes[to].server.as_ref()?.ip(probe.family), how.port()),
        Path::Policy { to } => at(topology.nodes[to].server.as_ref()?.ip(probe.family), PORT_POLICY),
        Path::NodePort { to, how } => at(topology.nodes[to].internal_ip(probe.family), how.port()),
        Path::Host { to, .. } => at(topology.nodes[to].internal_ip(probe.family), PORT_HOST),
        Path::Node { to } => at(topology.nodes[to].internal_ip(probe.family), topology.nodes[to].kubelet_port),
        Path::ClusterIp { .. } => service(&topology.cluster_ip),
        Path::Api => service(&topology.api),
        Path::Dns { server: DnsServer::Configured, .. } => None,
        Path::Dns { server: DnsServer::Pod(index), .. } => {
            let pod = &topology.dns_pods[index];
            at(pod.ips.iter().copied().find(|ip| Family::of(*ip) == probe.family), pod.port)
        }
        Path::External { target } => {
            let external = &topology.external[target];
            at(external.host.parse().ok(), external.port)
        }
    }
}

impl How {
    /// The port it goes to.
    pub fn port(self) -> u16 {
        match self {
            How::Tcp(port) | How::Udp(port) => port,
            How::Bulk | How::Largest => PORT,
        }
    }
}

/// The text sent to the agent on one node for a set of its probes, in the grammar of wire/GRAMMAR.md.
///
/// `timeout_ms` is per try; `tries` how often a probe that does not come out open is sent.
pub fn wire_text<'a>(
    topology: &Topology,
    probes: impl Iterator<Item = &'a Probe>,
    timeout_ms: u32,
    tries: u8,
) -> String {
    use std::fmt::Write as _;
    let mut text = format!("cni-probe/1 plan timeout={timeout_ms} tries={tries} gap=200 inflight=1024\n");
    for probe in probes {
        let Some(kind) = wire_kind(topology, probe) else { continue };
        let destination = destination(topology, probe).map_or("-".to_owned(), |address| address.to_string());
        let (word, rest) = kind.split_once(' ').unwrap_or((&kind, ""));
        let rest = if rest.is_empty() { String::new() } else { format!(" {rest}") };
        let _ = writeln!(text, "p {} {word} {destination}{rest}", probe.id);
    }
    text.push_str("end\n");
    text
}

/// Kind and keys of a plan line, without the destination.
fn wire_kind(topology: &Topology, probe: &Probe) -> Option<String> {
    let how = |how: How| match how {
        How::Tcp(_) => format!("tcp bytes={SMALL}"),
        How::Udp(_) => format!("udp bytes={SMALL} reply={SMALL}"),
        How::Bulk => format!("tcp bytes={BULK}"),
        How::Largest => "pmtu".to_owned(),
    };
    Some(match probe.path {
        Path::Pod { how: h, .. }
        | Path::ClusterIp { how: h }
        | Path::NodePort { how: h, .. }
        | Path::Host { how: h, .. } => how(h),
        Path::Policy { .. } => format!("tcp bytes={SMALL} tries=1 timeout=1000"),
        Path::Api | Path::Node { .. } | Path::External { .. } => "connect".to_owned(),
        Path::Dns { question, tcp, .. } => {
            let name = match question {
                Question::Kubernetes => "kubernetes.default.svc.~".to_owned(),
                Question::Headless => {
                    let service = topology.headless.as_ref()?;
                    format!("{}.{}.svc.~", service.name, service.namespace)
                }
                Question::Missing => "no-such-name.default.svc.~".to_owned(),
            };
            let qtype = if probe.family == Family::V4 { "A" } else { "AAAA" };
            format!("dns name={name} type={qtype}{}", if tcp { " tcp=1" } else { "" })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_clusters_are_meshed_in_full() {
        assert_eq!(offsets(3), [0, 1, 2]);
        assert_eq!(offsets(100).len(), 100);
    }

    #[test]
    fn circulant_gives_every_node_as_many_probers_as_peers() {
        for count in [101, 128, 997, 5_000] {
            let offsets = offsets(count);
            assert_eq!(offsets.len(), CIRCULANT_PEERS + 1, "{count}");
            let mut probed = vec![0; count];
            for node in 0..count {
                for offset in &offsets {
                    probed[(node + offset) % count] += 1;
                }
            }
            assert!(probed.iter().all(|times| *times == offsets.len()), "{count}");
        }
    }
}
