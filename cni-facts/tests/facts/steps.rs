//! Steps from one version to another: the path, the rules, what comes out for a situation.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{
    Direction, Facts, InstallMethod, Judged, Need, NodeSeen, Objects, Part, Severity, Situation, Step, StepError,
    Target, Truth, Unsupported, Values, Version, WorkloadState, step,
};
use serde_json::{Value, json};

fn path(step: &Step<'_>) -> String {
    let mut path: Vec<String> = step.hops.iter().map(|hop| hop.from.to_string()).collect();
    path.extend(step.hops.last().map(|hop| hop.to.to_string()));
    path.join(" ")
}

fn hop_of(step: &Step<'_>, id: &str) -> Option<Option<usize>> {
    step.rules.iter().find(|one| one.rule.id == id).map(|one| one.hop)
}

#[test]
fn a_hop_over_minors_gives_the_path_and_the_rules_of_each_step() {
    let facts = Facts::builtin();
    let step = step(&facts, "cilium", "v1.16.5", "1.19.6").unwrap();
    assert_eq!(path(&step), "1.16.5 1.17.18 1.18.12 1.19.6");
    assert_eq!(step.direction, Direction::Up);
    assert_eq!(step.unsupported, [Unsupported::HopTooBig { minors: 3, limit: 1 }]);
    assert_eq!(hop_of(&step, "cilium-1.17-mtu"), Some(Some(0)));
    assert_eq!(hop_of(&step, "cilium-kernel-1.18"), Some(Some(1)));
    assert_eq!(hop_of(&step, "cilium-1.19-lb-ip-host"), Some(Some(2)));
    assert_eq!(hop_of(&step, "any-ondelete"), Some(None));
    assert_eq!(hop_of(&step, "cilium-1.16-mtu"), None);
    assert_eq!(hop_of(&step, "cilium-kernel-1.16"), None, "it is behind");
    let hops: Vec<Option<usize>> = step.rules.iter().map(|one| one.hop).collect();
    assert!(hops.is_sorted(), "rules come in the order of the path");
}

/// What a direct step would meet and the path does not is not left out.
#[test]
fn rules_of_the_direct_step_are_kept() {
    let facts = Facts::builtin();
    let direct = step(&facts, "cilium", "1.15.2", "1.16.9").unwrap();
    assert_eq!(hop_of(&direct, "cilium-1.16-fqdn-floor"), Some(Some(0)));
    let same_minor = step(&facts, "cilium", "1.15.8", "1.16.9").unwrap();
    assert_eq!(hop_of(&same_minor, "cilium-1.16-fqdn-floor"), None);
    // A known bad target is met only by going there.
    assert_eq!(hop_of(&step(&facts, "cilium", "1.18.4", "1.18.8").unwrap(), "cilium-1.18.8-arch-probe"), Some(Some(0)));
    assert_eq!(hop_of(&step(&facts, "cilium", "1.17.4", "1.19.6").unwrap(), "cilium-1.18.8-arch-probe"), None);
}

#[test]
fn paths() {
    let facts = Facts::builtin();
    let cases = [
        ("cilium", "1.18.4", "1.19.6", "1.18.4 1.19.6"),
        ("cilium", "1.18.4", "1.18.12", "1.18.4 1.18.12"),
        ("cilium", "1.19.6", "1.19.6", ""),
        ("cilium", "1.19.6", "1.17.18", "1.19.6 1.18.12 1.17.18"),
        ("cilium", "1.20.0-rc.1", "1.20.0", ""),
        ("antrea", "2.0.0", "2.6.0", "2.0.0 2.4.0 2.6.0"),
        ("calico-operator", "v3.26.1", "v3.32.1", "3.26.1 3.32.1"),
        ("flannel", "v0.24.0", "v0.28.9", "0.24.0 0.28.9"),
        ("weave", "2.8.0", "2.8.1", "2.8.0 2.8.1"),
    ];
    for (cni, from, to, expected) in cases {
        assert_eq!(path(&step(&facts, cni, from, to).unwrap()), expected, "{cni} {from} {to}");
    }
    let invented = step(&facts, "antrea", "2.0.0", "2.6.0").unwrap();
    assert_eq!(invented.hops.iter().map(|hop| hop.is_known).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_is_not_supported() {
    let facts = Facts::builtin();
    let cases: &[(&str, &str, &str, &[Unsupported])] = &[
        ("cilium", "1.18.4", "1.19.6", &[]),
        ("cilium", "1.15.0", "1.16.19", &[Unsupported::TargetEol]),
        ("cilium", "1.20.0", "1.21.0", &[Unsupported::TargetUnlisted]),
        ("calico-manifest", "3.14.0", "3.32.1", &[Unsupported::FromTooOld { first: Version::new(3, 15, 0) }]),
        ("kindnet", "1.0.0", "1.1.0", &[Unsupported::TargetUnlisted, Unsupported::NoRules]),
        ("antrea", "1.9.0", "2.0.0", &[Unsupported::MajorVersion, Unsupported::TargetUnlisted]),
    ];
    for (cni, from, to, expected) in cases {
        assert_eq!(step(&facts, cni, from, to).unwrap().unsupported, *expected, "{cni} {from} {to}");
    }
}

#[test]
fn bad_input_is_named() {
    let facts = Facts::builtin();
    let error = |cni, from, to| step(&facts, cni, from, to).unwrap_err();
    assert_eq!(error("cillium", "1.18.4", "1.19.6"), StepError::UnknownCni("cillium".to_owned()));
    assert!(matches!(error("cilium", "latest", "1.19.6"), StepError::Version(error) if error.text == "latest"));
    assert_eq!(
        error("cilium", "1.18.4", "1.19").to_string(),
        "\"1.19\" is not a version: expected three numbers, such as 1.19.6"
    );
}

#[test]
fn flavours_have_their_own_rules() {
    let facts = Facts::builtin();
    let ids = |cni| -> BTreeSet<String> {
        step(&facts, cni, "3.29.0", "3.30.3").unwrap().rules.iter().map(|one| one.rule.id.clone()).collect()
    };
    let (manifest, operator, canal) = (ids("calico-manifest"), ids("calico-operator"), ids("canal"));
    assert!(operator.contains("calico-3.30-whisker") && !manifest.contains("calico-3.30-whisker"));
    assert!(
        manifest.contains("calico-3.30-loadbalancer-controller")
            && !operator.contains("calico-3.30-loadbalancer-controller")
    );
    assert!(manifest.contains("calico-3.30-bpf-conntrack") && operator.contains("calico-3.30-bpf-conntrack"));
    assert!(!canal.iter().any(|id| id.starts_with("calico-")) && canal.contains("any-ondelete"));
}

/// Nobody looked at anything: every rule that looks at more than the step stays open.
#[test]
fn without_evidence_nothing_is_ruled_out() {
    let facts = Facts::builtin();
    for (cni, from, to) in
        [("cilium", "1.12.0", "1.20.0"), ("calico-operator", "3.24.0", "3.32.1"), ("flannel", "0.12.0", "0.28.9")]
    {
        for judged in step(&facts, cni, from, to).unwrap().judge(&Situation::default()) {
            let of_the_step =
                judged.rule.when.all().iter().any(|one| ["minor_hop_gt", "running_lt"].contains(&one.name()));
            match judged.truth {
                Truth::DoesNotHold { because } => assert!(of_the_step, "{}: {because}", judged.rule.id),
                Truth::Holds { .. } => assert!(judged.rule.when.is_always() || of_the_step, "{}", judged.rule.id),
                Truth::Unknown { why } => assert!(why.len() > 10, "{}: {why}", judged.rule.id),
            }
        }
    }
}

/// A cluster of which everything is known and nothing is special.
fn plain() -> Situation {
    let resources = [
        "networkpolicies.networking.k8s.io",
        "services",
        "pods",
        "ciliumnetworkpolicies.cilium.io",
        "ciliumclusterwidenetworkpolicies.cilium.io",
        "ciliumloadbalancerippools.cilium.io",
        "ciliumegressgatewaypolicies.cilium.io",
        "ciliumegressnatpolicies.cilium.io",
        "ciliumbgploadbalancerippools.cilium.io",
        "ciliumbgppeeringpolicies.cilium.io",
        "ciliumexternalworkloads.cilium.io",
        "ciliuml2announcementpolicies.cilium.io",
    ];
    let agent = WorkloadState {
        kind: "DaemonSet".to_owned(),
        namespace: "kube-system".to_owned(),
        name: "cilium".to_owned(),
        own: true,
        selector: BTreeMap::from([("k8s-app".to_owned(), "cilium".to_owned())]),
        max_unavailable: Some("1".to_owned()),
        update_strategy: Some("RollingUpdate".to_owned()),
        host_ports: BTreeSet::from([9879]),
    };
    let proxy = WorkloadState { name: "kube-proxy".to_owned(), own: false, ..agent.clone() };
    let node = NodeSeen {
        name: "n1".to_owned(),
        kernel: "6.1.0-38-amd64".to_owned(),
        os_image: "Debian GNU/Linux 12 (bookworm)".to_owned(),
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        addresses: vec!["192.0.2.1".parse().unwrap()],
        pod_cidrs: vec!["10.0.0.0/24".to_owned()],
        pods_free: Some(50),
    };
    let mut host = cni_facts::HostSeen {
        interfaces: Part::Known(BTreeSet::new()),
        iptables: Part::Known(cni_facts::IptablesChains::default()),
        nft_tables: Part::Known(BTreeSet::new()),
        mounts: Part::Known(BTreeSet::from(["/sys/fs/bpf".to_owned()])),
        ports_in_use: Part::Known(BTreeSet::from([9879])),
        main_cni_files: Part::Known(vec!["05-cilium.conflist".to_owned()]),
        ..cni_facts::HostSeen::default()
    };
    host.files.insert("/etc/systemd/networkd.conf".to_owned(), Part::Absent);
    host.files.insert("/etc/cni/net.d/05-cilium.conf".to_owned(), Part::Absent);
    Situation {
        install: Part::Known(InstallMethod::Helm),
        helm_flags: Part::Known(BTreeSet::new()),
        values: Part::Known(Values { user: json!({"upgradeCompatibility": "1.18"}), target_defaults: Part::default() }),
        configmaps: BTreeMap::from([("cilium-config".to_owned(), Part::Known(BTreeMap::new()))]),
        objects: resources.iter().map(|name| ((*name).to_owned(), Part::Known(Objects::Listed(Vec::new())))).collect(),
        owner_api_versions: Part::Known(BTreeSet::new()),
        crds: Part::Known(BTreeMap::new()),
        apis: Part::Known(BTreeSet::from(["apps/v1".to_owned()])),
        nodes: Part::Known(vec![node]),
        kubernetes: Part::Known(Version::new(1, 33, 2)),
        workloads: Part::Known(vec![agent.clone(), proxy]),
        hosts: BTreeMap::from([("n1".to_owned(), host)]),
        target: Target {
            workloads: Part::Known(vec![agent]),
            configmaps: Part::Known(BTreeMap::new()),
            images_not_pulled: Part::Known(BTreeSet::new()),
        },
    }
}

fn blockers(judged: &[Judged<'_>]) -> Vec<String> {
    let holds = |one: &&Judged<'_>| matches!(one.truth, Truth::Holds { .. }) && one.level == Severity::Blocker;
    judged.iter().filter(holds).map(|one| one.rule.id.clone()).collect()
}

/// With everything known nothing stays open, not even for want of a chart, and a plain cluster has no blocker.
#[test]
fn a_plain_cluster_has_no_blocker_and_nothing_open() {
    let facts = Facts::builtin();
    for to in ["1.19.6", "1.18.12"] {
        let judged = step(&facts, "cilium", "1.18.4", to).unwrap().judge(&plain());
        let open: Vec<String> = judged
            .iter()
            .filter_map(|one| match &one.truth {
                Truth::Unknown { why } => Some(format!("{}: {why}", one.rule.id)),
                _ => None,
            })
            .collect();
        assert_eq!(open, Vec::<String>::new());
        assert_eq!(blockers(&judged), Vec::<String>::new());
    }
}

/// The defaults that rules ask for are known for every chart of the corpus' range.
#[test]
fn no_rule_stays_open_for_want_of_a_default() {
    let facts = Facts::builtin();
    for minor in 13..=20 {
        let (from, to) = (format!("1.{}.0", minor - 1), format!("1.{minor}.0"));
        for judged in step(&facts, "cilium", &from, &to).unwrap().judge(&plain()) {
            if let Truth::Unknown { why } = &judged.truth {
                assert!(!why.contains("default"), "{}: {why}", judged.rule.id);
            }
        }
    }
}

fn with_values(user: Value) -> Situation {
    Situation { values: Part::Known(Values { user, target_defaults: Part::default() }), ..plain() }
}

/// Incident 2: a load-balancer pool that holds a node's own address. Reported first-hand, confirmed second-hand only: it
/// is a warning that says what it would be.
#[test]
fn a_pool_with_a_nodes_address() {
    let facts = Facts::builtin();
    let mut situation = with_values(json!({"kubeProxyReplacement": true, "k8sServiceHost": "192.0.2.9"}));
    let pool =
        json!({"metadata": {"name": "public"}, "spec": {"blocks": [{"start": "192.0.2.0", "stop": "192.0.2.3"}]}});
    situation
        .objects
        .insert("ciliumloadbalancerippools.cilium.io".to_owned(), Part::Known(Objects::Listed(vec![pool])));
    let judged = step(&facts, "cilium", "1.18.6", "1.19.0").unwrap().judge(&situation);
    let rule = judged.iter().find(|one| one.rule.id == "cilium-1.19-lb-ip-host").unwrap();
    assert!(matches!(&rule.truth, Truth::Holds { because } if because.contains("public")), "{:?}", rule.truth);
    assert_eq!((rule.rule.severity, rule.level), (Severity::Blocker, Severity::Warning));
    assert!(rule.caveat.as_ref().unwrap().contains("would block if it were confirmed"));
}

/// A chart that refuses blocks; one that renders in silence warns.
#[test]
fn refusal_depends_on_the_exact_chart() {
    let facts = Facts::builtin();
    let level = |to: &str| {
        let judged = step(&facts, "cilium", "1.14.5", to).unwrap().judge(&with_values(json!({"tunnel": "vxlan"})));
        let rule = judged.into_iter().find(|one| one.rule.id == "cilium-1.15-removed-tunnel").unwrap();
        assert!(matches!(rule.truth, Truth::Holds { .. }));
        (rule.level, rule.caveat.is_some())
    };
    assert_eq!(level("1.15.7"), (Severity::Warning, true));
    assert_eq!(level("1.15.8"), (Severity::Blocker, false));
}

/// A hop in the middle is judged by its own chart, not by the target's: what 1.14 to 1.18 refuse and 1.19 takes again
/// stops an upgrade that goes through them.
#[test]
fn each_hop_is_judged_by_its_own_target() {
    let facts = Facts::builtin();
    let situation = with_values(json!({"ipam": {"operator": {"clusterPoolIPv4PodCIDR": "10.0.0.0/8"}}}));
    let level = |from: &str, to: &str| {
        let judged = step(&facts, "cilium", from, to).unwrap().judge(&situation);
        let rule =
            judged.into_iter().find(|one| one.rule.id == "cilium-1.14-removed-ipam-operator-clusterpoolipv4podcidr");
        let rule = rule.unwrap();
        assert!(matches!(rule.truth, Truth::Holds { .. }), "{:?}", rule.truth);
        (rule.hop, rule.level)
    };
    assert_eq!(level("1.13.0", "1.14.19"), (Some(0), Severity::Blocker));
    assert_eq!(level("1.13.0", "1.19.6"), (Some(0), Severity::Blocker));
}

#[test]
fn needs_name_what_the_rules_read() {
    let facts = Facts::builtin();
    let needs = step(&facts, "cilium", "1.18.4", "1.19.6").unwrap().needs();
    let objects = |resource: &str, metadata_only| Need::Objects { resource: resource.to_owned(), metadata_only };
    for need in [
        Need::Values,
        Need::Nodes,
        Need::Kubernetes,
        Need::ConfigMap("cilium-config".to_owned()),
        Need::HostFile("/etc/systemd/networkd.conf".to_owned()),
        objects("ciliumnetworkpolicies.cilium.io", false),
        objects("services", false),
    ] {
        assert!(needs.contains(&need), "{need:?}");
    }
    // Pods are many: only where a rule asks for them, and then their metadata.
    assert!(!needs.iter().any(|need| matches!(need, Need::Objects { resource, .. } if resource == "pods")));
    let older = step(&facts, "cilium", "1.16.4", "1.17.4").unwrap().needs();
    assert!(older.contains(&objects("pods", true)));
}
