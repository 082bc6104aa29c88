//! What is said of each step between neighbours in the corpus of manifests, held against a recording. The corpus of
//! charts needs helm: `tests/helm/corpus`.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use crate::{Folder, golden};

/// What a person reads, and the first screen of it.
const LINES: usize = 120;
const SCREEN: usize = 24;

/// Checks the steps between manifests `<name><version>.<end>`, packed or not.
fn check(name: &str, end: &str, versions: &[&str]) {
    let folder = Folder::new(&format!("corpus-{name}"));
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/diff");
    let stem = |version: &str| format!("{name}{version}.{end}");
    for version in versions {
        let plain = fixtures.join(stem(version));
        let text = std::fs::read(&plain).unwrap_or_else(|_| {
            let packed = std::fs::File::open(fixtures.join(format!("{}.gz", stem(version)))).unwrap();
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut text).unwrap();
            text
        });
        folder.write(&stem(version), text);
    }
    for pair in versions.windows(2) {
        // Without folders in the names: those differ between machines.
        let output = Command::new(env!("CARGO_BIN_EXE_helm-cnidiff"))
            .args(["manifests", &stem(pair[0]), &stem(pair[1]), "--color=never"])
            .current_dir(folder.path())
            .env_clear()
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let title = format!("{}{}-{}", name.trim_start_matches("kube-"), pair[0], pair[1]);
        golden::check(&format!("cnidiff/corpus/{title}.txt"), &text);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= LINES, "{title}: {} lines", lines.len());
        assert!(lines[1].starts_with("result: ") && lines.last() == lines.get(1), "{title}: {text}");
        let verdict = lines.iter().position(|line| *line == "Blockers and risks").unwrap();
        assert!(verdict <= SCREEN, "{title}: the verdict takes {verdict} lines");
    }
}

#[test]
fn each_step_of_calicos_manifest_is_told_as_recorded() {
    check("calico-", "yaml", &["v3.26.0", "v3.27.0", "v3.31.3", "v3.32.1"]);
}

#[test]
fn each_step_of_flannels_manifest_is_told_as_recorded() {
    check("kube-flannel-", "yml", &["v0.22.0", "v0.24.0", "v0.28.4", "v0.28.9"]);
}
