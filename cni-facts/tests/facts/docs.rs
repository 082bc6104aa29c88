//! The pages of `docs/facts`, made from the data. `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cni_facts::{CONDITIONS, Cni, Facts, Minor, Residue, Rule, Support, Trace, Trust, Version};

use crate::golden::compare_file;

const NOTE: &str =
    "<!-- Made from cni-facts/data by `UPDATE_GOLDEN=1 cargo test -p cni-facts docs`; edit the data. -->\n\n";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/facts")
}

#[test]
fn pages_are_those_of_the_data() {
    let facts = Facts::builtin();
    let mut pages = BTreeMap::from([
        ("README.md".to_owned(), index(&facts)),
        ("any.md".to_owned(), any(&facts)),
        ("migrations.md".to_owned(), migrations(&facts)),
        ("incidents.md".to_owned(), incidents(&facts)),
        ("conditions.md".to_owned(), conditions(&facts)),
    ]);
    for cni in facts.all() {
        pages.insert(format!("{}.md", cni.id), page(&facts, cni));
    }
    for (name, text) in &pages {
        compare_file(&folder().join(name), text);
    }
    let there: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let extra: Vec<&String> = there.iter().filter(|name| !pages.contains_key(*name)).collect();
    assert_eq!(extra, Vec::<&String>::new(), "pages without data");
}

#[test]
fn every_rule_is_on_a_page() {
    let facts = Facts::builtin();
    let mut all = any(&facts);
    for cni in facts.all() {
        all += &page(&facts, cni);
    }
    for rule in facts.all_rules() {
        assert!(all.contains(&format!("#### `{}`", rule.id)), "{}", rule.id);
    }
}

fn index(facts: &Facts) -> String {
    let mut out = format!("{NOTE}# What is known of each CNI\n\n");
    out += "| CNI | id | rules | blockers | support table |\n|---|---|---|---|---|\n";
    for cni in facts.all() {
        let rules = own(facts, &cni.id);
        let blockers = rules
            .iter()
            .filter(|rule| rule.severity == cni_facts::Severity::Blocker && rule.confidence == Trust::High)
            .count();
        let minors = facts.support(&cni.id).map_or(0, |support| support.minors.len());
        writeln!(
            out,
            "| [{}]({}.md) | `{}` | {} | {blockers} | {minors} minors |",
            cni.name,
            cni.id,
            cni.id,
            rules.len()
        )
        .unwrap();
    }
    out += "\n[Rules about every CNI](any.md), [ways from one CNI to another](migrations.md), [upgrades that went wrong for \
            others](incidents.md), [the conditions of rules](conditions.md).\n\n";
    out += "A rule whose trust is not high counts as a warning at most: only what was read first-hand blocks an upgrade. \
            A rule about a chart that refuses to render blocks for the charts that do; others take the value in silence, \
            which is a warning.\n";
    out
}

fn any(facts: &Facts) -> String {
    let mut out = format!("{NOTE}# Rules about every CNI\n");
    for rule in own(facts, "any") {
        write_rule(&mut out, rule);
    }
    out
}

/// Rules about a CNI by itself.
fn own<'a>(facts: &'a Facts, id: &str) -> Vec<&'a Rule> {
    facts.all_rules().into_iter().filter(|rule| rule.only.iter().any(|one| one == id)).collect()
}

fn page(facts: &Facts, cni: &Cni) -> String {
    let mut out = format!("{NOTE}# {}\n\n", cni.name);
    writeln!(out, "Id `{}`. Installed as: {}.", cni.id, cni.install_methods.join(", ")).unwrap();
    let down = &cni.while_agent_down;
    if !down.stops.is_empty() {
        writeln!(out, "\nWhile its agent is down these stop: {}.", down.stops.join("; ")).unwrap();
    }
    if let Some(support) = facts.support(&cni.id) {
        write_support(&mut out, support);
    }
    write_node(&mut out, facts, &cni.id);
    let (mut every, mut by_step): (Vec<&Rule>, BTreeMap<Version, Vec<&Rule>>) = (Vec::new(), BTreeMap::new());
    for rule in own(facts, &cni.id) {
        match rule.boundary() {
            Some(minor) => by_step.entry(Version::parse_minor(&minor).unwrap()).or_default().push(rule),
            None => every.push(rule),
        }
    }
    if !every.is_empty() {
        out += "\n## Rules of every step\n";
    }
    every.into_iter().for_each(|rule| write_rule(&mut out, rule));
    for (minor, rules) in by_step {
        let from = minor.minor().checked_sub(1).map(|minor_before| format!("{}.{minor_before} to ", minor.major()));
        writeln!(out, "\n## {}{}", from.unwrap_or_default(), minor.minor_text()).unwrap();
        rules.into_iter().for_each(|rule| write_rule(&mut out, rule));
    }
    writeln!(out, "\n## Sources of this page's first part\n\nTrust: {}.\n", cni.confidence.as_str()).unwrap();
    for source in &cni.sources {
        writeln!(out, "- {}", text(source)).unwrap();
    }
    out
}

fn write_node(out: &mut String, facts: &Facts, id: &str) {
    if let Some(backup) = facts.backup(id) {
        writeln!(out, "\n## What to save\n\nTrust: {}.\n", backup.confidence.as_str()).unwrap();
        let lists = [
            ("Custom resources", &backup.resources),
            ("State of the agents, never to be restored over a live cluster", &backup.runtime_state),
            ("Secrets", &backup.secrets),
            ("ConfigMaps", &backup.configmaps),
            ("Other objects", &backup.objects),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(out, "- {title}: {}", text(&list.join(", "))).unwrap();
        }
        backup.notes.iter().for_each(|note| writeln!(out, "- {}", text(note)).unwrap());
    }
    if let Some(host) = facts.host(id) {
        writeln!(out, "\n## On a node\n\nTrust: {}.\n", host.confidence.as_str()).unwrap();
        let names = |traces: &[Trace]| -> Vec<String> {
            let name = |trace: &Trace| match (&trace.name, &trace.prefix) {
                (Some(name), _) => name.clone(),
                (None, prefix) => format!("{}…", prefix.as_deref().unwrap_or_default()),
            };
            traces.iter().map(name).collect()
        };
        let lists = [
            ("CNI configuration", host.cni_conf.clone()),
            ("CNI programs", host.cni_bin.clone()),
            ("Devices", names(&host.interfaces)),
            ("iptables chains", names(&host.iptables_chains)),
            ("ipsets", names(&host.ipsets)),
            ("nftables tables", names(&host.nft_tables)),
            ("Routing rules", host.ip_rules.clone()),
            ("Routes", host.routes.clone()),
            ("BPF", host.bpf_pins.clone()),
            ("State", host.state_dirs.clone()),
        ];
        for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            writeln!(out, "- {title}: {}", text(&list.join(", "))).unwrap();
        }
        host.notes.iter().for_each(|note| writeln!(out, "- {}", text(note)).unwrap());
    }
}

fn write_support(out: &mut String, support: &Support) {
    writeln!(out, "\n## Support\n\nAs of {}.", support.as_of).unwrap();
    let policy = &support.policy;
    if let Some(minors) = policy.maintained_minors {
        writeln!(out, "The newest {minors} minors get patches.").unwrap();
    }
    match policy.upgrade_hop {
        Some(1) => writeln!(out, "Upgrades go one minor at a time.").unwrap(),
        Some(hop) => writeln!(out, "Upgrades cross at most {hop} minors at a time.").unwrap(),
        None => {}
    }
    if let Some(note) = &policy.note {
        writeln!(out, "{}", text(note)).unwrap();
    }
    writeln!(out, "Source: {} (trust: {}).", text(&policy.source), policy.confidence.as_str()).unwrap();
    if !support.architectures.is_empty() {
        let source = support.platforms_source.as_deref().unwrap_or_default();
        writeln!(out, "\nArchitectures: {} ({}).", support.architectures.join(", "), text(source)).unwrap();
    }
    if !support.minors.is_empty() {
        *out += "\n| minor | state | last patch | tested Kubernetes | Linux | notes | trust | source |\n|---|---|---|---|---|---|---|---|\n";
    }
    for minor in &support.minors {
        write_minor(out, minor);
    }
    if !support.features.is_empty() {
        *out += "\n| feature | Linux | needs | source |\n|---|---|---|---|\n";
    }
    for feature in &support.features {
        let kernel = feature.kernel_min.as_ref().map_or("-".to_owned(), shorter);
        let needs = feature.needs.as_deref().unwrap_or("-");
        writeln!(out, "| {} | {kernel} | {} | {} |", text(&feature.feature), text(needs), text(&feature.source))
            .unwrap();
    }
    for note in &support.notes {
        writeln!(out, "\n{}", text(note)).unwrap();
    }
}

fn write_minor(out: &mut String, minor: &Minor) {
    let mut name = minor.minor.minor_text();
    if let Some(through) = &minor.through {
        write!(name, " to {}", through.minor_text()).unwrap();
    }
    let patch = minor.last_patch.as_ref().map(ToString::to_string);
    let seen = minor.last_patch_seen.as_ref().map(|seen| format!("{seen} seen"));
    let tested = match &minor.tested_kubernetes {
        Some(tested) => tested.iter().map(Version::minor_text).collect::<Vec<_>>().join(", "),
        None => "not known".to_owned(),
    };
    let mut kernel = minor.kernel_min.as_ref().map_or("not known".to_owned(), shorter);
    if let Some(rhel) = &minor.kernel_rhel {
        write!(kernel, ", or {} of RHEL {}", rhel.kernel.minor_text(), rhel.min.minor_text()).unwrap();
    }
    let state = format!("{:?}", minor.state).to_lowercase();
    let mut notes = minor.notes.clone();
    if let Some(range) = &minor.chart_kubernetes {
        notes.insert(0, format!("The chart asks for Kubernetes {range}."));
    }
    let patch = patch.or(seen).unwrap_or_else(|| "-".to_owned());
    let trust = minor.confidence.as_str();
    writeln!(
        out,
        "| {name} | {state} | {patch} | {tested} | {kernel} | {} | {trust} | {} |",
        text(&notes.join(" ")),
        text(&minor.source)
    )
    .unwrap();
}

/// `5.10` for 5.10.0, `4.19.57` as it is.
fn shorter(version: &Version) -> String {
    if version.patch() == 0 { version.minor_text() } else { version.to_string() }
}

fn write_rule(out: &mut String, rule: &Rule) {
    writeln!(out, "\n#### `{}`\n", rule.id).unwrap();
    let range = |range: &str| if range == "*" { "any".to_owned() } else { format!("`{range}`") };
    let trust = match rule.confidence {
        Trust::High => String::new(),
        other => format!(" · trust {}, so a warning at most", other.as_str()),
    };
    writeln!(
        out,
        "**{}** · {} · {} to {}{trust}",
        rule.severity,
        rule.kind,
        range(rule.from.as_str()),
        range(rule.to.as_str())
    )
    .unwrap();
    writeln!(out, "\n{}\n", text(&rule.message)).unwrap();
    writeln!(out, "- Concerns: {}", text(&rule.when.to_string())).unwrap();
    writeln!(out, "- Do: {}", text(&rule.fix)).unwrap();
    if let (Some(before), Some(after)) = (&rule.default_from, &rule.default_to) {
        writeln!(out, "- Default: `{before}` before, `{after}` after").unwrap();
    }
    if let Some(refused) = &rule.refused {
        writeln!(out, "- Charts that refuse: `{refused}`").unwrap();
    }
    if let Some(note) = &rule.note {
        writeln!(out, "- Note: {}", text(note)).unwrap();
    }
    writeln!(out, "- Source: {}", text(&rule.source)).unwrap();
}

fn migrations(facts: &Facts) -> String {
    let mut out = format!("{NOTE}# From one CNI to another\n\n## Ways to go about it\n");
    for method in facts.migration_methods() {
        writeln!(out, "\n### {}\n\n{}\n", method.id, text(&method.what)).unwrap();
        writeln!(out, "- For: {}", text(&method.good_for.join("; "))).unwrap();
        if !method.against.is_empty() {
            writeln!(out, "- Against: {}", text(&method.against.join("; "))).unwrap();
        }
        writeln!(out, "- Source: {}", text(&method.source)).unwrap();
    }
    for one in facts.migrations() {
        writeln!(
            out,
            "\n## {}\n\nFrom {} to {}. Trust: {}.",
            one.id,
            one.from.join(", "),
            one.to.join(", "),
            one.confidence.as_str()
        )
        .unwrap();
        let labelled =
            [("Why", &one.why), ("Tool", &one.tool), ("Tried with", &one.tried_with), ("Progress", &one.progress)];
        for (label, sentence) in labelled.into_iter().filter_map(|(label, sentence)| Some((label, sentence.as_ref()?)))
        {
            writeln!(out, "\n{label}: {}", text(sentence)).unwrap();
        }
        one.notes.iter().for_each(|note| writeln!(out, "\n{}", text(note)).unwrap());
        for report in &one.reports {
            writeln!(out, "\nReport: {} ({})", text(&report.who), report.url.as_deref().unwrap_or("not published"))
                .unwrap();
        }
        if let Some(same) = &one.same_as {
            writeln!(out, "\nThe steps are those of {same}.").unwrap();
        }
        if !one.preflight.is_empty() {
            out += "\n| check | look at | want | severity | why |\n|---|---|---|---|---|\n";
        }
        for check in &one.preflight {
            let (want, why) = (check.want.as_deref().unwrap_or("-"), check.why.as_deref().unwrap_or("-"));
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                check.id,
                text(&check.check),
                text(want),
                check.severity,
                text(why)
            )
            .unwrap();
        }
        if let Some(overlay) = &one.dual_overlay {
            out += "\n### Both networks at once\n\n| value | while both are there | afterwards | why |\n|---|---|---|---|\n";
            for value in &overlay.install_values {
                let example = if value.example { " (example)" } else { "" };
                let after = value.finally.as_ref().map_or("-".to_owned(), |after| format!("`{after}`"));
                let why = text(value.why.as_deref().unwrap_or("-"));
                writeln!(out, "| `{}` | `{}`{example} | {after} | {why} |", value.path, value.value).unwrap();
            }
            for (title, actions) in [("For each node", &overlay.per_node), ("When all nodes are done", &overlay.finish)]
            {
                writeln!(out, "\n{title}:\n").unwrap();
                for action in actions {
                    let done = action.action.as_deref().unwrap_or("look");
                    let verify = if action.verify.is_empty() {
                        String::new()
                    } else {
                        format!("; see: {}", action.verify.join("; "))
                    };
                    writeln!(out, "1. {}", text(&format!("{done}{verify}"))).unwrap();
                }
            }
        }
        for (title, sequence) in [("With Multus in between", &one.multus), ("All at once", &one.offline)] {
            let Some(sequence) = sequence else { continue };
            writeln!(out, "\n### {title}\n").unwrap();
            sequence.steps.iter().for_each(|step| writeln!(out, "1. {}", text(step)).unwrap());
            sequence.warning.iter().chain(&sequence.notes).for_each(|note| writeln!(out, "\n{}", text(note)).unwrap());
        }
        write_residue(&mut out, &one.residue);
        if let Some(rollback) = &one.rollback {
            writeln!(out, "\nThe way back: {}", text(rollback)).unwrap();
        }
        writeln!(out, "\nSource: {}", text(&one.source)).unwrap();
    }
    out
}

fn write_residue(out: &mut String, residue: &Residue) {
    let lists = [
        ("file", &residue.files),
        ("device", &residue.interfaces),
        ("iptables chain", &residue.iptables_chains),
        ("nftables table", &residue.nft_tables),
        ("route", &residue.routes),
        ("routing rule", &residue.ip_rules),
        ("ipset", &residue.ipsets),
        ("BPF", &residue.bpf),
        ("node annotation", &residue.node_annotations),
        ("node label", &residue.node_labels),
        ("node taint", &residue.node_taints),
        ("object", &residue.objects),
        ("pod", &residue.pods),
    ];
    if lists.iter().any(|(_, list)| !list.is_empty()) {
        *out += "\n### What is left behind\n\n| what | name | severity | why |\n|---|---|---|---|\n";
    }
    for (what, trace) in lists.into_iter().flat_map(|(what, list)| list.iter().map(move |trace| (what, trace))) {
        let name = match (&trace.name, &trace.prefix) {
            (Some(name), _) => text(name),
            (None, Some(prefix)) => text(&format!("{prefix}…")),
            (None, None) => String::new(),
        };
        let table = trace.table.as_ref().map_or(String::new(), |table| format!(" (table {table})"));
        writeln!(
            out,
            "| {what} | {name}{table} | {} | {} |",
            trace.severity,
            text(trace.why.as_deref().unwrap_or("-"))
        )
        .unwrap();
    }
    for value in &residue.helm_values {
        let bad = value.bad.as_ref().map_or(String::new(), |bad| format!(" = {bad}"));
        let why = text(value.why.as_deref().unwrap_or("-"));
        writeln!(out, "| Helm value | {}{bad} | {} | {why} |", text(&value.path), value.severity).unwrap();
    }
    if !residue.also_of.is_empty() {
        writeln!(out, "\nAnd what {} leaves behind.", residue.also_of.join(" and ")).unwrap();
    }
    if let Some(symptom) = &residue.symptom {
        writeln!(out, "\nSeen: {}", text(symptom)).unwrap();
    }
}

fn incidents(facts: &Facts) -> String {
    let mut out =
        format!("{NOTE}# Upgrades that went wrong for others\n\nVersions and symptoms as they reported them.\n");
    for incident in facts.incidents() {
        writeln!(out, "\n## {}. {}\n", incident.id, text(&incident.title)).unwrap();
        if let Some(happened) = &incident.happened {
            writeln!(out, "- Happened: {}", text(happened)).unwrap();
        }
        writeln!(out, "- Before: {}", text(&incident.before)).unwrap();
        writeln!(out, "- Probe: {}", text(&incident.probe)).unwrap();
        let covered: Vec<String> =
            incident.rules.iter().chain(&incident.migrations).map(|id| format!("`{id}`")).collect();
        if !covered.is_empty() {
            writeln!(out, "- Covered by: {}", covered.join(", ")).unwrap();
        }
        if let Some(note) = &incident.note {
            writeln!(out, "- Note: {}", text(note)).unwrap();
        }
        writeln!(out, "- Reported: {}", text(&incident.sources.join(" , "))).unwrap();
    }
    out
}

fn conditions(facts: &Facts) -> String {
    let mut out = format!(
        "{NOTE}# The conditions of rules\n\nWhat stands below `when` in a rule: a map with one key. What could not be looked at makes it unknown, never false.\n\n| condition | meaning |\n|---|---|\n"
    );
    for (name, meaning) in CONDITIONS {
        writeln!(out, "| `{name}` | {} |", meaning.replace('|', "\\|")).unwrap();
    }
    out += "\n## Features of network policies\n\n| feature | what | resources |\n|---|---|---|\n";
    for feature in facts.policy_features() {
        writeln!(out, "| `{}` | {} | {} |", feature.id, feature.what, feature.resources.join(", ")).unwrap();
    }
    out
}

/// A text for a page: what Markdown would read as a table or as HTML is taken literally.
fn text(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*").replace('_', "\\_")
}
