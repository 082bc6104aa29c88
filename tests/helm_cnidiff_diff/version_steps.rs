//! What the facts know of a version step becomes notes.

use cni_facts::{Facts, Part, Situation, Values};
use helm_cnidiff::comparison::{Comparison, Level, Note, Shown};
use helm_cnidiff::render::{HumanStyle, Show, TicketStyle, gitlab, html, human, jira, json as to_json, markdown};
use helm_cnidiff::version_step::{Known, VersionStep, find, judge, situation};
use serde_json::{Value, json};

use crate::fixtures;

fn known(old: &str, new: &str, from: &str, to: &str, user: Value) -> Known {
    let facts = Facts::builtin();
    let (old, new) = (fixtures::set(old), fixtures::set(new));
    let step = find(&facts, &old, &new, Some(("cilium", from)), Some(("cilium", to))).unwrap();
    let given = Situation {
        values: Part::Known(Values { user, target_defaults: Part::Known(json!({})) }),
        ..Situation::default()
    };
    judge(&facts, &step, &situation(&old, &new, given))
}

#[test]
fn the_step_is_found_by_chart_or_by_what_runs() {
    let facts = Facts::builtin();
    let step =
        |cni: &str, from: &str, to: &str| Some(VersionStep { cni: cni.into(), from: from.into(), to: to.into() });
    let (old, new) = (fixtures::set("cilium-1.18.4.yaml.gz"), fixtures::set("cilium-1.19.6.yaml.gz"));
    assert_eq!(
        find(&facts, &old, &new, Some(("cilium", "1.18.4")), Some(("cilium", "1.19.6"))),
        step("cilium", "1.18.4", "1.19.6")
    );
    assert_eq!(find(&facts, &old, &new, None, None), step("cilium", "1.18.4", "1.19.6"));
    let (old, new) = (fixtures::set("kube-flannel-v0.24.0.yml"), fixtures::set("kube-flannel-v0.28.9.yml"));
    assert_eq!(find(&facts, &old, &new, None, None), step("flannel", "0.24.0", "0.28.9"));
    let (old, other) = (fixtures::set("calico-v3.31.3.yaml.gz"), fixtures::set("calico-v3.32.1.yaml.gz"));
    assert_eq!(find(&facts, &old, &other, None, None), step("calico-manifest", "3.31.3", "3.32.1"));
    assert_eq!(find(&facts, &old, &new, None, None), None);
}

#[test]
fn a_value_that_the_user_sets_is_what_makes_a_rule_hold() {
    let with = known("cilium-1.14.5.yaml.gz", "cilium-1.15.0.yaml.gz", "1.14.5", "1.15.0", json!({"tunnel": "vxlan"}));
    let without = known("cilium-1.14.5.yaml.gz", "cilium-1.15.0.yaml.gz", "1.14.5", "1.15.0", json!({}));
    let about =
        |known: &Known| known.notes.iter().filter(|note| note.title.contains("tunnel")).cloned().collect::<Vec<_>>();
    let notes = about(&with);
    assert!(!notes.is_empty());
    // 1.15.0 takes the value in silence, so it does not block: charts from 1.15.8 on refuse it.
    assert!(notes.iter().all(|note| note.level == Level::Risk), "{notes:#?}");
    assert!(notes[0].why.contains("does not refuse this"), "{notes:#?}");
    assert_eq!(notes[0].path.to_string(), "tunnel");
    assert!(notes.iter().all(|note| note.source.is_some() && !note.fix.is_empty()));
    assert!(about(&without).is_empty());
}

#[test]
fn what_needs_a_cluster_is_unknown_and_never_left_out() {
    let known = known("cilium-1.18.4.yaml.gz", "cilium-1.19.6.yaml.gz", "1.18.4", "1.19.6", json!({}));
    assert!(!known.unknown.is_empty());
    assert!(known.unknown.iter().any(|text| text.contains("need the cluster")), "{:#?}", known.unknown);
}

#[test]
fn too_big_a_hop_and_the_way_down_are_told() {
    let far = known("cilium-1.12.0.yaml.gz", "cilium-1.19.6.yaml.gz", "1.12.0", "1.19.6", json!({}));
    assert!(far.notes.iter().any(|note| note.id.contains("hop") || note.id.contains("minor")), "{:#?}", far.notes);
    let down = known("cilium-1.19.6.yaml.gz", "cilium-1.18.4.yaml.gz", "1.19.6", "1.18.4", json!({}));
    assert!(down.notes.iter().any(|note| note.id == "version-older"));
    let odd = known("cilium-1.18.4.yaml.gz", "cilium-1.19.6.yaml.gz", "1.18.4", "latest", json!({}));
    assert!(odd.notes.is_empty() && odd.unknown.len() == 1, "{odd:#?}");
}

#[test]
fn defaults_in_notes_are_values_in_every_format() {
    let known = known("cilium-1.13.0.yaml.gz", "cilium-1.14.5.yaml.gz", "1.13.0", "1.14.5", json!({}));
    let values: Vec<&Value> = known
        .notes
        .iter()
        .flat_map(|note| [&note.old, &note.new])
        .filter_map(|shown| if let Shown::Value(value) = shown { Some(value) } else { None })
        .collect();
    // Texts, numbers and lists are there, and no text is JSON in quotes (`"false"` is a text in this chart).
    let texts: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
    assert!(texts.contains(&"25%") && values.iter().any(|value| value.is_number()), "{values:?}");
    assert!(texts.iter().all(|text| !text.starts_with(['"', '[', '{'])), "{texts:?}");
    // The words of a rule are its own, and may quote.
    let notes = known.notes.into_iter().map(|note| Note { title: String::new(), why: String::new(), ..note }).collect();
    let comparison = Comparison { notes, ..Comparison::default() };
    let show = Show { all: true, ..Show::DEFAULT };
    let style = HumanStyle { colour: false, width: 110, ascii: false, show };
    let ticket = |style: TicketStyle| TicketStyle { show, ..style };
    let shown = [
        human(&comparison, &style),
        markdown(&comparison, &ticket(TicketStyle::GITHUB)),
        gitlab(&comparison, &ticket(TicketStyle::GITLAB)),
        jira(&comparison, &ticket(TicketStyle::JIRA)),
        html(&comparison, &show),
        to_json(&comparison),
    ];
    for text in shown {
        assert!(text.contains("25%"), "{text}");
        for quoted in ["\\\"25%", "&quot;25%", "\\\"none\\\"", "&quot;none&quot;", "&#34;25%", "'\"25%"] {
            assert!(!text.contains(quoted), "{quoted} in: {text}");
        }
        if !text.starts_with('{') {
            assert!(!text.contains("\"25%\""), "{text}");
        }
    }
}
