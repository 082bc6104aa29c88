//! One agent's answer to one probe, as owned data.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// How a probe ended, as the agent saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The peer answered.
    Open,
    /// RST, or ICMP port unreachable.
    Refused,
    /// Another ICMP error, or no route on the own node.
    Unreachable,
    /// Silence.
    Timeout,
    /// The kernel lacks the protocol or family.
    Unsupported,
    /// The agent could not try.
    Error,
}

/// A result line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Probe id within the plan.
    pub id: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Duration of the last try, microseconds.
    pub us: u32,
    /// Number of the last try, from 1.
    pub tries: u8,
    /// Kernel RTT, microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_us: Option<u32>,
    /// TCP retransmissions (a lost SYN shows here).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrans: Option<u32>,
    /// ICMP type and code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp: Option<(u8, u8)>,
    /// Who sent the ICMP error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    /// The agent's word for what went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Source address the peer saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    /// MTU of the route, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Largest IP packet that arrived, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<u32>,
    /// DNS response code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rcode: Option<u8>,
    /// Addresses in a DNS answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<IpAddr>,
    /// How many addresses the DNS answer held (may exceed those listed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_count: Option<u32>,
}

/// What came back from one agent in one round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentRun {
    /// Result lines.
    pub observations: Vec<Observation>,
    /// The closing line was seen, so a missing result is the agent's word and not a cut connection.
    pub complete: bool,
    /// The agent's first nameserver, from its resolv.conf.
    #[serde(default)]
    pub nameserver: Option<IpAddr>,
    /// Cluster domain, from its resolv.conf.
    #[serde(default)]
    pub domain: Option<String>,
    /// Worst delay of the agent's own loop, milliseconds.
    #[serde(default)]
    pub late_ms: u32,
    /// Why it could not be asked, or what did not parse.
    #[serde(default)]
    pub trouble: Option<String>,
}
