//! Recorded runs on real clusters with a fault in them, judged again without a cluster: `kubectl cni verify --from`. Each folder of
//! tests/fixtures/runs has the recording and a `case.md` that says what was wrong. Made by `tests/live/run --record`.

use std::fs;
use std::path::{Path, PathBuf};

use cni_facts::Facts;
use kubectl_cni::assess::assess;
use kubectl_cni::probe::observe::Outcome as Seen;
use kubectl_cni::recording::Recording;
use kubectl_cni::report::{HumanStyle, Outcome, Verdict, human, json, markdown, result};

use crate::golden;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/runs"));
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 12, "{cases:?}");
    cases
}

fn healthy() -> Recording {
    Recording::load(&cases().into_iter().find(|case| case.ends_with("healthy-bridge-ipv4")).unwrap()).unwrap()
}

#[test]
fn every_recorded_run_is_judged_as_it_was() {
    for case in cases() {
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let recording = Recording::load(&case).unwrap();
        let report = assess(&recording, &Facts::builtin(), false);
        let style = HumanStyle { colour: false, width: 100, verbose: true, quiet: false, ascii: false };
        golden::check(&format!("recorded/{name}.txt"), &human(&report, &style));
        golden::check(&format!("recorded/{name}.json"), &json(&report));
        golden::check(&format!("recorded/{name}.md"), &markdown(&report));
        assert!(fs::read_to_string(case.join("case.md")).is_ok_and(|text| text.len() > 40), "{name} has no case.md");
        let expected = if name.starts_with("healthy") { Outcome::Ok } else { Outcome::Findings };
        assert_eq!(result(&report, false), expected, "{name}");
    }
}

#[test]
fn one_lost_answer_in_a_healthy_run_is_no_longer_green() {
    let recording = healthy();
    let key = *recording.runs.keys().next().unwrap();
    // One that a probe pod answered: a node that does not is a warning only, since host firewalls may shut it on purpose.
    let answered = recording.runs[&key][0].observations.iter().position(|one| one.name.is_some()).unwrap();
    let mut lost = recording.clone();
    lost.runs.get_mut(&key).unwrap()[0].observations[answered].outcome = Seen::Timeout;
    assert_eq!(result(&assess(&lost, &Facts::builtin(), false), false), Outcome::Findings);

    let mut missing = recording.clone();
    missing.runs.get_mut(&key).unwrap()[0].observations.remove(0);
    let report = assess(&missing, &Facts::builtin(), false);
    assert_eq!(result(&report, false), Outcome::Undecided);
    assert!(report.checks().any(|check| check.verdict == Verdict::Unknown));
}

#[test]
fn an_answer_from_a_stranger_is_not_green() {
    let recording = healthy();
    for stranger in [None, Some("n0/server".to_owned()), Some("n0/server/other".to_owned())] {
        let mut strange = recording.clone();
        for run in strange.runs.values_mut().flatten() {
            for observation in run.observations.iter_mut().filter(|observation| observation.name.is_some()) {
                observation.name.clone_from(&stranger);
            }
        }
        let report = assess(&strange, &Facts::builtin(), false);
        for id in ["same-node-pods-cut-off", "cross-node-pods-cut-off", "cluster-ip-broken", "node-port-broken"] {
            let check = report.checks().find(|check| check.id == id).unwrap();
            assert_eq!(check.verdict, Verdict::Fail, "{id} answered by {stranger:?}");
        }
    }
}

#[test]
fn a_damaged_recording_is_refused_in_one_line() {
    let folder = std::env::temp_dir().join(format!("kubectl-cni-recorded-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let text = fs::read_to_string(cases()[0].join("recording.json")).unwrap();
    let cases = [
        (String::new(), "is not JSON"),
        (text[..text.len() / 2].to_owned(), "is not JSON"),
        ("{}".to_owned(), "is not a recording of kubectl cni verify"),
        (text.replacen("\"schema\":1", "\"schema\":99", 1), "has format 99; this program reads format 1"),
        ("{\"schema\":1}".to_owned(), "is damaged"),
    ];
    for (content, expected) in cases {
        fs::write(folder.join("recording.json"), content).unwrap();
        let error = format!("{:#}", Recording::load(&folder).unwrap_err());
        assert!(error.contains(expected) && !error.contains('\n'), "{error}");
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn nodes_that_take_no_part_are_told() {
    let mut recording = healthy();
    let nodes = recording.snapshot.nodes.as_mut().unwrap();
    let mut foreign = nodes[0].clone();
    foreign.metadata.name = Some("w0".to_owned());
    foreign.metadata.labels.as_mut().unwrap().insert("kubernetes.io/os".to_owned(), "windows".to_owned());
    let mut left_out = nodes[0].clone();
    left_out.metadata.name = Some("n9".to_owned());
    nodes.extend([foreign, left_out]);
    let report = assess(&recording, &Facts::builtin(), false);
    let told: Vec<&str> =
        report.checks().filter(|check| check.id == "node-left-out").map(|check| check.detail.as_str()).collect();
    assert_eq!(told, ["1 node not running Linux: w0", "1 node left out by --nodes or --node-selector: n9"]);
    assert_eq!((result(&report, false), result(&report, true)), (Outcome::Ok, Outcome::Findings));
}
