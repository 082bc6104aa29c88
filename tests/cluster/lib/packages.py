"""The machine's own tools: installed from Debian where missing, or named plainly."""

from __future__ import annotations

import os
import shutil
import subprocess

from . import progress
from .shell import CLEAN_ENV, ClusterError

# What is looked for -> the Debian package that brings it. A path is looked for as it is, a word on PATH.
TOOLS = {
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",
    "ip": "iproute2",
    "sysctl": "procps",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
    "openssl": "openssl",
    "ethtool": "ethtool",
    "busybox": "busybox-static",
}


def _missing() -> dict[str, str]:
    path = CLEAN_ENV["PATH"]
    gone = {t: p for t, p in TOOLS.items() if not (os.path.exists(t) if t[0] == "/" else shutil.which(t, path=path))}
    if "busybox" not in gone and _is_dynamic(shutil.which("busybox", path=path) or ""):
        gone["busybox (a static one: it goes into an image alone)"] = "busybox-static"
    return gone


def _is_dynamic(program: str) -> bool:
    """Whether an ELF file names a loader."""
    with open(program, "rb") as file:
        return b"/ld-linux" in file.read(4096)


def ensure() -> None:
    """Make sure every tool is there; root and a Linux with the features are asked for first."""
    if os.geteuid() != 0:
        raise ClusterError("the test cluster needs root: it makes network namespaces, mounts and bridges")
    gone = _missing()
    if not gone:
        return
    packages = sorted(set(gone.values()))
    if not shutil.which("apt-get"):
        raise ClusterError(f"missing here: {', '.join(gone)}; Debian has them as: {' '.join(packages)}")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with progress.pulse(f"installing {' '.join(packages)}"):
        for argv in (["apt-get", "-qq", "update"], ["apt-get", "-qq", "install", "--no-install-recommends", "-y", *packages]):
            done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if _missing():
        raise ClusterError(f"could not install {' '.join(packages)} (missing: {', '.join(_missing())})\n{done.stderr[-1500:]}")
