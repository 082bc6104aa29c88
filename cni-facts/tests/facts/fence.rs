//! What the crate must not do: any I/O, any output, know of a Kubernetes client.

use std::fs;
use std::path::Path;

#[test]
fn sources_do_no_io() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let forbidden = [
        "std::fs",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "std::process",
        "std::env",
        "std::io",
        "std::thread",
        "Instant",
        "SystemTime",
        "println!",
        "print!",
        "kube::",
        "k8s_openapi",
        "tokio",
        "async ",
    ];
    for path in files(&source) {
        let text = fs::read_to_string(&path).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}

/// Knowledge is data: outside the list of files and outside tests no CNI is named in a text.
#[test]
fn sources_name_no_cni() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in files(&source).into_iter().filter(|path| !path.ends_with("builtin.rs") && !path.ends_with("tests.rs")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            for id in ["cilium", "calico", "flannel", "weave", "antrea", "multus"] {
                let texts = line.split('"').skip(1).step_by(2);
                assert!(!texts.into_iter().any(|text| text.contains(id)), "{} names {id}: {line}", path.display());
            }
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}
