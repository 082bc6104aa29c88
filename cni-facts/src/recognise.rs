//! Whether one workload is one CNI's: a rule and what was seen in, what agreed out.

use std::collections::BTreeSet;

use crate::detect::{Agent, Confidence};
use crate::evidence::{ContainerSeen, Evidence, WorkloadSeen};
use crate::image::ImageRef;
use crate::schema::{AgentRule, Cni, CompanionRule, Detect, Helm, HintRule, Signal, WorkloadKind};

/// A DaemonSet that is an agent, and why.
#[derive(Debug, Clone)]
pub(crate) struct Recognised<'a> {
    pub(crate) seen: &'a WorkloadSeen,
    /// What agreed, in the order of [`Signal`].
    pub(crate) signals: Vec<Signal>,
    pub(crate) confidence: Confidence,
    pub(crate) container: &'a ContainerSeen,
    pub(crate) version: Option<String>,
    /// Where the version was read.
    pub(crate) version_because: Option<String>,
}

/// Tries a CNI's rules on a DaemonSet; the rule with which most agrees counts.
pub(crate) fn recognise<'a>(cni: &Cni, seen: &'a WorkloadSeen, evidence: &Evidence) -> Option<Recognised<'a>> {
    let context = &cni.detect.only_if;
    if !context.namespaces.is_empty() && !context.namespaces.contains(&seen.namespace) {
        return None;
    }
    let mut surroundings_known = true;
    if !context.crd_groups.is_empty() {
        match &evidence.crd_groups {
            Some(groups) if !context.crd_groups.iter().any(|group| groups.contains(group)) => {
                return None;
            }
            Some(_) => {}
            None => surroundings_known = false,
        }
    }
    let mut best: Option<Recognised<'a>> = None;
    for rule in &cni.detect.agents {
        let Some(found) = try_rule(cni, rule, seen) else {
            continue;
        };
        if best.as_ref().is_none_or(|best| found.signals.len() > best.signals.len()) {
            best = Some(found);
        }
    }
    let mut best = best?;
    if !surroundings_known {
        best.confidence = best.confidence.min(Confidence::Likely);
    }
    Some(best)
}

fn try_rule<'a>(cni: &Cni, rule: &AgentRule, seen: &'a WorkloadSeen) -> Option<Recognised<'a>> {
    let mut signals = BTreeSet::new();
    if rule.names.contains(&seen.name) {
        signals.insert(Signal::Name);
    }
    if !rule.selector.is_empty() && rule.selector.iter().all(|(key, value)| seen.selector.get(key) == Some(value)) {
        signals.insert(Signal::Selector);
    }
    let main: Vec<&ContainerSeen> = seen.containers.iter().filter(|container| !container.init).collect();
    let named = |name: &String| main.iter().copied().find(|container| container.name == *name);
    let known_image = |container: &ContainerSeen| {
        rule.image.as_ref().is_some_and(|image| image.is_match(ImageRef::parse(&container.image).repository))
    };
    let mut container = rule.containers.first().and_then(|first| {
        let agent = std::iter::once(first).chain(&rule.container_aliases).find_map(named)?;
        rule.containers[1..].iter().all(|name| named(name).is_some()).then_some(agent)
    });
    if container.is_some() {
        signals.insert(Signal::Containers);
    } else {
        container = main.iter().copied().find(|container| known_image(container));
    }
    let container = container.or_else(|| main.first().copied())?;
    if known_image(container) {
        signals.insert(Signal::Image);
    }
    let telling = signals.contains(&Signal::Containers) || signals.contains(&Signal::Image);
    let enough = if rule.needs.is_empty() {
        telling && signals.len() >= 2
    } else {
        rule.needs.iter().all(|signal| signals.contains(signal))
    };
    if !enough {
        return None;
    }
    let by_image = signals.contains(&Signal::Image) && signals.len() >= 2;
    let confidence = if by_image || signals.len() >= 3 { Confidence::Certain } else { Confidence::Likely };
    let (version, version_because) = version(cni, rule, seen, container, signals.contains(&Signal::Image)).unzip();
    Some(Recognised { seen, signals: signals.into_iter().collect(), confidence, container, version, version_because })
}

/// The version and where it was read: the tag of an image that is known, labels, the tag of a renamed image.
fn version(
    cni: &Cni,
    rule: &AgentRule,
    seen: &WorkloadSeen,
    container: &ContainerSeen,
    known_image: bool,
) -> Option<(String, String)> {
    let tag = rule.version_of_image(&container.image);
    if known_image && let Some(version) = tag {
        let because = format!("version {version} is the tag of {}", container.image);
        return Some((version, because));
    }
    if let Some((version, label)) = version_of_labels(cni.detect.helm.as_ref(), rule, seen) {
        let because = format!("version {version} is from the label {label}");
        return Some((version, because));
    }
    tag.map(|version| {
        let because = format!("version {version} is the tag of {}, a name that is not known", container.image);
        (version, because)
    })
}

/// The version in the labels that charts set (<https://helm.sh/docs/chart_best_practices/labels/>).
fn version_of_labels(helm: Option<&Helm>, rule: &AgentRule, seen: &WorkloadSeen) -> Option<(String, &'static str)> {
    const VERSION: &str = "app.kubernetes.io/version";
    const CHART: &str = "helm.sh/chart";
    if let Some(version) = seen.labels.get(VERSION).and_then(|value| rule.version_of_tag(value)) {
        return Some((version, VERSION));
    }
    let helm = helm.filter(|helm| helm.version_is_cni)?;
    let chart = seen.labels.get(CHART)?.strip_prefix(&helm.chart)?.strip_prefix('-')?;
    Some((rule.version_of_tag(chart)?, CHART))
}

/// `1.17.6` of `v1.17.6-rc.1`; nothing of what has fewer than three numbers.
pub(crate) fn plain_version(tag: &str) -> Option<String> {
    let digits = tag.strip_prefix('v').unwrap_or(tag);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let version = digits[..end].trim_end_matches('.');
    let parts: Vec<&str> = version.split('.').collect();
    (parts.len() >= 3 && parts.iter().all(|part| !part.is_empty())).then(|| version.to_owned())
}

// === impl Recognised ===

impl Recognised<'_> {
    pub(crate) fn agent(&self) -> Agent {
        Agent {
            namespace: self.seen.namespace.clone(),
            name: self.seen.name.clone(),
            selector: self.seen.selector.clone(),
            container: self.container.name.clone(),
            image: self.container.image.clone(),
            pull_policy: self.container.pull_policy.clone(),
            pull_secrets: self.seen.pull_secrets.clone(),
            version: self.version.clone(),
        }
    }

    pub(crate) fn because(&self) -> String {
        let words: Vec<&str> = self.signals.iter().map(|signal| signal.word()).collect();
        let list = match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => String::new(),
        };
        format!("DaemonSet {}/{} agrees in {list}", self.seen.namespace, self.seen.name)
    }
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Signal::Name => "name",
            Signal::Selector => "selector",
            Signal::Containers => "containers",
            Signal::Image => "image",
        }
    }
}

// === impl CompanionRule ===

impl CompanionRule {
    /// Whether that is the workload meant; `beside` are the namespaces of the agents.
    pub(crate) fn is(&self, detect: &Detect, kind: WorkloadKind, seen: &WorkloadSeen, beside: &BTreeSet<&str>) -> bool {
        let usual = if self.namespaces.is_empty() { &detect.namespaces } else { &self.namespaces };
        self.kind == kind
            && self.name == seen.name
            && (usual.contains(&seen.namespace) || beside.contains(seen.namespace.as_str()))
    }
}

// === impl HintRule ===

impl HintRule {
    pub(crate) fn holds(&self, evidence: &Evidence) -> bool {
        let all_in = |wanted: &[String], there: &Option<BTreeSet<String>>| {
            wanted.iter().all(|name| there.as_ref().is_some_and(|there| there.contains(name)))
        };
        let deployed = |name: &String| {
            evidence.deployments.as_ref().is_some_and(|deployments| deployments.iter().any(|seen| seen.name == *name))
        };
        all_in(&self.crd_groups, &evidence.crd_groups)
            && all_in(&self.configmaps, &evidence.configmaps)
            && all_in(&self.node_annotations, &evidence.node_annotations)
            && self.deployments.iter().all(deployed)
    }

    pub(crate) fn because(&self) -> Vec<String> {
        let parts = [
            ("the API serves", &self.crd_groups),
            ("there is a ConfigMap", &self.configmaps),
            ("there is a Deployment", &self.deployments),
            ("nodes carry", &self.node_annotations),
        ];
        parts
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} {}", names.join(", ")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_lose_v_and_suffix() {
        let cases = [
            ("v1.17.6", Some("1.17.6")),
            ("1.17.6", Some("1.17.6")),
            ("v1.19.0-rc.1", Some("1.19.0")),
            ("v3.26.3-build20231009", Some("3.26.3")),
            ("2.8.1", Some("2.8.1")),
            ("v1.2", None),
            ("latest", None),
            ("", None),
            ("v1..2", None),
            ("62093c5c233ea914bfa26a10ba41f8780d9b737f", None),
        ];
        for (tag, expected) in cases {
            assert_eq!(plain_version(tag).as_deref(), expected, "{tag:?}");
        }
    }
}
