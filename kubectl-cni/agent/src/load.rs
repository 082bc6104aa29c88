//! Reads a plan from standard input or a file into probes the prober can run.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::SocketAddr;

use crate::resolv::Resolv;
use crate::sys::{self, Fd};
use wire::{Destination, Kind, MAX_PLAN_BYTES, MAX_PROBES, PlanHeader, PlanLine, QueryType, parse_plan_line};

/// What a probe sends.
pub enum Action {
    Connect,
    Tcp { bytes: u32 },
    Udp { bytes: u32, reply: u32 },
    Pmtu,
    Dns { name: Box<str>, qtype: QueryType, tcp: bool },
    Http { path: Box<str> },
    Sctp,
}

/// A probe, with the header's defaults filled in.
pub struct Job {
    pub id: u32,
    pub action: Action,
    pub to: SocketAddr,
    /// Where the destination came from resolv.conf.
    pub configured: bool,
    /// Nanoseconds.
    pub timeout: u64,
    /// Nanoseconds.
    pub gap: u64,
    pub tries: u16,
    /// Index of the job that has to end first.
    pub after: Option<usize>,
}

/// A plan as read.
#[derive(Default)]
pub struct Plan {
    pub jobs: Vec<Job>,
    /// Line number and reason of the lines refused.
    pub bad: Vec<(u32, String)>,
    pub inflight: usize,
}

/// Reads up to the line `end`, or the end of the input.
///
/// # Errors
///
/// The errno of what cannot be read.
#[inline(never)]
pub fn load(path: Option<&str>, resolv: &Resolv) -> sys::Result<Plan> {
    let text = match path {
        None => read_all(&sys::STDIN)?,
        Some(path) => {
            let name = format!("{path}\0");
            let name = CStr::from_bytes_with_nul(name.as_bytes()).map_err(|_| sys::EINVAL)?;
            read_all(&sys::open(name)?)?
        }
    };
    let mut reader = Reader { plan: Plan { inflight: 1024, ..Plan::default() }, header: None, resolv };
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        match reader.line(line) {
            Ok(true) => break,
            Ok(false) => {}
            Err(why) => reader.plan.bad.push((number, why)),
        }
    }
    Ok(reader.plan)
}

fn read_all(fd: &Fd) -> sys::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut buffer = [0u8; 16 << 10];
    loop {
        let count = match sys::read(fd, &mut buffer) {
            Ok(count) => count,
            Err(sys::EINTR) => continue,
            Err(errno) => return Err(errno),
        };
        let before = text.len();
        text.extend_from_slice(&buffer[..count]);
        // Over exec, standard input may stay open for ever: the closing line ends the plan.
        let tail = &text[before.saturating_sub(5)..];
        let ended = text.starts_with(b"end\n") || tail.windows(5).any(|window| window == b"\nend\n");
        if count == 0 || ended || text.len() > MAX_PLAN_BYTES {
            return Ok(text);
        }
    }
}

struct Reader<'a> {
    plan: Plan,
    header: Option<PlanHeader>,
    resolv: &'a Resolv,
}

impl Reader<'_> {
    /// True at the closing line.
    #[inline(never)]
    fn line(&mut self, line: &[u8]) -> Result<bool, String> {
        let parsed = parse_plan_line(line).map_err(|error| format!("{error}"))?;
        match (parsed, self.header) {
            (PlanLine::End, _) => return Ok(true),
            (PlanLine::Comment(_), _) => {}
            (PlanLine::Header(_), Some(_)) => return Err(String::from("second header")),
            (PlanLine::Header(header), None) => {
                self.plan.inflight = header.inflight as usize;
                self.header = Some(header);
            }
            (PlanLine::Probe(_), None) => return Err(String::from("no header before it")),
            (PlanLine::Probe(probe), Some(header)) => {
                if self.plan.jobs.len() >= MAX_PROBES {
                    return Err(String::from("too many probes"));
                }
                // Growing ids are unique ids, and can be found again by halving.
                if self.plan.jobs.last().is_some_and(|last| last.id >= probe.id) {
                    return Err(String::from("id does not grow"));
                }
                let after = match probe.after {
                    None => None,
                    Some(id) => {
                        let found = self.plan.jobs.binary_search_by_key(&id, |job| job.id);
                        Some(found.map_err(|_| String::from("after names no earlier probe"))?)
                    }
                };
                let (to, configured) = match probe.dest {
                    Destination::Socket(to) => (to, false),
                    Destination::ResolvConf => (self.resolv.nameserver.ok_or_else(|| String::from("no nameserver in resolv.conf"))?, true),
                };
                let ms = |ms: u32| u64::from(ms) * 1_000_000;
                self.plan.jobs.push(Job {
                    id: probe.id,
                    action: self.action(probe.kind),
                    to,
                    configured,
                    timeout: ms(probe.timeout.unwrap_or(header.timeout)),
                    gap: ms(probe.gap.unwrap_or(header.gap)),
                    tries: probe.tries.unwrap_or(header.tries),
                    after,
                });
            }
        }
        Ok(false)
    }

    #[inline(never)]

    fn action(&self, kind: Kind<'_>) -> Action {
        match kind {
            Kind::Connect => Action::Connect,
            Kind::Tcp { bytes } => Action::Tcp { bytes },
            Kind::Udp { bytes, reply } => Action::Udp { bytes, reply },
            Kind::Pmtu => Action::Pmtu,
            Kind::Http { path } => Action::Http { path: path.into() },
            Kind::Sctp => Action::Sctp,
            Kind::Dns { name, qtype, tcp } => {
                let domain = self.resolv.domain.as_deref().unwrap_or("cluster.local");
                let name = match name.strip_suffix('~') {
                    Some(front) => format!("{front}{domain}"),
                    None => String::from(name),
                };
                Action::Dns { name: name.into_boxed_str(), qtype, tcp }
            }
        }
    }
}

