"""The cluster's own tests: that it is real, that it is closed, that faults do what they say, that nothing stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from . import dns, machine, network, nodes, pods, probes, progress, state
from .api import Api
from .names import CLUSTER_DIR, DNS_SERVICE4, DNS_SERVICE6, Cluster
from .shell import ClusterError, run
from .up import kubectl

KNOWN = "kubernetes.default.svc.cluster.local"
_WEB = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: web, namespace: default}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: web
        image: docker.io/library/busybox:1.36
        command: [sh, -c, 'mkdir /tmp/w; echo ready; dd if=/dev/zero of=/tmp/w/big bs=1000 count=200 2>/dev/null; httpd -f -p 8080 -h /tmp/w']
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ipFamilyPolicy: PreferDualStack, ports: [{port: 80, targetPort: 8080}]}
"""


class Results:
    """Runs the checks and counts them; a check that fails does not stop the others."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    @contextmanager
    def check(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except (AssertionError, ClusterError, OSError, ValueError, KeyError, IndexError, subprocess.SubprocessError) as error:
            self.failed += 1
            progress.say(f"FAIL {what}\n     {type(error).__name__}: {error}")
        else:
            self.passed += 1
            progress.say(f"ok   {what}  ({time.monotonic() - began:.1f} s)")


def expect(seen: object, wanted: object, what: str) -> None:
    if seen != wanted:
        raise AssertionError(f"{what}: {seen!r}, expected {wanted!r}")


def eventually(ask: Callable[[], object], wanted: object, what: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while (seen := ask()) != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    expect(seen, wanted, what)


def tool(name: str, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one of the commands beside this package, as a person would."""
    done = subprocess.run([str(CLUSTER_DIR / name), *argv], text=True, capture_output=True, check=False, timeout=300)
    if check and done.returncode != 0:
        raise ClusterError(f"{name} {' '.join(argv)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return done


class World:
    """A cluster with a web server pod on every node, and the questions asked of it."""

    def __init__(self, name: str) -> None:
        self.cluster = state.existing(name)
        kubectl(self.cluster, "apply", "-f", "-", stdin=_WEB)
        kubectl(self.cluster, "rollout", "status", "daemonset/web", "--timeout=60s")
        items = Api(self.cluster).get("/api/v1/namespaces/default/pods?labelSelector=app%3Dweb")["items"]
        by_node = {p["spec"]["nodeName"]: p for p in items}
        self.pod = {n: p["metadata"]["name"] for n, p in by_node.items()}
        self.ips = {n: [i["ip"] for i in p["status"]["podIPs"]] for n, p in by_node.items()}
        self.place: dict[str, Path] = {n.name: pods.namespace_of(self.cluster, n, self.ips[n.name][0]) for n in self.cluster.nodes}

    def fault(self, *argv: str) -> None:
        tool("fault", "--name", self.cluster.name, *argv)

    @contextmanager
    def broken(self, *argv: str) -> Iterator[None]:
        """A fault for the length of a block; planted twice, since that must be the same as once."""
        self.fault(*argv)
        if argv[0] not in ("stale-service-rules", "agent-crashloop", "apiserver-pause"):
            self.fault(*argv)
        try:
            yield
        finally:
            self.fault("undo", *argv)
        expect(tool("fault", "--name", self.cluster.name, "list").stdout, "", "faults left")

    def reach(self, a: str, b: str, fetch: str = "") -> str:
        """The outcome from a's pod to b's, the same for every family or all of them."""
        seen = [probes.tcp(self.place[a], ip, 8080, fetch) for ip in self.ips[b]]
        return seen[0] if len(set(seen)) == 1 else str(seen)

    def udp(self, a: str, b: str) -> str:
        """"refused" says that the datagram arrived and its answer came back."""
        return probes.udp_port_is_open(self.place[a], self.ips[b][0], 9)

    def ask(self, node: str, server: str = DNS_SERVICE4, name: str = KNOWN) -> str:
        return probes.dns(self.place[node], server, name)

    def all_well(self) -> None:
        for a in self.place:
            for b in self.place:
                expect(self.reach(a, b, "/big"), "ok", f"{a} to {b}")
            for _ in range(4):
                expect(self.ask(a), "10.96.0.1", f"{KNOWN} asked on {a}")

    def dns_pod(self) -> tuple[str, str]:
        """A node with a CoreDNS pod, and the pod's address."""
        found = dns.pods(self.cluster)[0]
        return found["spec"]["nodeName"], found["status"]["podIP"]


def healthy(results: Results, world: World) -> None:
    cluster = world.cluster
    with results.check("pods on all nodes reach each other, names resolve on every node"):
        world.all_well()
        expect({p["spec"]["nodeName"] for p in dns.pods(cluster)} == {dns.pods(cluster)[0]["spec"]["nodeName"]}, False, "CoreDNS pods on one node")
        for ip in [DNS_SERVICE4] + ([DNS_SERVICE6] if cluster.ipv6 else []):
            expect(world.ask("n0", ip), "10.96.0.1", f"{KNOWN} at {ip}")
        expect(world.ask("n0", DNS_SERVICE4, "no-such.default.svc.cluster.local"), "NXDOMAIN", "a name that is not there")
    with results.check("exec and logs work, and a kubelet lets nobody in unasked"):
        expect(kubectl(cluster, "exec", world.pod["n1"], "--", "hostname").strip(), world.pod["n1"], "exec")
        expect(kubectl(cluster, "logs", world.pod["n1"]).strip(), "ready", "logs")
        answer = run("nsenter", f"--net=/run/netns/{cluster.ctl_netns}", "--", "sh", "-c",
                     f"printf 'GET /pods HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect {cluster.node('n0').ip4}:10250 2>/dev/null", check=False)
        expect(answer.split()[1:2], ["401"], "an anonymous question to a kubelet")
    with results.check("someone without a role may do nothing; Pod Security and the audit log are on"):
        done = tool("run", "--name", cluster.name, "--as-user", "alice", "kubectl", "get", "pods", check=False)
        assert "Forbidden" in done.stderr, done.stderr
        kubectl(cluster, "create", "namespace", "strict")
        kubectl(cluster, "label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted")
        try:
            kubectl(cluster, "-n", "strict", "run", "x", "--image=localhost/pause:1")
            raise AssertionError("a pod without a security context was let in")
        except ClusterError as error:
            assert "violates PodSecurity" in str(error), error
        kubectl(cluster, "delete", "namespace", "strict", "--wait=false")
        assert '"userAgent":"kubectl/' in (cluster.dir / "audit.log").read_text(), "no kubectl in the audit log"
    with results.check("a second up finds the cluster as it is"):
        assert "already up" in tool("up", "--name", cluster.name, *(["--ipv6"] if cluster.ipv6 else []),
                                    "--nodes", str(cluster.node_count)).stderr


def closed(results: Results, world: World) -> None:
    """Nothing leaves: a rule on the machine counts whatever comes out of the cluster except the API server's answers."""
    cluster = world.cluster
    table = f"cluster-test-{cluster.index}"
    run("nft", "-f", "-", stdin=f"""
        table inet {table} {{
            counter strange {{ }}
            chain arriving {{
                type filter hook prerouting priority raw; policy accept;
                iifname "{cluster.host_link}" ip saddr {cluster.api_ip} tcp sport 6443 accept
                iifname "{cluster.host_link}" meta protocol ip counter name strange
            }}
            chain passing {{
                type filter hook forward priority raw; policy accept;
                iifname "{cluster.host_link}" counter name strange
            }}
        }}""")
    try:
        with results.check("an image that is not there fails inside; no packet leaves"):
            kubectl(cluster, "run", "stranger", "--image=registry.example/no/such:1", "--restart=Never")

            def reason() -> bool:
                statuses = Api(cluster).get("/api/v1/namespaces/default/pods/stranger")["status"].get("containerStatuses", [{}])
                return statuses[0].get("state", {}).get("waiting", {}).get("reason") in ("ErrImagePull", "ImagePullBackOff")

            eventually(reason, True, "the pull failed", 40)
            kubectl(cluster, "delete", "pod", "stranger", "--grace-period=0", "--force")
        with results.check("names and addresses outside are not reached, from pods and from nodes; no packet leaves"):
            expect(world.ask("n0", DNS_SERVICE4, "example.org"), "NXDOMAIN", "example.org in a pod")
            before = network.outward_packets(cluster)
            expect(probes.tcp(world.place["n0"], "192.0.2.77", 443), "timeout", "192.0.2.77 from a pod")
            expect(probes.tcp(cluster.node("n0").netns, "192.0.2.77", 443), "timeout", "192.0.2.77 from a node")
            expect(probes.tcp(cluster.node("n0").netns, cluster.host_ip, 22), "timeout", "the machine itself from a node")
            assert network.outward_packets(cluster) >= before + 3, "the fence has not counted them"
            text = nodes.run_inside(cluster, cluster.node("n0"), "cat", "/etc/resolv.conf")
            expect(text.split()[1], cluster.gateway4, "a node's name server")
            expect(probes.dns(cluster.node("n0").netns, cluster.gateway4, "example.org"), "refused", "a node's look-up")
        with results.check("the machine has seen nothing of the cluster but the API server's answers"):
            text = run("nft", "list", "counter", "inet", table, "strange")
            expect(text.split("packets")[1].split()[0], "0", "packets")
    finally:
        run("nft", "delete", "table", "inet", table)


def packet_faults(results: Results, world: World) -> None:
    with results.check("drop, one way and both, TCP only, refused"):
        with world.broken("drop", "n0", "n1"):
            expect([world.reach("n0", "n1"), world.udp("n0", "n1"), world.reach("n0", "n2")], ["timeout", "timeout", "ok"], "drop n0 n1")
        with world.broken("drop", "n0", "n1", "--new-only"):
            expect([world.reach("n0", "n1"), world.reach("n1", "n0")], ["timeout", "ok"], "drop --new-only")
        with world.broken("drop", "n0", "n1", "--both", "--proto", "tcp", "--port", "8080", "--reject", "reset"):
            expect([world.reach("n0", "n1"), world.reach("n1", "n0"), probes.tcp(world.place["n0"], world.ips["n1"][0], 8081)],
                   ["refused"] * 3, "drop --reject reset")
        with world.broken("drop", "n0", "n1", "--proto", "udp", "--reject"):
            expect([world.udp("n0", "n1"), world.reach("n0", "n1")], ["unreachable", "ok"], "drop --proto udp --reject")
        world.all_well()
    with results.check("drop --larger-than and mtu let small packets pass and swallow large ones"):
        with world.broken("drop", "n1", "n0", "--larger-than", "1000"):
            expect([world.reach("n0", "n1"), world.reach("n0", "n1", "/big"), world.reach("n1", "n0", "/big")], ["ok", "timeout", "ok"], "drop")
        with world.broken("mtu", "n1", "1300"):
            expect([world.reach("n0", "n1"), world.reach("n0", "n1", "/big"), world.reach("n0", "n2", "/big")], ["ok", "timeout", "ok"], "mtu")
            expect(kubectl(world.cluster, "exec", world.pod["n1"], "--", "hostname").strip(), world.pod["n1"], "exec on the node meanwhile")
        world.all_well()
    with results.check("isolate, no-route"):
        with world.broken("isolate", "n2"):
            expect([world.reach("n0", "n2"), world.reach("n2", "n1"), world.reach("n0", "n1"), world.reach("n2", "n2")],
                   ["timeout", "timeout", "ok", "ok"], "isolate n2")
        with world.broken("no-route", "n0", "n1"):
            expect([world.reach("n0", "n1"), world.reach("n2", "n1")], ["timeout", "ok"], "no-route n0 n1")
        world.all_well()


def service_faults(results: Results, world: World) -> None:
    cluster = world.cluster
    with results.check("coredns-down, coredns-wrong: one pod silent or lying, and Ready all the while"):
        node, address = world.dns_pod()
        with world.broken("coredns-down", node):
            expect([world.ask(n, address) for n in ("n0", "n2")], ["timeout"] * 2, "coredns-down")
            expect(dns.is_ready(cluster), True, "its readiness")
        with world.broken("coredns-wrong", node):
            expect([world.ask(n, address) for n in ("n0", "n2")], ["192.0.2.1"] * 2, "coredns-wrong")
            expect(dns.is_ready(cluster), True, "its readiness")
        world.all_well()
    for fault in ("kube-proxy-down", "kube-proxy-stale"):
        with results.check(f"{fault}: what is known goes on, a new Service is not learnt there"):
            with world.broken(fault, "n1"):
                expect(world.ask("n1"), "10.96.0.1", "an old Service")
                kubectl(cluster, "create", "service", "clusterip", "late", "--tcp=80:8080", "--clusterip=10.96.77.77")
                kubectl(cluster, "patch", "service", "late", "-p", '{"spec":{"selector":{"app":"web"}}}')
                eventually(lambda: probes.tcp(world.place["n0"], "10.96.77.77", 80), "ok", "the new Service on n0")
                expect(probes.tcp(world.place["n1"], "10.96.77.77", 80), "timeout", "the new Service on n1")
            eventually(lambda: probes.tcp(world.place["n1"], "10.96.77.77", 80), "ok", "the new Service on n1 afterwards")
            kubectl(cluster, "delete", "service", "late")
    with results.check("stale-service-rules: a node goes on asking CoreDNS pods that are gone"):
        with world.broken("stale-service-rules", "n2"):
            expect([world.ask("n2"), world.ask("n2")], ["timeout"] * 2, "names on n2")
            eventually(lambda: world.ask("n0"), "10.96.0.1", "names on n0")
        eventually(lambda: world.ask("n2"), "10.96.0.1", "names on n2 afterwards")
    with results.check("no-cni-config: the node is not Ready until it is undone"):
        with world.broken("no-cni-config", "n1"):
            message = kubectl(cluster, "get", "node", "n1", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].message}")
            assert "cni" in message, message
        world.all_well()
    with results.check("apiserver-pause: it stands still, then goes on by itself"):
        world.fault("apiserver-pause", "3")
        began = time.monotonic()
        Api(cluster).get("/api/v1/namespaces")
        assert time.monotonic() - began > 2, "it answered at once"
        eventually(lambda: tool("fault", "--name", cluster.name, "list").stdout, "", "faults listed")
        world.fault("apiserver-pause", "60")
        world.fault("undo", "--all")
        Api(cluster).get("/api/v1/namespaces")


def flannel(results: Results, name: str) -> None:
    with results.check("flannel: up, both versions by rolling update, faults, crash loop"):
        tool("up", "--name", name, "--cni", "flannel")
        world = World(name)
        world.all_well()
        with world.broken("drop", "n0", "n1", "--proto", "udp", "--reject"):
            expect([world.udp("n0", "n1"), world.reach("n0", "n1")], ["unreachable", "ok"], "drop of UDP inside the tunnel")
        with world.broken("mtu", "n1", "1400"):
            expect([world.reach("n0", "n1"), world.reach("n0", "n1", "/big")], ["ok", "timeout"], "mtu")
        with world.broken("no-route", "n0", "n1"):
            expect(world.reach("n0", "n1"), "timeout", "no-route")
        with world.broken("agent-crashloop"):
            expect(world.reach("n0", "n1"), "ok", "the tunnel without its agent")
        image = "ghcr.io/flannel-io/flannel:v0.28.10"
        kubectl(world.cluster, "-n", "kube-flannel", "set", "image", "ds/kube-flannel-ds", f"kube-flannel={image}", f"install-cni={image}")
        kubectl(world.cluster, "-n", "kube-flannel", "rollout", "status", "ds/kube-flannel-ds", "--timeout=90s")
        world.all_well()
        tool("down", "--name", name)


def killed(results: Results, name: str, before: machine.Snapshot) -> None:
    for seconds in (0.15, 0.4, 1.5, 5, 9):
        with results.check(f"kill -9 {seconds} s into an up: down leaves nothing"):
            process = subprocess.Popen([str(CLUSTER_DIR / "up"), "--name", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            cluster = state.load(name) or Cluster(name, 0)
            tool("down", "--name", name)
            expect(machine.differences(before, machine.snapshot(), cluster), [], "left behind")


def run_all(name: str) -> int:
    """Run everything with clusters called NAME and NAME2; the number of failures."""
    results = Results()
    for one in (name, f"{name}2"):
        tool("down", "--name", one)
    before = machine.snapshot()
    tool("up", "--name", name)
    world = World(name)
    healthy(results, world)
    closed(results, world)
    packet_faults(results, world)
    service_faults(results, world)
    with results.check("a second cluster beside the first, of two nodes and both families"):
        tool("up", "--name", f"{name}2", "--ipv6", "--nodes", "2")
        second = World(f"{name}2")
        second.all_well()
        world.all_well()
        with second.broken("drop", "n0", "n1"):
            expect([second.reach("n0", "n1"), world.reach("n0", "n1")], ["timeout", "ok"], "a fault in one of them")
        tool("down", "--name", f"{name}2")
        world.all_well()
    with results.check("down takes less than five seconds and leaves nothing"):
        began = time.monotonic()
        tool("down", "--name", name)
        taken = time.monotonic() - began
        expect(machine.differences(before, machine.snapshot(), world.cluster), [], "left behind")
        assert taken < 5, f"{taken:.1f} s"
    killed(results, name, before)
    flannel(results, name)
    with results.check("after all of it the machine is as it was"):
        expect(machine.differences(before, machine.snapshot(), world.cluster), [], "left behind")
    print(f"{results.passed} passed, {results.failed} failed")
    return results.failed
