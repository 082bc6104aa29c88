//! Clusters for tests: the files of `fixtures/`, and DaemonSets written in a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cni_facts::{ContainerSeen, Detection, Evidence, Facts, WorkloadSeen, detect};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Document {
    Surroundings(Surroundings),
    DaemonSet(Workload),
    Deployment(Workload),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Surroundings {
    crd_groups: BTreeSet<String>,
    configmaps: BTreeSet<String>,
    node_annotations: BTreeSet<String>,
    kubelet_versions: Option<BTreeSet<String>>,
    kube_proxy: Option<bool>,
}

#[derive(Deserialize)]
struct Workload {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Spec {
    selector: Selector,
    template: Template,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selector {
    match_labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Template {
    spec: PodSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    #[serde(default)]
    init_containers: Vec<Container>,
    containers: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    image: String,
    image_pull_policy: Option<String>,
}

impl Workload {
    fn seen(self) -> WorkloadSeen {
        let pod = self.spec.template.spec;
        let container = |init: bool| {
            move |container: Container| ContainerSeen {
                name: container.name,
                image: container.image,
                init,
                pull_policy: container.image_pull_policy,
            }
        };
        let init = pod.init_containers.into_iter().map(container(true));
        WorkloadSeen {
            namespace: self.metadata.namespace,
            name: self.metadata.name,
            labels: self.metadata.labels,
            selector: self.spec.selector.match_labels,
            containers: init.chain(pod.containers.into_iter().map(container(false))).collect(),
            pull_secrets: Vec::new(),
        }
    }
}

/// Where the fixtures are.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The folders in a folder, by name.
pub(crate) fn folders(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<String> = entries
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All clusters of `fixtures/`: flavour, file name, evidence.
pub(crate) fn all() -> Vec<(String, String, Evidence)> {
    let mut clusters = Vec::new();
    for flavour in folders(&fixtures()) {
        let mut files: Vec<String> = fs::read_dir(fixtures().join(&flavour))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        for file in files {
            let evidence = load(&format!("{flavour}/{file}"));
            clusters.push((flavour.clone(), file, evidence));
        }
    }
    clusters
}

/// The cluster of one file.
pub(crate) fn load(file: &str) -> Evidence {
    let text = fs::read_to_string(fixtures().join(file)).unwrap();
    let mut evidence = plain();
    for document in serde_yaml::Deserializer::from_str(&text) {
        match Document::deserialize(document).unwrap_or_else(|error| panic!("{file}: {error}")) {
            Document::Surroundings(around) => {
                if around.kube_proxy == Some(false) {
                    evidence.daemonsets = Some(Vec::new());
                }
                evidence.crd_groups = Some(around.crd_groups);
                evidence.configmaps = Some(around.configmaps);
                evidence.node_annotations = Some(around.node_annotations);
                if let Some(versions) = around.kubelet_versions {
                    evidence.kubelet_versions = Some(versions);
                }
            }
            Document::DaemonSet(workload) => evidence.daemonsets.as_mut().unwrap().push(workload.seen()),
            Document::Deployment(workload) => evidence.deployments.as_mut().unwrap().push(workload.seen()),
        }
    }
    evidence
}

/// A cluster with kube-proxy and CoreDNS and no CNI; everything was read.
pub(crate) fn plain() -> Evidence {
    let proxy = daemonset(
        "kube-system/kube-proxy",
        "k8s-app=kube-proxy",
        &[("kube-proxy", "registry.k8s.io/kube-proxy:v1.33.1")],
    );
    let dns =
        daemonset("kube-system/coredns", "k8s-app=kube-dns", &[("coredns", "registry.k8s.io/coredns/coredns:v1.12.0")]);
    Evidence {
        daemonsets: Some(vec![proxy]),
        deployments: Some(vec![dns]),
        crd_groups: Some(BTreeSet::new()),
        configmaps: Some(set(&["kube-proxy", "coredns"])),
        node_annotations: Some(BTreeSet::new()),
        node_labels: Some(set(&["kubernetes.io/os"])),
        kubelet_versions: Some(set(&["v1.33.1"])),
    }
}

/// `plain` with these DaemonSets.
pub(crate) fn with(daemonsets: impl IntoIterator<Item = WorkloadSeen>) -> Evidence {
    let mut evidence = plain();
    evidence.daemonsets.as_mut().unwrap().extend(daemonsets);
    evidence
}

/// A workload from `namespace/name`, `key=value,…` and containers with images.
pub(crate) fn daemonset(name: &str, selector: &str, containers: &[(&str, &str)]) -> WorkloadSeen {
    let (namespace, name) = name.split_once('/').unwrap();
    let pairs = selector.split(',').filter_map(|pair| pair.split_once('='));
    let container = |(name, image): &(&str, &str)| ContainerSeen {
        name: (*name).to_owned(),
        image: (*image).to_owned(),
        ..ContainerSeen::default()
    };
    WorkloadSeen {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        selector: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        containers: containers.iter().map(container).collect(),
        ..WorkloadSeen::default()
    }
}

/// Cilium's agent as its chart makes it, with an image of the test's choice.
pub(crate) fn cilium(image: &str) -> WorkloadSeen {
    daemonset("kube-system/cilium", "k8s-app=cilium", &[("cilium-agent", image)])
}

/// What is recognised with the built-in facts.
pub(crate) fn found(evidence: &Evidence) -> Vec<Detection> {
    static FACTS: LazyLock<Facts> = LazyLock::new(Facts::builtin);
    detect(&FACTS, evidence)
}

/// The only thing that is recognised with the built-in facts.
pub(crate) fn only(evidence: &Evidence) -> Detection {
    let mut found = found(evidence);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

pub(crate) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
