//! What to expect of a NetworkPolicy: a CNI's facts and what was seen of it in, one of three answers out.

use std::collections::BTreeSet;

use crate::detect::Detection;
use crate::schema::{Cni, Expect, PolicyCondition, WorkloadKind};

/// What to expect of a NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// It is enforced.
    Enforces,
    /// It has no effect.
    DoesNot,
    /// It cannot be told from what was read; the text says what decides.
    Depends(String),
}

/// What to expect in a cluster with these CNIs: one that enforces is enough.
///
/// Without any detection it depends, since an unknown CNI may enforce or not.
pub fn cluster_enforcement(detections: &[Detection]) -> Enforcement {
    if detections.iter().any(|detection| detection.enforcement == Enforcement::Enforces) {
        return Enforcement::Enforces;
    }
    if let Some(open) = detections.iter().find(|detection| matches!(detection.enforcement, Enforcement::Depends(_))) {
        return open.enforcement.clone();
    }
    // A meta CNI enforces nothing and says nothing about the one that it calls.
    if detections.iter().all(|detection| detection.role == crate::Role::Meta) {
        return Enforcement::Depends("the main CNI is not known".to_owned());
    }
    Enforcement::DoesNot
}

/// What of a detection the policy conditions look at.
pub(crate) struct Seen<'a> {
    pub(crate) version: Option<&'a str>,
    /// Containers of the agents; `None` when there is no DaemonSet to look into.
    pub(crate) containers: Option<BTreeSet<&'a str>>,
    pub(crate) companions: BTreeSet<&'a str>,
    pub(crate) daemonsets_read: bool,
    pub(crate) deployments_read: bool,
    pub(crate) embedded: bool,
}

/// The expectation and the note that goes with it.
pub(crate) fn expected(cni: &Cni, seen: &Seen<'_>) -> (Enforcement, Option<String>) {
    let policy = &cni.network_policy;
    let note = policy.note.clone();
    let mut result = (answer(policy.expect, note.as_deref().unwrap_or_default()), note);
    // From the last rule to the first: an earlier one that holds overrides what follows it, and one that is open only
    // leaves things as they are when it would say the same.
    for rule in policy.rules.iter().rev() {
        let own = answer(rule.expect, &rule.note);
        match holds(cni, &rule.condition, seen) {
            Some(true) => result = (own, Some(rule.note.clone())),
            Some(false) => {}
            None if own == result.0 => {}
            None => {
                let why = policy.note.clone().unwrap_or_else(|| rule.note.clone());
                result = (Enforcement::Depends(why.clone()), Some(why));
            }
        }
    }
    result
}

fn answer(expect: Expect, note: &str) -> Enforcement {
    match expect {
        Expect::Enforces => Enforcement::Enforces,
        Expect::DoesNot => Enforcement::DoesNot,
        Expect::Depends => Enforcement::Depends(note.to_owned()),
    }
}

/// Whether everything that the condition gives is so; `None` when that is open.
fn holds(cni: &Cni, condition: &PolicyCondition, seen: &Seen<'_>) -> Option<bool> {
    let has = |name: &String| seen.containers.as_ref().map(|containers| containers.contains(name.as_str()));
    let below = |version: &String| seen.version.map(|seen| numbers(seen) < numbers(version));
    let parts = [
        condition.embedded.map(|wanted| Some(seen.embedded == wanted)),
        condition.container.as_ref().map(has),
        condition.without_container.as_ref().map(|name| has(name).map(|has| !has)),
        condition.companion.as_ref().map(|name| companion(cni, name, seen)),
        condition.from.as_ref().map(|version| below(version).map(|below| !below)),
        condition.below.as_ref().map(below),
    ];
    let given: Vec<Option<bool>> = parts.into_iter().flatten().collect();
    if given.contains(&Some(false)) {
        Some(false)
    } else if given.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn companion(cni: &Cni, name: &str, seen: &Seen<'_>) -> Option<bool> {
    if seen.companions.contains(name) {
        return Some(true);
    }
    let rule = cni.detect.companions.iter().find(|rule| rule.name == name);
    let read = match rule.map(|rule| rule.kind) {
        Some(WorkloadKind::Daemonset) => seen.daemonsets_read,
        Some(WorkloadKind::Deployment) => seen.deployments_read,
        None => true,
    };
    read.then_some(false)
}

/// The leading numbers of a version, for comparing: `1.14.0` and `20240813-c6f155d6` alike.
fn numbers(version: &str) -> Vec<u64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').filter_map(|part| part.parse().ok()).collect()
}
