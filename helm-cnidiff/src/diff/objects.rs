//! Two sets of objects in, one [`Delta`] per object that is not byte for byte the same out: matched by key, across a
//! move between API groups, and across a new name; noise folded, nothing judged.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rbac;
use super::scope::Scope;
use super::text::{Blobs, no_yaml};
use super::tree::{self, Edit};
use crate::comparison::{FieldPath, ObjectRef, Section, Step};
use crate::manifest::{Key, Object, ObjectSet};
use crate::noise::{self, Origin, Rule};

/// How to compare.
#[derive(Debug, Clone)]
pub struct Options {
    /// Reads YAML inside ConfigMaps.
    pub yaml: Blobs,
    /// Where the two sides come from.
    pub origin: Origin,
    /// Namespace of objects that name none.
    pub namespace: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { yaml: no_yaml, origin: Origin::default(), namespace: "default".into() }
    }
}

/// One object on both sides, or on one, and what differs.
#[derive(Debug, Clone)]
pub struct Delta<'a> {
    /// Before; `None` where it is new. Never both `None`.
    pub old: Option<&'a Object>,
    /// After; `None` where it is gone.
    pub new: Option<&'a Object>,
    /// How its fields are read.
    pub scope: Scope,
    /// Differences that count, by path; empty where the object is on one side only.
    pub edits: Vec<Edit>,
    /// Differences that were folded, with the rule that did.
    pub folded: Vec<(Rule, Edit)>,
}

impl<'a> Delta<'a> {
    /// The object as the target has it; the old one where it is gone.
    pub fn object(&self) -> &'a Object {
        self.new.or(self.old).expect("a delta has at least one side")
    }

    /// Kind of the object.
    pub fn kind(&self) -> &'a str {
        &self.object().id.kind
    }

    /// How it was named before, where that is different.
    pub fn was(&self) -> Option<&'a ObjectRef> {
        let (old, new) = (self.old?, self.new?);
        (old.id != new.id).then_some(&old.id)
    }

    /// Whether anything is left to show.
    pub fn is_shown(&self) -> bool {
        self.old.is_none() || self.new.is_none() || !self.edits.is_empty()
    }

    /// Changed fields of the pod template that replace pods, folded ones included; empty where no pod is replaced.
    pub fn template_edits(&self) -> Vec<&Edit> {
        if self.old.is_none() || self.new.is_none() || matches!(self.kind(), "Job" | "CronJob" | "Pod") {
            return Vec::new();
        }
        let folded = self.folded.iter().filter(|(rule, _)| rule.restarts).map(|(_, edit)| edit);
        let all = self.edits.iter().chain(folded);
        all.filter(|edit| self.scope.in_template(&edit.path.0).is_some()).collect()
    }

    /// Moves what the rule takes from what counts to what is folded.
    pub(crate) fn fold(&mut self, rule: impl Fn(&Edit) -> Option<Rule>) {
        let edits = std::mem::take(&mut self.edits);
        for edit in edits {
            match rule(&edit) {
                Some(rule) => self.folded.push((rule, edit)),
                None => self.edits.push(edit),
            }
        }
    }

    /// Whether it is a role that grants the same on both sides.
    pub(crate) fn same_grants(&self) -> bool {
        let (Some(old), Some(new)) = (self.old, self.new) else { return false };
        if !matches!(self.kind(), "Role" | "ClusterRole") {
            return false;
        }
        let change = rbac::compare(&old.value, &new.value);
        change.gained.is_empty() && change.lost.is_empty()
    }
}

/// Objects of both sides, compared.
#[derive(Debug, Clone, Default)]
pub struct Compared<'a> {
    /// Objects that differ in any way, noise included; by section, kind, namespace and name.
    pub deltas: Vec<Delta<'a>>,
    /// Per section and kind, how many objects are exactly the same.
    pub same: BTreeMap<(Section, String), usize>,
}

/// Compares two sets of objects.
pub fn compare<'a>(old: &'a ObjectSet, new: &'a ObjectSet, options: &Options) -> Compared<'a> {
    let mut compared = Compared::default();
    let mut gone: Vec<(&Key, &Object)> = Vec::new();
    let mut come: Vec<(&Key, &Object)> = Vec::new();
    for (key, before) in &old.objects {
        match new.objects.get(key) {
            Some(after) => compared.pair(options, key, before, after),
            None => gone.push((key, before)),
        }
    }
    come.extend(new.objects.iter().filter(|(key, _)| !old.objects.contains_key(*key)));
    // The same object in another API group, or with its namespace written out on one side only.
    let namespace =
        |key: &Key| if key.namespace.is_empty() { options.namespace.clone() } else { key.namespace.clone() };
    let same_name = |key: &Key, _: &Object| Some((key.kind.clone(), namespace(key), key.name.clone()));
    for (before, after) in take_pairs(&mut gone, &mut come, same_name) {
        compared.pair(options, after.0, before.1, after.1);
    }
    for (before, after) in renamed(&mut gone, &mut come) {
        compared.pair(options, after.0, before.1, after.1);
    }
    let one_sided = |(key, object): (&'a Key, &'a Object), is_new: bool| Delta {
        old: (!is_new).then_some(object),
        new: is_new.then_some(object),
        scope: Scope::of(&key.group, &key.kind),
        edits: Vec::new(),
        folded: Vec::new(),
    };
    compared.deltas.extend(gone.into_iter().map(|side| one_sided(side, false)));
    compared.deltas.extend(come.into_iter().map(|side| one_sided(side, true)));
    noise::fold_checksums(&mut compared.deltas);
    compared.deltas.sort_by(|a, b| order(a).cmp(&order(b)));
    compared
}

fn order<'a>(delta: &Delta<'a>) -> (Section, &'a str, &'a str, &'a str, &'a str) {
    let id = &delta.object().id;
    (section(id.group(), &id.kind), &id.kind, &id.namespace, &id.name, &id.api_version)
}

impl<'a> Compared<'a> {
    fn pair(&mut self, options: &Options, key: &Key, old: &'a Object, new: &'a Object) {
        let scope = Scope::of(&key.group, &key.kind);
        let edits =
            if old.value == new.value { Vec::new() } else { tree::diff(scope, options.yaml, &old.value, &new.value) };
        if edits.is_empty() {
            *self.same.entry((section(&key.group, &key.kind), key.kind.clone())).or_default() += 1;
            return;
        }
        let edits = edits.into_iter().flat_map(label_by_label).collect();
        let mut delta = Delta { old: Some(old), new: Some(new), scope, edits, folded: Vec::new() };
        noise::fold(&options.origin, &options.namespace, key, &mut delta);
        self.deltas.push(delta);
    }
}

/// Labels and annotations that came or went with their whole map are told one by one: each has its own meaning.
fn label_by_label(edit: Edit) -> Vec<Edit> {
    let labels = matches!(edit.path.0.as_slice(), [.., Step::Key(meta), Step::Key(map)]
        if meta == "metadata" && matches!(map.as_str(), "labels" | "annotations"));
    let one = |key: &String, old: Option<&Value>, new: Option<&Value>| Edit {
        path: edit.path.then(Step::Key(key.clone())),
        old: old.cloned(),
        new: new.cloned(),
        ..edit.clone()
    };
    match (&edit.old, &edit.new) {
        (None | Some(Value::Null), Some(Value::Object(map))) if labels && !map.is_empty() => {
            map.iter().map(|(key, value)| one(key, None, Some(value))).collect()
        }
        (Some(Value::Object(map)), None | Some(Value::Null)) if labels && !map.is_empty() => {
            map.iter().map(|(key, value)| one(key, Some(value), None)).collect()
        }
        _ => vec![edit],
    }
}

type Entry<'a> = (&'a Key, &'a Object);

/// Takes out of both lists what agrees on a property that nobody else on its side has.
fn take_pairs<'a, K: Ord>(
    gone: &mut Vec<Entry<'a>>,
    come: &mut Vec<Entry<'a>>,
    property: impl Fn(&Key, &Object) -> Option<K>,
) -> Vec<(Entry<'a>, Entry<'a>)> {
    let unique = |side: &[Entry<'a>]| {
        let mut places: BTreeMap<K, Option<usize>> = BTreeMap::new();
        for (at, (key, object)) in side.iter().enumerate() {
            if let Some(value) = property(key, object) {
                places.entry(value).and_modify(|once| *once = None).or_insert(Some(at));
            }
        }
        places
    };
    let after = unique(come);
    let places: Vec<(usize, usize)> =
        unique(gone).iter().filter_map(|(value, i)| Some(((*i)?, (*after.get(value)?)?))).collect();
    take_out(gone, come, &places)
}

fn take_out<'a>(
    gone: &mut Vec<Entry<'a>>,
    come: &mut Vec<Entry<'a>>,
    places: &[(usize, usize)],
) -> Vec<(Entry<'a>, Entry<'a>)> {
    let pairs = places.iter().map(|(i, j)| (gone[*i], come[*j])).collect();
    let (i, j): (BTreeSet<usize>, BTreeSet<usize>) = places.iter().copied().unzip();
    let keep = |side: &mut Vec<Entry<'a>>, taken: &BTreeSet<usize>| {
        let mut at = 0;
        side.retain(|_| {
            at += 1;
            !taken.contains(&(at - 1))
        });
    };
    keep(gone, &i);
    keep(come, &j);
    pairs
}

/// Objects that came under a new name: of the same kind, and most of what they say is the same.
fn renamed<'a>(gone: &mut Vec<Entry<'a>>, come: &mut Vec<Entry<'a>>) -> Vec<(Entry<'a>, Entry<'a>)> {
    /// Small objects (a ServiceAccount, a Namespace) are alike without having anything to do with each other.
    const SMALLEST: usize = 4;
    /// Beyond this many pairs of one kind only equal bodies are looked for, so that time stays linear.
    const MOST_PAIRS: usize = 10_000;
    let leaves = |side: &[Entry<'a>]| -> Vec<BTreeSet<String>> { side.iter().map(|(_, o)| body(&o.value)).collect() };
    let (before, after) = (leaves(gone), leaves(come));
    let by_kind = |side: &[Entry<'a>]| {
        let mut kinds: BTreeMap<(&'a str, &'a str), Vec<usize>> = BTreeMap::new();
        for (at, (key, _)) in side.iter().enumerate() {
            kinds.entry((&key.group, &key.kind)).or_default().push(at);
        }
        kinds
    };
    let kinds_come = by_kind(come);
    let mut places = Vec::new();
    for (kind, olds) in by_kind(gone) {
        let Some(news) = kinds_come.get(&kind) else { continue };
        let many = olds.len() * news.len() > MOST_PAIRS;
        let mut alike: Vec<(usize, usize, usize)> = Vec::new();
        for &i in &olds {
            for &j in news.iter().filter(|j| !many || after[**j].len() == before[i].len()) {
                let (a, b) = (&before[i], &after[j]);
                if a.len().min(b.len()) < SMALLEST || many && a != b {
                    continue;
                }
                let common = a.intersection(b).count();
                let percent = 100 * common / (a.len() + b.len() - common);
                if percent >= 60 {
                    alike.push((100 - percent, i, j));
                }
            }
        }
        alike.sort_unstable();
        let (mut used_old, mut used_new) = (BTreeSet::new(), BTreeSet::new());
        for (_, i, j) in alike {
            if !used_old.contains(&i) && !used_new.contains(&j) {
                used_old.insert(i);
                used_new.insert(j);
                places.push((i, j));
            }
        }
    }
    take_out(gone, come, &places)
}

/// What an object says beside who it is: `path=value` of every leaf.
fn body(object: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, path: &mut String, out: &mut BTreeSet<String>) {
        let long = path.len();
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    path.push('.');
                    path.push_str(key);
                    walk(value, path, out);
                    path.truncate(long);
                }
            }
            Value::Array(items) => {
                path.push_str("[]");
                items.iter().for_each(|item| walk(item, path, out));
                path.truncate(long);
            }
            leaf => {
                out.insert(format!("{path}={leaf}"));
            }
        }
    }
    let mut out = BTreeSet::new();
    if let Value::Object(map) = object {
        for (key, value) in
            map.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status"))
        {
            walk(value, &mut key.clone(), &mut out);
        }
    }
    out
}

/// The part of the report in which a kind is shown.
pub fn section(group: &str, kind: &str) -> Section {
    match (group, kind) {
        ("apps" | "extensions", "DaemonSet") => Section::DaemonSets,
        ("apps" | "extensions", "Deployment" | "StatefulSet" | "ReplicaSet")
        | ("batch", _)
        | ("", "Pod" | "ReplicationController") => Section::Workloads,
        ("", "ConfigMap" | "Secret") => Section::Config,
        ("rbac.authorization.k8s.io", _) | ("", "ServiceAccount") => Section::Rbac,
        ("", "Service" | "Endpoints")
        | ("discovery.k8s.io" | "apiregistration.k8s.io" | "admissionregistration.k8s.io", _)
        | ("networking.k8s.io" | "extensions", "Ingress" | "IngressClass") => Section::Services,
        ("apiextensions.k8s.io", _) => Section::Crds,
        _ => Section::Rest,
    }
}

/// The single changes behind an edit: a map or list that came or went as a whole is all of its leaves.
pub fn leaves(edit: &Edit) -> Vec<(FieldPath, Option<&Value>, Option<&Value>)> {
    fn walk<'v>(path: &FieldPath, value: &'v Value, out: &mut Vec<(FieldPath, &'v Value)>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                map.iter().for_each(|(key, value)| walk(&path.then(Step::Key(key.clone())), value, out));
            }
            Value::Array(items) if !items.is_empty() && !items.iter().all(Value::is_string) => {
                for (at, item) in items.iter().enumerate() {
                    let name = item.get("name").and_then(Value::as_str);
                    let step = name.map_or(Step::Index(at), |name| Step::Item(name.to_owned()));
                    walk(&path.then(step), item, out);
                }
            }
            leaf => out.push((path.clone(), leaf)),
        }
    }
    let mut out = Vec::new();
    match (&edit.old, &edit.new) {
        (None, Some(new)) => {
            walk(&edit.path, new, &mut out);
            out.into_iter().map(|(path, value)| (path, None, Some(value))).collect()
        }
        (Some(old), None) => {
            walk(&edit.path, old, &mut out);
            out.into_iter().map(|(path, value)| (path, Some(value), None)).collect()
        }
        (old, new) => vec![(edit.path.clone(), old.as_ref(), new.as_ref())],
    }
}
