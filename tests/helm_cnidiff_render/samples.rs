//! Comparisons to render. The values of [`upgrade`] are those of the Cilium charts 1.18.4 and 1.19.6.
//! One file, longer than others: it is data, and each sample builds on the one before.

use helm_cnidiff::comparison::*;
use serde_json::{Value, json};

pub(crate) fn path(text: &str) -> FieldPath {
    FieldPath(text.split('.').flat_map(steps).collect())
}

/// `containers[agent]` is a key and an item, `[3]` an index, `text:json` a key and a document inside it.
fn steps(part: &str) -> Vec<Step> {
    let (part, inside) = match part.split_once(':') {
        Some((part, "json")) => (part, Some(Step::Inside(Format::Json))),
        Some((part, "yaml")) => (part, Some(Step::Inside(Format::Yaml))),
        Some((part, _)) => (part, Some(Step::Inside(Format::Ini))),
        None => (part, None),
    };
    let mut steps = Vec::new();
    let (key, item) = part.split_once('[').map_or((part, None), |(key, item)| (key, item.strip_suffix(']')));
    if !key.is_empty() {
        // A dot inside of a key is written as a comma.
        steps.push(Step::Key(key.replace(',', ".")));
    }
    steps.extend(item.map(|item| item.parse().map_or_else(|_| Step::Item(item.replace(',', ".")), Step::Index)));
    steps.extend(inside);
    steps
}

pub(crate) fn value(value: Value) -> Shown {
    Shown::Value(value)
}

fn secret(hash: &str) -> Shown {
    Shown::Secret { hash: hash.into() }
}

pub(crate) fn object(kind: &str, name: &str) -> ObjectRef {
    let api_version = match kind {
        "DaemonSet" | "Deployment" => "apps/v1",
        "ClusterRole" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Job" | "CronJob" => "batch/v1",
        "CiliumLoadBalancerIPPool" => "cilium.io/v2",
        _ => "v1",
    };
    let cluster = kind.starts_with("Cluster") || kind.starts_with("Custom");
    ObjectRef {
        api_version: api_version.into(),
        kind: kind.into(),
        namespace: if cluster { String::new() } else { "kube-system".into() },
        name: name.into(),
    }
}

fn image(text: &str) -> Image {
    let (rest, digest) = text.split_once('@').unwrap_or((text, ""));
    let (repository, tag) = rest.rsplit_once(':').unwrap_or((rest, ""));
    Image { repository: repository.into(), tag: tag.into(), digest: digest.into() }
}

fn field(at: &str, old: Shown, new: Shown) -> FieldChange {
    let kind = match (old.is_absent(), new.is_absent()) {
        (true, _) => ChangeKind::Added,
        (_, true) => ChangeKind::Removed,
        _ => ChangeKind::Changed,
    };
    FieldChange { path: path(at), old, new, kind, level: None, aside: None }
}

fn added(at: &str, new: Value) -> FieldChange {
    field(at, Shown::Absent, value(new))
}

fn removed(at: &str, old: Value) -> FieldChange {
    field(at, value(old), Shown::Absent)
}

fn changed(at: &str, old: Value, new: Value) -> FieldChange {
    field(at, value(old), value(new))
}

fn image_field(at: &str, old: &str, new: &str) -> FieldChange {
    let kind = ChangeKind::Image { old: image(old), new: image(new) };
    FieldChange { kind, ..changed(at, old.into(), new.into()) }
}

fn noted(field: FieldChange, level: Level, aside: &str) -> FieldChange {
    FieldChange { level: Some(level), aside: (!aside.is_empty()).then(|| aside.into()), ..field }
}

fn aside(field: FieldChange, aside: &str) -> FieldChange {
    FieldChange { aside: Some(aside.into()), ..field }
}

pub(crate) fn differs(section: Section, object: ObjectRef, change: Change) -> ObjectChange {
    ObjectChange { section, object, was: None, change, restarts: false, folded: 0 }
}

fn restarting(change: ObjectChange) -> ObjectChange {
    ObjectChange { restarts: true, ..change }
}

fn facts(facts: &[(&str, &str)]) -> Vec<Fact> {
    facts.iter().map(|(label, text)| Fact { label: (*label).into(), text: (*text).into() }).collect()
}

pub(crate) fn note(level: Level, id: &str, title: &str, about: Option<ObjectRef>, at: &str) -> Note {
    Note {
        level,
        id: id.into(),
        title: title.into(),
        object: about,
        path: if at.is_empty() { FieldPath::default() } else { path(at) },
        old: Shown::Absent,
        new: Shown::Absent,
        why: String::new(),
        fix: String::new(),
        source: None,
        also: Vec::new(),
    }
}

fn count(section: Section, kind: &str, [added, removed, changed, unchanged]: [usize; 4]) -> KindCount {
    KindCount { section, kind: kind.into(), added, removed, changed, unchanged }
}

fn restart(object: ObjectRef, pods: Option<u64>, setting: &str, at_once: Option<u64>) -> Restart {
    Restart {
        object,
        pods,
        at_once: AtOnce { setting: setting.into(), default: false, pods: at_once },
        on_delete: false,
        because: vec![path("spec.template.spec.containers[cilium-agent].image")],
    }
}

fn release(version: &str) -> Side {
    Side {
        label: "release cilium, revision 3".into(),
        chart: Some("cilium".into()),
        version: Some(version.into()),
        app_version: Some(version.into()),
        kube_range: Some(">= 1.21.0-0".into()),
        release: Some("cilium".into()),
        namespace: Some("kube-system".into()),
        revision: Some(3),
        status: Some("deployed".into()),
        digest: Some(format!("sha256:{}", "a1".repeat(32))),
    }
}

fn chart(version: &str) -> Side {
    Side {
        label: format!("cilium-{version}.tgz"),
        chart: Some("cilium".into()),
        version: Some(version.into()),
        app_version: Some(version.into()),
        kube_range: Some(">= 1.21.0-0".into()),
        digest: Some(format!("sha256:{}", "b2".repeat(32))),
        ..Side::default()
    }
}

fn provenance() -> Provenance {
    Provenance {
        tool: "helm-cnidiff 0.1.0".into(),
        release: Some("kube-system/cilium".into()),
        revision: Some("3".into()),
        from_digest: Some(format!("sha256:{}", "a1".repeat(32))),
        to_digest: Some(format!("sha256:{}", "b2".repeat(32))),
        helm: Some("v3.21.1".into()),
        flags: vec!["--version".into(), "1.19.6".into(), "-f".into(), "values.yaml".into()],
        rendered: Rendered::Cluster { kube_version: "v1.33.5".into(), context: "prod-eu".into() },
        facts: Vec::new(),
    }
}

const OLD: &str =
    "quay.io/cilium/cilium:v1.18.4@sha256:49d87af187eeeb9e9e3ec2bc6bd372261a0b5cb2d845659463ba7cc10fe9e45f";
const NEW: &str =
    "quay.io/cilium/cilium:v1.19.6@sha256:0df5b2750b64c49843aba1d649e9eaf61467cb0645ad1b03a0fd6e1c2d3e4f50";

/// A comparison of something with itself.
pub(crate) fn same() -> Comparison {
    Comparison {
        from: release("1.19.6"),
        to: chart("1.19.6"),
        values: Some(Values { overrides_total: 2, ..Values::default() }),
        counts: vec![
            count(Section::DaemonSets, "DaemonSet", [0, 0, 0, 2]),
            count(Section::Config, "ConfigMap", [0, 0, 0, 3]),
        ],
        provenance: provenance(),
        ..Comparison::default()
    }
}

/// Two manifests without a chart, one change that restarts pods, nothing against it.
pub(crate) fn manifests() -> Comparison {
    let flannel = ObjectRef { namespace: "kube-flannel".into(), ..object("DaemonSet", "kube-flannel-ds") };
    let old = "ghcr.io/flannel-io/flannel:v0.28.4";
    let new = "ghcr.io/flannel-io/flannel:v0.28.9";
    let fields = vec![
        image_field("spec.template.spec.initContainers[install-cni].image", old, new),
        image_field("spec.template.spec.containers[kube-flannel].image", old, new),
    ];
    Comparison {
        from: Side { label: "old.yaml".into(), ..Side::default() },
        to: Side { label: "new.yaml".into(), ..Side::default() },
        verdict: Verdict {
            restarts: vec![Restart {
                at_once: AtOnce { setting: "1".into(), default: true, pods: Some(1) },
                ..restart(flannel.clone(), None, "1", None)
            }],
            ..Verdict::default()
        },
        objects: vec![restarting(differs(Section::DaemonSets, flannel, Change::Fields(fields)))],
        counts: vec![
            count(Section::DaemonSets, "DaemonSet", [0, 0, 1, 0]),
            count(Section::Config, "ConfigMap", [0, 0, 0, 1]),
        ],
        provenance: Provenance {
            tool: "helm-cnidiff 0.1.0".into(),
            from_digest: Some(format!("sha256:{}", "c3".repeat(32))),
            to_digest: Some(format!("sha256:{}", "d4".repeat(32))),
            ..Provenance::default()
        },
        ..Comparison::default()
    }
}

/// A Cilium upgrade from 1.18.4 to 1.19.6 as it is in a production cluster.
pub(crate) fn upgrade() -> Comparison {
    let agent = object("DaemonSet", "cilium");
    let config = object("ConfigMap", "cilium-config");
    let mut comparison = Comparison {
        from: release("1.18.4"),
        to: chart("1.19.6"),
        verdict: Verdict {
            restarts: vec![
                restart(agent.clone(), Some(42), "2", Some(2)),
                restart(object("DaemonSet", "cilium-envoy"), Some(42), "2", Some(2)),
                restart(object("Deployment", "cilium-operator"), Some(2), "50%", Some(1)),
                restart(object("Deployment", "hubble-relay"), Some(1), "1", Some(1)),
            ],
            blockers: 0,
            risks: 7,
            dead_overrides: 3,
            unknown: Vec::new(),
        },
        notes: upgrade_notes(&agent, &config),
        values: Some(upgrade_values()),
        objects: upgrade_objects(&agent, &config),
        counts: vec![
            count(Section::DaemonSets, "DaemonSet", [0, 0, 2, 0]),
            count(Section::Workloads, "CronJob", [0, 0, 1, 0]),
            count(Section::Workloads, "Deployment", [0, 0, 2, 0]),
            count(Section::Config, "ConfigMap", [0, 0, 2, 2]),
            count(Section::Rbac, "ClusterRole", [0, 0, 1, 1]),
            count(Section::Rbac, "Role", [1, 0, 0, 3]),
            count(Section::Rbac, "RoleBinding", [1, 0, 0, 3]),
            count(Section::Services, "Service", [0, 0, 1, 3]),
            count(Section::Rest, "Namespace", [0, 0, 0, 1]),
        ],
        noise: vec![
            noise("chart-labels", "labels that name the chart and its version", 31),
            noise("non-idempotent", "certificates and keys that the chart makes anew each time", 4),
            noise("folded-checksums", "checksum annotations of changes that were folded", 3),
        ],
        warnings: Vec::new(),
        provenance: provenance(),
    };
    comparison.objects[0].folded = 2;
    comparison
}

fn noise(rule: &str, title: &str, count: usize) -> Noise {
    let hits = (0..count).map(|i| NoiseHit {
        object: object("ConfigMap", &format!("config-{i}")),
        path: path("metadata.labels.helm,sh/chart"),
        old: value("cilium-1.18.4".into()),
        new: value("cilium-1.19.6".into()),
    });
    Noise { rule: rule.into(), title: title.into(), count, hits: hits.collect() }
}

fn upgrade_notes(agent: &ObjectRef, config: &ObjectRef) -> Vec<Note> {
    let risk =
        |id: &str, title: &str, about: Option<&ObjectRef>, at: &str| note(Level::Risk, id, title, about.cloned(), at);
    let docs = "https://docs.cilium.io/en/v1.19/operations/upgrade/";
    vec![
        Note {
            old: value(false.into()),
            new: value(true.into()),
            why: "Network policies that name no cluster will select pods of the local cluster only; with Cluster Mesh, traffic between clusters that they allowed is cut.".into(),
            fix: "Name clusters in the policies, or set `clustermesh.policyDefaultLocalCluster=false` for now.".into(),
            source: Some(docs.into()),
            ..risk("default-changed", "policies without a cluster select the local one only", None, "clustermesh.policyDefaultLocalCluster")
        },
        Note {
            old: value("vxlan".into()),
            why: "The chart does not read it; the upgrade goes back to the default.".into(),
            fix: "Set `tunnelProtocol` instead.".into(),
            source: Some(docs.into()),
            ..risk("override-unread", "an override is not read any more", None, "tunnel")
        },
        Note {
            old: value(15.into()),
            new: value("15s".into()),
            why: "Agents read the ConfigMap when they start; pods that run keep the old value.".into(),
            fix: "Nothing, where the DaemonSet restarts anyway.".into(),
            ..risk("config-without-restart", "changed settings reach agents only when they restart", Some(config), "data.unmanaged-pod-watcher-interval")
        },
        Note {
            new: value(9879.into()),
            why: "The port is taken on every node; a pod does not start where something else listens there, and a firewall may need to know.".into(),
            fix: "Look for what listens: `ss -ltnp sport = :9879` on the nodes.".into(),
            also: vec![
                path("spec.template.spec.containers[cilium-agent].ports[4244/TCP].hostPort"),
                path("spec.template.spec.containers[cilium-agent].ports[4240/TCP].hostPort"),
            ],
            ..risk("host-port-added", "pods take ports of their nodes that they did not take", Some(agent), "spec.template.spec.containers[cilium-agent].ports[9879/TCP].hostPort")
        },
        Note {
            new: value("SYSLOG".into()),
            why: "Admission that lists capabilities (Pod Security, Gatekeeper, OpenShift SCC) refuses the pods until it knows this one.".into(),
            fix: "Allow it for kube-system before the upgrade.".into(),
            ..risk("capability-added", "a container asks for more capabilities", Some(agent), "spec.template.spec.containers[cilium-agent].securityContext.capabilities.add[SYSLOG]")
        },
        Note {
            old: value(OLD.into()),
            new: value(NEW.into()),
            why: "Where nodes cannot reach quay.io, the agent does not start.".into(),
            fix: "Mirror it first: `crane copy quay.io/cilium/cilium:v1.19.6 registry.example/cilium/cilium:v1.19.6`".into(),
            also: vec![path("spec.template.spec.initContainers[config].image")],
            ..risk("image-changed", "nodes pull another image of the agent", Some(agent), "spec.template.spec.containers[cilium-agent].image")
        },
        Note {
            why: "helm does not touch what is in a chart's crds folder once it is installed; Cilium's operator registers these itself.".into(),
            ..note(Level::Info, "crds-by-operator", "CustomResourceDefinitions come with the operator", None, "")
        },
        Note {
            old: value(true.into()),
            why: "The feature is gone, traffic policies are always honoured.".into(),
            ..note(Level::Info, "setting-gone", "a setting of the agent is gone", Some(config.clone()), "data.enable-internal-traffic-policy")
        },
    ]
}

fn upgrade_values() -> Values {
    let set = |at: &str, with: Value, state| Override { path: path(at), value: value(with), state, note: None };
    let default = |at: &str, old: Value, new: Value| DefaultChange {
        path: path(at),
        old: value(old),
        new: value(new),
        note: None,
    };
    let image_of = |at: &str, old: &str, new: &str| ImageChange { path: path(at), old: image(old), new: image(new) };
    let new = |at: &str, with: Value| KeyDefault { path: path(at), default: value(with) };
    let new_keys: Vec<KeyDefault> = NEW_KEYS.iter().map(|key| new(key, json!(null))).collect();
    Values {
        overrides: vec![
            Override { note: Some("removed in 1.15".into()), ..set("tunnel", "vxlan".into(), OverrideState::Unread) },
            set(
                "clustermesh.apiserver.tls.client.cert",
                "LS0tLS1CRUdJTi".into(),
                OverrideState::Renamed { to: path("clustermesh.apiserver.tls.remote.cert") },
            ),
            set("hubble.ui.enabled", false.into(), OverrideState::EqualsDefault),
            set(
                "certgen.ttlSecondsAfterFinished",
                3600.into(),
                OverrideState::Pins { old_default: value(1800.into()), new_default: value(json!(null)) },
            ),
        ],
        overrides_total: 14,
        own: Vec::new(),
        defaults: vec![
            DefaultChange {
                note: Some("mutual authentication is off by default".into()),
                ..default("authentication.enabled", true.into(), false.into())
            },
            default("clustermesh.apiserver.tls.authMode", "legacy".into(), "migration".into()),
            default("clustermesh.policyDefaultLocalCluster", false.into(), true.into()),
        ],
        images: vec![
            image_of("image", OLD, NEW),
            image_of(
                "certgen.image",
                "quay.io/cilium/certgen:v0.2.4@sha256:de7b97b1d19a",
                "quay.io/cilium/certgen:v0.4.6@sha256:511cedee8177",
            ),
            image_of(
                "clustermesh.apiserver.image",
                "quay.io/cilium/clustermesh-apiserver:v1.18.4@sha256:c240a7cbead5",
                "quay.io/cilium/clustermesh-apiserver:v1.19.6@sha256:accab5fe6ab7",
            ),
            image_of(
                "envoy.image",
                "quay.io/cilium/cilium-envoy:v1.34.10-1762597008-ff7ae7d623be00078865cff1b0672cc5d9bfc6d5@sha256:1deb6709afcb",
                "quay.io/cilium/cilium-envoy:v1.36.9-1782267392-edeb3f2af56c37c407efa1f63f0b32f595399bbc@sha256:767101fb8a5e",
            ),
            image_of(
                "hubble.relay.image",
                "quay.io/cilium/hubble-relay:v1.18.4@sha256:6d350cb1c84b",
                "quay.io/cilium/hubble-relay:v1.19.6@sha256:6782a49e3f28",
            ),
            image_of("operator.image", "quay.io/cilium/operator:v1.18.4", "quay.io/cilium/operator:v1.19.6"),
        ],
        new_keys,
        removed_keys: vec![
            new("customCalls.enabled", false.into()),
            new("l2podAnnouncements.interface", "eth0".into()),
            new("nodePort.enabled", false.into()),
            new("svcSourceRangeCheck", true.into()),
        ],
        modes: Some(Modes {
            chosen: Mode::Keep,
            columns: vec![Mode::Keep, Mode::Reset, Mode::Reuse, Mode::ResetThenReuse],
            rows: vec![
                ModeRow {
                    path: path("authentication.enabled"),
                    values: [false, false, true, false].map(|b| value(b.into())).into(),
                },
                ModeRow {
                    path: path("ipam.mode"),
                    values: ["kubernetes", "cluster-pool", "kubernetes", "kubernetes"].map(|m| value(m.into())).into(),
                },
            ],
            drops: Vec::new(),
            hides: Vec::new(),
        }),
    }
}

const NEW_KEYS: [&str; 40] = [
    "alibabacloud.nodeSpec.securityGroupTags",
    "alibabacloud.nodeSpec.securityGroups",
    "alibabacloud.nodeSpec.vSwitchTags",
    "alibabacloud.nodeSpec.vSwitches",
    "azure.nodeSpec.azureInterfaceName",
    "bpf.monitorTraceIPOption",
    "bpf.policyMapPressureMetricsThreshold",
    "certgen.cronJob.failedJobsHistoryLimit",
    "certgen.cronJob.successfulJobsHistoryLimit",
    "clustermesh.apiserver.service.externallyCreated",
    "clustermesh.cacheTTL",
    "clustermesh.mcsapi.enabled",
    "clustermesh.mcsapi.installCRDs",
    "cni.resources.limits.cpu",
    "cni.resources.limits.memory",
    "configDriftDetection.driftChecker",
    "configDriftDetection.enabled",
    "configDriftDetection.ignoredKeys",
    "enableNoServiceEndpointsRoutable",
    "encryption.strictMode.egress.enabled",
    "encryption.strictMode.ingress.enabled",
    "encryption.ztunnel.image.repository",
    "encryption.ztunnel.image.tag",
    "envoy.clusterMaxConnections",
    "envoy.clusterMaxRequests",
    "envoy.initContainers",
    "envoy.maxGlobalDownstreamConnections",
    "envoy.useOriginalSourceAddress",
    "hubble.relay.logOptions.format",
    "hubble.relay.logOptions.level",
    "hubble.relay.pprof.blockProfileRate",
    "hubble.relay.pprof.mutexProfileFraction",
    "ipam.nodeSpec.ipamMaxAllocate",
    "ipam.nodeSpec.ipamMinAllocate",
    "loadBalancer.serviceTopology",
    "operator.prometheus.tls.enabled",
    "pmtuDiscovery.packetizationLayerPMTUDMode",
    "policyDenyResponse",
    "standaloneDnsProxy.enabled",
    "tmpVolume",
];

fn upgrade_objects(agent: &ObjectRef, config: &ObjectRef) -> Vec<ObjectChange> {
    let pod = "spec.template.spec";
    let main = format!("{pod}.containers[cilium-agent]");
    let at = |rest: &str| format!("{main}.{rest}");
    let init = |name: &str, rest: &str| format!("{pod}.initContainers[{name}].{rest}");
    let port =
        |number: u16, name: &str| json!({"name": name, "containerPort": number, "hostPort": number, "protocol": "TCP"});
    let mut fields: Vec<FieldChange> = [
        "config",
        "mount-cgroup",
        "apply-sysctl-overwrites",
        "mount-bpf-fs",
        "clean-cilium-state",
        "install-cni-binaries",
    ]
    .iter()
    .map(|name| image_field(&init(name, "image"), OLD, NEW))
    .collect();
    fields.extend([
        changed(&init("apply-sysctl-overwrites", "command"), json!(["sh", "-ec"]), json!(["bash", "-ec"])),
        added(&init("config", "securityContext"), json!({"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}})),
        added(&init("install-cni-binaries", "resources.limits"), json!({"cpu": 1, "memory": "1Gi"})),
        changed(&init("mount-cgroup", "command"), json!(["sh", "-ec"]), json!(["bash", "-ec"])),
        image_field(&at("image"), OLD, NEW),
        changed(&at("livenessProbe.httpGet.port"), 9879.into(), "health".into()),
        noted(added(&at("ports[9879/TCP]"), port(9879, "health")), Level::Risk, "port of the node"),
        noted(added(&at("ports[4244/TCP]"), port(4244, "peer-service")), Level::Risk, "port of the node"),
        noted(added(&at("ports[4240/TCP]"), port(4240, "health-check")), Level::Risk, "port of the node"),
        changed(&at("readinessProbe.httpGet.port"), 9879.into(), "health".into()),
        noted(added(&at("securityContext.capabilities.add[SYSLOG]"), "SYSLOG".into()), Level::Risk, "capability"),
        changed(&at("startupProbe.httpGet.port"), 9879.into(), "health".into()),
    ]);
    let envoy = "quay.io/cilium/cilium-envoy";
    let data = |key: &str| format!("data.{key}");
    let settings = vec![
        added(&data("clustermesh-cache-ttl"), "0s".into()),
        added(&data("clustermesh-mcs-api-install-crds"), "true".into()),
        added(&data("enable-drift-checker"), "true".into()),
        added(&data("enable-dynamic-config"), "true".into()),
        added(&data("enable-host-firewall"), "false".into()),
        removed(&data("enable-internal-traffic-policy"), "true".into()),
        added(&data("enable-no-service-endpoints-routable"), "true".into()),
        removed(&data("enable-node-port"), "false".into()),
        added(&data("enable-service-topology"), "false".into()),
        removed(&data("enable-svc-source-range-check"), "true".into()),
        changed(&data("mesh-auth-enabled"), "true".into(), "false".into()),
        added(&data("packetization-layer-pmtud-mode"), "blackhole".into()),
        noted(
            changed(&data("policy-default-local-cluster"), "false".into(), "true".into()),
            Level::Risk,
            "narrows policies",
        ),
        added(&data("policy-deny-response"), "none".into()),
        added(&data("proxy-cluster-max-connections"), "1024".into()),
        added(&data("proxy-cluster-max-requests"), "1024".into()),
        added(&data("proxy-max-active-downstream-connections"), "50000".into()),
        added(&data("proxy-use-original-source-address"), "true".into()),
        changed(&data("unmanaged-pod-watcher-interval"), "15".into(), "15s".into()),
    ];
    let operator = "spec.template.spec.containers[cilium-operator]";
    vec![
        restarting(differs(Section::DaemonSets, agent.clone(), Change::Fields(fields))),
        restarting(differs(
            Section::DaemonSets,
            object("DaemonSet", "cilium-envoy"),
            Change::Fields(vec![image_field(
                "spec.template.spec.containers[cilium-envoy].image",
                &format!("{envoy}:v1.34.10-1762597008-ff7ae7d623be00078865cff1b0672cc5d9bfc6d5@sha256:1deb6709afcb"),
                &format!("{envoy}:v1.36.9-1782267392-edeb3f2af56c37c407efa1f63f0b32f595399bbc@sha256:767101fb8a5e"),
            )]),
        )),
        differs(
            Section::Workloads,
            object("CronJob", "hubble-generate-certs"),
            Change::Fields(vec![
                added("spec.failedJobsHistoryLimit", 1.into()),
                image_field(
                    "spec.jobTemplate.spec.template.spec.containers[certgen].image",
                    "quay.io/cilium/certgen:v0.2.4",
                    "quay.io/cilium/certgen:v0.4.6",
                ),
                removed("spec.jobTemplate.spec.ttlSecondsAfterFinished", 1800.into()),
                added("spec.successfulJobsHistoryLimit", 3.into()),
            ]),
        ),
        restarting(differs(
            Section::Workloads,
            object("Deployment", "cilium-operator"),
            Change::Fields(vec![
                image_field(
                    &format!("{operator}.image"),
                    "quay.io/cilium/operator-generic:v1.18.4",
                    "quay.io/cilium/operator-generic:v1.19.6",
                ),
                changed(&format!("{operator}.livenessProbe.httpGet.port"), 9234.into(), "health".into()),
                noted(
                    added(
                        &format!("{operator}.ports[9234/TCP]"),
                        json!({"name": "health", "containerPort": 9234, "hostPort": 9234}),
                    ),
                    Level::Risk,
                    "port of the node",
                ),
                changed(&format!("{operator}.readinessProbe.httpGet.port"), 9234.into(), "health".into()),
            ]),
        )),
        restarting(differs(
            Section::Workloads,
            object("Deployment", "hubble-relay"),
            Change::Fields(vec![image_field(
                "spec.template.spec.containers[hubble-relay].image",
                "quay.io/cilium/hubble-relay:v1.18.4",
                "quay.io/cilium/hubble-relay:v1.19.6",
            )]),
        )),
        differs(Section::Config, config.clone(), Change::Fields(settings)),
        differs(
            Section::Config,
            object("ConfigMap", "cilium-envoy-config"),
            Change::Fields(vec![
                added(
                    "data.bootstrap-config,json:json.staticResources.clusters[egress-cluster].circuitBreakers",
                    json!({"thresholds": [{"maxConnections": 1024, "maxRequests": 1024}]}),
                ),
                added(
                    "data.bootstrap-config,json:json.overloadManager",
                    json!({"resourceMonitors": [{"name": "envoy.resource_monitors.global_downstream_max_connections"}]}),
                ),
            ]),
        ),
        differs(
            Section::Rbac,
            object("ClusterRole", "cilium-operator"),
            Change::Grants(GrantChange {
                gained: vec![
                    Grant {
                        group: "cilium.io".into(),
                        resource: "ciliumendpointslices".into(),
                        resource_name: String::new(),
                        verbs: vec!["deletecollection".into()],
                    },
                    Grant {
                        group: "apiextensions.k8s.io".into(),
                        resource: "customresourcedefinitions".into(),
                        resource_name: "serviceimports.multicluster.x-k8s.io".into(),
                        verbs: vec!["update".into()],
                    },
                ],
                ..GrantChange::default()
            }),
        ),
        differs(
            Section::Rbac,
            object("Role", "cilium-operator-ztunnel"),
            Change::Added(facts(&[("grants", "get, list, watch of secrets")])),
        ),
        differs(
            Section::Rbac,
            object("RoleBinding", "cilium-operator-ztunnel"),
            Change::Added(facts(&[
                ("role", "cilium-operator-ztunnel"),
                ("subjects", "ServiceAccount kube-system/cilium-operator"),
            ])),
        ),
        differs(
            Section::Services,
            object("Service", "cilium-envoy"),
            Change::Fields(vec![changed("spec.ports[envoy-metrics].targetPort", "envoy-metrics".into(), 9964.into())]),
        ),
    ]
}

/// One of everything that a comparison can hold.
pub(crate) fn everything() -> Comparison {
    let agent = object("DaemonSet", "cilium");
    let mut comparison = upgrade();
    comparison.from.status = Some("pending-upgrade".into());
    comparison.verdict.blockers = 2;
    comparison.verdict.unknown = vec![
        "Whether pods of DaemonSet kube-system/cilium take node ports that are in use: may not list pods of other namespaces.".into(),
        "What helm's hook kube-system/migrate does: its image is not at hand.".into(),
    ];
    comparison
        .verdict
        .restarts
        .push(Restart { on_delete: true, ..restart(object("DaemonSet", "cilium-nodeinit"), None, "1", None) });
    comparison.verdict.restarts.push(restart(object("DaemonSet", "cilium-extra"), None, "10%", None));
    comparison.verdict.restarts.push(Restart {
        at_once: AtOnce { setting: "25%".into(), default: true, pods: Some(1) },
        ..restart(object("Deployment", "clustermesh-apiserver"), Some(3), "", None)
    });
    let blockers = vec![
        Note {
            why: "helm refuses to upgrade a release that is in the middle of another operation.".into(),
            fix: "Finish it or go back: `helm rollback cilium 2 -n kube-system`".into(),
            source: Some("https://helm.sh/docs/helm/helm_rollback/".into()),
            ..note(Level::Blocker, "release-pending", "the release is pending-upgrade", None, "")
        },
        Note {
            old: value("cilium".into()),
            new: value("cilium-agent".into()),
            why: "A selector cannot be changed. The DaemonSet would have to be deleted and made again, and every node would be without networking for new pods until its agent is back.".into(),
            fix: "Keep the old labels by `k8sLabels`, or plan a window: `kubectl -n kube-system delete ds cilium --cascade=orphan`".into(),
            source: Some("Kubernetes API, apps/v1 DaemonSetSpec".into()),
            ..note(Level::Blocker, "selector-changed", "the selector of a DaemonSet changes", Some(agent.clone()), "spec.selector.matchLabels.k8s-app")
        },
    ];
    comparison.notes.splice(0..0, blockers);
    // The same of several objects, in other words.
    for (i, name) in ["ciliumnodes", "ciliumendpoints", "ciliumidentities", "ciliumbgpnodeconfigs", "ciliumpodippools"]
        .iter()
        .enumerate()
    {
        let infos = comparison.notes.iter().filter(|note| note.level == Level::Info).count();
        let at = comparison.notes.len() - infos;
        comparison.notes.insert(
            at,
            Note {
                new: value(253.into()),
                why: "Objects that were valid are refused when they are next written.".into(),
                fix: "Apply your objects to a test cluster.".into(),
                ..note(
                    Level::Risk,
                    "crd-validation-changed",
                    &format!("what fields may hold changes in {} places", i + 2),
                    Some(object("CustomResourceDefinition", &format!("{name}.cilium.io"))),
                    "spec.versions[v2].schema.openAPIV3Schema.properties.spec.properties.node.maxLength",
                )
            },
        );
    }
    comparison.verdict.risks += 5;
    let values = comparison.values.as_mut().expect("an upgrade has values");
    values.overrides.insert(
        2,
        Override {
            path: path("ipv4NativeRoutingCIDR"),
            value: value(json!(["10.0.0.0/8"])),
            state: OverrideState::TypeChanged { from: "list", to: "string" },
            note: None,
        },
    );
    values.overrides.insert(
        2,
        Override {
            path: path("securityContext.capabilities"),
            value: value("ALL".into()),
            state: OverrideState::BecameMap,
            note: None,
        },
    );
    values.overrides.insert(
        2,
        Override {
            path: path("clustermesh.config.token"),
            value: secret("0badcafe"),
            state: OverrideState::Unread,
            note: None,
        },
    );
    let own = |at: &str, old: Shown, new: Shown| OwnChange { path: path(at), old, new };
    values.own = vec![
        own("bpf.masquerade", value(false.into()), value(true.into())),
        own("clustermesh.apiserver.tls.client.cert", secret("3c9f10aa"), secret("77ab01d2")),
        own("ipam.mode", value("kubernetes".into()), Shown::Absent),
        own("nodeSelector", Shown::Absent, value(json!({"kubernetes.io/os": "linux"}))),
    ];
    let modes = values.modes.as_mut().expect("a release has modes");
    modes.chosen = Mode::Replace;
    modes.columns.insert(0, Mode::Replace);
    for row in &mut modes.rows {
        row.values.insert(0, Shown::Absent);
    }
    modes.drops = vec![path("ipam.mode"), path("hubble.relay.enabled")];
    modes.hides = vec![path("authentication.enabled")];
    everything_in_objects(&mut comparison, agent);
    comparison.warnings = vec![
        Warning { side: "old".into(), place: "document 4".into(), text: "has no kind; left out".into() },
        Warning {
            side: String::new(),
            place: "ConfigMap kube-system/twice".into(),
            text: "is there twice; the last one counts, as for helm".into(),
        },
    ];
    comparison.provenance.rendered = Rendered::Offline { kube_version: Some("1.33.0".into()), api_versions: 12 };
    comparison.provenance.facts = vec![format!("site.yaml sha256:{}", "e5".repeat(32))];
    comparison
}

fn everything_in_objects(comparison: &mut Comparison, agent: ObjectRef) {
    let Change::Fields(fields) = &mut comparison.objects[0].change else { panic!("the agent has fields") };
    let container = "spec.template.spec.containers[cilium-agent]";
    let long = |c: &str| Value::from(format!("{}-{c}-{}", "0123456789".repeat(20), "abcdefghij".repeat(20)));
    fields.splice(
        0..0,
        [
            noted(
                changed("spec.selector.matchLabels.k8s-app", "cilium".into(), "cilium-agent".into()),
                Level::Blocker,
                "cannot be changed",
            ),
            aside(
                changed("spec.updateStrategy.rollingUpdate.maxUnavailable", 2.into(), "10%".into()),
                "5 of 42 nodes at once",
            ),
            FieldChange {
                kind: ChangeKind::Order,
                ..changed(
                    "spec.template.spec.initContainers",
                    json!(["config", "mount-cgroup"]),
                    json!(["mount-cgroup", "config"]),
                )
            },
            field(&format!("{container}.env[TOKEN]"), secret("1a2b3c4d"), secret("5e6f7081")),
            aside(changed(&format!("{container}.env[LONG]"), long("old"), long("new")), "long"),
            image_field(
                &format!("{container}.initImage"),
                "quay.io/cilium/startup:1755531540@sha256:5bdca3c2dec2c79f",
                "quay.io/cilium/startup:1755531540@sha256:50b9cf9c280096b5",
            ),
            image_field(
                "spec.template.spec.containers[moved].image",
                "quay.io/cilium/cilium:v1.18.4",
                "registry.example/cilium/cilium:v1.18.4",
            ),
        ],
    );
    comparison.objects[1].was = Some(ObjectRef { name: "cilium-proxy".into(), ..agent });
    let text = [
        (Sign::Skipped(12), ""),
        (Sign::Same, "  set -o errexit"),
        (Sign::Removed, "  ip link del cilium_old"),
        (Sign::Added, "  ip link del cilium_old || true"),
        (Sign::Added, "  \tip link show"),
        (Sign::Same, "done"),
        (Sign::Skipped(1), ""),
    ];
    let text = text.map(|(sign, text)| TextLine { sign, text: text.into() });
    let script =
        FieldChange { kind: ChangeKind::Text(text.into()), ..changed("data.startup,sh", "…".into(), "…".into()) };
    let at = comparison.objects.iter().position(|o| o.section == Section::Rbac).expect("rights change");
    comparison.objects.insert(
        at,
        differs(
            Section::Config,
            object("Secret", "cilium-keys"),
            Change::Fields(vec![
                field("stringData.keys", secret("1a2b3c4d"), secret("99aabbcc")),
                FieldChange {
                    kind: ChangeKind::Text(Vec::new()),
                    ..field("data.multi", secret("11111111"), secret("22222222"))
                },
                field("data.new", Shown::Absent, secret("33333333")),
            ]),
        ),
    );
    comparison
        .objects
        .insert(at, differs(Section::Config, object("ConfigMap", "nodeinit"), Change::Fields(vec![script])));
    let Some(Change::Grants(grants)) =
        comparison.objects.iter_mut().map(|o| &mut o.change).find(|c| matches!(c, Change::Grants(_)))
    else {
        panic!("a role changes")
    };
    grants.lost = vec![
        Grant {
            group: String::new(),
            resource: "pods/exec".into(),
            resource_name: String::new(),
            verbs: vec!["create".into()],
        },
        Grant {
            group: String::new(),
            resource: "/metrics".into(),
            resource_name: String::new(),
            verbs: vec!["get".into()],
        },
    ];
    grants.other = vec![added("metadata.labels.app", "cilium".into())];
    let mut crd = differs(
        Section::Crds,
        object("CustomResourceDefinition", "ciliumnodes.cilium.io"),
        Change::Crd(CrdChange {
            name: "ciliumnodes.cilium.io".into(),
            versions: vec![
                CrdVersion {
                    name: "v2".into(),
                    old: Some(Served { served: true, storage: false }),
                    new: Some(Served { served: true, storage: true }),
                },
                CrdVersion { name: "v2alpha1".into(), old: Some(Served { served: true, storage: true }), new: None },
                CrdVersion { name: "v3alpha1".into(), old: None, new: Some(Served { served: true, storage: false }) },
            ],
            fields_removed: vec!["v2 spec.nodeidentity".into()],
            fields_added: (0..30).map(|i| format!("v2 spec.eni.tag-{i:02}")).collect(),
            now_required: vec!["v2 spec.ipam".into()],
            validation: vec![changed("v2.spec.ipam.max-above-watermark.minimum", 0.into(), 1.into())],
            other: vec![changed("spec.conversion.strategy", "None".into(), "Webhook".into())],
        }),
    );
    crd.folded = 1;
    comparison.objects.push(crd);
    for i in 0..12 {
        let pool = object("CiliumLoadBalancerIPPool", &format!("pool-{i}"));
        let change = match i {
            0 => Change::Added(facts(&[("blocks", "10.9.0.0/24")])),
            1 => Change::Removed(Vec::new()),
            _ => Change::Fields(vec![changed(
                "spec.blocks[0].cidr",
                "10.1.0.0/24".into(),
                format!("10.{i}.0.0/24").into(),
            )]),
        };
        comparison.objects.push(differs(Section::Rest, pool, change));
    }
    comparison.counts.push(count(Section::Rest, "CiliumLoadBalancerIPPool", [1, 1, 10, 0]));
}
