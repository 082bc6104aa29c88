//! The cluster: stored releases, what its API serves, how many nodes a DaemonSet runs on, live objects, and
//! what the API server would make of others. Nothing is stored.

mod discovery;
mod dry_run;
mod live;

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

use super::connect::{self, Answer, Client};
use super::joined;
use crate::cli::ConnectArgs;
use crate::foretold::Foretold;
use crate::release::{self, Release, ReleaseError};

pub use connect::namespace;
pub use discovery::Server;
pub use live::{Live, Wanted};

/// Objects of one list request.
const PAGE: usize = 500;

/// Asks for objects without what is in them.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// How many nodes there are: one, and how many more.
const NODES: &str = "/api/v1/nodes?limit=1";

/// A connection.
pub struct Session {
    client: Client,
    /// Namespace of the release.
    pub namespace: String,
    driver: Driver,
}

/// Where helm keeps releases (`HELM_DRIVER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Driver {
    Secrets,
    ConfigMaps,
}

impl Driver {
    fn find() -> Result<Driver> {
        match std::env::var("HELM_DRIVER").unwrap_or_default().as_str() {
            "" | "secret" | "secrets" => Ok(Driver::Secrets),
            "configmap" | "configmaps" => Ok(Driver::ConfigMaps),
            other => bail!(
                "HELM_DRIVER={other}: only releases in Secrets and ConfigMaps can be read; compare two charts instead: helm cnidiff charts OLD NEW -f VALUES"
            ),
        }
    }

    fn resource(self) -> &'static str {
        match self {
            Driver::Secrets => "secrets",
            Driver::ConfigMaps => "configmaps",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Driver::Secrets => "Secret",
            Driver::ConfigMaps => "ConfigMap",
        }
    }
}

/// A revision, as its labels tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision {
    /// Number.
    pub number: u64,
    /// Status.
    pub status: String,
}

/// The live side of a manifest.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The objects.
    pub live: Live,
    /// Pods per DaemonSet, by namespace and name.
    pub daemonsets: BTreeMap<(String, String), u64>,
    /// Nodes; `None` where they may not be listed.
    pub nodes: Option<u64>,
}

/// What an upgrade starts from.
#[derive(Debug, Clone)]
pub struct Current {
    /// The release whose values and objects count.
    pub release: Release,
    /// All stored revisions, oldest first.
    pub history: Vec<Revision>,
    /// What the cluster serves.
    pub server: Server,
    /// Pods per DaemonSet, by namespace and name, as its status says.
    pub daemonsets: BTreeMap<(String, String), u64>,
    /// Nodes; `None` where they may not be listed.
    pub nodes: Option<u64>,
    /// What could not be read, and what that means, a sentence each.
    pub unknown: Vec<String>,
}

impl Session {
    /// Connects.
    pub fn open(args: &ConnectArgs) -> Result<Session> {
        Ok(Session { driver: Driver::find()?, client: Client::connect(args)?, namespace: connect::namespace(args) })
    }

    /// Context of the kubeconfig; empty in a pod.
    pub fn context(&self) -> &str {
        &self.client.context
    }

    /// The release that `helm upgrade` would start from, and all that is to be known of the cluster, asked for at once.
    pub fn current(&self, name: &str) -> Result<Current> {
        let deployed = format!("{},status=deployed", selector(name));
        let path = format!("/apis/apps/v1/namespaces/{}/daemonsets", self.namespace);
        let (history, deployed, server, daemonsets, nodes) = thread::scope(|scope| {
            let history = scope.spawn(|| self.history(name));
            let server = scope.spawn(|| discovery::server(self));
            let daemonsets = scope.spawn(|| self.get(&path, None));
            let nodes = scope.spawn(|| self.get(NODES, Some(METADATA)));
            let deployed = self.list(&deployed);
            (joined(history), deployed, joined(server), joined(daemonsets), joined(nodes))
        });
        let history = history?;
        let current = self.choose(name, &history)?;
        let release = match deployed?.into_iter().find(|object| revision(object).number == current) {
            Some(object) => self.decode(name, current, &object)?,
            None => self.fetch(name, current)?,
        };
        let mut unknown = Vec::new();
        let server = server.unwrap_or_else(|error| {
            unknown
                .push(format!("what the API server serves: {error:#}; templates see helm's own list of API versions"));
            Server::default()
        });
        let daemonsets = match daemonsets {
            Ok(list) => scheduled(&list),
            Err(error) => {
                unknown.push(format!("on how many nodes DaemonSets run: {error:#}"));
                BTreeMap::new()
            }
        };
        Ok(Current { release, history, server, daemonsets, nodes: nodes.ok().map(|list| total(&list)), unknown })
    }

    /// Stored revisions of a release.
    pub fn revisions(&self, name: &str, numbers: [Option<u64>; 2]) -> Result<[Release; 2]> {
        let history = self.history(name)?;
        let newest = history.last().map_or(0, |revision| revision.number);
        let [from, to] = numbers.map(|number| number.unwrap_or(newest));
        for number in [from, to] {
            if !history.iter().any(|revision| revision.number == number) {
                bail!(
                    "release {name} in namespace {} has no revision {number}; it has {}",
                    self.namespace,
                    listed(&history)
                );
            }
        }
        let (from, to) = thread::scope(|scope| {
            let from = scope.spawn(|| self.fetch(name, from));
            let to = self.fetch(name, to);
            (joined(from), to)
        });
        Ok([from?, to?])
    }

    /// The live objects of a manifest that was not installed by helm.
    pub fn manifest(&self, wanted: &[Wanted]) -> Result<Found> {
        let (server, nodes) = thread::scope(|scope| {
            let nodes = scope.spawn(|| self.get(NODES, Some(METADATA)));
            let server = discovery::server(self);
            (server, joined(nodes))
        });
        let live = live::read(self, &server?, wanted)?;
        let values = live.documents.iter().map(|document| &document.value);
        let daemonsets = values.filter(|value| value["kind"] == "DaemonSet").filter_map(pods).collect();
        Ok(Found { live, daemonsets, nodes: nodes.ok().map(|list| total(&list)) })
    }

    /// The live objects of a release.
    pub fn live(&self, server: &Server, wanted: &[Wanted]) -> Result<Live> {
        live::read(self, server, wanted)
    }

    /// What the API server would make of each object if helm applied it; nothing is stored. In the order of `objects`.
    pub fn foretell(&self, server: &Server, objects: &[(Wanted, Value)]) -> Vec<Foretold> {
        dry_run::ask(self, server, objects)
    }

    /// Labels of all revisions, without their payload.
    fn history(&self, name: &str) -> Result<Vec<Revision>> {
        let path = format!(
            "/api/v1/namespaces/{}/{}?labelSelector={}&limit={PAGE}",
            self.namespace,
            self.driver.resource(),
            encode(&selector(name))
        );
        let list = self.get(&path, Some(METADATA))?;
        let mut history: Vec<Revision> = items(&list).map(revision).filter(|revision| revision.number > 0).collect();
        history.sort();
        if history.is_empty() {
            return Err(self.missing(name));
        }
        Ok(history)
    }

    fn missing(&self, name: &str) -> anyhow::Error {
        let here = format!("there is no release {name} in namespace {}", self.namespace);
        let path = format!("/api/v1/{}?labelSelector={}&limit={PAGE}", self.driver.resource(), encode(&selector(name)));
        let elsewhere = self.get(&path, Some(METADATA)).ok().and_then(|list| {
            let item = items(&list).next()?;
            item.pointer("/metadata/namespace").and_then(Value::as_str).map(str::to_owned)
        });
        match elsewhere {
            Some(namespace) => anyhow!("{here}, but there is one in {namespace}: add -n {namespace}"),
            None => anyhow!("{here}; helm list -A shows what there is"),
        }
    }

    /// The revision that an upgrade starts from: the newest one if it is deployed, else the newest deployed one, else
    /// the newest if it failed or was superseded. A pending one in front is told by the caller, from the history.
    fn choose(&self, name: &str, history: &[Revision]) -> Result<u64> {
        let newest = history.last().context("a history is never empty here")?;
        if let Some(deployed) = history.iter().rev().find(|revision| revision.status == "deployed") {
            return Ok(deployed.number);
        }
        if matches!(newest.status.as_str(), "failed" | "superseded") || newest.status.starts_with("pending-") {
            return Ok(newest.number);
        }
        bail!(
            "release {name} in namespace {} is {}, so there is nothing to upgrade; install it, or compare two charts: helm cnidiff charts OLD NEW",
            self.namespace,
            newest.status
        )
    }

    fn list(&self, selector: &str) -> Result<Vec<Value>> {
        let path = format!(
            "/api/v1/namespaces/{}/{}?labelSelector={}",
            self.namespace,
            self.driver.resource(),
            encode(selector)
        );
        let mut list = self.get(&path, None)?;
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    fn fetch(&self, name: &str, number: u64) -> Result<Release> {
        let path =
            format!("/api/v1/namespaces/{}/{}/{}", self.namespace, self.driver.resource(), object_name(name, number));
        let object = self.get(&path, None)?;
        self.decode(name, number, &object)
    }

    fn decode(&self, name: &str, number: u64, object: &Value) -> Result<Release> {
        let data = object.pointer("/data/release").and_then(Value::as_str);
        let decoded = match (data, self.driver) {
            (None, _) => Err(ReleaseError::NotARelease("it has no key `release`".to_owned())),
            (Some(data), Driver::Secrets) => release::from_secret(data),
            (Some(data), Driver::ConfigMaps) => release::from_config_map(data),
        };
        decoded.and_then(|release| release.named(name, number)).map_err(|error| {
            let object = object_name(name, number);
            let kind = self.driver.kind();
            anyhow!("{kind} {}/{object}: {error}; restore it from a backup, or compare two charts: helm cnidiff charts OLD NEW", self.namespace)
        })
    }

    /// One GET. An error says what was refused and which right is missing.
    fn get(&self, path: &str, accept: Option<&str>) -> Result<Value> {
        match self.client.get(path, accept)? {
            Answer::Value(value) => Ok(value),
            Answer::Refused(refusal) => Err(self.refused(path, refusal.status, &refusal.said)),
        }
    }

    fn refused(&self, path: &str, status: u16, said: &str) -> anyhow::Error {
        let at =
            if self.context().is_empty() { "this cluster".to_owned() } else { format!("context {}", self.context()) };
        let resource = path.split('?').next().unwrap_or(path);
        match status {
            401 => anyhow!("{at}: not logged in ({said}); log in again"),
            403 => anyhow!("{at}: not allowed to read {resource} ({said}); ask for get and list on it"),
            _ => anyhow!("{at}: {resource}: {said} ({status})"),
        }
    }
}

fn selector(name: &str) -> String {
    format!("owner=helm,name={name}")
}

fn object_name(name: &str, number: u64) -> String {
    format!("sh.helm.release.v1.{name}.v{number}")
}

/// Enough of percent-encoding for a selector.
fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.get("items").and_then(Value::as_array).into_iter().flatten()
}

/// How many objects there are, of which a list shows the first ones.
fn total(list: &Value) -> u64 {
    let more = list.pointer("/metadata/remainingItemCount").and_then(Value::as_u64).unwrap_or(0);
    items(list).count() as u64 + more
}

fn revision(object: &Value) -> Revision {
    let label = |name: &str| object.pointer("/metadata/labels")?.get(name)?.as_str();
    Revision {
        number: label("version").and_then(|text| text.parse().ok()).unwrap_or(0),
        status: label("status").unwrap_or_default().to_owned(),
    }
}

fn listed(history: &[Revision]) -> String {
    let numbers: Vec<String> = history.iter().map(|revision| revision.number.to_string()).collect();
    numbers.join(", ")
}

fn scheduled(list: &Value) -> BTreeMap<(String, String), u64> {
    items(list).filter_map(pods).collect()
}

/// Namespace and name of a DaemonSet, with the pods that it should have.
fn pods(daemonset: &Value) -> Option<((String, String), u64)> {
    let text = |field: &str| Some(daemonset.pointer("/metadata")?.get(field)?.as_str()?.to_owned());
    let pods = daemonset.pointer("/status/desiredNumberScheduled")?.as_u64()?;
    Some(((text("namespace")?, text("name")?), pods))
}
