//! NetworkPolicy of networking.k8s.io/v1 in, [`Policy`] out.

use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{LowerError, Note, Notes, Odd, parts};
use crate::netpol::cidr::Cidr;
use crate::netpol::labels::Selector;
use crate::netpol::model::{Peer, Peers, Policy, PortMatch, Ports, Rule};

/// Understands a NetworkPolicy.
///
/// # Errors
/// Where it has no name or namespace, and so cannot be placed.
pub fn network_policy(from: &NetworkPolicy) -> Result<(Policy, Vec<Note>), LowerError> {
    let name = from.metadata.name.clone().unwrap_or_default();
    let namespace = from.metadata.namespace.clone().unwrap_or_default();
    let object = format!("NetworkPolicy {namespace}/{name}");
    if name.is_empty() || namespace.is_empty() {
        return Err(LowerError::Nameless(object));
    }
    let mut notes = Notes::of(object);
    let spec = from.spec.clone().unwrap_or_default();

    let subject = match &spec.pod_selector {
        Some(selector) => parts::selector(selector, "spec.podSelector", &mut notes),
        None => Selector::EVERYTHING,
    };
    let types = spec.policy_types.unwrap_or_default();
    let unknown = types.iter().find(|kind| *kind != "Ingress" && *kind != "Egress");
    if let Some(unknown) = unknown {
        notes.add("spec.policyTypes", Odd::PolicyType(unknown.clone()));
    }
    let listed = |kind: &str| types.iter().any(|listed| listed == kind);
    let ingress_rules = spec.ingress.unwrap_or_default();
    let egress_rules = spec.egress.unwrap_or_default();
    // Without policyTypes ingress always, egress where there are egress rules (defaulting in k8s.io/kubernetes, apis/networking/v1).
    let (ingress, egress) = if types.is_empty() {
        (true, !egress_rules.is_empty())
    } else {
        (listed("Ingress") || unknown.is_some(), listed("Egress") || unknown.is_some())
    };
    if !ingress && !ingress_rules.is_empty() {
        notes.add("spec.ingress", Odd::InertRules);
    }
    if !egress && !egress_rules.is_empty() {
        notes.add("spec.egress", Odd::InertRules);
    }

    let ingress_rules = ingress_rules.iter().enumerate().map(|(at, rule)| {
        let path = format!("spec.ingress[{at}]");
        Rule {
            peers: peers(rule.from.as_deref(), &format!("{path}.from"), &mut notes),
            ports: ports(rule.ports.as_deref(), &format!("{path}.ports"), &mut notes),
        }
    });
    let ingress = ingress.then(|| ingress_rules.collect());
    let egress_rules = egress_rules.iter().enumerate().map(|(at, rule)| {
        let path = format!("spec.egress[{at}]");
        Rule {
            peers: peers(rule.to.as_deref(), &format!("{path}.to"), &mut notes),
            ports: ports(rule.ports.as_deref(), &format!("{path}.ports"), &mut notes),
        }
    });
    let egress = egress.then(|| egress_rules.collect());

    let mut policy = Policy { namespace, name, subject, ingress, egress };
    if policy.subject == Selector::Nothing {
        notes.add("spec.podSelector", Odd::Subject);
        policy.subject = Selector::EVERYTHING;
        policy.ingress = policy.ingress.map(|_| Vec::new());
        policy.egress = policy.egress.map(|_| Vec::new());
    }
    Ok((policy, notes.notes))
}

fn peers(from: Option<&[NetworkPolicyPeer]>, path: &str, notes: &mut Notes) -> Peers {
    match from {
        None | Some([]) => Peers::Anyone,
        Some(items) => Peers::AnyOf(
            items.iter().enumerate().filter_map(|(at, item)| peer(item, &format!("{path}[{at}]"), notes)).collect(),
        ),
    }
}

fn peer(from: &NetworkPolicyPeer, path: &str, notes: &mut Notes) -> Option<Peer> {
    match (&from.ip_block, &from.namespace_selector, &from.pod_selector) {
        (Some(found), None, None) => block(found, path, notes),
        (None, Some(namespaces), pods) => Some(Peer::Pods {
            namespaces: parts::selector(namespaces, &format!("{path}.namespaceSelector"), notes),
            pods: match pods {
                Some(pods) => parts::selector(pods, &format!("{path}.podSelector"), notes),
                None => Selector::EVERYTHING,
            },
        }),
        (None, None, Some(pods)) => {
            Some(Peer::OwnNamespace(parts::selector(pods, &format!("{path}.podSelector"), notes)))
        }
        _ => {
            notes.add(path, Odd::Peer);
            None
        }
    }
}

fn block(from: &IPBlock, path: &str, notes: &mut Notes) -> Option<Peer> {
    let Some(cidr) = Cidr::parse(&from.cidr) else {
        notes.add(&format!("{path}.ipBlock.cidr"), Odd::Cidr(from.cidr.clone()));
        return None;
    };
    let mut except = Vec::new();
    for text in from.except.iter().flatten() {
        match Cidr::parse(text).filter(|inner| cidr.strictly_contains(inner)) {
            Some(inner) => except.push(inner),
            None => {
                notes.add(&format!("{path}.ipBlock.except"), Odd::Except(text.clone()));
                return None;
            }
        }
    }
    Some(Peer::Block { cidr, except })
}

fn ports(from: Option<&[NetworkPolicyPort]>, path: &str, notes: &mut Notes) -> Ports {
    match from {
        None | Some([]) => Ports::All,
        Some(items) => Ports::AnyOf(
            items.iter().enumerate().filter_map(|(at, item)| port(item, &format!("{path}[{at}]"), notes)).collect(),
        ),
    }
}

fn port(from: &NetworkPolicyPort, path: &str, notes: &mut Notes) -> Option<PortMatch> {
    let protocol = parts::protocol(from.protocol.as_deref(), path, notes)?;
    match (&from.port, from.end_port) {
        (None, None) => Some(PortMatch::Protocol(protocol)),
        (Some(IntOrString::Int(first)), end) => {
            let first = parts::number(*first, path, notes)?;
            let last = match end {
                Some(end) => parts::number(end, path, notes)?,
                None => first,
            };
            if last < first {
                notes.add(path, Odd::EndPort(last.into()));
                return None;
            }
            Some(PortMatch::Range(protocol, first, last))
        }
        (Some(IntOrString::String(name)), None) => {
            Some(PortMatch::Named(Some(protocol), parts::port_name(name, path, notes)?))
        }
        (None | Some(IntOrString::String(_)), Some(end)) => {
            notes.add(path, Odd::EndPort(end));
            None
        }
    }
}
