//! What a probe sends, and the `key=value` fields that say so.

use crate::fields::{Keys, is_domain};
use crate::text::{Sink, number_field, text_field};
use crate::{MAX_NAME, MAX_TCP_BYTES, MAX_UDP_BYTES, MIN_UDP_REPLY, WireError};

/// What a probe sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// A TCP handshake.
    Connect,
    /// A TCP echo of this many bytes.
    Tcp {
        /// Up to [`MAX_TCP_BYTES`].
        bytes: u32,
    },
    /// A UDP echo.
    Udp {
        /// Payload bytes sent, up to [`MAX_UDP_BYTES`].
        bytes: u32,
        /// Payload bytes asked for: up to `bytes`, or [`MIN_UDP_REPLY`].
        reply: u32,
    },
    /// The search for the largest datagram that arrives.
    Pmtu,
    /// A DNS query.
    Dns {
        /// The name; a last label `~` is the cluster domain.
        name: &'a str,
        /// The type asked for.
        qtype: QueryType,
        /// Over TCP.
        tcp: bool,
    },
    /// An HTTP GET.
    Http {
        /// Starts with `/`; at most [`MAX_NAME`] bytes.
        path: &'a str,
    },
    /// An SCTP association.
    Sctp,
}

/// The record type of a DNS query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl<'a> Kind<'a> {
    /// The word for it in a plan line.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Connect => "connect",
            Kind::Tcp { .. } => "tcp",
            Kind::Udp { .. } => "udp",
            Kind::Pmtu => "pmtu",
            Kind::Dns { .. } => "dns",
            Kind::Http { .. } => "http",
            Kind::Sctp => "sctp",
        }
    }

    /// Its own `key=value` fields, each with a space before it.
    pub(crate) fn write_keys(&self, out: &mut Sink<'_>) {
        match *self {
            Kind::Connect | Kind::Pmtu | Kind::Sctp => {}
            Kind::Tcp { bytes } => number_field(out, " bytes=", Some(bytes)),
            Kind::Udp { bytes, reply } => {
                number_field(out, " bytes=", Some(bytes));
                number_field(out, " reply=", Some(reply));
            }
            Kind::Http { path } => text_field(out, " path=", Some(path)),
            Kind::Dns { name, qtype, tcp } => {
                text_field(out, " name=", Some(name));
                text_field(out, " type=", Some(qtype.word()));
                text_field(out, " tcp=", tcp.then_some("1"));
            }
        }
    }

    /// The kind that `word` names, with its own keys.
    #[inline(never)]
    pub(crate) fn read(word: &str, keys: Keys<'a>) -> Result<Self, WireError> {
        let size = |name, most| keys.number(name, 0..=most)?.ok_or(WireError::Missing(name));
        Ok(match word {
            "connect" => Kind::Connect,
            "pmtu" => Kind::Pmtu,
            "sctp" => Kind::Sctp,
            "tcp" => Kind::Tcp { bytes: size("bytes", MAX_TCP_BYTES)? },
            "udp" => {
                let bytes = size("bytes", MAX_UDP_BYTES)?;
                Kind::Udp { bytes, reply: size("reply", bytes.max(MIN_UDP_REPLY))? }
            }
            "dns" => {
                let qtype = match keys.get("type")? {
                    None | Some("A") => QueryType::A,
                    Some("AAAA") => QueryType::Aaaa,
                    Some(_) => return Err(WireError::Invalid("type")),
                };
                let tcp = keys.number("tcp", 0..=1)? == Some(1);
                Kind::Dns { name: text(keys, "name", is_query_name)?, qtype, tcp }
            }
            "http" => Kind::Http { path: text(keys, "path", is_path)? },
            _ => return Err(WireError::UnknownKind),
        })
    }
}

impl QueryType {
    /// The word for it in a plan line.
    pub fn word(self) -> &'static str {
        match self {
            QueryType::A => "A",
            QueryType::Aaaa => "AAAA",
        }
    }
}

fn text<'a>(keys: Keys<'a>, name: &'static str, right: fn(&str) -> bool) -> Result<&'a str, WireError> {
    match keys.get(name)? {
        None => Err(WireError::Missing(name)),
        Some(text) if right(text) => Ok(text),
        Some(_) => Err(WireError::Invalid(name)),
    }
}

/// A domain name, or one whose last label is `~`.
fn is_query_name(name: &str) -> bool {
    match name.strip_suffix('~') {
        None => is_domain(name),
        Some(front) => front.is_empty() || (front.ends_with('.') && is_domain(front)),
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= MAX_NAME
}
