//! With whom: each kind of peer alone, and every two of them in one rule.

use serde_json::{Value, json};

use super::parts::{apply, pod_a, policy, rule, single_peers, usual_ports};
use super::{Case, Stage};
use crate::netpol::model::Direction;

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let Some(family) = stage.families.first().copied() else { return Vec::new() };
    let mut cases = Vec::new();
    for direction in Direction::BOTH {
        let singles = single_peers(stage, direction, family);
        let one = |id: String, tags: &[&'static str], intent: String, peers: Value| {
            let rules = json!([rule(direction, &peers, &usual_ports())]);
            let steps = vec![apply(&[policy("x", "peers", &pod_a(), &[(direction, rules)])])];
            let mut case = Case::new(id, &["classic", "peers", direction.name()], intent, steps);
            case.tags.extend(tags);
            case
        };
        let way = direction.name();
        let anyone = format!("an empty list of peers is anyone ({way})");
        cases.push(one(format!("peers/{way}/empty-list"), &[], anyone, json!([])));
        for (at, (name, peer)) in singles.iter().enumerate() {
            let intent = format!("{way} with {name} and nobody else");
            cases.push(one(format!("peers/{way}/{name}"), &[tag(name)], intent, json!([peer])));
            for (second, other) in &singles[at + 1..] {
                let intent = format!("{way} with {name} or {second}, the items of one list");
                let tags = ["multi-peer", tag(name), tag(second)];
                cases.push(one(format!("peers/{way}/{name}--{second}"), &tags, intent, json!([peer, other])));
            }
        }
    }
    cases
}

pub(super) fn tag(name: &str) -> &'static str {
    if name.starts_with("block") { "ip-block" } else { "selectors" }
}
