//! `kubectl cni`: check a Kubernetes network before, during and after a CNI upgrade.
//!
//! ```text
//! argv -> cli -> commands (I/O) -> cluster gathers -> Recording -> assess -> checks -> Report -> report renders -> stdout, exit status
//!                                                  -> Survey -> preflight::assess -^
//!                                    probe: topology -> plan -> [agents] -> observations -> judge -> diagnose
//! ```
//!
//! Invariants:
//!
//! - Data moves right only. A function that awaits returns data, never a verdict; a function that judges takes a [`recording::Recording`] or a
//!   [`survey::Survey`], never a client; a renderer returns a `String`.
//! - Only `cluster` talks to the API server, and only `cluster::session` creates or deletes. Only `commands` print.
//! - Unknown is never a pass: what could not be read or tried is a [`snapshot::Missing`] or [`probe::judge::State::Unknown`] until the end.
//! - The same recording always gives the same report: no clock, no environment and no order of arrival in the judging parts.
//! - Deliberately absent: images of our own, name look-ups and connections outside the cluster (but for --external), reading of Secrets.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod assess;
pub mod checks;
pub mod cli;
mod cluster;
mod commands;
pub mod exit;
pub mod netpol;
pub mod preflight;
pub mod probe;
pub mod rbac;
pub mod recording;
pub mod report;
pub mod snapshot;
pub mod survey;

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::exit::Exit;

/// Parses the arguments and runs the command.
pub fn run(args: impl Iterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.collect();
    let command = cli::Cli::command();
    let parsed = command.try_get_matches_from(args).and_then(|matches| cli::Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => commands::run(cli),
        Err(error) => {
            // Help and version were asked for; anything else is a mistake in the call.
            let asked = !error.use_stderr();
            let _ = error.print();
            if asked { Exit::Clean } else { Exit::Undecided }
        }
    }
}
