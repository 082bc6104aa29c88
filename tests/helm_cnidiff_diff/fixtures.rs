//! Reads the manifests of `tests/fixtures/diff`.

use std::fs;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use helm_cnidiff::manifest::{Document, ObjectSet};
use serde::Deserialize;
use serde_json::Value;

pub(crate) fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/diff")
}

/// Names of all manifests, sorted.
pub(crate) fn names() -> Vec<String> {
    let entries = fs::read_dir(dir()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|name| name.ends_with(".yml") || name.ends_with(".yaml.gz")).collect();
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    names
}

pub(crate) fn text(name: &str) -> String {
    let bytes = fs::read(dir().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut text = String::new();
    if name.ends_with(".gz") {
        GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

pub(crate) fn parse(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text).map(|document| Value::deserialize(document).unwrap()).collect()
}

pub(crate) fn documents(name: &str) -> Vec<Value> {
    parse(&text(name))
}

pub(crate) fn objects(documents: Vec<Value>) -> ObjectSet {
    let (set, warnings) = ObjectSet::read("test", Document::number(documents), "kube-system");
    assert_eq!(warnings, []);
    set
}

pub(crate) fn set(name: &str) -> ObjectSet {
    objects(documents(name))
}

/// YAML inside ConfigMaps.
pub(crate) fn yaml(text: &str) -> Option<Value> {
    serde_yaml::from_str(text).ok()
}
