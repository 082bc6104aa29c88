"""Faults of the cluster's name service: a CoreDNS pod that says nothing, or the wrong thing.

Both happen inside the pod's own network, on port 53 only. The pod stays Ready, so the Service goes on sending
questions to it: the nasty case, the one a readiness probe does not find.
"""

from __future__ import annotations

from pathlib import Path

from .. import dns
from ..names import Cluster, Node
from ..pods import namespace_of, namespaces
from ..processes import spawn, stop, wait_until
from ..shell import ClusterError, run
from .model import Fault, Planted, one_node

LIE4, LIE6 = "192.0.2.1", "2001:db8::1"  # addresses nobody has: reserved for documentation
_PORT = 5300


def _pod_namespace(cluster: Cluster, node: Node) -> tuple[str, Path]:
    """The CoreDNS pod on a node: its address, and where its network namespace is."""
    pods = {p["spec"].get("nodeName"): p["status"].get("podIP") for p in dns.pods(cluster)}
    address = pods.get(node.name)
    if not address:
        raise ClusterError(f"no CoreDNS pod on {node.name}; there is one on {' and on '.join(sorted(filter(None, pods)))}")
    return address, namespace_of(cluster, node, address)


def _namespace(planted: Planted) -> Path | None:
    """The namespace the fault was planted in; None when the pod has gone since."""
    name = planted.memo.get("namespace")
    node = planted.cluster.node(planted.options["NODE"])
    path = namespaces(planted.cluster, node) / str(name)
    return path if name and path.exists() else None


def _remember(planted: Planted) -> Path:
    address, path = _pod_namespace(planted.cluster, planted.cluster.node(planted.options["NODE"]))
    planted.memo.update(address=address, namespace=path.name)
    planted.save()
    return path


def _load(planted: Planted, path: Path, chain: str) -> None:
    run("nsenter", f"--net={path}", "--", "nft", "-f", "-", stdin=f"""
    table inet {planted.table}
    delete table inet {planted.table}
    table inet {planted.table} {{
      chain questions {{
        {chain}
      }}
    }}""")


def _remove(planted: Planted) -> None:
    path = _namespace(planted)
    if path:
        run("nsenter", f"--net={path}", "--", "nft", "delete", "table", "inet", planted.table, check=False)


def _down_apply(planted: Planted) -> None:
    _load(planted, _remember(planted), """type filter hook input priority filter; policy accept;
        udp dport 53 counter drop
        tcp dport 53 counter drop""")


COREDNS_DOWN = Fault("coredns-down", "the CoreDNS pod on a node answers nobody, though it is Ready", one_node, _down_apply, _remove)


def _liar(planted: Planted) -> str:
    return f"coredns-liar-{planted.options['NODE']}"


def _wrong_apply(planted: Planted) -> None:
    cluster, path = planted.cluster, _remember(planted)
    corefile = cluster.dir / "faults" / f"{planted.id}.Corefile"
    corefile.write_text(f""".:{_PORT} {{
    template IN A cluster.local {{
        answer "{{{{ .Name }}}} 5 IN A {LIE4}"
    }}
    template IN AAAA cluster.local {{
        answer "{{{{ .Name }}}} 5 IN AAAA {LIE6}"
    }}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
""")
    stop(cluster, _liar(planted))
    spawn(cluster, _liar(planted), ["nsenter", f"--net={path}", "--", f"{cluster.dir}/bin/coredns", "-conf", str(corefile)])

    def listens() -> bool:
        # Linux's ss needs no connection: a port that is there in the list is a port that answers.
        return f":{_PORT} " in run("nsenter", f"--net={path}", "--", "ss", "-Hlnu")

    wait_until(cluster, "the lying CoreDNS", listens, _liar(planted), seconds=15)
    _load(planted, path, f"""type nat hook prerouting priority dstnat; policy accept;
        udp dport 53 redirect to :{_PORT}
        tcp dport 53 redirect to :{_PORT}""")


def _wrong_undo(planted: Planted) -> None:
    _remove(planted)
    stop(planted.cluster, _liar(planted))
    (planted.cluster.dir / "faults" / f"{planted.id}.Corefile").unlink(missing_ok=True)


COREDNS_WRONG = Fault("coredns-wrong", f"the CoreDNS pod on a node answers every cluster name with {LIE4}", one_node, _wrong_apply, _wrong_undo)
