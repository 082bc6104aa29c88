//! A model of a small cluster network with faults in it: answers a plan as agents would, so that judging and diagnosing can be tested
//! against every fault without a cluster. What a fault does on a real one is tested in tests/live.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kubectl_cni::probe::diagnose::Witness;
use kubectl_cni::probe::judge::{Runs, server_name};
use kubectl_cni::probe::observe::{AgentRun, Observation, Outcome};
use kubectl_cni::probe::plan::{Choice, DnsServer, How, Path, Plan, Probe, Question, plan};
use kubectl_cni::probe::topology::{DnsPod, Family, Node, Pod, Service, Topology};

/// A packet between the pods of two nodes.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    pub from: usize,
    pub to: usize,
    pub tcp: bool,
    pub port: u16,
    pub size: u32,
    pub family: Family,
    /// Belongs to a connection that the other side opened.
    pub reply: bool,
}

/// Whether a packet is lost.
pub(crate) type Lost = Box<dyn Fn(&Packet) -> bool>;

/// What is broken.
#[derive(Default)]
pub(crate) struct Faults {
    /// Packets that are lost.
    pub drop: Vec<Lost>,
    /// Nodes whose Service rules stopped being updated.
    pub stale_services: BTreeSet<usize>,
    /// Nodes without any Service rules.
    pub no_services: BTreeSet<usize>,
    /// DNS pods that are silent.
    pub dns_down: BTreeSet<usize>,
    /// DNS pods that lie.
    pub dns_lies: BTreeSet<usize>,
}

/// MTU of every route.
pub(crate) const MTU: u32 = 1450;

/// `n` nodes, all pods running, DNS pods on the first two.
pub(crate) fn topology(n: usize, families: &[Family]) -> Topology {
    let ip = |family: &Family, kind: u8, node: usize| -> IpAddr {
        match family {
            Family::V4 => format!("10.{kind}.{node}.10").parse().unwrap(),
            Family::V6 => format!("fd00:{kind}:{node}::10").parse().unwrap(),
        }
    };
    let ips = |kind: u8, node: usize| families.iter().map(|family| ip(family, kind, node)).collect::<Vec<_>>();
    let service = |name: &str, kind: u8, port| Service {
        namespace: "t".into(),
        name: name.into(),
        ips: ips(kind, 0),
        port,
        node_ports: None,
    };
    Topology {
        run: "run01".into(),
        nodes: (0..n)
            .map(|node| Node {
                name: format!("n{node}"),
                internal_ips: ips(1, node),
                kubelet_port: 10250,
                server: Some(Pod { name: format!("s{node}"), ips: ips(2, node) }),
                client: Some(Pod { name: format!("c{node}"), ips: ips(3, node) }),
                ..Node::default()
            })
            .collect(),
        cluster_ip: Some(service("svc", 100, 18080)),
        node_port: Some(Service { node_ports: Some((30080, 30081)), ..service("np", 101, 18080) }),
        headless: Some(Service { ips: Vec::new(), ..service("hl", 102, 18080) }),
        api: Some(service("kubernetes", 103, 443)),
        dns: Some(service("kube-dns", 104, 53)),
        dns_pods: (0..n.min(2))
            .map(|node| DnsPod {
                name: format!("dns{node}"),
                node: Some(format!("n{node}")),
                ips: ips(4, node),
                port: 53,
            })
            .collect(),
        external: Vec::new(),
    }
}

/// Everything the agents would send back.
pub(crate) struct Answers {
    pub topology: Topology,
    pub plan: Plan,
    pub runs: Runs,
    pub witness: Witness,
}

/// Plans, and answers the plan under the faults.
pub(crate) fn answer(n: usize, families: &[Family], faults: &Faults) -> Answers {
    let topology = topology(n, families);
    let plan = plan(&topology, Choice { policy: false });
    let network = Network { topology: &topology, faults };
    let mut runs: Runs = BTreeMap::new();
    let mut witness = Witness::default();
    for node in 0..n {
        witness.received.insert(node, BTreeSet::new());
    }
    for probe in &plan.probes {
        let run = runs
            .entry((probe.node, probe.origin))
            .or_insert_with(|| vec![AgentRun { complete: true, ..AgentRun::default() }]);
        run[0].observations.push(network.observe(probe));
        if let Path::Pod { to, how: How::Udp(port) } = probe.path
            && network.passes(&Packet {
                from: probe.node,
                to,
                tcp: false,
                port,
                size: 100,
                family: probe.family,
                reply: false,
            })
        {
            witness.received.entry(to).or_default().insert(probe.node);
        }
    }
    Answers { topology, plan, runs, witness }
}

struct Network<'a> {
    topology: &'a Topology,
    faults: &'a Faults,
}

impl Network<'_> {
    fn passes(&self, packet: &Packet) -> bool {
        packet.from == packet.to || !self.faults.drop.iter().any(|lost| lost(packet))
    }

    /// There and back again.
    fn exchange(&self, from: usize, to: usize, tcp: bool, port: u16, sizes: (u32, u32), family: Family) -> bool {
        let there = Packet { from, to, tcp, port, size: sizes.0, family, reply: false };
        let back = Packet { from: to, to: from, tcp, port, size: sizes.1, family, reply: true };
        self.passes(&there) && self.passes(&back)
    }

    fn try_how(&self, from: usize, to: usize, how: How, family: Family) -> (Outcome, Option<u32>) {
        let ok = |passed: bool| (if passed { Outcome::Open } else { Outcome::Timeout }, None);
        match how {
            How::Tcp(port) => ok(self.exchange(from, to, true, port, (100, 100), family)),
            How::Udp(port) => ok(self.exchange(from, to, false, port, (100, 100), family)),
            How::Bulk => ok(self.exchange(from, to, true, 18080, (100, 100), family)
                && self.exchange(from, to, true, 18080, (MTU, MTU), family)),
            How::Largest => {
                let largest = (1..=MTU)
                    .rev()
                    .step_by(10)
                    .find(|size| self.exchange(from, to, false, 18080, (*size, 100), family));
                match largest {
                    Some(MTU) => (Outcome::Open, largest),
                    other => (Outcome::Timeout, other),
                }
            }
        }
    }

    fn backend(&self, probe: &Probe) -> usize {
        // Spread like a hash would; which one does not matter, only that all come up.
        (probe.id as usize * 7 + probe.node) % self.topology.nodes.len()
    }

    fn observe(&self, probe: &Probe) -> Observation {
        let mut observation = Observation {
            id: probe.id,
            outcome: Outcome::Open,
            us: 100,
            tries: 1,
            rtt_us: None,
            retrans: None,
            icmp: None,
            from: None,
            why: None,
            name: None,
            src: None,
            mtu: None,
            largest: None,
            rcode: None,
            answers: Vec::new(),
            answer_count: None,
        };
        let fresh = !self.faults.stale_services.contains(&probe.node) && !self.faults.no_services.contains(&probe.node);
        let old = !self.faults.no_services.contains(&probe.node);
        let node = |to: usize| &self.topology.nodes[to].name;
        match probe.path {
            Path::Pod { to, how } => {
                let (outcome, largest) = self.try_how(probe.node, to, how, probe.family);
                observation.outcome = outcome;
                if how == How::Largest {
                    (observation.largest, observation.mtu) = (largest, Some(MTU));
                }
                if how == How::Bulk && outcome == Outcome::Timeout {
                    observation.why = Some("echo".into());
                }
                observation.name = (outcome == Outcome::Open).then(|| server_name(self.topology, node(to)));
            }
            Path::ClusterIp { how } => {
                let to = self.backend(probe);
                let (outcome, _) = self.try_how(probe.node, to, how, probe.family);
                observation.outcome = if fresh { outcome } else { Outcome::Timeout };
                observation.name = (observation.outcome == Outcome::Open).then(|| server_name(self.topology, node(to)));
            }
            Path::NodePort { to, how } => {
                let served = !self.faults.stale_services.contains(&to) && !self.faults.no_services.contains(&to);
                let how = if how == How::Tcp(30080) { How::Tcp(18080) } else { How::Udp(18080) };
                let first = self.try_how(probe.node, to, how, probe.family).0 == Outcome::Open;
                let second = self.try_how(to, self.backend(probe), how, probe.family).0 == Outcome::Open;
                observation.outcome = if served && first && second { Outcome::Open } else { Outcome::Timeout };
                observation.name = (observation.outcome == Outcome::Open)
                    .then(|| server_name(self.topology, node(self.backend(probe))));
            }
            Path::Dns { server, question, tcp } => {
                let pod = match server {
                    DnsServer::Pod(pod) => pod,
                    DnsServer::Configured => probe.id as usize % self.topology.dns_pods.len(),
                };
                let at =
                    self.topology.dns_pods[pod].node.as_deref().and_then(|name| self.topology.node(name)).unwrap_or(0);
                let reached = self.exchange(probe.node, at, tcp, 53, (80, 120), probe.family)
                    && !self.faults.dns_down.contains(&pod);
                let reached = reached && (server != DnsServer::Configured || old);
                if !reached {
                    observation.outcome = Outcome::Timeout;
                } else {
                    self.dns_answer(probe, question, self.faults.dns_lies.contains(&pod), &mut observation);
                }
            }
            Path::Api => observation.outcome = if old { Outcome::Open } else { Outcome::Timeout },
            Path::Node { to } => {
                if !self.exchange(probe.node, to, true, 10250, (100, 100), probe.family) {
                    observation.outcome = Outcome::Timeout;
                }
            }
            Path::External { .. } | Path::Policy { .. } | Path::Host { .. } => {}
        }
        observation
    }

    fn dns_answer(&self, probe: &Probe, question: Question, lie: bool, observation: &mut Observation) {
        let right: Vec<IpAddr> = match question {
            Question::Kubernetes => self.topology.api.iter().flat_map(|api| api.ips.clone()).collect(),
            Question::Headless => self
                .topology
                .nodes
                .iter()
                .filter_map(|node| node.server.as_ref())
                .flat_map(|pod| pod.ips.clone())
                .collect(),
            Question::Missing => Vec::new(),
        };
        observation.rcode = Some(if question == Question::Missing && !lie { 3 } else { 0 });
        observation.answers = if lie {
            vec!["192.0.2.1".parse().unwrap()]
        } else {
            right.into_iter().filter(|ip| Family::of(*ip) == probe.family).collect()
        };
        observation.answer_count = Some(observation.answers.len() as u32);
    }
}
