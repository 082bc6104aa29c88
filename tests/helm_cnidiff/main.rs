//! Tests of helm-cnidiff that need neither helm nor a cluster. A new test goes into the module of what it is about; what
//! needs a real helm or a cluster goes into tests/helm, what is about comparing alone into tests/helm_cnidiff_diff.

#![allow(clippy::unwrap_used, missing_docs)]

mod command_line;
mod corpus;
mod decoding;
#[path = "../support/golden.rs"]
mod golden;
mod logging_in;
mod program;

use std::path::{Path, PathBuf};

/// A folder that is gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("helm-cnidiff-test-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
