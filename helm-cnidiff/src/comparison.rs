//! The one value between comparing and rendering: everything a report shows, decided, redacted and in order.
//!
//! Invariants:
//!
//! - Redaction has happened: a secret is a [`Shown::Secret`] with a short keyed hash and its text is nowhere in here,
//!   so no renderer can leak it.
//! - No clock, no environment, no width of a terminal: the same input gives the same value.
//! - Every list is in the order in which it is to be shown. Renderers leave out and fold, they do not sort or judge.
//! - What was folded as noise is in [`Comparison::noise`] only; it is in no other list and in no count.
//! - One file, longer than others: it is read from top to bottom as the report is, and holds types only.
//! - Types for machines (`-o json`) are twins in the renderer; these are free to grow.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;

/// Two charts, manifests or revisions compared, in the order of the report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// What is there now.
    pub from: Side,
    /// What it would become.
    pub to: Side,
    /// Section 1: one screen.
    pub verdict: Verdict,
    /// Section 2: blockers first, then risks, then what is only worth knowing; within a level by object and path.
    pub notes: Vec<Note>,
    /// Section 3: values; `None` when no chart is involved (two manifests, live objects).
    pub values: Option<Values>,
    /// Section 4: objects that changed, by [`Section`], then kind, namespace and name.
    pub objects: Vec<ObjectChange>,
    /// How many objects of each kind were added, removed, changed and left alone; by section, then kind.
    pub counts: Vec<KindCount>,
    /// What was folded, one entry per rule that folded something, by rule id.
    pub noise: Vec<Noise>,
    /// Documents that could not be used, and how far that limits the result; in the order of the documents.
    pub warnings: Vec<Warning>,
    /// Section 5: how to get this result again.
    pub provenance: Provenance,
}

impl Comparison {
    /// Whether there is any difference that counts: in objects or in values. Noise is none; a note that is not about a
    /// difference (a pending release) is none either.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.values.as_ref().is_none_or(Values::is_empty)
    }
}

/// One of the two things compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Side {
    /// What it is in a few words: `release cilium, revision 3`, `cilium-1.19.6.tgz`, `kube-flannel.yml`, `live objects`.
    pub label: String,
    /// Name of the chart.
    pub chart: Option<String>,
    /// Version of the chart.
    pub version: Option<String>,
    /// `appVersion` of the chart.
    pub app_version: Option<String>,
    /// `kubeVersion` of the chart: the range of Kubernetes versions it installs on.
    pub kube_range: Option<String>,
    /// Name of the release.
    pub release: Option<String>,
    /// Namespace of the release.
    pub namespace: Option<String>,
    /// Revision of the release.
    pub revision: Option<u64>,
    /// Status of the release, as helm writes it: `deployed`, `pending-upgrade`.
    pub status: Option<String>,
    /// `sha256:…` of what was read: the chart's archive, the manifest's bytes, the release's payload.
    pub digest: Option<String>,
}

/// What the whole comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Workloads whose pods are replaced, DaemonSets first.
    pub restarts: Vec<Restart>,
    /// Notes of level [`Level::Blocker`].
    pub blockers: usize,
    /// Notes of level [`Level::Risk`].
    pub risks: usize,
    /// Overrides of the user that the target does not read any more (unread or renamed), or that equal its default.
    pub dead_overrides: usize,
    /// What could not be told and why, a sentence each. Never a pass.
    pub unknown: Vec<String>,
}

/// Pods of one workload that are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// The workload.
    pub object: ObjectRef,
    /// How many pods: for a DaemonSet the nodes it runs on, where the cluster is known; else its replicas, where they
    /// are written down. `None` is not known.
    pub pods: Option<u64>,
    /// How many at once.
    pub at_once: AtOnce,
    /// The strategy is OnDelete: nothing restarts until somebody deletes pods.
    pub on_delete: bool,
    /// Changed fields of the pod template, by path.
    pub because: Vec<FieldPath>,
}

/// How many pods of a rolling update are down at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtOnce {
    /// The setting as it is written in the target: `1`, `10%`; the API server's default where nothing is written.
    pub setting: String,
    /// Whether `setting` is that default.
    pub default: bool,
    /// The setting in pods, on this cluster; `None` where the number of pods is not known and it is a percentage.
    pub pods: Option<u64>,
}

/// How bad it is. Ordered: a blocker comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The upgrade fails, or cuts the network for longer than a restart, if nothing is done first.
    Blocker,
    /// It goes through, and may hurt.
    Risk,
    /// Worth knowing.
    Info,
}

/// One thing to know before upgrading.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// How bad.
    pub level: Level,
    /// Frozen kebab-case id of the rule; it names the problem.
    pub id: String,
    /// One line: what happens.
    pub title: String,
    /// The object it is about; `None` for values, the release, the version step.
    pub object: Option<ObjectRef>,
    /// The field, or the path in values; empty where it is about the whole.
    pub path: FieldPath,
    /// Before; [`Shown::Absent`] where there was nothing or the note is not about a field.
    pub old: Shown,
    /// After.
    pub new: Shown,
    /// Why that matters, a sentence or two.
    pub why: String,
    /// What to do; may be empty where there is nothing to do.
    pub fix: String,
    /// Link or origin of the rule.
    pub source: Option<String>,
    /// More fields of the same object to which the same note applies.
    pub also: Vec<FieldPath>,
}

/// A value as it may be printed.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Shown {
    /// There is none.
    #[default]
    Absent,
    /// The value itself; free to be printed.
    Value(Value),
    /// A secret. Two secrets of one report with the same hash are equal; the hash says nothing across inputs.
    Secret {
        /// Eight hex digits.
        hash: String,
    },
}

impl Shown {
    /// Whether there is nothing.
    pub fn is_absent(&self) -> bool {
        matches!(self, Shown::Absent)
    }
}

/// Where in a document, or in values.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FieldPath(pub Vec<Step>);

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Key of a map.
    Key(String),
    /// Item of a list, by what identifies it: a container's name, a port's number and protocol, an argument's flag.
    Item(String),
    /// Item of a list without identities, by its place in the new list (in the old one where it was removed).
    Index(usize),
    /// Into a text that is a document itself.
    Inside(Format),
}

/// What a text inside a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// `key = value` lines, with or without `[sections]`.
    Ini,
}

impl FieldPath {
    /// A path of map keys.
    pub fn keys<S: Into<String>>(keys: impl IntoIterator<Item = S>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// This path and one step more.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// Whether it is the whole.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the path begins with these map keys.
    pub fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && self.0.iter().zip(keys).all(|(step, key)| matches!(step, Step::Key(k) if k == key))
    }
}

impl fmt::Display for FieldPath {
    /// `spec.template.spec.containers[cilium-agent].args[--config-dir]`, `data["net-conf.json"]:Backend.Type`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for step in &self.0 {
            match step {
                Step::Key(key) if plain(key) => write!(f, "{dot}{key}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Item(id) => write!(f, "[{id}]")?,
                Step::Index(at) => write!(f, "[{at}]")?,
                Step::Inside(_) => {
                    write!(f, ":")?;
                    dot = "";
                    continue;
                }
            }
            dot = ".";
        }
        Ok(())
    }
}

fn plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'$' | b'/'))
}

/// Section 3: what the release's values become.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// (a) The user's overrides that need a look, worst first, then by path.
    pub overrides: Vec<Override>,
    /// How many overrides the user has in all.
    pub overrides_total: usize,
    /// The user's own values that the two sides do not have in common, by path: another value, new, or gone.
    pub own: Vec<OwnChange>,
    /// (b) Defaults that change where the user sets nothing, by path; images are not in here.
    pub defaults: Vec<DefaultChange>,
    /// (b) Default images that change, one line each, by path.
    pub images: Vec<ImageChange>,
    /// (c) Keys that the target adds, by path.
    pub new_keys: Vec<KeyDefault>,
    /// (c) Keys that the target does not have any more, by path.
    pub removed_keys: Vec<KeyDefault>,
    /// (d) The five ways to inherit values; `None` where there is no release.
    pub modes: Option<Modes>,
}

impl Values {
    /// Whether nothing changes: overrides that do nothing, before as after, and the table of modes are no differences.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
            && self.same_defaults()
            && self.overrides.iter().all(|o| matches!(o.state, OverrideState::EqualsDefault | OverrideState::Unread))
    }

    /// Whether both charts have the same defaults where the user sets nothing.
    pub fn same_defaults(&self) -> bool {
        self.defaults.is_empty() && self.images.is_empty() && self.new_keys.is_empty() && self.removed_keys.is_empty()
    }
}

/// A value of the user's own that differs between the two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnChange {
    /// Its path.
    pub path: FieldPath,
    /// What the user set before; absent where it is new.
    pub old: Shown,
    /// What the user sets after; absent where it is gone.
    pub new: Shown,
}

/// A value that the user sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Its path.
    pub path: FieldPath,
    /// What the user sets.
    pub value: Shown,
    /// What the target makes of it.
    pub state: OverrideState,
    /// A rule of the facts that says more, with its source.
    pub note: Option<String>,
}

/// What the target chart makes of an override.
#[derive(Debug, Clone, PartialEq)]
pub enum OverrideState {
    /// The target does not read it any more.
    Unread,
    /// The target reads another path instead.
    Renamed {
        /// The new path.
        to: FieldPath,
    },
    /// The user sets a scalar or list where the target has a map.
    BecameMap,
    /// The target's default is of another type.
    TypeChanged {
        /// Type of the user's value: `string`, `number`, `boolean`, `list`, `map`, `null`.
        from: &'static str,
        /// Type of the target's default.
        to: &'static str,
    },
    /// It equals the target's default.
    EqualsDefault,
    /// It pins a value whose default changes: the user does not get the new default.
    Pins {
        /// The default before.
        old_default: Shown,
        /// The default after.
        new_default: Shown,
    },
}

/// A default that changes.
#[derive(Debug, Clone, PartialEq)]
pub struct DefaultChange {
    /// Its path.
    pub path: FieldPath,
    /// Before.
    pub old: Shown,
    /// After.
    pub new: Shown,
    /// A rule of the facts that says more, with its source.
    pub note: Option<String>,
}

/// Repository, tag and digest of one image, as one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageChange {
    /// The map in the values that holds the image, or the field that names it.
    pub path: FieldPath,
    /// Before.
    pub old: Image,
    /// After.
    pub new: Image,
}

/// An image reference taken apart; empty parts are not set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// Registry and path.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// Digest.
    pub digest: String,
}

/// A key of the values with its default.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyDefault {
    /// Its path; of a whole new map only the leaves are listed.
    pub path: FieldPath,
    /// Its default.
    pub default: Shown,
}

/// The ways `helm upgrade` has to inherit values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `--reset-values`
    Reset,
    /// `--reuse-values`
    Reuse,
    /// `--reset-then-reuse-values`
    ResetThenReuse,
    /// No such flag and neither -f nor --set: the old overrides are kept.
    Keep,
    /// No such flag, but -f or --set: the old overrides are dropped.
    Replace,
}

/// What the five modes would each give.
#[derive(Debug, Clone, PartialEq)]
pub struct Modes {
    /// The one that the command line stands for.
    pub chosen: Mode,
    /// Those that can be told apart, in the order of the table's columns.
    pub columns: Vec<Mode>,
    /// Keys on which the columns disagree, by path.
    pub rows: Vec<ModeRow>,
    /// Overrides of the release that the chosen mode drops, by path.
    pub drops: Vec<FieldPath>,
    /// Paths whose new default the chosen mode hides, by path.
    pub hides: Vec<FieldPath>,
}

/// One key on which the modes disagree.
#[derive(Debug, Clone, PartialEq)]
pub struct ModeRow {
    /// Its path.
    pub path: FieldPath,
    /// Its value, one per column.
    pub values: Vec<Shown>,
}

/// Names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `apps/v1`
    pub api_version: String,
    /// `DaemonSet`
    pub kind: String,
    /// Empty for objects without one.
    pub namespace: String,
    /// `cilium`
    pub name: String,
}

impl ObjectRef {
    /// The group of `api_version`; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

impl fmt::Display for ObjectRef {
    /// `DaemonSet kube-system/cilium`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace.as_str() {
            "" => write!(f, "{} {}", self.kind, self.name),
            namespace => write!(f, "{} {namespace}/{}", self.kind, self.name),
        }
    }
}

/// Part of section 4 to which an object belongs. Ordered as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// DaemonSets.
    DaemonSets,
    /// Deployments, StatefulSets, Jobs, CronJobs, bare Pods.
    Workloads,
    /// ConfigMaps and Secrets.
    Config,
    /// Roles, bindings, ServiceAccounts.
    Rbac,
    /// Services, Endpoints, Ingresses, webhooks, APIServices: how others reach it.
    Services,
    /// CustomResourceDefinitions.
    Crds,
    /// Everything else.
    Rest,
}

/// One object that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectChange {
    /// Where it is shown.
    pub section: Section,
    /// The object; as the target names it, or as the old side does where it is removed.
    pub object: ObjectRef,
    /// The same object before, where its name, namespace or apiVersion changed.
    pub was: Option<ObjectRef>,
    /// What happened to it.
    pub change: Change,
    /// Its pods are replaced.
    pub restarts: bool,
    /// Differences of this object that were folded as noise.
    pub folded: usize,
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It is new; with what a reader wants to know of it.
    Added(Vec<Fact>),
    /// It is gone; with what a reader wants to know of it.
    Removed(Vec<Fact>),
    /// Fields changed, by path; items of a list in the order of the new one.
    Fields(Vec<FieldChange>),
    /// A Role or ClusterRole: what it grants changed.
    Grants(GrantChange),
    /// A CustomResourceDefinition changed.
    Crd(CrdChange),
}

/// One line about an object that was added or removed: `images: quay.io/…`, `keys: 12`.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it is about.
    pub label: String,
    /// What is so.
    pub text: String,
}

/// One field that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Where.
    pub path: FieldPath,
    /// Before; absent where it is new.
    pub old: Shown,
    /// After; absent where it is gone.
    pub new: Shown,
    /// How it changed.
    pub kind: ChangeKind,
    /// Level of the note that speaks of this field, if one does.
    pub level: Option<Level>,
    /// A few words at the side: `hostPath`, `tag and digest`, `restarts pods`.
    pub aside: Option<String>,
}

/// How a field changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its value changed.
    Changed,
    /// An image reference changed.
    Image {
        /// Before.
        old: Image,
        /// After.
        new: Image,
    },
    /// A text of several lines changed, line by line. Empty where the text is secret.
    Text(Vec<TextLine>),
    /// The items are the same, their order is not: `old` and `new` are lists of what identifies them.
    Order,
}

/// A line of a text that changed, with a little context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextLine {
    /// What happened to it.
    pub sign: Sign,
    /// The line, without its end.
    pub text: String,
}

/// What happened to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is the same.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// That many lines are left out here; `text` is empty.
    Skipped(usize),
}

/// What a Role or ClusterRole grants more and less.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GrantChange {
    /// Gained, sorted.
    pub gained: Vec<Grant>,
    /// Lost, sorted.
    pub lost: Vec<Grant>,
    /// What else of the same object changed: labels, the aggregation rule.
    pub other: Vec<FieldChange>,
}

/// Verbs on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// API group; empty for the core group, `*` for all. For paths that are no resources it is empty.
    pub group: String,
    /// Resource with its subresource, or a path that begins with `/`.
    pub resource: String,
    /// Only the object of this name; empty for all.
    pub resource_name: String,
    /// Verbs, sorted.
    pub verbs: Vec<String>,
}

/// How a CustomResourceDefinition changed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CrdChange {
    /// `ciliumnodes.cilium.io`
    pub name: String,
    /// Versions with what happened to them, by name.
    pub versions: Vec<CrdVersion>,
    /// Fields that the schema does not have any more, with their version: `v1 spec.bgp.asNumber`; sorted.
    pub fields_removed: Vec<String>,
    /// Fields that are new; sorted.
    pub fields_added: Vec<String>,
    /// Fields that are required now and were not; sorted.
    pub now_required: Vec<String>,
    /// What a field may hold changed: its type, limits, default, rules. Of a large CRD there are hundreds.
    pub validation: Vec<FieldChange>,
    /// What else changed: scope, names, conversion, labels.
    pub other: Vec<FieldChange>,
}

/// One version of a CustomResourceDefinition that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrdVersion {
    /// `v1alpha1`
    pub name: String,
    /// Before; `None` where it was not there.
    pub old: Option<Served>,
    /// After; `None` where it is not there.
    pub new: Option<Served>,
}

/// Whether a version can be asked for, and whether it is the one that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The API server answers in it.
    pub served: bool,
    /// Objects are stored in it.
    pub storage: bool,
}

/// Objects of one kind, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCount {
    /// Where it is shown.
    pub section: Section,
    /// `ConfigMap`
    pub kind: String,
    /// New objects.
    pub added: usize,
    /// Objects that are gone.
    pub removed: usize,
    /// Objects that differ.
    pub changed: usize,
    /// Objects that are the same but for noise.
    pub unchanged: usize,
}

/// Differences that one rule folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Id of the rule, kebab-case.
    pub rule: String,
    /// What it folds and why that is no difference, one line.
    pub title: String,
    /// How many differences.
    pub count: usize,
    /// Each of them, by object and path.
    pub hits: Vec<NoiseHit>,
}

/// One difference that was folded.
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseHit {
    /// Object; as the target names it.
    pub object: ObjectRef,
    /// Field.
    pub path: FieldPath,
    /// Before; absent as well where the value is another at each render.
    pub old: Shown,
    /// After.
    pub new: Shown,
}

/// A document that could not be used, or not as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which side it was found on; empty for both.
    pub side: String,
    /// Where: `document 4`, `ConfigMap kube-system/cilium-config`.
    pub place: String,
    /// What is wrong, and what was done about it.
    pub text: String,
}

/// How to get this result again. No time in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// Version of this program.
    pub tool: String,
    /// Release and its namespace, where there is one.
    pub release: Option<String>,
    /// Revision of the release, or both.
    pub revision: Option<String>,
    /// Digest of the old side.
    pub from_digest: Option<String>,
    /// Digest of the new side.
    pub to_digest: Option<String>,
    /// Version of helm that rendered.
    pub helm: Option<String>,
    /// Flags that shape the result, as they were typed; values given to --set-string and the like are redacted.
    pub flags: Vec<String>,
    /// How it was rendered.
    pub rendered: Rendered,
    /// Names and digests of facts given with --facts; empty for the built-in set alone.
    pub facts: Vec<String>,
}

/// Where manifests came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Rendered {
    /// Nothing was rendered: the manifests were given.
    #[default]
    Given,
    /// By `helm template`, without a cluster.
    Offline {
        /// The Kubernetes version that the templates were told, if one was.
        kube_version: Option<String>,
        /// How many API versions they were told beyond helm's own list.
        api_versions: usize,
    },
    /// Against a cluster: look-ups answered, API versions its own.
    Cluster {
        /// Version of the API server.
        kube_version: String,
        /// Context of the kubeconfig.
        context: String,
    },
}

/// Compares notes as they are shown: worst first, then by object, path and id.
pub fn note_order(a: &Note, b: &Note) -> Ordering {
    (a.level, &a.object, &a.path, &a.id).cmp(&(b.level, &b.object, &b.path, &b.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_what_one_would_type() {
        let key = |text: &str| Step::Key(text.into());
        let cases = [
            (vec![], ""),
            (vec![key("spec"), key("template")], "spec.template"),
            (
                vec![key("containers"), Step::Item("agent".into()), key("args"), Step::Item("--debug".into())],
                "containers[agent].args[--debug]",
            ),
            (
                vec![key("data"), key("net-conf.json"), Step::Inside(Format::Json), key("Backend"), key("Type")],
                "data[\"net-conf.json\"]:Backend.Type",
            ),
            (vec![key("data"), key("a"), Step::Inside(Format::Yaml), Step::Index(3)], "data.a:[3]"),
            (
                vec![key("metadata"), key("labels"), key("app.kubernetes.io/name")],
                "metadata.labels[\"app.kubernetes.io/name\"]",
            ),
            (vec![key("")], "[\"\"]"),
        ];
        for (steps, expected) in cases {
            assert_eq!(FieldPath(steps).to_string(), expected);
        }
    }

    #[test]
    fn a_path_starts_with_its_own_keys_only() {
        let path = FieldPath::keys(["spec", "template", "spec"]);
        assert!(path.starts_with(&["spec", "template"]));
        assert!(path.starts_with(&[]));
        assert!(!path.starts_with(&["spec", "templates"]));
        assert!(!path.starts_with(&["spec", "template", "spec", "containers"]));
    }
}
