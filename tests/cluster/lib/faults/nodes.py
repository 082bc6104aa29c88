"""Faults of the programs: kube-proxy, the CNI's configuration and agent, the API server."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from typing import Any

from .. import dns, nodes
from ..api import Api, node_is_ready
from ..names import Cluster
from ..processes import daemon_pid, pid_of, send, spawn, stop, wait_until
from ..shell import ClusterError
from ..up import flannel_is_ready, kubectl
from .model import Fault, Planted, one_node

# --- kube-proxy ----------------------------------------------------------------------------------------------------


def _proxy(planted: Planted) -> str:
    return nodes.daemon(planted.cluster.node(planted.options["NODE"]), "kube-proxy")


def _stop_proxy(planted: Planted) -> None:
    stop(planted.cluster, _proxy(planted))


def _start_proxy(planted: Planted) -> None:
    node = planted.cluster.node(planted.options["NODE"])
    if pid_of(planted.cluster, _proxy(planted)) is None:
        nodes.start_proxy(planted.cluster, node)
    nodes.wait_for_proxy(planted.cluster, node)


KUBE_PROXY_DOWN = Fault("kube-proxy-down", "kube-proxy on a node is not running; the rules it wrote stay", one_node, _stop_proxy, _start_proxy)


def _freeze(planted: Planted) -> None:
    pid = daemon_pid(planted.cluster, _proxy(planted))
    if pid is None:
        raise ClusterError(f"{_proxy(planted)} is not running")
    os.kill(pid, signal.SIGSTOP)  # only the daemon: the nsenter above it stops by itself, and is woken with it


def _thaw(planted: Planted) -> None:
    send(planted.cluster, _proxy(planted), signal.SIGCONT)
    nodes.wait_for_proxy(planted.cluster, planted.cluster.node(planted.options["NODE"]))


KUBE_PROXY_STALE = Fault("kube-proxy-stale", "kube-proxy on a node is frozen: it learns of no change", one_node, _freeze, _thaw)


def _stale_apply(planted: Planted) -> None:
    _freeze(planted)
    if planted.memo.get("replaced"):
        return
    cluster = planted.cluster
    before = dns.ready_endpoints(cluster)
    kubectl(cluster, "-n", "kube-system", "delete", "pod", "-l", "k8s-app=kube-dns", "--wait=false")
    wait_until(cluster, "new CoreDNS pods", lambda: dns.is_ready(cluster) and not before & dns.ready_endpoints(cluster), seconds=60)
    planted.memo.update(replaced=True, before=sorted(before), after=sorted(dns.ready_endpoints(cluster)))
    planted.save()


STALE_SERVICE_RULES = Fault("stale-service-rules", "a node still sends kube-dns traffic to pods that are gone", one_node, _stale_apply, _thaw)


# --- CNI -----------------------------------------------------------------------------------------------------------


def _ready_state(cluster: Cluster, name: str) -> bool:
    return node_is_ready(Api(cluster).get(f"/api/v1/nodes/{name}"))


def _no_config_apply(planted: Planted) -> None:
    cluster = planted.cluster
    node = cluster.node(planted.options["NODE"])
    saved = cluster.node_dir(node) / "cni-saved"
    saved.mkdir(exist_ok=True)
    for path in nodes.cni_conf_dir(cluster, node).iterdir():
        path.rename(saved / path.name)
    wait_until(cluster, f"{node.name} not Ready", lambda: not _ready_state(cluster, node.name), seconds=60)


def _no_config_undo(planted: Planted) -> None:
    cluster = planted.cluster
    node = cluster.node(planted.options["NODE"])
    saved = cluster.node_dir(node) / "cni-saved"
    if saved.is_dir():
        for path in saved.iterdir():
            # Written, not moved: containerd looks again when a file is written, not when one appears.
            (nodes.cni_conf_dir(cluster, node) / path.name).write_bytes(path.read_bytes())
            path.unlink()
        saved.rmdir()
    wait_until(cluster, f"{node.name} Ready", lambda: _ready_state(cluster, node.name), seconds=60)


NO_CNI_CONFIG = Fault("no-cni-config", "a node has lost its CNI configuration: no new pod gets a network there", one_node, _no_config_apply, _no_config_undo)

_DAEMONSET = "daemonset/kube-flannel-ds"


def _flannel_pods(cluster: Cluster) -> list[dict[str, Any]]:
    items = Api(cluster).get("/api/v1/namespaces/kube-flannel/pods?labelSelector=app%3Dflannel")["items"]
    return [p for p in items if not p["metadata"].get("deletionTimestamp")]


def _crashloop_apply(planted: Planted) -> None:
    cluster = planted.cluster
    if cluster.cni != "flannel":
        raise ClusterError("agent-crashloop needs a CNI with an agent: bring the cluster up with --cni flannel")
    path = "/apis/apps/v1/namespaces/kube-flannel/daemonsets/kube-flannel-ds"
    container = Api(cluster).get(path)["spec"]["template"]["spec"]["containers"][0]
    if "command" not in planted.memo:
        planted.memo.update(command=container.get("command"), args=container.get("args"))
        planted.save()
    _set_command(cluster, ["/bin/sh"], ["-c", "echo 'flanneld: simulated failure' >&2; sleep 1; exit 1"])
    kubectl(cluster, "-n", "kube-flannel", "delete", "pod", "-l", "app=flannel", "--wait=false")

    def all_crashed() -> bool:
        states = [s for p in _flannel_pods(cluster) for s in p["status"].get("containerStatuses", [])]
        return len(states) == cluster.node_count and all(s["restartCount"] > 0 for s in states)

    wait_until(cluster, "flannel crash-looping on every node", all_crashed, seconds=90)


def _crashloop_undo(planted: Planted) -> None:
    cluster = planted.cluster
    if "command" not in planted.memo:
        return
    _set_command(cluster, planted.memo["command"], planted.memo["args"])
    # Not left to the rolling update: pods that wait out their back-off would hold it up for minutes.
    kubectl(cluster, "-n", "kube-flannel", "delete", "pod", "-l", "app=flannel", "--wait=false")
    wait_until(cluster, "flannel rolled out", lambda: flannel_is_ready(cluster), seconds=120)


def _set_command(cluster: Cluster, command: list[str], args: list[str]) -> None:
    base = "/spec/template/spec/containers/0"
    patch = [{"op": "replace", "path": f"{base}/command", "value": command}, {"op": "replace", "path": f"{base}/args", "value": args}]
    kubectl(cluster, "-n", "kube-flannel", "patch", _DAEMONSET, "--type=json", "-p", json.dumps(patch))


AGENT_CRASHLOOP = Fault("agent-crashloop", "flannel's agent ends right after its start, on every node",
                        lambda parser: None, _crashloop_apply, _crashloop_undo)


# --- API server ----------------------------------------------------------------------------------------------------

_RESUME = "resume-apiserver"


def _pause_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("SECONDS", type=float)


def _pause_apply(planted: Planted) -> None:
    cluster, seconds = planted.cluster, planted.options["SECONDS"]
    pid = daemon_pid(cluster, "kube-apiserver")
    if pid is None:
        raise ClusterError("the API server is not running")
    stop(cluster, _RESUME)
    planted.memo["until"] = time.time() + seconds
    planted.save()
    # Stopped and woken by one process of its own: nobody has to be there when the time is over. With it goes the
    # record, so that the fault is no longer listed.
    spawn(cluster, _RESUME, ["sh", "-c", f"kill -STOP {pid}; sleep {seconds}; kill -CONT {pid}; rm -f '{planted.path}'"])


def _pause_undo(planted: Planted) -> None:
    stop(planted.cluster, _RESUME)
    send(planted.cluster, "kube-apiserver", signal.SIGCONT)


API_SERVER_PAUSE = Fault("apiserver-pause", "the API server stands still for some seconds, then goes on by itself",
                         _pause_arguments, _pause_apply, _pause_undo)
