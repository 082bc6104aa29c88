//! Plan lines, from the plugin to the agent: what to probe, and how patiently.

use crate::fields::{FieldValue, Fields, checked, is_label, once, unknown_first_word};
use crate::{MAGIC, MAX_NAME, MAX_TCP_BYTES, MAX_UDP_BYTES, MIN_UDP_REPLY, WireError};
use core::fmt;
use core::net::SocketAddr;

/// One line of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanLine<'a> {
    /// The first line.
    Header(PlanHeader),
    /// One probe.
    Probe(Probe<'a>),
    /// The last line.
    End,
    /// What follows a `#`.
    Comment(&'a str),
}

/// Reads one line of a plan, given without its line feed.
pub fn parse_plan_line(line: &[u8]) -> Result<PlanLine<'_>, WireError> {
    let text = checked(line)?;
    if let Some(comment) = text.strip_prefix('#') {
        return Ok(PlanLine::Comment(comment));
    }
    let mut fields = Fields::new(text);
    match fields.word("first word")? {
        "p" => Probe::parse(fields).map(PlanLine::Probe),
        "end" => fields.end().map(|()| PlanLine::End),
        MAGIC => match fields.word("plan")? {
            "plan" => PlanHeader::parse(fields).map(PlanLine::Header),
            _ => Err(WireError::UnknownLine),
        },
        word => Err(unknown_first_word(word)),
    }
}

impl fmt::Display for PlanLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanLine::Header(header) => header.fmt(f),
            PlanLine::Probe(probe) => probe.fmt(f),
            PlanLine::End => f.write_str("end"),
            PlanLine::Comment(text) => write!(f, "#{text}"),
        }
    }
}

/// What holds for every probe of a plan that does not say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanHeader {
    /// Patience with one try, in milliseconds: 1 to 600,000.
    pub timeout: u32,
    /// How often a probe that did not come out `open` is tried in all: 1 to 100.
    pub tries: u16,
    /// Pause between two tries, in milliseconds: up to 600,000.
    pub gap: u32,
    /// Probes at once: 1 to 65,536. The agent lowers it to what its descriptor limit allows.
    pub inflight: u32,
}

impl Default for PlanHeader {
    fn default() -> Self {
        PlanHeader { timeout: 2_500, tries: 2, gap: 200, inflight: 1_024 }
    }
}

impl PlanHeader {
    fn parse(fields: Fields<'_>) -> Result<Self, WireError> {
        let (mut timeout, mut tries, mut gap, mut inflight) = (None, None, None, None);
        fields.keys(|key, value| match key {
            "timeout" => once(&mut timeout, "timeout", value),
            "tries" => once(&mut tries, "tries", value),
            "gap" => once(&mut gap, "gap", value),
            "inflight" => once(&mut inflight, "inflight", value),
            _ => Ok(()),
        })?;
        let inflight = inflight.unwrap_or(Self::default().inflight);
        if !(1..=65_536).contains(&inflight) {
            return Err(WireError::Invalid("inflight"));
        }
        Ok(PlanHeader {
            timeout: timeout.map_or(Self::default().timeout, |Timeout(ms)| ms),
            tries: tries.map_or(Self::default().tries, |Tries(count)| count),
            gap: gap.map_or(Self::default().gap, |Gap(ms)| ms),
            inflight,
        })
    }
}

impl fmt::Display for PlanHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlanHeader { timeout, tries, gap, inflight } = self;
        write!(f, "{MAGIC} plan timeout={timeout} tries={tries} gap={gap} inflight={inflight}")
    }
}

/// One probe: what to send where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe<'a> {
    /// Unique in the plan; the result carries it.
    pub id: u32,
    /// What is sent, and what counts as an answer.
    pub kind: Kind<'a>,
    /// Where it goes.
    pub dest: Destination,
    /// Overrides [`PlanHeader::timeout`].
    pub timeout: Option<u32>,
    /// Overrides [`PlanHeader::tries`].
    pub tries: Option<u16>,
    /// Overrides [`PlanHeader::gap`].
    pub gap: Option<u32>,
    /// Starts when the earlier probe of this id has ended.
    pub after: Option<u32>,
}

/// Where a probe goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An address and port.
    Socket(SocketAddr),
    /// Written `-`, for [`Kind::Dns`] only: the first nameserver of the agent's /etc/resolv.conf.
    ResolvConf,
}

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

impl<'a> Probe<'a> {
    /// A probe that leaves everything else to the header.
    pub fn new(id: u32, kind: Kind<'a>, dest: Destination) -> Self {
        Probe { id, kind, dest, timeout: None, tries: None, gap: None, after: None }
    }

    fn parse(mut fields: Fields<'a>) -> Result<Self, WireError> {
        let id = fields.value("id")?;
        let kind_word = fields.word("kind")?;
        let dest: Destination = fields.value("destination")?;
        let mut keys = Keys::default();
        let (mut timeout, mut tries, mut gap, mut after) = (None, None, None, None);
        fields.keys(|key, value| match key {
            "timeout" => once(&mut timeout, "timeout", value),
            "tries" => once(&mut tries, "tries", value),
            "gap" => once(&mut gap, "gap", value),
            "after" => once(&mut after, "after", value),
            _ => keys.take(key, value),
        })?;
        let kind = keys.kind(kind_word)?;
        if dest == Destination::ResolvConf && !matches!(kind, Kind::Dns { .. }) {
            return Err(WireError::Invalid("destination"));
        }
        Ok(Probe {
            id,
            kind,
            dest,
            timeout: timeout.map(|Timeout(ms)| ms),
            tries: tries.map(|Tries(count)| count),
            gap: gap.map(|Gap(ms)| ms),
            after,
        })
    }
}

impl fmt::Display for Probe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p {} {} ", self.id, self.kind.word())?;
        match self.dest {
            Destination::Socket(address) => address.fmt(f)?,
            Destination::ResolvConf => f.write_str("-")?,
        }
        match self.kind {
            Kind::Connect | Kind::Pmtu | Kind::Sctp => {}
            Kind::Tcp { bytes } => write!(f, " bytes={bytes}")?,
            Kind::Udp { bytes, reply } => write!(f, " bytes={bytes} reply={reply}")?,
            Kind::Http { path } => write!(f, " path={path}")?,
            Kind::Dns { name, qtype, tcp } => {
                let qtype = match qtype {
                    QueryType::A => "A",
                    QueryType::Aaaa => "AAAA",
                };
                write!(f, " name={name} type={qtype}")?;
                if tcp {
                    f.write_str(" tcp=1")?;
                }
            }
        }
        for (key, value) in
            [("timeout", self.timeout), ("tries", self.tries.map(u32::from)), ("gap", self.gap), ("after", self.after)]
        {
            if let Some(value) = value {
                write!(f, " {key}={value}")?;
            }
        }
        Ok(())
    }
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
}

/// The keys that parametrise a kind. One that another kind uses is unknown here, so it is ignored.
#[derive(Default)]
struct Keys<'a> {
    bytes: Option<&'a str>,
    reply: Option<&'a str>,
    name: Option<&'a str>,
    qtype: Option<&'a str>,
    tcp: Option<&'a str>,
    path: Option<&'a str>,
}

impl<'a> Keys<'a> {
    fn take(&mut self, key: &str, value: &'a str) -> Result<(), WireError> {
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

    fn kind(self, word: &str) -> Result<Kind<'a>, WireError> {
        Ok(match word {
            "connect" => Kind::Connect,
            "pmtu" => Kind::Pmtu,
            "sctp" => Kind::Sctp,
            "tcp" => Kind::Tcp { bytes: size("bytes", self.bytes, MAX_TCP_BYTES)? },
            "udp" => {
                let bytes = size("bytes", self.bytes, MAX_UDP_BYTES)?;
                Kind::Udp { bytes, reply: size("reply", self.reply, bytes.max(MIN_UDP_REPLY))? }
            }
            "dns" => Kind::Dns {
                name: self.name.ok_or(WireError::Missing("name"))?.query_name()?,
                qtype: match self.qtype {
                    None | Some("A") => QueryType::A,
                    Some("AAAA") => QueryType::Aaaa,
                    Some(_) => return Err(WireError::Invalid("type")),
                },
                tcp: match self.tcp {
                    None | Some("0") => false,
                    Some("1") => true,
                    Some(_) => return Err(WireError::Invalid("tcp")),
                },
            },
            "http" => Kind::Http { path: self.path.ok_or(WireError::Missing("path"))?.path()? },
            _ => return Err(WireError::UnknownKind),
        })
    }
}

fn size(name: &'static str, text: Option<&str>, most: u32) -> Result<u32, WireError> {
    let Some(text) = text else { return Ok(most.min(64)) };
    u32::read(text).filter(|size| *size <= most).ok_or(WireError::Invalid(name))
}

trait ArgumentText<'a> {
    fn query_name(self) -> Result<&'a str, WireError>;
    fn path(self) -> Result<&'a str, WireError>;
}

impl<'a> ArgumentText<'a> for &'a str {
    /// Labels; the last one may be `~`.
    fn query_name(self) -> Result<&'a str, WireError> {
        let labels = self.strip_suffix(".~").unwrap_or(self);
        let right = labels.len() <= MAX_NAME && labels.trim_end_matches('.').split('.').all(is_label);
        if right { Ok(self) } else { Err(WireError::Invalid("name")) }
    }

    fn path(self) -> Result<&'a str, WireError> {
        if self.starts_with('/') { Ok(self) } else { Err(WireError::Invalid("path")) }
    }
}

impl<'a> FieldValue<'a> for &'a str {
    fn read(text: &'a str) -> Option<Self> {
        (!text.is_empty()).then_some(text)
    }
}

impl FieldValue<'_> for Destination {
    fn read(text: &str) -> Option<Self> {
        if text == "-" { Some(Destination::ResolvConf) } else { SocketAddr::read(text).map(Destination::Socket) }
    }
}

/// Milliseconds to wait for an answer.
struct Timeout(u32);

impl FieldValue<'_> for Timeout {
    fn read(text: &str) -> Option<Self> {
        u32::read(text).filter(|ms| (1..=600_000).contains(ms)).map(Timeout)
    }
}

/// How often a probe is tried.
struct Tries(u16);

impl FieldValue<'_> for Tries {
    fn read(text: &str) -> Option<Self> {
        u16::read(text).filter(|count| (1..=100).contains(count)).map(Tries)
    }
}

/// Milliseconds between tries.
struct Gap(u32);

impl FieldValue<'_> for Gap {
    fn read(text: &str) -> Option<Self> {
        u32::read(text).filter(|ms| *ms <= 600_000).map(Gap)
    }
}
