//! The cases: which there are, that each shows something, and that the second opinion expects the same of them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use k8s_openapi::api::networking::v1::NetworkPolicy;
use kubectl_cni::netpol::cases::{Action, Case, Stage, Suite, cases, coverage, select};
use kubectl_cni::netpol::model::Protocol;
use kubectl_cni::netpol::simulate::{Outcome, simulate};
use kubectl_cni::netpol::world::{Endpoint, Flow, Traffic, Via, World};
use kubectl_cni::probe::topology::Family;
use serde_json::Value;

use crate::golden;
use crate::second::{Answer, Listed, ask};

fn stage() -> Stage {
    Stage::new(&["n0", "n1"], &[Family::V4, Family::V6], |pod, family| {
        let at = (pod.namespace.as_bytes()[0] - b'x') * 16 + pod.name.as_bytes()[0] - b'a' + 1;
        let text = if family == Family::V4 { format!("10.1.0.{at}") } else { format!("fd00:1::{at:x}") };
        Some(text.parse::<IpAddr>().unwrap())
    })
}

fn flows(world: &World) -> Vec<Flow> {
    let mut flows = Vec::new();
    for from in world.pods.keys() {
        for to in world.pods.keys() {
            for traffic in
                [80, 81].into_iter().flat_map(|port| Protocol::ALL.map(|protocol| Traffic::Port(protocol, port)))
            {
                for family in [Family::V4, Family::V6] {
                    let (from, to) = (Endpoint::Pod(from.clone()), Endpoint::Pod(to.clone()));
                    flows.push(Flow { from, to, traffic, family, via: Via::Address });
                }
            }
        }
    }
    flows
}

#[test]
fn the_list_of_cases() {
    let mut list = String::new();
    for case in cases(&stage()) {
        let tags: Vec<&str> = case.tags.iter().copied().collect();
        writeln!(list, "{} [{}] {}", case.id, tags.join(" "), case.intent).unwrap();
    }
    golden::check("netpol/cases.txt", &list);
}

#[test]
fn ids_are_unique_and_say_no_ordinal() {
    let cases = cases(&stage());
    let ids: BTreeSet<&str> = cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids.len(), cases.len());
    let fine =
        |id: &str| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/-+".contains(&byte));
    assert!(ids.iter().all(|id| fine(id) && id.contains('/')), "{ids:?}");
    assert!(cases.iter().all(|case| !case.intent.is_empty() && !case.intent.contains('\n')));
}

#[test]
fn the_suites_have_their_sizes() {
    let size = |suite, include: &[&str], exclude: &[&str]| {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
        select(cases(&stage()), suite, &own(include), &own(exclude)).map(|cases| cases.len())
    };
    assert_eq!(size(Suite::Quick, &[], &[]), Ok(20));
    assert_eq!(size(Suite::Standard, &[], &[]), Ok(112));
    assert_eq!(size(Suite::Full, &["classic"], &[]), Ok(230));
    assert_eq!(size(Suite::Full, &["target"], &["target/label"]), Ok(5));
    assert_eq!(size(Suite::Quick, &["rule/ingress/deny-all"], &[]), Ok(1));
    assert_eq!(size(Suite::Quick, &[], &["nonsense"]), Err("nonsense".to_owned()));
}

#[test]
fn every_pair_of_dimensions_is_covered() {
    let (stage, all) = (stage(), cases(&stage()));
    let coverage = coverage(&stage, &all);
    println!("{coverage:?} in {} cases", all.iter().filter(|case| case.tags.contains("pairs")).count());
    assert_eq!(coverage.covered, coverage.pairs);
    let fewer: Vec<Case> =
        all.into_iter().filter(|case| !case.tags.contains("pairs") || !case.tags.contains("end-port")).collect();
    assert!(kubectl_cni::netpol::cases::coverage(&stage, &fewer).covered < coverage.pairs);
}

/// What the API server would list after each step, kept by other code than the cases' own.
fn listed_after(stage: &Stage, case: &Case) -> Vec<Listed> {
    let (namespaces, pods) = (stage.world.namespaces.clone(), stage.world.pods.values().cloned().collect());
    let mut listed = Listed { namespaces, pods, ..Listed::default() };
    let mut after = Vec::new();
    for step in &case.steps {
        for action in step {
            apply(&mut listed, action);
        }
        after.push(listed.clone());
    }
    after
}

fn apply(listed: &mut Listed, action: &Action) {
    match action {
        Action::Apply(object) | Action::Delete(object) => {
            let own: Option<NetworkPolicy> = serde_json::from_value(object.clone()).ok();
            listed.policies.retain(|policy| own.as_ref().is_none_or(|own| own.metadata != policy.metadata));
            listed.cluster_policies.retain(|policy: &Value| policy["metadata"] != object["metadata"]);
            match (action, own) {
                (Action::Delete(_), _) => {}
                (_, Some(policy)) => listed.policies.push(policy),
                (_, None) => listed.cluster_policies.push(object.clone()),
            }
        }
        Action::LabelPod(name, labels) => {
            let pod = listed.pods.iter_mut().find(|pod| pod.name == *name).unwrap();
            pod.labels = labels.clone();
        }
        Action::LabelNamespace(name, labels) | Action::CreateNamespace(name, labels) => {
            let mut labels = labels.clone();
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.clone());
            listed.namespaces.insert(name.clone(), labels);
        }
        Action::CreatePod(pod) => listed.pods.push(pod.clone()),
        Action::DeletePod(name) => listed.pods.retain(|pod| pod.name != *name),
        Action::DeleteNamespace(name) => {
            listed.namespaces.remove(name);
            listed.pods.retain(|pod| pod.name.namespace != *name);
        }
    }
}

#[test]
fn the_second_opinion_expects_the_same_of_every_case() {
    let stage = stage();
    let mut cells = 0;
    for case in cases(&stage) {
        let worlds = case.worlds(&stage.world).unwrap();
        for (step, (world, listed)) in worlds.iter().zip(listed_after(&stage, &case)).enumerate() {
            // A debug run takes a sample that moves from case to case; the whole with NETPOL_WORLDS.
            let every = if std::env::var_os("NETPOL_WORLDS").is_some() { 1 } else { 17 };
            for flow in flows(world).into_iter().skip(case.id.len() % every).step_by(every) {
                let expected = match ask(&listed, &flow) {
                    Answer::Yes => matches!(simulate(world, &flow).outcome, Outcome::Allowed),
                    Answer::No => matches!(simulate(world, &flow).outcome, Outcome::Denied),
                    Answer::Open => matches!(simulate(world, &flow).outcome, Outcome::Undefined(_)),
                };
                assert!(expected, "{} step {step}: {flow:?} {:?}", case.id, simulate(world, &flow));
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
}

/// A case whose policies shut nothing in any step can only show that too much is shut; which those are is written down.
#[test]
fn all_but_the_openers_have_a_cell_that_must_be_shut() {
    let stage = stage();
    let mut openers = Vec::new();
    for case in cases(&stage) {
        let shut = |world: &World| flows(world).iter().any(|flow| simulate(world, flow).outcome == Outcome::Denied);
        if !case.worlds(&stage.world).unwrap().iter().any(shut) {
            openers.push(case.id);
        }
    }
    assert_eq!(openers, OPENERS);
}

const OPENERS: [&str; 14] = [
    "conflict/egress/same-side-all",
    "conflict/egress/same-side-by-pod",
    "conflict/ingress/same-side-all",
    "conflict/ingress/same-side-by-pod",
    "pair/ingress/expression/pods-all+namespaces-all/any/pod-labels",
    "pair/ingress/label/namespaces-all/any/none",
    "pair/ingress/label/pods-all+namespaces-all/any/allow-beside",
    "pair/ingress/label/pods-all+namespaces-all/any/delete",
    "pair/ingress/label/pods-all+namespaces-all/any/pod-after-policy",
    "rule/egress/allow-all",
    "rule/ingress/allow-all",
    "tier/admin-pass",
    "tier/rule-order",
    "upstream/allow-all-over-port",
];
