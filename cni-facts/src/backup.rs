//! What has to be saved before a CNI is touched: `data/<cni>/backup.yaml` in, a checked type out.

use serde::Deserialize;

use crate::schema::{Trust, kebab, not_empty, schema_one};

/// What has to be saved besides the CNI's workloads and their RBAC.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Version of this format; 1.
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    /// Id of the CNI.
    #[serde(deserialize_with = "kebab")]
    pub id: String,
    /// A CNI whose entries count here too; [`Facts::backup`](crate::Facts::backup) has them in already.
    pub same_as: Option<String>,
    /// Custom resources (`plural.group`) to save and to restore.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Custom resources that agents keep: to save, never to restore over a live cluster.
    #[serde(default)]
    pub runtime_state: Vec<String>,
    /// Secrets by name, in the CNI's namespace.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// ConfigMaps by name, in the CNI's namespace.
    #[serde(default)]
    pub configmaps: Vec<String>,
    /// Other objects, as `kind name`.
    #[serde(default)]
    pub objects: Vec<String>,
    /// What else to know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Trust in it.
    pub confidence: Trust,
    /// Where it was read.
    #[serde(deserialize_with = "not_empty")]
    pub sources: Vec<String>,
}

impl Backup {
    /// With the entries of another in front.
    pub(crate) fn after(mut self, other: &Self) -> Self {
        let lists = [
            (&mut self.resources, &other.resources),
            (&mut self.runtime_state, &other.runtime_state),
            (&mut self.secrets, &other.secrets),
            (&mut self.configmaps, &other.configmaps),
            (&mut self.objects, &other.objects),
            (&mut self.notes, &other.notes),
        ];
        for (own, others) in lists {
            let new: Vec<String> = others.iter().filter(|entry| !own.contains(entry)).cloned().collect();
            own.splice(0..0, new);
        }
        self.confidence = self.confidence.min(other.confidence);
        self
    }
}
