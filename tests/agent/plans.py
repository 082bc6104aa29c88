"""Plans in: where they end, what is refused with one line, and that nothing in them ends the agent."""

import contextlib
import random
import re
import signal
import subprocess
import time
from pathlib import Path

from lib import check
from lib.lab import SERVER, Lab, socket_address as at

CORPUS = Path(__file__).resolve().parents[2] / "kubectl-cni" / "wire" / "corpus"
HEADER = "cni-probe/1 plan timeout=500 tries=1\n"
CLOSED = at(SERVER[4], 9)


def test_the_line_end_ends_a_plan_although_the_input_stays_open(lab: Lab) -> None:
    # run_plan never closes standard input.
    output = lab.run_plan(f"{HEADER}p 1 connect {CLOSED}\nend\n".encode(), wait=10)
    check.equal((output.count(), output.status, output.end["of"]), ({"refused": 1}, 0, "1"), output.text)
    output = lab.run_plan(f"{HEADER}# nothing\nend\n".encode(), wait=10)
    check.equal((output.start["n"], output.end, output.status), ("0", {"done": "0", "of": "0", "late": "0"}, 0), "an empty plan")


def test_a_plan_may_come_in_any_pieces(lab: Lab) -> None:
    plan = f"{HEADER}p 1 connect {CLOSED}\r\n\np 2 connect {CLOSED}\nend\n".encode()
    process = lab.start("client", "probe", "name=n", stdin=subprocess.PIPE)
    for byte in plan:
        process.stdin.write(bytes([byte]))
        process.stdin.flush()
    text = process.stdout.read().decode()
    check.that("done=2 of=2" in text, text)


def test_broken_lines_get_one_line_each_and_the_rest_goes_on(lab: Lab) -> None:
    broken = {
        "p 2 smoke 10.0.0.1:1": "unknown kind",
        "p 3 tcp 10.0.0.1:1": "missing bytes",
        "p 4 udp 10.0.0.1:1 bytes=10 reply=9999": "invalid reply",
        "p 5 connect example.com:80": "invalid destination",
        "p 6 connect [fe80::1%1]:80": "invalid destination",
        "p 7 connect 10.0.0.1:1 after=99": "after names no earlier probe",
        "p 1 connect 10.0.0.1:1": "id does not grow",
        "p 8 dns 10.0.0.1:53 name=a..b": "invalid name",
        "p 9 connect  10.0.0.1:1": "fields are separated by one space",
        "p\t10 connect 10.0.0.1:1": "not printable ASCII",
        "p 11 connect -": "invalid destination",
        "cni-probe/1 plan": "second header",
        "hello": "unknown first word",
        "p 12 connect 10.0.0.1:1 " + "x=" + "y" * 1100: "line too long",
        "p 13 connect 10.0.0.1:1 timeout=0": "invalid timeout",
        "p 14 tcp 10.0.0.1:1 bytes=1 bytes=1": "twice: bytes",
    }
    plan = HEADER + f"p 1 connect {CLOSED}\n" + "".join(f"{line}\n" for line in broken) + f"p 99 connect {CLOSED}\nend\n"
    output = lab.run_plan(plan.encode())
    check.equal(output.bad, [f"bad {number} {why}" for number, why in enumerate(broken.values(), 3)], "bad lines")
    check.equal((output.start["n"], output.start["bad"], sorted(output.results)), ("2", str(len(broken)), [1, 99]), output.text)
    check.equal((output.count(), output.status), ({"refused": 2}, 0), output.text)


def test_a_plan_that_is_cut_off_is_not_guessed_at(lab: Lab) -> None:
    for plan in (f"{HEADER}p 1 connect {CLOSED}\np 2 connect {CLOSED[:-1]}", f"{HEADER}p 1 connect {CLOSED}\n"):
        process = lab.start("client", "probe", "name=n", stdin=subprocess.PIPE)
        text = process.communicate(plan.encode(), timeout=10)[0].decode()
        check.that('bad 3 the plan stops here, without its line "end"' in text and "r 1 refused" in text and "r 2" not in text, text)


def test_another_version_or_no_header_gets_one_clear_line(lab: Lab) -> None:
    for plan, why in {
        f"cni-probe/2 plan timeout=1\np 1 connect {CLOSED}\nq\nend\n": "bad 1 another version of the grammar; this side speaks cni-probe/1",
        f"# a comment\np 1 connect {CLOSED}\nend\n": 'bad 2 a plan begins with a line "cni-probe/1 plan"',
        "end\n": 'bad 1 a plan begins with a line "cni-probe/1 plan"',
        "cni-probe/1 plan inflight=0\nend\n": "bad 1 invalid inflight",
        "\x7fELF\x02\nend\n": "bad 1 not printable ASCII",
    }.items():
        output = lab.run_plan(plan.encode(), wait=10)
        check.equal((output.bad, output.status, output.results), ([why], 1, {}), plan)
        check.equal((output.start["n"], output.start["bad"], output.end), ("0", "1", None), "nothing was run, and it does not look as if")


def test_endless_and_hopeless_plans_are_bounded(lab: Lab) -> str:
    output = lab.run_plan(HEADER.encode() + b"x\n" * 200_000 + b"end\n")
    check.equal((output.start["bad"], len(output.bad), output.status), ("200000", 1000, 0), "garbage lines are counted, the first are shown")
    output_two = lab.run_plan(HEADER.encode() + b"# comment\n" * 500_000)
    check.equal((output_two.bad, output_two.status), (["bad 0 the plan cannot be read: too long"], 1), "more than 4 MiB")
    lines = "".join(f"p {number} connect {CLOSED}\n" for number in range(65_537))
    output_three = lab.run_plan(f"{HEADER}{lines}end\n".encode())
    check.equal((output_three.bad, output_three.count()), (["bad 65538 too many probes"], {"refused": 65_536}), "the most probes")
    return f"peak {max(output.peak, output_two.peak, output_three.peak)} KiB"


def test_after_waits_for_the_earlier_one_whatever_came_of_it(lab: Lab) -> None:
    output = lab.probe(["connect 10.9.12.5:1 timeout=300", f"connect {CLOSED} after=1", f"connect {CLOSED} after=2", f"connect {CLOSED}"])
    check.equal(output.order, [4, 1, 2, 3], "order of the results")


def test_sigterm_ends_the_wait_for_a_plan(lab: Lab) -> None:
    for words in (["probe", "name=n"], ["probe", "name=n", "plan=/nowhere/plan"], ["run", "name=n", "plan=/nowhere/plan", "tcp=18080"]):
        process = lab.start("client", *words, stdin=subprocess.PIPE)
        time.sleep(0.3)
        check.equal(process.poll(), None, "it waits")
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        check.equal((process.wait(timeout=5), process.stdout.read()), (0, b""), str(words))
        check.that(time.monotonic() - began < 1, "at once")


def test_a_plan_file_may_come_late_and_run_serves_afterwards(lab: Lab) -> None:
    path = lab.agent.parent / "late-plan"
    path.unlink(missing_ok=True)
    process = lab.start("server", "run", "name=node/log", f"plan={path}", "tcp=18081", "udp=18081")
    time.sleep(0.5)
    path.write_text(f"{HEADER}p 1 connect {at('10.9.1.2', 9)}\nend\n")
    lines = [process.stdout.readline().decode().split(" ")[0:2] for _ in range(4)]
    check.equal(lines, [["cni-probe/1", "start"], ["r", "1"], ["cni-probe/1", "end"], ["cni-probe/1", "serve"]], "lines")
    time.sleep(0.1)
    check.equal(lab.probe([f"tcp {at(SERVER[4], 18081)} bytes=10"]).count(), {"open": 1}, "it serves")


def test_mutated_plans_never_hurt(lab: Lab) -> str:
    """20,000 lines, the same ones each time. Nothing listens and no address is there: whatever parses is tried and fails."""
    seeds = [line for line in CORPUS.joinpath("plan.txt").read_bytes().splitlines() if not line.startswith(b"p 4294967295 ")]
    source = random.Random(20_000)
    accepted = refused = 0
    for batch in range(20):
        lines = [mutate(source, seeds) for _ in range(1000)]
        # Mutated patience may be ten minutes: the run is cut short by SIGTERM, and has to account for every probe all the same.
        process = lab.start("alone", "probe", "name=n", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(HEADER.encode() + b"\n".join(lines) + b"\nend\n")
        process.stdin.flush()
        time.sleep(0.25)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        text, errors = process.communicate(timeout=20)
        check.equal((process.returncode, errors), (0, b""), f"batch {batch}: {text[-300:]!r}")
        start = dict(word.split(b"=") for word in text.splitlines()[0].split(b" ")[2:])
        accepted, refused = accepted + int(start[b"n"]), refused + int(start[b"bad"])
        check.that(text.splitlines()[-1].startswith(b"cni-probe/1 end done=%s of=%s " % (start[b"n"], start[b"n"])), text[-300:].decode())
    check.that(accepted > 5000 and refused > 5000, f"{accepted} accepted, {refused} refused: the mutations test nothing")
    for batch in range(10):
        process = lab.start("alone", "probe", "name=n", stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        text, errors = process.communicate((HEADER.encode() if batch % 2 else b"") + source.randbytes(300_000), timeout=20)
        check.equal((process.returncode, errors), (batch % 2 ^ 1, b""), f"random bytes, {text[:200]!r}")
    return f"{accepted} accepted, {refused} refused"


def mutate(source: random.Random, seeds: list[bytes]) -> bytes:
    line = bytearray(source.choice(seeds))
    for _ in range(source.randrange(3)):
        match source.randrange(4):
            case 0 if line:
                line[source.randrange(len(line))] = source.randrange(256)
            case 1 if line:
                del line[source.randrange(len(line))]
            case 2:
                line.insert(source.randrange(len(line) + 1), source.choice(b" =/.:~0r"))
            case _:
                other = source.choice(seeds)
                line += other[source.randrange(len(other)):]
    line = bytes(line).replace(b"\n", b" ")
    # Ids that grow are rare by chance, and one large id has all after it refused.
    mutate.number += 1
    line = re.sub(rb"^p \d+ ", b"p %d " % mutate.number, line)
    return b"#" if line.rstrip(b"\r") == b"end" else line


mutate.number = 0
