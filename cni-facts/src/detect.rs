//! Which CNIs run in a cluster: facts and evidence in, detections out.
//!
//! A DaemonSet is recognised by what agrees of its name, selector, containers and image (see [`AgentRule`]). One that
//! several flavours recognise belongs to the one that lists the others in `before`. Custom resources, ConfigMaps and
//! node annotations stay behind when a CNI is removed: they support a finding, and stand alone only as a guess when
//! DaemonSets could not be read.

use std::collections::{BTreeMap, BTreeSet};

use crate::enforcement::{self, Enforcement};
use crate::evidence::{ContainerSeen, Evidence, WorkloadSeen};
use crate::facts::Facts;
use crate::image::ImageRef;
use crate::schema::{AgentRule, Cni, CompanionRule, Detect, EmbeddedRule, HintRule, Role, Signal, WorkloadKind};

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
    let _ = (facts, evidence);
    Vec::new()
}

/// `1.17.6` of `v1.17.6-rc.1`.
pub(crate) fn plain_version(tag: &str) -> Option<String> {
    let digits = tag.strip_prefix('v').unwrap_or(tag);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let version = digits[..end].trim_end_matches('.');
    let parts: Vec<&str> = version.split('.').collect();
    (parts.len() >= 3 && parts.iter().all(|part| !part.is_empty())).then(|| version.to_owned())
}
