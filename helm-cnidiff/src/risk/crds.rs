//! Rules about CustomResourceDefinitions: what is served, what is stored, what helm leaves alone.

use serde_json::Value;

use super::objects::{keeps, stays};
use super::{Case, Notes, Rule, Saying};
use crate::comparison::{FieldPath, Level, Served, Shown, Step};
use crate::diff::crd;
use crate::diff::objects::Delta;

/// Definitions that change, or go.
pub(super) const CRDS: Rule = Rule {
    ids: &[
        "crd-not-applied",
        "crd-version-removed",
        "crd-storage-changed",
        "crd-fields-removed",
        "crd-now-required",
        "crd-validation-changed",
        "crd-removed",
    ],
    run: |case, notes| {
        for delta in
            case.compared.deltas.iter().filter(|delta| delta.kind() == "CustomResourceDefinition" && delta.is_shown())
        {
            let install_only = [delta.old, delta.new].into_iter().flatten().any(|object| object.install_only);
            if install_only && delta.new.is_some() {
                let title = if delta.old.is_none() {
                    "helm upgrade will not create this CRD"
                } else {
                    "helm upgrade will not update this CRD"
                };
                let saying = Saying {
                    level: Level::Risk,
                    id: "crd-not-applied",
                    title,
                    why: "It is in the chart's crds/ folder, which helm applies on install only. The new version would run against \
                          the old definition.",
                    fix: "Apply it by hand before the upgrade: helm show crds CHART | kubectl apply --server-side -f -",
                    source: "https://helm.sh/docs/chart_best_practices/custom_resource_definitions/",
                };
                notes.whole(&saying, Some(&delta.object().id));
            }
            match (delta.old, delta.new) {
                (Some(old), Some(new)) => crd_versions(delta, &old.value, &new.value, notes),
                (Some(_), None) => crd_removed(case, delta, install_only, notes),
                _ => {}
            }
        }
    },
};

fn crd_removed(case: &Case<'_>, delta: &Delta<'_>, install_only: bool, notes: &mut Notes<'_>) {
    let kept = keeps(delta) || stays(case);
    let saying = Saying {
        level: if kept || install_only { Level::Info } else { Level::Blocker },
        id: "crd-removed",
        title: if kept || install_only {
            "the chart has this CRD no more; it stays in the cluster"
        } else {
            "the CRD is deleted, and every object of its kind with it"
        },
        why: "Custom resources live and die with their definition: pools, policies, peers are gone for good.",
        fix: if kept || install_only {
            "From now on it is yours to update."
        } else {
            "Back the objects up, and keep the CRD: kubectl annotate crd NAME helm.sh/resource-policy=keep. If another chart brings it, \
             hand it over first."
        },
        source: "https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource",
    };
    notes.whole(&saying, Some(&delta.object().id));
}

fn crd_versions(delta: &Delta<'_>, old: &Value, new: &Value, notes: &mut Notes<'_>) {
    let id = &delta.object().id;
    let change = crd::compare(old, new, &delta.edits);
    let path = |version: &str| {
        FieldPath(vec![Step::Key("spec".into()), Step::Key("versions".into()), Step::Item(version.into())])
    };
    for version in &change.versions {
        let served = |side: Option<Served>| side.is_some_and(|s| s.served);
        let text = |side: Option<Served>| match side {
            None => Shown::Absent,
            Some(s) => Shown::Value(
                format!(
                    "{}{}",
                    if s.served { "served" } else { "not served" },
                    if s.storage { ", stored" } else { "" }
                )
                .into(),
            ),
        };
        let (before, after) = (text(version.old), text(version.new));
        if served(version.old) && !served(version.new) {
            let saying = Saying {
                level: Level::Blocker,
                id: "crd-version-removed",
                title: "a version of this CRD is served no more",
                why: "Clients, charts and stored manifests that speak it get 404 from the moment the CRD is applied. The API server refuses \
                      to drop a version that is still in status.storedVersions.",
                fix: "Move what uses it to a version that stays; then migrate what is stored (kubectl get … -o yaml | kubectl replace -f -).",
                source: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/",
            };
            notes.plain(&saying, id, path(&version.name), before, after);
        } else if version.old.map(|s| s.storage) != version.new.map(|s| s.storage)
            && version.new.is_some_and(|s| s.storage)
        {
            let saying = Saying {
                level: Level::Risk,
                id: "crd-storage-changed",
                title: "objects are stored in another version from now on",
                why: "There is no way back without converting what was written meanwhile: a rollback of the CRD fails once objects are \
                      stored in the new version.",
                fix: "Back the objects up before the upgrade.",
                source: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/",
            };
            notes.plain(&saying, id, path(&version.name), before, after);
        }
    }
    let list = |fields: &[String]| few(fields.to_vec());
    if !change.fields_removed.is_empty() {
        let saying = Saying {
            level: Level::Risk,
            id: "crd-fields-removed",
            title: "fields are gone from the schema",
            why: "The API server drops them in silence from every object that is written from then on.",
            fix: "See whether your objects set them.",
            source: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#field-pruning",
        };
        notes.plain(&saying, id, FieldPath::keys(["spec", "versions"]), list(&change.fields_removed), Shown::Absent);
    }
    let stricter: Vec<String> = change
        .validation
        .iter()
        .filter(|edit| crd::tightened(edit))
        .filter_map(|edit| crd::rule_of(&edit.path))
        .map(|(field, rule)| format!("{field}: {rule}"))
        .collect();
    if !stricter.is_empty() {
        let saying = Saying {
            level: Level::Risk,
            id: "crd-validation-changed",
            title: "what fields may hold is checked more strictly, or otherwise",
            why: "Objects that the new rules do not allow can be read, and not be written any more, by whatever manages them.",
            fix: "Apply your objects with --dry-run=server once the new CRD is in a test cluster.",
            source: "https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation",
        };
        notes.plain(&saying, id, FieldPath::keys(["spec", "versions"]), Shown::Absent, few(stricter));
    }
    if !change.now_required.is_empty() {
        let saying = Saying {
            level: Level::Risk,
            id: "crd-now-required",
            title: "fields are required now",
            why: "Objects without them can be read, and not be written any more.",
            fix: "See whether your objects set them.",
            source: "",
        };
        notes.plain(&saying, id, FieldPath::keys(["spec", "versions"]), Shown::Absent, list(&change.now_required));
    }
}

/// The first of them, and how many more; all of them are in the change itself.
fn few(mut names: Vec<String>) -> Shown {
    const MOST: usize = 5;
    names.dedup();
    if names.len() > MOST {
        let more = names.len() - MOST + 1;
        names.truncate(MOST - 1);
        names.push(format!("and {more} more"));
    }
    Shown::Value(names.into())
}
