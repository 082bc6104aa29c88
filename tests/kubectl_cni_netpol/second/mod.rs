//! A second opinion on every decision, written from the text of the Kubernetes API documentation alone: it reads the objects as the API serves
//! them (no lowering), answers yes or no only, and *guesses* wherever the text leaves something open. All guesses are tried; where they do
//! not agree the text does not decide. Slow on purpose: whoever reads it can hold it against the documentation line by line.

mod network_policy;
mod tiers;

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kubectl_cni::netpol::labels::Labels;
use kubectl_cni::netpol::model::Direction;
use kubectl_cni::netpol::world::{Endpoint, Flow, Node, Pod, Via};
use serde_json::Value;

/// A cluster as its API server would list it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub namespaces: BTreeMap<String, Labels>,
    pub nodes: BTreeMap<String, Node>,
    pub pods: Vec<Pod>,
    pub policies: Vec<NetworkPolicy>,
    pub cluster_policies: Vec<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    No,
    /// It depends on what the documentation leaves open.
    Open,
}

/// What was guessed so far, in order of asking.
#[derive(Default)]
pub(crate) struct Guesses(Vec<(String, bool)>);

impl Guesses {
    /// The guess on a question, the same every time it is asked in one evaluation.
    fn guess(&mut self, question: impl Into<String>) -> bool {
        let question = question.into();
        if let Some((_, answer)) = self.0.iter().find(|(asked, _)| *asked == question) {
            return *answer;
        }
        self.0.push((question, false));
        false
    }

    /// The next set of guesses; false after the last.
    fn next(&mut self) -> bool {
        while let Some((question, answer)) = self.0.pop() {
            if !answer {
                self.0.push((question, true));
                return true;
            }
        }
        false
    }
}

pub(crate) fn ask(listed: &Listed, flow: &Flow) -> Answer {
    let mut guesses = Guesses::default();
    let (mut yes, mut no) = (false, false);
    loop {
        if connects(listed, flow, &mut guesses) {
            yes = true
        } else {
            no = true
        }
        if yes && no {
            return Answer::Open;
        }
        if !guesses.next() {
            return if yes { Answer::Yes } else { Answer::No };
        }
    }
}

/// One end of the connection as the other end's policies see it.
#[derive(Clone)]
struct Party<'a> {
    /// The pod whose labels count.
    pod: Option<&'a Pod>,
    /// The node whose own network this is.
    host_of: Option<&'a str>,
    ip: Option<IpAddr>,
}

fn party<'a>(listed: &'a Listed, end: &'a Endpoint, flow: &Flow, guesses: &mut Guesses) -> Party<'a> {
    match end {
        Endpoint::Outside(ip) => Party { pod: None, host_of: None, ip: Some(*ip) },
        Endpoint::Node(name) => {
            let ip = listed.nodes.get(name).and_then(|node| node.address(flow.family));
            Party { pod: None, host_of: Some(name), ip }
        }
        Endpoint::Pod(name) => {
            let pod = listed.pods.iter().find(|pod| pod.name == *name).unwrap();
            let ip = pod.address(flow.family);
            if !pod.host_network {
                return Party { pod: Some(pod), host_of: None, ip };
            }
            // "the hostNetwork pod traffic is treated like other pod traffic, or … is ignored by selectors and counts as node traffic"
            let counts_as_pod = guesses.guess("pods in their node's network count as pods");
            Party { pod: counts_as_pod.then_some(pod), host_of: pod.node.as_deref(), ip }
        }
    }
}

fn connects(listed: &Listed, flow: &Flow, guesses: &mut Guesses) -> bool {
    // "a Pod cannot block access to itself"
    if flow.from == flow.to && flow.via == Via::Address {
        return true;
    }
    let mut source = party(listed, &flow.from, flow, guesses);
    let destination = party(listed, &flow.to, flow, guesses);
    let source_at_home = source.clone();
    let mut called = destination.clone();
    match &flow.via {
        Via::Address => {}
        Via::ClusterIp(vip) => {
            if guesses.guess("address rewriting comes after policy") {
                called.ip = Some(*vip);
            }
        }
        Via::NodePort(node) => {
            let node_ip = listed.nodes.get(node).and_then(|node| node.address(flow.family));
            if guesses.guess("address rewriting comes after policy") {
                called.ip = node_ip;
            }
            if guesses.guess("the source becomes the node") {
                source = Party { pod: None, host_of: Some(node), ip: node_ip };
            }
        }
    }
    let rewritten_target = called.ip != destination.ip;
    let out = match source_at_home.pod {
        Some(pod) => {
            let local = same_node(&source_at_home, &destination);
            let view =
                View { listed, flow, subject: pod, other: &called, target: &destination, rewritten_target, local };
            view.lets(Direction::Egress, guesses)
        }
        None => true,
    };
    let local = same_node(&source, &destination);
    let inward = match destination.pod {
        Some(pod) => {
            let view = View {
                listed,
                flow,
                subject: pod,
                other: &source,
                target: &destination,
                rewritten_target: source.pod.is_none(),
                local,
            };
            view.lets(Direction::Ingress, guesses)
        }
        None => true,
    };
    let fine = out && inward;
    // Back to oneself through a Service: implementations differ (kubernetes#95879).
    if flow.from == flow.to { fine || guesses.guess("hairpin is let through") } else { fine }
}

/// "traffic to and from the node where a Pod is running is always allowed"
fn same_node(source: &Party<'_>, destination: &Party<'_>) -> bool {
    let home = |party: &Party<'_>| party.pod.and_then(|pod| pod.node.clone()).or(party.host_of.map(str::to_owned));
    let a_node_is_in_it = source.host_of.is_some() || destination.host_of.is_some();
    a_node_is_in_it && home(source).is_some() && home(source) == home(destination)
}

/// What one pod's policies are asked about a connection.
struct View<'a> {
    listed: &'a Listed,
    flow: &'a Flow,
    subject: &'a Pod,
    other: &'a Party<'a>,
    /// The destination; its ports have the names.
    target: &'a Party<'a>,
    /// The other's address is not that of a pod (the Service's, or a node's).
    rewritten_target: bool,
    local: bool,
}

impl View<'_> {
    fn lets(&self, direction: Direction, guesses: &mut Guesses) -> bool {
        // Whether cluster-wide policies may cut a pod off from its own node is an open point (network-policy-api#314).
        self.tiers_let(direction, guesses)
            || self.local && guesses.guess("nodes reach their pods whatever the tiers say")
    }

    /// Admin tier, then NetworkPolicy, then Baseline tier, then yes.
    fn tiers_let(&self, direction: Direction, guesses: &mut Guesses) -> bool {
        if let Some(decided) = self.tier("Admin", direction, guesses) {
            return decided;
        }
        if self.isolated(direction) {
            return self.local || self.allowed_by_a_policy(direction, guesses);
        }
        // "Further evaluation only happens for Pods not selected by a NetworkPolicy": in this direction, or in any?
        if self.isolated(direction.other()) && guesses.guess("a policy for one direction ends evaluation in both") {
            return true;
        }
        self.tier("Baseline", direction, guesses).unwrap_or(true)
    }

    fn namespace_labels(&self, pod: &Pod) -> Labels {
        self.listed.namespaces.get(&pod.name.namespace).cloned().unwrap_or_default()
    }
}

/// "The result of matchLabels and matchExpressions are ANDed. An empty label selector matches all objects."
pub(crate) fn selects(selector: &LabelSelector, labels: &Labels) -> bool {
    for (key, value) in selector.match_labels.clone().unwrap_or_default() {
        if labels.get(&key) != Some(&value) {
            return false;
        }
    }
    for requirement in selector.match_expressions.clone().unwrap_or_default() {
        let values = requirement.values.unwrap_or_default();
        let there = labels.get(&requirement.key);
        let fine = match requirement.operator.as_str() {
            "In" => there.is_some() && values.contains(there.unwrap()),
            // "objects without the key match NotIn" (labels and selectors)
            "NotIn" => there.is_none() || !values.contains(there.unwrap()),
            "Exists" => there.is_some(),
            "DoesNotExist" => there.is_none(),
            other => panic!("operator {other}"),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// Address arithmetic by comparing bits one by one.
pub(crate) fn within(ip: IpAddr, cidr: &str) -> bool {
    let (network, length) = cidr.split_once('/').unwrap();
    let bits = |ip: IpAddr| -> Vec<bool> {
        let octets = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        octets.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1)).collect()
    };
    let (network, ip) = (bits(network.parse().unwrap()), bits(ip));
    network.len() == ip.len() && network.iter().zip(&ip).take(length.parse().unwrap()).all(|(a, b)| a == b)
}
