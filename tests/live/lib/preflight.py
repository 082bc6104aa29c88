"""`kubectl cni preflight` on a real cluster: clean where nothing is wrong, the same from its own folder, with few requests and nothing made."""

import json
import tempfile
from pathlib import Path

from .harness import Harness, report_of, told, verdicts


def run(h: Harness) -> None:
    """On a healthy flannel cluster of the version before the target."""
    if not h.wanted("preflight"):
        return
    before = h.objects()
    done, asked = _counted(h, "preflight", "--to", "0.28.10", "-o", "json")
    bad = verdicts(report_of(done), "fail", "warn", "unknown")
    h.check("preflight --to 0.28.10 on healthy flannel: no finding, nothing made", done.returncode == 0 and not bad and h.objects() == before,
            f"{bad}\n{told(done)}")
    kept = [entry for entry in asked if "secrets" in entry or "/pods?" in entry and "labelSelector" not in entry or "endpointslices" in entry]
    verbs = {entry.split()[0] for entry in asked}
    h.check(f"preflight: {len(asked)} requests, reads only, no Secret, only the CNI's pods", 0 < len(asked) <= 25 and not kept and verbs <= {"get", "list"},
            "\n".join(asked))
    with tempfile.TemporaryDirectory() as parent:
        folder = str(Path(parent) / "snapshot")
        for form in ("human", "json", "junit", "markdown"):
            target = [] if form != "human" else ["--snapshot", folder]
            live = h.run("preflight", "--to", "0.28.10", "-o", form, *target)
            again = h.run("preflight", "--to", "0.28.10", "-o", form, "--from", folder)
            same = live.stdout == again.stdout and live.returncode == again.returncode and live.stdout
            h.check(f"preflight -o {form}: the folder gives the same report as the cluster", bool(same), told(live) + told(again))
    _refused(h)


def _refused(h: Harness) -> None:
    """Someone who may read nothing is told so and gets no pass; the rights that are printed are enough."""
    done = h.run("preflight", "--to", "0.28.10", user="alice")
    said = "no permission to list nodes" in done.stdout + done.stderr
    h.check("preflight without rights: undecided, and named", done.returncode == 2 and said, told(done))
    h.apply(h.run("preflight", "--print-rbac").stdout)
    h.kubectl("create", "clusterrolebinding", "kubectl-cni-preflight", "--clusterrole=kubectl-cni-preflight", "--user=alice")
    try:
        done = h.run("preflight", "--to", "0.28.10", user="alice")
        h.check("preflight with the rights as printed: works", done.returncode == 0, told(done))
    finally:
        h.kubectl("delete", "clusterrolebinding,clusterrole", "kubectl-cni-preflight")


def _counted(h: Harness, *args: str):
    """A run, and what the API server wrote down of it: verb and path."""
    log = h.kubeconfig().parents[1] / "audit.log"
    start = log.stat().st_size
    done = h.run(*args)
    with log.open() as lines:
        lines.seek(start)
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
    ours = [entry for entry in entries if entry.get("userAgent", "").startswith("kubectl-cni/")]
    return done, [f"{entry['verb']} {entry['requestURI']}" for entry in ours]
