//! Rules about objects that are no workloads: rights, definitions, what is reached through what, what goes away.

use super::{AppliedBy, Case, Notes, Rule, Saying, changed};
use crate::comparison::{FieldPath, Grant, Level, Shown, Step};
use crate::diff::objects::Delta;
use crate::diff::rbac;

/// Fields that the API server refuses to change: group, kind, path.
const IMMUTABLE: &[(&str, &str, &[&str])] = &[
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &["roleRef"]),
    ("rbac.authorization.k8s.io", "RoleBinding", &["roleRef"]),
    ("apps", "StatefulSet", &["spec", "serviceName"]),
    ("apps", "StatefulSet", &["spec", "volumeClaimTemplates"]),
    ("apps", "StatefulSet", &["spec", "podManagementPolicy"]),
    ("batch", "Job", &["spec", "template"]),
    ("batch", "Job", &["spec", "completions"]),
    ("scheduling.k8s.io", "PriorityClass", &["value"]),
    ("scheduling.k8s.io", "PriorityClass", &["preemptionPolicy"]),
    ("storage.k8s.io", "StorageClass", &["provisioner"]),
    ("storage.k8s.io", "StorageClass", &["parameters"]),
    ("node.k8s.io", "RuntimeClass", &["handler"]),
    ("networking.k8s.io", "IngressClass", &["spec", "controller"]),
    ("", "Service", &["spec", "clusterIP"]),
    ("", "PersistentVolumeClaim", &["spec", "storageClassName"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec", "scope"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec", "group"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec", "names", "plural"]),
    ("apiextensions.k8s.io", "CustomResourceDefinition", &["spec", "names", "kind"]),
];

/// A change that the API server refuses.
pub(super) const IMMUTABLE_FIELD: Rule = Rule {
    ids: &["field-immutable"],
    run: |case, notes| {
        // Hooks are deleted and created anew.
        for (delta, ..) in changed(case).filter(|(delta, ..)| !is_hook(delta)) {
            let id = &delta.object().id;
            for edit in &delta.edits {
                let hit = |(group, kind, path): &&(&str, &str, &[&str])| {
                    *group == id.group() && *kind == id.kind && edit.path.starts_with(path)
                };
                if !IMMUTABLE.iter().any(|row| hit(&row)) {
                    continue;
                }
                let saying = Saying {
                    level: Level::Blocker,
                    id: "field-immutable",
                    title: "a field changes that cannot be changed",
                    why: "The API server refuses it: the upgrade fails here, with what came before it already applied.",
                    fix: "Delete the object first, or keep the field as it is; see what depends on it.",
                    source: "https://kubernetes.io/docs/reference/kubernetes-api/",
                };
                notes.field(&saying, id, edit);
            }
        }
    },
};

/// Verbs and resources that reach beyond what they name.
fn dangerous(grant: &Grant) -> bool {
    let verb = |names: &[&str]| grant.verbs.iter().any(|v| v == "*" || names.contains(&v.as_str()));
    let writes = verb(&["create", "update", "patch", "delete", "deletecollection"]);
    // Reading everything of one's own group is an operator's daily work; of all groups it is reading all secrets.
    let own = !grant.group.is_empty() && grant.group != "*";
    let star = grant.verbs.iter().any(|v| v == "*") || grant.resource.contains('*') && (writes || !own);
    let rules = [
        "rbac.authorization.k8s.io",
        "admissionregistration.k8s.io",
        "certificates.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
    ];
    let anywhere = ["secrets", "pods/exec", "pods/attach", "nodes/proxy", "serviceaccounts/token"];
    star || verb(&["escalate", "bind", "impersonate", "approve", "sign"])
        || anywhere.contains(&grant.resource.as_str())
        || writes && rules.contains(&grant.group.as_str())
        || writes && matches!(grant.resource.as_str(), "pods" | "nodes" | "daemonsets" | "deployments" | "jobs")
}

fn listed(grants: &[Grant]) -> Shown {
    let one = |g: &Grant| {
        let group = if g.group.is_empty() { String::new() } else { format!(".{}", g.group) };
        let name = if g.resource_name.is_empty() { String::new() } else { format!(" {:?}", g.resource_name) };
        format!("{} {}{group}{name}", g.verbs.join(","), g.resource)
    };
    if grants.is_empty() { Shown::Absent } else { Shown::Value(grants.iter().map(one).collect::<Vec<_>>().into()) }
}

/// Rights gained and lost.
pub(super) const RIGHTS: Rule = Rule {
    ids: &["rights-gained", "rights-lost"],
    run: |case, notes| {
        for delta in
            case.compared.deltas.iter().filter(|d| d.old.is_none() && matches!(d.kind(), "Role" | "ClusterRole"))
        {
            let wide: Vec<Grant> = rbac::of(&delta.object().value).into_iter().filter(dangerous).collect();
            if !wide.is_empty() {
                let saying = Saying {
                    level: Level::Risk,
                    id: "rights-gained",
                    title: "a new role grants rights that reach far",
                    why: "Over secrets, over other workloads, over roles, or over everything.",
                    fix: "Whoever installs needs these rights as well, or the right to escalate.",
                    source: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
                };
                notes.plain(&saying, &delta.object().id, FieldPath::keys(["rules"]), Shown::Absent, listed(&wide));
            }
        }
        for (delta, old, new) in changed(case).filter(|(d, ..)| matches!(d.kind(), "Role" | "ClusterRole")) {
            let grants = rbac::compare(old, new);
            let id = &delta.object().id;
            let wide: Vec<Grant> = grants.gained.iter().filter(|grant| dangerous(grant)).cloned().collect();
            if !grants.gained.is_empty() {
                let saying = Saying {
                    level: if wide.is_empty() { Level::Info } else { Level::Risk },
                    id: "rights-gained",
                    title: "the role grants more",
                    why: if wide.is_empty() {
                        "The new version asks for more than the old one had."
                    } else {
                        "Among it are rights that reach far: over secrets, over other workloads, over roles, or over everything."
                    },
                    fix: "Whoever installs needs these rights as well, or the right to escalate.",
                    source: "https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
                };
                let shown = listed(if wide.is_empty() { &grants.gained } else { &wide });
                notes.plain(&saying, id, FieldPath::keys(["rules"]), Shown::Absent, shown);
            }
            if !grants.lost.is_empty() {
                let saying = Saying {
                    level: Level::Risk,
                    id: "rights-lost",
                    title: "the role grants less",
                    why: "Roles change before pods are replaced: until the rollout is through, agents of the old version run with \
                          the rights of the new one, and after a rollback the other way round.",
                    fix: "Keep those that the old version needs in a role of your own until the rollout is over.",
                    source: "",
                };
                notes.plain(&saying, id, FieldPath::keys(["rules"]), listed(&grants.lost), Shown::Absent);
            }
        }
    },
};

/// Who holds a role.
pub(super) const BINDING: Rule = Rule {
    ids: &["binding-changed"],
    run: |case, notes| {
        for (delta, ..) in changed(case).filter(|(d, ..)| d.kind().ends_with("RoleBinding")) {
            for edit in delta.edits.iter().filter(|edit| edit.path.starts_with(&["subjects"])) {
                let saying = Saying {
                    level: Level::Risk,
                    id: "binding-changed",
                    title: "the role is bound to others",
                    why: "Who is bound no more loses its rights at once, before its pods are replaced.",
                    fix: "",
                    source: "",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};

/// Services, webhooks and aggregated APIs: others depend on them.
pub(super) const REACHED_BY: Rule = Rule {
    ids: &["service-selector", "service-ports", "webhook", "api-service"],
    run: |case, notes| {
        for delta in case.compared.deltas.iter().filter(|delta| delta.is_shown()) {
            let id = &delta.object().id;
            let webhook = delta.kind().ends_with("WebhookConfiguration");
            if webhook || delta.kind() == "APIService" {
                let saying = match webhook {
                    true => Saying {
                        level: Level::Risk,
                        id: "webhook",
                        title: "a webhook is added, removed or changed",
                        why: "The API server asks it for every object it matches, cluster-wide; with failurePolicy Fail nothing of that \
                              kind can be written while its pods do not answer, the pods themselves included.",
                        fix: "See which objects it matches, its failurePolicy and its namespaceSelector.",
                        source: "https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/",
                    },
                    false => Saying {
                        level: Level::Risk,
                        id: "api-service",
                        title: "an aggregated API is added, removed or changed",
                        why: "While its Service does not answer, the whole group is missing, and deleting namespaces hangs.",
                        fix: "See after the upgrade that it is available: kubectl get apiservices",
                        source: "https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/",
                    },
                };
                if delta.edits.is_empty() {
                    notes.whole(&saying, Some(id));
                }
                for edit in delta.edits.iter().filter(|edit| !edit.path.starts_with(&["metadata"])) {
                    notes.field(&saying, id, edit);
                }
            }
            if delta.kind() == "Service" && id.group().is_empty() {
                service(delta, notes);
            }
        }
    },
};

fn service(delta: &Delta<'_>, notes: &mut Notes<'_>) {
    for edit in &delta.edits {
        let saying = if edit.path.starts_with(&["spec", "selector"]) {
            Saying {
                level: Level::Risk,
                id: "service-selector",
                title: "the Service selects other pods",
                why: "It changes at once, pods change one by one: until the rollout is through it may find none, or only the new ones.",
                fix: "See that old and new pods both carry the labels, or expect a gap.",
                source: "https://kubernetes.io/docs/concepts/services-networking/service/",
            }
        } else if edit.path.starts_with(&["spec"]) && !edit.path.starts_with(&["spec", "clusterIP"]) {
            Saying {
                level: Level::Risk,
                id: "service-ports",
                title: "how the Service is reached changes",
                why: "Clients, firewalls and load balancers go by its ports and type.",
                fix: "",
                source: "https://kubernetes.io/docs/concepts/services-networking/service/",
            }
        } else {
            continue;
        };
        notes.field(&saying, &delta.object().id, edit);
    }
}

pub(super) fn keeps(delta: &Delta<'_>) -> bool {
    let policy =
        |object: &crate::manifest::Object| object.value["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep";
    delta.old.is_some_and(policy)
}

/// Whether the object is run by helm at a certain moment and no part of the release.
fn is_hook(delta: &Delta<'_>) -> bool {
    [delta.old, delta.new].into_iter().flatten().any(|o| !o.value["metadata"]["annotations"]["helm.sh/hook"].is_null())
}

/// Whether what is not in the target stays in the cluster.
pub(super) fn stays(case: &Case<'_>) -> bool {
    case.circumstances.applied_by == AppliedBy::Kubectl
}

/// Objects that go away.
pub(super) const GONE: Rule = Rule {
    ids: &["namespace-removed", "priority-class-removed", "object-removed", "object-kept"],
    run: |case, notes| {
        // Helm leaves old hooks alone.
        for delta in case.compared.deltas.iter().filter(|delta| delta.new.is_none() && !is_hook(delta)) {
            let id = &delta.object().id;
            if matches!(id.kind.as_str(), "DaemonSet" | "CustomResourceDefinition") {
                continue;
            }
            let base = Saying {
                level: Level::Info,
                id: "object-removed",
                title: "the object is deleted",
                why: "",
                fix: "",
                source: "",
            };
            let saying = match id.kind.as_str() {
                _ if stays(case) => Saying {
                    id: "object-kept",
                    title: "the manifest has it no more; kubectl apply leaves it in the cluster",
                    fix: "Delete it by hand once nothing uses it.",
                    source: "https://kubernetes.io/docs/tasks/manage-kubernetes-objects/declarative-config/#how-to-delete-objects",
                    ..base
                },
                _ if keeps(delta) => Saying {
                    id: "object-kept",
                    title: "the chart has it no more; it stays in the cluster (helm.sh/resource-policy: keep)",
                    fix: "From now on it is yours.",
                    source: "https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource",
                    ..base
                },
                "Namespace" => Saying {
                    level: Level::Blocker,
                    id: "namespace-removed",
                    title: "the namespace is deleted, with everything in it",
                    why: "Also what helm does not know of.",
                    fix: "Keep it: kubectl annotate namespace NAME helm.sh/resource-policy=keep",
                    ..base
                },
                "PriorityClass" => Saying {
                    level: Level::Risk,
                    id: "priority-class-removed",
                    title: "the priority class is deleted",
                    why: "Pods that name it cannot be created any more.",
                    ..base
                },
                "Deployment" | "StatefulSet" | "Service" | "Role" | "ClusterRole" | "RoleBinding"
                | "ClusterRoleBinding" | "ServiceAccount" | "ConfigMap" | "Secret" => Saying {
                    level: Level::Risk,
                    why: "Pods of the old version use what is theirs until they are replaced; others may use it as well.",
                    fix: "See that nothing outside the chart refers to it.",
                    ..base
                },
                _ => base,
            };
            notes.whole(&saying, Some(id));
        }
    },
};

/// Labels of a namespace decide what may run in it.
pub(super) const NAMESPACE: Rule = Rule {
    ids: &["pod-security-level"],
    run: |case, notes| {
        for (delta, ..) in changed(case).filter(|(d, ..)| d.kind() == "Namespace") {
            let level = |edit: &&crate::diff::tree::Edit| {
                edit.path.0.iter().any(|s| matches!(s, Step::Key(k) if k.starts_with("pod-security.kubernetes.io/")))
            };
            for edit in delta.edits.iter().filter(level) {
                let saying = Saying {
                    level: Level::Risk,
                    id: "pod-security-level",
                    title: "the namespace's Pod Security level changes",
                    why: "Agents need `privileged`; at any other level their new pods are refused.",
                    fix: "",
                    source: "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
                };
                notes.field(&saying, &delta.object().id, edit);
            }
        }
    },
};

/// Charts of operators do not contain the DaemonSet they end in.
pub(super) const OPERATOR: Rule = Rule {
    ids: &["operator-renders-no-daemonset"],
    run: |case: &Case<'_>, notes| {
        let daemonsets = |set: &crate::manifest::ObjectSet| set.of_kind("apps", "DaemonSet").next().is_some();
        if daemonsets(case.old) || daemonsets(case.new) {
            return;
        }
        for (delta, ..) in changed(case).filter(|(d, ..)| d.kind() == "Deployment") {
            let id = &delta.object().id;
            if !id.name.contains("operator") || delta.edits.is_empty() {
                continue;
            }
            let fix = format!(
                "After the operator's upgrade in a test cluster: kubectl get daemonsets -A -o yaml, compared by `helm cnidiff manifests before.yaml after.yaml`. \
                 Watch the real one with: kubectl -n {} logs -f deploy/{}",
                id.namespace, id.name
            );
            let saying = Saying {
                level: Level::Risk,
                id: "operator-renders-no-daemonset",
                title: "the DaemonSets are made by this operator and are not in the chart",
                why: "What the nodes' agents will look like is in the operator's image: no change shown here does not mean that \
                      none comes. The operator rolls the agents by itself as soon as it runs.",
                fix: &fix,
                source: "https://docs.tigera.io/calico/latest/operations/upgrading/kubernetes-upgrade",
            };
            notes.whole(&saying, Some(id));
        }
    },
};
