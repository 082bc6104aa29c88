"""Bringing a cluster up, in order; the machine has few cores, so what can wait for another process runs beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import build, cni, control, dns, images, network, nodes, packages, pki, progress, state
from .api import Api, node_is_ready
from .down import down
from .names import Cluster, Node
from .processes import spawn, wait_until
from .shell import ClusterError, run


def up(name: str, node_count: int, cni_name: str, ipv6: bool, flannel_version: str) -> Cluster:
    """Bring up the cluster, or say that it already is; what an earlier `up` left half done is cleared first."""
    packages.ensure()
    build.build(build.needed(cni_name == "flannel"))
    with state.locked(name):
        old = state.load(name)
        wanted = Cluster(name, old.index if old else 0, node_count, cni_name, ipv6, flannel_version)
        if old and state.is_complete(old):
            if old != wanted:
                raise ClusterError(f"cluster {name!r} is up with other settings ({describe(old)}); first: tests/cluster/down --name {name}")
            trouble = _trouble(old)
            if not trouble:
                progress.say(f"cluster {name!r} is already up ({describe(old)})")
                return old
            progress.say(f"cluster {name!r} is broken ({trouble.splitlines()[0]}); starting over")
        elif old:
            progress.say(f"cluster {name!r} was left half done; starting over")
        if old:
            down(old)
        cluster = Cluster(name, state.claim_index(name), node_count, cni_name, ipv6, flannel_version)
        cluster.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        state.save(cluster)
        try:
            _bring_up(cluster)
        except BaseException:
            progress.say(f"not up; its logs are in {cluster.dir}/log until tests/cluster/down --name {name}")
            raise
        state.mark_complete(cluster)
    return cluster


def describe(cluster: Cluster) -> str:
    families = "IPv4 and IPv6" if cluster.ipv6 else "IPv4"
    network_name = f"flannel {cluster.flannel_version}" if cluster.cni == "flannel" else "bridge"
    return f"{cluster.node_count} nodes, {network_name}, {families}"


def _trouble(cluster: Cluster) -> str:
    """What is wrong with a cluster that was up, in words; empty when nothing is."""
    try:
        for node in cluster.nodes:
            nodes.require_daemons(cluster, node)
        if not Api(cluster).is_ready():
            return "the API server is not ready"
    except (ClusterError, OSError) as error:
        return str(error)
    return ""


def _bring_up(cluster: Cluster) -> None:
    flannel = cluster.cni == "flannel"
    programs = build.needed(flannel)
    with ThreadPoolExecutor(max_workers=2 + 2 * cluster.node_count) as pool:
        archives_ready = pool.submit(images.prepare, flannel)
        build.install(programs, cluster.dir / "bin")
        build.install([build.KUBECTL], cluster.dir / "tools")  # alone: `run` puts this directory on people's PATH
        keys_ready = pool.submit(pki.create, cluster)
        network.create(cluster)
        keys_ready.result()
        progress.step("network, keys")
        api_started = pool.submit(control.start_store_and_api, cluster)
        archives = archives_ready.result()
        started = [pool.submit(_start_node, cluster, node, archives) for node in cluster.nodes]
        api_started.result()
        control.wait_for_api(cluster)
        progress.step("API server ready")
        control.start_controllers(cluster)
        control.create_nodes(cluster)
        addons = pool.submit(_apply_addons, cluster)
        for future in started:
            future.result()
        progress.step("containerd on every node, images imported")
        for node in cluster.nodes:
            nodes.start_kubelet(cluster, node)
            nodes.start_proxy(cluster, node)
        addons.result()
    _wait(cluster)


def _start_node(cluster: Cluster, node: Node, archives: list[Path]) -> None:
    nodes.prepare_files(cluster, node)
    if cluster.cni == "bridge":
        cni.configure_bridge(cluster, node)
    nodes.start(cluster, node)
    for archive in archives:
        nodes.import_image(cluster, node, archive)


def _apply_addons(cluster: Cluster) -> None:
    text = dns.manifest(cluster)
    if cluster.cni == "flannel":
        text = cni.flannel_manifest(cluster) + "\n---\n" + text
    kubectl(cluster, "apply", "--server-side", "-f", "-", stdin=text)


def kubectl(cluster: Cluster, *argv: str, stdin: str | None = None, check: bool = True) -> str:
    """Run the cluster's own kubectl as the administrator."""
    return run(f"{cluster.dir}/bin/kubectl", f"--kubeconfig={cluster.admin_kubeconfig}", *argv, stdin=stdin, check=check)


def _wait(cluster: Cluster) -> None:
    api = Api(cluster)
    daemons = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    daemons += [nodes.daemon(node, program) for node in cluster.nodes for program in ("kubelet", "kube-proxy")]

    def nodes_ready() -> bool:
        items = api.get("/api/v1/nodes")["items"]
        return len(items) == cluster.node_count and all(node_is_ready(n) for n in items)

    wait_until(cluster, "nodes Ready", nodes_ready, *daemons, seconds=120)
    progress.step("nodes Ready")
    for node in cluster.nodes:
        nodes.wait_for_proxy(cluster, node)
    wait_until(cluster, "kube-dns has its endpoints", lambda: dns.is_ready(cluster), *daemons, seconds=120)
    progress.step("names resolve (kube-dns has its endpoints)")
    if cluster.cni == "flannel":
        wait_until(cluster, "flannel rolled out", lambda: flannel_is_ready(cluster), *daemons, seconds=120)
        progress.step("flannel rolled out")


def flannel_is_ready(cluster: Cluster) -> bool:
    """The DaemonSet runs its current template on every node."""
    ds = Api(cluster).get("/apis/apps/v1/namespaces/kube-flannel/daemonsets/kube-flannel-ds")
    status = ds["status"]
    fresh = status.get("observedGeneration", 0) >= ds["metadata"]["generation"]
    return fresh and all(status.get(key, 0) == cluster.node_count for key in ("updatedNumberScheduled", "numberAvailable"))
