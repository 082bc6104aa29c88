//! The headers that agents send each other, in front of a TCP echo and inside a UDP datagram.

use crate::fields::{Fields, Name, checked, unknown_first_word};
use crate::output::Protocol;
use crate::text::{Sink, Text, address, displayed, number};
use crate::{MAGIC, WireError};
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
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse_request(line: &[u8]) -> Result<Request<'_>, WireError> {
    let (request, fields) = common(line)?;
    fields.end()?;
    Ok(request)
}

/// Reads a response, without its line feed.
///
/// # Errors
///
/// The first thing that is wrong with it.
pub fn parse_response(line: &[u8]) -> Result<Response<'_>, WireError> {
    let (Request { protocol, number, reply: received, name }, mut fields) = common(line)?;
    let source = fields.value("source")?;
    fields.end()?;
    Ok(Response { protocol, number, received, name, source })
}

/// The fields that both begin with.
#[inline(never)]
fn common(line: &[u8]) -> Result<(Request<'_>, Fields<'_>), WireError> {
    let mut fields = Fields::new(checked(line)?);
    let first = fields.word("first word")?;
    if first != MAGIC {
        return Err(unknown_first_word(first));
    }
    let protocol = fields.value("protocol")?;
    let number = fields.value("number")?;
    let reply = if protocol == Protocol::Udp { fields.value("payload bytes")? } else { 0 };
    let Name(name) = fields.value("name")?;
    Ok((Request { protocol, number, reply, name }, fields))
}

impl Text for Request<'_> {
    #[inline(never)]
    fn write(&self, out: &mut Sink<'_>) {
        out(MAGIC);
        out(" ");
        out(self.protocol.word());
        out(" ");
        number(out, self.number);
        if self.protocol == Protocol::Udp {
            out(" ");
            number(out, u64::from(self.reply));
        }
        out(" ");
        out(self.name);
    }
}

impl Text for Response<'_> {
    fn write(&self, out: &mut Sink<'_>) {
        let Response { protocol, number, received, name, source } = *self;
        Request { protocol, number, reply: received, name }.write(out);
        out(" ");
        address(out, &source);
    }
}

displayed!(Request<'_>, Response<'_>);
