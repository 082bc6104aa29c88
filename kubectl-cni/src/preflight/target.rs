//! The target as the user has it: values, an unpacked chart, a manifest. Texts in, plain data out; reading the files is the command's business.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use cni_facts::{Detection, Facts, Role};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::ConfigMap;
use serde::Deserialize as _;
use serde_json::Value;

use crate::snapshot::Snapshot;
use crate::survey::workloads;

/// What is known of the target.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The user's Helm values.
    pub values: Option<Value>,
    /// The target chart's own defaults.
    pub defaults: Option<Value>,
    /// The rendered target.
    pub manifest: Option<Manifest>,
    /// Files of the values, as typed.
    pub values_files: Vec<String>,
    /// Chart, as typed.
    pub chart: Option<String>,
    /// File of the manifest, as typed.
    pub manifest_file: Option<String>,
}

/// A rendered target.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Its DaemonSets.
    pub daemonsets: Vec<DaemonSet>,
    /// Its Deployments.
    pub deployments: Vec<Deployment>,
    /// Data of its ConfigMaps, by name.
    pub configmaps: BTreeMap<String, BTreeMap<String, String>>,
    /// The CNI in it, recognised as one in a cluster.
    pub detection: Option<Detection>,
}

impl Target {
    /// What rules look at.
    pub(super) fn rendered(&self) -> cni_facts::Target {
        let unknown = "the target is not at hand: give its manifest with --manifest FILE";
        match &self.manifest {
            None => cni_facts::Target {
                workloads: cni_facts::Part::Unknown(unknown.to_owned()),
                configmaps: cni_facts::Part::Unknown(unknown.to_owned()),
                images_not_pulled: not_tried(),
            },
            Some(manifest) => cni_facts::Target {
                workloads: cni_facts::Part::Known(workloads(
                    &manifest.daemonsets,
                    &manifest.deployments,
                    manifest.detection.as_ref(),
                )),
                configmaps: cni_facts::Part::Known(manifest.configmaps.clone()),
                images_not_pulled: not_tried(),
            },
        }
    }
}

fn not_tried<T>() -> cni_facts::Part<T> {
    cni_facts::Part::Unknown("pulling an image was not tried".to_owned())
}

/// Helm values out of a file.
///
/// # Errors
///
/// Not YAML, not a map, or a word that Helm and YAML 1.2 read differently.
pub fn values(name: &str, text: &str) -> Result<Value> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| one_line(name, &error))?;
    match value {
        Value::Null => Ok(Value::Object(serde_json::Map::new())),
        Value::Object(_) => {
            // Whether it stood in quotes is not in the value any more, but the text tells whether any such word did.
            let quoted = |word: &str| ['"', '\''].iter().any(|quote| text.contains(&format!("{quote}{word}{quote}")));
            if let Some((path, word)) = ambiguous(&value, String::new()).filter(|(_, word)| !quoted(word)) {
                bail!(
                    "{name}: {path}: {word}: Helm reads this word as true or false; write that, or put the word in quotes"
                );
            }
            Ok(value)
        }
        _ => bail!("{name}: Helm values are a map of keys, this is not"),
    }
}

/// Objects out of a manifest of several documents. Documents of other kinds are passed over.
///
/// # Errors
///
/// Not YAML, or an object that is not what its kind says.
pub fn manifest(name: &str, text: &str, facts: &Facts) -> Result<Manifest> {
    let mut found = Manifest::default();
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document).map_err(|error| one_line(name, &error))?;
        let items = match value.get("items") {
            Some(Value::Array(items)) => items.clone(),
            _ => vec![value],
        };
        for item in items {
            let kind = item["kind"].as_str().unwrap_or_default().to_owned();
            let of = format!("{name}: {kind} {}", item["metadata"]["name"].as_str().unwrap_or_default());
            match kind.as_str() {
                "DaemonSet" => found.daemonsets.push(typed(&item).context(of)?),
                "Deployment" => found.deployments.push(typed(&item).context(of)?),
                "ConfigMap" => {
                    let map: ConfigMap = typed(&item).context(of)?;
                    found.configmaps.insert(map.metadata.name.unwrap_or_default(), map.data.unwrap_or_default());
                }
                _ => {}
            }
        }
    }
    if found.daemonsets.is_empty() && found.deployments.is_empty() {
        bail!("{name}: there is no DaemonSet and no Deployment in it");
    }
    let mut seen = Snapshot::unread("", "a manifest");
    seen.daemonsets = Ok(found.daemonsets.clone());
    seen.deployments = Ok(found.deployments.clone());
    let detections = cni_facts::detect(facts, &seen.evidence());
    found.detection = detections.into_iter().find(|detection| detection.role == Role::Main);
    Ok(found)
}

/// The version in a chart's `Chart.yaml`.
///
/// # Errors
///
/// Not YAML, or no version.
pub fn chart_version(name: &str, text: &str) -> Result<String> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| one_line(name, &error))?;
    let version = value["version"].as_str().with_context(|| format!("{name} has no version"))?;
    Ok(version.to_owned())
}

fn one_line(name: &str, error: &serde_yaml::Error) -> anyhow::Error {
    anyhow::anyhow!("{name}: {}", error.to_string().lines().next().unwrap_or_default())
}

/// The first word that YAML 1.1, and so Helm, takes for a truth value while this reader took it for text.
fn ambiguous(value: &Value, path: String) -> Option<(String, String)> {
    const WORDS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];
    match value {
        Value::String(text) if WORDS.contains(&text.to_lowercase().as_str()) => Some((path, text.clone())),
        Value::Object(map) => map.iter().find_map(|(key, value)| {
            ambiguous(value, if path.is_empty() { key.clone() } else { format!("{path}.{key}") })
        }),
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(index, value)| ambiguous(value, format!("{path}[{index}]")))
        }
        _ => None,
    }
}

/// An object as its type. By way of its text, since a decoder for each type that starts from a [`Value`] would be in the program beside the one
/// that reads the API server's answers.
fn typed<T: serde::de::DeserializeOwned>(item: &Value) -> serde_json::Result<T> {
    serde_json::from_str(&item.to_string())
}
