//! What a CNI leaves on a node: `data/<cni>/host.yaml` in, a checked type out.

use serde::Deserialize;

use crate::migration::Trace;
use crate::schema::{Trust, kebab, not_empty, schema_one};

/// What a CNI puts on a node. Names are as the node shows them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Version of this format; 1.
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    /// Id of the CNI; `any` for what is true of every node.
    #[serde(deserialize_with = "kebab")]
    pub id: String,
    /// A CNI that puts the same there; [`Facts::host`](crate::Facts::host) follows it.
    pub same_as: Option<String>,
    /// Its files in the folder of CNI configurations, the usual one first.
    #[serde(default)]
    pub cni_conf: Vec<String>,
    /// Its programs in the folder of CNI programs.
    #[serde(default)]
    pub cni_bin: Vec<String>,
    /// Folders of CNI configurations; of `any` only.
    #[serde(default)]
    pub conf_dirs: Vec<String>,
    /// Folders of CNI programs; of `any` only.
    #[serde(default)]
    pub bin_dirs: Vec<String>,
    /// Endings of CNI configurations that were put aside; of `any` only.
    #[serde(default)]
    pub leftover_suffixes: Vec<String>,
    /// Network devices.
    #[serde(default)]
    pub interfaces: Vec<Trace>,
    /// Chains, in either variant of iptables.
    #[serde(default)]
    pub iptables_chains: Vec<Trace>,
    /// Sets of addresses.
    #[serde(default)]
    pub ipsets: Vec<Trace>,
    /// nftables tables.
    #[serde(default)]
    pub nft_tables: Vec<Trace>,
    /// Routing rules, as `ip rule` shows them.
    #[serde(default)]
    pub ip_rules: Vec<String>,
    /// Routing tables by number.
    #[serde(default)]
    pub route_tables: Vec<u32>,
    /// Routes, in words.
    #[serde(default)]
    pub routes: Vec<String>,
    /// Pinned BPF objects; a `*` stands for any text.
    #[serde(default)]
    pub bpf_pins: Vec<String>,
    /// Files and folders in which it keeps state.
    #[serde(default)]
    pub state_dirs: Vec<String>,
    /// What else to know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Trust in it.
    pub confidence: Trust,
    /// Where it was read.
    #[serde(deserialize_with = "not_empty")]
    pub sources: Vec<String>,
}
