"""The groups runc makes for containers: they lie in the machine's tree, and outlive a container that is killed."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from .names import Cluster

ROOT = Path("/sys/fs/cgroup")


def _groups(cluster: Cluster) -> list[Path]:
    """The cluster's groups, found by the container ids that containerd keeps in the state directory."""
    ids = {path.name for node in cluster.nodes
           for path in (cluster.node_dir(node) / "var/lib/containerd/io.containerd.runtime.v2.task/k8s.io").glob("*")}
    parents = [ROOT / "k8s.io", *(path / "k8s.io" for path in ROOT.glob("*") if path.is_dir())]
    return [parent / name for parent in parents if parent.is_dir() for name in ids if (parent / name).is_dir()]


def remove(cluster: Cluster) -> None:
    """Remove the groups of containers that are gone; must run before the state directory goes."""
    left = _groups(cluster)
    parents = {path.parent for path in left}
    for _ in range(40):
        for path in left:
            for below in sorted((p for p in path.rglob("*") if p.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    below.rmdir()
            with contextlib.suppress(OSError):
                path.rmdir()
        left = [path for path in left if path.exists()]
        if not left:
            break
        time.sleep(0.05)  # a process that was just killed still counts for a moment
    for parent in parents:
        with contextlib.suppress(OSError):
            parent.rmdir()  # only when no other cluster has groups there
