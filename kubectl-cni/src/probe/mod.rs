//! What is probed, and what the answers mean. Everything here is pure: topology in, plan out; observations in, judgement out.
//!
//! ```text
//! Topology -> Plan -> [agents] -> Observations -> Judged -> Explanations
//! ```

pub mod agent;
pub mod diagnose;
pub mod image;
pub mod judge;
pub mod manifests;
pub mod observe;
pub mod plan;
pub mod topology;
