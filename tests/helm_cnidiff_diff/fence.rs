//! What is pure stays pure: no I/O, no clock, no environment, no output on the way from objects to the comparison.

use std::path::{Path, PathBuf};

const PURE: [&str; 9] =
    ["compare.rs", "comparison.rs", "manifest.rs", "noise", "noise.rs", "redact.rs", "version_step.rs", "diff", "risk"];

const FORBIDDEN: [&str; 9] = [
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::time",
    "std::io",
    "println!",
    "crate::source",
    "crate::render",
];

fn files(path: &Path, into: &mut Vec<PathBuf>) {
    if path.is_dir() {
        std::fs::read_dir(path).unwrap().for_each(|entry| files(&entry.unwrap().path(), into));
    } else {
        into.push(path.to_owned());
    }
}

#[test]
fn pure_files_do_not_touch_the_world() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    PURE.iter().for_each(|name| files(&source.join(name), &mut all));
    assert!(all.len() > 18, "{all:?}");
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in FORBIDDEN {
            assert!(!text.contains(word), "{} has {word}", file.display());
        }
    }
}
