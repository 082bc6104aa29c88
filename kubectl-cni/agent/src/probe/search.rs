//! The conversation of a search for the path MTU: datagrams of the sizes that pmtu.rs wants to know about.

use alloc::boxed::Box;
use core::net::IpAddr;

use super::echo::datagram;
use super::found::{Found, failed};
use crate::pmtu::Search;
use crate::sys::{self, Errno, Fd};
use wire::{Icmp, Outcome};

/// A search under way.
pub struct Pmtu {
    pub nonce: u64,
    /// Bytes of the IP and UDP headers around the payload.
    pub overhead: u32,
    pub search: Search,
    pub own: Box<str>,
    /// The first ICMP error.
    pub icmp: Option<(Errno, Option<Icmp>, Option<IpAddr>)>,
    /// Who answered.
    pub name: Option<Box<str>>,
}

impl Pmtu {
    /// A datagram of each size.
    #[inline(never)]
    pub fn send(&self, fd: &Fd, sizes: &[u32]) {
        for size in sizes {
            let bytes = datagram(self.nonce, 0, &self.own, size.saturating_sub(self.overhead) as usize);
            // An ICMP error about an earlier size is reported by the next send, which is then not sent: once more.
            if sys::send(fd, &bytes).is_err_and(|errno| errno != sys::EAGAIN) {
                let _ = sys::send(fd, &bytes);
            }
        }
    }

    /// A router said that a packet is too big, and the kernel has learnt from it: what the route promises now is what TCP will keep to, so
    /// that is what must arrive.
    pub fn narrow(&mut self, fd: &Fd) {
        if let Ok(mtu) = sys::route_mtu(fd, self.overhead == 48)
            && mtu < self.search.mtu
        {
            self.search = Search::new(mtu);
            self.send(fd, &[mtu]);
        }
    }

    /// What came of the search. An ICMP error is told also where the search ended well.
    #[inline(never)]
    pub fn searched(&mut self, found: &mut Found) -> Outcome {
        let mut outcome = Outcome::Timeout;
        if let Some((errno, icmp, from)) = self.icmp {
            (found.detail.icmp, found.detail.from) = (icmp, from);
            outcome = failed(errno, false, found);
        }
        if self.search.complete() {
            found.detail.errno = None;
            outcome = Outcome::Open;
        }
        (found.detail.mtu, found.detail.largest) = (Some(self.search.mtu), Some(self.search.largest));
        found.name = self.name.take();
        outcome
    }
}
