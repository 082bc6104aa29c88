//! DNS messages (RFC 1035): a question out, response code and addresses in.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{Addresses, Detail, QueryType};

/// A recursive query for one name. `name` has its `~` replaced already.
#[inline(never)]
pub fn query(id: u16, name: &str, qtype: QueryType) -> Vec<u8> {
    let mut message = Vec::from(id.to_be_bytes());
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.as_bytes();
    for label in name.strip_suffix(b".").unwrap_or(name).split(|byte| *byte == b'.') {
        // The grammar allows 63 bytes, and so does DNS.
        message.push(label.len() as u8 & 63);
        message.extend_from_slice(label);
    }
    message.push(0);
    message.extend_from_slice(&[0, number(qtype) as u8, 0, 1]);
    message
}

fn number(qtype: QueryType) -> u16 {
    match qtype {
        QueryType::A => 1,
        QueryType::Aaaa => 28,
    }
}

/// Reads an answer to `query`. `None` when it is no answer to it: another id, another question, or damaged.
#[inline(never)]
pub fn answer(query: &[u8], message: &[u8], detail: &mut Detail<'_>) -> Option<()> {
    let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let (high, low) = (*message.get(2)?, *message.get(3)?);
    if message.get(..2)? != query.get(..2)? || high & 0x80 == 0 {
        return None;
    }
    let question = query.get(12..)?;
    let wanted = u16::from_be_bytes([*question.get(question.len() - 4)?, *question.get(question.len() - 3)?]);
    let (rcode, truncated) = (low & 15, high & 2 != 0);
    // Servers may change the case of the name, and leave the question out of an error.
    let mut at = 12;
    match word(4)? {
        1 => {
            let theirs = message.get(12..12 + question.len())?;
            if !theirs.eq_ignore_ascii_case(question) {
                return None;
            }
            at += question.len();
        }
        0 if rcode != 0 => {}
        _ => return None,
    }
    let (mut count, mut addresses) = (0, Addresses::default());
    for _ in 0..word(6)? {
        match record(message, at) {
            Some((kind, data, next)) => {
                if kind == wanted {
                    count += 1;
                    addresses.push(address(kind, data)?);
                }
                at = next;
            }
            // What was cut short may be cut anywhere.
            None if truncated => break,
            None => return None,
        }
    }
    (detail.rcode, detail.truncated, detail.n, detail.ans) = (Some(rcode), truncated, Some(count), addresses);
    Some(())
}

/// Type, data, and the position after the record at a position.
fn record(message: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    let at = skip_name(message, at)?;
    let end = at + 10 + usize::from(word(at + 8)?);
    Some((word(at)?, message.get(at + 10..end)?, end))
}

fn address(kind: u16, data: &[u8]) -> Option<IpAddr> {
    if kind == number(QueryType::A) {
        <[u8; 4]>::try_from(data).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
    } else {
        <[u8; 16]>::try_from(data).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
    }
}

/// The position after a name. A pointer ends it, so there is nothing to follow and nothing to loop in.
fn skip_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            length if length & 0xc0 == 0xc0 => return Some(at + 2),
            length if length & 0xc0 == 0 => at += 1 + usize::from(length),
            _ => return None,
        }
    }
}
