//! One module per sub-command: arguments in, I/O done in order, exit status out. Only this module and its children print.

mod cleanup;
mod complete;
mod explain;
mod facts;
mod output;
mod preflight;
mod verify;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Runs a command and prints what stops it, in one line.
pub(crate) fn run(cli: Cli) -> Exit {
    let result = match cli.command {
        Command::Verify(args) => block_on(verify::run(*args)),
        Command::Preflight(args) => block_on(preflight::run(*args)),
        Command::Cleanup(args) => block_on(cleanup::run(args)),
        Command::Explain(args) => explain::run(&args),
        Command::Completion(args) => complete::script(&args),
        Command::Complete(args) => complete::answer(&args),
    };
    result.unwrap_or_else(|error| {
        output::problem(&format!("{error:#}"));
        Exit::Undecided
    })
}

fn block_on(future: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}
