"""Three machines in network namespaces: a client, a router, a server, with the links that the cases need.

    client c0 ── r0 router r1 ── s1 server        10.9.1.0/24, 10.9.2.0/24: 1500 bytes throughout
                           r2 ── s2 server        10.9.3.0/24: 1400 bytes, and the router says so by ICMP
    client c4 ── (bridge) ── s4 server            10.9.4.0/24: 1387 bytes, and larger packets vanish

IPv6 alike: fd09:1:: and so on. Behind the router nothing is at 10.9.10-12 (unreachable, prohibited, black hole) and 10.8.0.0/16.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

from lib.agent import Output, parse

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNET = 0x4000_0000
SERVER = {4: "10.9.2.2", 6: "fd09:2::2"}
ROUTER = {4: "10.9.1.1", 6: "fd09:1::1"}
NARROW = {4: "10.9.3.2", 6: "fd09:3::2"}
HOLE = {4: "10.9.4.2", 6: "fd09:4::2"}


def socket_address(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Lab:
    """The machines, and what runs on them."""

    def __init__(self, agent: Path) -> None:
        self.agent = agent
        self.running: list[subprocess.Popen] = []
        self.spaces: dict[str, int] = {}
        shell("mount --make-rprivate / && mkdir -p /run/netns && mount -t tmpfs tmpfs /run/netns")
        # A resolv.conf of our own, in our own mount namespace.
        resolv = agent.parent / "resolv.conf"
        resolv.write_text(f"search ns.svc.test.example svc.test.example test.example\nnameserver {SERVER[4]}\noptions ndots:5\n")
        shell(f"mount --bind {resolv} /etc/resolv.conf")
        for name in ("client", "router", "server", "alone"):
            shell(f"ip netns add {name}")
            self.spaces[name] = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
            # No duplicate address detection: addresses are there at once.
            self.shell(name, "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0; ip link set lo up")
        wire = "ip link add {0} netns {1} type veth peer name {2} netns {3}"
        for line in [("c0", "client", "r0", "router"), ("r1", "router", "s1", "server"), ("r2", "router", "s2", "server"),
                     ("c4", "client", "p4", "router"), ("q4", "router", "s4", "server")]:
            shell(wire.format(*line))
        self.shell("router", "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip link add br4 type bridge;"
                   "ip link set p4 master br4; ip link set q4 master br4; ip link set br4 up; ip link set p4 up; ip link set q4 mtu 1387 up;"
                   "ip link set r2 mtu 1400")
        # A bridge lets packets through that a network card would yet cut up; so they are cut up before.
        self.shell("client", "ip link set c4 gso_max_segs 1")
        self.shell("server", "ip link set s4 gso_max_segs 1")
        self.shell("server", "ip link set s2 mtu 1400")
        for space, link, net, host in [("client", "c0", 1, 2), ("router", "r0", 1, 1), ("router", "r1", 2, 1), ("server", "s1", 2, 2),
                                       ("router", "r2", 3, 1), ("server", "s2", 3, 2), ("client", "c4", 4, 1), ("server", "s4", 4, 2)]:
            self.shell(space, f"ip addr add 10.9.{net}.{host}/24 dev {link}; ip -6 addr add fd09:{net}::{host}/64 nodad dev {link};"
                       f"ip link set {link} up")
        self.shell("client", "ip route add default via 10.9.1.1; ip -6 route add default via fd09:1::1;"
                   "ip route add unreachable 192.0.2.0/24; ip -6 route add unreachable 2001:db8::/32")
        self.shell("server", "ip route add default via 10.9.2.1; ip -6 route add default via fd09:2::1;"
                   "ip addr add 10.9.2.3/24 dev s1; ip -6 addr add fd09:2::3/64 nodad dev s1")
        self.shell("router", "ip route add unreachable 10.9.10.0/24; ip route add prohibit 10.9.11.0/24; ip route add blackhole 10.9.12.0/24;"
                   "ip route add blackhole 10.8.0.0/16; ip -6 route add unreachable fd09:10::/64; ip -6 route add prohibit fd09:11::/64;"
                   "ip -6 route add blackhole fd09:12::/64")
        self.icmp_limits(False)
        self.wait_for_links()

    def wait_for_links(self) -> None:
        """Until a closed port refuses, by every way and family."""
        with self.inside("client"):
            for address in (way[family] for way in (SERVER, NARROW, HOLE) for family in (4, 6)):
                deadline = time.monotonic() + 20
                while time.monotonic() < deadline:
                    try:
                        socket.create_connection((address, 9), timeout=0.5).close()
                    except ConnectionRefusedError:
                        break
                    except OSError:
                        time.sleep(0.05)
                else:
                    raise AssertionError(f"{address} cannot be reached")

    def icmp_limits(self, on: bool) -> None:
        """Linux limits ICMP errors by itself, as it does on real nodes; most cases want every one of them."""
        for space in ("router", "server"):
            v4, v6 = (1000, 1000) if on else (0, 0)
            self.shell(space, f"sysctl -qw net.ipv4.icmp_ratelimit={v4} net.ipv6.icmp.ratelimit={v6};"
                       f"sysctl -qw net.ipv4.icmp_msgs_per_sec={1000 if on else 1000000} net.ipv4.icmp_msgs_burst={50 if on else 100000} || true")

    def shell(self, space: str, script: str) -> None:
        shell(f"ip netns exec {space} sh -ec '{script}'")

    @contextlib.contextmanager
    def inside(self, space: str):
        """This thread in another network namespace: sockets made here belong there."""
        with open("/proc/thread-self/ns/net") as own:
            check(LIBC.setns(self.spaces[space], NEWNET))
            try:
                yield
            finally:
                check(LIBC.setns(own.fileno(), NEWNET))

    def thread(self, space: str, work: Callable[[], None]) -> threading.Thread:
        """A server of the test's own, on a machine; it ends when its sockets are closed."""
        ready = threading.Event()

        def body() -> None:
            check(LIBC.setns(self.spaces[space], NEWNET))
            ready.set()
            with contextlib.suppress(OSError):
                work()

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        ready.wait()
        return thread

    def start(self, space: str, *words: str, before: Callable[[], None] | None = None, files: int | None = None, program: str | None = None,
              **options) -> subprocess.Popen:
        """Starts the agent on a machine. `before` runs in the child; `files` bounds its descriptors."""
        import resource

        def child() -> None:
            check(LIBC.setns(self.spaces[space], NEWNET))
            limit = files or resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, 1024), limit))
            if before:
                before()

        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | options
        process = subprocess.Popen([program or str(self.agent), *words], preexec_fn=child, **options)
        self.running.append(process)
        return process

    def serve(self, *words: str, space: str = "server", **options) -> subprocess.Popen:
        """Starts an echo server and waits until it says so."""
        process = self.start(space, "serve", "name=node/server", *words, **options)
        first = process.stdout.readline()
        if b"serve name=" not in first:
            raise AssertionError(f"no server: {first!r}")
        time.sleep(0.1)  # its sockets are opened after that line
        return process

    def probe(self, lines: list[str], header: str = "timeout=1000 tries=1", space: str = "client", wait: float = 60, **options) -> Output:
        """Runs a plan to its end, and sees that every probe got its line."""
        plan = "\n".join([f"cni-probe/1 plan {header}", *(f"p {number} {line}" for number, line in enumerate(lines, 1)), "end", ""])
        output = self.run_plan(plan.encode(), space=space, wait=wait, **options)
        if output.end is None or len(output.results) != len(lines) or output.bad:
            raise AssertionError(f"{len(output.results)} of {len(lines)} results, end={output.end}, bad={output.bad}")
        return output

    def run_plan(self, plan: bytes, space: str = "client", wait: float = 60, **options) -> Output:
        """Sends a plan and leaves standard input open: the agent has to end by itself."""
        began = time.monotonic()
        process = self.start(space, "probe", "name=node/client", stdin=subprocess.PIPE, **options)
        text = bytearray()
        reader = threading.Thread(target=lambda: text.extend(process.stdout.read()))
        reader.start()
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(plan)
            process.stdin.flush()
        peak = 0
        while process.poll() is None and time.monotonic() - began < wait:
            peak = max(peak, memory(process.pid))
            time.sleep(0.005)
        if process.returncode is None:
            process.kill()
            raise AssertionError(f"still running after {wait} s")
        reader.join()
        output = parse(bytes(text).decode())
        output.status, output.wall, output.peak = process.returncode, time.monotonic() - began, peak
        return output

    def stop_all(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()
        self.running = []


def memory(pid: int) -> int:
    """Peak resident memory, KiB; 0 when the process has gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def cpu(pid: int) -> float:
    """Seconds of processor time used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def shell(script: str) -> None:
    result = subprocess.run(["sh", "-ec", script], capture_output=True, text=True)
    if result.returncode != 0:
        raise AssertionError(f"{script}: {result.stderr.strip()}")
