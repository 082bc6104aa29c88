//! A chart argument in, its Chart.yaml, values and `crds/` out, with a path on disk that helm renders from.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::files;
use super::helm::Helm;
use super::scratch::Scratch;
use crate::cli::FetchArgs;
use crate::release::{Chart, Dependency, Metadata, is_crd};
use crate::yaml;

/// Bytes that all files of a chart may have together when unpacked.
const LIMIT: u64 = 200 << 20;

/// A chart that can be rendered.
pub struct Located {
    /// What the user calls it.
    pub name: String,
    /// Where it is on disk.
    pub path: PathBuf,
    /// What it says.
    pub chart: Chart,
    /// `sha256:…` of the archive, or of all files of the folder.
    pub digest: String,
    /// What is odd in its values.yaml, with the place.
    pub odd: Vec<(String, String)>,
    files: Files,
    /// Keeps what was fetched for as long as it is needed.
    _fetched: Option<Scratch>,
}

/// Files of a chart, by path below its folder.
type Files = BTreeMap<String, Vec<u8>>;

/// Finds a chart as helm does: what is on disk comes first, everything else is fetched by helm.
pub fn locate(argument: &str, fetch: &FetchArgs, helm: impl FnOnce() -> Result<Helm>) -> Result<Located> {
    let argument = argument.trim();
    let path = Path::new(argument);
    if path.exists() {
        return open(argument, path.to_owned(), None);
    }
    if path.is_absolute() || argument.starts_with('.') {
        bail!("chart {argument}: no such file or folder");
    }
    if !argument.contains('/') && fetch.repo.is_none() {
        bail!(
            "chart {argument}: no such file or folder; a chart of a repository is REPO/{argument} with --version, or {argument} with --repo URL"
        );
    }
    let scratch = Scratch::new()?;
    let fetched = helm()?.pull(argument, fetch, scratch.path()).with_context(|| format!("chart {argument}"))?;
    open(argument, fetched, Some(scratch))
}

fn open(argument: &str, path: PathBuf, fetched: Option<Scratch>) -> Result<Located> {
    let (files, digest) = if path.is_dir() {
        let mut files = Files::new();
        walk(&path, &path, &mut files, &mut 0).with_context(|| format!("chart {argument}"))?;
        let digest = folder_digest(&files);
        (files, digest)
    } else {
        let bytes = files::bytes(&path).with_context(|| format!("chart {argument}"))?;
        let files = unpack(&bytes).with_context(|| format!("chart {argument}"))?;
        (files, files::digest(&bytes))
    };
    let mut odd = Vec::new();
    let chart = read(&files, &mut odd, 0).with_context(|| format!("chart {argument}"))?;
    Ok(Located { name: argument.to_owned(), path, chart, digest, odd, files, _fetched: fetched })
}

impl Located {
    /// Text of all templates, of charts below it too.
    pub fn templates(&self) -> String {
        let templates = self.files.iter().filter(|(name, _)| name.contains("templates/"));
        templates.map(|(_, text)| String::from_utf8_lossy(text)).collect::<Vec<_>>().join("\n")
    }

    /// The same chart with other default values, as `helm upgrade --reuse-values` makes it in memory.
    pub fn with_values(self, values: &Map<String, Value>) -> Result<Located> {
        let scratch = Scratch::new()?;
        for (name, content) in &self.files {
            if name != "values.yaml" {
                scratch.write(name, content)?;
            }
        }
        // JSON is YAML, and helm reads it as such.
        scratch.write("values.yaml", Value::Object(values.clone()).to_string().as_bytes())?;
        let path = scratch.path().to_owned();
        Ok(Located { path, _fetched: Some(scratch), ..self })
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Files, total: &mut u64) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        if path.is_dir() {
            walk(root, &path, files, total)?;
            continue;
        }
        let content = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        *total += content.len() as u64;
        if *total > LIMIT {
            bail!("more than {} MiB of files; is this the folder of a chart?", LIMIT >> 20);
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        files.insert(name, content);
    }
    Ok(())
}

fn folder_digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Files of an archive, without the one folder that holds them all.
fn unpack(bytes: &[u8]) -> Result<Files> {
    let not = |why: String| anyhow!("not a chart archive ({why}); helm package makes one");
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Err(not("it is not gzip".to_owned()));
    }
    let unpacked = flate2::read::GzDecoder::new(bytes).take(LIMIT);
    let mut archive = tar::Archive::new(unpacked);
    let mut files = Files::new();
    for entry in archive.entries().map_err(|error| not(error.to_string()))? {
        let mut entry = entry.map_err(|error| not(error.to_string()))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().map_err(|error| not(error.to_string()))?.to_string_lossy().into_owned();
        let Some((_, inside)) = path.trim_start_matches("./").split_once('/') else { continue };
        if Path::new(inside).components().any(|part| !matches!(part, std::path::Component::Normal(_))) {
            return Err(not(format!("it has a file at {path}")));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(|error| not(error.to_string()))?;
        files.insert(inside.to_owned(), content);
    }
    Ok(files)
}

fn read(files: &Files, odd: &mut Vec<(String, String)>, depth: usize) -> Result<Chart> {
    let Some(about) = files.get("Chart.yaml") else {
        bail!("not a chart: there is no Chart.yaml in it");
    };
    let metadata = metadata(&yaml::read_map(about).context("Chart.yaml")?.0);
    if metadata.name.is_empty() {
        bail!("not a chart: its Chart.yaml has no name");
    }
    let values = match files.get("values.yaml") {
        Some(text) => {
            let (values, found) = yaml::read_map(text).context("values.yaml")?;
            if depth == 0 {
                odd.extend(found.into_iter().map(|found| (format!("values.yaml line {}", found.line), found.what)));
            }
            values
        }
        None => Map::new(),
    };
    let crds = files.iter().filter(|(name, _)| is_crd(name));
    let crds = crds.map(|(name, text)| (name.clone(), String::from_utf8_lossy(text).into_owned())).collect();
    let dependencies = if depth < 5 { dependencies(files, &metadata, odd, depth)? } else { Vec::new() };
    Ok(Chart { metadata, values, crds, dependencies })
}

/// Charts below `charts/`, as folders or archives, under the names that the parent gives them.
fn dependencies(files: &Files, parent: &Metadata, odd: &mut Vec<(String, String)>, depth: usize) -> Result<Vec<Chart>> {
    let mut folders: BTreeMap<String, Files> = BTreeMap::new();
    for (name, content) in files.range("charts/".to_owned()..) {
        let Some(inside) = name.strip_prefix("charts/") else { break };
        match inside.split_once('/') {
            Some((folder, rest)) => {
                folders.entry(folder.to_owned()).or_default().insert(rest.to_owned(), content.clone());
            }
            None if inside.ends_with(".tgz") => {
                folders.insert(inside.to_owned(), unpack(content).with_context(|| name.clone())?);
            }
            None => {}
        }
    }
    let mut charts = Vec::new();
    for (folder, files) in folders.into_iter().filter(|(folder, _)| !folder.starts_with(['_', '.'])) {
        let chart = read(&files, odd, depth + 1).with_context(|| format!("charts/{folder}"))?;
        let declared: Vec<&Dependency> =
            parent.dependencies.iter().flatten().filter(|entry| entry.name == chart.metadata.name).collect();
        let mut names: Vec<String> = declared.iter().filter_map(|entry| entry.alias.clone()).collect();
        if names.len() < declared.len().max(1) {
            names.push(chart.metadata.name.clone());
        }
        for name in names {
            let mut chart = chart.clone();
            chart.metadata.name = name;
            charts.push(chart);
        }
    }
    Ok(charts)
}

/// Chart.yaml, where a version that looks like a number is one and has to become a text again.
fn metadata(map: &Map<String, Value>) -> Metadata {
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let dependencies = map.get("dependencies").and_then(Value::as_array).map(|entries| {
        let entry = |entry: &Value| Dependency {
            name: text(entry.get("name")).unwrap_or_default(),
            alias: text(entry.get("alias")).filter(|alias| !alias.is_empty()),
        };
        entries.iter().map(entry).collect()
    });
    Metadata {
        name: text(map.get("name")).unwrap_or_default(),
        version: text(map.get("version")).unwrap_or_default(),
        app_version: text(map.get("appVersion")),
        kube_version: text(map.get("kubeVersion")),
        dependencies,
    }
}
