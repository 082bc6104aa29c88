//! What must hold whatever the input.

use kubectl_cni::netpol::lower::cluster_policy::cluster_policy;
use kubectl_cni::netpol::lower::network_policy::network_policy;
use kubectl_cni::netpol::matrix::matrix;
use kubectl_cni::netpol::model::{Direction, Peers, Ports, Rule};
use kubectl_cni::netpol::simulate::{Outcome, simulate};
use kubectl_cni::netpol::world::{Endpoint, Flow, Traffic, Via};
use kubectl_cni::probe::topology::Family;
use serde_json::{Value, json};

use crate::agreement::worlds;
use crate::dice::Dice;
use crate::worlds::{flow, lowered, rule, world};

fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Denied => 0,
        Outcome::Undefined(_) => 1,
        Outcome::Allowed => 2,
    }
}

#[test]
fn adding_an_allow_rule_never_removes_a_flow() {
    let mut gained = 0;
    for seed in 0..worlds() / 4 {
        let mut dice = Dice::new(seed);
        let mut listed = world(&mut dice);
        let before = lowered(&listed);
        let Some(policy) = listed.policies.first_mut() else { continue };
        let spec = policy.spec.as_mut().unwrap();
        // A rule in a direction the policy did not speak of would isolate, which is not "adding an allow rule".
        if !spec.egress.as_ref().is_none_or(Vec::is_empty) {
            spec.egress.as_mut().unwrap().push(serde_json::from_value(rule(&mut dice, "to")).unwrap());
        }
        spec.ingress.get_or_insert_default().push(serde_json::from_value(rule(&mut dice, "from")).unwrap());
        let after = lowered(&listed);
        for _ in 0..20 {
            let flow = flow(&mut dice, &listed);
            let (old, new) = (simulate(&before, &flow).outcome, simulate(&after, &flow).outcome);
            assert!(rank(new) >= rank(old), "seed {seed}: {old:?} became {new:?} for {flow:?}");
            gained += usize::from(rank(new) > rank(old));
        }
    }
    assert!(gained > 0, "no rule ever opened anything");
}

#[test]
fn order_never_matters() {
    for seed in 0..worlds() / 4 {
        let mut dice = Dice::new(seed);
        let listed = world(&mut dice);
        let mut mixed = listed.clone();
        dice.shuffle(&mut mixed.policies);
        dice.shuffle(&mut mixed.cluster_policies);
        dice.shuffle(&mut mixed.pods);
        let before = lowered(&listed);
        let mut after = lowered(&mixed);
        for policy in after.policies.values_mut() {
            for rules in [&mut policy.ingress, &mut policy.egress].into_iter().flatten() {
                dice.shuffle(rules);
                for Rule { peers, ports } in rules {
                    if let Peers::AnyOf(peers) = peers {
                        dice.shuffle(peers);
                    }
                    if let Ports::AnyOf(ports) = ports {
                        dice.shuffle(ports);
                    }
                }
            }
        }
        for _ in 0..20 {
            let flow = flow(&mut dice, &listed);
            assert_eq!(simulate(&before, &flow).outcome, simulate(&after, &flow).outcome, "seed {seed}: {flow:?}");
        }
    }
}

#[test]
fn the_matrix_says_what_the_simulator_says_of_every_pair() {
    let mut shared = 0;
    for seed in 0..worlds() / 8 {
        let mut dice = Dice::new(seed);
        let mut listed = world(&mut dice);
        for at in 0..listed.pods.len() {
            let mut twin = listed.pods[at].clone();
            twin.name.name.push_str("-twin");
            listed.pods.push(twin);
        }
        let world = lowered(&listed);
        let traffic = flow(&mut dice, &listed).traffic;
        let matrix = matrix(&world, traffic, Family::V4);
        let places: Vec<_> = matrix
            .classes
            .iter()
            .enumerate()
            .flat_map(|(at, class)| class.pods.iter().map(move |pod| (at, pod)))
            .collect();
        assert_eq!(places.len() + matrix.host_network.len(), world.pods.len());
        shared += places.len() - matrix.classes.len();
        for (from, source) in &places {
            for (to, destination) in &places {
                let (from_end, to_end) = (Endpoint::Pod((*source).clone()), Endpoint::Pod((*destination).clone()));
                let flow = Flow { from: from_end, to: to_end, traffic, family: Family::V4, via: Via::Address };
                if source != destination {
                    assert_eq!(matrix.outcome(*from, *to), simulate(&world, &flow).outcome, "seed {seed}: {flow:?}");
                }
            }
        }
    }
    assert!(shared > 0, "no two pods ever shared a class");
}

/// Whatever decodes is understood or refused, and can be simulated with.
#[test]
fn no_decodable_object_is_too_odd() {
    let mut odd = 0;
    for seed in 0..worlds() {
        let mut dice = Dice::new(seed);
        let listed = world(&mut dice);
        let mut cluster = lowered(&listed);
        for policy in &listed.policies {
            let mut value = serde_json::to_value(policy).unwrap();
            spoil(&mut dice, &mut value["spec"]);
            let Ok(policy) = serde_json::from_value(value) else { continue };
            let (policy, notes) = network_policy(&policy).unwrap();
            odd += notes.len();
            for direction in Direction::BOTH {
                assert!(policy.rules(direction).is_none_or(|rules| rules.len() < 100));
            }
            cluster.add_policy(policy);
        }
        for policy in &listed.cluster_policies {
            let mut value = policy.clone();
            spoil(&mut dice, &mut value["spec"]);
            if let Ok((policy, notes)) = cluster_policy(&value) {
                odd += notes.len();
                cluster.add_tier(policy);
            }
        }
        for _ in 0..4 {
            let flow = flow(&mut dice, &listed);
            simulate(&cluster, &flow);
            matrix(&cluster, Traffic::Other, flow.family);
        }
    }
    assert!(odd > 0, "nothing odd was ever made");
}

/// Puts other things where some leaves and branches were.
fn spoil(dice: &mut Dice, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|field| spoil(dice, field)),
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(dice, item)),
        Value::String(text) if dice.once_in(4) => {
            *text = (*dice.of(&["", "Like", "1/2/3", "::/129", "1.2.3.4/33", "-1", "ICMP", "In", "é"])).to_owned();
        }
        Value::Number(number) if dice.once_in(4) => *number = (*dice.of(&[0, -1, 65536, 1])).into(),
        _ => {}
    }
    if dice.once_in(40) {
        *value = dice.of(&[json!({}), json!([]), json!(null), json!([{}]), json!("")]).clone();
    }
}
