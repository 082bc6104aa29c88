//! The differ held against real manifests.
//!
//! - `invariants.rs`: what holds for any input: nothing differs from itself, edits lead from old to new, order is nothing.
//! - `planted.rs`: one change planted in a real manifest is reported once, at its place, with its verdict.
//! - `renders.rs`: two renders of one chart are the same; real version steps say what is known of them.
//! - `noise.rs`: noise is folded by its rule and counts nowhere; no rule folds the only reason for a restart.
//! - `verdict.rs`: strategies, sizes of clusters, releases.
//! - `version_steps.rs`: what the facts know of a version step.
//! - `live.rs`: what an API server fills in is no difference, what drifted is one.
//! - `registry.rs`: ids of notes are frozen, unique and tested.
//! - `fence.rs`: what is pure stays pure.
//! - `fuzz.rs`: a bounded walk from a saved corpus; nothing panics and the invariants hold.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod fence;
mod fixtures;
mod fuzz;
mod generator;
mod invariants;
mod live;
mod noise;
mod planted;
mod registry;
mod renders;
mod speed;
mod tell;
mod verdict;
mod version_steps;
