//! policy.networking.k8s.io: ClusterNetworkPolicy v1alpha2, and the two kinds of v1alpha1, from their JSON.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kubectl_cni::netpol::labels::Labels;
use kubectl_cni::netpol::model::Direction;
use kubectl_cni::netpol::world::{Pod, Traffic};
use serde_json::Value;

use super::{Guesses, View, selects, within};

impl View<'_> {
    /// The final word of a tier on this connection, if it has one.
    pub(super) fn tier(&self, tier: &str, direction: Direction, guesses: &mut Guesses) -> Option<bool> {
        let priorities: BTreeSet<i64> = self.listed.cluster_policies.iter().map(|policy| tier_of(policy).1).collect();
        for priority in priorities {
            let here = |policy: &&Value| tier_of(policy) == (tier, priority) && self.is_subject(policy);
            let mut matching = Vec::new();
            for policy in self.listed.cluster_policies.iter().filter(here) {
                if let Some(action) = self.first_match(policy, direction, guesses) {
                    matching.push((policy["metadata"]["name"].to_string(), action));
                }
            }
            // "the implementation can apply any of the matching policies"
            while let Some((name, action)) = matching.pop() {
                let last = matching.is_empty();
                if last || guesses.guess(format!("{name} comes first in {tier} {direction:?}")) {
                    match action.as_str() {
                        "Accept" | "Allow" => return Some(true),
                        "Deny" => return Some(false),
                        // "Skips all further rules in the current tier"
                        "Pass" => return None,
                        other => panic!("action {other}"),
                    }
                }
            }
        }
        None
    }

    /// "host-networked pods are not included in subject selection"
    fn is_subject(&self, policy: &Value) -> bool {
        let subject = &policy["spec"]["subject"];
        !self.subject.host_network && self.selects_pod(subject, self.subject)
    }

    /// A subject or a peer: `namespaces`, or `pods` with both selectors.
    fn selects_pod(&self, written: &Value, pod: &Pod) -> bool {
        let namespace = self.namespace_labels(pod);
        if !written["namespaces"].is_null() {
            return chosen(&written["namespaces"], &namespace);
        }
        !written["pods"].is_null()
            && chosen(&written["pods"]["namespaceSelector"], &namespace)
            && chosen(&written["pods"]["podSelector"], &pod.labels)
    }

    /// "a rule that appears at the top would take the highest precedence"
    fn first_match(&self, policy: &Value, direction: Direction, guesses: &mut Guesses) -> Option<String> {
        let (rules, peers) = match direction {
            Direction::Ingress => ("ingress", "from"),
            Direction::Egress => ("egress", "to"),
        };
        for (at, rule) in policy["spec"][rules].as_array().into_iter().flatten().enumerate() {
            let question = format!("{} {rules} {at}", policy["metadata"]["name"]);
            let mut peer = false;
            for written in rule[peers].as_array().unwrap() {
                peer |= self.tier_peer_matches(written, &question, guesses);
            }
            let written = if rule["protocols"].is_null() { &rule["ports"] } else { &rule["protocols"] };
            // "If unspecified, protocol-specific attributes will not be used to match traffic."
            let port = written.is_null() || written.as_array().unwrap().iter().any(|port| self.tier_port_matches(port));
            if peer && port {
                return Some(rule["action"].as_str().unwrap().to_owned());
            }
        }
        None
    }

    fn tier_peer_matches(&self, peer: &Value, question: &str, guesses: &mut Guesses) -> bool {
        if let Some(networks) = peer["networks"].as_array() {
            // "cluster-internal traffic will be checked against the rule as well"
            let Some(ip) = self.other.ip else { return guesses.guess(format!("{question}: the address is in it")) };
            return networks.iter().any(|cidr| within(ip, cidr.as_str().unwrap()));
        }
        if !peer["nodes"].is_null() {
            let node = self.other.host_of.and_then(|name| self.listed.nodes.get(name));
            return node.is_some_and(|node| chosen(&peer["nodes"], &node.labels));
        }
        if !peer["domainNames"].is_null() {
            // What a name resolves to is not written anywhere; addresses inside the cluster are pods and nodes, not names.
            let outside = self.other.pod.is_none() && self.other.host_of.is_none();
            return outside && guesses.guess(format!("{question}: the name has this address"));
        }
        self.other.pod.is_some_and(|pod| !pod.host_network && self.selects_pod(peer, pod))
    }

    fn tier_port_matches(&self, written: &Value) -> bool {
        let Traffic::Port(protocol, number) = self.flow.traffic else { return false };
        let number = i64::from(number);
        let named = written["destinationNamedPort"].as_str().or(written["namedPort"].as_str());
        if let Some(name) = named {
            let ports =
                self.target.pod.filter(|pod| !pod.host_network).map(|pod| pod.ports.clone()).unwrap_or_default();
            return ports
                .iter()
                .any(|port| port.name == name && port.protocol == protocol && i64::from(port.port) == number);
        }
        let field = protocol.name().to_lowercase();
        let port = &written[&field]["destinationPort"];
        if !port.is_null() {
            return port["number"] == number || covers(&port["range"], number);
        }
        let same = |written: &Value| written["protocol"].as_str().unwrap_or("TCP") == protocol.name();
        let only = &written["portNumber"];
        let range = &written["portRange"];
        (!only.is_null() && same(only) && only["port"] == number)
            || (!range.is_null() && same(range) && covers(range, number))
    }
}

fn covers(range: &Value, number: i64) -> bool {
    let (Some(start), Some(end)) = (range["start"].as_i64(), range["end"].as_i64()) else { return false };
    start <= number && number <= end
}

fn tier_of(policy: &Value) -> (&str, i64) {
    match policy["kind"].as_str().unwrap() {
        "BaselineAdminNetworkPolicy" => ("Baseline", 0),
        "AdminNetworkPolicy" => ("Admin", policy["spec"]["priority"].as_i64().unwrap()),
        _ => (policy["spec"]["tier"].as_str().unwrap(), policy["spec"]["priority"].as_i64().unwrap()),
    }
}

fn chosen(selector: &Value, labels: &Labels) -> bool {
    let selector: LabelSelector = serde_json::from_value(selector.clone()).unwrap();
    selects(&selector, labels)
}
