//! A world and a connection in; allowed, denied or undefined, and what decided, out.

pub(crate) mod party;
pub(crate) mod side;
mod why;

pub use side::Outcome;
pub use why::Why;

use self::party::Party;
use self::side::{Applied, By, Look, Ruling, Side};
use super::model::{Action, Direction, TierKind};
use super::world::{Endpoint, Flow, Pod, PodName, Via, World};

/// The answer to "may this connection be opened".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    /// What decided: for allowed every side, for the others the side that stands in the way.
    pub because: Vec<Because>,
}

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// A pod can always reach itself.
    Itself,
    /// Neither end is a pod that policies apply to.
    NoPod,
    /// What the policies of one end say.
    Policy {
        /// For which direction of that end.
        direction: Direction,
        /// Whose policies.
        pod: PodName,
        /// Which of them.
        reason: Reason,
    },
}

/// What, among the policies that select a pod, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No policy isolates the pod in this direction, and no cluster-wide rule matches.
    NotIsolated,
    /// The other end is the pod's own node.
    OwnNode,
    /// This NetworkPolicy (the first by name) isolates the pod, and no rule of any matches.
    Isolated(String),
    /// This rule (counted from 0) of this NetworkPolicy of the pod's namespace matches.
    Rule(String, usize),
    /// This rule (counted from 0) of a cluster-wide policy matches.
    Tier {
        /// The kind of the policy.
        kind: TierKind,
        /// Its name.
        policy: String,
        /// The rule.
        rule: usize,
        /// The rule's own name.
        named: Option<String>,
        /// What the rule does.
        action: Action,
    },
}

/// Says whether a new connection may be opened.
pub fn simulate(world: &World, flow: &Flow) -> Decision {
    let ends = [&flow.from, &flow.to];
    let known = |end: &&Endpoint| match end {
        Endpoint::Pod(name) => world.pods.contains_key(name),
        Endpoint::Node(name) => world.nodes.contains_key(name),
        Endpoint::Outside(_) => true,
    };
    if !ends.iter().all(known) {
        return Decision { outcome: Outcome::Undefined(Why::NotHere), because: Vec::new() };
    }
    if flow.from == flow.to && flow.via == Via::Address {
        return Decision { outcome: Outcome::Allowed, because: vec![Because::Itself] };
    }
    let mut decision = readings(world, flow);
    if flow.from == flow.to && decision.outcome != Outcome::Allowed {
        decision.outcome = Outcome::Undefined(Why::Hairpin);
    }
    decision
}

/// One reading of what the API leaves open for the whole connection.
#[derive(Clone, Copy)]
struct Reading {
    host_pods_are_pods: bool,
    address_before_rewriting: bool,
    source_is_node: bool,
}

/// Judges the connection under every reading; where they do not agree it is undefined.
fn readings(world: &World, flow: &Flow) -> Decision {
    let host_network = |end: &Endpoint| match end {
        Endpoint::Pod(name) => world.pods.get(name).is_some_and(|pod| pod.host_network),
        _ => false,
    };
    let both = |open: bool| if open { [true, false].as_slice() } else { [false].as_slice() };
    let mut answer: Option<(Decision, Reading)> = None;
    for &host_pods_are_pods in both(host_network(&flow.from) || host_network(&flow.to)) {
        for &address_before_rewriting in both(flow.via != Via::Address) {
            for &source_is_node in both(matches!(flow.via, Via::NodePort(_))) {
                let reading = Reading { host_pods_are_pods, address_before_rewriting, source_is_node };
                let next = judge(world, flow, reading);
                answer = Some(match answer {
                    None => (next, reading),
                    Some((before, read)) => {
                        let why = if read.host_pods_are_pods != host_pods_are_pods {
                            Why::HostNetwork
                        } else if read.address_before_rewriting != address_before_rewriting {
                            Why::BeforeOrAfterRewriting
                        } else {
                            Why::SourceRewritten
                        };
                        (agreement(before, next, why), reading)
                    }
                });
            }
        }
    }
    answer.map_or(Decision { outcome: Outcome::Allowed, because: vec![Because::NoPod] }, |(decision, _)| decision)
}

fn agreement(one: Decision, other: Decision, why: Why) -> Decision {
    match (one.outcome, other.outcome) {
        (Outcome::Undefined(_), _) => one,
        (_, Outcome::Undefined(_)) => other,
        (a, b) if a == b => one,
        (Outcome::Denied, _) => Decision { outcome: Outcome::Undefined(why), because: one.because },
        _ => Decision { outcome: Outcome::Undefined(why), because: other.because },
    }
}

/// One end under a reading.
fn party<'w>(world: &'w World, flow: &Flow, end: &'w Endpoint, reading: Reading) -> Party<'w> {
    match end {
        Endpoint::Outside(address) => Party { pod: None, host_of: None, address: Some(*address), own: false },
        Endpoint::Node(name) => {
            let address = world.nodes.get(name).and_then(|node| node.address(flow.family));
            Party { pod: None, host_of: Some(name), address, own: false }
        }
        Endpoint::Pod(name) => {
            let pod = world.pods.get(name);
            let address = pod.and_then(|pod| pod.address(flow.family));
            let host = pod.filter(|pod| pod.host_network);
            Party {
                pod: pod.filter(|pod| !pod.host_network || reading.host_pods_are_pods),
                host_of: host.and_then(|pod| pod.node.as_deref()),
                address,
                own: true,
            }
        }
    }
}

fn judge(world: &World, flow: &Flow, reading: Reading) -> Decision {
    let source = party(world, flow, &flow.from, reading);
    let destination = party(world, flow, &flow.to, reading);
    let node_address = |name: &String| world.nodes.get(name).and_then(|node| node.address(flow.family));
    let called = match &flow.via {
        Via::ClusterIp(address) if reading.address_before_rewriting => {
            Party { address: Some(*address), own: false, ..destination }
        }
        Via::NodePort(node) if reading.address_before_rewriting => {
            Party { address: node_address(node), own: false, ..destination }
        }
        _ => destination,
    };
    let arriving = match &flow.via {
        Via::NodePort(node) if reading.source_is_node => {
            Party { pod: None, host_of: Some(node), address: node_address(node), own: false }
        }
        _ => source,
    };
    let egress = source.pod.map(|pod| {
        let own_node = same_node(&source, &destination);
        (pod, ask(world, flow, Direction::Egress, pod, &called, destination.pod, own_node))
    });
    let ingress = destination.pod.map(|pod| {
        let own_node = same_node(&arriving, &destination);
        (pod, ask(world, flow, Direction::Ingress, pod, &arriving, destination.pod, own_node))
    });
    let sides = [(Direction::Egress, egress), (Direction::Ingress, ingress)];
    let outcome = combined(sides.iter().filter_map(|(_, side)| side.as_ref()).map(|(_, ruling)| ruling.outcome));
    let mut because = Vec::new();
    for (direction, side) in sides {
        let Some((pod, ruling)) = side else { continue };
        if ruling.outcome == outcome {
            because.push(Because::Policy { direction, pod: pod.name.clone(), reason: reason(ruling.by) });
        }
    }
    if because.is_empty() {
        because.push(Because::NoPod);
    }
    Decision { outcome, because }
}

/// Both sides have to agree: denied if any denies, else undefined if any is.
pub(crate) fn combined(sides: impl Iterator<Item = Outcome>) -> Outcome {
    sides.min().unwrap_or(Outcome::Allowed)
}

/// A node, or what is in its network, and a pod on it.
fn same_node(source: &Party<'_>, destination: &Party<'_>) -> bool {
    (source.host_of.is_some() || destination.host_of.is_some())
        && source.node().is_some()
        && source.node() == destination.node()
}

fn ask<'w>(
    world: &'w World,
    flow: &Flow,
    direction: Direction,
    pod: &'w Pod,
    party: &Party<'w>,
    target: Option<&Pod>,
    own_node: bool,
) -> Ruling<'w> {
    let applied = Applied::to(world, pod, direction);
    let among = Look { world, party };
    Side { applied: &applied, direction, among, traffic: flow.traffic, target, own_node }.decide()
}

fn reason(by: By<'_>) -> Reason {
    match by {
        By::Default => Reason::NotIsolated,
        By::OwnNode => Reason::OwnNode,
        By::Isolation(policy) => Reason::Isolated(policy.name.clone()),
        By::Rule(policy, rule) => Reason::Rule(policy.name.clone(), rule),
        By::Tier(policy, number, rule) => Reason::Tier {
            kind: policy.kind,
            policy: policy.name.clone(),
            rule: number,
            named: rule.name.clone(),
            action: rule.action,
        },
    }
}
