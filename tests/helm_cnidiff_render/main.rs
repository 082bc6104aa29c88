//! The renderers of `helm cnidiff`: a comparison in, text out.
//!
//! - `samples`: comparisons to render, from nothing to everything at once.
//! - `formats`: every format against its goldens, and the JSON against its schema.
//! - `terminal`: width, colour, folding.
//! - `tickets`: what fits, what is cut and how that is said.
//! - `hostile`: secrets, escape sequences and markup in every text there is.

#[path = "../support/golden.rs"]
mod golden;

mod formats;
mod hostile;
mod samples;
mod terminal;
mod tickets;
