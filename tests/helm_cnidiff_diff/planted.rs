//! One change planted in a real manifest is reported once, at its place, with its verdict, and nothing else is.

use serde_json::{Value, json};

use crate::{fixtures, tell};

/// A change to plant.
struct Planted {
    /// Object it is planted in: `kind name`.
    object: &'static str,
    /// What is done to it.
    plant: fn(&mut Value),
    /// What is reported, after the object's name.
    change: &'static str,
    /// Notes about it: level, id, path; the object is the one above.
    notes: &'static [&'static str],
    /// Whether its pods are replaced.
    restarts: bool,
}

const fn planted(
    object: &'static str,
    plant: fn(&mut Value),
    change: &'static str,
    notes: &'static [&'static str],
    restarts: bool,
) -> Planted {
    Planted { object, plant, change, notes, restarts }
}

const CILIUM: &str = "DaemonSet cilium";

/// Steps through maps by key and through lists by name: `spec/template/spec/containers/@cilium-agent`.
fn at<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    path.split('/').fold(value, |value, step| match (value, step.strip_prefix('@')) {
        (Value::Array(items), Some(name)) => {
            let named = |item: &&mut Value| ["name", "mountPath"].iter().any(|key| item[*key] == name);
            items.iter_mut().find(named).unwrap_or_else(|| panic!("{path}: no {name}"))
        }
        (Value::Array(items), None) => &mut items[step.parse::<usize>().unwrap()],
        (other, _) => &mut other[step],
    })
}

fn pod(value: &mut Value) -> &mut Value {
    at(value, "spec/template/spec")
}

fn agent(value: &mut Value) -> &mut Value {
    at(value, "spec/template/spec/containers/@cilium-agent")
}

fn list(value: &mut Value) -> &mut Vec<Value> {
    value.as_array_mut().unwrap()
}

fn remove(value: &mut Value, key: &str) {
    assert!(value.as_object_mut().unwrap().remove(key).is_some(), "no {key}");
}

fn remove_named(value: &mut Value, name: &str) {
    let items = list(value);
    let before = items.len();
    items.retain(|item| item["name"] != name);
    assert_eq!(items.len(), before - 1, "{name}");
}

#[rustfmt::skip]
const CILIUM_CASES: &[Planted] = &[
    // Selector and strategy.
    planted(CILIUM, |o| o["spec"]["selector"]["matchLabels"]["k8s-app"] = json!("x"),
        "~ spec.selector.matchLabels.k8s-app cilium -> x", &["Blocker selector-immutable spec.selector.matchLabels.k8s-app"], false),
    planted("Deployment cilium-operator", |o| o["spec"]["selector"]["matchLabels"]["more"] = json!("x"),
        "+ spec.selector.matchLabels.more - -> x", &["Blocker selector-immutable spec.selector.matchLabels.more"], false),
    planted(CILIUM, |o| *at(o, "spec/updateStrategy/rollingUpdate/maxUnavailable") = json!(3),
        "~ spec.updateStrategy.rollingUpdate.maxUnavailable 2 -> 3",
        &["Risk max-unavailable-raised spec.updateStrategy.rollingUpdate.maxUnavailable"], false),
    planted(CILIUM, |o| *at(o, "spec/updateStrategy/rollingUpdate/maxUnavailable") = json!("10%"),
        "~ spec.updateStrategy.rollingUpdate.maxUnavailable 2 -> 10%",
        &["Risk max-unavailable-raised spec.updateStrategy.rollingUpdate.maxUnavailable"], false),
    planted(CILIUM, |o| *at(o, "spec/updateStrategy/rollingUpdate/maxUnavailable") = json!(1),
        "~ spec.updateStrategy.rollingUpdate.maxUnavailable 2 -> 1",
        &["Info update-strategy-changed spec.updateStrategy.rollingUpdate.maxUnavailable"], false),
    planted(CILIUM, |o| o["spec"]["updateStrategy"]["type"] = json!("OnDelete"),
        "~ spec.updateStrategy.type RollingUpdate -> OnDelete",
        &["Risk update-inert spec.updateStrategy.type", "Info update-strategy-changed spec.updateStrategy.type"], false),
    planted(CILIUM, |o| *at(o, "spec/updateStrategy/rollingUpdate") = json!({"maxSurge": 1, "maxUnavailable": 2}),
        "+ spec.updateStrategy.rollingUpdate.maxSurge - -> 1",
        &["Blocker surge-and-unavailable spec.updateStrategy.rollingUpdate.maxSurge",
          "Info update-strategy-changed spec.updateStrategy.rollingUpdate.maxSurge"], false),
    planted(CILIUM, |o| o["spec"]["minReadySeconds"] = json!(30),
        "+ spec.minReadySeconds - -> 30", &["Info min-ready-seconds spec.minReadySeconds"], false),
    planted(CILIUM, |o| o["metadata"]["labels"]["team"] = json!("net"),
        "+ metadata.labels.team - -> net", &[], false),
    // The template's metadata.
    planted(CILIUM, |o| at(o, "spec/template/metadata/labels")["team"] = json!("net"),
        "+ spec.template.metadata.labels.team - -> net", &["Info template-metadata spec.template.metadata.labels.team"], true),
    planted(CILIUM, |o| at(o, "spec/template/metadata/labels")["helm.sh/chart"] = json!("cilium-1.19.6"),
        "+ spec.template.metadata.labels[\"helm.sh/chart\"] - -> cilium-1.19.6",
        &["Info template-metadata spec.template.metadata.labels[\"helm.sh/chart\"]"], true),
    planted(CILIUM, |o| at(o, "spec/template/metadata/annotations")["cilium.io/cilium-configmap-checksum"] = json!("0a1b2c3d4e5f"),
        "+ spec.template.metadata.annotations[\"cilium.io/cilium-configmap-checksum\"] - -> 0a1b2c3d4e5f",
        &["Info template-metadata spec.template.metadata.annotations[\"cilium.io/cilium-configmap-checksum\"]"], true),
    planted(CILIUM, |o| at(o, "spec/template/metadata/annotations")["container.apparmor.security.beta.kubernetes.io/cilium-agent"] = json!("unconfined"),
        "+ spec.template.metadata.annotations[\"container.apparmor.security.beta.kubernetes.io/cilium-agent\"] - -> unconfined",
        &["Risk app-armor spec.template.metadata.annotations[\"container.apparmor.security.beta.kubernetes.io/cilium-agent\"]"], true),
    // The node.
    planted(CILIUM, |o| pod(o)["hostNetwork"] = json!(false),
        "~ spec.template.spec.hostNetwork true -> false", &["Risk host-namespace spec.template.spec.hostNetwork"], true),
    planted(CILIUM, |o| pod(o)["hostPID"] = json!(true),
        "+ spec.template.spec.hostPID - -> true", &["Risk host-namespace spec.template.spec.hostPID"], true),
    planted(CILIUM, |o| *at(o, "spec/template/spec/volumes/@cni-path/hostPath/path") = json!("/usr/libexec/cni"),
        "~ spec.template.spec.volumes[cni-path].hostPath.path /opt/cni/bin -> /usr/libexec/cni",
        &["Risk host-path spec.template.spec.volumes[cni-path].hostPath.path"], true),
    planted(CILIUM, |o| *at(o, "spec/template/spec/volumes/@bpf-maps/hostPath/type") = json!("Directory"),
        "~ spec.template.spec.volumes[bpf-maps].hostPath.type DirectoryOrCreate -> Directory",
        &["Risk host-path spec.template.spec.volumes[bpf-maps].hostPath.type"], true),
    planted(CILIUM, |o| list(&mut pod(o)["volumes"]).insert(0, json!({"name": "dev", "hostPath": {"path": "/dev"}})),
        "+ spec.template.spec.volumes[dev] - -> {\"hostPath\":{\"path\":\"/dev\"},\"name\":\"dev\"}",
        &["Risk host-path spec.template.spec.volumes[dev]"], true),
    planted(CILIUM, |o| remove_named(&mut pod(o)["volumes"], "tmp"),
        "- spec.template.spec.volumes[tmp] {\"emptyDir\":{},\"name\":\"tmp\"} -> -",
        &["Risk volumes spec.template.spec.volumes[tmp]"], true),
    planted(CILIUM, |o| at(o, "spec/template/spec/volumes/@tmp")["name"] = json!("scratch"),
        "~ spec.template.spec.volumes[tmp].name tmp -> scratch", &["Info volumes spec.template.spec.volumes[tmp].name"], true),
    planted(CILIUM, |o| at(agent(o), "volumeMounts/@bpf-maps")["mountPropagation"] = json!("Bidirectional"),
        "~ spec.template.spec.containers[cilium-agent].volumeMounts[/sys/fs/bpf].mountPropagation HostToContainer -> Bidirectional",
        &["Risk host-path spec.template.spec.containers[cilium-agent].volumeMounts[/sys/fs/bpf].mountPropagation"], true),
    planted(CILIUM, |o| at(agent(o), "volumeMounts/@bpf-maps")["mountPath"] = json!("/bpf"),
        "~ spec.template.spec.containers[cilium-agent].volumeMounts[/sys/fs/bpf].mountPath /sys/fs/bpf -> /bpf",
        &["Risk volume-mounts spec.template.spec.containers[cilium-agent].volumeMounts[/sys/fs/bpf].mountPath"], true),
    planted(CILIUM, |o| list(&mut agent(o)["ports"]).push(json!({"name": "m", "containerPort": 9962, "hostPort": 9962, "protocol": "TCP"})),
        "+ spec.template.spec.containers[cilium-agent].ports[9962/TCP] - -> {\"containerPort\":9962,\"hostPort\":9962,\"name\":\"m\",\"protocol\":",
        &["Risk host-port spec.template.spec.containers[cilium-agent].ports[9962/TCP]"], true),
    planted(CILIUM, |o| { let port = at(agent(o), "ports/@health"); port["hostPort"] = json!(9880); },
        "~ spec.template.spec.containers[cilium-agent].ports[9879/TCP].hostPort 9879 -> 9880",
        &["Risk host-port spec.template.spec.containers[cilium-agent].ports[9879/TCP].hostPort"], true),
    planted(CILIUM, |o| remove_named(&mut agent(o)["ports"], "peer-service"),
        "- spec.template.spec.containers[cilium-agent].ports[4244/TCP] {\"containerPort\":4244,\"hostPort\":4244,\"name\":\"peer-service\", -> -",
        &["Info ports spec.template.spec.containers[cilium-agent].ports[4244/TCP]"], true),
    // Admission.
    planted(CILIUM, |o| agent(o)["securityContext"]["privileged"] = json!(true),
        "+ spec.template.spec.containers[cilium-agent].securityContext.privileged - -> true",
        &["Risk privileged spec.template.spec.containers[cilium-agent].securityContext.privileged"], true),
    planted(CILIUM, |o| agent(o)["securityContext"]["allowPrivilegeEscalation"] = json!(false),
        "+ spec.template.spec.containers[cilium-agent].securityContext.allowPrivilegeEscalation - -> false",
        &["Risk privileged spec.template.spec.containers[cilium-agent].securityContext.allowPrivilegeEscalation"], true),
    planted(CILIUM, |o| list(&mut agent(o)["securityContext"]["capabilities"]["add"]).insert(2, json!("BPF")),
        "+ spec.template.spec.containers[cilium-agent].securityContext.capabilities.add[BPF] - -> BPF",
        &["Risk capabilities spec.template.spec.containers[cilium-agent].securityContext.capabilities.add[BPF]"], true),
    planted(CILIUM, |o| list(&mut agent(o)["securityContext"]["capabilities"]["add"]).retain(|c| c != "SYS_MODULE"),
        "- spec.template.spec.containers[cilium-agent].securityContext.capabilities.add[SYS_MODULE] SYS_MODULE -> -",
        &["Risk capabilities spec.template.spec.containers[cilium-agent].securityContext.capabilities.add[SYS_MODULE]"], true),
    planted(CILIUM, |o| *at(o, "spec/template/spec/securityContext/seccompProfile/type") = json!("RuntimeDefault"),
        "~ spec.template.spec.securityContext.seccompProfile.type Unconfined -> RuntimeDefault",
        &["Risk seccomp spec.template.spec.securityContext.seccompProfile.type"], true),
    planted(CILIUM, |o| remove(&mut pod(o)["securityContext"], "appArmorProfile"),
        "- spec.template.spec.securityContext.appArmorProfile {\"type\":\"Unconfined\"} -> -",
        &["Risk app-armor spec.template.spec.securityContext.appArmorProfile"], true),
    planted(CILIUM, |o| *at(agent(o), "securityContext/seLinuxOptions/type") = json!("container_t"),
        "~ spec.template.spec.containers[cilium-agent].securityContext.seLinuxOptions.type spc_t -> container_t",
        &["Risk selinux spec.template.spec.containers[cilium-agent].securityContext.seLinuxOptions.type"], true),
    planted(CILIUM, |o| agent(o)["securityContext"]["runAsUser"] = json!(1000),
        "+ spec.template.spec.containers[cilium-agent].securityContext.runAsUser - -> 1000",
        &["Risk run-as spec.template.spec.containers[cilium-agent].securityContext.runAsUser"], true),
    planted(CILIUM, |o| agent(o)["securityContext"]["procMount"] = json!("Unmasked"),
        "+ spec.template.spec.containers[cilium-agent].securityContext.procMount - -> Unmasked",
        &["Risk proc-mount spec.template.spec.containers[cilium-agent].securityContext.procMount"], true),
    planted(CILIUM, |o| agent(o)["securityContext"]["readOnlyRootFilesystem"] = json!(true),
        "+ spec.template.spec.containers[cilium-agent].securityContext.readOnlyRootFilesystem - -> true",
        &["Risk read-only-root spec.template.spec.containers[cilium-agent].securityContext.readOnlyRootFilesystem"], true),
    // Init containers.
    planted(CILIUM, |o| remove_named(&mut pod(o)["initContainers"], "mount-bpf-fs"),
        "- spec.template.spec.initContainers[mount-bpf-fs] {\"args\":[\"mount | grep \\\"/sys/fs/bpf type bpf\\\" || mount -t  -> -",
        // It takes its privileges and its mount propagation along.
        &["Risk host-path spec.template.spec.initContainers[mount-bpf-fs]", "Risk init-containers spec.template.spec.initContainers[mount-bpf-fs]",
          "Risk privileged spec.template.spec.initContainers[mount-bpf-fs]"], true),
    planted(CILIUM, |o| list(&mut pod(o)["initContainers"]).insert(0, json!({"name": "first", "image": "busybox:1", "command": ["true"]})),
        "+ spec.template.spec.initContainers[first] - -> {\"command\":[\"true\"],\"image\":\"busybox:1\",\"name\":\"first\"}",
        &["Risk init-containers spec.template.spec.initContainers[first]"], true),
    planted(CILIUM, |o| list(&mut pod(o)["initContainers"]).swap(1, 2),
        "order spec.template.spec.initContainers [\"config\",\"mount-cgroup\",\"apply-sysctl-overwrites\",\"mount-bp -> [\"config\",\"apply-sysctl-overwrites\",\"mount-cgroup\",\"mount-bp (order only)",
        &["Risk init-containers spec.template.spec.initContainers"], true),
    planted(CILIUM, |o| at(o, "spec/template/spec/initContainers/@config")["image"] = json!("quay.io/cilium/cilium:v1.19.7"),
        "~ spec.template.spec.initContainers[config].image \"quay.io/cilium/cilium:v1.19.6@sha256:0df5b2750b64c49843aba1 -> quay.io/cilium/cilium:v1.19.7 (tag, digest)",
        &["Info image spec.template.spec.initContainers[config].image"], true),
    planted(CILIUM, |o| list(&mut pod(o)["containers"]).push(json!({"name": "sidecar", "image": "busybox:1"})),
        "+ spec.template.spec.containers[sidecar] - -> {\"image\":\"busybox:1\",\"name\":\"sidecar\"}",
        &["Info containers spec.template.spec.containers[sidecar]"], true),
    planted(CILIUM, |o| agent(o)["name"] = json!("agent"),
        "~ spec.template.spec.containers[cilium-agent].name cilium-agent -> agent",
        &["Risk containers spec.template.spec.containers[cilium-agent].name"], true),
    // Images.
    planted(CILIUM, |o| agent(o)["image"] = json!("mirror.local/cilium/cilium:v1.19.6"),
        "~ spec.template.spec.containers[cilium-agent].image \"quay.io/cilium/cilium:v1.19.6@sha256:0df5b2750b64c49843aba1 -> mirror.local/cilium/cilium:v1.19.6 (repository, digest)",
        &["Risk image-repository spec.template.spec.containers[cilium-agent].image"], true),
    planted(CILIUM, |o| agent(o)["imagePullPolicy"] = json!("Always"),
        "~ spec.template.spec.containers[cilium-agent].imagePullPolicy IfNotPresent -> Always",
        &["Risk image-pull spec.template.spec.containers[cilium-agent].imagePullPolicy"], true),
    planted(CILIUM, |o| pod(o)["imagePullSecrets"] = json!([{"name": "registry"}]),
        "+ spec.template.spec.imagePullSecrets - -> [{\"name\":\"registry\"}]",
        &["Info image-pull spec.template.spec.imagePullSecrets"], true),
    // Switches.
    planted(CILIUM, |o| at(agent(o), "env/@KUBE_CLIENT_BACKOFF_DURATION")["value"] = json!("60"),
        "~ spec.template.spec.containers[cilium-agent].env[KUBE_CLIENT_BACKOFF_DURATION].value 120 -> 60",
        &["Info environment spec.template.spec.containers[cilium-agent].env[KUBE_CLIENT_BACKOFF_DURATION].value"], true),
    planted(CILIUM, |o| list(&mut agent(o)["env"]).insert(0, json!({"name": "DEBUG", "value": "1"})),
        "+ spec.template.spec.containers[cilium-agent].env[DEBUG] - -> {\"name\":\"DEBUG\",\"value\":\"1\"}",
        &["Info environment spec.template.spec.containers[cilium-agent].env[DEBUG]"], true),
    planted(CILIUM, |o| remove_named(&mut agent(o)["env"], "KUBE_CLIENT_BACKOFF_BASE"),
        "- spec.template.spec.containers[cilium-agent].env[KUBE_CLIENT_BACKOFF_BASE] {\"name\":\"KUBE_CLIENT_BACKOFF_BASE\",\"value\":\"1\"} -> -",
        &["Risk environment spec.template.spec.containers[cilium-agent].env[KUBE_CLIENT_BACKOFF_BASE]"], true),
    planted(CILIUM, |o| list(&mut agent(o)["env"]).swap(4, 5),
        "order spec.template.spec.containers[cilium-agent].env [\"K8S_NODE_NAME\",\"CILIUM_K8S_NAMESPACE\",\"CILIUM_CLUSTERMESH_ -> [\"K8S_NODE_NAME\",\"CILIUM_K8S_NAMESPACE\",\"CILIUM_CLUSTERMESH_ (order only)",
        &["Info environment spec.template.spec.containers[cilium-agent].env"], true),
    planted(CILIUM, |o| agent(o)["args"][0] = json!("--config-dir=/etc/cilium"),
        "~ spec.template.spec.containers[cilium-agent].args[--config-dir] --config-dir=/tmp/cilium/config-map -> --config-dir=/etc/cilium",
        &["Info arguments spec.template.spec.containers[cilium-agent].args[--config-dir]"], true),
    planted(CILIUM, |o| list(&mut agent(o)["args"]).insert(0, json!("--debug=true")),
        "+ spec.template.spec.containers[cilium-agent].args[--debug] - -> --debug=true",
        &["Info arguments spec.template.spec.containers[cilium-agent].args[--debug]"], true),
    planted(CILIUM, |o| agent(o)["command"][0] = json!("cilium-agent-dbg"),
        "~ spec.template.spec.containers[cilium-agent].command[0] cilium-agent -> cilium-agent-dbg",
        &["Info arguments spec.template.spec.containers[cilium-agent].command[0]"], true),
    // Scheduling.
    planted(CILIUM, |o| pod(o)["priorityClassName"] = json!("high"),
        "~ spec.template.spec.priorityClassName system-node-critical -> high",
        &["Risk priority-class spec.template.spec.priorityClassName"], true),
    planted(CILIUM, |o| pod(o)["tolerations"] = json!([{"operator": "Exists", "effect": "NoSchedule"}]),
        "+ spec.template.spec.tolerations[* op=Exists].effect - -> NoSchedule",
        &["Risk tolerations spec.template.spec.tolerations[* op=Exists].effect"], true),
    planted(CILIUM, |o| list(&mut pod(o)["tolerations"]).push(json!({"key": "gpu", "operator": "Exists"})),
        "+ spec.template.spec.tolerations[gpu op=Exists] - -> {\"key\":\"gpu\",\"operator\":\"Exists\"}",
        &["Info tolerations spec.template.spec.tolerations[gpu op=Exists]"], true),
    planted(CILIUM, |o| list(&mut pod(o)["tolerations"]).clear(),
        "- spec.template.spec.tolerations[* op=Exists] {\"operator\":\"Exists\"} -> -",
        &["Risk tolerations spec.template.spec.tolerations[* op=Exists]"], true),
    planted(CILIUM, |o| pod(o)["nodeSelector"]["role"] = json!("worker"),
        "+ spec.template.spec.nodeSelector.role - -> worker", &["Risk placement spec.template.spec.nodeSelector.role"], true),
    planted(CILIUM, |o| remove(pod(o), "affinity"),
        "- spec.template.spec.affinity {\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringEx -> -",
        &["Risk placement spec.template.spec.affinity"], true),
    // Life of a pod.
    planted(CILIUM, |o| at(o, "spec/template/spec/initContainers/@install-cni-binaries/resources/limits")["memory"] = json!("512Mi"),
        "~ spec.template.spec.initContainers[install-cni-binaries].resources.limits.memory 1Gi -> 512Mi",
        &["Risk resources spec.template.spec.initContainers[install-cni-binaries].resources.limits.memory"], true),
    planted(CILIUM, |o| at(o, "spec/template/spec/initContainers/@install-cni-binaries/resources/requests")["cpu"] = json!("0.05"),
        "~ spec.template.spec.initContainers[install-cni-binaries].resources.requests.cpu 100m -> 0.05",
        &["Info resources spec.template.spec.initContainers[install-cni-binaries].resources.requests.cpu"], true),
    planted(CILIUM, |o| agent(o)["livenessProbe"]["failureThreshold"] = json!(3),
        "~ spec.template.spec.containers[cilium-agent].livenessProbe.failureThreshold 10 -> 3",
        &["Info probes spec.template.spec.containers[cilium-agent].livenessProbe.failureThreshold"], true),
    planted(CILIUM, |o| *at(agent(o), "readinessProbe/httpGet/path") = json!("/ready"),
        "~ spec.template.spec.containers[cilium-agent].readinessProbe.httpGet.path /healthz -> /ready",
        &["Risk probes spec.template.spec.containers[cilium-agent].readinessProbe.httpGet.path"], true),
    planted(CILIUM, |o| *at(agent(o), "livenessProbe/httpGet/port") = json!(9879),
        "~ spec.template.spec.containers[cilium-agent].livenessProbe.httpGet.port health -> 9879",
        &["Info probes spec.template.spec.containers[cilium-agent].livenessProbe.httpGet.port"], true),
    planted(CILIUM, |o| *at(agent(o), "livenessProbe/httpGet/port") = json!(9880),
        "~ spec.template.spec.containers[cilium-agent].livenessProbe.httpGet.port health -> 9880",
        &["Risk probes spec.template.spec.containers[cilium-agent].livenessProbe.httpGet.port"], true),
    planted(CILIUM, |o| remove(agent(o), "startupProbe"),
        "- spec.template.spec.containers[cilium-agent].startupProbe {\"failureThreshold\":300,\"httpGet\":{\"host\":\"127.0.0.1\",\"httpH -> -",
        &["Risk probes spec.template.spec.containers[cilium-agent].startupProbe"], true),
    planted(CILIUM, |o| pod(o)["terminationGracePeriodSeconds"] = json!(0),
        "~ spec.template.spec.terminationGracePeriodSeconds 1 -> 0",
        &["Risk shutdown spec.template.spec.terminationGracePeriodSeconds"], true),
    planted(CILIUM, |o| remove(&mut agent(o)["lifecycle"], "preStop"),
        "- spec.template.spec.containers[cilium-agent].lifecycle.preStop {\"exec\":{\"command\":[\"/cni-uninstall.sh\"]}} -> -",
        &["Risk shutdown spec.template.spec.containers[cilium-agent].lifecycle.preStop"], true),
    planted(CILIUM, |o| pod(o)["serviceAccountName"] = json!("default"),
        "~ spec.template.spec.serviceAccountName cilium -> default",
        &["Risk service-account spec.template.spec.serviceAccountName"], true),
    planted(CILIUM, |o| pod(o)["dnsPolicy"] = json!("ClusterFirstWithHostNet"),
        "+ spec.template.spec.dnsPolicy - -> ClusterFirstWithHostNet", &["Risk dns spec.template.spec.dnsPolicy"], true),
    planted(CILIUM, |o| pod(o)["runtimeClassName"] = json!("kata"),
        "+ spec.template.spec.runtimeClassName - -> kata", &["Risk runtime-class spec.template.spec.runtimeClassName"], true),
    // Configuration.
    planted("ConfigMap cilium-config", |o| o["data"]["debug"] = json!("true"),
        "~ data.debug false -> true", &["Risk config-restarts-nobody data.debug"], false),
    planted("ConfigMap cilium-config", |o| remove(&mut o["data"], "cni-exclusive"),
        "- data.cni-exclusive true -> -",
        &["Risk config-keys-removed data.cni-exclusive", "Risk config-restarts-nobody data.cni-exclusive"], false),
    planted("ConfigMap cilium-envoy-config", |o| {
            let mut config: Value = serde_json::from_str(o["data"]["bootstrap-config.json"].as_str().unwrap()).unwrap();
            config["node"]["id"] = json!("other");
            o["data"]["bootstrap-config.json"] = json!(config.to_string());
        },
        "~ data[\"bootstrap-config.json\"]:node.id host~127.0.0.1~no-id~localdomain -> other",
        &["Risk config-restarts-nobody data[\"bootstrap-config.json\"]"], false),
    // Rights.
    planted("ClusterRole cilium", |o| list(&mut o["rules"]).push(json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})),
        "gained get /secrets ", &["Risk rights-gained rules"], false),
    planted("ClusterRole cilium", |o| list(&mut o["rules"]).push(json!({"apiGroups": [""], "resources": ["events"], "verbs": ["get"]})),
        "gained get /events ", &["Info rights-gained rules"], false),
    planted("ClusterRole cilium", |o| list(&mut o["rules"]).push(json!({"apiGroups": ["x.io"], "resources": ["*"], "verbs": ["get", "list"]})),
        "gained get,list x.io/* ", &["Info rights-gained rules"], false),
    planted("ClusterRole cilium", |o| list(&mut o["rules"]).push(json!({"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["delete"]})),
        "gained delete apiextensions.k8s.io/customresourcedefinitions ", &["Risk rights-gained rules"], false),
    planted("Role cilium-config-agent", |o| list(&mut o["rules"][0]["verbs"]).retain(|verb| verb != "watch"),
        "lost watch /configmaps ", &["Risk rights-lost rules"], false),
    planted("ClusterRoleBinding cilium", |o| o["roleRef"]["name"] = json!("admin"),
        "~ roleRef.name cilium -> admin", &["Blocker field-immutable roleRef.name"], false),
    planted("ClusterRoleBinding cilium", |o| o["subjects"][0]["namespace"] = json!("cilium"),
        "~ subjects[ServiceAccount kube-system/cilium].namespace kube-system -> cilium",
        &["Risk binding-changed subjects[ServiceAccount kube-system/cilium].namespace"], false),
    // How it is reached.
    planted("Service hubble-peer", |o| o["spec"]["selector"]["k8s-app"] = json!("other"),
        "~ spec.selector.k8s-app cilium -> other", &["Risk service-selector spec.selector.k8s-app"], false),
    planted("Service hubble-peer", |o| o["spec"]["ports"][0]["targetPort"] = json!(4245),
        "~ spec.ports[443/TCP].targetPort 4244 -> 4245", &["Risk service-ports spec.ports[443/TCP].targetPort"], false),
    planted("Service hubble-peer", |o| o["spec"]["clusterIP"] = json!("10.0.0.10"),
        "+ spec.clusterIP - -> 10.0.0.10", &["Blocker field-immutable spec.clusterIP"], false),
    planted("Namespace cilium-secrets", |o| o["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("baseline"),
        "+ metadata.labels[\"pod-security.kubernetes.io/enforce\"] - -> baseline",
        &["Risk pod-security-level metadata.labels[\"pod-security.kubernetes.io/enforce\"]"], false),
];

/// A change to a whole manifest.
struct Whole {
    file: &'static str,
    plant: fn(&mut Vec<Value>),
    changes: &'static [&'static str],
    notes: &'static [&'static str],
    restarts: &'static [&'static str],
}

fn find<'v>(documents: &'v mut [Value], kind: &str, name: &str) -> &'v mut Value {
    let named = |d: &&mut Value| d["kind"] == kind && d["metadata"]["name"] == name;
    documents.iter_mut().find(named).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn take(documents: &mut Vec<Value>, kind: &str, name: &str) -> Value {
    let place = documents.iter().position(|d| d["kind"] == kind && d["metadata"]["name"] == name).unwrap();
    documents.remove(place)
}

const FLANNEL: &str = "kube-flannel-v0.28.9.yml";
const CALICO: &str = "calico-v3.32.1.yaml.gz";
const CILIUM_FILE: &str = "cilium-1.19.6.yaml.gz";

#[rustfmt::skip]
const WHOLE: &[Whole] = &[
    Whole {
        file: FLANNEL,
        plant: |d| find(d, "DaemonSet", "kube-flannel-ds")["metadata"]["name"] = json!("flannel"),
        changes: &["DaemonSet kube-flannel/flannel was apps/v1 DaemonSet kube-flannel/kube-flannel-ds",
                   "DaemonSet kube-flannel/flannel ~ metadata.name kube-flannel-ds -> flannel"],
        notes: &["Blocker daemonset-renamed DaemonSet kube-flannel/flannel metadata.name"],
        restarts: &["DaemonSet kube-flannel/flannel, all at once"],
    },
    Whole {
        file: FLANNEL,
        plant: |d| { take(d, "DaemonSet", "kube-flannel-ds"); },
        changes: &["DaemonSet kube-flannel/kube-flannel-ds removed"],
        notes: &["Risk daemonset-removed DaemonSet kube-flannel/kube-flannel-ds"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| find(d, "DaemonSet", "kube-flannel-ds")["spec"]["updateStrategy"] = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
        changes: &["DaemonSet kube-flannel/kube-flannel-ds + spec.updateStrategy - -> {\"rollingUpdate\":{\"maxSurge\":1,\"maxUnavailable\":0}}"],
        notes: &["Blocker surge-needs-ports DaemonSet kube-flannel/kube-flannel-ds spec.updateStrategy.rollingUpdate.maxSurge",
                 "Info update-strategy-changed DaemonSet kube-flannel/kube-flannel-ds spec.updateStrategy"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| {
            let config = &mut find(d, "ConfigMap", "kube-flannel-cfg")["data"]["net-conf.json"];
            *config = json!(config.as_str().unwrap().replace("vxlan", "host-gw"));
        },
        changes: &["ConfigMap kube-flannel/kube-flannel-cfg ~ data[\"net-conf.json\"]:Backend.Type vxlan -> host-gw"],
        notes: &["Risk config-restarts-nobody ConfigMap kube-flannel/kube-flannel-cfg data[\"net-conf.json\"]"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| {
            let config = &mut find(d, "ConfigMap", "kube-flannel-cfg")["data"]["cni-conf.json"];
            *config = json!(config.as_str().unwrap().replace("\"hairpinMode\": true", "\"hairpinMode\": false"));
        },
        changes: &["ConfigMap kube-flannel/kube-flannel-cfg ~ data[\"cni-conf.json\"]:plugins[flannel].delegate.hairpinMode true -> false"],
        notes: &["Risk config-restarts-nobody ConfigMap kube-flannel/kube-flannel-cfg data[\"cni-conf.json\"]"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| {
            // The configuration changes and the pods are replaced with it: nothing is left waiting.
            find(d, "ConfigMap", "kube-flannel-cfg")["data"]["more"] = json!("x");
            at(find(d, "DaemonSet", "kube-flannel-ds"), "spec/template/metadata/labels")["rev"] = json!("2");
        },
        changes: &["DaemonSet kube-flannel/kube-flannel-ds + spec.template.metadata.labels.rev - -> 2",
                   "ConfigMap kube-flannel/kube-flannel-cfg + data.more - -> x"],
        notes: &["Info template-metadata DaemonSet kube-flannel/kube-flannel-ds spec.template.metadata.labels.rev"],
        restarts: &["DaemonSet kube-flannel/kube-flannel-ds, 1 at once"],
    },
    Whole {
        file: FLANNEL,
        plant: |d| d.push(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"password": "hunter2"}})),
        changes: &["Secret kube-system/s added"],
        notes: &[],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| { take(d, "Namespace", "kube-flannel"); },
        changes: &["Namespace kube-flannel removed"],
        notes: &["Blocker namespace-removed Namespace kube-flannel"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| d.push(json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "probe", "namespace": "x"},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "a:1", "ports": [{"containerPort": 80}]}]}}}})),
        changes: &["DaemonSet x/probe added"],
        notes: &["Info daemonset-added DaemonSet x/probe"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| d.push(json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "probe", "namespace": "x"},
            "spec": {"template": {"spec": {"hostNetwork": true, "containers": [{"name": "c", "image": "a:1"}]}}}})),
        changes: &["DaemonSet x/probe added"],
        notes: &["Risk daemonset-added DaemonSet x/probe"],
        restarts: &[],
    },
    Whole {
        file: FLANNEL,
        plant: |d| d.push(json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "all"},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]})),
        changes: &["ClusterRole all added"],
        notes: &["Risk rights-gained ClusterRole all rules"],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| { take(d, "CustomResourceDefinition", "ippools.crd.projectcalico.org"); },
        changes: &["CustomResourceDefinition ippools.crd.projectcalico.org removed"],
        notes: &["Blocker crd-removed CustomResourceDefinition ippools.crd.projectcalico.org"],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| find(d, "CustomResourceDefinition", "ippools.crd.projectcalico.org")["spec"]["versions"][0]["served"] = json!(false),
        changes: &["CustomResourceDefinition ippools.crd.projectcalico.org version v1 Some(Served { served: true, storage: true }) -> Some(Served { served: false, storage: true })"],
        notes: &["Blocker crd-version-removed CustomResourceDefinition ippools.crd.projectcalico.org spec.versions[v1]"],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| {
            let crd = find(d, "CustomResourceDefinition", "ippools.crd.projectcalico.org");
            remove(at(crd, "spec/versions/0/schema/openAPIV3Schema/properties/spec/properties"), "blockSize");
        },
        changes: &["CustomResourceDefinition ippools.crd.projectcalico.org field removed v1 spec.blockSize"],
        notes: &["Risk crd-fields-removed CustomResourceDefinition ippools.crd.projectcalico.org spec.versions"],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| {
            let crd = find(d, "CustomResourceDefinition", "ippools.crd.projectcalico.org");
            at(crd, "spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/blockSize")["maximum"] = json!(30);
        },
        changes: &["CustomResourceDefinition ippools.crd.projectcalico.org ~ spec.versions[v1].schema.openAPIV3Schema.properties.spec.properties.blockSize.maximum 128 -> 30"],
        notes: &["Risk crd-validation-changed CustomResourceDefinition ippools.crd.projectcalico.org spec.versions"],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| find(d, "PodDisruptionBudget", "calico-kube-controllers")["apiVersion"] = json!("policy/v1beta1"),
        changes: &["PodDisruptionBudget kube-system/calico-kube-controllers was policy/v1 PodDisruptionBudget kube-system/calico-kube-controllers",
                   "PodDisruptionBudget kube-system/calico-kube-controllers ~ apiVersion policy/v1 -> policy/v1beta1"],
        notes: &[],
        restarts: &[],
    },
    Whole {
        file: CALICO,
        plant: |d| {
            let config = &mut find(d, "ConfigMap", "calico-config")["data"]["cni_network_config"];
            *config = json!(config.as_str().unwrap().replace("\"mtu\": __CNI_MTU__", "\"mtu\": 1400"));
        },
        changes: &["ConfigMap kube-system/calico-config ~ data.cni_network_config:plugins[calico].mtu __CNI_MTU__ -> 1400"],
        notes: &["Risk config-restarts-nobody ConfigMap kube-system/calico-config data.cni_network_config"],
        restarts: &[],
    },
    Whole {
        file: CILIUM_FILE,
        plant: |d| {
            let mut renamed = take(d, "ConfigMap", "cilium-envoy-config");
            renamed["metadata"]["name"] = json!("envoy-config");
            d.push(renamed);
        },
        changes: &["ConfigMap kube-system/cilium-envoy-config removed", "ConfigMap kube-system/envoy-config added"],
        notes: &["Risk object-removed ConfigMap kube-system/cilium-envoy-config"],
        restarts: &[],
    },
];

#[test]
fn a_change_planted_in_an_object_is_reported_once_with_its_verdict() {
    let documents = fixtures::documents(CILIUM_FILE);
    assert!(CILIUM_CASES.len() + WHOLE.len() >= 80);
    let mut wrong = Vec::new();
    for case in CILIUM_CASES {
        let (kind, name) = case.object.split_once(' ').unwrap();
        let mut new = documents.clone();
        let object = find(&mut new, kind, name);
        let id = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}"),
        };
        (case.plant)(object);
        let comparison = tell::rendered(fixtures::objects(documents.clone()), fixtures::objects(new));
        let expected = (
            vec![format!("{id} {}", case.change)],
            case.notes
                .iter()
                .map(|note| {
                    let (level, rest) = note.split_once(' ').unwrap();
                    let (rule, path) = rest.split_once(' ').unwrap();
                    format!("{level} {rule} {id} {path}")
                })
                .collect::<Vec<_>>(),
            case.restarts,
            0,
        );
        let folded: usize = comparison.noise.iter().map(|noise| noise.count).sum();
        let told =
            (tell::changes(&comparison), tell::notes(&comparison), !comparison.verdict.restarts.is_empty(), folded);
        if told != expected {
            wrong.push(format!("told     {told:#?}\nexpected {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CILIUM_CASES.len(), wrong.join("\n"));
}

#[test]
fn a_change_planted_in_a_manifest_is_reported_once_with_its_verdict() {
    let mut wrong = Vec::new();
    for case in WHOLE {
        let old = fixtures::documents(case.file);
        let mut new = old.clone();
        (case.plant)(&mut new);
        let comparison = tell::rendered(fixtures::objects(old), fixtures::objects(new));
        let told = (tell::changes(&comparison), tell::notes(&comparison), tell::restarts(&comparison));
        let text = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let expected = (text(case.changes), text(case.notes), text(case.restarts));
        if told != expected || !comparison.noise.is_empty() {
            wrong.push(format!("told     {told:#?} {:#?}\nexpected {expected:#?}", comparison.noise));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), WHOLE.len(), wrong.join("\n"));
}
