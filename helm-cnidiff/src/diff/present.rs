//! One [`Delta`] in, what a report shows of it out: redacted, with images, texts and grants taken apart.

use serde_json::Value;

use super::objects::{Delta, section};
use super::tree::{Edit, What};
use super::{crd, rbac, text};
use crate::comparison::{
    Change, ChangeKind, CrdChange, Fact, FieldChange, FieldPath, GrantChange, Image, Level, Note, ObjectChange, Shown,
    Step,
};
use crate::manifest::Object;
use crate::redact::{Redactor, Subject};

/// What a report shows of a delta; `notes` are those about its object.
pub fn object_change(delta: &Delta<'_>, redactor: &Redactor, notes: &[&Note]) -> ObjectChange {
    let object = delta.object();
    let presenter = Presenter { delta, redactor, notes, subject: Subject::of(object.id.group(), &object.id.kind) };
    let change = match (delta.old, delta.new) {
        (None, Some(new)) => Change::Added(facts(new)),
        (Some(old), None) => Change::Removed(facts(old)),
        (Some(old), Some(new)) => presenter.both(&old.value, &new.value),
        (None, None) => Change::Fields(Vec::new()),
    };
    ObjectChange {
        section: section(object.id.group(), &object.id.kind),
        object: object.id.clone(),
        was: delta.was().cloned(),
        change,
        restarts: !delta.template_edits().is_empty(),
        folded: delta.folded.len(),
    }
}

struct Presenter<'p> {
    delta: &'p Delta<'p>,
    redactor: &'p Redactor,
    notes: &'p [&'p Note],
    subject: Subject,
}

impl Presenter<'_> {
    fn both(&self, old: &Value, new: &Value) -> Change {
        match self.delta.kind() {
            "Role" | "ClusterRole" => {
                let grants = rbac::compare(old, new);
                let other = self.delta.edits.iter().filter(|edit| !edit.path.starts_with(&["rules"]));
                let other = other.map(|edit| self.field(edit)).collect();
                Change::Grants(GrantChange { gained: grants.gained, lost: grants.lost, other })
            }
            "CustomResourceDefinition" => {
                let change = crd::compare(old, new, &self.delta.edits);
                Change::Crd(CrdChange {
                    name: self.delta.object().id.name.clone(),
                    versions: change.versions,
                    fields_removed: change.fields_removed,
                    fields_added: change.fields_added,
                    now_required: change.now_required,
                    validation: change.validation.into_iter().map(|edit| self.field(edit)).collect(),
                    other: change.other.into_iter().map(|edit| self.field(edit)).collect(),
                })
            }
            _ => Change::Fields(self.delta.edits.iter().map(|edit| self.field(edit)).collect()),
        }
    }

    fn field(&self, edit: &Edit) -> FieldChange {
        let mut old = self.redactor.shown(self.subject, &edit.path, edit.old.as_ref());
        let mut new = self.redactor.shown(self.subject, &edit.path, edit.new.as_ref());
        // One side a secret, the other not: what takes the secret's place is most likely one as well.
        if matches!(old, Shown::Secret { .. }) && !new.is_absent() {
            new = self.redactor.secret(edit.new.as_ref());
        } else if matches!(new, Shown::Secret { .. }) && !old.is_absent() {
            old = self.redactor.secret(edit.old.as_ref());
        }
        let kind = self.kind(edit, &old, &new);
        FieldChange { level: self.level(edit), aside: self.aside(edit, &kind), path: edit.path.clone(), old, new, kind }
    }

    fn kind(&self, edit: &Edit, old: &Shown, new: &Shown) -> ChangeKind {
        let hidden = matches!(old, Shown::Secret { .. }) || matches!(new, Shown::Secret { .. });
        match (&edit.what, &edit.old, &edit.new) {
            (What::Order { .. }, ..) => ChangeKind::Order,
            (_, None, _) => ChangeKind::Added,
            (_, _, None) => ChangeKind::Removed,
            (_, Some(Value::String(a)), Some(Value::String(b)))
                if edit.path.0.last() == Some(&Step::Key("image".into())) =>
            {
                ChangeKind::Image { old: image(a), new: image(b) }
            }
            (_, Some(Value::String(a)), Some(Value::String(b))) if a.contains('\n') || b.contains('\n') => {
                ChangeKind::Text(if hidden { Vec::new() } else { self.redactor.lines(text::lines(a, b)) })
            }
            _ => ChangeKind::Changed,
        }
    }

    /// Level of the worst note that speaks of this field.
    fn level(&self, edit: &Edit) -> Option<Level> {
        // Notes of a definition are about all of a schema at once.
        if self.delta.kind() == "CustomResourceDefinition" {
            return crd::tightened(edit).then_some(Level::Risk);
        }
        let about =
            |note: &&&Note| !note.path.is_empty() && (covers(&note.path, &edit.path) || note.also.contains(&edit.path));
        self.notes.iter().filter(about).map(|note| note.level).min()
    }

    fn aside(&self, edit: &Edit, kind: &ChangeKind) -> Option<String> {
        let mut words: Vec<&str> = Vec::new();
        match kind {
            ChangeKind::Order => words.push("order only"),
            ChangeKind::Image { old, new } => {
                let parts = [
                    (old.repository != new.repository, "repository"),
                    (old.tag != new.tag, "tag"),
                    (old.digest != new.digest, "digest"),
                ];
                words.extend(parts.iter().filter(|(differs, _)| *differs).map(|(_, word)| *word));
            }
            _ => {}
        }
        if crate::noise::checksum(edit) && self.delta.scope.in_template(&edit.path.0).is_some() {
            words.push("checksum: replaces pods");
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

fn covers(note: &FieldPath, edit: &FieldPath) -> bool {
    edit.0.len() >= note.0.len() && edit.0[..note.0.len()] == note.0[..]
}

fn image(text: &str) -> Image {
    let parts = cni_facts::ImageRef::parse(text);
    Image {
        repository: parts.repository.to_owned(),
        tag: parts.tag.unwrap_or_default().to_owned(),
        digest: parts.digest.unwrap_or_default().to_owned(),
    }
}

/// What a reader wants to know of an object that came or went as a whole.
fn facts(object: &Object) -> Vec<Fact> {
    let value = &object.value;
    let fact = |label: &str, text: String| (!text.is_empty()).then(|| Fact { label: label.into(), text });
    let texts = |list: &Value, field: &str| -> String {
        let names = list.as_array().into_iter().flatten().filter_map(|item| item[field].as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let keys =
        |map: &Value| map.as_object().map(|m| m.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
    let pod = if object.id.kind == "CronJob" { &value["spec"]["jobTemplate"] } else { value };
    let pod = &pod["spec"]["template"]["spec"];
    let facts = [
        fact("images", texts(&pod["containers"], "image")),
        fact("init images", texts(&pod["initContainers"], "image")),
        fact(
            "keys",
            if matches!(object.id.kind.as_str(), "ConfigMap" | "Secret") {
                keys(&value["data"])
            } else {
                String::new()
            },
        ),
        fact(
            "grants",
            if object.id.kind.ends_with("Role") {
                rbac::of(value)
                    .iter()
                    .map(|g| format!("{} {}", g.verbs.join(","), g.resource))
                    .collect::<Vec<_>>()
                    .join("; ")
            } else {
                String::new()
            },
        ),
        fact(
            "role",
            if object.id.kind.ends_with("RoleBinding") {
                value["roleRef"]["name"].as_str().unwrap_or_default().to_owned()
            } else {
                String::new()
            },
        ),
        fact("versions", texts(&value["spec"]["versions"], "name")),
        fact(
            "policy",
            value["metadata"]["annotations"]["helm.sh/resource-policy"].as_str().unwrap_or_default().to_owned(),
        ),
    ];
    facts.into_iter().flatten().collect()
}
