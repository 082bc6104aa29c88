//! Texts: those that are documents themselves (JSON, YAML, ini inside a ConfigMap) are read as such, the others are
//! compared line by line.

use serde_json::{Map, Value};
use similar::DiffOp;

use super::sequence;
use crate::comparison::{Format, Sign, TextLine};

/// How to read YAML; `None` where it is none. It is given from outside because the reader of this program is strict
/// about how helm reads YAML, and lives elsewhere.
pub type Blobs = fn(&str) -> Option<Value>;

/// No text is YAML.
pub fn no_yaml(_: &str) -> Option<Value> {
    None
}

/// The text under `key` of a ConfigMap as a document, if it is one: a map or a list.
pub fn document(yaml: Blobs, key: &str, text: &str) -> Option<(Format, Value)> {
    let start = text.trim_start().chars().next()?;
    if matches!(start, '{' | '[') {
        let json = serde_json::from_str(text).or_else(|_| serde_json::from_str(&placeholders_quoted(text)));
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = json {
            return Some((Format::Json, value));
        }
    }
    if !text.contains('\n') {
        return None;
    }
    if let Some(value) = ini(text) {
        return Some((Format::Ini, value));
    }
    let yaml_name = key.ends_with(".yaml") || key.ends_with(".yml") || key == "config" || key.starts_with("yaml");
    match yaml_name.then(|| yaml(text)).flatten()? {
        value @ (Value::Object(_) | Value::Array(_)) => Some((Format::Yaml, value)),
        _ => None,
    }
}

/// A document as text again; not as it was laid out, but with the same content.
pub fn write(format: Format, value: &Value) -> String {
    match format {
        // JSON is YAML as well.
        Format::Json | Format::Yaml => format!("{value:#}\n"),
        Format::Ini => write_ini(value),
    }
}

/// CNI configuration in manifests has places that an init container fills in later: `"mtu": __CNI_MTU__`.
fn placeholders_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut in_string, mut escaped, mut word) = (false, false, String::new());
    let flush = |word: &mut String, out: &mut String| {
        let placeholder = word.len() > 4 && word.starts_with("__") && word.ends_with("__");
        out.push_str(&if placeholder { format!("{word:?}") } else { std::mem::take(word) });
        word.clear();
    };
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
            in_string = c == '"';
        }
    }
    flush(&mut word, &mut out);
    out
}

/// `key = value` lines, maybe in `[sections]`; comments and empty lines say nothing. Everything else is no ini.
fn ini(text: &str) -> Option<Value> {
    let mut root = Map::new();
    let mut section: Option<String> = None;
    let mut pairs = 0;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            // A section twice, or one that is named like a key, would lose something.
            if name.is_empty() || root.insert(name.to_owned(), Value::Object(Map::new())).is_some() {
                return None;
            }
            section = Some(name.to_owned());
            continue;
        }
        let (key, value) = line.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/')) {
            return None;
        }
        let map = match &section {
            None => &mut root,
            Some(name) => root.get_mut(name)?.as_object_mut()?,
        };
        if map.insert(key.to_owned(), value.into()).is_some() {
            return None;
        }
        pairs += 1;
    }
    (pairs > 0).then_some(Value::Object(root))
}

fn write_ini(value: &Value) -> String {
    let mut out = String::new();
    let pairs = |map: &Map<String, Value>, out: &mut String| {
        for (key, value) in map {
            if let Some(text) = value.as_str() {
                out.push_str(&format!("{key} = {text}\n"));
            }
        }
    };
    if let Value::Object(root) = value {
        pairs(root, &mut out);
        for (name, section) in root {
            if let Value::Object(section) = section {
                out.push_str(&format!("[{name}]\n"));
                pairs(section, &mut out);
            }
        }
    }
    out
}

/// Lines that differ, with up to two lines around them.
pub fn lines(old: &str, new: &str) -> Vec<TextLine> {
    const CONTEXT: usize = 2;
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let mut all: Vec<TextLine> = Vec::new();
    for op in sequence::diff(&old, &new) {
        let mut say = |sign: Sign, lines: &[&str]| {
            let line = |line: &&str| TextLine { sign, text: line.trim_end_matches(['\n', '\r']).to_owned() };
            all.extend(lines.iter().map(line));
        };
        match op {
            DiffOp::Equal { .. } => say(Sign::Same, &old[op.old_range()]),
            _ => {
                say(Sign::Removed, &old[op.old_range()]);
                say(Sign::Added, &new[op.new_range()]);
            }
        }
    }
    let changed: Vec<usize> = all.iter().enumerate().filter(|(_, l)| l.sign != Sign::Same).map(|(at, _)| at).collect();
    let near = |at: usize| {
        let next = changed.partition_point(|c| *c < at.saturating_sub(CONTEXT));
        changed.get(next).is_some_and(|c| *c <= at + CONTEXT)
    };
    let mut shown: Vec<TextLine> = Vec::new();
    let mut skipped = 0;
    for (at, line) in all.into_iter().enumerate() {
        if near(at) {
            if skipped > 0 {
                shown.push(TextLine { sign: Sign::Skipped(std::mem::take(&mut skipped)), text: String::new() });
            }
            shown.push(line);
        } else {
            skipped += 1;
        }
    }
    if skipped > 0 {
        shown.push(TextLine { sign: Sign::Skipped(skipped), text: String::new() });
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_told_from_texts() {
        let cases = [
            ("net-conf.json", "{\"a\": 1}\n", Some((Format::Json, json!({"a": 1})))),
            ("x", "[1, 2]", Some((Format::Json, json!([1, 2])))),
            (
                "x",
                "{\"mtu\": __CNI_MTU__, \"s\": \"__S__\"}",
                Some((Format::Json, json!({"mtu": "__CNI_MTU__", "s": "__S__"}))),
            ),
            ("x", "{\"broken\": }", None),
            ("debug", "true", None),
            ("x", "a = 1\n# no\n[s]\nb=2\n", Some((Format::Ini, json!({"a": "1", "s": {"b": "2"}})))),
            ("x", "a = 1\na = 2\n", None),
            ("x", "a = 1\nplain words\n", None),
            ("start.sh", "#!/bin/sh\nA=1\necho $A\n", None),
            ("x", "", None),
        ];
        for (key, text, expected) in cases {
            assert_eq!(document(no_yaml, key, text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for text in ["{\"a\": [1, {\"b\": null}]}", "a = 1\n[s]\nb = 2\n", "[s]\nx = a=b\n"] {
            let (format, value) = document(no_yaml, "k", text).unwrap();
            assert_eq!(document(no_yaml, "k", &write(format, &value)), Some((format, value)));
        }
    }

    #[test]
    fn lines_come_with_a_little_context() {
        let old: String = (0..20).map(|n| format!("{n}\n")).collect();
        let shown = lines(&old, &old.replace("10\n", "ten\n"));
        let told: Vec<String> = shown.iter().map(|l| format!("{:?} {}", l.sign, l.text)).collect();
        let expected =
            ["Skipped(8) ", "Same 8", "Same 9", "Removed 10", "Added ten", "Same 11", "Same 12", "Skipped(7) "];
        assert_eq!(told, expected);
    }
}
