//! Checks that count probes of one kind: which probes belong to which question, and how their states add up.

use super::{Check, Inputs, Judge};
use crate::probe::judge::{Judged, State, describe};
use crate::probe::plan::{DnsServer, How, Origin, Path, Probe, Question};
use crate::probe::topology::Family;
use crate::report::{CheckResult, Verdict};

/// All of them, in printing order.
pub(super) static CHECKS: [Check; 14] = [
    Check {
        id: "same-node-pods-cut-off",
        section: "Pod network",
        title: "pods reach pods on the same node",
        means: "Two probe pods on each node exchange TCP and UDP on two ports, and 64 KiB over TCP.",
        remedy: "Check the node's bridge or veth devices and its packet filters.",
        judge: Judge::Run(run),
    },
    Check {
        id: "cross-node-pods-cut-off",
        section: "Pod network",
        title: "pods reach pods on other nodes",
        means: "Each node's client pod exchanges TCP and UDP on two ports, and 64 KiB over TCP, with the server pod of every other node (of eight \
                others when there are more than a hundred nodes).",
        remedy: "The diagnosis names the smallest set of nodes, directions, protocols and ports that accounts for the failures; follow its hint.",
        judge: Judge::Run(run),
    },
    Check {
        id: "large-packets-lost",
        section: "Pod network",
        title: "packets as large as the route's MTU arrive",
        means: "UDP datagrams with don't-fragment, as large as the MTU of the pod's route says. If they vanish while small ones pass, large \
                transfers hang after connecting: the classic sign of an MTU that forgets the encapsulation.",
        remedy: "Lower the CNI's MTU to the smallest link MTU less the encapsulation's overhead, or raise the links' MTU.",
        judge: Judge::Run(run),
    },
    Check {
        id: "cluster-ip-broken",
        section: "Services",
        title: "pods reach a Service by its cluster IP",
        means: "Repeated TCP and UDP connections from every node to a Service made for this run, so that many backends are hit and fresh rules are \
                needed.",
        remedy: "From one node only: kube-proxy or its replacement on that node. From all: its configuration, or the API server's EndpointSlices.",
        judge: Judge::Run(run),
    },
    Check {
        id: "node-port-broken",
        section: "Services",
        title: "pods reach a Service by node ports",
        means: "TCP and UDP from every node to the node port of every node.",
        remedy: "Check firewalls for the node port range, and kube-proxy's nodePortAddresses.",
        judge: Judge::Run(run),
    },
    Check {
        id: "api-server-cut-off",
        section: "Services",
        title: "pods reach kubernetes.default:443",
        means: "A TCP connection to the API server's cluster IP from every node. Controllers and operators live on it.",
        remedy: "Check kube-proxy or its replacement on the node, and that the API server's own address can be reached from pods.",
        judge: Judge::Run(run),
    },
    Check {
        id: "headless-name-wrong",
        section: "DNS",
        title: "a headless Service's name gives its pods",
        means: "The name of a Service made for this run, asked of the pod's own nameserver, must give the addresses of the server pods and no others. \
                It shows that DNS follows changes.",
        remedy: "Look at the DNS pods' logs: can they watch the API server?",
        judge: Judge::Run(run),
    },
    Check {
        id: "cluster-dns-broken",
        section: "DNS",
        title: "cluster DNS answers from every node",
        means: "kubernetes.default is asked of the nameserver in the pod's resolv.conf, over UDP and TCP, and must give the API server's cluster IP.",
        remedy: "Compare with the check of each DNS pod: if the pods answer, the way to them (Service rules, node-local cache) is at fault.",
        judge: Judge::Run(run),
    },
    Check {
        id: "dns-pod-broken",
        section: "DNS",
        title: "every DNS pod answers, and rightly",
        means: "Each pod behind the cluster DNS Service is asked by its own address from every node, over UDP and TCP. One bad pod of several fails \
                only a share of look-ups, which is hard to see otherwise.",
        remedy: "kubectl logs and describe the pod that is named; compare its configuration with its siblings'.",
        judge: Judge::Run(run),
    },
    Check {
        id: "dns-invents-names",
        section: "DNS",
        title: "a name that does not exist is refused",
        means: "A name that must not exist is asked for and must come back as NXDOMAIN. A wildcard or a search list that answers everything sends \
                traffic to the wrong place.",
        remedy: "Look for a wildcard record or a template plugin in the DNS configuration and in the upstream resolver.",
        judge: Judge::Run(run),
    },
    Check {
        id: "node-unreachable-from-pod",
        section: "Nodes from pods",
        title: "pods reach nodes",
        means: "A TCP connection to the kubelet's port of every node; a refusal counts as reached. Host firewalls may shut it on purpose, so a \
                failure is a warning.",
        remedy: "If pods need to reach nodes (metrics, webhooks on host network), check host firewalls and host policies.",
        judge: Judge::Run(run),
    },
    Check {
        id: "external-target-cut-off",
        section: "Outside",
        title: "pods reach the targets given with --external",
        means: "A TCP connection from every node to targets you name. Nothing is sent outside the cluster unless you name it.",
        remedy: "Check masquerading, NAT gateways, egress policies and proxies.",
        judge: Judge::Run(run),
    },
    Check {
        id: "host-to-pod-cut-off",
        section: "Host network",
        title: "nodes reach pods on every node",
        means: "With --host-network: from a pod in each node's own network to the server pods of every node.",
        remedy: "Compare with pods reaching pods: if those work, look at the node's routes, source address selection and host policies.",
        judge: Judge::Run(run),
    },
    Check {
        id: "host-to-host-cut-off",
        section: "Host network",
        title: "nodes and host-network pods reach each other",
        means: "With --host-network: between pods in the nodes' own networks, and from pods to them.",
        remedy: "This is the network under the CNI: check firewalls and routing between nodes.",
        judge: Judge::Run(run),
    },
];

/// The check a probe belongs to. Policy probes belong to a check of their own.
pub fn id_of(probe: &Probe) -> &'static str {
    match probe.path {
        Path::Pod { .. } if probe.origin == Origin::Host => "host-to-pod-cut-off",
        Path::Pod { how: How::Largest, .. } => "large-packets-lost",
        Path::Pod { to, .. } if to == probe.node => "same-node-pods-cut-off",
        Path::Pod { .. } => "cross-node-pods-cut-off",
        Path::ClusterIp { .. } => "cluster-ip-broken",
        Path::NodePort { .. } => "node-port-broken",
        Path::Api => "api-server-cut-off",
        Path::Dns { question: Question::Headless, .. } => "headless-name-wrong",
        Path::Dns { question: Question::Missing, .. } => "dns-invents-names",
        Path::Dns { server: DnsServer::Configured, .. } => "cluster-dns-broken",
        Path::Dns { server: DnsServer::Pod(_), .. } => "dns-pod-broken",
        Path::Node { .. } => "node-unreachable-from-pod",
        Path::External { .. } => "external-target-cut-off",
        Path::Host { .. } => "host-to-host-cut-off",
        Path::Policy { .. } => "policy-not-as-expected",
    }
}

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let families = inputs.recording.topology.families();
    let mut results: Vec<CheckResult> = Vec::new();
    for family in &families {
        let of_family: Vec<&Judged> =
            inputs.judged.iter().filter(|one| id_of(&one.probe) == check.id && one.probe.family == *family).collect();
        if !of_family.is_empty() {
            results.push(add_up(check, inputs, &of_family, (families.len() > 1).then_some(*family)));
        }
    }
    if results.is_empty() { not_probed(check, inputs).into_iter().collect() } else { results }
}

fn add_up(check: &Check, inputs: &Inputs<'_>, judged: &[&Judged], family: Option<Family>) -> CheckResult {
    let bad: Vec<&&Judged> = judged.iter().filter(|one| one.bad()).collect();
    let unknown: Vec<&&Judged> = judged.iter().filter(|one| matches!(one.state, State::Unknown(_))).collect();
    let good = judged.len() - bad.len() - unknown.len();
    let line = |one: &&&Judged| describe(&inputs.recording.topology, one);
    let mut result = if !bad.is_empty() {
        let verdict = if check.id == "node-unreachable-from-pod" { Verdict::Warn } else { Verdict::Fail };
        let rest = if unknown.is_empty() { String::new() } else { format!(", {} unknown", unknown.len()) };
        let mut result = check.result(verdict, format!("{} of {} probes failed{rest}", bad.len(), judged.len()));
        result.evidence = bad.iter().take(3).map(line).collect();
        let explained: Vec<String> = (1..)
            .zip(&inputs.diagnosis.explanations)
            .filter(|(_, explanation)| explanation.checks.contains(&check.id))
            .map(|(number, _)| number.to_string())
            .collect();
        if !explained.is_empty() {
            result.hint = Some(format!("see diagnosis {}", explained.join(" and ")));
        }
        result
    } else if !unknown.is_empty() {
        let mut result =
            check.result(Verdict::Unknown, format!("{} of {} probes have no result", unknown.len(), judged.len()));
        result.evidence = unknown.iter().take(2).map(line).collect();
        result
    } else {
        check.result(Verdict::Pass, format!("{good} of {}", judged.len()))
    };
    let narrowed: Vec<u32> = judged.iter().filter_map(|one| one.narrowed_to).collect();
    if let Some(least) = narrowed.iter().min() {
        let paths = super::count(narrowed.len(), "path");
        result.evidence.push(format!(
            "{paths} narrower than the route says, down to {least} bytes: routers say so by ICMP and senders keep to it"
        ));
    }
    // Absent nodes are unknown in their own line; a pass here speaks of those that took part, and says so.
    if result.verdict == Verdict::Pass && inputs.recording.pods.iter().any(|pod| pod.stuck.is_some()) {
        result.detail.push_str(" between the nodes that took part");
    }
    if let Some(family) = family {
        result.title = format!("{}, {}", result.title, family.name());
    }
    result
}

/// Why there are no probes of a kind; nothing for kinds that were not asked for and need no word.
fn not_probed(check: &Check, inputs: &Inputs<'_>) -> Option<CheckResult> {
    let topology = &inputs.recording.topology;
    let clients = topology.nodes.iter().filter(|node| node.client.is_some()).count();
    let missing = |part: &str| {
        let found =
            inputs.recording.topology_missing.iter().chain(&inputs.recording.denied).find(|(name, _)| name == part);
        found.map(|(_, missing)| missing.to_string())
    };
    let skip = |detail: &str, hint: Option<&str>| {
        let mut result = check.result(Verdict::Skip, detail);
        result.hint = hint.map(str::to_owned);
        Some(result)
    };
    match check.id {
        "external-target-cut-off" => {
            return skip("no target given; nothing is sent outside unasked", Some("--external HOST:PORT"));
        }
        "host-to-pod-cut-off" if !inputs.recording.options.host_network => {
            return skip("needs pods in the nodes' network, in a privileged namespace", Some("--host-network"));
        }
        "host-to-host-cut-off" if !inputs.recording.options.host_network => return None,
        "cross-node-pods-cut-off"
            if topology.nodes.len() == 1 && inputs.recording.pods.iter().all(|pod| pod.stuck.is_none()) =>
        {
            return skip("there is one node only", None);
        }
        _ => {}
    }
    if clients == 0 {
        return Some(check.result(Verdict::Unknown, "no probe pod ran"));
    }
    let part = match check.id {
        "cluster-ip-broken" => "service",
        "node-port-broken" => "nodeport",
        "headless-name-wrong" => "headless",
        "api-server-cut-off" => "api",
        "cluster-dns-broken" | "dns-pod-broken" | "dns-invents-names" => "dns",
        _ => "",
    };
    if let Some(why) = missing(part) {
        return Some(check.result(Verdict::Unknown, why));
    }
    if part == "dns" && topology.dns.is_none() {
        return Some(check.result(Verdict::Unknown, "no cluster DNS Service found (label k8s-app=kube-dns)"));
    }
    Some(check.result(Verdict::Unknown, "not probed"))
}
