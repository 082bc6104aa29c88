//! What one try sends and what its answers mean, by kind of probe.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use super::echo::{datagram, header, line_end, pattern, response_to};
use super::found::{Found, failed};
use super::search::Pmtu;
use crate::dns;
use crate::load::{Action, Job};
use crate::pmtu::{CAP, Search};
use crate::sys::{self, Errno, Fd};
use wire::exchange::parse_response;
use wire::text::socket;
use wire::{Detail, Icmp, MAX_LINE, Outcome, Protocol, Why};

/// The conversation of one try.
pub struct Talk {
    connected: bool,
    /// To be sent on a stream; the payload of an echo comes after it and is made on the way, so that many at once need no memory.
    output: Vec<u8>,
    sent: usize,
    kind: Kind,
}

enum Kind {
    Nothing,
    /// Done once connected.
    Connect {
        tcp: bool,
    },
    /// `head` holds the answer's first line until it is complete; `got` counts the bytes echoed after it.
    Tcp {
        bytes: u32,
        head: Vec<u8>,
        from: Option<(Box<str>, IpAddr)>,
        got: u32,
    },
    Udp {
        nonce: u64,
        reply: u32,
    },
    Pmtu(Box<Pmtu>),
    Dns {
        query: Vec<u8>,
        tcp: bool,
        input: Vec<u8>,
    },
    Http {
        input: Vec<u8>,
    },
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
                output = header(Protocol::Tcp, u64::from(*bytes), 0, own);
                Kind::Tcp { bytes: *bytes, head: Vec::new(), from: None, got: 0 }
            }
            Action::Udp { bytes, reply } => {
                let nonce = sys::random();
                output = datagram(nonce, *reply, own, *bytes as usize);
                Kind::Udp { nonce, reply: *reply }
            }
            Action::Pmtu => {
                let overhead = if job.to.is_ipv6() { 48 } else { 28 };
                let search = Search::new(0);
                Kind::Pmtu(Box::new(Pmtu {
                    nonce: sys::random(),
                    overhead,
                    search,
                    own: own.into(),
                    icmp: None,
                    name: None,
                }))
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
                let mut put = |piece: &str| output.extend_from_slice(piece.as_bytes());
                put("GET ");
                put(path);
                put(" HTTP/1.0\r\nHost: ");
                socket(&mut put, &job.to);
                put("\r\n\r\n");
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
        self.connected && self.sent < self.output.len() + self.payload()
    }

    /// Connected: the first words.
    #[inline(never)]
    pub fn begin(&mut self, fd: &Fd, found: &mut Found) -> Option<Outcome> {
        self.connected = true;
        match &mut self.kind {
            Kind::Nothing => None,
            Kind::Connect { .. } => Some(Outcome::Open),
            Kind::Udp { .. } | Kind::Dns { tcp: false, .. } => {
                let sent = sys::send(fd, &self.output);
                self.output.clear();
                let errno = sent.err().filter(|errno| *errno != sys::EAGAIN)?;
                if errno == sys::EMSGSIZE {
                    found.detail.mtu = sys::route_mtu(fd, false).or_else(|_| sys::route_mtu(fd, true)).ok();
                }
                Some(failed(errno, true, found))
            }
            Kind::Pmtu(pmtu) => {
                match sys::route_mtu(fd, pmtu.overhead == 48) {
                    Ok(mtu) => pmtu.search = Search::new(mtu.min(CAP)),
                    Err(errno) => return Some(failed(errno, true, found)),
                }
                pmtu.send(fd, &[pmtu.search.mtu]);
                None
            }
            Kind::Tcp { .. } | Kind::Dns { .. } | Kind::Http { .. } => self.write(fd, found),
        }
    }

    /// Something happened on the socket.
    #[inline(never)]
    pub fn progress(&mut self, fd: &Fd, flags: u32, found: &mut Found) -> Option<Outcome> {
        if flags & sys::WRITABLE != 0
            && let Some(outcome) = self.write(fd, found)
        {
            return Some(outcome);
        }
        if flags & !sys::WRITABLE == 0 {
            return None;
        }
        let mut buffer = [0u8; 16 << 10];
        for _ in 0..16 {
            let count = match sys::recv(fd, &mut buffer) {
                Ok(count) => count,
                Err(sys::EAGAIN | sys::EINTR) => return None,
                Err(errno) => return Some(self.broken(errno, found)),
            };
            if let Some(outcome) = self.take(&buffer[..count], found) {
                return Some(outcome);
            }
        }
        None
    }

    /// Bytes of payload after `output`.
    fn payload(&self) -> usize {
        if let Kind::Tcp { bytes, .. } = self.kind { bytes as usize } else { 0 }
    }

    fn write(&mut self, fd: &Fd, found: &mut Found) -> Option<Outcome> {
        let whole = self.output.len() + self.payload();
        let mut piece = [0u8; 16 << 10];
        while self.sent < whole {
            let rest = match self.output.get(self.sent..) {
                Some(rest) if !rest.is_empty() => rest,
                _ => {
                    let first = self.sent - self.output.len();
                    for (index, byte) in piece.iter_mut().enumerate() {
                        *byte = pattern((first + index) as u32);
                    }
                    &piece[..piece.len().min(whole - self.sent)]
                }
            };
            match sys::send(fd, rest) {
                Ok(count) => self.sent += count,
                Err(sys::EAGAIN | sys::EINTR) => return None,
                Err(errno) => return Some(self.broken(errno, found)),
            }
        }
        None
    }

    /// What came. An empty piece is the end of a stream.
    #[inline(never)]
    fn take(&mut self, bytes: &[u8], found: &mut Found) -> Option<Outcome> {
        match &mut self.kind {
            Kind::Tcp { bytes: wanted, head, from, got } => {
                let mut rest = bytes;
                if bytes.is_empty() {
                    found.detail.got = Some(*got);
                    return found.because(Outcome::Error, Why::Closed);
                }
                if from.is_none() {
                    let before = head.len();
                    head.extend_from_slice(bytes);
                    let Some(end) = line_end(head) else {
                        return if head.len() > MAX_LINE { found.because(Outcome::Error, Why::Mismatch) } else { None };
                    };
                    *from = match parse_response(&head[..end]) {
                        Ok(answer) if answer.protocol == Protocol::Tcp && answer.number == u64::from(*wanted) => {
                            Some((answer.name.into(), answer.source))
                        }
                        _ => return found.because(Outcome::Error, Why::Mismatch),
                    };
                    rest = bytes.get(end + 1 - before..)?;
                }
                for byte in rest {
                    if *got >= *wanted || *byte != pattern(*got) {
                        found.detail.got = Some(*got);
                        return found.because(Outcome::Error, Why::Mismatch);
                    }
                    *got += 1;
                }
                if *got < *wanted {
                    return None;
                }
                let (name, source) = from.take()?;
                (found.name, found.detail.src) = (Some(name), Some(source));
                Some(Outcome::Open)
            }
            Kind::Udp { nonce, reply } => {
                let (_, source, name) = response_to(bytes, *nonce)?;
                if (bytes.len() as u32) < *reply {
                    // An answer shorter than asked for is an answer of another program.
                    return found.because(Outcome::Error, Why::Mismatch);
                }
                (found.name, found.detail.src) = (Some(name), Some(source));
                Some(Outcome::Open)
            }
            Kind::Pmtu(pmtu) => {
                let (received, _, name) = response_to(bytes, pmtu.nonce)?;
                pmtu.search.arrived(received.saturating_add(pmtu.overhead));
                pmtu.name = Some(name);
                if pmtu.search.complete() { Some(pmtu.searched(found)) } else { None }
            }
            Kind::Dns { query, tcp, input } => {
                let mut message = bytes;
                if *tcp {
                    if bytes.is_empty() {
                        return found.because(Outcome::Error, Why::Closed);
                    }
                    input.extend_from_slice(bytes);
                    let length = usize::from(u16::from_be_bytes([*input.first()?, *input.get(1)?]));
                    message = input.get(2..2 + length)?;
                }
                if dns::answer(query, message, &mut found.detail).is_some() {
                    Some(Outcome::Open)
                } else if *tcp {
                    found.because(Outcome::Error, Why::Mismatch)
                } else {
                    None // not an answer to this question: wait for the right one
                }
            }
            Kind::Http { input } => {
                input.extend_from_slice(bytes);
                if line_end(input).is_none() && !bytes.is_empty() && input.len() < MAX_LINE {
                    return None;
                }
                match http_status(input) {
                    None if input.is_empty() => found.because(Outcome::Error, Why::Closed),
                    None => found.because(Outcome::Error, Why::Mismatch),
                    status => {
                        found.detail.http = status;
                        Some(Outcome::Open)
                    }
                }
            }
            Kind::Connect { .. } | Kind::Nothing => None,
        }
    }

    /// The time of this try is over.
    pub fn timed_out(&mut self, found: &mut Found) -> Outcome {
        match &mut self.kind {
            Kind::Pmtu(pmtu) => return pmtu.searched(found),
            Kind::Tcp { got, .. } if self.connected => found.detail.got = Some(*got),
            Kind::Dns { tcp: true, .. } | Kind::Http { .. } if self.connected => {}
            _ => return Outcome::Timeout,
        }
        found.detail.why = Some(Why::Echo);
        Outcome::Timeout
    }

    /// The connection failed, or broke after it was up.
    pub fn broken(&self, errno: Errno, found: &mut Found) -> Outcome {
        if let Kind::Tcp { got, .. } = &self.kind
            && self.connected
        {
            found.detail.got = Some(*got);
        }
        failed(errno, false, found)
    }

    /// The next step of a search: the answers of the last one are in.
    pub fn step(&mut self, fd: &Fd, found: &mut Found) -> Option<Outcome> {
        let Kind::Pmtu(pmtu) = &mut self.kind else { return None };
        let sizes = pmtu.search.next();
        if sizes.is_empty() {
            return Some(pmtu.searched(found));
        }
        pmtu.send(fd, &sizes);
        None
    }

    /// Remembers an ICMP error during a search; true when the try goes on.
    pub fn note_icmp(&mut self, fd: &Fd, errno: Errno, icmp: Option<Icmp>, from: Option<IpAddr>) -> bool {
        let Kind::Pmtu(pmtu) = &mut self.kind else { return false };
        let searching = self.connected && pmtu.search.mtu > 0;
        if searching {
            pmtu.icmp.get_or_insert((errno, icmp, from));
            if errno == sys::EMSGSIZE {
                pmtu.narrow(fd);
            }
        }
        searching
    }

    /// What the kernel knows of a TCP connection.
    pub fn measure(&self, fd: &Fd, detail: &mut Detail<'static>) {
        if matches!(
            self.kind,
            Kind::Connect { tcp: true } | Kind::Tcp { .. } | Kind::Http { .. } | Kind::Dns { tcp: true, .. }
        ) {
            let (rtt, retrans) = sys::tcp_info(fd);
            detail.rtt = Some(rtt).filter(|rtt| self.connected && *rtt > 0);
            detail.retrans = Some(retrans);
        }
    }
}

/// The status of an HTTP/1 answer, from its first bytes.
fn http_status(answer: &[u8]) -> Option<u16> {
    let digits = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    digits.iter().try_fold(0, |status, byte| byte.is_ascii_digit().then(|| status * 10 + u16::from(byte - b'0')))
}
