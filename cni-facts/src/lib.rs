//! What is true of each CNI, as data with sources, and the matching that recognises one in a cluster.
//!
//! ```text
//! data/<id>/cni.yaml -> Facts -+
//!                              +-> detect -> Vec<Detection> -> cluster_enforcement -> Enforcement
//! the caller's reading -> Evidence -+
//! ```
//!
//! Invariants:
//!
//! - No I/O, no clock, no Kubernetes client, no output: the caller reads the cluster and the overlay files and hands
//!   over plain owned data.
//! - Knowledge lives in `data/`, never in code. Code only matches; no CNI's id or name appears in `src/` outside tests
//!   and the list of files in `builtin.rs`.
//! - Every entry has sources and a confidence. What is not known is absent (`None`, empty), never guessed.
//! - Absence of evidence is not evidence of absence: a part of [`Evidence`] that was not read is `None` and can neither
//!   rule a CNI out nor make a detection [`Confidence::Certain`].
//! - Results are ordered and deterministic, so they can be printed and compared as they are.

mod builtin;
mod detect;
mod enforcement;
mod evidence;
mod facts;
mod image;
mod recognise;
mod schema;

pub use detect::{Agent, Companion, Confidence, Detection, detect};
pub use enforcement::{Enforcement, cluster_enforcement};
pub use evidence::{ContainerSeen, Evidence, WorkloadSeen};
pub use facts::{Facts, FactsError};
pub use image::ImageRef;
pub use schema::{
    AgentDown, AgentHealth, AgentRule, Cni, CompanionRule, Context, Detect, EmbeddedRule, Encapsulation, ExecHealth,
    Expect, Forwarding, Health, HealthObject, Helm, HintRule, HttpHealth, IpFamily, NetworkPolicyFacts, NodeCondition,
    Pattern, PolicyCondition, PolicyRule, Port, Protocol, Role, Signal, State, Trust, Tunnel, WorkloadKind,
};
