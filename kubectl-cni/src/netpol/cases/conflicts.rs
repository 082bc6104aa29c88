//! Policies that seem to contradict one another: what any of them allows is allowed, but each side has to allow it.

use serde_json::{Value, json};

use super::parts::{apply, peers_field, pod_a, policy, range};
use super::{Case, Stage};
use crate::netpol::model::Direction;

/// Rules that allow something in a direction; the text is the range of every address.
type Allowing = fn(Direction, &str) -> Value;

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let Some(family) = stage.families.first().copied() else { return Vec::new() };
    let everywhere = if family == crate::probe::topology::Family::V4 { "0.0.0.0/0" } else { "::/0" };
    let mut cases = Vec::new();
    for direction in Direction::BOTH {
        let way = direction.name();
        let shut = |namespace: &str, direction| policy(namespace, "shut", &pod_a(), &[(direction, json!([]))]);
        let allowing: [(&str, Allowing); 3] = [
            ("all", |_, _| json!([{}])),
            (
                "by-pod",
                |direction, _| json!([{peers_field(direction): [{"namespaceSelector": {}, "podSelector": {}}]}]),
            ),
            ("by-block", |direction, all| json!([{peers_field(direction): [{"ipBlock": {"cidr": all}}]}])),
        ];
        for (name, rules) in allowing {
            let open = |namespace: &str, direction| {
                policy(namespace, "open", &pod_a(), &[(direction, rules(direction, everywhere))])
            };
            let tags = ["classic", "conflict", way];
            let intent = format!("deny-all and allow {name} on the same pods: {way} is open as far as one allows it");
            let steps = vec![apply(&[shut("x", direction), open("x", direction)])];
            cases.push(Case::new(format!("conflict/{way}/same-side-{name}"), &tags, intent, steps));
            let intent = format!("{way} of x/a shut, the other side of y/a allows {name}: between them nothing passes");
            let steps = vec![apply(&[shut("x", direction), open("y", direction.other())])];
            cases.push(Case::new(format!("conflict/{way}/other-side-{name}"), &tags, intent, steps));
        }
        let all_but = [
            (
                "by-pod",
                json!({"namespaceSelector": {}, "podSelector": {"matchExpressions":
                [{"key": "pod", "operator": "NotIn", "values": ["b"]}]}}),
            ),
            ("by-block", json!({"ipBlock": {"cidr": everywhere, "except": [range(stage, family, 1)]}})),
        ];
        for (name, peer) in all_but {
            let rules = json!([{peers_field(direction): [peer]}]);
            let steps = vec![apply(&[policy("x", "all-but", &pod_a(), &[(direction, rules)])])];
            let intent = format!("{way} with all but some, who are left out {}", name.replace('-', " "));
            let tags = ["classic", "conflict", way];
            cases.push(Case::new(format!("conflict/{way}/all-but-{name}"), &tags, intent, steps));
        }
    }
    cases
}
