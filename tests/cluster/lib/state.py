"""The state directory: one per cluster, written before anything else is made, removed last."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from .names import Cluster, state_root
from .shell import ClusterError

INDEXES = range(1, 250)  # the third number of the cluster's addresses


def _index_dir() -> Path:
    return state_root() / ".index"


def claim_index(name: str) -> int:
    """The cluster's small number: from a hash of its name, the next free one when that is taken."""
    _index_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(state_root(), 0o700)
    start = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    for step in range(len(INDEXES)):
        index = INDEXES[(start + step) % len(INDEXES)]
        path = _index_dir() / str(index)
        try:
            fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            if path.read_text() in (name, ""):  # ours from an `up` that was killed here, or nobody's
                path.write_text(name)
                return index
            continue
        os.write(fd, name.encode())
        os.close(fd)
        return index
    raise ClusterError(f"no free cluster index under {_index_dir()}")


def save(cluster: Cluster) -> None:
    """Write down what the cluster is; from here on `down` can find all of it."""
    path = cluster.dir / "settings.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(cluster), indent=1) + "\n")
    fresh.rename(path)


def load(name: str) -> Cluster | None:
    """The cluster called `name`, or None when there is no trace of it."""
    try:
        return Cluster(**json.loads((state_root() / name / "settings.json").read_text()))
    except FileNotFoundError:
        return None


def existing(name: str) -> Cluster:
    """The cluster called `name`, which must be up."""
    cluster = load(name)
    if cluster is None or not is_complete(cluster):
        half = " (an `up` was cut short; run `down`)" if cluster else ""
        raise ClusterError(f"cluster {name!r} is not up{half}; bring it up with: tests/cluster/up --name {name}")
    return cluster


def names() -> list[str]:
    """Every cluster that has left a trace."""
    root = state_root()
    return sorted(p.name for p in root.iterdir() if p.is_dir() and p.name[0] != ".") if root.is_dir() else []


def is_complete(cluster: Cluster) -> bool:
    """Whether the last `up` came to its end."""
    return (cluster.dir / "complete").exists()


def mark_complete(cluster: Cluster) -> None:
    (cluster.dir / "complete").touch()


def remove(name: str) -> None:
    """Remove the directory and the claim on the index, then the root when nobody else is in it."""
    root = state_root()
    shutil.rmtree(root / name, ignore_errors=True)
    if (root / name).exists():
        shutil.rmtree(root / name)  # once more, this time saying what is in the way
    if _index_dir().is_dir():
        for claim in _index_dir().iterdir():
            if claim.read_text() == name:
                claim.unlink()
    for directory in (_index_dir(), root):
        with contextlib.suppress(OSError):
            directory.rmdir()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cluster's lock: the directory itself, so that no lock file is left behind."""
    path = state_root() / name
    while True:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(state_root(), 0o700)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting: another command is at work on cluster {name!r}", file=sys.stderr)
            fcntl.flock(fd, fcntl.LOCK_EX)
        try:  # `down` may have removed the directory while we waited: then lock the new one
            if os.stat(path).st_ino == os.fstat(fd).st_ino:
                break
        except FileNotFoundError:
            pass
        os.close(fd)
    try:
        yield
    finally:
        os.close(fd)
        for directory in (path, _index_dir(), state_root()):  # empty ones only: a command that found nothing to do
            with contextlib.suppress(OSError):
                directory.rmdir()
