//! networking.k8s.io/v1: each function quotes the sentence it stands for.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kubectl_cni::netpol::model::Direction;
use kubectl_cni::netpol::world::Traffic;

use super::{Guesses, View, selects, within};

type WrittenRule = (Option<Vec<NetworkPolicyPeer>>, Option<Vec<NetworkPolicyPort>>);

impl View<'_> {
    /// "An empty podSelector matches all pods in this namespace."
    fn applying(&self, direction: Direction) -> Vec<&NetworkPolicy> {
        let mut found = Vec::new();
        for policy in &self.listed.policies {
            let spec = policy.spec.as_ref().unwrap();
            let here = policy.metadata.namespace.as_deref() == Some(&self.subject.name.namespace);
            let selected = selects(&spec.pod_selector.clone().unwrap_or_default(), &self.subject.labels);
            if here && selected && speaks_of(policy, direction) {
                found.push(policy);
            }
        }
        found
    }

    pub(super) fn isolated(&self, direction: Direction) -> bool {
        !self.applying(direction).is_empty()
    }

    /// "OR if the traffic matches at least one rule across all of the NetworkPolicy objects whose podSelector matches the pod"
    pub(super) fn allowed_by_a_policy(&self, direction: Direction, guesses: &mut Guesses) -> bool {
        // "the behaviour is undefined for other protocols", for isolation as for allow rules
        if self.flow.traffic == Traffic::Other {
            return guesses.guess("other protocols are let through");
        }
        for policy in self.applying(direction) {
            for (peers, ports) in rules(policy, direction) {
                // "The traffic must match both ports and from."
                if self.a_port_matches(ports.as_deref()) && self.a_peer_matches(policy, peers.as_deref(), guesses) {
                    return true;
                }
            }
        }
        false
    }

    /// "If this field is empty or missing, this rule matches all ports"
    fn a_port_matches(&self, ports: Option<&[NetworkPolicyPort]>) -> bool {
        let Some(ports) = ports else { return true };
        ports.is_empty() || ports.iter().any(|port| self.port_matches(port))
    }

    fn port_matches(&self, port: &NetworkPolicyPort) -> bool {
        let Traffic::Port(protocol, number) = self.flow.traffic else { return false };
        // "If not specified, this field defaults to TCP."
        if port.protocol.as_deref().unwrap_or("TCP") != protocol.name() {
            return false;
        }
        match (&port.port, port.end_port) {
            // "If this field is not provided, this matches all port names and numbers."
            (None, _) => true,
            (Some(IntOrString::Int(only)), None) => *only == i32::from(number),
            // "the range of ports from port to endPort if set, inclusive"
            (Some(IntOrString::Int(first)), Some(last)) => (*first..=last).contains(&i32::from(number)),
            // "a numerical or named port on a pod": the destination's, by name and protocol
            (Some(IntOrString::String(name)), _) => self.target.pod.is_some_and(|pod| {
                pod.ports.iter().any(|port| port.name == *name && port.protocol == protocol && port.port == number)
            }),
        }
    }

    fn a_peer_matches(
        &self,
        policy: &NetworkPolicy,
        peers: Option<&[NetworkPolicyPeer]>,
        guesses: &mut Guesses,
    ) -> bool {
        // "If this field is empty or missing, this rule matches all sources"
        let Some(peers) = peers else { return true };
        peers.is_empty() || peers.iter().any(|peer| self.peer_matches(policy, peer, guesses))
    }

    fn peer_matches(&self, policy: &NetworkPolicy, peer: &NetworkPolicyPeer, guesses: &mut Guesses) -> bool {
        if let Some(block) = &peer.ip_block {
            let Some(ip) = self.other.ip else { return guesses.guess("the unknown address is in the blocks") };
            let inside = within(ip, &block.cidr) && !block.except.iter().flatten().any(|except| within(ip, except));
            // "These should be cluster-external IPs": for a pod's own address the outcome is open.
            let of_a_pod = self.other.pod.is_some() && !self.rewritten_target;
            return inside && (!of_a_pod || guesses.guess("address blocks match pods"));
        }
        let Some(pod) = self.other.pod else { return false };
        match (&peer.namespace_selector, &peer.pod_selector) {
            // "selects the pods matching podSelector in the policy's own namespace"
            (None, Some(pods)) => {
                policy.metadata.namespace.as_deref() == Some(&pod.name.namespace) && selects(pods, &pod.labels)
            }
            // "selects all pods in the namespaces selected"
            (Some(namespaces), None) => selects(namespaces, &self.namespace_labels(pod)),
            (Some(namespaces), Some(pods)) => {
                selects(namespaces, &self.namespace_labels(pod)) && selects(pods, &pod.labels)
            }
            (None, None) => panic!("a peer with nothing in it is not valid"),
        }
    }
}

/// "policies that contain an egress section are assumed to affect egress, and all policies are assumed to affect ingress"
fn speaks_of(policy: &NetworkPolicy, direction: Direction) -> bool {
    let spec = policy.spec.as_ref().unwrap();
    let types = spec.policy_types.clone().unwrap_or_default();
    match direction {
        Direction::Ingress => types.is_empty() || types.iter().any(|kind| kind == "Ingress"),
        Direction::Egress if types.is_empty() => spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
        Direction::Egress => types.iter().any(|kind| kind == "Egress"),
    }
}

fn rules(policy: &NetworkPolicy, direction: Direction) -> Vec<WrittenRule> {
    let spec = policy.spec.clone().unwrap();
    match direction {
        Direction::Ingress => spec.ingress.into_iter().flatten().map(|rule| (rule.from, rule.ports)).collect(),
        Direction::Egress => spec.egress.into_iter().flatten().map(|rule| (rule.to, rule.ports)).collect(),
    }
}
