//! DNS messages (RFC 1035): a question out, response code and addresses in.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wire::{Addresses, QueryType};

/// What an answer says.
pub struct Answer {
    pub rcode: u8,
    pub count: u32,
    pub addresses: Addresses,
}

/// A recursive query for one name. `name` has its `~` replaced already.
#[inline(never)]
pub fn query(id: u16, name: &str, qtype: QueryType) -> Vec<u8> {
    let mut message = Vec::new();
    message.extend_from_slice(&id.to_be_bytes());
    message.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        message.push(label.len().min(63) as u8);
        message.extend_from_slice(&label.as_bytes()[..label.len().min(63)]);
    }
    message.push(0);
    message.extend_from_slice(&number(qtype).to_be_bytes());
    message.extend_from_slice(&[0, 1]);
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
pub fn answer(query: &[u8], message: &[u8]) -> Option<Answer> {
    let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
    if message.len() < 12 || message[..2] != query[..2] || message[2] & 0x80 == 0 {
        return None;
    }
    let question = &query[12..];
    // Servers may change the case of the name, and leave the question out of an error.
    let questions = word(4)?;
    let mut at = 12;
    if questions > 0 {
        let theirs = message.get(12..12 + question.len())?;
        if questions != 1 || !theirs.eq_ignore_ascii_case(question) {
            return None;
        }
        at += question.len();
    } else if message[3] & 15 == 0 {
        return None;
    }
    let wanted = u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]]);
    let mut found = Answer { rcode: message[3] & 15, count: 0, addresses: Addresses::default() };
    for _ in 0..word(6)? {
        at = skip_name(message, at)?;
        let (kind, length) = (word(at)?, usize::from(word(at + 8)?));
        let data = message.get(at + 10..at + 10 + length)?;
        if kind == wanted {
            let address = match <[u8; 4]>::try_from(data) {
                Ok(octets) => IpAddr::V4(Ipv4Addr::from(octets)),
                Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?)),
            };
            found.count += 1;
            found.addresses.push(address);
        }
        at += 10 + length;
    }
    Some(found)
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
