//! Blockers, risks and what is worth knowing, those that say the same of several places put together.

use std::collections::BTreeMap;

use super::{Item, Kind, Limits, NoteItem, Part, Place, Safe, body, mark, path, shared_steps};
use crate::comparison::{FieldPath, Level, Note};

/// The part, if there is any note.
pub(super) fn part(notes: &[Note], limits: Limits) -> Option<Part> {
    let mut items: Vec<NoteItem> = Vec::new();
    let mut known: BTreeMap<_, usize> = BTreeMap::new();
    for note in notes {
        let place = place(note, limits);
        let says = (note.level, &note.id, &note.why, &note.fix);
        if let Some(at) = known.get(&says) {
            let item = &mut items[*at];
            let title = Safe::new(&note.title);
            // Titles differ by a number, or by a name.
            let title = if title == item.title { Safe::default() } else { title };
            item.places.extend(place.map(|place| Place { title, ..place }));
            continue;
        }
        known.insert(says, items.len());
        items.push(NoteItem {
            level: note.level,
            id: Safe::new(&note.id),
            title: Safe::new(&note.title),
            places: place.into_iter().collect(),
            why: Safe::new(&note.why),
            fix: Safe::new(&note.fix),
            source: Safe::new(note.source.as_deref().unwrap_or_default()),
        });
    }
    let worst = items.iter().map(|item| item.level).min()?;
    let title = if worst == Level::Info { "Worth knowing" } else { "Blockers and risks" };
    let items = items.into_iter().map(Item::Note).collect();
    Some(Part { title: title.to_owned(), said: Vec::new(), items, kind: Kind::Notes })
}

fn place(note: &Note, limits: Limits) -> Option<Place> {
    // Further fields are told from where they part from the first.
    let steps = shared_steps(&note.path);
    let shared = |also: &FieldPath| also.0.len() > steps && also.0.starts_with(&note.path.0[..steps]);
    let place = Place {
        title: Safe::default(),
        mark: mark(&note.old, &note.new),
        object: note.object.as_ref().map(|object| Safe::new(object.to_string())).unwrap_or_default(),
        path: in_schema(note).unwrap_or_else(|| path(&note.path, 0)),
        body: body(&note.old, &note.new, limits),
        also: note.also.iter().map(|also| path(also, if shared(also) { steps } else { 0 })).collect(),
    };
    let nothing = place.object.is_empty() && place.path.is_empty() && matches!(place.body, super::Body::Nothing);
    (!nothing).then_some(place)
}

/// `v1 spec.nodes.maxLength` for a field in the schema of a CustomResourceDefinition.
fn in_schema(note: &Note) -> Option<Safe> {
    note.object.as_ref().filter(|object| object.kind == "CustomResourceDefinition")?;
    let text = note.path.to_string();
    let (version, field) = text.strip_prefix("spec.versions[")?.split_once("].schema.openAPIV3Schema.")?;
    Some(Safe::new(format!("{version} {}", field.replace("properties.", ""))))
}
