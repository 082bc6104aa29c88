//! Ids are public: they are frozen, unique, and each is written by some test.

use std::collections::BTreeSet;

use helm_cnidiff::risk::{POD_RULES, RULES};

/// Ids of all notes. A new one is added; none is renamed.
const IDS: &[&str] = &[
    "api-service",
    "app-armor",
    "arguments",
    "binding-changed",
    "capabilities",
    "config-immutable",
    "config-keys-removed",
    "config-restarts-nobody",
    "containers",
    "crd-fields-removed",
    "crd-not-applied",
    "crd-now-required",
    "crd-removed",
    "crd-storage-changed",
    "crd-validation-changed",
    "crd-version-removed",
    "daemonset-added",
    "daemonset-left-behind",
    "daemonset-removed",
    "daemonset-renamed",
    "dns",
    "environment",
    "field-immutable",
    "host-namespace",
    "host-path",
    "host-port",
    "image",
    "image-pull",
    "image-repository",
    "init-containers",
    "max-unavailable-raised",
    "min-ready-seconds",
    "namespace-removed",
    "object-kept",
    "object-removed",
    "operator-renders-no-daemonset",
    "placement",
    "pod-security-level",
    "pod-security-raised",
    "ports",
    "priority-class",
    "priority-class-removed",
    "privileged",
    "probes",
    "proc-mount",
    "qos-class",
    "read-only-root",
    "release-near-cap",
    "release-pending",
    "release-too-large",
    "resources",
    "rights-gained",
    "rights-lost",
    "run-as",
    "runtime-class",
    "seccomp",
    "secret-type-immutable",
    "selector-immutable",
    "selinux",
    "service-account",
    "service-ports",
    "service-selector",
    "shutdown",
    "surge-and-unavailable",
    "surge-needs-ports",
    "template-metadata",
    "tolerations",
    "update-inert",
    "update-strategy-changed",
    "volume-mounts",
    "volumes",
    "webhook",
    "workload-renamed",
];

#[test]
fn ids_are_frozen_and_unique() {
    let mut ids: Vec<&str> = RULES.iter().flat_map(|rule| rule.ids).copied().collect();
    ids.extend(POD_RULES.iter().map(|rule| rule.id));
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(unique.len(), ids.len(), "an id twice");
    assert_eq!(unique.into_iter().collect::<Vec<_>>(), IDS);
}

#[test]
fn every_id_is_expected_by_a_test() {
    let tests = [include_str!("planted.rs"), include_str!("verdict.rs"), include_str!("renders.rs")].concat();
    let untold: Vec<&&str> = IDS
        .iter()
        .filter(|id| {
            ![format!(" {id} "), format!("\"{id}\""), format!(" {id}:")].iter().any(|form| tests.contains(form))
        })
        .collect();
    assert!(untold.is_empty(), "{untold:?}");
}
