//! The user's values of both sides in, those that differ out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{OwnChange, Path, Sides, get, is_empty_map, leaves, same};
use crate::comparison::FieldPath;

pub(super) fn changes(sides: &Sides<'_>) -> Vec<OwnChange> {
    let (before, after) = (sides.case.before, sides.case.config);
    let mut found: BTreeMap<Path, (Option<&Value>, Option<&Value>)> = BTreeMap::new();
    let paths: BTreeSet<Path> = leaves(before).into_keys().chain(leaves(after).into_keys()).collect();
    for path in paths {
        let (old, new) = (get(before, &path), get(after, &path));
        let equal = match (old, new) {
            (Some(old), Some(new)) => {
                // An empty map against a full one is told by what is in the full one.
                let told_below = |one: &Value, other: &Value| is_empty_map(one) && other.is_object();
                same(old, new) || told_below(old, new) || told_below(new, old)
            }
            (old, new) => old == new,
        };
        // A map whose place was taken by something else is one change, not one per leaf. Paths come in order, so that
        // what lies above was seen before.
        let told_above = (1..path.len()).any(|length| found.contains_key(&path[..length]));
        if !equal && !told_above {
            found.insert(path, (old, new));
        }
    }
    let change = |(path, (old, new)): (Path, (Option<&Value>, Option<&Value>))| OwnChange {
        old: sides.shown(&path, old),
        new: sides.shown(&path, new),
        path: FieldPath::keys(path),
    };
    found.into_iter().map(change).collect()
}
