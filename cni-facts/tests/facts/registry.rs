//! What every file of facts has to fulfil, beyond what reading it checks.

use std::collections::BTreeSet;
use std::path::Path;

use cni_facts::{Expect, Facts, Forwarding, Role};

use crate::cluster;

#[test]
fn every_file_is_registered_under_its_own_id() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let ids: Vec<String> = Facts::builtin().all().iter().map(|cni| cni.id.clone()).collect();
    let described = |name: &String| data.join(name).join("cni.yaml").exists();
    assert_eq!(ids, cluster::folders(&data).into_iter().filter(described).collect::<Vec<_>>());
    for id in &ids {
        let text = std::fs::read_to_string(data.join(id).join("cni.yaml")).unwrap();
        assert!(text.contains(&format!("\nid: {id}\n")), "data/{id}/cni.yaml has another id");
    }
}

/// Every file below `data/` is compiled in, and nothing that is not there.
#[test]
fn every_file_is_compiled_in() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(crate_folder.join("src/builtin.rs")).unwrap();
    let mut folders = vec![crate_folder.join("data")];
    let (mut found, mut missing) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(crate_folder).unwrap().display().to_string();
            match path.is_dir() {
                true => folders.push(path),
                false if name.ends_with(".yaml") => {
                    found += 1;
                    if !list.contains(&format!("packed!(\"{name}\")")) {
                        missing.push(name);
                    }
                }
                false => {}
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(list.matches("packed!(\"").count(), found);
}

/// Ids are frozen once released: renaming or removing one shows up here.
#[test]
fn ids_are_frozen() {
    let ids: Vec<String> = Facts::builtin().all().iter().map(|cni| cni.id.clone()).collect();
    let frozen = "antrea aws-vpc-cni azure-cni calico-manifest calico-operator canal cilium flannel gke-dataplane-v2 \
                  kindnet kube-ovn kube-router multus ovn-kubernetes spiderpool weave";
    assert_eq!(ids.join(" "), frozen);
}

#[test]
fn ids_and_names_are_unique() {
    let facts = Facts::builtin();
    let ids: BTreeSet<&str> = facts.all().iter().map(|cni| cni.id.as_str()).collect();
    let names: BTreeSet<&str> = facts.all().iter().map(|cni| cni.name.as_str()).collect();
    assert_eq!(ids.len(), facts.all().len());
    assert_eq!(names.len(), facts.all().len());
}

#[test]
fn texts_are_not_empty() {
    for cni in Facts::builtin().all() {
        let mut texts: Vec<&str> = vec![&cni.name];
        texts.extend(cni.sources.iter().map(String::as_str));
        texts.extend(cni.install_methods.iter().map(String::as_str));
        texts.extend(cni.while_agent_down.stops.iter().map(String::as_str));
        texts.extend(cni.network_policy.rules.iter().map(|rule| rule.note.as_str()));
        assert!(texts.iter().all(|text| !text.trim().is_empty()), "{}", cni.id);
    }
}

/// Patterns match a repository, so they must end where it ends and start at one of its components.
#[test]
fn image_patterns_are_anchored() {
    for cni in Facts::builtin().all() {
        for image in cni.detect.agents.iter().filter_map(|rule| rule.image.as_ref()) {
            let pattern = image.as_str();
            assert!(pattern.starts_with("(?:^|/)") && pattern.ends_with('$'), "{}: {pattern}", cni.id);
        }
        for tag in cni.detect.agents.iter().filter_map(|rule| rule.tag.as_ref()) {
            assert!(tag.as_str().contains("(?P<version>"), "{}: {}", cni.id, tag.as_str());
        }
    }
}

/// A policy condition about another workload is about one that is looked for.
#[test]
fn policy_conditions_refer_to_companions() {
    for cni in Facts::builtin().all() {
        for rule in &cni.network_policy.rules {
            if let Some(name) = &rule.condition.companion {
                assert!(cni.detect.companions.iter().any(|companion| companion.name == *name), "{}: {name}", cni.id);
            }
        }
    }
}

#[test]
fn partial_forwarding_says_which_part() {
    for cni in Facts::builtin().all() {
        let down = &cni.while_agent_down;
        assert!(down.forwarding != Forwarding::Partly || down.why.is_some(), "{}", cni.id);
    }
}

#[test]
fn meta_cnis_enforce_nothing() {
    for cni in Facts::builtin().all().iter().filter(|cni| cni.role == Role::Meta) {
        assert_eq!(cni.network_policy.expect, Expect::DoesNot, "{}", cni.id);
    }
}

#[test]
fn at_most_one_encapsulation_is_the_default() {
    for cni in Facts::builtin().all() {
        let defaults = cni.encapsulation.iter().filter(|encapsulation| encapsulation.default == Some(true)).count();
        assert!(defaults <= 1, "{}", cni.id);
    }
}

/// A tunnel's port is among the ports, so that a hint about it finds its protocol.
#[test]
fn tunnel_ports_are_listed() {
    for cni in Facts::builtin().all() {
        for port in cni.encapsulation.iter().filter_map(|encapsulation| encapsulation.port) {
            assert!(cni.ports.iter().any(|listed| listed.port == port), "{}: {port}", cni.id);
        }
    }
}
