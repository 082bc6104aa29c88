//! The checks of `verify`: a [`Recording`] in, sections of results out. One check, one file, named after its id; the checks that count probes of
//! one kind differ only in which, so they share [`paths`].

mod agent_not_ready;
mod agent_restarted;
mod agent_rollout_unfinished;
mod agent_self_report;
mod agent_version_skew;
mod cni_object_unhealthy;
mod cni_unknown;
mod foreign_policy_on_probes;
mod kubelet_cannot_reach_pod;
mod node_left_out;
mod node_network_unavailable;
mod node_not_ready;
pub mod paths;
mod permission_missing;
mod pod_source_rewritten;
mod policy_not_as_expected;
mod probe_pod_not_started;
mod prober_late;
mod probes_lost_at_first;
mod service_backend_unseen;

use cni_facts::{Detection, Facts};

use crate::probe::diagnose::Diagnosis;
use crate::probe::judge::Judged;
use crate::recording::Recording;
use crate::report::{CheckResult, Section, Verdict};

/// What a check may look at.
pub struct Inputs<'a> {
    /// Everything gathered and observed.
    pub recording: &'a Recording,
    /// Knowledge of CNIs.
    pub facts: &'a Facts,
    /// What runs here.
    pub detections: &'a [Detection],
    /// One state per probe.
    pub judged: &'a [Judged],
    /// Causes of the failures.
    pub diagnosis: &'a Diagnosis,
}

/// A check: what it asks, why, and what to do about it.
pub struct Check {
    /// Frozen once released; names the problem.
    pub id: &'static str,
    /// Heading it stands under.
    pub section: &'static str,
    /// What is asked, as it reads in the report.
    pub title: &'static str,
    /// What the outcome means.
    pub means: &'static str,
    /// What to do when it fails.
    pub remedy: &'static str,
    /// Judges. More than one result where families are told apart; none where the question does not arise.
    pub run: fn(&Check, &Inputs<'_>) -> Vec<CheckResult>,
}

/// All checks, in the order they are printed.
pub fn all() -> Vec<&'static Check> {
    let mut checks = vec![
        &permission_missing::CHECK,
        &cni_unknown::CHECK,
        &agent_not_ready::CHECK,
        &agent_restarted::CHECK,
        &agent_version_skew::CHECK,
        &agent_rollout_unfinished::CHECK,
        &cni_object_unhealthy::CHECK,
        &agent_self_report::CHECK,
        &node_left_out::CHECK,
        &node_not_ready::CHECK,
        &node_network_unavailable::CHECK,
        &probe_pod_not_started::CHECK,
        &kubelet_cannot_reach_pod::CHECK,
    ];
    for check in &paths::CHECKS {
        checks.push(check);
        // Questions about the same packets stand together.
        match check.id {
            "large-packets-lost" => checks.push(&pod_source_rewritten::CHECK),
            "cluster-ip-broken" => checks.push(&service_backend_unseen::CHECK),
            _ => {}
        }
    }
    checks.extend([
        &policy_not_as_expected::CHECK,
        &foreign_policy_on_probes::CHECK,
        &probes_lost_at_first::CHECK,
        &prober_late::CHECK,
    ]);
    checks
}

/// Runs every check and groups the results under their headings.
pub fn run_all(inputs: &Inputs<'_>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for check in all() {
        let results = (check.run)(check, inputs);
        match sections.iter_mut().find(|section| section.title == check.section) {
            Some(section) => section.checks.extend(results),
            None if results.is_empty() => {}
            None => sections.push(Section { title: check.section, checks: results }),
        }
    }
    sections
}

impl Check {
    fn result(&self, verdict: Verdict, detail: impl Into<String>) -> CheckResult {
        CheckResult {
            id: self.id,
            title: self.title.to_owned(),
            verdict,
            detail: detail.into(),
            evidence: Vec::new(),
            hint: None,
        }
    }
}

/// The first names of a list, and how many more there are.
fn some_of(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > most { format!("{shown} and {} more", names.len() - most) } else { shown }
}

/// "1 node", "3 nodes".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_texts_are_there() {
        let mut ids = BTreeSet::new();
        for check in all() {
            assert!(ids.insert(check.id), "{}", check.id);
            assert!(check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", check.id);
            for text in [check.section, check.title, check.means, check.remedy] {
                assert!(!text.trim().is_empty(), "{}", check.id);
            }
        }
    }
}
