//! The line grammar between `kubectl cni` and its probe agent: text lines in, borrowed typed values out, and back.
//!
//! `GRAMMAR.md` beside this crate is the specification; this is its only implementation, used by both sides, so that
//! what one writes the other reads. Nothing here allocates: parsed values borrow from the line, and every value writes
//! itself, through [`text::Text`] or [`core::fmt::Display`], exactly as [`parse_plan_line`] or [`parse_output_line`] reads it.
//!
//! - [`parse_plan_line`]: plugin → agent, what to probe ([`PlanLine`], [`PlanHeader`], [`Probe`]).
//! - [`parse_output_line`]: agent → plugin, what came of it ([`Line`], [`ResultLine`]).
//! - [`exchange`]: agent ↔ agent, the headers on the wire.
//!
//! A line is given without its line feed. All values are `Copy`.

#![no_std]

mod error;
pub mod exchange;
mod fields;
mod kind;
mod output;
mod plan;
mod result;
pub mod text;

#[cfg(test)]
mod tests;

pub use error::WireError;
pub use fields::{is_domain, is_name};
pub use kind::{Kind, QueryType};
pub use output::{Line, Protocol, parse_output_line};
pub use plan::{Destination, PlanHeader, PlanLine, Probe, parse_plan_line};
pub use result::{Addresses, Detail, Icmp, Outcome, ResultLine, Why};

/// Version of the grammar; a line of another version is refused.
pub const VERSION: u32 = 1;

/// First word of every line that opens or closes something: `cni-probe/` and [`VERSION`].
pub const MAGIC: &str = "cni-probe/1";

/// The longest line, in bytes, without its line feed.
pub const MAX_LINE: usize = 1024;

/// The longest name of a server or client, and of a domain name, in bytes.
pub const MAX_NAME: usize = 253;

/// The largest plan, in bytes, that an agent reads.
pub const MAX_PLAN_BYTES: usize = 4 << 20;

/// The most probes in one plan.
pub const MAX_PROBES: usize = 65_536;

/// The most addresses that an `ans=` field holds; `n=` counts them all.
pub const MAX_ADDRESSES: usize = 8;

/// The most bytes that a `tcp` probe sends.
pub const MAX_TCP_BYTES: u32 = 16 << 20;

/// The most payload bytes that a `udp` probe sends or asks for.
pub const MAX_UDP_BYTES: u32 = 65_507;

/// A UDP answer is never longer than its request, or than this many bytes if the request was shorter.
pub const MIN_UDP_REPLY: u32 = 384;
