//! Clusters as folders, judged without one: `kubectl cni preflight --from`. Each folder of tests/fixtures/clusters has a `case.md` that says where
//! it comes from, what is wrong with it and what is expected; its files lie on top of those of the healthy cluster it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cni_facts::Facts;
use kubectl_cni::checks::{self, Judge};
use kubectl_cni::preflight::{Request, assess};
use kubectl_cni::report::{HumanStyle, Outcome, Report, human, json, junit, markdown, result};
use kubectl_cni::survey::folder;

use crate::golden;

const PLAIN: HumanStyle = HumanStyle { colour: false, width: 100, verbose: false, quiet: false, ascii: false };

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/clusters")).to_owned()
}

struct Case {
    name: String,
    folder: PathBuf,
    to: Option<String>,
    /// Check or rule, and its verdict in words.
    expected: Vec<(String, String)>,
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The case with all its files in a folder of its own.
fn case(name: &str) -> Case {
    let text = fs::read_to_string(root().join(name).join("case.md")).unwrap();
    let folder = std::env::temp_dir().join(format!(
        "kubectl-cni-case-{name}-{}-{:?}",
        std::process::id(),
        std::thread::current().id()
    ));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let base = text.lines().find_map(|line| line.strip_prefix("On top of: "));
    for from in base.into_iter().chain([name]) {
        for entry in fs::read_dir(root().join(from)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    }
    let to = text.lines().find_map(|line| line.strip_prefix("Arguments: `--to ")?.strip_suffix('`'));
    let expected = text
        .lines()
        .filter_map(|line| line.strip_prefix("- `")?.split_once("`: "))
        .map(|(id, verdict)| (id.to_owned(), verdict.to_owned()));
    Case { name: name.to_owned(), folder, to: to.map(str::to_owned), expected: expected.collect() }
}

fn cases() -> Vec<Case> {
    let mut names: Vec<String> =
        fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert!(names.len() >= 25, "{names:?}");
    names.iter().map(|name| case(name)).collect()
}

fn judged(case: &Case) -> Report {
    let request = Request { to: case.to.clone(), ..Request::default() };
    assess(&folder::load(&case.folder).unwrap(), &request, &Facts::builtin())
}

fn verdicts(report: &Report) -> BTreeSet<(String, String)> {
    report.checks().map(|check| (check.id.to_string(), format!("{:?}", check.verdict).to_lowercase())).collect()
}

#[test]
fn every_cluster_is_judged_as_its_case_says() {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut wrong: Vec<String> = Vec::new();
    let mut shown: Vec<(String, String)> = Vec::new();
    for case in cases() {
        let report = judged(&case);
        let seen = verdicts(&report);
        assert!(!case.expected.is_empty(), "{} expects nothing", case.name);
        for one in &case.expected {
            if !seen.contains(one) {
                wrong.push(format!("{}: {one:?} is not among {seen:?}", case.name));
            }
        }
        found.extend(seen.into_iter().filter(|(_, verdict)| verdict != "pass" && verdict != "skip").map(|(id, _)| id));
        shown.push((case.name.clone(), human(&report, &PLAIN)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (name, text) in shown {
        golden::check(&format!("preflight/{name}.txt"), &text);
    }
    for check in checks::all() {
        let of_preflight = !matches!(check.judge, Judge::Run(_));
        let excepted = ["cni-object-unhealthy"].contains(&check.id); // tests of verify have it
        assert!(
            !of_preflight || excepted || found.contains(check.id),
            "no cluster in which {} finds anything",
            check.id
        );
    }
}

#[test]
fn a_healthy_cluster_is_silent_and_fits_on_a_screen() {
    let case = case("healthy-flannel");
    let report = judged(&case);
    let loud: Vec<_> = verdicts(&report)
        .into_iter()
        .filter(|(_, verdict)| ["fail", "warn", "unknown"].contains(&verdict.as_str()))
        .collect();
    assert_eq!(loud, []);
    assert_eq!(result(&report, false), Outcome::Ok);
    let without = assess(&folder::load(&case.folder).unwrap(), &Request::default(), &Facts::builtin());
    assert!(without.plan.is_empty());
    assert!(human(&without, &PLAIN).lines().count() <= 50);
    golden::check("preflight/healthy-flannel.json", &json(&report));
    golden::check("preflight/healthy-flannel.md", &markdown(&report));
    golden::check("preflight/healthy-flannel.xml", &junit(&report));
}

#[test]
fn findings_have_their_parts_in_every_format() {
    let report = judged(&case("on-delete"));
    let finding = report.checks().find(|check| check.id == "any-ondelete").unwrap();
    let parts: Vec<&str> = finding.finding.as_ref().unwrap().parts().into_iter().map(|(name, _)| name).collect();
    assert_eq!(parts, ["subject", "observed", "expected", "why", "source"]);
    assert!(finding.hint.is_some());
    let schema: serde_json::Value = serde_json::from_str(kubectl_cni::report::SCHEMA).unwrap();
    let document: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for text in [json(&report), markdown(&report), junit(&report), human(&report, &PLAIN)] {
        assert!(text.contains("Kubernetes DaemonSet documentation"), "{text}");
    }
}

#[test]
fn what_was_saved_is_what_was_read() {
    let case = case("healthy-flannel");
    let survey = folder::load(&case.folder).unwrap();
    let again = std::env::temp_dir().join(format!("kubectl-cni-again-{}", std::process::id()));
    let _ = fs::remove_dir_all(&again);
    folder::save(&survey, &again).unwrap();
    for entry in fs::read_dir(&again).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(case.folder.join(name)).unwrap(), "{name:?}");
    }
    let error = folder::save(&survey, &again).unwrap_err().to_string();
    assert!(error.contains("is not empty: name a new one"), "{error}");
    fs::remove_dir_all(&again).unwrap();
}

#[test]
fn a_damaged_folder_is_refused_in_one_line() {
    for (file, text, part) in [
        ("index.json", Some("{\"kind\":\"x\"}"), "is not a snapshot of kubectl cni preflight"),
        (
            "index.json",
            Some("{\"kind\":\"kubectl-cni-snapshot\",\"schema\":9}"),
            "has format 9; this program reads format 1",
        ),
        ("index.json", None, "index.json"),
        ("nodes.json", None, "nodes.json"),
        ("nodes.json", Some("[{\"metadata\":"), "nodes.json is damaged"),
    ] {
        let case = case("healthy-flannel");
        match text {
            Some(text) => fs::write(case.folder.join(file), text).unwrap(),
            None => fs::remove_file(case.folder.join(file)).unwrap(),
        }
        let error = format!("{:#}", folder::load(&case.folder).unwrap_err());
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn only_and_skip_leave_nothing_out_in_silence() {
    let case = case("on-delete");
    let survey = folder::load(&case.folder).unwrap();
    let ids = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let request =
        Request { to: case.to.clone(), skip: ids(&["any-ondelete", "agent-update-strategy"]), ..Request::default() };
    let report = assess(&survey, &request, &Facts::builtin());
    assert_eq!(result(&report, false), Outcome::Ok);
    assert_eq!(report.checks().filter(|check| check.detail == "left out by --skip").count(), 2);
    let request = Request { to: case.to.clone(), only: ids(&["any-pdb-maxunavailable"]), ..Request::default() };
    let report = assess(&survey, &request, &Facts::builtin());
    let seen: Vec<String> = report.checks().map(|check| check.id.to_string()).collect();
    assert_eq!(seen, ["any-pdb-maxunavailable", "checks-left-out"]);
    let request = Request { to: case.to.clone(), warnings_fail: true, ..Request::default() };
    assert_eq!(result(&assess(&survey, &request, &Facts::builtin()), false), Outcome::Findings);
}

#[test]
fn the_plan_has_only_commands_that_there_are() {
    use clap::Parser as _;
    let mut seen = 0;
    for case in cases() {
        for command in judged(&case).plan.iter().flat_map(|step| &step.commands) {
            let Some(words) = command.strip_prefix("kubectl cni ") else { continue };
            let words = std::iter::once("kubectl-cni").chain(words.split(' '));
            kubectl_cni::cli::Cli::try_parse_from(words)
                .unwrap_or_else(|error| panic!("{}: {command}: {error}", case.name));
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
