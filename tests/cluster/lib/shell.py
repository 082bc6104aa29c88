"""Running the machine's own tools, and saying plainly what went wrong when one fails."""

from __future__ import annotations

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
CLONE_NEWNET = 0x40000000

# Daemons get this and nothing else: an inherited HTTPS_PROXY would be a way out of the machine for image pulls.
CLEAN_ENV = {"HOME": "/root", "LANG": "C.UTF-8", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class ClusterError(Exception):
    """Something a person has to know about; printed as one message, without a traceback."""


def run(*argv: str, stdin: str | None = None, check: bool = True, timeout: float | None = 120) -> str:
    """Run a command and give back what it printed; a failure names the command and what it said."""
    done = subprocess.run(argv, input=stdin, text=True, capture_output=True, env=CLEAN_ENV, timeout=timeout, check=False)
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-2000:]
        raise ClusterError(f"{' '.join(argv)}: exit {done.returncode}\n{said}")
    return done.stdout


def run_in(netns: str, *argv: str, stdin: str | None = None, check: bool = True) -> str:
    """Run a command in a network namespace, with the machine's files."""
    # nsenter and not `ip netns exec`: the latter also makes mounts of its own.
    return run("nsenter", f"--net=/run/netns/{netns}", "--", *argv, stdin=stdin, check=check)


def ip_batch(netns: str | None, lines: list[str]) -> None:
    """Many `ip` commands in one process; the first that fails is the error."""
    where = ["-n", netns] if netns else []
    run("ip", *where, "-batch", "-", stdin="\n".join(lines) + "\n")


def nft(netns: str, rules: str) -> None:
    """Load nftables rules in a namespace, all or nothing."""
    run_in(netns, "nft", "-f", "-", stdin=rules)


def sysctl(netns: str, settings: dict[str, str]) -> None:
    """Set sysctls of a network namespace; never the machine's own."""
    run_in(netns, "sysctl", "-qw", *(f"{key}={value}" for key, value in settings.items()))


def in_netns(netns: str | os.PathLike[str], what: Callable[[], T]) -> T:
    """Call `what` in a thread that lives in a network namespace: the sockets it opens belong to that namespace.

    `netns` is a name in /run/netns or the path of a namespace.
    """
    result: list[T] = []
    error: list[BaseException] = []

    def body() -> None:
        try:
            fd = os.open(os.path.join("/run/netns", netns), os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), f"setns {netns}")
            finally:
                os.close(fd)
            result.append(what())
        except BaseException as caught:  # noqa: BLE001 - handed to the caller below
            error.append(caught)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if error:
        raise error[0]
    return result[0]
