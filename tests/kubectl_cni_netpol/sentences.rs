//! Expectations as sentences: `x/a -> y/a TCP/80 denied`. Ends are pods, `node:n0` or `ip:192.0.2.1`; `by 10.96.0.1` calls a Service address,
//! `by node n1` a node port; traffic is `TCP/80` or `other`, `v6` picks the family; the answer is allowed, denied or undefined.
//!
//! The world: namespaces x and y (label ns), pods a and b in each (label pod; b also role with an empty value), x/h in the network of node n0.
//! a are on n0, b on n1. Port names: web is TCP 80 in a, TCP 81 in b; dns is UDP 53 in a.

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kubectl_cni::netpol::explain::explain;
use kubectl_cni::netpol::labels::Labels;
use kubectl_cni::netpol::lower::Note;
use kubectl_cni::netpol::lower::cluster_policy::cluster_policy;
use kubectl_cni::netpol::lower::network_policy::network_policy;
use kubectl_cni::netpol::model::Protocol;
use kubectl_cni::netpol::simulate::{Outcome, simulate};
use kubectl_cni::netpol::world::{Endpoint, Flow, NamedPort, Node, Pod, PodName, Traffic, Via, World};
use kubectl_cni::probe::topology::Family;
use serde::Deserialize as _;
use serde_json::Value;

use crate::second::{Answer, Listed, ask};

/// Holds both opinions against the sentences.
#[track_caller]
pub(crate) fn check(policies: &str, sentences: &[&str]) {
    let (listed, world, notes) = cluster(policies);
    assert_eq!(notes, [], "odd policies go to `check_odd`");
    for sentence in sentences {
        let (flow, expected) = parse(sentence);
        assert_eq!(simulated(&world, &flow), expected, "{sentence}: {}", explain(&simulate(&world, &flow)));
        let second = match ask(&listed, &flow) {
            Answer::Yes => "allowed",
            Answer::No => "denied",
            Answer::Open => "undefined",
        };
        assert_eq!(second, expected, "{sentence}: second opinion");
    }
}

/// Policies that no API server takes in: the sentences, and how the notes begin after the object's name.
#[track_caller]
pub(crate) fn check_odd(policies: &str, expected_notes: &[&str], sentences: &[&str]) {
    let (_, world, notes) = cluster(policies);
    let notes: Vec<String> = notes.iter().map(|note| note.to_string().split_once(", ").unwrap().1.to_owned()).collect();
    assert_eq!(notes.len(), expected_notes.len(), "{notes:?}");
    for (note, expected) in notes.iter().zip(expected_notes) {
        assert!(note.starts_with(expected), "{note}");
    }
    for sentence in sentences {
        let (flow, expected) = parse(sentence);
        assert_eq!(simulated(&world, &flow), expected, "{sentence}: {}", explain(&simulate(&world, &flow)));
    }
}

/// The words for a decision.
pub(crate) fn words(policies: &str, flow: &str) -> String {
    explain(&simulate(&cluster(policies).1, &parse(&format!("{flow} asked")).0))
}

fn simulated(world: &World, flow: &Flow) -> &'static str {
    match simulate(world, flow).outcome {
        Outcome::Allowed => "allowed",
        Outcome::Denied => "denied",
        Outcome::Undefined(_) => "undefined",
    }
}

fn cluster(policies: &str) -> (Listed, World, Vec<Note>) {
    let mut listed = Listed::default();
    let mut world = World::default();
    for name in ["x", "y"] {
        world.add_namespace(name, Labels::from([("ns".to_owned(), name.to_owned())]));
    }
    for at in 0..2 {
        let addresses = vec![ip(&format!("172.16.0.{at}"))];
        let labels = Labels::from([("zone".to_owned(), format!("z{at}"))]);
        world.nodes.insert(format!("n{at}"), Node { labels, addresses });
    }
    for (at, (namespace, name)) in [("x", "a"), ("x", "b"), ("y", "a"), ("y", "b"), ("x", "h")].into_iter().enumerate()
    {
        let named = |name: &str, protocol, port| NamedPort { name: name.to_owned(), protocol, port };
        let mut labels = Labels::from([("pod".to_owned(), name.to_owned())]);
        if name == "b" {
            labels.insert("role".to_owned(), String::new());
        }
        let host_network = name == "h";
        world.add_pod(Pod {
            name: PodName::new(namespace, name),
            labels,
            ports: match name {
                "a" => vec![named("web", Protocol::Tcp, 80), named("dns", Protocol::Udp, 53)],
                _ => vec![named("web", Protocol::Tcp, 81)],
            },
            addresses: match host_network {
                true => vec![ip("172.16.0.0")],
                false => vec![ip(&format!("10.0.0.{at}")), ip(&format!("fd00::{at}"))],
            },
            host_network,
            node: Some(if name == "b" { "n1" } else { "n0" }.to_owned()),
        });
    }
    listed.namespaces = world.namespaces.clone();
    listed.nodes = world.nodes.clone();
    listed.pods = world.pods.values().cloned().collect();
    let mut notes = Vec::new();
    for document in serde_yaml::Deserializer::from_str(policies) {
        let value = Value::deserialize(document).unwrap();
        if value["apiVersion"].is_string() {
            let (policy, odd) = cluster_policy(&value).unwrap();
            notes.extend(odd);
            world.add_tier(policy);
            listed.cluster_policies.push(value);
        } else if !value.is_null() {
            let mut policy: NetworkPolicy = serde_json::from_value(value).unwrap();
            policy.metadata.namespace.get_or_insert_with(|| "y".to_owned());
            policy.metadata.name.get_or_insert_with(|| format!("np{}", listed.policies.len()));
            let (lowered, odd) = network_policy(&policy).unwrap();
            notes.extend(odd);
            world.add_policy(lowered);
            listed.policies.push(policy);
        }
    }
    (listed, world, notes)
}

fn ip(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

fn parse(sentence: &str) -> (Flow, &str) {
    let mut words: Vec<&str> = sentence.split_whitespace().collect();
    let expected = words.pop().unwrap();
    let family = if words.last() == Some(&"v6") { Family::V6 } else { Family::V4 };
    let traffic = match words[3].split_once('/') {
        None => Traffic::Other,
        Some((name, port)) => {
            let protocol = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name).unwrap();
            Traffic::Port(protocol, port.parse().unwrap())
        }
    };
    let via = match words.get(4..) {
        Some(["by", "node", node]) => Via::NodePort((*node).to_owned()),
        Some(["by", address]) => Via::ClusterIp(ip(address)),
        _ => Via::Address,
    };
    (Flow { from: end(words[0]), to: end(words[2]), traffic, family, via }, expected)
}

fn end(word: &str) -> Endpoint {
    if let Some(node) = word.strip_prefix("node:") {
        Endpoint::Node(node.to_owned())
    } else if let Some(address) = word.strip_prefix("ip:") {
        Endpoint::Outside(ip(address))
    } else {
        let (namespace, name) = word.split_once('/').unwrap();
        Endpoint::Pod(PodName::new(namespace, name))
    }
}
