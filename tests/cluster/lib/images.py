"""Image archives, made from files: one layer each, imported into every node's containerd. Nothing is pulled."""

from __future__ import annotations

import glob
import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from . import build
from .names import FLANNEL_VERSIONS, cache_root
from .shell import CLEAN_ENV, run

BUSYBOX = "docker.io/library/busybox:1.36"
PAUSE = "localhost/pause:1"
COREDNS = "registry.k8s.io/coredns/coredns:v1.14.7"
FLANNEL = "ghcr.io/flannel-io/flannel"
FLANNEL_CNI = "ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel1"

_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass
class Image:
    """What goes into an image: path inside -> file outside, and path inside -> where a link points."""

    ref: str
    entrypoint: list[str]
    files: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def archive(self) -> Path:
        """The archive's place in the cache; its name changes when a file that goes in does."""
        facts = [(inside, outside, os.stat(outside).st_size, os.stat(outside).st_mtime_ns) for inside, outside in sorted(self.files.items())]
        key = hashlib.sha256(json.dumps([self.ref, self.entrypoint, facts, sorted(self.links.items())]).encode()).hexdigest()
        return cache_root() / "images" / f"{re.sub(r'[^A-Za-z0-9.]+', '-', self.ref)}-{key[:12]}.tar"


def _busybox() -> str:
    return os.path.realpath(shutil.which("busybox", path=CLEAN_ENV["PATH"]) or "/bin/busybox")


def _with_shell(image: Image) -> Image:
    """Add busybox and a link for each of its commands."""
    box = _busybox()
    image.files["bin/busybox"] = box
    image.links.update({f"bin/{name}": "/bin/busybox" for name in run(box, "--list").split() if name != "busybox"})
    return image


def _with_packet_filters(image: Image) -> Image:
    """Add iptables and nft with their libraries: flannel cleans up after the one it does not use, so it wants both."""
    tools = {"sbin/xtables-nft-multi": "/usr/sbin/xtables-nft-multi", "sbin/nft": "/usr/sbin/nft"}
    image.files.update(tools)
    for name in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            image.links[f"sbin/{name}{suffix}"] = "/sbin/xtables-nft-multi"
    for tool in tools.values():
        for library in re.findall(r"(/\S+\.so\S*)", run("ldd", tool)):
            image.files[library.lstrip("/")] = os.path.realpath(library)
    for directory in glob.glob("/usr/lib/*/xtables"):
        for path in glob.glob(f"{directory}/lib*t_*.so") + glob.glob(f"{directory}/libip6t_*.so"):
            image.files[path.lstrip("/")] = os.path.realpath(path)
    return image


def wanted(flannel: bool) -> list[Image]:
    """The images of a cluster; flannel's only where they are used, since importing costs seconds."""
    images = [
        # containerd ends a sandbox with SIGKILL, so a first process that ignores SIGTERM costs nothing.
        Image(PAUSE, ["/bin/busybox", "sleep", "2000000000"], {"bin/busybox": _busybox()}),
        _with_shell(Image(BUSYBOX, ["/bin/sh"])),
        Image(COREDNS, ["/coredns"], {"coredns": str(build.COREDNS.output() / "coredns")}),
    ]
    if flannel:
        for version in FLANNEL_VERSIONS:
            daemon = build.FLANNELD[version].output() / f"flanneld-{version}"
            image = Image(f"{FLANNEL}:{version}", ["/opt/bin/flanneld"], {"opt/bin/flanneld": str(daemon)})
            images.append(_with_packet_filters(_with_shell(image)))
        plugin = build.FLANNEL_CNI.output() / "flannel-cni"
        images.append(_with_shell(Image(FLANNEL_CNI, ["/flannel"], {"flannel": str(plugin)})))
    return images


def prepare(flannel: bool) -> list[Path]:
    """Make the archives that are not in the cache yet."""
    paths = []
    for image in wanted(flannel):
        path = image.archive()
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            _write(image, fresh)
            fresh.rename(path)
        paths.append(path)
    return paths


def _write(image: Image, path: Path) -> None:
    layer = _layer(image)
    layer_id = hashlib.sha256(layer).hexdigest()
    config = json.dumps({
        "architecture": _ARCH.get(os.uname().machine, os.uname().machine),
        "os": "linux",
        "config": {"Entrypoint": image.entrypoint, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin:/sbin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_id}"]},
        "history": [{"created_by": "tests/cluster"}],
    }).encode()
    config_id = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": f"{config_id}.json", "RepoTags": [image.ref], "Layers": [f"{layer_id}/layer.tar"]}]).encode()
    with tarfile.open(path, "w") as archive:
        for name, data in ((f"{config_id}.json", config), (f"{layer_id}/layer.tar", layer), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        made: set[str] = set()

        def directory(path: str, mode: int = 0o755) -> None:
            if path and path not in made:
                directory(os.path.dirname(path))
                made.add(path)
                entry = tarfile.TarInfo(path)
                entry.type, entry.mode = tarfile.DIRTYPE, mode
                tar.addfile(entry)

        for name in ("etc", "proc", "sys", "dev", "run"):
            directory(name)
        directory("tmp", 0o1777)
        for inside, outside in sorted(image.files.items()):
            directory(os.path.dirname(inside))
            entry = tar.gettarinfo(outside, inside)
            # A file the cluster's programs also have a hard link to must not become a tar hard link.
            entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", os.stat(outside).st_size
            entry.uid = entry.gid = entry.mtime = 0
            entry.uname = entry.gname = ""
            entry.mode = 0o755
            with open(outside, "rb") as source:
                tar.addfile(entry, source)
        for inside, target in sorted(image.links.items()):
            directory(os.path.dirname(inside))
            entry = tarfile.TarInfo(inside)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return buffer.getvalue()
