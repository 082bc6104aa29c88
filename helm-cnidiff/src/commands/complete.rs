//! Helm's completion protocol: one candidate a line, then `:` and a directive.

use std::ffi::OsString;

use clap::CommandFactory as _;

use super::output::print;
use crate::cli::{Cli, CompleteArgs};
use crate::exit::Exit;

/// Cobra's directives: 0 lets the shell complete file names as well, 4 does not.
const WITH_FILES: u8 = 0;
const NO_FILES: u8 = 4;

/// Answers for the words after `helm cnidiff`, of which the last one is unfinished.
pub(super) fn answer(args: &CompleteArgs) -> Exit {
    let word = args.words.last().map_or("", String::as_str);
    let mut words: Vec<OsString> =
        std::iter::once("helm-cnidiff".into()).chain(args.words.iter().map(Into::into)).collect();
    if words.len() < 2 {
        words.push(OsString::new());
    }
    let index = words.len() - 1;
    let found = clap_complete::engine::complete(&mut Cli::command(), words, index, None).unwrap_or_default();
    let mut text = String::new();
    let mut options = false;
    for candidate in found.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        options |= value.starts_with('-') && !word.starts_with('-');
        if value.starts_with('-') && !word.starts_with('-') {
            continue;
        }
        match candidate.get_help() {
            Some(help) => text.push_str(&format!("{value}\t{}\n", help.to_string().lines().next().unwrap_or_default())),
            None => text.push_str(&format!("{value}\n")),
        }
    }
    let directive = if word.starts_with('-') || (!options && !text.is_empty()) { NO_FILES } else { WITH_FILES };
    print(&format!("{text}:{directive}\n"));
    Exit::Compared
}
