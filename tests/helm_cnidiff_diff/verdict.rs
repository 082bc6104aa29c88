//! What a change does to a cluster, where one field does not tell it: strategies, sizes of clusters, releases.

use helm_cnidiff::compare::{Input, compare};
use helm_cnidiff::comparison::{AtOnce, Comparison};
use helm_cnidiff::manifest::{Document, ObjectSet};
use helm_cnidiff::risk::{AppliedBy, ReleaseState};
use serde_json::{Value, json};

use crate::{fixtures, tell};

fn workload(kind: &str, strategy: Value, image: &str, replicas: Option<u64>) -> Value {
    let field = if kind == "Deployment" { "strategy" } else { "updateStrategy" };
    let mut object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "w", "namespace": "n"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": image}]}}}});
    if !strategy.is_null() {
        object["spec"][field] = strategy;
    }
    if let Some(replicas) = replicas {
        object["spec"]["replicas"] = json!(replicas);
    }
    object
}

fn input(old: Value, new: Value) -> Input {
    tell::input(fixtures::objects(vec![old]), fixtures::objects(vec![new]))
}

fn at_once(comparison: &Comparison) -> &AtOnce {
    &comparison.verdict.restarts[0].at_once
}

#[test]
fn max_unavailable_is_told_in_pods_where_the_cluster_is_known() {
    let rolling = |max: Value| json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": max}});
    let cases = [
        ("DaemonSet", Value::Null, None, "1", true, Some(1)),
        ("DaemonSet", rolling(json!(2)), None, "2", false, Some(2)),
        ("DaemonSet", rolling(json!("10%")), None, "10%", false, None),
        ("DaemonSet", rolling(json!("10%")), Some(25), "10%", false, Some(3)),
        ("DaemonSet", rolling(json!(50)), Some(3), "50", false, Some(3)),
        ("Deployment", Value::Null, Some(25), "25%", true, Some(1)),
        ("Deployment", json!({"type": "Recreate"}), Some(25), "Recreate", false, Some(4)),
        ("StatefulSet", Value::Null, Some(25), "1", true, Some(1)),
    ];
    for (kind, strategy, nodes, setting, default, pods) in cases {
        let replicas = (kind != "DaemonSet").then_some(4);
        let mut input =
            input(workload(kind, strategy.clone(), "a:1", replicas), workload(kind, strategy.clone(), "a:2", replicas));
        input.circumstances.nodes = nodes;
        let comparison = compare(input);
        let expected = AtOnce { setting: setting.into(), default, pods };
        assert_eq!(at_once(&comparison), &expected, "{kind} {strategy}");
        assert_eq!(comparison.verdict.restarts[0].pods, if kind == "DaemonSet" { nodes } else { Some(4) }, "{kind}");
    }
}

#[test]
fn pods_of_a_daemonset_are_counted_where_they_run() {
    let pair = || (workload("DaemonSet", Value::Null, "a:1", None), workload("DaemonSet", Value::Null, "a:2", None));
    let (old, new) = pair();
    let mut known = input(old, new);
    known.circumstances.nodes = Some(30);
    known.circumstances.pods.insert(("n".into(), "w".into()), 28);
    assert_eq!(compare(known).verdict.restarts[0].pods, Some(28));
    // A node selector keeps it off some of the nodes: how many is not known, and not guessed.
    let (old, mut new) = pair();
    new["spec"]["template"]["spec"]["nodeSelector"] = json!({"kubernetes.io/os": "linux", "role": "edge"});
    let mut narrow = input(old, new);
    narrow.circumstances.nodes = Some(30);
    assert_eq!(compare(narrow).verdict.restarts[0].pods, None);
}

#[test]
fn on_delete_makes_a_change_inert() {
    let on_delete = json!({"type": "OnDelete"});
    let comparison = compare(input(
        workload("DaemonSet", on_delete.clone(), "a:1", None),
        workload("DaemonSet", on_delete.clone(), "a:2", None),
    ));
    assert!(comparison.verdict.restarts[0].on_delete);
    assert!(tell::notes(&comparison).contains(&"Risk update-inert DaemonSet n/w spec.updateStrategy.type".to_owned()));
    // Nothing to delete pods for.
    let mut new = workload("DaemonSet", on_delete.clone(), "a:1", None);
    new["metadata"]["labels"] = json!({"x": "y"});
    let comparison = compare(input(workload("DaemonSet", on_delete, "a:1", None), new));
    assert_eq!(tell::notes(&comparison), Vec::<String>::new());
}

#[test]
fn surge_is_blocked_by_host_ports_only() {
    let surge = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    let with = |image: &str, host: bool, port: Value| {
        let mut object = workload("DaemonSet", surge.clone(), image, None);
        let pod = &mut object["spec"]["template"]["spec"];
        pod["hostNetwork"] = json!(host);
        pod["containers"][0]["ports"] = json!([port]);
        object
    };
    let cases = [
        (false, json!({"containerPort": 80}), false),
        (true, json!({"containerPort": 80}), true),
        (false, json!({"containerPort": 80, "hostPort": 80}), true),
        (false, json!({"containerPort": 80, "hostPort": 0}), false),
    ];
    for (host, port, blocked) in cases {
        let comparison = compare(input(with("a:1", host, port.clone()), with("a:2", host, port.clone())));
        let told = comparison.notes.iter().any(|note| note.id == "surge-needs-ports");
        assert_eq!(told, blocked, "{host} {port}");
        assert_eq!(comparison.verdict.blockers, usize::from(blocked));
    }
}

#[test]
fn what_the_api_server_refuses_is_a_blocker() {
    let object = |api: &str, kind: &str, rest: Value| {
        let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "n"}});
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    let cases = [
        (
            "v1",
            "ConfigMap",
            json!({"immutable": true, "data": {"a": "1"}}),
            json!({"immutable": true, "data": {"a": "2"}}),
            "config-immutable",
        ),
        ("v1", "Secret", json!({"type": "Opaque"}), json!({"type": "kubernetes.io/tls"}), "secret-type-immutable"),
        (
            "apps/v1",
            "StatefulSet",
            json!({"spec": {"serviceName": "a"}}),
            json!({"spec": {"serviceName": "b"}}),
            "field-immutable",
        ),
        (
            "batch/v1",
            "Job",
            json!({"spec": {"template": {"spec": {"x": 1}}}}),
            json!({"spec": {"template": {"spec": {"x": 2}}}}),
            "field-immutable",
        ),
        ("scheduling.k8s.io/v1", "PriorityClass", json!({"value": 1}), json!({"value": 2}), "field-immutable"),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            json!({"roleRef": {"name": "a"}}),
            json!({"roleRef": {"name": "b"}}),
            "field-immutable",
        ),
    ];
    for (api, kind, old, new, id) in cases {
        let comparison = compare(input(object(api, kind, old), object(api, kind, new)));
        let blockers: Vec<&str> = comparison
            .notes
            .iter()
            .filter(|n| n.level == helm_cnidiff::comparison::Level::Blocker)
            .map(|n| n.id.as_str())
            .collect();
        assert_eq!(blockers, [id], "{kind}");
    }
}

#[test]
fn classes_of_a_pod_are_told_where_they_change() {
    let object = |pod: Value| {
        let mut object = workload("DaemonSet", Value::Null, "a:1", None);
        object["spec"]["template"]["spec"] = pod;
        object
    };
    let pod = |more: Value| {
        let mut container = json!({"name": "c", "image": "a:1"});
        container.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"containers": [container]})
    };
    let told = |old: Value, new: Value| tell::notes(&compare(input(object(old), object(new))));
    let place = "DaemonSet n/w spec.template.spec";
    assert_eq!(
        told(pod(json!({})), pod(json!({"resources": {"requests": {"cpu": "1"}}}))),
        ["Risk qos-class DaemonSet n/w".to_owned(), format!("Risk resources {place}.containers[c].resources")]
    );
    assert_eq!(
        told(pod(json!({})), pod(json!({"securityContext": {"privileged": true}}))),
        [
            "Risk pod-security-raised DaemonSet n/w".to_owned(),
            format!("Risk privileged {place}.containers[c].securityContext")
        ]
    );
    // Less is needed: nothing can be refused.
    assert_eq!(
        told(pod(json!({"securityContext": {"privileged": true}})), pod(json!({}))),
        [format!("Risk privileged {place}.containers[c].securityContext")]
    );
}

#[test]
fn what_others_depend_on_is_a_risk() {
    let webhook = |policy: &str| {
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "w"}, "webhooks": [{"name": "a.example.io", "failurePolicy": policy}]})
    };
    let name = "ValidatingWebhookConfiguration w";
    let told = |old: Vec<Value>, new: Vec<Value>| {
        tell::notes(&compare(tell::input(fixtures::objects(old), fixtures::objects(new))))
    };
    assert_eq!(
        told(vec![webhook("Ignore")], vec![webhook("Fail")]),
        [format!("Risk webhook {name} webhooks[a.example.io].failurePolicy")]
    );
    assert_eq!(told(vec![], vec![webhook("Fail")]), [format!("Risk webhook {name}")]);
    let api = |service: &str| {
        json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.x.io"},
        "spec": {"service": {"name": service}}})
    };
    assert_eq!(told(vec![api("a")], vec![api("b")]), ["Risk api-service APIService v1.x.io spec.service.name"]);
    let class =
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "p"}, "value": 1});
    assert_eq!(told(vec![class], vec![]), ["Risk priority-class-removed PriorityClass p"]);
    let crd = |first: bool| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "t.x.io"},
        "spec": {"versions": [{"name": "v1", "served": true, "storage": first}, {"name": "v2", "served": true, "storage": !first}]}})
    };
    assert_eq!(
        told(vec![crd(true)], vec![crd(false)]),
        ["Risk crd-storage-changed CustomResourceDefinition t.x.io spec.versions[v2]"]
    );
}

#[test]
fn a_new_name_is_a_new_object_and_kubectl_deletes_none() {
    let named = |kind: &str, name: &str| {
        let mut object = workload(kind, Value::Null, "a:1", None);
        object["metadata"]["name"] = json!(name);
        object
    };
    let comparison = compare(input(named("Deployment", "a"), named("Deployment", "b")));
    assert_eq!(tell::notes(&comparison), ["Risk workload-renamed Deployment n/b metadata.name"]);
    assert_eq!(tell::restarts(&comparison), ["Deployment n/b, all at once"]);
    let mut gone = tell::input(fixtures::objects(vec![named("DaemonSet", "a")]), ObjectSet::default());
    gone.circumstances.applied_by = AppliedBy::Kubectl;
    assert_eq!(tell::notes(&compare(gone)), ["Risk daemonset-left-behind DaemonSet n/a"]);
}

#[test]
fn hooks_are_made_anew_and_left_behind() {
    let job = |image: &str| {
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "namespace": "n",
        "annotations": {"helm.sh/hook": "post-upgrade"}}, "spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}})
    };
    let comparison = compare(input(job("a:1"), job("a:2")));
    assert_eq!(comparison.verdict.blockers, 0, "{:#?}", tell::notes(&comparison));
    assert_eq!(tell::changes(&comparison).len(), 1);
    let gone = compare(tell::input(fixtures::objects(vec![job("a:1")]), ObjectSet::default()));
    assert_eq!(tell::notes(&gone), Vec::<String>::new());
}

#[test]
fn the_order_of_variables_matters_where_one_refers_to_another() {
    let object = |env: Value| {
        let mut object = workload("DaemonSet", Value::Null, "a:1", None);
        object["spec"]["template"]["spec"]["containers"][0]["env"] = env;
        object
    };
    let (a, b) = (json!({"name": "A", "value": "1"}), json!({"name": "B", "value": "2"}));
    let refers = json!({"name": "B", "value": "$(A)"});
    let told = |old: Value, new: Value| tell::notes(&compare(input(object(old), object(new))));
    let place = "environment DaemonSet n/w spec.template.spec.containers[c].env";
    assert_eq!(told(json!([a, b]), json!([b, a])), [format!("Info {place}")]);
    assert_eq!(told(json!([a, refers]), json!([refers, a])), [format!("Risk {place}")]);
}

#[test]
fn definitions_in_the_crds_folder_need_a_hand() {
    let crd = |extra: Value| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.io"}, "spec": {"group": "example.io", "scope": "Cluster", "names": {"kind": "Thing"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"properties": extra}}}]}})
    };
    let set = |documents: Vec<Value>| {
        let documents =
            documents.into_iter().map(|value| Document { place: "crds/x.yaml".into(), value, install_only: true });
        ObjectSet::read("x", documents.collect(), "n").0
    };
    let told = |old: Vec<Value>, new: Vec<Value>| tell::notes(&compare(tell::input(set(old), set(new))));
    let name = "CustomResourceDefinition things.example.io";
    assert_eq!(told(vec![crd(json!({}))], vec![crd(json!({}))]), Vec::<String>::new());
    assert_eq!(told(vec![crd(json!({}))], vec![crd(json!({"a": {}}))]), [format!("Risk crd-not-applied {name}")]);
    assert_eq!(told(vec![], vec![crd(json!({}))]), [format!("Risk crd-not-applied {name}")]);
    // Helm never deletes them either.
    assert_eq!(told(vec![crd(json!({}))], vec![]), [format!("Info crd-removed {name}")]);
}

#[test]
fn what_a_policy_keeps_is_not_deleted() {
    let map = |annotations: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "n", "annotations": annotations}});
    let told = |old: Value| tell::notes(&compare(tell::input(fixtures::objects(vec![old]), ObjectSet::default())));
    assert_eq!(told(map(json!({}))), ["Risk object-removed ConfigMap n/x"]);
    assert_eq!(told(map(json!({"helm.sh/resource-policy": "keep"}))), ["Info object-kept ConfigMap n/x"]);
}

#[test]
fn an_operator_says_that_its_daemonsets_are_not_here() {
    let operator = |image: &str| {
        let mut object = workload("Deployment", Value::Null, image, None);
        object["metadata"]["name"] = json!("tigera-operator");
        object
    };
    let told = tell::notes(&compare(input(operator("a:1"), operator("a:2"))));
    assert!(told.contains(&"Risk operator-renders-no-daemonset Deployment n/tigera-operator".to_owned()), "{told:#?}");
    let none = compare(input(operator("a:1"), operator("a:1")));
    assert_eq!(tell::notes(&none), Vec::<String>::new());
}

#[test]
fn a_release_that_helm_will_not_touch_is_a_blocker() {
    let told = |release: ReleaseState| {
        let mut input = Input::default();
        input.circumstances.release = Some(release);
        let comparison = compare(input);
        assert!(comparison.is_empty());
        comparison.notes.iter().map(|note| format!("{:?} {}: {}", note.level, note.id, note.title)).collect::<Vec<_>>()
    };
    let release = |status: &str, stored_bytes: u64, next_bytes: u64| ReleaseState {
        name: "cilium".into(),
        status: status.into(),
        stored_bytes,
        next_bytes,
    };
    assert_eq!(told(release("deployed", 400_000, 0)), Vec::<String>::new());
    assert_eq!(told(release("pending-upgrade", 0, 0)), ["Blocker release-pending: release cilium is pending-upgrade"]);
    let near = ["Risk release-near-cap: release cilium takes 0.86 MiB of the 1 MiB that a Secret may hold"];
    assert_eq!(told(release("deployed", 900_000, 0)), near);
    let beyond = ["Blocker release-too-large: release cilium takes 1.05 MiB of the 1 MiB that a Secret may hold"];
    assert_eq!(told(release("deployed", 400_000, 1_100_000)), beyond);
}

#[test]
fn an_object_is_found_again_in_another_group_or_with_its_namespace_written_out() {
    let set = |api: &str| {
        let mut object = workload("DaemonSet", Value::Null, "a:1", None);
        object["apiVersion"] = json!(api);
        object
    };
    assert_eq!(
        tell::changes(&compare(input(set("extensions/v1beta1"), set("apps/v1")))),
        [
            "DaemonSet n/w was extensions/v1beta1 DaemonSet n/w",
            "DaemonSet n/w ~ apiVersion extensions/v1beta1 -> apps/v1"
        ]
    );
    let pool = |namespace: Value| json!({"apiVersion": "x.io/v1", "kind": "Pool", "metadata": {"name": "p", "namespace": namespace}});
    // The default namespace of the comparison is kube-system.
    let comparison = compare(input(pool(Value::Null), pool(json!("kube-system"))));
    assert!(comparison.is_empty(), "{:#?}", tell::changes(&comparison));
    assert_eq!(comparison.noise[0].rule, "null-and-absent");
    let map = |namespace: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "p", "namespace": namespace}});
    assert!(compare(input(map(json!("kube-system")), map(Value::Null))).is_empty());
    let elsewhere = compare(input(pool(Value::Null), pool(json!("other"))));
    assert_eq!(tell::changes(&elsewhere), ["Pool p removed", "Pool other/p added"]);
}
