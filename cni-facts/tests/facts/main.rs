//! The facts against clusters as they are. A new test goes into:
//!
//! - `registry`: what every file of facts has to fulfil.
//! - `table`: which cluster of `fixtures/` is recognised as what; a new flavour needs nothing but a fixture there.
//! - `recognition`: one peculiarity (a renamed image, a part that could not be read, two CNIs).
//! - `enforcement`: what to expect of a NetworkPolicy.
//! - `overlay`: facts of the user's own, and what is wrong with them.
//! - `fence`: what the crate must not do.

#![allow(clippy::unwrap_used)] // a panic is how a test fails

mod cluster;
mod enforcement;
mod fence;
mod overlay;
mod recognition;
mod registry;
mod table;
