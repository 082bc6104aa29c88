//! Files that a test holds its result against. `UPDATE_GOLDEN=1` rewrites them; read what changed before it is kept.

use std::fs;
use std::path::{Path, PathBuf};

/// Holds a text against a file of `golden/`.
pub(crate) fn compare(name: &str, actual: &str) {
    compare_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name), actual);
}

/// Holds a text against any file.
pub(crate) fn compare_file(path: &PathBuf, actual: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        let first = expected.lines().zip(actual.lines()).position(|(a, b)| a != b);
        let line = first.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
        panic!(
            "{} is stale from line {}:\n- {}\n+ {}\nwrite it anew with UPDATE_GOLDEN=1 and read what changed",
            path.display(),
            line + 1,
            expected.lines().nth(line).unwrap_or_default(),
            actual.lines().nth(line).unwrap_or_default()
        );
    }
}
