//! What a run gathered and observed, complete enough to be judged again without a cluster.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::probe::judge::Runs;
use crate::probe::observe::AgentRun;
use crate::probe::plan::{Origin, Plan};
use crate::probe::topology::Topology;
use crate::snapshot::{Gathered, Missing, Snapshot};
use k8s_openapi::api::core::v1::Pod;

/// Version of the folder's format.
pub const SCHEMA: u32 = 1;
const FILE: &str = "recording.json";

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Format.
    pub schema: u32,
    /// Read before anything was created.
    pub snapshot: Snapshot,
    /// Read again at the end, to see what changed meanwhile.
    pub agent_pods_after: Gathered<Vec<Pod>>,
    /// Who took part.
    pub topology: Topology,
    /// Parts of the topology that could not be read: part, reason.
    pub topology_missing: Vec<(String, Missing)>,
    /// All probes.
    pub plan: Plan,
    /// Answers by node index and origin.
    #[serde(with = "runs")]
    pub runs: Runs,
    /// Probe pods.
    pub pods: Vec<PodRecord>,
    /// Which client nodes each node's server heard over UDP, by index; only read when something failed.
    pub witness: crate::probe::diagnose::Witness,
    /// What was asked for.
    pub options: Options,
    /// How the policy test went.
    pub policy: PolicyRecord,
    /// NetworkPolicies of others in the probe namespace while the probes ran, by name; `None` when nothing was created.
    #[serde(default)]
    pub foreign_policies: Option<Gathered<Vec<String>>>,
    /// Steps that could not be taken: step, reason.
    pub denied: Vec<(String, Missing)>,
    /// How the run went.
    pub run: Run,
}

/// A probe pod at the end of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PodRecord {
    /// Node.
    pub node: String,
    /// "server", "client", "host".
    pub component: String,
    /// Why it did not run; `None` when it did.
    pub stuck: Option<String>,
    /// Whether the kubelet reached it.
    pub ready: bool,
}

/// Choices that change what is judged.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Options {
    /// `--host-network`
    pub host_network: bool,
    /// Policy test wanted.
    pub policy: bool,
    /// `--allow-exec`
    pub allow_exec: bool,
    /// Results came by log.
    pub by_log: bool,
    /// Nodes were chosen by name or label.
    pub some_nodes: bool,
}

/// The policy smoke test.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Why it could not be done.
    pub trouble: Option<String>,
    /// Milliseconds from the policy's creation until the port was shut everywhere; `None` if it never was.
    pub shut_ms: Option<u64>,
    /// Milliseconds from its removal until the port was open everywhere; `None` if it never was.
    pub open_ms: Option<u64>,
    /// How long each was waited for at the most, milliseconds.
    pub waited_ms: u64,
}

/// How the run went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// Id.
    pub id: String,
    /// Namespace.
    pub namespace: String,
    /// Image.
    pub image: String,
    /// RFC 3339.
    pub started: String,
    /// Milliseconds.
    pub duration_ms: u64,
    /// Milliseconds of each step, in order.
    #[serde(default)]
    pub phases: Vec<(String, u64)>,
    /// Cut short by a signal.
    pub interrupted: bool,
    /// What could not be removed.
    pub left_behind: Vec<String>,
}

impl Recording {
    /// Reads a folder made by [`Recording::save`].
    ///
    /// # Errors
    ///
    /// The file is missing, of another version, or damaged.
    pub fn load(folder: &Path) -> Result<Recording> {
        let path = folder.join(FILE);
        /// What tells a recording of this format from other files.
        #[derive(Deserialize)]
        struct Head {
            schema: Option<u64>,
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let head: Head = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        match head.schema {
            Some(schema) if schema == u64::from(SCHEMA) => {}
            Some(other) => bail!("{} has format {other}; this program reads format {SCHEMA}", path.display()),
            None => bail!("{} is not a recording of kubectl cni verify", path.display()),
        }
        let recording: Recording =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?;
        recording.check().with_context(|| format!("{} is damaged", path.display()))?;
        Ok(recording)
    }

    /// Every index points at something, so that judging cannot go astray.
    fn check(&self) -> Result<()> {
        use crate::probe::plan::{DnsServer, Path};
        let (nodes, pods, external) =
            (self.topology.nodes.len(), self.topology.dns_pods.len(), self.topology.external.len());
        for probe in &self.plan.probes {
            let inside = probe.node < nodes
                && match probe.path {
                    Path::Pod { to, .. }
                    | Path::NodePort { to, .. }
                    | Path::Node { to }
                    | Path::Policy { to }
                    | Path::Host { to, .. } => to < nodes,
                    Path::Dns { server: DnsServer::Pod(pod), .. } => pod < pods,
                    Path::External { target } => target < external,
                    Path::Dns { .. } | Path::ClusterIp { .. } | Path::Api => true,
                };
            if !inside {
                bail!("probe {} names a node, DNS pod or target that is not listed", probe.id);
            }
        }
        Ok(())
    }

    /// Writes the recording into a folder, which must be new or empty.
    ///
    /// # Errors
    ///
    /// The folder has something in it, or cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        prepare(folder)?;
        let path = folder.join(FILE);
        // As snapshots are written: one encoder for the cluster's types is in the program, not two.
        let mut text = serde_json::to_vec_pretty(self).context("encoding the recording")?;
        text.push(b'\n');
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }
}

/// Makes the folder, so that a run does not end with nowhere to put its recording.
///
/// # Errors
///
/// It has something in it, or cannot be made.
pub fn prepare(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making folder {}", folder.display()))?;
    let mut entries = std::fs::read_dir(folder).with_context(|| format!("reading folder {}", folder.display()))?;
    if entries.next().is_some() {
        bail!("folder {} is not empty: name a new one", folder.display());
    }
    Ok(())
}

/// Runs as a list, since JSON has no compound keys.
mod runs {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{AgentRun, Origin, Runs};

    #[derive(Serialize, Deserialize)]
    struct Entry {
        node: usize,
        origin: Origin,
        rounds: Vec<AgentRun>,
    }

    pub(super) fn serialize<S: Serializer>(runs: &Runs, serializer: S) -> Result<S::Ok, S::Error> {
        let entries: Vec<Entry> = runs
            .iter()
            .map(|((node, origin), rounds)| Entry { node: *node, origin: *origin, rounds: rounds.clone() })
            .collect();
        entries.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Runs, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        Ok(entries.into_iter().map(|entry| ((entry.node, entry.origin), entry.rounds)).collect())
    }
}
