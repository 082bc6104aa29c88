//! Compresses the files of `data/` into `$OUT_DIR`, under their own names with `.z` behind: they are nine tenths of what the crate weighs.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo:rerun-if-changed=data");
    pack(Path::new("data"), &out);
}

fn pack(folder: &Path, out: &Path) {
    fs::create_dir_all(out.join(folder)).expect("making a folder below OUT_DIR");
    for entry in fs::read_dir(folder).expect("reading data/") {
        let path = entry.expect("reading data/").path();
        if path.is_dir() {
            pack(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let text = fs::read(&path).expect("reading a file of data/");
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&text).expect("writing to memory");
            let packed = encoder.finish().expect("writing to memory");
            fs::write(out.join(format!("{}.z", path.display())), packed).expect("writing below OUT_DIR");
        }
    }
}
