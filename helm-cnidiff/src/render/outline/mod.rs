//! What a report says, before it is known how it looks: a [`Comparison`] in, words and safe strings out, in the order in
//! which every format shows them. So that no two formats say different things.

mod notes;
mod objects;
mod paths;
mod values;
mod verdict;

use self::paths::{path, shared_steps, with_shared_paths};
use super::text::{Safe, count};
use super::value::{Limits, shown};
use super::{Outcome, Parts, Show, outcome};
use crate::comparison::{Comparison, Level, Noise, Shown, Warning};

/// A report in words.
pub(super) struct Outline {
    pub(super) outcome: Outcome,
    /// `cilium 1.18.4 → 1.19.6`
    pub(super) subject: Safe,
    /// `1 blocker`, `3 risks`, … worst first.
    pub(super) tally: Vec<Safe>,
    /// The verdict, a few lines under a word each.
    pub(super) facts: Vec<Fact>,
    pub(super) parts: Vec<Part>,
    pub(super) provenance: Vec<Fact>,
}

/// A word and what belongs to it.
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) lines: Vec<Safe>,
    /// It was not possible to tell: it must not be overlooked.
    pub(super) doubt: bool,
}

/// What stands under one heading.
pub(super) struct Part {
    pub(super) title: String,
    /// Sentences before the items.
    pub(super) said: Vec<Remark>,
    pub(super) items: Vec<Item>,
    pub(super) kind: Kind,
}

/// What the items of a part are, in the order of the report.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Notes,
    Documents,
    Values,
    DaemonSets,
    Objects,
    Noise,
}

impl Kind {
    /// What the items are called when they have to be counted.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Kind::Notes => "note",
            Kind::Documents => "document",
            Kind::Values => "list",
            Kind::DaemonSets => "DaemonSet",
            Kind::Objects => "object",
            Kind::Noise => "rule",
        }
    }
}

/// A sentence; a warning stands out.
pub(super) struct Remark {
    pub(super) text: Safe,
    pub(super) level: Option<Level>,
}

pub(super) enum Item {
    Note(NoteItem),
    Group(Group),
    Table(Table),
}

/// Notes that say the same of several places.
pub(super) struct NoteItem {
    pub(super) level: Level,
    pub(super) id: Safe,
    pub(super) title: Safe,
    pub(super) places: Vec<Place>,
    pub(super) why: Safe,
    pub(super) fix: Safe,
    pub(super) source: Safe,
}

/// What a note is about.
pub(super) struct Place {
    /// What happens there, where it is not the title of the note.
    pub(super) title: Safe,
    /// Empty where it is about no object.
    pub(super) object: Safe,
    pub(super) path: Safe,
    pub(super) mark: Mark,
    pub(super) body: Body,
    /// Further fields to which it applies.
    pub(super) also: Vec<Safe>,
}

/// Rows under a line of their own: an object, the user's overrides, new keys.
pub(super) struct Group {
    pub(super) mark: Mark,
    pub(super) title: Safe,
    pub(super) aside: Safe,
    pub(super) rows: Vec<Row>,
    /// Whether rows that no note speaks of are shown when nobody asked for all.
    pub(super) open: bool,
    /// It is what the report is about: shown open where others are folded.
    pub(super) prominent: bool,
    /// What the rows come to.
    pub(super) summary: Safe,
    /// Names of some rows, for where none is shown.
    pub(super) names: Safe,
    /// Rows that [`Row::must`] be shown are told nowhere else.
    pub(super) keeps: bool,
    /// The summary says all that the rows say.
    pub(super) brief: bool,
    /// What the rows are, when they have to be counted.
    pub(super) noun: &'static str,
}

/// One change.
pub(super) struct Row {
    /// Where it lies, the same for its neighbours; empty where `path` is complete.
    pub(super) under: Safe,
    pub(super) path: Safe,
    pub(super) mark: Mark,
    pub(super) body: Body,
    pub(super) aside: Safe,
    pub(super) level: Option<Level>,
    /// It may be left out first.
    pub(super) minor: bool,
}

/// The sign that a change has in every format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Added,
    Removed,
    Changed,
    /// Nothing changed; something is said.
    Same,
}

impl Mark {
    pub(super) fn sign(self) -> char {
        match self {
            Mark::Added => '+',
            Mark::Removed => '-',
            Mark::Changed => '~',
            Mark::Same => ' ',
        }
    }
}

pub(super) enum Body {
    /// The path says it all.
    Nothing,
    /// One value.
    One(Safe),
    /// Before and after, behind what stays the same.
    Pair { stem: Safe, old: Safe, new: Safe },
    /// A text line by line.
    Lines(Vec<(Mark, Safe)>),
}

/// Keys on which the ways to inherit values disagree.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<(Safe, Vec<Safe>)>,
}

pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) chosen: bool,
}

impl Outline {
    /// Words for the comparison, as much of it as `show` asks for.
    pub(super) fn new(comparison: &Comparison, show: Show, limits: Limits) -> Self {
        let mut parts = Vec::new();
        parts.extend(notes::part(&comparison.notes, limits));
        parts.extend(unused(&comparison.warnings, show));
        if show.parts != Parts::DaemonSets {
            parts.extend(comparison.values.as_ref().map(|values| values::part(values, limits)));
        }
        if show.parts != Parts::Values {
            parts.extend(objects::parts(comparison, show.parts, limits));
        }
        if show.noise {
            parts.extend(folded(&comparison.noise, limits));
        }
        Self {
            outcome: outcome(comparison),
            subject: verdict::subject(comparison),
            tally: verdict::tally(comparison),
            facts: verdict::facts(comparison, show),
            parts,
            provenance: verdict::provenance(comparison),
        }
    }
}

impl Place {
    /// In a sentence, whether the one value there is has gone or come.
    pub(super) fn was_or_now(&self) -> &'static str {
        match self.mark {
            Mark::Added => "now ",
            Mark::Removed => "was ",
            Mark::Changed | Mark::Same => "",
        }
    }
}

impl Row {
    /// Whether a blocker or a risk speaks of it.
    pub(super) fn must(&self) -> bool {
        matches!(self.level, Some(Level::Blocker | Level::Risk))
    }
}

impl Group {
    /// The rows to show when there is room for `few`, and how many that leaves out. Rows of which a note speaks are told
    /// there and give way first; where they are not ([`Group::keeps`]), they are shown whatever the room.
    pub(super) fn choice(&self, few: usize) -> (Vec<&Row>, usize) {
        let must = self.rows.iter().filter(|row| row.must()).count();
        // One more line costs no more than saying that there is one.
        let few = if few > 0 && self.rows.len() <= few.saturating_add(1) { self.rows.len() } else { few };
        let few = if self.keeps { few.max(must) } else { few };
        let rank = |row: &&Row| (if self.keeps { !row.must() } else { row.must() }, row.minor);
        let mut ranked: Vec<(usize, &Row)> = self.rows.iter().enumerate().collect();
        ranked.sort_by_key(|(at, row)| (rank(row), *at));
        ranked.truncate(few);
        ranked.sort_by_key(|(at, _)| *at);
        let taken: Vec<&Row> = ranked.into_iter().map(|(_, row)| row).collect();
        let left_out = self.rows.len() - taken.len();
        (taken, left_out)
    }
}

/// Words of a level.
pub(super) fn level_word(level: Level) -> &'static str {
    match level {
        Level::Blocker => "BLOCKER",
        Level::Risk => "risk",
        Level::Info => "note",
    }
}

/// The level and the words at the side of a row as one.
pub(super) fn row_aside(row: &Row) -> String {
    match (row.level, row.aside.as_str()) {
        (Some(level @ (Level::Blocker | Level::Risk)), "") => level_word(level).to_owned(),
        (Some(level @ (Level::Blocker | Level::Risk)), aside) => format!("{}: {aside}", level_word(level)),
        (_, aside) => aside.to_owned(),
    }
}

fn fact(label: &'static str, lines: Vec<String>) -> Fact {
    Fact { label, lines: lines.into_iter().map(Safe::new).collect(), doubt: false }
}

/// Before and after as one body; what is not there is not spoken of.
fn body(old: &Shown, new: &Shown, limits: Limits) -> Body {
    match (old.is_absent(), new.is_absent()) {
        (true, true) => Body::Nothing,
        (true, false) => Body::One(shown(new, limits)),
        (false, true) => Body::One(shown(old, limits)),
        (false, false) => {
            let (stem, old, new) = super::value::pair(old, new, limits);
            Body::Pair { stem, old, new }
        }
    }
}

fn mark(old: &Shown, new: &Shown) -> Mark {
    match (old.is_absent(), new.is_absent()) {
        (true, true) => Mark::Same,
        (true, false) => Mark::Added,
        (false, true) => Mark::Removed,
        (false, false) => Mark::Changed,
    }
}

/// Documents that could not be used.
fn unused(warnings: &[Warning], show: Show) -> Option<Part> {
    const FEW: usize = 12;
    let few = if show.all || warnings.len() <= FEW + 1 { warnings.len() } else { FEW };
    let mut said: Vec<Remark> = warnings[..few]
        .iter()
        .map(|warning| {
            let place: Vec<&str> = [&warning.side, &warning.place]
                .into_iter()
                .map(String::as_str)
                .filter(|text| !text.is_empty())
                .collect();
            let colon = if place.is_empty() { "" } else { ": " };
            let text = Safe::new(format!("{}{colon}{}", place.join(", "), warning.text));
            Remark { text, level: Some(Level::Risk) }
        })
        .collect();
    if few < warnings.len() {
        let text = Safe::new(format!("… and {}", count(warnings.len() - few, "more document")));
        said.push(Remark { text, level: Some(Level::Risk) });
    }
    let title = "Documents with a problem".to_owned();
    (!said.is_empty()).then(|| Part { title, said, items: Vec::new(), kind: Kind::Documents })
}

/// What was folded, per rule.
fn folded(noise: &[Noise], limits: Limits) -> Option<Part> {
    let groups = noise.iter().map(|noise| {
        let rows = noise
            .hits
            .iter()
            .map(|hit| Row {
                under: Safe::new(hit.object.to_string()),
                path: path(&hit.path, 0),
                mark: mark(&hit.old, &hit.new),
                body: body(&hit.old, &hit.new, limits),
                aside: Safe::default(),
                level: None,
                minor: false,
            })
            .collect();
        Item::Group(Group {
            mark: Mark::Same,
            title: Safe::new(&noise.rule),
            aside: Safe::new(format!("{}: {}", count(noise.count, "difference"), noise.title)),
            rows,
            open: true,
            prominent: false,
            summary: Safe::default(),
            names: Safe::default(),
            keeps: false,
            brief: false,
            noun: "difference",
        })
    });
    let items: Vec<Item> = groups.collect();
    (!items.is_empty()).then(|| Part {
        title: "Folded as noise".to_owned(),
        said: Vec::new(),
        items,
        kind: Kind::Noise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_note_are_never_left_out() {
        let row = |level, minor| Row {
            under: Safe::default(),
            path: Safe::default(),
            mark: Mark::Added,
            body: Body::Nothing,
            aside: Safe::default(),
            level,
            minor,
        };
        let mut rows: Vec<Row> = (0..10).map(|_| row(None, true)).collect();
        rows.extend((0..10).map(|_| row(None, false)));
        rows.extend((0..3).map(|_| row(Some(Level::Risk), true)));
        let group = Group {
            mark: Mark::Changed,
            title: Safe::default(),
            aside: Safe::default(),
            rows,
            open: true,
            prominent: false,
            summary: Safe::default(),
            names: Safe::default(),
            keeps: true,
            brief: false,
            noun: "",
        };
        let kinds = |few| {
            let (rows, left) = group.choice(few);
            let (must, minor) =
                (rows.iter().filter(|r| r.must()).count(), rows.iter().filter(|r| !r.must() && r.minor).count());
            (must, rows.len() - must - minor, minor, left)
        };
        assert_eq!(kinds(0), (3, 0, 0, 20));
        assert_eq!(kinds(3), (3, 0, 0, 20));
        assert_eq!(kinds(5), (3, 2, 0, 18));
        assert_eq!(kinds(15), (3, 10, 2, 8));
        assert_eq!(kinds(22), (3, 10, 10, 0));
        let told_above = Group { keeps: false, ..group };
        assert_eq!(told_above.choice(0).1, 23);
        let (rows, left_out) = told_above.choice(12);
        assert!(rows.iter().all(|row| !row.must()) && rows.iter().filter(|row| row.minor).count() == 2);
        assert_eq!((rows.len(), left_out), (12, 11));
    }
}
