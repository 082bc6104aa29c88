"""Builds the agent with the project's own build.rs, which is a program of its own: there is no second copy of the compiler's arguments."""

import os
import subprocess
from pathlib import Path

CRATE = Path(__file__).resolve().parents[3] / "kubectl-cni"


def agent(out: Path, crate: Path = CRATE, **environment: str) -> Path:
    """Compiles and runs the build.rs of `crate`; the agent for this machine lands in `out`, beside those for others that can be built."""
    out.mkdir(parents=True, exist_ok=True)
    script = out / "build-script"
    subprocess.run(["rustc", "--edition=2024", str(crate / "build.rs"), "-o", str(script)], check=True)
    environment = os.environ | environment | {"CARGO_MANIFEST_DIR": str(crate), "OUT_DIR": str(out)}
    subprocess.run([str(script)], env=environment, check=True, stdout=subprocess.DEVNULL)
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    return out / f"cni-probe-{machine}"
