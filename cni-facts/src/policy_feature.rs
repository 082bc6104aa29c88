//! Features of network policies: `data/policy-features.yaml` and a policy in, whether it uses one out.

use serde::Deserialize;
use serde_json::Value;

use crate::schema::{Pattern, not_empty};

/// The file `policy-features.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFeatures {
    #[serde(deserialize_with = "crate::schema::schema_one")]
    #[expect(dead_code, reason = "checked while it is read")]
    pub(crate) schema: u32,
    #[serde(deserialize_with = "not_empty")]
    pub(crate) policy_features: Vec<PolicyFeature>,
}

/// Something a network policy can use and that a version step can change the meaning of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFeature {
    /// As `policy_uses` names it.
    pub id: String,
    /// What it is.
    pub what: String,
    /// The resources that can have it.
    #[serde(deserialize_with = "not_empty")]
    pub resources: Vec<String>,
    /// How it shows; any one is enough.
    #[serde(deserialize_with = "not_empty")]
    pub signs: Vec<Sign>,
}

/// How a feature shows in a policy. Keys are looked for at any depth below `spec` and `specs`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// A key with a value that is not empty.
    pub filled: Option<String>,
    /// A key with an empty list.
    pub empty_list: Option<String>,
    /// A key, at whatever place, that matches (labels in selectors are keys).
    pub key: Option<Pattern>,
    /// With `filled`: one of the key's texts matches.
    pub matches: Option<Pattern>,
    /// The object alone is the sign.
    pub exists: Option<bool>,
}

impl PolicyFeature {
    /// Whether a policy uses it.
    pub fn used_by(&self, policy: &Value) -> bool {
        let roots: Vec<&Value> = ["spec", "specs"].iter().filter_map(|key| policy.get(key)).collect();
        self.signs.iter().any(|sign| sign.exists == Some(true) || roots.iter().any(|root| sign.shows_in(root)))
    }
}

impl Sign {
    fn shows_in(&self, value: &Value) -> bool {
        match value {
            Value::Array(list) => list.iter().any(|entry| self.shows_in(entry)),
            Value::Object(map) => map.iter().any(|(key, value)| self.is(key, value) || self.shows_in(value)),
            _ => false,
        }
    }

    fn is(&self, key: &str, value: &Value) -> bool {
        let filled = self.filled.as_deref() == Some(key) && !empty(value);
        filled && self.matches.as_ref().is_none_or(|pattern| texts(value).iter().any(|text| pattern.is_match(text)))
            || self.empty_list.as_deref() == Some(key) && value.as_array().is_some_and(Vec::is_empty)
            || self.key.as_ref().is_some_and(|pattern| pattern.is_match(key))
    }
}

fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
