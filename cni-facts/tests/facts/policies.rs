//! Features of network policies: each in a policy that has it, none in a plain one.

use std::collections::BTreeSet;

use cni_facts::Facts;
use serde_json::{Value, json};

/// Ids of the features that a policy uses.
fn used(policy: &Value) -> Vec<String> {
    let facts = Facts::builtin();
    facts
        .policy_features()
        .iter()
        .filter(|one| one.id != "adminnetworkpolicy" && one.used_by(policy))
        .map(|one| one.id.clone())
        .collect()
}

fn spec(spec: Value) -> Value {
    json!({"kind": "CiliumNetworkPolicy", "metadata": {"name": "p"}, "spec": spec})
}

#[test]
fn each_feature_is_found_by_itself() {
    let peer = json!({"matchLabels": {"app": "a"}});
    let ports = |rules: Value| json!([{"ports": [{"port": "80", "protocol": "TCP"}], "rules": rules}]);
    let cases = [
        ("toFQDNs", json!({"egress": [{"toFQDNs": [{"matchName": "a.example"}]}]})),
        ("l7-http", json!({"ingress": [{"toPorts": ports(json!({"http": [{"method": "GET"}]}))}]})),
        ("kafka", json!({"ingress": [{"toPorts": ports(json!({"kafka": [{"role": "consume"}]}))}]})),
        ("l7proto", json!({"ingress": [{"toPorts": ports(json!({"l7proto": "r2d2", "l7": [{"cmd": "READ"}]}))}]})),
        ("reserved:init", json!({"endpointSelector": {"matchLabels": {"reserved:init": ""}}, "ingress": [{}]})),
        ("reserved:init", json!({"ingress": [{"fromEntities": ["world", "init"]}]})),
        ("fromRequires", json!({"ingress": [{"fromRequires": [peer]}]})),
        ("fromRequires", json!({"egress": [{"toRequires": [peer]}]})),
        ("emptySlice", json!({"ingress": [{"fromEndpoints": []}]})),
        ("emptySlice", json!({"egress": [{"toCIDRSet": []}]})),
        ("authentication", json!({"ingress": [{"authentication": {"mode": "required"}}]})),
        ("cidrGroupRef", json!({"ingress": [{"fromCIDRSet": [{"cidrGroupRef": "g"}]}]})),
        (
            "matchPattern-doublestar",
            json!({"egress": [{"toPorts": ports(json!({"dns": [{"matchPattern": "**.a.example"}]}))}]}),
        ),
    ];
    for (id, body) in &cases {
        assert_eq!(used(&spec(body.clone())), [*id], "{body}");
        let several = json!({"metadata": {"name": "p"}, "specs": [{"ingress": [{}]}, body]});
        assert_eq!(used(&several), [*id], "in specs: {body}");
    }
    let facts = Facts::builtin();
    let tried: BTreeSet<&str> = cases.iter().map(|(id, _)| *id).chain(["adminnetworkpolicy"]).collect();
    assert_eq!(tried, facts.policy_features().iter().map(|one| one.id.as_str()).collect());
}

#[test]
fn a_plain_policy_uses_none() {
    let plain = spec(json!({
        "endpointSelector": {},
        "ingress": [{"fromEndpoints": [{}], "fromEntities": ["cluster"]}, {}],
        "egress": [{"toCIDR": ["10.0.0.0/8"], "toPorts": [{"rules": {"dns": [{"matchPattern": "*.a.example"}]}}]}],
        "ingressDeny": [],
    }));
    assert_eq!(used(&plain), Vec::<String>::new());
    let elsewhere = json!({"metadata": {"annotations": {"toFQDNs": "x"}}, "spec": {}, "status": {"http": [1]}});
    assert_eq!(used(&elsewhere), Vec::<String>::new());
}

#[test]
fn an_object_alone_can_be_the_sign() {
    let facts = Facts::builtin();
    let feature = facts.policy_features().iter().find(|one| one.id == "adminnetworkpolicy").unwrap();
    assert!(feature.used_by(&json!({"metadata": {"name": "p"}})));
}
