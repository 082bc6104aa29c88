"""Thousands at once: time and memory, printed, and bounded only against hangs and against answers that are wrong."""

from lib import check
from lib.lab import HOLE, SERVER, Lab, memory, socket_address as at

PORT = 18080


def spread(output) -> str:
    times = sorted(int(result["us"]) / 1e6 for result in output.results.values())
    return f"{times[0]:.3f}-{times[-1]:.3f} s"


def test_ten_thousand_tcp_probes(lab: Lab) -> str:
    lab.serve(f"tcp={PORT}")
    notes = []
    for kind, inflight in (("connect {}", 4096), ("connect {}", 64), ("tcp {} bytes=64", 1024)):
        lines = [kind.format(at(SERVER[4 if number % 2 else 6], PORT)) for number in range(10_000)]
        output = lab.probe(lines, header=f"timeout=5000 tries=2 inflight={inflight}")
        check.equal(output.count(), {"open": 10_000}, kind)
        notes.append(f"{kind.split(' ')[0]} x{inflight} {output.wall:.1f} s {output.peak} KiB")
    return ", ".join(notes)


def test_ten_thousand_udp_probes(lab: Lab) -> str:
    lab.serve(f"udp={PORT}")
    lines = [f"udp {at(SERVER[4 if number % 2 else 6], PORT)} bytes=64 reply=64" for number in range(10_000)]
    output = lab.probe(lines, header="timeout=3000 tries=3")
    check.equal(output.count(), {"open": 10_000}, "outcomes")
    return f"{output.wall:.1f} s, {output.peak} KiB"


def test_ten_thousand_black_holes_in_one_wave_and_in_three(lab: Lab) -> str:
    """Three seconds each: one wave of 10,000 takes three seconds and a bit, waves of 4,096 nine."""
    notes = []
    for inflight, waves in ((16_384, 1), (4096, 3)):
        lines = [f"connect {at(f'10.8.{number // 250}.{number % 250 + 1}', 80)}" for number in range(10_000)]
        output = lab.probe(lines, header=f"timeout=3000 tries=1 inflight={inflight}")
        check.equal(output.count(), {"timeout": 10_000}, "outcomes")
        check.that(all(int(result["us"]) >= 3_000_000 for result in output.results.values()), "nobody gives up early")
        check.that(3 * waves <= output.wall < 3 * waves + 5, f"{output.wall:.1f} s for {waves} waves")
        notes.append(f"x{inflight} {output.wall:.2f} s, each {spread(output)}, {output.peak} KiB, late {output.end['late']} ms")
    return "; ".join(notes)


def test_two_thousand_mixed_with_a_hundred_descriptors(lab: Lab) -> str:
    lab.serve(f"tcp={PORT}", f"udp={PORT}")
    kinds = [f"tcp {at(SERVER[4], PORT)} bytes=64", f"connect {at(SERVER[6], 9)}", f"udp {at(SERVER[4], PORT)} bytes=64 reply=64",
             f"tcp {at(SERVER[6], PORT)} bytes=64", "connect 10.9.12.5:80 timeout=500"]
    lines = [kinds[number % 5] for number in range(2000)]
    output = lab.probe(lines, header="timeout=3000 tries=1 inflight=4096", files=100)
    check.equal(output.count(), {"open": 1200, "refused": 400, "timeout": 400}, "outcomes")
    for number, result in output.results.items():
        check.equal(result["outcome"], ("open", "refused", "open", "open", "timeout")[(number - 1) % 5], lines[number - 1])
    return f"{output.wall:.1f} s"


def test_a_thousand_large_echoes_at_once_need_little_memory(lab: Lab) -> str:
    """A pod has 64 MiB. 900 echoes of 64 KiB through a hole that swallows them: all of them are held at once, at both ends."""
    server = lab.serve(f"tcp={PORT}")
    lines = [f"tcp {at(SERVER[4 if number % 2 else 6], PORT)} bytes=65536" for number in range(900)]
    output = lab.probe(lines, header="timeout=20000 tries=1")
    check.equal(output.count(), {"open": 900}, "outcomes")
    stuck = lab.probe([f"tcp {at(HOLE[4 if number % 2 else 6], PORT)} bytes=65536" for number in range(900)], header="timeout=2500 tries=1")
    check.equal(stuck.count(), {"timeout": 900}, "through the hole")
    peaks = (max(output.peak, stuck.peak), memory(server.pid))
    check.that(max(peaks) < 16 * 1024, f"{peaks} KiB")
    return f"prober {peaks[0]} KiB, server {peaks[1]} KiB"
