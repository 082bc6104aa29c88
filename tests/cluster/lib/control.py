"""The control plane: etcd, API server, controllers and scheduler, as processes in the control namespace."""

from __future__ import annotations

import json
import urllib.request

from .api import Api
from .names import Cluster
from .processes import spawn, wait_until
from .shell import in_netns

# Who asked what, without bodies: tests count requests by user agent from it.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def _start(cluster: Cluster, name: str, *flags: str) -> None:
    spawn(cluster, name, ["nsenter", f"--net={cluster.netns_path}", "--", f"{cluster.dir}/bin/{name}", *flags])


def start_store_and_api(cluster: Cluster) -> None:
    """Start etcd and the API server; the latter waits for the former by itself."""
    etcd = "http://127.0.0.1:2379"
    # No fsync: the data lives as long as the test, and a slow disk would make elections and time-outs.
    _start(cluster, "etcd", "--data-dir", f"{cluster.dir}/etcd", "--unsafe-no-fsync", "--listen-client-urls", etcd,
           "--advertise-client-urls", etcd, "--listen-peer-urls", "http://127.0.0.1:2380", "--log-level", "warn")
    wait_until(cluster, "etcd", lambda: _etcd_is_healthy(cluster), "etcd", seconds=30)
    pki = cluster.dir / "pki"
    (pki / "audit-policy.json").write_text(json.dumps(_AUDIT_POLICY))
    _start(
        cluster, "kube-apiserver",
        "--etcd-servers", etcd, "--bind-address", "0.0.0.0", "--secure-port", "6443",
        "--advertise-address", cluster.gateway4, "--service-cluster-ip-range", ",".join(cluster.service_nets),
        "--cert-dir", str(pki), "--tls-cert-file", f"{pki}/apiserver.crt", "--tls-private-key-file", f"{pki}/apiserver.key",
        "--client-ca-file", f"{pki}/ca.crt", "--token-auth-file", f"{pki}/tokens.csv",
        "--service-account-issuer", "https://kubernetes.default.svc",
        "--service-account-key-file", f"{pki}/sa.pub", "--service-account-signing-key-file", f"{pki}/sa.key",
        "--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--allow-privileged",
        "--kubelet-client-certificate", f"{pki}/kubelet-client.crt", "--kubelet-client-key", f"{pki}/kubelet-client.key",
        # Else exec and logs try to resolve node names, which nobody here knows.
        "--kubelet-preferred-address-types", "InternalIP",
        "--audit-policy-file", f"{pki}/audit-policy.json", "--audit-log-path", f"{cluster.dir}/audit.log",
    )


def _etcd_is_healthy(cluster: Cluster) -> bool:
    def ask() -> bool:
        with urllib.request.urlopen("http://127.0.0.1:2379/health", timeout=2) as answer:
            return json.load(answer)["health"] == "true"

    return in_netns(cluster.ctl_netns, ask)


def wait_for_api(cluster: Cluster) -> None:
    api = Api(cluster)
    wait_until(cluster, "API server ready", api.is_ready, "kube-apiserver", "etcd", seconds=120)


def start_controllers(cluster: Cluster) -> None:
    """Start controllers and scheduler; both give up at once when the API server is not there yet."""
    flags = ["--kubeconfig", f"{cluster.dir}/kubeconfig/controller-manager", "--bind-address", "127.0.0.1", "--leader-elect=false",
             "--service-account-private-key-file", f"{cluster.dir}/pki/sa.key", "--root-ca-file", f"{cluster.dir}/pki/ca.crt",
             "--use-service-account-credentials", "--allocate-node-cidrs", "--cluster-cidr", ",".join(cluster.pod_nets),
             "--service-cluster-ip-range", ",".join(cluster.service_nets), "--node-cidr-mask-size-ipv4", "24",
             # At its default rate it would spend five seconds asking for one token per controller.
             "--kube-api-qps", "500", "--kube-api-burst", "500"]
    flags += ["--node-cidr-mask-size-ipv6", "64"] if cluster.ipv6 else []
    _start(cluster, "kube-controller-manager", *flags)
    _start(cluster, "kube-scheduler", "--kubeconfig", f"{cluster.dir}/kubeconfig/scheduler", "--bind-address", "127.0.0.1",
           "--leader-elect=false")


def create_nodes(cluster: Cluster) -> None:
    """Create the Node objects before their kubelets do, so that n<i> always owns the i-th part of the pod range."""
    api = Api(cluster)
    for node in cluster.nodes:
        body = {
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node.name, "labels": {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux"}},
            "spec": {"podCIDR": node.pods4, "podCIDRs": [node.pods4] + ([node.pods6] if cluster.ipv6 else [])},
        }
        status, answer = api.call("POST", "/api/v1/nodes", body)
        if status not in (201, 409):
            raise OSError(f"creating node {node.name}: {status} {answer}")
