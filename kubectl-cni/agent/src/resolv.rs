//! /etc/resolv.conf: the first nameserver, and the cluster domain by its search line.

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use crate::load::read_all;
use crate::sys::{self, Fd};

/// What the file says.
pub struct Resolv {
    pub nameserver: Option<SocketAddr>,
    pub domain: Option<Box<str>>,
}

/// Reads it; a missing file says nothing.
#[inline(never)]
pub fn read(stop: &Fd) -> Resolv {
    let text = sys::open(c"/etc/resolv.conf").ok().and_then(|fd| read_all(&fd, stop).ok()).unwrap_or_default();
    let mut found = Resolv { nameserver: None, domain: None };
    for line in text.split(|byte| *byte == b'\n') {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let mut words = words.map(|word| core::str::from_utf8(word).unwrap_or(""));
        match words.next() {
            Some("nameserver") if found.nameserver.is_none() => {
                let ip: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
                found.nameserver = ip.map(|ip| SocketAddr::new(ip, 53));
            }
            Some("search") => {
                for word in words {
                    if let Some(domain) = word.strip_prefix("svc.")
                        && wire::is_domain(domain)
                    {
                        found.domain = Some(domain.into());
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    found
}
