//! What every rule has to fulfil, beyond what reading it checks.

use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{CONDITIONS, Facts, Kind, Range, Rule, Severity, Trust, Version, step};

use crate::golden;

/// Ids are frozen once released: renaming or removing one shows up here.
#[test]
fn ids_are_frozen() {
    let facts = Facts::builtin();
    let mut ids: Vec<&str> = facts.all_rules().iter().map(|rule| rule.id.as_str()).collect();
    ids.sort_unstable();
    golden::compare("rule-ids.txt", &(ids.join("\n") + "\n"));
}

#[test]
fn ids_are_unique() {
    let facts = Facts::builtin();
    let mut seen = BTreeSet::new();
    for rule in facts.all_rules() {
        assert!(seen.insert(&rule.id), "{} is there twice", rule.id);
    }
}

#[test]
fn ids_start_with_what_they_are_about() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        let about = rule.id.split('-').next().unwrap();
        assert!(rule.only.iter().any(|cni| cni.starts_with(about)), "{} is about {:?}", rule.id, rule.only);
    }
}

#[test]
fn rules_are_about_cnis_that_exist() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        for id in &rule.only {
            assert!(id == "any" || facts.get(id).is_some(), "{}: {id}", rule.id);
        }
    }
}

#[test]
fn texts_read_as_sentences() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        for text in [&rule.message, &rule.fix] {
            assert!(text.ends_with(['.', '!', ')']) && text.len() > 7, "{}: {text}", rule.id);
        }
        assert!(rule.source.len() > 8, "{}: {}", rule.id, rule.source);
    }
}

/// Where the source says that it is second-hand, so does the confidence.
#[test]
fn second_hand_rules_say_so() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        let second_hand = ["second-hand", "third part"].iter().any(|word| rule.source.contains(word));
        assert!(!second_hand || rule.confidence < Trust::High, "{}: {}", rule.id, rule.source);
    }
}

/// Only what was read first-hand blocks, whatever the target.
#[test]
fn nothing_second_hand_blocks() {
    let facts = Facts::builtin();
    let mut lowered = 0;
    for rule in facts.all_rules().into_iter().filter(|rule| rule.confidence < Trust::High) {
        for target in versions() {
            assert!(rule.level(&target) < Severity::Blocker, "{}", rule.id);
            assert!(rule.caveat(&target).is_some(), "{}", rule.id);
        }
        lowered += usize::from(rule.severity == Severity::Blocker);
    }
    assert!(lowered > 0, "no rule tries this");
}

/// Every rule can come up: there are two versions between which it does.
#[test]
fn every_rule_is_reachable() {
    let facts = Facts::builtin();
    for rule in facts.all_rules() {
        let cni = if rule.only[0] == "any" { "cilium" } else { &rule.only[0] };
        let reached = pairs(rule).iter().any(|(from, to)| {
            let step = step(&facts, cni, &from.to_string(), &to.to_string()).unwrap();
            step.rules.iter().any(|one| one.rule.id == rule.id)
        });
        assert!(reached, "{}: {} -> {}", rule.id, rule.from, rule.to);
    }
}

/// No two rules say the same of the same step.
#[test]
fn rules_do_not_overlap() {
    let facts = Facts::builtin();
    let mut by_condition: BTreeMap<(String, &str, Vec<String>), Vec<&Rule>> = BTreeMap::new();
    for rule in facts.all_rules().into_iter().filter(|rule| !rule.when.is_always()) {
        by_condition.entry((rule.when.to_string(), rule.kind.as_str(), rule.only.clone())).or_default().push(rule);
    }
    let mut overlaps = Vec::new();
    for rules in by_condition.values() {
        for (index, one) in rules.iter().enumerate() {
            let others = rules[index + 1..].iter();
            let same = others.filter(|other| one.from.overlaps(&other.from) && one.to.overlaps(&other.to));
            overlaps.extend(same.map(|other| format!("{} {}", one.id, other.id)));
        }
    }
    // Each pair says two different things of one condition.
    let known = [
        "calico-3.26-bpf-rpf calico-3.30-bpf-conntrack",
        "calico-3.26-bpf-rpf calico-3.32-bpf-jit",
        "calico-3.26-rbac-cni calico-3.29-tier-rbac",
        "calico-3.30-bpf-conntrack calico-3.32-bpf-jit",
        "calico-3.30-cni-version calico-3.31-ebpf-init",
        "calico-helm-crds calico-3.32-crds-out-of-chart",
        "cilium-1.12-default-proxy-prometheus-port cilium-1.14-default-proxy-prometheus-port",
        "cilium-1.13-default-preflight-tolerations cilium-1.16-default-preflight-tolerations",
        "cilium-1.14-deny-precedence cilium-1.16-cnp-limits",
        "cilium-dns-proxy-gap cilium-1.18.3-fqdn",
        "flannel-0.20.2-rbac flannel-0.21-clustercidr",
    ];
    overlaps.sort();
    assert_eq!(overlaps, known);
}

#[test]
fn every_kind_is_used() {
    let facts = Facts::builtin();
    let used: BTreeSet<Kind> = facts.all_rules().iter().map(|rule| rule.kind).collect();
    assert_eq!(used, Kind::ALL.iter().copied().collect());
}

/// The language has no word that nobody uses.
#[test]
fn every_condition_is_used() {
    let facts = Facts::builtin();
    let rules = facts.all_rules();
    let used: BTreeSet<&str> =
        rules.iter().flat_map(|rule| rule.when.all()).map(|condition| condition.name()).collect();
    let unused: Vec<&str> = CONDITIONS.iter().map(|(name, _)| *name).filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, Vec::<&str>::new());
}

#[test]
fn policy_features_exist_and_are_used() {
    let facts = Facts::builtin();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for rule in facts.all_rules() {
        for condition in rule.when.all().iter().filter(|condition| condition.name() == "policy_uses") {
            used.insert(condition.to_string().rsplit(' ').next().unwrap().to_owned());
        }
    }
    let known: BTreeSet<String> = facts.policy_features().iter().map(|feature| feature.id.clone()).collect();
    assert_eq!(used.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    // Rules of the user's own may ask for these.
    let spare: Vec<&String> = known.difference(&used).collect();
    assert_eq!(spare, ["adminnetworkpolicy", "authentication"]);
}

#[test]
fn a_renamed_value_says_into_what() {
    let facts = Facts::builtin();
    for rule in facts.all_rules().into_iter().filter(|rule| rule.replacement.is_some()) {
        assert!([Kind::HelmValueRenamed, Kind::HelmValueRemoved].contains(&rule.kind), "{}", rule.id);
    }
    for rule in facts.all_rules() {
        assert_eq!(rule.default_from.is_some(), rule.default_to.is_some(), "{}", rule.id);
        assert!(rule.default_from.is_none() || rule.kind == Kind::DefaultChanged, "{}", rule.id);
        for value in rule.default_from.iter().chain(&rule.default_to) {
            assert!(serde_yaml::from_str::<serde_yaml::Value>(value).is_ok(), "{}: {value} is cut off", rule.id);
        }
    }
}

#[test]
fn incidents_refer_to_rules_and_migrations() {
    let facts = Facts::builtin();
    let migrations: Vec<&str> = facts.migrations().iter().map(|one| one.id.as_str()).collect();
    let numbers: Vec<u32> = facts.incidents().iter().map(|incident| incident.id).collect();
    assert_eq!(numbers, (1..=30).collect::<Vec<u32>>());
    for incident in facts.incidents() {
        assert!(incident.rules.iter().all(|id| facts.rule(id).is_some()), "{}: {:?}", incident.id, incident.rules);
        assert!(incident.migrations.iter().all(|id| migrations.contains(&id.as_str())), "{}", incident.id);
        assert!(
            !incident.rules.is_empty() || !incident.migrations.is_empty() || incident.note.is_some(),
            "{}",
            incident.id
        );
    }
}

/// Versions at and around every border that a rule has.
fn versions() -> Vec<Version> {
    let facts = Facts::builtin();
    let mut versions = BTreeSet::new();
    for rule in facts.all_rules() {
        versions.extend(around(&rule.from));
        versions.extend(around(&rule.to));
    }
    versions.into_iter().collect()
}

/// Versions named in a range, and their neighbours.
fn around(range: &Range) -> Vec<Version> {
    let names = range.as_str().split([',', ' ']).map(|part| part.trim_start_matches(['<', '>', '=']));
    let named = names.filter_map(|name| Version::parse(name).ok());
    named
        .flat_map(|version| {
            let (major, minor, patch) = (version.major(), version.minor(), version.patch());
            let before = match (minor, patch) {
                (0, 0) => version.clone(),
                (_, 0) => Version::new(major, minor - 1, 9),
                _ => Version::new(major, minor, patch - 1),
            };
            [before, version, Version::new(major, minor, patch + 1)]
        })
        .collect()
}

/// Pairs of versions that a rule covers.
fn pairs(rule: &Rule) -> Vec<(Version, Version)> {
    let or_any =
        |list: Vec<Version>| if list.is_empty() { vec![Version::new(1, 18, 0), Version::new(3, 30, 0)] } else { list };
    let (froms, tos) = (or_any(around(&rule.from)), or_any(around(&rule.to)));
    let all = froms.iter().flat_map(|from| tos.iter().map(move |to| (from.clone(), to.clone())));
    all.filter(|(from, to)| from != to && rule.covers(from, to)).collect()
}
