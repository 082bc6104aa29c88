//! Everything an agent prints.

use crate::fields::{Fields, Name, checked, once, unknown_first_word};
use crate::result::{ResultLine, domain};
use crate::{MAGIC, WireError};
use core::fmt;
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
            let protocol = match fields.word("protocol")? {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                _ => return Err(WireError::Invalid("protocol")),
            };
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

fn start<'a>(fields: Fields<'a>) -> Result<Line<'a>, WireError> {
    let (mut name, mut n, mut bad, mut nameserver, mut search) = (None, None, None, None, None);
    fields.keys(|key, value| match key {
        "name" => once(&mut name, "name", value),
        "n" => once(&mut n, "n", value),
        "bad" => once(&mut bad, "bad", value),
        "nameserver" => once(&mut nameserver, "nameserver", value),
        "domain" => once(&mut search, "domain", value),
        _ => Ok(()),
    })?;
    let Name(name) = name.ok_or(WireError::Missing("name"))?;
    let n = n.ok_or(WireError::Missing("n"))?;
    Ok(Line::Start { name, n, bad: bad.unwrap_or(0), nameserver, domain: search.map(domain) })
}

fn end<'a>(fields: Fields<'a>) -> Result<Line<'a>, WireError> {
    let (mut done, mut of, mut late) = (None, None, None);
    fields.keys(|key, value| match key {
        "done" => once(&mut done, "done", value),
        "of" => once(&mut of, "of", value),
        "late" => once(&mut late, "late", value),
        _ => Ok(()),
    })?;
    let done = done.ok_or(WireError::Missing("done"))?;
    Ok(Line::End { done, of: of.ok_or(WireError::Missing("of"))?, late: late.unwrap_or(0) })
}

fn serve<'a>(fields: Fields<'a>) -> Result<Line<'a>, WireError> {
    let mut name = None;
    fields.keys(|key, value| match key {
        "name" => once(&mut name, "name", value),
        _ => Ok(()),
    })?;
    let Name(name) = name.ok_or(WireError::Missing("name"))?;
    Ok(Line::Serve { name })
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::Start { name, n, bad, nameserver, domain } => {
                write!(f, "{MAGIC} start name={name} n={n} bad={bad}")?;
                if let Some(nameserver) = nameserver {
                    write!(f, " nameserver={nameserver}")?;
                }
                match domain {
                    Some(domain) => write!(f, " domain={domain}"),
                    None => Ok(()),
                }
            }
            Line::Bad { line, why } => write!(f, "bad {line} {why}"),
            Line::Result(result) => result.fmt(f),
            Line::End { done, of, late } => write!(f, "{MAGIC} end done={done} of={of} late={late}"),
            Line::Serve { name } => write!(f, "{MAGIC} serve name={name}"),
            Line::Seen { protocol, name } => write!(f, "seen {protocol} {name}"),
            Line::Comment(text) => write!(f, "#{text}"),
        }
    }
}
