"""Taking a cluster down: processes, then links and namespaces, then files."""

from __future__ import annotations

import time
from pathlib import Path

from . import cgroups, network, processes, state
from .names import Cluster
from .shell import run


def down(cluster: Cluster) -> None:
    """Remove everything; right at any moment of an `up`, also one that was killed. The lock must be held."""
    (cluster.dir / "complete").unlink(missing_ok=True)
    processes.stop_all(cluster)
    cgroups.remove(cluster)
    network.remove(cluster)
    _unmount_below(cluster.dir)
    _clear(cluster.dir)


def _unmount_below(directory: Path) -> None:
    """Nothing is mounted there in the machine's own view unless something went wrong; make sure all the same."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in sorted((m for m in mounts if m.startswith(f"{directory}/")), reverse=True):
        run("umount", "-l", path, check=False)


def _clear(directory: Path) -> None:
    # The settings go last: a `down` that is killed here can be run again.
    for attempt in range(20):
        rest = [p for p in directory.iterdir() if p.name != "settings.json"]
        if not rest:
            break
        run("rm", "-rf", "--one-file-system", *map(str, rest), check=attempt == 19)
        time.sleep(0.05 * attempt)
    state.remove(directory.name)
