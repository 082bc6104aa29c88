//! Default values of two charts, the user's overrides and the ways to inherit them in; section 3 of the report out.
//!
//! Paths are compared, not lines: a map is looked into, a list or scalar is a leaf. A default of `null` and no default
//! are the same, because Helm 4 drops the former.

mod notes;
mod own;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::comparison::{
    DefaultChange, FieldPath, Image, ImageChange, KeyDefault, Mode, ModeRow, Modes, Note, Override, OverrideState,
    OwnChange, Shown, Values,
};
use crate::inherit::{NullDefaults, inherit};
use crate::redact::{Redactor, Subject};
use crate::release::{Chart, Release};
use crate::yaml::type_name;

/// A release whose values are inherited.
#[derive(Debug, Clone, Copy)]
pub struct Inheritance<'a> {
    /// The release.
    pub release: &'a Release,
    /// What the user typed: -f, --set.
    pub user: &'a Map<String, Value>,
    /// The mode that the command line stands for.
    pub chosen: Mode,
    /// What helm does with nulls among defaults.
    pub nulls: NullDefaults,
}

/// A value that goes by another name in the target, as the facts know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// Path in the old chart, with dots.
    pub from: String,
    /// Path in the target.
    pub to: String,
    /// What else is to be known, with its source.
    pub note: Option<String>,
}

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The chart of the release.
    pub old: &'a Chart,
    /// The target.
    pub new: &'a Chart,
    /// Text of the target's templates, in which a value that has no default may be read all the same.
    pub templates: &'a str,
    /// The user's overrides before.
    pub before: &'a Map<String, Value>,
    /// The user's overrides after the upgrade.
    pub config: &'a Map<String, Value>,
    /// Values that were renamed between the two.
    pub renames: &'a [Rename],
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Compared {
    /// The section.
    pub values: Values,
    /// What a reader is to know first.
    pub notes: Vec<Note>,
}

impl Compared {
    /// Overrides that do nothing in the target: unread, renamed, or equal to its default.
    pub fn dead(&self) -> usize {
        let dead = |state: &OverrideState| {
            matches!(state, OverrideState::Unread | OverrideState::Renamed { .. } | OverrideState::EqualsDefault)
        };
        self.values.overrides.iter().filter(|found| dead(&found.state)).count()
    }
}

type Path = Vec<String>;
type Leaves<'a> = BTreeMap<Path, &'a Value>;

/// Compares.
pub fn compare(case: &Case<'_>, inheritance: Option<&Inheritance<'_>>, redactor: &Redactor) -> Compared {
    let sides = Sides {
        case,
        old: leaves(&case.old.values),
        new: leaves(&case.new.values),
        config: leaves(case.config),
        redactor,
    };
    let mut values = Values { overrides: sides.overrides(), overrides_total: sides.config.len(), ..Values::default() };
    values.own = own::changes(&sides);
    let images = sides.images();
    values.defaults = sides.defaults(&images);
    values.new_keys = sides.missing(&sides.new, &case.old.values, &images);
    values.removed_keys = sides.missing(&sides.old, &case.new.values, &images);
    values.images = images.into_values().map(|(_, change)| change).collect();
    values.modes = inheritance.map(|inheritance| modes(case, inheritance, &values, redactor));
    let notes = notes::of(&values);
    Compared { values, notes }
}

struct Sides<'a> {
    case: &'a Case<'a>,
    old: Leaves<'a>,
    new: Leaves<'a>,
    config: Leaves<'a>,
    redactor: &'a Redactor,
}

impl Sides<'_> {
    fn shown(&self, path: &Path, value: Option<&Value>) -> Shown {
        self.redactor.shown(Subject::Plain, &FieldPath::keys(path.iter().cloned()), value)
    }

    /// (a)
    fn overrides(&self) -> Vec<Override> {
        let mut found: Vec<(u8, Override)> = Vec::new();
        for (path, value) in &self.config {
            let Some((rank, path, state, note)) = self.state(path, value) else { continue };
            let value = self.shown(&path, get(self.case.config, &path));
            let field = FieldPath::keys(path);
            // A map whose place was taken by something else is one finding, not one per leaf.
            if !found.iter().any(|(_, earlier)| earlier.path == field) {
                found.push((rank, Override { path: field, value, state, note }));
            }
        }
        found.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
        found.into_iter().map(|(_, found)| found).collect()
    }

    fn state(&self, path: &Path, value: &Value) -> Option<(u8, Path, OverrideState, Option<String>)> {
        let whole = |rank, state| Some((rank, path.clone(), state, None));
        let dotted = path.join(".");
        let renamed = self.case.renames.iter().find(|rename| below(&dotted, &rename.from).is_some());
        if let Some(rename) = renamed
            && get(&self.case.new.values, path).is_none()
        {
            let to = format!("{}{}", rename.to, below(&dotted, &rename.from).unwrap_or_default());
            let to = FieldPath::keys(to.split('.'));
            return Some((1, path.clone(), OverrideState::Renamed { to }, rename.note.clone()));
        }
        let (old, new) = (get(&self.case.old.values, path), get(&self.case.new.values, path));
        let Some(new) = new else { return self.without_default(path, value, old) };
        if same(new, value) {
            // A null that takes a null away does nothing either.
            return whole(4, OverrideState::EqualsDefault);
        }
        if new.is_object() && !value.is_object() && !value.is_null() && !old.is_some_and(Value::is_object) {
            return whole(0, OverrideState::BecameMap);
        }
        let kinds = (type_name(value), type_name(new));
        if kinds.0 != kinds.1 && !value.is_null() && !new.is_null() && old.is_some_and(|old| type_name(old) == kinds.0)
        {
            return whole(2, OverrideState::TypeChanged { from: kinds.0, to: kinds.1 });
        }
        let old = old.filter(|old| !old.is_null() && !same(old, new) && !same(old, value))?;
        if old.is_object() || new.is_object() {
            return None;
        }
        let state =
            OverrideState::Pins { old_default: self.shown(path, Some(old)), new_default: self.shown(path, Some(new)) };
        whole(3, state)
    }

    /// An override for which the target has no default of the very path.
    fn without_default(
        &self,
        path: &Path,
        value: &Value,
        old: Option<&Value>,
    ) -> Option<(u8, Path, OverrideState, Option<String>)> {
        for length in (1..path.len()).rev() {
            let prefix = path[..length].to_vec();
            let Some(above) = get(&self.case.new.values, &prefix) else { continue };
            match above {
                // Open to keys of the user's own: `nodeSelector: {}`, `resources: null`.
                Value::Object(map) if map.is_empty() => return None,
                Value::Null => return None,
                Value::Object(_) => break,
                other => {
                    let was_map = get(&self.case.old.values, &prefix).is_some_and(Value::is_object);
                    let state = OverrideState::TypeChanged { from: "map", to: type_name(other) };
                    return was_map.then_some((2, prefix, state, None));
                }
            }
        }
        // Taking away what is not there does nothing, but was meant to.
        let had_default = old.is_some();
        let reads = Reads::of(self.case.templates, path);
        let unread = match reads {
            Reads::Exactly => false,
            Reads::Around => had_default && !value.is_null(),
            Reads::Nowhere => true,
        };
        unread.then_some((1, path.clone(), OverrideState::Unread, None))
    }

    /// Whether the user sets a path, something in it, or something that it is in.
    fn is_set(&self, path: &Path) -> bool {
        get(self.case.config, path).is_some()
            || (1..path.len())
                .any(|length| get(self.case.config, &path[..length].to_vec()).is_some_and(|value| !value.is_object()))
    }

    /// (b) Images by the path of their map, with the leaves that they are made of.
    fn images(&self) -> BTreeMap<Path, (BTreeSet<Path>, ImageChange)> {
        let mut images = BTreeMap::new();
        let paths: BTreeSet<&Path> = self.old.keys().chain(self.new.keys()).collect();
        let parents: BTreeSet<Path> = paths
            .iter()
            .filter(|path| path.len() > 1 && path.last().is_some_and(|key| key == "tag" || key == "digest"))
            .map(|path| path[..path.len() - 1].to_vec())
            .collect();
        for parent in parents {
            let (old, new) = (get(&self.case.old.values, &parent), get(&self.case.new.values, &parent));
            let (Some(before), Some(after)) = (old.and_then(image), new.and_then(image)) else { continue };
            let parts: BTreeSet<Path> = IMAGE_PARTS
                .iter()
                .map(|part| [parent.clone(), vec![(*part).to_owned()]].concat())
                .filter(|path| get(&self.case.old.values, path) != get(&self.case.new.values, path))
                .collect();
            let parts: BTreeSet<Path> = parts.into_iter().chain(self.digests(&parent)).collect();
            if before == after || parts.is_empty() || parts.iter().all(|part| self.is_set(part)) {
                continue;
            }
            let path = FieldPath::keys(parent.iter().cloned());
            images.insert(parent, (parts, ImageChange { path, old: before, new: after }));
        }
        images
    }

    /// Digests of an image for each platform or cloud, beside its tag: `genericDigest`, `awsDigest`.
    fn digests(&self, parent: &Path) -> BTreeSet<Path> {
        let map = |side: &'_ Map<String, Value>| get(side, parent).and_then(Value::as_object).cloned();
        let (Some(old), Some(new)) = (map(&self.case.old.values), map(&self.case.new.values)) else {
            return BTreeSet::new();
        };
        let digest =
            |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| text.starts_with("sha256:"));
        old.keys()
            .filter(|key| {
                key.ends_with("Digest")
                    && digest(old.get(*key))
                    && digest(new.get(*key))
                    && old.get(*key) != new.get(*key)
            })
            .map(|key| [parent.clone(), vec![key.clone()]].concat())
            .collect()
    }

    fn defaults(&self, images: &BTreeMap<Path, (BTreeSet<Path>, ImageChange)>) -> Vec<DefaultChange> {
        let mut changes = BTreeMap::new();
        for (path, before) in &self.old {
            let Some(after) = get(&self.case.new.values, path) else { continue };
            if same(before, after) || before.is_null() && after.is_null() {
                continue;
            }
            changes.insert(path.clone(), (*before, after));
        }
        // A map that became a scalar or a list.
        for (path, after) in &self.new {
            if let Some(before) = get(&self.case.old.values, path)
                && before.is_object()
                && !same(before, after)
                && !is_empty_map(before)
            {
                changes.insert(path.clone(), (before, *after));
            }
        }
        let folded = |path: &Path| images.values().any(|(parts, _)| parts.contains(path));
        let news = changes.into_iter().filter(|(path, _)| !folded(path) && !self.is_set(path));
        news.map(|(path, (before, after))| DefaultChange {
            old: self.shown(&path, Some(before)),
            new: self.shown(&path, Some(after)),
            path: FieldPath::keys(path),
            note: None,
        })
        .collect()
    }

    /// (c) Leaves of one side of which the other side has nothing.
    fn missing(
        &self,
        here: &Leaves<'_>,
        there: &Map<String, Value>,
        images: &BTreeMap<Path, (BTreeSet<Path>, ImageChange)>,
    ) -> Vec<KeyDefault> {
        let folded = |path: &Path| images.values().any(|(parts, _)| parts.contains(path));
        let gone = |path: &Path| {
            // Where something else took the place of a map above, that is told as a change of the map.
            get(there, path).is_none()
                && (1..path.len())
                    .all(|length| get(there, &path[..length].to_vec()).is_none_or(|v| v.is_object() || v.is_null()))
        };
        let missing = here.iter().filter(|(path, value)| !value.is_null() && !folded(path) && gone(path));
        missing
            .map(|(path, value)| KeyDefault {
                path: FieldPath::keys(path.iter().cloned()),
                default: self.shown(path, Some(value)),
            })
            .collect()
    }
}

/// (d)
fn modes(case: &Case<'_>, inheritance: &Inheritance<'_>, values: &Values, redactor: &Redactor) -> Modes {
    let Inheritance { release, user, chosen, nulls } = *inheritance;
    let all = [Mode::Reset, Mode::Reuse, Mode::ResetThenReuse, Mode::Keep, Mode::Replace];
    let give = |mode: Mode| {
        let none = Map::new();
        let user = if mode == Mode::Keep { &none } else { user };
        inherit(mode, user, release, case.new, nulls)
    };
    let given: Vec<_> = all.iter().map(|mode| (*mode, give(*mode))).collect();
    let set: BTreeSet<Path> = [&release.config, user].into_iter().flat_map(|map| leaves(map).into_keys()).collect();
    let changed = values.defaults.iter().map(|change| path_of(&change.path));
    let candidates: BTreeSet<Path> = set.iter().cloned().chain(changed).collect();
    let mut rows = Vec::new();
    for path in candidates {
        let seen: Vec<Option<&Value>> = given.iter().map(|(_, given)| get(&given.effective, &path)).collect();
        if seen.windows(2).any(|pair| pair[0] != pair[1]) {
            let field = FieldPath::keys(path);
            let values = seen.into_iter().map(|value| redactor.shown(Subject::Plain, &field, value)).collect();
            rows.push(ModeRow { path: field, values });
        }
    }
    let mine = given.iter().find(|(mode, _)| *mode == chosen).map(|(_, given)| given).expect("every mode was computed");
    let lost = |path: &Path| {
        let (before, after) = (get(&release.config, path), get(&mine.effective, path));
        get(&mine.config, path).is_none() && before != after && !before.is_some_and(is_empty_map)
    };
    let drops = leaves(&release.config).into_keys().filter(lost).map(FieldPath::keys).collect();
    let hidden = |(path, default): (Path, &Value)| {
        let set = get(&release.config, &path).is_some() || get(user, &path).is_some();
        (!set && !default.is_null() && get(&mine.effective, &path) != Some(default)).then(|| FieldPath::keys(path))
    };
    let hides = if chosen == Mode::Reuse {
        leaves(&case.new.values).into_iter().filter_map(hidden).collect()
    } else {
        Vec::new()
    };
    Modes { chosen, columns: all.to_vec(), rows, drops, hides }
}

/// Whether templates read a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// They name it.
    Exactly,
    /// They hand on something that it is in, and may read it there.
    Around,
    /// They name neither.
    Nowhere,
}

impl Reads {
    fn of(templates: &str, path: &Path) -> Self {
        let mut reads = Self::Nowhere;
        for length in 1..=path.len() {
            let name = format!(".Values.{}", path[..length].join("."));
            for (at, _) in templates.match_indices(&name) {
                let next = templates[at + name.len()..].chars().next().unwrap_or(' ');
                if next.is_alphanumeric() || next == '_' {
                    continue;
                }
                if length == path.len() {
                    return Self::Exactly;
                }
                if next != '.' {
                    reads = Self::Around;
                }
            }
        }
        reads
    }
}

/// `.b` for `a.b` below `a`, nothing for `a` itself.
fn below<'a>(path: &'a str, above: &str) -> Option<&'a str> {
    path.strip_prefix(above).filter(|rest| rest.is_empty() || rest.starts_with('.'))
}

const IMAGE_PARTS: [&str; 6] = ["repository", "image", "registry", "tag", "digest", "override"];

/// A map that names an image.
fn image(value: &Value) -> Option<Image> {
    let map = value.as_object()?;
    let text = |key: &str| match map.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let name = [text("repository"), text("image")].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let repository = match text("registry") {
        registry if registry.is_empty() || name.is_empty() => format!("{registry}{name}"),
        registry => format!("{registry}/{name}"),
    };
    let image = Image { repository, tag: text("tag"), digest: text("digest") };
    let named = !image.repository.is_empty();
    let pinned = !image.tag.is_empty() || !image.digest.is_empty();
    (named && pinned).then_some(image)
}

fn leaves(map: &Map<String, Value>) -> Leaves<'_> {
    fn walk<'a>(map: &'a Map<String, Value>, path: &mut Path, leaves: &mut Leaves<'a>) {
        for (key, value) in map {
            path.push(key.clone());
            match value {
                Value::Object(inner) if !inner.is_empty() => walk(inner, path, leaves),
                _ => {
                    leaves.insert(path.clone(), value);
                }
            }
            path.pop();
        }
    }
    let mut leaves = BTreeMap::new();
    walk(map, &mut Vec::new(), &mut leaves);
    leaves
}

fn get<'a>(map: &'a Map<String, Value>, path: &Path) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(map.get(first)?, |value, key| value.as_object()?.get(key))
}

fn path_of(path: &FieldPath) -> Path {
    path.0
        .iter()
        .map(|step| match step {
            crate::comparison::Step::Key(key) | crate::comparison::Step::Item(key) => key.clone(),
            other => format!("{other:?}"),
        })
        .collect()
}

/// Equal values; a number written with a fraction of zero is the whole number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => a == b,
    }
}

fn is_empty_map(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

#[cfg(test)]
mod tests;
