//! Plan lines, from the plugin to the agent: what to probe, and how patiently.

use crate::fields::{FieldValue, Fields, checked, unknown_first_word};
use crate::kind::Kind;
use crate::text::{Sink, Text, displayed, number, number_field, socket};
use crate::{MAGIC, WireError};
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
///
/// # Errors
///
/// The first thing that is wrong with the line.
#[inline(never)]
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

impl Text for PlanLine<'_> {
    fn write(&self, out: &mut Sink<'_>) {
        match self {
            PlanLine::Header(header) => header.write(out),
            PlanLine::Probe(probe) => probe.write(out),
            PlanLine::End => out("end"),
            PlanLine::Comment(text) => {
                out("#");
                out(text);
            }
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

/// The bounds of the fields that a header and a probe share.
const MOST_MS: u32 = 600_000;
const MOST_TRIES: u32 = 100;

impl PlanHeader {
    #[inline(never)]
    fn parse(fields: Fields<'_>) -> Result<Self, WireError> {
        let keys = fields.keys()?;
        let default = Self::default();
        Ok(PlanHeader {
            timeout: keys.number("timeout", 1..=MOST_MS)?.unwrap_or(default.timeout),
            tries: keys.number("tries", 1..=MOST_TRIES)?.map_or(default.tries, |tries| tries as u16),
            gap: keys.number("gap", 0..=MOST_MS)?.unwrap_or(default.gap),
            inflight: keys.number("inflight", 1..=65_536)?.unwrap_or(default.inflight),
        })
    }
}

impl Text for PlanHeader {
    fn write(&self, out: &mut Sink<'_>) {
        out(MAGIC);
        out(" plan");
        number_field(out, " timeout=", Some(self.timeout));
        number_field(out, " tries=", Some(u32::from(self.tries)));
        number_field(out, " gap=", Some(self.gap));
        number_field(out, " inflight=", Some(self.inflight));
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

impl<'a> Probe<'a> {
    /// A probe that leaves everything else to the header.
    pub fn new(id: u32, kind: Kind<'a>, dest: Destination) -> Self {
        Probe { id, kind, dest, timeout: None, tries: None, gap: None, after: None }
    }

    #[inline(never)]
    fn parse(mut fields: Fields<'a>) -> Result<Self, WireError> {
        let id = fields.value("id")?;
        let word = fields.word("kind")?;
        let dest = fields.value("destination")?;
        let keys = fields.keys()?;
        let kind = Kind::read(word, keys)?;
        if dest == Destination::ResolvConf && !matches!(kind, Kind::Dns { .. }) {
            return Err(WireError::Invalid("destination"));
        }
        Ok(Probe {
            id,
            kind,
            dest,
            timeout: keys.number("timeout", 1..=MOST_MS)?,
            tries: keys.number("tries", 1..=MOST_TRIES)?.map(|tries| tries as u16),
            gap: keys.number("gap", 0..=MOST_MS)?,
            after: keys.number("after", 0..=u32::MAX)?,
        })
    }
}

impl Text for Probe<'_> {
    fn write(&self, out: &mut Sink<'_>) {
        out("p ");
        number(out, u64::from(self.id));
        out(" ");
        out(self.kind.word());
        out(" ");
        match &self.dest {
            Destination::Socket(to) => socket(out, to),
            Destination::ResolvConf => out("-"),
        }
        self.kind.write_keys(out);
        number_field(out, " timeout=", self.timeout);
        number_field(out, " tries=", self.tries.map(u32::from));
        number_field(out, " gap=", self.gap);
        number_field(out, " after=", self.after);
    }
}

impl FieldValue<'_> for Destination {
    fn read(text: &str) -> Option<Self> {
        if text == "-" { Some(Destination::ResolvConf) } else { SocketAddr::read(text).map(Destination::Socket) }
    }
}

displayed!(PlanLine<'_>, PlanHeader, Probe<'_>);
