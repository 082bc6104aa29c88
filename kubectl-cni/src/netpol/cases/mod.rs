//! A stage of pods in; cases out: what to do to policies, labels and pods step by step, and the world after each step. What is expected of a
//! world is never written down here: it is what [`super::simulate::simulate`] says of it.

mod actions;
mod conflicts;
mod pairs;
mod parts;
mod peers;
mod ports;
mod stage;
mod suites;
mod targets;
mod tiers;
mod upstream;

use std::collections::BTreeSet;

use serde_json::Value;

use super::labels::Labels;
use super::lower::LowerError;
use super::lower::cluster_policy::cluster_policy;
use super::lower::network_policy::network_policy;
use super::world::{Pod, PodName, World};

pub use pairs::{Coverage, coverage};
pub use stage::{NAMESPACES, OWN_PORT, PODS, PORTS, Stage};
pub use suites::{Suite, select};

/// One thing to be tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name, frozen once released: path-like, made of what the case is about and never of a number in a list.
    pub id: String,
    /// What it is about, for choosing and for grouping.
    pub tags: BTreeSet<&'static str>,
    /// What it would show, in one line.
    pub intent: String,
    /// What is done, one after another; the table is checked after each.
    pub steps: Vec<Vec<Action>>,
}

/// One change to the stage.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Create or replace a policy of any kind, as the API takes it.
    Apply(Value),
    /// Delete the policy with this kind, namespace and name.
    Delete(Value),
    /// Give a pod these labels in place of its own.
    LabelPod(PodName, Labels),
    /// Give a namespace these labels in place of its own.
    LabelNamespace(String, Labels),
    /// Create a pod.
    CreatePod(Pod),
    /// Delete a pod.
    DeletePod(PodName),
    /// Create a namespace.
    CreateNamespace(String, Labels),
    /// Delete a namespace with all that is in it.
    DeleteNamespace(String),
}

impl Case {
    fn new(id: impl Into<String>, tags: &[&'static str], intent: impl Into<String>, steps: Vec<Vec<Action>>) -> Case {
        Case { id: id.into(), tags: tags.iter().copied().collect(), intent: intent.into(), steps }
    }

    /// The world after each step.
    ///
    /// # Errors
    /// Where a policy of the case cannot be understood.
    pub fn worlds(&self, start: &World) -> Result<Vec<World>, LowerError> {
        let mut world = start.clone();
        let mut worlds = Vec::new();
        for step in &self.steps {
            step.iter().try_for_each(|action| action.act(&mut world))?;
            worlds.push(world.clone());
        }
        Ok(worlds)
    }
}

impl Action {
    fn act(&self, world: &mut World) -> Result<(), LowerError> {
        match self {
            Action::Apply(object) if object["kind"] == "NetworkPolicy" => {
                let object = serde_json::from_value(object.clone());
                let object = object.map_err(|error| LowerError::Decode(error.to_string()))?;
                world.add_policy(network_policy(&object)?.0);
            }
            Action::Apply(object) => world.add_tier(cluster_policy(object)?.0),
            Action::Delete(object) => {
                let field = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
                if object["kind"] == "NetworkPolicy" {
                    world.policies.remove(&(field("namespace"), field("name")));
                } else {
                    world
                        .tiers
                        .retain(|_, policy| policy.name != field("name") || object["kind"] != policy.kind.name());
                }
            }
            Action::LabelPod(name, labels) => {
                if let Some(pod) = world.pods.get_mut(name) {
                    pod.labels = labels.clone();
                }
            }
            Action::LabelNamespace(name, labels) | Action::CreateNamespace(name, labels) => {
                world.add_namespace(name, labels.clone());
            }
            Action::CreatePod(pod) => world.add_pod(pod.clone()),
            Action::DeletePod(name) => {
                world.pods.remove(name);
            }
            Action::DeleteNamespace(name) => {
                world.namespaces.remove(name);
                world.pods.retain(|pod, _| pod.namespace != *name);
                world.policies.retain(|(namespace, _), _| namespace != name);
            }
        }
        Ok(())
    }
}

/// All cases for a stage, in order of their ids.
pub fn cases(stage: &Stage) -> Vec<Case> {
    let mut cases = targets::cases();
    cases.extend(peers::cases(stage));
    cases.extend(ports::cases());
    cases.extend(conflicts::cases(stage));
    cases.extend(actions::cases(stage));
    cases.extend(upstream::cases(stage));
    cases.extend(pairs::cases(stage));
    cases.extend(tiers::cases());
    suites::mark_quick(&mut cases);
    cases.sort_by(|a, b| a.id.cmp(&b.id));
    cases
}
