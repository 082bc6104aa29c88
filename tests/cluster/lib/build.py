"""The Go programs of the cluster, built from pinned modules and kept in a cache outside the tree."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import progress
from .names import CLUSTER_DIR, FLANNEL_VERSIONS, KUBERNETES, cache_root
from .shell import ClusterError

_VERSION = "k8s.io/component-base/version"
_KUBE_FLAGS = (f"-s -w -X {_VERSION}.gitVersion={KUBERNETES} -X {_VERSION}.gitMajor=1 "
               f"-X {_VERSION}.gitMinor={KUBERNETES.split('.')[1]} -X {_VERSION}.gitTreeState=clean")


@dataclass(frozen=True)
class Program:
    """One `go build`: where its go.mod is, which packages, and under which names others find what comes out."""

    name: str
    directory: str
    packages: tuple[str, ...] = (".",)
    aliases: tuple[str, ...] = ()
    ldflags: str = "-s -w"
    tags: str = ""
    flannel_only: bool = False
    home: Path = CLUSTER_DIR / "programs"

    @property
    def source(self) -> Path:
        return self.home / self.directory

    def key(self) -> str:
        """Changes exactly when what is built would: pins, sources, flags."""
        digest = hashlib.sha256(repr((self.name, self.packages, self.aliases, self.ldflags, self.tags, os.uname().machine)).encode())
        for path in sorted(self.source.iterdir()):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()[:16]

    def output(self) -> Path:
        """The directory that holds the built program."""
        return cache_root() / "programs" / f"{self.name}-{self.key()}"


_CONTAINERD = "github.com/containerd/containerd/v2/cmd/"
KUBE = Program("kube", "kube", aliases=("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"),
               ldflags=_KUBE_FLAGS)
KUBECTL = Program("kubectl", "kube", ("k8s.io/kubernetes/cmd/kubectl",), ldflags=_KUBE_FLAGS)
CONTAINERD = Program("containerd", "containerd", tuple(_CONTAINERD + c for c in ("containerd", "containerd-shim-runc-v2", "ctr")),
                     tags="no_btrfs no_devmapper no_zfs no_aufs")
ETCD = Program("etcd", "etcd", ("go.etcd.io/etcd/server/v3",))
COREDNS = Program("coredns", "coredns", ("github.com/coredns/coredns",))
FLANNELD = {v: Program(f"flanneld-{v}", f"flannel-{v}", ldflags=f"-s -w -X main.version={v}", flannel_only=True)
            for v in FLANNEL_VERSIONS}
FLANNEL_CNI = Program("flannel-cni", "flannel-cni", flannel_only=True)

# Both majors of Helm, which the tests of `helm cnidiff` run beside it. The flags are those of Helm's own Makefile.
_HELM_HOME = CLUSTER_DIR.parent / "helm" / "programs"
_HELM3 = "helm.sh/helm/v3/"
HELM3 = Program("helm3", "helm3", (_HELM3 + "cmd/helm",), home=_HELM_HOME,
                ldflags=f"-s -w -X {_HELM3}internal/version.version=v3.22.0 -X {_HELM3}pkg/chartutil.k8sVersionMajor=1 "
                        f"-X {_HELM3}pkg/chartutil.k8sVersionMinor=37")
HELM4 = Program("helm4", "helm4", ("helm.sh/helm/v4/cmd/helm",), home=_HELM_HOME,
                ldflags="-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1")
HELM = (HELM3, HELM4)

ALL = (KUBE, CONTAINERD, ETCD, COREDNS, KUBECTL, *FLANNELD.values(), FLANNEL_CNI)


def needed(flannel: bool) -> list[Program]:
    return [p for p in ALL if flannel or not p.flannel_only]


def build(programs: list[Program]) -> None:
    """Build what is not in the cache yet, showing which one and for how long."""
    todo = [p for p in programs if not p.output().is_dir()]
    if not todo:
        return
    if not shutil.which("go"):
        raise ClusterError("Go is missing: the cluster's programs are built with it (Go 1.26 or newer)")
    root = cache_root() / "programs"
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        with progress.pulse("waiting for another build"):
            fcntl.flock(lock, fcntl.LOCK_EX)
        todo = [p for p in todo if not p.output().is_dir()]
        for number, program in enumerate(todo, 1):
            with progress.pulse(f"building {program.name} ({number} of {len(todo)}; a first build takes minutes)"):
                _build_one(program)
            progress.step(f"built {program.name} ({number} of {len(todo)})")


def _build_one(program: Program) -> None:
    env = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    with tempfile.TemporaryDirectory(dir=cache_root() / "programs", prefix=".building-") as scratch:
        out = scratch + "/" if len(program.packages) > 1 else f"{scratch}/{program.name}"
        argv = ["go", "-C", str(program.source), "build", "-mod=readonly", "-trimpath", "-ldflags", program.ldflags]
        argv += ["-tags", program.tags] if program.tags else []
        done = subprocess.run([*argv, "-o", out, *program.packages], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ClusterError(f"building {program.name} failed:\n{done.stderr[-4000:]}")
        for alias in program.aliases:
            os.link(f"{scratch}/{program.name}", f"{scratch}/{alias}")
        os.chmod(scratch, 0o755)
        os.rename(scratch, program.output())
        Path(scratch).mkdir()  # for the context manager to remove


def install(programs: list[Program], target: Path) -> None:
    """Put the built programs into one directory for PATH: hard links where the file system allows it."""
    target.mkdir(parents=True, exist_ok=True)
    for program in programs:
        for path in program.output().iterdir():
            try:
                os.link(path, target / path.name)
            except FileExistsError:
                pass
            except OSError:
                shutil.copy2(path, target / path.name)
