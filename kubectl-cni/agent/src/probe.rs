//! The prober: runs a plan's jobs, many at once, and prints one line for each. This file keeps slots, timers and order; talk.rs says what is
//! sent and what an answer means.

mod echo;
mod found;
mod intake;
mod search;
mod talk;

use alloc::collections::{BinaryHeap, VecDeque};
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::Options;
use crate::load::{Action, Job, NoPlan, Plan};
use crate::out::Out;
use crate::resolv;
use crate::sys::{self, Event, Fd, MILLISECOND, Transport};
use found::{Found, failed};
use intake::{announce, error_word, wait_for_plan};
use talk::Talk;
use wire::{Detail, Icmp, Line, Outcome, ResultLine, Why};

/// Epoll data of the termination descriptor.
const TERMINATION: u64 = u64::MAX;
/// Probes started before events are looked at, so that answers are not read late.
const BURST: usize = 64;
/// Bytes of results waiting for a slow reader before no more probes are started; those under way go on, and nothing is dropped.
const FULL: usize = 1 << 20;
/// How often a slow reader is looked at, in milliseconds.
const RETRY: u64 = 20;
/// Steps of a search at the most: the full size, the ladder, and halving the widest gap between two rungs.
const STEPS: u64 = 16;
/// How the prober ended.
#[derive(PartialEq, Eq)]
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

/// How far a job has come.
struct State {
    /// Tries used.
    tries: u16,
    finished: bool,
    /// Jobs that wait for this one to end.
    dependents: Vec<usize>,
}

struct Prober<'a> {
    name: &'a str,
    epoll: Fd,
    jobs: Vec<Job>,
    /// By job.
    states: Vec<State>,
    ready: VecDeque<usize>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    timers: BinaryHeap<Reverse<(u64, Timer)>>,
    active: usize,
    done: usize,
    inflight: usize,
    late: u64,
    out: &'a mut Out,
}

/// Reads the plan, runs it, prints the results.
pub fn run(options: &Options<'_>, termination: &Fd, out: &mut Out) -> Ended {
    let resolv = resolv::read(termination);
    match wait_for_plan(options, &resolv, termination) {
        Ok(plan) => {
            let start = (plan.jobs.len(), plan.refused);
            announce(out, options.name, Some(&resolv), start, &plan.refusals);
            Prober::new(options.name, plan, out).map_or(Ended::NoPlan, |mut prober| prober.run(termination))
        }
        Err(NoPlan::Stopped) => Ended::Interrupted,
        Err(NoPlan::Refused(line, why)) => {
            announce(out, options.name, None, (0, 1), &[(line, why)]);
            Ended::NoPlan
        }
        Err(NoPlan::Unreadable(errno)) => {
            announce(out, options.name, None, (0, 1), &[(0, ("the plan cannot be read: ", error_word(errno)))]);
            Ended::NoPlan
        }
    }
}

impl<'a> Prober<'a> {
    fn new(name: &'a str, plan: Plan, out: &'a mut Out) -> Option<Prober<'a>> {
        let epoll = sys::epoll().ok()?;
        let files = sys::raise_file_limit();
        let mut states = Vec::with_capacity(plan.jobs.len());
        let mut ready = VecDeque::new();
        for (index, job) in plan.jobs.iter().enumerate() {
            states.push(State { tries: 0, finished: false, dependents: Vec::new() });
            match job.after {
                Some(first) => states[first].dependents.push(index),
                None => ready.push_back(index),
            }
        }
        Some(Prober {
            name,
            epoll,
            jobs: plan.jobs,
            states,
            ready,
            slots: Vec::new(),
            free: Vec::new(),
            timers: BinaryHeap::new(),
            active: 0,
            done: 0,
            inflight: plan.inflight.min(files.saturating_sub(16)).max(1),
            late: 0,
            out,
        })
    }

    fn run(&mut self, termination: &Fd) -> Ended {
        let _ = sys::watch(&self.epoll, termination, sys::READABLE, TERMINATION);
        let mut events = alloc::vec![Event::default(); 512];
        while self.done < self.jobs.len() {
            let mut started = 0;
            let mut starved = false;
            let room = self.out.waiting() < FULL;
            while room && started < BURST && self.active < self.inflight {
                let Some(job) = self.ready.pop_front() else { break };
                if !self.start(job) {
                    self.ready.push_front(job);
                    starved = true;
                    break;
                }
                started += 1;
            }
            if self.done == self.jobs.len() {
                break; // the last ones failed at once: there is no event to wait for
            }
            let now = sys::now();
            let more = room && !self.ready.is_empty() && self.active < self.inflight && !starved;
            let mut ms = match self.timers.peek() {
                _ if more => 0,
                Some(Reverse((when, _))) => when.saturating_sub(now).div_ceil(MILLISECOND).min(60_000),
                None => 60_000,
            };
            if ms > 0 {
                self.out.flush();
                if self.out.waiting() > 0 {
                    ms = ms.min(RETRY);
                }
            }
            let Ok(count) = sys::wait(&self.epoll, &mut events, ms as i32) else { break };
            for event in &events[..count] {
                let (data, flags) = (event.data, event.flags);
                if data == TERMINATION {
                    return self.interrupted();
                }
                let slot = data as u32 as usize;
                if self
                    .slots
                    .get(slot)
                    .is_some_and(|found| found.generation == (data >> 32) as u32 && found.fd.is_some())
                {
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
            let live = |slot: usize, generation: u32| {
                self.slots[slot].generation == generation && self.slots[slot].fd.is_some()
            };
            match timer {
                Timer::Again { job } => self.ready.push_back(job),
                Timer::Timeout { slot, generation } if live(slot, generation) => {
                    self.late = self.late.max(now - when);
                    let mut found = Found::default();
                    let outcome = self.slots[slot].talk.timed_out(&mut found);
                    self.finish(slot, outcome, found);
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
            if !self.states[index].finished {
                let detail = Detail { why: Some(Why::Interrupted), ..Detail::default() };
                let tries = self.states[index].tries.max(1);
                let result = ResultLine { id: self.jobs[index].id, outcome: Outcome::Error, us: 0, tries, detail };
                self.out.line(&Line::Result(result));
                self.done += 1;
            }
        }
        self.end();
        Ended::Interrupted
    }

    fn end(&mut self) {
        let of = self.jobs.len() as u32;
        self.out.line(&Line::End { done: self.done as u32, of, late: (self.late / MILLISECOND) as u32 });
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
        self.states[index].tries += 1;
        let generation = self.slots[slot].generation;
        self.slots[slot] =
            Slot { fd: None, generation, job: index, started, talk: Talk::of(&self.jobs[index], self.name) };
        let job = &self.jobs[index];
        let fd = match fd {
            Ok(fd) => fd,
            Err(errno) => {
                self.fail(slot, errno, true);
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
        let patience = if matches!(job.action, Action::Pmtu) { STEPS * step_time(job) } else { job.timeout };
        self.timers.push(Reverse((started + patience, Timer::Timeout { slot, generation })));
        self.slots[slot].fd = Some(fd);
        match result {
            Err(errno) => self.fail(slot, errno, true),
            Ok(()) if transport == Transport::Udp => self.speak(slot),
            Ok(()) => {}
        }
        true
    }

    /// A datagram socket is ready, or a stream just connected: the first words.
    fn speak(&mut self, slot: usize) {
        let mut found = Found::default();
        let Slot { fd: Some(fd), generation, started, talk, job } = &mut self.slots[slot] else { return };
        if let Some(outcome) = talk.begin(fd, &mut found) {
            return self.finish(slot, outcome, found);
        }
        if talk.searching() {
            let when = *started + step_time(&self.jobs[*job]);
            self.timers.push(Reverse((when, Timer::Step { slot, generation: *generation })));
        }
        self.rewatch(slot);
    }

    fn step(&mut self, slot: usize) {
        let mut found = Found::default();
        let Slot { fd: Some(fd), generation, talk, job, .. } = &mut self.slots[slot] else { return };
        match talk.step(fd, &mut found) {
            Some(outcome) => self.finish(slot, outcome, found),
            None => {
                let when = sys::now() + step_time(&self.jobs[*job]);
                self.timers.push(Reverse((when, Timer::Step { slot, generation: *generation })));
            }
        }
    }

    #[inline(never)]
    fn event(&mut self, slot: usize, flags: u32) {
        let mut found = Found::default();
        let Slot { fd: Some(fd), talk, .. } = &mut self.slots[slot] else { return };
        if flags & sys::FAILED != 0
            && let Some(error) = sys::queued_error(fd)
        {
            let icmp = error.icmp.map(|(kind, code)| Icmp { kind, code });
            // A search goes on: an ICMP error about a large packet says nothing of smaller ones.
            let _ = sys::socket_error(fd);
            if talk.note_icmp(fd, error.errno, icmp, error.from) {
                return;
            }
            (found.detail.icmp, found.detail.from) = (icmp, error.from);
            let outcome = talk.broken(error.errno, &mut found);
            return self.finish(slot, outcome, found);
        }
        if !talk.connected() {
            let errno = sys::socket_error(fd);
            if errno != 0 {
                return self.fail(slot, errno, false);
            }
            if flags & sys::WRITABLE == 0 {
                return;
            }
            return self.speak(slot);
        }
        match talk.progress(fd, flags, &mut found) {
            Some(outcome) => self.finish(slot, outcome, found),
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

    /// A try ended by an errno.
    fn fail(&mut self, slot: usize, errno: sys::Errno, local: bool) {
        let mut found = Found::default();
        let outcome = failed(errno, local, &mut found);
        self.finish(slot, outcome, found);
    }

    /// A try ended: print it, or try again.
    #[inline(never)]
    fn finish(&mut self, slot: usize, outcome: Outcome, mut found: Found) {
        let now = sys::now();
        let slotted = &mut self.slots[slot];
        let (index, started) = (slotted.job, slotted.started);
        if let Some(fd) = &slotted.fd {
            slotted.talk.measure(fd, &mut found.detail);
        }
        slotted.fd = None;
        slotted.talk = Talk::nothing();
        slotted.generation = slotted.generation.wrapping_add(1) & 0x7fff_ffff;
        self.free.push(slot);
        self.active -= 1;
        let (job, state) = (&self.jobs[index], &mut self.states[index]);
        let again = !matches!(outcome, Outcome::Open | Outcome::Unsupported) && state.tries < job.tries;
        // A search has tried every size more than once already.
        if again && !matches!(job.action, Action::Pmtu) {
            self.timers.push(Reverse((now + job.gap, Timer::Again { job: index })));
            return;
        }
        state.finished = true;
        self.done += 1;
        self.ready.extend(core::mem::take(&mut state.dependents));
        let us = ((now - started) / 1_000).min(u64::from(u32::MAX)) as u32;
        let detail = Detail { name: found.name.as_deref(), to: job.configured.then_some(job.to), ..found.detail };
        self.out.line(&Line::Result(ResultLine { id: job.id, outcome, us, tries: state.tries, detail }));
    }
}

/// Time of one step of a search: an eighth of the patience, so that all steps fit.
fn step_time(job: &Job) -> u64 {
    (job.timeout / 8).clamp(100 * MILLISECOND, 400 * MILLISECOND)
}
