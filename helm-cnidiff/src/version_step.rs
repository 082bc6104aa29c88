//! What the facts know of this version step: both sides and the user's values in, notes out.
//!
//! The knowledge is in `cni-facts`; here is only what a comparison can tell of a [`Situation`] and how a rule becomes a
//! note. What only a cluster can tell stays unknown and is said so.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{
    Direction, Facts, Judged, Part, Role, Severity, Situation, Target, Truth, Unsupported, WorkloadState, detect, step,
};
use serde_json::Value;

use crate::comparison::{FieldPath, Level, Note, Shown};
use crate::manifest::{Object, ObjectSet};

/// A CNI and two of its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStep {
    /// Id of the CNI in the facts.
    pub cni: String,
    /// Running version.
    pub from: String,
    /// Target version.
    pub to: String,
}

/// Name and version of a chart.
pub type Chart<'a> = (&'a str, &'a str);

/// What the facts say of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Rules that hold.
    pub notes: Vec<Note>,
    /// What could not be told, a sentence each.
    pub unknown: Vec<String>,
}

/// Finds the CNI and its versions: by the charts where their version is the CNI's, else by what the objects show.
/// `None` where no CNI is recognised on both sides, or the version of one side is not known.
pub fn find(
    facts: &Facts,
    old: &ObjectSet,
    new: &ObjectSet,
    from: Option<Chart<'_>>,
    to: Option<Chart<'_>>,
) -> Option<VersionStep> {
    if let (Some((chart, from)), Some((other, to))) = (from, to)
        && chart == other
        && let Some(cni) = facts
            .all()
            .iter()
            .find(|cni| cni.detect.helm.as_ref().is_some_and(|helm| helm.version_is_cni && helm.chart == chart))
    {
        return Some(VersionStep { cni: cni.id.clone(), from: from.to_owned(), to: to.to_owned() });
    }
    let seen = |set: &ObjectSet| {
        let found = detect(facts, &set.evidence());
        found.into_iter().find(|d| d.role == Role::Main).and_then(|d| Some((d.id, d.version?)))
    };
    let ((cni, from), (other, to)) = (seen(old)?, seen(new)?);
    (cni == other).then_some(VersionStep { cni, from, to })
}

/// Adds to a situation what the two sides show: the ConfigMaps and workloads that are there, and the target rendered.
/// What is known already stays.
pub fn situation(old: &ObjectSet, new: &ObjectSet, known: Situation) -> Situation {
    let mut situation = known;
    for (name, data) in configmaps(old) {
        situation.configmaps.entry(name).or_insert(Part::Known(data));
    }
    if matches!(situation.workloads, Part::Unknown(_)) {
        situation.workloads = Part::Known(workloads(old));
    }
    situation.target = Target {
        workloads: Part::Known(workloads(new)),
        configmaps: Part::Known(configmaps(new)),
        images_not_pulled: situation.target.images_not_pulled,
    };
    situation
}

fn configmaps(set: &ObjectSet) -> BTreeMap<String, BTreeMap<String, String>> {
    let data = |object: &Object| {
        let pairs = object.value["data"].as_object().into_iter().flatten();
        pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    set.of_kind("", "ConfigMap").map(|object| (object.id.name.clone(), data(object))).collect()
}

fn workloads(set: &ObjectSet) -> Vec<WorkloadState> {
    let both = ["DaemonSet", "Deployment"].into_iter().flat_map(|kind| set.of_kind("apps", kind));
    both.map(workload).collect()
}

fn workload(object: &Object) -> WorkloadState {
    let spec = &object.value["spec"];
    let pod = &spec["template"]["spec"];
    let written = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let labels = spec["selector"]["matchLabels"].as_object().into_iter().flatten();
    let host = pod["hostNetwork"] == true;
    let containers = pod["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|container| container["ports"].as_array().into_iter().flatten());
    let port = |port: &Value| {
        let number = port["hostPort"].as_u64().or(port["containerPort"].as_u64().filter(|_| host));
        number.and_then(|number| u16::try_from(number).ok())
    };
    WorkloadState {
        kind: object.id.kind.clone(),
        namespace: object.id.namespace.clone(),
        name: object.id.name.clone(),
        // Everything in the CNI's own manifest is its own.
        own: true,
        selector: labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
        update_strategy: written(&spec["updateStrategy"]["type"]),
        max_unavailable: written(&spec["updateStrategy"]["rollingUpdate"]["maxUnavailable"]),
        host_ports: ports.filter_map(port).collect(),
    }
}

/// Judges a step. A version that is none makes nothing known, and says so.
pub fn judge(facts: &Facts, versions: &VersionStep, situation: &Situation) -> Known {
    let VersionStep { cni, from, to } = versions;
    let step = match step(facts, cni, from, to) {
        Ok(step) => step,
        Err(error) => {
            return Known { notes: Vec::new(), unknown: vec![format!("what is known of this version step: {error}")] };
        }
    };
    let mut known = Known::default();
    if step.direction == Direction::Same {
        return known;
    }
    let judged = step.judge(situation);
    known.notes.extend(judged.iter().filter_map(|one| note(one, situation)));
    let unknown: Vec<&Judged<'_>> = judged.iter().filter(|one| matches!(one.truth, Truth::Unknown { .. })).collect();
    for (level, word) in [(Severity::Blocker, "blocker"), (Severity::Warning, "risk")] {
        let ids: BTreeSet<&str> =
            unknown.iter().filter(|one| one.level == level).map(|one| one.rule.id.as_str()).collect();
        if !ids.is_empty() {
            let some: Vec<&str> = ids.iter().copied().take(4).collect();
            let more = if ids.len() > some.len() { ", …" } else { "" };
            known.unknown.push(format!(
                "{} the cluster to be told: {}{more}",
                if ids.len() == 1 {
                    format!("1 possible {word} needs")
                } else {
                    format!("{} possible {word}s need", ids.len())
                },
                some.join(", ")
            ));
        }
    }
    // What to type next is said once, behind the last of them.
    if let Some(last) = known.unknown.last_mut() {
        last.push_str(&format!("; `kubectl cni preflight --to {to}` looks"));
    }
    if step.direction == Direction::Down {
        known.notes.push(about_step(
            Level::Risk,
            "version-older",
            format!("{cni} goes from {from} down to {to}"),
            "Objects, state on the nodes and custom resources were written by the newer version; projects test the way up.",
            "See what the project says of downgrades, one minor at a time.",
        ));
    }
    let told =
        |word: &str| judged.iter().any(|one| matches!(one.truth, Truth::Holds { .. }) && one.rule.id.contains(word));
    for one in &step.unsupported {
        let (level, id) = match one {
            Unsupported::HopTooBig { .. } if told("hop") || told("minor") => continue,
            Unsupported::HopTooBig { .. } | Unsupported::MajorVersion => (Level::Risk, "version-hop"),
            Unsupported::FromTooOld { .. } => (Level::Risk, "version-too-old"),
            Unsupported::TargetEol => (Level::Risk, "version-end-of-life"),
            Unsupported::TargetUnlisted | Unsupported::NoRules => {
                known.unknown.push(format!("{cni} {from} to {to}: {one}"));
                continue;
            }
        };
        let title = format!("{cni} {from} to {to}: {one}");
        let path: Vec<String> = step.hops.iter().map(|hop| hop.to.to_string()).collect();
        let fix = match one {
            Unsupported::HopTooBig { .. } => format!("Go by way of {}.", path.join(", then ")),
            _ => String::new(),
        };
        known.notes.push(about_step(
            level,
            id,
            title,
            "What is not tested upstream is found out in your cluster.",
            &fix,
        ));
    }
    known
}

fn about_step(level: Level, id: &str, title: String, why: &str, fix: &str) -> Note {
    Note {
        level,
        id: id.to_owned(),
        title,
        object: None,
        path: FieldPath::default(),
        old: Shown::Absent,
        new: Shown::Absent,
        why: why.to_owned(),
        fix: fix.to_owned(),
        source: None,
        also: Vec::new(),
    }
}

/// A default as the facts write it: JSON, or words.
fn written(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// A rule that holds, as a note.
fn note(judged: &Judged<'_>, situation: &Situation) -> Option<Note> {
    let Truth::Holds { because } = &judged.truth else { return None };
    let rule = judged.rule;
    let level = match judged.level {
        Severity::Blocker => Level::Blocker,
        Severity::Warning => Level::Risk,
        Severity::Info => Level::Info,
    };
    let default = |text: &Option<String>| text.as_ref().map_or(Shown::Absent, |text| Shown::Value(written(text)));
    let why = [Some(because.clone()), judged.caveat.clone(), rule.note.clone()];
    let sentence = |text: String| {
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
        let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
        format!("{first}{}{stop}", letters.as_str())
    };
    let value = rule.when.helm_value(situation);
    Some(Note {
        level,
        id: rule.id.clone(),
        title: rule.message.clone(),
        object: None,
        path: value.map(|keys| FieldPath::keys(keys.iter().cloned())).unwrap_or_default(),
        old: default(&rule.default_from),
        new: default(&rule.default_to),
        why: why.into_iter().flatten().filter(|text| !text.is_empty()).map(sentence).collect::<Vec<_>>().join(" "),
        fix: rule.fix.clone(),
        source: Some(rule.source.clone()),
        also: Vec::new(),
    })
}
