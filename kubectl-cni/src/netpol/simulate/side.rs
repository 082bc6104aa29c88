//! One pod, one direction, one party at the other end: what the policies that select the pod say, in the order of the tiers.

use super::party::{self, Match, Party};
use super::why::Why;
use crate::netpol::model::{Action, Direction, Policy, Rule, Tier, TierPolicy, TierRule};
use crate::netpol::world::{Pod, Traffic, World};

/// Allowed, denied, or left open by the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Must not get through.
    Denied,
    /// The API does not say.
    Undefined(Why),
    /// Must get through.
    Allowed,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By<'w> {
    /// Nothing selects the pod in this direction, or nothing that does matches.
    Default,
    /// NetworkPolicies isolate the pod (the first of them by name), and none of their rules matches.
    Isolation(&'w Policy),
    /// A rule of a NetworkPolicy.
    Rule(&'w Policy, usize),
    /// A rule of a cluster-wide policy.
    Tier(&'w TierPolicy, usize, &'w TierRule),
    /// The pod's own node, whatever NetworkPolicies say.
    OwnNode,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Ruling<'w> {
    pub outcome: Outcome,
    pub by: By<'w>,
}

/// The policies that apply to a pod in one direction. `usize` is the place of the policy in its list of the [`World`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Applied<'w> {
    admin: Vec<(usize, &'w TierPolicy)>,
    policies: Vec<(usize, &'w Policy)>,
    baseline: Vec<(usize, &'w TierPolicy)>,
    /// Whether a NetworkPolicy isolates the pod in the other direction.
    isolated_otherwise: bool,
}

impl<'w> Applied<'w> {
    pub(crate) fn to(world: &'w World, pod: &Pod, direction: Direction) -> Applied<'w> {
        let mut applied = Applied::default();
        for (at, policy) in world.policies.values().enumerate() {
            if policy.namespace != pod.name.namespace || !policy.subject.matches(&pod.labels) {
                continue;
            }
            if policy.rules(direction).is_some() {
                applied.policies.push((at, policy));
            }
            applied.isolated_otherwise |= policy.rules(direction.other()).is_some();
        }
        let labels = world.namespaces.get(&pod.name.namespace);
        for (at, policy) in world.tiers.values().enumerate() {
            let selected = !pod.host_network
                && labels.is_some_and(|labels| policy.namespaces.matches(labels))
                && policy.pods.matches(&pod.labels);
            match policy.tier {
                _ if !selected || policy.rules(direction).is_empty() => {}
                Tier::Admin => applied.admin.push((at, policy)),
                Tier::Baseline => applied.baseline.push((at, policy)),
            }
        }
        applied.admin.sort_by_key(|(_, policy)| policy.priority);
        applied.baseline.sort_by_key(|(_, policy)| policy.priority);
        applied
    }
}

/// Where the answer "is the other end among the peers of this rule" comes from: the simulator looks, the matrix has looked before.
pub(crate) trait Among {
    fn rule(&self, at: usize, policy: &Policy, number: usize, rule: &Rule) -> Match;
    fn tier(&self, at: usize, number: usize, rule: &TierRule) -> Match;
}

/// Looks.
pub(crate) struct Look<'w, 'p> {
    pub world: &'w World,
    pub party: &'p Party<'w>,
}

impl Among for Look<'_, '_> {
    fn rule(&self, _: usize, policy: &Policy, _: usize, rule: &Rule) -> Match {
        party::peers(self.world, &policy.namespace, &rule.peers, self.party)
    }

    fn tier(&self, _: usize, _: usize, rule: &TierRule) -> Match {
        party::tier_peers(self.world, &rule.peers, self.party)
    }
}

/// A question to one pod's policies.
pub(crate) struct Side<'w, 'a, A> {
    pub applied: &'a Applied<'w>,
    pub direction: Direction,
    pub among: A,
    pub traffic: Traffic,
    /// The destination, where it is a pod.
    pub target: Option<&'a Pod>,
    /// Whether the other end is the pod's own node.
    pub own_node: bool,
}

impl<'w, A: Among> Side<'w, '_, A> {
    /// Admin tier, NetworkPolicy, Baseline tier, allowed: the first that has something to say.
    pub(crate) fn decide(&self) -> Ruling<'w> {
        let ruling = self.tier(&self.applied.admin, &|| self.below_admin());
        match (ruling.outcome, self.own_node) {
            (Outcome::Denied, true) => Ruling { outcome: Outcome::Undefined(Why::OwnNode), by: ruling.by },
            _ => ruling,
        }
    }

    fn below_admin(&self) -> Ruling<'w> {
        if !self.applied.policies.is_empty() {
            return self.network_policies();
        }
        let allowed = Ruling { outcome: Outcome::Allowed, by: By::Default };
        let baseline = self.tier(&self.applied.baseline, &|| allowed);
        if self.applied.isolated_otherwise {
            return agreed(baseline, allowed, Why::BaselineOfHalfIsolated);
        }
        baseline
    }

    fn network_policies(&self) -> Ruling<'w> {
        let by = By::Isolation(self.applied.policies[0].1);
        if self.own_node {
            return Ruling { outcome: Outcome::Allowed, by: By::OwnNode };
        }
        if self.traffic == Traffic::Other {
            return Ruling { outcome: Outcome::Undefined(Why::OtherProtocol), by };
        }
        let mut best = Ruling { outcome: Outcome::Denied, by };
        for (at, policy) in &self.applied.policies {
            for (number, rule) in policy.rules(self.direction).into_iter().flatten().enumerate() {
                if !party::ports(&rule.ports, self.traffic, self.target) {
                    continue;
                }
                let outcome = match self.among.rule(*at, policy, number, rule) {
                    Match::No => continue,
                    Match::Open(why) => Outcome::Undefined(why),
                    Match::Yes => return Ruling { outcome: Outcome::Allowed, by: By::Rule(policy, number) },
                };
                if outcome > best.outcome {
                    best = Ruling { outcome, by: By::Rule(policy, number) };
                }
            }
        }
        best
    }

    /// A tier, by groups of equal priority: every first match that is possible is followed up, and the outcomes must agree.
    fn tier(&self, policies: &[(usize, &'w TierPolicy)], next: &dyn Fn() -> Ruling<'w>) -> Ruling<'w> {
        let Some((_, first)) = policies.first() else { return next() };
        let equal = policies.iter().take_while(|(_, policy)| policy.priority == first.priority).count();
        let (group, rest) = policies.split_at(equal);
        // That no policy of the group matches is possible if it is for each of them.
        let mut falls_through = true;
        let mut open = None;
        let mut ruling = None;
        let mut follow = |next: Ruling<'w>, why: Why| {
            ruling = Some(match ruling {
                None => next,
                Some(before) => agreed(before, next, why),
            });
        };
        for (at, policy) in group {
            let mut certain = false;
            for (number, rule) in policy.rules(self.direction).iter().enumerate() {
                if !self.tier_ports(rule) {
                    continue;
                }
                match self.among.tier(*at, number, rule) {
                    Match::No => continue,
                    Match::Open(why) => open = Some(why),
                    Match::Yes => certain = true,
                }
                let by = By::Tier(policy, number, rule);
                let found = match rule.action {
                    Action::Accept => Ruling { outcome: Outcome::Allowed, by },
                    Action::Deny => Ruling { outcome: Outcome::Denied, by },
                    Action::Pass => next(),
                };
                follow(found, open.unwrap_or(Why::PriorityTie));
                if certain {
                    break;
                }
            }
            falls_through &= !certain;
        }
        if falls_through {
            follow(self.tier(rest, next), open.unwrap_or(Why::PriorityTie));
        }
        ruling.unwrap_or_else(next)
    }

    fn tier_ports(&self, rule: &TierRule) -> bool {
        party::ports(&rule.ports, self.traffic, self.target.filter(|pod| !pod.host_network))
    }
}

/// Two readings of one connection: what they agree on, else undefined.
pub(crate) fn agreed<'w>(one: Ruling<'w>, other: Ruling<'w>, why: Why) -> Ruling<'w> {
    match (one.outcome, other.outcome) {
        (Outcome::Undefined(_), _) => one,
        (_, Outcome::Undefined(_)) => other,
        (a, b) if a == b => one,
        _ => Ruling {
            outcome: Outcome::Undefined(why),
            by: if one.outcome == Outcome::Denied { one.by } else { other.by },
        },
    }
}
