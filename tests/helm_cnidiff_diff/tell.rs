//! A comparison in lines, for assertions.

use helm_cnidiff::compare::{Half, Input, compare};
use helm_cnidiff::comparison::{Change, ChangeKind, Comparison, FieldChange, Shown};
use helm_cnidiff::manifest::ObjectSet;
use serde_json::Value;

use crate::fixtures;

/// Compares as a chart upgrade does: both sides rendered by helm.
pub(crate) fn rendered(old: ObjectSet, new: ObjectSet) -> Comparison {
    let mut input = input(old, new);
    input.options.origin.rendered = true;
    compare(input)
}

pub(crate) fn input(old: ObjectSet, new: ObjectSet) -> Input {
    let mut input = Input {
        old: Half { objects: old, ..Half::default() },
        new: Half { objects: new, ..Half::default() },
        ..Input::default()
    };
    input.options.yaml = fixtures::yaml;
    input.options.namespace = "kube-system".into();
    input
}

pub(crate) fn shown(shown: &Shown) -> String {
    match shown {
        Shown::Absent => "-".into(),
        Shown::Value(Value::String(text)) if text.len() < 60 => text.clone(),
        Shown::Value(value) => value.to_string().chars().take(60).collect(),
        Shown::Secret { hash } => format!("secret {hash}"),
    }
}

fn field(field: &FieldChange) -> String {
    let aside = field.aside.as_ref().map(|aside| format!(" ({aside})")).unwrap_or_default();
    let kind = match &field.kind {
        ChangeKind::Added => "+",
        ChangeKind::Removed => "-",
        ChangeKind::Order => "order",
        ChangeKind::Text(lines) => return format!("~ {} {} lines{aside}", field.path, lines.len()),
        ChangeKind::Changed | ChangeKind::Image { .. } => "~",
    };
    format!("{kind} {} {} -> {}{aside}", field.path, shown(&field.old), shown(&field.new))
}

/// Every change, a line each: `DaemonSet kube-system/cilium ~ spec.… a -> b`.
pub(crate) fn changes(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for object in &comparison.objects {
        let name = object.object.to_string();
        let mut say = |text: String| lines.push(format!("{name} {text}"));
        if let Some(was) = &object.was {
            say(format!("was {} {was}", was.api_version));
        }
        match &object.change {
            Change::Added(_) => say("added".into()),
            Change::Removed(_) => say("removed".into()),
            Change::Fields(fields) => fields.iter().for_each(|f| say(field(f))),
            Change::Grants(grants) => {
                for (sign, list) in [("gained", &grants.gained), ("lost", &grants.lost)] {
                    list.iter().for_each(|g| {
                        say(format!("{sign} {} {}/{} {}", g.verbs.join(","), g.group, g.resource, g.resource_name))
                    });
                }
                grants.other.iter().for_each(|f| say(field(f)));
            }
            Change::Crd(crd) => {
                crd.versions.iter().for_each(|v| say(format!("version {} {:?} -> {:?}", v.name, v.old, v.new)));
                crd.fields_removed.iter().for_each(|f| say(format!("field removed {f}")));
                crd.fields_added.iter().for_each(|f| say(format!("field added {f}")));
                crd.now_required.iter().for_each(|f| say(format!("now required {f}")));
                crd.validation.iter().chain(&crd.other).for_each(|f| say(field(f)));
            }
        }
    }
    lines
}

/// Every note: `Risk host-path DaemonSet kube-system/cilium spec.…`.
pub(crate) fn notes(comparison: &Comparison) -> Vec<String> {
    let one = |note: &helm_cnidiff::comparison::Note| {
        let object = note.object.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{:?} {} {object} {}", note.level, note.id, note.path).trim_end().to_owned()
    };
    comparison.notes.iter().map(one).collect()
}

/// `DaemonSet kube-system/cilium, 1 at once`.
pub(crate) fn restarts(comparison: &Comparison) -> Vec<String> {
    comparison.verdict.restarts.iter().map(|r| format!("{}, {} at once", r.object, r.at_once.setting)).collect()
}
