//! The probe agent: answers echo requests, and sends probes by a plan. One thread, one epoll, no library, no file but those it is given.
//! `GRAMMAR.md` beside the wire crate says what it reads and prints.

#![no_std]
#![no_main]

extern crate alloc;
extern crate cni_probe_wire as wire;

mod dns;
mod load;
mod mem;
mod out;
mod pmtu;
mod probe;
mod resolv;
mod serve;
mod start;
mod sys;

use alloc::vec::Vec;

const USAGE: &[u8] = b"usage: cni-probe serve|probe|run name=N [plan=FILE] [tcp=PORT,...] [udp=PORT,...] [until=UNIX-SECONDS] [idle=SECONDS]\n";

/// Arguments after the verb.
#[derive(Default)]
pub struct Options<'a> {
    pub name: &'a str,
    pub plan: Option<&'a str>,
    pub tcp: Vec<u16>,
    pub udp: Vec<u16>,
    /// Unix time after which the server stops, 0 for never.
    pub until: u64,
    /// Seconds after which a silent connection is closed.
    pub idle: u64,
}

/// Runs the verb; the result is the exit status.
pub fn main(arguments: &[&'static [u8]]) -> i32 {
    let mut words = arguments.iter().skip(1).map(|bytes| core::str::from_utf8(bytes).unwrap_or(""));
    let verb = words.next().unwrap_or("");
    let mut options = Options { idle: 60, ..Options::default() };
    for word in words {
        if option(&mut options, word).is_none() {
            return complain(word);
        }
    }
    if !wire::is_name(options.name) {
        return complain("name=");
    }
    let Ok(termination) = sys::termination() else { return complain("signals") };
    let mut out = out::Out::stdout();
    match verb {
        "serve" => {}
        "probe" | "run" => {
            let ended = probe::run(&options, &termination, &mut out);
            // Whoever reads slowly does not keep the server from starting.
            if verb == "probe" || ended != probe::Ended::Done {
                out.drain(&termination);
                return ended.code();
            }
        }
        _ => return complain(verb),
    }
    let status = serve::run(&options, &termination, &mut out);
    out.drain(&termination);
    status
}

fn option(options: &mut Options<'static>, word: &'static str) -> Option<()> {
    let (key, value) = wire::text::cut(word, b'=')?;
    match key {
        "name" => options.name = value,
        "plan" => options.plan = Some(value),
        "tcp" => options.tcp = ports(value)?,
        "udp" => options.udp = ports(value)?,
        "until" => options.until = number(value)?,
        "idle" => options.idle = number(value).filter(|seconds| *seconds > 0)?,
        _ => return None,
    }
    Some(())
}

fn number(text: &str) -> Option<u64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

fn ports(text: &str) -> Option<Vec<u16>> {
    let (mut ports, mut rest) = (Vec::new(), Some(text));
    while let Some(text) = rest {
        let (port, more) = wire::text::cut(text, b',').map_or((text, None), |(port, more)| (port, Some(more)));
        ports.push(number(port).and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0)?);
        rest = more;
    }
    Some(ports)
}

/// One line that names the word, one that says what is right.
fn complain(word: &str) -> i32 {
    for piece in [b"cni-probe: cannot use \"", word.as_bytes(), b"\"\n", USAGE] {
        let _ = sys::write(&sys::STDERR, piece);
    }
    2
}
