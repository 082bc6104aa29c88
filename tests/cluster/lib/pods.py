"""Where a pod's network is, seen from the machine."""

from __future__ import annotations

from pathlib import Path

from .names import Cluster, Node
from .processes import init_pid
from .shell import ClusterError, run


def namespaces(cluster: Cluster, node: Node) -> Path:
    """The directory in which a node keeps its pods' network namespaces."""
    return Path(f"/proc/{init_pid(cluster, node)}/root/run/netns")


def namespace_of(cluster: Cluster, node: Node, address: str) -> Path:
    """The network namespace of the pod with this address."""
    for path in namespaces(cluster, node).iterdir():
        if f" {address}/" in run("nsenter", f"--net={path}", "--", "ip", "-brief", "addr", check=False):
            return path
    raise ClusterError(f"no network namespace on {node.name} has the address {address}")
