//! A comparison as JSON, by serialisable twins of its types, so that those can change without breaking a reader. All of
//! it, whatever else is folded. [`SCHEMA`] describes the result.
//!
//! One file, longer than others: each type stands as it does in [`crate::comparison`], to be read beside it.

use serde::Serialize;
use serde_json::Value;

use super::outcome;
use super::text::hidden;
use crate::comparison as model;

/// JSON Schema (draft 2020-12) of what [`json`] writes.
pub const SCHEMA: &str = include_str!("schema.json");

/// The comparison as indented JSON with a final line break. Characters that could steer a terminal are written as
/// escapes, which any reader of JSON undoes.
pub fn json(comparison: &model::Comparison) -> String {
    let text = serde_json::to_string_pretty(&document(comparison)).expect("the twins have strings for keys");
    let mut out = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // Beyond line breaks between values, such characters are only ever inside of strings.
        if c != '\n' && hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    result: &'static str,
    from: Side<'a>,
    to: Side<'a>,
    verdict: Verdict<'a>,
    notes: Vec<Note<'a>>,
    values: Option<Values<'a>>,
    objects: Vec<Object<'a>>,
    counts: Vec<KindCount<'a>>,
    noise: Vec<Noise<'a>>,
    warnings: Vec<Warning<'a>>,
    provenance: Provenance<'a>,
}

#[derive(Serialize)]
struct Side<'a> {
    label: &'a str,
    chart: Option<&'a str>,
    version: Option<&'a str>,
    app_version: Option<&'a str>,
    kube_range: Option<&'a str>,
    release: Option<&'a str>,
    namespace: Option<&'a str>,
    revision: Option<u64>,
    status: Option<&'a str>,
    digest: Option<&'a str>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    blockers: usize,
    risks: usize,
    dead_overrides: usize,
    unknown: &'a [String],
    restarts: Vec<Restart<'a>>,
}

#[derive(Serialize)]
struct Restart<'a> {
    object: ObjectRef<'a>,
    pods: Option<u64>,
    at_once: AtOnce<'a>,
    on_delete: bool,
    because: Vec<String>,
}

#[derive(Serialize)]
struct AtOnce<'a> {
    setting: &'a str,
    default: bool,
    pods: Option<u64>,
}

#[derive(Serialize)]
struct ObjectRef<'a> {
    api_version: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

/// `{"value": …}` or `{"secret": "1a2b3c4d"}`; what is not there is null.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Shown<'a> {
    Value(&'a Value),
    Secret(&'a str),
}

#[derive(Serialize)]
struct Note<'a> {
    level: &'static str,
    id: &'a str,
    title: &'a str,
    object: Option<ObjectRef<'a>>,
    path: String,
    old: Option<Shown<'a>>,
    new: Option<Shown<'a>>,
    why: &'a str,
    fix: &'a str,
    source: Option<&'a str>,
    also: Vec<String>,
}

#[derive(Serialize)]
struct Values<'a> {
    overrides_total: usize,
    overrides: Vec<Override<'a>>,
    own: Vec<Own<'a>>,
    defaults: Vec<Default<'a>>,
    images: Vec<ImageChange<'a>>,
    new_keys: Vec<Key<'a>>,
    removed_keys: Vec<Key<'a>>,
    modes: Option<Modes<'a>>,
}

#[derive(Serialize)]
struct Override<'a> {
    path: String,
    value: Option<Shown<'a>>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    types: Option<[&'static str; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_default: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_default: Option<Shown<'a>>,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct Own<'a> {
    path: String,
    old: Option<Shown<'a>>,
    new: Option<Shown<'a>>,
}

#[derive(Serialize)]
struct Default<'a> {
    path: String,
    old: Option<Shown<'a>>,
    new: Option<Shown<'a>>,
    note: Option<&'a str>,
}

#[derive(Serialize)]
struct ImageChange<'a> {
    path: String,
    old: Image<'a>,
    new: Image<'a>,
}

#[derive(Serialize)]
struct Image<'a> {
    repository: &'a str,
    tag: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
struct Key<'a> {
    path: String,
    default: Option<Shown<'a>>,
}

#[derive(Serialize)]
struct Modes<'a> {
    chosen: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<ModeRow<'a>>,
    drops: Vec<String>,
    hides: Vec<String>,
}

#[derive(Serialize)]
struct ModeRow<'a> {
    path: String,
    values: Vec<Option<Shown<'a>>>,
}

#[derive(Serialize)]
struct Object<'a> {
    section: &'static str,
    object: ObjectRef<'a>,
    was: Option<ObjectRef<'a>>,
    restarts: bool,
    folded: usize,
    change: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts: Vec<Fact<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<Field<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<Grants<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crd: Option<Crd<'a>>,
}

#[derive(Serialize)]
struct Fact<'a> {
    label: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Field<'a> {
    path: String,
    kind: &'static str,
    old: Option<Shown<'a>>,
    new: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<[Image<'a>; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    level: Option<&'static str>,
    aside: Option<&'a str>,
}

#[derive(Serialize)]
struct Grants<'a> {
    gained: Vec<Grant<'a>>,
    lost: Vec<Grant<'a>>,
}

#[derive(Serialize)]
struct Grant<'a> {
    group: &'a str,
    resource: &'a str,
    resource_name: &'a str,
    verbs: &'a [String],
}

#[derive(Serialize)]
struct Crd<'a> {
    name: &'a str,
    versions: Vec<CrdVersion<'a>>,
    fields_removed: &'a [String],
    fields_added: &'a [String],
    now_required: &'a [String],
    validation: Vec<Field<'a>>,
}

#[derive(Serialize)]
struct CrdVersion<'a> {
    name: &'a str,
    old: Option<Served>,
    new: Option<Served>,
}

#[derive(Serialize)]
struct Served {
    served: bool,
    storage: bool,
}

#[derive(Serialize)]
struct KindCount<'a> {
    section: &'static str,
    kind: &'a str,
    added: usize,
    removed: usize,
    changed: usize,
    unchanged: usize,
}

#[derive(Serialize)]
struct Noise<'a> {
    rule: &'a str,
    title: &'a str,
    count: usize,
    hits: Vec<NoiseHit<'a>>,
}

#[derive(Serialize)]
struct NoiseHit<'a> {
    object: ObjectRef<'a>,
    path: String,
    old: Option<Shown<'a>>,
    new: Option<Shown<'a>>,
}

#[derive(Serialize)]
struct Warning<'a> {
    side: &'a str,
    place: &'a str,
    text: &'a str,
}

#[derive(Serialize)]
struct Provenance<'a> {
    tool: &'a str,
    release: Option<&'a str>,
    revision: Option<&'a str>,
    from_digest: Option<&'a str>,
    to_digest: Option<&'a str>,
    helm: Option<&'a str>,
    flags: &'a [String],
    rendered: Rendered<'a>,
    facts: &'a [String],
}

#[derive(Serialize)]
struct Rendered<'a> {
    how: &'static str,
    kube_version: Option<&'a str>,
    api_versions: Option<usize>,
    context: Option<&'a str>,
}

fn document(c: &model::Comparison) -> Document<'_> {
    Document {
        schema: 1,
        result: match outcome(c) {
            super::Outcome::Blocked => "blocked",
            super::Outcome::Undecided => "undecided",
            super::Outcome::Risks => "risks",
            super::Outcome::Changes => "changes",
            super::Outcome::Same => "same",
        },
        from: side(&c.from),
        to: side(&c.to),
        verdict: Verdict {
            blockers: c.verdict.blockers,
            risks: c.verdict.risks,
            dead_overrides: c.verdict.dead_overrides,
            unknown: &c.verdict.unknown,
            restarts: c.verdict.restarts.iter().map(restart).collect(),
        },
        notes: c.notes.iter().map(note).collect(),
        values: c.values.as_ref().map(values),
        objects: c.objects.iter().map(object).collect(),
        counts: c
            .counts
            .iter()
            .map(|count| KindCount {
                section: section(count.section),
                kind: &count.kind,
                added: count.added,
                removed: count.removed,
                changed: count.changed,
                unchanged: count.unchanged,
            })
            .collect(),
        noise: c.noise.iter().map(noise).collect(),
        warnings: c.warnings.iter().map(|w| Warning { side: &w.side, place: &w.place, text: &w.text }).collect(),
        provenance: provenance(&c.provenance),
    }
}

fn side(side: &model::Side) -> Side<'_> {
    Side {
        label: &side.label,
        chart: side.chart.as_deref(),
        version: side.version.as_deref(),
        app_version: side.app_version.as_deref(),
        kube_range: side.kube_range.as_deref(),
        release: side.release.as_deref(),
        namespace: side.namespace.as_deref(),
        revision: side.revision,
        status: side.status.as_deref(),
        digest: side.digest.as_deref(),
    }
}

fn restart(restart: &model::Restart) -> Restart<'_> {
    Restart {
        object: reference(&restart.object),
        pods: restart.pods,
        at_once: AtOnce {
            setting: &restart.at_once.setting,
            default: restart.at_once.default,
            pods: restart.at_once.pods,
        },
        on_delete: restart.on_delete,
        because: paths(&restart.because),
    }
}

fn reference(object: &model::ObjectRef) -> ObjectRef<'_> {
    ObjectRef { api_version: &object.api_version, kind: &object.kind, namespace: &object.namespace, name: &object.name }
}

fn shown(value: &model::Shown) -> Option<Shown<'_>> {
    match value {
        model::Shown::Absent => None,
        model::Shown::Value(value) => Some(Shown::Value(value)),
        model::Shown::Secret { hash } => Some(Shown::Secret(hash)),
    }
}

fn paths(paths: &[model::FieldPath]) -> Vec<String> {
    paths.iter().map(ToString::to_string).collect()
}

fn level(level: model::Level) -> &'static str {
    match level {
        model::Level::Blocker => "blocker",
        model::Level::Risk => "risk",
        model::Level::Info => "info",
    }
}

fn note(note: &model::Note) -> Note<'_> {
    Note {
        level: level(note.level),
        id: &note.id,
        title: &note.title,
        object: note.object.as_ref().map(reference),
        path: note.path.to_string(),
        old: shown(&note.old),
        new: shown(&note.new),
        why: &note.why,
        fix: &note.fix,
        source: note.source.as_deref(),
        also: paths(&note.also),
    }
}

fn values(values: &model::Values) -> Values<'_> {
    Values {
        overrides_total: values.overrides_total,
        overrides: values.overrides.iter().map(one_override).collect(),
        own: values
            .own
            .iter()
            .map(|one| Own { path: one.path.to_string(), old: shown(&one.old), new: shown(&one.new) })
            .collect(),
        defaults: values
            .defaults
            .iter()
            .map(|d| Default {
                path: d.path.to_string(),
                old: shown(&d.old),
                new: shown(&d.new),
                note: d.note.as_deref(),
            })
            .collect(),
        images: values
            .images
            .iter()
            .map(|i| ImageChange { path: i.path.to_string(), old: image(&i.old), new: image(&i.new) })
            .collect(),
        new_keys: keys(&values.new_keys),
        removed_keys: keys(&values.removed_keys),
        modes: values.modes.as_ref().map(modes),
    }
}

fn one_override(one: &model::Override) -> Override<'_> {
    use model::OverrideState as State;
    let (state, renamed_to, types, defaults) = match &one.state {
        State::Unread => ("unread", None, None, None),
        State::Renamed { to } => ("renamed", Some(to.to_string()), None, None),
        State::BecameMap => ("became-map", None, None, None),
        State::TypeChanged { from, to } => ("type-changed", None, Some([*from, *to]), None),
        State::EqualsDefault => ("equals-default", None, None, None),
        State::Pins { old_default, new_default } => ("pins", None, None, Some((old_default, new_default))),
    };
    Override {
        path: one.path.to_string(),
        value: shown(&one.value),
        state,
        renamed_to,
        types,
        old_default: defaults.and_then(|(old, _)| shown(old)),
        new_default: defaults.and_then(|(_, new)| shown(new)),
        note: one.note.as_deref(),
    }
}

fn image(image: &model::Image) -> Image<'_> {
    Image { repository: &image.repository, tag: &image.tag, digest: &image.digest }
}

fn keys(keys: &[model::KeyDefault]) -> Vec<Key<'_>> {
    keys.iter().map(|key| Key { path: key.path.to_string(), default: shown(&key.default) }).collect()
}

fn mode(mode: model::Mode) -> &'static str {
    match mode {
        model::Mode::Reset => "reset-values",
        model::Mode::Reuse => "reuse-values",
        model::Mode::ResetThenReuse => "reset-then-reuse-values",
        model::Mode::Keep => "keep",
        model::Mode::Replace => "replace",
    }
}

fn modes(modes: &model::Modes) -> Modes<'_> {
    Modes {
        chosen: mode(modes.chosen),
        columns: modes.columns.iter().map(|column| mode(*column)).collect(),
        rows: modes
            .rows
            .iter()
            .map(|row| ModeRow { path: row.path.to_string(), values: row.values.iter().map(shown).collect() })
            .collect(),
        drops: paths(&modes.drops),
        hides: paths(&modes.hides),
    }
}

fn section(section: model::Section) -> &'static str {
    match section {
        model::Section::DaemonSets => "daemonsets",
        model::Section::Workloads => "workloads",
        model::Section::Config => "config",
        model::Section::Rbac => "rbac",
        model::Section::Services => "services",
        model::Section::Crds => "crds",
        model::Section::Rest => "rest",
    }
}

fn object(change: &model::ObjectChange) -> Object<'_> {
    let mut object = Object {
        section: section(change.section),
        object: reference(&change.object),
        was: change.was.as_ref().map(reference),
        restarts: change.restarts,
        folded: change.folded,
        change: "changed",
        facts: Vec::new(),
        fields: Vec::new(),
        grants: None,
        crd: None,
    };
    match &change.change {
        model::Change::Added(known) => (object.change, object.facts) = ("added", known_facts(known)),
        model::Change::Removed(known) => (object.change, object.facts) = ("removed", known_facts(known)),
        model::Change::Fields(fields) => object.fields = fields.iter().map(field).collect(),
        model::Change::Grants(grants) => {
            object.fields = grants.other.iter().map(field).collect();
            object.grants = Some(Grants {
                gained: grants.gained.iter().map(grant).collect(),
                lost: grants.lost.iter().map(grant).collect(),
            });
        }
        model::Change::Crd(crd) => {
            object.fields = crd.other.iter().map(field).collect();
            object.crd = Some(Crd {
                name: &crd.name,
                versions: crd.versions.iter().map(version).collect(),
                fields_removed: &crd.fields_removed,
                fields_added: &crd.fields_added,
                now_required: &crd.now_required,
                validation: crd.validation.iter().map(field).collect(),
            });
        }
    }
    object
}

fn known_facts(facts: &[model::Fact]) -> Vec<Fact<'_>> {
    facts.iter().map(|fact| Fact { label: &fact.label, text: &fact.text }).collect()
}

fn field(field: &model::FieldChange) -> Field<'_> {
    let (kind, images, lines) = match &field.kind {
        model::ChangeKind::Added => ("added", None, Vec::new()),
        model::ChangeKind::Removed => ("removed", None, Vec::new()),
        model::ChangeKind::Changed => ("changed", None, Vec::new()),
        model::ChangeKind::Image { old, new } => ("image", Some([image(old), image(new)]), Vec::new()),
        model::ChangeKind::Text(lines) => ("text", None, lines.iter().map(line).collect()),
        model::ChangeKind::Order => ("order", None, Vec::new()),
    };
    Field {
        path: field.path.to_string(),
        kind,
        old: shown(&field.old),
        new: shown(&field.new),
        image: images,
        lines,
        level: field.level.map(level),
        aside: field.aside.as_deref(),
    }
}

/// The line behind its sign, as in a unified diff; lines left out are counted after an `@`.
fn line(line: &model::TextLine) -> String {
    match line.sign {
        model::Sign::Same => format!(" {}", line.text),
        model::Sign::Added => format!("+{}", line.text),
        model::Sign::Removed => format!("-{}", line.text),
        model::Sign::Skipped(n) => format!("@{n}"),
    }
}

fn grant(grant: &model::Grant) -> Grant<'_> {
    Grant { group: &grant.group, resource: &grant.resource, resource_name: &grant.resource_name, verbs: &grant.verbs }
}

fn version(version: &model::CrdVersion) -> CrdVersion<'_> {
    let served = |served: model::Served| Served { served: served.served, storage: served.storage };
    CrdVersion { name: &version.name, old: version.old.map(served), new: version.new.map(served) }
}

fn noise(noise: &model::Noise) -> Noise<'_> {
    Noise {
        rule: &noise.rule,
        title: &noise.title,
        count: noise.count,
        hits: noise.hits.iter().map(noise_hit).collect(),
    }
}

fn noise_hit(hit: &model::NoiseHit) -> NoiseHit<'_> {
    NoiseHit { object: reference(&hit.object), path: hit.path.to_string(), old: shown(&hit.old), new: shown(&hit.new) }
}

fn provenance(from: &model::Provenance) -> Provenance<'_> {
    let rendered = match &from.rendered {
        model::Rendered::Given => Rendered { how: "given", kube_version: None, api_versions: None, context: None },
        model::Rendered::Offline { kube_version, api_versions } => Rendered {
            how: "offline",
            kube_version: kube_version.as_deref(),
            api_versions: Some(*api_versions),
            context: None,
        },
        model::Rendered::Cluster { kube_version, context } => {
            Rendered { how: "cluster", kube_version: Some(kube_version), api_versions: None, context: Some(context) }
        }
    };
    Provenance {
        tool: &from.tool,
        release: from.release.as_deref(),
        revision: from.revision.as_deref(),
        from_digest: from.from_digest.as_deref(),
        to_digest: from.to_digest.as_deref(),
        helm: from.helm.as_deref(),
        flags: &from.flags,
        rendered,
        facts: &from.facts,
    }
}
