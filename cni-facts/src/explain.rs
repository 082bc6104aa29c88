//! What is known of a rule, for a person: an id in, text out.

use std::fmt::Write as _;

use crate::facts::Facts;
use crate::rules::{Derived, Rule};
use crate::schema::Trust;

/// Everything about the rule of that id, as text for a terminal: one line each, no colour, no trailing line break.
/// `None`: there is no such rule; [`similar`] has ids that are near.
pub fn explain(facts: &Facts, id: &str) -> Option<String> {
    let rule = facts.rule(id)?;
    let mut out = text(rule);
    for incident in facts.incidents().iter().filter(|incident| incident.rules.iter().any(|one| one == id)) {
        write!(out, "\nseen      {} ({})", incident.title, incident.sources.join(", ")).expect("writing to a String");
    }
    Some(out)
}

/// Ids of rules that have all the words of the text in them, at most ten.
pub fn similar(facts: &Facts, id: &str) -> Vec<String> {
    let words: Vec<&str> = id.split('-').filter(|word| !word.is_empty()).collect();
    let rules = facts.all_rules();
    let mut found: Vec<(usize, &str)> = rules
        .iter()
        .map(|rule| (words.iter().filter(|word| rule.id.contains(**word)).count(), rule.id.as_str()))
        .filter(|(count, _)| *count > 0 && 2 * count > words.len())
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    found.into_iter().take(10).map(|(_, id)| id.to_owned()).collect()
}

fn text(rule: &Rule) -> String {
    let mut out = format!("{}: {}, {}\n", rule.id, rule.severity, rule.kind);
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<10}{text}").expect("writing to a String");
    line("CNI", &rule.only.join(", "));
    line("step", &format!("{} -> {}", range(rule.from.as_str()), range(rule.to.as_str())));
    line("concerns", &rule.when.to_string());
    line("what", &rule.message);
    line("do", &rule.fix);
    if let Some(replacement) = &rule.replacement {
        line("instead", replacement);
    }
    if let (Some(before), Some(after)) = (&rule.default_from, &rule.default_to) {
        line("default", &format!("{before} -> {after}"));
    }
    if let Some(refused) = &rule.refused {
        line("refused", &format!("by charts {refused}; others render without a word, which counts as a warning"));
    }
    if let Some(note) = &rule.note {
        line("note", note);
    }
    let trust = match rule.confidence {
        Trust::High => "high",
        Trust::Medium => "medium: second-hand, or seen in one place only; a warning at most",
        Trust::Low => "low: not checked against a first-hand text; a warning at most",
    };
    line("trust", trust);
    let derived = match rule.derived {
        Derived::Mechanical => "by comparing charts or manifests",
        Derived::Notes => "from notes and reports",
    };
    line("source", &format!("{} ({derived})", rule.source));
    out.trim_end().to_owned()
}

fn range(text: &str) -> &str {
    if text == "*" { "any" } else { text }
}
