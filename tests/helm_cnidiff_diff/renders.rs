//! Two renders of one chart are the same, and real version steps say what is known of them.

use helm_cnidiff::compare::compare;
use helm_cnidiff::noise::Regenerated;

use crate::{fixtures, tell};

const TWICE: [(&str, &str); 4] = [
    ("cilium-1.18.4.yaml.gz", "cilium-1.18.4-again.yaml.gz"),
    ("cilium-1.19.6.yaml.gz", "cilium-1.19.6-again.yaml.gz"),
    ("cilium-full-1.18.4.yaml.gz", "cilium-full-1.18.4-again.yaml.gz"),
    ("cilium-full-1.19.6.yaml.gz", "cilium-full-1.19.6-again.yaml.gz"),
];

#[test]
fn rendering_twice_gives_no_difference() {
    for (once, again) in TWICE {
        let comparison = tell::rendered(fixtures::set(once), fixtures::set(again));
        assert!(comparison.is_empty(), "{once}: {:#?}", tell::changes(&comparison));
        assert_eq!(tell::notes(&comparison), Vec::<String>::new(), "{once}");
        assert_eq!(comparison.verdict.restarts, [], "{once}");
        let rules: Vec<&str> = comparison.noise.iter().map(|noise| noise.rule.as_str()).collect();
        assert_eq!(rules, ["regenerated-secrets"], "{once}");
    }
}

#[test]
fn what_is_made_anew_is_known_by_its_mark_or_by_a_second_render() {
    for (once, again) in TWICE {
        let (old, new) = (fixtures::set(once), fixtures::set(again));
        // Of manifests of unknown origin a certificate that differs is a difference, unless it is marked.
        let marked = once.contains("1.19");
        assert_eq!(compare(tell::input(old.clone(), new.clone())).is_empty(), marked, "{once}");
        let mut input = tell::input(old.clone(), new.clone());
        input.options.origin.regenerated = Regenerated::between(&old, &new);
        assert!(compare(input).is_empty(), "{once}");
    }
}

#[test]
fn a_certificate_that_the_user_gave_is_a_difference() {
    let (old, new) = (fixtures::set(TWICE[0].0), fixtures::set(TWICE[0].1));
    let ca = |set: &helm_cnidiff::manifest::ObjectSet| {
        let secret = set.objects.values().find(|o| o.id.name == "cilium-ca").unwrap();
        secret.value["data"]["ca.crt"].as_str().unwrap().to_owned()
    };
    let mut input = tell::input(old.clone(), new.clone());
    input.options.origin.rendered = true;
    input.options.origin.given.insert(ca(&new));
    let changes = tell::changes(&compare(input));
    // It is the authority of both Secrets; their keys and the other certificates are made anew.
    let places: Vec<&str> = changes.iter().map(|line| line.split(" secret ").next().unwrap()).collect();
    assert_eq!(
        places,
        [
            "Secret kube-system/cilium-ca ~ data[\"ca.crt\"]",
            "Secret kube-system/hubble-server-certs ~ data[\"ca.crt\"]"
        ]
    );
}

#[test]
fn no_secret_is_in_a_comparison() {
    // Of the unmarked pair the Secrets are shown as hashes, of the marked one they are folded.
    for ((old, new), shown) in [(TWICE[0], true), (("cilium-full-1.18.4.yaml.gz", "cilium-full-1.19.6.yaml.gz"), false)]
    {
        let (old, new) = (fixtures::set(old), fixtures::set(new));
        let mut secrets = Vec::new();
        for object in old.objects.values().chain(new.objects.values()).filter(|o| o.id.kind == "Secret") {
            let data = object.value["data"].as_object().into_iter().flatten();
            secrets.extend(data.filter_map(|(_, value)| value.as_str()).filter(|t| t.len() > 16).map(str::to_owned));
        }
        assert!(secrets.len() > 8);
        let text = format!("{:?}", compare(tell::input(old, new)));
        assert_eq!(text.contains("Secret {"), shown);
        for secret in secrets {
            assert!(!text.contains(&secret), "{secret}");
        }
    }
}

#[test]
fn cilium_1_18_to_1_19_says_what_is_known_of_it() {
    let comparison = tell::rendered(fixtures::set("cilium-1.18.4.yaml.gz"), fixtures::set("cilium-1.19.6.yaml.gz"));
    let agent = "DaemonSet kube-system/cilium spec.template.spec";
    let notes = tell::notes(&comparison);
    // Host ports 9879 and 4244 newly declared, SYSLOG added, limits for an init container, the shell of two others.
    for expected in [
        format!("Risk host-port {agent}.containers[cilium-agent].ports"),
        format!("Risk capabilities {agent}.containers[cilium-agent].securityContext.capabilities.add[SYSLOG]"),
        format!("Risk resources {agent}.initContainers[install-cni-binaries].resources.limits"),
        format!("Info arguments {agent}.initContainers[mount-cgroup].command[0]"),
        format!("Info image {agent}.containers[cilium-agent].image"),
        "Risk rights-lost ClusterRole cilium-operator rules".to_owned(),
    ] {
        assert!(notes.contains(&expected), "{expected}\n{notes:#?}");
    }
    assert!(!notes.iter().any(|note| note.starts_with("Blocker")), "{notes:#?}");
    assert_eq!(
        tell::restarts(&comparison),
        [
            "DaemonSet kube-system/cilium, 2 at once",
            "DaemonSet kube-system/cilium-envoy, 2 at once",
            "Deployment kube-system/cilium-operator, 50% at once",
        ]
    );
    let added: Vec<String> = tell::changes(&comparison).into_iter().filter(|line| line.ends_with(" added")).collect();
    assert_eq!(
        added,
        ["Role kube-system/cilium-operator-ztunnel added", "RoleBinding kube-system/cilium-operator-ztunnel added"]
    );
}

#[test]
fn calico_says_what_its_definitions_lose() {
    let comparison = tell::rendered(fixtures::set("calico-v3.31.3.yaml.gz"), fixtures::set("calico-v3.32.1.yaml.gz"));
    let notes = tell::notes(&comparison);
    let removed = "Blocker crd-removed CustomResourceDefinition adminnetworkpolicies.policy.networking.k8s.io";
    assert!(notes.iter().any(|note| note == removed), "{notes:#?}");
    let required = "Risk crd-now-required CustomResourceDefinition tiers.crd.projectcalico.org spec.versions";
    assert!(notes.iter().any(|note| note == required), "{notes:#?}");
    // Applied by kubectl, the definition stays.
    let mut input = tell::input(fixtures::set("calico-v3.31.3.yaml.gz"), fixtures::set("calico-v3.32.1.yaml.gz"));
    input.circumstances.applied_by = helm_cnidiff::risk::AppliedBy::Kubectl;
    let notes = tell::notes(&compare(input));
    assert!(!notes.iter().any(|note| note.starts_with("Blocker")), "{notes:#?}");
}

#[test]
fn two_comparisons_of_one_input_are_the_same() {
    let one =
        || format!("{:?}", tell::rendered(fixtures::set(TWICE[2].0), fixtures::set("cilium-full-1.19.6.yaml.gz")));
    assert_eq!(one(), one());
}

/// The target is rendered anew by each run: what differs then must not reach the report.
#[test]
fn another_render_of_the_target_gives_the_same_comparison() {
    for (old, once, again) in [
        ("cilium-1.18.4.yaml.gz", "cilium-1.19.6.yaml.gz", "cilium-1.19.6-again.yaml.gz"),
        ("cilium-full-1.18.4.yaml.gz", "cilium-full-1.19.6.yaml.gz", "cilium-full-1.19.6-again.yaml.gz"),
        ("cilium-1.17.6.yaml.gz", "cilium-1.18.4.yaml.gz", "cilium-1.18.4-again.yaml.gz"),
    ] {
        let told = |new: &str| format!("{:#?}", tell::rendered(fixtures::set(old), fixtures::set(new)));
        assert!(told(once) == told(again), "{old} to {once}");
    }
}
