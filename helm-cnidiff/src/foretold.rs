//! Live objects, the target as it was rendered, and what the API server answered to a dry-run of it in; the target as it
//! would be stored, and notes out.
//!
//! A server-side apply leaves alone what others own and, in a release that was applied by the client, what helm itself
//! set before. The former stays after the upgrade and is told ([`kept`]); the latter helm takes away ([`stored`]).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::comparison::{FieldPath, Level, Note, ObjectRef, Shown, Step};
use crate::diff::objects::{Options, compare};
use crate::diff::scope::Scope;
use crate::diff::text::no_yaml;
use crate::diff::tree::{self, Edit};
use crate::manifest::{Key, Object, ObjectSet};

/// The name under which helm owns fields, whatever its program is called (`kube.ManagedFieldsManager` in Helm 3 and 4).
pub const MANAGER: &str = "helm";

const CONFLICTS: &str = "https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// What the API server would do with one object.
#[derive(Debug, Clone, PartialEq)]
pub enum Foretold {
    /// Store this, if need be after taking fields from their owners.
    Stored {
        /// The object.
        object: Value,
        /// Fields that others own and that would change.
        conflicts: Vec<Conflict>,
    },
    /// Refuse the object as it is, for this reason; values that it was sent are not in there.
    Invalid(String),
    /// The user may not ask.
    Forbidden(String),
    /// It could not be told.
    Unknown(String),
}

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// The manager: `kubectl-edit`, `argocd-controller`.
    pub manager: String,
    /// As the API server writes it: `.spec.template.spec.containers[name="agent"].image`.
    pub field: String,
}

/// How helm would apply the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apply {
    /// On the server, which refuses to take a field from another owner: Helm 4, for releases that it installed.
    Server,
    /// On the client, which overwrites: Helm 3, and Helm 4 for releases of Helm 3.
    Client,
}

/// Objects of the target about which the API server can be asked: those that are there already and that an upgrade
/// applies. Hooks are made anew, files of `crds/` left alone, and what is new has nothing to be compared with.
pub fn askable<'a>(live: &ObjectSet, target: &'a ObjectSet) -> Vec<(&'a Key, &'a Object)> {
    let hook = |object: &Object| object.value.pointer("/metadata/annotations/helm.sh~1hook").is_some();
    let objects = target.objects.iter();
    objects.filter(|(key, object)| live.objects.contains_key(*key) && !object.install_only && !hook(object)).collect()
}

/// The object as helm sends it: with the marks by which it knows its own.
pub fn sent(object: &Object, release: &str, namespace: &str) -> Value {
    let mut value = object.value.clone();
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return value };
    let mut mark = |map: &str, key: &str, text: &str| {
        let map = metadata.entry(map).or_insert_with(|| Value::Object(Map::new()));
        if map.is_null() {
            *map = Value::Object(Map::new());
        }
        if let Some(map) = map.as_object_mut() {
            map.insert(key.to_owned(), text.into());
        }
    };
    mark("labels", "app.kubernetes.io/managed-by", "Helm");
    mark("annotations", "meta.helm.sh/release-name", release);
    mark("annotations", "meta.helm.sh/release-namespace", namespace);
    value
}

/// The object as it would be stored: what the API server answered, without what helm itself takes away (`before` is its
/// stored manifest, `rendered` the new one) and without what says nothing and differs from request to request.
pub fn stored(key: &Key, answer: &Value, before: Option<&Value>, rendered: &Value) -> Value {
    let mut object = answer.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"] {
            metadata.remove(field);
        }
    }
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    let Some(before) = before else { return object };
    let scope = Scope::of(&key.group, &key.kind);
    let gone = |edits: Vec<Edit>| edits.into_iter().filter(|edit| edit.old.is_some() && edit.new.is_none());
    let taken: BTreeSet<FieldPath> = gone(tree::diff(scope, no_yaml, before, rendered)).map(|edit| edit.path).collect();
    let left: Vec<Edit> =
        gone(tree::diff(scope, no_yaml, &object, rendered)).filter(|edit| taken.contains(&edit.path)).collect();
    // From behind, so that places in lists stay what they are.
    left.iter().rev().for_each(|edit| remove(&mut object, edit));
    object
}

/// Takes out what stood at an edit's old place.
fn remove(object: &mut Value, edit: &Edit) {
    let Some((last, above)) = edit.path.0.split_last() else { return };
    // Arguments are one list to the API server: the answer has the new ones already.
    let apart = |step: &Step| {
        matches!(step, Step::Inside(_)) || matches!(step, Step::Key(key) if key == "args" || key == "command")
    };
    if edit.path.0.iter().any(apart) {
        return;
    }
    let mut hops = edit.hops.iter().map(|hop| hop.old);
    let mut at = object;
    for step in above {
        let next = match step {
            Step::Key(key) => at.get_mut(key),
            _ => hops.next().flatten().and_then(|place| at.get_mut(place)),
        };
        let Some(next) = next else { return };
        at = next;
    }
    match (last, at) {
        (Step::Key(key), Value::Object(map)) => {
            map.remove(key);
        }
        (_, Value::Array(items)) => {
            if let Some(place) = hops.next().flatten().filter(|place| *place < items.len()) {
                items.remove(place);
            }
        }
        _ => {}
    }
}

/// Notes of one object's answer.
pub fn notes(object: &Object, answer: &Foretold, apply: Apply) -> Vec<Note> {
    match answer {
        Foretold::Stored { conflicts, .. } => conflict_notes(object, conflicts, apply),
        Foretold::Invalid(said) => {
            vec![Note {
                why: format!("Asked what it would store, the API server answered: {}", sentence(said)),
                fix: "Change the values, or delete the object first where the field cannot be changed.".to_owned(),
                ..note(
                    Level::Blocker,
                    "refused-by-api-server",
                    "the API server refuses the object".to_owned(),
                    &object.id,
                )
            }]
        }
        Foretold::Forbidden(_) | Foretold::Unknown(_) => Vec::new(),
    }
}

fn conflict_notes(object: &Object, conflicts: &[Conflict], apply: Apply) -> Vec<Note> {
    let mut managers: BTreeMap<&str, Vec<FieldPath>> = BTreeMap::new();
    for conflict in conflicts {
        managers.entry(&conflict.manager).or_default().push(field_path(&conflict.field, &object.value));
    }
    let one = |(manager, mut paths): (&str, Vec<FieldPath>)| {
        let (level, why, fix) = match apply {
            Apply::Server => (
                Level::Blocker,
                "This release is applied on the server, and the API server does not take a field from another owner: \
                 helm upgrade stops with a conflict."
                    .to_owned(),
                format!(
                    "Let {manager:?} give the field up, put its value into the chart's values, or take it over with \
                     helm upgrade --force-conflicts."
                ),
            ),
            Apply::Client => (
                Level::Risk,
                format!(
                    "This release is applied by the client, so that the value of {manager:?} is overwritten without a \
                     word, and {manager:?} may set it again. With Helm 4's server-side apply the upgrade would fail."
                ),
                format!(
                    "Let one of the two own the field; with helm upgrade --server-side=true, --force-conflicts takes it \
                     over from {manager:?}."
                ),
            ),
        };
        let what = if paths.len() == 1 { "a field".to_owned() } else { format!("{} fields", paths.len()) };
        let title = format!("manager {manager:?} owns {what} that the chart sets to something else");
        let path = paths.remove(0);
        Note {
            path,
            also: paths,
            why,
            fix,
            source: Some(CONFLICTS.to_owned()),
            ..note(level, "owned-by-another-manager", title, &object.id)
        }
    };
    managers.into_iter().map(one).collect()
}

/// Fields of live objects that the target does not set and that stay all the same; one note per object.
pub fn kept(live: &ObjectSet, rendered: &ObjectSet, stored: &ObjectSet, options: &Options) -> Vec<Note> {
    let gone = |edit: &&Edit| edit.old.is_some() && edit.new.is_none();
    let after = compare(live, stored, options);
    let still: BTreeMap<&ObjectRef, BTreeSet<&FieldPath>> = after
        .deltas
        .iter()
        .map(|delta| (&delta.object().id, delta.edits.iter().filter(gone).map(|edit| &edit.path).collect()))
        .collect();
    let mut notes = Vec::new();
    for delta in &compare(live, rendered, options).deltas {
        let (Some(_), Some(new)) = (delta.old, delta.new) else { continue };
        let taken = still.get(&new.id);
        let stays = |edit: &&Edit| gone(edit) && !taken.is_some_and(|taken| taken.contains(&edit.path));
        let mut paths: Vec<FieldPath> = delta.edits.iter().filter(stays).map(|edit| edit.path.clone()).collect();
        if paths.is_empty() {
            continue;
        }
        let title = "set in the cluster and not by the chart; it stays".to_owned();
        let why = "Somebody or something else set this in the live object. An upgrade does not touch it.".to_owned();
        let fix = "Where it is meant to stay, put it into the chart's values; else remove it by hand.".to_owned();
        let path = paths.remove(0);
        notes.push(Note { path, also: paths, why, fix, ..note(Level::Info, "live-only-field", title, &new.id) });
    }
    notes
}

fn note(level: Level, id: &str, title: String, object: &ObjectRef) -> Note {
    Note {
        level,
        id: id.to_owned(),
        title,
        object: Some(object.clone()),
        path: FieldPath::default(),
        old: Shown::Absent,
        new: Shown::Absent,
        why: String::new(),
        fix: String::new(),
        source: None,
        also: Vec::new(),
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// `.metadata.annotations.a.b/c` as a path: where a dot belongs to a key is known from the object.
fn field_path(field: &str, object: &Value) -> FieldPath {
    let mut steps = Vec::new();
    let mut at = Some(object);
    let mut rest = field;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find("\"]").map(|end| end + 1).or_else(|| inner.find(']')).unwrap_or(inner.len());
            let (text, behind) = inner.split_at(end);
            let pairs: Vec<(&str, &str)> = text
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .map(|(k, v)| (k, v.trim_matches('"')))
                .collect();
            let has = |item: &&Value| {
                pairs.iter().all(|(key, value)| match item.get(key) {
                    Some(Value::String(text)) => text == value,
                    Some(other) => value.parse().is_ok_and(|value: Value| value == *other),
                    None => key.is_empty() && item.as_str() == Some(value),
                })
            };
            at = at.and_then(Value::as_array).and_then(|items| items.iter().find(has));
            let values: Vec<&str> = pairs.iter().map(|(_, value)| *value).collect();
            steps.push(Step::Item(if values.is_empty() { text.to_owned() } else { values.join("/") }));
            rest = behind.strip_prefix(']').unwrap_or(behind);
            continue;
        }
        let text = rest.strip_prefix('.').unwrap_or(rest);
        let map = at.and_then(Value::as_object);
        let fits =
            |key: &&String| text.strip_prefix(key.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(['.', '[']));
        let known = map.and_then(|map| map.keys().filter(fits).max_by_key(|key| key.len()));
        let end = known.map_or_else(|| text.find(['.', '[']).unwrap_or(text.len()), String::len);
        let (key, behind) = text.split_at(end);
        at = at.and_then(|value| value.get(key));
        steps.push(Step::Key(key.to_owned()));
        rest = behind;
    }
    FieldPath(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::Document;

    fn set(object: Value) -> ObjectSet {
        ObjectSet::read("", Document::number([object]), "kube-system").0
    }

    fn daemonset(env: Value) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "cilium", "namespace": "kube-system"},
            "spec": {"template": {"spec": {"containers": [{"name": "agent", "image": "x", "env": env}]}}}})
    }

    fn env(names: &[&str]) -> Value {
        names.iter().map(|name| json!({"name": name, "value": "1"})).collect()
    }

    #[test]
    fn what_helm_takes_away_is_taken_and_what_others_set_stays() {
        let (before, rendered) = (daemonset(env(&["A", "GONE", "B", "GONE_TOO"])), daemonset(env(&["A", "B"])));
        let mut live = daemonset(env(&["A", "GONE", "BY_HAND", "B", "GONE_TOO"]));
        live["spec"]["minReadySeconds"] = json!(5);
        let mut answer = live.clone();
        answer["metadata"]["managedFields"] = json!([]);
        answer["status"] = json!({"x": 1});
        let sets = [&live, &rendered].map(|value| set(value.clone()));
        let (key, _) = sets[1].objects.iter().next().unwrap();
        let stored = stored(key, &answer, Some(&before), &rendered);
        let mut expected = daemonset(env(&["A", "BY_HAND", "B"]));
        expected["spec"]["minReadySeconds"] = json!(5);
        assert_eq!(stored, expected);
        let notes = kept(&sets[0], &sets[1], &set(stored), &Options::default());
        let paths: Vec<String> =
            notes.iter().flat_map(|n| [&n.path].into_iter().chain(&n.also)).map(ToString::to_string).collect();
        assert_eq!(paths, ["spec.minReadySeconds", "spec.template.spec.containers[agent].env[BY_HAND]"]);
    }

    #[test]
    fn a_conflict_names_manager_field_and_the_way_out() {
        let rendered = set(daemonset(env(&["A"])));
        let object = rendered.objects.values().next().unwrap();
        let field = |field: &str| Conflict { manager: "other".into(), field: field.into() };
        let conflicts = vec![
            field(r#".spec.template.spec.containers[name="agent"].image"#),
            field(r#".spec.template.spec.containers[name="agent"].env[name="A"].value"#),
        ];
        let answer = Foretold::Stored { object: Value::Null, conflicts };
        for (apply, level) in [(Apply::Server, Level::Blocker), (Apply::Client, Level::Risk)] {
            let notes = notes(object, &answer, apply);
            assert_eq!(notes.len(), 1);
            let note = &notes[0];
            assert_eq!(note.level, level);
            assert!(note.title.contains("\"other\"") && note.fix.contains("--force-conflicts"), "{note:?}");
            assert_eq!(note.path.to_string(), "spec.template.spec.containers[agent].image");
            assert_eq!(note.also[0].to_string(), "spec.template.spec.containers[agent].env[A].value");
        }
    }

    #[test]
    fn a_field_of_the_server_is_a_path_of_ours() {
        let object = json!({"metadata": {"annotations": {"a.b/c": "1"}}, "data": {"x.yaml": ""},
            "spec": {"ports": [{"containerPort": 80, "protocol": "TCP"}], "finalizers": ["a.b"]}});
        let cases = [
            (".metadata.annotations.a.b/c", "metadata.annotations[\"a.b/c\"]"),
            (".data.x.yaml", "data[\"x.yaml\"]"),
            (r#".spec.ports[containerPort=80,protocol="TCP"].hostPort"#, "spec.ports[80/TCP].hostPort"),
            (r#".spec.finalizers[="a.b"]"#, "spec.finalizers[a.b]"),
            (".unknown.field", "unknown.field"),
            (".broken[", "broken[]"),
        ];
        for (field, expected) in cases {
            assert_eq!(field_path(field, &object).to_string(), expected);
        }
    }

    #[test]
    fn only_what_is_there_and_is_applied_is_asked_about() {
        let mut hook = daemonset(json!([]));
        hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-upgrade"});
        let there = set(daemonset(json!([])));
        assert_eq!(askable(&there, &set(daemonset(json!([])))).len(), 1);
        assert!(askable(&ObjectSet::default(), &there).is_empty());
        assert!(askable(&there, &set(hook)).is_empty());
        let mut sent_value = there.clone();
        let object = sent_value.objects.values_mut().next().unwrap();
        object.value["metadata"]["labels"] = Value::Null;
        let sent = sent(object, "cilium", "kube-system");
        assert_eq!(sent["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
        assert_eq!(sent["metadata"]["annotations"]["meta.helm.sh/release-name"], "cilium");
    }
}
