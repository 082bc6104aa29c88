//! One live run from the first request to the last object removed, into a [`Recording`]. A signal ends the probing, never the clean-up.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use cni_facts::{Detection, Facts};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::super::output::{Progress, notice, print, problem};
use super::{policy, rounds, start};
use crate::cli::VerifyArgs;
use crate::cluster::{Closing, Cluster, Session, connect, foreign_policies, gather, heartbeat, read_agent_pods};
use crate::exit::Exit;
use crate::probe::plan::Round;
use crate::probe::topology::Family;
use crate::recording::{Options, PolicyRecord, Recording, Run, SCHEMA};
use crate::snapshot::{Missing, Snapshot};

/// What a run works with.
pub(super) struct Live<'a> {
    pub(super) args: &'a VerifyArgs,
    pub(super) cluster: Cluster,
    pub(super) progress: Progress,
    pub(super) recording: Recording,
    pub(super) detections: Vec<Detection>,
    /// None until it is known what to create.
    pub(super) session: Option<Session>,
    /// Serial number of the next plan that goes in by ConfigMap.
    pub(super) generation: usize,
    /// When the current step began.
    step_began: Instant,
    /// When the probe Service was first seen with all its endpoints.
    pub(super) endpoints_since: Option<tokio::time::Instant>,
}

/// A fresh IPv6 address may not be used until no other node claims it: up to a second of delay, then a second of listening (RFC 4862 §5.4).
const ADDRESS_DETECTION: Duration = Duration::from_secs(2);

/// The run cannot go on; what stood against it is in the recording.
pub(super) struct Stop;

impl Live<'_> {
    /// Notes a step that was refused.
    pub(super) fn deny(&mut self, step: &str, why: impl Into<Missing>) {
        self.recording.denied.push((step.to_owned(), why.into()));
    }

    /// Notes how long the step took that ends now.
    pub(super) fn step_done(&mut self, name: &str) {
        let took = u64::try_from(self.step_began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.recording.run.phases.push((name.to_owned(), took));
        self.step_began = Instant::now();
    }

    pub(super) fn session(&mut self) -> Result<&mut Session, Stop> {
        self.session.as_mut().ok_or(Stop)
    }
}

/// Runs against the cluster. When it returns, everything is removed but the namespaces, which the [`Farewell`] waits for.
///
/// # Errors
///
/// Nothing could be asked at all: no kubeconfig, no connection. Everything later is in the recording.
pub(super) async fn record(args: &VerifyArgs, facts: &Facts) -> Result<(Recording, Farewell)> {
    let began = Instant::now();
    let mut signals = Signals::new()?;
    let cluster = connect(&args.connect).await?;
    let progress = Progress::new(args.output.quiet);
    progress.say("reading the cluster");
    let (snapshot, detections) = tokio::select! {
        gathered = gather(&cluster, facts, args.paths.allow_exec) => gathered,
        () = signals.next() => (Snapshot::unread(&cluster.context, "the run ended before"), Vec::new()),
    };
    let mut live = Live {
        args,
        cluster,
        progress,
        recording: empty(args, snapshot),
        detections,
        session: None,
        generation: 0,
        step_began: began,
        endpoints_since: None,
    };
    if signals.heard {
        live.recording.run.interrupted = true;
        return Ok(finish(live, began, signals, None));
    }
    if let Err(Missing::Failed(why)) = &live.recording.snapshot.server_version {
        live.progress.finish();
        bail!("{} ({}): {why}", live.cluster.server, context_of(&live.cluster));
    }
    tokio::select! {
        _ = steps(&mut live) => {}
        () = signals.next() => {
            live.recording.run.interrupted = true;
            live.progress.line("interrupted: removing what was created (again: leave at once)");
        }
    }
    live.progress.say("removing what was created");
    live.step_began = Instant::now();
    let mut closing = None;
    if let Some(mut session) = live.session.take() {
        let objects: Vec<String> = session.applied().iter().map(ToString::to_string).collect();
        let run = session.spec.id.clone();
        // A first signal that comes only now ends nothing, since nothing but the clean-up is left; the next one leaves at once.
        let mut patient = !signals.heard;
        let mut close = Box::pin(session.close());
        loop {
            tokio::select! {
                (left, namespaces) = &mut close => {
                    live.recording.run.left_behind = left;
                    closing = Some(namespaces);
                    break;
                }
                () = signals.next() => {
                    if !patient {
                        live.recording.run.interrupted = true;
                        live.recording.run.left_behind = abandoned(&objects, &run);
                        break;
                    }
                    patient = false;
                    live.progress.line("removing what was created (again: leave at once)");
                }
            }
        }
    }
    Ok(finish(live, began, signals, closing))
}

/// The context as a message names it.
fn context_of(cluster: &Cluster) -> String {
    if cluster.context.is_empty() {
        "from inside the cluster".to_owned()
    } else {
        format!("context {}", cluster.context)
    }
}

fn finish(mut live: Live<'_>, began: Instant, signals: Signals, closing: Option<Closing>) -> (Recording, Farewell) {
    live.progress.finish();
    live.step_done("removing");
    live.recording.run.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let farewell = Farewell { closing, signals, quiet: live.args.output.quiet };
    (live.recording, farewell)
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// At least one came.
    heard: bool,
}

impl Signals {
    fn new() -> Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            heard: false,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.heard = true;
    }
}

/// The last thing of a run: its namespace is empty and told to go, and the cluster takes five seconds over it.
pub(super) struct Farewell {
    closing: Option<Closing>,
    signals: Signals,
    quiet: bool,
}

impl Farewell {
    /// Waits until the namespaces are gone, or until a second signal. What is left goes into the run with the reason, and is returned.
    pub(super) async fn wait(mut self, run: &mut Run) -> Vec<String> {
        let Some(closing) = self.closing else { return Vec::new() };
        let progress = Progress::new(self.quiet);
        progress.say(format!("waiting for the cluster to remove {}", closing.objects().join(" and ")));
        let mut patient = !self.signals.heard;
        let mut gone = Box::pin(closing.wait());
        let left = loop {
            tokio::select! {
                left = &mut gone => break left,
                () = self.signals.next() => {
                    if !patient {
                        run.interrupted = true;
                        break abandoned(&closing.objects(), &run.id);
                    }
                    patient = false;
                    progress.line("all is removed but the empty namespace, which the cluster is removing (again: leave at once)");
                }
            }
        };
        progress.finish();
        run.left_behind.extend(left.iter().cloned());
        left
    }
}

fn abandoned(objects: &[String], run: &str) -> Vec<String> {
    problem(&format!("left at once; to remove what is left: kubectl cni cleanup --run {run}"));
    objects.to_vec()
}

/// The run in order. Each step leaves what it learnt in the recording.
async fn steps(live: &mut Live<'_>) -> Result<(), Stop> {
    start::read_targets(live).await?;
    start::prepare(live).await?;
    live.step_done("reading");
    start::create(live).await?;
    live.step_done("creating");
    let _heart = heart(live);
    start::wait_and_plan(live).await?;
    if live.recording.topology.families().contains(&Family::V6) {
        live.progress.say("waiting for IPv6 addresses to be confirmed");
        tokio::time::sleep(ADDRESS_DETECTION).await;
    }
    rounds::glance_at_endpoints(live).await;
    live.step_done("starting");
    rounds::run(live, &[Round::Pods, Round::PolicyBefore]).await?;
    live.step_done("pods");
    rounds::services(live).await?;
    live.step_done("services");
    rounds::confirm(live).await?;
    rounds::hear_witnesses(live).await;
    live.step_done("confirming");
    if live.args.paths.no_policy {
        live.recording.options.policy = false;
    } else {
        policy::run(live).await;
        live.step_done("policy");
    }
    if let Some(session) = &live.session {
        live.recording.foreign_policies = Some(foreign_policies(&live.cluster, &session.spec.namespace).await);
    }
    start::refresh_ready(live).await;
    live.recording.agent_pods_after = read_agent_pods(&live.cluster, &live.detections).await;
    live.step_done("agents");
    Ok(())
}

/// Tells other runs that this one is alive, until dropped.
struct Heart(tokio::task::JoinHandle<()>);

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn heart(live: &Live<'_>) -> Option<Heart> {
    let session = live.session.as_ref()?;
    Some(Heart(tokio::spawn(heartbeat(
        live.cluster.clone(),
        session.spec.namespace.clone(),
        session.spec.name("agent"),
    ))))
}

/// Prints what a run would create, after having had the API server look at it.
pub(super) async fn announce_only(args: &VerifyArgs, facts: &Facts) -> Result<Exit> {
    let began = Instant::now();
    let cluster = connect(&args.connect).await?;
    let progress = Progress::new(args.output.quiet);
    let (snapshot, detections) = gather(&cluster, facts, args.paths.allow_exec).await;
    if let Err(missing) = &snapshot.nodes {
        bail!("{missing}");
    }
    let mut live = Live {
        args,
        cluster,
        progress,
        recording: empty(args, snapshot),
        detections,
        session: None,
        generation: 0,
        step_began: began,
        endpoints_since: None,
    };
    let prepared = start::read_targets(&mut live).await.is_ok() && start::prepare(&mut live).await.is_ok();
    live.progress.finish();
    let denied = live.recording.denied.clone();
    let Some(session) = live.session.as_ref().filter(|_| prepared) else {
        let why: Vec<String> = denied.iter().map(|(step, missing)| format!("{step}: {missing}")).collect();
        bail!("{}", why.join("; "));
    };
    let objects = session.spec.everything(!args.paths.no_policy, live.recording.options.by_log);
    let objections = start::check_without_keeping(session, &objects).await;
    let mut text = String::new();
    for object in &objects {
        let mut shown = object.clone();
        for value in shown["binaryData"].as_object_mut().into_iter().flat_map(|data| data.values_mut()) {
            let bytes = value.as_str().map_or(0, |text| text.len() / 4 * 3);
            *value = format!("<{bytes} bytes: the probe agent>").into();
        }
        text.push_str("---\n");
        text.push_str(&serde_yaml::to_string(&shown)?);
    }
    print(&text);
    for objection in &objections {
        problem(objection);
    }
    notice("dry run: nothing was created");
    if session.spec.own_namespace {
        notice(
            "what goes into the new namespace can only be checked once that exists; with --namespace NAME it is checked now",
        );
    }
    Ok(if objections.is_empty() && denied.is_empty() { Exit::Clean } else { Exit::Undecided })
}

fn empty(args: &VerifyArgs, snapshot: Snapshot) -> Recording {
    Recording {
        schema: SCHEMA,
        snapshot,
        agent_pods_after: Err(Missing::Failed("the run ended before".to_owned())),
        topology: Default::default(),
        topology_missing: Vec::new(),
        plan: Default::default(),
        runs: Default::default(),
        pods: Vec::new(),
        witness: Default::default(),
        options: Options {
            host_network: args.paths.host_network,
            policy: !args.paths.no_policy,
            allow_exec: args.paths.allow_exec,
            by_log: false,
            some_nodes: !args.pods.nodes.is_empty() || args.pods.node_selector.is_some(),
        },
        policy: PolicyRecord { trouble: Some("the run ended before".to_owned()), ..PolicyRecord::default() },
        foreign_policies: None,
        denied: Vec::new(),
        run: Run { started: now_rfc3339(), ..Run::default() },
    }
}

fn now_rfc3339() -> String {
    let now = k8s_openapi::jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Seconds since 1970.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
