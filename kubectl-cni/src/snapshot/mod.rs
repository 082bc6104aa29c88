//! What was read from the API server, as plain data. Each part that could not be read says why, so that exactly the checks that needed it
//! stay unknown.

mod evidence;

use std::collections::BTreeMap;

use cni_facts::Evidence;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Node, Pod};
use serde::{Deserialize, Serialize};

/// Why something could not be read or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// RBAC says no: verb and resource ("list", "nodes"), with the namespace if it is namespaced.
    Forbidden {
        /// Verb.
        verb: String,
        /// Resource, with its group ("daemonsets.apps").
        resource: String,
        /// Namespace, or empty.
        namespace: String,
        /// What the API server said.
        message: String,
    },
    /// The API server does not serve this resource, or the object is not there.
    Absent,
    /// Anything else: the message.
    Failed(String),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Missing::Forbidden { verb, resource, namespace, message } => {
                write!(f, "no permission to {verb} {resource}")?;
                if !namespace.is_empty() {
                    write!(f, " in namespace {namespace}")?;
                }
                // An admission plugin also answers 403; its message is the only thing that tells.
                if !message.is_empty() && !message.contains("cannot ") {
                    write!(f, ": {message}")?;
                }
                Ok(())
            }
            Missing::Absent => f.write_str("not found"),
            Missing::Failed(why) => f.write_str(why),
        }
    }
}

/// A part of the snapshot.
pub type Gathered<T> = Result<T, Missing>;

/// What an agent's own status command said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentAnswer {
    /// The command.
    pub command: Vec<String>,
    /// Its exit status; `None` when the container has no such program.
    pub exit: Option<i32>,
    /// Standard output, or standard error where that is empty.
    pub output: String,
}

/// Everything that was read before anything was created.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of the recording.
    pub schema: u32,
    /// Context of the kubeconfig.
    pub context: String,
    /// Git version of the API server.
    pub server_version: Gathered<String>,
    /// All nodes.
    pub nodes: Gathered<Vec<Node>>,
    /// All DaemonSets.
    pub daemonsets: Gathered<Vec<DaemonSet>>,
    /// All Deployments.
    pub deployments: Gathered<Vec<Deployment>>,
    /// API groups that are served.
    pub groups: Gathered<Vec<String>>,
    /// Pods of the CNI's DaemonSets.
    pub agent_pods: Gathered<Vec<Pod>>,
    /// Revisions of the CNI's DaemonSets.
    pub revisions: Gathered<Vec<ControllerRevision>>,
    /// The CNI's own objects by resource ("ciliumnodes.cilium.io").
    pub cni_objects: BTreeMap<String, Gathered<Vec<serde_json::Value>>>,
    /// Output of the agents' own status command, by pod; empty unless --allow-exec.
    #[serde(default)]
    pub agent_status: BTreeMap<String, Gathered<AgentAnswer>>,
    /// NetworkPolicies of the cluster that are not ours, as "namespace/name".
    pub network_policies: Gathered<Vec<String>>,
}

impl Snapshot {
    /// A snapshot of which no part could be read, and why.
    pub fn unread(context: &str, why: &str) -> Snapshot {
        fn part<T>(why: &str) -> Gathered<T> {
            Err(Missing::Failed(why.to_owned()))
        }
        Snapshot {
            schema: 1,
            context: context.to_owned(),
            server_version: part(why),
            nodes: part(why),
            daemonsets: part(why),
            deployments: part(why),
            groups: part(why),
            agent_pods: part(why),
            revisions: part(why),
            cni_objects: BTreeMap::new(),
            agent_status: BTreeMap::new(),
            network_policies: part(why),
        }
    }

    /// Linux nodes, which are the ones that can run the agent.
    pub fn linux_nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().flatten().filter(|node| is_linux(node))
    }

    /// What CNI detection looks at.
    pub fn evidence(&self) -> Evidence {
        evidence::of(self)
    }
}

/// True unless the node says that it runs another system.
pub fn is_linux(node: &Node) -> bool {
    let os = node.metadata.labels.as_ref().and_then(|labels| labels.get("kubernetes.io/os"));
    os.is_none_or(|os| os == "linux")
}

/// Name of a node, never empty for one that came from the API server.
pub fn node_name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// Status of a node condition: `Some(true)`, `Some(false)`, or `None` for Unknown and absent, with its reason and message.
pub fn condition<'a>(node: &'a Node, kind: &str) -> Option<(Option<bool>, &'a str, &'a str)> {
    let condition = node.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)?;
    let status = match condition.status.as_str() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    };
    Some((status, condition.reason.as_deref().unwrap_or_default(), condition.message.as_deref().unwrap_or_default()))
}
