"""DNS over UDP and TCP against a server that answers, lies, and keeps silent, by the first label of the name."""

import socket
import struct
import threading
import time

from lib import check
from lib.lab import SERVER, Lab, socket_address as at

PORT = 5300
A, AAAA, CNAME = 1, 28, 5


def labels(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def record(kind: int, data: bytes) -> bytes:
    return b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(data)) + data


def answer(query: bytes, asked: list) -> bytes | None:
    """The answer to a query, or None for silence."""
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    words, at_ = [], 12
    while query[at_]:
        words.append(query[at_ + 1:at_ + 1 + query[at_]].decode())
        at_ += 1 + query[at_]
    (kind,) = struct.unpack("!H", question[-4:-2])
    asked.append((".".join(words), kind))
    number, flags, records = query[:2], 0x8180, []
    one = record(A, bytes([10, 1, 2, 3])) if kind == A else record(AAAA, socket.inet_pton(socket.AF_INET6, "fd00::1234"))
    count = 1
    match words[0]:
        case "silent":
            return None
        case "nx":
            flags |= 3
        case "servfail":
            flags |= 2
        case "noquestion":
            return number + struct.pack("!HHHHH", flags | 2, 0, 0, 0, 0)
        case "nodata":
            pass
        case "ok" | "kubernetes":
            records = [record(CNAME, labels("other.example")), one]
        case "upper":
            question, records = question.upper()[:-4] + question[-4:], [one]
        case "many":
            records = [record(A, bytes([10, 1, 2, index])) for index in range(12)]
        case "wrongid":
            number, records = bytes([number[0] ^ 1, number[1]]), [one]
        case "wrongquestion":
            question, records = labels("another.example") + question[-4:], [one]
        case "notananswer":
            flags, records = 0x0100, [one]
        case "damaged":
            records, count = [one[:-2]], 1
        case "truncated":
            flags |= 0x200
            records, count = [one, one[:5]], 3
    return number + struct.pack("!HHHHH", flags, 1, len(records) if count == 1 else count, 0, 0) + question + b"".join(records)


class Server:
    def __init__(self, lab: Lab, port: int) -> None:
        self.asked: list = []
        with lab.inside("server"):
            self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.stranger.bind((SERVER[4], 0))
            for family, address in ((socket.AF_INET, SERVER[4]), (socket.AF_INET6, SERVER[6])):
                datagrams = socket.socket(family, socket.SOCK_DGRAM)
                listener = socket.socket(family, socket.SOCK_STREAM)
                for made in (datagrams, listener):
                    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    made.bind((address, port))
                listener.listen()
                lab.thread("server", lambda datagrams=datagrams: self.udp(datagrams))
                lab.thread("server", lambda listener=listener: self.tcp(listener))

    def udp(self, datagrams: socket.socket) -> None:
        while True:
            query, client = datagrams.recvfrom(4096)
            reply = answer(query, self.asked)
            if reply is None:
                continue
            word = self.asked[-1][0].split(".")[0]
            if word == "wrongsource":
                self.stranger.sendto(reply, client)
                continue
            if word.startswith("wrong"):
                # The lie first, the truth 200 ms later: only the truth may be taken.
                datagrams.sendto(reply, client)
                if self.asked[-1][0].endswith(".late.example"):
                    time.sleep(0.2)
                    datagrams.sendto(truth(query), client)
                continue
            datagrams.sendto(reply, client)

    def tcp(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.stream, args=(connection,), daemon=True).start()

    def stream(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
                piece = connection.recv(4096)
                if not piece:
                    return
                data += piece
            reply = answer(data[2:], self.asked)
            if reply is None:
                time.sleep(5)
                return
            whole = struct.pack("!H", len(reply)) + reply
            if self.asked[-1][0].startswith("closed"):
                connection.sendall(whole[:7])
                return
            for byte in whole:  # in pieces, as TCP may
                connection.sendall(bytes([byte]))
            time.sleep(0.2)


def truth(query: bytes) -> bytes:
    end = query.index(b"\0", 12) + 5
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:end] + record(A, bytes([10, 9, 9, 9]))


# Label → outcome and detail over UDP; `why` over TCP where it differs.
CASES = {
    "ok": {"outcome": "open", "rcode": "0", "n": "1"},
    "upper": {"outcome": "open", "rcode": "0", "n": "1"},
    "nodata": {"outcome": "open", "rcode": "0", "n": "0"},
    "nx": {"outcome": "open", "rcode": "3", "n": "0"},
    "servfail": {"outcome": "open", "rcode": "2", "n": "0"},
    "noquestion": {"outcome": "open", "rcode": "2", "n": "0"},
    "truncated": {"outcome": "open", "rcode": "0", "tc": "1", "n": "1"},
    "silent": {"outcome": "timeout"},
    "wrongid": {"outcome": "timeout"},
    "wrongquestion": {"outcome": "timeout"},
    "wrongsource": {"outcome": "timeout"},
    "notananswer": {"outcome": "timeout"},
    "damaged": {"outcome": "timeout"},
}


def test_answers_over_udp(lab: Lab) -> None:
    server = Server(lab, PORT)
    for family in (4, 6):
        for qtype, address in (("A", "10.1.2.3"), ("AAAA", "fd00::1234")):
            names = [name for name in CASES if not (family == 6 and name == "wrongsource")]
            lines = [f"dns {at(SERVER[family], PORT)} name={name}.example type={qtype}" for name in names]
            output = lab.probe(lines, header="timeout=500 tries=1")
            for number, name in enumerate(names, 1):
                result = output.one(number)
                for key, value in CASES[name].items():
                    check.equal(result.get(key), value, f"{name} {qtype} over IPv{family}: {result}")
                check.equal(result.get("ans"), address if result.get("n") == "1" else None, f"{name} {qtype}: {result}")
    check.that(("ok.example", A) in server.asked and ("ok.example", AAAA) in server.asked, "both types were asked")


def test_a_wrong_answer_does_not_end_the_wait_for_the_right_one(lab: Lab) -> None:
    Server(lab, PORT + 1)
    for name in ("wrongid", "wrongquestion"):
        result = lab.probe([f"dns {at(SERVER[4], PORT + 1)} name={name}.late.example"]).one()
        check.equal((result["outcome"], result["ans"]), ("open", "10.9.9.9"), f"{name}: {result}")
        check.that(int(result["us"]) >= 200_000, str(result))


def test_answers_over_tcp(lab: Lab) -> None:
    Server(lab, PORT + 2)
    wanted = {name: dict(case) for name, case in CASES.items() if name != "wrongsource"}
    for name in ("wrongid", "wrongquestion", "notananswer", "damaged"):
        wanted[name] = {"outcome": "error", "why": "mismatch"}
    wanted["silent"] = {"outcome": "timeout", "why": "echo"}
    wanted["closed"] = {"outcome": "error", "why": "closed"}
    for family in (4, 6):
        lines = [f"dns {at(SERVER[family], PORT + 2)} name={name}.example tcp=1" for name in wanted]
        output = lab.probe(lines, header="timeout=800 tries=1")
        for number, (name, case) in enumerate(wanted.items(), 1):
            for key, value in case.items():
                check.equal(output.one(number).get(key), value, f"{name} over IPv{family}: {output.one(number)}")
    refused = lab.probe([f"dns {at(SERVER[4], 9)} name=ok.example tcp=1", f"dns {at(SERVER[4], 9)} name=ok.example"])
    check.equal(refused.count(), {"refused": 2}, "no server")


def test_many_addresses_are_counted_and_eight_are_named(lab: Lab) -> None:
    Server(lab, PORT + 3)
    result = lab.probe([f"dns {at(SERVER[4], PORT + 3)} name=many.example"]).one()
    check.equal((result["n"], len(result["ans"].split(","))), ("12", 8), str(result))


def test_resolv_conf_names_the_server_and_the_cluster_domain(lab: Lab) -> None:
    server = Server(lab, 53)
    output = lab.probe(["dns - name=kubernetes.default.svc.~", "dns - name=ok.example."])
    check.equal((output.start["nameserver"], output.start["domain"]), (SERVER[4], "test.example"), "start line")
    check.equal(output.count(), {"open": 2}, str(output.results))
    check.equal(output.one(1)["to"], f"{SERVER[4]}:53", "the server asked")
    check.that(("kubernetes.default.svc.test.example", A) in server.asked, str(server.asked))


def test_http_status_and_what_is_no_http(lab: Lab) -> None:
    replies = {b"/404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"/503": b"HTTP/1.0 503 Busy\r\n\r\n",
               b"/garbage": b"SSH-2.0-OpenSSH\r\n", b"/short": b"HTTP/1.1", b"/nothing": b"", b"/long": b"x" * 5000}
    asked = []
    with lab.inside("server"):
        listener = socket.create_server((SERVER[4], 8000))

    def work() -> None:
        while True:
            connection, _ = listener.accept()
            request = connection.recv(4096)
            asked.append(request)
            path = request.split(b" ")[1]
            if path == b"/silent":
                kept.append(connection)
                continue
            connection.sendall(replies[path])
            connection.shutdown(socket.SHUT_WR)
            kept.append(connection)

    kept: list = []
    lab.thread("server", work)
    paths = ["/404", "/503", "/garbage", "/short", "/nothing", "/long", "/silent"]
    output = lab.probe([f"http {at(SERVER[4], 8000)} path={path}" for path in paths], header="timeout=500 tries=1")
    wanted = [("open", "404", None), ("open", "503", None), ("error", None, "mismatch"), ("error", None, "mismatch"), ("error", None, "closed"),
              ("error", None, "mismatch"), ("timeout", None, "echo")]
    for number, (outcome, status, why) in enumerate(wanted, 1):
        result = output.one(number)
        check.equal((result["outcome"], result.get("http"), result.get("why")), (outcome, status, why), f"{paths[number - 1]}: {result}")
    check.equal(asked[0], b"GET /404 HTTP/1.0\r\nHost: 10.9.2.2:8000\r\n\r\n", "what is sent")
    listener.close()
