"""Interrupted, refused, squeezed into somebody's namespace: tidy all the same."""

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .harness import CLUSTER, Harness, report_of, told, verdicts

TEAM_LABEL = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: team-label}
spec:
  failurePolicy: Fail
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations: [{expression: "object.metadata.namespace == 'kube-system' || (has(object.metadata.labels) && 'team' in object.metadata.labels)", message: "every pod needs a label team"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: team-label}
spec: {policyName: team-label, validationActions: [Deny]}
"""
LIMITS = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: limits}
spec:
  failurePolicy: Fail
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}
  validations:
  - expression: "object.metadata.namespace == 'kube-system' || has(object.metadata.ownerReferences) && object.spec.containers.all(c, has(c.resources.limits) && 'memory' in c.resources.limits && 'cpu' in c.resources.limits && has(c.resources.requests) && has(c.livenessProbe) && has(c.readinessProbe) && c.securityContext.readOnlyRootFilesystem)"
    message: "an owner, limits, requests, both probes and a read-only root are wanted"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: limits}
spec: {policyName: limits, validationActions: [Deny]}
"""
PROBES_NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata: {name: probes, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: mine, namespace: probes}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: theirs, namespace: probes}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""


def ended(h: Harness, how: signal.Signals, moments: list[float]) -> None:
    """A signal at moments spread over a run. Afterwards, or after `cleanup` where nobody could tidy up, everything is as before."""
    title = f"{how.name} at {len(moments)} moments"
    if not h.wanted(title):
        return
    before, problems = h.objects(), []
    for moment in moments:
        process = h.start("verify", "-o", "json")
        time.sleep(moment)
        process.send_signal(how)
        out, err = process.communicate(timeout=120)
        if how == signal.SIGKILL:
            cleaned = h.run("cleanup", "--all")
            if cleaned.returncode != 0:
                problems.append(f"{moment} s: cleanup exit {cleaned.returncode} {cleaned.stdout}{cleaned.stderr}")
        elif process.returncode not in (130, 0) or (process.returncode == 130 and '"interrupted"' not in out):
            problems.append(f"{moment} s: exit {process.returncode} {out[-300:]} {err[-500:]}")
        if h.objects() != before:
            problems.append(f"{moment} s: left {set(h.objects()) ^ set(before)}")
    h.check(f"{title}: tidy afterwards, the user's own objects untouched", not problems, "\n".join(problems))


def interrupted_twice(h: Harness) -> None:
    title = "interrupted twice: leaves at once, says what is left and how to remove it"
    if not h.wanted(title):
        return
    before = h.objects()
    process = h.start("verify", "-o", "json")
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    second = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - second
    said = "kubectl cni cleanup --run" in err and '"left_behind"' in out and "Namespace cni-verify-" in out
    cleaned = h.run("cleanup", "--all")
    ok = process.returncode == 130 and took < 3 and said and cleaned.returncode == 0 and h.objects() == before
    h.check(title, ok, f"exit {process.returncode} after {took:.1f} s {out[-800:]} {err} {told(cleaned)}")


def next_run_tidies(h: Harness) -> None:
    """After kill -9 the next run finds the objects; it removes them once they show no sign of life for half a minute."""
    title = "killed, then run again after a while: the next run removes what was left"
    if not h.wanted(title) or not h.long:
        return
    before = h.objects()
    process = h.start("verify", "-o", "json")
    time.sleep(3)
    process.kill()
    process.communicate()
    time.sleep(31)
    done = h.run("verify", "-o", "json", "--no-policy")
    h.check(title, done.returncode == 0 and "left behind" in done.stderr and h.objects() == before, told(done))


def admission(h: Harness) -> None:
    if not h.wanted("admission"):
        return
    try:
        h.apply(TEAM_LABEL)
        time.sleep(3)
        done = h.run("verify", "-o", "json", "--no-policy")
        text = done.stdout + done.stderr
        h.check("admission policy refuses: its message is shown, undecided", done.returncode == 2 and "every pod needs a label team" in text, told(done))
        done = h.run("verify", "-o", "json", "--no-policy", "--label", "team=net")
        h.check("admission policy met with --label: passes", done.returncode == 0, told(done))
    finally:
        h.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "team-label")
    try:
        h.apply(LIMITS)
        time.sleep(3)
        done = h.run("verify", "-o", "json", "--no-policy")
        h.check("admission policy that demands an owner, limits, probes and a read-only root: passes as it is", done.returncode == 0, told(done))
    finally:
        h.kubectl("delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "limits")


def existing_namespace(h: Harness) -> None:
    title = "restricted existing namespace: works, and leaves what was there"
    if not h.wanted(title):
        return
    h.apply(PROBES_NAMESPACE)
    before = h.objects()
    done = h.run("verify", "-o", "json", "--namespace", "probes")
    h.check(title, done.returncode == 0 and h.objects() == before, told(done))
    notes = [check["detail"] for check in verdicts(report_of(done), "note") if check["id"] == "foreign-policy-on-probes"]
    h.check("a NetworkPolicy of others in the probe namespace is named", notes == ["probes/theirs, and it let every probe pass"], told(done))
    h.kubectl("delete", "namespace", "probes")


def completion(h: Harness) -> None:
    """kubectl itself asks `kubectl_complete-cni`, which `kubectl cni completion install` writes."""
    title = "completion by the real kubectl"
    if not h.wanted(title):
        return
    with tempfile.TemporaryDirectory() as folder:
        installed = h.run("completion", "install", "--dir", folder)
        path = f"{folder}:{Path(h.program).parent}:{os.environ['PATH']}"
        command = [str(CLUSTER / "run"), "--name", h.name, "env", f"PATH={path}:{_kubectl_folder(h)}", "kubectl", "__complete", "cni"]
        words = lambda *typed: subprocess.run([*command, *typed], capture_output=True, text=True, check=False).stdout
        flags, verbs = words("verify", "--name"), words("")
        ok = installed.returncode == 0 and "--namespace" in flags and all(verb in verbs for verb in ("verify", "cleanup", "explain"))
        h.check(title, ok, f"{installed.stderr}{flags}{verbs}")


def _kubectl_folder(h: Harness) -> str:
    found = subprocess.run([str(CLUSTER / "run"), "--name", h.name, "sh", "-c", "dirname $(command -v kubectl)"], capture_output=True, text=True, check=True)
    return found.stdout.strip()
