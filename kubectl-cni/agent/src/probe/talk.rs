//! What one try sends and what its answers mean, by kind of probe.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use core::net::IpAddr;

use crate::dns;
use crate::load::{Action, Job};
use crate::pmtu::{CAP, Search};
use crate::sys::{self, Errno, Fd};
use wire::exchange::{Request, parse_response};
use wire::{Detail, Icmp, MAX_LINE, Outcome, Protocol, Why};

/// How a try ended.
pub struct Reply {
    pub outcome: Outcome,
    pub name: Option<String>,
    pub detail: Detail<'static>,
}

impl Reply {
    fn new(outcome: Outcome) -> Reply {
        Reply { outcome, name: None, detail: Detail::default() }
    }

    fn why(outcome: Outcome, why: Why) -> Reply {
        Reply { detail: Detail { why: Some(why), ..Detail::default() }, ..Reply::new(outcome) }
    }

    /// What an errno means. `local`: the own node refused before anything was sent.
    pub fn failed(errno: Errno, local: bool) -> Reply {
        let outcome = match errno {
            sys::ECONNREFUSED => Outcome::Refused,
            sys::EHOSTUNREACH | sys::ENETUNREACH => Outcome::Unreachable,
            // IPv6 filters that prohibit answer so; IPv4 ones come as EHOSTUNREACH.
            sys::EACCES | sys::EPERM if !local => Outcome::Unreachable,
            sys::ETIMEDOUT => Outcome::Timeout,
            sys::EAFNOSUPPORT | sys::EPROTONOSUPPORT | sys::ESOCKTNOSUPPORT => Outcome::Unsupported,
            sys::ECONNRESET | sys::EPIPE => Outcome::Refused,
            sys::EMSGSIZE => Outcome::Refused,
            _ => Outcome::Error,
        };
        let why = match errno {
            sys::ECONNRESET | sys::EPIPE => Some(Why::Reset),
            sys::EMSGSIZE => Some(Why::Local),
            _ if local && outcome == Outcome::Error => Some(Why::Local),
            _ => None,
        };
        Reply { detail: Detail { errno: Some(errno), why, ..Detail::default() }, ..Reply::new(outcome) }
    }
}

/// The conversation of one try.
pub struct Talk {
    connected: bool,
    /// To be sent on a stream.
    output: Vec<u8>,
    sent: usize,
    kind: Kind,
}

enum Kind {
    Nothing,
    /// Done once connected.
    Connect { tcp: bool },
    Tcp { bytes: u32, head: Vec<u8>, name: Option<String>, source: Option<IpAddr>, got: u32 },
    Udp { nonce: u64, reply: u32 },
    Pmtu { nonce: u64, overhead: u32, search: Box<Search>, own: String, icmp: Option<(Errno, Option<Icmp>, Option<IpAddr>)>, name: Option<String> },
    Dns { query: Vec<u8>, tcp: bool, input: Vec<u8> },
    Http { input: Vec<u8> },
}

/// Byte `index` of an echo payload. Changes with the position, so that a shifted or cut echo is noticed.
fn pattern(index: u32) -> u8 {
    b'a' + (index % 23) as u8
}

impl Talk {
    /// A slot at rest.
    pub fn nothing() -> Talk {
        Talk { connected: false, output: Vec::new(), sent: 0, kind: Kind::Nothing }
    }

    /// The conversation a job asks for.
    #[inline(never)]
    pub fn of(job: &Job, own: &str) -> Talk {
        let mut output = Vec::new();
        let kind = match &job.action {
            Action::Connect => Kind::Connect { tcp: true },
            Action::Sctp => Kind::Connect { tcp: false },
            Action::Tcp { bytes } => {
                let request = Request { protocol: Protocol::Tcp, number: u64::from(*bytes), reply: 0, name: own };
                output = header(&request);
                output.extend((0..*bytes).map(pattern));
                Kind::Tcp { bytes: *bytes, head: Vec::new(), name: None, source: None, got: 0 }
            }
            Action::Udp { bytes, reply } => {
                let nonce = sys::random();
                output = datagram(nonce, *reply, own, *bytes as usize);
                Kind::Udp { nonce, reply: *reply }
            }
            Action::Pmtu => {
                // IP and UDP headers around the payload.
                let overhead = if job.to.is_ipv6() { 48 } else { 28 };
                let search = Box::new(Search::new(0));
                Kind::Pmtu { nonce: sys::random(), overhead, search, own: String::from(own), icmp: None, name: None }
            }
            Action::Dns { name, qtype, tcp } => {
                let query = dns::query(sys::random() as u16, name, *qtype);
                if *tcp {
                    output.extend_from_slice(&(query.len() as u16).to_be_bytes());
                }
                output.extend_from_slice(&query);
                Kind::Dns { query, tcp: *tcp, input: Vec::new() }
            }
            Action::Http { path } => {
                let mut text = String::new();
                let _ = write!(text, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", job.to);
                output = text.into_bytes();
                Kind::Http { input: Vec::new() }
            }
        };
        Talk { connected: false, output, sent: 0, kind }
    }

    /// Whether the transport is up.
    pub fn connected(&self) -> bool {
        self.connected
    }

    /// Whether this is a search in steps.
    pub fn searching(&self) -> bool {
        matches!(self.kind, Kind::Pmtu { .. })
    }

    /// Whether the socket should be watched for room to write.
    pub fn wants_to_write(&self) -> bool {
        self.connected && self.sent < self.output.len()
    }

    /// Connected: the first words.
    #[inline(never)]
    pub fn begin(&mut self, fd: &Fd) -> Option<Reply> {
        self.connected = true;
        match &mut self.kind {
            Kind::Nothing => None,
            Kind::Connect { .. } => Some(Reply::new(Outcome::Open)),
            Kind::Udp { .. } | Kind::Dns { tcp: false, .. } => {
                let sent = sys::send(fd, &self.output);
                self.output.clear();
                sent.err().filter(|errno| *errno != sys::EAGAIN).map(|errno| {
                    let mut reply = Reply::failed(errno, true);
                    if errno == sys::EMSGSIZE {
                        reply.detail.mtu = sys::route_mtu(fd, false).or_else(|_| sys::route_mtu(fd, true)).ok();
                    }
                    reply
                })
            }
            Kind::Pmtu { search, overhead, .. } => {
                let mtu = match sys::route_mtu(fd, *overhead == 48) {
                    Ok(mtu) => mtu.min(CAP),
                    Err(errno) => return Some(Reply::failed(errno, true)),
                };
                **search = Search::new(mtu);
                let sizes = search.first();
                self.send_sizes(fd, &sizes)
            }
            Kind::Tcp { .. } | Kind::Dns { .. } | Kind::Http { .. } => self.write(fd),
        }
    }

    /// Something happened on the socket.
    #[inline(never)]
    pub fn progress(&mut self, fd: &Fd, flags: u32) -> Option<Reply> {
        if flags & sys::WRITABLE != 0
            && let Some(reply) = self.write(fd)
        {
            return Some(reply);
        }
        if flags & !sys::WRITABLE == 0 {
            return None;
        }
        let mut buffer = [0u8; 16 << 10];
        for _ in 0..16 {
            let count = match sys::recv(fd, &mut buffer) {
                Ok(count) => count,
                Err(sys::EAGAIN | sys::EINTR) => return None,
                Err(errno) => return Some(self.broken(errno)),
            };
            if let Some(reply) = self.take(&buffer[..count]) {
                return Some(reply);
            }
        }
        None
    }

    #[inline(never)]

    fn write(&mut self, fd: &Fd) -> Option<Reply> {
        while self.sent < self.output.len() {
            match sys::send(fd, &self.output[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(sys::EAGAIN | sys::EINTR) => return None,
                Err(errno) => return Some(self.broken(errno)),
            }
        }
        None
    }

    /// What came. An empty piece is the end of a stream.
    #[inline(never)]
    fn take(&mut self, bytes: &[u8]) -> Option<Reply> {
        match &mut self.kind {
            Kind::Tcp { bytes: wanted, head, name, source, got } => {
                if bytes.is_empty() {
                    return Some(with_got(Reply::why(Outcome::Error, Why::Closed), *got));
                }
                let mut rest = bytes;
                if name.is_none() {
                    head.extend_from_slice(bytes);
                    let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
                        return (head.len() > MAX_LINE).then(|| Reply::why(Outcome::Error, Why::Mismatch));
                    };
                    match parse_response(&head[..end]) {
                        Ok(response) if response.protocol == Protocol::Tcp && response.number == u64::from(*wanted) => {
                            (*name, *source) = (Some(String::from(response.name)), Some(response.source));
                        }
                        _ => return Some(Reply::why(Outcome::Error, Why::Mismatch)),
                    }
                    rest = &bytes[bytes.len() - (head.len() - end - 1)..];
                }
                for byte in rest {
                    if *got >= *wanted || *byte != pattern(*got) {
                        return Some(with_got(Reply::why(Outcome::Error, Why::Mismatch), *got));
                    }
                    *got += 1;
                }
                (*got == *wanted).then(|| {
                    let detail = Detail { src: *source, ..Detail::default() };
                    Reply { outcome: Outcome::Open, name: name.take(), detail }
                })
            }
            Kind::Udp { nonce, reply } => {
                let response = response_to(bytes, *nonce)?;
                let right = bytes.len() as u32 >= *reply;
                let detail = Detail { src: Some(response.1), ..Detail::default() };
                // An answer shorter than asked for is an answer of another program.
                Some(if right { Reply { outcome: Outcome::Open, name: Some(response.2), detail } } else { Reply::why(Outcome::Error, Why::Mismatch) })
            }
            Kind::Pmtu { nonce, overhead, search, name, .. } => {
                let (received, _, who) = response_to(bytes, *nonce)?;
                search.arrived(received + *overhead);
                *name = Some(who);
                search.complete().then(|| self.searched())
            }
            Kind::Dns { query, tcp, input } => {
                let message = if *tcp {
                    if bytes.is_empty() {
                        return Some(Reply::why(Outcome::Error, Why::Closed));
                    }
                    input.extend_from_slice(bytes);
                    let length = usize::from(u16::from_be_bytes([*input.first()?, *input.get(1)?]));
                    input.get(2..2 + length)?
                } else {
                    bytes
                };
                let answer = match dns::answer(query, message) {
                    Some(answer) => answer,
                    None if *tcp => return Some(Reply::why(Outcome::Error, Why::Mismatch)),
                    None => return None, // not an answer to this question: wait for the right one
                };
                let detail = Detail { rcode: Some(answer.rcode), n: Some(answer.count), ans: answer.addresses, ..Detail::default() };
                Some(Reply { detail, ..Reply::new(Outcome::Open) })
            }
            Kind::Http { input } => {
                input.extend_from_slice(bytes);
                let line_end = input.iter().position(|byte| *byte == b'\n');
                if line_end.is_none() && !bytes.is_empty() && input.len() < MAX_LINE {
                    return None;
                }
                let status = input.strip_prefix(b"HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|text| core::str::from_utf8(text).ok());
                Some(match status.and_then(|text| text.parse().ok()) {
                    Some(status) => Reply { detail: Detail { http: Some(status), ..Detail::default() }, ..Reply::new(Outcome::Open) },
                    None => Reply::why(Outcome::Error, Why::Mismatch),
                })
            }
            Kind::Connect { .. } | Kind::Nothing => None,
        }
    }

    /// The time of this try is over.
    pub fn timed_out(&mut self) -> Reply {
        match &self.kind {
            Kind::Pmtu { .. } => self.searched(),
            Kind::Tcp { got, .. } if self.connected => with_got(Reply::why(Outcome::Timeout, Why::Echo), *got),
            Kind::Dns { tcp: true, .. } | Kind::Http { .. } if self.connected => Reply::why(Outcome::Timeout, Why::Echo),
            _ => Reply::new(Outcome::Timeout),
        }
    }

    /// The connection broke after it was up.
    pub fn broken(&self, errno: Errno) -> Reply {
        let mut reply = Reply::failed(errno, false);
        if let Kind::Tcp { got, .. } = &self.kind
            && self.connected
        {
            reply = with_got(reply, *got);
        }
        reply
    }

    /// The next step of a search: the answers of the last one are in.
    pub fn step(&mut self, fd: &Fd) -> Option<Reply> {
        let Kind::Pmtu { search, .. } = &mut self.kind else { return None };
        let sizes = search.next();
        if sizes.is_empty() {
            return Some(self.searched());
        }
        self.send_sizes(fd, &sizes)
    }

    /// Remembers an ICMP error during a search; true when the try goes on.
    pub fn note_icmp(&mut self, errno: Errno, icmp: Option<Icmp>, from: Option<IpAddr>) -> bool {
        let Kind::Pmtu { icmp: noted, search, .. } = &mut self.kind else { return false };
        if !self.connected || search.mtu == 0 {
            return false;
        }
        *noted = noted.or(Some((errno, icmp, from)));
        true
    }

    fn send_sizes(&mut self, fd: &Fd, sizes: &[u32]) -> Option<Reply> {
        let Kind::Pmtu { nonce, overhead, own, .. } = &self.kind else { return None };
        for size in sizes {
            let bytes = datagram(*nonce, 0, own, size.saturating_sub(*overhead) as usize);
            match sys::send(fd, &bytes) {
                // An ICMP error about an earlier size is reported by the next send, which is then not sent: once more.
                Err(errno) if errno != sys::EAGAIN => {
                    let _ = sys::send(fd, &bytes);
                }
                _ => {}
            }
        }
        None
    }

    fn searched(&mut self) -> Reply {
        let Kind::Pmtu { search, icmp, name, .. } = &mut self.kind else { return Reply::new(Outcome::Error) };
        let mut reply = match (search.complete(), icmp.take()) {
            (true, _) => Reply::new(Outcome::Open),
            (false, Some((errno, kind, from))) => {
                let mut reply = Reply::failed(errno, false);
                if errno == sys::EMSGSIZE {
                    (reply.outcome, reply.detail.why) = (Outcome::Unreachable, None);
                }
                (reply.detail.icmp, reply.detail.from) = (kind, from);
                reply
            }
            (false, None) => Reply::new(Outcome::Timeout),
        };
        (reply.detail.mtu, reply.detail.largest) = (Some(search.mtu), Some(search.largest));
        reply.name = name.take();
        reply
    }

    /// What the kernel knows of a TCP connection.
    pub fn measure(&self, fd: &Fd, detail: &mut Detail<'static>) {
        if matches!(self.kind, Kind::Connect { tcp: true } | Kind::Tcp { .. } | Kind::Http { .. } | Kind::Dns { tcp: true, .. }) {
            let (rtt, retrans) = sys::tcp_info(fd);
            detail.rtt = self.connected.then_some(rtt).filter(|rtt| *rtt > 0);
            detail.retrans = Some(retrans);
        }
    }
}

fn with_got(mut reply: Reply, got: u32) -> Reply {
    reply.detail.got = Some(got);
    reply
}

#[inline(never)]

fn header(request: &Request<'_>) -> Vec<u8> {
    let mut text = String::new();
    let _ = writeln!(text, "{request}");
    text.into_bytes()
}

/// A request datagram padded to `length` payload bytes; never shorter than its header.
#[inline(never)]
fn datagram(nonce: u64, reply: u32, own: &str, length: usize) -> Vec<u8> {
    let mut bytes = header(&Request { protocol: Protocol::Udp, number: nonce, reply, name: own });
    if bytes.len() < length {
        bytes.resize(length, b'.');
    }
    bytes
}

/// Received length, source and name of an answer with our nonce.
fn response_to(bytes: &[u8], nonce: u64) -> Option<(u32, IpAddr, String)> {
    let end = bytes.iter().take(MAX_LINE).position(|byte| *byte == b'\n')?;
    let response = parse_response(&bytes[..end]).ok()?;
    (response.protocol == Protocol::Udp && response.number == nonce).then(|| (response.received, response.source, String::from(response.name)))
}
