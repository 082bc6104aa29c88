//! What is true of each CNI, as data with sources, and the matching that recognises one in a cluster.
//!
//! ```text
//! data/ -> Facts -+-> detect(Evidence) -> Vec<Detection> -> cluster_enforcement -> Enforcement
//!                 +-> step(cni, from, to) -> Step{hops, rules} -> judge(Situation) -> Vec<Judged{rule, level, truth}>
//!                 +-> support, backup, host, migrations, explain
//! ```
//!
//! [`Evidence`] is what recognises a CNI, [`Situation`] what its rules are judged by; the caller fills both.
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
//! - Unknown is never "no": a rule whose condition cannot be told comes back as [`Truth::Unknown`] with the reason.
//! - Only what was read first-hand can be a blocker; see [`Rule::level`].
//! - Built-in files are read when they are asked for, so that [`Facts::builtin`] costs nothing.
//! - Results are ordered and deterministic, so they can be printed and compared as they are.

mod backup;
mod builtin;
mod defaults;
mod detect;
mod enforcement;
mod evidence;
mod explain;
mod facts;
mod host;
mod image;
mod incident;
mod jsonpath;
mod kernel;
mod migration;
mod net;
mod overlay;
mod policy_feature;
mod read;
mod recognise;
mod rules;
mod schema;
mod situation;
mod step;
mod support;
mod version;
mod when;

pub use backup::Backup;
pub use detect::{Agent, Companion, Confidence, Detection, detect};
pub use enforcement::{Enforcement, cluster_enforcement};
pub use evidence::{ContainerSeen, Evidence, WorkloadSeen};
pub use explain::{explain, similar};
pub use facts::Facts;
pub use host::Host;
pub use image::ImageRef;
pub use incident::Incident;
pub use kernel::RhelBackport;
pub use migration::{
    Action, DualOverlay, FieldReport, LeftValue, Method, Migration, MigrationCheck, NodeConfig, PlannedValue, Residue,
    Sequence, Trace,
};
pub use policy_feature::{PolicyFeature, Sign};
pub use read::FactsError;
pub use rules::{Derived, Kind, Refused, Rule, Severity};
pub use schema::{
    AgentDown, AgentHealth, AgentRule, Cni, CompanionRule, Context, Detect, EmbeddedRule, Encapsulation, ExecHealth,
    Expect, Forwarding, Health, HealthObject, Helm, HintRule, HttpHealth, IpFamily, NetworkPolicyFacts, NodeCondition,
    Pattern, PolicyCondition, PolicyRule, Port, Protocol, Role, Signal, State, Trust, Tunnel, WorkloadKind,
};
pub use situation::{
    CrdSeen, HostSeen, InstallMethod, IptablesChains, Need, NodeSeen, Objects, Part, Situation, Target, Values,
    WorkloadState,
};
pub use step::{Direction, Hop, Judged, Step, StepError, StepRule, Unsupported, step};
pub use support::{Feature, Maintenance, Minor, Policy, Support, Supported};
pub use version::{Range, Version, VersionError};
pub use when::{CONDITIONS, Condition, Truth};
