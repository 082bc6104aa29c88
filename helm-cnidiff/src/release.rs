//! The payload of a release Secret or ConfigMap in, a [`Release`] out.
//!
//! Helm stores a release as JSON, gzipped (older ones may be plain), in base64; what a Secret shows over the API has one
//! round of base64 more. Facts: `pkg/storage/driver` and `pkg/release/v1` of Helm 3 and 4.

use std::fmt;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// One stored revision of a release.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Release {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// Revision, from 1.
    pub revision: u64,
    /// As helm writes it: `deployed`, `superseded`, `failed`, `pending-upgrade`.
    pub status: String,
    /// What helm said when it was done: `Upgrade complete`, or why it failed.
    pub description: String,
    /// The chart it was made of.
    pub chart: Chart,
    /// The user's values, which is what `helm get values` prints.
    pub config: Map<String, Value>,
    /// The objects, without hooks and without `crds/`.
    pub manifest: String,
    /// Hooks.
    pub hooks: Vec<Hook>,
    /// `ssa` or `csa` where Helm 4 wrote it; `None` is client-side.
    pub apply_method: Option<String>,
    /// Bytes of the payload as it is stored, which the API server limits to a little over a million.
    pub stored_bytes: usize,
    /// `sha256:…` of the release's JSON.
    pub digest: String,
}

/// The chart of a release, or one that was read from a folder or an archive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// Chart.yaml.
    pub metadata: Metadata,
    /// Default values. In a stored release those of subcharts are already merged in.
    pub values: Map<String, Value>,
    /// Files below `crds/`, by path, in the order of the chart.
    pub crds: Vec<(String, String)>,
    /// Charts below `charts/`; always empty in a stored release, which does not keep them.
    pub dependencies: Vec<Chart>,
}

/// What is read of Chart.yaml.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Metadata {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Version of what it installs.
    pub app_version: Option<String>,
    /// Range of Kubernetes versions.
    pub kube_version: Option<String>,
    /// Charts it depends on.
    pub dependencies: Option<Vec<Dependency>>,
}

/// One entry of `dependencies` in Chart.yaml.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// Name of the chart.
    pub name: String,
    /// Name under which the parent knows it.
    pub alias: Option<String>,
}

/// One hook of a release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// Name of the object.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Kind of the object.
    #[serde(deserialize_with = "or_default")]
    pub kind: String,
    /// Template it came from.
    #[serde(deserialize_with = "or_default")]
    pub path: String,
    /// The object.
    #[serde(deserialize_with = "or_default")]
    pub manifest: String,
}

/// Why a payload is not a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReleaseError {
    /// A round of base64 does not decode.
    NotBase64,
    /// Neither gzip nor JSON.
    NotGzip,
    /// The gzip stream ends early or its check sum is wrong.
    Truncated,
    /// More than [`LIMIT`] bytes when unpacked.
    TooLarge,
    /// Not JSON, or not the JSON of a release; what the reader says of it.
    NotARelease(String),
    /// It is another release than its object's name says.
    WrongName {
        /// Name and revision inside.
        found: String,
    },
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => write!(f, "its payload is not base64"),
            Self::NotGzip => write!(f, "its payload is neither gzip nor JSON"),
            Self::Truncated => write!(f, "its payload is cut off or damaged (gzip)"),
            Self::TooLarge => write!(f, "its payload is more than {} MiB when unpacked", LIMIT >> 20),
            Self::NotARelease(why) => write!(f, "its payload is not a release: {why}"),
            Self::WrongName { found } => write!(f, "its payload is of another release: {found}"),
        }
    }
}

impl std::error::Error for ReleaseError {}

/// Bytes of JSON that a payload may unpack to. A Secret holds 1 MiB, which text packs into at most a few dozen.
pub const LIMIT: u64 = 256 << 20;

/// Decodes what stands under `data.release` of a Secret, as the API server sends it.
pub fn from_secret(data: &str) -> Result<Release, ReleaseError> {
    let inner = unbase64(data.as_bytes())?;
    from_payload(&inner)
}

/// Decodes what stands under `data.release` of a ConfigMap.
pub fn from_config_map(data: &str) -> Result<Release, ReleaseError> {
    from_payload(data.as_bytes())
}

fn from_payload(payload: &[u8]) -> Result<Release, ReleaseError> {
    let packed = unbase64(payload)?;
    let json = unpack(&packed)?;
    let stored: Stored = serde_json::from_slice(&json).map_err(|error| ReleaseError::NotARelease(error.to_string()))?;
    if stored.name.is_empty() || stored.version == 0 {
        return Err(ReleaseError::NotARelease("it has no name or no revision".to_owned()));
    }
    if stored.chart.metadata.name.is_empty() {
        return Err(ReleaseError::NotARelease("it names no chart".to_owned()));
    }
    let digest = Sha256::digest(&json).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(Release {
        name: stored.name,
        namespace: stored.namespace,
        revision: stored.version,
        status: stored.info.status,
        description: stored.info.description,
        chart: stored.chart.chart()?,
        config: stored.config,
        manifest: stored.manifest,
        hooks: stored.hooks,
        apply_method: Some(stored.apply_method).filter(|method| !method.is_empty()),
        stored_bytes: payload.len(),
        digest: format!("sha256:{digest}"),
    })
}

impl Release {
    /// Holds the release against the name and revision that its object goes by.
    pub fn named(self, name: &str, revision: u64) -> Result<Self, ReleaseError> {
        if self.name == name && self.revision == revision {
            Ok(self)
        } else {
            Err(ReleaseError::WrongName { found: format!("{} revision {}", self.name, self.revision) })
        }
    }
}

fn unbase64(text: &[u8]) -> Result<Vec<u8>, ReleaseError> {
    STANDARD.decode(text.trim_ascii()).map_err(|_| ReleaseError::NotBase64)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>, ReleaseError> {
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return match bytes.trim_ascii_start().first() {
            Some(b'{') => Ok(bytes.to_vec()),
            _ => Err(ReleaseError::NotGzip),
        };
    }
    let mut json = Vec::with_capacity(bytes.len() * 6);
    let mut unpacked = flate2::read::GzDecoder::new(bytes).take(LIMIT + 1);
    unpacked.read_to_end(&mut json).map_err(|_| ReleaseError::Truncated)?;
    if json.len() as u64 > LIMIT { Err(ReleaseError::TooLarge) } else { Ok(json) }
}

/// A field that may be `null` in what Go wrote.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Stored {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    namespace: String,
    #[serde(deserialize_with = "or_default")]
    version: u64,
    #[serde(deserialize_with = "or_default")]
    info: Info,
    #[serde(deserialize_with = "or_default")]
    chart: StoredChart,
    #[serde(deserialize_with = "or_default")]
    config: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    manifest: String,
    #[serde(deserialize_with = "or_default")]
    hooks: Vec<Hook>,
    #[serde(deserialize_with = "or_default")]
    apply_method: String,
}

/// Times are left out: they may be missing or empty, and nothing here depends on a clock.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Info {
    #[serde(deserialize_with = "or_default")]
    status: String,
    #[serde(deserialize_with = "or_default")]
    description: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StoredChart {
    #[serde(deserialize_with = "or_default")]
    metadata: Metadata,
    #[serde(deserialize_with = "or_default")]
    values: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    files: Vec<StoredFile>,
    templates: IgnoredAny,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct StoredFile {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    data: String,
}

impl StoredChart {
    fn chart(self) -> Result<Chart, ReleaseError> {
        let mut crds = Vec::new();
        for file in self.files.into_iter().filter(|file| is_crd(&file.name)) {
            let data = unbase64(file.data.as_bytes())?;
            crds.push((file.name, String::from_utf8_lossy(&data).into_owned()));
        }
        Ok(Chart { metadata: self.metadata, values: self.values, crds, dependencies: Vec::new() })
    }
}

/// Whether helm applies a file of a chart on install only: manifests below `crds/`.
pub fn is_crd(path: &str) -> bool {
    path.starts_with("crds/") && [".yaml", ".yml", ".json"].iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    fn stored() -> Value {
        json!({
            "name": "cilium", "namespace": "kube-system", "version": 3,
            "info": {"status": "deployed", "first_deployed": "", "deleted": "", "description": "Upgrade complete"},
            "chart": {
                "metadata": {"name": "cilium", "version": "1.18.4", "appVersion": "1.18.4", "kubeVersion": ">= 1.21.0-0"},
                "lock": null, "templates": [{"name": "templates/a.yaml", "data": "YQ==", "modtime": "0001-01-01T00:00:00Z"}],
                "values": {"debug": false}, "schema": null,
                "files": [{"name": "crds/a.yaml", "data": STANDARD.encode("kind: X\n")}, {"name": "README.md", "data": "not base64!"}],
            },
            "config": {"debug": true}, "manifest": "---\nkind: ConfigMap\n",
            "hooks": [{"name": "h", "kind": "Job", "path": "cilium/templates/h.yaml", "manifest": "kind: Job", "events": null}],
            "apply_method": "ssa",
        })
    }

    fn secret(inner: &[u8]) -> String {
        STANDARD.encode(STANDARD.encode(inner))
    }

    #[test]
    fn a_release_comes_out_of_every_wrapping() {
        let json = stored().to_string();
        let packed = gzip(json.as_bytes());
        let release = from_secret(&secret(&packed)).unwrap();
        assert_eq!((release.name.as_str(), release.revision, release.status.as_str()), ("cilium", 3, "deployed"));
        assert_eq!(release.chart.metadata.kube_version.as_deref(), Some(">= 1.21.0-0"));
        assert_eq!(release.chart.crds, [("crds/a.yaml".to_owned(), "kind: X\n".to_owned())]);
        assert_eq!(release.config, json!({"debug": true}).as_object().cloned().unwrap());
        assert_eq!(release.apply_method.as_deref(), Some("ssa"));
        assert_eq!(from_config_map(&STANDARD.encode(&packed)).unwrap(), release);
        let plain = from_secret(&secret(json.as_bytes())).unwrap();
        assert_eq!(plain.manifest, release.manifest);
        assert_eq!(plain.digest, release.digest);
    }

    #[test]
    fn fields_that_go_wrote_as_null_or_left_out_are_empty() {
        let mut bare = stored();
        for field in ["config", "hooks", "info", "namespace", "apply_method"] {
            bare[field] = Value::Null;
        }
        bare["chart"]["values"] = Value::Null;
        bare["chart"].as_object_mut().unwrap().remove("files");
        let release = from_secret(&secret(&gzip(bare.to_string().as_bytes()))).unwrap();
        assert!(release.config.is_empty() && release.hooks.is_empty() && release.chart.crds.is_empty());
        assert_eq!(release.apply_method, None);
    }

    #[test]
    fn what_is_no_release_says_why() {
        let packed = gzip(stored().to_string().as_bytes());
        let mut damaged = packed.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xff;
        let cases = [
            ("!!!".to_owned(), ReleaseError::NotBase64),
            (STANDARD.encode("%%%"), ReleaseError::NotBase64),
            (secret(b"hello"), ReleaseError::NotGzip),
            (secret(b""), ReleaseError::NotGzip),
            (secret(&packed[..packed.len() - 9]), ReleaseError::Truncated),
            (secret(&packed[..12]), ReleaseError::Truncated),
            (secret(&damaged), ReleaseError::Truncated),
        ];
        for (data, expected) in cases {
            assert_eq!(from_secret(&data), Err(expected));
        }
        for text in
            ["{", "{}", r#"{"name": 5}"#, r#"{"name":"a","version":-1}"#, r#"{"name":"a","version":1,"chart":[]}"#]
        {
            assert!(matches!(from_secret(&secret(text.as_bytes())), Err(ReleaseError::NotARelease(_))), "{text}");
        }
    }

    #[test]
    fn a_release_under_a_wrong_name_is_refused() {
        let release = from_secret(&secret(stored().to_string().as_bytes())).unwrap();
        assert!(release.clone().named("cilium", 3).is_ok());
        let found = "cilium revision 3".to_owned();
        assert_eq!(release.clone().named("cilium", 4), Err(ReleaseError::WrongName { found: found.clone() }));
        assert_eq!(release.named("calico", 3), Err(ReleaseError::WrongName { found }));
    }
}
