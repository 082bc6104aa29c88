//! The simulator and the second opinion, side by side on generated worlds.

use kubectl_cni::netpol::explain::explain;
use kubectl_cni::netpol::simulate::{Outcome, simulate};

use crate::dice::Dice;
use crate::second::{Answer, ask};
use crate::worlds::{flow, lowered, world};

/// Worlds per run: as many as the environment says, else few enough for every run.
pub(crate) fn worlds() -> u64 {
    std::env::var("NETPOL_WORLDS").map_or(2_000, |number| number.parse().unwrap())
}

#[test]
fn both_say_the_same_of_every_connection() {
    let mut seen = [0_u64; 3];
    for seed in 0..worlds() {
        let mut dice = Dice::new(seed);
        let mut listed = world(&mut dice);
        // A BaselineAdminNetworkPolicy has one name, so there is one.
        let mut names = std::collections::BTreeSet::new();
        listed.cluster_policies.retain(|policy| names.insert(policy["metadata"]["name"].to_string()));
        let world = lowered(&listed);
        for _ in 0..12 {
            let flow = flow(&mut dice, &listed);
            let decision = simulate(&world, &flow);
            let (slot, expected) = match ask(&listed, &flow) {
                Answer::Yes => (0, decision.outcome == Outcome::Allowed),
                Answer::No => (1, decision.outcome == Outcome::Denied),
                Answer::Open => (2, matches!(decision.outcome, Outcome::Undefined(_))),
            };
            seen[slot] += 1;
            assert!(
                expected,
                "seed {seed}: {flow:?}\nsimulated {}\nsecond opinion number {slot} (yes, no, open)\n{world:#?}",
                explain(&decision)
            );
        }
    }
    println!("allowed, denied, undefined: {seen:?}");
    let all: u64 = seen.iter().sum();
    assert!(seen.iter().all(|number| number * 20 > all), "the worlds are too dull to prove anything: {seen:?}");
}
