//! The situations of Kubernetes' own end-to-end suite (test/e2e/network/netpol in k8s.io/kubernetes) that no other case has in this shape.

use serde_json::{Value, json};

use super::parts::{apply, pod_a, policy, range, within};
use super::{Action, Case, Stage};
use crate::netpol::model::Direction::{Egress, Ingress};

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let Some(family) = stage.families.first().copied() else { return Vec::new() };
    let all = json!({});
    let from = |peers: Value| (Ingress, json!([{"from": peers}]));
    let to = |peers: Value| (Egress, json!([{"to": peers}]));
    let ns = |names: &[&str]| within("ns", names);
    let one = |name: &str, intent: &str, policies: &[Value]| {
        Case::new(format!("upstream/{name}"), &["classic", "upstream"], intent, vec![apply(policies)])
    };
    let ports = |ports: Value| (Ingress, json!([{"ports": ports}]));
    let by_port = |name, port: u16| policy("x", name, &pod_a(), &[(Ingress, json!([{"ports": [{"port": port}]}]))]);
    let default_deny = policy("x", "shut", &all, &[(Ingress, json!([])), (Egress, json!([]))]);
    let block = json!({"ipBlock": {"cidr": range(stage, family, 8), "except": [range(stage, family, 0)]}});
    let single = json!({"ipBlock": {"cidr": range(stage, family, 0)}});
    let rules = json!([{"to": [{"namespaceSelector": ns(&["y"])}]}, {"to": [{"podSelector": {}}]}]);
    vec![
        one("deny-all-both", "a namespace shut in both directions", &[default_deny]),
        one(
            "from-any-pod-of-own-namespace",
            "an empty podSelector is the whole own namespace",
            &[policy("x", "own", &pod_a(), &[from(json!([{"podSelector": {}}]))])],
        ),
        one(
            "from-namespace-or-pod",
            "two items are either",
            &[policy(
                "x",
                "or",
                &pod_a(),
                &[from(json!([{"namespaceSelector": ns(&["y"])}, {"podSelector": within("pod", &["b"])}]))],
            )],
        ),
        one(
            "from-namespace-and-pod",
            "two selectors in one item are both",
            &[policy(
                "x",
                "and",
                &pod_a(),
                &[from(json!([{"namespaceSelector": ns(&["y"]), "podSelector": within("pod", &["b"])}]))],
            )],
        ),
        one(
            "namespace-not-in",
            "NotIn on namespaces leaves the named ones out",
            &[policy(
                "x",
                "not-in",
                &pod_a(),
                &[from(json!(
                    [{"namespaceSelector": {"matchExpressions": [{"key": "ns", "operator": "NotIn", "values": ["x"]}]}}]
                ))],
            )],
        ),
        one(
            "one-port-of-two",
            "another port of the same pods stays shut",
            &[policy("x", "port", &pod_a(), &[ports(json!([{"port": 81}]))])],
        ),
        one("stacked-ports", "two policies with a port each open both", &[by_port("one", 80), by_port("two", 81)]),
        one(
            "allow-all-over-port",
            "an allow-all beside a narrow policy opens everything",
            &[by_port("one", 81), policy("x", "all", &pod_a(), &[(Ingress, json!([{}]))])],
        ),
        one(
            "named-port",
            "a port by its name",
            &[policy("x", "named", &pod_a(), &[ports(json!([{"port": "serve-81-tcp"}]))])],
        ),
        one(
            "egress-rules-are-either",
            "two egress rules open what either does",
            &[policy("x", "rules", &pod_a(), &[(Egress, rules)])],
        ),
        one(
            "block-except-one",
            "egress to a range but for one address",
            &[policy("x", "except", &pod_a(), &[to(json!([block]))])],
        ),
        one(
            "except-allowed-by-another",
            "an excepted address that another policy allows is allowed",
            &[
                policy("x", "except", &pod_a(), &[to(json!([block]))]),
                policy("x", "single", &pod_a(), &[to(json!([single]))]),
            ],
        ),
        one(
            "udp-only",
            "a rule for UDP does not open TCP",
            &[policy("x", "udp", &pod_a(), &[ports(json!([{"protocol": "UDP", "port": 80}]))])],
        ),
        Case::new(
            "example/lock-down-and-open",
            &["classic", "example"],
            "a namespace shut, then opened for what it needs",
            vec![
                apply(&[policy("y", "shut", &all, &[(Ingress, json!([]))])]),
                vec![Action::Apply(policy(
                    "y",
                    "open",
                    &pod_a(),
                    &[(
                        Ingress,
                        json!([
                            {"from": [{"namespaceSelector": ns(&["x"])}], "ports": [{"port": 80}]}
                        ]),
                    )],
                ))],
            ],
        ),
    ]
}
