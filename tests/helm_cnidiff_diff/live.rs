//! Objects as an API server gives them back against the manifest they were made from: no difference.
//!
//! `served` does to a manifest what the API server does: it fills in the defaults of `pkg/apis/*/v1/defaults.go` and the
//! metadata, and writes quantities in their canonical form.

use helm_cnidiff::compare::compare;
use helm_cnidiff::comparison::Comparison;
use serde_json::{Map, Value, json};

use crate::{fixtures, tell};

fn set(map: &mut Value, key: &str, value: Value) {
    if map.get(key).is_none() {
        map[key] = value;
    }
}

fn each(list: &mut Value, run: impl FnMut(&mut Value)) {
    list.as_array_mut().into_iter().flatten().for_each(run);
}

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|v| !v.is_null())
}

fn served(mut object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap().to_owned();
    let name = object["metadata"]["name"].clone();
    let meta = &mut object["metadata"];
    meta["uid"] = json!("6f7d6e0c-1c2f-4d5e-9a54-0d3a3a4b7f10");
    meta["resourceVersion"] = json!("1234");
    meta["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    meta["managedFields"] = json!([{"manager": "kubectl-client-side-apply", "operation": "Update"}]);
    set(meta, "annotations", json!({}));
    meta["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json!("{\"kind\": \"X\"}\n");
    match kind.as_str() {
        "DaemonSet" => {
            object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = json!("1");
            object["metadata"]["generation"] = json!(1);
            let spec = &mut object["spec"];
            set(spec, "revisionHistoryLimit", json!(10));
            set(spec, "updateStrategy", json!({}));
            set(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
            set(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
            set(&mut spec["updateStrategy"]["rollingUpdate"], "maxUnavailable", json!(1));
            set(&mut spec["updateStrategy"]["rollingUpdate"], "maxSurge", json!(0));
            object["status"] = json!({"currentNumberScheduled": 3, "desiredNumberScheduled": 3});
            template(&mut object["spec"]["template"]);
        }
        "Deployment" => {
            object["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("1");
            object["metadata"]["generation"] = json!(1);
            let spec = &mut object["spec"];
            set(spec, "replicas", json!(1));
            set(spec, "progressDeadlineSeconds", json!(600));
            set(spec, "revisionHistoryLimit", json!(10));
            set(spec, "strategy", json!({"type": "RollingUpdate"}));
            if spec["strategy"]["type"] == "RollingUpdate" {
                set(&mut spec["strategy"], "rollingUpdate", json!({}));
                set(&mut spec["strategy"]["rollingUpdate"], "maxUnavailable", json!("25%"));
                set(&mut spec["strategy"]["rollingUpdate"], "maxSurge", json!("25%"));
            }
            object["status"] = json!({"replicas": 1});
            template(&mut object["spec"]["template"]);
        }
        "StatefulSet" => {
            let spec = &mut object["spec"];
            set(spec, "replicas", json!(1));
            set(spec, "revisionHistoryLimit", json!(10));
            set(spec, "podManagementPolicy", json!("OrderedReady"));
            set(spec, "updateStrategy", json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}));
            set(spec, "persistentVolumeClaimRetentionPolicy", json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
            each(&mut spec["volumeClaimTemplates"], |claim| {
                set(claim, "apiVersion", json!("v1"));
                set(claim, "kind", json!("PersistentVolumeClaim"));
                claim["status"] = json!({"phase": "Pending"});
                set(&mut claim["spec"], "volumeMode", json!("Filesystem"));
            });
            template(&mut object["spec"]["template"]);
        }
        "Service" => {
            let spec = &mut object["spec"];
            set(spec, "type", json!("ClusterIP"));
            set(spec, "clusterIP", json!("10.96.0.7"));
            spec["clusterIPs"] = json!([spec["clusterIP"]]);
            set(spec, "internalTrafficPolicy", json!("Cluster"));
            set(spec, "ipFamilies", json!(["IPv4"]));
            set(spec, "ipFamilyPolicy", json!("SingleStack"));
            set(spec, "sessionAffinity", json!("None"));
            if spec["type"] != "ClusterIP" {
                set(spec, "externalTrafficPolicy", json!("Cluster"));
                set(spec, "allocateLoadBalancerNodePorts", json!(true));
            }
            let outside = spec["type"] != "ClusterIP";
            each(&mut spec["ports"], |port| {
                set(port, "protocol", json!("TCP"));
                let number = port["port"].clone();
                set(port, "targetPort", number);
                if outside {
                    set(port, "nodePort", json!(31234));
                }
            });
            object["status"] = json!({"loadBalancer": {}});
        }
        "Namespace" => {
            set(&mut object["metadata"], "labels", json!({}));
            object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
            object["spec"] = json!({"finalizers": ["kubernetes"]});
            object["status"] = json!({"phase": "Active"});
        }
        "Secret" => set(&mut object, "type", json!("Opaque")),
        "CustomResourceDefinition" => {
            let spec = &mut object["spec"];
            set(spec, "conversion", json!({"strategy": "None"}));
            let kind = spec["names"]["kind"].as_str().unwrap().to_owned();
            set(&mut spec["names"], "listKind", json!(format!("{kind}List")));
            set(&mut spec["names"], "singular", json!(kind.to_ascii_lowercase()));
            spec.as_object_mut().unwrap().remove("preserveUnknownFields");
            object["status"] = json!({"storedVersions": ["v1"], "conditions": []});
        }
        "PodDisruptionBudget" => object["status"] = json!({"currentHealthy": 1}),
        _ => {}
    }
    object
}

fn template(template: &mut Value) {
    set(template, "metadata", json!({}));
    template["metadata"]["creationTimestamp"] = Value::Null;
    let pod = &mut template["spec"];
    set(pod, "restartPolicy", json!("Always"));
    set(pod, "terminationGracePeriodSeconds", json!(30));
    set(pod, "dnsPolicy", json!("ClusterFirst"));
    set(pod, "securityContext", json!({}));
    set(pod, "schedulerName", json!("default-scheduler"));
    if has(pod, "serviceAccountName") {
        pod["serviceAccount"] = pod["serviceAccountName"].clone();
    }
    let host = pod["hostNetwork"] == true;
    for list in ["initContainers", "containers"] {
        each(&mut pod[list], |container| one_container(container, host));
    }
    if pod["initContainers"].is_null() {
        pod.as_object_mut().unwrap().remove("initContainers");
    }
    each(&mut pod["volumes"], |volume| {
        if let Some(path) = volume.get_mut("hostPath") {
            set(path, "type", json!(""));
        }
        for source in ["configMap", "secret", "projected", "downwardAPI"] {
            if let Some(source) = volume.get_mut(source) {
                set(source, "defaultMode", json!(420));
                each(&mut source["sources"], |part| {
                    if let Some(token) = part.get_mut("serviceAccountToken") {
                        set(token, "expirationSeconds", json!(3600));
                    }
                });
                if source["sources"].is_null() {
                    source.as_object_mut().unwrap().remove("sources");
                }
            }
        }
    });
    each(&mut pod["topologySpreadConstraints"], |one| {
        set(one, "nodeAffinityPolicy", json!("Honor"));
        set(one, "nodeTaintsPolicy", json!("Ignore"));
    });
    pod.as_object_mut().unwrap().retain(|_, value| !value.is_null());
}

fn one_container(container: &mut Value, host: bool) {
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    let latest = container["image"].as_str().is_some_and(|image| image.ends_with(":latest"));
    set(container, "imagePullPolicy", json!(if latest { "Always" } else { "IfNotPresent" }));
    set(container, "resources", json!({}));
    // A limit without a request is one.
    if let Some(limits) = container["resources"].get("limits").and_then(Value::as_object).cloned() {
        set(&mut container["resources"], "requests", json!({}));
        let requests = container["resources"]["requests"].as_object_mut().unwrap();
        for (name, value) in limits {
            requests.entry(name).or_insert(value);
        }
    }
    for list in ["limits", "requests"] {
        let canonical: Option<Map<String, Value>> =
            container["resources"].get(list).and_then(Value::as_object).map(|map| {
                let text = |value: &Value| match value {
                    Value::Number(number) => json!(number.to_string()),
                    Value::String(text) if text == "1000m" => json!("1"),
                    other => other.clone(),
                };
                map.iter().map(|(key, value)| (key.clone(), text(value))).collect()
            });
        if let Some(map) = canonical {
            container["resources"][list] = Value::Object(map);
        }
    }
    each(&mut container["ports"], |port| {
        set(port, "protocol", json!("TCP"));
        if host {
            let number = port["containerPort"].clone();
            set(port, "hostPort", number);
        }
    });
    each(&mut container["env"], |variable| {
        if let Some(reference) = variable.pointer_mut("/valueFrom/fieldRef") {
            set(reference, "apiVersion", json!("v1"));
        }
        if let Some(reference) = variable.pointer_mut("/valueFrom/resourceFieldRef") {
            set(reference, "divisor", json!("0"));
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if !has(container, probe) {
            continue;
        }
        let probe = &mut container[probe];
        for (key, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            set(probe, key, json!(value));
        }
        if let Some(get) = probe.get_mut("httpGet") {
            set(get, "scheme", json!("HTTP"));
            set(get, "path", json!("/"));
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(get) = container.pointer_mut(&format!("/lifecycle/{hook}/httpGet")) {
            set(get, "scheme", json!("HTTP"));
        }
    }
    container.as_object_mut().unwrap().retain(|_, value| !value.is_null());
}

fn live(old: Vec<Value>, new: Vec<Value>) -> Comparison {
    let mut input = tell::input(fixtures::objects(old), fixtures::objects(new));
    input.options.origin.live = true;
    compare(input)
}

const FILES: [&str; 6] = [
    "kube-flannel-v0.24.0.yml",
    "kube-flannel-v0.28.9.yml",
    "calico-v3.26.0.yaml.gz",
    "calico-v3.32.1.yaml.gz",
    "cilium-1.19.6.yaml.gz",
    "cilium-full-1.19.6.yaml.gz",
];

#[test]
fn what_the_api_server_fills_in_is_no_difference() {
    for file in FILES {
        let manifest: Vec<Value> = fixtures::documents(file).into_iter().filter(|d| !d.is_null()).collect();
        let cluster: Vec<Value> = manifest.iter().cloned().map(served).collect();
        let comparison = live(cluster, manifest);
        assert!(comparison.is_empty(), "{file}: {:#?}", tell::changes(&comparison));
        assert_eq!(tell::notes(&comparison), Vec::<String>::new());
        assert_eq!(comparison.verdict.restarts, [], "{file}");
    }
}

/// What a changed path contains, and the change.
type Drift = (&'static str, fn(&mut Value));

#[test]
fn what_is_no_default_is_a_difference() {
    let manifest: Vec<Value> = fixtures::documents("kube-flannel-v0.28.9.yml");
    let drift: [Drift; 7] = [
        ("spec.updateStrategy", |o| o["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] = json!("50%")),
        ("dnsPolicy", |o| o["spec"]["template"]["spec"]["dnsPolicy"] = json!("Default")),
        ("hostPID", |o| o["spec"]["template"]["spec"]["hostPID"] = json!(true)),
        ("terminationGracePeriodSeconds", |o| {
            o["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(60)
        }),
        ("hostPort", |o| o["spec"]["template"]["spec"]["containers"][0]["ports"][0]["hostPort"] = json!(18081)),
        ("imagePullPolicy", |o| o["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = json!("Always")),
        ("restartedAt", |o| {
            o["spec"]["template"]["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/restartedAt": "now"})
        }),
    ];
    for (place, plant) in drift {
        let mut cluster: Vec<Value> = manifest.iter().cloned().map(served).collect();
        plant(cluster.iter_mut().find(|d| d["kind"] == "DaemonSet").unwrap());
        let changes = tell::changes(&live(cluster, manifest.clone()));
        assert_eq!(changes.len(), 1, "{place}: {changes:#?}");
        assert!(changes[0].contains(place), "{changes:#?}");
    }
}

/// A host port equal to the container's port is a default under hostNetwork only.
#[test]
fn a_host_port_of_a_pod_of_its_own_is_a_difference() {
    let object = |host: bool, port: Value| {
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "w", "namespace": "n"},
            "spec": {"template": {"spec": {"hostNetwork": host, "containers": [{"name": "c", "ports": [port]}]}}}})
    };
    for (host, differs) in [(true, 0), (false, 1)] {
        let cluster = object(host, json!({"containerPort": 80, "hostPort": 80}));
        let changes = tell::changes(&live(vec![cluster], vec![object(host, json!({"containerPort": 80}))]));
        assert_eq!(changes.len(), differs, "{changes:#?}");
    }
}
