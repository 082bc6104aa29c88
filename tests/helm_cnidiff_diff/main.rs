//! The differ held against real manifests.
//!
//! - `invariants.rs`: what holds for any input: nothing differs from itself, edits lead from old to new, order is nothing.
//! - `planted.rs`: one change planted in a real manifest is reported once, at its place, with its verdict.
//! - `renders.rs`: two renders of one chart are the same; real version steps say what is known of them.
//! - `fuzz.rs`: a bounded walk from a saved corpus; nothing panics and the invariants hold.

mod fixtures;
mod generator;
mod invariants;
mod planted;
mod speed;
mod tell;
