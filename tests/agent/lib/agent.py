"""What the agent prints, read again by a reader of its own: the grammar of kubectl-cni/wire/GRAMMAR.md from the outside."""

from dataclasses import dataclass, field


@dataclass
class Output:
    """A run of the prober."""

    start: dict[str, str] | None = None
    end: dict[str, str] | None = None
    bad: list[str] = field(default_factory=list)
    results: dict[int, dict[str, str]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    text: str = ""
    status: int | None = None
    wall: float = 0.0
    # KiB
    peak: int = 0

    def one(self, number: int = 1) -> dict[str, str]:
        return self.results[number]

    def count(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for result in self.results.values():
            counts[result["outcome"]] = counts.get(result["outcome"], 0) + 1
        return counts


def pairs(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


def parse(text: str) -> Output:
    output = Output(text=text)
    if text and not text.endswith("\n"):
        raise AssertionError(f"the last line is cut off: {text[-60:]!r}")
    for line in text.splitlines():
        words = line.split(" ")
        if len(line) > 1024 or not line.isascii() or "" in words:
            raise AssertionError(f"not a line of the grammar: {line!r}")
        if words[:2] == ["cni-probe/1", "start"] and output.start is None and not output.results:
            output.start = pairs(words[2:])
        elif words[:2] == ["cni-probe/1", "end"] and output.end is None:
            output.end = pairs(words[2:])
        elif words[0] == "bad":
            output.bad.append(line)
        elif words[0] == "r" and output.end is None:
            number = int(words[1])
            if number in output.results:
                raise AssertionError(f"two results: {line!r}")
            output.order.append(number)
            output.results[number] = {"outcome": words[2]} | pairs(words[3:])
        else:
            raise AssertionError(f"unexpected line: {line!r}")
    return output
