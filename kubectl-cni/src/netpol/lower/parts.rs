//! The parts that all kinds of policy share: selectors, protocols, port numbers.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::{Notes, Odd};
use crate::netpol::labels::{Requirement, Selector};
use crate::netpol::model::Protocol;

/// A selector that is there. One bad requirement makes it select nothing: what is ANDed cannot be left out.
pub(super) fn selector(from: &LabelSelector, path: &str, notes: &mut Notes) -> Selector {
    let labels = from.match_labels.iter().flatten();
    let mut all: Vec<Requirement> =
        labels.map(|(key, value)| Requirement::In(key.clone(), [value.clone()].into())).collect();
    for expression in from.match_expressions.iter().flatten() {
        match requirement(expression) {
            Some(requirement) => all.push(requirement),
            None => {
                notes.add(path, Odd::Selector(format!("{} {}", expression.key, expression.operator)));
                return Selector::Nothing;
            }
        }
    }
    Selector::AllOf(all)
}

fn requirement(from: &LabelSelectorRequirement) -> Option<Requirement> {
    let values = from.values.clone().unwrap_or_default();
    let key = from.key.clone();
    match (from.operator.as_str(), values.is_empty()) {
        ("In", false) => Some(Requirement::In(key, values.into_iter().collect())),
        ("NotIn", false) => Some(Requirement::NotIn(key, values.into_iter().collect())),
        ("Exists", true) => Some(Requirement::Exists(key)),
        ("DoesNotExist", true) => Some(Requirement::DoesNotExist(key)),
        _ => None,
    }
}

/// A protocol as the API spells it; absent means TCP.
pub(super) fn protocol(from: Option<&str>, path: &str, notes: &mut Notes) -> Option<Protocol> {
    let name = from.unwrap_or("TCP");
    let found = Protocol::ALL.into_iter().find(|protocol| protocol.name() == name);
    if found.is_none() {
        notes.add(path, Odd::Protocol(name.to_owned()));
    }
    found
}

/// A port number.
pub(super) fn number(from: i32, path: &str, notes: &mut Notes) -> Option<u16> {
    let found = u16::try_from(from).ok().filter(|port| *port != 0);
    if found.is_none() {
        notes.add(path, Odd::Port(from.to_string()));
    }
    found
}

/// A port name as container ports can have them: at most 15 of a-z, 0-9 and -, with a letter in it.
pub(super) fn port_name(from: &str, path: &str, notes: &mut Notes) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let valid = !from.is_empty()
        && from.len() <= 15
        && from.bytes().all(allowed)
        && from.bytes().any(|byte| byte.is_ascii_lowercase());
    if !valid {
        notes.add(path, Odd::Port(from.to_owned()));
    }
    valid.then(|| from.to_owned())
}
