//! Both sides in, the whole comparison of their objects out: compared, judged, redacted, in order.
//!
//! Values are compared elsewhere and put in by the caller: [`crate::comparison::Comparison::values`].

use std::collections::BTreeMap;

use serde_json::Value;

use crate::comparison::{
    Comparison, KindCount, Level, Noise, NoiseHit, Note, ObjectRef, Provenance, Section, Shown, Side, Warning,
};
use crate::diff::objects::{Compared, Delta, Options, compare as compare_objects, section};
use crate::diff::present::object_change;
use crate::manifest::{Object, ObjectSet};
use crate::redact::{Redactor, Subject};
use crate::risk::{Case, Circumstances, judge};

/// One side.
#[derive(Debug, Clone, Default)]
pub struct Half {
    /// What it is.
    pub side: Side,
    /// Its objects.
    pub objects: ObjectSet,
    /// What was odd about its documents.
    pub warnings: Vec<Warning>,
}

/// What is compared, and how.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// Before.
    pub old: Half,
    /// After.
    pub new: Half,
    /// How to compare.
    pub options: Options,
    /// Cluster and release.
    pub circumstances: Circumstances,
    /// Notes of the facts for this version step, and whatever else is known outside.
    pub notes: Vec<Note>,
    /// What could not be told outside, a sentence each.
    pub unknown: Vec<String>,
    /// What else is secret, for the key of the hashes: the values that the user gives.
    pub secrets: Vec<Value>,
    /// Print secrets.
    pub show_secrets: bool,
    /// How to get the result again.
    pub provenance: Provenance,
}

impl Input {
    /// The redactor of this comparison: values of the same report are to be redacted by it as well.
    pub fn redactor(&self) -> Redactor {
        let secret = |o: &&Object| Subject::of(o.id.group(), &o.id.kind) == Subject::Secret;
        // Certificates in a fresh render differ each time, and so would every hash with them: what is stored or given
        // is the same in the next run.
        let stays = |half: &&Half| !self.options.origin.rendered || half.side.revision.is_some();
        let halves = [&self.old, &self.new].into_iter().filter(stays);
        let objects = halves.flat_map(|half| half.objects.objects.values());
        Redactor::new(self.show_secrets, objects.filter(secret).map(|object| &object.value).chain(&self.secrets))
    }
}

/// Compares two sides.
pub fn compare(input: Input) -> Comparison {
    let redactor = input.redactor();
    let compared = compare_objects(&input.old.objects, &input.new.objects, &input.options);
    let case = Case {
        compared: &compared,
        old: &input.old.objects,
        new: &input.new.objects,
        circumstances: &input.circumstances,
        redactor: &redactor,
    };
    let (notes, mut verdict) = judge(&case, input.notes);
    verdict.unknown.extend(input.unknown);
    let warnings: Vec<Warning> = [input.old.warnings, input.new.warnings].concat();
    let left_out = warnings.iter().filter(|warning| warning.text.ends_with("left out")).count();
    if left_out > 0 {
        let what = if left_out == 1 { "1 document is".to_owned() } else { format!("{left_out} documents are") };
        verdict.unknown.push(format!("{what} no Kubernetes object and not compared; see the warnings"));
    }
    let mut about: BTreeMap<&ObjectRef, Vec<&Note>> = BTreeMap::new();
    for note in &notes {
        if let Some(object) = &note.object {
            about.entry(object).or_default().push(note);
        }
    }
    let shown = compared.deltas.iter().filter(|delta| delta.is_shown());
    let change = |delta: &Delta<'_>| {
        let notes = about.get(&delta.object().id).map(Vec::as_slice).unwrap_or_default();
        object_change(delta, &redactor, notes)
    };
    let objects = shown.map(change).collect();
    Comparison {
        from: input.old.side,
        to: input.new.side,
        verdict,
        objects,
        notes,
        values: None,
        counts: counts(&compared),
        noise: noise(&compared, &redactor),
        warnings,
        provenance: input.provenance,
    }
}

impl Comparison {
    /// Puts in notes that became known later (of values), in their place, and counts them.
    pub fn add_notes(&mut self, notes: Vec<Note>) {
        self.notes.extend(notes);
        self.notes.sort_by(crate::comparison::note_order);
        let count = |level| self.notes.iter().filter(|note| note.level == level).count();
        (self.verdict.blockers, self.verdict.risks) = (count(Level::Blocker), count(Level::Risk));
    }
}

fn counts(compared: &Compared<'_>) -> Vec<KindCount> {
    let mut kinds: BTreeMap<(Section, String), KindCount> = BTreeMap::new();
    let mut at = |section: Section, kind: &str, add: fn(&mut KindCount, usize), n: usize| {
        let zero = || KindCount { section, kind: kind.to_owned(), added: 0, removed: 0, changed: 0, unchanged: 0 };
        add(kinds.entry((section, kind.to_owned())).or_insert_with(zero), n);
    };
    for ((section, kind), n) in &compared.same {
        at(*section, kind, |count, n| count.unchanged += n, *n);
    }
    for delta in &compared.deltas {
        let id = &delta.object().id;
        let section = section(id.group(), &id.kind);
        match (delta.old, delta.new) {
            (None, _) => at(section, &id.kind, |count, n| count.added += n, 1),
            (_, None) => at(section, &id.kind, |count, n| count.removed += n, 1),
            _ if delta.is_shown() => at(section, &id.kind, |count, n| count.changed += n, 1),
            _ => at(section, &id.kind, |count, n| count.unchanged += n, 1),
        }
    }
    kinds.into_values().collect()
}

fn noise(compared: &Compared<'_>, redactor: &Redactor) -> Vec<Noise> {
    let mut rules: BTreeMap<&str, Noise> = BTreeMap::new();
    for delta in &compared.deltas {
        let id = &delta.object().id;
        let subject = Subject::of(id.group(), &id.kind);
        for (rule, edit) in &delta.folded {
            let new = || Noise { rule: rule.id.to_owned(), title: rule.title.to_owned(), count: 0, hits: Vec::new() };
            let noise = rules.entry(rule.id).or_insert_with(new);
            let shown = |value: Option<&Value>| match rule.random {
                true => Shown::Absent,
                false => redactor.shown(subject, &edit.path, value),
            };
            noise.count += 1;
            noise.hits.push(NoiseHit {
                object: id.clone(),
                path: edit.path.clone(),
                old: shown(edit.old.as_ref()),
                new: shown(edit.new.as_ref()),
            });
        }
    }
    let mut noise: Vec<Noise> = rules.into_values().collect();
    for rule in &mut noise {
        rule.hits.sort_by(|a, b| (&a.object, &a.path).cmp(&(&b.object, &b.path)));
    }
    noise
}
