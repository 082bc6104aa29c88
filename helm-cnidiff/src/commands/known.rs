//! What the facts know of the step that is compared: notes for the report, values that go by another name, and the rule
//! behind a template's refusal.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{Facts, InstallMethod, Part, Situation, Truth, Values, Version, step};
use serde_json::{Map, Value, json};

use crate::compare::Half;
use crate::diff::values::Rename;
use crate::inherit::Inherited;
use crate::release::Metadata;
use crate::version_step::{self, Known, VersionStep};

/// What is known besides the two sides.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Around<'a> {
    /// The values of an upgrade by helm, with the defaults of the target.
    pub values: Option<(&'a Inherited, &'a Map<String, Value>)>,
    /// Flags of that upgrade, without dashes.
    pub flags: &'a [&'a str],
    /// What the API server serves.
    pub api_versions: &'a [String],
    /// Its version.
    pub kubernetes: Option<&'a str>,
}

/// Finds the step and judges it. Nothing is known of what is no CNI.
pub(super) fn judge(facts: &Facts, old: &Half, new: &Half, around: &Around<'_>) -> (Option<VersionStep>, Known) {
    let chart = |half: &'_ Half| Some((half.side.chart.clone()?, half.side.version.clone()?));
    let (from, to) = (chart(old), chart(new));
    let pair = |chart: &'_ Option<(String, String)>| chart.clone();
    let (from, to) = (pair(&from), pair(&to));
    let found = version_step::find(
        facts,
        &old.objects,
        &new.objects,
        from.as_ref().map(|(name, version)| (name.as_str(), version.as_str())),
        to.as_ref().map(|(name, version)| (name.as_str(), version.as_str())),
    );
    let Some(found) = found else { return (None, Known::default()) };
    let situation = version_step::situation(&old.objects, &new.objects, around.situation());
    let known = version_step::judge(facts, &found, &situation);
    (Some(found), known)
}

impl Around<'_> {
    fn situation(&self) -> Situation {
        let mut situation = Situation::default();
        if let Some((inherited, defaults)) = self.values {
            situation.install = Part::Known(InstallMethod::Helm);
            situation.helm_flags = Part::Known(self.flags.iter().map(|flag| (*flag).to_owned()).collect());
            situation.values = Part::Known(Values {
                user: inherited.config.clone().into(),
                target_defaults: Part::Known(defaults.clone().into()),
            });
        }
        if !self.api_versions.is_empty() {
            let groups: BTreeSet<String> = self
                .api_versions
                .iter()
                .filter(|name| !name.rsplit('/').next().is_some_and(is_kind))
                .cloned()
                .collect();
            situation.apis = Part::Known(groups);
        }
        if let Some(version) = self.kubernetes.and_then(|text| Version::parse(text).ok()) {
            situation.kubernetes = Part::Known(version);
        }
        situation
    }
}

fn is_kind(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Overrides that go by another name in the target. The facts say of values whether a rename concerns them, so each
/// path is asked about alone.
pub(super) fn renames(facts: &Facts, versions: Option<&VersionStep>, config: &Map<String, Value>) -> Vec<Rename> {
    let Some(VersionStep { cni, from, to }) = versions else { return Vec::new() };
    let Ok(step) = step(facts, cni, from, to) else { return Vec::new() };
    if step.rules.iter().all(|rule| rule.rule.replacement.is_none()) {
        return Vec::new();
    }
    let mut renames = BTreeMap::new();
    for path in paths(config) {
        let mut user = json!(1);
        for key in path.iter().rev() {
            user = json!({ key: user });
        }
        let values = Part::Known(Values { user, target_defaults: Part::Known(json!({})) });
        let situation = Situation { values, install: Part::Known(InstallMethod::Helm), ..Situation::default() };
        for judged in step.judge(&situation) {
            if let (Some(to), Truth::Holds { .. }) = (&judged.rule.replacement, &judged.truth) {
                let from = path.join(".");
                let note = format!("{} ({})", judged.rule.fix, judged.rule.source);
                renames.entry(from.clone()).or_insert(Rename { from, to: to.clone(), note: Some(note) });
            }
        }
    }
    renames.into_values().collect()
}

/// Every path in some values, of maps too.
fn paths(values: &Map<String, Value>) -> Vec<Vec<String>> {
    fn walk(map: &Map<String, Value>, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
        for (key, value) in map {
            path.push(key.clone());
            paths.push(path.clone());
            if let Value::Object(inner) = value {
                walk(inner, path, paths);
            }
            path.pop();
        }
    }
    let mut found = Vec::new();
    walk(values, &mut Vec::new(), &mut found);
    found
}

/// Adds to helm's message the rule of the facts that explains why the templates refuse.
pub(super) fn explain(facts: &Facts, chart: &Metadata, error: anyhow::Error) -> anyhow::Error {
    let message = format!("{error:#}");
    let cni = facts.all().iter().find(|cni| cni.detect.helm.as_ref().is_some_and(|helm| helm.chart == chart.name));
    let rule = cni.and_then(|cni| {
        let mut rules = facts.rules_for_refusal(&cni.id, &message);
        // The rule that knows the most of the message is about it; a shorter piece may begin several messages.
        let known = |rule: &&cni_facts::Rule| {
            rule.refused.as_ref().and_then(|refused| refused.says.as_ref()).map_or(0, String::len)
        };
        rules.sort_by_key(|rule| std::cmp::Reverse(known(rule)));
        let version = Version::parse(&chart.version).ok();
        let covers = |rule: &&&cni_facts::Rule| version.as_ref().is_none_or(|version| rule.to.contains(version));
        rules.iter().find(covers).or(rules.first()).copied()
    });
    match rule {
        Some(rule) => anyhow::anyhow!("{message}\nrule {}: {}", rule.id, rule.fix),
        None => error,
    }
}
