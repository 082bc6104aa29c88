"""What a cluster could leave behind on the machine, for comparing before with after."""

from __future__ import annotations

import re
from pathlib import Path

from . import state
from .names import Cluster, state_root
from .shell import run

# Values that change by themselves.
_RESTLESS = re.compile(r"random|ns_last_pid|nf_conntrack_count|\.nr$|nr_|route\.flush|entropy|pty|drop_caches|compact|sched_domain")

Snapshot = dict[str, set[str]]


def snapshot() -> Snapshot:
    """Namespaces, links, routes, mounts, filters, sysctls, control groups and files as they are now."""
    links = {line.split()[0].split("@")[0] for line in run("ip", "-brief", "link").splitlines()}
    sysctls = run("sysctl", "-a", check=False).splitlines()
    return {
        "network namespaces": set(run("ip", "netns", "list").split("\n")) - {""},
        "links": links,
        "routes": set(run("ip", "route").splitlines()),
        "mounts": {" ".join(line.split()[:3]) for line in Path("/proc/mounts").read_text().splitlines()},
        "filters": set(run("nft", "list", "tables").splitlines()),
        "sysctls": {s for s in sysctls if s.startswith(("net.", "vm.", "kernel.")) and not _RESTLESS.search(s)},
        "control groups": {str(p) for p in Path("/sys/fs/cgroup").rglob("*") if p.is_dir() and p.parent.name == "k8s.io"},
        "state files": {str(p) for p in state_root().rglob("*")} if state_root().is_dir() else set(),
        "processes": {p for p in _command_lines() if str(state_root()) in p},
    }


def _command_lines() -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            pass
    return lines


def differences(before: Snapshot, after: Snapshot, cluster: Cluster) -> list[str]:
    """What is not as it was. While other clusters come and go, only what bears this cluster's marks counts."""
    marks = (f"{cluster.name}-", cluster.host_link, str(cluster.dir), cluster.host_ip)
    alone = not [name for name in state.names() if name != cluster.name]
    found = []
    for kind in before:
        for sign, lines in (("+", after[kind] - before[kind]), ("-", before[kind] - after[kind])):
            found += [f"{kind} {sign} {line}" for line in sorted(lines) if alone or any(mark in line for mark in marks)]
    return found
