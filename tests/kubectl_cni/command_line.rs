//! The program itself, without a cluster: what it says and how it exits when it is called wrongly, or finds nothing to talk to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A kubeconfig for a port of this machine on which nothing listens.
const DEAD: &str = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\n\
    users: [{name: u, user: {token: t}}]\ncontexts: [{name: dead, context: {cluster: c, user: u}}]\ncurrent-context: dead\n";

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kubectl-cni-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn call(args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-cni"));
    command.args(args).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command.envs(env.iter().copied());
    command.output().unwrap()
}

/// Exit status 2, nothing on standard output, and one line on standard error that has all of `parts`.
#[track_caller]
fn refused(args: &[&str], env: &[(&str, &str)], parts: &[&str]) {
    let output = call(args, env);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
    assert_eq!(out, "", "{args:?}");
    assert_eq!(err.lines().count(), 1, "{args:?}: {err}");
    for part in parts {
        assert!(err.contains(part), "{args:?}: {err:?} lacks {part:?}");
    }
}

#[test]
fn without_a_cluster_one_line_says_what_to_do() {
    let folder = Folder::new("connect");
    let dead = folder.file("dead.yaml", DEAD);
    let bad = folder.file("bad.yaml", "x: [");
    let none = folder.file("none.yaml", "apiVersion: v1\nkind: Config\n");
    let short = "--request-timeout=1s";
    refused(&["verify"], &[], &["no kubeconfig found: set KUBECONFIG, or pass --kubeconfig FILE"]);
    refused(
        &["verify"],
        &[("KUBECONFIG", "/nope")],
        &["kubeconfig /nope: no such file", "environment variable KUBECONFIG"],
    );
    refused(&["verify", "--kubeconfig", "/nope"], &[], &["kubeconfig /nope: No such file or directory"]);
    refused(&["verify", "--kubeconfig", &bad], &[], &["bad.yaml", "line 2 column 1"]);
    refused(&["verify", "--kubeconfig", &none], &[], &["no current context"]);
    refused(&["verify", "--kubeconfig", &dead, "--context", "x"], &[], &["no context \"x\"", "known: --context dead"]);
    refused(&["verify", "--kubeconfig", &dead, "--as-group", "x"], &[], &["--as-group needs --as"]);
    let unreachable = ["https://127.0.0.1:1", "cannot connect: Connection refused", "--request-timeout"];
    refused(&["verify", "--kubeconfig", &dead, short], &[], &unreachable);
    refused(&["cleanup", "--kubeconfig", &dead, short], &[], &unreachable);
    refused(&["verify", "--dry-run", "--kubeconfig", &dead, short], &[], &unreachable[1..]);
    // As kubectl does: a file in the list that is not there is passed over while another is.
    refused(&["cleanup", short], &[("KUBECONFIG", &format!("/nope:{dead}"))], &unreachable);
}

#[test]
fn a_wrong_argument_is_named() {
    let folder = Folder::new("arguments");
    let full = folder.0.to_str().unwrap().to_owned();
    folder.file("something", "");
    refused(&["explain", "nonsense"], &[], &["no check or rule \"nonsense\"", "`kubectl cni explain` lists them"]);
    refused(&["explain", "large-packets"], &[], &["did you mean large-packets-lost?"]);
    refused(&["verify", "--from", "/nope"], &[], &["/nope/recording.json"]);
    refused(&["verify", "--record", &full], &[], &["is not empty: name a new one"]);
    refused(&["verify", "--facts", "/nope"], &[], &["facts folder /nope"]);
    for (args, part) in [
        (&["verify", "--naem", "x"][..], "a similar argument exists: '--name"),
        (&["verify", "--external", "example.org"], "expected HOST:PORT"),
        (&["verify", "--probe-timeout", "3x"], "use ms, s, m or h"),
        (&["verify", "-o", "yaml"], "possible values: human, json, junit, markdown"),
        (&["verifi"], "'verify'"),
    ] {
        let output = call(args, &[]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(err.contains(part), "{args:?}: {err}");
    }
}

#[test]
fn help_version_and_explanations_are_there() {
    let help = call(&["verify", "--help"], &[]);
    assert_eq!(help.status.code(), Some(0));
    let text = String::from_utf8(help.stdout).unwrap();
    for part in ["Usage: kubectl cni verify", "Exit status", "130", "--print-rbac", "--dry-run"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(String::from_utf8(call(&["--version"], &[]).stdout).unwrap().starts_with("kubectl-cni 0."));
    let list = String::from_utf8(call(&["explain"], &[]).stdout).unwrap();
    for id in list.lines().map(|line| line.split_whitespace().next().unwrap()) {
        let one = call(&["explain", id], &[]);
        let text = String::from_utf8(one.stdout).unwrap();
        assert!(one.status.success() && text.contains("What it means") && text.contains("What to do"), "{id}");
    }
}

#[test]
fn a_recorded_run_is_judged_with_the_same_exit_status_in_every_format() {
    let runs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/runs"));
    for (case, status) in [("healthy-bridge-ipv4", 0), ("isolate", 1)] {
        let folder = runs.join(case);
        let from = folder.to_str().unwrap();
        for format in ["human", "json", "junit", "markdown"] {
            let output = call(&["verify", "--from", from, "-o", format], &[]);
            assert_eq!(output.status.code(), Some(status), "{case} {format}");
            assert!(output.stderr.is_empty(), "{case} {format}");
        }
        let strict = call(&["verify", "--from", from, "--strict", "-q"], &[]);
        assert_eq!(strict.status.code(), Some(1), "{case}: skipped counts as failed");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kubectl-cni"))
        .args(["verify", "--help"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn preflight_refuses_what_it_cannot_use_in_one_line() {
    let folder = Folder::new("preflight");
    let list = folder.file("list.yaml", "- a\n");
    let word = folder.file("word.yaml", "hubble:\n  enabled: off\n");
    let broken = folder.file("broken.yaml", "a: [\n");
    let empty = folder.file("empty.yaml", "kind: Service\nmetadata: {name: x}\n");
    let other = folder.file(
        "other.yaml",
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: kube-flannel-ds, namespace: kube-flannel}\nspec:\n  selector: {matchLabels: {app: flannel}}\n  template:\n    metadata: {labels: {app: flannel}}\n    spec: {containers: [{name: kube-flannel, image: 'ghcr.io/flannel-io/flannel:v0.28.9'}]}\n",
    );
    let rules = folder.0.join("rules");
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("own.yaml"), "schema: 1\napplies_to: [flannel]\nrules:\n- id: own\n  form: '*'\n").unwrap();
    let at = |file: &str| file.to_owned();
    refused(&["preflight", "--to", "newest"], &[], &["--to newest", "not a version"]);
    refused(&["preflight", "--values", &at(&list)], &[], &["list.yaml", "a map of keys"]);
    refused(&["preflight", "--values", &at(&word)], &[], &["word.yaml: hubble.enabled: off", "true or false"]);
    refused(&["preflight", "--values", &at(&broken)], &[], &["broken.yaml", "line"]);
    refused(&["preflight", "--values", "/nope.yaml"], &[], &["/nope.yaml"]);
    refused(&["preflight", "--manifest", &at(&empty)], &[], &["empty.yaml", "no DaemonSet and no Deployment"]);
    refused(
        &["preflight", "--manifest", &at(&other), "--to", "0.28.10"],
        &[],
        &["has version 0.28.9, --to says 0.28.10"],
    );
    refused(&["preflight", "--chart", &at(&empty)], &[], &["not a folder; unpack the chart first"]);
    refused(&["preflight", "--only", "nonsense"], &[], &["--only: there is no check or rule \"nonsense\""]);
    refused(&["preflight", "--facts", rules.to_str().unwrap()], &[], &["own.yaml:5:3", "unknown field `form`"]);
    refused(&["preflight", "--from", "/nope"], &[], &["/nope/index.json"]);
    refused(&["preflight"], &[], &["no kubeconfig found"]);
}

#[test]
fn rules_are_explained_and_rights_printed() {
    let text = |args: &[&str]| String::from_utf8(call(args, &[]).stdout).unwrap();
    let rule = text(&["explain", "any-ondelete"]);
    assert!(rule.contains("any-ondelete: warning") && rule.contains("source"), "{rule}");
    let rights = text(&["preflight", "--print-rbac"]);
    assert!(rights.contains("kubectl-cni-preflight") && !rights.contains("secrets"), "{rights}");
}
