//! What the exit status means.

use std::process::ExitCode;

/// Exit status of every command, whatever the output format. Helm prints `Error:` for any non-zero one, so a difference
/// is one only where it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Compared.
    Compared,
    /// With `--exit-code`: something differs.
    Different,
    /// Could not compare.
    CouldNot,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Compared => 0,
            Exit::Different => 1,
            Exit::CouldNot => 2,
        })
    }
}
