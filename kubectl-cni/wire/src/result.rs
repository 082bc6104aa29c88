//! Result lines, from the agent to the plugin: how one probe ended.

use crate::fields::{Domain, FieldValue, Fields, Name, once};
use crate::{MAX_ADDRESSES, WireError};
use core::fmt;
use core::net::{IpAddr, SocketAddr};

/// How a probe ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The peer answered.
    Open,
    /// RST, or ICMP port unreachable.
    Refused,
    /// Another ICMP error, or no route.
    Unreachable,
    /// Silence.
    Timeout,
    /// The kernel has no such protocol or family.
    Unsupported,
    /// The agent could not try.
    Error,
}

/// Why, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Connected, then silence.
    Echo,
    /// Connected, then reset.
    Reset,
    /// The peer closed too early.
    Closed,
    /// Not what was sent, or not from whom it should be.
    Mismatch,
    /// Refused by the own node.
    Local,
    /// The agent was told to stop.
    Interrupted,
}

const OUTCOMES: [(Outcome, &str); 6] = [
    (Outcome::Open, "open"),
    (Outcome::Refused, "refused"),
    (Outcome::Unreachable, "unreachable"),
    (Outcome::Timeout, "timeout"),
    (Outcome::Unsupported, "unsupported"),
    (Outcome::Error, "error"),
];

const WHYS: [(Why, &str); 6] = [
    (Why::Echo, "echo"),
    (Why::Reset, "reset"),
    (Why::Closed, "closed"),
    (Why::Mismatch, "mismatch"),
    (Why::Local, "local"),
    (Why::Interrupted, "interrupted"),
];

fn word_of<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(known, _)| *known == value).map_or("", |(_, word)| word)
}

fn value_of<T: Copy>(table: &[(T, &str)], text: &str) -> Option<T> {
    table.iter().find(|(_, word)| *word == text).map(|(value, _)| *value)
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&OUTCOMES, *self))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word_of(&WHYS, *self))
    }
}

impl FieldValue<'_> for Outcome {
    fn read(text: &str) -> Option<Self> {
        value_of(&OUTCOMES, text)
    }
}

impl FieldValue<'_> for Why {
    fn read(text: &str) -> Option<Self> {
        value_of(&WHYS, text)
    }
}

/// ICMP type and code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Type.
    pub kind: u8,
    /// Code.
    pub code: u8,
}

impl FieldValue<'_> for Icmp {
    fn read(text: &str) -> Option<Self> {
        let (kind, code) = text.split_once('/')?;
        Some(Icmp { kind: u8::read(kind)?, code: u8::read(code)? })
    }
}

/// The addresses of a DNS answer, at most [`MAX_ADDRESSES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    list: [Option<IpAddr>; MAX_ADDRESSES],
}

impl Addresses {
    /// Adds one; beyond the limit it is dropped.
    pub fn push(&mut self, address: IpAddr) {
        if let Some(slot) = self.list.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(address);
        }
    }

    /// In the order of the answer.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> {
        self.list.into_iter().flatten()
    }
}

impl FieldValue<'_> for Addresses {
    fn read(text: &str) -> Option<Self> {
        let mut addresses = Addresses::default();
        for (index, part) in text.split(',').enumerate() {
            if index >= MAX_ADDRESSES {
                return None;
            }
            addresses.push(IpAddr::read(part)?);
        }
        Some(addresses)
    }
}

/// What is known beside the outcome. GRAMMAR.md says what each means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail<'a> {
    /// Kernel RTT, microseconds.
    pub rtt: Option<u32>,
    /// TCP retransmissions.
    pub retrans: Option<u32>,
    /// Errno of the last try.
    pub errno: Option<u16>,
    /// ICMP error.
    pub icmp: Option<Icmp>,
    /// Who sent it.
    pub from: Option<IpAddr>,
    /// What went wrong.
    pub why: Option<Why>,
    /// Bytes that came back.
    pub got: Option<u32>,
    /// Who answered.
    pub name: Option<&'a str>,
    /// Source address the peer saw.
    pub src: Option<IpAddr>,
    /// MTU of the route.
    pub mtu: Option<u32>,
    /// Largest IP packet that arrived.
    pub largest: Option<u32>,
    /// DNS response code.
    pub rcode: Option<u8>,
    /// Number of addresses in the DNS answer.
    pub n: Option<u32>,
    /// The first of them.
    pub ans: Addresses,
    /// Where a DNS query went that named no server.
    pub to: Option<SocketAddr>,
    /// HTTP status.
    pub http: Option<u16>,
}

/// One result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResultLine<'a> {
    /// Of the probe.
    pub id: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Duration of the last try, microseconds.
    pub us: u32,
    /// Number of the last try, from 1.
    pub tries: u16,
    /// The rest.
    pub detail: Detail<'a>,
}

impl<'a> ResultLine<'a> {
    pub(crate) fn parse(mut fields: Fields<'a>) -> Result<Self, WireError> {
        let id = fields.value("id")?;
        let outcome = fields.value("outcome")?;
        let (mut us, mut tries, mut name, mut ans) = (None, None, None, None);
        let mut detail = Detail::default();
        fields.keys(|key, value| match key {
            "us" => once(&mut us, "us", value),
            "try" => once(&mut tries, "try", value),
            "rtt" => once(&mut detail.rtt, "rtt", value),
            "retrans" => once(&mut detail.retrans, "retrans", value),
            "errno" => once(&mut detail.errno, "errno", value),
            "icmp" => once(&mut detail.icmp, "icmp", value),
            "from" => once(&mut detail.from, "from", value),
            "why" => once(&mut detail.why, "why", value),
            "got" => once(&mut detail.got, "got", value),
            "name" => once(&mut name, "name", value),
            "src" => once(&mut detail.src, "src", value),
            "mtu" => once(&mut detail.mtu, "mtu", value),
            "largest" => once(&mut detail.largest, "largest", value),
            "rcode" => once(&mut detail.rcode, "rcode", value),
            "n" => once(&mut detail.n, "n", value),
            "ans" => once(&mut ans, "ans", value),
            "to" => once(&mut detail.to, "to", value),
            "http" => once(&mut detail.http, "http", value),
            _ => Ok(()),
        })?;
        detail.name = name.map(|Name(text)| text);
        detail.ans = ans.unwrap_or_default();
        let us = us.ok_or(WireError::Missing("us"))?;
        let tries = tries.ok_or(WireError::Missing("try"))?;
        Ok(ResultLine { id, outcome, us, tries, detail })
    }
}

impl fmt::Display for ResultLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r {} {} us={} try={}", self.id, self.outcome, self.us, self.tries)?;
        let detail = &self.detail;
        let numbers = [
            ("rtt", detail.rtt),
            ("retrans", detail.retrans),
            ("errno", detail.errno.map(u32::from)),
            ("got", detail.got),
            ("mtu", detail.mtu),
            ("largest", detail.largest),
            ("rcode", detail.rcode.map(u32::from)),
            ("n", detail.n),
            ("http", detail.http.map(u32::from)),
        ];
        for (key, number) in numbers {
            if let Some(number) = number {
                write!(f, " {key}={number}")?;
            }
        }
        if let Some(Icmp { kind, code }) = detail.icmp {
            write!(f, " icmp={kind}/{code}")?;
        }
        for (key, address) in [("from", detail.from), ("src", detail.src)] {
            if let Some(address) = address {
                write!(f, " {key}={address}")?;
            }
        }
        if let Some(why) = detail.why {
            write!(f, " why={why}")?;
        }
        if let Some(name) = detail.name {
            write!(f, " name={name}")?;
        }
        for (index, address) in detail.ans.iter().enumerate() {
            write!(f, "{}{address}", if index == 0 { " ans=" } else { "," })?;
        }
        if let Some(to) = detail.to {
            write!(f, " to={to}")?;
        }
        Ok(())
    }
}

/// Keeps the type in use where only output lines need it.
pub(crate) fn domain<'a>(Domain(text): Domain<'a>) -> &'a str {
    text
}
