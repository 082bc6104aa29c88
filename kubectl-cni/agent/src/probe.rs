//! The prober: runs a plan's jobs, many at once, and prints one line for each. One file per concern: this one keeps slots, timers and order;
//! talk.rs says what is sent and what an answer means.

mod talk;

use alloc::boxed::Box;
use alloc::collections::{BinaryHeap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::Options;
use crate::load::{self, Action, Job, Plan};
use crate::out::Out;
use crate::resolv::{self, Resolv};
use crate::sys::{self, Event, Fd, Transport};
use wire::{Detail, Icmp, Line, Outcome, ResultLine, Why};
use talk::{Reply, Talk};

/// Epoll data of the termination descriptor.
const TERMINATION: u64 = u64::MAX;
/// Probes started before events are looked at, so that answers are not read late.
const BURST: usize = 64;
const MILLISECOND: u64 = 1_000_000;
/// How long `run` waits for its plan to be mounted.
const PLAN_WAIT: u64 = 60_000 * MILLISECOND;

/// How the prober ended.
pub enum Ended {
    /// All jobs have a result.
    Done,
    /// Told to stop; what was undecided was printed as such.
    Interrupted,
    /// The plan could not be read.
    NoPlan,
}

impl Ended {
    /// Exit status.
    pub fn code(&self) -> i32 {
        match self {
            Ended::Done | Ended::Interrupted => 0,
            Ended::NoPlan => 1,
        }
    }
}

/// One probe under way.
struct Slot {
    fd: Option<Fd>,
    generation: u32,
    job: usize,
    started: u64,
    talk: Talk,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The try in this slot has waited long enough.
    Timeout { slot: usize, generation: u32 },
    /// The next step of a search for the MTU.
    Step { slot: usize, generation: u32 },
    /// The job may be tried again.
    Again { job: usize },
}

struct Prober<'a> {
    name: &'a str,
    epoll: Fd,
    jobs: Vec<Job>,
    /// Tries used by each job.
    tries: Vec<u16>,
    /// Jobs that wait for each job to end.
    dependents: Vec<Vec<usize>>,
    ready: VecDeque<usize>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    timers: BinaryHeap<Reverse<(u64, Timer)>>,
    active: usize,
    done: usize,
    finished: Vec<bool>,
    inflight: usize,
    late: u64,
    out: Out,
}

/// Reads the plan, runs it, prints the results.
pub fn run(options: &Options<'_>, termination: &Fd) -> Ended {
    let mut out = Out::stdout();
    let resolv = resolv::read();
    let plan = match wait_for_plan(options, &resolv, termination) {
        Ok(plan) => plan,
        Err(errno) => {
            out.line(Line::Start { name: options.name, n: 0, bad: 1, nameserver: None, domain: None });
            out.line(Line::Bad { line: 0, why: &alloc::format!("cannot read the plan: errno {errno}") });
            out.flush();
            return Ended::NoPlan;
        }
    };
    let Ok(epoll) = sys::epoll() else { return Ended::NoPlan };
    let files = sys::raise_file_limit();
    let count = plan.jobs.len();
    out.line(Line::Start {
        name: options.name,
        n: count as u32,
        bad: plan.bad.len() as u32,
        nameserver: resolv.nameserver.map(|server| server.ip()),
        domain: resolv.domain.as_deref(),
    });
    for (line, why) in &plan.bad {
        out.line(Line::Bad { line: *line, why });
    }
    let Plan { jobs, inflight, .. } = plan;
    let mut prober = Prober {
        name: options.name,
        epoll,
        tries: alloc::vec![0; count],
        dependents: alloc::vec![Vec::new(); count],
        ready: VecDeque::new(),
        slots: Vec::new(),
        free: Vec::new(),
        timers: BinaryHeap::new(),
        active: 0,
        done: 0,
        finished: alloc::vec![false; count],
        inflight: inflight.min(files.saturating_sub(16)).max(1),
        late: 0,
        out,
        jobs,
    };
    for index in 0..count {
        match prober.jobs[index].after {
            Some(first) => prober.dependents[first].push(index),
            None => prober.ready.push_back(index),
        }
    }
    prober.run(termination)
}

/// The plan, which may be mounted a little later than the program starts.
#[inline(never)]
fn wait_for_plan(options: &Options<'_>, resolv: &Resolv, termination: &Fd) -> sys::Result<Plan> {
    let deadline = sys::now() + PLAN_WAIT;
    let epoll = sys::epoll()?;
    sys::watch(&epoll, termination, sys::READABLE, TERMINATION)?;
    loop {
        match load::load(options.plan, resolv) {
            Err(2) if options.plan.is_some() && sys::now() < deadline => {
                let mut event = [Event::default()];
                if sys::wait(&epoll, &mut event, 200)? > 0 {
                    sys::exit(0);
                }
            }
            other => return other,
        }
    }
}

impl Prober<'_> {
    fn run(&mut self, termination: &Fd) -> Ended {
        let _ = sys::watch(&self.epoll, termination, sys::READABLE, TERMINATION);
        let mut events = alloc::vec![Event::default(); 512];
        while self.done < self.jobs.len() {
            let mut started = 0;
            let mut starved = false;
            while started < BURST && self.active < self.inflight {
                let Some(job) = self.ready.pop_front() else { break };
                if !self.start(job) {
                    self.ready.push_front(job);
                    starved = true;
                    break;
                }
                started += 1;
            }
            let now = sys::now();
            let more = !self.ready.is_empty() && self.active < self.inflight && !starved;
            let ms = match self.timers.peek() {
                _ if more => 0,
                Some(Reverse((when, _))) => when.saturating_sub(now).div_ceil(MILLISECOND).min(60_000) as i32,
                None => 60_000,
            };
            if ms > 0 {
                self.out.flush();
            }
            let Ok(count) = sys::wait(&self.epoll, &mut events, ms) else { break };
            for event in &events[..count] {
                let (data, flags) = (event.data, event.flags);
                if data == TERMINATION {
                    return self.interrupted();
                }
                let slot = data as u32 as usize;
                if self.slots.get(slot).is_some_and(|found| found.generation == (data >> 32) as u32 && found.fd.is_some()) {
                    self.event(slot, flags);
                }
            }
            self.run_timers();
        }
        self.end();
        Ended::Done
    }

    #[inline(never)]

    fn run_timers(&mut self) {
        let now = sys::now();
        while let Some(&Reverse((when, timer))) = self.timers.peek() {
            if when > now {
                break;
            }
            self.timers.pop();
            let live = |slot: usize, generation: u32| self.slots[slot].generation == generation && self.slots[slot].fd.is_some();
            match timer {
                Timer::Again { job } => self.ready.push_back(job),
                Timer::Timeout { slot, generation } if live(slot, generation) => {
                    self.late = self.late.max(now - when);
                    let reply = self.slots[slot].talk.timed_out();
                    self.finish(slot, reply);
                }
                Timer::Step { slot, generation } if live(slot, generation) => {
                    self.late = self.late.max(now - when);
                    self.step(slot);
                }
                Timer::Timeout { .. } | Timer::Step { .. } => {}
            }
        }
    }

    fn interrupted(&mut self) -> Ended {
        for index in 0..self.jobs.len() {
            if !self.finished[index] {
                let detail = Detail { why: Some(Why::Interrupted), ..Detail::default() };
                let result = ResultLine { id: self.jobs[index].id, outcome: Outcome::Error, us: 0, tries: self.tries[index].max(1), detail };
                self.out.line(Line::Result(result));
                self.done += 1;
            }
        }
        self.end();
        Ended::Interrupted
    }

    fn end(&mut self) {
        let of = self.jobs.len() as u32;
        self.out.line(Line::End { done: self.done as u32, of, late: (self.late / MILLISECOND) as u32 });
        self.out.flush();
    }

    /// Starts a try. False when descriptors have run out for the moment.
    #[inline(never)]
    fn start(&mut self, index: usize) -> bool {
        let job = &self.jobs[index];
        let v6 = job.to.is_ipv6();
        let transport = match job.action {
            Action::Udp { .. } | Action::Pmtu | Action::Dns { tcp: false, .. } => Transport::Udp,
            Action::Sctp => Transport::Sctp,
            _ => Transport::Tcp,
        };
        let fd = match sys::socket(v6, transport) {
            Err(sys::EMFILE | sys::ENFILE) if self.active > 0 => return false,
            other => other,
        };
        let started = sys::now();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { fd: None, generation: 0, job: 0, started: 0, talk: Talk::nothing() });
            self.slots.len() - 1
        });
        self.active += 1;
        self.tries[index] += 1;
        let generation = self.slots[slot].generation;
        self.slots[slot] = Slot { fd: None, generation, job: index, started, talk: Talk::of(&self.jobs[index], self.name) };
        let job = &self.jobs[index];
        let fd = match fd {
            Ok(fd) => fd,
            Err(errno) => {
                self.finish(slot, Reply::failed(errno, true));
                return true;
            }
        };
        let _ = sys::report_errors(&fd, v6);
        if transport == Transport::Udp {
            let _ = sys::dont_fragment(&fd, v6, matches!(job.action, Action::Pmtu));
        } else {
            let _ = sys::no_delay(&fd);
            let _ = sys::reset_on_close(&fd);
        }
        let connected = sys::connect(&fd, &job.to);
        let data = u64::from(generation) << 32 | slot as u64;
        let flags = if transport == Transport::Udp { sys::READABLE } else { sys::WRITABLE };
        let result = match connected {
            Err(errno) if errno != sys::EINPROGRESS => Err(errno),
            _ => sys::watch(&self.epoll, &fd, flags, data),
        };
        // A search takes steps of an eighth of the patience, a dozen at the most; it ends by itself.
        let patience = if matches!(job.action, Action::Pmtu) { 2 * job.timeout } else { job.timeout };
        self.timers.push(Reverse((started + patience, Timer::Timeout { slot, generation })));
        self.slots[slot].fd = Some(fd);
        match result {
            Err(errno) => self.finish(slot, Reply::failed(errno, true)),
            Ok(()) if transport == Transport::Udp => self.speak(slot),
            Ok(()) => {}
        }
        true
    }

    /// A datagram socket is ready, or a stream just connected: the first words.
    fn speak(&mut self, slot: usize) {
        let found = &mut self.slots[slot];
        let Some(fd) = &found.fd else { return };
        let reply = found.talk.begin(fd);
        let (generation, started) = (found.generation, found.started);
        let searching = found.talk.searching();
        if let Some(reply) = reply {
            return self.finish(slot, reply);
        }
        if searching {
            let time = step_time(&self.jobs[self.slots[slot].job]);
            self.timers.push(Reverse((started + time, Timer::Step { slot, generation })));
        }
        self.rewatch(slot);
    }

    fn step(&mut self, slot: usize) {
        let found = &mut self.slots[slot];
        let Some(fd) = &found.fd else { return };
        let generation = found.generation;
        match found.talk.step(fd) {
            Some(reply) => self.finish(slot, reply),
            None => {
                let time = step_time(&self.jobs[self.slots[slot].job]);
                self.timers.push(Reverse((sys::now() + time, Timer::Step { slot, generation })));
            }
        }
    }

    #[inline(never)]

    fn event(&mut self, slot: usize, flags: u32) {
        let found = &mut self.slots[slot];
        let Some(fd) = &found.fd else { return };
        if flags & sys::FAILED != 0
            && let Some(error) = sys::queued_error(fd)
        {
            let icmp = error.icmp.map(|(kind, code)| Icmp { kind, code });
            // A search goes on: an ICMP error about a large packet says nothing of smaller ones.
            if found.talk.note_icmp(error.errno, icmp, error.from) {
                let _ = sys::socket_error(fd);
                return;
            }
            let mut reply = found.talk.broken(error.errno);
            (reply.detail.icmp, reply.detail.from) = (icmp, error.from);
            return self.finish(slot, reply);
        }
        if !found.talk.connected() {
            let errno = sys::socket_error(fd);
            if errno != 0 {
                return self.finish(slot, Reply::failed(errno, false));
            }
            if flags & sys::WRITABLE == 0 {
                return;
            }
            return self.speak(slot);
        }
        match found.talk.progress(fd, flags) {
            Some(reply) => self.finish(slot, reply),
            None => self.rewatch(slot),
        }
    }

    /// Watches for writing only while there is something to write.
    fn rewatch(&mut self, slot: usize) {
        let found = &mut self.slots[slot];
        let Some(fd) = &found.fd else { return };
        let data = u64::from(found.generation) << 32 | slot as u64;
        let flags = sys::READABLE | if found.talk.wants_to_write() { sys::WRITABLE } else { 0 };
        let _ = sys::rewatch(&self.epoll, fd, flags, data);
    }

    /// A try ended: print it, or try again.
    fn finish(&mut self, slot: usize, mut reply: Reply) {
        let now = sys::now();
        let found = &mut self.slots[slot];
        let (index, started) = (found.job, found.started);
        if let Some(fd) = &found.fd {
            found.talk.measure(fd, &mut reply.detail);
        }
        found.fd = None;
        found.talk = Talk::nothing();
        found.generation = found.generation.wrapping_add(1) & 0x7fff_ffff;
        self.free.push(slot);
        self.active -= 1;
        let job = &self.jobs[index];
        let again = !matches!(reply.outcome, Outcome::Open | Outcome::Unsupported) && self.tries[index] < job.tries;
        // A search has tried every size more than once already.
        if again && !matches!(job.action, Action::Pmtu) {
            self.timers.push(Reverse((now + job.gap, Timer::Again { job: index })));
            return;
        }
        self.finished[index] = true;
        self.done += 1;
        let mut detail = reply.detail;
        let name: Option<Box<str>> = reply.name.map(String::into_boxed_str);
        let detail = Detail { name: name.as_deref(), to: job.configured.then_some(job.to), ..core::mem::take(&mut detail) };
        let us = ((now - started) / 1_000).min(u64::from(u32::MAX)) as u32;
        let result = ResultLine { id: job.id, outcome: reply.outcome, us, tries: self.tries[index], detail };
        self.out.line(Line::Result(result));
        for dependent in core::mem::take(&mut self.dependents[index]) {
            self.ready.push_back(dependent);
        }
    }
}

/// Time of one step of a search: an eighth of the patience, so that all steps fit.
fn step_time(job: &Job) -> u64 {
    (job.timeout / 8).clamp(100 * MILLISECOND, 400 * MILLISECOND)
}
