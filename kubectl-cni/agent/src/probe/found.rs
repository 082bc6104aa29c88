//! What a try found out, and what errnos mean.

use alloc::boxed::Box;

use crate::sys::{self, Errno};
use wire::{Detail, Outcome, Why};

/// What a try found out beside its outcome.
#[derive(Default)]
pub struct Found {
    /// Who answered.
    pub name: Option<Box<str>>,
    pub detail: Detail<'static>,
}

impl Found {
    /// An outcome with the reason for it.
    pub fn because(&mut self, outcome: Outcome, why: Why) -> Option<Outcome> {
        self.detail.why = Some(why);
        Some(outcome)
    }
}

/// What an errno means. `local`: the own node refused before anything was sent.
#[inline(never)]
pub fn failed(errno: Errno, local: bool, found: &mut Found) -> Outcome {
    found.detail.errno = Some(errno);
    match errno {
        sys::ECONNREFUSED => Outcome::Refused,
        sys::ECONNRESET | sys::EPIPE => {
            found.detail.why = Some(Why::Reset);
            Outcome::Refused
        }
        sys::ETIMEDOUT => Outcome::Timeout,
        sys::EAFNOSUPPORT | sys::EPROTONOSUPPORT | sys::ESOCKTNOSUPPORT => Outcome::Unsupported,
        // A packet too large for what the node knows of the path has no way, like one without a route.
        sys::EHOSTUNREACH | sys::ENETUNREACH | sys::EMSGSIZE => Outcome::Unreachable,
        // IPv6 filters that prohibit answer so; IPv4 ones come as EHOSTUNREACH.
        sys::EACCES | sys::EPERM if !local => Outcome::Unreachable,
        // Rarer ICMP errors have errnos of their own.
        _ if found.detail.icmp.is_some() => Outcome::Unreachable,
        _ => {
            found.detail.why = local.then_some(Why::Local);
            Outcome::Error
        }
    }
}
