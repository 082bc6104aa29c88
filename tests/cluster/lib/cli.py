"""What the commands share: the --name option, and errors as one message instead of a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from .names import DEFAULT_NAME, check_name
from .shell import ClusterError


def _name(text: str) -> str:
    try:
        return check_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", type=_name, default=DEFAULT_NAME, help=f"which cluster (default {DEFAULT_NAME})")


def main(body: Callable[[], None]) -> None:
    """Run a command's body; exit 2 with a message when it cannot do what it should."""
    os.umask(0o022)
    try:
        body()
    except (ClusterError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted; tests/cluster/down clears up what was begun", file=sys.stderr)
        sys.exit(130)
