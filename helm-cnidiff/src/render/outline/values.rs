//! Section 3: the user's overrides, defaults that change under them, images, keys, and the ways to inherit values.

use std::collections::BTreeMap;

use super::objects::list;
use super::verdict::plain;
use super::{Body, Column, Group, Item, Kind, Limits, Mark, Part, Remark, Row, Safe, Table, body, count, mark, path};
use crate::comparison::{
    DefaultChange, FieldPath, ImageChange, KeyDefault, Level, Mode, Modes, Override, OverrideState, OwnChange, Shown,
    Step, Values,
};
use crate::render::text::thousands;
use crate::render::value::{image, pair, shown};

/// The part; it says so where nothing changes.
pub(super) fn part(values: &Values, limits: Limits) -> Part {
    let mut said = Vec::new();
    let mut items = Vec::new();
    if values.same_defaults() {
        said.push(Remark { text: Safe::new("The defaults of both charts are the same."), level: None });
    }
    if let Some(modes) = &values.modes {
        said.extend(mode_remarks(modes));
    }
    items.extend(overrides(values, limits));
    items.extend(own(&values.own, limits));
    items.extend(defaults(&values.defaults, limits));
    items.extend(images(&values.images, limits));
    items.extend(keys(&values.new_keys, Mark::Added, "New keys", limits));
    items.extend(keys(&values.removed_keys, Mark::Removed, "Removed keys", limits));
    let mut items: Vec<Item> = items.into_iter().map(Item::Group).collect();
    if let Some(modes) = values.modes.as_ref().filter(|modes| !modes.rows.is_empty()) {
        items.push(Item::Table(table(modes, limits)));
    }
    Part { title: "Values".to_owned(), said, items, kind: Kind::Values }
}

fn row(path: Safe, mark: Mark, body: Body, aside: impl AsRef<str>) -> Row {
    Row { under: Safe::default(), path, mark, body, aside: Safe::new(aside), level: None, minor: false }
}

fn group(title: String, aside: &str, rows: Vec<Row>, noun: &'static str) -> Option<Group> {
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let names = Safe::new(plain(list(&paths, 150)));
    (!rows.is_empty()).then(|| Group {
        mark: Mark::Same,
        title: Safe::new(title),
        aside: Safe::new(aside),
        rows,
        open: true,
        prominent: false,
        summary: Safe::default(),
        names,
        keeps: noun == "override",
        brief: false,
        noun,
    })
}

fn overrides(values: &Values, limits: Limits) -> Option<Group> {
    let rows: Vec<Row> = values.overrides.iter().map(|one| override_row(one, limits)).collect();
    let title =
        format!("Your overrides: {} of {} to look at", thousands(rows.len()), thousands(values.overrides_total));
    group(title, "", rows, "override")
}

fn override_row(one: &Override, limits: Limits) -> Row {
    let set = || Body::One(shown(&one.value, limits));
    let (mark, level, body, state) = match &one.state {
        OverrideState::Unread => (Mark::Removed, Some(Level::Risk), set(), "not read any more".to_owned()),
        OverrideState::Renamed { to } => (Mark::Removed, Some(Level::Risk), set(), format!("now {to}")),
        OverrideState::BecameMap => (Mark::Changed, Some(Level::Risk), set(), "is a map now".to_owned()),
        OverrideState::TypeChanged { from, to } => {
            (Mark::Changed, Some(Level::Risk), set(), format!("was a {from}, is a {to} now"))
        }
        OverrideState::EqualsDefault => (Mark::Same, None, set(), "equals the new default".to_owned()),
        OverrideState::Pins { old_default, new_default } => {
            let (stem, old, new) = pair(old_default, new_default, limits);
            let gap = if stem.is_empty() { "" } else { " " };
            (Mark::Same, None, set(), format!("hides a new default: {stem}{gap}{old} → {new}"))
        }
    };
    let state = plain(state);
    let aside = match &one.note {
        Some(note) => format!("{state}; {note}"),
        None => state,
    };
    Row { level, ..row(path(&one.path, 0), mark, body, aside) }
}

/// The user's own values that differ between the two sides.
fn own(changes: &[OwnChange], limits: Limits) -> Option<Group> {
    let rows: Vec<Row> = changes
        .iter()
        .map(|one| row(path(&one.path, 0), mark(&one.old, &one.new), body(&one.old, &one.new, limits), ""))
        .collect();
    let title = format!("Your own values that differ: {}", thousands(rows.len()));
    group(title, "set before against set after", rows, "value")
}

fn defaults(defaults: &[DefaultChange], limits: Limits) -> Option<Group> {
    let rows: Vec<Row> = defaults
        .iter()
        .map(|one| {
            let (stem, old, new) = pair(&one.old, &one.new, limits);
            let body = Body::Pair { stem, old, new };
            row(path(&one.path, 0), Mark::Changed, body, one.note.as_deref().unwrap_or_default())
        })
        .collect();
    let title = format!("Defaults that change under you: {}", thousands(rows.len()));
    group(title, "you do not set them", rows, "default")
}

fn images(images: &[ImageChange], limits: Limits) -> Option<Group> {
    let rows: Vec<Row> = images
        .iter()
        .map(|one| {
            let (stem, old, new, aside) = image(&one.old, &one.new, limits);
            row(path(&one.path, 0), Mark::Changed, Body::Pair { stem, old, new }, aside)
        })
        .collect();
    group(format!("Images: {}", thousands(rows.len())), "", rows, "image")
}

fn keys(keys: &[KeyDefault], mark: Mark, title: &str, limits: Limits) -> Option<Group> {
    let rows = keys
        .iter()
        .map(|one| {
            let body =
                if one.default == Shown::Absent { Body::Nothing } else { Body::One(shown(&one.default, limits)) };
            row(path(&one.path, 0), mark, body, "")
        })
        .collect();
    let summary = Safe::new(plain(by_first_key(keys)));
    let group = group(format!("{title}: {}", thousands(keys.len())), "", rows, "key")?;
    Some(Group { mark, open: false, summary, names: Safe::default(), ..group })
}

/// `bpf 4, hubble 9, image`
fn by_first_key(keys: &[KeyDefault]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for key in keys {
        let first = match key.path.0.first() {
            Some(Step::Key(key) | Step::Item(key)) => key.clone(),
            _ => key.path.to_string(),
        };
        *counts.entry(first).or_default() += 1;
    }
    const FEW: usize = 12;
    let few = if counts.len() <= FEW + 1 { counts.len() } else { FEW };
    let mut words: Vec<String> =
        counts.iter().take(few).map(|(key, n)| if *n > 1 { format!("{key} {n}") } else { key.clone() }).collect();
    if few < counts.len() {
        words.push(format!("and {} more", counts.len() - few));
    }
    words.join(", ")
}

/// Short enough for the head of a column.
fn column_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Reset => "reset",
        Mode::Reuse => "reuse",
        Mode::ResetThenReuse => "reset-then-reuse",
        Mode::Keep => "no flag",
        Mode::Replace => "no flag, -f",
    }
}

fn mode_remarks(modes: &Modes) -> Vec<Remark> {
    let chosen = match modes.chosen {
        Mode::Reset => "--reset-values: the release's own overrides are dropped.",
        Mode::Reuse => "--reuse-values: overrides are kept, and with them the defaults of the old chart.",
        Mode::ResetThenReuse => "--reset-then-reuse-values: overrides are kept, over the defaults of the target.",
        Mode::Keep => "No flag, no -f and no --set: the release's overrides are kept, over the defaults of the target.",
        Mode::Replace => "-f or --set and no flag: the release's own overrides are dropped.",
    };
    let mut said = vec![Remark { text: Safe::new(chosen), level: None }];
    let mut warn = |paths: &[FieldPath], text: &str| {
        if !paths.is_empty() {
            let few: Vec<String> = paths.iter().take(8).map(ToString::to_string).collect();
            let more = if paths.len() > few.len() {
                format!(", and {} more", thousands(paths.len() - few.len()))
            } else {
                String::new()
            };
            let text = format!("{} {text}: {}{more}", count(paths.len(), "value"), few.join(", "));
            said.push(Remark { text: Safe::new(plain(text)), level: Some(Level::Risk) });
        }
    };
    warn(&modes.drops, "of the release would be dropped");
    warn(&modes.hides, "would stay at the old default, the new one is hidden");
    said
}

fn table(modes: &Modes, limits: Limits) -> Table {
    // Cells have little room.
    let limits = Limits { value: limits.value.min(60), ..limits };
    Table {
        columns: modes
            .columns
            .iter()
            .map(|mode| Column { name: column_name(*mode), chosen: *mode == modes.chosen })
            .collect(),
        rows: modes
            .rows
            .iter()
            .map(|row| (path(&row.path, 0), row.values.iter().map(|value| shown(value, limits)).collect()))
            .collect(),
    }
}
