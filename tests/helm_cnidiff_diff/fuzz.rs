//! A bounded walk: saved inputs first, then mutations of them from a fixed seed. Nothing panics, edits lead from old to
//! new, nothing differs from itself, and no secret is printed.

use std::time::{Duration, Instant};

use helm_cnidiff::compare::compare;
use helm_cnidiff::diff::scope::Scope;
use helm_cnidiff::manifest::{Document, ObjectSet};
use serde_json::Value;

use crate::generator::Random;
use crate::invariants::check_apply;
use crate::{fixtures, tell};

/// Long enough to find what is easily found, short enough for every run. `FUZZ_SECONDS` makes it longer.
const SECONDS: u64 = 3;

fn read(documents: Vec<Value>) -> ObjectSet {
    ObjectSet::read("fuzz", Document::number(documents), "kube-system").0
}

/// A mutation may give a password another name and so make it none: `saved` inputs alone have to hide it.
fn check(old: &[Value], new: &[Value], saved: bool) {
    let (a, b) = (read(old.to_vec()), read(new.to_vec()));
    assert!(tell::rendered(a.clone(), a.clone()).is_empty());
    for (key, before) in &a.objects {
        if let Some(after) = b.objects.get(key) {
            check_apply(Scope::of(&key.group, &key.kind), &before.value, &after.value);
        }
    }
    let mut input = tell::input(a, b);
    input.options.origin.live = old.len().is_multiple_of(2);
    let comparison = compare(input);
    let _ = (tell::changes(&comparison), tell::notes(&comparison), tell::restarts(&comparison));
    let told = format!("{comparison:?}");
    assert!(!told.contains("PRIVATE KEY"), "{told}");
    assert!(!saved || !told.contains("hunter2"), "{told}");
}

#[test]
fn a_bounded_walk_from_the_saved_inputs() {
    let dir = fixtures::dir().join("fuzz");
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4);
    let mut corpus: Vec<Vec<Value>> =
        files.iter().map(|file| fixtures::parse(&std::fs::read_to_string(file).unwrap())).collect();
    corpus.push(fixtures::documents("kube-flannel-v0.28.9.yml"));
    for old in &corpus {
        for new in &corpus {
            check(old, new, true);
        }
    }
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let (started, mut random, mut rounds) = (Instant::now(), Random(4), 0);
    while started.elapsed() < Duration::from_secs(seconds) {
        let old = random.pick(&corpus).clone();
        let mut new = old.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(new.len());
            let mut changes = 1 + random.below(6);
            while changes > 0 {
                random.mutate(&mut new[at], &mut changes);
            }
        }
        check(&old, &new, false);
        rounds += 1;
    }
    assert!(rounds > 20, "{rounds}");
}
