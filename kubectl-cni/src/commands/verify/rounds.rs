//! Sends planned probes to the agents and keeps what comes back: by exec, or by ConfigMap and pod log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{Instant, sleep, sleep_until};

use super::live::{Live, Stop};
use super::start;
use crate::cli::Transport;
use crate::cluster::{CallError, endpoint_count, exec_plan, pod_log};
use crate::probe::judge::{State, judge};
use crate::probe::manifests::Role;
use crate::probe::observe::AgentRun;
use crate::probe::plan::{Origin, Probe, Round, wire_text};
use crate::snapshot::Missing;

/// What a client calls itself when it goes straight to pods.
const WITNESS: &str = "client";
/// Agents asked at once.
const AT_ONCE: usize = 32;
/// Tries of a probe that does not come out open, in its own round. [`confirm`] tries again what failed.
const TRIES: u8 = 1;
/// Tries when asked once more: three in all, so that one lost packet in twenty fails a healthy path once in eight thousand probes.
const TRIES_AGAIN: u8 = 2;
/// kube-proxy writes rules at most once a second by default (`--*-min-sync-period`); asked sooner, a new Service may have some backends only.
const RULES_SETTLE: Duration = Duration::from_millis(1_200);
/// How long the probe Services may take to get all their endpoints.
const ENDPOINTS_WAIT: Duration = Duration::from_secs(10);

/// Runs all probes of some rounds, on all nodes at the same time.
pub(super) async fn run(live: &mut Live<'_>, rounds: &[Round]) -> Result<(), Stop> {
    let probes: Vec<Probe> =
        live.recording.plan.probes.iter().filter(|probe| rounds.contains(&probe.round)).copied().collect();
    let by_log = live.recording.options.by_log;
    if by_log && rounds.contains(&Round::Pods) {
        // One generation of pods per plan is slow: Services are asked in the same one, after their endpoints are there.
        wait_endpoints(live).await;
        let probes: Vec<Probe> = live
            .recording
            .plan
            .probes
            .iter()
            .filter(|probe| rounds.contains(&probe.round) || probe.round == Round::Services)
            .copied()
            .collect();
        return send(live, &probes, "probing").await;
    }
    send(live, &probes, "probing").await
}

/// The Service rounds, once all endpoints are known to kube-proxy.
pub(super) async fn services(live: &mut Live<'_>) -> Result<(), Stop> {
    // By log they were asked together with the pods, unless exec was refused only when the pods were to be asked.
    if live.recording.options.by_log && asked(live, Round::Services) {
        return Ok(());
    }
    wait_endpoints(live).await;
    live.step_done("settling");
    run(live, &[Round::Services]).await
}

/// Whether anything came back from a round.
fn asked(live: &Live<'_>, round: Round) -> bool {
    let ids: BTreeSet<u32> =
        live.recording.plan.probes.iter().filter(|probe| probe.round == round).map(|probe| probe.id).collect();
    live.recording.runs.values().flatten().flat_map(|run| &run.observations).any(|one| ids.contains(&one.id))
}

/// Looks once whether the probe Service has its endpoints already: the time its rules take to settle then runs beside the pod round.
pub(super) async fn glance_at_endpoints(live: &mut Live<'_>) {
    let Some(service) = live.recording.topology.cluster_ip.clone() else { return };
    let found = endpoint_count(&live.cluster, &service.namespace, &service.name).await;
    if found.is_ok_and(|count| count >= servers(live)) {
        live.endpoints_since = Some(Instant::now());
    }
}

/// Server pods that run.
fn servers(live: &Live<'_>) -> usize {
    live.recording.topology.nodes.iter().filter(|node| node.server.is_some()).count()
}

async fn wait_endpoints(live: &mut Live<'_>) {
    let Some(service) = live.recording.topology.cluster_ip.clone() else { return };
    let wanted = servers(live);
    let deadline = Instant::now() + ENDPOINTS_WAIT;
    while live.endpoints_since.is_none() {
        let found = endpoint_count(&live.cluster, &service.namespace, &service.name).await;
        match found {
            Ok(count) if count < wanted && Instant::now() >= deadline => {
                let why =
                    format!("the probe Service has {count} of {wanted} endpoints after {} s", ENDPOINTS_WAIT.as_secs());
                live.deny("service", Missing::Failed(why));
                break;
            }
            Ok(count) if count < wanted => {
                live.progress.count("waiting for endpoints of the probe Service", count, wanted, "");
                sleep(Duration::from_millis(200)).await;
            }
            // Without the right to look, the time to settle has to do.
            Ok(_) | Err(_) => live.endpoints_since = Some(Instant::now()),
        }
    }
    live.progress.say("waiting for Service rules");
    sleep_until(live.endpoints_since.unwrap_or_else(Instant::now) + RULES_SETTLE).await;
}

/// Asks once more whatever failed, so that a passing loss is told from a broken path.
pub(super) async fn confirm(live: &mut Live<'_>) -> Result<(), Stop> {
    if live.recording.options.by_log {
        return Ok(()); // each probe was tried several times within its plan already
    }
    let failed: Vec<Probe> = judge(&live.recording.topology, &live.recording.plan, &live.recording.runs)
        .into_iter()
        .filter(|one| matches!(one.probe.round, Round::Pods | Round::Services) && matches!(one.state, State::Bad(_)))
        .map(|one| one.probe)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let what = format!("asking {} failed probes once more", failed.len());
    send_tries(live, &failed, &what, TRIES_AGAIN).await
}

/// Reads which UDP probes each server received, when something failed: that tells a lost request from a lost answer.
pub(super) async fn hear_witnesses(live: &mut Live<'_>) {
    let judged = judge(&live.recording.topology, &live.recording.plan, &live.recording.runs);
    let concerned: BTreeSet<usize> = judged
        .iter()
        .filter(|one| one.bad())
        .filter_map(|one| match one.probe.path {
            crate::probe::plan::Path::Pod { to, .. } if to != one.probe.node => Some([one.probe.node, to]),
            _ => None,
        })
        .flatten()
        .collect();
    let Some(session) = &live.session else { return };
    let namespace = session.spec.namespace.clone();
    live.progress.say("asking servers what they received");
    let cluster = &live.cluster;
    let names: BTreeMap<String, usize> = live
        .recording
        .topology
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (format!("{}/{WITNESS}", node.name), index))
        .collect();
    let asks = concerned
        .into_iter()
        .filter_map(|node| Some((node, live.recording.topology.nodes[node].server.as_ref()?.name.clone())));
    let heard: Vec<_> = futures::stream::iter(asks.map(|(node, pod)| {
        let namespace = namespace.clone();
        async move { (node, pod_log(cluster, &namespace, &pod, false, Duration::from_secs(10)).await) }
    }))
    .buffer_unordered(AT_ONCE)
    .collect()
    .await;
    for (node, answer) in heard {
        if let Ok((_, clients)) = answer {
            let received = clients.iter().filter_map(|name| names.get(name).copied()).collect();
            live.recording.witness.received.insert(node, received);
        }
    }
}

/// Sends probes to the agents of their nodes, once each.
pub(super) async fn send(live: &mut Live<'_>, probes: &[Probe], what: &str) -> Result<(), Stop> {
    send_tries(live, probes, what, TRIES).await
}

async fn send_tries(live: &mut Live<'_>, probes: &[Probe], what: &str, tries: u8) -> Result<(), Stop> {
    if probes.is_empty() {
        return Ok(());
    }
    if live.recording.options.by_log {
        return send_by_log(live, probes, what).await;
    }
    match send_by_exec(live, probes, what, tries).await? {
        None => Ok(()),
        Some(refused)
            if live.args.paths.transport == Transport::Auto
                && matches!(refused, CallError::Missing(Missing::Forbidden { .. }))
                && first_round(live) =>
        {
            live.progress
                .line(&format!("exec is refused ({refused}); plans go in by ConfigMap, results come out by pod log"));
            live.recording.options.by_log = true;
            remove_clients(live).await?;
            Box::pin(send_by_log(live, probes, what)).await
        }
        Some(refused) => {
            live.deny("exec", refused);
            Err(Stop)
        }
    }
}

fn first_round(live: &Live<'_>) -> bool {
    live.recording.runs.is_empty()
}

fn plan_timeout(live: &Live<'_>, tries: u8, probes: usize) -> (u32, Duration) {
    let timeout = u32::try_from(live.args.paths.probe_timeout.as_millis()).unwrap_or(u32::MAX);
    let waves = u32::try_from(probes / 1024 + 1).unwrap_or(1);
    let whole = live.args.paths.probe_timeout * u32::from(tries) * waves;
    (timeout, whole + Duration::from_secs(15))
}

/// `Some` when exec was refused before anything came back.
async fn send_by_exec(live: &mut Live<'_>, probes: &[Probe], what: &str, tries: u8) -> Result<Option<CallError>, Stop> {
    let namespace = live.session()?.spec.namespace.clone();
    let host_namespace = live.session()?.spec.host_namespace.clone();
    let mut by_agent: BTreeMap<(usize, Origin), Vec<&Probe>> = BTreeMap::new();
    for probe in probes {
        by_agent.entry((probe.node, probe.origin)).or_default().push(probe);
    }
    let total = by_agent.len();
    // Servers note who reached them. Through a Service or a node port a request may take a way around, so only the first round, which goes
    // straight to pods, bears the name that counts as a witness.
    let client = if first_round(live) { WITNESS } else { "client-again" };
    let topology = &live.recording.topology;
    let asks: Vec<_> = by_agent
        .into_iter()
        .filter_map(|((node, origin), probes)| {
            let here = &topology.nodes[node];
            let (pod, component, namespace) = match origin {
                Origin::Pod => (here.client.as_ref()?, client, namespace.clone()),
                Origin::Host => {
                    (here.host.as_ref()?, "host", host_namespace.clone().unwrap_or_else(|| namespace.clone()))
                }
            };
            let (timeout, bound) = plan_timeout(live, tries, probes.len());
            let text = wire_text(topology, probes.into_iter(), timeout, tries);
            Some(((node, origin), pod.name.clone(), format!("{}/{component}", here.name), namespace, text, bound))
        })
        .collect();
    let cluster = live.cluster.clone();
    let cluster = &cluster;
    let mut answers =
        futures::stream::iter(asks.into_iter().map(|(key, pod, name, namespace, text, bound)| async move {
            (key, exec_plan(cluster, &namespace, &pod, &name, &text, bound).await)
        }))
        .buffer_unordered(AT_ONCE);
    let mut done = 0;
    let mut refused = None;
    live.progress.count(what, 0, total, "answers");
    while let Some((key, answer)) = answers.next().await {
        done += 1;
        live.progress.count(what, done, total, "");
        match answer {
            Ok(run) => live.recording.runs.entry(key).or_default().push(run),
            Err(error @ CallError::Missing(Missing::Forbidden { .. })) => refused = Some(error),
            Err(error) => {
                let run = AgentRun { trouble: Some(format!("cannot ask the agent: {error}")), ..AgentRun::default() };
                live.recording.runs.entry(key).or_default().push(run);
            }
        }
    }
    Ok(refused)
}

async fn remove_clients(live: &mut Live<'_>) -> Result<(), Stop> {
    let session = live.session()?;
    let clients = session.spec.daemonsets(Role::Client, &[]);
    for set in &clients {
        if let Err(error) = session.delete(set).await {
            live.deny("probe pods", error);
            return Err(Stop);
        }
    }
    let dropped = live.session()?.drop_pods("client").await;
    if let Err(error) = dropped {
        live.deny("probe pods", error);
        return Err(Stop);
    }
    Ok(())
}

/// A generation of client pods that find their plan mounted, probe once, and write the results to their log.
async fn send_by_log(live: &mut Live<'_>, probes: &[Probe], what: &str) -> Result<(), Stop> {
    const TRIES_BY_LOG: u8 = 3;
    let generation = live.generation;
    live.generation += 1;
    let (timeout, bound) = plan_timeout(live, TRIES_BY_LOG, probes.len());
    let mut plans: BTreeMap<String, String> = BTreeMap::new();
    for (index, node) in live.recording.topology.nodes.iter().enumerate() {
        let own = probes.iter().filter(|probe| probe.node == index && probe.origin == Origin::Pod);
        plans.insert(node.name.clone(), wire_text(&live.recording.topology, own, timeout, TRIES_BY_LOG));
    }
    let session = live.session()?;
    let maps = session.spec.plan_config_maps(&plans, generation);
    let names: Vec<String> =
        maps.iter().filter_map(|map| map["metadata"]["name"].as_str().map(str::to_owned)).collect();
    let sets = session.spec.daemonsets(Role::LogClient, &names);
    for object in maps.iter().chain(&sets) {
        let created = live.session()?.create(object).await;
        if let Err(error) = created {
            live.deny("probe pods", error);
            return Err(Stop);
        }
    }
    let first_clients: Vec<_> = live.recording.topology.nodes.iter().map(|node| node.client.clone()).collect();
    start::wait(live, &["client"]).await?;
    let namespace = live.session()?.spec.namespace.clone();
    let asks: Vec<_> = live
        .recording
        .topology
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((index, node.client.as_ref()?.name.clone())))
        .collect();
    let total = asks.len();
    let cluster = live.cluster.clone();
    let cluster = &cluster;
    let namespace = &namespace;
    let mut answers = futures::stream::iter(
        asks.into_iter().map(|(node, pod)| async move { (node, pod_log(cluster, namespace, &pod, true, bound).await) }),
    )
    .buffer_unordered(AT_ONCE);
    let mut done = 0;
    live.progress.count(what, 0, total, "results in the pods' logs");
    let mut refused = None;
    while let Some((node, answer)) = answers.next().await {
        done += 1;
        live.progress.count(what, done, total, "");
        match answer {
            Ok((run, _)) => live.recording.runs.entry((node, Origin::Pod)).or_default().push(run),
            Err(error) => {
                let run =
                    AgentRun { trouble: Some(format!("cannot read the agent's log: {error}")), ..AgentRun::default() };
                live.recording.runs.entry((node, Origin::Pod)).or_default().push(run);
                refused = Some(error);
            }
        }
    }
    drop(answers);
    if let Some(error) = refused {
        live.deny("pods/log", error);
    }
    if generation > 0 {
        // Source addresses are judged against the pods of the first generation, which sent the pod probes.
        for (node, client) in live.recording.topology.nodes.iter_mut().zip(first_clients) {
            node.client = client;
        }
    }
    // The next generation has the same labels: this one has to be gone first. Where pods may not be deleted, the DaemonSet's end takes them.
    for object in sets.iter().chain(&maps) {
        let deleted = live.session()?.delete(object).await;
        if let Err(error) = deleted {
            live.deny("probe pods", error);
            return Err(Stop);
        }
    }
    let _ = live.session()?.drop_pods("client").await;
    Ok(())
}
