"""A cluster, the program under test, and the count of what passed."""

import json
import os
import subprocess
from pathlib import Path

CLUSTER = Path(__file__).resolve().parents[2] / "cluster"


class Harness:
    """Runs `kubectl cni` and `kubectl` against one test cluster and keeps score."""

    def __init__(self, program: str, name: str, *, long: bool, only: str | None, record: Path | None) -> None:
        self.program, self.name, self.long, self.only, self.record = program, name, long, only, record
        self.passed, self.failures = 0, []

    def cluster(self, command: str, *args: str) -> str:
        """One of the commands in tests/cluster."""
        done = subprocess.run([str(CLUSTER / command), "--name", self.name, *args], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"tests/cluster/{command} {' '.join(args)}: {done.stdout}{done.stderr}")
        return done.stdout

    def argv(self, *args: str, user: str = "admin") -> list[str]:
        return [str(CLUSTER / "run"), "--name", self.name, "--as-user", user, self.program, *args]

    def run(self, *args: str, user: str = "admin", timeout: float = 180) -> subprocess.CompletedProcess:
        return subprocess.run(self.argv(*args, user=user), capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, *args: str) -> subprocess.Popen:
        """The program itself, so that signals reach it."""
        env = os.environ | {"KUBECONFIG": str(self.kubeconfig())}
        return subprocess.Popen([self.program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def kubeconfig(self, user: str = "admin") -> Path:
        root = Path(os.environ.get("KUBECTL_CNI_STATE", "/var/lib/kubectl-cni-test"))
        return root / self.name / "kubeconfig" / user

    def kubectl(self, *args: str, text: str | None = None) -> str:
        command = [str(CLUSTER / "run"), "--name", self.name, "kubectl", *args]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def apply(self, text: str) -> None:
        self.kubectl("apply", "-f", "-", text=text)

    def objects(self) -> list[str]:
        """Everything of the kinds that the program makes, in all namespaces, and this cluster's network namespaces on the machine."""
        kinds = "namespaces,pods,services,configmaps,daemonsets.apps,networkpolicies.networking.k8s.io"
        found = self.kubectl("get", kinds, "-A", "-o", "name").split()
        netns = [f"netns/{entry.name}" for entry in Path("/run/netns").glob(f"{self.name}-*")]
        return sorted(found + netns)

    def keep(self, name: str) -> list[str]:
        """Arguments that keep the recording of a run, where that was asked for."""
        return ["--record", str(self.record / name)] if self.record else []

    def check(self, title: str, ok: bool, detail: str = "") -> None:
        print(f"{'ok  ' if ok else 'FAIL'} {title}" + ("" if ok else f"\n{detail}"), flush=True)
        if ok:
            self.passed += 1
        else:
            self.failures.append(title)

    def wanted(self, title: str) -> bool:
        return self.only is None or self.only in title


def report_of(done: subprocess.CompletedProcess) -> dict:
    """The JSON report, or an empty one where there is none."""
    try:
        return json.loads(done.stdout)
    except ValueError:
        return {}


def verdicts(report: dict, *wanted: str) -> list[dict]:
    """Checks with one of these verdicts."""
    return [check for section in report.get("sections", []) for check in section["checks"] if check["verdict"] in wanted]


def told(done: subprocess.CompletedProcess) -> str:
    """What a failed check shows of a run."""
    return f"  exit {done.returncode}\n{done.stdout[-2500:]}\n{done.stderr[-1500:]}"
