"""Faults planted on purpose: fault → the cause that must be named, and nothing else."""

import json
import subprocess
import time
from pathlib import Path

from .harness import CLUSTER, Harness, report_of, told, verdicts

# DNS0 and DNS1 stand for the nodes that the two CoreDNS pods run on. Isolating a node with one also cuts that pod off.
# Name (of the recording), fault commands, words that the causes must contain, one entry a cause.
FAULTS = [
    ("drop-one-way", [["drop", "n0", "n1"]], ["everything from node n0 to node n1, in that direction only, is lost"]),
    ("drop-both", [["drop", "n0", "n1", "--both"]], ["everything between nodes n0 and n1, in both directions, is lost"]),
    # The answer to a rejected answer goes to the one that sent it, so a rejection in one direction is silence in the other.
    ("reject", [["drop", "n0", "n1", "--reject"]], ["everything from node n0 to node n1, in that direction only"]),
    ("reset", [["drop", "n0", "n1", "--both", "--proto", "tcp", "--new-only", "--reject", "reset"]],
     ["TCP only: everything between nodes n0 and n1, in both directions, is rejected"]),
    ("drop-udp", [["drop", "n0", "n1", "--both", "--proto", "udp"]], ["UDP only: everything between nodes n0 and n1"]),
    ("drop-tcp-port", [["drop", "n0", "n1", "--both", "--proto", "tcp", "--port", "18081"]],
     ["TCP port 18081 only: everything between nodes n0 and n1"]),
    ("mtu", [["mtu", "n1", "1300"]], ["packets above 1300 bytes to and from node n1"]),
    ("drop-large", [["drop", "n0", "n1", "--both", "--larger-than", "1400"]], ["packets above 1400 bytes between nodes n0 and n1"]),
    ("isolate", [["isolate", "n2"]], ["everything to and from node n2 is lost"]),
    ("no-route", [["no-route", "n0", "n1"]], ["n0"]),
    ("coredns-down", [["coredns-down", "DNS0"]], ["on DNS0 answers nobody"]),
    ("coredns-wrong", [["coredns-wrong", "DNS1"]], ["on DNS1 gives wrong answers"]),
    ("kube-proxy-down", [["kube-proxy-down", "n1"]], ["Services cannot be reached from n1"]),
    ("kube-proxy-stale", [["kube-proxy-stale", "n2"]], ["Services cannot be reached from n2"]),
    ("stale-service-rules", [["stale-service-rules", "n1"]], ["Services cannot be reached from n1"]),
]
PAIRS = [
    ("isolate+coredns-down", [["isolate", "n2"], ["coredns-down", "DNS0"]], ["to and from node n2 is lost", "on DNS0 answers nobody"]),
    ("mtu+kube-proxy-stale", [["mtu", "n1", "1300"], ["kube-proxy-stale", "n2"]], ["packets above 1300 bytes", "Services cannot be reached from n2"]),
    ("drop-udp+coredns-wrong", [["drop", "n0", "n1", "--both", "--proto", "udp"], ["coredns-wrong", "DNS1"]], ["UDP only", "gives wrong answers"]),
    ("kube-proxy-down+drop-both", [["kube-proxy-down", "n0"], ["drop", "n1", "n2", "--both"]],
     ["Services cannot be reached from n0", "between nodes n1 and n2"]),
    ("coredns-down+kube-proxy-stale", [["coredns-down", "DNS0"], ["kube-proxy-stale", "n1"]],
     ["on DNS0 answers nobody", "Services cannot be reached from n1"]),
]


def table(h: Harness) -> None:
    for name, faults, expected in FAULTS + (PAIRS if h.long else PAIRS[:2]):
        planted(h, name, faults, expected)


def _placed(h: Harness, words: list[str]) -> list[str]:
    nodes = h.kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=kube-dns", "--field-selector", "status.phase=Running",
                      "-o", "jsonpath={.items[*].spec.nodeName}").split()
    for index, node in enumerate(sorted(nodes)):
        words = [word.replace(f"DNS{index}", node) for word in words]
    return words


def planted(h: Harness, name: str, faults: list, expected: list[str]) -> None:
    faults, expected = [_placed(h, fault) for fault in faults], _placed(h, expected)
    title = f"fault {name}: " + " + ".join(" ".join(fault) for fault in faults)
    if not h.wanted(title):
        return
    try:
        for fault in faults:
            h.cluster("fault", *fault)
        done = h.run("verify", "-o", "json", "--no-policy", *h.keep(name))
    finally:
        h.cluster("fault", "undo", "--all")
    report = report_of(done)
    causes = [explanation["cause"] for explanation in report.get("explanations", [])]
    found = all(any(words in cause for cause in causes) for words in expected)
    ok = done.returncode == 1 and found and len(causes) == len(expected) and not report.get("unexplained")
    detail = f"  causes {json.dumps(causes, indent=2)}\n  unexplained {json.dumps(report.get('unexplained'), indent=2)}\n{told(done)}"
    h.check(title, ok, detail)
    if any(fault[0] in ("coredns-down", "coredns-wrong", "stale-service-rules") for fault in faults):
        settle(h)


def settle(h: Harness) -> None:
    """CoreDNS pods that were replaced need a moment until every node sends its questions to the new ones."""
    h.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=60s")
    time.sleep(2)


def no_cni_config(h: Harness) -> None:
    title = "fault no-cni-config: the node is named with its pod's reason, the rest is tried"
    if not h.wanted(title):
        return
    try:
        h.cluster("fault", "no-cni-config", "n2")
        done = h.run("verify", "-o", "json", "--no-policy", *h.keep("no-cni-config"))
    finally:
        h.cluster("fault", "undo", "--all")
    report = report_of(done)
    absent = json.dumps(report.get("absent", []))
    tried = any(check["id"] == "cross-node-pods-cut-off" for check in verdicts(report, "pass"))
    h.check(title, done.returncode == 1 and "n2" in absent and tried, f"{absent}{told(done)}")


def paused_api(h: Harness) -> None:
    title = "fault apiserver-pause for 5 s in the middle: the run completes"
    if not h.wanted(title):
        return
    argv = h.argv("verify", "-o", "json")
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2.5)
    h.cluster("fault", "apiserver-pause", "5")
    out, err = process.communicate(timeout=180)
    h.check(title, process.returncode == 0, f"exit {process.returncode} {out[-1500:]} {err}")
    h.cluster("fault", "undo", "--all")


def agent_crashloop(h: Harness) -> None:
    """Flannel only. The network goes on without its agents, so every path must pass while the agents' checks fail."""
    title = "fault agent-crashloop: the agents are found, and no path is blamed"
    if not h.wanted(title):
        return
    try:
        h.cluster("fault", "agent-crashloop")
        time.sleep(8)
        done = h.run("verify", "-o", "json", "--no-policy", *h.keep("agent-crashloop"))
    finally:
        h.cluster("fault", "undo", "--all")
    report = report_of(done)
    failed = {check["id"] for check in verdicts(report, "fail")}
    agents = {"agent-not-ready", "agent-restarted", "agent-rollout-unfinished"}
    h.check(title, done.returncode == 1 and failed and failed <= agents and not report.get("explanations"), f"{failed}{told(done)}")
    h.kubectl("-n", "kube-flannel", "rollout", "status", "daemonset/kube-flannel-ds", "--timeout=90s")
