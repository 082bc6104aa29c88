//! Is the step one that the project supports?

use cni_facts::{Direction, Unsupported};

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "upgrade-path-unsupported",
    section: "Version step",
    title: "the project supports this step",
    means: "Projects test upgrades over a limited number of minors. A longer way has stops: each of them is an upgrade of its own, with its own rules. A \
            step back, or out of maintenance, is one that nobody tests.",
    remedy: "Go by the path that is shown, and finish each stop (agents ready, `kubectl cni verify`) before the next.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let step = match &upgrade.step {
        None => return Vec::new(),
        Some(Err(why)) => return vec![check.result(Verdict::Unknown, why.clone())],
        Some(Ok(step)) => step,
    };
    let mut results = Vec::new();
    let path = std::iter::once(step.from.to_string()).chain(step.hops.iter().map(|hop| hop.to.to_string()));
    let path = path.collect::<Vec<_>>().join(" → ");
    match step.direction {
        Direction::Same => results.push(check.result(Verdict::Note, format!("{} runs already", step.to))),
        Direction::Down => {
            let detail =
                format!("{} → {} is a step back, and rules are known for steps forward only", step.from, step.to);
            results.push(check.result(Verdict::Warn, detail));
        }
        Direction::Up => {}
    }
    for one in &step.unsupported {
        let verdict = match one {
            Unsupported::HopTooBig { .. } | Unsupported::MajorVersion | Unsupported::FromTooOld { .. } => Verdict::Fail,
            Unsupported::TargetEol => Verdict::Warn,
            Unsupported::TargetUnlisted | Unsupported::NoRules => Verdict::Unknown,
        };
        let mut result = check.result(verdict, one.to_string());
        let support = upgrade.seen.facts.support(step.cni());
        let source = support.map(|support| support.policy.source.clone()).unwrap_or_default();
        let expected = if matches!(one, Unsupported::HopTooBig { .. }) { path.clone() } else { String::new() };
        result.finding =
            Some(super::finding(&result, &format!("{} → {}", step.from, step.to), &expected, check.means, &source));
        results.push(result);
    }
    if results.is_empty() {
        results.push(check.result(Verdict::Pass, path));
    }
    results
}
