//! Which CNIs run in a cluster: facts and evidence in, detections out.
//!
//! A DaemonSet is recognised by what agrees of its name, selector, containers and image (see [`AgentRule`]). One that
//! several flavours recognise belongs to the one that lists the others in `before`. Custom resources, ConfigMaps and
//! node annotations stay behind when a CNI is removed: they support a finding, and stand alone only as a guess when
//! DaemonSets could not be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::enforcement::{self, Enforcement};
use crate::evidence::{Evidence, WorkloadSeen};
use crate::facts::Facts;
use crate::recognise::{Recognised, recognise};
use crate::schema::{Cni, EmbeddedRule, HintRule, Role, Trust, WorkloadKind};

/// A CNI that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// Its id in [`Facts`].
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it does in this cluster.
    pub role: Role,
    /// Its version, digits only (`1.17.6`), where the evidence tells.
    pub version: Option<String>,
    /// How sure this is.
    pub confidence: Confidence,
    /// What was seen, one clause each, strongest first.
    pub because: Vec<String>,
    /// Its agent DaemonSets, the best recognised first; several where there is one per architecture. Empty when it is
    /// built into a node program or only guessed.
    pub agents: Vec<Agent>,
    /// Its other workloads that were seen.
    pub companions: Vec<Companion>,
    /// Whether it is built into a node program instead of running as a DaemonSet.
    pub embedded: bool,
    /// What to expect of a NetworkPolicy.
    pub enforcement: Enforcement,
    /// By what, or why, as far as the facts say.
    pub enforcement_note: Option<String>,
}

/// How sure a detection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// Traces only; DaemonSets could not be read, or the traces may be left from earlier.
    Guess,
    /// A running agent that is recognised in part.
    Likely,
    /// A running agent recognised beyond doubt.
    Certain,
}

/// An agent DaemonSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.selector.matchLabels`, to list its pods.
    pub selector: BTreeMap<String, String>,
    /// The container the CNI runs in.
    pub container: String,
    /// That container's image, as written.
    pub image: String,
    /// That container's `imagePullPolicy`, where known.
    pub pull_policy: Option<String>,
    /// Names in the pod template's `imagePullSecrets`: the image may be private to this namespace.
    pub pull_secrets: Vec<String>,
    /// The version this DaemonSet's template asks for.
    pub version: Option<String>,
}

/// Another workload of a CNI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether the CNI works without it.
    pub optional: bool,
    /// What its being there means, or since when it exists.
    pub note: Option<String>,
}

/// Recognises the CNIs of a cluster: main ones first, surest first, then by id. Empty: none that is known.
///
/// Several main CNIs are all returned; whether that is a fault is the caller's to say.
pub fn detect(facts: &Facts, evidence: &Evidence) -> Vec<Detection> {
    let mut found = match &evidence.daemonsets {
        Some(daemonsets) => {
            let mut found = by_daemonsets(facts, daemonsets, evidence);
            if !found.iter().any(|detection| detection.role == Role::Main) {
                found.extend(facts.all().iter().filter_map(|cni| built_in(cni, evidence)));
            }
            found
        }
        None => by_hints(facts, evidence),
    };
    let ids: BTreeSet<String> = found.iter().map(|detection| detection.id.clone()).collect();
    for detection in &mut found {
        let Some(cni) = facts.get(&detection.id) else {
            continue;
        };
        if let Some(main) = cni.detect.policy_only_beside.iter().find(|main| ids.contains(*main)) {
            detection.role = Role::PolicyOnly;
            detection.because.push(format!("beside {main} it only enforces policy"));
        }
    }
    found.sort_by(|a, b| (a.role, b.confidence, &a.id).cmp(&(b.role, a.confidence, &b.id)));
    found
}

/// Recognises agents, and settles whose each DaemonSet is.
fn by_daemonsets(facts: &Facts, daemonsets: &[WorkloadSeen], evidence: &Evidence) -> Vec<Detection> {
    let matches: Vec<(&Cni, Vec<Recognised<'_>>)> = facts
        .all()
        .iter()
        .map(|cni| (cni, daemonsets.iter().filter_map(|seen| recognise(cni, seen, evidence)).collect()))
        .collect();
    let mut found = Vec::new();
    for (cni, recognised) in &matches {
        let mut own: Vec<Recognised<'_>> =
            recognised.iter().filter(|agent| !claimed(cni, agent.seen, &matches)).cloned().collect();
        if own.is_empty() {
            continue;
        }
        own.sort_by(|a, b| {
            let key = |agent: &Recognised<'_>| (agent.seen.namespace.clone(), agent.seen.name.clone());
            b.signals.len().cmp(&a.signals.len()).then_with(|| key(a).cmp(&key(b)))
        });
        found.push(running(cni, &own, evidence));
    }
    found
}

/// Whether a flavour that contains this one has the DaemonSet: as its agent, or as another workload beside its agent.
fn claimed(cni: &Cni, seen: &WorkloadSeen, matches: &[(&Cni, Vec<Recognised<'_>>)]) -> bool {
    matches.iter().any(|(other, recognised)| {
        other.detect.before.contains(&cni.id)
            && (recognised.iter().any(|agent| agent.seen == seen)
                || !recognised.is_empty() && is_companion(other, WorkloadKind::Daemonset, seen, recognised))
    })
}

fn is_companion(cni: &Cni, kind: WorkloadKind, seen: &WorkloadSeen, agents: &[Recognised<'_>]) -> bool {
    let beside: BTreeSet<&str> = agents.iter().map(|agent| agent.seen.namespace.as_str()).collect();
    cni.detect.companions.iter().any(|rule| rule.is(&cni.detect, kind, seen, &beside))
}

fn running(cni: &Cni, own: &[Recognised<'_>], evidence: &Evidence) -> Detection {
    let agents: Vec<Agent> = own.iter().map(Recognised::agent).collect();
    let mut because = Vec::new();
    for agent in own {
        because.push(agent.because());
        because.extend(agent.version_because.clone());
    }
    let versions: BTreeSet<&String> = agents.iter().filter_map(|agent| agent.version.as_ref()).collect();
    if versions.len() > 1 {
        because.push("its DaemonSets ask for different versions".to_owned());
    }
    because.extend(traces(cni, evidence));
    let mut confidence = own[0].confidence;
    if cni.detect.confidence.unwrap_or(cni.confidence) == Trust::Low {
        confidence = confidence.min(Confidence::Likely);
    }
    let beside = own.iter().map(|agent| agent.seen.namespace.as_str()).collect();
    let mut detection = Detection {
        version: agents.iter().find_map(|agent| agent.version.clone()),
        confidence,
        because,
        companions: companions(cni, &beside, evidence),
        agents,
        ..Detection::bare(cni)
    };
    let containers = own.iter().flat_map(|agent| &agent.seen.containers).map(|container| container.name.as_str());
    detection.set_enforcement(cni, Some(containers.collect()), evidence);
    detection
}

/// A CNI inside a node program: only where no DaemonSet gives the network, and traces on nodes are of that program.
fn built_in(cni: &Cni, evidence: &Evidence) -> Option<Detection> {
    let rule: &EmbeddedRule = cni.detect.embedded.as_ref()?;
    let annotations = evidence.node_annotations.as_ref()?;
    if !rule.node_annotations.iter().all(|key| annotations.contains(key)) {
        return None;
    }
    let mut because = vec![format!("nodes carry {} and no DaemonSet is its agent", rule.node_annotations.join(", "))];
    let confidence = match &evidence.kubelet_versions {
        Some(versions) => {
            let version = versions.iter().find(|version| rule.kubelet_version.is_match(version))?;
            because.push(format!("kubelet {version} is of {}", rule.host));
            Confidence::Likely
        }
        None => Confidence::Guess,
    };
    let mut detection = Detection {
        confidence,
        because,
        companions: companions(cni, &BTreeSet::new(), evidence),
        embedded: true,
        ..Detection::bare(cni)
    };
    detection.set_enforcement(cni, None, evidence);
    Some(detection)
}

/// Guesses from what stands around an agent, for when DaemonSets could not be read.
fn by_hints(facts: &Facts, evidence: &Evidence) -> Vec<Detection> {
    let hinted: Vec<(&Cni, &HintRule)> = facts
        .all()
        .iter()
        .filter_map(|cni| Some((cni, cni.detect.hints.iter().find(|hint| hint.holds(evidence))?)))
        .collect();
    let contained = |cni: &Cni| hinted.iter().any(|(other, _)| other.detect.before.contains(&cni.id));
    let mut found = Vec::new();
    for (cni, hint) in hinted.iter().filter(|(cni, _)| !contained(cni)) {
        let mut because = hint.because();
        because.push("DaemonSets could not be read".to_owned());
        let mut detection =
            Detection { because, companions: companions(cni, &BTreeSet::new(), evidence), ..Detection::bare(cni) };
        detection.set_enforcement(cni, None, evidence);
        found.push(detection);
    }
    found
}

/// What supports a finding: API groups, annotations and labels of nodes.
fn traces(cni: &Cni, evidence: &Evidence) -> Vec<String> {
    let parts = [
        ("the API serves", &cni.detect.crd_groups, &evidence.crd_groups),
        ("nodes carry", &cni.health.node_annotations, &evidence.node_annotations),
        ("nodes are labelled", &cni.detect.node_labels, &evidence.node_labels),
    ];
    let mut because = Vec::new();
    for (what, known, there) in parts {
        let Some(there) = there else { continue };
        let seen: Vec<&str> = known.iter().filter(|name| there.contains(*name)).map(String::as_str).collect();
        if !seen.is_empty() {
            because.push(format!("{what} {}", seen.join(", ")));
        }
    }
    because
}

fn companions(cni: &Cni, beside: &BTreeSet<&str>, evidence: &Evidence) -> Vec<Companion> {
    let lists = [
        (WorkloadKind::Daemonset, evidence.daemonsets.as_deref().unwrap_or_default()),
        (WorkloadKind::Deployment, evidence.deployments.as_deref().unwrap_or_default()),
    ];
    let mut found = Vec::new();
    for (kind, workloads) in lists {
        for seen in workloads {
            let rule = cni.detect.companions.iter().find(|rule| rule.is(&cni.detect, kind, seen, beside));
            found.extend(rule.map(|rule| Companion {
                kind,
                namespace: seen.namespace.clone(),
                name: seen.name.clone(),
                optional: rule.optional,
                note: rule.note.clone(),
            }));
        }
    }
    found.sort_by(|a, b| (a.kind, &a.namespace, &a.name).cmp(&(b.kind, &b.namespace, &b.name)));
    found
}

// === impl Detection ===

impl Detection {
    fn bare(cni: &Cni) -> Self {
        Self {
            id: cni.id.clone(),
            name: cni.name.clone(),
            role: cni.role,
            version: None,
            confidence: Confidence::Guess,
            because: Vec::new(),
            agents: Vec::new(),
            companions: Vec::new(),
            embedded: false,
            enforcement: Enforcement::DoesNot,
            enforcement_note: None,
        }
    }

    fn set_enforcement(&mut self, cni: &Cni, containers: Option<BTreeSet<&str>>, evidence: &Evidence) {
        let seen = enforcement::Seen {
            version: self.version.as_deref(),
            containers,
            companions: self.companions.iter().map(|companion| companion.name.as_str()).collect(),
            daemonsets_read: evidence.daemonsets.is_some(),
            deployments_read: evidence.deployments.is_some(),
            embedded: self.embedded,
        };
        let (enforcement, note) = enforcement::expected(cni, &seen);
        self.enforcement = enforcement;
        self.enforcement_note = note;
    }

    /// Its best recognised agent DaemonSet.
    pub fn agent(&self) -> Option<&Agent> {
        self.agents.first()
    }
}
