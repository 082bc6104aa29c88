//! The facts against clusters as they are. A new test goes into:
//!
//! - `registry`: what every file of facts has to fulfil.
//! - `table`: which cluster of `fixtures/` is recognised as what; a new flavour needs nothing but a fixture there.
//! - `recognition`: one peculiarity (a renamed image, a part that could not be read, two CNIs).
//! - `enforcement`: what to expect of a NetworkPolicy.
//! - `overlay`: facts of the user's own, and what is wrong with them.
//! - `rules`: what every rule has to fulfil.
//! - `steps`: the path and the rules of a version step, and what comes out for a situation.
//! - `policies`: features of network policies that rules ask for.
//! - `refusals`: rules about charts that refuse, against what helm said when they were rendered.
//! - `node`: what has to be saved of a CNI, and what it puts on a node.
//! - `support`, `migration`, `explain`: the support matrix, ways from one CNI to another, texts about a rule.
//! - `docs`: the pages of `docs/facts` are those of the data.
//! - `fence`: what the crate must not do.

#![allow(clippy::unwrap_used)] // a panic is how a test fails

mod cluster;
mod docs;
mod enforcement;
mod explain;
mod fence;
mod golden;
mod migration;
mod node;
mod overlay;
mod policies;
mod recognition;
mod refusals;
mod registry;
mod rules;
mod steps;
mod support;
mod table;
