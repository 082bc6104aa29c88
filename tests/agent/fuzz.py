"""Peers that send anything: the prober takes no lie for an answer, the server answers nothing it was not asked, neither ends."""

import contextlib
import random
import socket
import struct
import threading

import dns
from lib import check
from lib.lab import SERVER, Lab, socket_address as at


def mutate(source: random.Random, data: bytes) -> bytes:
    data = bytearray(data)
    for _ in range(source.randrange(1, 4)):
        match source.randrange(5):
            case 0 if data:
                data[source.randrange(len(data))] = source.randrange(256)
            case 1 if data:
                del data[source.randrange(len(data)):]
            case 2:
                data[source.randrange(len(data) + 1):0] = source.randbytes(source.randrange(20))
            case 3 if data:
                at_ = source.randrange(len(data))
                data[at_:at_] = data[at_:at_ + source.randrange(30)]
            case _ if data:
                data[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return bytes(data)


def test_prober_survives_mutated_answers(lab: Lab) -> str:
    source = random.Random(7)
    with lab.inside("server"):
        echo, names = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        echo.bind((SERVER[4], 7000))
        names.bind((SERVER[4], 7053))
        streams = socket.create_server((SERVER[4], 7000), backlog=4096)

    def echo_back() -> None:
        while True:
            request, client = echo.recvfrom(65_536)
            words = request.split(b"\n")[0].split(b" ")
            answer = b"cni-probe/1 udp %s %d liar 10.0.0.1\n" % (words[2], len(request)) + b"." * 40
            echo.sendto(mutate(source, answer), client)

    def name_back() -> None:
        kinds = ["ok", "many", "truncated", "nodata", "nx", "upper"]
        while True:
            query, client = names.recvfrom(65_536)
            label = source.choice(kinds).encode()
            end = query.index(b"\0", 12)
            asked = query[:12] + bytes([len(label)]) + label + query[12:end]
            answer = dns.answer(asked + query[end:], [])
            # The question as it was asked, the rest of the answer as it is for the other name.
            answer = answer[:12] + query[12:end + 5] + answer[12 + len(asked) - 12 + 5:]
            names.sendto(mutate(source, answer), client)

    def stream_back() -> None:
        while True:
            connection, _ = streams.accept()
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = connection.recv(4096)
            if request.startswith(b"GET"):
                answer = b"HTTP/1.1 200 OK\r\n\r\n"
            elif request.startswith(b"cni-probe"):
                answer = b"cni-probe/1 tcp 40 liar 10.0.0.1\n" + bytes(97 + index % 23 for index in range(40))
            else:
                answer = dns.answer(request[2:], [])
                answer = struct.pack("!H", len(answer)) + answer
            connection.sendall(mutate(source, answer))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)

    for work in (echo_back, name_back, stream_back):
        lab.thread("server", work)
    kinds = [f"udp {at(SERVER[4], 7000)} bytes=40 reply=40", f"pmtu {at(SERVER[4], 7000)}", f"dns {at(SERVER[4], 7053)} name=ok.example",
             f"dns {at(SERVER[4], 7000)} name=ok.example tcp=1", f"tcp {at(SERVER[4], 7000)} bytes=40", f"http {at(SERVER[4], 7000)} path=/"]
    lines = [kinds[number % len(kinds)] for number in range(3000)]
    output = lab.probe(lines, header="timeout=400 tries=1 inflight=200")
    counts = output.count()
    check.that(counts.get("error", 0) > 300 and counts.get("open", 0) > 100, f"{counts}: nothing was tested")
    for number, result in output.results.items():
        if lines[number - 1].startswith("tcp") and result["outcome"] == "open":
            check.that(result["src"].count(".") == 3 or ":" in result["src"], str(result))
    return str(counts)


def test_server_survives_mutated_requests(lab: Lab) -> str:
    source = random.Random(8)
    process = lab.serve("tcp=18080", "udp=18080")
    datagrams = [b"cni-probe/1 udp 7 64 node/client\n" + b"." * 60, b"cni-probe/1 udp 18446744073709551615 0 a\n"]
    streams = [b"cni-probe/1 tcp 40 node/client\n" + b"x" * 40, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"cni-probe/1 tcp 18446744073709551615 a\nxxxx"]
    answers = 0
    with lab.inside("client"):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.connect((SERVER[4], 18080))
        client.setblocking(False)
        for _ in range(20_000):
            with contextlib.suppress(BlockingIOError):
                client.send(mutate(source, source.choice(datagrams)))
            with contextlib.suppress(BlockingIOError):
                while client.recv(65_536):
                    answers += 1
        for _ in range(1500):
            with contextlib.suppress(OSError), socket.create_connection((SERVER[4], 18080), timeout=1) as stream:
                stream.sendall(mutate(source, source.choice(streams)))
        client.close()
    check.equal(process.poll(), None, "the server lives")
    check.that(1000 < answers < 19_000, f"{answers} answers: nothing was tested")
    check.equal(lab.probe(["tcp 10.9.2.2:18080 bytes=1000", "udp 10.9.2.2:18080 bytes=10 reply=10"]).count(), {"open": 2}, "and serves")
    return f"{answers} of 20000 mutated datagrams were still requests"
