"""What a cluster looks like right now."""

from __future__ import annotations

import os
from pathlib import Path

from . import network, nodes, processes, state
from .api import Api, node_is_ready, pod_is_ready
from .names import Cluster
from .shell import ClusterError
from .up import describe

CONTROL = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def show(cluster: Cluster) -> bool:
    """Print it; True when everything that should run does."""
    complete = state.is_complete(cluster)
    print(f"cluster {cluster.name}: {describe(cluster)}{'' if complete else ' (HALF DONE: run down)'}")
    print(f"  state {cluster.dir}   API {cluster.api_url}   KUBECONFIG {cluster.admin_kubeconfig}")
    names = list(CONTROL) + [nodes.daemon(n, p) for n in cluster.nodes for p in ("containerd", "kubelet", "kube-proxy")]
    dead = [name for name in names if processes.daemon_pid(cluster, name) is None]
    memory = {name: _resident(processes.daemon_pid(cluster, name)) for name in names}
    for name in CONTROL:
        print(f"  {name:26} {'not running' if name in dead else f'{memory[name]} MiB'}")
    healthy = complete and not dead
    try:
        api = Api(cluster)
        ready = {n["metadata"]["name"]: node_is_ready(n) for n in api.get("/api/v1/nodes")["items"]}
        pods = api.get("/api/v1/pods")["items"]
    except OSError as error:
        print(f"  the API server does not answer: {error}")
        ready, pods, healthy = {}, [], False
    for node in cluster.nodes:
        parts = [f"{p} {'not running' if (d := nodes.daemon(node, p)) in dead else f'{memory[d]} MiB'}" for p in ("containerd", "kubelet", "kube-proxy")]
        up = ready.get(node.name, False)
        healthy = healthy and up
        print(f"  {node.name} {'Ready' if up else 'NOT READY':9} {node.ip4} pods {node.pods4}  {', '.join(parts)}")
    for pod in pods:
        if not pod_is_ready(pod) and pod["status"].get("phase") != "Succeeded":
            print(f"  pod not ready: {pod['metadata']['namespace']}/{pod['metadata']['name']} on {pod['spec'].get('nodeName')}")
    print(f"  {len(pods)} pods, {sum(memory.values())} MiB resident in daemons", end="")
    try:
        print(f", {network.outward_packets(cluster)} packets for the outside stopped")
    except ClusterError:
        print()
    faults = sorted(p.name for p in (cluster.dir / "faults").glob("*.json")) if (cluster.dir / "faults").is_dir() else []
    if faults:
        print(f"  faults in place: {len(faults)} (tests/cluster/fault --name {cluster.name} list)")
    return healthy


def _resident(pid: int | None) -> int:
    """Resident memory of a process in MiB."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20
