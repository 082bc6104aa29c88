//! What is said of a rule.

use cni_facts::{Facts, explain, similar};

#[test]
fn a_rule_in_full() {
    let expected = "\
cilium-1.15-removed-tunnel: blocker, helm-value-renamed
CNI       cilium
step      <1.15.0 -> >=1.15.0
concerns  Helm value tunnel is on (set or by default)
what      Helm value tunnel is gone in 1.15 and the chart refuses to render while it is set (template fail).
do        Use routingMode + tunnelProtocol: tunnel=disabled becomes routingMode=native; tunnel=vxlan or geneve becomes tunnelProtocol=vxlan or geneve.
instead   routingMode + tunnelProtocol
refused   by charts >=1.15.8; others render without a word, which counts as a warning
trust     high
source    cilium/charts: values.yaml of cilium-1.14.19.tgz against cilium-1.15.19.tgz; fail in cilium-1.15.19.tgz templates (by comparing charts or manifests)";
    assert_eq!(explain(&Facts::builtin(), "cilium-1.15-removed-tunnel").unwrap(), expected);
}

#[test]
fn second_hand_and_incidents_are_said() {
    let text = explain(&Facts::builtin(), "cilium-1.19-lb-ip-host").unwrap();
    assert!(text.contains("\ntrust     medium: second-hand, or seen in one place only; a warning at most"), "{text}");
    assert!(text.contains("\nseen      All remote access lost at 1.18.6 to 1.19.0 (https://"), "{text}");
}

#[test]
fn every_rule_explains_itself() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        let text = explain(&facts, &rule.id).unwrap();
        assert!(text.lines().count() >= 7 && text.lines().all(|line| !line.trim().is_empty()), "{text}");
    }
}

#[test]
fn a_near_miss_is_helped() {
    let facts = Facts::builtin();
    assert!(explain(&facts, "cilium-removed-tunnel").is_none());
    assert_eq!(similar(&facts, "cilium-removed-tunnel")[0], "cilium-1.15-removed-tunnel");
    assert!(similar(&facts, "nothing-like-it").is_empty());
}
