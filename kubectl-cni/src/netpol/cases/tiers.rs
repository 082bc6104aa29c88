//! ClusterNetworkPolicy where the cluster serves it: tiers over and under NetworkPolicy, priorities, actions.

use serde_json::{Value, json};

use super::Case;
use super::parts::{apply, pod_a, policy};
use crate::netpol::model::Direction;

/// A policy on all pods of namespace x.
fn cluster(name: &str, tier: &str, priority: u16, rules: &Value) -> Value {
    let mut spec = json!({"tier": tier, "priority": priority, "subject": {"namespaces": {"matchLabels": {"ns": "x"}}}});
    for (field, rules) in rules.as_object().into_iter().flatten() {
        spec[field] = rules.clone();
    }
    json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy",
        "metadata": {"name": name}, "spec": spec})
}

fn from_y(action: &str) -> Value {
    json!({"action": action, "from": [{"namespaces": {"matchLabels": {"ns": "y"}}}]})
}

fn one(action: &str) -> Value {
    json!({"ingress": [from_y(action)]})
}

pub(super) fn cases() -> Vec<Case> {
    let shut = policy("x", "shut", &pod_a(), &[(Direction::Ingress, json!([]))]);
    let open = policy("x", "open", &pod_a(), &[(Direction::Ingress, json!([{}]))]);
    let case = |name: &str, intent: &str, policies: &[Value]| {
        Case::new(format!("tier/{name}"), &["cluster-policy"], intent, vec![apply(policies)])
    };
    let port = json!({"ingress": [{"action": "Deny", "from": [{"namespaces": {}}],
        "protocols": [{"tcp": {"destinationPort": {"number": 80}}}]}]});
    let networks = json!({"egress": [
        {"action": "Pass", "to": [{"namespaces": {"matchLabels": {"ns": "x"}}}]},
        {"action": "Deny", "to": [{"networks": ["0.0.0.0/0"]}, {"networks": ["::/0"]}]}]});
    vec![
        case(
            "admin-accept-over-deny",
            "Accept in Admin opens what a NetworkPolicy shuts",
            &[cluster("accept", "Admin", 10, &one("Accept")), shut.clone()],
        ),
        case(
            "admin-deny-over-allow",
            "Deny in Admin shuts what a NetworkPolicy opens",
            &[cluster("deny", "Admin", 10, &one("Deny")), open.clone()],
        ),
        case(
            "admin-pass",
            "Pass in Admin leaves it to the NetworkPolicy, past a later Deny",
            &[cluster("pass", "Admin", 10, &one("Pass")), cluster("deny", "Admin", 20, &one("Deny")), open.clone()],
        ),
        case(
            "baseline-deny",
            "Deny in Baseline shuts pods that no NetworkPolicy isolates",
            &[cluster("deny", "Baseline", 10, &one("Deny"))],
        ),
        case(
            "baseline-under-allow",
            "Deny in Baseline gives way to a NetworkPolicy that opens",
            &[cluster("deny", "Baseline", 10, &one("Deny")), open],
        ),
        case(
            "baseline-under-deny",
            "Accept in Baseline gives way to a NetworkPolicy that shuts",
            &[cluster("accept", "Baseline", 10, &one("Accept")), shut],
        ),
        case(
            "priority",
            "the lower priority comes first",
            &[cluster("late", "Admin", 20, &one("Accept")), cluster("early", "Admin", 10, &one("Deny"))],
        ),
        case(
            "rule-order",
            "the upper rule comes first",
            &[cluster("rules", "Admin", 10, &json!({"ingress": [from_y("Accept"), from_y("Deny")]}))],
        ),
        case("port", "Deny of one port leaves the others", &[cluster("port", "Admin", 10, &port)]),
        case(
            "networks-match-pods",
            "networks match pods too, in both families",
            &[cluster("networks", "Admin", 10, &networks)],
        ),
    ]
}
