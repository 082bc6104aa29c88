"""The pod network: bridge plugin with a route per peer, or flannel as its own manifest installs it."""

from __future__ import annotations

import json

from .names import FLANNEL_VERSIONS, POD_NET4, POD_NET6, REPOSITORY, Cluster, Node
from .nodes import cni_conf_dir
from .shell import ip_batch, nft

FLANNEL_MANIFEST = REPOSITORY / "tests/fixtures/manifests/flannel/kube-flannel-v0.28.4.yml"


def configure_bridge(cluster: Cluster, node: Node) -> None:
    """The least that joins pods of several nodes: a bridge, a range for its pods, a route to every other node's."""
    ranges = [[{"subnet": node.pods4}]] + ([[{"subnet": node.pods6}]] if cluster.ipv6 else [])
    config = {
        "cniVersion": "1.0.0", "name": "bridge",
        "plugins": [
            {"type": "bridge", "bridge": "cni0", "isDefaultGateway": True, "hairpinMode": True, "ipMasq": False,
             "ipam": {"type": "host-local", "ranges": ranges}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    (cni_conf_dir(cluster, node) / "10-bridge.conflist").write_text(json.dumps(config, indent=1) + "\n")
    ip_batch(node.netns, routes(cluster, node))
    nft(node.netns, _masquerade(cluster, node))


def routes(cluster: Cluster, node: Node) -> list[str]:
    """`ip` commands for the routes from `node` to every peer's pods."""
    lines = []
    for peer in cluster.nodes:
        if peer != node:
            lines.append(f"route replace {peer.pods4} via {peer.ip4}")
            lines += [f"route replace {peer.pods6} via {peer.ip6}"] if cluster.ipv6 else []
    return lines


def _masquerade(cluster: Cluster, node: Node) -> str:
    six = f"ip6 saddr {node.pods6} ip6 daddr != {{ {POD_NET6}, ff00::/8 }} masquerade" if cluster.ipv6 else ""
    return f"""
        table inet pod-masquerade {{
            chain postrouting {{
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr {node.pods4} ip daddr != {{ {POD_NET4}, 224.0.0.0/4 }} masquerade
                {six}
            }}
        }}"""


def flannel_manifest(cluster: Cluster) -> str:
    """flannel's own manifest; only the version and, for two families, its network configuration are changed."""
    text = FLANNEL_MANIFEST.read_text()
    text = text.replace(f"flannel:{FLANNEL_VERSIONS[0]}", f"flannel:{cluster.flannel_version}")
    if cluster.ipv6:
        line = f'"Network": "{POD_NET4}",'
        if line not in text:
            raise ValueError(f"{FLANNEL_MANIFEST}: no line {line}")
        text = text.replace(line, f'{line}\n      "EnableIPv6": true,\n      "IPv6Network": "{POD_NET6}",')
    return text
