//! Running the program: without helm's environment, and with a stand-in for helm where one has to be there.

use std::path::Path;
use std::process::Command;

use crate::Folder;

/// What a run came to.
pub(crate) struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// It could not do it: nothing on standard output, one message, no backtrace.
    pub(crate) fn could_not(&self, says: &[&str]) {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "nothing half-printed");
        for word in says {
            assert!(self.err.contains(word), "{word:?} is not in: {}", self.err);
        }
        assert!(!self.err.contains("panicked") && !self.err.contains("RUST_BACKTRACE"), "{}", self.err);
    }

    /// The same, in a single line.
    pub(crate) fn could_not_in_one_line(&self, says: &[&str]) {
        self.could_not(says);
        assert_eq!(self.err.trim_end().lines().count(), 1, "{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
    }
}

/// Runs the program with an environment of its own.
pub(crate) fn run(words: &[&str], env: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_helm-cnidiff"));
    command.args(words).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command.envs(env.iter().copied());
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs it with standard input.
pub(crate) fn run_with_input(words: &[&str], input: &[u8]) -> Run {
    use std::io::Write as _;
    let mut command = Command::new(env!("CARGO_BIN_EXE_helm-cnidiff"));
    command.args(words).env_clear();
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program in the place of helm that does what a shell script says.
pub(crate) fn helm(folder: &Folder, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.write("helm", format!("#!/bin/sh\n{script}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A chart of the fixtures.
pub(crate) fn chart(version: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/fixtures/charts/cilium-{version}.tgz"));
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}
