//! The support matrix: what it says to questions, and that its tables hold together.

use cni_facts::{Facts, Supported, Trust, Version};

fn version(text: &str) -> Version {
    Version::parse_minor(text).unwrap()
}

/// `y`, `n` or `?` for an answer.
fn mark(answer: &Supported) -> char {
    match answer {
        Supported::Yes => 'y',
        Supported::No { expected } => {
            assert!(!expected.is_empty());
            'n'
        }
        Supported::Unknown { why } => {
            assert!(!why.is_empty());
            '?'
        }
    }
}

#[test]
fn kubernetes() {
    let facts = Facts::builtin();
    let cases = [
        ("cilium", "1.19.6", "1.34", 'y'),
        ("cilium", "1.19.6", "1.31", 'n'),
        ("cilium", "1.18.4", "1.20", 'n'), // the chart refuses
        ("cilium", "1.17.6", "1.30", '?'), // its list was not seen
        ("cilium", "1.17.6", "1.20", 'n'), // and yet the chart refuses
        ("cilium", "1.25.0", "1.34", '?'),
        ("calico-operator", "3.30.3", "1.35", 'y'),
        ("calico-manifest", "3.30.3", "1.29", 'n'),
        ("calico-manifest", "3.31.3", "1.33", '?'),
        ("flannel", "0.28.9", "1.36", '?'), // no table is published
        ("flannel", "0.16.1", "1.25", 'n'), // PodSecurityPolicy
    ];
    for (cni, own, kubernetes, expected) in cases {
        let answer = facts.support(cni).unwrap().kubernetes(&version(own), &version(kubernetes));
        assert_eq!(mark(&answer), expected, "{cni} {own} on {kubernetes}: {answer:?}");
    }
}

#[test]
fn kernels() {
    let facts = Facts::builtin();
    let cases = [
        ("cilium", "1.19.6", "6.8.0-45-generic", "Ubuntu 24.04 LTS", 'y'),
        ("cilium", "1.18.4", "5.4.0-200-generic", "Ubuntu 20.04.6 LTS", 'n'),
        ("cilium", "1.17.6", "5.4.0-200-generic", "Ubuntu 20.04.6 LTS", 'y'),
        ("cilium", "1.18.4", "4.18.0-553.el8_10.x86_64", "Red Hat Enterprise Linux 8.10 (Ootpa)", 'y'),
        ("cilium", "1.18.4", "4.18.0-477.el8_8.x86_64", "Red Hat Enterprise Linux 8.8 (Ootpa)", 'n'),
        ("cilium", "1.18.4", "custom", "Some Linux", '?'),
        ("cilium", "1.30.0", "6.8.0", "Some Linux", '?'),
        ("calico-manifest", "3.28.1", "4.19.0", "Debian 10", 'y'),
        ("calico-manifest", "3.30.3", "4.19.0", "Debian 10", 'n'),
        ("flannel", "0.28.9", "4.19.0", "Debian 10", '?'),
    ];
    for (cni, own, kernel, os_image, expected) in cases {
        let answer = facts.support(cni).unwrap().kernel(&version(own), kernel, os_image);
        assert_eq!(mark(&answer), expected, "{cni} {own} on {kernel}: {answer:?}");
    }
}

#[test]
fn platforms() {
    let facts = Facts::builtin();
    let support = |cni: &str| facts.support(cni).unwrap();
    assert_eq!(mark(&support("cilium").architecture("arm64")), 'y');
    assert_eq!(mark(&support("cilium").architecture("s390x")), 'n');
    assert_eq!(mark(&support("calico-operator").architecture("s390x")), 'y');
    assert_eq!(mark(&support("kube-router").architecture("amd64")), '?');
    assert_eq!(mark(&support("cilium").operating_system("windows")), 'n');
    assert_eq!(mark(&support("calico-operator").operating_system("windows")), '?');
}

#[test]
fn tables_hold_together() {
    let facts = Facts::builtin();
    for cni in facts.all() {
        let Some(support) = facts.support(&cni.id) else { continue };
        assert!(support.architectures.is_empty() || support.platforms_source.is_some(), "{}", cni.id);
        for pair in support.minors.windows(2) {
            let last = pair[0].through.as_ref().unwrap_or(&pair[0].minor);
            assert!(last < &pair[1].minor, "{}: {} is not below {}", cni.id, last, pair[1].minor);
        }
        for minor in &support.minors {
            for patch in minor.last_patch.iter().chain(&minor.last_patch_seen) {
                assert!(patch.same_minor(&minor.minor), "{}: {patch} is not of {}", cni.id, minor.minor);
            }
            assert!(
                minor.tested_kubernetes.as_ref().is_none_or(|tested| !tested.is_empty()),
                "{} {}",
                cni.id,
                minor.minor
            );
            let second_hand = minor.source.contains("second-hand");
            assert!(!second_hand || minor.confidence < Trust::High, "{} {}", cni.id, minor.minor);
        }
    }
}

/// Every CNI says at least how it is maintained, or has no support table at all and is named here.
#[test]
fn every_cni_has_a_table() {
    let facts = Facts::builtin();
    let without: Vec<&str> =
        facts.all().iter().filter(|cni| facts.support(&cni.id).is_none()).map(|cni| cni.id.as_str()).collect();
    assert_eq!(without, Vec::<&str>::new());
}
