//! Builds the probe agents and makes them embeddable: `$OUT_DIR/agents.rs` with one entry for each architecture whose core library is there.
//!
//! Each agent is two calls of plain `rustc`: the wire crate, then the agent. Nothing of the surrounding build's flags, wrappers or paths gets
//! in, so the same sources give the same bytes anywhere. It needs nothing of cargo but `CARGO_MANIFEST_DIR` and `OUT_DIR`: the agent's own
//! tests compile this file alone and run it.
//!
//! arm64 is built where the toolchain has its core library (`rustup target add aarch64-unknown-linux-gnu`), or where
//! `CNI_PROBE_SYSROOT_ARM64` names the sysroot of another compiler that has it, such as Debian's rustc-web with libstd-rust-web-dev:arm64.

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
    println!("cargo:rerun-if-env-changed=CNI_PROBE_SYSROOT_ARM64");
    for watched in ["agent", "wire/src", "build.rs"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    let mut table = String::from("/// Architecture and program.\npub static AGENTS: &[(&str, &[u8])] = &[\n");
    for (arch, target, required) in TARGETS {
        let compiler = Compiler::for_arch(arch);
        if !compiler.has_core(target) {
            assert!(!required, "the core library for {target} is not installed: rustup target add {target}");
            continue;
        }
        let agent = compiler.build(&here, &out, arch, target);
        let size = fs::metadata(&agent).expect("just built").len();
        assert!(size <= MAX_BYTES, "the agent for {arch} has {size} bytes; {MAX_BYTES} are allowed");
        writeln!(table, "    ({arch:?}, include_bytes!({agent:?})),").expect("writing to a String");
    }
    table.push_str("];\n");
    fs::write(out.join("agents.rs"), table).expect("writing agents.rs");
}

/// A compiler, and its sysroot where that is not its own idea.
struct Compiler {
    sysroot: Option<PathBuf>,
}

impl Compiler {
    fn for_arch(arch: &str) -> Compiler {
        Compiler { sysroot: env::var_os(format!("CNI_PROBE_SYSROOT_{}", arch.to_uppercase())).map(PathBuf::from) }
    }

    /// The compiler itself, never a wrapper such as clippy's.
    fn rustc(&self) -> Command {
        let mut command = match &self.sysroot {
            None => toolchain_rustc(),
            Some(sysroot) => {
                let mut command = Command::new(sysroot.join("bin/rustc"));
                command.arg("--sysroot").arg(sysroot);
                command
            }
        };
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
            command.env_remove(name);
        }
        command
    }

    fn has_core(&self, target: &str) -> bool {
        let folder = printed(self.rustc().args(["--print", "target-libdir", "--target", target]));
        let Ok(entries) = fs::read_dir(folder) else { return false };
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
    }

    fn build(&self, here: &Path, out: &Path, arch: &str, target: &str) -> PathBuf {
        let library = out.join(format!("libcni_probe_wire-{arch}.rlib"));
        let agent = out.join(format!("cni-probe-{arch}"));
        let common = [
            "--edition=2024",
            "--target",
            target,
            "-Copt-level=z",
            "-Cllvm-args=--inline-threshold=20", // measured: less than at the default
            "-Ccodegen-units=1",
            "-Cpanic=abort",
            "-Crelocation-model=static", // nothing would relocate it
            "-Cforce-unwind-tables=no",
            "-Cmetadata=cni-probe",
        ];
        let link = [
            "-static",
            "-nostdlib",
            "--gc-sections",
            "-znorelro",
            "-znoseparate-code",
            "--build-id=none",
            "--no-eh-frame-hdr",
        ];
        let remap = |path: &Path, name: &str| format!("--remap-path-prefix={}={name}", path.display());
        run(self
            .rustc()
            .args(common)
            .args(["--crate-name=cni_probe_wire", "--crate-type=rlib"])
            .arg(remap(here, "kubectl-cni"))
            .arg(here.join("wire/src/lib.rs"))
            .arg("-o")
            .arg(&library));
        run(self
            .rustc()
            .args(common)
            .args(["--crate-name=cni_probe", "--crate-type=bin", "-Clto=fat", "-Cstrip=symbols"])
            .arg(format!("-Clinker={}", self.linker().display()))
            .arg("-Clinker-flavor=ld.lld")
            .args(link.map(|argument| format!("-Clink-arg={argument}")))
            .arg(format!("-Clink-arg=-T{}", here.join("agent/discard.ld").display()))
            .arg(format!("--extern=cni_probe_wire={}", library.display()))
            .arg(remap(here, "kubectl-cni"))
            .arg(remap(out, "out"))
            .arg(here.join("agent/src/main.rs"))
            .arg("-o")
            .arg(&agent));
        agent
    }

    /// The linker that comes with the toolchain in use. It links for every architecture, and for other compilers as well.
    fn linker(&self) -> PathBuf {
        let name = Path::new("rust-lld");
        if self.sysroot.is_none() {
            return name.into(); // found by the compiler
        }
        let folder = PathBuf::from(printed(toolchain_rustc().args(["--print", "sysroot"]))).join("lib/rustlib");
        let hosts = fs::read_dir(folder).into_iter().flatten().flatten();
        hosts.map(|host| host.path().join("bin").join(name)).find(|path| path.exists()).unwrap_or_else(|| name.into())
    }
}

fn toolchain_rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// What a command prints, trimmed; nothing when it fails.
fn printed(command: &mut Command) -> String {
    command.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn run(command: &mut Command) {
    let output = command.output().expect("running rustc");
    assert!(output.status.success(), "building the agent:\n{}", String::from_utf8_lossy(&output.stderr));
}
