//! Ways from one CNI to another: `data/migration/*.yaml` in, checked types out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::rules::Severity;
use crate::schema::{Trust, not_empty, one_or_many, rule_id, schema_one, text};

/// A file below `migration/`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Migrations {
    #[serde(deserialize_with = "schema_one")]
    #[expect(dead_code, reason = "checked while it is read")]
    pub(crate) schema: u32,
    #[serde(default)]
    pub(crate) methods: Vec<Method>,
    #[serde(default)]
    pub(crate) migrations: Vec<Migration>,
}

/// A way to go about a migration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Frozen, kebab-case.
    #[serde(deserialize_with = "rule_id")]
    pub id: String,
    /// What is done.
    #[serde(deserialize_with = "text")]
    pub what: String,
    /// When it is the right one.
    #[serde(rename = "for", deserialize_with = "not_empty")]
    pub good_for: Vec<String>,
    /// When it is not.
    #[serde(default)]
    pub against: Vec<String>,
    /// What people weigh.
    #[serde(default)]
    pub judged_on: Vec<String>,
    /// How it went for somebody.
    pub field_report: Option<FieldReport>,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// How a migration went for somebody.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldReport {
    /// Whose cluster.
    pub who: String,
    /// How long it took.
    pub took: Option<String>,
    /// What went wrong.
    pub problems: Option<String>,
    /// Why they did it so.
    pub why: Option<String>,
    /// Where they tell.
    pub url: Option<String>,
}

/// The way from one CNI to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Frozen, kebab-case: `flannel-to-cilium`.
    #[serde(deserialize_with = "rule_id")]
    pub id: String,
    /// Ids of the CNIs it leads away from.
    #[serde(deserialize_with = "not_empty")]
    pub from: Vec<String>,
    /// Ids of the CNIs it leads to; `any`: whichever.
    #[serde(deserialize_with = "not_empty")]
    pub to: Vec<String>,
    /// The migration whose steps serve here too.
    pub same_as: Option<String>,
    /// Why one would.
    pub why: Option<String>,
    /// A tool that the project offers.
    pub tool: Option<String>,
    /// Versions it was tried with.
    pub tried_with: Option<String>,
    /// What to look at before.
    #[serde(default)]
    pub preflight: Vec<MigrationCheck>,
    /// Both networks at once, node by node.
    pub dual_overlay: Option<DualOverlay>,
    /// With Multus in between.
    pub multus: Option<Sequence>,
    /// All at once, with reboots.
    pub offline: Option<Sequence>,
    /// What the old CNI leaves behind.
    #[serde(default)]
    pub residue: Residue,
    /// How its tool shows progress.
    pub progress: Option<String>,
    /// What must be so afterwards.
    #[serde(default)]
    pub verify_after: Vec<String>,
    /// The way back.
    pub rollback: Option<String>,
    /// How it went for others.
    #[serde(default)]
    pub reports: Vec<FieldReport>,
    /// What else to know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Trust in it where a part does not say otherwise.
    pub confidence: Trust,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// Something to look at before a migration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationCheck {
    /// Kebab-case, unique in its migration.
    #[serde(deserialize_with = "rule_id")]
    pub id: String,
    /// What to look at.
    #[serde(deserialize_with = "text")]
    pub check: String,
    /// What it should be.
    pub want: Option<String>,
    /// How to find out.
    pub how: Option<String>,
    /// How bad it is if it is not so.
    #[serde(default = "info")]
    pub severity: Severity,
    /// Whether something has to run on the nodes to find out.
    #[serde(default)]
    pub needs_host: bool,
    /// Why.
    pub why: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
    /// Where it was read, when not where the migration was.
    pub source: Option<String>,
    /// Trust in it, when it differs.
    pub confidence: Option<Trust>,
}

/// Both networks at once, node by node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DualOverlay {
    /// Helm values of the new CNI while both are there, by path.
    pub install_values: Vec<PlannedValue>,
    /// How the cluster looks right after the installation.
    pub installed_state: Option<String>,
    /// The object that switches a node over.
    pub node_config: NodeConfig,
    /// What is done for each node.
    #[serde(deserialize_with = "not_empty")]
    pub per_node: Vec<Action>,
    /// What is done when all nodes are done.
    #[serde(deserialize_with = "not_empty")]
    pub finish: Vec<Action>,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// A Helm value of a migration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedValue {
    /// Its path.
    #[serde(deserialize_with = "text")]
    pub path: String,
    /// The value while both networks are there. An example where [`example`](Self::example) says so.
    pub value: Value,
    /// Whether the value has to be chosen for the cluster.
    #[serde(default)]
    pub example: bool,
    /// The value afterwards; `None`: it stays, or the default is right.
    pub finally: Option<Value>,
    /// Why.
    pub why: Option<String>,
}

/// The object that switches a node over.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Its kind.
    pub kind: String,
    /// Its `apiVersion`s, older releases first.
    #[serde(deserialize_with = "not_empty")]
    pub api: Vec<String>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The node label that selects.
    pub node_selector: BTreeMap<String, String>,
    /// What it sets.
    pub defaults: BTreeMap<String, String>,
}

/// Something that is done, and how one sees that it worked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What is done; `None`: only looked at.
    #[serde(rename = "do")]
    pub action: Option<String>,
    /// What to see afterwards.
    #[serde(default, deserialize_with = "one_or_many")]
    pub verify: Vec<String>,
}

/// Steps in words.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The steps.
    #[serde(deserialize_with = "not_empty")]
    pub steps: Vec<String>,
    /// What to be warned of.
    pub warning: Option<String>,
    /// What else to know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// What a CNI leaves behind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residue {
    /// Migrations whose residue is left here too.
    #[serde(default)]
    pub also_of: Vec<String>,
    /// Files and folders; the last part may hold a `*`.
    #[serde(default)]
    pub files: Vec<Trace>,
    /// Network devices.
    #[serde(default)]
    pub interfaces: Vec<Trace>,
    /// Chains, in either variant of iptables.
    #[serde(default)]
    pub iptables_chains: Vec<Trace>,
    /// nftables tables.
    #[serde(default)]
    pub nft_tables: Vec<Trace>,
    /// Routes, in words.
    #[serde(default)]
    pub routes: Vec<Trace>,
    /// Routing rules, in words.
    #[serde(default)]
    pub ip_rules: Vec<Trace>,
    /// Sets of addresses.
    #[serde(default)]
    pub ipsets: Vec<Trace>,
    /// Pinned BPF objects and programs.
    #[serde(default)]
    pub bpf: Vec<Trace>,
    /// Annotations of nodes.
    #[serde(default)]
    pub node_annotations: Vec<Trace>,
    /// Labels of nodes.
    #[serde(default)]
    pub node_labels: Vec<Trace>,
    /// Taints of nodes.
    #[serde(default)]
    pub node_taints: Vec<Trace>,
    /// Objects, as `kind name`.
    #[serde(default)]
    pub objects: Vec<Trace>,
    /// Helm values that were meant for the time of the migration.
    #[serde(default)]
    pub helm_values: Vec<LeftValue>,
    /// Pods, in words.
    #[serde(default)]
    pub pods: Vec<Trace>,
    /// What was seen where it was left.
    pub symptom: Option<String>,
}

/// Something that is left: an exact name, or everything that starts so.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// Its name, path or description.
    pub name: Option<String>,
    /// What its name starts with.
    pub prefix: Option<String>,
    /// The iptables table it is in.
    pub table: Option<String>,
    /// How bad it is.
    #[serde(default = "info")]
    pub severity: Severity,
    /// Why.
    pub why: Option<String>,
    /// Where it was read, when not where the migration was.
    pub source: Option<String>,
}

/// A Helm value that was meant for the time of a migration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftValue {
    /// Its path.
    #[serde(deserialize_with = "text")]
    pub path: String,
    /// The value that must not stay; `None`: any.
    pub bad: Option<Value>,
    /// Text that an entry of the list must not hold.
    pub holds: Option<String>,
    /// How bad it is.
    #[serde(default = "info")]
    pub severity: Severity,
    /// Why.
    pub why: Option<String>,
}

fn info() -> Severity {
    Severity::Info
}

impl Migration {
    /// Whether it leads from one CNI to the other; `any` counts on both sides.
    pub fn leads(&self, from: &str, to: &str) -> bool {
        let has = |list: &[String], id: &str| list.iter().any(|one| one == id || one == crate::facts::ANY);
        has(&self.from, from) && has(&self.to, to)
    }

    /// How bad it counts when a check is not so: as with rules, only what was read first-hand can block.
    pub fn level(&self, check: &MigrationCheck) -> Severity {
        match check.confidence.unwrap_or(self.confidence) {
            Trust::High => check.severity,
            Trust::Medium | Trust::Low => check.severity.min(Severity::Warning),
        }
    }
}

impl Trace {
    /// Whether a name is this trace. A `*` in [`name`](Self::name) stands for any text.
    pub fn is(&self, seen: &str) -> bool {
        let by_name = self.name.as_deref().is_some_and(|name| match name.split_once('*') {
            Some((start, end)) => {
                seen.len() >= start.len() + end.len() && seen.starts_with(start) && seen.ends_with(end)
            }
            None => seen == name,
        });
        by_name || self.prefix.as_deref().is_some_and(|prefix| seen.starts_with(prefix))
    }
}
