//! A cause in words: what is wrong, how it shows, what to type next.

use std::collections::{BTreeMap, BTreeSet};

use super::Witness;
use super::cause::{Cause, Packets, Pairs};
use super::cover::Facts;
use crate::probe::judge::{Judged, State, Symptom, describe};
use crate::probe::plan::{DnsServer, Origin, Path};
use crate::probe::topology::Family;
use crate::report::Explanation;

impl Facts<'_> {
    pub(super) fn explain(
        &self,
        cause: &Cause,
        must: &BTreeSet<usize>,
        covered: &BTreeSet<usize>,
        witness: &Witness,
    ) -> Explanation {
        let (text, hint) = self.words(cause, must, witness);
        let mut evidence = vec![self.count(must, covered)];
        evidence.extend(self.extra_evidence(cause));
        if let Some(first) = must.iter().next() {
            evidence.push(format!("example: {}", describe(self.topology, &self.judged[*first])));
        }
        let checks: BTreeSet<&'static str> =
            covered.iter().map(|index| crate::checks::paths::id_of(&self.judged[*index].probe)).collect();
        Explanation { cause: text, evidence, hint, explains: covered.len(), checks: checks.into_iter().collect() }
    }

    fn count(&self, must: &BTreeSet<usize>, covered: &BTreeSet<usize>) -> String {
        let mut symptoms: BTreeMap<String, usize> = BTreeMap::new();
        for index in must {
            if let State::Bad(symptom) = &self.judged[*index].state {
                *symptoms.entry(symptom.describe()).or_default() += 1;
            }
        }
        let mut symptoms: Vec<(String, usize)> = symptoms.into_iter().collect();
        symptoms.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rest = symptoms.len().saturating_sub(3);
        let mut listed: Vec<String> =
            symptoms.into_iter().take(3).map(|(text, count)| format!("{text} ×{count}")).collect();
        if rest > 0 {
            listed.push(format!("{rest} more"));
        }
        let followed = covered.difference(must).count();
        let followed =
            if followed == 0 { String::new() } else { format!("; {followed} more failures can follow from it") };
        format!("all {} probes of this kind fail, none works ({}){followed}", must.len(), listed.join(", "))
    }

    fn extra_evidence(&self, cause: &Cause) -> Vec<String> {
        let Cause::ServiceFrom { node, .. } = cause else { return Vec::new() };
        let older: Vec<&Judged> = self
            .judged
            .iter()
            .filter(|one| {
                one.probe.node == *node
                    && (one.probe.path == Path::Api
                        || matches!(one.probe.path, Path::Dns { server: DnsServer::Configured, .. }))
            })
            .collect();
        if !older.is_empty() && older.iter().all(|one| one.good()) {
            vec![format!(
                "Services that existed before still work from {}: its rules are there but no longer updated",
                self.name(*node)
            )]
        } else {
            Vec::new()
        }
    }

    /// Which direction of a pair is lost, by what the servers received. Only for causes whose packets include UDP.
    fn direction(&self, a: usize, b: usize, witness: &Witness) -> Option<(usize, usize)> {
        let received = |at: usize, from: usize| witness.received.get(&at).map(|from_nodes| from_nodes.contains(&from));
        match (received(b, a)?, received(a, b)?) {
            (false, true) => Some((a, b)),
            (true, false) => Some((b, a)),
            _ => None,
        }
    }

    fn words(&self, cause: &Cause, must: &BTreeSet<usize>, witness: &Witness) -> (String, String) {
        match *cause {
            Cause::Pods { pairs, packets, family, origin } => self.pod_words(pairs, packets, family, origin, must, witness),
            Cause::ServiceFrom { node, packets, family } => {
                let node = self.name(node);
                (
                    format!("{}Services cannot be reached from {node}{}: kube-proxy or its replacement on {node}", prefix(packets), suffix(family)),
                    format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={node}`: is kube-proxy (or the CNI agent that replaces it) running there, what does its log say?"),
                )
            }
            Cause::ServiceEverywhere { packets, family } => (
                format!("{}Services cannot be reached from any node{}", prefix(packets), suffix(family)),
                "`kubectl -n kube-system get pods -l k8s-app=kube-proxy -o wide`: or the CNI's replacement of kube-proxy; are its rules up to date?".to_owned(),
            ),
            Cause::NodePortTo { node, packets } => (
                format!("{}node ports of {} do not answer: kube-proxy or its replacement there, or a firewall in front of it", prefix(packets), self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy and the CNI agent of that node", self.name(node)),
            ),
            Cause::NodePortEverywhere { packets } => (
                format!("{}node ports do not answer on any node", prefix(packets)),
                "check the firewall between nodes for the node port range (30000-32767 by default), and kube-proxy's nodePortAddresses".to_owned(),
            ),
            Cause::ApiFrom(node) => (
                format!("the API server's cluster IP cannot be reached from pods on {}", self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy or its replacement there", self.name(node)),
            ),
            Cause::ApiEverywhere => (
                "the API server's cluster IP cannot be reached from pods on any node".to_owned(),
                "`kubectl -n default get endpointslices -l kubernetes.io/service-name=kubernetes`: are these addresses reachable from pods?".to_owned(),
            ),
            Cause::DnsPod(pod) | Cause::DnsPodTransport { pod, .. } | Cause::DnsPodAnswer { pod, .. } => self.dns_pod_words(cause, pod, must),
            Cause::DnsFrom(node) => (
                format!("cluster DNS does not answer rightly from {}", self.name(node)),
                format!("`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: kube-proxy or its replacement, and node-local DNS, on that node", self.name(node)),
            ),
            Cause::DnsEverywhere => (
                "cluster DNS does not answer rightly from any node".to_owned(),
                "`kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide`: running? then: kubectl -n kube-system logs -l k8s-app=kube-dns".to_owned(),
            ),
            Cause::NodeFromPods(node) => (
                format!("pods on other nodes cannot reach node {} itself", self.name(node)),
                format!("check firewall and routes between the pod network and {} (kubelet port {})", self.name(node), self.topology.nodes[node].kubelet_port),
            ),
            Cause::ExternalEverywhere(target) => (
                format!("{} cannot be reached from any node", self.topology.external[target].text),
                if self.all_rejected(must) {
                    "something answers with a refusal: does the target listen on that port, or does a firewall reject?"
                } else {
                    "check egress: masquerading, NAT gateway, firewall, proxies; is the target up?"
                }
                .to_owned(),
            ),
            Cause::ExternalFrom { node, target } => (
                format!("{} cannot be reached from {}", self.topology.external[target].text, self.name(node)),
                "check that node's masquerading rules and default route".to_owned(),
            ),
        }
    }

    fn dns_pod_words(&self, cause: &Cause, pod: usize, must: &BTreeSet<usize>) -> (String, String) {
        let dns = &self.topology.dns_pods[pod];
        let place = dns.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        let wrong = must.iter().find_map(|index| match &self.judged[*index].state {
            State::Bad(Symptom::Wrong(what)) => Some(what.clone()),
            _ => None,
        });
        let namespace = self.topology.dns.as_ref().map_or("kube-system", |service| service.namespace.as_str());
        let hint = format!(
            "`kubectl -n {namespace} logs {}`, then `kubectl -n {namespace} get configmap coredns -o yaml`",
            dns.name
        );
        let text = match (wrong, cause) {
            (Some(what), _) => format!("DNS pod {}{place} gives wrong answers: {what}", dns.name),
            (None, Cause::DnsPodTransport { tcp: true, .. }) => {
                format!("DNS pod {}{place} does not answer over TCP", dns.name)
            }
            (None, Cause::DnsPodTransport { tcp: false, .. }) => {
                format!("DNS pod {}{place} does not answer over UDP", dns.name)
            }
            (None, _) => format!("DNS pod {}{place} answers nobody", dns.name),
        };
        (text, hint)
    }

    fn pod_words(
        &self,
        pairs: Pairs,
        packets: Packets,
        family: Option<Family>,
        origin: Origin,
        must: &BTreeSet<usize>,
        witness: &Witness,
    ) -> (String, String) {
        let sees_direction = matches!(packets, Packets::Any | Packets::Udp);
        let pairs = match pairs {
            Pairs::Between(a, b) if sees_direction => match self.direction(a, b, witness) {
                Some((from, to)) => Pairs::OneWay(from, to),
                None => pairs,
            },
            Pairs::Node(node) if sees_direction => self.node_direction(node, witness).unwrap_or(pairs),
            other => other,
        };
        let source = if origin == Origin::Host { "nodes" } else { "pods" };
        let place = match pairs {
            Pairs::AllCross => "between all nodes".to_owned(),
            Pairs::AllSame => "between pods of the same node, on every node".to_owned(),
            Pairs::Node(node) => format!("to and from node {}", self.name(node)),
            Pairs::From(node) => format!("from node {}, in that direction only,", self.name(node)),
            Pairs::To(node) => format!("to node {}, in that direction only,", self.name(node)),
            Pairs::Between(a, b) => format!("between nodes {} and {}, in both directions,", self.name(a), self.name(b)),
            Pairs::OneWay(a, b) => {
                format!("from node {} to node {}, in that direction only,", self.name(a), self.name(b))
            }
            Pairs::Same(node) => format!("between pods on node {}", self.name(node)),
        };
        let what = match packets {
            Packets::Any => format!("everything {place} is lost"),
            Packets::Tcp => format!("TCP only: everything {place} is lost"),
            Packets::Udp => format!("UDP only: everything {place} is lost"),
            Packets::TcpPort(port) => format!("TCP port {port} only: everything {place} is lost"),
            Packets::UdpPort(port) => format!("UDP port {port} only: everything {place} is lost"),
            Packets::Large => {
                let (largest, mtu) = self.sizes(must);
                format!("packets above {largest} bytes {place} are lost (MTU): the pods' route promises {mtu}")
            }
        };
        let rejected = self.all_rejected(must);
        let what = if rejected { what.replacen("is lost", "is rejected", 1) } else { what };
        let hint = match (packets, pairs) {
            (Packets::Large, _) => {
                "compare the MTU of the CNI's device with the links beneath it, less the encapsulation (VXLAN 50, Geneve 50+, IPIP 20, WireGuard 60 to 80 bytes); lower the CNI's MTU or raise the links'".to_owned()
            }
            (Packets::Any, Pairs::AllCross) => "check that the CNI's transport between nodes is not filtered (VXLAN UDP 8472/4789, Geneve UDP 6081, BGP TCP 179, IP-in-IP protocol 4, WireGuard UDP 51871/51820)".to_owned(),
            (Packets::Any, Pairs::Node(node) | Pairs::From(node) | Pairs::To(node)) => format!(
                "`kubectl get pods -A -o wide --field-selector spec.nodeName={}`: the CNI agent's log there; then that node's routes, tunnel device and firewall",
                self.name(node)
            ),
            (Packets::Any, Pairs::OneWay(a, b) | Pairs::Between(a, b)) => {
                format!("on {}: `ip route get <pod address on {}>`, the tunnel's forwarding entries, and filters between the two", self.name(a), self.name(b))
            }
            (Packets::Any, _) => "check the CNI's bridge or veth devices, and packet filters on that node".to_owned(),
            _ => "something filters by protocol or port: security groups, host firewall, network policies (kubectl get networkpolicies -A)".to_owned(),
        };
        let subject = if source == "nodes" { "from the nodes' own network: " } else { "" };
        (format!("{subject}{what}{}", suffix(family)), hint)
    }

    fn node_direction(&self, node: usize, witness: &Witness) -> Option<Pairs> {
        let others: Vec<usize> = (0..self.topology.nodes.len())
            .filter(|other| *other != node && self.topology.nodes[*other].server.is_some())
            .collect();
        let directions: Vec<_> = others.iter().map(|other| self.direction(node, *other, witness)).collect();
        if directions.iter().zip(&others).all(|(direction, other)| *direction == Some((node, *other))) {
            Some(Pairs::From(node))
        } else if directions.iter().zip(&others).all(|(direction, other)| *direction == Some((*other, node))) {
            Some(Pairs::To(node))
        } else {
            None
        }
    }

    fn all_rejected(&self, must: &BTreeSet<usize>) -> bool {
        must.iter().all(|index| {
            matches!(self.judged[*index].state, State::Bad(Symptom::Refused | Symptom::Unreachable(Some(_))))
        })
    }

    fn sizes(&self, must: &BTreeSet<usize>) -> (String, String) {
        let mut largest = None;
        let mut mtu = None;
        for index in must {
            if let State::Bad(Symptom::TooLarge { largest: Some(l), mtu: m }) = &self.judged[*index].state {
                largest = Some(largest.map_or(*l, |known: u32| known.min(*l)));
                mtu = mtu.or(*m);
            }
        }
        let text = |value: Option<u32>| value.map_or("some".to_owned(), |value| value.to_string());
        (text(largest), text(mtu))
    }
}

fn prefix(packets: Packets) -> &'static str {
    match packets {
        Packets::Tcp => "TCP only: ",
        Packets::Udp => "UDP only: ",
        _ => "",
    }
}

fn suffix(family: Option<Family>) -> String {
    family.map(|family| format!(" ({} only)", family.name())).unwrap_or_default()
}
