//! How many probes needed another try?

use super::{Check, Inputs, Judge, some_of};
use crate::probe::judge::{State, describe};
use crate::probe::plan::Round;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "probes-lost-at-first",
    section: "Run",
    title: "probes that worked did so at the first try",
    means: "A probe that does not come back is tried again, since one lost packet is not an outage. Such probes count as working, and are shown here \
            so that loss is not hidden. More than one in fifty is a warning.",
    remedy: "Run again. If the same nodes show up, look for packet loss on their links: ip -s link, ethtool -S.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let counted = |round: Round| matches!(round, Round::Pods | Round::Services);
    let good = inputs.judged.iter().filter(|one| one.good() && counted(one.probe.round)).count();
    let retried: Vec<String> = inputs
        .judged
        .iter()
        .filter(|one| matches!(one.state, State::Good { tries } if tries > 1) && counted(one.probe.round))
        .map(|one| describe(&inputs.recording.topology, one))
        .collect();
    if good == 0 {
        return Vec::new();
    }
    if retried.is_empty() {
        return vec![check.result(Verdict::Pass, "")];
    }
    let verdict = if retried.len() * 50 > good { Verdict::Warn } else { Verdict::Note };
    let mut result = check.result(verdict, format!("{} of {good} needed another try", retried.len()));
    result.evidence = vec![some_of(&retried, 3)];
    vec![result]
}
