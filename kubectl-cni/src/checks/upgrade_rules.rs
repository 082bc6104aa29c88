//! What is known of this version step, rule by rule. A rule that concerns this cluster is a result of its own, under its own id; the others are
//! counted together, so that nothing is dropped and a healthy report fits on a screen.

use std::collections::BTreeMap;

use cni_facts::{Judged, Need, Part, Severity, Situation, Step, Truth};

use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::preflight::install::Install;
use crate::report::{CheckResult, Finding, Verdict};

pub(super) const CHECK: Check = Check {
    id: "upgrade-rules",
    section: "Version step",
    title: "known rules of this step",
    means: "Every rule that is known of the step is looked at: a blocker that concerns this cluster fails, a warning warns, anything else is a note. \
            What nobody asked to look at (the nodes themselves, the target's manifest) is skipped and says with what it can be had; what should have \
            been readable and was not stays unknown. `kubectl cni explain ID` prints a rule with its source.",
    remedy: "Deal with each rule as it says. For those that are skipped or unknown, give what is missing and run again.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let Some(Ok(step)) = &upgrade.step else { return Vec::new() };
    let mut results = Vec::new();
    let (mut silent, mut beside_the_point) = (Vec::new(), Vec::new());
    let mut skipped: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut unknown: BTreeMap<(bool, String), Vec<String>> = BTreeMap::new();
    for judged in step.judge(upgrade.situation) {
        let id = judged.rule.id.clone();
        let named = upgrade.request.only.contains(&id);
        match &judged.truth {
            Truth::Holds { because } => results.push(holds(step, &judged, because)),
            Truth::DoesNotHold { because } if named => {
                results.push(single(&judged, Verdict::Pass, format!("does not concern this cluster: {because}")));
            }
            Truth::DoesNotHold { .. } => silent.push(id),
            Truth::Unknown { why } => match open(&judged, upgrade) {
                Open::NotHelm if named => results.push(single(&judged, Verdict::Skip, why.clone())),
                Open::NotHelm => beside_the_point.push(id),
                Open::NotAsked(how) if named => results.push(single(&judged, Verdict::Skip, format!("{why}; {how}"))),
                Open::NotAsked(how) => skipped.entry(how).or_default().push(described(&judged)),
                Open::Unread if named => results.push(single(&judged, Verdict::Unknown, why.clone())),
                Open::Unread => {
                    let note = judged.level == Severity::Info;
                    unknown.entry((note, why.clone())).or_default().push(described(&judged));
                }
            },
        }
    }
    results.sort_by_key(|result| std::cmp::Reverse(result.verdict));
    for ((note, why), rules) in unknown {
        // The worst that an open "good to know" can come to is a note.
        let verdict = if note { Verdict::Note } else { Verdict::Unknown };
        let mut result = check.result(verdict, why);
        result.title = format!("{} that cannot be judged", count(rules.len(), "rule"));
        result.evidence = rules;
        results.push(result);
    }
    for (how, rules) in skipped {
        let mut result = check.result(Verdict::Skip, format!("{}: {how}", count(rules.len(), "rule")));
        result.title = "rules that look at what was not asked for".to_owned();
        result.evidence = rules;
        results.push(result);
    }
    let looked = silent.len() + beside_the_point.len();
    let detail = if beside_the_point.is_empty() {
        count(looked, "rule")
    } else {
        format!("{}, {} of them about Helm, which is not used here", count(looked, "rule"), beside_the_point.len())
    };
    let mut result = check.result(Verdict::Pass, detail);
    result.title = "rules that do not concern this cluster".to_owned();
    result.evidence = vec![some_of(&[silent, beside_the_point].concat(), usize::MAX)];
    results.push(result);
    results
}

/// Why a rule stays open.
enum Open {
    /// It is about Helm, and Helm is not used.
    NotHelm,
    /// It looks at something that has to be asked for; the text says how.
    NotAsked(&'static str),
    /// What it looks at should have been there.
    Unread,
}

/// A rule is left out by choice only when everything else that it looks at is known: else the reason is another.
fn open(judged: &Judged<'_>, upgrade: &Upgrade<'_>) -> Open {
    let needs = judged.rule.needs();
    let helm = |need: &Need| matches!(need, Need::Values | Need::TargetDefault(_) | Need::HelmFlags);
    if matches!(upgrade.install, Install::Other(..)) && needs.iter().any(helm) {
        return Open::NotHelm;
    }
    let mut how = None;
    for need in &needs {
        match not_asked(need, upgrade.situation) {
            Some(hint) => how = Some(hint),
            None if known(need, upgrade.situation) => {}
            None => return Open::Unread,
        }
    }
    how.map_or(Open::Unread, Open::NotAsked)
}

fn not_asked(need: &Need, situation: &Situation) -> Option<&'static str> {
    match need {
        Need::HostFile(_) | Need::HostSysctl(_) | Need::Host(_) => {
            Some("they look at the nodes themselves, which preflight does not")
        }
        Need::TargetImages => Some("they want the target's image pulled, which preflight does not"),
        Need::TargetWorkloads if matches!(situation.target.workloads, Part::Unknown(_)) => {
            Some("they compare with the target: give --manifest FILE")
        }
        Need::TargetConfigMaps if matches!(situation.target.configmaps, Part::Unknown(_)) => {
            Some("they compare with the target: give --manifest FILE")
        }
        _ => None,
    }
}

fn known(need: &Need, situation: &Situation) -> bool {
    fn is<T>(part: &Part<T>) -> bool {
        !matches!(part, Part::Unknown(_))
    }
    match need {
        Need::Install => is(&situation.install),
        Need::HelmFlags => is(&situation.helm_flags),
        Need::Values => is(&situation.values),
        Need::TargetDefault(_) | Need::PodsFree => false,
        Need::ConfigMap(name) => situation.configmaps.get(name).is_some_and(is),
        Need::Exists(resource) | Need::Objects { resource, .. } => situation.objects.get(resource).is_some_and(is),
        Need::OwnerApiVersions => is(&situation.owner_api_versions),
        Need::Crds => is(&situation.crds),
        Need::Apis => is(&situation.apis),
        Need::Nodes => is(&situation.nodes),
        Need::Kubernetes => is(&situation.kubernetes),
        Need::Workloads => is(&situation.workloads),
        Need::TargetWorkloads => is(&situation.target.workloads),
        Need::TargetConfigMaps => is(&situation.target.configmaps),
        Need::HostFile(_) | Need::HostSysctl(_) | Need::Host(_) | Need::TargetImages => false,
    }
}

fn described(judged: &Judged<'_>) -> String {
    format!("{} ({}): {}", judged.rule.id, judged.level, judged.rule.when)
}

fn holds(step: &Step<'_>, judged: &Judged<'_>, because: &str) -> CheckResult {
    let verdict = match judged.level {
        Severity::Blocker => Verdict::Fail,
        Severity::Warning => Verdict::Warn,
        Severity::Info => Verdict::Note,
    };
    let mut result = single(judged, verdict, judged.rule.message.clone());
    let hop = judged.hop.filter(|_| step.hops.len() > 1).and_then(|hop| step.hops.get(hop));
    let (from, to) = hop.map_or((&step.from, &step.to), |hop| (&hop.from, &hop.to));
    result.evidence.extend(judged.caveat.clone());
    let always = judged.rule.when.is_always();
    result.finding = Some(Box::new(Finding {
        subject: format!("{} {from} → {to}", step.cni()),
        observed: if always { String::new() } else { because.to_owned() },
        expected: if always { String::new() } else { format!("not: {}", judged.rule.when) },
        why: judged.rule.message.clone(),
        source: judged.rule.source.clone(),
    }));
    result.hint = Some(judged.rule.fix.clone());
    result
}

fn single(judged: &Judged<'_>, verdict: Verdict, detail: String) -> CheckResult {
    CheckResult {
        id: judged.rule.id.clone().into(),
        title: judged.rule.id.clone(),
        verdict,
        detail,
        evidence: Vec::new(),
        hint: None,
        finding: None,
    }
}
