//! What differs in, what it does to a cluster out: one small rule per kind of harm.
//!
//! The rules know Kubernetes. What is true of one CNI or one version step is in `cni-facts`; its notes come in from
//! outside and are only sorted in.
//!
//! ```text
//! (Compared, Circumstances) -> RULES -> Vec<Note> -> Verdict
//! ```

mod class;
mod config;
mod crds;
mod objects;
mod pod;
mod release;
mod rollout;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::comparison::{FieldPath, Level, Note, ObjectRef, Shown, Verdict, note_order};
use crate::diff::objects::{Compared, Delta};
use crate::diff::tree::Edit;
use crate::manifest::ObjectSet;
use crate::redact::{Redactor, Subject};

pub use pod::POD_RULES;
pub use release::ReleaseState;

/// What is known of the cluster and the release beside the two sets of objects. Nothing known is the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Nodes that a pod without demands could run on.
    pub nodes: Option<u64>,
    /// `status.desiredNumberScheduled` of DaemonSets, by namespace and name.
    pub pods: BTreeMap<(String, String), u64>,
    /// The release as helm stores it.
    pub release: Option<ReleaseState>,
    /// Who applies the target.
    pub applied_by: AppliedBy,
}

/// Who applies the target, and so what becomes of objects that are not in it any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AppliedBy {
    /// `helm upgrade` or `helm rollback`: they are deleted.
    #[default]
    Helm,
    /// `kubectl apply -f`: they stay.
    Kubectl,
}

/// All that rules look at.
pub struct Case<'a> {
    /// Both sides compared.
    pub compared: &'a Compared<'a>,
    /// Before.
    pub old: &'a ObjectSet,
    /// After.
    pub new: &'a ObjectSet,
    /// Cluster and release.
    pub circumstances: &'a Circumstances,
    /// Decides what of a field may be printed.
    pub redactor: &'a Redactor,
}

/// A rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Ids of the notes it writes: frozen, kebab-case, each naming a problem.
    pub ids: &'static [&'static str],
    /// Looks, and writes notes.
    pub run: fn(&Case<'_>, &mut Notes<'_>),
}

/// Every rule, in the order in which they are tried.
pub const RULES: &[Rule] = &[
    rollout::SELECTOR,
    rollout::RENAMED,
    rollout::REMOVED,
    rollout::ADDED,
    rollout::ON_DELETE,
    rollout::STRATEGY,
    rollout::SURGE,
    pod::TEMPLATE,
    class::SECURITY,
    class::QOS,
    config::RESTARTS_NOBODY,
    config::KEYS,
    config::IMMUTABLE,
    objects::IMMUTABLE_FIELD,
    objects::RIGHTS,
    objects::BINDING,
    crds::CRDS,
    objects::REACHED_BY,
    objects::GONE,
    objects::NAMESPACE,
    objects::OPERATOR,
    release::STATE,
];

/// Notes as rules write them; those of one kind about one object become one.
pub struct Notes<'a> {
    redactor: &'a Redactor,
    list: Vec<Note>,
    /// Where in the list a kind of note about an object is.
    places: BTreeMap<(&'static str, ObjectRef), usize>,
}

/// What a rule says, beside where.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'s> {
    /// How bad.
    pub level: Level,
    /// Id of the note.
    pub id: &'static str,
    /// See [`Note::title`].
    pub title: &'s str,
    /// See [`Note::why`].
    pub why: &'s str,
    /// See [`Note::fix`].
    pub fix: &'s str,
    /// See [`Note::source`].
    pub source: &'s str,
}

impl Notes<'_> {
    /// A note about a field of an object.
    pub fn field(&mut self, saying: &Saying<'_>, object: &ObjectRef, edit: &Edit) {
        let key = (saying.id, object.clone());
        if let Some(place) = self.places.get(&key) {
            let note = &mut self.list[*place];
            if note.path != edit.path && !note.also.contains(&edit.path) {
                note.also.push(edit.path.clone());
            }
            if saying.level < note.level {
                note.level = saying.level;
                note.title = saying.title.to_owned();
                note.why = saying.why.to_owned();
                note.fix = saying.fix.to_owned();
            }
            return;
        }
        self.places.insert(key, self.list.len());
        let subject = Subject::of(object.group(), &object.kind);
        let shown = |value: Option<&Value>| self.redactor.shown(subject, &edit.path, value);
        let (old, new) = (shown(edit.old.as_ref()), shown(edit.new.as_ref()));
        self.push(saying, Some(object.clone()), edit.path.clone(), old, new);
    }

    /// A note about a whole object, or about none.
    pub fn whole(&mut self, saying: &Saying<'_>, object: Option<&ObjectRef>) {
        self.push(saying, object.cloned(), FieldPath::default(), Shown::Absent, Shown::Absent);
    }

    /// A note about a field with values that are no secrets.
    pub fn plain(&mut self, saying: &Saying<'_>, object: &ObjectRef, path: FieldPath, old: Shown, new: Shown) {
        self.push(saying, Some(object.clone()), path, old, new);
    }

    fn push(&mut self, saying: &Saying<'_>, object: Option<ObjectRef>, path: FieldPath, old: Shown, new: Shown) {
        self.list.push(Note {
            level: saying.level,
            id: saying.id.to_owned(),
            title: saying.title.to_owned(),
            object,
            path,
            old,
            new,
            why: saying.why.to_owned(),
            fix: saying.fix.to_owned(),
            source: (!saying.source.is_empty()).then(|| saying.source.to_owned()),
            also: Vec::new(),
        });
    }
}

/// Judges a comparison. `known` are notes of the facts for this version step.
pub fn judge(case: &Case<'_>, known: Vec<Note>) -> (Vec<Note>, Verdict) {
    let mut notes = Notes { redactor: case.redactor, list: Vec::new(), places: BTreeMap::new() };
    for rule in RULES {
        (rule.run)(case, &mut notes);
    }
    let mut notes = notes.list;
    notes.extend(known);
    notes.sort_by(note_order);
    let count = |level| notes.iter().filter(|note| note.level == level).count();
    let verdict = Verdict {
        restarts: rollout::restarts(case),
        blockers: count(Level::Blocker),
        risks: count(Level::Risk),
        dead_overrides: 0,
        unknown: Vec::new(),
    };
    (notes, verdict)
}

/// Workloads on both sides: what a rollout is about.
fn changed<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (&'c Delta<'a>, &'a Value, &'a Value)> {
    case.compared.deltas.iter().filter_map(|delta| Some((delta, &delta.old?.value, &delta.new?.value)))
}
