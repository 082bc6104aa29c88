//! Tests of kubectl-cni that need no cluster. A new test goes into the module of what it is about; what needs a real cluster goes into
//! tests/live.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../support/golden.rs"]
mod golden;

mod command_line;
mod diagnosis;
mod model;
mod preflight;
mod preflight_api;
mod recorded;
mod report;
