//! What the API server serves, in the words that `.Capabilities` of a template has.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;

use anyhow::Result;
use serde_json::Value;

use super::{Session, items};
use crate::source::joined;

/// One request for everything, where the server can answer so (Kubernetes 1.26 and later).
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
                          application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What a cluster serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Server {
    /// `v1.36.3`
    pub version: Option<String>,
    /// `apps/v1` and `apps/v1/DaemonSet`, sorted.
    pub api_versions: Vec<String>,
    /// By API version and kind: the name in paths, and whether objects live in namespaces.
    pub(super) resources: BTreeMap<(String, String), (String, bool)>,
}

pub(super) fn server(session: &Session) -> Result<Server> {
    let (version, core, groups) = thread::scope(|scope| {
        let version = scope.spawn(|| session.get("/version", None));
        let core = scope.spawn(|| session.get("/api", Some(AGGREGATED)));
        let groups = session.get("/apis", Some(AGGREGATED));
        (joined(version), joined(core), groups)
    });
    let mut server =
        Server { version: version?.get("gitVersion").and_then(Value::as_str).map(str::to_owned), ..Server::default() };
    let mut names = BTreeSet::new();
    let mut plain: Vec<(String, String)> = Vec::new();
    for list in [core?, groups?] {
        if list["kind"] == "APIGroupDiscoveryList" {
            for group in items(&list) {
                aggregated(group, &mut server, &mut names);
            }
        } else {
            let versions = list["versions"].as_array().into_iter().flatten().filter_map(Value::as_str);
            plain.extend(versions.map(|version| (version.to_owned(), format!("/api/{version}"))));
            for group in list["groups"].as_array().into_iter().flatten() {
                let versions = group["versions"].as_array().into_iter().flatten();
                let versions = versions.filter_map(|version| version["groupVersion"].as_str());
                plain.extend(versions.map(|version| (version.to_owned(), format!("/apis/{version}"))));
            }
        }
    }
    // Servers before 1.26 tell groups alone; then each version is asked for.
    for (version, path) in plain {
        let list = session.get(&path, None);
        names.insert(version.clone());
        // An aggregated API whose server is down answers with an error; its version is known all the same.
        for resource in list.iter().flat_map(|list| list["resources"].as_array().into_iter().flatten()) {
            let (Some(name), Some(kind)) = (resource["name"].as_str(), resource["kind"].as_str()) else { continue };
            if !name.contains('/') {
                names.insert(format!("{version}/{kind}"));
                let namespaced = resource["namespaced"] == true;
                server.resources.insert((version.clone(), kind.to_owned()), (name.to_owned(), namespaced));
            }
        }
    }
    server.api_versions = names.into_iter().collect();
    Ok(server)
}

fn aggregated(group: &Value, server: &mut Server, names: &mut BTreeSet<String>) {
    let group_name = group.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    for version in group["versions"].as_array().into_iter().flatten() {
        let Some(number) = version["version"].as_str() else { continue };
        let api_version = if group_name.is_empty() { number.to_owned() } else { format!("{group_name}/{number}") };
        names.insert(api_version.clone());
        for resource in version["resources"].as_array().into_iter().flatten() {
            let kind = resource.pointer("/responseKind/kind").and_then(Value::as_str);
            let (Some(kind), Some(name)) = (kind, resource["resource"].as_str()) else { continue };
            names.insert(format!("{api_version}/{kind}"));
            let namespaced = resource["scope"] == "Namespaced";
            server.resources.insert((api_version.clone(), kind.to_owned()), (name.to_owned(), namespaced));
        }
    }
}
