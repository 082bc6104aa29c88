"""CoreDNS: two pods on two nodes behind kube-system/kube-dns."""

from __future__ import annotations

import json
import string

from .api import Api, pod_is_ready
from .names import CLUSTER_DIR, DNS_SERVICE4, DNS_SERVICE6, Cluster

_PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dkube-dns"


def replicas(cluster: Cluster) -> int:
    return min(2, cluster.node_count)


def manifest(cluster: Cluster) -> str:
    text = (CLUSTER_DIR / "manifests/coredns.yaml").read_text()
    ips = [DNS_SERVICE4] + ([DNS_SERVICE6] if cluster.ipv6 else [])
    return string.Template(text).substitute(replicas=replicas(cluster), cluster_ips=json.dumps(ips)[1:-1])


def pods(cluster: Cluster) -> list[dict]:
    """The CoreDNS pods that are there and not on their way out."""
    return [p for p in Api(cluster).get(_PODS)["items"] if not p["metadata"].get("deletionTimestamp")]


def ready_endpoints(cluster: Cluster) -> set[str]:
    """The addresses the Service sends its traffic to, of the first family."""
    return {
        address
        for piece in Api(cluster).get(_SLICES)["items"] if piece["addressType"] == "IPv4"
        for endpoint in piece.get("endpoints") or [] if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    }


def is_ready(cluster: Cluster) -> bool:
    """All pods ready, and the Service knows exactly them."""
    ready = [p for p in pods(cluster) if pod_is_ready(p)]
    return len(ready) == replicas(cluster) and ready_endpoints(cluster) == {p["status"]["podIP"] for p in ready}
