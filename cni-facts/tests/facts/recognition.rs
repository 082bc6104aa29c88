//! One peculiarity each.

use cni_facts::{Confidence, Evidence, Facts, Role, WorkloadKind, WorkloadSeen, detect};

use crate::cluster::{cilium, daemonset, found, load, only, plain, set, with};

fn ids(evidence: &Evidence) -> Vec<String> {
    found(evidence).into_iter().map(|detection| detection.id).collect()
}

#[test]
fn nothing_is_found_in_nothing() {
    assert!(ids(&Evidence::default()).is_empty());
    assert!(ids(&plain()).is_empty(), "kube-proxy is not a CNI");
}

#[test]
fn a_name_alone_is_not_enough() {
    let exporter = daemonset(
        "kube-system/my-cilium-exporter",
        "app=my-cilium-exporter",
        &[("exporter", "quay.io/someone/cilium-exporter:v1.0.0")],
    );
    let namesake = daemonset("kube-system/cilium", "app=cilium", &[("sleep", "busybox:1.37")]);
    let labelled = daemonset("kube-system/cilium", "k8s-app=cilium", &[("sleep", "busybox:1.37")]);
    for daemonset in [exporter, namesake, labelled] {
        let what = format!("{daemonset:?}");
        assert!(ids(&with([daemonset])).is_empty(), "{what}");
    }
}

#[test]
fn an_image_alone_is_not_enough() {
    let image = "quay.io/cilium/cilium:v1.19.6";
    let preflight = daemonset(
        "kube-system/cilium-pre-flight-check",
        "k8s-app=cilium-pre-flight-check",
        &[("cilium-pre-flight-check", image)],
    );
    assert!(ids(&with([preflight.clone()])).is_empty());
    let detection = only(&with([cilium("quay.io/cilium/cilium:v1.17.6"), preflight]));
    assert_eq!(detection.agents.len(), 1);
    assert_eq!(detection.version.as_deref(), Some("1.17.6"), "the pre-flight's image is not the version");
    assert_eq!(detection.companions[0].name, "cilium-pre-flight-check");
}

#[test]
fn an_init_container_is_not_the_agent() {
    let mut copying = daemonset("infra/copy", "app=copy", &[("cilium-agent", "quay.io/cilium/cilium:v1.17.6")]);
    copying.containers[0].init = true;
    assert!(ids(&with([copying])).is_empty());
}

#[test]
fn mirrors_and_renamed_images() {
    let cases = [
        ("registry.corp:5000/mirror/quay.io/cilium/cilium:v1.17.6", Confidence::Certain, Some("1.17.6")),
        ("registry.corp/cilium@sha256:ab", Confidence::Certain, None),
        ("registry.corp/net/agent:v1.17.6", Confidence::Certain, Some("1.17.6")),
        ("registry.corp/net/agent:stable", Confidence::Certain, None),
    ];
    for (image, confidence, version) in cases {
        let detection = only(&with([cilium(image)]));
        assert_eq!(detection.id, "cilium", "{image}");
        assert_eq!(detection.confidence, confidence, "{image}");
        assert_eq!(detection.version.as_deref(), version, "{image}");
        assert_eq!(detection.agent().unwrap().image, image);
    }
    let renamed = only(&with([cilium("registry.corp/net/agent:v1.17.6")]));
    assert!(renamed.because.iter().any(|reason| reason.contains("a name that is not known")), "{:?}", renamed.because);
}

#[test]
fn a_renamed_daemonset_is_recognised() {
    let renamed = WorkloadSeen {
        namespace: "networking".to_owned(),
        name: "acme-cilium-prod".to_owned(),
        ..cilium("quay.io/cilium/cilium:v1.18.4")
    };
    let detection = only(&with([renamed]));
    assert_eq!((detection.id.as_str(), detection.confidence), ("cilium", Confidence::Certain));
    assert_eq!(detection.because[0], "DaemonSet networking/acme-cilium-prod agrees in selector, containers and image");
    assert_eq!(detection.because[1], "version 1.18.4 is the tag of quay.io/cilium/cilium:v1.18.4");
}

#[test]
fn two_signals_are_likely() {
    let twice_renamed = daemonset("kube-system/net", "k8s-app=cilium", &[("cilium-agent", "registry.corp/agent:1")]);
    let detection = only(&with([twice_renamed]));
    assert_eq!((detection.id.as_str(), detection.confidence), ("cilium", Confidence::Likely));
}

#[test]
fn a_digest_leaves_the_version_to_labels() {
    let digest = "registry.corp/cilium@sha256:544de3d4";
    let labelled = |key: &str, value: &str| {
        let mut daemonset = cilium(digest);
        daemonset.labels.insert(key.to_owned(), value.to_owned());
        only(&with([daemonset])).version
    };
    assert_eq!(labelled("app.kubernetes.io/version", "1.17.6").as_deref(), Some("1.17.6"));
    assert_eq!(labelled("helm.sh/chart", "cilium-1.20.0").as_deref(), Some("1.20.0"));
    assert_eq!(labelled("helm.sh/chart", "umbrella-1.0.0"), None, "another chart's version");
    assert_eq!(labelled("app.kubernetes.io/version", "stable"), None);

    let mut aws = daemonset("kube-system/aws-node", "k8s-app=aws-node", &[("aws-node", "amazon-k8s-cni@sha256:ab")]);
    aws.labels.insert("helm.sh/chart".to_owned(), "aws-vpc-cni-1.2.0".to_owned());
    assert_eq!(only(&with([aws])).version, None, "that chart had versions of its own");
}

#[test]
fn calico_is_the_operators_by_resources_and_namespace() {
    let mut operator = load("calico-operator/v3.30.yaml");
    operator.crd_groups = None;
    let detection = only(&operator);
    assert_eq!((detection.id.as_str(), detection.confidence), ("calico-operator", Confidence::Likely));

    operator.crd_groups = Some(set(&["crd.projectcalico.org"]));
    assert_eq!(ids(&operator), ["calico-manifest"], "nobody manages it when the operator's resources are not served");

    let mut manifest = load("calico-manifest/v3.31.3.yaml");
    manifest.crd_groups.as_mut().unwrap().insert("operator.tigera.io".to_owned());
    assert_eq!(ids(&manifest), ["calico-manifest"], "the operator works in calico-system only");
}

#[test]
fn several_mains_are_all_reported() {
    let mut evidence = load("flannel/v0.28.4.yaml");
    evidence.daemonsets.as_mut().unwrap().push(cilium("quay.io/cilium/cilium:v1.17.6"));
    assert_eq!(ids(&evidence), ["cilium", "flannel"]);
}

#[test]
fn canal_and_a_flannel_of_its_own_are_two() {
    let mut evidence = load("canal/v3.32.1.yaml");
    evidence.daemonsets.as_mut().unwrap().extend(load("flannel/v0.28.4.yaml").daemonsets.unwrap());
    assert_eq!(ids(&evidence), ["canal", "flannel"]);
}

#[test]
fn meta_cnis_come_after_the_main_one() {
    let mut evidence = load("multus/thick.yaml");
    evidence.daemonsets.as_mut().unwrap().extend(load("weave/v2.8.1.yaml").daemonsets.unwrap());
    let roles: Vec<(String, Role)> = found(&evidence).into_iter().map(|found| (found.id, found.role)).collect();
    assert_eq!(roles, [("weave".to_owned(), Role::Main), ("multus".to_owned(), Role::Meta)]);
}

#[test]
fn calico_beside_amazon_only_enforces_policy() {
    let mut evidence = load("aws-vpc-cni/v1.20.yaml");
    evidence.daemonsets.as_mut().unwrap().extend(load("calico-manifest/v3.31.3.yaml").daemonsets.unwrap());
    let roles: Vec<(String, Role)> = found(&evidence).into_iter().map(|found| (found.id, found.role)).collect();
    assert_eq!(roles, [("aws-vpc-cni".to_owned(), Role::Main), ("calico-manifest".to_owned(), Role::PolicyOnly)]);
}

#[test]
fn azures_cilium_is_azures() {
    let detection = only(&load("azure-cni/powered-by-cilium.yaml"));
    let companions: Vec<(WorkloadKind, &str)> =
        detection.companions.iter().map(|companion| (companion.kind, companion.name.as_str())).collect();
    assert_eq!(companions, [(WorkloadKind::Daemonset, "cilium"), (WorkloadKind::Deployment, "cilium-operator")]);
}

#[test]
fn embedded_flannel_needs_traces_of_its_program() {
    let k3s = load("flannel/k3s.yaml");
    let detection = only(&k3s);
    assert!(detection.embedded && detection.agents.is_empty());
    assert_eq!(detection.confidence, Confidence::Likely);

    let mut unknown = k3s.clone();
    unknown.kubelet_versions = None;
    assert_eq!(only(&unknown).confidence, Confidence::Guess);

    let mut left_over = k3s.clone();
    left_over.kubelet_versions = Some(set(&["v1.33.1"]));
    assert!(ids(&left_over).is_empty(), "annotations stay on nodes when flannel is gone");

    let mut replaced = k3s;
    replaced.daemonsets.as_mut().unwrap().push(cilium("quay.io/cilium/cilium:v1.17.6"));
    assert_eq!(ids(&replaced), ["cilium"]);
}

#[test]
fn leftovers_are_not_a_cni() {
    let mut evidence = plain();
    evidence.crd_groups = Some(set(&["cilium.io", "crd.projectcalico.org", "operator.tigera.io"]));
    evidence.configmaps = Some(set(&["cilium-config", "kube-flannel-cfg", "canal-config"]));
    assert!(ids(&evidence).is_empty());
}

#[test]
fn without_daemonsets_traces_are_a_guess() {
    let guess = |groups: &[&str], configmaps: &[&str], annotations: &[&str]| {
        ids(&Evidence {
            crd_groups: Some(set(groups)),
            configmaps: Some(set(configmaps)),
            node_annotations: Some(set(annotations)),
            ..Evidence::default()
        })
    };
    assert_eq!(guess(&["cilium.io"], &[], &[]), ["cilium"]);
    assert_eq!(guess(&["crd.projectcalico.org"], &[], &[]), ["calico-manifest"]);
    assert_eq!(guess(&["crd.projectcalico.org", "operator.tigera.io"], &[], &[]), ["calico-operator"]);
    let flannel = ["flannel.alpha.coreos.com/backend-type"];
    assert_eq!(guess(&[], &[], &flannel), ["flannel"]);
    assert_eq!(guess(&["crd.projectcalico.org"], &["canal-config"], &flannel), ["canal"]);
    assert!(guess(&[], &[], &[]).is_empty());
}

#[test]
fn what_a_probe_pod_needs_to_know_is_kept() {
    let mut agent = cilium("registry.corp/cilium/cilium:v1.17.6");
    agent.pull_secrets = vec!["corp".to_owned()];
    agent.containers[0].pull_policy = Some("Always".to_owned());
    let detection = only(&with([agent]));
    let agent = detection.agent().unwrap();
    assert_eq!(agent.pull_secrets, ["corp"]);
    assert_eq!(agent.pull_policy.as_deref(), Some("Always"));
    assert_eq!(agent.selector["k8s-app"], "cilium");
}

#[test]
fn one_daemonset_per_architecture_is_one_cni() {
    let detection = only(&load("flannel/v0.12-per-architecture.yaml"));
    let names: Vec<&str> = detection.agents.iter().map(|agent| agent.name.as_str()).collect();
    assert_eq!(names, ["kube-flannel-ds-amd64", "kube-flannel-ds-arm64"]);

    let mut skewed = load("flannel/v0.12-per-architecture.yaml");
    skewed.daemonsets.as_mut().unwrap()[2].containers[1].image = "quay.io/coreos/flannel:v0.11.0-arm64".to_owned();
    assert!(only(&skewed).because.contains(&"its DaemonSets ask for different versions".to_owned()));
}

/// The order in which a cluster lists its objects makes no difference.
#[test]
fn order_makes_no_difference() {
    for (flavour, file, evidence) in crate::cluster::all() {
        let mut reversed = evidence.clone();
        reversed.daemonsets.as_mut().unwrap().reverse();
        reversed.deployments.as_mut().unwrap().reverse();
        assert_eq!(found(&evidence), found(&reversed), "{flavour}/{file}");
    }
}

#[test]
fn versions_of_pod_images() {
    let facts = Facts::builtin();
    let version = |id: &str, image: &str| facts.get(id).unwrap().version_of_image(image);
    assert_eq!(version("cilium", "quay.io/cilium/cilium:v1.19.0-rc.1@sha256:ab").as_deref(), Some("1.19.0"));
    assert_eq!(version("kindnet", "kindest/kindnetd:v20250214-acbabc1a").as_deref(), Some("20250214-acbabc1a"));
    assert_eq!(version("weave", "weaveworks/weave-kube:2.8.1").as_deref(), Some("2.8.1"));
    assert_eq!(version("cilium", "quay.io/cilium/cilium@sha256:ab"), None);
    assert!(detect(&facts, &Evidence::default()).is_empty());
}

#[test]
fn traces_support_a_finding() {
    let mut evidence = load("azure-cni/npm.yaml");
    evidence.node_labels = Some(set(&["kubernetes.azure.com/cluster"]));
    let expected = [
        "DaemonSet kube-system/azure-cns agrees in name, selector, containers and image",
        "version 1.6.30 is the tag of mcr.microsoft.com/containernetworking/azure-cns:v1.6.30",
        "the API serves acn.azure.com",
        "nodes are labelled kubernetes.azure.com/cluster",
    ];
    assert_eq!(only(&evidence).because, expected);
}

/// Calico's container with flannel's is what makes Canal, whatever it is called.
#[test]
fn canal_is_its_two_containers() {
    let containers = [("calico-node", "registry.corp/policy:1"), ("kube-flannel", "registry.corp/network:1")];
    let renamed = daemonset("network/pods", "app=pods", &containers);
    let detection = only(&with([renamed]));
    assert_eq!((detection.id.as_str(), detection.confidence), ("canal", Confidence::Likely));

    let without_flannel =
        daemonset("kube-system/canal", "k8s-app=canal", &[("calico-node", "quay.io/calico/node:v3.31.3")]);
    assert_eq!(ids(&with([without_flannel])), ["calico-manifest"]);
}
