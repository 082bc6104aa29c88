"""Daemons: started with a record, checked while they start, ended by that record and never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .names import Cluster, Node
from .shell import CLEAN_ENV, ClusterError

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def _start_time(pid: int) -> str | None:
    """When a process started, in ticks since boot: with the pid it names one process for ever."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return stat.rsplit(")", 1)[1].split()[19]


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return False


def children(pid: int) -> list[int]:
    """The direct children of a process, in this machine's numbering."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _record(cluster: Cluster, name: str) -> Path:
    return cluster.dir / "pids" / name


def log_path(cluster: Cluster, name: str) -> Path:
    return cluster.dir / "log" / f"{name}.log"


def log_tail(cluster: Cluster, name: str, lines: int = 15) -> str:
    try:
        text = log_path(cluster, name).read_text(errors="replace")
    except OSError:
        return "(no log)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def spawn(cluster: Cluster, name: str, argv: list[str], path_first: str = "") -> None:
    """Start a daemon in a session of its own; its log goes to log/NAME.log."""
    record = _record(cluster, name)
    record.parent.mkdir(exist_ok=True)
    env = dict(CLEAN_ENV)
    if path_first:
        env["PATH"] = f"{path_first}:{env['PATH']}"
    boot = BOOT_ID.read_text().strip()

    def note_pid() -> None:
        # Runs in the child before it becomes the daemon: an `up` that is killed right after the fork has still
        # written down what it started.
        pid = os.getpid()
        fd = os.open(record, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.write(fd, f"{pid} {_start_time(pid)} {boot}\n".encode())
        os.close(fd)

    log = log_path(cluster, name)
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as out:
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", env=env,
                         start_new_session=True, preexec_fn=note_pid)


def pid_of(cluster: Cluster, name: str) -> int | None:
    """The recorded process, if it is still that one and still running."""
    try:
        pid, started, boot = _record(cluster, name).read_text().split()
    except (OSError, ValueError):
        return None
    same = boot == BOOT_ID.read_text().strip() and _start_time(int(pid)) == started
    return int(pid) if same and not _is_zombie(int(pid)) else None


def daemon_pid(cluster: Cluster, name: str) -> int | None:
    """The daemon itself: inside a node it is the child of the nsenter that brought it there."""
    pid = pid_of(cluster, name)
    if pid is None or "@" not in name:
        return pid
    below = children(pid)
    return below[0] if below else None


def require_alive(cluster: Cluster, name: str) -> None:
    """Fail with the daemon's own last words when it has ended."""
    if pid_of(cluster, name) is None:
        raise ClusterError(f"{name} ended; its last lines ({log_path(cluster, name)}):\n{log_tail(cluster, name)}")


def wait_until(cluster: Cluster, what: str, ready: Callable[[], bool], *daemons: str, seconds: float = 90) -> None:
    """Wait for `ready`, watching the daemons it depends on; says what it waited for when it gives up."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while True:
        try:
            if ready():
                return
            last = ""
        except (OSError, ValueError) as error:
            last = f" ({error})"
        for name in daemons:
            require_alive(cluster, name)
        if time.monotonic() > deadline:
            tails = "".join(f"\n{name}, last lines:\n{log_tail(cluster, name)}" for name in daemons)
            raise ClusterError(f"{what}: not after {seconds:.0f} s{last}{tails}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)


def send(cluster: Cluster, name: str, *signals: signal.Signals) -> None:
    """Send signals to a daemon and to the nsenter above it."""
    # nsenter stops itself when its child stops, so both need the SIGCONT.
    for pid in {pid_of(cluster, name), daemon_pid(cluster, name)} - {None}:
        for number in signals:
            os.kill(pid, number)


def stop(cluster: Cluster, name: str) -> None:
    """End one daemon and forget it."""
    below, above = daemon_pid(cluster, name), pid_of(cluster, name)
    _kill([pid for pid in {below, above} if pid])
    _record(cluster, name).unlink(missing_ok=True)


def _kill(pids: list[int], seconds: float = 5) -> None:
    stamps = {pid: _start_time(pid) for pid in pids}
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        left = [pid for pid, stamp in stamps.items() if stamp and _start_time(pid) == stamp and not _is_zombie(pid)]
        if not left:
            return
        time.sleep(0.01)


def _in_namespaces(namespaces: list[str]) -> list[int]:
    """Every process whose network namespace is one of these: they are ours, since we made the namespace."""
    wanted = set()
    for netns in namespaces:
        try:
            wanted.add(os.stat(f"/run/netns/{netns}").st_ino)
        except OSError:
            pass
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if os.stat(entry / "ns/net").st_ino in wanted:
                    found.append(int(entry.name))
            except OSError:
                pass
    return found


def stop_all(cluster: Cluster) -> None:
    """End everything the cluster runs. Each node is a PID namespace: with its first process goes every pod."""
    records = cluster.dir / "pids"
    names = [p.name for p in records.iterdir()] if records.is_dir() else []
    pids = {pid for name in names for pid in (pid_of(cluster, name), daemon_pid(cluster, name)) if pid}
    for node in cluster.nodes:
        pid = pid_of(cluster, node_init(node))
        pids.update(children(pid) if pid else [])
    _kill(list(pids))
    _kill(_in_namespaces([cluster.ctl_netns] + [node.netns for node in cluster.nodes]))


def node_init(node: Node) -> str:
    """The record of a node's first process (of the `unshare` above it)."""
    return f"node-{node.name}"


def init_pid(cluster: Cluster, node: Node) -> int:
    """The first process of a node, whose namespaces the others join."""
    pid = pid_of(cluster, node_init(node))
    below = children(pid) if pid else []
    if not below:
        raise ClusterError(f"node {node.name} is not running:\n{log_tail(cluster, node_init(node))}")
    return below[0]


def enter(cluster: Cluster, node: Node, argv: list[str]) -> list[str]:
    """The command line that runs `argv` inside a node: its files, its processes, its network."""
    return ["nsenter", f"--target={init_pid(cluster, node)}", "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/",
            "--", *argv]
