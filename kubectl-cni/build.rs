//! Builds the probe agents and makes them embeddable: `$OUT_DIR/agents.rs` with one entry for each architecture whose core library is there.
//!
//! Each agent is two calls of plain `rustc`: the wire crate, then the agent. Nothing of the surrounding build's flags, wrappers or paths gets
//! in, so the same sources give the same bytes anywhere.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Architecture as Kubernetes names it, target as rustc names it, and whether a build without it is an error.
const TARGETS: [(&str, &str, bool); 2] =
    [("amd64", "x86_64-unknown-linux-gnu", true), ("arm64", "aarch64-unknown-linux-gnu", false)];

/// It travels in a ConfigMap, through every node's kubelet.
const MAX_BYTES: u64 = 64 * 1024;

fn main() {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    for watched in ["agent", "wire/src", "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let mut table = String::from("/// Architecture and program.\npub static AGENTS: &[(&str, &[u8])] = &[\n");
    for (arch, target, required) in TARGETS {
        if !has_core(target) {
            assert!(!required, "the core library for {target} is not installed: rustup target add {target}");
            continue;
        }
        let agent = build(&here, &out, arch, target);
        let size = fs::metadata(&agent).expect("just built").len();
        assert!(size <= MAX_BYTES, "the agent for {arch} has {size} bytes; {MAX_BYTES} are allowed");
        writeln!(table, "    ({arch:?}, include_bytes!({agent:?})),").expect("writing to a String");
    }
    table.push_str("];\n");
    fs::write(out.join("agents.rs"), table).expect("writing agents.rs");
}

/// The compiler itself, never a wrapper such as clippy's.
fn rustc() -> Command {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(name);
    }
    command
}

fn has_core(target: &str) -> bool {
    let Ok(output) = rustc().args(["--print", "target-libdir", "--target", target]).output() else { return false };
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn build(here: &Path, out: &Path, arch: &str, target: &str) -> PathBuf {
    let library = out.join(format!("libcni_probe_wire-{arch}.rlib"));
    let agent = out.join(format!("cni-probe-{arch}"));
    let common = [
        "--edition=2024",
        "--target",
        target,
        "-Copt-level=z",
        "-Cllvm-args=--inline-threshold=25", // measured: less than at the default
        "-Ccodegen-units=1",
        "-Cpanic=abort",
        "-Crelocation-model=static", // nothing would relocate it
        "-Cforce-unwind-tables=no",
        "-Cmetadata=cni-probe",
    ];
    let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
    run(rustc()
        .args(common)
        .args(["--crate-name=cni_probe_wire", "--crate-type=rlib"])
        .arg(remap(here, "kubectl-cni"))
        .arg(here.join("wire/src/lib.rs"))
        .arg("-o")
        .arg(&library));
    run(rustc()
        .args(common)
        .args(["--crate-name=cni_probe", "--crate-type=bin", "-Clto=fat", "-Cstrip=symbols", "-Clinker=rust-lld", "-Clinker-flavor=ld.lld"])
        .arg(format!(
            "-Clink-args=-static -nostdlib --gc-sections -z norelro -z noseparate-code --build-id=none --no-eh-frame-hdr -T {}",
            here.join("agent/discard.ld").display()
        ))
        .arg(format!("--extern=cni_probe_wire={}", library.display()))
        .arg(remap(here, "kubectl-cni"))
        .arg(remap(out, "out"))
        .arg(here.join("agent/src/main.rs"))
        .arg("-o")
        .arg(&agent));
    agent
}

fn run(command: &mut Command) {
    let output = command.output().expect("running rustc");
    assert!(output.status.success(), "building the agent:\n{}", String::from_utf8_lossy(&output.stderr));
}
