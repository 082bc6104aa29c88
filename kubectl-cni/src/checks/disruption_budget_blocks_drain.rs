//! Would a drain of a node hang?

use k8s_openapi::api::policy::v1::PodDisruptionBudget;

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "disruption-budget-blocks-drain",
    section: "Ways to get stuck",
    title: "no disruption budget stands against a drain",
    means: "A rollout of a DaemonSet does not heed disruption budgets, a drain does: where the procedure drains or reboots nodes, a budget that allows no \
            disruption makes it wait for ever.",
    remedy: "Only if you drain: add a replica to the workloads that are named, or change the budget for the time of the work.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let budgets = match &upgrade.survey.budgets {
        Ok(budgets) => budgets,
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let shut = |budget: &&PodDisruptionBudget| {
        budget.status.as_ref().is_some_and(|status| status.disruptions_allowed == 0 && status.expected_pods > 0)
    };
    let names: Vec<String> = budgets
        .iter()
        .filter(shut)
        .map(|budget| {
            let meta = &budget.metadata;
            format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
        })
        .collect();
    if names.is_empty() {
        return vec![check.result(Verdict::Pass, count(budgets.len(), "budget"))];
    }
    let mut result =
        check.result(Verdict::Note, format!("no disruption allowed at the moment by {}", some_of(&names, 3)));
    result.title = "disruption budgets that a drain would wait for".to_owned();
    vec![result]
}
