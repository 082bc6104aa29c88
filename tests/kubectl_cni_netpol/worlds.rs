//! Small worlds by chance: everything in them is valid, and crowded enough that most rules meet someone.

use std::net::IpAddr;

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kubectl_cni::netpol::labels::Labels;
use kubectl_cni::netpol::lower::cluster_policy::cluster_policy;
use kubectl_cni::netpol::lower::network_policy::network_policy;
use kubectl_cni::netpol::model::Protocol;
use kubectl_cni::netpol::world::{Endpoint, Flow, NamedPort, Node, Pod, PodName, Traffic, Via, World};
use kubectl_cni::probe::topology::Family;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::second::Listed;

const NAMESPACES: [&str; 3] = ["x", "y", "z"];
const NODES: [&str; 2] = ["n0", "n1"];
const PORTS: [u16; 3] = [80, 81, 443];
const CIDRS: [&str; 7] =
    ["10.0.0.0/24", "10.0.0.0/30", "10.0.0.2/31", "0.0.0.0/0", "172.16.0.0/31", "fd00::/124", "::/0"];

pub(crate) fn world(dice: &mut Dice) -> Listed {
    let mut listed = Listed::default();
    for name in NAMESPACES {
        let mut labels = labels(dice);
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
        listed.namespaces.insert(name.to_owned(), labels);
    }
    for (at, name) in NODES.into_iter().enumerate() {
        let addresses = vec![ip(&format!("172.16.0.{at}")), ip(&format!("fd01::{at}"))];
        listed.nodes.insert(name.to_owned(), Node { labels: labels(dice), addresses });
    }
    for at in 0..2 + dice.below(4) {
        let pod = pod(dice, at);
        listed.pods.push(pod);
    }
    let policies = dice.some(4, |dice| dice.below(1000));
    for at in 0..policies.len() {
        listed.policies.push(serde_json::from_value(policy(dice, at)).unwrap());
    }
    if dice.once_in(2) {
        for at in 0..1 + dice.below(3) {
            let policy = if dice.once_in(3) { admin_policy(dice, at) } else { cluster(dice, at) };
            listed.cluster_policies.push(policy);
        }
    }
    listed
}

/// The same, understood.
pub(crate) fn lowered(listed: &Listed) -> World {
    let mut world = World { nodes: listed.nodes.clone(), ..World::default() };
    for (name, labels) in &listed.namespaces {
        world.add_namespace(name, labels.clone());
    }
    for pod in &listed.pods {
        world.add_pod(pod.clone());
    }
    for policy in &listed.policies {
        world.add_policy(lower(policy));
    }
    for policy in &listed.cluster_policies {
        let (policy, notes) = cluster_policy(policy).unwrap();
        assert_eq!(notes, [], "{policy:?}");
        world.add_tier(policy);
    }
    world
}

pub(crate) fn lower(policy: &NetworkPolicy) -> kubectl_cni::netpol::model::Policy {
    let (lowered, notes) = network_policy(policy).unwrap();
    assert!(notes.iter().all(|note| note.to_string().contains("do nothing")), "{notes:?}");
    lowered
}

pub(crate) fn flow(dice: &mut Dice, listed: &Listed) -> Flow {
    let family = *dice.of(&[Family::V4, Family::V4, Family::V6]);
    let traffic = match dice.below(12) {
        0 => Traffic::Other,
        _ => Traffic::Port(*dice.of(&Protocol::ALL), *dice.of(&PORTS)),
    };
    let via = match dice.below(8) {
        0 => Via::ClusterIp(ip(if family == Family::V4 { "10.0.0.200" } else { "fd00::f0" })),
        1 => Via::NodePort((*dice.of(&NODES)).to_owned()),
        _ => Via::Address,
    };
    Flow { from: end(dice, listed, family), to: end(dice, listed, family), traffic, family, via }
}

fn end(dice: &mut Dice, listed: &Listed, family: Family) -> Endpoint {
    match dice.below(10) {
        0 => Endpoint::Node((*dice.of(&NODES)).to_owned()),
        1 => Endpoint::Outside(ip(if family == Family::V4 { "10.0.0.3" } else { "2001:db8::1" })),
        _ => Endpoint::Pod(dice.of(&listed.pods).name.clone()),
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn labels(dice: &mut Dice) -> Labels {
    let mut labels = Labels::new();
    for key in ["a", "b"] {
        if !dice.once_in(3) {
            labels.insert(key.to_owned(), (*dice.of(&["1", "2", ""])).to_owned());
        }
    }
    labels
}

fn pod(dice: &mut Dice, at: usize) -> Pod {
    let node = *dice.of(&NODES);
    let host_network = dice.once_in(8);
    let number = if node == "n0" { 0 } else { 1 };
    let mut addresses = if host_network {
        vec![ip(&format!("172.16.0.{number}")), ip(&format!("fd01::{number}"))]
    } else {
        vec![ip(&format!("10.0.0.{at}")), ip(&format!("fd00::{at}"))]
    };
    if dice.once_in(10) {
        addresses.pop();
    }
    let mut ports = dice.some(3, |dice| NamedPort {
        name: (*dice.of(&["web", "dns"])).to_owned(),
        protocol: *dice.of(&Protocol::ALL),
        port: *dice.of(&PORTS),
    });
    ports.sort();
    ports.dedup_by(|a, b| (&a.name, a.protocol) == (&b.name, b.protocol));
    let name = PodName::new(NAMESPACES[dice.below(NAMESPACES.len())], &format!("p{at}"));
    Pod { name, labels: labels(dice), ports, addresses, host_network, node: Some(node.to_owned()) }
}

fn selector(dice: &mut Dice) -> Value {
    let key = *dice.of(&["a", "b", "kubernetes.io/metadata.name"]);
    let values = if key.len() == 1 { ["1", "2", ""] } else { ["x", "y", "z"] };
    let value = *dice.of(&values);
    match dice.below(7) {
        0 | 1 => json!({}),
        2 => json!({"matchLabels": {key: value}}),
        3 => json!({"matchExpressions": [{"key": key, "operator": "In", "values": [value, dice.of(&values)]}]}),
        4 => json!({"matchExpressions": [{"key": key, "operator": "NotIn", "values": [value]}]}),
        5 => json!({"matchExpressions": [{"key": key, "operator": dice.of(&["Exists", "DoesNotExist"])}]}),
        _ => json!({"matchLabels": {"a": dice.of(&["1", "2"])},
            "matchExpressions": [{"key": "b", "operator": "NotIn", "values": [dice.of(&["1", ""])]}]}),
    }
}

fn cidr(dice: &mut Dice) -> &'static str {
    CIDRS[dice.below(CIDRS.len())]
}

fn peer(dice: &mut Dice) -> Value {
    match dice.below(5) {
        0 => json!({"podSelector": selector(dice)}),
        1 => json!({"namespaceSelector": selector(dice)}),
        2 => json!({"namespaceSelector": selector(dice), "podSelector": selector(dice)}),
        3 => json!({"ipBlock": {"cidr": cidr(dice)}}),
        _ => {
            let (cidr, except) = *dice.of(&[
                ("10.0.0.0/24", "10.0.0.0/31"),
                ("0.0.0.0/0", "10.0.0.2/31"),
                ("0.0.0.0/0", "172.16.0.0/32"),
                ("::/0", "fd00::/127"),
            ]);
            json!({"ipBlock": {"cidr": cidr, "except": [except]}})
        }
    }
}

fn port(dice: &mut Dice) -> Value {
    let protocol = dice.of(&["TCP", "UDP", "SCTP"]);
    match dice.below(6) {
        0 => json!({"port": dice.of(&PORTS)}),
        1 => json!({"protocol": protocol}),
        2 => json!({"protocol": protocol, "port": dice.of(&["web", "dns"])}),
        3 => json!({"port": 80, "endPort": dice.of(&[80, 81, 500])}),
        4 => json!({}),
        _ => json!({"protocol": protocol, "port": dice.of(&PORTS)}),
    }
}

pub(crate) fn rule(dice: &mut Dice, peers: &str) -> Value {
    let mut rule = json!({});
    if !dice.once_in(4) {
        rule[peers] = dice.some(2, peer).into();
    }
    if dice.once_in(2) {
        rule["ports"] = dice.some(2, port).into();
    }
    rule
}

fn policy(dice: &mut Dice, at: usize) -> Value {
    let mut spec = json!({"podSelector": selector(dice)});
    if dice.once_in(2) {
        spec["policyTypes"] = (*dice.of(&[&["Ingress"][..], &["Egress"], &["Ingress", "Egress"]])).into();
    }
    if !dice.once_in(3) {
        spec["ingress"] = dice.some(2, |dice| rule(dice, "from")).into();
    }
    if !dice.once_in(3) {
        spec["egress"] = dice.some(2, |dice| rule(dice, "to")).into();
    }
    json!({"metadata": {"name": format!("np{at}"), "namespace": dice.of(&NAMESPACES)}, "spec": spec})
}

fn subject(dice: &mut Dice) -> Value {
    if dice.once_in(2) { json!({"namespaces": selector(dice)}) } else { pods(dice) }
}

fn pods(dice: &mut Dice) -> Value {
    json!({"pods": {"namespaceSelector": selector(dice), "podSelector": selector(dice)}})
}

fn tier_rule(dice: &mut Dice, peers: &str, actions: &[&str], port: fn(&mut Dice) -> Value, ports: &str) -> Value {
    let action = *dice.of(actions);
    let egress = peers == "to";
    let accept = action == "Accept" || action == "Allow";
    let peer = |dice: &mut Dice| match dice.below(6) {
        0 | 1 => json!({"namespaces": selector(dice)}),
        2 if egress => json!({"networks": [cidr(dice)]}),
        3 if egress => json!({"nodes": selector(dice)}),
        4 if egress && accept => json!({"domainNames": ["*.example.org"]}),
        _ => pods(dice),
    };
    let mut rule = json!({"action": action, peers: [peer(dice)]});
    if dice.once_in(3) {
        let more = peer(dice);
        rule[peers].as_array_mut().unwrap().push(more);
    }
    if dice.once_in(2) {
        rule[ports] = vec![port(dice), port(dice)].into();
    }
    rule
}

fn tier_rules(dice: &mut Dice, actions: &[&str], port: fn(&mut Dice) -> Value, ports: &str) -> (Value, Value) {
    let ingress = dice.some(3, |dice| tier_rule(dice, "from", actions, port, ports));
    (ingress.into(), dice.some(3, |dice| tier_rule(dice, "to", actions, port, ports)).into())
}

fn cluster(dice: &mut Dice, at: usize) -> Value {
    let (ingress, egress) = tier_rules(dice, &["Accept", "Deny", "Pass"], cluster_port, "protocols");
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": format!("cnp{at}")},
        "spec": {"tier": dice.of(&["Admin", "Baseline"]), "priority": dice.below(3), "subject": subject(dice),
            "ingress": ingress, "egress": egress}})
}

fn cluster_port(dice: &mut Dice) -> Value {
    let protocol = *dice.of(&["tcp", "udp", "sctp"]);
    match dice.below(3) {
        0 => json!({"destinationNamedPort": dice.of(&["web", "dns"])}),
        1 => json!({protocol: {"destinationPort": {"number": dice.of(&PORTS)}}}),
        _ => json!({protocol: {"destinationPort": {"range": {"start": 80, "end": dice.of(&[81, 443])}}}}),
    }
}

fn admin_policy(dice: &mut Dice, at: usize) -> Value {
    let baseline = dice.once_in(3);
    let actions: &[&str] = if baseline { &["Allow", "Deny"] } else { &["Allow", "Deny", "Pass"] };
    let (ingress, egress) = tier_rules(dice, actions, admin_port, "ports");
    let mut spec = json!({"subject": subject(dice), "ingress": ingress, "egress": egress});
    let (kind, name) = if baseline {
        ("BaselineAdminNetworkPolicy", "default".to_owned())
    } else {
        spec["priority"] = dice.below(3).into();
        ("AdminNetworkPolicy", format!("anp{at}"))
    };
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn admin_port(dice: &mut Dice) -> Value {
    let protocol = *dice.of(&["TCP", "UDP", "SCTP"]);
    match dice.below(3) {
        0 => json!({"namedPort": dice.of(&["web", "dns"])}),
        1 => json!({"portNumber": {"protocol": protocol, "port": dice.of(&PORTS)}}),
        _ => json!({"portRange": {"protocol": protocol, "start": 80, "end": dice.of(&[81, 443])}}),
    }
}
