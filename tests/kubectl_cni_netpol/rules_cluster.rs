//! ClusterNetworkPolicy v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1: tiers, priorities, actions, peers, ports.

use kubectl_cni::netpol::lower::LowerError;
use kubectl_cni::netpol::lower::cluster_policy::cluster_policy;
use serde_json::json;

use crate::sentences::{check, check_odd, words};

/// A ClusterNetworkPolicy on all pods of namespace y.
fn cluster(name: &str, tier: &str, priority: u32, rules: &str) -> String {
    format!(
        "---\n{{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {{name: {name}}}, \
         spec: {{tier: {tier}, priority: {priority}, subject: {{namespaces: {{matchLabels: {{ns: y}}}}}}, {rules}}}}}\n"
    )
}

fn from_x(action: &str) -> String {
    format!("{{action: {action}, from: [{{namespaces: {{matchLabels: {{ns: x}}}}}}]}}")
}

#[test]
fn admin_comes_before_network_policy_and_baseline_after() {
    let shut = "{spec: {ingress: []}}\n";
    let open = "{spec: {ingress: [{}]}}\n";
    let rule = |action: &str| format!("ingress: [{}]", from_x(action));
    let row = |text: String, expected: &str| check(&text, &[&format!("x/a -> y/a TCP/80 {expected}")]);
    row(shut.to_owned() + &cluster("c", "Admin", 1, &rule("Accept")), "allowed");
    row(open.to_owned() + &cluster("c", "Admin", 1, &rule("Deny")), "denied");
    row(shut.to_owned() + &cluster("c", "Admin", 1, &rule("Pass")), "denied");
    row(shut.to_owned() + &cluster("c", "Baseline", 1, &rule("Accept")), "denied");
    row(open.to_owned() + &cluster("c", "Baseline", 1, &rule("Deny")), "allowed");
    row(cluster("c", "Baseline", 1, &rule("Deny")), "denied");
    row(cluster("c", "Baseline", 1, &rule("Pass")) + &cluster("d", "Baseline", 2, &rule("Deny")), "allowed");
}

#[test]
fn lower_priorities_and_upper_rules_come_first_and_ties_are_open() {
    let rule = |action: &str| format!("ingress: [{}]", from_x(action));
    let two = |a: u32, b: u32| cluster("c", "Admin", a, &rule("Accept")) + &cluster("d", "Admin", b, &rule("Deny"));
    check(&two(1, 2), &["x/a -> y/a TCP/80 allowed"]);
    check(&two(2, 1), &["x/a -> y/a TCP/80 denied"]);
    check(&two(1, 1), &["x/a -> y/a TCP/80 undefined", "y/b -> y/a TCP/80 allowed"]);
    check(
        &cluster("c", "Admin", 1, &format!("ingress: [{}, {}]", from_x("Deny"), from_x("Accept"))),
        &["x/a -> y/a TCP/80 denied"],
    );
}

#[test]
fn nothing_is_isolated_by_being_a_subject() {
    check(
        &cluster("c", "Admin", 1, &format!("ingress: [{}]", from_x("Accept"))),
        &["y/b -> y/a TCP/80 allowed", "ip:192.0.2.1 -> y/a TCP/80 allowed"],
    );
}

#[test]
fn pods_in_their_nodes_network_are_neither_subject_nor_peer() {
    check(
        &cluster("c", "Admin", 1, &format!("ingress: [{}]", from_x("Deny"))),
        &["x/h -> y/b TCP/80 allowed", "x/a -> y/b TCP/80 denied"],
    );
}

#[test]
fn networks_match_pods_too_and_nodes_match_node_addresses() {
    let networks = cluster("c", "Admin", 1, "egress: [{action: Deny, to: [{networks: [10.0.0.0/24]}]}]");
    check(
        &networks,
        &["y/a -> x/a TCP/80 denied", "y/a -> ip:10.0.0.77 TCP/80 denied", "y/a -> ip:192.0.2.1 TCP/80 allowed"],
    );
    let nodes = cluster("c", "Admin", 1, "egress: [{action: Deny, to: [{nodes: {matchLabels: {zone: z1}}}]}]");
    check(&nodes, &["y/a -> node:n1 TCP/80 denied", "y/a -> node:n0 TCP/80 allowed", "y/a -> x/b TCP/80 allowed"]);
    // Its own node: not settled.
    check(&nodes, &["y/b -> node:n1 TCP/80 undefined"]);
}

#[test]
fn what_a_domain_name_resolves_to_is_open() {
    let names = cluster(
        "c",
        "Admin",
        1,
        "egress: [{action: Accept, to: [{domainNames: [example.org]}]}, {action: Deny, to: [{networks: [0.0.0.0/0]}]}]",
    );
    check(&names, &["y/a -> ip:192.0.2.1 TCP/80 undefined", "y/a -> x/a TCP/80 denied"]);
}

#[test]
fn protocols_have_numbers_ranges_and_names_and_without_them_icmp_counts() {
    let rule = |protocols: &str| {
        cluster(
            "c",
            "Admin",
            1,
            &format!("ingress: [{{action: Deny, from: [{{namespaces: {{}}}}], protocols: [{protocols}]}}]"),
        )
    };
    check(
        &rule("{tcp: {destinationPort: {number: 80}}}"),
        &[
            "x/a -> y/a TCP/80 denied",
            "x/a -> y/a TCP/81 allowed",
            "x/a -> y/a UDP/80 allowed",
            "x/a -> y/a other allowed",
        ],
    );
    check(
        &rule("{udp: {destinationPort: {range: {start: 50, end: 60}}}}"),
        &["x/a -> y/a UDP/60 denied", "x/a -> y/a UDP/61 allowed"],
    );
    check(
        &rule("{destinationNamedPort: web}"),
        &["x/a -> y/a TCP/80 denied", "x/a -> y/b TCP/81 denied", "x/a -> y/b TCP/80 allowed"],
    );
    check(
        &cluster("c", "Admin", 1, "ingress: [{action: Deny, from: [{namespaces: {}}]}]"),
        &["x/a -> y/a other denied"],
    );
}

#[test]
fn whether_baseline_counts_for_a_half_isolated_pod_is_open() {
    let baseline = cluster("c", "Baseline", 1, &format!("ingress: [{}]", from_x("Deny")));
    check(
        &format!("{{spec: {{policyTypes: [Egress]}}}}\n{baseline}"),
        &["x/a -> y/a TCP/80 undefined", "y/b -> y/a TCP/80 denied"],
    );
}

#[test]
fn v1alpha1_has_allow_and_default_baseline() {
    let written = |kind: &str, priority: &str, action: &str| {
        format!(
            "---\n{{apiVersion: policy.networking.k8s.io/v1alpha1, kind: {kind}, metadata: {{name: default}}, spec: {{{priority}subject: {{pods: \
             {{namespaceSelector: {{}}, podSelector: {{matchLabels: {{pod: a}}}}}}}}, ingress: [{{action: {action}, from: [{{pods: {{namespaceSelector: {{}}, \
             podSelector: {{matchLabels: {{pod: b}}}}}}}}], ports: [{{portNumber: {{protocol: TCP, port: 80}}}}, {{namedPort: dns}}, {{portRange: {{start: 90, end: 91}}}}]}}]}}}}\n"
        )
    };
    let shut = "{spec: {ingress: []}}\n";
    check(
        &(shut.to_owned() + &written("AdminNetworkPolicy", "priority: 5, ", "Allow")),
        &[
            "x/b -> y/a TCP/80 allowed",
            "x/b -> y/a TCP/91 allowed",
            "x/b -> y/a UDP/53 allowed",
            "x/b -> y/a TCP/81 denied",
            "x/a -> y/a TCP/80 denied",
        ],
    );
    check(
        &written("BaselineAdminNetworkPolicy", "", "Deny"),
        &["x/b -> y/a TCP/80 denied", "x/b -> y/b TCP/80 allowed"],
    );
}

#[test]
fn a_field_of_a_newer_version_fails_closed() {
    let unknown = |action: &str| {
        cluster("c", "Admin", 1, &format!("ingress: [{{action: {action}, from: [{{services: {{}}}}]}}]"))
    };
    let note = "spec.ingress[0] peer 0: no field this version knows";
    check_odd(&unknown("Deny"), &[note], &["ip:192.0.2.1 -> y/a UDP/9 denied"]);
    check_odd(&unknown("Pass"), &[note], &["x/a -> y/a UDP/9 denied"]);
    check_odd(&format!("{{spec: {{}}}}\n{}", unknown("Accept")), &[note], &["x/a -> y/a TCP/80 denied"]);
    let subject = json!({"apiVersion": "policy.networking.k8s.io/v1alpha2", "kind": "ClusterNetworkPolicy", "metadata": {"name": "c"},
        "spec": {"tier": "Admin", "priority": 1, "subject": {"services": {}}}});
    assert_eq!(cluster_policy(&subject).unwrap_err(), LowerError::Subject("ClusterNetworkPolicy c".to_owned()));
}

#[test]
fn the_deciding_rule_is_named() {
    let policy = cluster("c", "Admin", 1, "ingress: [{name: no-x, action: Deny, from: [{namespaces: {}}]}]");
    assert_eq!(
        words(&policy, "x/a -> y/a TCP/80"),
        "denied: ingress of y/a is denied by ClusterNetworkPolicy c spec.ingress[0] (no-x)"
    );
}
