"""Nodes: their files, their first process, and the three daemons each of them runs."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

from .names import DNS_SERVICE4, Cluster, Node
from .images import PAUSE
from .processes import enter, init_pid, node_init, require_alive, spawn, wait_until
from .shell import ClusterError, in_netns, run

BIN = "/run/state/bin"  # the cluster's programs, as a node sees them
_PLUGINS = ("bridge", "host-local", "loopback", "portmap")

# What a node takes over from the machine's /etc. Not resolv.conf: name servers of the machine are outside.
_ETC = ("passwd", "group", "nsswitch.conf", "protocols", "services", "ethertypes", "ld.so.cache", "alternatives", "iproute2")

_CONTAINERD = f"""
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
address = "/run/containerd/containerd.sock"
[plugins.'io.containerd.cri.v1.images']
snapshotter = "overlayfs"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.runtime']
disable_apparmor = true
# Many kubelets share one cgroup tree here: containers get no groups of their own.
disable_cgroup = true
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/opt/cni/bin"]
conf_dir = "/etc/cni/net.d"
"""


def daemon(node: Node, program: str) -> str:
    """The record of a daemon inside a node; the @ says that it runs below an nsenter."""
    return f"{program}@{node.name}"


def cni_conf_dir(cluster: Cluster, node: Node) -> Path:
    return cluster.node_dir(node) / "etc/cni/net.d"


def prepare_files(cluster: Cluster, node: Node) -> None:
    """Write everything the node will see as its own files."""
    own = cluster.node_dir(node)
    for part in ("etc/cni/net.d", "etc/kubernetes", "opt/cni/bin", "run", "var/lib/kubelet", "var/lib/containerd",
                 "var/lib/cni", "var/log/pods", "var/log/containers", "sysctl"):
        (own / part).mkdir(parents=True, exist_ok=True)
    for name in _ETC:
        source = Path("/etc") / name
        if source.is_dir():
            shutil.copytree(source, own / "etc" / name, symlinks=True, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, own / "etc" / name)
    # The gateway runs no name server and says so at once: a look-up fails in no time and goes nowhere.
    (own / "etc/resolv.conf").write_text(f"nameserver {cluster.gateway4}\n")
    (own / "etc/hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{node.ip4} {node.name}\n")
    (own / "etc/hostname").write_text(f"{node.name}\n")
    for plugin in _PLUGINS:
        (own / "opt/cni/bin" / plugin).symlink_to(f"/usr/lib/cni/{plugin}")
    kubernetes = own / "etc/kubernetes"
    shutil.copy(cluster.dir / "pki/ca.crt", kubernetes / "ca.crt")
    shutil.copy(cluster.dir / "kubeconfig" / node.name, kubernetes / "kubelet.kubeconfig")
    shutil.copy(cluster.dir / "kubeconfig/proxy", kubernetes / "proxy.kubeconfig")
    (kubernetes / "containerd.toml").write_text(_CONTAINERD)
    (kubernetes / "kubelet.json").write_text(json.dumps(_kubelet_config(cluster, node), indent=1))


def _kubelet_config(cluster: Cluster, node: Node) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "address": node.ip4,
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDNS": [DNS_SERVICE4], "clusterDomain": "cluster.local", "resolvConf": "/etc/resolv.conf",
        # One cgroup tree for all nodes: no hierarchy of pods in it, and an old one (v1) will do.
        "failCgroupV1": False, "cgroupsPerQOS": False, "enforceNodeAllocatable": [], "cgroupDriver": "cgroupfs",
        "localStorageCapacityIsolation": False, "failSwapOn": False,
        # Memory must not be given as "0" here: the kubelet would refuse to start.
        "evictionHard": {"nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,  # nothing could bring a collected image back
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",  # the default lies in /usr, which is the machine's
        "syncFrequency": "5s",
    }


def start(cluster: Cluster, node: Node) -> None:
    """Start the node's first process and containerd."""
    spawn(cluster, node_init(node), [
        "nsenter", f"--net=/run/netns/{node.netns}", "--",
        "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--",
        str(Path(__file__).parent / "node-init"), str(cluster.dir), node.name])
    started = cluster.node_dir(node) / "started"
    wait_until(cluster, f"node {node.name} started", started.exists, node_init(node), seconds=20)
    spawn(cluster, daemon(node, "containerd"), enter(cluster, node, [f"{BIN}/containerd", "-c", "/etc/kubernetes/containerd.toml"]), BIN)
    wait_until(cluster, f"containerd on {node.name}", lambda: _containerd_listens(cluster, node), daemon(node, "containerd"), seconds=30)


def _containerd_listens(cluster: Cluster, node: Node) -> bool:
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(f"/proc/{init_pid(cluster, node)}/root/run/containerd/containerd.sock")
    return True


def import_image(cluster: Cluster, node: Node, archive: Path) -> None:
    """Bring one image archive into the node's containerd."""
    # The archive is named by an open file: its path may be covered inside the node.
    with archive.open("rb") as source:
        done = subprocess.run(enter(cluster, node, [f"{BIN}/ctr", "--namespace", "k8s.io", "images", "import", "--local", "-"]),
                              stdin=source, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise ClusterError(f"importing {archive.name} on {node.name}:\n{done.stderr or done.stdout}")


def start_kubelet(cluster: Cluster, node: Node) -> None:
    ips = f"{node.ip4},{node.ip6}" if cluster.ipv6 else node.ip4
    spawn(cluster, daemon(node, "kubelet"), enter(cluster, node, [
        f"{BIN}/kubelet", "--config", "/etc/kubernetes/kubelet.json", "--kubeconfig", "/etc/kubernetes/kubelet.kubeconfig",
        "--cert-dir", "/var/lib/kubelet/pki", "--root-dir", "/var/lib/kubelet",
        "--hostname-override", node.name, "--node-ip", ips]), BIN)


def start_proxy(cluster: Cluster, node: Node) -> None:
    spawn(cluster, daemon(node, "kube-proxy"), enter(cluster, node, [
        f"{BIN}/kube-proxy", "--kubeconfig", "/etc/kubernetes/proxy.kubeconfig", "--hostname-override", node.name,
        "--cluster-cidr", ",".join(cluster.pod_nets), "--proxy-mode", "nftables",
        # Zeros: leave the connection table's sysctls alone, they are the whole machine's.
        "--conntrack-max-per-core", "0", "--conntrack-min", "0",
        "--conntrack-tcp-timeout-established", "0", "--conntrack-tcp-timeout-close-wait", "0",
        "--healthz-bind-address", "0.0.0.0:10256", "--metrics-bind-address", "127.0.0.1:10249"]), BIN)


def wait_for_proxy(cluster: Cluster, node: Node) -> None:
    """kube-proxy says it is healthy once it has written the service rules."""
    def ask() -> bool:
        with urllib.request.urlopen("http://127.0.0.1:10256/healthz", timeout=2) as answer:
            return answer.status == 200

    wait_until(cluster, f"kube-proxy on {node.name}", lambda: in_netns(node.netns, ask), daemon(node, "kube-proxy"), seconds=60)


def require_daemons(cluster: Cluster, node: Node) -> None:
    for name in (node_init(node), daemon(node, "containerd"), daemon(node, "kubelet"), daemon(node, "kube-proxy")):
        require_alive(cluster, name)


def run_inside(cluster: Cluster, node: Node, *argv: str) -> str:
    """Run a command inside a node and give back what it printed."""
    return run(*enter(cluster, node, list(argv)))
