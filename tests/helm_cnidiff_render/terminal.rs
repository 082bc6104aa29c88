//! Width, colour, folding on a terminal.

use helm_cnidiff::comparison::{Comparison, Section};
use helm_cnidiff::render::{HumanStyle, human};

use crate::formats::{ALL, PLAIN};
use crate::hostile::hostile;
use crate::samples::{everything, manifests, same, upgrade};

fn samples() -> Vec<Comparison> {
    vec![Comparison::default(), same(), manifests(), upgrade(), everything(), hostile()]
}

#[test]
fn an_upgrade_is_read_in_120_lines_and_nothing_important_is_lost() {
    for width in [80, 100, 140, 160] {
        let text = human(&upgrade(), &HumanStyle { width, ..PLAIN });
        assert!(text.lines().count() <= 120, "{} lines at {width}", text.lines().count());
        let flat: String = text.split_whitespace().collect();
        let has = |words: &str| flat.contains(&words.split_whitespace().collect::<String>());
        for note in &upgrade().notes {
            let important = note.level != helm_cnidiff::comparison::Level::Info;
            for words in [&note.title, &note.id, &note.fix, &note.path.to_string()] {
                let words = words.trim_start_matches("spec.template.spec.").trim_start_matches('.');
                assert!(!important || has(words), "{words} is lost at {width}:\n{text}");
            }
        }
        for restart in &upgrade().verdict.restarts {
            assert!(has(&format!("{}: ", restart.object)), "{} is lost at {width}", restart.object);
        }
        for one in &upgrade().values.expect("an upgrade has values").overrides[..2] {
            assert!(has(&one.path.to_string()), "{} is lost at {width}", one.path);
        }
        assert!(has("40 new keys") && has("`--all` shows everything"), "{text}");
    }
}

#[test]
fn the_verdict_is_on_the_first_screen() {
    for sample in [same(), manifests(), upgrade(), everything()] {
        let text = human(&sample, &HumanStyle { width: 80, ..PLAIN });
        let head: Vec<&str> = text.lines().take(24).collect();
        assert!(head[1].starts_with("result: "), "{head:?}");
        for word in ["from ", "to ", "restarts "] {
            let has = text.lines().any(|line| line.starts_with(word));
            assert!(!has || head.iter().any(|line| line.starts_with(word)), "{word}: {head:?}");
        }
    }
}

#[test]
fn all_means_all() {
    let comparison = everything();
    let text = human(&comparison, &HumanStyle { width: 160, show: ALL, ..PLAIN });
    let flat: String = text.split_whitespace().collect();
    let has = |words: &str| flat.contains(&words.split_whitespace().collect::<String>());
    assert!(!text.contains("… and ") && !text.contains("`--all`") && !text.contains(" characters)"), "{text}");
    for change in &comparison.objects {
        assert!(has(&change.object.to_string()), "{}", change.object);
    }
    for key in &comparison.values.as_ref().expect("there are values").new_keys {
        assert!(has(&key.path.to_string()), "{}", key.path);
    }
    for noise in &comparison.noise {
        assert!(has(&noise.rule) && has("config-30"), "{}", noise.rule);
    }
    assert!(has("sha256:49d87af187eeeb9e9e3ec2bc6bd372261a0b5cb2d845659463ba7cc10fe9e45f"));
}

#[test]
fn lines_keep_to_the_width() {
    for sample in samples() {
        for width in [40, 60, 80, 100, 140, 160] {
            for (show, ascii) in [(PLAIN.show, false), (ALL, false), (ALL, true)] {
                let text = human(&sample, &HumanStyle { width, show, ascii, ..PLAIN });
                for line in text.lines() {
                    assert_eq!(line, line.trim_end(), "trailing space at {width}");
                    // A command, a path or one word may stick out, but then it stands alone on its line.
                    let fits = line.chars().count() <= width;
                    assert!(fits || alone(line), "{width}: {line}");
                }
            }
        }
    }
}

/// Whether the line holds one unbreakable piece after its signs: a command, a path, a row of a table.
fn alone(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '→', '>', '!', '~', '+', '-']);
    let text = text.strip_prefix("helm cnidiff  ").unwrap_or(text);
    let text = text.strip_prefix("result: ").map_or(text, |rest| rest.split_once("  ").map_or(rest, |(_, rest)| rest));
    text.starts_with('`') || !text.contains(' ') || text.ends_with(" ·") || text.ends_with(" |")
}

#[test]
fn colour_changes_only_escape_sequences_and_backticks() {
    for sample in samples() {
        let plain = human(&sample, &HumanStyle { show: ALL, width: 160, ..PLAIN });
        let colour = human(&sample, &HumanStyle { show: ALL, width: 160, colour: true, ..PLAIN });
        assert!(!plain.contains('\x1b'));
        let mut bare = String::new();
        let mut rest = colour.as_str();
        while let Some((before, after)) = rest.split_once('\x1b') {
            bare.push_str(before);
            let (sequence, after) = after.split_once('m').expect("only SGR sequences are written");
            let digits = |c: char| c.is_ascii_digit() || c == ';';
            assert!(sequence.starts_with('[') && sequence[1..].chars().all(digits), "{sequence}");
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
    for sample in samples() {
        assert!(human(&sample, &HumanStyle { ascii: true, show: ALL, ..PLAIN }).is_ascii());
    }
}

#[test]
fn signs_carry_the_meaning_without_colour() {
    let text = human(&everything(), &HumanStyle { show: ALL, ..PLAIN });
    let has = |start: &str| text.lines().any(|line| line.trim_start().starts_with(start));
    for start in [
        "× BLOCKER  the release is pending-upgrade",
        "‼ risk     an override is not read any more",
        "i note     ",
        "! ~ spec.selector.matchLabels.k8s-app",
        "! - tunnel",
        "! + ports[9879/TCP]",
        "+ Role kube-system/cilium-operator-ztunnel",
        "- CiliumLoadBalancerIPPool kube-system/pool-1",
        "~ DaemonSet kube-system/cilium ",
        "-   ip link del cilium_old",
        "+   ip link del cilium_old || true",
    ] {
        assert!(has(start), "{start}:\n{text}");
    }
}

#[test]
fn thousands_of_objects_are_counted_not_listed() {
    let mut comparison = upgrade();
    let template = comparison.objects[0].clone();
    for i in 0..1_000 {
        let mut change = template.clone();
        change.section = Section::Workloads;
        change.object.name = format!("copy-{i}");
        comparison.objects.push(change);
    }
    let text = human(&comparison, &PLAIN);
    assert!(text.lines().count() <= 120, "{} lines", text.lines().count());
    assert!(text.contains("more objects"), "{text}");
}
