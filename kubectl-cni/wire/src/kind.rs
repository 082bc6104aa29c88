//! What a probe sends, and the `key=value` fields that say so.

use crate::fields::{FieldValue, is_domain, once};
use crate::{MAX_NAME, MAX_TCP_BYTES, MAX_UDP_BYTES, MIN_UDP_REPLY, WireError};
use core::fmt;

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
        /// Starts with `/`.
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

impl Kind<'_> {
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
    pub(crate) fn write_keys(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Connect | Kind::Pmtu | Kind::Sctp => Ok(()),
            Kind::Tcp { bytes } => write!(f, " bytes={bytes}"),
            Kind::Udp { bytes, reply } => write!(f, " bytes={bytes} reply={reply}"),
            Kind::Http { path } => write!(f, " path={path}"),
            Kind::Dns { name, qtype, tcp } => {
                write!(f, " name={name} type={}", qtype.word())?;
                f.write_str(if *tcp { " tcp=1" } else { "" })
            }
        }
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

/// The keys that parametrise a kind, read when the kind is known; one that another kind uses is ignored like an unknown one.
#[derive(Default)]
pub(crate) struct Keys<'a> {
    bytes: Option<&'a str>,
    reply: Option<&'a str>,
    name: Option<&'a str>,
    qtype: Option<&'a str>,
    tcp: Option<&'a str>,
    path: Option<&'a str>,
}

impl<'a> Keys<'a> {
    pub(crate) fn take(&mut self, key: &str, value: &'a str) -> Result<(), WireError> {
        match key {
            "bytes" => once(&mut self.bytes, "bytes", value),
            "reply" => once(&mut self.reply, "reply", value),
            "name" => once(&mut self.name, "name", value),
            "type" => once(&mut self.qtype, "type", value),
            "tcp" => once(&mut self.tcp, "tcp", value),
            "path" => once(&mut self.path, "path", value),
            _ => Ok(()),
        }
    }

    pub(crate) fn kind(self, word: &str) -> Result<Kind<'a>, WireError> {
        Ok(match word {
            "connect" => Kind::Connect,
            "pmtu" => Kind::Pmtu,
            "sctp" => Kind::Sctp,
            "tcp" => Kind::Tcp { bytes: size("bytes", self.bytes, MAX_TCP_BYTES)? },
            "udp" => {
                let bytes = size("bytes", self.bytes, MAX_UDP_BYTES)?;
                let reply = size("reply", self.reply, bytes.max(MIN_UDP_REPLY))?;
                Kind::Udp { bytes, reply }
            }
            "dns" => Kind::Dns {
                name: needed("name", self.name, is_query_name)?,
                qtype: self.qtype()?,
                tcp: self.over_tcp()?,
            },
            "http" => Kind::Http { path: needed("path", self.path, is_path)? },
            _ => return Err(WireError::UnknownKind),
        })
    }

    fn qtype(&self) -> Result<QueryType, WireError> {
        match self.qtype {
            None | Some("A") => Ok(QueryType::A),
            Some("AAAA") => Ok(QueryType::Aaaa),
            Some(_) => Err(WireError::Invalid("type")),
        }
    }

    fn over_tcp(&self) -> Result<bool, WireError> {
        match self.tcp {
            None | Some("0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(WireError::Invalid("tcp")),
        }
    }
}

fn size(name: &'static str, text: Option<&str>, most: u32) -> Result<u32, WireError> {
    u32::read(text.ok_or(WireError::Missing(name))?)
        .filter(|size| *size <= most)
        .ok_or(WireError::Invalid(name))
}

fn needed<'a>(
    name: &'static str,
    text: Option<&'a str>,
    right: impl Fn(&str) -> bool,
) -> Result<&'a str, WireError> {
    text.ok_or(WireError::Missing(name))
        .and_then(|text| if right(text) { Ok(text) } else { Err(WireError::Invalid(name)) })
}

/// A domain name, or one whose last label is `~`.
fn is_query_name(name: &str) -> bool {
    is_domain(name) || name == "~" || name.strip_suffix(".~").is_some_and(is_domain_prefix)
}

fn is_domain_prefix(name: &str) -> bool {
    !name.ends_with('.') && is_domain(name)
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.len() <= MAX_NAME
}
