//! On what: protocols, numbers, names, ranges, and mixtures of them.

use serde_json::{Value, json};

use super::Case;
use super::parts::{apply, pod_a, policy, rule, usual_peers};
use super::stage::{OWN_PORT, PORTS, port_name};
use crate::netpol::model::{Direction, Protocol};

/// Name, tags, ports.
type Ports = (String, Vec<&'static str>, Value);

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for direction in Direction::BOTH {
        let way = direction.name();
        let own = ("name-that-differs".to_owned(), vec!["named-port", "tcp"], json!([{"port": OWN_PORT}]));
        for (name, tags, ports) in all().into_iter().chain([own]) {
            let rules = json!([rule(direction, &usual_peers(direction), &ports)]);
            let steps = vec![apply(&[policy("x", "ports", &pod_a(), &[(direction, rules)])])];
            let what = match name.as_str() {
                "empty-list" => "every port of every protocol, by an empty list".to_owned(),
                "default-all" => "every TCP port, by an item with nothing in it".to_owned(),
                "name-that-differs" => "a name that is another number in other pods".to_owned(),
                "name-of-another-protocol" => "a TCP port whose name is one of a UDP port".to_owned(),
                "name-of-nothing" => "a name that no pod has".to_owned(),
                "number-of-nothing" => "a port that nothing serves".to_owned(),
                name => name.replace("--", " or "),
            };
            let intent = format!("{way} on {what} and on nothing else");
            let mut case = Case::new(format!("ports/{way}/{name}"), &["classic", "ports", way], intent, steps);
            case.tags.extend(tags);
            if case.id.ends_with("/name-that-differs") {
                case.tags.remove("classic");
            }
            cases.push(case);
        }
    }
    cases
}

fn all() -> Vec<Ports> {
    let mut all: Vec<Ports> = vec![("empty-list".to_owned(), vec!["any-port"], json!([]))];
    for protocol in [None, Some(Protocol::Tcp), Some(Protocol::Udp), Some(Protocol::Sctp)] {
        for port in [None, Some(80), Some(81)] {
            let mut item = json!({});
            let mut name = protocol.map_or("default".to_owned(), |protocol| protocol.name().to_lowercase());
            if let Some(protocol) = protocol {
                item["protocol"] = protocol.name().into();
            }
            name.push_str(&port.map_or("-all".to_owned(), |port: u16| format!("-{port}")));
            let mut tags = vec![if port.is_some() { "numbered-port" } else { "any-port" }];
            if let Some(port) = port {
                item["port"] = port.into();
            }
            tags.extend(protocol.map(tag));
            all.push((name, tags, json!([item])));
        }
    }
    for protocol in Protocol::ALL {
        let named = protocol.name();
        for port in PORTS {
            let name = port_name(protocol, port);
            let item = json!([{"protocol": named, "port": name}]);
            all.push((name, vec!["named-port", tag(protocol)], item));
        }
        for last in [80, 84] {
            let item = json!([{"protocol": named, "port": 53, "endPort": last}]);
            all.push((format!("{}-53-to-{last}", named.to_lowercase()), vec!["end-port", tag(protocol)], item));
        }
    }
    let odd = |name: &str, item: Value| (name.to_owned(), vec!["pathological"], json!([item]));
    all.push(odd("name-of-another-protocol", json!({"protocol": "TCP", "port": "serve-81-udp"})));
    all.push(odd("name-of-nothing", json!({"protocol": "TCP", "port": "no-such-port"})));
    all.push(odd("number-of-nothing", json!({"protocol": "TCP", "port": 7981})));
    let two = |name: &str, one: Value, other: Value| (name.to_owned(), vec!["multi-port"], json!([one, other]));
    let (tcp, udp, sctp) =
        (json!({"port": 80}), json!({"protocol": "UDP", "port": 81}), json!({"protocol": "SCTP", "port": 80}));
    let (named, all_udp) = (json!({"port": "serve-81-tcp"}), json!({"protocol": "UDP"}));
    all.push(two("tcp-80--tcp-81", tcp.clone(), json!({"port": 81})));
    all.push(two("tcp-80--udp-81", tcp.clone(), udp.clone()));
    all.push(two("tcp-80--sctp-80", tcp.clone(), sctp.clone()));
    all.push(two("udp-81--sctp-80", udp, sctp));
    all.push(two("tcp-80--serve-81-tcp", tcp.clone(), named.clone()));
    all.push(two("tcp-80--udp-all", tcp, all_udp.clone()));
    all.push(two("serve-81-tcp--udp-all", named, all_udp));
    all
}

pub(super) fn tag(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}
