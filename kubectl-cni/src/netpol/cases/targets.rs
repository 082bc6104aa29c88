//! Whom a policy is for, and what the shortest policies do.

use serde_json::json;

use super::Case;
use super::parts::{apply, pod_a, policy, usual, within};
use crate::netpol::model::Direction;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for namespace in ["x", "y", "z"] {
        let intent = format!("a policy in namespace {namespace} is for pods of that namespace only");
        let steps = vec![apply(&[usual(namespace, &pod_a())])];
        cases.push(Case::new(format!("target/namespace-{namespace}"), &["classic", "target"], intent, steps));
    }
    for (name, subject, intent) in [
        ("all-pods", json!({}), "an empty podSelector is for every pod of the namespace"),
        ("label", json!({"matchLabels": {"pod": "b"}}), "matchLabels chooses the pods of a policy"),
        ("expression", within("pod", &["a", "b"]), "matchExpressions chooses the pods of a policy"),
    ] {
        let steps = vec![apply(&[usual("x", &subject)])];
        cases.push(Case::new(format!("target/{name}"), &["classic", "target"], intent, steps));
    }
    for direction in Direction::BOTH {
        for (name, rules, tag) in [("deny-all", json!([]), "deny-all"), ("allow-all", json!([{}]), "allow-all")] {
            let what = if name == "deny-all" { "no rule shuts" } else { "one empty rule opens" };
            let intent = format!("{what} {} of the chosen pods", direction.name());
            let steps = vec![apply(&[policy("x", name, &pod_a(), &[(direction, rules)])])];
            let tags = ["classic", "rule", tag, direction.name()];
            cases.push(Case::new(format!("rule/{}/{name}", direction.name()), &tags, intent, steps));
        }
    }
    cases
}
