//! Section 4: objects that differ, DaemonSets first; the rest as counts.

use std::collections::BTreeMap;

use super::{
    Body, Comparison, Group, Item, Kind, Limits, Mark, Part, Parts, Remark, Row, Safe, body, count, verdict,
    with_shared_paths,
};
use crate::comparison::{
    Change, ChangeKind, CrdChange, CrdVersion, Fact, FieldChange, Grant, GrantChange, KindCount, ObjectChange, Section,
    Served, Sign,
};
use crate::render::text::thousands;
use crate::render::value::image;

/// DaemonSets, and everything else in the order of its sections.
pub(super) fn parts(comparison: &Comparison, wanted: Parts, limits: Limits) -> Vec<Part> {
    let restarts: BTreeMap<_, _> =
        comparison.verdict.restarts.iter().map(|restart| (&restart.object, restart)).collect();
    let (mut daemonsets, mut others) = (Vec::new(), Vec::new());
    for change in &comparison.objects {
        let items = match change.section {
            Section::DaemonSets => &mut daemonsets,
            _ if wanted == Parts::DaemonSets => continue,
            _ => &mut others,
        };
        let restart = restarts.get(&change.object).map(|restart| verdict::restart(restart));
        items.push(Item::Group(object(change, restart, limits)));
    }
    let said = counted(&comparison.counts, others.len());
    let daemonsets =
        Part { title: "DaemonSets".to_owned(), said: Vec::new(), items: daemonsets, kind: Kind::DaemonSets };
    let others = Part { title: "Other objects".to_owned(), said, items: others, kind: Kind::Objects };
    [daemonsets, others].into_iter().filter(|part| !part.items.is_empty()).collect()
}

/// `ConfigMap 2 changed, 1 added`; nothing where the objects below say it all.
fn counted(counts: &[KindCount], shown: usize) -> Vec<Remark> {
    if shown <= 12 {
        return Vec::new();
    }
    let differ =
        |count: &&KindCount| count.section != Section::DaemonSets && count.added + count.removed + count.changed > 0;
    let words: Vec<String> = counts
        .iter()
        .filter(differ)
        .map(|count| {
            let sums = [(count.changed, "changed"), (count.added, "added"), (count.removed, "removed")];
            let sums: Vec<String> =
                sums.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", thousands(*n))).collect();
            verdict::plain(format!("{} {}", count.kind, sums.join(", ")))
        })
        .collect();
    if words.is_empty() { Vec::new() } else { vec![Remark { text: Safe::new(words.join(" · ")), level: None }] }
}

fn object(change: &ObjectChange, restart: Option<String>, limits: Limits) -> Group {
    let (mark, rows, noun) = match &change.change {
        Change::Added(facts) => (Mark::Added, known(facts), "line"),
        Change::Removed(facts) => (Mark::Removed, known(facts), "line"),
        Change::Fields(fields) => (Mark::Changed, field_rows(fields, limits), "field"),
        Change::Grants(grants) => (Mark::Changed, grant_rows(grants, limits), "grant"),
        Change::Crd(crd) => (Mark::Changed, crd_rows(crd, limits), "difference"),
    };
    let mut asides = Vec::new();
    asides.extend(change.was.as_ref().map(|was| {
        let api = if was.api_version == change.object.api_version { "" } else { was.api_version.as_str() };
        let gap = if api.is_empty() { "" } else { " " };
        format!("was {api}{gap}{was}")
    }));
    match restart {
        Some(text) => asides.push(format!("restarts {text}")),
        None if change.restarts => asides.push("its pods restart".to_owned()),
        None => {}
    }
    let rest = change.section == Section::Rest;
    let facts = mark != Mark::Changed;
    let summary = if facts {
        rows.iter().map(fact_text).collect::<Vec<_>>().join(" · ")
    } else {
        let told = rows.iter().filter(|row| row.must()).count();
        let told = if told > 0 { format!(", {} told above", thousands(told)) } else { String::new() };
        format!("{}{told}", count(rows.len(), noun))
    };
    // The keys of a ConfigMap say what it is about; paths into a pod's spec do not.
    let names: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let names = if change.section == Section::Config && !facts { list(&names, 80) } else { String::new() };
    Group {
        mark,
        title: Safe::new(change.object.to_string()),
        aside: Safe::new(verdict::plain(asides.join("; "))),
        rows,
        // What is known of an object that comes or goes fits on the line of its name.
        open: !rest && !facts,
        prominent: change.section == Section::DaemonSets,
        summary: Safe::new(verdict::plain(summary)),
        names: Safe::new(verdict::plain(names)),
        keeps: false,
        brief: facts,
        noun,
    }
}

/// As many of the names as there is room for.
pub(super) fn list(names: &[&str], room: usize) -> String {
    let mut out = String::new();
    for (i, name) in names.iter().enumerate() {
        if i > 0 && out.len() + name.len() > room {
            return format!("{out} and {} more", names.len() - i);
        }
        out.push_str(if i > 0 { ", " } else { "" });
        out.push_str(&crate::render::text::shorten(name, room));
    }
    out
}

fn known(facts: &[Fact]) -> Vec<Row> {
    facts.iter().map(|fact| row(Safe::new(&fact.label), Mark::Same, Body::One(Safe::new(&fact.text)), "")).collect()
}

fn fact_text(row: &Row) -> String {
    match &row.body {
        Body::One(text) => format!("{}: {text}", row.path),
        _ => row.path.to_string(),
    }
}

fn row(path: Safe, mark: Mark, body: Body, aside: impl AsRef<str>) -> Row {
    Row { under: Safe::default(), path, mark, body, aside: Safe::new(aside), level: None, minor: false }
}

fn field_rows(fields: &[FieldChange], limits: Limits) -> Vec<Row> {
    let fields = same_images(fields);
    let paths = with_shared_paths(&fields.iter().map(|(field, _)| &field.path).collect::<Vec<_>>());
    fields.iter().zip(paths).map(|((field, also), (under, path))| field_row(field, also, under, path, limits)).collect()
}

/// Fields of which none repeats the image change of an earlier one; with what else takes the same change.
fn same_images(fields: &[FieldChange]) -> Vec<(&FieldChange, Vec<String>)> {
    let mut out: Vec<(&FieldChange, Vec<String>)> = Vec::with_capacity(fields.len());
    for field in fields {
        let same = matches!(field.kind, ChangeKind::Image { .. })
            .then(|| out.iter_mut().find(|(first, _)| first.kind == field.kind && first.level == field.level))
            .flatten();
        match same {
            Some((_, also)) => also.push(container(field)),
            None => out.push((field, Vec::new())),
        }
    }
    out
}

/// The container that a field is of, or its path.
fn container(field: &FieldChange) -> String {
    use crate::comparison::Step;
    let item = field.path.0.iter().rev().find_map(|step| match step {
        Step::Item(id) => Some(id.clone()),
        _ => None,
    });
    item.unwrap_or_else(|| field.path.to_string())
}

fn field_row(field: &FieldChange, also: &[String], under: Safe, path: Safe, limits: Limits) -> Row {
    let aside = field.aside.as_deref().unwrap_or_default();
    let (mark, body, said) = match &field.kind {
        ChangeKind::Added => (Mark::Added, body(&field.old, &field.new, limits), ""),
        ChangeKind::Removed => (Mark::Removed, body(&field.old, &field.new, limits), ""),
        ChangeKind::Changed => (Mark::Changed, body(&field.old, &field.new, limits), ""),
        ChangeKind::Image { old, new } => {
            let (stem, old, new, said) = image(old, new, limits);
            (Mark::Changed, Body::Pair { stem, old, new }, said)
        }
        ChangeKind::Text(lines) if lines.is_empty() => {
            (Mark::Changed, body(&field.old, &field.new, limits), "text of several lines")
        }
        ChangeKind::Text(lines) => {
            let lines = lines.iter().map(|line| match line.sign {
                Sign::Same => (Mark::Same, Safe::new(&line.text)),
                Sign::Added => (Mark::Added, Safe::new(&line.text)),
                Sign::Removed => (Mark::Removed, Safe::new(&line.text)),
                Sign::Skipped(n) => (Mark::Same, Safe::new(format!("… {} unchanged", count(n, "line")))),
            });
            (Mark::Changed, Body::Lines(lines.collect()), "")
        }
        ChangeKind::Order => (Mark::Changed, body(&field.old, &field.new, limits), "order alone"),
    };
    // Of an image it is said once, and in one way, which parts change.
    let aside = if said.contains("digest") { "" } else { aside };
    let mut words: Vec<String> = Vec::new();
    words.extend([aside, said].into_iter().filter(|text| !text.is_empty()).map(str::to_owned));
    if words.len() == 2 && words[0] == words[1] {
        words.pop();
    }
    if !also.is_empty() {
        let names: Vec<&str> = also.iter().map(String::as_str).collect();
        // A folded terminal has no digests, and little room.
        let room = if limits.digest == 0 { 40 } else { usize::MAX };
        words.push(verdict::plain(format!("also {}", list(&names, room))));
    }
    Row { under, path, mark, body, aside: Safe::new(words.join("; ")), level: field.level, minor: false }
}

fn grant_rows(grants: &GrantChange, limits: Limits) -> Vec<Row> {
    let mut rows: Vec<Row> = grants.gained.iter().map(|grant| grant_row(grant, Mark::Added)).collect();
    rows.extend(grants.lost.iter().map(|grant| grant_row(grant, Mark::Removed)));
    rows.extend(field_rows(&grants.other, limits));
    rows
}

/// `+ ciliumnodes.cilium.io/status   get, list   only node-a`
fn grant_row(grant: &Grant, mark: Mark) -> Row {
    let mut name = grant.resource.clone();
    if !grant.group.is_empty() && !grant.resource.starts_with('/') {
        let (resource, sub) = grant.resource.split_once('/').unwrap_or((&grant.resource, ""));
        let slash = if sub.is_empty() { "" } else { "/" };
        name = format!("{resource}.{}{slash}{sub}", grant.group);
    }
    let aside = if grant.resource_name.is_empty() { String::new() } else { format!("only {}", grant.resource_name) };
    row(Safe::new(name), mark, Body::One(Safe::new(grant.verbs.join(", "))), aside)
}

fn crd_rows(crd: &CrdChange, limits: Limits) -> Vec<Row> {
    let mut rows: Vec<Row> = crd.versions.iter().map(version_row).collect();
    let lines = |fields: &[String], mark, aside: &str, minor| {
        fields
            .iter()
            .map(|field| Row { minor, ..row(Safe::new(field), mark, Body::Nothing, aside) })
            .collect::<Vec<_>>()
    };
    rows.extend(lines(&crd.fields_removed, Mark::Removed, "field gone", false));
    rows.extend(lines(&crd.now_required, Mark::Changed, "required now", false));
    rows.extend(field_rows(&crd.other, limits));
    rows.extend(field_rows(&crd.validation, limits).into_iter().map(|row| Row { minor: true, ..row }));
    rows.extend(lines(&crd.fields_added, Mark::Added, "", true));
    rows
}

fn version_row(version: &CrdVersion) -> Row {
    let words = |served: Served| match (served.served, served.storage) {
        (true, true) => "served, stored",
        (true, false) => "served",
        (false, true) => "not served, stored",
        (false, false) => "not served",
    };
    let path = Safe::new(format!("version {}", version.name));
    match (version.old, version.new) {
        (Some(old), Some(new)) => {
            let (old, new) = (Safe::new(words(old)), Safe::new(words(new)));
            row(path, Mark::Changed, Body::Pair { stem: Safe::default(), old, new }, "")
        }
        (None, Some(new)) => row(path, Mark::Added, Body::One(Safe::new(words(new))), ""),
        (Some(old), None) => row(path, Mark::Removed, Body::One(Safe::new(words(old))), ""),
        (None, None) => row(path, Mark::Same, Body::Nothing, ""),
    }
}
