//! One file per comparison: gather, compare, print. What is shared by them is here and in [`output`].

mod charts;
mod complete;
mod gather;
mod known;
mod live;
mod manifests;
mod output;
mod revision;
mod upgrade;

use std::ffi::OsString;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Runs the program. Everything that it says goes through here.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    // `--version VERSION` is the chart's; alone it is a question.
    if let [_, word] = args.as_slice()
        && (word == "--version" || word == "-V" || word == "version")
    {
        output::print(&format!("helm cnidiff {}\n", env!("CARGO_PKG_VERSION")));
        return Exit::Compared;
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Compared,
                _ => Exit::CouldNot,
            };
        }
    };
    let done = match cli.command {
        None => upgrade::run(&cli.upgrade),
        Some(Command::Upgrade(args)) => upgrade::run(&args),
        Some(Command::Charts(args)) => charts::run(&args),
        Some(Command::Manifest(args)) => manifests::live(&args),
        Some(Command::Manifests(args)) => manifests::files(&args),
        Some(Command::Revision(args)) => revision::run(&args),
        Some(Command::Schema) => {
            output::print(crate::render::SCHEMA);
            Ok(Exit::Compared)
        }
        Some(Command::Complete(args)) => Ok(complete::answer(&args)),
    };
    done.unwrap_or_else(|error| {
        output::problem(&format!("{error:#}"));
        Exit::CouldNot
    })
}
