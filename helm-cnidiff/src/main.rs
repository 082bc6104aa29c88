//! The Helm plugin's place: it tells its version and its help, and refuses everything else until comparing is written.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// Show what a CNI chart upgrade changes in an installed release
///
/// Not in this version yet: it answers --help and --version only. `kubectl cni verify` checks the network before and after an upgrade.
#[derive(Debug, Parser)]
#[command(name = "helm-cnidiff", bin_name = "helm cnidiff", version, max_term_width = 110)]
#[command(after_help = "Exit status:\n  2    refused: nothing can be compared yet")]
struct Cli {
    /// Release, chart and flags
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

fn main() -> ExitCode {
    Cli::parse();
    #[expect(clippy::print_stderr, reason = "main is where the program speaks")]
    {
        eprintln!(
            "helm cnidiff {} cannot compare releases yet; it answers --help and --version only",
            env!("CARGO_PKG_VERSION")
        );
    }
    ExitCode::from(2)
}
