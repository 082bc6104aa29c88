//! Do the networks of pods, Services and nodes keep apart?

use std::net::IpAddr;

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "networks-overlap",
    section: "Networks",
    title: "pod, Service and node networks keep apart",
    means: "An address must belong to one thing: where a node's pod network overlaps another's, the Services' or the nodes' own addresses, some packets go \
            to the wrong place, and which ones changes when routes are made anew by an upgrade.",
    remedy: "Give the nodes that are named another podCIDR; an overlap with Services or nodes means a new pod network for the cluster.",
    judge: Judge::Upgrade(run),
};

/// A network: its first address as a number, its family, its length in bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Net {
    v6: bool,
    first: u128,
    last: u128,
}

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let nodes = match &upgrade.survey.snapshot.nodes {
        Ok(nodes) => nodes,
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let mut pods: Vec<(Net, String)> = Vec::new();
    let mut unread: Vec<String> = Vec::new();
    for node in nodes {
        for cidr in node.spec.iter().flat_map(|spec| spec.pod_cidrs.iter().flatten()) {
            match parse(cidr) {
                Some(net) => pods.push((net, format!("{cidr} of {}", node_name(node)))),
                None => unread.push(format!("{}: podCIDR {cidr:?} is not a network", node_name(node))),
            }
        }
    }
    pods.sort();
    let mut clashes: Vec<String> = Vec::new();
    // Sorted by their first address, each needs to be compared with the one so far that reaches furthest.
    let mut furthest: Option<&(Net, String)> = None;
    for one in &pods {
        if let Some(before) = furthest.filter(|before| before.0.v6 == one.0.v6 && before.0.last >= one.0.first) {
            clashes.push(format!("pods {} and {}", before.1, one.1));
        }
        if furthest.is_none_or(|before| before.0.v6 != one.0.v6 || one.0.last > before.0.last) {
            furthest = Some(one);
        }
    }
    let services = upgrade.survey.service_cidrs.as_ref().map(Vec::as_slice).unwrap_or_default();
    for cidr in services {
        match parse(cidr) {
            Some(net) => {
                let with = pods.iter().filter(|one| overlap(one.0, net));
                clashes.extend(with.map(|one| format!("Services {cidr} and pods {}", one.1)));
                clashes.extend(node_clashes(nodes, net, &format!("Services {cidr}")));
            }
            None => unread.push(format!("network of Services {cidr:?} is not a network")),
        }
    }
    for node in nodes {
        for address in addresses(node) {
            let net = one_address(address);
            // The networks do not overlap each other, or that is said already: the last that begins at or before it is the only one.
            let at = pods.partition_point(|one| (one.0.v6, one.0.first) <= (net.v6, net.first));
            if let Some(one) = at.checked_sub(1).map(|at| &pods[at]).filter(|one| overlap(one.0, net)) {
                clashes.push(format!("address {address} of {} and pods {}", node_name(node), one.1));
            }
        }
    }
    if !clashes.is_empty() {
        let mut result = check.result(Verdict::Fail, clashes[0].clone());
        result.evidence = clashes.split_off(1);
        return vec![result];
    }
    if let Some(first) = unread.first() {
        return vec![check.result(Verdict::Unknown, first.clone())];
    }
    if let Err(missing) = &upgrade.survey.service_cidrs {
        let detail = format!("pods and nodes keep apart; the networks of Services are not known: {missing}");
        return vec![check.result(Verdict::Unknown, detail)];
    }
    vec![match pods.is_empty() {
        true => check.result(Verdict::Skip, "nodes have no podCIDR: the CNI hands out addresses by itself"),
        false => check.result(Verdict::Pass, format!("Services {}", services.join(", "))),
    }]
}

fn node_clashes(nodes: &[k8s_openapi::api::core::v1::Node], net: Net, what: &str) -> Vec<String> {
    let mut clashes = Vec::new();
    for node in nodes {
        for address in addresses(node).filter(|address| overlap(one_address(*address), net)) {
            clashes.push(format!("{what} and address {address} of {}", node_name(node)));
        }
    }
    clashes
}

fn addresses(node: &k8s_openapi::api::core::v1::Node) -> impl Iterator<Item = IpAddr> {
    let list = node.status.iter().flat_map(|status| status.addresses.iter().flatten());
    list.filter_map(|address| address.address.parse().ok())
}

/// Whether an address lies in a network; false for what is neither.
pub(super) fn contains(cidr: &str, address: &str) -> bool {
    let address: Option<IpAddr> = address.parse().ok();
    parse(cidr).zip(address).is_some_and(|(net, address)| overlap(net, one_address(address)))
}

fn overlap(a: Net, b: Net) -> bool {
    a.v6 == b.v6 && a.first <= b.last && b.first <= a.last
}

fn one_address(address: IpAddr) -> Net {
    let (v6, number) = number(address);
    Net { v6, first: number, last: number }
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(four) => (false, u128::from(u32::from(four))),
        IpAddr::V6(six) => (true, u128::from(six)),
    }
}

fn parse(cidr: &str) -> Option<Net> {
    let (address, length) = cidr.split_once('/')?;
    let (v6, number) = number(address.parse().ok()?);
    let bits: u32 = if v6 { 128 } else { 32 };
    let length: u32 = length.parse().ok().filter(|length| *length <= bits)?;
    let host = match bits - length {
        128 => u128::MAX,
        rest => (1 << rest) - 1,
    };
    Some(Net { v6, first: number & !host, last: number | host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_overlap_as_their_addresses_do() {
        let cases = [
            ("10.244.0.0/24", "10.244.1.0/24", false),
            ("10.244.0.0/16", "10.244.1.0/24", true),
            ("10.0.0.0/8", "fd00::/8", false),
            ("fd00::/64", "fd00::1/128", true),
            ("0.0.0.0/0", "192.0.2.1/32", true),
            ("::/0", "fd00::/8", true),
        ];
        for (a, b, expected) in cases {
            assert_eq!(overlap(parse(a).unwrap(), parse(b).unwrap()), expected, "{a} {b}");
        }
        for bad in ["10.0.0.0", "10.0.0.0/33", "x/8", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
