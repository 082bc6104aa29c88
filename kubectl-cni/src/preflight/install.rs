//! How the CNI is installed, by what its DaemonSet carries. Secrets hold Helm's own record and are never read.

use cni_facts::{Detection, InstallMethod, Part};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::survey::Survey;

/// How a CNI is installed, and what tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Install {
    /// A Helm release.
    Helm {
        /// Its name.
        release: String,
        /// Its namespace.
        namespace: String,
        /// `helm.sh/chart`, where the chart sets it ("cilium-1.18.4").
        chart: Option<String>,
    },
    /// Something else that is known, and what tells.
    Other(InstallMethod, String),
    /// Not known, and why.
    Unknown(String),
}

/// Looks at the first agent.
pub fn install_of(survey: &Survey, main: Option<&Detection>) -> Install {
    let Some(main) = main else { return Install::Unknown("which CNI runs here is not known".to_owned()) };
    if main.embedded {
        let why = "it is built into the node's Kubernetes distribution".to_owned();
        return Install::Other(InstallMethod::Addon, why);
    }
    let Some(agent) = main.agents.first() else {
        return Install::Unknown("no DaemonSet of it was read".to_owned());
    };
    let set = survey.snapshot.daemonsets.iter().flatten().find(|set| {
        set.metadata.namespace.as_ref() == Some(&agent.namespace) && set.metadata.name.as_ref() == Some(&agent.name)
    });
    let Some(set) = set else { return Install::Unknown("its DaemonSet was not read".to_owned()) };
    match of_meta(&set.metadata) {
        Some(install) => install,
        None => of_managers(survey, &format!("{}/{}", agent.namespace, agent.name)),
    }
}

/// The names that kubectl writes its fields under (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers>).
fn of_managers(survey: &Survey, name: &str) -> Install {
    let none = "the DaemonSet carries no mark of Helm, kubectl apply, an operator or an add-on manager";
    match survey.managers.get(name) {
        Some(Ok(managers)) if managers.contains("kubectl") || managers.contains("kubectl-client-side-apply") => {
            Install::Other(InstallMethod::Manifest, "kubectl apply manages the DaemonSet's fields".to_owned())
        }
        Some(Ok(managers)) if !managers.is_empty() => {
            let names: Vec<&str> = managers.iter().map(String::as_str).collect();
            Install::Unknown(format!("{none}; its fields are managed by {}", names.join(", ")))
        }
        Some(Err(missing)) => Install::Unknown(format!("{none}; who manages its fields: {missing}")),
        _ => Install::Unknown(none.to_owned()),
    }
}

fn of_meta(meta: &ObjectMeta) -> Option<Install> {
    let label = |key: &str| meta.labels.as_ref()?.get(key).map(String::as_str);
    let note = |key: &str| meta.annotations.as_ref()?.get(key).map(String::as_str);
    if let Some(owner) = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true)) {
        let why = format!("{} {} owns the DaemonSet", owner.kind, owner.name);
        return Some(Install::Other(InstallMethod::Operator, why));
    }
    // Distributions install by Helm too, but what a person changes by hand there is put back.
    for key in ["addonmanager.kubernetes.io/mode", "addon.kops.k8s.io/name", "objectset.rio.cattle.io/hash"] {
        if label(key).is_some() {
            return Some(Install::Other(InstallMethod::Addon, format!("the DaemonSet carries the label {key}")));
        }
    }
    if let (Some(release), Some(namespace)) =
        (note("meta.helm.sh/release-name"), note("meta.helm.sh/release-namespace"))
    {
        return Some(Install::Helm {
            release: release.to_owned(),
            namespace: namespace.to_owned(),
            chart: label("helm.sh/chart").map(str::to_owned),
        });
    }
    let applied = note("kubectl.kubernetes.io/last-applied-configuration").is_some();
    applied.then(|| Install::Other(InstallMethod::Manifest, "kubectl apply has left its annotation".to_owned()))
}

impl Install {
    /// Whether Helm manages it, where that is known.
    pub fn is_helm(&self) -> Option<bool> {
        match self {
            Install::Helm { .. } => Some(true),
            Install::Other(..) => Some(false),
            Install::Unknown(_) => None,
        }
    }

    /// For rules.
    pub fn part(&self) -> Part<InstallMethod> {
        match self {
            Install::Helm { .. } => Part::Known(InstallMethod::Helm),
            Install::Other(method, _) => Part::Known(*method),
            Install::Unknown(why) => Part::Unknown(why.clone()),
        }
    }

    /// In a few words.
    pub fn words(&self) -> String {
        match self {
            Install::Helm { release, namespace, chart } => {
                let chart = chart.as_ref().map(|chart| format!(", chart {chart}")).unwrap_or_default();
                format!("Helm release {release} in namespace {namespace}{chart}")
            }
            Install::Other(method, why) => {
                let method = match method {
                    InstallMethod::Helm => "Helm",
                    InstallMethod::Manifest => "manifest",
                    InstallMethod::Operator => "operator",
                    InstallMethod::CiliumCliClassic => "cilium-cli without Helm",
                    InstallMethod::Addon => "add-on",
                };
                format!("{method}: {why}")
            }
            Install::Unknown(why) => why.clone(),
        }
    }
}
