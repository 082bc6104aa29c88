//! Classes that follow from many fields of a pod together: which Pod Security level it needs, in which order the node
//! evicts it. Their notes have no path: they are about no field alone.

use serde_json::Value;

use super::{Rule, Saying, changed};
use crate::comparison::{FieldPath, Level, Shown};
use crate::diff::quantity;

/// What a namespace has to allow for a pod to be admitted
/// (<https://kubernetes.io/docs/concepts/security/pod-security-standards/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Security {
    Restricted,
    Baseline,
    Privileged,
}

impl Security {
    fn text(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Baseline => "baseline",
            Self::Privileged => "privileged",
        }
    }
}

/// A pod that needs more than it did may be refused where it is now.
pub(super) const SECURITY: Rule = Rule {
    ids: &["pod-security-raised"],
    run: |case, notes| {
        for (delta, old, new) in changed(case).filter(|(delta, ..)| !delta.template_edits().is_empty()) {
            let (before, after) = (security(pod(old)), security(pod(new)));
            if after <= before {
                continue;
            }
            let title = format!("the pods need Pod Security level {} now, {} was enough", after.text(), before.text());
            let fix = format!(
                "kubectl label namespace {} pod-security.kubernetes.io/enforce={}",
                delta.object().id.namespace,
                after.text()
            );
            let saying = Saying {
                level: Level::Risk,
                id: "pod-security-raised",
                title: &title,
                why: "In a namespace that enforces less the new pods are refused, one by one as the old ones are deleted.",
                fix: &fix,
                source: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
            };
            let text = |level: Security| Shown::Value(level.text().into());
            notes.plain(&saying, &delta.object().id, FieldPath::default(), text(before), text(after));
        }
    },
};

/// Another class is another place in the order in which a node under pressure evicts.
pub(super) const QOS: Rule = Rule {
    ids: &["qos-class"],
    run: |case, notes| {
        for (delta, old, new) in changed(case).filter(|(delta, ..)| !delta.template_edits().is_empty()) {
            let (before, after) = (qos(pod(old)), qos(pod(new)));
            if before == after {
                continue;
            }
            let saying = Saying {
                level: Level::Risk,
                id: "qos-class",
                title: "the pods' quality of service class changes",
                why: "A node short of memory ends BestEffort pods first and Guaranteed ones last.",
                fix: "Keep requests and limits as they were, if the agent is to stay where it was in that order.",
                source: "https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/",
            };
            let text = |class: &str| Shown::Value(class.into());
            notes.plain(&saying, &delta.object().id, FieldPath::default(), text(before), text(after));
        }
    },
};

fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(&pod["initContainers"]).iter().chain(list(&pod["containers"])).chain(list(&pod["ephemeralContainers"]))
}

fn security(pod: &Value) -> Security {
    if beyond_baseline(pod) {
        Security::Privileged
    } else if beyond_restricted(pod) {
        Security::Baseline
    } else {
        Security::Restricted
    }
}

fn beyond_baseline(pod: &Value) -> bool {
    /// What every container may ask for.
    const ALLOWED: [&str; 13] = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    const SELINUX: [&str; 4] = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    let selinux = |context: &Value| {
        let options = &context["seLinuxOptions"];
        let kind = options["type"].as_str().unwrap_or_default();
        !kind.is_empty() && !SELINUX.contains(&kind) || options["user"].is_string() || options["role"].is_string()
    };
    let profile = |context: &Value| {
        context["seccompProfile"]["type"] == "Unconfined" || context["appArmorProfile"]["type"] == "Unconfined"
    };
    let container = |c: &Value| {
        let context = &c["securityContext"];
        let add = list(&context["capabilities"]["add"]);
        context["privileged"] == true
            || add.iter().any(|cap| !cap.as_str().is_some_and(|cap| ALLOWED.contains(&cap)))
            || list(&c["ports"]).iter().any(|port| port["hostPort"].as_u64().is_some_and(|n| n > 0))
            || context["procMount"].as_str().is_some_and(|mount| mount != "Default")
            || selinux(context)
            || profile(context)
    };
    let context = &pod["securityContext"];
    ["hostNetwork", "hostPID", "hostIPC"].iter().any(|field| pod[*field] == true)
        || list(&pod["volumes"]).iter().any(|volume| volume["hostPath"].is_object())
        || selinux(context)
        || profile(context)
        || containers(pod).any(container)
}

fn beyond_restricted(pod: &Value) -> bool {
    const VOLUMES: [&str; 8] =
        ["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"];
    let context = &pod["securityContext"];
    let own = |c: &Value, field: &str| {
        if c["securityContext"][field].is_null() { context[field].clone() } else { c["securityContext"][field].clone() }
    };
    let container = |c: &Value| {
        let capabilities = &c["securityContext"]["capabilities"];
        c["securityContext"]["allowPrivilegeEscalation"] != false
            || !list(&capabilities["drop"]).iter().any(|cap| cap == "ALL")
            || list(&capabilities["add"]).iter().any(|cap| cap != "NET_BIND_SERVICE")
            || own(c, "runAsNonRoot") != true
            || own(c, "runAsUser") == 0
            || !own(c, "seccompProfile").is_object()
    };
    let volume = |v: &Value| {
        v.as_object().is_some_and(|v| v.keys().any(|key| key != "name" && !VOLUMES.contains(&key.as_str())))
    };
    list(&pod["volumes"]).iter().any(volume) || containers(pod).any(container)
}

/// As the kubelet classes a pod: by cpu and memory of all its containers.
fn qos(pod: &Value) -> &'static str {
    let all: Vec<&Value> = list(&pod["initContainers"]).iter().chain(list(&pod["containers"])).collect();
    let amount = |c: &Value, list: &str, name: &str| {
        let value = c["resources"][list].get(name).cloned();
        value.filter(|v| quantity::order(v, &0.into()).is_some_and(std::cmp::Ordering::is_gt))
    };
    let pairs = |c: &Value| {
        ["cpu", "memory"].map(|name| {
            let limit = amount(c, "limits", name);
            // A limit without a request is one.
            let request = if c["resources"]["requests"].get(name).is_none() {
                limit.clone()
            } else {
                amount(c, "requests", name)
            };
            (request, limit)
        })
    };
    if all.iter().all(|c| pairs(c).iter().all(|(request, limit)| request.is_none() && limit.is_none())) {
        return "BestEffort";
    }
    let same = |(request, limit): &(Option<Value>, Option<Value>)| match (request, limit) {
        (Some(request), Some(limit)) => quantity::order(request, limit) == Some(std::cmp::Ordering::Equal),
        _ => false,
    };
    if all.iter().all(|c| pairs(c).iter().all(same)) { "Guaranteed" } else { "Burstable" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_are_classed_by_what_they_ask_for() {
        let resources = |r: Value| json!({"containers": [{"resources": r}]});
        let cases = [
            (resources(json!({})), "BestEffort"),
            (resources(json!({"requests": {"cpu": "0"}})), "BestEffort"),
            (resources(json!({"requests": {"cpu": "1"}})), "Burstable"),
            (resources(json!({"limits": {"cpu": "1", "memory": "1Gi"}})), "Guaranteed"),
            (
                resources(
                    json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}),
                ),
                "Guaranteed",
            ),
            (resources(json!({"limits": {"cpu": 1, "memory": "1Gi"}, "requests": {"cpu": "900m"}})), "Burstable"),
            (resources(json!({"limits": {"memory": "1Gi"}})), "Burstable"),
        ];
        for (pod, expected) in cases {
            assert_eq!(qos(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn pods_need_a_security_level() {
        let tight = json!({"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]});
        assert_eq!(security(&tight), Security::Restricted);
        let with = |change: fn(&mut Value)| {
            let mut pod = tight.clone();
            change(&mut pod);
            security(&pod)
        };
        let baseline: [fn(&mut Value); 6] = [
            |p| p["securityContext"]["runAsNonRoot"] = json!(false),
            |p| p["securityContext"]["seccompProfile"] = Value::Null,
            |p| p["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true),
            |p| p["containers"][0]["securityContext"]["capabilities"] = json!({"drop": ["ALL"], "add": ["CHOWN"]}),
            |p| p["containers"][0]["securityContext"]["runAsUser"] = json!(0),
            |p| p["volumes"][0] = json!({"name": "v", "nfs": {}}),
        ];
        let privileged: [fn(&mut Value); 7] = [
            |p| p["hostNetwork"] = json!(true),
            |p| p["volumes"][0] = json!({"name": "v", "hostPath": {"path": "/"}}),
            |p| p["containers"][0]["securityContext"]["privileged"] = json!(true),
            |p| p["containers"][0]["securityContext"]["capabilities"]["add"] = json!(["NET_ADMIN"]),
            |p| p["containers"][0]["ports"] = json!([{"containerPort": 1, "hostPort": 1}]),
            |p| p["securityContext"]["seccompProfile"]["type"] = json!("Unconfined"),
            |p| p["securityContext"]["seLinuxOptions"] = json!({"type": "spc_t"}),
        ];
        for change in baseline {
            assert_eq!(with(change), Security::Baseline);
        }
        for change in privileged {
            assert_eq!(with(change), Security::Privileged);
        }
    }
}
