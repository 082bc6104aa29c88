//! A folder of facts in, the facts that count out.

use std::path::Path;

use anyhow::{Context as _, Result};
use cni_facts::Facts;

/// Built-in facts, with the user's on top.
pub(super) fn facts(folder: Option<&Path>) -> Result<Facts> {
    let Some(folder) = folder else { return Ok(Facts::builtin()) };
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading facts folder {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("reading facts folder {}", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            files.push((path.display().to_string(), text));
        }
    }
    files.sort();
    if files.is_empty() {
        anyhow::bail!("facts folder {} has no .yaml file", folder.display());
    }
    Facts::with_overlay(files).map_err(|error| anyhow::anyhow!("{error}"))
}
