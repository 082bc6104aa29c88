//! Each way of inheriting values, done by helm on a real API server and computed by us.

use std::process::Command;

use helm_cnidiff::cli::ConnectArgs;
use helm_cnidiff::comparison::Mode;
use helm_cnidiff::inherit::{ModeFlags, inherit};
use helm_cnidiff::source::chart;
use helm_cnidiff::source::cluster::Session;
use helm_cnidiff::source::helm::Version;
use helm_cnidiff::yaml;
use serde_json::{Map, Value};

use crate::{Folder, Helm};

/// One upgrade: values of the install, flags of the upgrade, and the mode they stand for.
struct Step {
    installed: &'static str,
    file: Option<&'static str>,
    flags: &'static [&'static str],
    mode: Mode,
}

const INSTALLED: &str = "a: {x: 5, mine: 1}\nlist: [9]\nscalar: null\ngone: {deep: null}\nopen: {k: v}\ntable: text\nsub: {port: 7, off: null}\nglobal: {g: {own: 1}}\nunknown: null\n";
const FILE: &str = "a: {y: 6, x: null}\nlist: [1, 2]\nfresh: true\nopen: null\nsub: {host: h}\n";

const STEPS: &[Step] = &[
    Step { installed: INSTALLED, file: None, flags: &[], mode: Mode::Keep },
    Step { installed: INSTALLED, file: Some(FILE), flags: &[], mode: Mode::Replace },
    Step { installed: INSTALLED, file: Some(""), flags: &[], mode: Mode::Keep },
    Step { installed: INSTALLED, file: None, flags: &["--reset-values"], mode: Mode::Reset },
    Step { installed: INSTALLED, file: Some(FILE), flags: &["--reset-values"], mode: Mode::Reset },
    Step { installed: INSTALLED, file: None, flags: &["--reuse-values"], mode: Mode::Reuse },
    Step { installed: INSTALLED, file: Some(FILE), flags: &["--reuse-values"], mode: Mode::Reuse },
    Step { installed: INSTALLED, file: None, flags: &["--reset-then-reuse-values"], mode: Mode::ResetThenReuse },
    Step { installed: INSTALLED, file: Some(FILE), flags: &["--reset-then-reuse-values"], mode: Mode::ResetThenReuse },
    Step { installed: INSTALLED, file: Some(FILE), flags: &["--reuse-values", "--reset-values"], mode: Mode::Reset },
    Step {
        installed: INSTALLED,
        file: Some(FILE),
        flags: &["--reset-then-reuse-values", "--reuse-values"],
        mode: Mode::Reuse,
    },
    Step { installed: "", file: None, flags: &[], mode: Mode::Keep },
    Step { installed: "", file: Some(FILE), flags: &["--reuse-values"], mode: Mode::Reuse },
    Step { installed: "", file: None, flags: &["--reset-then-reuse-values"], mode: Mode::ResetThenReuse },
    Step {
        installed: INSTALLED,
        file: None,
        flags: &[
            "--set",
            "a.x=null,list[1]=3,b=010,c=1.5,d=yes,e={p,q},f\\.g=1",
            "--set-string",
            "s=5",
            "--set-json",
            "j={\"k\":[1,null]}",
        ],
        mode: Mode::Replace,
    },
    Step {
        installed: INSTALLED,
        file: None,
        flags: &["--reuse-values", "--set", "a.mine=null,open.k=null,scalar=1"],
        mode: Mode::Reuse,
    },
    Step {
        installed: INSTALLED,
        file: None,
        flags: &["--reset-then-reuse-values", "--set", "a.mine=null,table.t=1"],
        mode: Mode::ResetThenReuse,
    },
];

const OLD: &str = "a: {x: 1, y: 1, old: 1}\nlist: [0]\nscalar: s\ngone: {deep: 1, rest: 2}\nopen: {}\ntable: {t: 0}\nnothing: null\nnested: {nothing: null, some: 1}\nglobal: {g: {parent: 1}}\nsub: {port: 2}\n";
const NEW: &str = "a: {x: 10, y: 10, new: 10}\nlist: [10, 11]\nscalar: {now: map}\nopen: {d: e}\ntable: {t: 10, u: null}\nnothing: null\nadded: {deep: {nothing: null, v: 1}}\nglobal: {g: {parent: 2}}\nsub: {port: 3}\n";

/// A chart that prints what its templates see.
fn printing(name: &str, values: &str, subchart: bool) -> Folder {
    let chart = Folder::new(name);
    let dependency = "dependencies:\n- name: sub\n  version: 1.0.0\n  repository: \"\"\n";
    chart.write(
        "Chart.yaml",
        format!("apiVersion: v2\nname: demo\nversion: 1.0.0\n{}", if subchart { dependency } else { "" }),
    );
    chart.write("values.yaml", values);
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-seen\ndata:\n  seen: {{ toJson .Values | quote }}\n";
    chart.write("templates/seen.yaml", template);
    if subchart {
        chart.write("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n");
        chart.write("charts/sub/values.yaml", "port: 1\nhost: none\noff: {a: 1}\nglobal: {g: {child: 1}}\n");
        chart.write("charts/sub/templates/none.yaml", "");
    }
    chart
}

fn seen(manifest: &str) -> Map<String, Value> {
    let document =
        yaml::read(manifest.as_bytes()).unwrap().into_iter().find(|d| d.value["kind"] == "ConfigMap").unwrap();
    serde_json::from_str(document.value["data"]["seen"].as_str().unwrap()).unwrap()
}

/// Installs, upgrades, compares. A real chart has cluster-wide objects of fixed names and lives in one namespace.
fn check(helm: &Helm, case: &str, old: &str, new: &str, step: &Step, real: bool) {
    let namespace = if real { "kube-system".to_owned() } else { format!("values-{}-{case}", helm.name) };
    let files = Folder::new(&format!("{}-{case}", helm.name));
    files.write("installed.yaml", step.installed);
    let installed = files.path().join("installed.yaml");
    helm.run(&["install", "demo", old, "-n", &namespace, "--create-namespace", "-f", installed.to_str().unwrap()]);
    // Before the upgrade: with --reuse-values helm writes the nulls of the new values into the old revision as well.
    let connect = ConnectArgs { namespace: Some(namespace.clone()), ..ConnectArgs::default() };
    let session = Session::open(&connect).unwrap();
    let before = session.current("demo").unwrap().release;
    let mut upgrade = vec!["upgrade", "demo", new, "-n", &namespace];
    upgrade.extend(step.flags);
    files.write("upgrade.yaml", step.file.unwrap_or_default());
    let file = files.path().join("upgrade.yaml");
    if step.file.is_some() {
        upgrade.extend(["-f", file.to_str().unwrap()]);
    }
    helm.run(&upgrade);

    let [_, after] = session.revisions("demo", [Some(1), None]).unwrap();
    assert_eq!((before.revision, after.revision), (1, 2));
    // What the user typed, read by helm.
    let mut typed = vec!["template", "typed", "--show-only", "templates/seen.yaml"];
    let blank = printing(&format!("{}-{case}-blank", helm.name), "", false);
    typed.push(blank.text());
    typed.extend(step.flags.iter().filter(|flag| !flag.starts_with("--re")));
    if step.file.is_some() {
        typed.extend(["-f", file.to_str().unwrap()]);
    }
    let user = seen(&helm.run(&typed));
    let flags = ModeFlags {
        reset: step.flags.contains(&"--reset-values"),
        reuse: step.flags.contains(&"--reuse-values"),
        reset_then_reuse: step.flags.contains(&"--reset-then-reuse-values"),
    };
    let label = format!("{} {case} {:?} {:?}", helm.name, step.flags, step.file);
    assert_eq!(flags.mode(&user), step.mode, "{label}");
    let target = chart::locate(new, &Default::default(), || unreachable!()).unwrap().chart;
    let version = Version::parse(&helm.run(&["version", "--template", "{{.Version}}"])).unwrap();
    let ours = inherit(step.mode, &user, &before, &target, version.null_defaults());
    assert_eq!(Value::from(ours.config), Value::from(after.config), "stored by {label}");
    if !real {
        assert_eq!(Value::from(ours.effective), Value::from(seen(&after.manifest)), "seen by the templates: {label}");
    } else {
        let all = helm.run(&["get", "values", "demo", "--all", "-o", "json", "-n", &namespace]);
        let all: Value = serde_json::from_str(&all).unwrap();
        assert_eq!(Value::from(ours.effective), all, "all values: {label}");
    }
    helm.run(&["uninstall", "demo", "-n", &namespace, "--wait", "--timeout", "120s"]);
    if !real {
        let gone = Command::new("kubectl").args(["delete", "namespace", &namespace, "--wait=false"]).output().unwrap();
        assert!(gone.status.success());
    }
}

fn all_steps(subchart: bool, word: &str) {
    for helm in Helm::both() {
        let old = printing(&format!("old-{word}-{}", helm.name), OLD, subchart);
        let new = printing(&format!("new-{word}-{}", helm.name), NEW, subchart);
        for (number, step) in STEPS.iter().enumerate() {
            check(&helm, &format!("{word}{number}"), old.text(), new.text(), step, false);
        }
    }
}

#[test]
fn every_mode_gives_what_helm_stores_and_renders() {
    all_steps(false, "plain");
}

#[test]
fn every_mode_gives_what_helm_stores_and_renders_with_a_subchart() {
    all_steps(true, "sub");
}

#[test]
fn every_mode_gives_what_helm_stores_for_a_real_chart() {
    let charts = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/charts");
    let (old, new) = (format!("{charts}/cilium-1.18.4.tgz"), format!("{charts}/cilium-1.19.6.tgz"));
    let installed = "bpf: {masquerade: true}\nhubble: {relay: {enabled: true}}\nnodePort: {enabled: true}\n";
    let file = "debug: {enabled: true}\n";
    // Only what templates of the new chart survive: its own test of --reuse-values needs values that 1.18 does not have.
    let steps = [
        Step { installed, file: None, flags: &[], mode: Mode::Keep },
        Step { installed, file: Some(file), flags: &[], mode: Mode::Replace },
        Step { installed, file: Some(file), flags: &["--reset-values"], mode: Mode::Reset },
        Step { installed, file: Some(file), flags: &["--reset-then-reuse-values"], mode: Mode::ResetThenReuse },
    ];
    // One at a time: the chart's cluster-wide objects have fixed names.
    for helm in Helm::both() {
        for (number, step) in steps.iter().enumerate() {
            check(&helm, &format!("cilium{number}"), &old, &new, step, true);
        }
    }
}
