"""As a restricted pod runs it: uid 65534, no capabilities, no new privileges, an empty read-only root without /proc, few system calls."""

import ctypes
import os
import platform
import signal
import struct
import time
from pathlib import Path

from lib import check
from lib.lab import LIBC, SERVER, Lab, shell, socket_address as at

PORT = 18080
# System calls the agent makes, by number on x86-64. Each stands without condition in the default profiles of containerd
# (contrib/seccomp/seccomp_default.go) and of Docker (profiles/seccomp/default.json), which is what RuntimeDefault means.
CALLS = {
    "read": 0, "write": 1, "close": 3, "mmap": 9, "rt_sigprocmask": 14, "socket": 41, "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46,
    "recvmsg": 47, "bind": 49, "listen": 50, "setsockopt": 54, "getsockopt": 55, "execve": 59, "clock_gettime": 228, "exit_group": 231,
    "epoll_ctl": 233, "openat": 257, "ppoll": 271, "epoll_pwait": 281, "accept4": 288, "signalfd4": 289, "epoll_create1": 291, "prlimit64": 302,
    "getrandom": 318,
}


def prctl(option: int, *values: int) -> None:
    if LIBC.prctl(option, *[ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)][:4]) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def confine(root: Path, filtered: bool) -> None:
    """In the child, before the agent: give everything up."""
    os.chroot(root)
    os.chdir("/")
    for capability in range(64):
        if LIBC.prctl(24, capability, 0, 0, 0) != 0:  # PR_CAPBSET_DROP, up to the last one that there is
            break
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    prctl(38, 1)  # PR_SET_NO_NEW_PRIVS
    if filtered:
        install_filter()


def install_filter() -> None:
    """Kills the process at any system call that is not in CALLS."""
    statement = lambda code, jump_true, jump_false, value: struct.pack("<HBBI", code, jump_true, jump_false, value)  # noqa: E731
    numbers = list(CALLS.values())
    program = [statement(0x20, 0, 0, 4), statement(0x15, 1, 0, 0xC000_003E), statement(0x06, 0, 0, 0x8000_0000), statement(0x20, 0, 0, 0)]
    for index, number in enumerate(numbers):
        program.append(statement(0x15, len(numbers) - index, 0, number))
    program += [statement(0x06, 0, 0, 0x8000_0000), statement(0x06, 0, 0, 0x7FFF_0000)]
    code = ctypes.create_string_buffer(b"".join(program))
    header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(code)))
    prctl(22, 2, ctypes.addressof(header))  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER


def empty_root(lab: Lab) -> Path:
    root = lab.agent.parent / "root"
    if not root.exists():
        root.mkdir()
        shell(f"mount -t tmpfs -o size=1m,mode=0755 tmpfs {root} && cp {lab.agent} {root}/agent && chmod 0555 {root}/agent && mount -o remount,ro {root}")
    check.equal(os.listdir(root), ["agent"], "the root holds the agent only")
    return root


def everything(lab: Lab, filtered: bool) -> None:
    root = empty_root(lab)
    # Between the filter and the agent nothing else may happen, such as closing descriptors one by one.
    options = {"before": lambda: confine(root, filtered), "program": "/agent", "close_fds": False}
    server = lab.serve(f"tcp=80,{PORT}", f"udp={PORT}", "idle=5", **options)
    status = dict(line.split(":\t") for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if ":\t" in line)
    check.equal((status["Uid"].split()[0], status["NoNewPrivs"], status["Seccomp"]), ("65534", "1", "2" if filtered else "0"), "how it runs")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check.equal(int(status[name], 16), 0, name)
    comment = server.stdout.readline().decode()
    check.equal(comment, "# cannot open tcp 0.0.0.0 port 80: errno 13\n", "a port below 1024 is said to be closed")
    for way in (4, 6):
        address = SERVER[way]
        lines = [f"connect {at(address, PORT)}", f"tcp {at(address, PORT)} bytes=65536", f"udp {at(address, PORT)} bytes=64 reply=64",
                 f"pmtu {at(address, PORT)}", f"http {at(address, PORT)} path=/", f"connect {at(address, 9)}",
                 f"udp {at(address, 9)} bytes=1 reply=1", f"sctp {at(address, 9)}", f"dns {at(address, 9)} name=a.example",
                 f"dns {at(address, 9)} name=a.example tcp=1"]
        output = lab.probe(lines, **options)
        found = [output.one(number)["outcome"] for number in range(1, 11)]
        check.equal(found[:7] + found[8:], ["open"] * 5 + ["refused"] * 4, str(output.results))
        check.that(found[7] in ("unsupported", "refused", "timeout"), found[7])
        check.that("nameserver" not in output.start, "there is no resolv.conf")
    result = lab.run_plan(b"cni-probe/1 plan\np 1 dns - name=a.example\nend\n", **options)
    check.equal(result.bad, ["bad 2 no nameserver in resolv.conf"], "and so no server to ask")
    time.sleep(0.1)
    server.send_signal(signal.SIGTERM)
    check.equal(server.wait(timeout=5), 0, "SIGTERM")


def test_empty_read_only_root_uid_65534_no_capabilities(lab: Lab) -> None:
    everything(lab, filtered=False)


def test_only_system_calls_that_runtimes_allow_by_default(lab: Lab) -> str:
    if platform.machine() != "x86_64":
        return "not done: the numbers are those of x86-64"
    everything(lab, filtered=True)
    # The filter bites: an agent that may not even read its plan is killed.
    del CALLS["read"]
    try:
        root = empty_root(lab)
        process = lab.start("client", "probe", "name=n", before=lambda: confine(root, True), program="/agent", close_fds=False)
        check.equal(process.wait(timeout=5), -signal.SIGSYS, "exit status without read")
    finally:
        CALLS["read"] = 0
    return f"{len(CALLS)} calls"
