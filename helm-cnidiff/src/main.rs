//! Parses the command line, runs it, exits. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    helm_cnidiff::run(std::env::args_os()).into()
}
