//! Plan and observations in, one state per probe out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::observe::{AgentRun, Observation, Outcome};
use super::plan::{DnsServer, How, Origin, Path, Plan, Probe, Question, Round};
use super::topology::{Family, Topology};

/// Answers of all agents: by node index and origin, in the order of the rounds.
pub type Runs = BTreeMap<(usize, Origin), Vec<AgentRun>>;

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// Nothing came back.
    Silence,
    /// RST or ICMP port unreachable.
    Refused,
    /// ICMP said so, or the own node has no route. Who said it.
    Unreachable(Option<IpAddr>),
    /// Small packets pass, large ones do not: the largest IP packet that arrived and the route's MTU, bytes.
    TooLarge {
        /// Largest that arrived; `None` when only a stalled transfer shows it.
        largest: Option<u32>,
        /// What the route promises.
        mtu: Option<u32>,
    },
    /// An answer that is not right, and what it was.
    Wrong(String),
}

impl Symptom {
    /// In a few words.
    pub fn describe(&self) -> String {
        match self {
            Symptom::Silence => "no answer".to_owned(),
            Symptom::Refused => "refused".to_owned(),
            Symptom::Unreachable(Some(from)) => format!("unreachable, says {from}"),
            Symptom::Unreachable(None) => "unreachable: no route".to_owned(),
            Symptom::TooLarge { largest: Some(largest), mtu: Some(mtu) } => {
                format!("packets above {largest} bytes vanish, the route's MTU is {mtu}")
            }
            Symptom::TooLarge { .. } => "connected, but a large transfer stalls".to_owned(),
            Symptom::Wrong(what) => what.clone(),
        }
    }
}

/// What is known of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It worked; `tries` above 1 means that the first try did not.
    Good {
        /// Number of the try that worked.
        tries: u8,
    },
    /// It did not.
    Bad(Symptom),
    /// Nothing is known, and why.
    Unknown(String),
}

/// A probe with its state.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The probe.
    pub probe: Probe,
    /// Its state.
    pub state: State,
    /// Who answered, where somebody with a name did.
    pub answered_by: Option<String>,
    /// A pod's address that reached its peer as another one.
    pub seen_as: Option<IpAddr>,
    /// A path that is narrower than the route promised, bytes: a router said so, the kernel learnt it, and packets of that size arrive.
    pub narrowed_to: Option<u32>,
}

impl Judged {
    /// True when the path does not work.
    pub fn bad(&self) -> bool {
        matches!(self.state, State::Bad(_))
    }

    /// True when the path works.
    pub fn good(&self) -> bool {
        matches!(self.state, State::Good { .. })
    }
}

/// Judges every planned probe. The last observation of a probe counts, so that a round may be repeated.
pub fn judge(topology: &Topology, plan: &Plan, runs: &Runs) -> Vec<Judged> {
    let mut seen: BTreeMap<u32, (&Observation, usize)> = BTreeMap::new();
    for rounds in runs.values() {
        for run in rounds {
            for observation in &run.observations {
                seen.entry(observation.id)
                    .and_modify(|(last, times)| (*last, *times) = (observation, *times + 1))
                    .or_insert((observation, 1));
            }
        }
    }
    plan.probes
        .iter()
        .map(|probe| match seen.get(&probe.id) {
            Some((observation, times)) => one(topology, probe, observation, *times),
            None => Judged {
                probe: *probe,
                state: State::Unknown(missing(probe, runs)),
                answered_by: None,
                seen_as: None,
                narrowed_to: None,
            },
        })
        .collect()
}

fn missing(probe: &Probe, runs: &Runs) -> String {
    let rounds = runs.get(&(probe.node, probe.origin)).map_or(&[][..], Vec::as_slice);
    match rounds.iter().rev().find_map(|run| run.trouble.clone()) {
        Some(trouble) => trouble,
        None if rounds.iter().any(|run| !run.complete) => "the agent's answer was cut off".to_owned(),
        None => "not sent: the run ended before".to_owned(),
    }
}

fn one(topology: &Topology, probe: &Probe, observation: &Observation, times: usize) -> Judged {
    let tries = observation.tries.max(if matches!(probe.round, Round::Pods | Round::Services) {
        times.min(255) as u8
    } else {
        1
    });
    let state = match observation.outcome {
        Outcome::Open => match wrong(topology, probe, observation) {
            Some(what) => State::Bad(Symptom::Wrong(what)),
            None => State::Good { tries },
        },
        // A kubelet port that answers with a reset has been reached all the same, and that the agent asked again says nothing of loss.
        Outcome::Refused if matches!(probe.path, Path::Node { .. }) => State::Good { tries: 1 },
        Outcome::Unsupported => State::Unknown("the node's kernel does not support it".to_owned()),
        Outcome::Error => State::Unknown(format!(
            "the agent could not try: {}",
            observation.why.as_deref().unwrap_or("no reason given")
        )),
        Outcome::Refused => State::Bad(Symptom::Refused),
        Outcome::Unreachable if large(probe) && observation.largest.unwrap_or(0) > 0 => too_large(observation),
        Outcome::Unreachable => State::Bad(Symptom::Unreachable(observation.from)),
        Outcome::Timeout if large(probe) && observation.largest.unwrap_or(0) > 0 => too_large(observation),
        Outcome::Timeout if bulk(probe) && observation.why.as_deref() == Some("echo") => {
            State::Bad(Symptom::TooLarge { largest: None, mtu: None })
        }
        Outcome::Timeout => State::Bad(Symptom::Silence),
    };
    let seen_as = match (probe.path, observation.src) {
        (Path::Pod { .. }, Some(src)) if probe.origin == Origin::Pod => {
            let own = topology.nodes[probe.node].client.as_ref().and_then(|pod| pod.ip(probe.family));
            (own != Some(src)).then_some(src)
        }
        _ => None,
    };
    let narrowed = large(probe) && observation.outcome == Outcome::Open && observation.icmp.is_some();
    let narrowed_to = observation.mtu.filter(|_| narrowed);
    Judged { probe: *probe, state, answered_by: observation.name.clone(), seen_as, narrowed_to }
}

fn too_large(observation: &Observation) -> State {
    State::Bad(Symptom::TooLarge { largest: observation.largest, mtu: observation.mtu })
}

fn how(path: Path) -> Option<How> {
    match path {
        Path::Pod { how, .. } | Path::ClusterIp { how } | Path::NodePort { how, .. } | Path::Host { how, .. } => {
            Some(how)
        }
        _ => None,
    }
}

fn large(probe: &Probe) -> bool {
    how(probe.path) == Some(How::Largest)
}

fn bulk(probe: &Probe) -> bool {
    how(probe.path) == Some(How::Bulk)
}

/// What is wrong with an answer that came: the wrong peer, the wrong address, the wrong response code.
fn wrong(topology: &Topology, probe: &Probe, observation: &Observation) -> Option<String> {
    let answered = |expected: Option<String>| -> Option<String> {
        let Some(name) = observation.name.as_deref() else {
            return Some("answered by something that is not a probe pod".to_owned());
        };
        match expected {
            Some(expected) if name == expected => None,
            Some(expected) => {
                Some(format!("answered by {} instead of {}", who(topology, name), who(topology, &expected)))
            }
            // Any backend of the Service will do.
            None if topology.nodes.iter().any(|node| name == server_name(topology, &node.name)) => None,
            None => Some(format!("answered by {}, which is no backend of the Service", who(topology, name))),
        }
    };
    match probe.path {
        Path::Pod { to, .. } | Path::Policy { to } => answered(Some(server_name(topology, &topology.nodes[to].name))),
        Path::Host { to, .. } => answered(Some(host_name(topology, &topology.nodes[to].name))),
        Path::ClusterIp { .. } | Path::NodePort { .. } => answered(None),
        Path::Dns { question, .. } => wrong_dns(topology, probe, question, observation),
        Path::Api | Path::Node { .. } | Path::External { .. } => None,
    }
}

fn wrong_dns(topology: &Topology, probe: &Probe, question: Question, observation: &Observation) -> Option<String> {
    let rcode = observation.rcode.unwrap_or(255);
    let of_family = |ips: Vec<IpAddr>| ips.into_iter().filter(|ip| Family::of(*ip) == probe.family).collect::<Vec<_>>();
    let list = |ips: &[IpAddr]| ips.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match question {
        Question::Missing if rcode == 3 => None,
        Question::Missing if rcode == 0 && !observation.answers.is_empty() => {
            Some(format!("a name that does not exist was answered with {}", list(&observation.answers)))
        }
        Question::Missing => {
            Some(format!("a name that does not exist was answered with {} instead of NXDOMAIN", rcode_name(rcode)))
        }
        Question::Kubernetes | Question::Headless if rcode != 0 => Some(format!("answered with {}", rcode_name(rcode))),
        Question::Kubernetes => {
            let expected = of_family(topology.api.as_ref()?.ips.clone());
            (observation.answers != expected).then(|| {
                format!("answered with {} instead of {}", or_nothing(list(&observation.answers)), list(&expected))
            })
        }
        Question::Headless => {
            let expected = of_family(
                topology.nodes.iter().filter_map(|node| node.server.as_ref()).flat_map(|pod| pod.ips.clone()).collect(),
            );
            let foreign: Vec<IpAddr> =
                observation.answers.iter().copied().filter(|ip| !expected.contains(ip)).collect();
            if !foreign.is_empty() {
                return Some(format!("answered with {}, which is none of the probe pods", list(&foreign)));
            }
            let count = observation.answer_count.map_or(observation.answers.len(), |count| count as usize);
            // A UDP answer holds about 25 addresses before it is truncated; fewer than expected is only wrong where all fit.
            (expected.len() <= 20 && count < expected.len())
                .then(|| format!("answered with {count} of {} pod addresses", expected.len()))
        }
    }
}

fn or_nothing(text: String) -> String {
    if text.is_empty() { "no address".to_owned() } else { text }
}

/// RFC 1035 §4.1.1 names of response codes.
fn rcode_name(rcode: u8) -> String {
    match rcode {
        0 => "NOERROR".to_owned(),
        1 => "FORMERR".to_owned(),
        2 => "SERVFAIL".to_owned(),
        3 => "NXDOMAIN".to_owned(),
        4 => "NOTIMP".to_owned(),
        5 => "REFUSED".to_owned(),
        other => format!("response code {other}"),
    }
}

/// Name the server pod of a node answers with.
pub fn server_name(topology: &Topology, node: &str) -> String {
    format!("{node}/server/{}", topology.run)
}

/// Name the host-network pod of a node answers with.
pub fn host_name(topology: &Topology, node: &str) -> String {
    format!("{node}/host/{}", topology.run)
}

/// A name from an answer as people read it: without our own run's id.
fn who(topology: &Topology, name: &str) -> String {
    match name.strip_suffix(topology.run.as_str()).and_then(|rest| rest.strip_suffix('/')) {
        Some(ours) => ours.to_owned(),
        None => format!("{name} (not of this run)"),
    }
}

/// One line for people: from where to where, how, and what came of it.
pub fn describe(topology: &Topology, judged: &Judged) -> String {
    let probe = &judged.probe;
    let from = &topology.nodes[probe.node].name;
    let node = |index: usize| topology.nodes[index].name.as_str();
    let how = |how: How| match how {
        How::Tcp(port) => format!("TCP {port}"),
        How::Udp(port) => format!("UDP {port}"),
        How::Bulk => "TCP 64 KiB".to_owned(),
        How::Largest => "UDP full-size".to_owned(),
    };
    let target = match probe.path {
        Path::Pod { to, how: h } => format!("pod on {} ({})", node(to), how(h)),
        Path::ClusterIp { how: h } => format!("Service cluster IP ({})", how(h)),
        Path::NodePort { to, how: h } => format!("node port of {} ({})", node(to), how(h)),
        Path::Dns { server, question, tcp } => {
            let server = match server {
                DnsServer::Configured => "cluster DNS".to_owned(),
                DnsServer::Pod(index) => format!("DNS pod {}", topology.dns_pods[index].name),
            };
            let question = match question {
                Question::Kubernetes => "kubernetes.default",
                Question::Headless => "the headless Service's name",
                Question::Missing => "a name that does not exist",
            };
            format!("{server}, asking for {question} over {}", if tcp { "TCP" } else { "UDP" })
        }
        Path::Api => "kubernetes.default:443 by cluster IP".to_owned(),
        Path::Node { to } => format!("node {} (kubelet port {})", node(to), topology.nodes[to].kubelet_port),
        Path::External { target } => format!("external {}", topology.external[target].text),
        Path::Policy { to } => format!("policy port of the pod on {}", node(to)),
        Path::Host { to, how: h } => format!("host-network pod on {} ({})", node(to), how(h)),
    };
    let result = match &judged.state {
        State::Good { tries: 1 } => "works".to_owned(),
        State::Good { tries } => format!("works at try {tries}"),
        State::Bad(symptom) => symptom.describe(),
        State::Unknown(why) => format!("unknown: {why}"),
    };
    let origin = if probe.origin == Origin::Host { "node" } else { "pod on" };
    format!("{origin} {from} → {target}, {}: {result}", probe.family.name())
}
