//! Does a NetworkPolicy do what the CNI promises?

use cni_facts::{Enforcement, cluster_enforcement};

use super::{Check, Inputs, Judge, some_of};
use crate::probe::judge::{State, describe};
use crate::probe::plan::{Path, Round};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "policy-not-as-expected",
    section: "Policy",
    title: "a NetworkPolicy shuts a port and opens it again",
    means: "One port of the probe pods is tried, shut by a NetworkPolicy, tried until it is shut everywhere, and opened by removing the policy. \
            Only a port that was open before counts as shut. Where the CNI does not enforce policies, none of the cluster's policies has an effect.",
    remedy: "Not enforced by a CNI that should: look at its agents and its policy settings. Not enforced by a CNI that cannot: NetworkPolicy objects \
             in this cluster protect nothing.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let record = &inputs.recording.policy;
    if !inputs.recording.options.policy {
        return vec![check.result(Verdict::Skip, "left out by --no-policy")];
    }
    if let Some(trouble) = &record.trouble {
        return vec![check.result(Verdict::Unknown, format!("cannot tell: {trouble}"))];
    }
    let of_round = |round: Round| {
        inputs
            .judged
            .iter()
            .filter(move |one| one.probe.round == round && matches!(one.probe.path, Path::Policy { .. }))
    };
    if of_round(Round::PolicyDenied).next().is_none() {
        return vec![check.result(Verdict::Unknown, "cannot tell: no pair of probe pods to try it on")];
    }
    // A port that was not open before proves nothing about the policy.
    let open_before: Vec<_> = of_round(Round::PolicyBefore).filter(|one| one.good()).collect();
    if open_before.is_empty() {
        return vec![check.result(Verdict::Unknown, "cannot tell: the port was not open before the policy")];
    }
    let twin = |before: &crate::probe::judge::Judged, round: Round| {
        of_round(round).find(|one| {
            (one.probe.node, one.probe.path, one.probe.family)
                == (before.probe.node, before.probe.path, before.probe.family)
        })
    };
    let (mut shut, mut open, mut unknown) = (0, Vec::new(), 0);
    let mut stayed_shut = Vec::new();
    for before in &open_before {
        let Some(denied) = twin(before, Round::PolicyDenied) else { continue };
        match denied.state {
            State::Bad(_) => shut += 1,
            State::Good { .. } => open.push(describe(&inputs.recording.topology, denied)),
            State::Unknown(_) => unknown += 1,
        }
        if let Some(after) = twin(before, Round::PolicyAfter).filter(|after| after.bad()) {
            stayed_shut.push(describe(&inputs.recording.topology, after));
        }
    }
    let expected = cluster_enforcement(inputs.detections);
    if unknown > 0 && open.is_empty() {
        return vec![check.result(
            Verdict::Unknown,
            format!("cannot tell: {unknown} of {} pairs could not be tried", open_before.len()),
        )];
    }
    let mut result = if shut == 0 && !open.is_empty() {
        not_enforced(check, inputs, &expected)
    } else if !open.is_empty() {
        let mut result = check.result(
            Verdict::Fail,
            format!("enforced on some paths only: {} of {} stayed open", open.len(), open_before.len()),
        );
        result.evidence = open.into_iter().take(4).collect();
        result
    } else if !stayed_shut.is_empty() {
        let mut result = check.result(
            Verdict::Fail,
            format!("{} of {} paths stayed shut after the policy was removed", stayed_shut.len(), open_before.len()),
        );
        result.evidence = stayed_shut.into_iter().take(4).collect();
        result
    } else {
        let took = |ms: Option<u64>| ms.map_or("?".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1000.0));
        check.result(
            Verdict::Pass,
            format!("enforced: shut after {}, open again after {}", took(record.shut_ms), took(record.open_ms)),
        )
    };
    if result.verdict == Verdict::Pass && expected == Enforcement::DoesNot {
        result.verdict = Verdict::Note;
        result.detail.push_str(", although this CNI is not known to enforce policies: something else does");
    }
    vec![result]
}

fn not_enforced(check: &Check, inputs: &Inputs<'_>, expected: &Enforcement) -> CheckResult {
    let waited =
        format!("not enforced: the port stayed open for {:.1} s", inputs.recording.policy.waited_ms as f64 / 1000.0);
    match expected {
        Enforcement::Enforces => check.result(Verdict::Fail, format!("{waited}, although this CNI enforces policies")),
        Enforcement::DoesNot | Enforcement::Depends(_) => {
            let why = match expected {
                Enforcement::Depends(why) if !why.is_empty() => format!("; what decides: {why}"),
                Enforcement::DoesNot => "; as expected of this CNI".to_owned(),
                _ => String::new(),
            };
            match &inputs.recording.snapshot.network_policies {
                Ok(policies) if policies.is_empty() => check.result(Verdict::Note, format!("{waited}{why}")),
                Ok(policies) => {
                    let detail = format!(
                        "{waited}{why}; yet there are {} that protect nothing: {}",
                        super::count(policies.len(), "NetworkPolicy object"),
                        some_of(policies, 3)
                    );
                    check.result(Verdict::Warn, detail)
                }
                Err(missing) => check.result(
                    Verdict::Unknown,
                    format!("{waited}{why}; whether policies rely on it is unknown: {missing}"),
                ),
            }
        }
    }
}
