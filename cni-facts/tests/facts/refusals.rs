//! Rules about charts that refuse to render, against what helm said: `fixtures/refusals.yaml` has values and charts.
//!
//! For every chart that refused, some rule has to hold and to say that this chart refuses; for every chart that rendered
//! no rule may say so.

use std::collections::BTreeSet;

use cni_facts::{Facts, Judged, Part, Situation, Truth, Values, Version, step};
use serde::Deserialize;
use serde_json::Value;

use crate::cluster::fixtures;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code)]
    schema: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rule: String,
    case: Option<String>,
    values: Value,
    kubernetes: Option<String>,
    refuse: Vec<String>,
    render: Vec<String>,
    says: Option<String>,
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(fixtures().join("refusals.yaml")).unwrap();
    serde_yaml::from_str::<File>(&text).unwrap().cases
}

/// Rules that hold and say that this chart refuses.
fn refusing<'a>(facts: &'a Facts, case: &Case, chart: &str) -> Vec<Judged<'a>> {
    let to = Version::parse(chart).unwrap();
    let from = format!("1.{}.0", to.minor() - 1);
    let kubernetes = case.kubernetes.as_deref().unwrap_or("1.33");
    let situation = Situation {
        values: Part::Known(Values { user: case.values.clone(), target_defaults: Part::default() }),
        kubernetes: Part::Known(Version::parse_minor(kubernetes).unwrap()),
        apis: Part::Known(BTreeSet::from(["apps/v1".to_owned()])),
        ..Situation::default()
    };
    // A chart is refused for all that it no longer takes, however old the step at which that ended: look at each of them.
    let mut found: Vec<Judged<'a>> = Vec::new();
    for from in [from.as_str(), "1.11.0"] {
        let judged = step(facts, "cilium", from, chart).unwrap().judge(&situation);
        let refuses = |one: &Judged<'_>| {
            let by = one.rule.refused.as_ref().is_some_and(|refused| refused.by(&to));
            by && matches!(one.truth, Truth::Holds { .. })
        };
        let new = judged.into_iter().filter(refuses);
        for one in new {
            if found.iter().all(|other| other.rule.id != one.rule.id) {
                found.push(one);
            }
        }
    }
    found
}

#[test]
fn charts_refuse_where_a_rule_says_so_and_only_there() {
    let facts = Facts::builtin();
    let mut wrong = Vec::new();
    for case in cases() {
        let name = |chart: &str| format!("{} ({}) with {chart}", case.rule, case.case.as_deref().unwrap_or("-"));
        for chart in &case.refuse {
            let rules = refusing(&facts, &case, chart);
            let named = rules.iter().any(|one| one.rule.id == case.rule);
            if rules.is_empty() || case.case.is_none() && !named {
                wrong.push(format!("{}: helm refuses, no rule says so", name(chart)));
            }
        }
        for chart in &case.render {
            for one in refusing(&facts, &case, chart) {
                wrong.push(format!("{}: helm renders, {} says it refuses: {:?}", name(chart), one.rule.id, one.truth));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Each rule that says that charts refuse was tried, on charts that do.
#[test]
fn every_refusal_was_tried() {
    let facts = Facts::builtin();
    let tried: BTreeSet<String> = cases()
        .into_iter()
        .filter(|case| case.case.is_none() && !case.refuse.is_empty())
        .map(|case| case.rule)
        .collect();
    let rules = facts.all_rules();
    let refusing: BTreeSet<String> =
        rules.iter().filter(|rule| rule.refused.is_some()).map(|rule| rule.id.clone()).collect();
    assert_eq!(tried, refusing);
    assert_eq!(refusing.len(), 41);
}

/// Helm's message leads back to the rule.
#[test]
fn messages_lead_to_rules() {
    let facts = Facts::builtin();
    for case in cases().into_iter().filter(|case| case.says.is_some()) {
        let message = format!("Error: execution error at (cilium/templates/validate.yaml:1:2): {}", case.says.unwrap());
        let found = facts.rules_for_refusal("cilium", &message);
        assert!(found.iter().any(|rule| rule.id == case.rule), "{}: {message}", case.rule);
    }
    let other = "Error: parse error at (cilium/templates/x.yaml:3): function \"y\" not defined";
    assert!(facts.rules_for_refusal("cilium", other).is_empty());
}
