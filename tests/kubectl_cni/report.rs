//! Reports in, text out: every format against its goldens, the JSON against its schema, and hostile strings in all of them.

use std::collections::BTreeSet;

use kubectl_cni::report::{
    Cell, CheckResult, Explanation, HumanStyle, Matrix, Outcome, Report, RunInfo, SCHEMA, Section, Subject, Verdict,
    human, json, junit, markdown, result,
};

use crate::golden;

const PLAIN: HumanStyle = HumanStyle { colour: false, width: 100, verbose: false, quiet: false, ascii: false };

// Reports to render.

fn check(id: &'static str, title: &str, verdict: Verdict, detail: &str) -> CheckResult {
    CheckResult {
        id: id.into(),
        title: title.to_owned(),
        verdict,
        detail: detail.to_owned(),
        evidence: Vec::new(),
        hint: None,
        finding: None,
    }
}

fn with(mut check: CheckResult, evidence: &[&str], hint: &str) -> CheckResult {
    check.evidence = strings(evidence);
    check.hint = (!hint.is_empty()).then(|| hint.to_owned());
    check
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn subject(nodes: usize) -> Subject {
    Subject {
        context: "prod-eu".to_owned(),
        server: "v1.36.3".to_owned(),
        cni: "Flannel v0.28.4".to_owned(),
        nodes,
        families: "IPv4+IPv6".to_owned(),
    }
}

fn run() -> RunInfo {
    RunInfo {
        id: "7f3a".to_owned(),
        namespace: "cni-verify-7f3a".to_owned(),
        image: "ghcr.io/flannel-io/flannel:v0.28.4".to_owned(),
        started: "2026-09-14T08:15:30Z".to_owned(),
        duration_ms: 6_210,
        phases: vec![("reading".to_owned(), 310), ("starting".to_owned(), 1_900), ("pods".to_owned(), 420)],
        decided: 412,
        planned: 412,
        retried: 0,
        mesh: "full mesh of 3 nodes".to_owned(),
        interrupted: false,
        left_behind: Vec::new(),
    }
}

/// Rows of `.`, `~`, `x`, `?` and space.
fn matrix(nodes: &[&str], rows: &[&str]) -> Matrix {
    let cell = |c| match c {
        '.' => Cell::Open,
        '~' => Cell::Partial,
        'x' => Cell::Shut,
        '?' => Cell::Unknown,
        _ => Cell::NotProbed,
    };
    Matrix { nodes: strings(nodes), cells: rows.iter().map(|row| row.chars().map(cell).collect()).collect() }
}

fn healthy() -> Report {
    use Verdict::{Note, Pass, Skip};
    let agents = vec![
        check("agents-ready", "agent pods are ready", Pass, "3 of 3, DaemonSet kube-flannel/kube-flannel-ds"),
        check("agents-one-version", "agents run one version", Pass, "v0.28.4 on 3 nodes"),
        check("rollout-finished", "rollout is finished", Pass, "3 of 3 at revision 5f6c8d7b9"),
        check("node-network-condition", "nodes report their network as available", Pass, "3 of 3"),
        check("agent-own-health", "agents' own health by exec", Skip, "not asked for: --allow-exec"),
    ];
    let paths = vec![
        check("pod-same-node", "pods reach pods on the same node", Pass, "12 of 12"),
        check("pod-cross-tcp", "pods reach pods on other nodes, TCP", Pass, "48 of 48, slowest 0.4 ms"),
        check("pod-cross-udp", "pods reach pods on other nodes, UDP", Pass, "48 of 48"),
        with(
            check("pod-cross-large", "large packets get through", Pass, "24 of 24 at 1,450 bytes"),
            &["flannel.1 has 1450, eth0 has 1500"],
            "",
        ),
        check("retried-probes", "probes open only at a later try", Note, "1 of 412: n1 → n2 UDP"),
        check("external", "pods reach what is outside", Skip, "no target given: --external HOST:PORT"),
    ];
    let services = vec![
        check("service-ip", "pods reach a Service and every backend of it", Pass, "36 of 36"),
        check("dns-service", "names resolve through the cluster DNS", Pass, "24 of 24"),
        check(
            "policy-enforced",
            "a NetworkPolicy shuts a path",
            Skip,
            "Flannel enforces no NetworkPolicy; nothing else here does",
        ),
    ];
    Report {
        subject: subject(3),
        run: RunInfo { retried: 1, ..run() },
        sections: vec![
            Section { title: "Agents", checks: agents },
            Section { title: "Paths", checks: paths },
            Section { title: "Services and names", checks: services },
        ],
        matrix: matrix(&["n0", "n1", "n2"], &["...", "...", "..."]),
        ..Report::default()
    }
}

fn one_fault() -> Report {
    let mut report = healthy();
    report.run.retried = 0;
    report.sections[0].checks[0].detail = "3 of 3, DaemonSet kube-flannel/kube-flannel-ds".to_owned();
    report.sections[1].checks.remove(4);
    report.sections[1].checks[3] = with(
        check(
            "pod-cross-large",
            "large packets get through",
            Verdict::Fail,
            "0 of 24 at 1,450 bytes, 24 of 24 at 1,200",
        ),
        &["n0 10.244.0.7 → n1 10.244.1.4: timed out 3 times", "n0 10.244.0.7 → n2 10.244.2.9: timed out 3 times"],
        "compare the MTU of the CNI with that of the nodes' links",
    );
    report.explanations = vec![Explanation {
        cause: "packets above 1,400 bytes are lost between all nodes: MTU".to_owned(),
        evidence: strings(&["24 of 24 paths between nodes lose 1,450 bytes, none loses 1,200", "flannel.1 has 1450, the link under it 1400"]),
        hint: "set the MTU to 1350: `kubectl -n kube-flannel edit configmap kube-flannel-cfg`, then `kubectl -n kube-flannel rollout restart ds/kube-flannel-ds`".to_owned(),
        explains: 24,
        checks: vec!["pod-cross-large"],
    }];
    report.matrix = matrix(&["n0", "n1", "n2"], &[".~~", "~.~", "~~."]);
    report
}

fn everything() -> Report {
    use Verdict::{Fail, Note, Pass, Skip, Unknown, Warn};
    let agents = vec![
        with(
            check("agents-ready", "agent pods are ready", Fail, "2 of 3, DaemonSet kube-flannel/kube-flannel-ds"),
            &["kube-flannel-ds-x8k2p on ip-10-0-17-203.eu-west-1.compute.internal: CrashLoopBackOff, 14 restarts"],
            "read why it ended: `kubectl -n kube-flannel logs kube-flannel-ds-x8k2p --previous`",
        ),
        with(
            check("agents-one-version", "agents run one version", Warn, "v0.28.4 on 2 nodes, v0.28.10 on 1"),
            &["ip-10-0-17-203.eu-west-1.compute.internal: v0.28.10"],
            "finish or undo the rollout",
        ),
        with(
            check("agent-bgp", "BGP peers are established", Unknown, "may not list calico objects"),
            &[],
            "allow `list caliconodestatuses.crd.projectcalico.org`, see `kubectl cni verify --print-rbac`",
        ),
        check("agent-own-health", "agents' own health by exec", Skip, "not asked for: --allow-exec"),
        check("node-network-condition", "nodes report their network as available", Pass, ""),
    ];
    let paths = vec![
        check("pod-same-node", "pods reach pods on the same node", Pass, "8 of 8"),
        with(
            check(
                "pod-cross-tcp",
                "pods reach pods on other nodes, TCP over IPv4 and over IPv6, in both directions of every pair",
                Fail,
                "16 of 32 shut",
            ),
            &[
                "ip-10-0-3-11 10.244.0.7 → ip-10-0-17-203 10.244.2.9:8080: timed out 3 times",
                "ip-10-0-3-11 10.244.0.8 → ip-10-0-17-203 10.244.2.9:8080: timed out 3 times",
                "ip-10-0-9-64 10.244.1.2 → ip-10-0-17-203 10.244.2.9:8080: timed out 3 times",
                "ip-10-0-9-64 10.244.1.3 → ip-10-0-17-203 10.244.2.9:8080: no route to host",
                "ip-10-0-17-203 10.244.2.9 → ip-10-0-3-11 10.244.0.7:8080: timed out 3 times",
                "ip-10-0-17-203 10.244.2.9 → ip-10-0-9-64 10.244.1.2:8080: timed out 3 times",
                "ip-10-0-17-203 10.244.2.9 → ip-10-0-9-64 10.244.1.3:8080: timed out 3 times",
            ],
            "",
        ),
        check("retried-probes", "probes open only at a later try", Note, "3 of 412"),
        with(
            check(
                "external",
                "pods reach what is outside",
                Unknown,
                "nothing heard from the pod on ip-10-0-3-11 since 08:15:33 (the kubelet there answered none of 3 requests for its logs)",
            ),
            &[],
            "",
        ),
    ];
    Report {
        subject: Subject { nodes: 4, ..subject(4) },
        run: RunInfo {
            decided: 398,
            retried: 3,
            duration_ms: 65_300,
            phases: vec![("reading".to_owned(), 300)],
            interrupted: true,
            mesh: "every node to 2 of 3 others".to_owned(),
            left_behind: strings(&["namespace cni-verify-7f3a", "daemonset cni-verify-7f3a/probe-a"]),
            ..run()
        },
        sections: vec![Section { title: "Agents", checks: agents }, Section { title: "Paths", checks: paths }],
        explanations: vec![
            Explanation {
                cause: "everything to and from node ip-10-0-17-203.eu-west-1.compute.internal fails".to_owned(),
                evidence: strings(&[
                    "16 of 16 probes with it failed, 16 of 16 without it succeeded",
                    "example: ip-10-0-3-11 10.244.0.7 → ip-10-0-17-203 10.244.2.9:8080 timed out",
                ]),
                hint: "look at its agent: `kubectl -n kube-flannel describe pod kube-flannel-ds-x8k2p`".to_owned(),
                explains: 16,
                checks: vec!["pod-cross-tcp", "pod-cross-udp"],
            },
            Explanation {
                cause: "the DNS pod on ip-10-0-9-64 answers nobody".to_owned(),
                evidence: Vec::new(),
                hint: "`kubectl -n kube-system logs coredns-7d764666f9-kq2lw`".to_owned(),
                explains: 1,
                checks: Vec::new(),
            },
        ],
        unexplained: strings(&["ip-10-0-3-11 → 10.96.0.10:53 UDP: timed out"]),
        absent: strings(&[
            "ip-10-0-44-5: FailedCreatePodSandBox: plugin type=\"flannel\" failed (add): open /run/flannel/subnet.env: no such file or directory",
            "win-1: Windows node, no agent for it",
        ]),
        matrix: matrix(
            &["ip-10-0-3-11", "ip-10-0-9-64", "ip-10-0-17-203", "ip-10-0-44-5"],
            &["..x?", ".~x?", "xx.?", "??? "],
        ),
        strict: false,
        plan: Vec::new(),
        warnings_fail: false,
    }
}

/// Strings as an attacker, or an unlucky tool, would put them into an event.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07 \u{9b}31m\r\nresult: OK | `x` ``y`` <script>alert(1)</script> ]]> \"q\" 'p' & @org/team #1 [a](https://evil.example) \u{202e}txt.exe\u{200b}\u{0}\u{ffff}";

fn hostile() -> Report {
    let mut report = everything();
    for text in [
        &mut report.subject.context,
        &mut report.subject.cni,
        &mut report.run.image,
        &mut report.run.mesh,
        &mut report.run.id,
    ] {
        *text = HOSTILE.to_owned();
    }
    for check in report.sections.iter_mut().flat_map(|section| &mut section.checks) {
        check.title = HOSTILE.to_owned();
        check.detail = HOSTILE.to_owned();
        check.evidence = vec![HOSTILE.to_owned()];
        check.hint = Some(HOSTILE.to_owned());
    }
    for explanation in &mut report.explanations {
        explanation.cause = HOSTILE.to_owned();
        explanation.hint = HOSTILE.to_owned();
        explanation.evidence = vec![HOSTILE.to_owned()];
    }
    report.unexplained = vec![HOSTILE.to_owned()];
    report.absent = vec![format!("n: {HOSTILE}")];
    report.run.left_behind = vec![HOSTILE.to_owned()];
    report.matrix.nodes[0] = HOSTILE.to_owned();
    report
}

// Goldens.

fn goldens(case: &str, report: &Report) {
    let human_as =
        |suffix: &str, style: HumanStyle| golden::check(&format!("report/{case}.{suffix}"), &human(report, &style));
    human_as("txt", HumanStyle { verbose: true, ..PLAIN });
    human_as("color.txt", HumanStyle { colour: true, ..PLAIN });
    human_as("ascii.txt", HumanStyle { ascii: true, verbose: true, ..PLAIN });
    human_as("quiet.txt", HumanStyle { quiet: true, ..PLAIN });
    for width in [60, 80, 140] {
        human_as(&format!("{width}.txt"), HumanStyle { width, ..PLAIN });
    }
    golden::check(&format!("report/{case}.json"), &json(report));
    golden::check(&format!("report/{case}.xml"), &junit(report));
    golden::check(&format!("report/{case}.md"), &markdown(report));
}

#[test]
fn empty_is_as_recorded() {
    goldens("empty", &Report::default());
}

#[test]
fn healthy_is_as_recorded() {
    goldens("healthy", &healthy());
}

#[test]
fn one_fault_is_as_recorded() {
    goldens("one-fault", &one_fault());
}

#[test]
fn everything_at_once_is_as_recorded() {
    goldens("everything", &everything());
}

// What a report comes to.

#[test]
fn result_follows_the_worst() {
    use Verdict::{Fail, Note, Pass, Skip, Unknown, Warn};
    let of = |verdicts: &[Verdict]| Report {
        sections: vec![Section {
            title: "S",
            checks: verdicts.iter().map(|verdict| check("c", "t", *verdict, "")).collect(),
        }],
        ..Report::default()
    };
    let table: &[(&[Verdict], Outcome, Outcome)] = &[
        (&[Pass, Note], Outcome::Ok, Outcome::Ok),
        (&[Pass, Skip], Outcome::Ok, Outcome::Findings),
        (&[Pass, Warn], Outcome::Ok, Outcome::Findings),
        (&[Pass, Unknown], Outcome::Undecided, Outcome::Findings),
        (&[Unknown, Fail], Outcome::Findings, Outcome::Findings),
    ];
    for (verdicts, lenient, strict) in table {
        let mut report = of(verdicts);
        assert_eq!((result(&report, false), result(&report, true)), (*lenient, *strict), "{verdicts:?}");
        report.run.interrupted = true;
        assert_eq!(
            (result(&report, false), result(&report, true)),
            (Outcome::Interrupted, Outcome::Interrupted),
            "{verdicts:?}"
        );
    }
    let mut report = of(&[Pass]);
    report.run.left_behind = strings(&["namespace x"]);
    assert_eq!(result(&report, false), Outcome::Undecided);
    assert_eq!(result(&report, true), Outcome::Undecided);
    let codes = [Outcome::Ok, Outcome::Findings, Outcome::Undecided, Outcome::Interrupted].map(Outcome::exit_code);
    assert_eq!(codes, [0, 1, 2, 130]);
}

// Human.

#[test]
fn lines_keep_to_the_width_unless_one_word_is_wider() {
    for report in [healthy(), one_fault(), everything(), hostile()] {
        for width in [40, 60, 80, 100, 140, 160] {
            for (verbose, ascii) in [(false, false), (true, false), (true, true)] {
                let text = human(&report, &HumanStyle { width, verbose, ascii, ..PLAIN });
                for line in text.lines() {
                    assert_eq!(line, line.trim_end(), "trailing space at {width}");
                    let fits = line.chars().count() <= width;
                    // A command, a name or one word may stick out, but then it stands at the start of its line.
                    assert!(fits || one_piece(line) || line.starts_with("result: "), "{width}: {line}");
                }
            }
        }
    }
}

/// Whether the line holds one unbreakable piece after its mark: a command, a word, a fact of the head line, or a table row.
fn one_piece(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches(['→', '>', '√', '×']).trim_start();
    let text = text.rsplit_once("  ").map_or(text, |(_, fact)| fact);
    text.starts_with('`') || !text.contains(' ') || text.ends_with(" ·") || text.ends_with(" |")
}

#[test]
fn commands_and_names_stay_whole() {
    for width in [40, 60, 80, 140] {
        let text = human(&everything(), &HumanStyle { width, ..PLAIN });
        for whole in [
            "`kubectl -n kube-flannel logs kube-flannel-ds-x8k2p --previous`",
            "`kubectl -n kube-flannel describe pod kube-flannel-ds-x8k2p`",
            "`kubectl cni cleanup`",
            "ip-10-0-17-203.eu-west-1.compute.internal",
            "daemonset",
        ] {
            assert!(text.lines().any(|line| line.contains(whole)), "{width}: {whole}");
        }
    }
}

#[test]
fn colour_changes_only_escape_sequences_and_backticks() {
    for report in [Report::default(), healthy(), everything(), hostile()] {
        let plain = human(&report, &HumanStyle { verbose: true, width: 160, ..PLAIN });
        let colour = human(&report, &HumanStyle { verbose: true, width: 160, colour: true, ..PLAIN });
        assert!(!plain.contains('\x1b'));
        let mut bare = String::new();
        let mut rest = colour.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            bare.push_str(before);
            let (sequence, after) = after.split_once('m').expect("only SGR sequences are written");
            assert!(
                sequence.starts_with('[') && sequence[1..].chars().all(|c| c.is_ascii_digit() || c == ';'),
                "{sequence}"
            );
            rest = after;
        }
        bare.push_str(rest);
        let words = |text: &str| text.replace('`', "").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&plain), words(&bare));
        assert!(colour.lines().all(|line| !line.ends_with(' ') && !line.ends_with(" \x1b[0m")));
    }
}

#[test]
fn ascii_means_ascii() {
    assert!(human(&hostile(), &HumanStyle { ascii: true, verbose: true, ..PLAIN }).is_ascii());
    assert!(human(&everything(), &HumanStyle { ascii: true, verbose: true, ..PLAIN }).is_ascii());
}

#[test]
fn every_verdict_can_be_grepped() {
    let text = human(&everything(), &PLAIN);
    for (mark, count) in
        [("× FAIL ", 2), ("‼ warn ", 1), ("? unknown ", 2), ("- skip ", 1), ("i note ", 1), ("√ ok ", 2)]
    {
        assert_eq!(text.lines().filter(|line| line.starts_with(mark)).count(), count, "{mark}");
    }
    assert!(text.lines().last().is_some_and(|line| line.starts_with("result: ") || line.starts_with("        ")));
}

#[test]
fn quiet_says_only_what_matters() {
    let text = human(&healthy(), &HumanStyle { quiet: true, ..PLAIN });
    assert_eq!(text.lines().count(), 1, "{text}");
    let text = human(&Report { strict: true, ..healthy() }, &HumanStyle { quiet: true, ..PLAIN });
    assert_eq!(text.lines().filter(|line| line.starts_with("- skip")).count(), 3, "{text}");
    assert!(text.contains("result: FAIL  (strict) 3 skip"), "{text}");
}

#[test]
fn a_matrix_that_is_too_large_is_told_in_rows() {
    let names: Vec<String> = (0..41).map(|i| format!("node-{i}")).collect();
    let mut cells = vec![vec![Cell::Open; 41]; 41];
    cells[17] = vec![Cell::Shut; 41];
    cells[3][17] = Cell::Shut;
    let large = Report { matrix: Matrix { nodes: names.clone(), cells }, ..healthy() };
    let text = human(&large, &HumanStyle { verbose: true, ..PLAIN });
    assert!(text.contains("  node-3 shut to node-17\n"), "{text}");
    assert!(text.contains("node-17 shut to 41 nodes: node-0, node-1, node-2, node-3, node-4, and 36 more"), "{text}");
    assert!(text.contains("39 of 41 rows: every probed pair open"), "{text}");

    let forty = Matrix { nodes: names[..40].to_vec(), cells: vec![vec![Cell::Open; 40]; 40] };
    let text = human(&Report { matrix: forty, ..healthy() }, &HumanStyle { verbose: true, ..PLAIN });
    golden::check("report/matrix-of-40.txt", text.split_once("Pod to pod").map_or("", |(_, rest)| rest));
}

// Machine formats.

fn validator() -> jsonschema::Validator {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
}

#[test]
fn json_conforms_to_its_schema() {
    let validator = validator();
    let undecided = Report { run: RunInfo { left_behind: strings(&["namespace x"]), ..run() }, ..healthy() };
    for report in [
        Report::default(),
        healthy(),
        one_fault(),
        everything(),
        hostile(),
        undecided,
        Report { strict: true, ..healthy() },
    ] {
        let value: serde_json::Value = serde_json::from_str(&json(&report)).expect("valid JSON");
        let problems: Vec<String> = validator.iter_errors(&value).map(|problem| problem.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(value["exit_code"], result(&report, report.strict).exit_code());
    }
}

#[test]
fn json_that_is_off_does_not_conform() {
    let validator = validator();
    let good: serde_json::Value = serde_json::from_str(&json(&everything())).expect("valid JSON");
    let mutations: &[(&str, serde_json::Value)] = &[
        ("/schema", 2.into()),
        ("/result", "good".into()),
        ("/exit_code", 3.into()),
        ("/strict", "no".into()),
        ("/subject/nodes", (-1).into()),
        ("/subject/families/0", "IPX".into()),
        ("/run/probes", 5.into()),
        ("/counts/fail", 1.5.into()),
        ("/sections/0/checks/0/verdict", "ok".into()),
        ("/sections/0/checks/0/id", "Not An Id".into()),
        ("/sections/0/checks", serde_json::json!([])),
        ("/sections/0/checks/0/evidence/0", serde_json::Value::Null),
        ("/matrix/pairs/0/outcome", "not_probed".into()),
        ("/absent/0", "n2: gone".into()),
        ("/explanations/0/extra", 1.into()),
        ("/extra", 1.into()),
    ];
    for (pointer, value) in mutations {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
        match bad.pointer_mut(parent).expect("the parent is there") {
            serde_json::Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value.clone(),
            parent => parent[key] = value.clone(),
        }
        assert!(!validator.is_valid(&bad), "{pointer} = {value}");
    }
    for field in good.as_object().expect("an object").keys() {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(field);
        assert!(!validator.is_valid(&bad), "without {field}");
    }
}

#[test]
fn junit_counts_add_up_and_nothing_is_lost() {
    let report = everything();
    let text = junit(&report);
    let elements = |name: &str| text.matches(&format!("<{name} ")).count();
    assert_eq!(elements("testcase"), report.checks().count() + 1);
    assert_eq!((elements("failure"), elements("error"), elements("skipped")), (2, 3, 1));
    assert!(
        text.contains(
            "<testsuites name=\"kubectl-cni\" tests=\"10\" failures=\"2\" errors=\"3\" skipped=\"1\" time=\"65.300\">"
        ),
        "{text}"
    );
    assert_eq!(elements("testsuite"), report.sections.len() + 1);
    let strict = junit(&Report { strict: true, ..healthy() });
    assert_eq!(strict.matches("<failure type=\"skip\"").count(), 3);
    assert_eq!(junit(&Report::default()).matches("<testcase ").count(), 1);
}

#[test]
fn no_format_lets_a_hostile_string_through() {
    let report = hostile();
    let texts =
        [human(&report, &HumanStyle { verbose: true, ..PLAIN }), json(&report), junit(&report), markdown(&report)];
    for text in &texts {
        let odd: BTreeSet<char> = text
            .chars()
            .filter(|c| c.is_control() && *c != '\n' || matches!(c, '\u{202e}' | '\u{200b}' | '\u{ffff}'))
            .collect();
        assert!(odd.is_empty(), "{odd:?} in {text}");
        assert!(!text.contains("\nresult: OK"), "{text}");
    }
    let [_, _, xml, md] = &texts;
    assert!(!xml.contains("<script") && !xml.contains("]]>"));
    golden::check("report/hostile.md", md);
    golden::check("report/hostile.xml", xml);
}
