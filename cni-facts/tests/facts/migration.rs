//! Ways from one CNI to another.

use std::collections::BTreeSet;

use cni_facts::{Facts, Severity, Trace};

#[test]
fn ids_are_frozen() {
    let facts = Facts::builtin();
    let mut ids: Vec<&str> = facts.migrations().iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    let frozen = "calico-to-cilium canal-to-cilium cilium-to-other flannel-to-calico flannel-to-cilium other-to-antrea \
                  weave-to-other";
    assert_eq!(ids.join(" "), frozen);
    let methods: Vec<&str> = facts.migration_methods().iter().map(|method| method.id.as_str()).collect();
    assert_eq!(methods.join(" "), "offline online-dual-overlay online-multus new-cluster");
}

#[test]
fn references_lead_somewhere() {
    let facts = Facts::builtin();
    let ids: BTreeSet<&str> = facts.migrations().iter().map(|one| one.id.as_str()).collect();
    for one in facts.migrations() {
        for id in one.same_as.iter().chain(&one.residue.also_of) {
            assert!(ids.contains(id.as_str()) && *id != one.id, "{}: {id}", one.id);
        }
        for cni in one.from.iter().chain(&one.to).filter(|cni| *cni != "any") {
            assert!(facts.get(cni).is_some(), "{}: {cni}", one.id);
        }
        let checks: Vec<&str> = one.preflight.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(checks.iter().collect::<BTreeSet<_>>().len(), checks.len(), "{}: {checks:?}", one.id);
    }
}

#[test]
fn every_trace_has_one_name() {
    let facts = Facts::builtin();
    for one in facts.migrations() {
        let residue = &one.residue;
        let lists = [
            &residue.files,
            &residue.interfaces,
            &residue.iptables_chains,
            &residue.nft_tables,
            &residue.routes,
            &residue.ip_rules,
            &residue.ipsets,
            &residue.bpf,
            &residue.node_annotations,
            &residue.node_labels,
            &residue.node_taints,
            &residue.objects,
            &residue.pods,
        ];
        for trace in lists.into_iter().flatten() {
            assert!(trace.name.is_some() != trace.prefix.is_some(), "{}: {trace:?}", one.id);
        }
        assert!(
            residue
                .files
                .iter()
                .all(|trace| trace.name.as_ref().is_none_or(|name| name.starts_with('/') || name.starts_with('*'))),
            "{}",
            one.id
        );
    }
}

/// What the field report's own steps removed is among what is looked for.
#[test]
fn the_field_report_is_covered() {
    let facts = Facts::builtin();
    let migrations = facts.migrations();
    let one = migrations.iter().find(|one| one.leads("flannel", "cilium")).unwrap();
    let found = |list: &[Trace], name: &str| list.iter().find(|trace| trace.is(name)).map(|trace| trace.severity);
    let residue = &one.residue;
    assert_eq!(found(&residue.files, "/etc/cni/net.d/10-flannel.conflist.cilium_bak"), Some(Severity::Warning));
    assert_eq!(found(&residue.files, "/run/flannel/subnet.env"), Some(Severity::Warning));
    assert_eq!(found(&residue.interfaces, "flannel.1"), Some(Severity::Blocker));
    assert_eq!(found(&residue.interfaces, "veth1a2b3c"), Some(Severity::Warning));
    assert_eq!(found(&residue.interfaces, "eth0"), None);
    assert_eq!(found(&residue.iptables_chains, "FLANNEL-POSTRTG"), Some(Severity::Blocker));
    assert!(
        one.dual_overlay
            .as_ref()
            .unwrap()
            .install_values
            .iter()
            .any(|value| value.path == "tunnelPort" && value.example)
    );
    assert!(one.offline.as_ref().unwrap().warning.is_some() && one.multus.is_some());
}

#[test]
fn migrations_are_found_by_their_ends() {
    let facts = Facts::builtin();
    let lead = |from: &str, to: &str| -> Vec<&str> {
        facts.migrations().into_iter().filter(|one| one.leads(from, to)).map(|one| one.id.as_str()).collect()
    };
    assert_eq!(lead("flannel", "cilium"), ["flannel-to-cilium"]);
    assert_eq!(lead("calico-operator", "cilium"), ["calico-to-cilium"]);
    assert_eq!(lead("weave", "cilium"), ["weave-to-other"]);
    assert_eq!(lead("cilium", "flannel"), ["cilium-to-other"]);
    assert_eq!(lead("kindnet", "cilium"), Vec::<&str>::new());
}

#[test]
fn stars_stand_for_any_text() {
    let facts = Facts::builtin();
    let migrations = facts.migrations();
    let weave = migrations.iter().find(|one| one.id == "weave-to-other").unwrap();
    assert!(weave.residue.files.iter().any(|trace| trace.is("/opt/cni/bin/weave-net")));
    assert!(!weave.residue.files.iter().any(|trace| trace.is("/opt/cni/bin/bridge")));
}

#[test]
fn nothing_second_hand_blocks() {
    let facts = Facts::builtin();
    let migrations = facts.migrations();
    let one = migrations.iter().find(|one| one.id == "flannel-to-cilium").unwrap();
    let level = |id: &str| one.level(one.preflight.iter().find(|check| check.id == id).unwrap());
    assert_eq!(level("new-pod-cidr"), Severity::Blocker);
    assert_eq!(level("managed-by"), Severity::Warning, "its confidence is medium");
}
