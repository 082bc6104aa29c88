//! What do the CNI's own objects say, without entering a pod? One function per kind of object; what they look at is in the comment above each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Judge, Seen, count, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::node_name;

pub(super) const CHECK: Check = Check {
    id: "cni-object-unhealthy",
    section: "CNI agents",
    title: "the CNI's own objects",
    means: "CiliumNode, CiliumEndpoint and BGP objects, Calico's node status and TigeraStatus, and Flannel's node annotations say how the CNI sees \
            itself. They are read from the API; nothing is run.",
    remedy: "kubectl describe the object that is named; then the log of the agent on that node.",
    judge: Judge::Cluster(run),
};

fn run(check: &Check, seen: &Seen<'_>) -> Vec<CheckResult> {
    let snapshot = seen.snapshot;
    let mut results = Vec::new();
    for (resource, objects) in &snapshot.cni_objects {
        let Some(judge) = judge_of(resource) else { continue };
        let mut result = match objects {
            Err(missing) => check.result(Verdict::Unknown, missing.to_string()),
            Ok(objects) if objects.is_empty() => check.result(Verdict::Note, "none"),
            Ok(objects) => from_troubles(check, &judge(objects), objects.len()),
        };
        result.title = format!("{resource} report no trouble");
        results.push(result);
    }
    if seen.detections.iter().any(|detection| detection.id == "flannel")
        && let Ok(nodes) = &snapshot.nodes
    {
        let mut result = from_troubles(check, &flannel(nodes), nodes.len());
        result.title = "Flannel's node annotations are complete and distinct".to_owned();
        results.push(result);
    }
    results
}

fn from_troubles(check: &Check, troubles: &[String], total: usize) -> CheckResult {
    if troubles.is_empty() {
        return check.result(Verdict::Pass, count(total, "object"));
    }
    let mut result = check.result(Verdict::Fail, some_of(troubles, 1));
    result.evidence = troubles.iter().skip(1).take(5).cloned().collect();
    result
}

/// Objects in, one line per trouble out.
type Troubles = fn(&[Value]) -> Vec<String>;

fn judge_of(resource: &str) -> Option<Troubles> {
    match resource {
        "ciliumnodes.cilium.io" => Some(cilium_nodes),
        "ciliumendpoints.cilium.io" => Some(cilium_endpoints),
        "ciliumbgpnodeconfigs.cilium.io" => Some(cilium_bgp),
        "caliconodestatuses.crd.projectcalico.org" | "caliconodestatuses.projectcalico.org" => Some(calico_node_status),
        "tigerastatuses.operator.tigera.io" => Some(tigera_status),
        _ => None,
    }
}

fn name(object: &Value) -> String {
    let name = object["metadata"]["name"].as_str().unwrap_or("unnamed");
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}

/// `status.ipam.operator-status.error`: the operator could not give the node addresses.
fn cilium_nodes(objects: &[Value]) -> Vec<String> {
    let error = |object: &Value| {
        Some(format!(
            "{}: {}",
            name(object),
            object["status"]["ipam"]["operator-status"]["error"].as_str().filter(|text| !text.is_empty())?
        ))
    };
    objects.iter().filter_map(error).collect()
}

/// `status.state`: "ready" is healthy; an endpoint without the field is not written yet.
fn cilium_endpoints(objects: &[Value]) -> Vec<String> {
    let bad = |object: &Value| {
        let state = object["status"]["state"].as_str()?;
        (!matches!(state, "ready" | "disconnecting" | "disconnected")).then(|| format!("{} is {state}", name(object)))
    };
    objects.iter().filter_map(bad).collect()
}

/// `status.bgpInstances[].peers[].peeringState`: "established" is healthy.
fn cilium_bgp(objects: &[Value]) -> Vec<String> {
    let mut troubles = Vec::new();
    for object in objects {
        for instance in object["status"]["bgpInstances"].as_array().into_iter().flatten() {
            for peer in instance["peers"].as_array().into_iter().flatten() {
                let state = peer["peeringState"].as_str().unwrap_or("unknown");
                if state != "established" {
                    troubles.push(format!(
                        "{}: BGP peer {} is {state}",
                        name(object),
                        peer["peerAddress"].as_str().or(peer["name"].as_str()).unwrap_or("?")
                    ));
                }
            }
        }
    }
    troubles
}

/// `status.bgp.numberNotEstablishedV4/V6` and `status.agent.birdV4/birdV6.state` of statuses that somebody asked for.
fn calico_node_status(objects: &[Value]) -> Vec<String> {
    let mut troubles = Vec::new();
    for object in objects {
        let status = &object["status"];
        for family in ["V4", "V6"] {
            let down = status["bgp"][format!("numberNotEstablished{family}")].as_i64().unwrap_or(0);
            if down > 0 {
                troubles.push(format!("{}: {down} BGP sessions ({family}) not established", name(object)));
            }
            let bird = status["agent"][format!("bird{family}")]["state"].as_str();
            if bird.is_some_and(|state| state == "NotReady") {
                troubles.push(format!("{}: BIRD ({family}) is not ready", name(object)));
            }
        }
    }
    troubles
}

/// Conditions Available (should be True) and Degraded (should be False).
fn tigera_status(objects: &[Value]) -> Vec<String> {
    let mut troubles = Vec::new();
    for object in objects {
        for condition in object["status"]["conditions"].as_array().into_iter().flatten() {
            let (kind, status) =
                (condition["type"].as_str().unwrap_or_default(), condition["status"].as_str().unwrap_or_default());
            if (kind == "Available" && status != "True") || (kind == "Degraded" && status == "True") {
                troubles.push(format!(
                    "{}: {kind} is {status}: {}",
                    name(object),
                    condition["message"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    troubles
}

/// Each Linux node has its backend, its public address and a pod CIDR, and no two share an address, a VXLAN MAC or a pod CIDR.
fn flannel(nodes: &[k8s_openapi::api::core::v1::Node]) -> Vec<String> {
    const PREFIX: &str = "flannel.alpha.coreos.com/";
    let mut troubles = Vec::new();
    let mut owners: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for node in nodes.iter().filter(|node| crate::snapshot::is_linux(node)) {
        let name = node_name(node).to_owned();
        let annotation =
            |key: &str| node.metadata.annotations.as_ref().and_then(|all| all.get(&format!("{PREFIX}{key}"))).cloned();
        for key in ["backend-type", "public-ip", "kube-subnet-manager"] {
            if annotation(key).is_none() {
                troubles.push(format!("{name} lacks annotation {PREFIX}{key}: its agent never registered"));
            }
        }
        if let Some(ip) = annotation("public-ip") {
            owners.entry(("address", ip)).or_default().insert(name.clone());
        }
        let data: Option<Value> = annotation("backend-data").and_then(|text| serde_json::from_str(&text).ok());
        if let Some(mac) = data.as_ref().and_then(|data| data["VtepMAC"].as_str()) {
            owners.entry(("VXLAN MAC", mac.to_owned())).or_default().insert(name.clone());
        }
        match node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone()) {
            Some(cidr) => {
                owners.entry(("pod CIDR", cidr)).or_default().insert(name.clone());
            }
            None => troubles.push(format!("{name} has no pod CIDR")),
        }
    }
    for ((what, value), names) in owners {
        if names.len() > 1 {
            let names: Vec<String> = names.into_iter().collect();
            troubles.push(format!("{what} {value} is used by {}", names.join(" and ")));
        }
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn healthy_objects_are_silent() {
        let meta = json!({"name": "n0"});
        assert!(cilium_nodes(&[json!({"metadata": meta, "status": {"ipam": {"operator-status": {}}}})]).is_empty());
        assert!(cilium_endpoints(&[json!({"metadata": meta, "status": {"state": "ready"}})]).is_empty());
        assert!(
            cilium_bgp(&[
                json!({"metadata": meta, "status": {"bgpInstances": [{"peers": [{"peeringState": "established"}]}]}})
            ])
            .is_empty()
        );
        assert!(
            calico_node_status(&[json!({"metadata": meta, "status": {"bgp": {"numberNotEstablishedV4": 0}}})])
                .is_empty()
        );
        let conditions = json!([{"type": "Available", "status": "True"}, {"type": "Degraded", "status": "False"}]);
        assert!(tigera_status(&[json!({"metadata": meta, "status": {"conditions": conditions}})]).is_empty());
    }

    #[test]
    fn unhealthy_objects_are_named() {
        let meta = json!({"name": "n0"});
        let cases: [(Troubles, Value, &str); 5] = [
            (
                cilium_nodes,
                json!({"metadata": meta, "status": {"ipam": {"operator-status": {"error": "no CIDR left"}}}}),
                "n0: no CIDR left",
            ),
            (
                cilium_endpoints,
                json!({"metadata": {"name": "p", "namespace": "a"}, "status": {"state": "not-ready"}}),
                "a/p is not-ready",
            ),
            (
                cilium_bgp,
                json!({"metadata": meta, "status": {"bgpInstances": [{"peers": [{"peerAddress": "192.0.2.1", "peeringState": "active"}]}]}}),
                "n0: BGP peer 192.0.2.1 is active",
            ),
            (
                calico_node_status,
                json!({"metadata": meta, "status": {"bgp": {"numberNotEstablishedV4": 2}}}),
                "n0: 2 BGP sessions (V4) not established",
            ),
            (
                tigera_status,
                json!({"metadata": {"name": "calico"}, "status": {"conditions": [{"type": "Degraded", "status": "True", "message": "pods crash"}]}}),
                "calico: Degraded is True: pods crash",
            ),
        ];
        for (judge, object, expected) in cases {
            assert_eq!(judge(&[object]), [expected]);
        }
    }

    fn node(name: &str, ip: &str, mac: &str, cidr: &str) -> k8s_openapi::api::core::v1::Node {
        let annotations = json!({
            "flannel.alpha.coreos.com/backend-type": "vxlan",
            "flannel.alpha.coreos.com/public-ip": ip,
            "flannel.alpha.coreos.com/kube-subnet-manager": "true",
            "flannel.alpha.coreos.com/backend-data": json!({"VNI": 1, "VtepMAC": mac}).to_string(),
        });
        let node = json!({"metadata": {"name": name, "annotations": annotations}, "spec": {"podCIDR": cidr}});
        serde_json::from_value(node).expect("a node")
    }

    #[test]
    fn flannel_annotations() {
        let (a, b) = (
            node("a", "192.0.2.1", "02:00:00:00:00:01", "10.0.0.0/24"),
            node("b", "192.0.2.2", "02:00:00:00:00:02", "10.0.1.0/24"),
        );
        assert!(flannel(&[a.clone(), b]).is_empty());
        let twin = node("c", "192.0.2.3", "02:00:00:00:00:01", "10.0.2.0/24");
        assert_eq!(flannel(&[a, twin]), ["VXLAN MAC 02:00:00:00:00:01 is used by a and c"]);
        let bare = serde_json::from_value(json!({"metadata": {"name": "d"}, "spec": {"podCIDR": "10.0.3.0/24"}}))
            .expect("a node");
        assert_eq!(flannel(&[bare]).len(), 3);
    }
}
