//! A [`Comparison`] in, text out, in six formats. Nothing here judges, sorts or reads anything else.
//!
//! ```text
//! Comparison -> outline (the words, every string made safe to show) -> human | markdown | gitlab | jira | html
//!            -> json (serialisable twins)
//! ```
//!
//! Invariants: no clock, no environment, no terminal; the same input gives the same bytes. A secret has no text here,
//! so none can be printed. A string from a chart or a cluster reaches a writer as [`text::Safe`] only, in which nothing
//! steers a terminal or hides; each writer escapes it for its own syntax besides.

mod escape;
mod fold;
mod gitlab;
mod html;
mod human;
mod jira;
mod json;
mod markdown;
mod outline;
mod page;
mod rows;
mod text;
mod ticket;
mod value;

pub use gitlab::gitlab;
pub use html::html;
pub use human::{HumanStyle, human};
pub use jira::jira;
pub use json::{SCHEMA, json};
pub use markdown::markdown;
pub use ticket::TicketStyle;

use crate::comparison::Comparison;

/// How much of a comparison a reader asked for. The verdict, the notes and the provenance are always part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Which parts besides.
    pub parts: Parts,
    /// Nothing is folded or shortened (`--all`).
    pub all: bool,
    /// What was folded as noise is listed, per rule (`--show-noise`).
    pub noise: bool,
}

impl Show {
    /// All parts, folded.
    pub const DEFAULT: Self = Self { parts: Parts::Everything, all: false, noise: false };
}

/// Parts of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Parts {
    /// All of them.
    #[default]
    Everything,
    /// Values alone (`--values-only`).
    Values,
    /// DaemonSets alone (`--daemonsets-only`).
    DaemonSets,
}

/// What a comparison comes to, worst first. Every format takes it from [`outcome`], so they cannot disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// There is a blocker.
    Blocked,
    /// No blocker was found, but not everything could be told.
    Undecided,
    /// It goes through, and may hurt.
    Risks,
    /// Something changes, and nothing is known against it.
    Changes,
    /// Nothing changes.
    Same,
}

impl Outcome {
    /// The word people read.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Blocked => "BLOCKED",
            Outcome::Undecided => "UNDECIDED",
            Outcome::Risks => "RISKS",
            Outcome::Changes => "CHANGES",
            Outcome::Same => "SAME",
        }
    }

    /// The same in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Outcome::Blocked => "Something has to be done first",
            Outcome::Undecided => "Not everything could be told",
            Outcome::Risks => "Nothing blocks it, some of it may hurt",
            Outcome::Changes => "Something changes, nothing is known against it",
            Outcome::Same => "Nothing changes",
        }
    }
}

/// The one place that decides what a comparison comes to.
pub fn outcome(comparison: &Comparison) -> Outcome {
    let verdict = &comparison.verdict;
    if verdict.blockers > 0 {
        Outcome::Blocked
    } else if !verdict.unknown.is_empty() {
        Outcome::Undecided
    } else if verdict.risks > 0 {
        Outcome::Risks
    } else if !comparison.is_empty() {
        Outcome::Changes
    } else {
        Outcome::Same
    }
}
