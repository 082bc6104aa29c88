//! A survey as a folder of JSON files, one per part, and back. `index.json` says what the folder is and which parts could not be read; it is
//! written last, so that a folder that was not finished is not taken for one that was.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Survey;
use crate::snapshot::{Gathered, Missing, Snapshot};

/// Version of the folder's format.
pub const SCHEMA: u64 = 1;
const KIND: &str = "kubectl-cni-snapshot";
const INDEX: &str = "index.json";

#[derive(Serialize, Deserialize)]
struct Index {
    kind: Option<String>,
    schema: Option<u64>,
    #[serde(default)]
    context: String,
    /// Parts that could not be read.
    #[serde(default)]
    missing: BTreeMap<String, Missing>,
}

/// Writes a survey into a folder, which must be new or empty.
///
/// # Errors
///
/// The folder has something in it, or cannot be written.
pub fn save(survey: &Survey, folder: &Path) -> Result<()> {
    crate::recording::prepare(folder)?;
    let mut writer = Writer { folder, missing: BTreeMap::new() };
    let snapshot = &survey.snapshot;
    writer.part("server-version", &snapshot.server_version)?;
    writer.part("nodes", &snapshot.nodes)?;
    writer.part("daemonsets", &snapshot.daemonsets)?;
    writer.part("deployments", &snapshot.deployments)?;
    writer.part("groups", &snapshot.groups)?;
    writer.part("agent-pods", &snapshot.agent_pods)?;
    writer.part("revisions", &snapshot.revisions)?;
    writer.part("network-policies", &snapshot.network_policies)?;
    writer.file("cni-objects", &snapshot.cni_objects)?;
    writer.part("apis", &survey.apis)?;
    writer.file("configmaps", &survey.configmaps)?;
    writer.file("objects", &survey.objects)?;
    writer.part("crds", &survey.crds)?;
    writer.file("managers", &survey.managers)?;
    writer.file("namespaces", &survey.namespaces)?;
    writer.part("mutating-webhooks", &survey.mutating_webhooks)?;
    writer.part("validating-webhooks", &survey.validating_webhooks)?;
    writer.part("disruption-budgets", &survey.budgets)?;
    writer.part("service-cidrs", &survey.service_cidrs)?;
    writer.part("api-service", &survey.api_service)?;
    let missing = std::mem::take(&mut writer.missing);
    let index = Index { kind: Some(KIND.to_owned()), schema: Some(SCHEMA), context: snapshot.context.clone(), missing };
    writer.file("index", &index)
}

/// Reads a folder made by [`save`].
///
/// # Errors
///
/// A file is missing, of another version, or damaged: the message names it.
pub fn load(folder: &Path) -> Result<Survey> {
    let path = folder.join(INDEX);
    let index: Index = read(&path)?;
    if index.kind.as_deref() != Some(KIND) {
        bail!("{} is not a snapshot of kubectl cni preflight", path.display());
    }
    match index.schema {
        Some(SCHEMA) => {}
        Some(other) => bail!("{} has format {other}; this program reads format {SCHEMA}", path.display()),
        None => bail!("{} does not say its format", path.display()),
    }
    let reader = Reader { folder, missing: index.missing };
    Ok(Survey {
        snapshot: Snapshot {
            schema: 1,
            context: index.context,
            server_version: reader.part("server-version")?,
            nodes: reader.part("nodes")?,
            daemonsets: reader.part("daemonsets")?,
            deployments: reader.part("deployments")?,
            groups: reader.part("groups")?,
            agent_pods: reader.part("agent-pods")?,
            revisions: reader.part("revisions")?,
            cni_objects: reader.file("cni-objects")?,
            agent_status: BTreeMap::new(),
            network_policies: reader.part("network-policies")?,
        },
        apis: reader.part("apis")?,
        configmaps: reader.file("configmaps")?,
        objects: reader.file("objects")?,
        crds: reader.part("crds")?,
        managers: reader.file("managers")?,
        namespaces: reader.file("namespaces")?,
        mutating_webhooks: reader.part("mutating-webhooks")?,
        validating_webhooks: reader.part("validating-webhooks")?,
        budgets: reader.part("disruption-budgets")?,
        service_cidrs: reader.part("service-cidrs")?,
        api_service: reader.part("api-service")?,
    })
}

struct Writer<'a> {
    folder: &'a Path,
    missing: BTreeMap<String, Missing>,
}

struct Reader<'a> {
    folder: &'a Path,
    missing: BTreeMap<String, Missing>,
}

impl Writer<'_> {
    fn part<T: Serialize>(&mut self, name: &str, part: &Gathered<T>) -> Result<()> {
        match part {
            Ok(value) => self.file(name, value),
            Err(missing) => {
                self.missing.insert(name.to_owned(), missing.clone());
                Ok(())
            }
        }
    }

    fn file<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let path = self.folder.join(format!("{name}.json"));
        let mut text = serde_json::to_vec_pretty(value).with_context(|| format!("encoding {name}"))?;
        text.push(b'\n');
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

impl Reader<'_> {
    fn part<T: DeserializeOwned>(&self, name: &str) -> Result<Gathered<T>> {
        match self.missing.get(name) {
            Some(missing) => Ok(Err(missing.clone())),
            None => self.file(name).map(Ok),
        }
    }

    fn file<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        read(&self.folder.join(format!("{name}.json")))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?; // much faster than from a reader
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}
