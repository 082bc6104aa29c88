//! NetworkPolicy: selection, isolation, peers and ports, one row per rule of the API. Policies are in namespace y where they do not say.

use crate::sentences::{check, check_odd, words};

#[test]
fn without_a_policy_everything_is_allowed() {
    check("", &["x/a -> y/a TCP/80 allowed", "y/a -> ip:192.0.2.1 UDP/53 allowed", "x/a -> y/a other allowed"]);
}

#[test]
fn an_empty_or_absent_selector_is_every_pod_of_the_namespace_and_no_other() {
    for spec in ["{spec: {podSelector: {}}}", "{spec: {policyTypes: [Ingress]}}"] {
        check(spec, &["x/a -> y/a TCP/80 denied", "x/a -> y/b UDP/53 denied", "y/a -> x/a TCP/80 allowed"]);
    }
}

#[test]
fn policy_types_default_to_ingress_and_egress_only_with_egress_rules() {
    check("{spec: {egress: []}}", &["x/a -> y/a TCP/80 denied", "y/a -> x/a TCP/80 allowed"]);
    check("{spec: {egress: [{to: [{podSelector: {}}]}]}}", &["x/a -> y/a TCP/80 denied", "y/a -> x/a TCP/80 denied"]);
}

#[test]
fn explicit_egress_leaves_ingress_open_and_its_rules_inert() {
    check_odd(
        "{spec: {policyTypes: [Egress], ingress: [{from: [{podSelector: {}}]}]}}",
        &["spec.ingress: these rules do nothing"],
        &["x/a -> y/a TCP/80 allowed", "y/a -> x/a TCP/80 denied"],
    );
}

#[test]
fn an_absent_list_denies_like_an_empty_one_and_an_empty_rule_allows_all() {
    check("{spec: {policyTypes: [Ingress]}}", &["x/a -> y/a TCP/80 denied"]);
    check("{spec: {policyTypes: [Ingress], ingress: []}}", &["x/a -> y/a TCP/80 denied"]);
    check("{spec: {ingress: [{}]}}", &["x/a -> y/a TCP/80 allowed", "ip:192.0.2.1 -> y/a SCTP/9 allowed"]);
}

#[test]
fn policies_add_up() {
    check(
        "{spec: {ingress: []}}\n---\n{spec: {podSelector: {matchLabels: {pod: a}}, ingress: [{ports: [{port: 80}]}]}}",
        &["x/a -> y/a TCP/80 allowed", "x/a -> y/a TCP/81 denied", "x/a -> y/b TCP/80 denied"],
    );
}

#[test]
fn both_sides_have_to_agree() {
    let out = "{metadata: {namespace: x}, spec: {policyTypes: [Egress]}}";
    check(&format!("{out}\n---\n{{spec: {{ingress: [{{}}]}}}}"), &["x/a -> y/a TCP/80 denied"]);
    check(
        "{metadata: {namespace: x}, spec: {policyTypes: [Egress], egress: [{}]}}\n---\n{spec: {}}",
        &["x/a -> y/a TCP/80 denied"],
    );
}

#[test]
fn peers_are_anded_within_an_item_and_ored_between_items() {
    let one = "{spec: {ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}, podSelector: {matchLabels: {pod: a}}}]}]}}";
    check(one, &["x/a -> y/b TCP/80 allowed", "x/b -> y/a TCP/80 denied", "y/a -> y/b TCP/80 denied"]);
    let two = "{spec: {ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}}, {podSelector: {matchLabels: {pod: a}}}]}]}}";
    check(two, &["x/b -> y/a TCP/80 allowed", "y/a -> y/b TCP/80 allowed", "y/b -> y/a TCP/80 denied"]);
}

#[test]
fn a_pod_selector_alone_means_the_policys_namespace_and_selectors_never_match_outside() {
    check(
        "{spec: {ingress: [{from: [{podSelector: {}}]}]}}",
        &["y/b -> y/a TCP/80 allowed", "x/a -> y/a TCP/80 denied"],
    );
    check(
        "{spec: {ingress: [{from: [{namespaceSelector: {}}]}]}}",
        &["x/a -> y/a TCP/80 allowed", "ip:192.0.2.1 -> y/a TCP/80 denied", "node:n1 -> y/a TCP/80 denied"],
    );
    check("{spec: {ingress: [{from: []}]}}", &["ip:192.0.2.1 -> y/a TCP/80 allowed", "x/a -> y/a TCP/80 allowed"]);
}

#[test]
fn blocks_have_exceptions_that_other_items_can_allow_and_families_never_mix() {
    let block = "{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.128/25]}}";
    let inside = "ip:192.0.2.1 -> y/a TCP/80 allowed";
    check(&format!("{{spec: {{ingress: [{{from: [{block}]}}]}}}}"), &[inside, "ip:192.0.2.129 -> y/a TCP/80 denied"]);
    let more = format!("{{spec: {{ingress: [{{from: [{block}, {{ipBlock: {{cidr: 192.0.2.129/32}}}}]}}]}}}}");
    check(&more, &[inside, "ip:192.0.2.129 -> y/a TCP/80 allowed", "ip:192.0.2.130 -> y/a TCP/80 denied"]);
    let all_v4 = "{spec: {ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}";
    check(
        all_v4,
        &[
            "ip:2001:db8::1 -> y/a TCP/80 v6 denied",
            "ip:192.0.2.9 -> y/a TCP/80 allowed",
            "x/a -> y/a TCP/80 v6 denied",
        ],
    );
}

#[test]
fn not_in_and_does_not_exist_match_an_absent_key() {
    let with = |requirement: &str| {
        format!(
            "{{spec: {{ingress: [{{from: [{{podSelector: {{matchExpressions: [{requirement}]}}, namespaceSelector: {{}}}}]}}]}}}}"
        )
    };
    check(
        &with("{key: role, operator: NotIn, values: [db]}"),
        &["x/a -> y/a TCP/80 allowed", "x/b -> y/a TCP/80 allowed"],
    );
    check(
        &with("{key: role, operator: NotIn, values: ['']}"),
        &["x/a -> y/a TCP/80 allowed", "x/b -> y/a TCP/80 denied"],
    );
    check(&with("{key: role, operator: DoesNotExist}"), &["x/a -> y/a TCP/80 allowed", "x/b -> y/a TCP/80 denied"]);
    check(&with("{key: role, operator: Exists}"), &["x/a -> y/a TCP/80 denied", "x/b -> y/a TCP/80 allowed"]);
    check(
        &with("{key: pod, operator: In, values: [a, z]}"),
        &["x/a -> y/a TCP/80 allowed", "x/b -> y/a TCP/80 denied"],
    );
}

#[test]
fn an_empty_label_value_needs_the_key() {
    let policy = "{spec: {ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {role: ''}}}]}]}}";
    check(policy, &["x/b -> y/a TCP/80 allowed", "x/a -> y/a TCP/80 denied"]);
}

#[test]
fn match_labels_and_match_expressions_are_anded() {
    let both = "{matchLabels: {pod: b}, matchExpressions: [{key: role, operator: DoesNotExist}]}";
    check(
        &format!("{{spec: {{ingress: [{{from: [{{namespaceSelector: {{}}, podSelector: {both}}}]}}]}}}}"),
        &["x/b -> y/a TCP/80 denied", "x/a -> y/a TCP/80 denied"],
    );
}

#[test]
fn every_namespace_has_its_name_as_a_label() {
    let policy = "{spec: {ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: x}}}]}]}}";
    check(policy, &["x/a -> y/a TCP/80 allowed", "y/b -> y/a TCP/80 denied"]);
}

#[test]
fn ports_default_to_tcp_and_a_protocol_alone_is_all_its_ports() {
    check("{spec: {ingress: [{ports: [{port: 80}]}]}}", &["x/a -> y/a TCP/80 allowed", "x/a -> y/a UDP/80 denied"]);
    check("{spec: {ingress: [{ports: [{protocol: UDP}]}]}}", &["x/a -> y/a UDP/9 allowed", "x/a -> y/a TCP/9 denied"]);
    check("{spec: {ingress: [{ports: []}]}}", &["x/a -> y/a SCTP/9 allowed"]);
    check(
        "{spec: {ingress: [{ports: [{protocol: SCTP, port: 80}]}]}}",
        &["x/a -> y/a TCP/80 denied", "x/a -> y/a SCTP/80 allowed"],
    );
}

#[test]
fn end_port_is_inclusive() {
    let policy = "{spec: {ingress: [{ports: [{port: 80, endPort: 82}]}]}}";
    check(
        policy,
        &[
            "x/a -> y/a TCP/79 denied",
            "x/a -> y/a TCP/80 allowed",
            "x/a -> y/a TCP/82 allowed",
            "x/a -> y/a TCP/83 denied",
            "x/a -> y/a UDP/81 denied",
        ],
    );
}

#[test]
fn a_port_name_is_that_of_each_destination_pod_and_its_protocol() {
    let into = "{spec: {ingress: [{ports: [{port: web}]}]}}";
    check(
        into,
        &[
            "x/a -> y/a TCP/80 allowed",
            "x/a -> y/b TCP/80 denied",
            "x/a -> y/b TCP/81 allowed",
            "x/a -> y/a UDP/80 denied",
        ],
    );
    let out = "{metadata: {namespace: x}, spec: {policyTypes: [Egress], egress: [{ports: [{port: web}]}]}}";
    check(
        out,
        &[
            "x/a -> y/b TCP/81 allowed",
            "x/a -> y/b TCP/80 denied",
            "x/b -> y/a TCP/80 allowed",
            "x/a -> ip:192.0.2.1 TCP/80 denied",
        ],
    );
    // No pod has it in this protocol: the rule is nothing, the isolation stays.
    check("{spec: {ingress: [{ports: [{port: dns}]}]}}", &["x/a -> y/a TCP/53 denied", "x/a -> y/a UDP/53 denied"]);
    check(
        "{spec: {ingress: [{ports: [{port: dns, protocol: UDP}]}]}}",
        &["x/a -> y/a UDP/53 allowed", "x/a -> y/b UDP/53 denied"],
    );
}

#[test]
fn what_cannot_be_read_matches_nothing_and_says_so() {
    let row = |from: &str, note: &str| {
        check_odd(&format!("{{spec: {{ingress: [{{from: [{from}]}}]}}}}"), &[note], &["x/a -> y/a TCP/80 denied"])
    };
    row("{}", "spec.ingress[0].from[0]: not a valid peer");
    row("{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}", "spec.ingress[0].from[0]: not a valid peer");
    row("{ipBlock: {cidr: nonsense}}", "spec.ingress[0].from[0].ipBlock.cidr: \"nonsense\" is not a CIDR");
    row("{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}", "spec.ingress[0].from[0].ipBlock.except: except");
    row(
        "{namespaceSelector: {matchExpressions: [{key: a, operator: Like, values: [b]}]}}",
        "spec.ingress[0].from[0].namespaceSelector: selector requirement a Like",
    );
    row(
        "{namespaceSelector: {matchExpressions: [{key: a, operator: NotIn}]}}",
        "spec.ingress[0].from[0].namespaceSelector: selector",
    );
    let row = |port: &str, note: &str| {
        check_odd(
            &format!("{{spec: {{ingress: [{{ports: [{port}]}}]}}}}"),
            &[&format!("spec.ingress[0].ports[0]: {note}")],
            &["x/a -> y/a TCP/80 denied"],
        )
    };
    row("{endPort: 90}", "endPort 90");
    row("{port: web, endPort: 90}", "endPort 90");
    row("{port: 80, endPort: 79}", "endPort 79");
    row("{port: 0}", "\"0\" is not a port");
    row("{port: '80'}", "\"80\" is not a port");
    row("{port: 80, protocol: tcp}", "protocol \"tcp\"");
    check_odd(
        "{spec: {podSelector: {matchExpressions: [{key: a, operator: Like}]}, ingress: [{}]}}",
        &["spec.podSelector: selector", "spec.podSelector: not a valid selector"],
        &["x/a -> y/a TCP/80 denied"],
    );
    check_odd(
        "{spec: {policyTypes: [Sideways]}}",
        &["spec.policyTypes: policy type"],
        &["x/a -> y/a TCP/80 denied", "y/a -> x/a TCP/80 denied"],
    );
}

#[test]
fn decisions_in_words() {
    let policy = "{metadata: {name: web}, spec: {ingress: [{from: [{podSelector: {}}]}, {ports: [{port: 80}]}]}}";
    let words = |flow| words(policy, flow);
    assert_eq!(
        words("x/a -> y/a TCP/80"),
        "allowed: egress of x/a is not isolated; ingress of y/a is matched by NetworkPolicy y/web spec.ingress[1]"
    );
    assert_eq!(
        words("x/a -> y/a TCP/81"),
        "denied: ingress of y/a is isolated by NetworkPolicy y/web, and no rule matches"
    );
    assert_eq!(words("y/a -> y/a TCP/81"), "allowed: a pod can always reach itself");
    assert_eq!(words("x/q -> y/a TCP/81"), "undefined: an end of the connection is not known");
}
