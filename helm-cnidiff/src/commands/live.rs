//! `--live`: live objects in the place of stored ones, and what the API server would make of the target.

use anyhow::Result;
use serde_json::Value;

use super::{gather, output};
use crate::compare::Half;
use crate::comparison::{Note, Side};
use crate::diff::objects::Options;
use crate::foretold::{self, Apply, Foretold};
use crate::manifest::{Key, ObjectSet};
use crate::source::cluster::{Current, Session, Wanted};
use crate::source::files;
use crate::source::helm::Version;

/// Puts live objects in the place of stored ones; objects of the target that are there already count as well.
pub(super) fn read(session: &Session, current: &Current, old: &mut Half, new: &ObjectSet) -> Result<Vec<String>> {
    let wanted = super::upgrade::wanted;
    let mut all: Vec<Wanted> = old.objects.objects.values().map(wanted).collect();
    all.extend(new.objects.iter().filter(|(key, _)| !old.objects.objects.contains_key(*key)).map(|(_, o)| wanted(o)));
    let live = session.live(&current.server, &all)?;
    let manifest = files::Manifest { documents: live.documents, ..files::Manifest::default() };
    let side = Side { label: format!("live objects of {}", old.side.label), ..old.side.clone() };
    let read = gather::read(side, manifest, &session.namespace);
    old.side = read.side;
    old.objects = read.objects;
    old.warnings.extend(read.warnings);
    Ok(live.unknown)
}

/// What is compared.
pub(super) struct Sides<'a> {
    /// Objects as helm has them stored.
    pub before: &'a ObjectSet,
    /// Live objects.
    pub old: &'a Half,
    /// The target, rendered; what the API server makes of it takes its place.
    pub new: &'a mut Half,
}

/// What came of asking.
#[derive(Default)]
pub(super) struct Asked {
    pub notes: Vec<Note>,
    pub unknown: Vec<String>,
}

/// Asks the API server, after saying so, and puts its answers in the place of what was rendered.
pub(super) fn ask(session: &Session, current: &Current, helm: Version, sides: Sides<'_>, options: &Options) -> Asked {
    let Sides { before, old, new } = sides;
    let rendered = new.objects.clone();
    let askable = foretold::askable(&old.objects, &rendered);
    let mut asked = Asked::default();
    if askable.is_empty() {
        return asked;
    }
    let at = if session.context().is_empty() { "the cluster" } else { session.context() };
    output::remark(&format!(
        "--live sends {} objects to {at} as a server-side apply dry-run (PATCH, dryRun=All); nothing is stored",
        askable.len()
    ));
    let (name, namespace) = (current.release.name.as_str(), current.release.namespace.as_str());
    let questions: Vec<(Wanted, Value)> = askable
        .iter()
        .map(|(_, object)| (super::upgrade::wanted(object), foretold::sent(object, name, namespace)))
        .collect();
    let answers = session.foretell(&current.server, &questions);
    let apply = match current.release.apply_method.as_deref() {
        Some("ssa") if helm.major >= 4 => Apply::Server,
        _ => Apply::Client,
    };
    let mut told = 0;
    let mut forbidden = Vec::new();
    for ((key, object), answer) in askable.iter().zip(&answers) {
        asked.notes.extend(foretold::notes(object, answer, apply));
        match answer {
            Foretold::Stored { object: answer, .. } => {
                told += 1;
                let before = before.objects.get(*key).map(|object| &object.value);
                let value = foretold::stored(key, answer, before, &object.value);
                put(&mut new.objects, key, value);
            }
            Foretold::Forbidden(said) => forbidden.push(said.as_str()),
            Foretold::Unknown(said) => asked.unknown.push(format!(
                "what the API server would make of {}: {said}; it is compared as it was rendered, with the built-in \
                 table of defaults",
                object.id
            )),
            // Told as a note; it is compared as it was rendered.
            Foretold::Invalid(_) => {}
        }
    }
    if let Some(first) = forbidden.first() {
        asked.unknown.push(format!(
            "what the API server would make of {} of {} objects: a dry-run needs the right to patch them ({first}); \
             they are compared as they were rendered, with the built-in table of defaults",
            forbidden.len(),
            askable.len()
        ));
    }
    if told > 0 {
        new.side.label = format!("{}, as the API server would store it", new.side.label);
        asked.notes.extend(foretold::kept(&old.objects, &rendered, &new.objects, options));
    }
    asked
}

fn put(set: &mut ObjectSet, key: &Key, value: Value) {
    if let Some(object) = set.objects.get_mut(key) {
        object.value = value;
    }
}
