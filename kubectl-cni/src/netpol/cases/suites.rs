//! Which cases are run: three suites, and choice by tag or id.

use super::Case;

/// A set of cases with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// About twenty cases that between them touch every feature.
    Quick,
    /// What cyclonus runs by default: the classic cases but for two peers in one list, port ranges, namespaces by name, and examples.
    Standard,
    /// Everything.
    Full,
}

impl Suite {
    fn has(self, case: &Case) -> bool {
        const BEYOND: [&str; 5] = ["multi-peer", "upstream", "end-port", "namespace-name", "example"];
        match self {
            Suite::Quick => case.tags.contains("quick"),
            Suite::Standard => case.tags.contains("classic") && !BEYOND.iter().any(|tag| case.tags.contains(tag)),
            Suite::Full => true,
        }
    }
}

/// The cases of a suite that are included and not excluded, by tag or id: with includes, those of *all* cases that have one of them.
///
/// # Errors
/// The first of the words that is neither a tag nor an id of any case.
pub fn select(cases: Vec<Case>, suite: Suite, include: &[String], exclude: &[String]) -> Result<Vec<Case>, String> {
    let is = |case: &Case, word: &String| case.id == *word || case.tags.contains(word.as_str());
    if let Some(word) = include.iter().chain(exclude).find(|word| !cases.iter().any(|case| is(case, word))) {
        return Err(word.clone());
    }
    let included = |case: &Case| match include {
        [] => suite.has(case),
        words => words.iter().any(|word| is(case, word)),
    };
    let chosen = |case: &Case| included(case) && !exclude.iter().any(|word| is(case, word));
    Ok(cases.into_iter().filter(chosen).collect())
}

const QUICK: [&str; 20] = [
    "action/namespace-labels",
    "action/pod-create-delete",
    "action/pod-labels",
    "action/policy-delete",
    "action/policy-update",
    "conflict/egress/other-side-by-pod",
    "conflict/ingress/same-side-by-pod",
    "peers/egress/block-except",
    "peers/egress/pods-some+namespaces-some",
    "peers/ingress/block-except",
    "peers/ingress/namespaces-some",
    "peers/ingress/pods-some+namespaces-some",
    "ports/egress/serve-81-tcp",
    "ports/ingress/serve-80-udp",
    "ports/ingress/tcp-53-to-80",
    "ports/ingress/udp-81",
    "rule/egress/deny-all",
    "rule/ingress/allow-all",
    "rule/ingress/deny-all",
    "upstream/namespace-not-in",
];

/// Marks the cases of the quick suite.
pub(super) fn mark_quick(cases: &mut [Case]) {
    for case in cases.iter_mut().filter(|case| QUICK.contains(&case.id.as_str())) {
        case.tags.insert("quick");
    }
}
