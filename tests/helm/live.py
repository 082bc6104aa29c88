"""`--live` and the user's own values on a real API server: defaults are its own, owners of fields are told, nothing is stored.

`run` calls `check` with a release of the small chart below, whose DaemonSet no node has to pull an image for.
"""

from __future__ import annotations

import json
import pathlib
import subprocess

import common

KINDS = "daemonsets,configmaps,services,serviceaccounts"

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: agent-config}
data:
  mode: {{ .Values.mode }}
  mtu: {{ .Values.mtu | quote }}
---
apiVersion: v1
kind: Service
metadata: {name: agent}
spec:
  selector: {app: agent}
  ports: [{port: 80}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      nodeSelector: {nowhere: "true"}
      containers:
      - name: agent
        image: registry.invalid/agent:{{ .Values.tag }}
        resources: {limits: {cpu: 1000m}}
        livenessProbe: {httpGet: {path: /healthz, port: 9879}}
        env:
        - {name: MODE, value: {{ .Values.mode }}}
        {{- if .Values.extra }}
        - {name: EXTRA, value: "1"}
        {{- end }}
"""


def chart(folder: pathlib.Path, version: str, values: str) -> pathlib.Path:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: agent\nversion: {version}\n")
    (folder / "values.yaml").write_text(values)
    (folder / "templates/all.yaml").write_text(TEMPLATE)
    return folder


class Case:
    def __init__(self, helm: common.Helm, cluster, scratch: pathlib.Path, namespace: str) -> None:
        self.helm, self.cluster, self.namespace = helm, cluster, namespace
        self.old = chart(scratch / f"{namespace}-old", "1.0.0", "{mode: tunnel, mtu: 1500, tag: v1, extra: true}\n")
        self.new = chart(scratch / f"{namespace}-new", "2.0.0", "{mode: native, mtu: 1500, tag: v2, extra: false}\n")

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, stdin=stdin)

    def live(self, target: pathlib.Path, *words: object, code: int = 0, **more) -> subprocess.CompletedProcess:
        return self.helm.run("cnidiff", "agent", target, "-n", self.namespace, "--live", *words, code=code, **more)

    def report(self, target: pathlib.Path, **more) -> dict:
        return json.loads(self.live(target, "-o", "json", **more).stdout)

    def versions(self) -> dict[str, str]:
        found = json.loads(self.kubectl("get", KINDS, "-o", "json"))["items"]
        return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in found}


def paths(shown: dict, kind: str) -> list[str]:
    found = [o for o in shown["objects"] if o["object"]["kind"] == kind]
    return [f["path"] for o in found for f in o.get("fields") or o["change"].get("fields") or []]


def notes(shown: dict, id: str) -> list[dict]:
    return [note for note in shown["notes"] if note["id"] == id]


def defaults(case: Case) -> None:
    """What the API server fills in is no difference; what the chart changes is, and what helm removes."""
    before = case.versions()
    same = case.live(case.old, "--exit-code")
    assert "nothing is stored" in same.stderr and "dry-run" in same.stderr, same.stderr
    shown = case.report(case.new)
    found = paths(shown, "DaemonSet")
    container = "spec.template.spec.containers[agent]"
    assert sorted(found) == [f"{container}.env[EXTRA]", f"{container}.env[MODE]", f"{container}.image"] or \
        sorted(found) == [f"{container}.env[EXTRA]", f"{container}.env[MODE].value", f"{container}.image"], found
    assert paths(shown, "ConfigMap") == ["data.mode"], shown["objects"]
    assert not [o for o in shown["objects"] if o["object"]["kind"] == "Service"], shown["objects"]
    assert "as the API server would store it" in shown["to"]["label"], shown["to"]
    assert not notes(shown, "owned-by-another-manager") and not notes(shown, "live-only-field"), shown["notes"]
    assert case.versions() == before, "something was stored"


def drift(case: Case) -> None:
    """A field of the chart that was changed by hand would be set back; what the chart does not set stays, and is told."""
    case.kubectl("patch", "configmap", "agent-config", "--type=merge", "-p", '{"data": {"mtu": "9000", "mine": "1"}}')
    before = case.versions()
    shown = case.report(case.old)
    assert paths(shown, "ConfigMap") == ["data.mtu"], shown["objects"]
    mine = notes(shown, "live-only-field")
    assert len(mine) == 1 and mine[0]["path"] == "data.mine" and mine[0]["level"] == "info", mine
    case.live(case.old, "--exit-code", code=1)
    assert case.versions() == before, "something was stored"
    case.kubectl("patch", "configmap", "agent-config", "--type=merge", "-p", '{"data": {"mtu": "1500", "mine": null}}')


def conflict(case: Case) -> None:
    """A field that somebody else owns, and that the chart changes: told, with what real helm makes of it."""
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "agent-config"}, "data": {"mode": "theirs"}}
    case.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=other", "-f", "-", stdin=json.dumps(other))
    before = case.versions()
    found = notes(case.report(case.new), "owned-by-another-manager")
    assert len(found) == 1 and found[0]["path"] == "data.mode" and found[0]["object"]["name"] == "agent-config", found
    assert '"other"' in found[0]["title"] and "--force-conflicts" in found[0]["fix"], found
    real = case.helm.run("upgrade", "agent", case.new, "-n", case.namespace, code=None)
    if found[0]["level"] == "blocker":
        assert real.returncode != 0 and "conflict" in real.stderr, f"foretold and did not come: {real.stdout}{real.stderr}"
        assert case.versions()["ConfigMap/agent-config"] == before["ConfigMap/agent-config"], "helm took the field"
    else:
        assert real.returncode == 0, f"not foretold: {real.stderr}"
        assert case.kubectl("get", "configmap", "agent-config", "-o", "jsonpath={.data.mode}") == "native"
    assert (case.helm.name == "helm4") == (found[0]["level"] == "blocker"), "Helm 4 applies on the server, Helm 3 does not"


def forbidden(case: Case) -> None:
    """Without the right to patch: compared as rendered, and said so."""
    name = f"reader-{case.namespace}"
    case.kubectl("create", "serviceaccount", name)
    case.cluster.kubectl("create", "clusterrole", name, "--verb=get,list", "--resource=secrets,configmaps,services,daemonsets.apps,nodes")
    case.cluster.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--serviceaccount={case.namespace}:{name}")
    try:
        user = {"HELM_KUBEASUSER": f"system:serviceaccount:{case.namespace}:{name}"}
        words = ["--kube-as-user", user["HELM_KUBEASUSER"]]
        shown = json.loads(case.live(case.new, "-o", "json", *words).stdout)
        unknown = [text for text in shown["verdict"]["unknown"] if "right to patch" in text]
        assert len(unknown) == 1 and "3 of 3 objects" in unknown[0] and "built-in table of defaults" in unknown[0], shown["verdict"]
        assert "as the API server would store it" not in shown["to"]["label"]
        assert "data.mode" in paths(shown, "ConfigMap") and paths(shown, "DaemonSet"), shown["objects"]
    finally:
        case.cluster.kubectl("delete", "clusterrolebinding,clusterrole", name)
        case.kubectl("delete", "serviceaccount", name)


def refused(case: Case) -> None:
    """What the API server would not store is a blocker, in its own words."""
    bad = chart(case.new.parent / f"{case.namespace}-bad", "3.0.0", "{mode: tunnel, mtu: 1500, tag: v1, extra: true}\n")
    template = bad / "templates/all.yaml"
    template.write_text(TEMPLATE.replace("ports: [{port: 80}]", "ports: [{port: 80000}]"))
    before = case.versions()
    found = notes(case.report(bad), "refused-by-api-server")
    assert len(found) == 1 and found[0]["level"] == "blocker" and "65535" in found[0]["why"], found
    assert case.versions() == before, "something was stored"


def own_values(case: Case) -> None:
    """The user's own values: release against what is typed, and revision against revision."""
    place = ["-n", case.namespace, "-o", "json"]
    own = lambda *words: {o["path"]: (o["old"], o["new"]) for o in json.loads(case.helm.run("cnidiff", *words, *place).stdout)["values"]["own"]}  # noqa: E731
    assert own("agent", case.new) == {}, "without -f and --set they stay"
    value = lambda v: {"value": v}  # noqa: E731
    typed = own("agent", case.new, "--set", "own.kept=1,own.other=3,own.new=4,own.password=hunter2")
    old, new = typed.pop("own.password")
    assert old.keys() == new.keys() == {"secret"} and old != new, (old, new)
    assert typed == {"own.gone": (value(2), None), "own.new": (None, value(4)), "own.other": (value(2), value(3))}, typed
    assert own("agent", case.new, "--reset-then-reuse-values", "--set", "own.kept=9") == {"own.kept": (value(1), value(9))}
    case.helm.run("upgrade", "agent", case.old, "-n", case.namespace, "--reset-values", "--set", "own.kept=2")
    between = own("revision", "agent", 1, 2)
    assert between["own.kept"] == (value(1), value(2)) and between["own.gone"] == (value(2), None) and len(between) == 4, between


def check(count: common.Count, helm: common.Helm, cluster, scratch: pathlib.Path) -> None:
    """Installs the small chart and runs the tests of `--live` on it; `conflict` is last, because it upgrades."""
    namespace = f"live-{helm}"
    case = Case(helm, cluster, scratch, namespace)
    helm.run("install", "agent", case.old, "-n", namespace, "--create-namespace", "--set", "own.kept=1,own.gone=2,own.other=2,own.password=hunter1")
    try:
        for title, test in (("defaults are the server's own", defaults), ("drift is told", drift), ("what the server refuses", refused),
                            ("no right to patch", forbidden), ("a field of another manager", conflict)):
            if test is conflict:
                count.test(f"{helm}: the user's own values", own_values, case)
            count.test(f"{helm}: --live: {title}", test, case)
    finally:
        helm.run("uninstall", "agent", "-n", namespace)
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
