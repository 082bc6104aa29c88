//! ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 (policy.networking.k8s.io) in as JSON,
//! [`TierPolicy`] out. k8s-openapi has no such types; the ones here hold what decides, after apis/v1alpha2 and apis/v1alpha1 (v0.1.7) of
//! kubernetes-sigs/network-policy-api. Fields they do not know are what "unknown field" means there, and fail closed.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;
use serde_json::Value;

use super::{LowerError, Note, Notes, Odd, parts};
use crate::netpol::cidr::Cidr;
use crate::netpol::labels::Selector;
use crate::netpol::model::{Action, PortMatch, Ports, Protocol, Tier, TierKind, TierPeer, TierPolicy, TierRule};

/// Understands a cluster-wide policy of any of the three kinds.
///
/// # Errors
/// Where it is not an object of these kinds, has no name, or does not say whom it applies to.
pub fn cluster_policy(from: &Value) -> Result<(TierPolicy, Vec<Note>), LowerError> {
    let object: Object = Object::deserialize(from).map_err(|error| LowerError::Decode(error.to_string()))?;
    let kind = match (object.api_version.as_str(), object.kind.as_str()) {
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy") => TierKind::ClusterNetworkPolicy,
        ("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy") => TierKind::AdminNetworkPolicy,
        ("policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy") => TierKind::BaselineAdminNetworkPolicy,
        (version, kind) => return Err(LowerError::Decode(format!("{version} {kind} is not a policy known here"))),
    };
    let name = object.metadata.name;
    let called = format!("{} {name}", kind.name());
    if name.is_empty() {
        return Err(LowerError::Nameless(called));
    }
    let mut notes = Notes::of(called.clone());
    let spec = object.spec;
    let missing = |field: &str| LowerError::Decode(format!("{called} has no spec.{field}"));
    let (tier, priority) = match kind {
        TierKind::ClusterNetworkPolicy => {
            let tier = match spec.tier.as_deref().ok_or_else(|| missing("tier"))? {
                "Admin" => Tier::Admin,
                "Baseline" => Tier::Baseline,
                other => return Err(LowerError::Decode(format!("{called}: tier {other:?} is not known"))),
            };
            (tier, spec.priority.ok_or_else(|| missing("priority"))?)
        }
        TierKind::AdminNetworkPolicy => (Tier::Admin, spec.priority.ok_or_else(|| missing("priority"))?),
        TierKind::BaselineAdminNetworkPolicy => (Tier::Baseline, 0),
    };
    if !(0..=1000).contains(&priority) {
        notes.add("spec.priority", Odd::Priority(priority));
    }
    let (namespaces, pods) = match (&spec.subject.namespaces, &spec.subject.pods) {
        (Some(namespaces), None) => {
            (parts::selector(namespaces, "spec.subject.namespaces", &mut notes), Selector::EVERYTHING)
        }
        (None, Some(pods)) => namespaced(pods, "spec.subject.pods", &mut notes),
        _ => return Err(LowerError::Subject(called)),
    };
    if namespaces == Selector::Nothing || pods == Selector::Nothing {
        return Err(LowerError::Subject(called));
    }
    let ingress = rules(&spec.ingress, "spec.ingress", kind, &mut notes)?;
    let egress = rules(&spec.egress, "spec.egress", kind, &mut notes)?;
    Ok((TierPolicy { kind, name, tier, priority, namespaces, pods, ingress, egress }, notes.notes))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    api_version: String,
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    spec: Spec,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Spec {
    tier: Option<String>,
    priority: Option<i64>,
    subject: Subject,
    #[serde(default)]
    ingress: Vec<WrittenRule>,
    #[serde(default)]
    egress: Vec<WrittenRule>,
}

#[derive(Deserialize)]
struct Subject {
    namespaces: Option<LabelSelector>,
    pods: Option<Namespaced>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Namespaced {
    namespace_selector: Option<LabelSelector>,
    pod_selector: Option<LabelSelector>,
}

/// A rule of either version: v1alpha2 has `protocols`, v1alpha1 `ports`.
#[derive(Deserialize)]
struct WrittenRule {
    name: Option<String>,
    action: String,
    #[serde(default, alias = "to")]
    from: Vec<WrittenPeer>,
    #[serde(default, alias = "ports")]
    protocols: Option<Vec<WrittenPort>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPeer {
    namespaces: Option<LabelSelector>,
    pods: Option<Namespaced>,
    networks: Option<Vec<String>>,
    nodes: Option<LabelSelector>,
    domain_names: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPort {
    // v1alpha2
    tcp: Option<Destination>,
    udp: Option<Destination>,
    sctp: Option<Destination>,
    destination_named_port: Option<String>,
    // v1alpha1
    port_number: Option<Range>,
    port_range: Option<Range>,
    named_port: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination {
    destination_port: Option<Range>,
}

/// A number or a range: `number`/`range` in v1alpha2, `port`/`start`+`end` with a protocol in v1alpha1.
#[derive(Deserialize)]
struct Range {
    protocol: Option<String>,
    #[serde(alias = "port")]
    number: Option<i32>,
    range: Option<Box<Range>>,
    start: Option<i32>,
    end: Option<i32>,
}

fn namespaced(from: &Namespaced, path: &str, notes: &mut Notes) -> (Selector, Selector) {
    let mut read = |selector: &Option<LabelSelector>, field: &str| match selector {
        Some(selector) => parts::selector(selector, &format!("{path}.{field}"), notes),
        None => Selector::EVERYTHING,
    };
    (read(&from.namespace_selector, "namespaceSelector"), read(&from.pod_selector, "podSelector"))
}

fn rules(from: &[WrittenRule], path: &str, kind: TierKind, notes: &mut Notes) -> Result<Vec<TierRule>, LowerError> {
    from.iter().enumerate().map(|(at, rule)| self::rule(rule, &format!("{path}[{at}]"), kind, notes)).collect()
}

fn rule(from: &WrittenRule, path: &str, kind: TierKind, notes: &mut Notes) -> Result<TierRule, LowerError> {
    let action = match (from.action.as_str(), kind) {
        ("Accept", TierKind::ClusterNetworkPolicy) => Action::Accept,
        ("Allow", TierKind::AdminNetworkPolicy | TierKind::BaselineAdminNetworkPolicy) => Action::Accept,
        ("Deny", _) => Action::Deny,
        ("Pass", TierKind::ClusterNetworkPolicy | TierKind::AdminNetworkPolicy) => Action::Pass,
        (other, _) => return Err(LowerError::Decode(format!("{}: action {other:?} is not known", notes.object))),
    };
    let mut peers = Vec::new();
    let mut closed = from.from.is_empty();
    if closed {
        notes.add(path, Odd::UnknownField);
    }
    for (at, written) in from.from.iter().enumerate() {
        match peer(written, action, &format!("{path} peer {at}"), notes) {
            Some(peer) => peers.push(peer),
            None => closed = true,
        }
    }
    let mut ports = Vec::new();
    for (at, written) in from.protocols.iter().flatten().enumerate() {
        match port(written, &format!("{path} port {at}"), notes) {
            Some(port) => ports.push(port),
            None => closed = true,
        }
    }
    let name = from.name.clone();
    let ports = if from.protocols.is_some() { Ports::AnyOf(ports) } else { Ports::All };
    // "For Accept rules, fail closed means: treat the rule as matching no traffic. For Deny and Pass: treat it as a Deny all rule" (apis/v1alpha2).
    Ok(match (closed, action) {
        (false, _) => TierRule { name, action, peers, ports },
        (true, Action::Accept) => TierRule { name, action, peers: Vec::new(), ports },
        (true, Action::Deny | Action::Pass) => {
            TierRule { name, action: Action::Deny, peers: vec![TierPeer::Everything], ports: Ports::All }
        }
    })
}

fn peer(from: &WrittenPeer, action: Action, path: &str, notes: &mut Notes) -> Option<TierPeer> {
    let found = match (&from.namespaces, &from.pods, &from.networks, &from.nodes, &from.domain_names) {
        (Some(namespaces), None, None, None, None) => {
            TierPeer::Pods { namespaces: parts::selector(namespaces, path, notes), pods: Selector::EVERYTHING }
        }
        (None, Some(pods), None, None, None) => {
            let (namespaces, pods) = namespaced(pods, path, notes);
            TierPeer::Pods { namespaces, pods }
        }
        (None, None, Some(networks), None, None) => TierPeer::Networks(cidrs(networks, path, notes)?),
        (None, None, None, Some(nodes), None) => TierPeer::Nodes(parts::selector(nodes, path, notes)),
        (None, None, None, None, Some(names)) if action == Action::Accept => TierPeer::DomainNames(names.clone()),
        (None, None, None, None, Some(_)) => {
            notes.add(path, Odd::DomainNames);
            return None;
        }
        _ => {
            notes.add(path, Odd::UnknownField);
            return None;
        }
    };
    // A selector that cannot be read fails closed like a field that is not known.
    match &found {
        TierPeer::Pods { namespaces: Selector::Nothing, .. }
        | TierPeer::Pods { pods: Selector::Nothing, .. }
        | TierPeer::Nodes(Selector::Nothing) => None,
        _ => Some(found),
    }
}

fn cidrs(from: &[String], path: &str, notes: &mut Notes) -> Option<Vec<Cidr>> {
    let mut found = Vec::new();
    for text in from {
        match Cidr::parse(text) {
            Some(cidr) => found.push(cidr),
            None => {
                notes.add(path, Odd::Cidr(text.clone()));
                return None;
            }
        }
    }
    Some(found)
}

fn port(from: &WrittenPort, path: &str, notes: &mut Notes) -> Option<PortMatch> {
    let set = [&from.tcp, &from.udp, &from.sctp];
    let protocols: Vec<(Protocol, &Destination)> =
        Protocol::ALL.into_iter().zip(set).filter_map(|(protocol, set)| Some((protocol, set.as_ref()?))).collect();
    let names = [&from.destination_named_port, &from.named_port];
    let names: Vec<&String> = names.into_iter().flatten().collect();
    let ranges: Vec<&Range> = [&from.port_number, &from.port_range].into_iter().flatten().collect();
    match (protocols.as_slice(), names.as_slice(), ranges.as_slice()) {
        ([(protocol, Destination { destination_port: Some(range) })], [], []) => {
            self::range(range, *protocol, path, notes)
        }
        ([], [name], []) => Some(PortMatch::Named(None, parts::port_name(name, path, notes)?)),
        ([], [], [range]) => {
            let protocol = parts::protocol(range.protocol.as_deref(), path, notes)?;
            self::range(range, protocol, path, notes)
        }
        _ => {
            notes.add(path, Odd::UnknownField);
            None
        }
    }
}

fn range(from: &Range, protocol: Protocol, path: &str, notes: &mut Notes) -> Option<PortMatch> {
    let from = from.range.as_deref().unwrap_or(from);
    let (first, last) = match (from.number, from.start, from.end) {
        (Some(number), None, None) => (number, number),
        (None, Some(start), Some(end)) => (start, end),
        _ => {
            notes.add(path, Odd::UnknownField);
            return None;
        }
    };
    let (first, last) = (parts::number(first, path, notes)?, parts::number(last, path, notes)?);
    if last < first {
        notes.add(path, Odd::EndPort(last.into()));
        return None;
    }
    Some(PortMatch::Range(protocol, first, last))
}
