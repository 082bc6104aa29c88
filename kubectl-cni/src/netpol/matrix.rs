//! Who may talk to whom, for every ordered pair of pods at once. Pods that no policy can tell apart are one class, so ten thousand pods cost as
//! much as their few hundred kinds.
//!
//! Left out: pods in their node's network, whose answers depend on the node of the other end. They are listed, to be asked with
//! [`super::simulate::simulate`].

mod classes;

use super::model::{Direction, Policy, Rule, TierRule};
use super::simulate::party::{self, Match, Party};
use super::simulate::side::{Among, Applied, Side};
use super::simulate::{Outcome, combined};
use super::world::{Pod, PodName, Traffic, World};
use crate::probe::topology::Family;

pub use classes::Class;

/// The answers for one kind of traffic between pods called by their own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// The classes; together they hold every pod that has an own network.
    pub classes: Vec<Class>,
    /// Pods in their node's network, which are in no class.
    pub host_network: Vec<PodName>,
    /// What each class gets from each, row by row.
    outcomes: Vec<Outcome>,
}

impl Matrix {
    /// The answer from any pod of one class to any *other* pod of another (or the same): classes by their place in `classes`.
    /// A pod can always reach itself.
    pub fn outcome(&self, from: usize, to: usize) -> Outcome {
        self.outcomes[from * self.classes.len() + to]
    }
}

/// Works the matrix out.
pub fn matrix(world: &World, traffic: Traffic, family: Family) -> Matrix {
    let (classes, host_network) = classes::classes(world, family);
    let pods: Vec<&Pod> = classes.iter().filter_map(|class| world.pods.get(&class.pods[0])).collect();
    let parties: Vec<Party<'_>> = pods
        .iter()
        .map(|pod| Party { pod: Some(pod), host_of: None, address: pod.address(family), own: true })
        .collect();
    let [ingress, egress] = Direction::BOTH.map(|direction| Table::fill(world, direction, &parties));
    let [into, out_of] = Direction::BOTH
        .map(|direction| pods.iter().map(|pod| Applied::to(world, pod, direction)).collect::<Vec<Applied<'_>>>());
    let mut outcomes = Vec::with_capacity(pods.len() * pods.len());
    for (from, leaving) in out_of.iter().enumerate() {
        for (to, entering) in into.iter().enumerate() {
            let side = |applied, direction, table, other| {
                let (target, own_node) = (Some(pods[to]), false);
                Side { applied, direction, among: Known { table, other }, traffic, target, own_node }.decide().outcome
            };
            let sides =
                [side(leaving, Direction::Egress, &egress, to), side(entering, Direction::Ingress, &ingress, from)];
            outcomes.push(combined(sides.into_iter()));
        }
    }
    Matrix { classes, host_network, outcomes }
}

/// For every rule of a direction, whether each class is among its peers.
struct Table {
    rules: Vec<Vec<Vec<Match>>>,
    tiers: Vec<Vec<Vec<Match>>>,
}

impl Table {
    fn fill(world: &World, direction: Direction, parties: &[Party<'_>]) -> Table {
        let rule = |policy: &Policy, rule: &Rule| {
            parties.iter().map(|party| party::peers(world, &policy.namespace, &rule.peers, party)).collect()
        };
        let tier = |rule: &TierRule| parties.iter().map(|party| party::tier_peers(world, &rule.peers, party)).collect();
        let rules = world
            .policies
            .values()
            .map(|policy| policy.rules(direction).into_iter().flatten().map(|found| rule(policy, found)).collect());
        let tiers = world.tiers.values().map(|policy| policy.rules(direction).iter().map(tier).collect());
        Table { rules: rules.collect(), tiers: tiers.collect() }
    }
}

/// Has looked before.
struct Known<'a> {
    table: &'a Table,
    other: usize,
}

impl Among for Known<'_> {
    fn rule(&self, at: usize, _: &Policy, number: usize, _: &Rule) -> Match {
        self.table.rules[at][number][self.other]
    }

    fn tier(&self, at: usize, number: usize, _: &TierRule) -> Match {
        self.table.tiers[at][number][self.other]
    }
}
