//! Labels in, yes or no out: what a label selector selects.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of a pod, a namespace or a node.
pub type Labels = BTreeMap<String, String>;

/// One condition on labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// The key is there with one of these values.
    In(String, BTreeSet<String>),
    /// The key is absent, or its value is none of these (k8s.io/apimachinery, labels.Requirement.Matches).
    NotIn(String, BTreeSet<String>),
    /// The key is there.
    Exists(String),
    /// The key is absent.
    DoesNotExist(String),
}

impl Requirement {
    /// The label key asked for.
    pub fn key(&self) -> &str {
        match self {
            Requirement::In(key, _)
            | Requirement::NotIn(key, _)
            | Requirement::Exists(key)
            | Requirement::DoesNotExist(key) => key,
        }
    }

    fn matches(&self, labels: &Labels) -> bool {
        match self {
            Requirement::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::DoesNotExist(key) => !labels.contains_key(key),
        }
    }
}

/// A selector as it was meant: absent selectors are not selectors, and have no variant here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Could not be read; selects nothing.
    Nothing,
    /// All of these hold; an empty list selects everything.
    AllOf(Vec<Requirement>),
}

impl Selector {
    /// The empty selector.
    pub const EVERYTHING: Selector = Selector::AllOf(Vec::new());

    /// Whether these labels are selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        match self {
            Selector::Nothing => false,
            Selector::AllOf(requirements) => requirements.iter().all(|requirement| requirement.matches(labels)),
        }
    }

    /// The label keys that decide.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let requirements: &[Requirement] = match self {
            Selector::Nothing => &[],
            Selector::AllOf(requirements) => requirements,
        };
        requirements.iter().map(Requirement::key)
    }
}
