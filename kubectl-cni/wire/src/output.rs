//! Everything an agent prints.

use crate::fields::{FieldValue, Fields, Name, checked, is_domain, unknown_first_word};
use crate::result::ResultLine;
use crate::text::{Sink, Text, address, displayed, number, number_field, text_field};
use crate::{MAGIC, WireError};
use core::net::IpAddr;

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// One line of output.
#[expect(clippy::large_enum_variant, reason = "there is no allocator to box with, and a line lives for a moment")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A prober begins.
    Start {
        /// Its name.
        name: &'a str,
        /// Probes accepted.
        n: u32,
        /// Plan lines refused.
        bad: u32,
        /// First nameserver of its resolv.conf.
        nameserver: Option<IpAddr>,
        /// Cluster domain by its resolv.conf.
        domain: Option<&'a str>,
    },
    /// A plan line was refused.
    Bad {
        /// From 1.
        line: u32,
        /// The reason.
        why: &'a str,
    },
    /// A probe ended.
    Result(ResultLine<'a>),
    /// A prober ended.
    End {
        /// Results printed.
        done: u32,
        /// Probes accepted.
        of: u32,
        /// Worst lateness of its loop, milliseconds.
        late: u32,
    },
    /// A server began.
    Serve {
        /// Its name.
        name: &'a str,
    },
    /// A client's first request of a protocol arrived.
    Seen {
        /// Protocol.
        protocol: Protocol,
        /// The client's name.
        name: &'a str,
    },
    /// What follows a `#`.
    Comment(&'a str),
}

/// Reads one line of output, given without its line feed.
pub fn parse_output_line(line: &[u8]) -> Result<Line<'_>, WireError> {
    let text = checked(line)?;
    if let Some(comment) = text.strip_prefix('#') {
        return Ok(Line::Comment(comment));
    }
    if let Some(rest) = text.strip_prefix("bad ") {
        let (line, why) = rest.split_once(' ').ok_or(WireError::Missing("why"))?;
        let mut number = Fields::new(line);
        return Ok(Line::Bad { line: number.value("line number")?, why });
    }
    let mut fields = Fields::new(text);
    match fields.word("first word")? {
        "r" => ResultLine::parse(fields).map(Line::Result),
        "seen" => {
            let protocol = fields.value("protocol")?;
            let Name(name) = fields.value("name")?;
            fields.end()?;
            Ok(Line::Seen { protocol, name })
        }
        MAGIC => match fields.word("verb")? {
            "start" => start(fields),
            "end" => end(fields),
            "serve" => serve(fields),
            _ => Err(WireError::UnknownLine),
        },
        word => Err(unknown_first_word(word)),
    }
}

fn start(fields: Fields<'_>) -> Result<Line<'_>, WireError> {
    let keys = fields.keys()?;
    let Name(name) = keys.needed("name")?;
    let domain = keys.get("domain")?;
    if domain.is_some_and(|domain| !is_domain(domain)) {
        return Err(WireError::Invalid("domain"));
    }
    let (n, bad) = (keys.needed("n")?, keys.read("bad")?.unwrap_or(0));
    Ok(Line::Start { name, n, bad, nameserver: keys.read("nameserver")?, domain })
}

fn end(fields: Fields<'_>) -> Result<Line<'_>, WireError> {
    let keys = fields.keys()?;
    Ok(Line::End { done: keys.needed("done")?, of: keys.needed("of")?, late: keys.read("late")?.unwrap_or(0) })
}

fn serve(fields: Fields<'_>) -> Result<Line<'_>, WireError> {
    let Name(name) = fields.keys()?.needed("name")?;
    Ok(Line::Serve { name })
}

impl Protocol {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

impl FieldValue<'_> for Protocol {
    fn read(text: &str) -> Option<Self> {
        match text {
            "tcp" => Some(Protocol::Tcp),
            "udp" => Some(Protocol::Udp),
            _ => None,
        }
    }
}

impl Text for Protocol {
    fn write(&self, out: &mut Sink<'_>) {
        out(self.word());
    }
}

impl Text for Line<'_> {
    fn write(&self, out: &mut Sink<'_>) {
        if matches!(self, Line::Start { .. } | Line::End { .. } | Line::Serve { .. }) {
            out(MAGIC);
        }
        match *self {
            Line::Start { name, n, bad, nameserver, domain } => {
                out(" start name=");
                out(name);
                number_field(out, " n=", Some(n));
                number_field(out, " bad=", Some(bad));
                if let Some(nameserver) = nameserver {
                    out(" nameserver=");
                    address(out, &nameserver);
                }
                text_field(out, " domain=", domain);
            }
            Line::Bad { line, why } => {
                out("bad ");
                number(out, u64::from(line));
                out(" ");
                out(why);
            }
            Line::Result(ref result) => result.write(out),
            Line::End { done, of, late } => {
                number_field(out, " end done=", Some(done));
                number_field(out, " of=", Some(of));
                number_field(out, " late=", Some(late));
            }
            Line::Serve { name } => text_field(out, " serve name=", Some(name)),
            Line::Seen { protocol, name } => {
                out("seen ");
                out(protocol.word());
                text_field(out, " ", Some(name));
            }
            Line::Comment(text) => text_field(out, "#", Some(text)),
        }
    }
}

displayed!(Protocol, Line<'_>);
