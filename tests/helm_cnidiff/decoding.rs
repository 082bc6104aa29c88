//! Damaged input, a bounded time of it: every seed of the saved corpus, cut and changed in many places. Nothing may
//! panic, hang or grow; what is still read must be read the same way twice.

use std::path::Path;
use std::time::{Duration, Instant};

use helm_cnidiff::release::{from_config_map, from_secret};
use helm_cnidiff::yaml;

/// Time for each of the two, whatever the machine.
const TIME: Duration = Duration::from_secs(4);

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap()
    }
}

fn seeds(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/corpus").join(folder);
    let mut seeds: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "{}", path.display());
    seeds
}

/// Pieces that mean something to a reader.
const PIECES: [&[u8]; 20] = [
    b"\n",
    b"  ",
    b"\t",
    b": ",
    b"- ",
    b"? ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"'",
    b"|\n",
    b"---\n",
    b"!!",
    b"\xff",
    b"\xef\xbb\xbf",
];

fn damaged(numbers: &mut Numbers, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(5) {
            0 => bytes.truncate(at),
            1 if at < bytes.len() => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
            2 => drop(bytes.splice(at..at, PIECES[numbers.below(PIECES.len())].iter().copied())),
            3 => {
                let end = (at + numbers.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + numbers.below(200)).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

fn for_a_while(folder: &str, mut each: impl FnMut(&[u8])) {
    let seeds = seeds(folder);
    for (_, seed) in &seeds {
        each(seed);
    }
    let (began, mut numbers, mut tried) = (Instant::now(), Numbers(0x9e37_79b9_7f4a_7c15), 0);
    while began.elapsed() < TIME && tried < 20_000 {
        let seed = &seeds[numbers.below(seeds.len())].1;
        let input = damaged(&mut numbers, seed);
        let one = Instant::now();
        each(&input);
        assert!(
            one.elapsed() < Duration::from_secs(2),
            "{} s for {:?}",
            one.elapsed().as_secs(),
            String::from_utf8_lossy(&input)
        );
        tried += 1;
    }
    assert!(tried > 100, "only {tried} inputs were tried");
}

#[test]
fn damaged_yaml_is_read_or_refused() {
    for_a_while("yaml", |input| {
        let first = yaml::read(input);
        assert_eq!(first, yaml::read(input));
        match first {
            Ok(documents) => {
                // What was read can be written as JSON, and helm's reader of JSON is its reader of YAML.
                for document in documents {
                    let json = document.value.to_string();
                    let again = yaml::read(json.as_bytes()).unwrap();
                    assert_eq!(again[0].value, document.value, "{json}");
                }
            }
            Err(error) => assert!(error.line >= 1 && error.column >= 1, "{error}"),
        }
    });
}

#[test]
fn damaged_releases_are_decoded_or_refused() {
    for_a_while("releases", |input| {
        let text = String::from_utf8_lossy(input);
        let first = from_secret(&text);
        assert_eq!(first, from_secret(&text));
        let _ = from_config_map(&text);
        if let Err(error) = first {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn a_seed_of_each_kind_says_what_it_is() {
    for (name, seed) in seeds("releases") {
        let text = String::from_utf8_lossy(&seed);
        let read = if name.starts_with("configmap") { from_config_map(&text) } else { from_secret(&text) };
        match (name.contains("bad"), read) {
            (true, Err(_)) | (false, Ok(_)) => {}
            (_, other) => panic!("{name}: {other:?}"),
        }
    }
}
