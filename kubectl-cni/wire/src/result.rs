//! Result lines, from the agent to the plugin: how one probe ended.

use crate::fields::{FieldValue, Fields, Name};
use crate::text::{Sink, Text, address, displayed, number, number_field, socket, text_field};
use crate::{MAX_ADDRESSES, WireError};
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

impl Text for Outcome {
    fn write(&self, out: &mut Sink<'_>) {
        out(word_of(&OUTCOMES, *self));
    }
}

impl Text for Why {
    fn write(&self, out: &mut Sink<'_>) {
        out(word_of(&WHYS, *self));
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
    /// The DNS answer says that it was cut short to fit: `n` and `ans` may lack some.
    pub truncated: bool,
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
        let keys = fields.keys()?;
        let detail = Detail {
            rtt: keys.read("rtt")?,
            retrans: keys.read("retrans")?,
            errno: keys.read("errno")?,
            icmp: keys.read("icmp")?,
            from: keys.read("from")?,
            why: keys.read("why")?,
            got: keys.read("got")?,
            name: keys.read("name")?.map(|Name(text)| text),
            src: keys.read("src")?,
            mtu: keys.read("mtu")?,
            largest: keys.read("largest")?,
            rcode: keys.read("rcode")?,
            truncated: keys.number("tc", 0..=1)? == Some(1),
            n: keys.read("n")?,
            ans: keys.read("ans")?.unwrap_or_default(),
            to: keys.read("to")?,
            http: keys.read("http")?,
        };
        Ok(ResultLine { id, outcome, us: keys.needed("us")?, tries: keys.needed("try")?, detail })
    }
}

impl Text for ResultLine<'_> {
    fn write(&self, out: &mut Sink<'_>) {
        let detail = &self.detail;
        out("r ");
        number(out, u64::from(self.id));
        out(" ");
        self.outcome.write(out);
        for (key, value) in [
            (" us=", Some(self.us)),
            (" try=", Some(u32::from(self.tries))),
            (" rtt=", detail.rtt),
            (" retrans=", detail.retrans),
            (" errno=", detail.errno.map(u32::from)),
            (" got=", detail.got),
            (" mtu=", detail.mtu),
            (" largest=", detail.largest),
            (" rcode=", detail.rcode.map(u32::from)),
            (" tc=", detail.truncated.then_some(1)),
            (" n=", detail.n),
            (" http=", detail.http.map(u32::from)),
        ] {
            number_field(out, key, value);
        }
        if let Some(Icmp { kind, code }) = detail.icmp {
            number_field(out, " icmp=", Some(u32::from(kind)));
            number_field(out, "/", Some(u32::from(code)));
        }
        for (key, value) in [(" from=", &detail.from), (" src=", &detail.src)] {
            if let Some(value) = value {
                out(key);
                address(out, value);
            }
        }
        text_field(out, " why=", detail.why.map(|why| word_of(&WHYS, why)));
        text_field(out, " name=", detail.name);
        let mut separator = " ans=";
        for value in detail.ans.iter() {
            out(separator);
            address(out, &value);
            separator = ",";
        }
        if let Some(to) = &detail.to {
            out(" to=");
            socket(out, to);
        }
    }
}

displayed!(Outcome, Why, ResultLine<'_>);
