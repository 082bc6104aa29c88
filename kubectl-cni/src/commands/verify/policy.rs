//! The policy smoke test: shut a port that was open, see it shut, open it, see it open. Polls instead of sleeping.

use std::time::Duration;

use cni_facts::{Enforcement, cluster_enforcement};
use tokio::time::{Instant, sleep};

use super::live::Live;
use super::rounds::send;
use crate::probe::judge::judge;
use crate::probe::plan::{Path, Probe, Round};

/// How long a deny policy may take, by what is expected of the CNI.
fn patience(expected: &Enforcement) -> Duration {
    match expected {
        Enforcement::Enforces => Duration::from_secs(15),
        Enforcement::Depends(_) => Duration::from_millis(1_500),
        Enforcement::DoesNot => Duration::from_millis(1_000),
    }
}

/// How long a removed policy may take.
const REOPEN: Duration = Duration::from_secs(15);
/// Time between rounds.
const PAUSE: Duration = Duration::from_millis(300);

pub(super) async fn run(live: &mut Live<'_>) {
    if live.recording.denied.iter().any(|(step, _)| step == "policy") {
        return; // the reason is noted already
    }
    live.recording.policy.trouble = None;
    let open_before = pairs(live, Round::PolicyBefore, true);
    if open_before == 0 {
        return;
    }
    let Some(manifest) = live.session.as_ref().map(|session| session.spec.deny_policy()) else { return };
    let wait = patience(&cluster_enforcement(&live.detections));
    let started = Instant::now();
    let created = match live.session.as_mut() {
        Some(session) => session.create(&manifest).await,
        None => return,
    };
    if let Err(error) = created {
        live.recording.policy.trouble = Some(error.to_string());
        return;
    }
    live.recording.policy.shut_ms = poll(live, Round::PolicyDenied, false, wait, started).await;
    live.recording.policy.waited_ms = millis(started);
    let removed = Instant::now();
    let deleted = match live.session.as_mut() {
        Some(session) => session.delete(&manifest).await,
        None => return,
    };
    if let Err(error) = deleted {
        live.recording.policy.trouble = Some(format!("removing the policy: {error}"));
        return;
    }
    live.recording.policy.open_ms = poll(live, Round::PolicyAfter, true, REOPEN, removed).await;
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Repeats a round until every pair that was open before is as wanted. Milliseconds it took, or `None`.
async fn poll(live: &mut Live<'_>, round: Round, open: bool, wait: Duration, started: Instant) -> Option<u64> {
    let probes: Vec<Probe> = live.recording.plan.probes.iter().filter(|probe| probe.round == round).copied().collect();
    let what = if open {
        "policy removed, waiting for the port to open"
    } else {
        "policy created, waiting for the port to shut"
    };
    loop {
        let sent = Instant::now();
        if send(live, &probes, what).await.is_err() {
            live.recording.policy.trouble = Some("the agents could not be asked".to_owned());
            return None;
        }
        let wanted = pairs(live, Round::PolicyBefore, true);
        if pairs(live, round, open) >= wanted {
            return Some(u64::try_from((sent - started).as_millis()).unwrap_or(u64::MAX));
        }
        if started.elapsed() >= wait {
            return None;
        }
        sleep(PAUSE).await;
    }
}

/// How many pairs of a round came out open, or shut, at their last try; only pairs that were open before count.
fn pairs(live: &Live<'_>, round: Round, open: bool) -> usize {
    let judged = judge(&live.recording.topology, &live.recording.plan, &live.recording.runs);
    let key = |probe: &Probe| (probe.node, probe.path, probe.family);
    let before: std::collections::BTreeSet<_> = judged
        .iter()
        .filter(|one| {
            one.probe.round == Round::PolicyBefore && one.good() && matches!(one.probe.path, Path::Policy { .. })
        })
        .map(|one| key(&one.probe))
        .collect();
    judged
        .iter()
        .filter(|one| one.probe.round == round && before.contains(&key(&one.probe)))
        .filter(|one| if open { one.good() } else { one.bad() })
        .count()
}
