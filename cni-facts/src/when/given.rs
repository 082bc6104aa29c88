//! What the user gives at a path of Helm values, and the target's default there.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::{Look, Truth};
use crate::schema::CheckedText;
use crate::situation::{Part, Values};

/// A path into values: `a.b`, with `\.` for a dot inside a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ValuePath {
    pub(super) text: String,
    pub(super) keys: Vec<String>,
}

/// What the user gives at a path; `Null` also where a part of the path is null.
pub(super) enum Given<'a> {
    Value(&'a Value),
    Null,
    Nothing,
}

pub(super) fn values<'a>(look: &Look<'a>) -> Result<&'a Values, Truth> {
    match &look.situation.values {
        Part::Known(values) => Ok(values),
        Part::Absent => {
            Err(Truth::unknown("Helm values: the CNI is not installed with Helm, so there are none to look at"))
        }
        Part::Unknown(why) => Err(Truth::unknown(format!("Helm values: {why}"))),
    }
}

pub(super) fn given<'a>(look: &Look<'a>, path: &ValuePath) -> Result<Given<'a>, Truth> {
    Ok(find(&values(look)?.user, path))
}

pub(super) fn find<'a>(root: &'a Value, path: &ValuePath) -> Given<'a> {
    let mut at = root;
    for key in &path.keys {
        match at {
            Value::Null => return Given::Null,
            Value::Object(map) => match map.get(key) {
                Some(value) => at = value,
                None => return Given::Nothing,
            },
            _ => return Given::Nothing,
        }
    }
    match at {
        Value::Null => Given::Null,
        value => Given::Value(value),
    }
}

/// The default of the hop's target: from the chart where it is at hand, else from the facts about its minor.
pub(super) fn default<'a>(look: &Look<'a>, path: &ValuePath) -> Part<&'a Value> {
    if look.hop.1 == look.whole.1
        && let Part::Known(values) = &look.situation.values
        && let Part::Known(defaults) = &values.target_defaults
    {
        return match find(defaults, path) {
            Given::Value(value) => Part::Known(value),
            Given::Null | Given::Nothing => Part::Absent,
        };
    }
    match look.defaults.map(|defaults| defaults.of(&path.text, look.hop.1)) {
        Some(part @ (Part::Known(_) | Part::Absent)) => part,
        _ => Part::Unknown(format!("the default of {path} in the chart of {} is not known", look.hop.1)),
    }
}

/// As templates see it (<https://pkg.go.dev/text/template#hdr-Actions>): false, 0, null and what is empty are not.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A scalar as text; `None` for lists and maps.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Equal as YAML values; 1 and 1.0 are the same number.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// A value for a sentence; long ones are cut, and what may be secret is not shown at all.
pub(super) fn show(path: &ValuePath, value: &Value) -> String {
    let lower = path.text.to_lowercase();
    if ["key", "secret", "password", "token", "cert"].iter().any(|word| lower.contains(word)) && scalar(value).is_some()
    {
        return "(not shown)".to_owned();
    }
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

pub(super) fn or_none(value: Given<'_>) -> &Value {
    match value {
        Given::Value(value) => value,
        Given::Null | Given::Nothing => &Value::Null,
    }
}

// === impl ValuePath ===

impl ValuePath {
    fn parse(text: &str) -> Result<Self, String> {
        let (mut keys, mut key, mut escaped) = (Vec::new(), String::new(), false);
        for c in text.chars() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, '.') => keys.push(std::mem::take(&mut key)),
                _ => {
                    key.push(c);
                    escaped = false;
                }
            }
        }
        keys.push(key);
        if escaped || keys.iter().any(String::is_empty) {
            return Err(format!("{text:?} is not a path of values such as a.b (a dot inside a key is \\.)"));
        }
        Ok(Self { text: text.to_owned(), keys })
    }
}

impl std::fmt::Display for ValuePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ValuePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CheckedText(Self::parse))
    }
}
