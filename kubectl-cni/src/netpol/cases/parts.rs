//! The policies that cases are composed of.

use serde_json::{Value, json};

use super::Action;
use super::stage::Stage;
use crate::netpol::cidr::Cidr;
use crate::netpol::model::Direction;
use crate::netpol::world::PodName;
use crate::probe::topology::Family;

/// A policy that isolates in the directions it has rules for.
pub(super) fn policy(namespace: &str, name: &str, subject: &Value, rules: &[(Direction, Value)]) -> Value {
    let mut spec = json!({"podSelector": subject, "policyTypes": []});
    for (direction, rules) in rules {
        let (kind, field) = match direction {
            Direction::Ingress => ("Ingress", "ingress"),
            Direction::Egress => ("Egress", "egress"),
        };
        spec["policyTypes"].as_array_mut().expect("made as a list above").push(kind.into());
        spec[field] = rules.clone();
    }
    json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

pub(super) fn peers_field(direction: Direction) -> &'static str {
    match direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    }
}

/// A rule from its peers and ports.
pub(super) fn rule(direction: Direction, peers: &Value, ports: &Value) -> Value {
    json!({peers_field(direction): peers, "ports": ports})
}

/// Who talks to x/a in the ordinary case.
pub(super) fn usual_peers(direction: Direction) -> Value {
    let (pods, namespaces) = match direction {
        Direction::Ingress => (["b", "c"], ["x", "y"]),
        Direction::Egress => (["a", "b"], ["y", "z"]),
    };
    json!([{"podSelector": within("pod", &pods), "namespaceSelector": within("ns", &namespaces)}])
}

pub(super) fn usual_ports() -> Value {
    json!([{"protocol": "TCP", "port": 80}])
}

/// The ordinary policy: on x/a, both directions.
pub(super) fn usual(namespace: &str, subject: &Value) -> Value {
    let rules =
        Direction::BOTH.map(|direction| (direction, json!([rule(direction, &usual_peers(direction), &usual_ports())])));
    policy(namespace, "usual", subject, &rules)
}

pub(super) fn pod_a() -> Value {
    json!({"matchLabels": {"pod": "a"}})
}

pub(super) fn within(key: &str, values: &[&str]) -> Value {
    json!({"matchExpressions": [{"key": key, "operator": "In", "values": values}]})
}

pub(super) fn apply(policies: &[Value]) -> Vec<Action> {
    policies.iter().cloned().map(Action::Apply).collect()
}

/// The range of this many host bits around the address of z/c; one that holds no address where the pod has none.
pub(super) fn range(stage: &Stage, family: Family, host_bits: u8) -> String {
    let address = stage.world.pods.get(&PodName::new("z", "c")).and_then(|pod| pod.address(family));
    let width = if family == Family::V4 { 32 } else { 128 };
    let range = address.and_then(|address| Cidr::new(address, width - host_bits));
    let nobody = if family == Family::V4 { "192.0.2.0/32" } else { "2001:db8::/128" };
    range.map_or(nobody.to_owned(), |range| range.to_string())
}

/// The single peers: every valid mix of pod and namespace selector, and blocks.
pub(super) fn single_peers(stage: &Stage, direction: Direction, family: Family) -> Vec<(String, Value)> {
    let usual = usual_peers(direction);
    let mut peers = Vec::new();
    for pods in ["", "pods-all", "pods-some"] {
        for namespaces in ["", "namespaces-all", "namespaces-some"] {
            let mut peer = json!({});
            for (name, field) in [(pods, "podSelector"), (namespaces, "namespaceSelector")] {
                match name.rsplit('-').next() {
                    Some("all") => peer[field] = json!({}),
                    Some("some") => peer[field] = usual[0][field].clone(),
                    _ => {}
                }
            }
            let name = [pods, namespaces].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join("+");
            if !name.is_empty() {
                peers.push((name, peer));
            }
        }
    }
    let cidr = range(stage, family, 8);
    let suffix = if family == Family::V6 { "-v6" } else { "" };
    peers.push((format!("block{suffix}"), json!({"ipBlock": {"cidr": cidr}})));
    let except = json!({"ipBlock": {"cidr": cidr, "except": [range(stage, family, 1)]}});
    peers.push((format!("block-except{suffix}"), except));
    peers
}
