"""What everything in a cluster is called, and which address it has; all of it follows from name and index."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "v1.36.3"
FLANNEL_VERSIONS = ("v0.28.4", "v0.28.10")
DEFAULT_NAME = "kc"

# Pod and service ranges are the same in every cluster: each cluster's network is closed, so they cannot meet.
POD_NET4, POD_NET6 = "10.244.0.0/16", "fd00:10:244::/56"
SERVICE_NET4, SERVICE_NET6 = "10.96.0.0/16", "fd00:10:96::/112"
API_SERVICE4, API_SERVICE6 = "10.96.0.1", "fd00:10:96::1"
DNS_SERVICE4, DNS_SERVICE6 = "10.96.0.10", "fd00:10:96::a"

CLUSTER_DIR = Path(__file__).resolve().parent.parent
REPOSITORY = CLUSTER_DIR.parent.parent


def state_root() -> Path:
    """The directory that holds one directory per cluster."""
    return Path(os.environ.get("KUBECTL_CNI_STATE", "/var/lib/kubectl-cni-test")).absolute()


def cache_root() -> Path:
    """Built programs and image archives: shared by all clusters, outside every work tree."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "kubectl-cni"


def check_name(name: str) -> str:
    """A cluster's name becomes part of namespace names, so it is kept short and plain."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,20}", name):
        raise ValueError(f"cluster name {name!r}: a letter, then up to 20 of a-z 0-9 -")
    return name


@dataclass(frozen=True)
class Node:
    """One node: where it is and which part of the pod range it owns."""

    name: str
    netns: str
    ip4: str
    ip6: str
    pods4: str
    pods6: str
    port: str  # its end of the cable, in the control namespace's bridge


@dataclass(frozen=True)
class Cluster:
    """Everything that was decided about a cluster when it was brought up."""

    name: str
    index: int
    node_count: int = 3
    cni: str = "bridge"
    ipv6: bool = False
    flannel_version: str = FLANNEL_VERSIONS[0]

    @property
    def dir(self) -> Path:
        return state_root() / self.name

    @property
    def ctl_netns(self) -> str:
        """The namespace of etcd, API server, scheduler, controllers and the bridge the nodes hang on."""
        return f"{self.name}-ctl"

    @property
    def netns_path(self) -> Path:
        return Path("/run/netns") / self.ctl_netns

    # The /30 between the machine and the control namespace: how kubectl reaches the API server.
    @property
    def host_link(self) -> str:
        return f"kch{self.index}"

    @property
    def host_ip(self) -> str:
        return f"10.177.{self.index}.1"

    @property
    def api_ip(self) -> str:
        return f"10.177.{self.index}.2"

    @property
    def api_url(self) -> str:
        return f"https://{self.api_ip}:6443"

    # The network the nodes share.
    @property
    def gateway4(self) -> str:
        return f"10.77.{self.index}.1"

    @property
    def gateway6(self) -> str:
        return f"fd00:77:{self.index:x}::1"

    @property
    def node_net4(self) -> str:
        return f"10.77.{self.index}.0/24"

    @property
    def node_net6(self) -> str:
        return f"fd00:77:{self.index:x}::/64"

    @property
    def pod_nets(self) -> list[str]:
        return [POD_NET4] + ([POD_NET6] if self.ipv6 else [])

    @property
    def service_nets(self) -> list[str]:
        return [SERVICE_NET4] + ([SERVICE_NET6] if self.ipv6 else [])

    @property
    def nodes(self) -> list[Node]:
        return [
            Node(
                name=f"n{i}",
                netns=f"{self.name}-n{i}",
                ip4=f"10.77.{self.index}.{10 + i}",
                ip6=f"fd00:77:{self.index:x}::{10 + i}",
                pods4=f"10.244.{i}.0/24",
                pods6=f"fd00:10:244:{i:x}::/64",
                port=f"p-n{i}",
            )
            for i in range(self.node_count)
        ]

    def node(self, name: str) -> Node:
        """The node called `name`; a clear error naming the ones there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ValueError(f"no node {name!r}; this cluster has {', '.join(n.name for n in self.nodes)}")

    def node_dir(self, node: Node) -> Path:
        return self.dir / "nodes" / node.name

    @property
    def admin_kubeconfig(self) -> Path:
        return self.dir / "kubeconfig" / "admin"
