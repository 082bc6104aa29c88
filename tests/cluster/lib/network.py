"""The cables: a control namespace with a bridge, a namespace per node on it, and one link to the machine.

    machine ── kchN 10.177.N.0/30 ── [ctl: API server, br0 10.77.N.1] ── p-n0 ── [n0: eth0 10.77.N.10]
                                                                     └── p-n1 ── [n1: eth0 10.77.N.11]  …

The control namespace has no default route and forwards nothing, so what a node or a pod sends to any other
address ends there, in the counter of the rule that drops it.
"""

from __future__ import annotations

import os
from pathlib import Path

from .names import Cluster, Node
from .processes import BOOT_ID
from .shell import ClusterError, ip_batch, nft, run, run_in, sysctl
from .state import state_root

RUN_NETNS = Path("/run/netns")


def _is_mount(path: Path) -> bool:
    return any(line.split()[1] == str(path) for line in Path("/proc/mounts").read_text().splitlines())


def _marker() -> Path:
    return state_root() / ".made-run-netns"


def remember_run_netns() -> None:
    """`ip netns add` turns /run/netns into a mount of its own; note it when that will be our doing."""
    if not _is_mount(RUN_NETNS):
        _marker().write_text(f"{BOOT_ID.read_text().strip()} {RUN_NETNS.exists()}")


def create(cluster: Cluster) -> None:
    """Make all namespaces and links."""
    remember_run_netns()
    for netns in (cluster.ctl_netns, *(node.netns for node in cluster.nodes)):
        if (RUN_NETNS / netns).exists():
            raise ClusterError(f"there is already a network namespace {netns!r}, made by somebody else")
        run("ip", "netns", "add", netns)
    _control(cluster)
    for node in cluster.nodes:
        _node(cluster, node)


def _control(cluster: Cluster) -> None:
    ctl = cluster.ctl_netns
    sysctl(ctl, {
        "net.ipv4.ip_forward": "0",
        "net.ipv6.conf.all.forwarding": "0",
        # Frames between nodes are not the control namespace's packets: its filters must not see them.
        "net.bridge.bridge-nf-call-iptables": "0",
        "net.bridge.bridge-nf-call-ip6tables": "0",
    })
    ip_batch(None, [
        f"link add {cluster.host_link} type veth peer name host netns {ctl}",
        f"addr add {cluster.host_ip}/30 dev {cluster.host_link}",
        f"link set {cluster.host_link} up",
    ])
    lines = [
        "link set lo up",
        f"addr add {cluster.api_ip}/30 dev host", "link set host up",
        # Without a fixed address a bridge takes the lowest of its ports': it would change when a node is added.
        "link add br0 address 02:6b:63:00:00:01 type bridge forward_delay 0",
        f"addr add {cluster.gateway4}/24 dev br0", "link set br0 up",
    ]
    if cluster.ipv6:
        lines.append(f"addr add {cluster.gateway6}/64 dev br0 nodad")
    ip_batch(ctl, lines)
    nft(ctl, f"""
        table inet fence {{
            counter outward {{ }}
            chain prerouting {{
                type filter hook prerouting priority raw; policy accept;
                iifname "br0" ip daddr != {{ {cluster.node_net4}, 224.0.0.0/4, 255.255.255.255 }} counter name outward drop
                iifname "br0" ip6 daddr != {{ {cluster.node_net6}, fe80::/10, ff00::/8 }} counter name outward drop
            }}
        }}""")


def _node(cluster: Cluster, node: Node) -> None:
    ip_batch(cluster.ctl_netns, [
        f"link add {node.port} type veth peer name eth0 netns {node.netns}",
        f"link set {node.port} master br0 up",
    ])
    lines = ["link set lo up", f"addr add {node.ip4}/24 dev eth0", "link set eth0 up", f"route add default via {cluster.gateway4}"]
    if cluster.ipv6:
        lines += [f"addr add {node.ip6}/64 dev eth0 nodad", f"route add default via {cluster.gateway6}"]
    ip_batch(node.netns, lines)
    settings = {"net.ipv4.ip_forward": "1"}
    if cluster.ipv6:
        settings["net.ipv6.conf.all.forwarding"] = "1"
    sysctl(node.netns, settings)
    # What is on the wire is then what a wire carries: packets of at most the MTU, not the 64 KiB bundles that two
    # ends of a veth hand each other. Faults that look at a packet's size depend on it.
    for netns, link in ((node.netns, "eth0"), (cluster.ctl_netns, node.port)):
        run_in(netns, "ethtool", "-K", link, "tso", "off", "gso", "off", "gro", "off")


def outward_packets(cluster: Cluster) -> int:
    """How many packets nodes and pods have sent to addresses that are not in the cluster (all dropped)."""
    text = run_in(cluster.ctl_netns, "nft", "list", "counter", "inet", "fence", "outward")
    return int(text.split("packets")[1].split()[0])


def remove(cluster: Cluster) -> None:
    """Remove namespaces and links; fine when some or all are gone."""
    if os.path.exists(f"/sys/class/net/{cluster.host_link}"):
        run("ip", "link", "del", cluster.host_link, check=False)
    for netns in (cluster.ctl_netns, *(node.netns for node in cluster.nodes)):
        path = RUN_NETNS / netns
        if path.exists():
            if _is_mount(path):
                run("umount", "-l", str(path))
            path.unlink(missing_ok=True)
    _restore_run_netns()


def _restore_run_netns() -> None:
    marker = _marker()
    if not marker.exists() or (RUN_NETNS.is_dir() and any(RUN_NETNS.iterdir())):
        return  # not our doing, or still in use: the last cluster to go clears it up
    boot, existed = marker.read_text().split()
    if boot == BOOT_ID.read_text().strip() and _is_mount(RUN_NETNS):
        run("umount", str(RUN_NETNS), check=False)
        if existed == "False":
            RUN_NETNS.rmdir()
    marker.unlink()
