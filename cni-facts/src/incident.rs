//! Upgrades that went wrong for others: `data/incidents.yaml` in, checked types out.

use serde::Deserialize;

use crate::schema::{not_empty, schema_one, text};

/// The file `incidents.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Incidents {
    #[serde(deserialize_with = "schema_one")]
    #[expect(dead_code, reason = "checked while it is read")]
    schema: u32,
    #[serde(deserialize_with = "not_empty")]
    pub(crate) incidents: Vec<Incident>,
}

/// An upgrade that went wrong for somebody, as they reported it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// Its number, frozen.
    pub id: u32,
    /// What it was, in a line.
    #[serde(deserialize_with = "text")]
    pub title: String,
    /// Where it was reported.
    #[serde(deserialize_with = "not_empty")]
    pub sources: Vec<String>,
    /// What happened.
    pub happened: Option<String>,
    /// What could have been seen before the upgrade.
    #[serde(deserialize_with = "text")]
    pub before: String,
    /// What probing all the way through would have shown.
    #[serde(deserialize_with = "text")]
    pub probe: String,
    /// Ids of the rules that cover it; empty where [`note`](Self::note) says why.
    pub rules: Vec<String>,
    /// Ids of the migrations whose residue or checks cover it.
    #[serde(default)]
    pub migrations: Vec<String>,
    /// What else to know.
    pub note: Option<String>,
}
