//! Compares two charts, manifests or revisions of a CNI and says what the difference does to a cluster.
//!
//! ```text
//! source (I/O) -> documents -> manifest::ObjectSet x 2 -> diff -> risk -> comparison::Comparison -> render -> text
//! ```
//!
//! Invariants: only `source` touches the world, and `commands` writes to the terminal; everything else is a pure function of plain data and can be
//! run on two files. No clock anywhere. Secrets are redacted where a [`comparison::Comparison`] is built, not where it
//! is printed.

pub mod cli;
mod commands;
pub mod compare;
pub mod comparison;
pub mod diff;
pub mod exit;
pub mod foretold;
pub mod inherit;
pub mod manifest;
pub mod noise;
pub mod redact;
pub mod release;
pub mod render;
pub mod risk;
pub mod source;
pub mod version_step;
pub mod yaml;

use std::ffi::OsString;

pub use exit::Exit;

/// Runs the program on its arguments, the first of which is its own name.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    commands::run(args)
}
