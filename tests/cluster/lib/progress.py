"""Showing that something is happening: one line a step with its time, and a pulse while a long step runs."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

_START = time.monotonic()
_LOCK = threading.Lock()
PULSE_SECONDS = 4.0


def say(text: str) -> None:
    """One line on stderr, whole even when several threads speak."""
    with _LOCK:
        clear = "\r\033[K" if sys.stderr.isatty() else ""
        print(f"{clear}{text}", file=sys.stderr, flush=True)


def step(text: str) -> None:
    """A line with the seconds since the command began."""
    say(f"{time.monotonic() - _START:6.1f} s  {text}")


@contextlib.contextmanager
def pulse(text: str) -> Iterator[None]:
    """While the block runs, say `text` and the seconds gone: in place on a terminal, now and then on a pipe."""
    done = threading.Event()
    began = time.monotonic()
    tty = sys.stderr.isatty()

    def beat() -> None:
        while not done.wait(0.5 if tty else PULSE_SECONDS):
            gone = time.monotonic() - began
            with _LOCK:
                line = f"\r\033[K{text}  {gone:.0f} s" if tty else f"{text}  {gone:.0f} s\n"
                print(line, end="", file=sys.stderr, flush=True)

    if not tty:
        say(text)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if tty:
            with _LOCK:
                print("\r\033[K", end="", file=sys.stderr, flush=True)
