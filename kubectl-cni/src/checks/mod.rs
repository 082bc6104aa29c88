//! The checks of `verify` and `preflight`: what was read and observed in, sections of results out. One check, one file, named after its id; the
//! checks that count probes of one kind differ only in which, so they share [`paths`]. What a check may look at is in its [`Judge`]: one that
//! looks at a cluster only serves both commands.

mod agent_can_be_evicted;
mod agent_image_pull;
mod agent_kept_off_nodes;
mod agent_not_ready;
mod agent_restarted;
mod agent_rollout_unfinished;
mod agent_self_report;
mod agent_unstable;
mod agent_update_strategy;
mod agent_version_skew;
mod cni_leftover;
mod cni_object_unhealthy;
mod cni_unknown;
mod companion_not_ready;
mod disruption_budget_blocks_drain;
mod foreign_policy_on_probes;
mod host_port_taken;
mod install_method_unknown;
mod kubelet_cannot_reach_pod;
mod kubernetes_untested;
mod networks_overlap;
mod node_cordoned;
mod node_kernel_unsupported;
mod node_left_out;
mod node_network_unavailable;
mod node_not_ready;
mod node_platform_unsupported;
pub mod paths;
mod permission_missing;
mod pod_source_rewritten;
mod policy_not_as_expected;
mod probe_pod_not_started;
mod prober_late;
mod probes_lost_at_first;
mod service_backend_unseen;
mod service_proxy_conflict;
mod stored_version_unserved;
mod upgrade_path_unsupported;
mod upgrade_rules;
mod webhook_blocks_agents;

use cni_facts::{Detection, Facts, Support, Version};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::PodSpec;

use crate::preflight::Upgrade;
use crate::probe::diagnose::Diagnosis;
use crate::probe::judge::Judged;
use crate::recording::Recording;
use crate::report::{CheckResult, Finding, Section, Verdict};
use crate::snapshot::Snapshot;

/// What was read of a cluster, and what runs there.
pub struct Seen<'a> {
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// Knowledge of CNIs.
    pub facts: &'a Facts,
    /// What runs here.
    pub detections: &'a [Detection],
}

/// What a check of `verify` may look at.
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
    pub judge: Judge,
}

/// What a check looks at, and so which command runs it.
#[derive(Clone, Copy)]
pub enum Judge {
    /// At a cluster as it was read: both.
    Cluster(fn(&Check, &Seen<'_>) -> Vec<CheckResult>),
    /// At what probes saw: `verify`.
    Run(fn(&Check, &Inputs<'_>) -> Vec<CheckResult>),
    /// At a cluster and what is to become of it: `preflight`.
    Upgrade(fn(&Check, &Upgrade<'_>) -> Vec<CheckResult>),
    /// Both, each in its own way.
    Each {
        /// `verify`.
        run: fn(&Check, &Inputs<'_>) -> Vec<CheckResult>,
        /// `preflight`.
        upgrade: fn(&Check, &Upgrade<'_>) -> Vec<CheckResult>,
    },
}

/// All checks, in the order they are printed.
pub fn all() -> Vec<&'static Check> {
    let mut checks = vec![
        &permission_missing::CHECK,
        &cni_unknown::CHECK,
        &cni_leftover::CHECK,
        &install_method_unknown::CHECK,
        &agent_not_ready::CHECK,
        &agent_restarted::CHECK,
        &agent_unstable::CHECK,
        &agent_version_skew::CHECK,
        &agent_rollout_unfinished::CHECK,
        &companion_not_ready::CHECK,
        &agent_update_strategy::CHECK,
        &agent_kept_off_nodes::CHECK,
        &agent_can_be_evicted::CHECK,
        &agent_image_pull::CHECK,
        &cni_object_unhealthy::CHECK,
        &agent_self_report::CHECK,
        &node_left_out::CHECK,
        &node_not_ready::CHECK,
        &node_network_unavailable::CHECK,
        &node_cordoned::CHECK,
        &node_kernel_unsupported::CHECK,
        &node_platform_unsupported::CHECK,
        &kubernetes_untested::CHECK,
        &networks_overlap::CHECK,
        &host_port_taken::CHECK,
        &service_proxy_conflict::CHECK,
        &webhook_blocks_agents::CHECK,
        &disruption_budget_blocks_drain::CHECK,
        &stored_version_unserved::CHECK,
        &upgrade_path_unsupported::CHECK,
        &upgrade_rules::CHECK,
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

/// Runs every check of `verify` and groups the results under their headings.
pub fn run_all(inputs: &Inputs<'_>) -> Vec<Section> {
    let seen = Seen { snapshot: &inputs.recording.snapshot, facts: inputs.facts, detections: inputs.detections };
    grouped(|check| match check.judge {
        Judge::Cluster(judge) => judge(check, &seen),
        Judge::Run(judge) | Judge::Each { run: judge, .. } => judge(check, inputs),
        Judge::Upgrade(_) => Vec::new(),
    })
}

/// Runs every check of `preflight` and groups the results under their headings.
pub fn run_upgrade(upgrade: &Upgrade<'_>) -> Vec<Section> {
    grouped(|check| match check.judge {
        Judge::Cluster(judge) => judge(check, &upgrade.seen),
        Judge::Upgrade(judge) | Judge::Each { upgrade: judge, .. } => judge(check, upgrade),
        Judge::Run(_) => Vec::new(),
    })
}

fn grouped(judge: impl Fn(&Check) -> Vec<CheckResult>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for check in all() {
        let results = judge(check);
        match sections.iter_mut().find(|section| section.title == check.section) {
            Some(section) => section.checks.extend(results),
            None if results.is_empty() => {}
            None => sections.push(Section { title: check.section, checks: results }),
        }
    }
    sections
}

impl Check {
    pub(crate) fn result(&self, verdict: Verdict, detail: impl Into<String>) -> CheckResult {
        CheckResult {
            id: self.id.into(),
            title: self.title.to_owned(),
            verdict,
            detail: detail.into(),
            evidence: Vec::new(),
            hint: None,
            finding: None,
        }
    }
}

/// Namespace and name of a workload, for people.
struct Place(String);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn place(set: &DaemonSet) -> Place {
    let meta = &set.metadata;
    let (namespace, name) = (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
    Place(format!("{namespace}/{name}"))
}

/// The DaemonSets of agents, as far as they were read.
pub(crate) fn agent_sets<'a>(upgrade: &Upgrade<'a>) -> Vec<&'a DaemonSet> {
    let agents = upgrade.seen.detections.iter().flat_map(|detection| &detection.agents);
    let sets = upgrade.survey.snapshot.daemonsets.as_ref().map(Vec::as_slice).unwrap_or_default();
    agents
        .filter_map(|agent| {
            sets.iter().find(|set| {
                set.metadata.namespace.as_ref() == Some(&agent.namespace)
                    && set.metadata.name.as_ref() == Some(&agent.name)
            })
        })
        .collect()
}

/// The same, with what their pods are made of.
fn agent_specs<'a>(upgrade: &Upgrade<'a>) -> Vec<(Place, &'a PodSpec)> {
    let spec = |set: &'a DaemonSet| Some((place(set), set.spec.as_ref()?.template.spec.as_ref()?));
    agent_sets(upgrade).into_iter().filter_map(spec).collect()
}

/// The version whose support is asked about (the target, else what runs) and the table of its CNI. `None`: neither is known, which the checks of
/// the CNI and of the step say.
fn supported_version<'a>(upgrade: &Upgrade<'a>) -> Option<(Version, Option<&'a Support>)> {
    let main = upgrade.main?;
    let version = upgrade.request.to.as_ref().or(main.version.as_ref())?;
    Some((Version::parse(version).ok()?, upgrade.seen.facts.support(&main.id)))
}

/// The parts of a finding that a result does not hold itself.
fn finding(result: &CheckResult, subject: &str, expected: &str, why: &str, source: &str) -> Box<Finding> {
    Box::new(Finding {
        subject: subject.to_owned(),
        observed: result.detail.clone(),
        expected: expected.to_owned(),
        why: why.to_owned(),
        source: source.to_owned(),
    })
}

/// The first names of a list, and how many more there are.
pub(crate) fn some_of(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > most { format!("{shown} and {} more", names.len() - most) } else { shown }
}

/// "1 node", "3 nodes".
pub(crate) fn count(number: usize, noun: &str) -> String {
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
