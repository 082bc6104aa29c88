//! Fields that the API server fills in, with the values it fills in: an object read from a cluster has them, the manifest
//! it was made from may not.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::last_key;
use crate::comparison::Step;
use crate::diff::quantity;
use crate::diff::scope::Scope;
use crate::diff::tree::Edit;

/// Fields of a pod template and of workloads that the API server fills in
/// (<https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go>).
pub(super) fn server_default(scope: Scope, edit: &Edit, old: Option<&Value>, new: Option<&Value>) -> bool {
    let value = match (&edit.old, &edit.new) {
        (Some(value), None) | (None, Some(value)) => value,
        _ => return false,
    };
    let Some(field) = last_key(&edit.path.0) else { return false };
    if scope.in_template(&edit.path.0).is_some() {
        let host = |side: Option<&Value>| side.is_some_and(|v| v["spec"]["template"]["spec"]["hostNetwork"] == true);
        return match (field, edit.path.0.iter().rev().nth(1)) {
            // With hostNetwork a declared port is a host port of the same number.
            ("hostPort", Some(Step::Item(port))) => {
                host(old) && host(new) && port.split('/').next() == Some(value.to_string().as_str())
            }
            ("imagePullPolicy", _) => container(edit, old, new).is_some_and(|c| *value == pull_policy(c)),
            // A limit without a request is one.
            ("requests", _) => limits(edit, old, new).is_some_and(|limits| covered(value, limits)),
            (_, Some(Step::Key(parent))) if parent == "requests" => limits(edit, old, new)
                .is_some_and(|limits| limits.get(field).is_some_and(|limit| same_quantity(limit, value))),
            _ => pod_default(field, value),
        };
    }
    if edit.path.starts_with(&["spec", "volumeClaimTemplates"]) {
        return match field {
            "apiVersion" => *value == "v1",
            "kind" => *value == "PersistentVolumeClaim",
            "status" => true,
            "volumeMode" => *value == "Filesystem",
            _ => false,
        };
    }
    if edit.path.starts_with(&["spec", "updateStrategy"]) || edit.path.starts_with(&["spec", "strategy"]) {
        let daemonset = new.or(old).is_some_and(|object| object["kind"] == "DaemonSet");
        return strategy_default(daemonset, field, value);
    }
    match field {
        "revisionHistoryLimit" => *value == 10,
        "progressDeadlineSeconds" => *value == 600,
        "podManagementPolicy" => *value == "OrderedReady",
        "replicas" => *value == 1,
        "sessionAffinity" => *value == "None",
        "internalTrafficPolicy" | "externalTrafficPolicy" => *value == "Cluster",
        "ipFamilyPolicy" => *value == "SingleStack",
        "protocol" => *value == "TCP",
        "clusterIP" | "clusterIPs" | "ipFamilies" | "nodePort" | "targetPort" => {
            edit.path.starts_with(&["spec"]) && scope == Scope::of("", "Service")
        }
        "allocateLoadBalancerNodePorts" => *value == true,
        "persistentVolumeClaimRetentionPolicy" => *value == json!({"whenDeleted": "Retain", "whenScaled": "Retain"}),
        "conversion" => *value == json!({"strategy": "None"}),
        "preserveUnknownFields" => *value == false,
        "listKind" | "singular" => edit.path.starts_with(&["spec", "names"]),
        "namespaceSelector" | "objectSelector" => value.as_object().is_some_and(serde_json::Map::is_empty),
        "timeoutSeconds" => *value == 10,
        "reinvocationPolicy" => *value == "Never",
        "scope" => *value == "*",
        "failurePolicy" => *value == "Fail",
        "matchPolicy" => *value == "Equivalent",
        "namespace" => edit.path.starts_with(&["metadata"]),
        "spec" => *value == json!({"finalizers": ["kubernetes"]}),
        "kubernetes.io/metadata.name" => true,
        "type" => *value == "ClusterIP" || *value == "Opaque",
        _ => false,
    }
}

/// The strategy, or a part of it, as it is where nothing is written.
fn strategy_default(daemonset: bool, field: &str, value: &Value) -> bool {
    match (field, value) {
        ("updateStrategy" | "strategy" | "rollingUpdate", Value::Object(map)) => {
            map.iter().all(|(field, value)| strategy_default(daemonset, field, value))
        }
        ("type", value) => *value == "RollingUpdate",
        ("maxUnavailable", value) => {
            if daemonset {
                *value == 1
            } else {
                *value == "25%"
            }
        }
        ("maxSurge", value) => {
            if daemonset {
                *value == 0
            } else {
                *value == "25%"
            }
        }
        ("partition", value) => *value == 0,
        _ => false,
    }
}

/// The container that the edit is about, on the side that has what the other lacks.
fn container<'v>(edit: &Edit, old: Option<&'v Value>, new: Option<&'v Value>) -> Option<&'v Value> {
    let side = if edit.old.is_some() { old } else { new }?;
    let list = |step: &Step| matches!(step, Step::Key(key) if key == "containers" || key == "initContainers");
    let at = edit.path.0.iter().position(list)?;
    let (Step::Key(list), Some(Step::Item(name))) = (&edit.path.0[at], edit.path.0.get(at + 1)) else { return None };
    let containers = side.pointer("/spec/template/spec")?.get(list)?.as_array()?;
    containers.iter().find(|container| container["name"] == name.as_str())
}

fn limits<'v>(edit: &Edit, old: Option<&'v Value>, new: Option<&'v Value>) -> Option<&'v Value> {
    container(edit, old, new)?.pointer("/resources/limits")
}

/// `Always` for `latest` and for no tag at all, else `IfNotPresent`.
fn pull_policy(container: &Value) -> &'static str {
    let image = cni_facts::ImageRef::parse(container["image"].as_str().unwrap_or_default());
    match (image.tag, image.digest) {
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}

fn covered(requests: &Value, limits: &Value) -> bool {
    let same = |(name, value): (&String, &Value)| limits.get(name).is_some_and(|limit| same_quantity(limit, value));
    requests.as_object().is_some_and(|map| map.iter().all(same))
}

fn same_quantity(a: &Value, b: &Value) -> bool {
    quantity::order(a, b) == Some(Ordering::Equal)
}

fn pod_default(field: &str, value: &Value) -> bool {
    match field {
        "dnsPolicy" => *value == "ClusterFirst",
        "restartPolicy" => *value == "Always",
        "schedulerName" => *value == "default-scheduler",
        "terminationGracePeriodSeconds" => *value == 30,
        "terminationMessagePath" => *value == "/dev/termination-log",
        "terminationMessagePolicy" => *value == "File",
        "protocol" => *value == "TCP",
        "successThreshold" => *value == 1,
        "failureThreshold" => *value == 3,
        "timeoutSeconds" => *value == 1,
        "periodSeconds" => *value == 10,
        "initialDelaySeconds" => *value == 0,
        "scheme" => *value == "HTTP",
        "path" => *value == "/",
        "defaultMode" => *value == 420,
        "apiVersion" => *value == "v1",
        "type" => *value == "",
        "securityContext" | "resources" => value.as_object().is_some_and(serde_json::Map::is_empty),
        "creationTimestamp" => value.is_null(),
        "readOnly" | "hostNetwork" | "hostPID" | "hostIPC" | "optional" => *value == false,
        "procMount" => *value == "Default",
        "mountPropagation" => *value == "None",
        "recursiveReadOnly" => *value == "Disabled",
        "operator" => *value == "Equal",
        "divisor" => *value == "0",
        "expirationSeconds" => *value == 3600,
        "nodeAffinityPolicy" => *value == "Honor",
        "nodeTaintsPolicy" => *value == "Ignore",
        _ => false,
    }
}
