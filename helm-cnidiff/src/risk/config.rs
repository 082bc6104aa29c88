//! Rules about ConfigMaps and Secrets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Case, Rule, Saying, changed};
use crate::comparison::{FieldPath, Level, Shown};
use crate::diff::tree::Edit;
use crate::manifest::{Object, ObjectSet};

/// Pods read most configuration when they start: a change that replaces no pod changes nothing yet.
pub(super) const RESTARTS_NOBODY: Rule = Rule {
    ids: &["config-restarts-nobody"],
    run: |case, notes| {
        let replaced: BTreeSet<(&str, &str, &str)> = changed(case)
            .filter(|(delta, ..)| !delta.template_edits().is_empty())
            .map(|(delta, ..)| named(delta.object()))
            .collect();
        let readers = readers(case.new);
        for (delta, ..) in changed(case).filter(|(d, ..)| matches!(d.kind(), "ConfigMap" | "Secret")) {
            let Some(edit) = delta.edits.iter().find(|edit| !edit.path.starts_with(&["metadata"])) else { continue };
            let id = &delta.object().id;
            let Some(readers) = readers.get(&named(delta.object())) else { continue };
            let waiting: Vec<String> = readers
                .iter()
                .filter(|object| !replaced.contains(&named(object)))
                .map(|object| object.id.to_string())
                .collect();
            if waiting.is_empty() {
                continue;
            }
            let title = format!("{} changes and no pod of {} is replaced", delta.kind(), waiting.join(", "));
            let fix = waiting
                .iter()
                .filter_map(|name| name.split_once(' '))
                .map(|(kind, name)| {
                    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
                    format!("kubectl -n {namespace} rollout restart {}/{name}", kind.to_ascii_lowercase())
                })
                .collect::<Vec<_>>()
                .join("; ");
            let saying = Saying {
                level: Level::Risk,
                id: "config-restarts-nobody",
                title: &title,
                why: "Pods that read it when they start go on with the old content, and each takes the new one whenever it happens \
                      to restart: nodes differ until then.",
                fix: &fix,
                source: "https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically",
            };
            notes.plain(&saying, id, first_two(&edit.path), Shown::Absent, Shown::Absent);
        }
    },
};

/// The key of the data, not what is inside of it.
fn first_two(path: &FieldPath) -> FieldPath {
    FieldPath(path.0.iter().take(2).cloned().collect())
}

fn named(object: &Object) -> (&str, &str, &str) {
    (&object.id.kind, &object.id.namespace, &object.id.name)
}

type Named<'a> = (&'a str, &'a str, &'a str);

/// Workloads by the ConfigMaps and Secrets that their pods use.
fn readers(set: &ObjectSet) -> BTreeMap<Named<'_>, Vec<&Object>> {
    let mut readers: BTreeMap<Named<'_>, Vec<&Object>> = BTreeMap::new();
    let workloads = ["DaemonSet", "Deployment", "StatefulSet"].into_iter().flat_map(|kind| set.of_kind("apps", kind));
    for object in workloads {
        let used: BTreeSet<(&str, &str)> = used(&object.value["spec"]["template"]["spec"]).into_iter().collect();
        for (kind, name) in used {
            readers.entry((kind, &object.id.namespace, name)).or_default().push(object);
        }
    }
    readers
}

/// Kind and name of each ConfigMap and Secret that a pod mounts or takes variables from.
fn used<'a>(pod: &'a Value) -> Vec<(&'static str, &'a str)> {
    let mut used = Vec::new();
    let mut add = |kind, name: &'a Value| {
        if let Value::String(name) = name {
            used.push((kind, name.as_str()));
        }
    };
    for volume in list(&pod["volumes"]) {
        add("ConfigMap", &volume["configMap"]["name"]);
        add("Secret", &volume["secret"]["secretName"]);
        for source in list(&volume["projected"]["sources"]) {
            add("ConfigMap", &source["configMap"]["name"]);
            add("Secret", &source["secret"]["name"]);
        }
    }
    for container in list(&pod["containers"]).iter().chain(list(&pod["initContainers"])) {
        for source in list(&container["envFrom"]) {
            add("ConfigMap", &source["configMapRef"]["name"]);
            add("Secret", &source["secretRef"]["name"]);
        }
        for variable in list(&container["env"]) {
            add("ConfigMap", &variable["valueFrom"]["configMapKeyRef"]["name"]);
            add("Secret", &variable["valueFrom"]["secretKeyRef"]["name"]);
        }
    }
    used
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A key that is gone is a switch that falls back.
pub(super) const KEYS: Rule = Rule {
    ids: &["config-keys-removed"],
    run: |case, notes| {
        for (delta, ..) in changed(case).filter(|(d, ..)| d.kind() == "ConfigMap") {
            let key = |edit: &&Edit| edit.new.is_none() && edit.path.starts_with(&["data"]) && edit.path.0.len() == 2;
            for edit in delta.edits.iter().filter(key) {
                let saying = Saying {
                    level: Level::Risk,
                    id: "config-keys-removed",
                    title: "keys are gone from the configuration",
                    why: "They switch features: what reads them falls back to the default of its version.",
                    fix: "See in the release notes what the default is now, or the key's new name.",
                    source: "",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};

/// `immutable: true` is meant.
pub(super) const IMMUTABLE: Rule = Rule {
    ids: &["config-immutable", "secret-type-immutable"],
    run: |case: &Case<'_>, notes| {
        for (delta, old, _) in changed(case).filter(|(d, ..)| matches!(d.kind(), "ConfigMap" | "Secret")) {
            let data = |path: &FieldPath| !path.starts_with(&["metadata"]);
            if old["immutable"] == true
                && let Some(edit) = delta.edits.iter().find(|edit| data(&edit.path))
            {
                let saying = Saying {
                    level: Level::Blocker,
                    id: "config-immutable",
                    title: "it is immutable, and changes",
                    why: "The API server refuses the change: the upgrade fails here.",
                    fix: "Delete the object first; pods that run keep what they have.",
                    source: "https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
            if let Some(edit) = delta.edits.iter().find(|e| delta.kind() == "Secret" && e.path.starts_with(&["type"])) {
                let saying = Saying {
                    level: Level::Blocker,
                    id: "secret-type-immutable",
                    title: "the type of the Secret changes, and types are immutable",
                    why: "The API server refuses the change: the upgrade fails here.",
                    fix: "Delete the Secret first.",
                    source: "https://kubernetes.io/docs/concepts/configuration/secret/#secret-types",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};
