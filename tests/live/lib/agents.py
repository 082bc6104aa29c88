"""Agents that are asked by exec: stand-ins with Cilium's names, since Cilium itself does not run on the test cluster."""

import json

from .harness import Harness, report_of, told, verdicts

GOOD = {"cilium": {"state": "Ok"}, "kubernetes": {"state": "Ok"}, "cluster": {"ciliumHealth": {"state": "Ok"}}, "stale": {}, "controllers": []}
BAD = GOOD | {"kubernetes": {"state": "Failure", "msg": "no connection"}}


def _manifest(program: str) -> str:
    """A DaemonSet that looks like Cilium's; its status command gives the status of the node it runs on."""
    script = '#!/bin/busybox sh\nexec /bin/busybox cat "/status/$NODE.json"\n'
    status = {f"{node}.json": json.dumps(GOOD if node != "n1" else BAD) for node in ("n0", "n1", "n2")}
    labels = {"k8s-app": "cilium"}
    container = {
        "name": "cilium-agent", "image": "docker.io/library/busybox:1.36", "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/busybox", "sleep", "3600"],
        "env": [{"name": "PATH", "value": "/status:/bin"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "volumeMounts": [{"name": "status", "mountPath": "/status"}],
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 0, "volumes": [{"name": "status", "configMap": {"name": "fake-cilium", "defaultMode": 0o755}}]}
    items = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fake-cilium", "namespace": "kube-system"}, "data": {program: script} | status},
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "cilium", "namespace": "kube-system", "labels": labels},
         "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}},
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def asked(h: Harness) -> None:
    for program in ("cilium-dbg", "cilium"):
        title = f"--allow-exec: agents with `{program}` are asked, the one that is not well is named"
        if not h.wanted(title):
            continue
        try:
            h.apply(_manifest(program))
            h.kubectl("-n", "kube-system", "rollout", "status", "daemonset/cilium", "--timeout=60s")
            done = h.run("verify", "-o", "json", "--no-policy", "--allow-exec")
        finally:
            h.kubectl("-n", "kube-system", "delete", "daemonset/cilium", "configmap/fake-cilium", "--wait")
        found = [check for check in verdicts(report_of(done), "fail") if check["id"] == "agent-self-report"]
        ok = done.returncode == 1 and len(found) == 1 and "kubernetes is Failure no connection" in found[0]["detail"] and not found[0]["evidence"]
        h.check(title, ok, f"{found}{told(done)}")
    title = "without --allow-exec: the agents are not asked, and that is said"
    if h.wanted(title):
        try:
            h.apply(_manifest("cilium"))
            done = h.run("verify", "-o", "json", "--no-policy")
        finally:
            h.kubectl("-n", "kube-system", "delete", "daemonset/cilium", "configmap/fake-cilium", "--wait")
        skipped = [check["hint"] for check in verdicts(report_of(done), "skip") if check["id"] == "agent-self-report"]
        h.check(title, skipped == ["--allow-exec"], told(done))
