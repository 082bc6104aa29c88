"""Small questions asked from inside a pod's or a node's network, for the cluster's own tests.

The tools in the pods' image are of no use for it: a static busybox crashes when it looks up a name. So the question
is asked by a thread of the test that has moved into the pod's network namespace: the packets are the same.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from pathlib import Path

from .shell import in_netns

TIMEOUT = 1.0


def _outcome(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    return {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "refused", errno.EHOSTUNREACH: "unreachable",
            errno.ENETUNREACH: "unreachable", errno.EACCES: "prohibited"}.get(error.errno or 0, str(error))


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(where: str | Path, address: str, port: int, fetch: str = "") -> str:
    """Connect, and with `fetch` also get that path by HTTP: "ok", or why not."""
    def ask() -> str:
        try:
            with socket.socket(_family(address), socket.SOCK_STREAM) as link:
                link.settimeout(TIMEOUT)
                link.connect((address, port))
                if fetch:
                    link.sendall(f"GET {fetch} HTTP/1.0\r\n\r\n".encode())
                    while link.recv(65536):
                        pass
            return "ok"
        except OSError as error:
            return _outcome(error)

    return in_netns(where, ask)


def dns(where: str | Path, server: str, name: str, timeout: float = TIMEOUT) -> str:
    """Ask for a name's IPv4 address over UDP: the address, NXDOMAIN, another code, or why there is no answer."""
    def ask() -> str:
        number = os.urandom(2)
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
        question = number + struct.pack(">HHHHH", 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
        try:
            with socket.socket(_family(server), socket.SOCK_DGRAM) as link:
                link.settimeout(timeout)
                link.connect((server, 53))
                link.send(question)
                answer = link.recv(4096)
        except OSError as error:
            return _outcome(error)
        code, count = answer[3] & 15, struct.unpack(">H", answer[6:8])[0]
        if code:
            return {2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}.get(code, f"code {code}")
        return socket.inet_ntoa(answer[-4:]) if count else "no address"

    return in_netns(where, ask)


def udp_port_is_open(where: str | Path, address: str, port: int) -> str:
    """Send one datagram to a DNS server's port other than 53, or any port: "refused" tells it arrived."""
    def ask() -> str:
        try:
            with socket.socket(_family(address), socket.SOCK_DGRAM) as link:
                link.settimeout(TIMEOUT)
                link.connect((address, port))
                link.send(b"x")
                link.recv(1)
            return "ok"
        except OSError as error:
            return _outcome(error)

    return in_netns(where, ask)
