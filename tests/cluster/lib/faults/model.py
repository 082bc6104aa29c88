"""What a fault is, and the records of those in place."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..names import Cluster


@dataclass
class Planted:
    """A fault in place: which one, with which options, and what undoing it has to know."""

    cluster: Cluster
    fault: str
    options: dict[str, Any]
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same fault with the same options, so that planting it twice finds the first."""
        text = json.dumps([self.fault, sorted(self.options.items())])
        return f"{self.fault}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"

    @property
    def table(self) -> str:
        """The name of its nftables table, where it has one."""
        return f"fault-{self.id}"

    @property
    def path(self) -> Path:
        return self.cluster.dir / "faults" / f"{self.id}.json"

    def save(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps({"fault": self.fault, "options": self.options, "memo": self.memo}) + "\n")
        fresh.rename(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    def __str__(self) -> str:
        words = [self.fault]
        for key, value in self.options.items():
            if key.isupper():
                words.append(str(value))
        for key, value in self.options.items():
            flag = "--" + key.replace("_", "-")
            if not key.isupper() and value not in (None, False):
                words += [flag] if value is True else [flag, str(value)]
        return " ".join(words)


@dataclass(frozen=True)
class Fault:
    """A kind of fault; positional arguments are upper-case option names."""

    name: str
    help: str
    arguments: Callable[[argparse.ArgumentParser], None]
    apply: Callable[[Planted], None]
    undo: Callable[[Planted], None]


def one_node(parser: argparse.ArgumentParser) -> None:
    """The arguments of a fault that happens to one node."""
    parser.add_argument("NODE", help="for example n1")


def two_nodes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("FROM", help="for example n0")
    parser.add_argument("TO", help="for example n1")


def find(cluster: Cluster, fault: str, options: dict[str, Any]) -> Planted:
    """The record of this fault: as it was written down, or a new one."""
    planted = Planted(cluster, fault, options)
    if planted.path.exists():
        planted.memo = json.loads(planted.path.read_text())["memo"]
    return planted


def planted_in(cluster: Cluster) -> list[Planted]:
    """Every fault in place, in the order they were planted."""
    found = []
    for path in sorted((cluster.dir / "faults").glob("*.json"), key=lambda p: p.stat().st_mtime_ns):
        data = json.loads(path.read_text())
        found.append(Planted(cluster, data["fault"], data["options"], data["memo"]))
    return found
