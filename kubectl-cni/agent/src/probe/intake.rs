//! Before the first probe: the plan, which may come late, and the lines that say what it holds.

use crate::Options;
use crate::load::{self, NoPlan, Plan, Refusal};
use crate::out::Out;
use crate::resolv::Resolv;
use crate::sys::{self, Fd, MILLISECOND};
use wire::Line;
use wire::text::{Sink, Text};

/// How long `run` waits for its plan to be mounted.
const PLAN_WAIT: u64 = 60_000 * MILLISECOND;

/// What keeps a plan from being read.
pub fn error_word(errno: sys::Errno) -> &'static str {
    match errno {
        sys::ENOENT => "no such file",
        sys::EACCES => "not allowed",
        sys::ETIMEDOUT => "it does not come",
        sys::EFBIG => "too long",
        _ => "input error",
    }
}

/// The first lines: how many probes there are, and which lines were refused.
#[inline(never)]
pub fn announce(
    out: &mut Out,
    name: &str,
    resolv: Option<&Resolv>,
    (n, bad): (usize, u32),
    refusals: &[(u32, Refusal)],
) {
    let nameserver = resolv.and_then(|resolv| resolv.nameserver).map(|server| server.ip());
    let domain = resolv.and_then(|resolv| resolv.domain.as_deref());
    out.line(&Line::Start { name, n: n as u32, bad, nameserver, domain });
    for (line, why) in refusals {
        out.line(&Refused { line: *line, why: *why });
    }
}

/// A `bad` line.
struct Refused {
    line: u32,
    why: Refusal,
}

impl Text for Refused {
    fn write(&self, out: &mut Sink<'_>) {
        let (what, field) = self.why;
        Line::Bad { line: self.line, why: what }.write(out);
        out(field);
    }
}

/// The plan, which may be mounted a little later than the program starts.
#[inline(never)]
pub fn wait_for_plan(options: &Options<'_>, resolv: &Resolv, termination: &Fd) -> Result<Plan, NoPlan> {
    let deadline = sys::now() + PLAN_WAIT;
    loop {
        match load::load(options.plan, resolv, termination) {
            Err(NoPlan::Unreadable(sys::ENOENT)) if options.plan.is_some() && sys::now() < deadline => {
                if sys::poll(termination, false, None, 200 * MILLISECOND).0 {
                    return Err(NoPlan::Stopped);
                }
            }
            other => return other,
        }
    }
}
