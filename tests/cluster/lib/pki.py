"""Certificates, tokens and kubeconfigs: who may talk to whom in the cluster."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from .names import API_SERVICE4, API_SERVICE6, Cluster
from .shell import run

# user -> (name in the cluster, groups). People are there for tests: alice, bob and carol may do nothing until a
# test binds a role to them.
USERS = {
    "admin": ("admin", ["system:masters"]),
    "controller-manager": ("system:kube-controller-manager", []),
    "scheduler": ("system:kube-scheduler", []),
    "proxy": ("system:kube-proxy", []),
    "alice": ("alice", ["people"]),
    "bob": ("bob", ["people"]),
    "carol": ("carol", ["people"]),
}


def create(cluster: Cluster) -> None:
    """Make everything under pki/ and kubeconfig/."""
    pki = cluster.dir / "pki"
    pki.mkdir(exist_ok=True)
    _key(pki / "ca.key")
    run("openssl", "req", "-x509", "-new", "-key", f"{pki}/ca.key", "-subj", "/CN=test-ca", "-days", "3650",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        "-out", f"{pki}/ca.crt")
    _key(pki / "sa.key")
    run("openssl", "pkey", "-in", f"{pki}/sa.key", "-pubout", "-out", f"{pki}/sa.pub")
    addresses = ["127.0.0.1", cluster.api_ip, cluster.gateway4, API_SERVICE4]
    addresses += [cluster.gateway6, API_SERVICE6] if cluster.ipv6 else []
    names = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    san = ",".join([f"IP:{a}" for a in addresses] + [f"DNS:{n}" for n in names])
    _certificate(pki, "apiserver", "/CN=kube-apiserver", f"subjectAltName={san}\nextendedKeyUsage=serverAuth\n")
    # With this one the API server speaks to kubelets (logs, exec); they let in nobody who is not authorised.
    _certificate(pki, "kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth\n")
    _tokens(cluster, pki)


def _key(path: Path) -> None:
    # Elliptic curves: an RSA key would cost a second each on a small machine.
    run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path))


def _certificate(pki: Path, name: str, subject: str, extensions: str) -> None:
    _key(pki / f"{name}.key")
    run("openssl", "req", "-new", "-key", f"{pki}/{name}.key", "-subj", subject, "-out", f"{pki}/{name}.csr")
    (pki / f"{name}.ext").write_text(extensions)
    run("openssl", "x509", "-req", "-in", f"{pki}/{name}.csr", "-CA", f"{pki}/ca.crt", "-CAkey", f"{pki}/ca.key",
        "-CAcreateserial", "-days", "3650", "-extfile", f"{pki}/{name}.ext", "-out", f"{pki}/{name}.crt")


def _tokens(cluster: Cluster, pki: Path) -> None:
    (cluster.dir / "kubeconfig").mkdir(exist_ok=True)
    users = dict(USERS)
    users.update({node.name: (f"system:node:{node.name}", ["system:nodes"]) for node in cluster.nodes})
    lines = []
    for user, (name, groups) in users.items():
        token = secrets.token_hex(16)
        lines.append(f'{token},{name},{user},"{",".join(groups)}"')
        # People and the control plane reach the API server by different addresses.
        inside = user not in ("admin", "alice", "bob", "carol")
        server = f"https://{cluster.gateway4}:6443" if inside else cluster.api_url
        (cluster.dir / "kubeconfig" / user).write_text(kubeconfig(cluster, server, token))
        (cluster.dir / "kubeconfig" / user).chmod(0o600)
        if user == "admin":
            (pki / "admin.token").write_text(token)
    (pki / "tokens.csv").write_text("\n".join(lines) + "\n")


def kubeconfig(cluster: Cluster, server: str, token: str) -> str:
    """A kubeconfig that needs no other file; JSON, which is YAML too."""
    ca = base64.b64encode((cluster.dir / "pki/ca.crt").read_bytes()).decode()
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": cluster.name,
        "clusters": [{"name": cluster.name, "cluster": {"server": server, "certificate-authority-data": ca}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": "user"}}],
    }, indent=1) + "\n"
