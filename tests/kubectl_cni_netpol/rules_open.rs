//! What is always allowed, and what the API leaves open: the open points never come out as allowed or denied.

use crate::sentences::check;

const SHUT: &str = "{spec: {podSelector: {}, policyTypes: [Ingress, Egress]}}";

#[test]
fn a_node_and_the_pods_on_it_always_reach_one_another() {
    check(
        SHUT,
        &[
            "node:n0 -> y/a TCP/80 allowed",
            "y/a -> node:n0 TCP/80 allowed",
            "node:n1 -> y/a TCP/80 denied",
            "y/a -> node:n1 UDP/9 denied",
        ],
    );
    check(SHUT, &["x/h -> y/a TCP/80 allowed", "y/a -> x/h TCP/80 allowed", "x/h -> y/b TCP/80 denied"]);
}

#[test]
fn a_pod_reaches_itself_but_through_a_service_it_varies() {
    check(SHUT, &["y/a -> y/a TCP/80 allowed", "y/a -> y/a TCP/80 by 10.96.0.1 undefined"]);
    check("{spec: {ingress: [{}]}}", &["y/a -> y/a TCP/80 by 10.96.0.1 allowed"]);
}

#[test]
fn pods_in_their_nodes_network_count_as_pods_or_as_their_node() {
    check("{spec: {ingress: [{from: [{namespaceSelector: {}}]}]}}", &["x/h -> y/b TCP/80 undefined"]);
    check(
        "{spec: {ingress: [{from: [{ipBlock: {cidr: 172.16.0.0/24}}]}]}}",
        &["node:n0 -> y/b TCP/80 allowed", "x/h -> y/b TCP/80 undefined"],
    );
    check(
        "{spec: {ingress: [{from: [{ipBlock: {cidr: 172.16.0.0/24}}, {namespaceSelector: {}}]}]}}",
        &["x/h -> y/b TCP/80 allowed"],
    );
    // As a target of policies: isolated or not at all.
    check(
        "{metadata: {namespace: x}, spec: {policyTypes: [Ingress]}}",
        &["y/b -> x/h TCP/80 undefined", "y/a -> x/h TCP/80 allowed"],
    );
}

#[test]
fn blocks_are_for_the_outside_and_may_or_may_not_match_pods() {
    let block = "{spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.1/32]}}]}]}}";
    check(block, &["x/a -> y/a TCP/80 undefined", "x/b -> y/a TCP/80 denied", "ip:10.0.0.99 -> y/a TCP/80 allowed"]);
    let more = "{spec: {ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/24}}, {namespaceSelector: {}}]}]}}";
    check(more, &["x/a -> y/a TCP/80 allowed"]);
}

#[test]
fn rules_are_written_on_what_is_behind_a_service() {
    let out = |to: &str| {
        format!(
            "{{metadata: {{namespace: x}}, spec: {{policyTypes: [Egress], egress: [{{to: [{to}], ports: [{{port: 80}}]}}]}}}}"
        )
    };
    check(
        &out("{namespaceSelector: {}}"),
        &["x/a -> y/a TCP/80 by 10.96.0.1 allowed", "x/a -> y/a TCP/81 by 10.96.0.1 denied"],
    );
    check(
        &out("{ipBlock: {cidr: 10.96.0.0/16}}"),
        &["x/a -> y/a TCP/80 by 10.96.0.1 undefined", "x/a -> y/a TCP/80 denied"],
    );
    check(
        &out("{ipBlock: {cidr: 192.0.2.0/24}}"),
        &["x/a -> y/a TCP/80 by 10.96.0.1 denied", "x/a -> ip:192.0.2.1 TCP/80 by 10.96.0.1 undefined"],
    );
}

#[test]
fn behind_a_node_port_the_source_may_be_the_node() {
    let block = "{spec: {ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}}";
    check(
        block,
        &["ip:192.0.2.1 -> y/a TCP/80 by node n1 undefined", "ip:198.51.100.1 -> y/a TCP/80 by node n1 denied"],
    );
    check(SHUT, &["ip:192.0.2.1 -> y/a TCP/80 by node n0 undefined"]);
    check(
        "{spec: {ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}",
        &["ip:192.0.2.1 -> y/a TCP/80 by node n1 allowed"],
    );
}

#[test]
fn nothing_is_promised_for_other_protocols() {
    check(SHUT, &["x/a -> y/a other undefined"]);
    check("{spec: {ingress: [{}]}}", &["x/a -> y/a other undefined", "y/a -> x/a other allowed"]);
}

#[test]
fn both_families_of_a_pod_are_judged_alike_by_selectors() {
    check(
        "{spec: {ingress: [{from: [{podSelector: {}}]}]}}",
        &["y/b -> y/a TCP/80 v6 allowed", "x/b -> y/a TCP/80 v6 denied"],
    );
    check(
        "{spec: {ingress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]}}",
        &["ip:2001:db8::1 -> y/a TCP/80 v6 allowed", "ip:192.0.2.1 -> y/a TCP/80 denied"],
    );
}
