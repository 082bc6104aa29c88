//! Two CustomResourceDefinitions in, what changed for those who use them out: versions, fields, what is required.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tree::Edit;
use crate::comparison::{CrdVersion, FieldPath, Served, Step};

/// What changed, values not yet shown.
#[derive(Debug, Clone, Default)]
pub struct Crd<'e> {
    /// Versions that came, went, or are served or stored otherwise; by name.
    pub versions: Vec<CrdVersion>,
    /// `v1 spec.bgp.asNumber`, sorted.
    pub fields_removed: Vec<String>,
    /// The same for new fields.
    pub fields_added: Vec<String>,
    /// The same for fields that are required now and were not.
    pub now_required: Vec<String>,
    /// What a field may hold.
    pub validation: Vec<&'e Edit>,
    /// Everything else.
    pub other: Vec<&'e Edit>,
}

/// Compares two definitions; `edits` are the differences between them that count.
pub fn compare<'e>(old: &Value, new: &Value, edits: &'e [Edit]) -> Crd<'e> {
    let mut crd = Crd { versions: changed_versions(old, new), ..Crd::default() };
    let told: BTreeSet<&str> = crd.versions.iter().map(|version| version.name.as_str()).collect();
    let (mut removed, mut added, mut required) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for edit in edits {
        match place(&edit.path) {
            // Versions that come and go are told above, with all that is in them.
            Place::Version(name) | Place::Served(name) if told.contains(name) => {}
            Place::Field(name) if edit.new.is_none() => _ = removed.insert(name),
            Place::Field(name) if edit.old.is_none() => _ = added.insert(name),
            Place::Required(name) if edit.new.is_some() => required.extend(required_names(&name, edit)),
            // Less demanded breaks nobody.
            Place::Required(_) if edit.new.is_none() => {}
            Place::Required(_) | Place::Field(_) | Place::Keyword => crd.validation.push(edit),
            Place::Version(_) | Place::Served(_) | Place::Else => crd.other.push(edit),
        }
    }
    crd.fields_removed = removed.into_iter().collect();
    crd.fields_added = added.into_iter().collect();
    crd.now_required = required.into_iter().collect();
    crd
}

fn served(crd: &Value) -> BTreeMap<&str, Served> {
    let versions = crd["spec"]["versions"].as_array().into_iter().flatten();
    let one = |v: &'_ Value| Served { served: v["served"] == true, storage: v["storage"] == true };
    versions.filter_map(|v| Some((v["name"].as_str()?, one(v)))).collect()
}

fn changed_versions(old: &Value, new: &Value) -> Vec<CrdVersion> {
    let (before, after) = (served(old), served(new));
    let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
    let one = |name: &str| CrdVersion {
        name: name.to_owned(),
        old: before.get(name).copied(),
        new: after.get(name).copied(),
    };
    names.into_iter().map(one).filter(|version| version.old != version.new).collect()
}

/// What of a definition an edit is about.
enum Place<'p> {
    /// A version as a whole.
    Version(&'p str),
    /// Whether a version is served or stored.
    Served(&'p str),
    /// A field of the schema, with its version.
    Field(String),
    /// The list of required fields below a field.
    Required(String),
    /// Something else in a schema.
    Keyword,
    /// Something else.
    Else,
}

fn place(path: &FieldPath) -> Place<'_> {
    let [Step::Key(spec), Step::Key(versions), Step::Item(version), rest @ ..] = path.0.as_slice() else {
        return Place::Else;
    };
    if spec != "spec" || versions != "versions" {
        return Place::Else;
    }
    match rest {
        [] => return Place::Version(version),
        [Step::Key(key)] if key == "served" || key == "storage" => return Place::Served(version),
        _ => {}
    }
    let at = rest.iter().position(|step| matches!(step, Step::Key(key) if key == "openAPIV3Schema"));
    let Some(at) = at else { return Place::Else };
    let schema = &rest[at + 1..];
    let key = |step: Option<&Step>| match step {
        Some(Step::Key(key)) => key.clone(),
        _ => String::new(),
    };
    let before = |n: usize| key(schema.len().checked_sub(n).and_then(|at| schema.get(at)));
    if before(2) == "properties" && !is_property(&schema[..schema.len() - 2]) {
        return Place::Field(field(version, schema));
    }
    if before(1) == "required" && !is_property(&schema[..schema.len() - 1]) {
        return Place::Required(field(version, &schema[..schema.len() - 1]));
    }
    if before(2) == "required" && !is_property(&schema[..schema.len() - 2]) {
        return Place::Required(field(version, &schema[..schema.len() - 2]));
    }
    Place::Keyword
}

/// Whether the steps end in `properties`, so that what follows is a name and no keyword.
fn is_property(schema: &[Step]) -> bool {
    let mut keyword = true;
    for step in schema {
        keyword = !(keyword && matches!(step, Step::Key(key) if key == "properties"));
    }
    !keyword
}

/// `v1 spec.bgp.asNumber`: a path as one writes it in an object, not in a schema.
fn field(version: &str, schema: &[Step]) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut name_follows = false;
    for step in schema {
        match step {
            Step::Key(key) if name_follows => {
                names.push(key.clone());
                name_follows = false;
            }
            Step::Key(key) if key == "properties" => name_follows = true,
            Step::Key(key) if key == "items" => {
                if let Some(last) = names.last_mut() {
                    last.push_str("[]");
                }
            }
            Step::Key(key) if key == "additionalProperties" => names.push("*".into()),
            _ => {}
        }
    }
    format!("{version} {}", names.join("."))
}

/// What rule of which field an edit of a schema is about: `v1 spec.bindMode`, `enum`.
pub fn rule_of(path: &FieldPath) -> Option<(String, &str)> {
    let [Step::Key(spec), Step::Key(versions), Step::Item(version), rest @ ..] = path.0.as_slice() else { return None };
    if spec != "spec" || versions != "versions" {
        return None;
    }
    let at = rest.iter().position(|step| matches!(step, Step::Key(key) if key == "openAPIV3Schema"))?;
    let mut name_follows = false;
    for (depth, step) in rest[at + 1..].iter().enumerate() {
        match step {
            Step::Key(_) if name_follows => name_follows = false,
            Step::Key(key) if key == "properties" => name_follows = true,
            Step::Key(key) if key == "items" || key == "additionalProperties" => {}
            Step::Key(key) => return Some((field(version, &rest[at + 1..=at + depth]), key)),
            _ => {}
        }
    }
    None
}

/// Whether objects that were accepted may be refused now.
pub fn tightened(edit: &Edit) -> bool {
    let Some((_, rule)) = rule_of(&edit.path) else { return false };
    let number = |value: &Option<Value>| value.as_ref().and_then(Value::as_f64);
    match rule {
        "maximum" | "maxLength" | "maxItems" | "maxProperties" => match (number(&edit.old), number(&edit.new)) {
            (Some(old), Some(new)) => new < old,
            _ => edit.new.is_some(),
        },
        "minimum" | "minLength" | "minItems" | "minProperties" => match (number(&edit.old), number(&edit.new)) {
            (Some(old), Some(new)) => new > old,
            _ => edit.new.is_some(),
        },
        // A value less in a list of allowed ones narrows, a value more widens, a new list narrows.
        "enum" if matches!(edit.path.0.last(), Some(Step::Item(_))) => edit.old.is_some(),
        "enum" | "pattern" | "type" | "format" | "allOf" | "anyOf" | "oneOf" | "not" | "x-kubernetes-validations" => {
            edit.new.is_some()
        }
        _ => false,
    }
}

fn required_names(parent: &str, edit: &Edit) -> Vec<String> {
    let join = |name: &str| if parent.ends_with(' ') { format!("{parent}{name}") } else { format!("{parent}.{name}") };
    match &edit.new {
        Some(Value::String(name)) => vec![join(name)],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(join).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::scope::Scope;
    use crate::diff::text::no_yaml;
    use crate::diff::tree::diff;

    fn definition(versions: Value) -> Value {
        json!({"spec": {"group": "example.io", "versions": versions}})
    }

    fn version(name: &str, storage: bool, properties: Value, required: Value) -> Value {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"spec": {"type": "object", "required": required, "properties": properties}}}}})
    }

    #[test]
    fn a_rule_is_tightened_or_loosened() {
        let crd = |rules: Value| definition(json!([version("v1", true, json!({"type": rules}), json!([]))]));
        let cases = [
            (json!({}), json!({"maximum": 3}), true),
            (json!({"maximum": 3}), json!({}), false),
            (json!({"maximum": 3}), json!({"maximum": 4}), false),
            (json!({"maximum": 3}), json!({"maximum": 2}), true),
            (json!({"minLength": 3}), json!({"minLength": 4}), true),
            (json!({"enum": ["a", "b"]}), json!({"enum": ["b"]}), true),
            (json!({"enum": ["b"]}), json!({"enum": ["a", "b"]}), false),
            (json!({"default": 1}), json!({"default": 2}), false),
            (json!({"pattern": "a"}), json!({"pattern": "b"}), true),
            (json!({"items": {"x": 1}}), json!({"items": {"x": 2}}), false),
        ];
        for (old, new, expected) in cases {
            let edits = diff(
                Scope::of("apiextensions.k8s.io", "CustomResourceDefinition"),
                no_yaml,
                &crd(old.clone()),
                &crd(new.clone()),
            );
            assert_eq!(edits.len(), 1, "{old} {new}: {edits:#?}");
            assert_eq!(tightened(&edits[0]), expected, "{old} {new}");
            assert_eq!(
                rule_of(&edits[0].path).unwrap().0,
                if old["items"].is_null() { "v1 spec.type" } else { "v1 spec.type[]" }
            );
        }
    }

    #[test]
    fn versions_fields_and_requirements() {
        let list = json!({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}});
        let old = definition(json!([
            version("v1alpha1", false, json!({}), json!([])),
            version(
                "v1",
                true,
                json!({"gone": {"type": "string"}, "list": list, "properties": {"type": "string"}, "kept": {"type": "string"}}),
                json!(["kept"])
            ),
        ]));
        let less = json!({"type": "array", "items": {"type": "object", "properties": {}}});
        let new = definition(json!([
            version(
                "v1",
                false,
                json!({"list": less, "properties": {"type": "integer"}, "kept": {"type": "string"}, "come": {"type": "string"}}),
                json!(["come", "kept"])
            ),
            version("v2", true, json!({}), json!([])),
        ]));
        let edits = diff(Scope::of("apiextensions.k8s.io", "CustomResourceDefinition"), no_yaml, &old, &new);
        let crd = compare(&old, &new, &edits);
        let names: Vec<&str> = crd.versions.iter().map(|v| v.name.as_str()).collect();
        assert_eq!(names, ["v1", "v1alpha1", "v2"]);
        assert_eq!(crd.versions[0].new, Some(Served { served: true, storage: false }));
        assert_eq!(crd.fields_removed, ["v1 spec.gone", "v1 spec.list[].a"]);
        assert_eq!(crd.fields_added, ["v1 spec.come"]);
        assert_eq!(crd.now_required, ["v1 spec.come"]);
        assert!(crd.other.is_empty());
        let validation: Vec<String> = crd.validation.iter().map(|edit| edit.path.to_string()).collect();
        let typed = "spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.properties.type";
        assert_eq!(validation, [typed]);
    }
}
