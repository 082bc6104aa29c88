//! What to type for the upgrade, in order: what was read in, commands with this cluster's names out. Every `kubectl cni` command here is one that
//! this program has.

use cni_facts::{Direction, Hop, Step};

use super::Upgrade;
use super::install::Install;
use crate::report::PlanStep;

/// The plan; empty without a target, or where nothing is to be done.
pub(super) fn plan(upgrade: &Upgrade<'_>) -> Vec<PlanStep> {
    let (Some(Ok(step)), Some(main)) = (&upgrade.step, upgrade.main) else { return Vec::new() };
    if step.direction == Direction::Same || main.agents.is_empty() {
        return Vec::new();
    }
    let context = match upgrade.survey.snapshot.context.as_str() {
        "" => String::new(),
        context => format!(" --context {}", word(context)),
    };
    let plan =
        Plan { upgrade, step, main, kubectl: format!("kubectl{context}"), cni: "kubectl cni".to_owned(), context };
    let mut steps = vec![plan.save()];
    for hop in &step.hops {
        steps.extend(plan.upgrade(hop));
        steps.push(plan.watch(hop));
    }
    steps.push(plan.back());
    steps
}

struct Plan<'a> {
    upgrade: &'a Upgrade<'a>,
    step: &'a Step<'a>,
    main: &'a cni_facts::Detection,
    kubectl: String,
    cni: String,
    context: String,
}

impl Plan<'_> {
    fn save(&self) -> PlanStep {
        let mut commands = vec![
            format!("{} verify{} --save before.json", self.cni, self.context),
            format!("{} preflight{} --snapshot before-{}", self.cni, self.context, self.step.from),
        ];
        for namespace in self.namespaces() {
            commands.push(format!(
                "{} -n {namespace} get daemonsets,deployments,configmaps,serviceaccounts -o yaml > before-{namespace}.yaml",
                self.kubectl
            ));
        }
        if let Install::Helm { release, namespace, .. } = self.upgrade.install {
            let helm = self.helm();
            commands.push(format!("{helm} get values {release} -n {namespace} -o yaml > values.yaml"));
            commands.push(format!("{helm} history {release} -n {namespace}"));
        }
        PlanStep { title: "Save what there is and what works".to_owned(), note: String::new(), commands }
    }

    fn upgrade(&self, hop: &Hop) -> Vec<PlanStep> {
        let title = format!("Upgrade to {}", hop.to);
        let last = hop.to == self.step.to;
        let target = &self.upgrade.request.target;
        let mut note = if hop.is_known {
            String::new()
        } else {
            format!("Take the last patch of {}; which one that is is not known here.", hop.to.minor_text())
        };
        let commands = match self.upgrade.install {
            Install::Helm { release, namespace, .. } => {
                let facts = self.upgrade.seen.facts.get(&self.main.id).and_then(|cni| cni.detect.helm.as_ref());
                let given: Vec<String> = target.values_files.iter().filter(|_| last).map(|file| word(file)).collect();
                let values = if given.is_empty() { "values.yaml".to_owned() } else { given.join(" -f ") };
                let repository =
                    facts.and_then(|helm| helm.repositories.iter().find(|one| one.starts_with("https://")));
                let source = match (target.chart.as_ref().filter(|_| last), facts, repository) {
                    (Some(chart), ..) => word(chart),
                    (None, Some(helm), Some(repository)) if helm.version_is_cni => {
                        format!("{} --repo {repository} --version {}", helm.chart, hop.to)
                    }
                    (None, Some(helm), _) => {
                        note.push_str(&format!(
                            " Find the chart version that brings {}: it is not that of the CNI.",
                            hop.to
                        ));
                        format!("{} --version CHART-VERSION", helm.chart)
                    }
                    (None, None, _) => "CHART".to_owned(),
                };
                vec![format!("{} upgrade {release} {source} -n {namespace} --reset-values -f {values}", self.helm())]
            }
            Install::Other(cni_facts::InstallMethod::Addon, why) => {
                note.push_str(&format!(" The distribution upgrades it ({why}): what is changed by hand is put back."));
                Vec::new()
            }
            Install::Other(cni_facts::InstallMethod::Operator, why) => {
                note.push_str(&format!(" Upgrade the operator, which then upgrades the agents ({why})."));
                Vec::new()
            }
            Install::Other(..) => {
                let file = match target.manifest_file.as_ref().filter(|_| last) {
                    Some(file) => word(file),
                    None => {
                        note.push_str(&format!(
                            " Put the project's manifest of {} there first, with your own network in it, and run preflight again with --manifest.",
                            hop.to
                        ));
                        format!("{}-{}.yaml", self.main.id, hop.to)
                    }
                };
                // Applied as it was before: the two ways know nothing of each other's fields.
                let how = if self.server_side() { " --server-side" } else { "" };
                vec![format!("{} diff{how} -f {file}", self.kubectl), format!("{} apply{how} -f {file}", self.kubectl)]
            }
            Install::Unknown(why) => {
                note.push_str(&format!(" How it is installed is not known ({why}); upgrade it that way."));
                Vec::new()
            }
        };
        vec![PlanStep { title, note: note.trim().to_owned(), commands }]
    }

    fn watch(&self, hop: &Hop) -> PlanStep {
        let on_delete = crate::checks::agent_sets(self.upgrade).iter().any(|set| {
            let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
            strategy == Some("OnDelete")
        });
        let mut commands = Vec::new();
        for agent in &self.main.agents {
            let name = &agent.name;
            if on_delete {
                let selector: Vec<String> =
                    agent.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
                commands.push(format!(
                    "{} -n {} delete pod -l {} --field-selector spec.nodeName=NODE",
                    self.kubectl,
                    agent.namespace,
                    selector.join(",")
                ));
            } else {
                commands.push(format!(
                    "{} -n {} rollout status daemonset/{name} --timeout 30m",
                    self.kubectl, agent.namespace
                ));
            }
        }
        commands.push(format!("{} verify{} --save after-{}.json", self.cni, self.context, hop.to));
        let note =
            if on_delete { "updateStrategy is OnDelete: once for each NODE, and look before the next." } else { "" };
        PlanStep { title: format!("Wait for {} and verify", hop.to), note: note.to_owned(), commands }
    }

    fn back(&self) -> PlanStep {
        let mut note = "Only if it went wrong.".to_owned();
        let commands = match self.upgrade.install {
            Install::Helm { release, namespace, .. } => {
                note.push_str(" Put the revision of before there: `helm history` in step 1 shows it.");
                vec![format!("{} rollback {release} REVISION -n {namespace}", self.helm())]
            }
            Install::Other(cni_facts::InstallMethod::Manifest, _) => {
                note.push_str(" It puts the agents back; a ConfigMap that changed is in the file that step 1 saved.");
                let undo = |agent: &cni_facts::Agent| {
                    format!("{} -n {} rollout undo daemonset/{}", self.kubectl, agent.namespace, agent.name)
                };
                self.main.agents.iter().map(undo).collect()
            }
            _ => {
                note.push_str(" Go back the way it is upgraded, to the version of before.");
                Vec::new()
            }
        };
        PlanStep { title: format!("Back to {}", self.step.from), note, commands }
    }

    fn server_side(&self) -> bool {
        let managers = self.upgrade.survey.managers.values().filter_map(|one| one.as_ref().ok());
        let mut names = managers.flatten().map(String::as_str);
        names.clone().any(|name| name == "kubectl") && names.all(|name| name != "kubectl-client-side-apply")
    }

    fn helm(&self) -> String {
        match self.upgrade.survey.snapshot.context.as_str() {
            "" => "helm".to_owned(),
            context => format!("helm --kube-context {}", word(context)),
        }
    }

    fn namespaces(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.main.agents.iter().map(|agent| agent.namespace.as_str()).collect();
        all.extend(self.main.companions.iter().map(|one| one.namespace.as_str()));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// A word as a shell takes it whole.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}
