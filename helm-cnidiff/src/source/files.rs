//! Manifests from files and standard input.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sha2::{Digest, Sha256};

use crate::manifest::Document;
use crate::yaml;

/// Bytes that a manifest may have. Calico's, the largest there is, has half a million.
pub const LIMIT: u64 = 100 << 20;

/// A manifest that was read.
#[derive(Debug, Clone, Default)]
pub struct Manifest {
    /// Its documents.
    pub documents: Vec<Document>,
    /// What is odd in them, with file and line.
    pub odd: Vec<(String, String)>,
    /// `sha256:…` of its bytes.
    pub digest: String,
}

/// The bytes of a file, or of standard input for `-`.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let name = name(path);
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path)
            .and_then(
                |file| if file.metadata()?.is_dir() { Err(std::io::ErrorKind::IsADirectory.into()) } else { Ok(file) },
            )
            .and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes))
    };
    match read {
        Ok(_) if bytes.len() as u64 > LIMIT => bail!("{name}: more than {} MiB; compare parts of it", LIMIT >> 20),
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
            bail!("{name}: is a folder; name a file in it, or for two charts: helm cnidiff charts OLD NEW")
        }
        Err(error) => Err(error).with_context(|| name),
    }
}

/// Reads a manifest.
pub fn manifest(path: &Path) -> Result<Manifest> {
    let bytes = bytes(path)?;
    let mut manifest = documents(&name(path), &bytes)?;
    manifest.digest = digest(&bytes);
    Ok(manifest)
}

/// Reads the documents of a text; `name` is what messages call it.
pub fn documents(name: &str, text: &[u8]) -> Result<Manifest> {
    let read = yaml::read(text).with_context(|| name.to_owned())?;
    let mut manifest = Manifest::default();
    for document in read {
        let place = |line: usize| format!("{name} line {line}");
        manifest.odd.extend(document.warnings.into_iter().map(|odd| (place(odd.line), odd.what)));
        manifest.documents.push(Document { place: place(document.line), value: document.value, install_only: false });
    }
    Ok(manifest)
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn name(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// The YAML files of a `--facts` folder, one or two levels deep (`cilium.yaml`, `cilium/cni.yaml`), by path.
pub fn overlay(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((at, depth)) = folders.pop() {
        let entries = std::fs::read_dir(&at).with_context(|| format!("--facts {}", at.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("--facts {}", at.display()))?.path();
            if path.is_dir() && depth == 0 {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                let text = std::fs::read_to_string(&path).with_context(|| format!("--facts {}", path.display()))?;
                files.push((path.strip_prefix(folder).unwrap_or(&path).display().to_string(), text));
            }
        }
    }
    if files.is_empty() {
        bail!("--facts {}: there is no .yaml file in it", folder.display());
    }
    files.sort();
    Ok(files)
}
