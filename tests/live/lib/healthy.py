"""Nothing is wrong: nothing may be found, and nothing may stay."""

import time

from .harness import Harness, report_of, told, verdicts


def repeated(h: Harness, runs: int, *args: str, label: str) -> None:
    """Runs in a row without a finding; every object and network namespace is counted before and after."""
    title = f"healthy {label}"
    if not h.wanted(title):
        return
    before, worst = h.objects(), 0.0
    for number in range(runs):
        keep = h.keep(f"healthy-{label.lower().replace(' ', '-')}") if number == 0 else []
        began = time.monotonic()
        done = h.run("verify", "-o", "json", *keep, *args)
        worst = max(worst, time.monotonic() - began)
        bad = verdicts(report_of(done), "fail", "warn", "unknown")
        if done.returncode != 0 or bad:
            return h.check(f"{title}, run {number + 1} of {runs}", False, f"{bad}\n{told(done)}")
    after = h.objects()
    h.check(f"{title}: {runs} runs, no finding, nothing left (slowest {worst:.1f} s)", before == after, f"{set(after) ^ set(before)}")


def two_at_once(h: Harness) -> None:
    title = "two runs at the same time"
    if not h.wanted(title):
        return
    before = h.objects()
    both = [h.start("verify", "-o", "json", "--no-policy") for _ in range(2)]
    outputs = [process.communicate(timeout=180) for process in both]
    codes = [process.returncode for process in both]
    h.check(f"{title}: both clean, neither takes the other's objects", codes == [0, 0] and h.objects() == before, f"{codes} {outputs}")


def host_network(h: Harness) -> None:
    title = "--host-network"
    if not h.wanted(title):
        return
    before = h.objects()
    done = h.run("verify", "-o", "json", "--host-network", "--no-policy")
    passed = {check["id"] for check in verdicts(report_of(done), "pass")}
    wanted = {"host-to-pod-cut-off", "host-to-host-cut-off"}
    says = "privileged" in done.stderr
    h.check(f"{title}: nodes reach pods and each other, and the need for a privileged namespace is said",
            done.returncode == 0 and wanted <= passed and says and h.objects() == before, told(done))


def external(h: Harness) -> None:
    """The API server's address on the nodes' network stands for a target outside the pod network."""
    title = "--external"
    if not h.wanted(title):
        return
    server = h.kubectl("get", "endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes",
                       "-o", "jsonpath={.items[0].endpoints[0].addresses[0]}").strip()
    done = h.run("verify", "-o", "json", "--no-policy", "--external", f"{server}:6443")
    passed = {check["id"] for check in verdicts(report_of(done), "pass")}
    h.check(f"{title}: a target that answers passes", done.returncode == 0 and "external-target-cut-off" in passed, told(done))
    done = h.run("verify", "-o", "json", "--no-policy", "--external", f"{server}:9")
    causes = [explanation["cause"] for explanation in report_of(done).get("explanations", [])]
    h.check(f"{title}: a port that is shut is found", done.returncode == 1 and causes == [f"{server}:9 cannot be reached from any node"], told(done))
