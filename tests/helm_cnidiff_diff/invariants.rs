//! What holds for any input.

use helm_cnidiff::diff::objects::{Options, compare};
use helm_cnidiff::diff::scope::Scope;
use helm_cnidiff::diff::text::document;
use helm_cnidiff::diff::tree::{apply, diff};
use helm_cnidiff::manifest::{Document, ObjectSet};
use serde_json::Value;

use crate::fixtures;
use crate::generator::Random;

const KINDS: [(&str, &str); 6] = [
    ("apps", "DaemonSet"),
    ("", "ConfigMap"),
    ("", "Service"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("example.io", "Thing"),
    ("batch", "CronJob"),
];

/// The edits lead from old to new: exactly, but for the layout of documents inside ConfigMaps.
pub(crate) fn check_apply(scope: Scope, old: &Value, new: &Value) {
    let edits = diff(scope, fixtures::yaml, old, new);
    let made = apply(scope, fixtures::yaml, old, &edits);
    assert!(same(&made, new), "edits {edits:#?}\nlead from {old}\nto {made}\nand not to {new}");
    assert_eq!(edits.is_empty(), old == new);
}

/// Told without the differ's help.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::String(a), Value::String(b)) if a != b => {
            let read = |text: &str| document(fixtures::yaml, "x.yaml", text);
            read(a).is_some_and(|(_, a)| read(b).is_some_and(|(_, b)| a == b))
        }
        (a, b) => a == b,
    }
}

#[test]
fn nothing_differs_from_itself() {
    for name in fixtures::names() {
        let set = fixtures::set(&name);
        let compared = compare(&set, &set, &Options::default());
        assert!(compared.deltas.is_empty(), "{name}");
        assert_eq!(compared.same.values().sum::<usize>(), set.objects.len(), "{name}");
        for (key, object) in &set.objects {
            let scope = Scope::of(&key.group, &key.kind);
            assert_eq!(diff(scope, fixtures::yaml, &object.value, &object.value), [], "{name} {key:?}");
        }
    }
}

#[test]
fn nothing_differs_from_itself_whatever_the_cni() {
    let mut folders = vec![fixtures::dir().join("../../../cni-facts/tests/fixtures")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|end| end == "yaml") {
                let (set, _) = ObjectSet::read(
                    "x",
                    Document::number(fixtures::parse(&std::fs::read_to_string(&entry).unwrap())),
                    "n",
                );
                assert!(compare(&set, &set, &Options::default()).deltas.is_empty(), "{}", entry.display());
                files += 1;
            }
        }
    }
    assert!(files > 20, "{files}");
}

#[test]
fn the_edits_between_real_versions_lead_from_one_to_the_other() {
    let names = fixtures::names();
    let mut compared = 0;
    for pair in names.windows(2).filter(|pair| pair[0][..4] == pair[1][..4]) {
        let (old, new) = (fixtures::set(&pair[0]), fixtures::set(&pair[1]));
        for (key, before) in &old.objects {
            if let Some(after) = new.objects.get(key) {
                check_apply(Scope::of(&key.group, &key.kind), &before.value, &after.value);
                compared += usize::from(before.value != after.value);
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

/// Nothing gets lost between the tree and the report: what is shown and what is folded lead from old to new.
#[test]
fn what_is_shown_and_what_is_folded_is_everything() {
    fn without_empty_labels(mut value: Value) -> Value {
        for path in ["/metadata", "/spec/template/metadata", "/spec/jobTemplate/spec/template/metadata"] {
            if let Some(Value::Object(meta)) = value.pointer_mut(path) {
                meta.retain(|key, v| {
                    !(matches!(key.as_str(), "labels" | "annotations")
                        && (v.is_null() || v.as_object().is_some_and(serde_json::Map::is_empty)))
                });
            }
        }
        value
    }
    let options = Options { yaml: fixtures::yaml, ..Options::default() };
    let names = fixtures::names();
    let (mut objects, mut folded) = (0, 0);
    for pair in names.windows(2).filter(|pair| pair[0][..4] == pair[1][..4]) {
        let (old, new) = (fixtures::set(&pair[0]), fixtures::set(&pair[1]));
        for delta in compare(&old, &new, &options).deltas {
            let (Some(before), Some(after)) = (delta.old, delta.new) else { continue };
            let mut edits: Vec<_> =
                delta.edits.iter().chain(delta.folded.iter().map(|(_, edit)| edit)).cloned().collect();
            edits.sort_by(|a, b| a.path.cmp(&b.path));
            let made = apply(delta.scope, fixtures::yaml, &before.value, &edits);
            let (made, after) = (without_empty_labels(made), without_empty_labels(after.value.clone()));
            assert!(same(&made, &after), "{} {edits:#?}", delta.object().id);
            (objects, folded) = (objects + 1, folded + delta.folded.len());
        }
    }
    assert!(objects > 150 && folded > 500, "{objects} {folded}");
}

#[test]
fn the_edits_between_random_trees_lead_from_one_to_the_other() {
    let mut random = Random(1);
    for round in 0..20_000 {
        let (group, kind) = *random.pick(&KINDS);
        let old = random.tree(5);
        let mut new = old.clone();
        let mut changes = 1 + round % 4;
        while changes > 0 {
            random.mutate(&mut new, &mut changes);
        }
        check_apply(Scope::of(group, kind), &old, &new);
        check_apply(Scope::values(), &old, &new);
    }
}

#[test]
fn the_edits_between_mutated_real_objects_lead_from_one_to_the_other() {
    let mut random = Random(2);
    for name in ["cilium-1.19.6.yaml.gz", "kube-flannel-v0.28.9.yml", "calico-v3.32.1.yaml.gz"] {
        let set = fixtures::set(name);
        let small = set.objects.iter().filter(|(key, _)| key.kind != "CustomResourceDefinition");
        for (key, object) in small {
            for round in 0..40 {
                let mut new = object.value.clone();
                let mut changes = 1 + round % 5;
                while changes > 0 {
                    random.mutate(&mut new, &mut changes);
                }
                check_apply(Scope::of(&key.group, &key.kind), &object.value, &new);
            }
        }
    }
}

#[test]
fn the_order_of_documents_says_nothing() {
    let mut random = Random(3);
    let (old, new) = (fixtures::documents("cilium-1.18.4.yaml.gz"), fixtures::documents("cilium-1.19.6.yaml.gz"));
    let told = |old: Vec<Value>, new: Vec<Value>| {
        let (old, new) = (fixtures::objects(old), fixtures::objects(new));
        let compared = compare(&old, &new, &Options::default());
        compared.deltas.iter().map(|delta| format!("{} {:?}", delta.object().id, delta.edits)).collect::<Vec<_>>()
    };
    let straight = told(old.clone(), new.clone());
    assert!(!straight.is_empty());
    for _ in 0..5 {
        let (mut old, mut new) = (old.clone(), new.clone());
        random.shuffle(&mut old);
        random.shuffle(&mut new);
        assert_eq!(told(old, new), straight);
    }
}
