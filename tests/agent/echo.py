"""Echoes of every size over TCP and UDP, and links that do not carry what they promise."""

from lib import check
from lib.lab import HOLE, NARROW, ROUTER, SERVER, Lab, socket_address as at

PORT = 18080


def test_tcp_echo_of_any_size_comes_back_whole(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}")
    lines = [f"tcp {at(SERVER[family], PORT)} bytes={size}" for family in (4, 6) for size in (0, 1, 1000, 65_535, 65_536, 65_537, 1 << 20, 16 << 20)]
    for number, result in lab.probe(lines, header="timeout=20000 tries=1").results.items():
        check.equal((result["outcome"], result.get("name")), ("open", "node/server"), f"{lines[number - 1]}: {result}")


def test_udp_fits_or_is_refused_by_the_own_node_with_its_mtu(lab: Lab) -> None:
    lab.serve(f"udp={PORT}")
    fits = {4: 1500 - 28, 6: 1500 - 48}
    for family, most in fits.items():
        lines = [f"udp {at(SERVER[family], PORT)} bytes={size} reply={reply}"
                 for size, reply in ((0, 0), (1, 384), (64, 64), (500, 64), (most, most), (most + 1, 64), (65_507, 64))]
        output = lab.probe(lines)
        for number in range(1, 6):
            check.equal((output.one(number)["outcome"], output.one(number)["name"]), ("open", "node/server"), lines[number - 1])
        for number in (6, 7):
            result = output.one(number)
            check.equal((result["outcome"], result["errno"], result["mtu"]), ("unreachable", "90", "1500"), f"{lines[number - 1]}: {result}")
            check.that("icmp" not in result, str(result))


def test_path_mtu_search(lab: Lab) -> str:
    lab.serve(f"tcp={PORT}", f"udp={PORT}")
    output = lab.probe([f"pmtu {at(way[family], PORT)}" for way in (SERVER, NARROW, HOLE) for family in (4, 6)], header="timeout=2500 tries=1")
    for family, number in ((4, 1), (6, 2)):
        result = output.one(number)
        check.equal((result["outcome"], result["mtu"], result["largest"], result["name"]), ("open", "1500", "1500", "node/server"), str(result))
    for family, number, icmp in ((4, 3, "3/4"), (6, 4, "2/0")):
        result = output.one(number)
        # The router says so and the kernel learns it: the path works at its own size, as it does for TCP.
        check.equal((result["outcome"], result["icmp"], result["from"]), ("open", icmp, ROUTER[family]), str(result))
        check.equal((result["mtu"], result["largest"]), ("1400", "1400"), str(result))
        check.that("errno" not in result, str(result))
    for number in (5, 6):
        result = output.one(number)
        check.equal((result["outcome"], result["mtu"], result["largest"]), ("timeout", "1500", "1387"), str(result))
        check.that("icmp" not in result, str(result))
    return f"the longest took {max(int(result['us']) for result in output.results.values()) / 1e6:.1f} s"


def test_large_echo_shows_a_black_hole_and_a_small_one_does_not(lab: Lab) -> None:
    lab.serve(f"tcp={PORT}", f"udp={PORT}")
    output = lab.probe([f"tcp {at(HOLE[family], PORT)} bytes={size}" for family in (4, 6) for size in (64, 65_536)])
    for small, large in ((1, 2), (3, 4)):
        check.equal(output.one(small)["outcome"], "open", "64 bytes")
        result = output.one(large)
        check.equal((result["outcome"], result["why"]), ("timeout", "echo"), str(result))
        check.that(int(result["got"]) < 65_536 and int(result["retrans"]) > 0, str(result))
    # Where the router says so, TCP adapts.
    for result in lab.probe([f"tcp {at(NARROW[family], PORT)} bytes=65536" for family in (4, 6)]).results.values():
        check.equal(result["outcome"], "open", str(result))


def test_datagram_too_large_for_the_path_is_unreachable_at_once_and_once_known(lab: Lab) -> None:
    # An address of its own, of which no other case has taught the kernel anything.
    lab.shell("server", "ip addr add 10.9.3.9/24 dev s2; ip -6 addr add fd09:3::9/64 nodad dev s2")
    lab.serve(f"udp={PORT}")
    for address, icmp, router in (("10.9.3.9", "3/4", ROUTER[4]), ("fd09:3::9", "2/0", ROUTER[6])):
        line = f"udp {at(address, PORT)} bytes=1440 reply=64"
        first = lab.probe([line]).one()
        check.equal((first["outcome"], first["errno"], first["icmp"], first["from"]), ("unreachable", "90", icmp, router), str(first))
        second = lab.probe([line]).one()
        check.equal((second["outcome"], second["errno"], second["mtu"]), ("unreachable", "90", "1400"), str(second))
        check.that("icmp" not in second, str(second))


def test_answers_come_from_the_address_that_was_asked(lab: Lab) -> None:
    # All of them on one interface or none: a wildcard socket would answer from the first. Connected sockets take no other source.
    lab.shell("server", "ip addr add 10.9.2.4/32 dev lo 2>/dev/null || true; ip -6 addr add fd09:2::4/128 dev lo nodad 2>/dev/null || true")
    lab.shell("router", "ip route replace 10.9.2.4/32 via 10.9.2.2; ip -6 route replace fd09:2::4/128 via fd09:2::2")
    lab.serve(f"udp={PORT}", f"tcp={PORT}")
    addresses = ["10.9.2.2", "10.9.2.3", "10.9.2.4", "10.9.3.2", "fd09:2::2", "fd09:2::3", "fd09:2::4", "fd09:3::2"]
    lines = [f"udp {at(address, PORT)} bytes=64 reply=64" for address in addresses]
    for number, result in lab.probe(lines).results.items():
        check.equal(result["outcome"], "open", f"{lines[number - 1]}: {result}")
