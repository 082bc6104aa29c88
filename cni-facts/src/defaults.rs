//! Defaults of Helm values that rules depend on, for the times when the target chart is not at hand.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::schema::{Trust, schema_one, text};
use crate::situation::Part;
use crate::version::{Range, Version};

/// The file `defaults.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    #[serde(deserialize_with = "schema_one")]
    #[expect(dead_code, reason = "checked while it is read")]
    schema: u32,
    /// Charts whose defaults are known.
    charts: Range,
    /// By path.
    defaults: BTreeMap<String, Vec<Default>>,
    #[serde(deserialize_with = "text")]
    #[expect(dead_code, reason = "documentation in the file")]
    source: String,
    #[expect(dead_code, reason = "documentation in the file")]
    confidence: Trust,
}

/// A default and the charts that have it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Default {
    charts: Range,
    /// The default; absent where the chart does not have the value.
    #[serde(default)]
    value: Value,
}

impl Defaults {
    /// The default of a path in the chart of a version.
    pub(crate) fn of(&self, path: &str, version: &Version) -> Part<&Value> {
        let unknown = || Part::Unknown("the facts do not have it".to_owned());
        if !self.charts.contains(version) {
            return unknown();
        }
        match self.defaults.get(path).and_then(|list| list.iter().find(|default| default.charts.contains(version))) {
            Some(Default { value: Value::Null, .. }) => Part::Absent,
            Some(default) => Part::Known(&default.value),
            None => unknown(),
        }
    }
}
