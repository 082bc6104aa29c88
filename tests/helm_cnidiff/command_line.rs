//! What is typed, and what is said when it cannot be done.

use crate::Folder;
use crate::program::{chart, helm, run, run_with_input};

const POD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"1\"}\n";
const OTHER: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: \"2\"}\n";

#[test]
fn version_and_help_speak_of_helm_cnidiff() {
    for word in ["--version", "-V"] {
        let version = run(&[word], &[]);
        assert_eq!(
            (version.code, version.out.as_str()),
            (0, concat!("helm cnidiff ", env!("CARGO_PKG_VERSION"), "\n"))
        );
    }
    for words in
        [&["--help"][..], &["charts", "--help"], &["manifest", "-h"], &["manifests", "-h"], &["revision", "-h"]]
    {
        let help = run(words, &[]);
        assert_eq!(help.code, 0, "{}", help.err);
        assert!(help.out.contains("Usage: helm cnidiff"), "{words:?}: {}", help.out);
    }
    assert!(run(&["--help"], &[]).out.contains("Examples:\n  helm cnidiff cilium cilium/cilium"));
    let nothing = run(&[], &[]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.err.contains("Usage: helm cnidiff"));
}

#[test]
fn unknown_flags_are_refused_with_a_hint() {
    run(&["a", "b", "--exitcode"], &[]).could_not(&["--exitcode", "'--exit-code'"]);
    run(&["charts", "a", "b", "--outptu", "json"], &[]).could_not(&["'--output'"]);
    run(&["a", "b", "-o", "pdf"], &[]).could_not(&["pdf", "plain, markdown, gitlab, jira, html, json"]);
    run(&["manifests", "a"], &[]).could_not(&["<NEW>"]);
    run(&["a", "b", "--values-only", "--daemonsets-only"], &[]).could_not(&["cannot be used with"]);
}

#[test]
fn a_missing_word_is_asked_for() {
    let env = [("HELM_BIN", "/nonexistent/helm")];
    run(&["cilium"], &env).could_not_in_one_line(&["release cilium against which chart", "helm cnidiff cilium CHART"]);
    run(&["--values-only"], &env).could_not_in_one_line(&["helm cnidiff RELEASE CHART"]);
}

#[test]
fn helm_that_is_missing_or_too_old_is_told() {
    let (old, new) = (chart("1.18.4"), chart("1.19.6"));
    run(&["charts", &old, &new], &[]).could_not_in_one_line(&["HELM_BIN is not set", "helm cnidiff"]);
    let gone = [("HELM_BIN", "/nonexistent/helm")];
    run(&["charts", &old, &new], &gone).could_not_in_one_line(&["cannot start /nonexistent/helm", "HELM_BIN"]);
    let folder = Folder::new("old-helm");
    let script =
        "case $1 in version) echo v3.13.3 ;; template) echo 'values: \"{}\"'; echo 'helm: \"v3.13.3\"' ;; esac";
    let program = helm(&folder, script);
    run(&["charts", &old, &new], &[("HELM_BIN", program.as_str())])
        .could_not_in_one_line(&["helm is v3.13.3", "v3.14.0 or newer"]);
}

#[test]
fn helms_own_message_is_shown_with_the_rule_that_explains_it() {
    let folder = Folder::new("refusal");
    let says = "Error: execution error at (cilium/templates/validate.yaml:1:2): something is wrong";
    let program =
        helm(&folder, &format!("echo '{says}' >&2; echo 'Use --debug flag to render out invalid YAML' >&2; exit 1"));
    let refused = run(&["charts", &chart("1.18.4"), &chart("1.19.6")], &[("HELM_BIN", program.as_str())]);
    refused.could_not_in_one_line(&["execution error at (cilium/templates/validate.yaml:1:2): something is wrong"]);
    assert!(!refused.err.contains("--debug"));
}

#[test]
fn what_is_no_chart_is_told() {
    let folder = Folder::new("no-chart");
    let empty = folder.write("folder/file", "");
    let text = folder.write("text.tgz", "not gzip");
    let env = [("HELM_BIN", "/bin/false")];
    let new = chart("1.19.6");
    run(&["charts", empty.parent().unwrap().to_str().unwrap(), &new], &env)
        .could_not_in_one_line(&["folder", "no Chart.yaml"]);
    run(&["charts", text.to_str().unwrap(), &new], &env).could_not_in_one_line(&["text.tgz", "it is not gzip"]);
    run(&["charts", "./nowhere", &new], &env).could_not_in_one_line(&["./nowhere: no such file or folder"]);
    run(&["charts", "cilium", &new], &env).could_not_in_one_line(&["cilium: no such file or folder", "--repo URL"]);
    let cut = folder.write("cut.tgz", &std::fs::read(&new).unwrap()[..5000]);
    run(&["charts", cut.to_str().unwrap(), &new], &env).could_not_in_one_line(&["cut.tgz", "not a chart archive"]);
}

#[test]
fn yaml_that_does_not_parse_has_file_line_and_column() {
    let folder = Folder::new("bad-yaml");
    let good = folder.write("good.yaml", POD);
    let bad = folder.write("bad.yaml", "a: 1\nb: [1\nc: 2\n");
    run(&["manifests", good.to_str().unwrap(), bad.to_str().unwrap()], &[])
        .could_not_in_one_line(&["bad.yaml", "line 3, column 2"]);
    let binary = folder.write("binary.yaml", b"a: \xff\n");
    run(&["manifests", binary.to_str().unwrap(), good.to_str().unwrap()], &[])
        .could_not_in_one_line(&["binary.yaml", "not UTF-8"]);
    run(&["manifests", "/nonexistent/x.yaml", good.to_str().unwrap()], &[])
        .could_not_in_one_line(&["/nonexistent/x.yaml", "No such file"]);
    run(&["manifests", folder.path().to_str().unwrap(), good.to_str().unwrap()], &[])
        .could_not_in_one_line(&["is a folder", "helm cnidiff charts"]);
    run(&["manifests", "-", "-"], &[]).could_not_in_one_line(&["standard input"]);
}

#[test]
fn a_manifest_of_a_hundred_megabytes_is_refused_by_its_size() {
    let folder = Folder::new("large");
    let good = folder.write("good.yaml", POD);
    let large = std::fs::File::create(folder.path().join("large.yaml")).unwrap();
    large.set_len((100 << 20) + 1).unwrap();
    let path = folder.path().join("large.yaml");
    run(&["manifests", good.to_str().unwrap(), path.to_str().unwrap()], &[])
        .could_not_in_one_line(&["large.yaml", "more than 100 MiB"]);
}

#[test]
fn duplicate_documents_are_read_and_told() {
    let folder = Folder::new("duplicates");
    let one = folder.write("one.yaml", POD);
    let two = folder.write("two.yaml", format!("{POD}---\n{OTHER}"));
    let shown = run(&["manifests", one.to_str().unwrap(), two.to_str().unwrap(), "-o", "json"], &[]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let json: serde_json::Value = serde_json::from_str(&shown.out).unwrap();
    assert!(!json["warnings"].as_array().unwrap().is_empty(), "{}", shown.out);
}

#[test]
fn exit_codes_are_0_and_with_the_flag_1() {
    let folder = Folder::new("exit");
    let (one, two) = (folder.write("one.yaml", POD), folder.write("two.yaml", OTHER));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    assert_eq!(run(&["manifests", one, two], &[]).code, 0);
    assert_eq!(run(&["manifests", one, one, "--exit-code"], &[]).code, 0);
    assert_eq!(run(&["manifests", one, two, "--exit-code"], &[]).code, 1);
    for format in ["plain", "markdown", "gitlab", "jira", "html", "json"] {
        let shown = run(&["manifests", one, two, "--exit-code", "-o", format], &[]);
        assert_eq!(shown.code, 1, "{format}: {}", shown.err);
        assert!(!shown.out.is_empty());
        assert_eq!(run(&["manifests", one, two, "-o", format], &[]).out, shown.out, "{format} is the same twice");
    }
}

#[test]
fn standard_input_is_a_manifest() {
    let folder = Folder::new("stdin");
    let one = folder.write("one.yaml", POD);
    let shown = run_with_input(&["manifests", one.to_str().unwrap(), "-", "--exit-code"], OTHER.as_bytes());
    assert_eq!(shown.code, 1, "{}", shown.err);
    assert!(shown.out.contains("standard input") || shown.out.contains(" -"), "{}", shown.out);
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let folder = Folder::new("colour");
    let (one, two) = (folder.write("one.yaml", POD), folder.write("two.yaml", OTHER));
    let words = ["manifests", one.to_str().unwrap(), two.to_str().unwrap()];
    let coloured = |more: &[&str], env: &[(&str, &str)]| {
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        let shown = run(&words, env);
        assert_eq!(shown.code, 0, "{}", shown.err);
        shown.out.contains('\x1b')
    };
    assert!(!coloured(&[], &[]), "not into a pipe");
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--colour=always"], &[("NO_COLOR", "1")]), "the flag is stronger");
    assert!(coloured(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!coloured(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&["--color", "auto"], &[("TERM", "dumb")]));
}

#[test]
fn what_helm_leaves_on_the_line_is_taken() {
    let folder = Folder::new("leftovers");
    let (one, two) = (folder.write("one.yaml", POD), folder.write("two.yaml", OTHER));
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());
    let shown = run(
        &[
            "manifests",
            one,
            two,
            "--qps",
            "50",
            "--burst-limit=100",
            "--content-cache",
            "/tmp/x",
            "--debug",
            "-nkube-system",
        ],
        &[],
    );
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains("kube-system/a"), "{}", shown.out);
    let shown = run(&["manifests", one, two], &[("HELM_NAMESPACE", "cni")]);
    assert!(shown.out.contains("cni/a"), "{}", shown.out);
}

#[test]
fn no_cluster_and_a_wrong_context_are_told() {
    let folder = Folder::new("cluster");
    let program = helm(&folder, "case $1 in version) echo v3.22.0 ;; esac");
    let manifest = folder.write("m.yaml", POD);
    let manifest = manifest.to_str().unwrap();
    let config = |server: &str| {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context: {{cluster: c, user: u}}\nclusters:\n- name: c\n  cluster: {{server: \"{server}\"}}\nusers:\n- name: u\n  user: {{}}\n"
        )
    };
    let unreachable = folder.write("unreachable", config("http://127.0.0.1:1"));
    let unreachable = unreachable.to_str().unwrap();
    let new = chart("1.19.6");
    let forms: [&[&str]; 3] = [&["cilium", &new], &["manifest", "-f", manifest], &["revision", "cilium", "1"]];
    for words in forms {
        let with = |env: &[(&str, &str)]| {
            let mut all = vec![("HELM_BIN", program.as_str())];
            all.extend(env);
            run(words, &all)
        };
        with(&[]).could_not_in_one_line(&["no cluster", "KUBECONFIG"]);
        with(&[("KUBECONFIG", "/nonexistent/config")]).could_not_in_one_line(&["/nonexistent/config", "no such file"]);
        with(&[("KUBECONFIG", unreachable)]).could_not_in_one_line(&[
            "no cluster",
            "context here",
            "Connection refused",
            "--kube-context",
        ]);
        with(&[("KUBECONFIG", unreachable), ("HELM_KUBECONTEXT", "there")])
            .could_not_in_one_line(&["no context \"there\"", "known: here"]);
    }
    let env = [("HELM_BIN", program.as_str()), ("KUBECONFIG", unreachable), ("HELM_DRIVER", "sql")];
    run(&["cilium", &new], &env).could_not_in_one_line(&["HELM_DRIVER=sql", "helm cnidiff charts"]);
}

#[test]
fn facts_of_ones_own_are_read_or_refused_with_their_place() {
    let folder = Folder::new("facts");
    let one = folder.write("one.yaml", POD);
    let one = one.to_str().unwrap();
    let bad = folder.write("facts/x.yaml", "id: [\n");
    run(&["manifests", one, one, "--facts", bad.parent().unwrap().to_str().unwrap()], &[])
        .could_not(&["--facts", "x.yaml"]);
    run(&["manifests", one, one, "--facts", "/nonexistent"], &[]).could_not_in_one_line(&["--facts /nonexistent"]);
    let empty = folder.path().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    run(&["manifests", one, one, "--facts", empty.to_str().unwrap()], &[]).could_not_in_one_line(&["no .yaml file"]);
}

#[test]
fn a_release_that_is_named_like_a_command_is_reached() {
    let folder = Folder::new("named");
    let program = helm(&folder, "case $1 in version) echo v3.22.0 ;; esac");
    let env = [("HELM_BIN", program.as_str())];
    for name in ["charts", "manifest", "manifests", "revision", "upgrade"] {
        run(&["upgrade", name], &env).could_not_in_one_line(&[&format!("release {name} against which chart")]);
        // It gets as far as the cluster, of which there is none.
        run(&["upgrade", name, &chart("1.19.6"), "--reuse-values"], &env)
            .could_not_in_one_line(&["no cluster", "KUBECONFIG"]);
    }
    run(&["upgrade"], &env).could_not_in_one_line(&["which release"]);
    let help = run(&["upgrade", "--help"], &[]);
    assert!(help.out.contains("Usage: helm cnidiff upgrade") && help.out.contains("--reuse-values"), "{}", help.out);
    assert!(run(&["--help"], &[]).out.contains("helm cnidiff upgrade charts"));
}

#[test]
fn completion_speaks_helms_protocol() {
    let shown = run(&["__complete", "--", "man"], &[]);
    assert_eq!(
        (shown.code, shown.out.as_str()),
        (0, "manifest\tLive objects against a manifest\nmanifests\tTwo manifests, without a cluster\n:4\n")
    );
    let flags = run(&["__complete", "--", "charts", "--values-o"], &[]);
    assert_eq!(flags.out, "--values-only\tValues alone\n:4\n");
    let upgrade = run(&["__complete", "--", "upg"], &[]);
    assert!(
        upgrade.out.starts_with("upgrade\tRelease against chart") && upgrade.out.ends_with(":4\n"),
        "{}",
        upgrade.out
    );
    assert_eq!(run(&["__complete", "--", "upgrade", "cilium", "--reuse"], &[]).out.lines().count(), 2);
    let files = run(&["__complete", "--", "manifests", ""], &[]);
    assert!(files.out.ends_with(":0\n"), "{}", files.out);
}
