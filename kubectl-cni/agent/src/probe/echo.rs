//! The texts of an echo: headers, payloads, and answers told from others.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::out::append;
use wire::Protocol;
use wire::exchange::{Request, parse_response};

/// Byte `index` of an echo payload. Changes with the position, so that a shifted or cut echo is noticed.
pub fn pattern(index: u32) -> u8 {
    b'a' + (index % 23) as u8
}

/// Where the first line ends.
pub fn line_end(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

/// The header of a request, with its line feed.
#[inline(never)]
pub fn header(protocol: Protocol, number: u64, reply: u32, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    append(&mut bytes, &Request { protocol, number, reply, name });
    bytes.push(b'\n');
    bytes
}

/// A request datagram padded to `length` payload bytes; never shorter than its header.
#[inline(never)]
pub fn datagram(nonce: u64, reply: u32, own: &str, length: usize) -> Vec<u8> {
    let mut bytes = header(Protocol::Udp, nonce, reply, own);
    bytes.resize(bytes.len().max(length), b'.');
    bytes
}

/// Received length, source and name of an answer with our nonce.
#[inline(never)]
pub fn response_to(bytes: &[u8], nonce: u64) -> Option<(u32, IpAddr, Box<str>)> {
    let line = bytes.get(..line_end(bytes)?)?;
    let answer = parse_response(line).ok()?;
    let ours = answer.protocol == Protocol::Udp && answer.number == nonce;
    ours.then(|| (answer.received, answer.source, answer.name.into()))
}
