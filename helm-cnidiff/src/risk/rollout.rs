//! Rules about how pods are replaced: whether they can be, how many at once, and what stops it.

use serde_json::Value;

use super::{AppliedBy, Case, Rule, Saying, changed};
use crate::comparison::{AtOnce, FieldPath, Level, ObjectRef, Restart, Shown, Step};
use crate::diff::objects::Delta;

const STRATEGY_DOC: &str = "https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/";

/// `spec.selector` is immutable from apps/v1 on.
pub(super) const SELECTOR: Rule = Rule {
    ids: &["selector-immutable"],
    run: |case, notes| {
        for (delta, ..) in
            changed(case).filter(|(delta, ..)| delta.was().is_none_or(|was| was.name == delta.object().id.name))
        {
            if !matches!(delta.kind(), "DaemonSet" | "Deployment" | "StatefulSet" | "ReplicaSet" | "Job") {
                continue;
            }
            for edit in delta.edits.iter().filter(|edit| edit.path.starts_with(&["spec", "selector"])) {
                let daemonset = delta.kind() == "DaemonSet";
                let why = if daemonset {
                    "The API server refuses to change a selector: the upgrade fails here. Deleting and creating the DaemonSet \
                     anew leaves every node without its agent until the new pods run."
                } else {
                    "The API server refuses to change a selector: the upgrade fails here."
                };
                let saying = Saying {
                    level: Level::Blocker,
                    id: "selector-immutable",
                    title: "the selector changes, and selectors are immutable",
                    why,
                    fix: if daemonset {
                        "Delete it with --cascade=orphan first and upgrade at once, so that the old pods run on until they are replaced."
                    } else {
                        "Delete it first, with --cascade=orphan to keep its pods."
                    },
                    source: "https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#pod-selector",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};

/// A new name is a new object: helm creates it and then deletes the old one.
pub(super) const RENAMED: Rule = Rule {
    ids: &["daemonset-renamed", "workload-renamed"],
    run: |case, notes| {
        for (delta, ..) in changed(case) {
            let id = &delta.object().id;
            let Some(was) = delta.was().filter(|was| was.name != id.name || was.namespace != id.namespace) else {
                continue;
            };
            // The namespace may only be written out on one side.
            if was.name == id.name && (was.namespace.is_empty() || id.namespace.is_empty()) {
                continue;
            }
            let saying = match id.kind.as_str() {
                "DaemonSet" => Saying {
                    level: Level::Blocker,
                    id: "daemonset-renamed",
                    title: "the DaemonSet gets another name",
                    why: "Both would run on every node for a while, and claim the same host ports and files; then the old one \
                          is deleted with all its pods at once. There is no rolling update between two DaemonSets.",
                    fix: "Plan the change node by node, or keep the old name by a value of the chart (fullnameOverride, nameOverride).",
                    source: "",
                },
                "Deployment" | "StatefulSet" => Saying {
                    level: Level::Risk,
                    id: "workload-renamed",
                    title: "the workload gets another name",
                    why: "The new one is created and the old one deleted at once: no rolling update between them.",
                    fix: "",
                    source: "",
                },
                _ => continue,
            };
            let text = |text: &str| Shown::Value(text.into());
            notes.plain(&saying, id, FieldPath::keys(["metadata", "name"]), text(&was.name), text(&id.name));
        }
    },
};

/// A DaemonSet that is gone takes its pods off every node.
pub(super) const REMOVED: Rule = Rule {
    ids: &["daemonset-removed", "daemonset-left-behind"],
    run: |case, notes| {
        for delta in case.compared.deltas.iter().filter(|d| d.new.is_none() && d.kind() == "DaemonSet") {
            if case.circumstances.applied_by == AppliedBy::Kubectl {
                let saying = Saying {
                    level: Level::Risk,
                    id: "daemonset-left-behind",
                    title: "the manifest has this DaemonSet no more; kubectl apply leaves it running",
                    why: "Old agents go on beside the new ones, with the same files and ports on the nodes.",
                    fix: "Delete it by hand at the right moment.",
                    source: "",
                };
                notes.whole(&saying, Some(&delta.object().id));
                continue;
            }
            let saying = Saying {
                level: Level::Risk,
                id: "daemonset-removed",
                title: "the DaemonSet is removed, and its pods with it, on all nodes at once",
                why: "What it did on the nodes ends without a rolling update, before or after its successor is ready.",
                fix: "Find out what takes over; if nothing does, keep it by the chart's values.",
                source: "",
            };
            notes.whole(&saying, Some(&delta.object().id));
        }
    },
};

/// A DaemonSet that is new starts on every node it matches.
pub(super) const ADDED: Rule = Rule {
    ids: &["daemonset-added"],
    run: |case, notes| {
        for delta in case.compared.deltas.iter().filter(|d| d.old.is_none() && d.kind() == "DaemonSet") {
            let new = &delta.object().value;
            let pod = &new["spec"]["template"]["spec"];
            let ports = host_ports(new);
            let list = |key: &str| pod[key].as_array().map(Vec::as_slice).unwrap_or_default();
            let privileged = list("containers")
                .iter()
                .chain(list("initContainers"))
                .any(|c| c["securityContext"]["privileged"] == true);
            let paths = list("volumes").iter().any(|v| v["hostPath"].is_object());
            let mut reach: Vec<String> = Vec::new();
            if pod["hostNetwork"] == true {
                reach.push("the node's network".into());
            }
            if !ports.is_empty() {
                reach.push(format!("host ports {}", ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")));
            }
            if paths {
                reach.push("host paths".into());
            }
            if privileged {
                reach.push("privileged containers".into());
            }
            let why = match reach.is_empty() {
                true => "Its images are pulled on every node.".to_owned(),
                false => format!("Its images are pulled on every node, and it asks for {}.", reach.join(", ")),
            };
            let saying = Saying {
                level: if reach.is_empty() { Level::Info } else { Level::Risk },
                id: "daemonset-added",
                title: "a new DaemonSet starts on every node",
                why: &why,
                fix: "Mirror its images, and see that its ports are free and admission lets it in.",
                source: "",
            };
            notes.whole(&saying, Some(&delta.object().id));
        }
    },
};

fn strategy(workload: &Value) -> &Value {
    let spec = &workload["spec"];
    if spec["updateStrategy"].is_null() { &spec["strategy"] } else { &spec["updateStrategy"] }
}

fn on_delete(workload: &Value) -> bool {
    strategy(workload)["type"] == "OnDelete"
}

/// With OnDelete a new template is stored and nothing else happens.
pub(super) const ON_DELETE: Rule = Rule {
    ids: &["update-inert"],
    run: |case, notes| {
        for (delta, _, new) in changed(case) {
            if !matches!(delta.kind(), "DaemonSet" | "StatefulSet") || !on_delete(new) {
                continue;
            }
            let became = delta.edits.iter().find(|edit| edit.path.to_string().contains("updateStrategy"));
            if delta.template_edits().is_empty() && became.is_none() {
                continue;
            }
            let saying = Saying {
                level: Level::Risk,
                id: "update-inert",
                title: "updateStrategy is OnDelete: no pod changes until somebody deletes it",
                why: "The upgrade reports success while every node runs the old version, with the new configuration and rights \
                      around it. A pod that dies comes back as the new version.",
                fix: "Delete the pods node by node after the upgrade, or set updateStrategy.type to RollingUpdate.",
                source: STRATEGY_DOC,
            };
            let path = FieldPath::keys(["spec", "updateStrategy", "type"]);
            let before = became.map_or(Shown::Value("OnDelete".into()), |_| Shown::Absent);
            notes.plain(&saying, &delta.object().id, path, before, Shown::Value("OnDelete".into()));
        }
    },
};

/// How many pods are down at once, for a number of pods.
fn unavailable(workload: &Value, kind: &str, pods: Option<u64>) -> AtOnce {
    let rolling = &strategy(workload)["rollingUpdate"];
    let (written, daemonset) = (&rolling["maxUnavailable"], kind == "DaemonSet");
    if strategy(workload)["type"] == "Recreate" {
        return AtOnce { setting: "Recreate".into(), default: false, pods };
    }
    let setting = match written {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ if daemonset && positive(&rolling["maxSurge"]) => "0".into(),
        _ if kind == "Deployment" => "25%".into(),
        _ => "1".into(),
    };
    // A DaemonSet rounds up, a Deployment down.
    let share = |percent: u64, pods: u64| match daemonset {
        true => (pods * percent).div_ceil(100),
        false => pods * percent / 100,
    };
    let count = match setting.strip_suffix('%') {
        Some(percent) => percent.parse().ok().and_then(|percent| Some(share(percent, pods?))),
        None => setting.parse().ok().map(|count: u64| pods.map_or(count, |pods| count.min(pods))),
    };
    AtOnce { setting, default: written.is_null(), pods: count }
}

fn positive(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_some_and(|n| n > 0),
        Value::String(text) => text.trim_end_matches('%').parse::<u64>().is_ok_and(|n| n > 0),
        _ => false,
    }
}

/// More pods at once, or another way of replacing them.
pub(super) const STRATEGY: Rule = Rule {
    ids: &["max-unavailable-raised", "update-strategy-changed", "min-ready-seconds"],
    run: |case, notes| {
        for (delta, old, new) in changed(case) {
            for edit in &delta.edits {
                let Some(Step::Key(field)) = edit.path.0.get(1).filter(|_| edit.path.starts_with(&["spec"])) else {
                    continue;
                };
                let saying = match field.as_str() {
                    "updateStrategy" | "strategy" => {
                        // Compared on a hundred nodes where the cluster is not known: a percentage can be told from a number.
                        let pods = pods(case, delta, new).or(Some(100));
                        let (before, after) =
                            (unavailable(old, delta.kind(), pods), unavailable(new, delta.kind(), pods));
                        if after.pods > before.pods && !on_delete(new) {
                            Saying {
                                level: Level::Risk,
                                id: "max-unavailable-raised",
                                title: "more pods are replaced at the same time",
                                why: "Each node whose agent restarts cannot set up pods meanwhile, and may lose traffic; that is now \
                                      true of more nodes at once.",
                                fix: "Set maxUnavailable to what the cluster can miss.",
                                source: STRATEGY_DOC,
                            }
                        } else {
                            Saying {
                                level: Level::Info,
                                id: "update-strategy-changed",
                                title: "pods are replaced in another way",
                                why: "A change of the strategy alone restarts nothing; it holds from this upgrade on.",
                                fix: "",
                                source: STRATEGY_DOC,
                            }
                        }
                    }
                    "minReadySeconds" => Saying {
                        level: Level::Info,
                        id: "min-ready-seconds",
                        title: "the pause between two pods changes",
                        why: "A pod counts as available after it has been ready that long; the rollout goes at that pace.",
                        fix: "",
                        source: STRATEGY_DOC,
                    },
                    _ => continue,
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};

/// Host ports a pod claims: those written down, and with hostNetwork every declared port.
fn host_ports(workload: &Value) -> Vec<u64> {
    let pod = &workload["spec"]["template"]["spec"];
    let host = pod["hostNetwork"] == true;
    let containers = pod["containers"].as_array().into_iter().flatten();
    let ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
    ports
        .filter_map(|p| p["hostPort"].as_u64().filter(|n| *n > 0).or(p["containerPort"].as_u64().filter(|_| host)))
        .collect()
}

/// maxSurge needs room for a second pod on the node.
pub(super) const SURGE: Rule = Rule {
    ids: &["surge-needs-ports", "surge-and-unavailable"],
    run: |case, notes| {
        for delta in case.compared.deltas.iter().filter(|d| d.kind() == "DaemonSet") {
            let Some(new) = delta.new.map(|object| &object.value) else { continue };
            let rolling = &strategy(new)["rollingUpdate"];
            let path = FieldPath::keys(["spec", "updateStrategy", "rollingUpdate", "maxSurge"]);
            let show = |value: &Value| if value.is_null() { Shown::Absent } else { Shown::Value(value.clone()) };
            let before = delta.old.map_or(Shown::Absent, |o| show(&strategy(&o.value)["rollingUpdate"]["maxSurge"]));
            let (surge, unavailable) = (&rolling["maxSurge"], &rolling["maxUnavailable"]);
            let zero = |value: &Value| !value.is_null() && !positive(value);
            if positive(surge) && positive(unavailable) || zero(unavailable) && !positive(surge) {
                let saying = Saying {
                    level: Level::Blocker,
                    id: "surge-and-unavailable",
                    title: "exactly one of maxSurge and maxUnavailable must be more than zero",
                    why: "The API server refuses the DaemonSet.",
                    fix: "Set one of them to 0.",
                    source: STRATEGY_DOC,
                };
                notes.plain(&saying, &delta.object().id, path, before, show(surge));
                continue;
            }
            let ports = host_ports(new);
            // Nothing is replaced where no pod changes.
            let replaced =
                delta.old.is_none() || !delta.template_edits().is_empty() || positive(surge) && before != show(surge);
            if positive(surge) && !ports.is_empty() && replaced {
                let list = ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
                let why = format!(
                    "maxSurge starts the new pod beside the old one, and both want host ports {list}: the scheduler finds no \
                     node with free ports and the rollout stalls for good."
                );
                let saying = Saying {
                    level: Level::Blocker,
                    id: "surge-needs-ports",
                    title: "maxSurge with host ports: the rollout cannot start",
                    why: &why,
                    fix: "Set maxSurge to 0 and maxUnavailable to 1, or take the ports out of the pod's declaration.",
                    source: "https://github.com/kubernetes/kubernetes/issues/106417",
                };
                notes.plain(&saying, &delta.object().id, path, before, show(surge));
            }
        }
    },
};

fn pods(case: &Case<'_>, delta: &Delta<'_>, workload: &Value) -> Option<u64> {
    let known = |id: &ObjectRef| case.circumstances.pods.get(&(id.namespace.clone(), id.name.clone())).copied();
    match delta.kind() {
        "DaemonSet" => {
            let here = known(delta.was().unwrap_or(&delta.object().id));
            // A node selector keeps it off nodes: then the number of nodes says nothing.
            let selector = workload["spec"]["template"]["spec"]["nodeSelector"].as_object();
            let everywhere = selector.is_none_or(|map| map.keys().all(|key| key == "kubernetes.io/os"));
            here.or(case.circumstances.nodes.filter(|_| everywhere))
        }
        _ => Some(workload["spec"]["replicas"].as_u64().unwrap_or(1)),
    }
}

/// Workloads whose pods are replaced, DaemonSets first.
pub(super) fn restarts(case: &Case<'_>) -> Vec<Restart> {
    let mut restarts = Vec::new();
    for (delta, _, new) in changed(case) {
        let edits = delta.template_edits();
        let id = &delta.object().id;
        // Under a new name there is no rollout: everything old goes, everything new comes.
        let renamed = delta.was().is_some_and(|was| was.name != id.name);
        if edits.is_empty() && !renamed || !matches!(delta.kind(), "DaemonSet" | "Deployment" | "StatefulSet") {
            continue;
        }
        let pods = pods(case, delta, new);
        let at_once = match renamed {
            true => AtOnce { setting: "all".into(), default: false, pods },
            false => unavailable(new, delta.kind(), pods),
        };
        let mut because: Vec<FieldPath> = edits.iter().map(|edit| edit.path.clone()).collect();
        because.sort();
        restarts.push(Restart { object: id.clone(), pods, at_once, on_delete: on_delete(new), because });
    }
    restarts
}
