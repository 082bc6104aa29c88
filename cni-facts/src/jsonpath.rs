//! A path into an object: `spec.blocks[].cidr` and an object in, the values found out.
//!
//! Keys are joined by dots, `\.` is a dot inside a key, `[]` goes through every entry of a list. A path that is not
//! there finds nothing.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::schema::CheckedText;

/// A path into an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath {
    text: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Entries,
}

impl JsonPath {
    fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is not a path such as spec.blocks[].cidr (a dot inside a key is \\.)");
        let (mut steps, mut key, mut chars) = (Vec::new(), String::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '\\' => key.push(chars.next().ok_or_else(bad)?),
                '[' => {
                    if chars.next() != Some(']') || key.is_empty() {
                        return Err(bad());
                    }
                    steps.extend([Step::Key(std::mem::take(&mut key)), Step::Entries]);
                    if chars.peek().is_some() && chars.next() != Some('.') {
                        return Err(bad());
                    }
                    if chars.peek().is_none() {
                        return Ok(Self { text: text.to_owned(), steps });
                    }
                }
                '.' if key.is_empty() => return Err(bad()),
                '.' => steps.push(Step::Key(std::mem::take(&mut key))),
                _ => key.push(c),
            }
        }
        if key.is_empty() {
            return Err(bad());
        }
        steps.push(Step::Key(key));
        Ok(Self { text: text.to_owned(), steps })
    }

    /// Everything found there, nulls left out.
    pub(crate) fn find<'a>(&self, object: &'a Value) -> Vec<&'a Value> {
        let mut at = vec![object];
        for step in &self.steps {
            at = match step {
                Step::Key(key) => at.into_iter().filter_map(|value| value.get(key)).collect(),
                Step::Entries => at.into_iter().filter_map(Value::as_array).flatten().collect(),
            };
        }
        at.retain(|value| !value.is_null());
        at
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn in_metadata(&self) -> bool {
        self.steps.first() == Some(&Step::Key("metadata".to_owned()))
    }
}

impl<'de> Deserialize<'de> for JsonPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CheckedText(Self::parse))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_values() {
        let object = serde_json::json!({
            "metadata": {"annotations": {"a.b/c": "x"}},
            "spec": {"blocks": [{"cidr": "10.0.0.0/8"}, {"start": "1"}, {"cidr": null}], "empty": []},
        });
        let cases = [
            (r"metadata.annotations.a\.b/c", r#"["x"]"#),
            ("spec.blocks[].cidr", r#"["10.0.0.0/8"]"#),
            ("spec.blocks[]", r#"[{"cidr":"10.0.0.0/8"},{"start":"1"},{"cidr":null}]"#),
            ("spec.empty[]", "[]"),
            ("spec.missing.deeper", "[]"),
            ("spec.blocks.cidr", "[]"),
        ];
        for (path, expected) in cases {
            let found = serde_json::to_string(&JsonPath::parse(path).unwrap().find(&object)).unwrap();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn bad_paths_are_errors() {
        for text in ["", ".", "a..b", "a.", "[]", "a[0]", "a[]b", "a\\"] {
            assert!(JsonPath::parse(text).is_err(), "{text:?}");
        }
    }
}
