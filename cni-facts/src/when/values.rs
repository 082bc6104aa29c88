//! Conditions about Helm values.
//!
//! All but `value_truthy_any` look at what the user gives. A null takes a value away: it is not "given a value", yet
//! it is not "left alone" either, because the chart's default no longer applies.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::given::{Given, ValuePath, default, find, given, or_none, same, scalar, show, truthy, values};
use super::{Ask, Look, Truth, logic};
use crate::schema::{Pattern, not_empty};
use crate::situation::{Need, Part};
use crate::version::Version;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SetAny(#[serde(deserialize_with = "not_empty")] Vec<ValuePath>);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TruthyAny(#[serde(deserialize_with = "not_empty")] pub(super) Vec<ValuePath>);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Unset(ValuePath);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equals {
    path: ValuePath,
    value: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct In {
    path: ValuePath,
    #[serde(deserialize_with = "not_empty")]
    values: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotInAny {
    #[serde(deserialize_with = "not_empty")]
    paths: Vec<ValuePath>,
    #[serde(deserialize_with = "not_empty")]
    values: Vec<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matches {
    path: ValuePath,
    regex: Pattern,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NotMatches {
    path: ValuePath,
    regex: Pattern,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LenGt {
    path: ValuePath,
    len: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Nonzero(ValuePath);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntInRanges {
    path: ValuePath,
    #[serde(deserialize_with = "not_empty")]
    ranges: Vec<(i64, i64)>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct IsScalar(ValuePath);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SemverLt {
    path: ValuePath,
    version: Version,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvNameIn {
    path: ValuePath,
    #[serde(deserialize_with = "not_empty")]
    names: Vec<String>,
}

// === words and judging ===

fn seen(path: &ValuePath, value: &Value) -> String {
    match value {
        Value::Null => format!("Helm value {path} is not set"),
        value => format!("Helm value {path} is {}", show(path, value)),
    }
}

fn listed(values: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Null => "not set".to_owned(),
        value => value.to_string(),
    };
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn paths(paths: &[ValuePath]) -> String {
    match paths {
        [one] => format!("Helm value {one}"),
        many => format!(
            "one of the Helm values {}",
            many.iter().map(|path| path.text.as_str()).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Judges what the user gives at a path; nothing given is [`Value::Null`].
fn judge(look: &Look<'_>, path: &ValuePath, so: impl Fn(&Value) -> bool) -> Truth {
    match given(look, path) {
        Ok(given) => {
            let value = or_none(given);
            Truth::when(so(value), seen(path, value))
        }
        Err(unknown) => unknown,
    }
}

// === the conditions ===

macro_rules! needs_values {
    () => {
        fn needs(&self, into: &mut BTreeSet<Need>) {
            into.insert(Need::Values);
        }
    };
    (one $path:tt) => {
        needs_values!();

        fn values(&self) -> Vec<&ValuePath> {
            vec![&self.$path]
        }
    };
    (each $paths:tt) => {
        needs_values!();

        fn values(&self) -> Vec<&ValuePath> {
            self.$paths.iter().collect()
        }
    };
}

impl Ask for SetAny {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let values = match values(look) {
            Ok(values) => values,
            Err(unknown) => return unknown,
        };
        let set: Vec<&str> = self
            .0
            .iter()
            .filter(|path| matches!(find(&values.user, path), Given::Value(_)))
            .map(|path| path.text.as_str())
            .collect();
        match set.as_slice() {
            [] => Truth::not(format!("{} is not set", paths(&self.0))),
            [one] => Truth::holds(format!("Helm value {one} is set")),
            many => Truth::holds(format!("Helm values {} are set", many.join(", "))),
        }
    }

    needs_values!(each 0);

    fn words(&self) -> String {
        format!("{} is set", paths(&self.0))
    }
}

impl Ask for TruthyAny {
    fn answer(&self, look: &Look<'_>) -> Truth {
        logic::any(self.0.iter().map(|path| match given(look, path) {
            Err(unknown) => unknown,
            Ok(Given::Value(value)) => Truth::when(truthy(value), seen(path, value)),
            Ok(Given::Null) => Truth::not(format!("Helm value {path} is null")),
            Ok(Given::Nothing) => match default(look, path) {
                Part::Known(value) => {
                    Truth::when(truthy(value), format!("Helm value {path} is {} by default", show(path, value)))
                }
                Part::Absent => Truth::not(format!("Helm value {path} is not set and has no default")),
                Part::Unknown(why) => Truth::unknown(why),
            },
        }))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Values);
        into.extend(self.0.iter().map(|path| Need::TargetDefault(path.text.clone())));
    }

    fn values(&self) -> Vec<&ValuePath> {
        self.0.iter().collect()
    }

    fn words(&self) -> String {
        format!("{} is on (set or by default)", paths(&self.0))
    }
}

impl Ask for Unset {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match given(look, &self.0) {
            Ok(Given::Nothing) => Truth::holds(format!("Helm value {} is not set", self.0)),
            Ok(Given::Null) => Truth::not(format!("Helm value {} is null", self.0)),
            Ok(Given::Value(value)) => Truth::not(seen(&self.0, value)),
            Err(unknown) => unknown,
        }
    }

    needs_values!(one 0);

    fn words(&self) -> String {
        format!("Helm value {} is not set", self.0)
    }
}

impl Ask for Equals {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| same(value, &self.value))
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} is {}", self.path, listed(std::slice::from_ref(&self.value)))
    }
}

impl Ask for In {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| self.values.iter().any(|listed| same(value, listed)))
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} is one of: {}", self.path, listed(&self.values))
    }
}

impl Ask for NotInAny {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let outside = |value: &Value| !self.values.iter().any(|listed| same(value, listed));
        logic::any(self.paths.iter().map(|path| judge(look, path, outside)))
    }

    needs_values!(each paths);

    fn words(&self) -> String {
        format!("{} is none of: {}", paths(&self.paths), listed(&self.values))
    }
}

impl Ask for Matches {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| texts(value).iter().any(|text| self.regex.is_match(text)))
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} matches /{}/", self.path, self.regex.as_str())
    }
}

impl Ask for NotMatches {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| texts(value).iter().any(|text| !self.regex.is_match(text)))
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} is set and does not match /{}/", self.path, self.regex.as_str())
    }
}

/// A scalar, or the scalars of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(list) => list.iter().filter_map(scalar).collect(),
        value => scalar(value).into_iter().collect(),
    }
}

impl Ask for LenGt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| match value {
            Value::Array(list) => list.len() > self.len,
            Value::Object(map) => map.len() > self.len,
            value => scalar(value).is_some_and(|text| text.chars().count() > self.len),
        })
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} is longer than {}", self.path, self.len)
    }
}

impl Ask for Nonzero {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.0, |value| truthy(value) && scalar(value).is_none_or(|text| text.parse() != Ok(0.0)))
    }

    needs_values!(one 0);

    fn words(&self) -> String {
        format!("Helm value {} is not 0", self.0)
    }
}

impl Ask for IntInRanges {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.path, |value| {
            let number = scalar(value).and_then(|text| text.parse::<i64>().ok());
            number.is_some_and(|number| self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number)))
        })
    }

    needs_values!(one path);

    fn words(&self) -> String {
        let ranges: Vec<String> = self.ranges.iter().map(|(first, last)| format!("{first} to {last}")).collect();
        format!("Helm value {} is in {}", self.path, ranges.join(" or "))
    }
}

impl Ask for IsScalar {
    fn answer(&self, look: &Look<'_>) -> Truth {
        judge(look, &self.0, |value| !matches!(value, Value::Null | Value::Object(_)))
    }

    needs_values!(one 0);

    fn words(&self) -> String {
        format!("Helm value {} is set to something that is not a map", self.0)
    }
}

impl Ask for SemverLt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let value = match given(look, &self.path) {
            Ok(Given::Value(value)) => value,
            Ok(Given::Null | Given::Nothing) => return Truth::not(seen(&self.path, &Value::Null)),
            Err(unknown) => return unknown,
        };
        // A number is what Helm makes of an unquoted 1.15; the chart reads the same digits.
        match scalar(value).map(|text| Version::parse_minor(&text)) {
            Some(Ok(version)) => Truth::when(version < self.version, seen(&self.path, value)),
            _ => Truth::unknown(format!("{}, which is not a version", seen(&self.path, value))),
        }
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} is a version below {}", self.path, self.version)
    }
}

impl Ask for EnvNameIn {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match given(look, &self.path) {
            Err(unknown) => unknown,
            Ok(Given::Value(Value::Array(list))) => {
                let names = list.iter().filter_map(|entry| entry.get("name")?.as_str());
                let found: Vec<&str> = names.filter(|name| self.names.iter().any(|listed| listed == name)).collect();
                match found.is_empty() {
                    true => Truth::not(format!("Helm value {} has no such variable", self.path)),
                    false => Truth::holds(format!("Helm value {} sets {}", self.path, found.join(", "))),
                }
            }
            Ok(Given::Value(_)) => Truth::unknown(format!("Helm value {} is not a list of variables", self.path)),
            Ok(Given::Null | Given::Nothing) => Truth::not(seen(&self.path, &Value::Null)),
        }
    }

    needs_values!(one path);

    fn words(&self) -> String {
        format!("Helm value {} sets {}", self.path, self.names.join(" or "))
    }
}
