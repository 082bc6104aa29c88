//! Every flavour against every cluster: it is found in its own clusters and in no other's.

use std::fmt::Write as _;

use cni_facts::{Confidence, Facts};

use crate::cluster;

/// `x`: found and expected, `.`: neither; anything else is shown and fails.
#[test]
fn each_flavour_is_found_in_its_own_clusters_only() {
    let facts = Facts::builtin();
    let (mut table, mut wrong) = (String::new(), 0);
    for (flavour, file, evidence) in cluster::all() {
        let found = cluster::found(&evidence);
        let mut row = String::new();
        for cni in facts.all() {
            let mark = match (found.iter().any(|detection| detection.id == cni.id), cni.id == flavour) {
                (true, true) => 'x',
                (false, false) => '.',
                (true, false) => '!',
                (false, true) => '?',
            };
            wrong += usize::from(matches!(mark, '!' | '?'));
            row.push(mark);
        }
        writeln!(table, "{row} {flavour}/{file}").unwrap();
    }
    assert_eq!(wrong, 0, "! found but not expected, ? expected but not found; columns as Facts::all\n{table}");
}

#[test]
fn every_flavour_has_a_cluster() {
    let ids: Vec<String> = Facts::builtin().all().iter().map(|cni| cni.id.clone()).collect();
    assert_eq!(cluster::folders(&cluster::fixtures()), ids);
}

/// Where a flavour was found by a running agent, its version and agent are those of the cluster.
#[test]
fn versions_and_agents_are_read() {
    let expected = "\
antrea/v2.4.yaml 2.4.0 Certain kube-system/antrea-agent antrea-agent
aws-vpc-cni/v1.20.yaml 1.20.1 Certain kube-system/aws-node aws-node
azure-cni/npm.yaml 1.6.30 Certain kube-system/azure-cns cns-container
azure-cni/powered-by-cilium.yaml 1.6.30 Certain kube-system/azure-cns cns-container
calico-manifest/v3.26.0.yaml 3.26.0 Certain kube-system/calico-node calico-node
calico-manifest/v3.27.0.yaml 3.27.0 Certain kube-system/calico-node calico-node
calico-manifest/v3.31.3.yaml 3.31.3 Certain kube-system/calico-node calico-node
calico-manifest/v3.32.1.yaml 3.32.1 Certain kube-system/calico-node calico-node
calico-operator/v3.30.yaml 3.30.3 Certain calico-system/calico-node calico-node
canal/rke2.yaml 3.30.3 Certain kube-system/rke2-canal calico-node
canal/v3.32.1.yaml 3.32.1 Certain kube-system/canal calico-node
cilium/chart-1.12.6.yaml 1.12.6 Certain kube-system/cilium cilium-agent
cilium/chart-1.17.6.yaml 1.17.6 Certain kube-system/cilium cilium-agent
cilium/chart-1.20.0.yaml 1.20.0 Certain kube-system/cilium cilium-agent
cilium/rke2.yaml 1.17.6 Certain kube-system/cilium cilium-agent
flannel/k3s.yaml - Likely embedded
flannel/v0.12-per-architecture.yaml 0.12.0 Certain kube-system/kube-flannel-ds-amd64 kube-flannel
flannel/v0.22.0.yaml 0.22.0 Certain kube-flannel/kube-flannel-ds kube-flannel
flannel/v0.24.0.yaml 0.24.0 Certain kube-flannel/kube-flannel-ds kube-flannel
flannel/v0.28.4.yaml 0.28.4 Certain kube-flannel/kube-flannel-ds kube-flannel
flannel/v0.28.9.yaml 0.28.9 Certain kube-flannel/kube-flannel-ds kube-flannel
gke-dataplane-v2/anetd.yaml 1.16.9 Likely kube-system/anetd cilium-agent
kindnet/v20240813.yaml 20240813-c6f155d6 Certain kube-system/kindnet kindnet-cni
kube-ovn/v1.14.yaml 1.14.4 Certain kube-system/kube-ovn-cni cni-server
kube-router/v2.6.yaml 2.6.0 Certain kube-system/kube-router kube-router
multus/openshift.yaml - Certain openshift-multus/multus kube-multus
multus/thick.yaml 4.2.2 Certain kube-system/kube-multus-ds kube-multus
ovn-kubernetes/openshift.yaml - Certain openshift-ovn-kubernetes/ovnkube-node ovnkube-controller
ovn-kubernetes/upstream.yaml - Certain ovn-kubernetes/ovnkube-node ovnkube-node
spiderpool/v1.0.yaml 1.0.3 Certain spiderpool/spiderpool-agent spiderpool-agent
weave/v2.8.1.yaml 2.8.1 Certain kube-system/weave-net weave
";
    let mut actual = String::new();
    for (flavour, file, evidence) in cluster::all() {
        let detection = cluster::only(&evidence);
        let version = detection.version.as_deref().unwrap_or("-");
        let agent = match detection.agent() {
            Some(agent) => format!("{}/{} {}", agent.namespace, agent.name, agent.container),
            None => "embedded".to_owned(),
        };
        writeln!(actual, "{flavour}/{file} {version} {:?} {agent}", detection.confidence).unwrap();
    }
    assert_eq!(actual, expected);
}

/// What could not be read never makes another flavour appear, and never makes a finding surer.
#[test]
fn missing_parts_lead_to_nothing_else() {
    for (flavour, file, whole) in cluster::all() {
        let sure = cluster::only(&whole).confidence;
        let mut cut: Vec<(&str, _)> = vec![("deployments", whole.clone()), ("groups", whole.clone())];
        cut.extend([("configmaps", whole.clone()), ("annotations", whole.clone()), ("kubelets", whole.clone())]);
        cut[0].1.deployments = None;
        cut[1].1.crd_groups = None;
        cut[2].1.configmaps = None;
        cut[3].1.node_annotations = None;
        cut[4].1.kubelet_versions = None;
        for (part, evidence) in cut {
            for detection in cluster::found(&evidence) {
                let at = format!("{flavour}/{file} without {part}");
                assert_eq!(detection.id, flavour, "{at}");
                assert!(detection.confidence <= sure, "{at}");
            }
        }
    }
}

/// Without DaemonSets there are only guesses, and a guess names the right flavour.
#[test]
fn without_daemonsets_there_are_guesses() {
    for (flavour, file, mut evidence) in cluster::all() {
        evidence.daemonsets = None;
        for detection in cluster::found(&evidence) {
            assert_eq!(detection.confidence, Confidence::Guess, "{flavour}/{file}");
            // Without its DaemonSets nothing tells Azure's Cilium and its own apart but the group of Azure.
            assert_eq!(detection.id, flavour, "{flavour}/{file}: {:?}", detection.because);
            assert!(detection.agents.is_empty(), "{flavour}/{file}");
        }
    }
}
