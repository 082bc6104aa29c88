//! From a snapshot to running probe pods: what to create, whether it may be created, and who takes part in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::net::ToSocketAddrs as _;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node as CoreNode;
use serde_json::Value;

use super::live::{Live, Stop, unix_now};
use crate::cli::Transport;
use crate::cluster::{
    CallError, PodReport, PodState, Session, WaitPods, find_leftovers_in, may, read_dns_and_api, ready_pods, remove,
    service_of, wait_pods,
};
use crate::probe::manifests::{Role, RunSpec};
use crate::probe::plan::{Choice, plan};
use crate::probe::topology::{External, Node, Pod};
use crate::probe::{agent, image};
use crate::recording::PodRecord;
use crate::snapshot::{Missing, condition, node_name};

/// How long agents serve at the most when nobody takes them down.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Chooses nodes, and reads what else is probed.
pub(super) async fn read_targets(live: &mut Live<'_>) -> Result<(), Stop> {
    let nodes = match &live.recording.snapshot.nodes {
        Ok(_) => live.recording.snapshot.linux_nodes().cloned().collect::<Vec<_>>(),
        Err(missing) => {
            let missing = missing.clone();
            live.deny("nodes", missing);
            return Err(Stop);
        }
    };
    let pods = &live.args.pods;
    let unknown: Vec<&String> =
        pods.nodes.iter().filter(|wanted| !nodes.iter().any(|node| node_name(node) == wanted.as_str())).collect();
    if let Some(unknown) = unknown.first() {
        let message = format!("there is no Linux node {unknown:?}; see kubectl get nodes");
        live.deny("--nodes", Missing::Failed(message));
        return Err(Stop);
    }
    let chosen: Vec<&CoreNode> = nodes
        .iter()
        .filter(|node| pods.nodes.is_empty() || pods.nodes.iter().any(|wanted| wanted == node_name(node)))
        .filter(|node| pods.node_selector.iter().flatten().all(|(key, value)| label(node, key) == Some(value.as_str())))
        .collect();
    if chosen.is_empty() {
        live.deny("nodes", Missing::Failed("no Linux node fits --nodes and --node-selector".to_owned()));
        return Err(Stop);
    }
    live.recording.topology.nodes = chosen.into_iter().map(target).collect();
    live.recording.topology.nodes.sort_by(|a, b| (&a.stratum, &a.name).cmp(&(&b.stratum, &b.name)));
    for text in &live.args.paths.external {
        match external(text) {
            Ok(found) => live.recording.topology.external.extend(found),
            Err(why) => {
                live.deny("--external", Missing::Failed(why));
                return Err(Stop);
            }
        }
    }
    let (dns, dns_pods, api) = read_dns_and_api(&live.cluster).await;
    let mut keep = |part: &str, missing: Missing| live.recording.topology_missing.push((part.to_owned(), missing));
    match dns {
        Ok(dns) => live.recording.topology.dns = dns,
        Err(missing) => keep("dns", missing),
    }
    match dns_pods {
        Ok(pods) => live.recording.topology.dns_pods = pods,
        Err(missing) => keep("dns", missing),
    }
    match api {
        Ok(api) => live.recording.topology.api = api,
        Err(missing) => keep("api", missing),
    }
    Ok(())
}

fn label<'a>(node: &'a CoreNode, key: &str) -> Option<&'a str> {
    node.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn target(node: &CoreNode) -> Node {
    let status = node.status.clone().unwrap_or_default();
    let addresses = status.addresses.unwrap_or_default();
    let port = status
        .daemon_endpoints
        .and_then(|endpoints| endpoints.kubelet_endpoint)
        .and_then(|endpoint| u16::try_from(endpoint.port).ok());
    let strata = ["topology.kubernetes.io/zone", "node.kubernetes.io/instance-type", "kubernetes.io/arch"];
    Node {
        name: node_name(node).to_owned(),
        internal_ips: addresses
            .iter()
            .filter(|address| address.type_ == "InternalIP")
            .filter_map(|address| address.address.parse().ok())
            .collect(),
        stratum: strata.map(|key| label(node, key).unwrap_or_default()).join("/"),
        kubelet_port: port.filter(|port| *port != 0).unwrap_or(10250),
        ..Node::default()
    }
}

/// A target outside as `HOST:PORT`. Names are looked up here, not in the cluster; one address of each family is kept.
fn external(text: &str) -> Result<Vec<External>, String> {
    let addresses: Vec<_> =
        text.to_socket_addrs().map_err(|error| format!("--external {text}: {error} (expected HOST:PORT)"))?.collect();
    let v4 = addresses.iter().find(|address| address.is_ipv4());
    let v6 = addresses.iter().find(|address| address.is_ipv6());
    Ok(v4
        .into_iter()
        .chain(v6)
        .map(|address| External { text: text.to_owned(), host: address.ip().to_string(), port: address.port() })
        .collect())
}

/// Settles image, transport and names, removes what abandoned runs left, and announces what will be created.
pub(super) async fn prepare(live: &mut Live<'_>) -> Result<(), Stop> {
    let image = match image::choose(live.args.pods.image.as_deref(), &live.recording.snapshot, &live.detections) {
        Ok(image) => image,
        Err(why) => {
            live.deny("image", Missing::Failed(why));
            return Err(Stop);
        }
    };
    let id = run_id();
    let own_namespace = live.args.pods.namespace.is_none();
    let namespace = live.args.pods.namespace.clone().unwrap_or_else(|| format!("cni-verify-{id}"));
    tidy_up(live).await;
    let asked = live.args.paths.transport;
    live.recording.options.by_log = match asked {
        Transport::Exec => false,
        Transport::Log => true,
        Transport::Auto => matches!(may(&live.cluster, &namespace, "create", "pods", Some("exec")).await, Ok(false)),
    };
    let architectures: BTreeSet<String> =
        live.recording.snapshot.linux_nodes().map(arch).filter(|arch| agent::for_arch(arch).is_some()).collect();
    let spec = RunSpec {
        host_namespace: live
            .args
            .paths
            .host_network
            .then(|| if own_namespace { format!("cni-verify-host-{id}") } else { namespace.clone() }),
        id,
        namespace,
        own_namespace,
        image: image.image.clone(),
        architectures: architectures.into_iter().collect(),
        node_selector: live.args.pods.node_selector.clone().unwrap_or_default(),
        nodes: live.args.pods.nodes.clone(),
        labels: live.args.pods.labels.clone(),
        annotations: live.args.pods.annotations.clone(),
        priority_class: live.args.pods.priority_class.clone(),
        pull_secrets: live.args.pods.image_pull_secret.clone(),
        ephemeral_storage: live.recording.snapshot.linux_nodes().all(offers_ephemeral_storage),
        now: unix_now(),
        until: unix_now() + LIFETIME.as_secs(),
    };
    live.recording.run.id = spec.id.clone();
    live.recording.topology.run = spec.id.clone();
    live.recording.run.namespace = spec.namespace.clone();
    live.recording.run.image = spec.image.clone();
    let announcement = announcement(live, &spec, &image);
    // Quiet or not, nothing is created that was not announced; the rest is detail.
    let shown = if live.args.output.quiet { announcement.lines().next().unwrap_or_default() } else { &announcement };
    live.progress.line(shown);
    live.session = Some(Session::new(live.cluster.clone(), spec));
    Ok(())
}

fn announcement(live: &Live<'_>, spec: &RunSpec, image: &image::Choice) -> String {
    let context =
        if live.cluster.context.is_empty() { String::new() } else { format!("context {}: ", live.cluster.context) };
    let place = if spec.own_namespace {
        format!("new namespace {}", spec.namespace)
    } else {
        format!("namespace {}", spec.namespace)
    };
    let nodes = live.recording.topology.nodes.len();
    let policy = if live.args.paths.no_policy { "" } else { ", 1 NetworkPolicy for a moment" };
    let mut text = format!(
        "{context}run {}, in {place}; all that it creates is removed at the end:\n  2 DaemonSets: 2 small pods on each of {nodes} nodes\n  3 Services, 1 ConfigMap{policy}\n  image {} ({})",
        spec.id, spec.image, image.because
    );
    if live.recording.options.by_log {
        text.push_str("\n  no right to exec into pods: plans go in by ConfigMap, results come out by pod log");
    }
    if let Some(host) = &spec.host_namespace {
        text.push_str(&format!("\n  --host-network: also 1 pod in the own network of each node, in namespace {host}, which has to allow privileged pods"));
    }
    if !image.pull_secrets.is_empty() && spec.pull_secrets.is_empty() {
        text.push_str(&format!(
            "\n  the CNI pulls this image with secret {}: kubelets of 1.35 and later may refuse it to pods without (then: --image-pull-secret, or --namespace with the CNI's own)",
            image.pull_secrets.join(", ")
        ));
    }
    text
}

/// Removes runs that nobody tends any more. A help, not a need: what may not be listed is left alone.
async fn tidy_up(live: &mut Live<'_>) {
    for leftover in find_leftovers_in(&live.cluster, live.args.pods.namespace.as_deref()).await {
        if leftover.active(unix_now()) {
            live.progress.line(&format!(
                "another run, {}, seems to be going on; if it is not: kubectl cni cleanup --run {}",
                leftover.run, leftover.run
            ));
        } else {
            live.progress.line(&format!("removing what run {} left behind", leftover.run));
            remove(&live.cluster, &leftover).await;
        }
    }
}

/// Five letters and digits that no other run is likely to have.
fn run_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let mut hasher = std::collections::hash_map::RandomState::new().build_hasher();
    hasher.write_u64(unix_now());
    let mut number = hasher.finish();
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..5)
        .map(|_| {
            let digit = DIGITS[(number % 36) as usize];
            number /= 36;
            char::from(digit)
        })
        .collect()
}

/// Kubelets without local storage isolation offer none; a request would keep the pod from ever being scheduled.
fn offers_ephemeral_storage(node: &CoreNode) -> bool {
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    allocatable.and_then(|all| all.get("ephemeral-storage")).is_some_and(|quantity| quantity.0 != "0")
}

fn arch(node: &CoreNode) -> String {
    let reported =
        node.status.as_ref().and_then(|status| status.node_info.as_ref()).map(|info| info.architecture.clone());
    label(node, "kubernetes.io/arch").map(str::to_owned).or(reported).unwrap_or_else(|| "amd64".to_owned())
}

/// Objections of the API server to objects that are not kept. Objects inside a namespace that does not exist yet cannot be checked.
pub(super) async fn check_without_keeping(session: &Session, objects: &[Value]) -> Vec<String> {
    let checkable: Vec<Value> =
        objects.iter().filter(|object| object["kind"] == "Namespace" || !session.spec.own_namespace).cloned().collect();
    session.dry_run(&checkable).await.into_iter().map(|(object, error)| format!("{object}: {error}")).collect()
}

/// Creates everything but plans and policy, each object only after all were accepted in a dry run.
pub(super) async fn create(live: &mut Live<'_>) -> Result<(), Stop> {
    live.progress.say("creating probe objects");
    let by_log = live.recording.options.by_log;
    let policy = !live.args.paths.no_policy;
    let session = live.session()?;
    let spec = session.spec.clone();
    let namespaces = spec.namespaces();
    if let Some((object, error)) = session.dry_run(&namespaces).await.into_iter().next() {
        return refuse(live, &object.to_string(), error);
    }
    for namespace in &namespaces {
        let created = live.session()?.create(namespace).await;
        if let Err(error) = created {
            return refuse(live, "namespace", error);
        }
    }
    let mut first = vec![spec.agent_config_map(&spec.namespace)];
    first.extend(spec.daemonsets(Role::Server, &[]));
    if !by_log {
        first.extend(spec.daemonsets(Role::Client, &[]));
    }
    let host = spec.host_namespace.clone();
    if let Some(host) = &host {
        if *host != spec.namespace {
            first.push(spec.agent_config_map(host));
        }
        first.extend(spec.daemonsets(Role::Host, &[]));
    }
    let services = spec.services();
    let mut checked = first.clone();
    checked.extend(services.iter().cloned());
    checked.push(spec.sample_pod(Role::Server));
    if host.is_some() {
        checked.push(spec.sample_pod(Role::Host));
    }
    if policy {
        checked.push(spec.deny_policy());
    }
    let mut refused: BTreeMap<String, CallError> = BTreeMap::new();
    for (object, error) in live.session()?.dry_run(&checked).await {
        let step = step_of(&object.kind, &object.name);
        if matches!(step, "service" | "nodeport" | "headless" | "policy") {
            live.deny(step, error.clone());
            refused.insert(object.name, error);
        } else {
            return refuse(live, &object.to_string(), error);
        }
    }
    if refused.keys().any(|name| name.starts_with("cni-deny")) {
        live.recording.policy.trouble =
            refused.iter().find(|(name, _)| name.starts_with("cni-deny")).map(|(_, error)| error.to_string());
    }
    for object in &first {
        let created = live.session()?.create(object).await;
        if let Err(error) = created {
            return refuse(live, &object["kind"].as_str().unwrap_or_default().to_lowercase(), error);
        }
    }
    for object in
        services.iter().filter(|object| !refused.contains_key(object["metadata"]["name"].as_str().unwrap_or_default()))
    {
        let created = live.session()?.create(object).await;
        match created {
            Ok(created) => {
                let service = serde_json::from_str(&created.to_string()).ok().map(|service| service_of(&service));
                match step_of("Service", object["metadata"]["name"].as_str().unwrap_or_default()) {
                    "nodeport" => live.recording.topology.node_port = service,
                    "headless" => live.recording.topology.headless = service,
                    _ => live.recording.topology.cluster_ip = service,
                }
            }
            Err(error) => {
                let step = step_of("Service", object["metadata"]["name"].as_str().unwrap_or_default());
                live.deny(step, error);
            }
        }
    }
    Ok(())
}

/// Name of the step an object belongs to, as the checks know it.
fn step_of(kind: &str, name: &str) -> &'static str {
    match (kind, name) {
        ("Service", name) if name.starts_with("cni-nodeport") => "nodeport",
        ("Service", name) if name.starts_with("cni-headless") => "headless",
        ("Service", _) => "service",
        ("NetworkPolicy", _) => "policy",
        _ => "probe pods",
    }
}

fn refuse(live: &mut Live<'_>, step: &str, error: CallError) -> Result<(), Stop> {
    let missing = match error {
        CallError::Missing(Missing::Absent) => Missing::Failed(match &live.args.pods.namespace {
            Some(namespace) => {
                format!("namespace {namespace} does not exist; make it first: kubectl create namespace {namespace}")
            }
            None => "not found".to_owned(),
        }),
        other => other.into(),
    };
    live.deny(step, missing);
    Err(Stop)
}

/// Waits for the pods, fills in who takes part, and plans every probe.
pub(super) async fn wait_and_plan(live: &mut Live<'_>) -> Result<(), Stop> {
    let components: &[&str] = match (live.recording.options.by_log, live.args.paths.host_network) {
        (false, false) => &["server", "client"],
        (false, true) => &["server", "client", "host"],
        (true, false) => &["server"],
        (true, true) => &["server", "host"],
    };
    wait(live, components).await?;
    if live.recording.options.by_log {
        // Clients are started with their plan; until then they stand for "will be there".
        for node in &mut live.recording.topology.nodes {
            node.client = node.server.clone();
        }
    }
    live.recording.plan = plan(&live.recording.topology, Choice { policy: !live.args.paths.no_policy });
    Ok(())
}

/// Waits for pods of some components and takes them into topology and recording.
pub(super) async fn wait(live: &mut Live<'_>, components: &[&str]) -> Result<(), Stop> {
    let session = live.session()?;
    let run = session.spec.id.clone();
    let namespaces: BTreeSet<String> =
        [Some(session.spec.namespace.clone()), session.spec.host_namespace.clone()].into_iter().flatten().collect();
    let snapshot = &live.recording.snapshot;
    let without_agent: BTreeSet<&str> =
        snapshot.linux_nodes().filter(|node| agent::for_arch(&arch(node)).is_none()).map(node_name).collect();
    let ready: BTreeMap<&str, bool> = snapshot
        .linux_nodes()
        .map(|node| (node_name(node), condition(node, "Ready").is_some_and(|(status, _, _)| status == Some(true))))
        .collect();
    let nodes: BTreeMap<String, bool> = live
        .recording
        .topology
        .nodes
        .iter()
        .filter(|node| !without_agent.contains(node.name.as_str()))
        .map(|node| (node.name.clone(), ready.get(node.name.as_str()).copied().unwrap_or(false)))
        .collect();
    let want = WaitPods {
        namespaces: namespaces.into_iter().collect(),
        run: &run,
        nodes,
        components: components.to_vec(),
        timeout: live.args.pods.start_timeout,
    };
    let progress = &live.progress;
    let reports = match wait_pods(&live.cluster, &want, |done, total, awaited| {
        progress.count("starting probe pods", done, total, awaited)
    })
    .await
    {
        Ok(reports) => reports,
        Err(error) => {
            live.deny("probe pods", error);
            return Err(Stop);
        }
    };
    let absent: Vec<PodReport> = without_agent
        .iter()
        .filter(|name| live.recording.topology.node(name).is_some())
        .map(|name| PodReport {
            node: (*name).to_owned(),
            component: components[0].to_owned(),
            pod: String::new(),
            state: PodState::Stuck(format!(
                "this build has no agent for the node's architecture; it has {}",
                agent::architectures().join(", ")
            )),
            ready: false,
        })
        .collect();
    for report in reports.into_iter().chain(absent) {
        take(live, report);
    }
    Ok(())
}

fn take(live: &mut Live<'_>, report: PodReport) {
    let Some(index) = live.recording.topology.node(&report.node) else { return };
    let (pod, stuck) = match report.state {
        PodState::Running(ips) => (Some(Pod { name: report.pod, ips }), None),
        PodState::Stuck(why) => (None, Some(why)),
    };
    let node = &mut live.recording.topology.nodes[index];
    match report.component.as_str() {
        "server" => node.server = pod,
        "client" => node.client = pod,
        _ => node.host = pod,
    }
    let record = PodRecord { node: report.node, component: report.component, stuck, ready: report.ready };
    match live.recording.pods.iter_mut().find(|known| known.node == record.node && known.component == record.component)
    {
        Some(known) => *known = record,
        None => live.recording.pods.push(record),
    }
}

/// Looks once more whether the kubelets reached the pods; readiness comes a second or so after the start.
pub(super) async fn refresh_ready(live: &mut Live<'_>) {
    let Some(session) = live.session.as_ref() else { return };
    let run = session.spec.id.clone();
    let namespaces: BTreeSet<String> =
        [Some(session.spec.namespace.clone()), session.spec.host_namespace.clone()].into_iter().flatten().collect();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(4);
    loop {
        let mut ready = BTreeSet::new();
        for namespace in &namespaces {
            match ready_pods(&live.cluster, namespace, &run).await {
                Ok(found) => ready.extend(found),
                Err(_) => return,
            }
        }
        for pod in &mut live.recording.pods {
            pod.ready = pod.ready || ready.contains(&(pod.node.clone(), pod.component.clone()));
        }
        let gone = |pod: &PodRecord| live.recording.options.by_log && pod.component == "client";
        let waiting = live.recording.pods.iter().any(|pod| pod.stuck.is_none() && !pod.ready && !gone(pod));
        if !waiting || tokio::time::Instant::now() >= deadline {
            return;
        }
        live.progress.say("waiting for kubelets to find the probe pods ready");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
