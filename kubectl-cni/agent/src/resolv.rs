//! /etc/resolv.conf: the first nameserver, and the cluster domain by its search line.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::sys;

/// What the file says.
pub struct Resolv {
    pub nameserver: Option<SocketAddr>,
    pub domain: Option<String>,
}

/// Reads it; a missing file says nothing.
#[inline(never)]
pub fn read() -> Resolv {
    let mut text = Vec::new();
    if let Ok(fd) = sys::open(c"/etc/resolv.conf") {
        let mut buffer = [0u8; 4096];
        while let Ok(count) = sys::read(&fd, &mut buffer) {
            if count == 0 || text.len() > 64 << 10 {
                break;
            }
            text.extend_from_slice(&buffer[..count]);
        }
    }
    let text = core::str::from_utf8(&text).unwrap_or("");
    let mut found = Resolv { nameserver: None, domain: None };
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("nameserver") if found.nameserver.is_none() => {
                let ip: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
                found.nameserver = ip.map(|ip| SocketAddr::new(ip, 53));
            }
            Some("search") => found.domain = words.find_map(|word| word.strip_prefix("svc.")).map(String::from).or(found.domain),
            _ => {}
        }
    }
    found
}
