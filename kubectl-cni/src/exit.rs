//! What the exit status means.

use std::process::ExitCode;

use crate::report::Outcome;

/// Exit status of every command, whatever the output format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to report.
    Clean,
    /// At least one check failed.
    Findings,
    /// Could not run, or could not decide.
    Undecided,
    /// Stopped by SIGINT or SIGTERM; the partial report was printed.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Undecided => 2,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Exit {
        match outcome {
            Outcome::Ok => Exit::Clean,
            Outcome::Findings => Exit::Findings,
            Outcome::Undecided => Exit::Undecided,
            Outcome::Interrupted => Exit::Interrupted,
        }
    }
}
