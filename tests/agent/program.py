"""The program file: size, what the kernel maps, that it can be built again bit by bit, and where its source is `unsafe`."""

import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from lib import build, check
from lib.lab import Lab

MOST = 64 * 1024
# What is aimed at, so that later features have room.
AIM = 52 * 1024
UNSAFE = {"mem.rs", "start.rs", "sys.rs"}
LOAD, DYNAMIC, INTERP, STACK = 1, 2, 3, 0x6474_E551


def segments(data: bytes) -> list[tuple[int, int]]:
    """Type and flags of each segment."""
    check.equal(data[:6], b"\x7fELF\x02\x01", "a 64-bit little-endian ELF file")
    (offset,), (size, count) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<HH", data, 54)
    return [struct.unpack_from("<II", data, offset + index * size) for index in range(count)]


def test_small_static_and_nothing_both_writable_and_executable(lab: Lab) -> str:
    notes = []
    for path in [lab.agent, *sorted(lab.agent.parent.glob("build/cni-probe-*"))]:
        data = path.read_bytes()
        check.that(len(data) <= MOST, f"{path.name} has {len(data)} bytes, at most {MOST}")
        check.equal(struct.unpack_from("<H", data, 16)[0], 2, "fixed addresses: nothing would relocate it")
        found = segments(data)
        kinds = [kind for kind, _ in found]
        check.that(INTERP not in kinds and DYNAMIC not in kinds, f"{path.name}: neither an interpreter nor a dynamic section")
        check.that(STACK in kinds and all(not flags & 1 for kind, flags in found if kind == STACK), f"{path.name}: the stack is not executable")
        check.that(all(flags & 3 != 3 for kind, flags in found if kind == LOAD), f"{path.name}: segments {found}")
        notes.append(f"{path.name} {len(data)} bytes of {MOST}" + ("" if len(data) <= AIM else f", above the aim of {AIM}"))
    return ", ".join(notes)


def test_two_builds_in_two_places_are_the_same_bytes(lab: Lab) -> None:
    del lab
    built = []
    with tempfile.TemporaryDirectory() as folder:
        # The second one with flags and a wrapper in the environment that a build must not let in.
        for place, environment in (("a", {}), ("another/much longer/place", {"RUSTFLAGS": "-Copt-level=0", "RUSTC_WRAPPER": "/bin/false"})):
            crate = Path(folder) / place / "kubectl-cni"
            crate.mkdir(parents=True)
            for part in ("agent", "wire"):
                shutil.copytree(build.CRATE / part, crate / part)
            shutil.copy(build.CRATE / "build.rs", crate)
            built.append(build.agent(Path(folder) / place / "out", crate, **environment).read_bytes())
    check.that(built[0] == built[1], "two builds differ")
    check.that(folder.encode() not in built[0], "the program names the folder it was built in")


def test_unsafe_is_where_it_belongs_and_says_why(lab: Lab) -> str:
    del lab
    counts = {}
    for path in sorted((build.CRATE / "agent" / "src").rglob("*.rs")):
        name = path.relative_to(build.CRATE / "agent" / "src").as_posix()
        lines = path.read_text().splitlines()
        # The macro hides an unsafe block: its own SAFETY line speaks for the files of system calls only.
        check.that(name.startswith("sys") or "syscall!(" not in path.read_text(), f"{name} makes system calls")
        for number, line in enumerate(lines):
            code = line.split("//")[0]
            if not re.search(r"\bunsafe\b", code) or "#[unsafe(" in code:
                continue
            check.that(name in UNSAFE, f"{name}:{number + 1}: unsafe outside of {sorted(UNSAFE)}")
            counts[name] = counts.get(name, 0) + 1
            above = number - 1
            while above >= 0 and lines[above].strip().startswith(("//", "#[", "unsafe impl")):
                above -= 1
            before = "\n".join(lines[above + 1:number])
            wanted = "# Safety" if re.search(r"unsafe (extern \"C\" )?fn", code) else "SAFETY:"
            # What a method of an unsafe trait asks for is said by the trait.
            implied = re.match(r"    unsafe fn", line) and "unsafe impl" in "\n".join(lines[:number])
            check.that(wanted in before or implied, f"{name}:{number + 1}: no {wanted} right before {line.strip()!r}")
    for path in (build.CRATE / "wire" / "src").rglob("*.rs"):
        check.that("unsafe" not in path.read_text(), f"{path.name} is unsafe")
    check.that(counts, "no unsafe found: the search is broken")
    return str(counts)


def test_bad_arguments_get_one_line_that_names_them(lab: Lab) -> None:
    for words in (["serve"], ["serve", "name=a b"], ["probe", "name=n", "colour=red"], ["serve", "name=n", "tcp=0"], ["serve", "name=n", "tcp=80,"],
                  ["serve", "name=n", "tcp=+80"], ["serve", "name=n", "until=soon"], ["serve", "name=n", "idle=0"], ["dance", "name=n"], []):
        result = subprocess.run([str(lab.agent), *words], capture_output=True, text=True, timeout=10)
        check.equal((result.returncode, result.stdout, len(result.stderr.splitlines())), (2, "", 2), str(words))
        check.that("cannot use" in result.stderr and "usage: cni-probe serve|probe|run name=N" in result.stderr, result.stderr)
