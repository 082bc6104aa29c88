//! Compares two charts, manifests or revisions of a CNI and says what the difference does to a cluster.
//!
//! ```text
//! source (I/O) -> documents -> manifest::ObjectSet x 2 -> diff -> risk -> comparison::Comparison -> render -> text
//! ```
//!
//! Invariants: only `source` and `main` touch the world; everything else is a pure function of plain data and can be
//! run on two files. No clock anywhere. Secrets are redacted where a [`comparison::Comparison`] is built, not where it
//! is printed.

pub mod compare;
pub mod comparison;
pub mod diff;
pub mod manifest;
pub mod noise;
pub mod redact;
pub mod render;
pub mod risk;
pub mod version_step;
