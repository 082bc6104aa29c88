//! The headers that agents send each other, in front of a TCP echo and inside a UDP datagram.

use crate::fields::{Fields, Name, checked};
use crate::output::Protocol;
use crate::{MAGIC, WireError};
use core::fmt;
use core::net::IpAddr;

/// The longest header with its line feed: magic, numbers, a name and an address.
pub const MAX_HEADER: usize = 384;

/// What a client sends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Transport.
    pub protocol: Protocol,
    /// TCP: bytes that follow. UDP: the nonce.
    pub number: u64,
    /// UDP: payload bytes asked for. TCP: 0.
    pub reply: u32,
    /// The client's name.
    pub name: &'a str,
}

/// What a server answers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// Transport.
    pub protocol: Protocol,
    /// TCP: bytes that follow. UDP: the request's nonce.
    pub number: u64,
    /// UDP: payload bytes that arrived. TCP: 0.
    pub received: u32,
    /// The server's name.
    pub name: &'a str,
    /// The client's address as the server saw it.
    pub source: IpAddr,
}

/// Reads a request, without its line feed.
pub fn parse_request(line: &[u8]) -> Result<Request<'_>, WireError> {
    let (protocol, mut fields) = open(line)?;
    let number = fields.value("number")?;
    let reply = if protocol == Protocol::Udp { fields.value("reply")? } else { 0 };
    let Name(name) = fields.value("name")?;
    fields.end()?;
    Ok(Request { protocol, number, reply, name })
}

/// Reads a response, without its line feed.
pub fn parse_response(line: &[u8]) -> Result<Response<'_>, WireError> {
    let (protocol, mut fields) = open(line)?;
    let number = fields.value("number")?;
    let received = if protocol == Protocol::Udp { fields.value("received")? } else { 0 };
    let Name(name) = fields.value("name")?;
    let source = fields.value("source")?;
    fields.end()?;
    Ok(Response { protocol, number, received, name, source })
}

fn open(line: &[u8]) -> Result<(Protocol, Fields<'_>), WireError> {
    let mut fields = Fields::new(checked(line)?);
    if fields.word("first word")? != MAGIC {
        return Err(WireError::UnknownLine);
    }
    match fields.word("protocol")? {
        "tcp" => Ok((Protocol::Tcp, fields)),
        "udp" => Ok((Protocol::Udp, fields)),
        _ => Err(WireError::Invalid("protocol")),
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAGIC} {} {}", self.protocol, self.number)?;
        if self.protocol == Protocol::Udp {
            write!(f, " {}", self.reply)?;
        }
        write!(f, " {}", self.name)
    }
}

impl fmt::Display for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAGIC} {} {}", self.protocol, self.number)?;
        if self.protocol == Protocol::Udp {
            write!(f, " {}", self.received)?;
        }
        write!(f, " {} {}", self.name, self.source)
    }
}
