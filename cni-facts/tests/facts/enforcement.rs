//! What to expect of a NetworkPolicy.

use cni_facts::{Enforcement, cluster_enforcement};

use crate::cluster::{self, daemonset, found, only, with};

/// In the clusters of `fixtures/`.
#[test]
fn expectation_per_cluster() {
    let expected = "\
antrea/v2.4.yaml Enforces
aws-vpc-cni/v1.20.yaml Depends
azure-cni/npm.yaml Enforces
azure-cni/powered-by-cilium.yaml Enforces
calico-manifest/v3.26.0.yaml Enforces
calico-manifest/v3.27.0.yaml Enforces
calico-manifest/v3.31.3.yaml Enforces
calico-manifest/v3.32.1.yaml Enforces
calico-operator/v3.30.yaml Enforces
canal/rke2.yaml Enforces
canal/v3.32.1.yaml Enforces
cilium/chart-1.12.6.yaml Enforces
cilium/chart-1.17.6.yaml Enforces
cilium/chart-1.20.0.yaml Enforces
cilium/rke2.yaml Enforces
flannel/k3s.yaml Depends
flannel/v0.12-per-architecture.yaml DoesNot
flannel/v0.22.0.yaml DoesNot
flannel/v0.24.0.yaml DoesNot
flannel/v0.28.4.yaml DoesNot
flannel/v0.28.9.yaml DoesNot
gke-dataplane-v2/anetd.yaml Enforces
kindnet/v20240813.yaml Enforces
kube-ovn/v1.14.yaml Enforces
kube-router/v2.6.yaml Enforces
multus/openshift.yaml DoesNot
multus/thick.yaml DoesNot
ovn-kubernetes/openshift.yaml Enforces
ovn-kubernetes/upstream.yaml Enforces
spiderpool/v1.0.yaml DoesNot
weave/v2.8.1.yaml Enforces
";
    let mut actual = String::new();
    for (flavour, file, evidence) in cluster::all() {
        let word = match only(&evidence).enforcement {
            Enforcement::Enforces => "Enforces",
            Enforcement::DoesNot => "DoesNot",
            Enforcement::Depends(why) => {
                assert!(!why.is_empty(), "{flavour}/{file}");
                "Depends"
            }
        };
        actual += &format!("{flavour}/{file} {word}\n");
    }
    assert_eq!(actual, expected);
}

#[test]
fn amazon_depends_on_version_and_container() {
    let aws = |tag: &str, containers: &[&str]| {
        let image = format!("602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:{tag}");
        let containers: Vec<(&str, &str)> = containers.iter().map(|name| (*name, image.as_str())).collect();
        only(&with([daemonset("kube-system/aws-node", "k8s-app=aws-node", &containers)])).enforcement
    };
    let both = ["aws-node", "aws-eks-nodeagent"];
    assert_eq!(aws("v1.13.4", &["aws-node"]), Enforcement::DoesNot);
    assert_eq!(aws("v1.14.0", &["aws-node"]), Enforcement::DoesNot);
    assert!(matches!(aws("v1.14.0", &both), Enforcement::Depends(_)));
    assert!(matches!(aws("latest", &both), Enforcement::Depends(_)), "the version is not known");
    assert_eq!(aws("latest", &["aws-node"]), Enforcement::DoesNot, "whatever the version");
}

#[test]
fn kindnet_depends_on_its_date() {
    let kindnet = |tag: &str| {
        let image = format!("docker.io/kindest/kindnetd:{tag}");
        only(&with([daemonset("kube-system/kindnet", "app=kindnet", &[("kindnet-cni", &image)])])).enforcement
    };
    assert_eq!(kindnet("v20220607-9a4d8d2a"), Enforcement::DoesNot);
    assert_eq!(kindnet("v20250214-acbabc1a"), Enforcement::Enforces);
    assert!(matches!(kindnet("v20240701-aaaaaaaa"), Enforcement::Depends(_)), "between two known dates");
    assert!(matches!(kindnet("mine"), Enforcement::Depends(_)));
}

#[test]
fn flannel_enforces_with_the_charts_policy_container() {
    let containers = [
        ("kube-flannel", "ghcr.io/flannel-io/flannel:v0.28.4"),
        ("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.7.0"),
    ];
    let detection = only(&with([daemonset("kube-flannel/kube-flannel-ds", "app=flannel", &containers)]));
    assert_eq!(detection.enforcement, Enforcement::Enforces);
    assert!(detection.enforcement_note.unwrap().contains("kube-network-policies"));
}

#[test]
fn a_cluster_enforces_when_one_does() {
    let flannel = cluster::load("flannel/v0.28.4.yaml");
    assert_eq!(cluster_enforcement(&found(&flannel)), Enforcement::DoesNot);

    let mut both = cluster::load("aws-vpc-cni/v1.20.yaml");
    let calico = cluster::load("calico-manifest/v3.31.3.yaml").daemonsets.unwrap();
    both.daemonsets.as_mut().unwrap().extend(calico);
    assert_eq!(cluster_enforcement(&found(&both)), Enforcement::Enforces);

    assert!(matches!(cluster_enforcement(&[]), Enforcement::Depends(_)), "an unknown CNI may enforce or not");
    let multus = cluster::load("multus/thick.yaml");
    assert!(matches!(cluster_enforcement(&found(&multus)), Enforcement::Depends(_)));
}
