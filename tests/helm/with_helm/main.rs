//! Holds what is computed here against what Helm 3 and Helm 4 do. `tests/helm/run` builds both, brings a cluster up and
//! sets HELM3, HELM4 and KUBECONFIG; it is not part of a plain `cargo test`.

#![allow(clippy::unwrap_used, missing_docs)]

mod inheritance;
mod spellings;

use std::path::{Path, PathBuf};
use std::process::Command;

/// The helm of one major.
struct Helm {
    name: &'static str,
    program: String,
}

impl Helm {
    fn both() -> [Helm; 2] {
        let find = |name: &'static str, variable: &str| Helm {
            name,
            program: std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is set by tests/helm/run")),
        };
        [find("helm3", "HELM3"), find("helm4", "HELM4")]
    }

    fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.program).args(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments).unwrap_or_else(|error| panic!("{} {arguments:?}: {error}", self.name))
    }
}

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("with-helm-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
