//! Compares a program's output with a file under `tests/golden`. A test binary takes it in with `#[path = "../support/golden.rs"] mod golden;`.

use std::fs;
use std::path::Path;

use similar::TextDiff;

/// Asserts that `tests/golden/<name>` holds exactly `actual`; with `UPDATE_GOLDEN=1` in the environment writes it there instead.
#[track_caller]
pub(crate) fn check(name: &str, actual: &str) {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden")).join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let folder = path.parent().expect("a golden lies in a folder");
        fs::create_dir_all(folder).expect("create the folder of the golden");
        fs::write(&path, actual).expect("write the golden");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        let diff = TextDiff::from_lines(expected.as_str(), actual);
        let diff =
            diff.unified_diff().context_radius(3).header(&format!("tests/golden/{name}"), "this run").to_string();
        panic!("{name} is not as recorded (UPDATE_GOLDEN=1 records it anew):\n{}", diff.replace('\x1b', "␛"));
    }
}
