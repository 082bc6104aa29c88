//! What has to be saved of a CNI, and what it puts on a node.

use cni_facts::Facts;

/// A custom resource is `plural.group`.
fn is_resource(name: &str) -> bool {
    name.split('.').count() >= 3
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
}

#[test]
fn every_cni_says_what_to_save_and_what_it_leaves() {
    let facts = Facts::builtin();
    for cni in facts.all() {
        let backup = facts.backup(&cni.id).unwrap_or_else(|| panic!("{} has no backup.yaml", cni.id));
        let state = &backup.runtime_state;
        for resource in backup.resources.iter().chain(state) {
            assert!(is_resource(resource), "{}: {resource}", cni.id);
        }
        assert!(backup.resources.iter().all(|resource| !state.contains(resource)), "{}", cni.id);
        let host = facts.host(&cni.id).unwrap_or_else(|| panic!("{} has no host.yaml", cni.id));
        assert!(!host.cni_conf.is_empty(), "{}", cni.id);
        let traces = [&host.interfaces, &host.iptables_chains, &host.ipsets, &host.nft_tables];
        for trace in traces.into_iter().flatten() {
            assert!(trace.name.is_some() != trace.prefix.is_some(), "{}: {trace:?}", cni.id);
        }
        assert!(host.state_dirs.iter().chain(&host.bpf_pins).all(|path| path.starts_with('/')), "{}", cni.id);
    }
}

/// Runtime state is saved and never restored: addresses that are given out live there.
#[test]
fn ipam_state_is_runtime_state() {
    let facts = Facts::builtin();
    let state = |cni: &str| facts.backup(cni).unwrap().runtime_state;
    assert!(state("calico-manifest").contains(&"ipamblocks.crd.projectcalico.org".to_owned()));
    assert!(state("cilium").contains(&"ciliumnodes.cilium.io".to_owned()));
    assert!(state("spiderpool").contains(&"spiderendpoints.spiderpool.spidernet.io".to_owned()));
}

#[test]
fn what_is_shared_is_followed() {
    let facts = Facts::builtin();
    let operator = facts.backup("calico-operator").unwrap();
    for resource in ["installations.operator.tigera.io", "ippools.crd.projectcalico.org"] {
        assert!(operator.resources.iter().any(|one| one == resource), "{resource}");
    }
    assert!(operator.runtime_state.contains(&"ipamblocks.crd.projectcalico.org".to_owned()));
    assert_eq!(facts.host("calico-operator").unwrap().id, "calico-manifest");
    assert!(facts.host("any").unwrap().conf_dirs.contains(&"/etc/cni/net.d".to_owned()));
    assert!(facts.backup("no-such-cni").is_none() && facts.host("no-such-cni").is_none());
}

#[test]
fn charts_lead_to_their_cni() {
    let facts = Facts::builtin();
    let of = |chart: &str| facts.of_chart(chart).map(|cni| cni.id.as_str());
    assert_eq!(of("cilium"), Some("cilium"));
    assert_eq!(of("tigera-operator"), Some("calico-operator"));
    assert_eq!(of("flannel"), Some("flannel"));
    assert_eq!(of("nginx"), None);
}
