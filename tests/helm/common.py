"""What the tests with real helm share: both majors, a folder of their own for each, and counting."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from lib import build  # noqa: E402

CHARTS = ROOT / "tests" / "fixtures" / "charts"
OLD, NEW = CHARTS / "cilium-1.18.4.tgz", CHARTS / "cilium-1.19.6.tgz"


class Helm:
    """One major, with plugins, caches and configuration in a folder that is gone afterwards."""

    def __init__(self, name: str, program: pathlib.Path, scratch: pathlib.Path) -> None:
        self.name, self.program, self.home = name, program, scratch / name
        self.home.mkdir()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("HELM_", "XDG_"))}
        for kind in ("cache", "config", "data"):  # plugins lie below data
            self.env[f"HELM_{kind.upper()}_HOME"] = str(self.home / kind)
        self.env["LC_ALL"] = "C.UTF-8"

    def __str__(self) -> str:
        return self.name

    def run(self, *words: object, code: int | None = 0, env: dict | None = None, stdin: str | None = None) -> subprocess.CompletedProcess:
        """Runs `helm WORDS`; CODE is what it must exit with."""
        done = subprocess.run([str(self.program), *map(str, words)], env=self.env | (env or {}), input=stdin,
                              capture_output=True, text=True, check=False, timeout=300)
        if code is not None and done.returncode != code:
            raise AssertionError(f"{self} {' '.join(map(str, words))}: exit {done.returncode}, not {code}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return done


def plain(helm: Helm, *words: object, code: int = 0, env: dict | None = None, stdin: str | None = None,
          cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess:
    """Runs the program itself as HELM would run it, without it being installed; CODE is what it must exit with."""
    # What the caller's helm, terminal or cluster would have it do is left out.
    bare = {k: v for k, v in helm.env.items() if k not in ("KUBECONFIG", "COLUMNS", "NO_COLOR", "CLICOLOR_FORCE")}
    done = subprocess.run(list(map(str, words)), env=bare | {"HELM_BIN": str(helm.program)} | (env or {}), input=stdin, cwd=cwd,
                          capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != code:
        raise AssertionError(f"{' '.join(map(str, words))}: exit {done.returncode}, not {code}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


def both(scratch: pathlib.Path) -> list[Helm]:
    build.build(list(build.HELM))
    return [Helm(p.name, p.output() / p.name, scratch) for p in build.HELM]


class Count:
    """Runs tests one by one and says how it went."""

    def __init__(self, only: str | None = None) -> None:
        self.only, self.passed, self.failed = only, 0, 0

    def test(self, title: str, body, *arguments) -> None:
        if self.only and self.only not in title:
            return
        try:
            body(*arguments)
        except Exception as error:  # a failed test must not hide the others
            self.failed += 1
            where = "" if isinstance(error, AssertionError) else traceback.format_exc()
            print(f"FAILED  {title}\n{error}\n{where}", flush=True)
        else:
            self.passed += 1
            print(f"ok      {title}", flush=True)

    def end(self) -> None:
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(0 if self.passed and not self.failed else 1)


def scratch() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="tests-helm-")
