"""The server: many ports, many clients, slow ones, silent ones, and too few descriptors."""

import contextlib
import os
import socket
import time

from lib import check
from lib.lab import SERVER, Lab, cpu, memory, socket_address as at

PORT = 18080


def connect(lab: Lab, port: int = PORT, count: int = 1) -> list[socket.socket]:
    with lab.inside("client"):
        return [socket.create_connection((SERVER[4], port), timeout=5) for _ in range(count)]


def test_serves_on_four_hundred_sockets(lab: Lab) -> str:
    ports = range(20_000, 20_100)
    listed = ",".join(map(str, ports))
    process = lab.serve(f"tcp={listed}", f"udp={listed}")
    links = [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{process.pid}/fd")]
    check.equal(sum(link.startswith("socket:") for link in links), 400, "sockets")
    lines = [f"{kind} {at(SERVER[family], port)}{keys}" for port in ports for family in (4, 6)
             for kind, keys in (("tcp", " bytes=100"), ("udp", " bytes=100 reply=100"))]
    check.equal(lab.probe(lines).count(), {"open": 400}, "answers")
    return f"peak {memory(process.pid)} KiB"


def test_says_which_clients_came_and_which_ports_it_could_not_open(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}")
    second = lab.serve(f"tcp={PORT},{PORT + 1}", f"udp={PORT}")
    lines = [second.stdout.readline().decode().strip() for _ in range(2)]
    check.equal(lines, [f"# cannot open tcp {ip} port {PORT}: errno 98" for ip in ("0.0.0.0", "::")], "comments")
    lab.probe([f"tcp {at(SERVER[4], PORT + 1)} bytes=1", f"udp {at(SERVER[6], PORT)} bytes=1 reply=1"] * 3)
    lines = sorted(second.stdout.readline().decode().strip() for _ in range(2))
    check.equal(lines, ["seen tcp node/client", "seen udp node/client"], "clients, once each")


def test_a_client_that_does_not_read_gets_everything_later_and_holds_nobody_up(lab: Lab) -> str:
    process = lab.serve(f"tcp={PORT}")
    with lab.inside("client"):
        slow = socket.socket()
        # The kernel's own buffers are bounded, so that they cannot hold everything on a busy machine.
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 << 10)
        slow.connect((SERVER[4], PORT))
    size = 24 << 20
    slow.setblocking(False)
    payload = memoryview(b"cni-probe/1 tcp %d slow\n" % size + b"z" * size)
    sent, deadline = 0, time.monotonic() + 1.5
    while time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            sent += slow.send(payload[sent:sent + 65_536])
    check.that(sent < len(payload), "the server stops reading what it cannot send back")
    taken, peak = sent, memory(process.pid)
    check.that(peak < 4096, f"{peak} KiB for one slow client")
    check.equal(lab.probe([f"tcp {at(SERVER[4], PORT)} bytes=65536"]).count(), {"open": 1}, "others are served")
    received = bytearray()
    slow.setblocking(False)
    deadline = time.monotonic() + 20
    while not (received.count(b"\n") and len(received) >= received.index(b"\n") + 1 + size) and time.monotonic() < deadline:
        with contextlib.suppress(BlockingIOError):
            sent += slow.send(payload[sent:sent + 65_536])
        with contextlib.suppress(BlockingIOError):
            received += slow.recv(1 << 20)
    first, _, echo = bytes(received).partition(b"\n")
    check.equal((first, echo == b"z" * size), (b"cni-probe/1 tcp %d node/server 10.9.1.2" % size, True), "the echo is whole")
    return f"it stopped after {taken} bytes, peak {peak} KiB"


def test_what_is_no_request_gets_no_answer(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}", f"udp={PORT}")
    for bytes_ in (b"hello\n", b"cni-probe/2 tcp 5 x\n", b"cni-probe/1 udp 5 5 x\n", b"cni-probe/1 tcp -5 x\n", b"\0" * 10_000, b"cni-probe/1 tcp 2 x\nabc"):
        (client,) = connect(lab)
        client.sendall(bytes_)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(1000):
                received += piece
        check.that(b"hello" not in received and b"abc" not in received, f"{bytes_!r}: {received!r}")
    with lab.inside("client"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.3)
        for bytes_ in (b"hello\n", b"", b"cni-probe/1 udp 7 100 x", b"cni-probe/1 udp 7 100 n/server 10.0.0.1\n", b"cni-probe/1 tcp 7 x\n"):
            client.sendto(bytes_, (SERVER[4], PORT))
            with contextlib.suppress(TimeoutError):
                raise AssertionError(f"{bytes_!r} got {client.recv(1000)!r}")
        # No use to whoever forges a source: 384 bytes at the most for a small request.
        client.sendto(b"cni-probe/1 udp 7 60000 x\n", (SERVER[4], PORT))
        check.equal(len(client.recv(65_536)), 384, "bytes in answer to a small request")


def test_http_for_the_kubelet_in_any_pieces_without_a_reset(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}")
    request = b"GET /healthz HTTP/1.1\r\nHost: 10.9.2.2:18080\r\nUser-Agent: kube-probe/1.36\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    for cut in (len(request), 3, 30, len(request) - 1):
        (client,) = connect(lab)
        client.sendall(request[:cut])
        if cut < len(request):
            client.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                raise AssertionError(f"answered before the request was complete: {client.recv(1000)!r}")
            client.settimeout(5)
            client.sendall(request[cut:])
        received = b""
        while piece := client.recv(1000):  # a reset would raise
            received += piece
        check.equal(received, b"HTTP/1.0 200 OK\r\n\r\nnode/server\n", f"cut at {cut}")


def test_silent_clients_are_put_out(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}", "idle=1")
    silent, half, busy = connect(lab, count=3)
    half.sendall(b"cni-probe/1 tcp 1000000 half\n" + b"x" * 10)
    busy.sendall(b"cni-probe/1 tcp 1000000 busy\n")
    for _ in range(8):
        time.sleep(0.5)
        busy.sendall(b"x" * 10)
    for client in (silent, half):
        client.settimeout(1)
        while client.recv(100):
            pass
    busy.sendall(b"x")
    busy.settimeout(1)
    check.that(busy.recv(100), "one that talks stays")


def test_more_clients_than_descriptors_make_room(lab: Lab) -> str:
    """Whoever was silent longest makes room; accepting never spins."""
    process = lab.serve(f"tcp={PORT}", files=72)
    clients = connect(lab, count=200)
    began = cpu(process.pid)
    time.sleep(2)
    used = cpu(process.pid) - began
    check.that(used < 0.2, f"{used:.2f} s of processor time in 2 s at rest")
    clients[-1].sendall(b"cni-probe/1 tcp 3 last\nabc")
    check.that(clients[-1].recv(100).startswith(b"cni-probe/1 tcp 3 node/server"), "the newest is served")
    check.equal(lab.probe([f"tcp {at(SERVER[4], PORT)} bytes=10"]).count(), {"open": 1}, "and another one")
    return f"{used:.2f} s of processor time in 2 s at rest"


def test_without_a_free_descriptor_accepting_pauses(lab: Lab) -> str:
    """0-2, epoll, signalfd and 14 listeners: not one is left for a client, so there is nobody to put out either."""
    ports = ",".join(str(port) for port in range(PORT, PORT + 7))
    process = lab.serve(f"tcp={ports}", files=19)
    clients = connect(lab, count=3)
    began = cpu(process.pid)
    time.sleep(2)
    used = cpu(process.pid) - began
    check.that(used < 0.2, f"{used:.2f} s of processor time in 2 s with clients waiting")
    for client in clients:
        client.close()
    return f"{used:.2f} s of processor time in 2 s with clients waiting"


def test_with_two_free_descriptors_the_newest_clients_are_served(lab: Lab) -> None:
    ports = ",".join(str(port) for port in range(PORT, PORT + 7))
    lab.serve(f"tcp={ports}", files=21)
    for number in range(6):
        (client,) = connect(lab)
        client.settimeout(5)
        client.sendall(b"cni-probe/1 tcp 3 number%d\nabc" % number)
        check.that(client.recv(100).startswith(b"cni-probe/1 tcp 3 node/server"), f"client {number} is served although others stay")
        kept.append(client)
    for client in kept:
        client.close()


kept: list[socket.socket] = []


def test_a_slow_log_reader_does_not_hold_the_server_up(lab: Lab) -> str:
    process = lab.serve(f"udp={PORT}")
    names = [f"{'x' * 200}/{number}" for number in range(6000)]
    answered = 0
    with lab.inside("client"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        for number, name in enumerate(names):
            client.sendto(f"cni-probe/1 udp {number} 0 {name}\n".encode(), (SERVER[4], PORT))
            answered += client.recv(1000).startswith(f"cni-probe/1 udp {number} ".encode())
        check.equal(answered, 6000, "answers, with nobody reading the log")
        peak = memory(process.pid)
        seen, dropped = set(), 0
        while not dropped:
            line = process.stdout.readline().decode().strip()
            if line.startswith("seen udp "):
                seen.add(line)
            else:
                dropped = int(line.split(" ")[1])
        check.equal(len(seen) + dropped, 6000, "printed and counted as not printed")
        check.that(len(seen) >= 1000 and dropped > 1000, f"{len(seen)} and {dropped}")
        # One that was dropped is still new.
        client.sendto(f"cni-probe/1 udp 1 0 {names[-1]}\n".encode(), (SERVER[4], PORT))
    check.equal(process.stdout.readline().decode().strip(), f"seen udp {names[-1]}", "the next time")
    return f"{len(seen)} printed, {dropped} counted, peak {peak} KiB"


def test_until_closes_everything_and_sleeps(lab: Lab) -> None:
    process = lab.serve(f"tcp={PORT}", f"udp={PORT}", f"until={int(time.time()) + 2}")
    check.equal(lab.probe([f"tcp {at(SERVER[4], PORT)} bytes=1"]).count(), {"open": 1}, "before")
    time.sleep(4)
    check.equal(process.poll(), None, "it does not end: its pod would be started again")
    check.equal(lab.probe([f"tcp {at(SERVER[4], PORT)} bytes=1", f"udp {at(SERVER[4], PORT)} bytes=1 reply=1"]).count(), {"refused": 2}, "after")
    began = cpu(process.pid)
    time.sleep(1)
    check.that(cpu(process.pid) - began < 0.05, "it sleeps")
    process.terminate()
    check.equal(process.wait(timeout=5), 0, "SIGTERM")
