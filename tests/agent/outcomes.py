"""Every outcome a probe can have, over IPv4 and IPv6, with the detail that belongs to it."""

import socket

from lib import check
from lib.lab import ROUTER, SERVER, Lab, socket_address as at

PORT = 18080


def test_open(lab: Lab) -> str:
    lab.serve(f"tcp={PORT}", f"udp={PORT}")
    kinds = ["connect", "tcp bytes=64", "udp bytes=64 reply=64", "http path=/"]
    lines = []
    for kind in kinds:
        word, _, keys = kind.partition(" ")
        lines += [f"{word} {at(SERVER[family], PORT)} {keys}".strip() for family in (4, 6)]
    output = lab.probe(lines)
    for number, line in enumerate(lines, 1):
        result = output.one(number)
        check.equal(result["outcome"], "open", line)
        check.that(int(result["us"]) < 1_000_000 and result["try"] == "1", f"{line}: {result}")
        if "bytes" in line:
            check.equal(result["name"], "node/server", line)
            check.equal(result["src"], "fd09:1::2" if "[" in line else "10.9.1.2", line)
        if not line.startswith("udp"):
            check.that(0 < int(result["rtt"]) < 100_000 and result["retrans"] == "0", f"{line}: {result}")
        if line.startswith("http"):
            check.equal(result["http"], "200", line)
    return f"kernel RTT {output.one(1)['rtt']} µs"


def test_refused_by_rst_or_icmp_port_unreachable(lab: Lab) -> None:
    output = lab.probe([f"{kind} {at(SERVER[family], 9)}{keys}" for family in (4, 6)
                        for kind, keys in (("connect", ""), ("tcp", " bytes=1"), ("udp", " bytes=1 reply=0"), ("pmtu", ""))])
    for number, result in output.results.items():
        check.equal(result["outcome"], "refused", str(result))
        check.equal(result["errno"], "111", str(result))
        if (number - 1) % 4 < 2:
            check.that("icmp" not in result, f"a RST is no ICMP: {result}")
        else:
            family = 4 if number <= 4 else 6
            check.equal((result["icmp"], result["from"]), ({4: "3/3", 6: "1/4"}[family], SERVER[family]), str(result))


def test_unreachable_and_prohibited_say_who_said_so(lab: Lab) -> None:
    # Net by kind of route on the router, and the type/code each becomes.
    wanted = {("10", 4): "3/1", ("10", 6): "1/0", ("11", 4): "3/13", ("11", 6): "1/1"}
    # A router sends each peer few such errors, and no setting of a namespace changes that: every probe comes from an address of its own.
    source = 20
    try:
        for kind in ("connect {}", "udp {} bytes=9 reply=9", "pmtu {}"):
            for (net, family), icmp in wanted.items():
                source += 1
                lab.shell("client", f"ip addr add 10.9.1.{source}/24 dev c0; ip route replace default via 10.9.1.1 src 10.9.1.{source}")
                line = kind.format(at(f"10.9.{net}.5" if family == 4 else f"fd09:{net}::5", 80))
                result = lab.probe([line], header="timeout=2500 tries=1").one()
                check.equal(result["outcome"], "unreachable", f"{line}: {result}")
                check.equal((result["icmp"], result["from"]), (icmp, ROUTER[family]), line)
    finally:
        lab.shell("client", "ip route replace default via 10.9.1.1 src 10.9.1.2")


def test_neighbour_that_does_not_answer_is_unreachable(lab: Lab) -> None:
    output = lab.probe([f"connect {at(SERVER[4][:-1] + '77', 80)}", f"udp {at('fd09:2::77', 80)} bytes=1 reply=1"], header="timeout=6000 tries=1")
    check.equal(output.one(1)["outcome"], "unreachable", "IPv4")
    check.equal((output.one(1)["icmp"], output.one(1)["from"]), ("3/1", ROUTER[4]), "IPv4")
    check.equal((output.one(2)["outcome"], output.one(2)["icmp"], output.one(2)["from"]), ("unreachable", "1/3", ROUTER[6]), "IPv6")


def test_unreachable_on_the_own_node_has_no_icmp(lab: Lab) -> None:
    lines = [f"{kind} {at(address, 80)}{keys}" for address in ("192.0.2.1", "2001:db8::1")
             for kind, keys in (("connect", ""), ("udp", " bytes=1 reply=1"), ("pmtu", ""))]
    for space in ("client", "alone"):
        for result in lab.probe(lines, space=space).results.values():
            check.equal(result["outcome"], "unreachable", f"{space}: {result}")
            check.that("icmp" not in result and "from" not in result, f"{space}: {result}")


def test_timeout_is_neither_early_nor_late_and_tries_are_counted(lab: Lab) -> None:
    lines = [f"{kind} {at(address, 80)}{keys}" for address in ("10.9.12.5", "fd09:12::5")
             for kind, keys in (("connect", ""), ("udp", " bytes=1 reply=1"), ("dns", " name=a.example"))]
    output = lab.probe(lines, header="timeout=400 tries=3 gap=100")
    for result in output.results.values():
        check.equal((result["outcome"], result["try"]), ("timeout", "3"), str(result))
        check.that(400_000 <= int(result["us"]) < 900_000, f"of the last try: {result}")
    check.that(output.wall >= 3 * 0.4 + 2 * 0.1, f"three tries and two gaps in {output.wall:.2f} s")


def test_sctp_is_unsupported_where_the_kernel_has_none(lab: Lab) -> str:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132).close()
    except OSError as error:
        check.equal(error.errno, 93, "errno of this kernel")
    else:
        for result in lab.probe([f"sctp {at(SERVER[4], 80)}"]).results.values():
            check.that(result["outcome"] in ("refused", "timeout"), str(result))
        return "this kernel has SCTP"
    for result in lab.probe([f"sctp {at(SERVER[family], 80)}" for family in (4, 6)], header="timeout=1000 tries=5").results.values():
        check.equal((result["outcome"], result["errno"], result["try"]), ("unsupported", "93", "1"), str(result))
    return "this kernel has no SCTP"


def test_error_is_what_the_agent_could_not_try(lab: Lab) -> None:
    # A datagram to a broadcast address needs a permission that is not asked for.
    result = lab.probe([f"udp {at('10.9.1.255', 80)} bytes=1 reply=1"]).one()
    check.equal((result["outcome"], result["why"], result["errno"]), ("error", "local", "13"), str(result))


def test_connected_then_reset_closed_silent_or_wrong(lab: Lab) -> None:
    with lab.inside("server"):
        listeners = [socket.create_server((SERVER[4], 7001 + index)) for index in range(5)]

    def serve(listener: socket.socket, answer) -> None:
        def work() -> None:
            while True:
                connection, _ = listener.accept()
                answer(connection)
        lab.thread("server", work)

    kept = []

    def reset(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    def close(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.shutdown(socket.SHUT_WR)
        kept.append(connection)

    def partly(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"cni-probe/1 tcp 100 other 10.0.0.1\n" + bytes(97 + index % 23 for index in range(40)))
        kept.append(connection)

    def wrongly(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"cni-probe/1 tcp 100 other 10.0.0.1\n" + b"a" * 100)
        kept.append(connection)

    def foreign(connection: socket.socket) -> None:
        connection.sendall(b"220 mail.example ESMTP\r\n")
        kept.append(connection)

    for listener, answer in zip(listeners, (reset, close, partly, wrongly, foreign)):
        serve(listener, answer)
    wanted = [("refused", "reset", "0"), ("error", "closed", "0"), ("timeout", "echo", "40"), ("error", "mismatch", "1"), ("error", "mismatch", None)]
    output = lab.probe([f"tcp {at(SERVER[4], 7001 + index)} bytes=100" for index in range(5)])
    for number, (outcome, why, got) in enumerate(wanted, 1):
        result = output.one(number)
        check.equal((result["outcome"], result.get("why"), result.get("got")), (outcome, why, got), str(result))
    for listener in listeners:
        listener.close()


def test_icmp_is_limited_so_a_closed_port_may_look_silent_but_never_open(lab: Lab) -> str:
    lab.icmp_limits(True)
    try:
        counts = lab.probe([f"udp {at(SERVER[4], port)} bytes=8 reply=8" for port in range(20_000, 20_200)], header="timeout=600 tries=1").count()
    finally:
        lab.icmp_limits(False)
    check.that(set(counts) <= {"refused", "timeout"}, str(counts))
    return f"of 200 closed UDP ports {counts}: callers must take both as one answer"
