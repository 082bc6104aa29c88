//! Dimensions across one another: every value of one dimension meets every value of every other in some case. Greedy and without chance, so
//! the same stage always gives the same cases.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::parts::{apply, pod_a, policy, rule, single_peers, within};
use super::stage::{OWN_PORT, labels};
use super::{Action, Case, Stage};
use crate::netpol::model::Direction;
use crate::netpol::world::PodName;

/// How much of the pairs of values the cases hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Pairs of values of two different dimensions.
    pub pairs: usize,
    /// Those that some case has.
    pub covered: usize,
}

const SUBJECTS: [&str; 3] = ["label", "expression", "all-pods"];
const PORTS: [&str; 6] = ["any", "tcp-80", "udp-81", "named", "end-port", "udp-all"];
const CHANGES: [&str; 7] =
    ["none", "pod-labels", "namespace-labels", "update", "delete", "pod-after-policy", "allow-beside"];

/// One place per dimension: direction, subject, peer, ports, change.
type Row = [usize; 5];

/// The dimensions of a stage and the values of each.
fn dimensions(stage: &Stage) -> [Vec<String>; 5] {
    let own = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<String>>();
    let peers = peers(stage, Direction::Ingress).into_iter().map(|(name, _)| name).collect();
    [own(&["ingress", "egress"]), own(&SUBJECTS), peers, own(&PORTS), own(&CHANGES)]
}

/// All peers, blocks in each family of the stage.
fn peers(stage: &Stage, direction: Direction) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    for family in &stage.families {
        for (name, peer) in single_peers(stage, direction, *family) {
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name, peer));
            }
        }
    }
    all
}

/// How many pairs there are, and how many of them these cases have.
pub fn coverage(stage: &Stage, cases: &[Case]) -> Coverage {
    let dimensions = dimensions(stage);
    let sizes = dimensions.each_ref().map(Vec::len);
    let all = every_pair(&sizes);
    let rows = cases.iter().filter_map(|case| {
        let mut row = [0; 5];
        let mut parts = case.id.strip_prefix("pair/")?.split('/');
        for (place, values) in row.iter_mut().zip(&dimensions) {
            let part = parts.next()?;
            *place = values.iter().position(|value| value == part)?;
        }
        Some(row)
    });
    let covered: BTreeSet<Pair> = rows.flat_map(pairs_of).collect();
    Coverage { pairs: all.len(), covered: all.intersection(&covered).count() }
}

type Pair = (usize, usize, usize, usize);

fn pairs_of(row: Row) -> Vec<Pair> {
    let places = |one: usize| (one + 1..row.len()).map(move |other| (one, row[one], other, row[other]));
    (0..row.len()).flat_map(places).collect()
}

fn every_pair(sizes: &Row) -> BTreeSet<Pair> {
    let mut all = BTreeSet::new();
    for one in 0..sizes.len() {
        for other in one + 1..sizes.len() {
            for value in 0..sizes[one] {
                all.extend((0..sizes[other]).map(|second| (one, value, other, second)));
            }
        }
    }
    all
}

/// Rows that have every pair: each starts from a pair still missing and takes, place by place, the value that adds most.
fn rows(sizes: &Row) -> Vec<Row> {
    let mut missing = every_pair(sizes);
    let mut rows = Vec::new();
    while let Some((one, value, other, second)) = missing.first().copied() {
        let mut row = [None; 5];
        row[one] = Some(value);
        row[other] = Some(second);
        for place in 0..sizes.len() {
            if row[place].is_some() {
                continue;
            }
            let gain = |value: usize| {
                let others = row.iter().enumerate().filter_map(|(at, set)| Some((at, (*set)?)));
                others
                    .filter(|(at, set)| match *at < place {
                        true => missing.contains(&(*at, *set, place, value)),
                        false => missing.contains(&(place, value, *at, *set)),
                    })
                    .count()
            };
            // The first of the best, so that the choice is the same everywhere.
            row[place] = (0..sizes[place]).rev().max_by_key(|value| gain(*value));
        }
        let row = row.map(Option::unwrap_or_default);
        for pair in pairs_of(row) {
            missing.remove(&pair);
        }
        rows.push(row);
    }
    rows
}

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let dimensions = dimensions(stage);
    let sizes = dimensions.each_ref().map(Vec::len);
    rows(&sizes).into_iter().map(|row| case(stage, &dimensions, row)).collect()
}

fn case(stage: &Stage, dimensions: &[Vec<String>; 5], row: Row) -> Case {
    let names: Vec<&str> = dimensions.iter().zip(row).map(|(values, place)| values[place].as_str()).collect();
    let direction = if row[0] == 0 { Direction::Ingress } else { Direction::Egress };
    let (peer_name, peer) = peers(stage, direction).swap_remove(row[2]);
    let (ports_name, change) = (PORTS[row[3]], CHANGES[row[4]]);
    let ports = match ports_name {
        "any" => json!([]),
        "tcp-80" => json!([{"protocol": "TCP", "port": 80}]),
        "udp-81" => json!([{"protocol": "UDP", "port": 81}]),
        "named" => json!([{"protocol": "TCP", "port": OWN_PORT}]),
        "end-port" => json!([{"protocol": "TCP", "port": 79, "endPort": 81}]),
        _ => json!([{"protocol": "UDP"}]),
    };
    let subject = match SUBJECTS[row[1]] {
        "label" => pod_a(),
        "expression" => within("pod", &["a", "b"]),
        _ => json!({}),
    };
    let made = policy("x", "pair", &subject, &[(direction, json!([rule(direction, &json!([peer]), &ports)]))]);
    let way = direction.name();
    let mut tags = vec!["pairs", way, super::peers::tag(&peer_name)];
    tags.extend(match ports_name {
        "named" => Some("named-port"),
        "end-port" => Some("end-port"),
        _ => None,
    });
    tags.extend(peer_name.ends_with("-v6").then_some("ipv6"));
    tags.extend((change != "none").then_some("action"));
    let intent = format!(
        "{way} of {} with {peer_name} on {ports_name}{}",
        SUBJECTS[row[1]],
        if change == "none" { String::new() } else { format!(", then {change}") }
    );
    Case::new(format!("pair/{}", names.join("/")), &tags, intent, steps(stage, change, &made, &subject, direction))
}

fn steps(stage: &Stage, change: &str, made: &Value, subject: &Value, direction: Direction) -> Vec<Vec<Action>> {
    let on = apply(std::slice::from_ref(made));
    let pod = PodName::new("y", "b");
    match change {
        "pod-labels" => vec![on, vec![Action::LabelPod(pod, labels("pod", "other"))]],
        "namespace-labels" => vec![on, vec![Action::LabelNamespace("y".to_owned(), labels("ns", "other"))]],
        "update" => vec![on, apply(&[policy("x", "pair", subject, &[(direction, json!([]))])])],
        "delete" => vec![on, vec![Action::Delete(made.clone())]],
        "pod-after-policy" => {
            let again = stage.world.pods.get(&pod).cloned().map(Action::CreatePod);
            let mut first = vec![Action::DeletePod(pod)];
            first.extend(on);
            vec![first, again.into_iter().collect()]
        }
        "allow-beside" => {
            vec![on, apply(&[policy("x", "beside", subject, &[(direction, json!([{"ports": [{"port": 81}]}]))])])]
        }
        _ => vec![on],
    }
}
