//! Two trees in, the edits that lead from one to the other out: exact, nothing folded, nothing judged.
//!
//! [`apply`] is the proof of [`diff`]: applied to the old tree, the edits give the new one.

use serde_json::{Map, Value};

use super::lists::{self, Matching, Reading};
use super::scope::Scope;
use super::text::{self, Blobs};
use crate::comparison::{FieldPath, Step};

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Where. An item whose identity changed goes by the old one.
    pub path: FieldPath,
    /// Before; `None` where there was nothing.
    pub old: Option<Value>,
    /// After; `None` where there is nothing.
    pub new: Option<Value>,
    /// What kind of difference it is.
    pub what: What,
    /// For every list on the way, the item's place before and after.
    pub hops: Vec<Hop>,
}

/// Kinds of difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A value came, went or changed.
    Value,
    /// A text that is a document itself is written differently and says the same.
    Layout,
    /// The items of a list that are on both sides stand in another order; `old` and `new` are their labels.
    Order {
        /// Their places before and after.
        places: Vec<(usize, usize)>,
        /// Whether the order says anything.
        counts: bool,
    },
}

/// Place of a list item before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hop {
    /// Index in the old list; `None` where the item is new.
    pub old: Option<usize>,
    /// Index in the new list; `None` where the item is gone.
    pub new: Option<usize>,
}

/// The differences between two trees, by path.
pub fn diff(scope: Scope, blobs: Blobs, old: &Value, new: &Value) -> Vec<Edit> {
    let mut walk = Walk { scope, blobs, path: Vec::new(), hops: Vec::new(), edits: Vec::new() };
    walk.values(Some(old), Some(new));
    walk.edits
}

struct Walk {
    scope: Scope,
    blobs: Blobs,
    path: Vec<Step>,
    hops: Vec<Hop>,
    edits: Vec<Edit>,
}

impl Walk {
    fn emit(&mut self, old: Option<Value>, new: Option<Value>, what: What) {
        self.edits.push(Edit { path: FieldPath(self.path.clone()), old, new, what, hops: self.hops.clone() });
    }

    fn at(&mut self, step: Step, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(step);
        self.values(old, new);
        self.path.pop();
    }

    fn values(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(a), Some(b)) if a == b => {}
            (Some(Value::Object(a)), Some(Value::Object(b))) => self.maps(a, b),
            (Some(Value::Array(a)), Some(Value::Array(b))) => self.lists(a, b),
            (Some(Value::String(a)), Some(Value::String(b))) => self.texts(a, b),
            (old, new) => self.emit(old.cloned(), new.cloned(), What::Value),
        }
    }

    fn maps(&mut self, old: &Map<String, Value>, new: &Map<String, Value>) {
        let mut keys: Vec<&String> = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))).collect();
        keys.sort_unstable();
        for key in keys {
            let (a, b) = (old.get(key), new.get(key));
            if a != b {
                self.at(Step::Key(key.clone()), a, b);
            }
        }
    }

    fn lists(&mut self, old: &[Value], new: &[Value]) {
        let reading = lists::reading(self.scope, &self.path);
        if reading == Reading::Flags && !old.iter().chain(new).all(Value::is_string) {
            // No container starts with that; nothing is to be read into it.
            return self.emit(Some(old.into()), Some(new.into()), What::Value);
        }
        let (old, new) = match reading {
            Reading::Flags => (&lists::words(old)[..], &lists::words(new)[..]),
            _ => (old, new),
        };
        let Matching { pairs, removed, added, ordered } = lists::match_items(reading, old, new);
        for (step, i) in removed {
            self.item(step, Hop { old: Some(i), new: None }, Some(&old[i]), None);
        }
        for (step, i, j) in pairs.iter().filter(|(_, i, j)| old[*i] != new[*j]) {
            self.item(step.clone(), Hop { old: Some(*i), new: Some(*j) }, Some(&old[*i]), Some(&new[*j]));
        }
        for (step, j) in added {
            self.item(step, Hop { old: None, new: Some(j) }, None, Some(&new[j]));
        }
        let moved = pairs.windows(2).any(|two| two[0].1 > two[1].1);
        if moved {
            let counts = ordered || self.scope.order_counts(&self.path);
            let label = |step: &Step| match step {
                Step::Item(label) => Value::String(label.clone()),
                Step::Index(at) => Value::from(*at),
                Step::Key(_) | Step::Inside(_) => Value::Null,
            };
            let after: Vec<Value> = pairs.iter().map(|(step, ..)| label(step)).collect();
            let mut by_old: Vec<_> = pairs.iter().collect();
            by_old.sort_by_key(|(_, i, _)| *i);
            let before: Vec<Value> = by_old.into_iter().map(|(step, ..)| label(step)).collect();
            let places = pairs.iter().map(|(_, i, j)| (*i, *j)).collect();
            self.emit(Some(Value::Array(before)), Some(Value::Array(after)), What::Order { places, counts });
        }
    }

    fn item(&mut self, step: Step, hop: Hop, old: Option<&Value>, new: Option<&Value>) {
        self.hops.push(hop);
        self.at(step, old, new);
        self.hops.pop();
    }

    fn texts(&mut self, old: &str, new: &str) {
        if let Some(key) = self.scope.config_key(&self.path)
            && let Some((format, a)) = text::document(self.blobs, key, old)
            && let Some((other, b)) = text::document(self.blobs, key, new)
            && format == other
        {
            if a == b {
                return self.emit(Some(old.into()), Some(new.into()), What::Layout);
            }
            return self.at(Step::Inside(format), Some(&a), Some(&b));
        }
        self.emit(Some(old.into()), Some(new.into()), What::Value);
    }
}

/// The old tree with the edits made.
pub fn apply(scope: Scope, blobs: Blobs, old: &Value, edits: &[Edit]) -> Value {
    let edits: Vec<&Edit> = edits.iter().collect();
    let making = Making { scope, blobs };
    making.value(Some(old), &edits, 0, 0).unwrap_or(Value::Null)
}

struct Making {
    scope: Scope,
    blobs: Blobs,
}

impl Making {
    /// `depth` steps and `hop` lists of the edits' paths are behind us.
    fn value(&self, old: Option<&Value>, edits: &[&Edit], depth: usize, hop: usize) -> Option<Value> {
        if let Some(edit) = edits.iter().find(|e| e.path.0.len() == depth && !matches!(e.what, What::Order { .. })) {
            return edit.new.clone();
        }
        match old {
            Some(Value::Object(map)) => Some(self.map(map, edits, depth, hop)),
            Some(Value::Array(items)) => Some(self.list(items, edits, depth, hop)),
            Some(Value::String(text)) => Some(self.text(text, edits, depth, hop)),
            // What is below nothing was told one by one.
            None | Some(Value::Null) if matches!(edits.first(), Some(edit) if matches!(edit.path.0.get(depth), Some(Step::Key(_)))) => {
                Some(self.map(&Map::new(), edits, depth, hop))
            }
            other => other.cloned(),
        }
    }

    fn map(&self, old: &Map<String, Value>, edits: &[&Edit], depth: usize, hop: usize) -> Value {
        let mut new = old.clone();
        for group in edits.chunk_by(|a, b| a.path.0[depth] == b.path.0[depth]) {
            let Step::Key(key) = &group[0].path.0[depth] else { continue };
            match self.value(old.get(key), group, depth + 1, hop) {
                Some(value) => new.insert(key.clone(), value),
                None => new.remove(key),
            };
        }
        Value::Object(new)
    }

    fn list(&self, old: &[Value], edits: &[&Edit], depth: usize, hop: usize) -> Value {
        let path = edits.first().map(|edit| &edit.path.0[..depth]).unwrap_or_default();
        let flags = lists::reading(self.scope, path) == Reading::Flags;
        let old = if flags { lists::words(old) } else { old.to_vec() };
        let here: Vec<&Edit> = edits.iter().filter(|edit| edit.path.0.len() > depth).copied().collect();
        let count = |side: fn(&Hop) -> Option<usize>| here.iter().filter(|e| side(&e.hops[hop]).is_none()).count();
        let (removed, added) = (count(|hop| hop.new), count(|hop| hop.old));
        let mut new: Vec<Option<Value>> = vec![None; old.len() + added - removed];
        let mut kept: Vec<Option<Value>> = old.iter().cloned().map(Some).collect();
        for group in here.chunk_by(|a, b| a.hops[hop] == b.hops[hop]) {
            let Hop { old: i, new: j } = group[0].hops[hop];
            let value = self.value(i.map(|i| &old[i]), group, depth + 1, hop + 1);
            if let Some(i) = i {
                kept[i] = None;
            }
            if let Some(j) = j {
                new[j] = value;
            }
        }
        for edit in edits {
            if let What::Order { places, .. } = &edit.what
                && edit.path.0.len() == depth
            {
                places.iter().for_each(|(i, j)| new[*j] = new[*j].take().or_else(|| kept[*i].take()));
            }
        }
        let mut rest = kept.into_iter().flatten();
        let items = new.into_iter().filter_map(|slot| slot.or_else(|| rest.next())).collect();
        Value::Array(if flags { lists::unwords(items) } else { items })
    }

    fn text(&self, old: &str, edits: &[&Edit], depth: usize, hop: usize) -> Value {
        let inside = edits.first().and_then(|edit| self.scope.config_key(&edit.path.0[..depth]));
        let Some((format, tree)) = inside.and_then(|key| text::document(self.blobs, key, old)) else {
            return old.into();
        };
        let new = self.value(Some(&tree), edits, depth + 1, hop).unwrap_or(Value::Null);
        text::write(format, &new).into()
    }
}
