//! Facts of the user's own, and what is wrong with them.

use cni_facts::{Facts, Severity, Situation, Truth, Version, detect, step};

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
    assert_eq!(error.to_string(), "b.yaml:2: id: \"acme-net\" is given by an earlier entry too");
}

const RULES: &str = "\
schema: 1
applies_to: [flannel]
rules:
- id: acme-flannel-window
  from: '*'
  to: '>=0.28.0'
  severity: blocker
  kind: manual-step
  when: {always: true}
  message: Upgrades happen on Tuesdays.
  fix: Wait.
  source: our wiki
  derived: notes
- id: flannel-no-policy
  from: '*'
  to: '*'
  severity: warning
  confidence: medium
  kind: policy
  when:
    policy_uses: toFQDNs
  message: We wrote it anew.
  fix: Read it.
  source: our wiki
  derived: notes
";

/// The message for a file that is `RULES` with one replacement.
fn rule_error(from: &str, to: &str) -> String {
    assert!(RULES.contains(from), "{from}");
    Facts::with_overlay([("rules/own.yaml", RULES.replacen(from, to, 1))]).unwrap_err().to_string()
}

#[test]
fn rules_are_added_and_replaced_by_id() {
    let facts = Facts::with_overlay([("own.yaml", RULES)]).unwrap();
    assert_eq!(facts.all_rules().len(), Facts::builtin().all_rules().len() + 1);
    assert_eq!(facts.rule("flannel-no-policy").unwrap().message, "We wrote it anew.");
    let step = step(&facts, "flannel", "0.27.4", "0.28.9").unwrap();
    let judged = step.judge(&Situation::default());
    let own = judged.iter().find(|one| one.rule.id == "acme-flannel-window").unwrap();
    assert_eq!(own.level, Severity::Blocker);
    assert!(matches!(own.truth, Truth::Holds { .. }));
    assert!(facts.rules("cilium").iter().all(|rule| rule.id != "acme-flannel-window"));
}

/// A team's own second-hand rule does not block either.
#[test]
fn own_rules_of_low_trust_do_not_block() {
    let text = RULES.replacen("severity: blocker", "severity: blocker\n  confidence: medium", 1);
    let facts = Facts::with_overlay([("own.yaml", text)]).unwrap();
    let rule = facts.rule("acme-flannel-window").unwrap();
    assert_eq!((rule.severity, rule.level(&Version::new(0, 28, 9))), (Severity::Blocker, Severity::Warning));
}

#[test]
fn rules_for_every_cni() {
    let facts = Facts::with_overlay([("own.yaml", RULES.replace("[flannel]", "[any]"))]).unwrap();
    assert!(facts.rules("cilium").iter().any(|rule| rule.id == "acme-flannel-window"));
}

#[test]
fn errors_in_rules_name_file_line_column_and_what_was_expected() {
    let cases = [
        (
            rule_error("severity: blocker", "severity: fatal"),
            "rules/own.yaml:7:13: rules[0].severity: unknown variant `fatal`, expected one of `info`, `warning`, `blocker`",
        ),
        (
            rule_error("to: '>=0.28.0'", "to: '>=0.28.0, <0.27.0'"),
            "rules/own.yaml:6:7: rules[0].to: no version is in the range",
        ),
        (
            rule_error("to: '>=0.28.0'", "to: next"),
            "rules/own.yaml:6:7: rules[0].to: \"next\" is not a range of versions such as",
        ),
        (
            rule_error("{always: true}", "{allways: true}"),
            "rules/own.yaml:9:10: rules[0].when: `allways` is not a condition, expected one of always, all",
        ),
        (
            rule_error("{always: true}", "{value_equals: {path: a}}"),
            "rules/own.yaml:9:24: rules[0].when.value_equals: missing field `value`",
        ),
        (rule_error("  fix: Wait.\n", ""), "rules/own.yaml:4:3: rules[0]: missing field `fix`"),
        (rule_error("fix: Wait.", "fix: ''"), "rules/own.yaml:11:8: rules[0].fix: expected a text, it is empty"),
        (rule_error("fix: Wait.", "fixes: Wait."), "rules/own.yaml:11:3: rules[0]: unknown field `fixes`"),
        (
            rule_error("id: acme-flannel-window", "id: Acme Window"),
            "rules/own.yaml:4:7: rules[0].id: id \"Acme Window\" is not lower-case",
        ),
        (
            rule_error("applies_to: [flannel]", "applies_to: [flanel]"),
            "rules/own.yaml:2: applies_to: \"flanel\" is not the id of a CNI",
        ),
        (
            rule_error("  from: '*'", "  only: [cilium]\n  from: '*'"),
            "rules/own.yaml:4: rule acme-flannel-window: only: \"cilium\" is not in applies_to",
        ),
        (
            rule_error("toFQDNs", "toNames"),
            "rules/own.yaml:14: rule flannel-no-policy: policy_uses: \"toNames\" is not among the policy features",
        ),
        (
            rule_error("id: flannel-no-policy", "id: acme-flannel-window"),
            "rules/own.yaml:4: id: \"acme-flannel-window\" is given by an earlier entry too",
        ),
        (rule_error("schema: 1", "schema: 7"), "rules/own.yaml:1:9: schema: schema 7 is not known, expected 1"),
        (rule_error("rules:\n", "rules:\n- [\n"), "rules/own.yaml:"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message}\nexpected: {expected}");
    }
}

#[test]
fn other_files_are_laid_over_too() {
    let support = "{schema: 1, applies_to: [flannel], as_of: 2026-12, policy: {source: ours}, minors: [{minor: '0.28', state: maintained, tested_kubernetes: ['1.33'], source: ours}]}";
    let migration =
        "{schema: 1, migrations: [{id: weave-to-other, from: [weave], to: [cilium], confidence: high, source: ours}]}";
    let features = "{schema: 1, policy_features: [{id: ours, what: w, resources: [nps], signs: [{filled: f}]}]}";
    let own = RULES.replace("toFQDNs", "ours");
    let files = [("a.yaml", support), ("b.yaml", migration), ("c.yaml", features), ("d.yaml", own.as_str())];
    let facts = Facts::with_overlay(files).unwrap();
    assert_eq!(facts.support("flannel").unwrap().as_of, "2026-12");
    assert_eq!(facts.support("cilium").unwrap().as_of, "2026-11");
    let weave: Vec<_> = facts.migrations().into_iter().filter(|one| one.id == "weave-to-other").collect();
    assert_eq!((weave.len(), weave[0].to.as_slice()), (1, ["cilium".to_owned()].as_slice()));
    assert!(facts.policy_features().iter().any(|feature| feature.id == "ours"));
    let backup = "{schema: 1, id: flannel, resources: [ours.example.org], confidence: high, sources: [ours]}";
    let host = "{schema: 1, id: calico-manifest, cni_conf: [05-ours.conflist], confidence: high, sources: [ours]}";
    let method = "{schema: 1, methods: [{id: offline, what: ours, for: [us], source: ours}]}";
    let facts = Facts::with_overlay([("a.yaml", backup), ("b.yaml", host), ("c.yaml", method)]).unwrap();
    assert_eq!(facts.backup("flannel").unwrap().resources, ["ours.example.org"]);
    assert_eq!(facts.host("calico-operator").unwrap().cni_conf, ["05-ours.conflist"]);
    assert_eq!(facts.migration_methods().len(), 4);
    assert_eq!(facts.migration_methods()[3].what, "ours");
    let error = |text: &str| Facts::with_overlay([("a.yaml", text)]).unwrap_err().to_string();
    assert_eq!(error(&backup.replace("flannel", "flanel")), "a.yaml: id: \"flanel\" is not the id of a CNI");
    assert_eq!(error(&migration.replace("[cilium]", "[cillium]")), "a.yaml: from: \"cillium\" is not the id of a CNI");
}

#[test]
fn defaults_of_charts_are_not_laid_over() {
    let error = Facts::with_overlay([("d.yaml", "schema: 1\ndefaults: {}\n")]).unwrap_err();
    assert_eq!(error.to_string(), "d.yaml:2: defaults: defaults of charts cannot be laid over; give the chart itself");
}
