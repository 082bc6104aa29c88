"""Rights as printed suffice; each right taken away is named, or has a way around it that works."""

import copy
import json
import time

from .harness import Harness, told

BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "kubectl-cni-verify"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubectl-cni-verify"},
    "subjects": [{"kind": "User", "name": "alice"}],
}
# Rights whose absence has a way around it, and which.
AROUND = {
    ("pods/exec", "create"): "plans by ConfigMap, results by log",
    ("pods/exec", "get"): "plans by ConfigMap, results by log",
    ("pods", "watch"): "pods are listed again and again",
    ("pods", "deletecollection"): "the garbage collector removes the DaemonSets' pods",
    ("events", "list"): "the pods' own status has to do",
    ("configmaps", "patch"): "no sign of life for other runs",
    ("configmaps", "list"): "leftovers of other runs stay",
    ("namespaces", "list"): "leftovers of other runs stay",
    **{(resource, "get"): "only asked for when an answer got lost on its way" for resource in ("configmaps", "daemonsets", "networkpolicies")},
    ("controllerrevisions", "list"): "only read where agents are known, which this cluster has none of",
    ("namespaces", "get"): "whether the namespace is gone is not watched",
    ("pods/log", "get"): "only asked when something failed",
}
# Those that the short form takes away.
SHORT = [("pods/exec", "get"), ("nodes", "list"), ("namespaces", "create"), ("daemonsets", "create"), ("networkpolicies", "create")]


def run(h: Harness) -> None:
    if not h.wanted("rights"):
        return
    printed = h.run("verify", "--print-rbac").stdout
    role = json.loads(h.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", text=printed))
    try:
        _bind(h, role)
        done = h.run("verify", "-o", "json", user="alice")
        h.check("rights as printed: works", done.returncode == 0, told(done))
        for resource, verb in _all_rights(role) if h.long else SHORT:
            _without(h, role, resource, verb)
        _bind(h, _less(role, "pods/exec", "create", "get"))
        done = h.run("verify", "-o", "json", "--no-policy", user="alice")
        said = "plans go in by ConfigMap" in done.stderr
        h.check("rights without pods/exec: plans by ConfigMap, results by log", done.returncode == 0 and said, told(done))
    finally:
        h.kubectl("delete", "clusterrolebinding,clusterrole", "kubectl-cni-verify")
    namespaced(h)


def namespaced(h: Harness) -> None:
    """With --namespace nothing is created outside it, and the rights to create are a Role in it."""
    h.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: probes, labels: {pod-security.kubernetes.io/enforce: restricted}}\n")
    try:
        h.apply(h.run("verify", "--print-rbac", "--namespace", "probes").stdout)
        for kind, name in (("clusterrolebinding", "--clusterrole"), ("rolebinding", "--role")):
            where = [] if kind == "clusterrolebinding" else ["-n", "probes"]
            h.kubectl("create", kind, "kubectl-cni-verify", f"{name}=kubectl-cni-verify", "--user=alice", *where)
        done = h.run("verify", "-o", "json", "--namespace", "probes", user="alice")
        h.check("rights in one namespace as printed: works", done.returncode == 0, told(done))
    finally:
        h.kubectl("delete", "clusterrolebinding,clusterrole", "kubectl-cni-verify")
        h.kubectl("delete", "namespace", "probes")


def _bind(h: Harness, role: dict) -> None:
    h.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [role, BINDING]}))
    time.sleep(0.3)  # the authorizer hears of it by a watch


def _all_rights(role: dict) -> list[tuple[str, str]]:
    """Each (resource, verb) once, without the CNI's own objects, which are not served here."""
    served = [rule for rule in role["rules"] if not any("cilium" in group for group in rule["apiGroups"])]
    return sorted({(resource, verb) for rule in served for resource in rule["resources"] for verb in rule["verbs"]})


def _less(role: dict, resource: str, *verbs: str) -> dict:
    less = copy.deepcopy(role)
    rules = []
    for rule in less["rules"]:
        if resource not in rule["resources"]:
            rules.append(rule)
            continue
        others = [other for other in rule["resources"] if other != resource]
        if others:
            rules.append(rule | {"resources": others})
        left = [verb for verb in rule["verbs"] if verb not in verbs]
        if left:
            rules.append(rule | {"resources": [resource], "verbs": left})
    less["rules"] = rules
    return less


def _without(h: Harness, role: dict, resource: str, verb: str) -> None:
    _bind(h, _less(role, resource, verb))
    done = h.run("verify", "-o", "json", user="alice")
    text = done.stdout + done.stderr
    around = AROUND.get((resource, verb))
    named = f"no permission to {verb} {resource}" in text
    if around:
        h.check(f"rights without {verb} {resource}: {around}", done.returncode == 0 or (done.returncode == 2 and named), told(done))
    else:
        h.check(f"rights without {verb} {resource}: undecided, and named", done.returncode == 2 and named, told(done))
    h.run("cleanup", "--all")
