//! Facts of the user's own, and what is wrong with them.

use cni_facts::{Facts, detect};

use crate::cluster::{daemonset, with};

const OWN: &str = "\
schema: 1
id: acme-net
name: Acme Net
role: main
install_methods: [ours]
detect:
  namespaces: [acme]
  agents:
  - names: [acme-agent]
    containers: [agent]
    image: '(?:^|/)acme-agent$'
  crd_groups: []
network_policy:
  expect: enforces
while_agent_down:
  forwarding: continues
confidence: high
sources: [our wiki]
";

/// The message for a file that is `OWN` with one replacement.
fn error(from: &str, to: &str) -> String {
    assert!(OWN.contains(from), "{from}");
    Facts::with_overlay([("rules/acme.yaml", OWN.replacen(from, to, 1))]).unwrap_err().to_string()
}

#[test]
fn another_cni_is_added() {
    let facts = Facts::with_overlay([("acme.yaml", OWN)]).unwrap();
    assert_eq!(facts.all().len(), Facts::builtin().all().len() + 1);
    let evidence = with([daemonset("acme/acme-agent", "a=b", &[("agent", "registry.corp/acme-agent:v3.1.4")])]);
    assert_eq!(detect(&facts, &evidence)[0].version.as_deref(), Some("3.1.4"));
}

#[test]
fn a_known_id_is_replaced_as_a_whole() {
    let facts = Facts::with_overlay([("flannel.yaml", OWN.replace("acme-net", "flannel"))]).unwrap();
    assert_eq!(facts.all().len(), Facts::builtin().all().len());
    let flannel = facts.get("flannel").unwrap();
    assert_eq!(flannel.name, "Acme Net");
    assert!(flannel.ports.is_empty());
}

#[test]
fn no_files_change_nothing() {
    let facts = Facts::with_overlay(std::iter::empty::<(&str, &str)>()).unwrap();
    assert_eq!(facts.all().len(), Facts::builtin().all().len());
}

#[test]
fn files_may_refer_to_each_other_in_any_order() {
    let second = OWN.replace("acme-net", "acme-two").replace("  namespaces", "  before: [acme-net]\n  namespaces");
    assert!(Facts::with_overlay([("two.yaml", second.as_str()), ("one.yaml", OWN)]).is_ok());
}

#[test]
fn errors_name_file_line_and_key() {
    let cases = [
        (error("role: main", "role: boss"), "rules/acme.yaml:4:7: role: unknown variant `boss`"),
        (error("    containers", "    contaners"), "rules/acme.yaml:10:5: detect.agents[0]: unknown field `contaners`"),
        (error("$'", "['"), "rules/acme.yaml:11:12: detect.agents[0].image: bad pattern"),
        (error("sources: [our wiki]", "sources: []"), "rules/acme.yaml:18:10: sources: expected at least one entry"),
        (error("schema: 1", "schema: 2"), "rules/acme.yaml:1:9: schema: schema 2 is not known, expected 1"),
        (error("id: acme-net", "id: Acme_Net"), "rules/acme.yaml:2:5: id: id \"Acme_Net\" is not lower-case"),
        (error("name: Acme Net\n", ""), "missing field `name`"),
        (
            error("expect: enforces", "expect: depends"),
            "rules/acme.yaml:13: network_policy.note: `expect: depends` needs",
        ),
        (
            error("  namespaces", "  before: [flanel]\n  namespaces"),
            "rules/acme.yaml:7: detect.before: \"flanel\" is not the id of another CNI",
        ),
        (error("install_methods: [ours]", "install_methods: [ours"), "rules/acme.yaml:"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
}

#[test]
fn an_id_given_twice_is_an_error() {
    let error = Facts::with_overlay([("a.yaml", OWN), ("b.yaml", OWN)]).unwrap_err();
    assert_eq!(error.to_string(), "b.yaml:2: id: \"acme-net\" is given by an earlier file too");
}
