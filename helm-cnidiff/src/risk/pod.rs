//! Rules about the pod template, field by field: what a node, an admission controller or a scheduler makes of it.
//!
//! Long because it is one ordered table: the first rule that is about a field has it.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Rule, Saying, changed};
use crate::comparison::{FieldPath, Level, Step};
use crate::diff::objects::leaves;
use crate::diff::quantity;
use crate::diff::tree::{Edit, What};

const PSS: &str = "https://kubernetes.io/docs/concepts/security/pod-security-standards/";
const ADMISSION: &str = "Pod Security admission, Gatekeeper, Kyverno or OpenShift's SCC may refuse the new pods: then the old \
                         ones are deleted and none comes back.";
const CHECK_ADMISSION: &str = "Try the pod in its namespace first: kubectl apply --dry-run=server.";

/// A single changed field of a pod template.
pub struct Leaf<'e> {
    /// The difference it is part of.
    pub edit: &'e Edit,
    /// Where, below the pod template.
    pub path: FieldPath,
    /// Names of the fields on the way, without items.
    pub keys: Vec<String>,
    /// Before.
    pub old: Option<&'e Value>,
    /// After.
    pub new: Option<&'e Value>,
    /// It came or went with the whole container.
    pub with_container: bool,
    /// The new pod template.
    pub template: &'e Value,
}

impl Leaf<'_> {
    fn last(&self) -> &str {
        self.keys.last().map_or("", String::as_str)
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|k| k == key)
    }

    fn added(&self) -> bool {
        self.old.is_none()
    }

    fn removed(&self) -> bool {
        self.new.is_none()
    }

    /// Something that was there is not there any more, or is another.
    fn lost(&self) -> bool {
        self.old.is_some()
    }

    /// A switch that came or went with the value it has where nothing is written.
    fn written_out(&self, default: bool) -> bool {
        match (self.old, self.new) {
            (Some(value), None) | (None, Some(value)) => *value == default,
            _ => false,
        }
    }

    fn order(&self) -> bool {
        matches!(self.edit.what, What::Order { .. })
    }

    fn in_container(&self) -> bool {
        self.has("containers") || self.has("initContainers")
    }
}

/// How bad a field is; `None` where the rule is not about it.
type Judge = fn(&Leaf<'_>) -> Option<Level>;

/// A rule about fields of a pod template.
pub struct PodRule {
    /// Id of its note.
    pub id: &'static str,
    /// Whether, and how bad.
    pub judge: Judge,
    title: &'static str,
    why: &'static str,
    fix: &'static str,
    source: &'static str,
    /// Also told of the fields of a container that came or went as a whole.
    whole_containers: bool,
}

const fn node(id: &'static str, judge: Judge, title: &'static str, why: &'static str, fix: &'static str) -> PodRule {
    PodRule { id, judge, title, why, fix, source: PSS, whole_containers: true }
}

const fn field(id: &'static str, judge: Judge, title: &'static str, why: &'static str, fix: &'static str) -> PodRule {
    PodRule { id, judge, title, why, fix, source: "", whole_containers: false }
}

fn risk(hit: bool) -> Option<Level> {
    hit.then_some(Level::Risk)
}

fn info(hit: bool) -> Option<Level> {
    hit.then_some(Level::Info)
}

/// A risk if the first holds, else worth knowing.
fn level(hit: bool, risky: bool) -> Option<Level> {
    hit.then_some(if risky { Level::Risk } else { Level::Info })
}

fn host_port(l: &Leaf<'_>) -> Option<Level> {
    let positive = |value: Option<&Value>| value.and_then(Value::as_u64).is_some_and(|n| n > 0);
    let written = l.last() == "hostPort" && positive(l.new);
    // With hostNetwork a declared port is a host port: the API server fills it in.
    let host_network = l.template["spec"]["hostNetwork"] == true;
    let declared = host_network && l.last() == "containerPort" && l.has("ports") && l.new.is_some();
    risk(written || declared)
}

fn ports(l: &Leaf<'_>) -> Option<Level> {
    info(l.in_container() && l.has("ports") && host_port(l).is_none() && (l.last() != "name" || !l.added()))
}

fn image<'e>(l: &Leaf<'e>) -> Option<(&'e str, &'e str)> {
    if l.last() != "image" || !l.in_container() {
        return None;
    }
    Some((l.old.and_then(Value::as_str).unwrap_or_default(), l.new.and_then(Value::as_str).unwrap_or_default()))
}

fn repository(l: &Leaf<'_>) -> Option<Level> {
    let repository = |text| cni_facts::ImageRef::parse(text).repository.to_owned();
    risk(image(l).is_some_and(|(old, new)| !new.is_empty() && repository(old) != repository(new)))
}

fn tag(l: &Leaf<'_>) -> Option<Level> {
    info(image(l).is_some() && repository(l).is_none())
}

fn resources(l: &Leaf<'_>) -> Option<Level> {
    if !l.has("resources") {
        return None;
    }
    let order = match (l.old, l.new) {
        (Some(old), Some(new)) => quantity::order(old, new),
        _ => None,
    };
    // More asked for may not fit on a full node; less allowed may be too little.
    let risky = if l.has("requests") {
        l.added() || order == Some(Ordering::Less)
    } else {
        l.added() || order == Some(Ordering::Greater)
    };
    level(true, risky)
}

fn probes(l: &Leaf<'_>) -> Option<Level> {
    const TIMES: [&str; 6] = [
        "initialDelaySeconds",
        "periodSeconds",
        "timeoutSeconds",
        "failureThreshold",
        "successThreshold",
        "terminationGracePeriodSeconds",
    ];
    let probe = ["livenessProbe", "readinessProbe", "startupProbe"].iter().any(|key| l.has(key));
    level(probe, !TIMES.contains(&l.last()) && !same_port(l))
}

/// Whether a port is called by its name on one side and by its number on the other, and the name stands for the number.
fn same_port(l: &Leaf<'_>) -> bool {
    let [Step::Key(spec), Step::Key(list), Step::Item(name), ..] = l.path.0.as_slice() else { return false };
    let (Some(old), Some(new)) = (l.old, l.new) else { return false };
    let container = l.template[spec][list].as_array().into_iter().flatten().find(|c| c["name"] == name.as_str());
    let number = |port: &Value| match port {
        Value::String(name) => {
            let ports = container.and_then(|c| c["ports"].as_array()).into_iter().flatten();
            ports.filter(|p| p["name"] == name.as_str()).find_map(|p| p["containerPort"].as_u64())
        }
        other => other.as_u64(),
    };
    l.last() == "port" && number(old).is_some() && number(old) == number(new)
}

fn shutdown(l: &Leaf<'_>) -> Option<Level> {
    let grace = l.last() == "terminationGracePeriodSeconds" && probes(l).is_none();
    let shorter = matches!((l.old.and_then(Value::as_u64), l.new.and_then(Value::as_u64)), (Some(old), new) if new.unwrap_or(30) < old);
    level(grace || l.has("lifecycle"), shorter || l.has("lifecycle") && l.lost())
}

fn environment(l: &Leaf<'_>) -> Option<Level> {
    let order = l.order() && l.last() == "env" && expands(l);
    level(l.in_container() && (l.has("env") || l.has("envFrom")), l.removed() || order)
}

/// Whether a variable of the container refers to another one: `$(NAME)` is replaced only by what stands before it.
fn expands(l: &Leaf<'_>) -> bool {
    let [.., Step::Key(list), Step::Item(name), Step::Key(_)] = l.path.0.as_slice() else { return false };
    let container = l.template["spec"][list].as_array().into_iter().flatten().find(|c| c["name"] == name.as_str());
    let variables = container.and_then(|c| c["env"].as_array()).into_iter().flatten();
    variables.filter_map(|variable| variable["value"].as_str()).any(|text| text.contains("$("))
}

fn arguments(l: &Leaf<'_>) -> Option<Level> {
    let list = l.in_container() && !l.has("lifecycle") && probes(l).is_none() && (l.has("args") || l.has("command"));
    level(list, l.removed())
}

fn init_containers(l: &Leaf<'_>) -> Option<Level> {
    let item = matches!(l.edit.path.0.last(), Some(Step::Item(_))) && l.with_container;
    let list = l.edit.path.0.last() == Some(&Step::Key("initContainers".into()));
    let renamed = matches!(l.path.0.as_slice(), [.., Step::Key(list), Step::Item(_), Step::Key(name)]
        if !l.with_container && list == "initContainers" && name == "name");
    risk(l.has("initContainers") && (item || list || renamed || l.order() && l.last() == "initContainers"))
}

fn containers(l: &Leaf<'_>) -> Option<Level> {
    let order = l.order() && l.last() == "containers";
    let renamed = matches!(l.path.0.as_slice(), [.., Step::Key(list), Step::Item(_), Step::Key(name)]
        if !l.with_container && list == "containers" && name == "name");
    level(l.has("containers") && (l.with_container || order || renamed), l.removed() || renamed)
}

fn template_metadata(l: &Leaf<'_>) -> Option<Level> {
    let metadata = l.keys.first().is_some_and(|key| key == "metadata");
    info(metadata && app_armor(l).is_none() && seccomp(l).is_none())
}

fn app_armor(l: &Leaf<'_>) -> Option<Level> {
    let annotation = l.last().starts_with("container.apparmor.security.beta.kubernetes.io");
    risk(l.has("appArmorProfile") || annotation)
}

fn seccomp(l: &Leaf<'_>) -> Option<Level> {
    risk(l.has("seccompProfile") || l.last().contains("seccomp.security.alpha"))
}

fn toleration(l: &Leaf<'_>) -> Option<Level> {
    // One more tolerates more; anything else in one that was there (an effect, a key) tolerates less.
    let one_more = l.edit.old.is_none() && matches!(l.edit.path.0.last(), Some(Step::Item(_)));
    let first = l.edit.old.is_none() && l.edit.path.0.last() == Some(&Step::Key("tolerations".into()));
    level(l.has("tolerations"), !one_more && !first && !l.order())
}

fn pull(l: &Leaf<'_>) -> Option<Level> {
    level(
        l.last() == "imagePullPolicy" || l.has("imagePullSecrets"),
        l.new.is_some_and(|v| *v == "Always") || l.removed(),
    )
}

/// Every rule about a field. The first that is about a field has it, so that one change is told once.
pub const POD_RULES: &[PodRule] = &[
    node(
        "init-containers",
        init_containers,
        "an init container is added, removed, renamed or moved",
        "It is the start-up path of the agent: it installs CNI binaries and configuration, mounts file systems, waits for others. \
         A pod whose init container fails never gets to the agent.",
        "Read what the init container does to the node, and whether anything relies on what it leaves there.",
    ),
    field(
        "containers",
        containers,
        "a container of the pod is added, removed, renamed or moved",
        "The pod is ready only when all its containers are; logs, exec and monitors find them by name.",
        "",
    ),
    node(
        "host-namespace",
        |l| {
            let named =
                matches!(l.last(), "hostNetwork" | "hostPID" | "hostIPC" | "hostUsers" | "shareProcessNamespace");
            // Of these only hostUsers is on where nothing is written.
            risk(named && !l.written_out(l.last() == "hostUsers"))
        },
        "the pod enters or leaves a namespace of the node",
        "Rights on the node change, and with hostNetwork the pod's address, its ports and which network policies hold.",
        CHECK_ADMISSION,
    ),
    node(
        "host-path",
        |l| risk(l.has("hostPath") || l.last() == "mountPropagation"),
        "the pod's access to the node's file system changes",
        "A path that is missing on some node keeps the pod from starting there (type), one that moved leaves state behind, and \
         mount propagation decides whether the node sees what the pod mounts.",
        "See that the path exists on every node, with the type asked for; read-only and immutable systems differ.",
    ),
    PodRule {
        source: "https://kubernetes.io/docs/concepts/configuration/overview/#services",
        ..node(
            "host-port",
            host_port,
            "a port of the node is claimed",
            "If anything else on a node has that port, the pod cannot be scheduled there or fails to bind; firewalls between nodes \
             may not let it through.",
            "See that the port is free on the nodes (ss -ltn) and open where others must reach it.",
        )
    },
    node(
        "privileged",
        |l| risk(matches!(l.last(), "privileged" | "allowPrivilegeEscalation")),
        "the container gains or loses privileges",
        ADMISSION,
        CHECK_ADMISSION,
    ),
    node(
        "capabilities",
        |l| risk(l.has("capabilities")),
        "capabilities of the container change",
        ADMISSION,
        CHECK_ADMISSION,
    ),
    node(
        "seccomp",
        seccomp,
        "the seccomp profile changes",
        "A system call that the profile refuses fails inside the agent; a profile that is missing on a node keeps the pod from starting.",
        CHECK_ADMISSION,
    ),
    node(
        "app-armor",
        app_armor,
        "the AppArmor profile changes",
        "A profile that is not loaded on a node keeps the pod from starting there. The annotation gave way to a field in Kubernetes 1.30.",
        CHECK_ADMISSION,
    ),
    node(
        "selinux",
        |l| risk(l.has("seLinuxOptions")),
        "the SELinux context changes",
        "On nodes that enforce SELinux the agent may lose access to sockets and host paths.",
        CHECK_ADMISSION,
    ),
    node(
        "run-as",
        |l| {
            risk(
                matches!(l.last(), "runAsUser" | "runAsGroup" | "runAsNonRoot" | "fsGroup" | "supplementalGroups")
                    || l.has("supplementalGroups"),
            )
        },
        "the container runs as another user or group",
        "Files on the node and in volumes belong to somebody; an agent that is no longer root may not reach them.",
        CHECK_ADMISSION,
    ),
    node(
        "proc-mount",
        |l| risk(l.last() == "procMount"),
        "the container sees /proc in another way",
        ADMISSION,
        CHECK_ADMISSION,
    ),
    node(
        "read-only-root",
        |l| risk(l.last() == "readOnlyRootFilesystem"),
        "the container's root file system becomes read-only or writable",
        "What writes outside its volumes fails once it is read-only.",
        "",
    ),
    field(
        "image-repository",
        repository,
        "an image comes from another repository",
        "Mirrors, pull secrets, allow-lists and signatures are kept per repository: where the image cannot be pulled, the old \
         pod is gone and the new one does not start.",
        "Mirror the image and see that every node may pull it before the upgrade.",
    ),
    field(
        "image",
        tag,
        "another version of an image",
        "In an air-gapped cluster it has to be mirrored first; elsewhere each node pulls it while its agent is down.",
        "Pull it on every node beforehand to shorten the gap.",
    ),
    field(
        "image-pull",
        pull,
        "how images are pulled changes",
        "With Always the registry has to answer each time a pod starts, also on a node that has just lost its network.",
        "Keep IfNotPresent for what brings the network up.",
    ),
    field(
        "probes",
        probes,
        "a probe changes",
        "A liveness probe that fails restarts the agent again and again; a readiness probe that fails stops the rollout, and with \
         it the upgrade.",
        "See that what the probe asks is served by the new version on that port and path.",
    ),
    field(
        "shutdown",
        shutdown,
        "the pod has less or more time to end",
        "What the agent does when it ends (hand over, drain, remove routes) may be cut short.",
        "",
    ),
    field("ports", ports, "declared ports change", "Services and monitors find ports by name or number.", ""),
    field(
        "environment",
        environment,
        "environment variables change",
        "They switch features of the agent; one that is gone falls back to the default of the new version.",
        "Compare with the release notes what the default is now.",
    ),
    field(
        "arguments",
        arguments,
        "arguments change",
        "They switch features; a flag that the new version does not know ends it at once, one that is gone falls back to its default.",
        "Compare with the release notes what the default is now.",
    ),
    field(
        "priority-class",
        |l| risk(matches!(l.last(), "priorityClassName" | "priority" | "preemptionPolicy")),
        "the pod's priority changes",
        "Under pressure a node evicts lower priorities first; a node that loses its agent loses its network. A priority class that \
         does not exist keeps every pod from being created.",
        "Keep system-node-critical for what every pod on the node needs.",
    ),
    field(
        "tolerations",
        toleration,
        "tolerations change",
        "A node whose taint is not tolerated any more loses its agent, and with it the network of its pods.",
        "See the taints in use: kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
    ),
    field(
        "placement",
        |l| {
            risk(
                l.has("affinity")
                    || l.has("nodeSelector")
                    || l.has("topologySpreadConstraints")
                    || l.last() == "nodeName",
            )
        },
        "where pods may run changes",
        "A node that does not match any more loses its pod when the rollout reaches it; one that matches now gets one.",
        "Count the nodes that match before and after: kubectl get nodes -l …",
    ),
    field(
        "resources",
        resources,
        "requests or limits change",
        "More requested may not fit on a full node, then the old pod is gone and the new one waits; a lower limit may end the \
         agent when it needs more. Both decide the order of eviction.",
        "See what the nodes have left: kubectl describe nodes",
    ),
    field(
        "service-account",
        |l| match l.last() {
            "serviceAccountName" | "serviceAccount" => risk(true),
            // An account may say otherwise, so what is written out is worth knowing.
            "automountServiceAccountToken" if l.written_out(true) => Some(Level::Info),
            last => risk(last == "automountServiceAccountToken"),
        },
        "the pod uses another service account, or none",
        "Roles are bound to accounts: with the wrong one the agent starts and is refused by the API server.",
        "",
    ),
    field(
        "runtime-class",
        |l| risk(l.last() == "runtimeClassName"),
        "the pod runs in another runtime class",
        "A class that is missing on a node keeps the pod from starting there.",
        "",
    ),
    field(
        "dns",
        |l| risk(matches!(l.keys.get(1).map(String::as_str), Some("dnsPolicy" | "dnsConfig" | "hostAliases"))),
        "how the pod resolves names changes",
        "An agent that resolves through the cluster's own DNS waits for what it is to provide itself.",
        "",
    ),
    field(
        "volume-mounts",
        |l| level(l.has("volumeMounts") || l.has("volumeDevices"), l.lost() && !l.order()),
        "what is mounted where changes",
        "The agent looks for files where it used to find them.",
        "",
    ),
    field(
        "volumes",
        |l| level(l.has("volumes"), l.removed()),
        "volumes change",
        "A volume whose source does not exist keeps the pod from starting, unless it is optional.",
        "",
    ),
    field(
        "template-metadata",
        template_metadata,
        "labels or annotations of the pods change",
        "Any change of the template replaces all pods, this one as well. Selectors of Services, monitors and network policies go by labels.",
        "",
    ),
];

/// Applies [`POD_RULES`].
pub(super) const TEMPLATE: Rule = Rule {
    ids: &[],
    run: |case, notes| {
        for (delta, _, new) in changed(case) {
            let template = if delta.kind() == "CronJob" {
                &new["spec"]["jobTemplate"]["spec"]["template"]
            } else {
                &new["spec"]["template"]
            };
            for edit in &delta.edits {
                for (rule, level) in judge_edit(edit, |path| delta.scope.in_template(path).map(<[Step]>::len), template)
                {
                    let saying = Saying {
                        level,
                        id: rule.id,
                        title: rule.title,
                        why: rule.why,
                        fix: rule.fix,
                        source: rule.source,
                    };
                    notes.field(&saying, &delta.object().id, edit);
                }
            }
        }
    },
};

/// Rules that are about an edit of a pod template, each once with its worst level.
fn judge_edit(
    edit: &Edit,
    below: impl Fn(&[Step]) -> Option<usize>,
    template: &Value,
) -> Vec<(&'static PodRule, Level)> {
    let Some(length) = below(&edit.path.0) else { return Vec::new() };
    let top = edit.path.0.len() - length;
    let list =
        |step: Option<&Step>| matches!(step, Some(Step::Key(key)) if key == "containers" || key == "initContainers");
    let steps = &edit.path.0[top..];
    let whole = match steps.last() {
        Some(Step::Item(_)) => list(steps.len().checked_sub(2).and_then(|at| steps.get(at))),
        last => list(last),
    };
    let with_container = whole && !matches!(edit.what, What::Order { .. });
    let mut found: Vec<(&PodRule, Level)> = Vec::new();
    for (path, old, new) in leaves(edit) {
        let path = FieldPath(path.0[top..].to_vec());
        let names = path.0.iter().filter_map(|step| if let Step::Key(key) = step { Some(key.clone()) } else { None });
        let keys = names.collect();
        let leaf = Leaf { edit, path, keys, old, new, with_container, template };
        // What is wrong with a whole container is told beside the container itself.
        let hits = POD_RULES.iter().filter(|rule| !with_container || rule.whole_containers || rule.id == "containers");
        let hits = hits.filter_map(|rule| Some((rule, (rule.judge)(&leaf)?)));
        for (rule, level) in hits.take(if with_container { usize::MAX } else { 1 }) {
            match found.iter_mut().find(|(known, _)| known.id == rule.id) {
                Some((_, worst)) => *worst = level.min(*worst),
                None => found.push((rule, level)),
            }
        }
    }
    // A host port is a declared port as well, a hostPath a volume.
    for (worse, plain) in [("host-port", "ports"), ("host-path", "volumes")] {
        if found.iter().any(|(rule, _)| rule.id == worse) {
            found.retain(|(rule, _)| rule.id != plain);
        }
    }
    found
}
