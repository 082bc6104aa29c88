//! Conditions about DaemonSets and Deployments.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::objects::some;
use super::{Ask, Look, Truth, logic};
use crate::situation::{Need, Part, WorkloadState};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exists {
    namespace: String,
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectorDiffers {
    namespace: String,
    name: String,
    target: Selector,
}

#[derive(Debug, Clone)]
enum Selector {
    /// What the rendered target has.
    Rendered,
    /// What the target is known to have.
    Fixed(BTreeMap<String, String>),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct UpdateStrategy(String);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct MaxUnavailableGt(u32);

fn running<'a>(look: &Look<'a>) -> Result<&'a [WorkloadState], Truth> {
    match &look.situation.workloads {
        Part::Known(workloads) => Ok(workloads),
        Part::Absent => Ok(&[]),
        Part::Unknown(why) => Err(Truth::unknown(format!("DaemonSets and Deployments: {why}"))),
    }
}

/// The target's workloads, or what to answer without them.
pub(super) fn target<'a>(look: &Look<'a>) -> Result<&'a [WorkloadState], Truth> {
    match &look.situation.target.workloads {
        Part::Known(workloads) => Ok(workloads),
        Part::Absent => Ok(&[]),
        Part::Unknown(why) => Err(Truth::unknown(format!("workloads of the target: {why}"))),
    }
}

/// The CNI's own DaemonSets.
fn agents<'a>(look: &Look<'a>) -> Result<Vec<&'a WorkloadState>, Truth> {
    Ok(running(look)?.iter().filter(|workload| workload.own && workload.kind == "DaemonSet").collect())
}

fn name(workload: &WorkloadState) -> String {
    format!("{} {}/{}", workload.kind, workload.namespace, workload.name)
}

fn shown(selector: &BTreeMap<String, String>) -> String {
    selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

impl Ask for Exists {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let is_it = |workload: &&WorkloadState| {
            workload.kind == "DaemonSet" && workload.namespace == self.namespace && workload.name == self.name
        };
        match running(look) {
            Ok(workloads) => match workloads.iter().find(is_it) {
                Some(found) => Truth::holds(format!("{} is there", name(found))),
                None => Truth::not(format!("DaemonSet {}/{} is not there", self.namespace, self.name)),
            },
            Err(unknown) => unknown,
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Workloads);
    }

    fn words(&self) -> String {
        format!("DaemonSet {}/{} is there", self.namespace, self.name)
    }
}

impl SelectorDiffers {
    fn is_about(&self, workload: &WorkloadState) -> bool {
        let fits = |wanted: &str, own: &str| wanted == "any" || wanted == own;
        let any = self.namespace == "any" && self.name == "any";
        fits(&self.namespace, &workload.namespace)
            && fits(&self.name, &workload.name)
            && (any || workload.kind == "DaemonSet")
    }
}

impl Ask for SelectorDiffers {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let running = match running(look) {
            Ok(workloads) => workloads.iter().filter(|workload| self.is_about(workload)).collect::<Vec<_>>(),
            Err(unknown) => return unknown,
        };
        let wanted = |workload: &WorkloadState| -> Result<Option<BTreeMap<String, String>>, Truth> {
            let is_it = |other: &&WorkloadState| {
                (&other.kind, &other.namespace, &other.name) == (&workload.kind, &workload.namespace, &workload.name)
            };
            match (&self.target, target(look)) {
                // What was rendered is surer than what is usual.
                (_, Ok(target)) => Ok(target.iter().find(is_it).map(|found| found.selector.clone())),
                (Selector::Fixed(selector), Err(_)) => Ok(Some(selector.clone())),
                (Selector::Rendered, Err(unknown)) => Err(unknown),
            }
        };
        if running.is_empty() {
            return Truth::not("no such workload is running");
        }
        logic::any(running.into_iter().map(|workload| match wanted(workload) {
            Err(unknown) => unknown,
            Ok(None) => Truth::not(format!("the target has no {}", name(workload))),
            Ok(Some(selector)) => {
                let seen = format!(
                    "{} selects {}, the target's {}",
                    name(workload),
                    shown(&workload.selector),
                    shown(&selector)
                );
                Truth::when(selector != workload.selector, seen)
            }
        }))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend([Need::Workloads, Need::TargetWorkloads]);
    }

    fn words(&self) -> String {
        match (&self.target, self.name.as_str()) {
            (_, "any") => "the target changes the selector of a workload".to_owned(),
            (Selector::Fixed(selector), name) => {
                format!("DaemonSet {}/{name} does not select {}", self.namespace, shown(selector))
            }
            (Selector::Rendered, name) => {
                format!("the target changes the selector of DaemonSet {}/{name}", self.namespace)
            }
        }
    }
}

impl Ask for UpdateStrategy {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let agents = match agents(look) {
            Ok(agents) => agents,
            Err(unknown) => return unknown,
        };
        let having: Vec<String> = agents
            .iter()
            .filter(|agent| agent.update_strategy.as_deref() == Some(&self.0))
            .map(|agent| name(agent))
            .collect();
        match having.is_empty() {
            true => Truth::not(format!("no DaemonSet of it has the update strategy {}", self.0)),
            false => Truth::holds(format!("update strategy {}: {}", self.0, some(&having))),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Workloads);
    }

    fn words(&self) -> String {
        format!("a DaemonSet of it has the update strategy {}", self.0)
    }
}

impl Ask for MaxUnavailableGt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let agents = match agents(look) {
            Ok(agents) => agents,
            Err(unknown) => return unknown,
        };
        // A DaemonSet that says nothing has 1 (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/).
        let more = |agent: &&&WorkloadState| match agent.max_unavailable.as_deref() {
            Some(text) => text.ends_with('%') || text.parse::<u32>().is_ok_and(|number| number > self.0),
            None => false,
        };
        let having: Vec<String> = agents
            .iter()
            .filter(more)
            .map(|agent| {
                format!("{} lets {} be away", name(agent), agent.max_unavailable.as_deref().unwrap_or_default())
            })
            .collect();
        match having.is_empty() {
            true => Truth::not(format!("no DaemonSet of it lets more than {} be away at once", self.0)),
            false => Truth::holds(some(&having)),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Workloads);
    }

    fn words(&self) -> String {
        format!("a DaemonSet of it lets more than {} pod be away at once", self.0)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Selector;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`rendered` or a map of labels")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Selector, E> {
                match text {
                    "rendered" => Ok(Selector::Rendered),
                    other => Err(E::custom(format!("{other:?} is neither `rendered` nor a map of labels"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Selector, A::Error> {
                let mut selector = BTreeMap::new();
                while let Some((key, value)) = map.next_entry()? {
                    selector.insert(key, value);
                }
                Ok(Selector::Fixed(selector))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
