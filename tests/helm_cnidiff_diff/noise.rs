//! Noise planted in real manifests is folded by its rule and shows nowhere else; every rule has a case.

use std::collections::BTreeSet;

use helm_cnidiff::compare::compare;
use helm_cnidiff::noise::RULES;
use serde_json::{Value, json};

use crate::{fixtures, tell};

struct Folded {
    rules: &'static [&'static str],
    live: bool,
    plant: fn(&mut Vec<Value>),
}

fn find<'v>(documents: &'v mut [Value], kind: &str, name: &str) -> &'v mut Value {
    documents.iter_mut().find(|d| d["kind"] == kind && d["metadata"]["name"] == name).unwrap()
}

fn agent(documents: &mut [Value]) -> &mut Value {
    &mut find(documents, "DaemonSet", "cilium")["spec"]["template"]["spec"]["containers"][0]
}

const CASES: &[Folded] = &[
    Folded {
        rules: &["chart-labels"],
        live: false,
        plant: |d| {
            for document in d.iter_mut().filter(|d| d["metadata"]["labels"].is_object()) {
                document["metadata"]["labels"]["helm.sh/chart"] = json!("cilium-9.9.9");
                document["metadata"]["labels"]["app.kubernetes.io/version"] = json!("9.9.9");
            }
        },
    },
    Folded {
        rules: &["checksums", "regenerated-secrets"],
        live: false,
        plant: |d| {
            find(d, "Secret", "cilium-ca")["data"]["ca.crt"] = json!("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t");
            let operator = find(d, "Deployment", "cilium-operator");
            operator["spec"]["template"]["metadata"]["annotations"]["checksum/ca"] = json!("ffffffffffff");
        },
    },
    Folded {
        rules: &["quantity-spelling"],
        live: false,
        plant: |d| {
            let init = &mut find(d, "DaemonSet", "cilium")["spec"]["template"]["spec"]["initContainers"];
            let resources = &mut init.as_array_mut().unwrap().last_mut().unwrap()["resources"];
            resources["limits"] = json!({"cpu": "1000m", "memory": "1024Mi"});
            resources["requests"] = json!({"cpu": 0.1, "memory": "10240Ki"});
        },
    },
    Folded {
        rules: &["null-and-absent"],
        live: false,
        plant: |d| {
            agent(d)["resources"] = json!({});
            agent(d)["workingDir"] = Value::Null;
            find(d, "ConfigMap", "cilium-config")["metadata"]["annotations"] = Value::Null;
        },
    },
    Folded {
        rules: &["deprecated-alias"],
        live: false,
        plant: |d| find(d, "DaemonSet", "cilium")["spec"]["template"]["spec"]["serviceAccount"] = json!("cilium"),
    },
    Folded {
        rules: &["document-layout"],
        live: false,
        plant: |d| {
            let text = &mut find(d, "ConfigMap", "cilium-envoy-config")["data"]["bootstrap-config.json"];
            *text = json!(format!("{:#}", serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap()));
        },
    },
    Folded {
        rules: &["list-order"],
        live: false,
        plant: |d| find(d, "Service", "cilium-envoy")["spec"]["ports"].as_array_mut().unwrap().reverse(),
    },
    Folded {
        rules: &["rbac-spelling"],
        live: false,
        plant: |d| find(d, "ClusterRole", "cilium")["rules"].as_array_mut().unwrap().reverse(),
    },
    Folded {
        rules: &["tool-annotations"],
        live: false,
        plant: |d| {
            find(d, "ServiceAccount", "cilium")["metadata"]["annotations"]["controller-gen.kubebuilder.io/version"] =
                json!("v9")
        },
    },
    Folded {
        rules: &["live-metadata", "server-defaults"],
        live: true,
        plant: |d| {
            let set = find(d, "DaemonSet", "cilium");
            set["metadata"]["uid"] = json!("1-2-3");
            set["metadata"]["managedFields"] = json!([{"manager": "helm"}]);
            set["metadata"]["annotations"] = json!({"deprecated.daemonset.template.generation": "4"});
            set["status"] = json!({"numberReady": 3});
            set["spec"]["revisionHistoryLimit"] = json!(10);
            set["spec"]["updateStrategy"]["rollingUpdate"]["maxSurge"] = json!(0);
            let pod = &mut set["spec"]["template"]["spec"];
            pod["dnsPolicy"] = json!("ClusterFirst");
            pod["schedulerName"] = json!("default-scheduler");
            agent(d)["terminationMessagePath"] = json!("/dev/termination-log");
            agent(d)["startupProbe"]["timeoutSeconds"] = json!(1);
            find(d, "Namespace", "cilium-secrets")["spec"] = json!({"finalizers": ["kubernetes"]});
        },
    },
];

/// Adds what the fixtures lack for a case to be planted in.
fn base() -> Vec<Value> {
    let mut documents = fixtures::documents("cilium-1.18.4.yaml.gz");
    find(&mut documents, "ServiceAccount", "cilium")["metadata"]["annotations"] =
        json!({"controller-gen.kubebuilder.io/version": "v8"});
    find(&mut documents, "Deployment", "cilium-operator")["spec"]["template"]["metadata"]["annotations"]["checksum/ca"] =
        json!("000000000000");
    find(&mut documents, "Service", "cilium-envoy")["spec"]["ports"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "more", "port": 1}));
    let init = &mut find(&mut documents, "DaemonSet", "cilium")["spec"]["template"]["spec"]["initContainers"];
    init.as_array_mut().unwrap().last_mut().unwrap()["resources"] =
        json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "10Mi"}});
    documents
}

#[test]
fn noise_is_folded_by_its_rule_and_counts_nowhere() {
    for case in CASES {
        let old = base();
        let mut new = old.clone();
        (case.plant)(&mut new);
        for turned in [false, true] {
            let (a, b) = if turned { (new.clone(), old.clone()) } else { (old.clone(), new.clone()) };
            let mut input = tell::input(fixtures::objects(a), fixtures::objects(b));
            input.options.origin.rendered = true;
            input.options.origin.live = case.live;
            let comparison = compare(input);
            assert!(comparison.is_empty(), "{:?}: {:#?}", case.rules, tell::changes(&comparison));
            assert_eq!(tell::notes(&comparison), Vec::<String>::new(), "{:?}", case.rules);
            let rules: Vec<&str> = comparison.noise.iter().map(|noise| noise.rule.as_str()).collect();
            assert_eq!(rules, case.rules);
            assert!(comparison.noise.iter().all(|noise| noise.count == noise.hits.len() && noise.count > 0));
        }
    }
}

#[test]
fn every_rule_has_a_case() {
    let mut cases: BTreeSet<&str> = CASES.iter().flat_map(|case| case.rules).copied().collect();
    cases.insert("crd-descriptions"); // below
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(cases.into_iter().collect::<Vec<_>>(), rules);
}

#[test]
fn wording_of_a_definition_is_folded_and_a_property_of_that_name_is_not() {
    let crd = |wording: &str, property: &str| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.example.io"},
            "spec": {"group": "example.io", "scope": "Cluster", "names": {"kind": "Thing"}, "versions": [{"name": "v1", "served": true,
            "storage": true, "schema": {"openAPIV3Schema": {"description": wording, "properties": {"description": {"type": property}}}}}]}})
    };
    let compared =
        |new: Value| tell::rendered(fixtures::objects(vec![crd("a", "string")]), fixtures::objects(vec![new]));
    let folded = compared(crd("b", "string"));
    assert!(folded.is_empty());
    assert_eq!(folded.noise[0].rule, "crd-descriptions");
    assert!(!compared(crd("a", "integer")).is_empty());
}

/// A label that repeats the version is noise, but in a pod template it replaces pods: alone it is the reason and shown.
#[test]
fn the_only_reason_for_a_restart_is_never_folded() {
    let mut old = base();
    let labels = |d: &mut Vec<Value>, version: &str| {
        find(d, "DaemonSet", "cilium")["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/version"] =
            json!(version);
    };
    labels(&mut old, "1");
    let mut new = old.clone();
    labels(&mut new, "2");
    let alone = tell::rendered(fixtures::objects(old.clone()), fixtures::objects(new.clone()));
    assert_eq!(
        tell::changes(&alone),
        ["DaemonSet kube-system/cilium ~ spec.template.metadata.labels[\"app.kubernetes.io/version\"] 1 -> 2"]
    );
    assert_eq!(alone.verdict.restarts.len(), 1);
    agent(&mut new)["image"] = json!("a:2");
    let beside = tell::rendered(fixtures::objects(old), fixtures::objects(new));
    assert_eq!(tell::changes(&beside).len(), 1);
    assert_eq!(beside.noise[0].rule, "chart-labels");
    assert_eq!(beside.verdict.restarts[0].because.len(), 2);
}

/// A checksum of what was made anew is folded, and the restart it causes is still told.
#[test]
fn a_folded_checksum_still_tells_of_the_restart() {
    let old = base();
    let mut new = old.clone();
    let case = CASES.iter().find(|case| case.rules.contains(&"checksums")).unwrap();
    (case.plant)(&mut new);
    let comparison = tell::rendered(fixtures::objects(old.clone()), fixtures::objects(new.clone()));
    assert_eq!(tell::restarts(&comparison), ["Deployment kube-system/cilium-operator, 50% at once"]);
    // Beside a ConfigMap that really changes, the checksum is what carries it to the pods.
    find(&mut new, "ConfigMap", "cilium-config")["data"]["debug"] = json!("true");
    let changes = tell::changes(&tell::rendered(fixtures::objects(old), fixtures::objects(new)));
    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert!(changes[0].ends_with("(checksum: replaces pods)"), "{changes:#?}");
}
