//! What fits into a ticket, what is cut and how that is said.

use helm_cnidiff::comparison::*;
use helm_cnidiff::render::{Parts, Show, TicketStyle, gitlab, jira, markdown};
use serde_json::json;

use crate::hostile::hostile;
use crate::samples::{differs, everything, note, object, path, upgrade, value};

type Writer = fn(&Comparison, &TicketStyle) -> String;
const WRITERS: [(&str, Writer, TicketStyle); 3] = [
    ("markdown", markdown, TicketStyle::GITHUB),
    ("gitlab", gitlab, TicketStyle::GITLAB),
    ("jira", jira, TicketStyle::JIRA),
];

/// An upgrade with far more objects and notes than a ticket holds.
fn huge() -> Comparison {
    let mut comparison = upgrade();
    let field = |i: usize| FieldChange {
        path: path(&format!("data.key-{i}")),
        old: value(json!("old ".repeat(20))),
        new: value(json!("new ".repeat(20))),
        kind: ChangeKind::Changed,
        level: None,
        aside: None,
    };
    for i in 0..600 {
        let map = object("ConfigMap", &format!("map-{i:04}"));
        comparison.objects.push(differs(Section::Config, map, Change::Fields((0..30).map(field).collect())));
    }
    for i in 0..500 {
        let map = object("ConfigMap", &format!("map-{i:04}"));
        let risk = note(Level::Risk, "many", &format!("risk number {i}"), Some(map), "data.key-1");
        comparison.notes.push(Note { fix: format!("Look at map {i}."), ..risk });
    }
    comparison
}

#[test]
fn a_ticket_is_never_too_long() {
    for comparison in [huge(), everything(), hostile()] {
        for (format, write, style) in WRITERS {
            for max_chars in [8_000, 30_000] {
                let text = write(&comparison, &TicketStyle { max_chars, ..style });
                assert!(text.len() <= max_chars, "{format}: {} bytes of {max_chars}", text.len());
            }
            assert!(write(&comparison, &style).len() <= style.max_chars, "{format}");
        }
    }
    assert_eq!([60_000, 30_000], [TicketStyle::GITHUB.max_chars, TicketStyle::JIRA.max_chars]);
}

#[test]
fn what_is_cut_is_counted_and_the_verdict_is_whole() {
    let comparison = huge();
    let objects = comparison.objects.len();
    for (format, write, style) in WRITERS {
        let whole = write(&upgrade(), &TicketStyle { max_chars: 1_000_000, ..style });
        assert!(!whole.contains("Cut to fit"), "{format}");
        let cut = write(&comparison, &TicketStyle { max_chars: 30_000, ..style });
        let said = cut.lines().find(|line| line.contains("Cut to fit")).unwrap_or_else(|| panic!("{format}: {cut}"));
        assert!(said.contains("of 507 notes shown") || said.contains("of 508 notes shown"), "{format}: {said}");
        assert!(said.contains(&format!("of {objects} objects shown")), "{format}: {said}");
        // As many as it says, and the facts of the verdict are those of the whole.
        for fact in ["restarts", "DaemonSet kube-system/cilium: 42 pods, 2 at once", "40 new keys", "Provenance"] {
            assert!(cut.contains(fact), "{format}: {fact}");
        }
        let notes = cut.matches("risk number").count();
        assert!(notes > 20, "{format}: {notes}");
    }
}

#[test]
fn the_number_of_objects_shown_is_the_number_of_objects_shown() {
    let mut comparison = huge();
    comparison.notes.clear();
    for (format, write, style) in WRITERS {
        let cut = write(&comparison, &TicketStyle { max_chars: 40_000, ..style });
        let (before, _) = cut.split_once(" objects shown").unwrap_or_else(|| panic!("{format}: nothing is cut"));
        let words: Vec<&str> = before.rsplit(' ').take(3).collect();
        let shown: usize = words[2].replace(',', "").parse().expect("a number");
        let escaped: Vec<String> =
            comparison.objects.iter().map(|change| change.object.to_string().replace("- ", "")).collect();
        let after = cut.split_once("DaemonSets\n").map_or("", |(_, rest)| rest);
        let seen = escaped
            .iter()
            .filter(|name| {
                after.contains(&format!("{name}<"))
                    || after.contains(&format!("{name}`"))
                    || after.contains(&format!("{name}*"))
            })
            .count();
        assert_eq!(seen, shown, "{format}");
    }
}

#[test]
fn parts_that_nobody_asked_for_stay_out_but_the_verdict_does_not() {
    for (format, write, style) in WRITERS {
        let only = |parts| write(&upgrade(), &TicketStyle { show: Show { parts, ..Show::DEFAULT }, ..style });
        let (values, daemonsets) = (only(Parts::Values), only(Parts::DaemonSets));
        assert!(values.contains("Images: 6") && !values.contains("Other objects"), "{format}");
        assert!(!values.contains("ports[9879/TCP]: {"), "{format}");
        assert!(daemonsets.contains("ports[9879/TCP]: {") && !daemonsets.contains("Images: 6"), "{format}");
        assert!(!daemonsets.contains("Other objects"), "{format}");
        for text in [values, daemonsets] {
            assert!(text.contains("RISKS") && text.contains("Blockers and risks") && text.contains("Provenance"));
        }
    }
}
