//! The first screen and the last lines: what it comes to, from what to what, what restarts, and how to get it again.

use super::{Fact, Safe, Show, count, fact};
use crate::comparison::{Comparison, KindCount, OverrideState, Provenance, Rendered, Restart, Side, Values};
use crate::render::text::thousands;

/// Lines under one word of the verdict; it has to stay on one screen.
const FEW: usize = 6;

/// `cilium 1.18.4 → 1.19.6`, or the labels of both sides.
pub(super) fn subject(comparison: &Comparison) -> Safe {
    let (from, to) = (&comparison.from, &comparison.to);
    let short = |text: &str| crate::render::text::shorten(text, 60);
    let name = |label: &str| short(label.rsplit('/').next().unwrap_or(label));
    Safe::new(plain(match (&from.chart, &from.version, &to.chart, &to.version) {
        (Some(old), Some(a), Some(new), Some(b)) if old == new => {
            format!("{} {} → {}", short(old), short(a), short(b))
        }
        (Some(old), Some(a), Some(new), Some(b)) => {
            format!("{} {} → {} {}", short(old), short(a), short(new), short(b))
        }
        _ if from.label.is_empty() && to.label.is_empty() => String::new(),
        _ => format!("{} → {}", name(&from.label), name(&to.label)),
    }))
}

/// What there is to count, worst first.
pub(super) fn tally(comparison: &Comparison) -> Vec<Safe> {
    let verdict = &comparison.verdict;
    let mut tally = Vec::new();
    let mut say = |n: usize, text: String| {
        if n > 0 {
            tally.push(Safe::new(text));
        }
    };
    say(verdict.blockers, count(verdict.blockers, "blocker"));
    say(verdict.unknown.len(), format!("{} undecided", thousands(verdict.unknown.len())));
    say(verdict.risks, count(verdict.risks, "risk"));
    say(verdict.dead_overrides, format!("{} without effect", count(verdict.dead_overrides, "override")));
    let changed = comparison.objects.len();
    say(changed, format!("{} {}", count(changed, "object"), if changed == 1 { "differs" } else { "differ" }));
    if tally.is_empty() {
        let same = if comparison.is_empty() { "no difference" } else { "values alone differ" };
        tally.push(Safe::new(same));
    }
    tally
}

/// The verdict in facts.
pub(super) fn facts(comparison: &Comparison, show: Show) -> Vec<Fact> {
    let few = if show.all { usize::MAX } else { FEW };
    let mut facts = Vec::new();
    let mut add = |label, lines: Vec<String>| {
        if !lines.is_empty() {
            facts.push(fact(label, lines));
        }
    };
    add("from", side(&comparison.from));
    add("to", side(&comparison.to));
    if !comparison.counts.is_empty() || !comparison.verdict.restarts.is_empty() {
        add("restarts", restarts(&comparison.verdict.restarts, few));
        add("objects", objects(&comparison.counts));
    }
    add("values", comparison.values.as_ref().map(values).unwrap_or_default());
    let unknown = &comparison.verdict.unknown;
    if !unknown.is_empty() {
        let mut lines: Vec<String> = unknown.iter().take(few).map(|text| shortened(text)).collect();
        if unknown.len() > few {
            lines.push(format!("… and {} more", thousands(unknown.len() - few)));
        }
        facts.push(Fact { doubt: true, ..fact("unknown", lines) });
    }
    let folded: usize = comparison.noise.iter().map(|noise| noise.count).sum();
    if folded > 0 && !show.noise {
        let rules = count(comparison.noise.len(), "rule");
        let text = format!("{} folded by {rules}: `--show-noise` lists them", count(folded, "difference"));
        facts.push(fact("noise", vec![text]));
    }
    facts
}

/// How to get the same again.
pub(super) fn provenance(comparison: &Comparison) -> Vec<Fact> {
    let Provenance { tool, release, revision, from_digest, to_digest, helm, flags, rendered, facts } =
        &comparison.provenance;
    let mut all = Vec::new();
    let mut add = |label, text: &str| {
        if !text.is_empty() {
            all.push(fact(label, vec![plain(text.to_owned())]));
        }
    };
    let bare = tool.starts_with(|c: char| c.is_ascii_digit());
    add("tool", &if bare { format!("helm-cnidiff {tool}") } else { tool.clone() });
    let release = match (release, revision) {
        (Some(release), Some(revision)) => format!("{release}, revision {revision}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    add("release", &release);
    add("from", from_digest.as_deref().unwrap_or_default());
    add("to", to_digest.as_deref().unwrap_or_default());
    add("helm", helm.as_deref().unwrap_or_default());
    add("flags", &flags.join(" "));
    let rendered = match rendered {
        Rendered::Given if tool.is_empty() => String::new(),
        Rendered::Given => "nothing: manifests as they are".to_owned(),
        Rendered::Offline { kube_version, api_versions } => {
            let kube = kube_version.as_ref().map(|version| format!(", for Kubernetes {version}")).unwrap_or_default();
            let apis = if *api_versions > 0 {
                format!(", with {} told", count(*api_versions, "API version"))
            } else {
                String::new()
            };
            format!("offline{kube}{apis}")
        }
        Rendered::Cluster { kube_version, context } => {
            format!("against the cluster {context}, Kubernetes {kube_version}")
        }
    };
    add("rendered", &rendered);
    add("facts", &facts.join(", "));
    all
}

/// Pods of one workload that restart: `12 pods, 2 at once (10%)`.
pub(super) fn restart(restart: &Restart) -> String {
    plain(restart_words(restart))
}

fn restart_words(restart: &Restart) -> String {
    let pods = match (restart.pods, restart.object.kind.as_str()) {
        (Some(pods), _) => count(usize::try_from(pods).unwrap_or(usize::MAX), "pod"),
        (None, "DaemonSet") => "one pod per node".to_owned(),
        (None, _) => "all its pods".to_owned(),
    };
    if restart.on_delete {
        return format!("{pods}, but only when somebody deletes them (OnDelete)");
    }
    let at_once = &restart.at_once;
    let default = if at_once.default { ", the default" } else { "" };
    match at_once.pods {
        _ if at_once.setting.is_empty() => pods,
        Some(n) if n.to_string() != at_once.setting => format!("{pods}, {n} at once ({}{default})", at_once.setting),
        _ if at_once.default => format!("{pods}, {} at once (the default)", at_once.setting),
        _ => format!("{pods}, {} at once", at_once.setting),
    }
}

fn side(side: &Side) -> Vec<String> {
    let mut words = Vec::new();
    match (&side.chart, &side.version) {
        (Some(chart), Some(version)) => words.push(format!("{chart} {version}")),
        (Some(chart), None) => words.push(chart.clone()),
        _ => {}
    }
    words.extend(side.app_version.as_ref().map(|version| format!("app {version}")));
    words.extend(side.kube_range.as_ref().map(|range| format!("Kubernetes {range}")));
    let mut label = side.label.clone();
    if let (Some(namespace), Some(_)) = (&side.namespace, &side.release) {
        label.push_str(&format!(" in {namespace}"));
    }
    if let Some(status) = side.status.as_ref().filter(|status| *status != "deployed" && *status != "superseded") {
        label.push_str(&format!(", {status}"));
    }
    words.extend((!label.is_empty()).then_some(label));
    let words: Vec<String> = words.iter().map(|word| shortened(word)).collect();
    if words.is_empty() { Vec::new() } else { vec![plain(words.join(" · "))] }
}

fn restarts(restarts: &[Restart], few: usize) -> Vec<String> {
    if restarts.is_empty() {
        return vec!["no pod restarts".to_owned()];
    }
    let mut lines: Vec<String> = restarts
        .iter()
        .take(few)
        .map(|one| format!("{}: {}", plain(shortened(&one.object.to_string())), restart(one)))
        .collect();
    if restarts.len() > few {
        lines.push(format!("… and the pods of {}", count(restarts.len() - few, "more workload")));
    }
    lines
}

fn objects(counts: &[KindCount]) -> Vec<String> {
    if counts.is_empty() {
        return Vec::new();
    }
    let sum = |of: fn(&KindCount) -> usize| counts.iter().map(of).sum::<usize>();
    let sums = [
        (sum(|c| c.changed), "changed"),
        (sum(|c| c.added), "added"),
        (sum(|c| c.removed), "removed"),
        (sum(|c| c.unchanged), "unchanged"),
    ];
    let words: Vec<String> =
        sums.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", thousands(*n))).collect();
    vec![if words.is_empty() { "none".to_owned() } else { words.join(", ") }]
}

fn values(values: &Values) -> Vec<String> {
    let mut words = Vec::new();
    let images = values.images.len();
    let defaults = values.defaults.len();
    let mut say = |n: usize, text: String| {
        if n > 0 {
            words.push(text);
        }
    };
    let own = values.own.len();
    say(own, format!("{} of your own {}", count(own, "value"), if own == 1 { "changes" } else { "change" }));
    say(defaults, format!("{} {}", count(defaults, "default"), if defaults == 1 { "changes" } else { "change" }));
    say(images, format!("{} {}", count(images, "image"), if images == 1 { "changes" } else { "change" }));
    say(values.new_keys.len(), count(values.new_keys.len(), "new key"));
    say(values.removed_keys.len(), count(values.removed_keys.len(), "removed key"));
    let is = |states: fn(&OverrideState) -> bool| values.overrides.iter().filter(|o| states(&o.state)).count();
    let lost = is(|state| matches!(state, OverrideState::Unread | OverrideState::Renamed { .. }));
    let total = values.overrides_total;
    if total > 0 {
        let tail = if lost > 0 { format!(" ({} not read any more)", thousands(lost)) } else { String::new() };
        words.push(format!("{}{tail}", count(total, "override")));
    }
    if words.is_empty() { vec!["no difference".to_owned()] } else { vec![words.join(", ")] }
}

/// Text of a chart or a cluster inside a sentence: what is between backticks in a sentence is a command of ours.
pub(super) fn plain(text: String) -> String {
    if text.contains('`') { text.replace('`', "'") } else { text }
}

fn shortened(text: &str) -> String {
    crate::render::text::shorten(text, 300)
}
