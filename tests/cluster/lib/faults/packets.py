"""Faults of the network between nodes: packets that vanish or are refused, large ones only, missing routes."""

from __future__ import annotations

import argparse

from ..names import Cluster, Node
from ..shell import ip_batch, nft, run, run_in
from .model import Fault, Planted, one_node, two_nodes

# What a node's pods are called from outside: their own range, and the node's address after masquerading.
# flannel's packets between nodes (VXLAN) are let through as they are: the packets inside are looked at once they
# come out, so a fault means the same with either CNI. Neighbour discovery is IPv6's ARP, which no filter drops.
_LET_THROUGH = """
        udp dport 8472 accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept"""


def _sets(cluster: Cluster, nodes: list[Node], pods_only: bool = False) -> list[tuple[str, str]]:
    """("ip", "{ addresses }") for each family."""
    four = [n.pods4 for n in nodes] + ([] if pods_only else [n.ip4 for n in nodes])
    six = [n.pods6 for n in nodes] + ([] if pods_only else [n.ip6 for n in nodes])
    families = [("ip", four)] + ([("ip6", six)] if cluster.ipv6 else [])
    return [(family, "{ " + ", ".join(addresses) + " }") for family, addresses in families]


def _remove_table(netns: str, family: str, table: str) -> None:
    run_in(netns, "nft", "delete", "table", family, table, check=False)


# --- drop ----------------------------------------------------------------------------------------------------------


def _drop_arguments(parser: argparse.ArgumentParser) -> None:
    two_nodes(parser)
    parser.add_argument("--both", action="store_true", help="the other direction too")
    parser.add_argument("--proto", choices=["tcp", "udp", "icmp"], help="only this protocol")
    parser.add_argument("--port", type=int, help="only packets to this port of a pod or node (not of a Service: "
                        "its address is already replaced when the packet arrives)")
    parser.add_argument("--larger-than", type=int, metavar="BYTES", help="only IP packets longer than this")
    parser.add_argument("--new-only", action="store_true", help="only what opens a connection")
    parser.add_argument("--reject", nargs="?", const="icmp", choices=["icmp", "reset"],
                        help="answer instead of silence: ICMP 'administratively prohibited', or a TCP reset")


def _drop_apply(planted: Planted) -> None:
    cluster, options = planted.cluster, planted.options
    a, b = cluster.node(options["FROM"]), cluster.node(options["TO"])
    if a == b:
        raise ValueError("drop is between two different nodes; packets within a node do not pass it")
    for source, target in [(a, b)] + ([(b, a)] if options["both"] else []):
        if options["larger_than"]:
            # The kernel glues small packets that come out of a tunnel together; their own length is what counts.
            run_in(target.netns, "sh", "-c", "for l in flannel.1 flannel-v6.1; do ethtool -K $l gro off; done 2>/dev/null", check=False)
        nft(target.netns, _drop_rules(planted, source, target))


def _drop_rules(planted: Planted, source: Node, target: Node) -> str:
    """Dropped where they arrive, before any rule of the receiving node sees them."""
    options, match = planted.options, []
    proto = {"icmp": "{ icmp, icmpv6 }"}.get(options["proto"], options["proto"])
    if proto or options["port"]:
        match.append(f"meta l4proto {proto or '{ tcp, udp }'}")
    if options["port"]:
        match.append(f"th dport {options['port']}")
    if options["larger_than"]:
        match.append(f"meta length > {options['larger_than']}")
    if options["new_only"]:
        match.append("ct state new")
    verdict = {None: "drop", "icmp": "reject with icmpx type admin-prohibited", "reset": "reject with tcp reset"}[options["reject"]]
    if options["reject"] == "reset" and options["proto"] != "tcp":
        match.insert(0, "meta l4proto tcp")
    rules = "\n".join(
        f"        {family} saddr {sources} {family} daddr {targets} {' '.join(match)} counter {verdict}"
        for (family, sources), (_, targets) in zip(_sets(planted.cluster, [source]), _sets(planted.cluster, [target])))
    # "table; delete table; table" replaces what may be there in one step.
    return f"""
    table inet {planted.table}
    delete table inet {planted.table}
    table inet {planted.table} {{
      chain arriving {{
        type filter hook prerouting priority mangle; policy accept;{_LET_THROUGH}
{rules}
      }}
    }}"""


def _drop_undo(planted: Planted) -> None:
    for name in ("FROM", "TO"):
        _remove_table(planted.cluster.node(planted.options[name]).netns, "inet", planted.table)


DROP = Fault("drop", "packets from one node and its pods to another node and its pods vanish", _drop_arguments, _drop_apply, _drop_undo)


# --- isolate -------------------------------------------------------------------------------------------------------


def _isolate_apply(planted: Planted) -> None:
    cluster = planted.cluster
    node = cluster.node(planted.options["NODE"])
    others = _sets(cluster, [n for n in cluster.nodes if n != node])
    rules = "".join(
        f"        {family} saddr {theirs} {family} daddr {ours} counter drop\n        {family} saddr {ours} {family} daddr {theirs} counter drop\n"
        for (family, theirs), (_, ours) in zip(others, _sets(cluster, [node], pods_only=True)))
    nft(node.netns, f"""
    table inet {planted.table}
    delete table inet {planted.table}
    table inet {planted.table} {{
      chain passing {{
        type filter hook forward priority mangle; policy accept;
{rules}      }}
    }}""")


def _isolate_undo(planted: Planted) -> None:
    _remove_table(planted.cluster.node(planted.options["NODE"]).netns, "inet", planted.table)


ISOLATE = Fault("isolate", "a node's pods are cut off from all other nodes and their pods", one_node, _isolate_apply, _isolate_undo)


# --- mtu -----------------------------------------------------------------------------------------------------------


def _mtu_arguments(parser: argparse.ArgumentParser) -> None:
    one_node(parser)
    parser.add_argument("BYTES", type=int, help="the longest IP packet that still passes the node's cable")


def _mtu_apply(planted: Planted) -> None:
    port = planted.cluster.node(planted.options["NODE"]).port
    size = planted.options["BYTES"]
    # On the cable itself, and only between nodes: the API server sits behind the bridge's own port. No ICMP is sent,
    # as by a switch in the middle that was set up wrong.
    nft(planted.cluster.ctl_netns, f"""
    table bridge {planted.table}
    delete table bridge {planted.table}
    table bridge {planted.table} {{
      chain cable {{
        type filter hook forward priority filter; policy accept;
        iifname "{port}" meta length > {size} counter drop
        oifname "{port}" meta length > {size} counter drop
      }}
    }}""")


def _mtu_undo(planted: Planted) -> None:
    _remove_table(planted.cluster.ctl_netns, "bridge", planted.table)


MTU = Fault("mtu", "a node's cable swallows larger packets without a word", _mtu_arguments, _mtu_apply, _mtu_undo)


# --- no-route ------------------------------------------------------------------------------------------------------


def _no_route_apply(planted: Planted) -> None:
    cluster = planted.cluster
    a, b = cluster.node(planted.options["FROM"]), cluster.node(planted.options["TO"])
    found = []
    for flag, pods in [("-4", b.pods4)] + ([("-6", b.pods6)] if cluster.ipv6 else []):
        for line in run("ip", "-n", a.netns, flag, "route", "show", "exact", pods).splitlines():
            found.append(line.strip())
    if found:
        planted.memo["routes"] = found
        planted.save()
        ip_batch(a.netns, [f"route del {line}" for line in found])


def _no_route_undo(planted: Planted) -> None:
    # The family of a line follows from its addresses; a batch knows no -6.
    a = planted.cluster.node(planted.options["FROM"])
    ip_batch(a.netns, [f"route replace {line}" for line in planted.memo.get("routes", [])])


NO_ROUTE = Fault("no-route", "a node has lost its route to another node's pods", two_nodes, _no_route_apply, _no_route_undo)
