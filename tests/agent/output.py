"""A reader that is slow, or gone, and SIGTERM in the middle: probing goes on, and every probe is accounted for."""

import os
import signal
import subprocess
import time

from lib import check
from lib.agent import parse
from lib.lab import SERVER, Lab, socket_address as at

PORT = 18080


def test_a_slow_reader_does_not_hold_the_probes_up(lab: Lab) -> str:
    """The results of 9,000 probes are ten times what a pipe holds; nobody reads until they must be over."""
    lab.serve(f"udp={PORT}")
    with lab.inside("server"):
        import socket
        witness = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        witness.bind((SERVER[4], 6000))
        witness.settimeout(15)
    lines = [f"p {number} udp {at(SERVER[4], PORT)} bytes=64 reply=64" for number in range(1, 9001)]
    # Every one of these starts when an answered one has ended: the last packet comes when all before were done.
    lines.append(f"p 9001 udp {at(SERVER[4], 6000)} bytes=64 reply=64 after=9000 timeout=100 tries=1")
    process = lab.start("client", "probe", "name=node/client", stdin=subprocess.PIPE)
    began = time.monotonic()
    process.stdin.write(("cni-probe/1 plan timeout=3000 tries=2 inflight=500\n" + "\n".join(lines) + "\nend\n").encode())
    process.stdin.flush()
    witness.recv(2000)
    probed = time.monotonic() - began
    time.sleep(1)
    check.equal(process.poll(), None, "the agent waits for its reader")
    output = parse(process.stdout.read().decode())
    check.equal((output.end["done"], output.count()), ("9001", {"open": 9000, "timeout": 1}), "all results")
    check.that(len(output.text) > 4 * 65_536, "more than the pipe holds")
    check.that(int(output.end["late"]) < 1000, f"the loop was {output.end['late']} ms late")
    return f"{len(output.text)} bytes of results, probes over after {probed:.1f} s, nothing read before"


def test_more_results_than_are_queued_wait_and_none_is_lost(lab: Lab) -> str:
    lines = [f"connect {at(SERVER[4], 9)}" for _ in range(60_000)]
    plan = "cni-probe/1 plan timeout=3000 tries=1\n" + "".join(f"p {number} {line}\n" for number, line in enumerate(lines, 1)) + "end\n"
    process = lab.start("client", "probe", "name=node/client", stdin=subprocess.PIPE)
    process.stdin.write(plan.encode())
    process.stdin.flush()
    time.sleep(4)
    check.equal(process.poll(), None, "the agent waits for its reader")
    text = bytearray()
    while piece := os.read(process.stdout.fileno(), 20_000):
        text += piece
        time.sleep(0.002)
    output = parse(text.decode())
    check.equal((output.end["done"], output.count()), ("60000", {"refused": 60_000}), "all results")
    return f"{len(text)} bytes"


def test_run_serves_although_its_results_are_not_read(lab: Lab) -> None:
    path = lab.agent.parent / "plan"
    lines = "".join(f"p {number} connect {at('10.9.1.2', 9)}\n" for number in range(1, 5001))
    path.write_text(f"cni-probe/1 plan timeout=1000 tries=1\n{lines}end\n")
    process = lab.start("server", "run", "name=node/log", f"plan={path}", f"tcp={PORT}")
    time.sleep(1.5)
    check.equal(lab.probe([f"tcp {at(SERVER[4], PORT)} bytes=10"]).count(), {"open": 1}, "it serves")
    process.terminate()
    text = process.stdout.read().decode()
    output = parse(text[:text.index("cni-probe/1 serve")])
    check.equal((process.wait(timeout=5), output.count(), output.end["done"]), (0, {"refused": 5000}, "5000"), "nothing is lost")
    check.that(text.endswith("serve name=node/log\nseen tcp node/client\n"), text[-200:])


def test_a_reader_that_has_gone_ends_the_agent(lab: Lab) -> None:
    process = lab.start("client", "probe", "name=node/client", stdin=subprocess.PIPE)
    process.stdout.close()
    process.stdin.write(f"cni-probe/1 plan timeout=60000\np 1 connect {at(SERVER[4], 9)}\np 2 connect 10.9.12.5:1\nend\n".encode())
    process.stdin.close()
    check.equal(process.wait(timeout=5), 1, "exit status")


def sigterm_in_flight(lab: Lab, command: list[str], find) -> None:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lab.running.append(process)
    process.stdin.write((f"cni-probe/1 plan timeout=60000 tries=1 inflight=50\np 1 connect {at(SERVER[4], 9)}\n"
                         + "".join(f"p {number} connect 10.8.1.{number}:80\n" for number in range(2, 102)) + "end\n").encode())
    process.stdin.flush()
    time.sleep(0.7)
    began = time.monotonic()
    os.kill(find(process.pid), signal.SIGTERM)
    output = parse(process.communicate(timeout=5)[0].decode())
    check.that(time.monotonic() - began < 1, "at once")
    check.equal(process.returncode, 0, "exit status")
    check.equal(output.count(), {"refused": 1, "error": 100}, "every probe has a line")
    check.that(all(result["why"] == "interrupted" for number, result in output.results.items() if number > 1), output.text)
    check.equal((output.end["done"], output.end["of"]), ("101", "101"), "the closing line")


def test_sigterm_reports_what_was_in_flight(lab: Lab) -> None:
    sigterm_in_flight(lab, ["ip", "netns", "exec", "client", str(lab.agent), "probe", "name=n"], lambda pid: pid)


def child(pid: int) -> int:
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])


def test_sigterm_also_as_pid_1(lab: Lab) -> None:
    command = ["ip", "netns", "exec", "client", "unshare", "--pid", "--fork", "--kill-child", str(lab.agent)]

    def find(pid: int) -> int:
        found = child(pid)
        with open(f"/proc/{found}/status") as status:
            check.that(any(line.split()[0] == "NSpid:" and line.split()[-1] == "1" for line in status), "it is PID 1")
        return found

    sigterm_in_flight(lab, [*command, "probe", "name=n"], find)
    process = subprocess.Popen([*command, "serve", "name=n", "tcp=18080"], stdout=subprocess.PIPE)
    lab.running.append(process)
    process.stdout.readline()
    os.kill(find(process.pid), signal.SIGTERM)
    check.equal(process.wait(timeout=5), 0, "a server ends as well")


def test_sigterm_does_not_wait_for_a_dead_reader_for_ever(lab: Lab) -> None:
    process = lab.start("client", "probe", "name=n", stdin=subprocess.PIPE)
    process.stdin.write(("cni-probe/1 plan timeout=60000 tries=1\n" + "".join(f"p {number} connect 10.8.1.1:80\n" for number in range(1, 3000)) + "end\n").encode())
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    check.equal(process.wait(timeout=10), 0, "exit status")
    check.that(1.5 < time.monotonic() - began < 5, "after its grace")
