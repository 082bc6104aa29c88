//! Reads a plan from standard input or a file into probes the prober can run.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::SocketAddr;

use crate::resolv::Resolv;
use crate::sys::{self, Errno, Fd};
use wire::{Destination, Kind, MAX_PLAN_BYTES, MAX_PROBES, PlanHeader, PlanLine, QueryType, parse_plan_line};

/// How long the next piece of a plan is waited for, in nanoseconds: whoever was to send it may have gone without a word.
const PATIENCE: u64 = 60_000 * sys::MILLISECOND;
/// Refusals remembered; beyond, they are only counted.
const MAX_REFUSALS: usize = 1_000;

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

/// Why a line was refused: what is wrong, and the field it is wrong with.
pub type Refusal = (&'static str, &'static str);

/// A plan as read.
#[derive(Default)]
pub struct Plan {
    pub jobs: Vec<Job>,
    /// Line number and reason of the lines refused, the first of them.
    pub refusals: Vec<(u32, Refusal)>,
    /// How many lines were refused.
    pub refused: u32,
    pub inflight: usize,
}

/// Why there is no plan to run.
pub enum NoPlan {
    /// It cannot be read.
    Unreadable(Errno),
    /// A line without which no other can be understood.
    Refused(u32, Refusal),
    /// The agent was told to stop first.
    Stopped,
}

/// Reads up to the line `end`.
///
/// # Errors
///
/// There is no plan to run.
#[inline(never)]
pub fn load(path: Option<&str>, resolv: &Resolv, stop: &Fd) -> Result<Plan, NoPlan> {
    let text = match path {
        None => read_all(&sys::STDIN, stop)?,
        Some(path) => {
            let mut name = Vec::from(path);
            name.push(0);
            let name = CStr::from_bytes_with_nul(&name).map_err(|_| NoPlan::Unreadable(sys::EINVAL))?;
            read_all(&sys::open(name).map_err(NoPlan::Unreadable)?, stop)?
        }
    };
    let mut reader = Reader { plan: Plan::default(), header: None, resolv };
    let mut number = 0;
    let mut rest = &text[..];
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        number += 1;
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            continue;
        }
        match reader.line(line) {
            Ok(true) => return Ok(reader.plan),
            Ok(false) => {}
            // Without a header nothing that follows means anything: one line says so.
            Err(why) if reader.header.is_none() => return Err(NoPlan::Refused(number, why)),
            Err(why) => reader.refuse(number, why),
        }
    }
    if rest != b"end" {
        // What is left has no line feed: it may be the beginning of another line, and is not taken for one.
        reader.refuse(number + 1, ("the plan stops here, without its line \"end\"", ""));
    }
    if reader.header.is_none() { Err(NoPlan::Refused(1, NO_HEADER)) } else { Ok(reader.plan) }
}

const NO_HEADER: Refusal = ("a plan begins with a line \"cni-probe/1 plan\"", "");

/// A file to its end, or to the closing line of a plan.
#[inline(never)]
pub fn read_all(fd: &Fd, stop: &Fd) -> Result<Vec<u8>, NoPlan> {
    let mut text = Vec::new();
    let mut buffer = [0u8; 16 << 10];
    loop {
        match sys::poll(fd, false, Some(stop), PATIENCE) {
            (_, true) => return Err(NoPlan::Stopped),
            (false, false) => return Err(NoPlan::Unreadable(sys::ETIMEDOUT)),
            (true, false) => {}
        }
        let count = match sys::read(fd, &mut buffer) {
            Ok(count) => count,
            Err(sys::EINTR | sys::EAGAIN) => continue,
            Err(errno) => return Err(NoPlan::Unreadable(errno)),
        };
        let before = text.len();
        text.extend_from_slice(&buffer[..count]);
        if text.len() > MAX_PLAN_BYTES {
            return Err(NoPlan::Unreadable(sys::EFBIG));
        }
        // Over exec, standard input may stay open for ever: the closing line ends the plan.
        let tail = &text[before.saturating_sub(5)..];
        if count == 0 || text.starts_with(b"end\n") || tail.windows(5).any(|window| window == b"\nend\n") {
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
    fn refuse(&mut self, number: u32, why: Refusal) {
        self.plan.refused += 1;
        if self.plan.refusals.len() < MAX_REFUSALS {
            self.plan.refusals.push((number, why));
        }
    }

    /// True at the closing line.
    #[inline(never)]
    fn line(&mut self, line: &[u8]) -> Result<bool, Refusal> {
        let probe = match parse_plan_line(line).map_err(|error| error.words())? {
            PlanLine::Comment(_) => return Ok(false),
            PlanLine::Header(header) => {
                if self.header.is_some() {
                    return Err(("second header", ""));
                }
                self.plan.inflight = header.inflight as usize;
                self.header = Some(header);
                return Ok(false);
            }
            PlanLine::End if self.header.is_some() => return Ok(true),
            PlanLine::End => return Err(NO_HEADER),
            PlanLine::Probe(probe) => probe,
        };
        let Some(header) = self.header else { return Err(NO_HEADER) };
        let jobs = &mut self.plan.jobs;
        if jobs.len() >= MAX_PROBES {
            return Err(("too many probes", ""));
        }
        // Growing ids are unique ids, and can be found again by halving.
        if jobs.last().is_some_and(|last| last.id >= probe.id) {
            return Err(("id does not grow", ""));
        }
        let after = match probe.after {
            None => None,
            Some(id) => match jobs.binary_search_by_key(&id, |job| job.id) {
                Ok(index) => Some(index),
                Err(_) => return Err(("after names no earlier probe", "")),
            },
        };
        let (to, configured) = match (probe.dest, self.resolv.nameserver) {
            (Destination::Socket(to), _) => (to, false),
            (Destination::ResolvConf, Some(to)) => (to, true),
            (Destination::ResolvConf, None) => return Err(("no nameserver in resolv.conf", "")),
        };
        jobs.push(Job {
            id: probe.id,
            action: action(probe.kind, self.resolv),
            to,
            configured,
            timeout: nanoseconds(probe.timeout.unwrap_or(header.timeout)),
            gap: nanoseconds(probe.gap.unwrap_or(header.gap)),
            tries: probe.tries.unwrap_or(header.tries),
            after,
        });
        Ok(false)
    }
}

fn nanoseconds(ms: u32) -> u64 {
    u64::from(ms) * sys::MILLISECOND
}

#[inline(never)]
fn action(kind: Kind<'_>, resolv: &Resolv) -> Action {
    match kind {
        Kind::Connect => Action::Connect,
        Kind::Tcp { bytes } => Action::Tcp { bytes },
        Kind::Udp { bytes, reply } => Action::Udp { bytes, reply },
        Kind::Pmtu => Action::Pmtu,
        Kind::Http { path } => Action::Http { path: path.into() },
        Kind::Sctp => Action::Sctp,
        Kind::Dns { name, qtype, tcp } => {
            let (front, domain) = match name.strip_suffix('~') {
                Some(front) => (front, resolv.domain.as_deref().unwrap_or("cluster.local")),
                None => (name, ""),
            };
            Action::Dns { name: [front, domain].concat().into_boxed_str(), qtype, tcp }
        }
    }
}
