"""A few calls to the API server, for waiting: kubectl takes longer to start than the answer takes."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any

from .names import Cluster


class Api:
    """The API server as the administrator, from the machine's side of the link."""

    def __init__(self, cluster: Cluster) -> None:
        self._host = cluster.api_ip
        self._token = (cluster.dir / "pki/admin.token").read_text()
        self._tls = ssl.create_default_context(cafile=str(cluster.dir / "pki/ca.crt"))

    def call(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, Any]:
        """One request; the status and the decoded answer. OSError when nobody answers."""
        link = http.client.HTTPSConnection(self._host, 6443, context=self._tls, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, "User-Agent": "tests-cluster"}
            link.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = link.getresponse()
            data = answer.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            link.close()
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, data.decode(errors="replace")

    def get(self, path: str) -> Any:
        """The object at `path`, or OSError with what the server said."""
        status, answer = self.call("GET", path)
        if status != 200:
            said = answer.get("message") if isinstance(answer, dict) else answer
            raise OSError(f"GET {path}: {status} {said}")
        return answer

    def is_ready(self) -> bool:
        return self.call("GET", "/readyz")[0] == 200


def node_is_ready(node: dict[str, Any]) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def pod_is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    going = pod["metadata"].get("deletionTimestamp")
    return not going and any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
