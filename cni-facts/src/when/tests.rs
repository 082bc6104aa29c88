//! Every condition, once where it holds and once where it does not. A condition without a case here fails a test.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::situation::{
    CrdSeen, HostSeen, InstallMethod, IptablesChains, NodeSeen, Objects, Part, Target, Values, WorkloadState,
};

/// The situation a case starts from and what it changes there.
type Change = fn(&mut Situation);

struct Case {
    when: &'static str,
    holds: Change,
    does_not: Change,
}

fn condition(yaml: &str) -> Condition {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{yaml}: {error}"))
}

fn support() -> Support {
    serde_yaml::from_str(
        "{schema: 1, applies_to: [x], as_of: 2026-11, policy: {source: s}, minors: [
          {minor: '1.18', tested_kubernetes: ['1.32'], state: eol, last_patch: 1.18.9, source: s},
          {minor: '1.19', tested_kubernetes: ['1.33', '1.34'], state: maintained, source: s},
          {minor: '1.20', state: maintained, source: s}]}",
    )
    .unwrap()
}

fn features() -> Vec<PolicyFeature> {
    let file: crate::policy_feature::PolicyFeatures = serde_yaml::from_str(
        "{schema: 1, policy_features: [{id: dns, what: w, resources: [nps], signs: [{filled: toFQDNs}]}]}",
    )
    .unwrap();
    file.policy_features
}

fn defaults() -> Defaults {
    serde_yaml::from_str("{schema: 1, charts: '*', source: s, confidence: high, defaults: {on: [{charts: '>=1.19.0', value: true}], off: [{charts: '*', value: false}], gone: [{charts: '*'}]}}").unwrap()
}

fn answer_for(yaml: &str, from: &str, to: &str, change: Change) -> Truth {
    let mut situation = Situation::default();
    change(&mut situation);
    let (from, to) = (Version::parse(from).unwrap(), Version::parse(to).unwrap());
    let (support, features, defaults) = (support(), features(), defaults());
    let look = Look {
        situation: &situation,
        hop: (&from, &to),
        whole: (&from, &to),
        support: Some(&support),
        defaults: Some(&defaults),
        features: &features,
    };
    condition(yaml).answer(&look)
}

fn answer(yaml: &str, change: Change) -> Truth {
    answer_for(yaml, "1.18.4", "1.19.6", change)
}

fn user(situation: &mut Situation, values: Value) {
    situation.values = Part::Known(Values { user: values, target_defaults: Part::default() });
}

fn node(situation: &mut Situation, change: impl Fn(&mut NodeSeen)) {
    let mut node = NodeSeen {
        name: "n1".to_owned(),
        kernel: "6.1.0".to_owned(),
        os_image: "Debian 12".to_owned(),
        ..NodeSeen::default()
    };
    change(&mut node);
    situation.nodes = Part::Known(vec![node]);
}

fn host(situation: &mut Situation, change: impl Fn(&mut HostSeen)) {
    let mut host = HostSeen::default();
    change(&mut host);
    situation.hosts.insert("n1".to_owned(), host);
}

fn config(situation: &mut Situation, name: &str, data: &[(&str, &str)]) {
    situation.configmaps.insert(name.to_owned(), Part::Known(map(data)));
}

fn target_config(situation: &mut Situation, name: &str, data: &[(&str, &str)]) {
    situation.target.configmaps = Part::Known(BTreeMap::from([(name.to_owned(), map(data))]));
}

fn objects(situation: &mut Situation, resource: &str, list: &[Value]) {
    situation.objects.insert(resource.to_owned(), Part::Known(Objects::Listed(list.to_vec())));
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn agent(selector: &[(&str, &str)]) -> WorkloadState {
    WorkloadState {
        kind: "DaemonSet".to_owned(),
        namespace: "ns".to_owned(),
        name: "agent".to_owned(),
        own: true,
        selector: map(selector),
        ..WorkloadState::default()
    }
}

fn workloads(situation: &mut Situation, list: &[WorkloadState]) {
    situation.workloads = Part::Known(list.to_vec());
}

fn rendered(list: &[WorkloadState]) -> Target {
    Target { workloads: Part::Known(list.to_vec()), ..Target::default() }
}

fn crd(situation: &mut Situation, name: &str, served: &[&str], stored: &[&str]) {
    let seen = CrdSeen { served: set(served), stored: stored.iter().map(|one| (*one).to_owned()).collect() };
    situation.crds = Part::Known(BTreeMap::from([(name.to_owned(), seen)]));
}

const CASES: &[Case] = &[
    Case {
        when: "all: [{value_unset: a}, {value_unset: b}]",
        holds: |s| user(s, json!({})),
        does_not: |s| user(s, json!({"b": 1})),
    },
    Case {
        when: "any: [{value_unset: a}, {value_unset: b}]",
        holds: |s| user(s, json!({"a": 1})),
        does_not: |s| user(s, json!({"a": 1, "b": 1})),
    },
    Case { when: "not: {value_unset: a}", holds: |s| user(s, json!({"a": 1})), does_not: |s| user(s, json!({})) },
    Case {
        when: r"value_set_any: [a.b, 'x.kubernetes\.io/os']",
        holds: |s| user(s, json!({"x": {"kubernetes.io/os": false}})),
        does_not: |s| user(s, json!({"a": {"b": null, "c": 1}, "x": {"kubernetes": {"io/os": 1}}})),
    },
    Case {
        when: "value_truthy_any: [a.b, off]",
        holds: |s| user(s, json!({"a": {"b": "x"}})),
        does_not: |s| user(s, json!({"a": {"b": 0}})),
    },
    Case { when: "value_truthy_any: [on]", holds: |s| user(s, json!({})), does_not: |s| user(s, json!({"on": null})) },
    Case {
        when: "value_unset: a.b",
        holds: |s| user(s, json!({"a": {"c": 1}})),
        does_not: |s| user(s, json!({"a": null})),
    },
    Case {
        when: "value_equals: {path: a, value: false}",
        holds: |s| user(s, json!({"a": false})),
        does_not: |s| user(s, json!({"a": "false"})),
    },
    Case {
        when: "value_in: {path: a, values: [ipsec, null]}",
        holds: |s| user(s, json!({})),
        does_not: |s| user(s, json!({"a": "wireguard"})),
    },
    Case {
        when: "value_in: {path: a, values: [255, 511]}",
        holds: |s| user(s, json!({"a": 255.0})),
        does_not: |s| user(s, json!({})),
    },
    Case {
        when: "value_not_in_any: {paths: [a, b], values: [Local, null]}",
        holds: |s| user(s, json!({"b": "Other"})),
        does_not: |s| user(s, json!({"a": "Local"})),
    },
    Case {
        when: r"value_matches: {path: a, regex: '\+'}",
        holds: |s| user(s, json!({"a": ["eth0", "eth+"]})),
        does_not: |s| user(s, json!({"a": "eth0"})),
    },
    Case {
        when: "value_not_matches: {path: a, regex: '^[a-z]+$'}",
        holds: |s| user(s, json!({"a": "A_1"})),
        does_not: |s| user(s, json!({})),
    },
    Case {
        when: "value_len_gt: {path: a, len: 3}",
        holds: |s| user(s, json!({"a": "äbcd"})),
        does_not: |s| user(s, json!({"a": "äöü"})),
    },
    Case { when: "value_nonzero: a", holds: |s| user(s, json!({"a": "7"})), does_not: |s| user(s, json!({"a": "0"})) },
    Case {
        when: "value_int_in_ranges: {path: a, ranges: [[128, 255], [384, 511]]}",
        holds: |s| user(s, json!({"a": 384})),
        does_not: |s| user(s, json!({"a": 256})),
    },
    Case {
        when: "value_is_scalar: a",
        holds: |s| user(s, json!({"a": ["x"]})),
        does_not: |s| user(s, json!({"a": {"x": 1}})),
    },
    Case {
        when: "value_semver_lt: {path: a, version: 1.16.0}",
        holds: |s| user(s, json!({"a": "1.15"})),
        does_not: |s| user(s, json!({"a": "1.16"})),
    },
    Case {
        when: "env_name_in: {path: extraEnv, names: [A, B]}",
        holds: |s| user(s, json!({"extraEnv": [{"name": "B", "value": "1"}]})),
        does_not: |s| user(s, json!({"extraEnv": [{"name": "C", "value": "A"}]})),
    },
    Case {
        when: "config_key_set_any: {configmap: c, keys: [a, b]}",
        holds: |s| config(s, "c", &[("b", "")]),
        does_not: |s| config(s, "c", &[("d", "1")]),
    },
    Case {
        when: "config_equals: {configmap: c, key: a, value: 'true'}",
        holds: |s| config(s, "c", &[("a", "true")]),
        does_not: |s| config(s, "c", &[("a", "false")]),
    },
    Case {
        when: "config_equals: {configmap: c, file: f.yaml, key: a.mode, value: nftables}",
        holds: |s| config(s, "c", &[("f.yaml", "a:\n  mode: nftables\n")]),
        does_not: |s| {
            s.configmaps.insert("c".to_owned(), Part::Absent);
        },
    },
    Case {
        when: "config_differs_from_target: {configmap: c, file: n.json, key: Backend.Type}",
        holds: |s| {
            config(s, "c", &[("n.json", r#"{"Backend": {"Type": "vxlan"}}"#)]);
            target_config(s, "c", &[("n.json", r#"{"Backend": {"Type": "host-gw"}}"#)]);
        },
        does_not: |s| {
            config(s, "c", &[("n.json", r#"{"Backend": {"Type": "vxlan", "Port": 1}}"#)]);
            target_config(s, "c", &[("n.json", r#"{"Backend": {"Type": "vxlan"}}"#)]);
        },
    },
    Case {
        when: "objects_exist_any: [a.x, b.x]",
        holds: |s| {
            s.objects.insert("b.x".to_owned(), Part::Known(Objects::Count(1)));
        },
        does_not: |s| {
            s.objects.insert("a.x".to_owned(), Part::Absent);
            objects(s, "b.x", &[]);
        },
    },
    Case {
        when: "object_field: {resource: [a.x, b.x], jsonpath: spec.tier, equals: old}",
        holds: |s| {
            objects(s, "a.x", &[]);
            objects(s, "b.x", &[json!({"spec": {"tier": "old"}})]);
        },
        does_not: |s| {
            objects(s, "a.x", &[json!({"spec": {"tier": "new"}})]);
            objects(s, "b.x", &[]);
        },
    },
    Case {
        when: r"object_field: {resource: pods, jsonpath: 'metadata.annotations.a\.b/c', present: true}",
        holds: |s| objects(s, "pods", &[json!({"metadata": {"name": "p", "annotations": {"a.b/c": ""}}})]),
        does_not: |s| objects(s, "pods", &[json!({"metadata": {"name": "p", "annotations": {"a": {"b/c": ""}}}})]),
    },
    Case {
        when: "object_field: {resource: pools, jsonpath: spec.first, absent: true}",
        holds: |s| objects(s, "pools", &[json!({"spec": {"first": "No"}}), json!({"spec": {}})]),
        does_not: |s| objects(s, "pools", &[]),
    },
    Case {
        when: "object_field: {resource: a, jsonpath: 'v[].w', matches: '^x', startswith: xy}",
        holds: |s| objects(s, "a", &[json!({"v": [{"w": "a"}, {"w": "xyz"}]})]),
        does_not: |s| objects(s, "a", &[json!({"v": [{"w": "xa"}]})]),
    },
    Case {
        when: "owner_reference: group/v3",
        holds: |s| s.owner_api_versions = Part::Known(set(&["apps/v1", "group/v3"])),
        does_not: |s| s.owner_api_versions = Part::Known(set(&["apps/v1", "group/v2"])),
    },
    Case { when: "crd_missing: a.x", holds: |s| crd(s, "b.x", &[], &[]), does_not: |s| crd(s, "a.x", &["v1"], &[]) },
    Case {
        when: "crd_version_missing: {crd: a.x, version: v1}",
        holds: |s| crd(s, "a.x", &["v1beta1"], &[]),
        does_not: |s| crd(s, "a.x", &["v1"], &[]),
    },
    Case {
        when: "crd_stored_versions_gt: {group: x, n: 1}",
        holds: |s| crd(s, "a.x", &[], &["v1", "v2"]),
        does_not: |s| crd(s, "a.x.y", &[], &["v1", "v2"]),
    },
    Case {
        when: "api_group_version_missing: g/v1",
        holds: |s| s.apis = Part::Known(set(&["g/v2"])),
        does_not: |s| s.apis = Part::Known(set(&["g/v1"])),
    },
    Case {
        when: "policy_uses: dns",
        holds: |s| objects(s, "nps", &[json!({"specs": [{"egress": [{"toFQDNs": [{"matchName": "a"}]}]}]})]),
        does_not: |s| objects(s, "nps", &[json!({"spec": {"egress": [{"toFQDNs": []}]}, "status": {"toFQDNs": [1]}})]),
    },
    Case {
        when: "node_kernel_lt: {version: '5.10', rhel: {min: '8.10', kernel: '4.18'}}",
        holds: |s| node(s, |n| n.kernel = "5.4.0-200".to_owned()),
        does_not: |s| {
            node(s, |n| {
                (n.kernel, n.os_image) =
                    ("4.18.0-553.el8_10.x86_64".to_owned(), "Rocky Linux 8.10 (Green Obsidian)".to_owned())
            })
        },
    },
    Case {
        when: "node_kernel_ge: '6.6'",
        holds: |s| node(s, |n| n.kernel = "6.6.0".to_owned()),
        does_not: |s| node(s, |n| n.kernel = "6.5.9".to_owned()),
    },
    Case {
        when: "node_os_matches: 'Ubuntu 2[2-9]'",
        holds: |s| node(s, |n| n.os_image = "Ubuntu 22.04 LTS".to_owned()),
        does_not: |s| node(s, |_| ()),
    },
    Case { when: "node_count_gt: 0", holds: |s| node(s, |_| ()), does_not: |s| s.nodes = Part::Known(Vec::new()) },
    Case {
        when: "node_pods_free_lt: 1",
        holds: |s| node(s, |n| n.pods_free = Some(0)),
        does_not: |s| node(s, |n| n.pods_free = Some(1)),
    },
    Case {
        when: "node_address_in: [{resource: pools, jsonpath: 'spec.blocks[]'}, {resource: services, jsonpath: 'ip'}]",
        holds: |s| {
            node(s, |n| n.addresses = vec!["192.0.2.7".parse().unwrap()]);
            objects(
                s,
                "pools",
                &[json!({"spec": {"blocks": [{"cidr": "10.0.0.0/8"}, {"start": "192.0.2.1", "stop": "192.0.2.9"}]}})],
            );
        },
        does_not: |s| {
            node(s, |n| n.addresses = vec!["192.0.2.7".parse().unwrap()]);
            objects(s, "pools", &[json!({"spec": {"blocks": [{"start": "192.0.2.8"}]}})]);
            objects(s, "services", &[json!({"ip": "192.0.2.70"})]);
        },
    },
    Case {
        when: "pod_cidr_outside_target: {configmap: c, file: n.json, keys: [Network]}",
        holds: |s| {
            node(s, |n| n.pod_cidrs = vec!["10.42.1.0/24".to_owned()]);
            target_config(s, "c", &[("n.json", r#"{"Network": "10.244.0.0/16"}"#)]);
        },
        does_not: |s| {
            node(s, |n| n.pod_cidrs = vec!["10.244.1.0/24".to_owned()]);
            target_config(s, "c", &[("n.json", r#"{"Network": "10.244.0.0/16"}"#)]);
        },
    },
    Case {
        when: "k8s_minor_not_in: tested",
        holds: |s| s.kubernetes = Part::Known(Version::new(1, 35, 2)),
        does_not: |s| s.kubernetes = Part::Known(Version::new(1, 34, 9)),
    },
    Case {
        when: "k8s_minor_not_in: ['1.33']",
        holds: |s| s.kubernetes = Part::Known(Version::new(1, 34, 0)),
        does_not: |s| s.kubernetes = Part::Known(Version::new(1, 33, 5)),
    },
    Case {
        when: "k8s_lt: '1.21'",
        holds: |s| s.kubernetes = Part::Known(Version::new(1, 20, 15)),
        does_not: |s| s.kubernetes = Part::Known(Version::new(1, 21, 0)),
    },
    Case {
        when: "daemonset_exists: {namespace: ns, name: agent}",
        holds: |s| workloads(s, &[agent(&[])]),
        does_not: |s| workloads(s, &[WorkloadState { kind: "Deployment".to_owned(), ..agent(&[]) }]),
    },
    Case {
        when: "daemonset_selector_differs: {namespace: ns, name: agent, target: {app: a, k8s-app: a}}",
        holds: |s| workloads(s, &[agent(&[("app", "a")])]),
        does_not: |s| workloads(s, &[agent(&[("app", "a"), ("k8s-app", "a")])]),
    },
    Case {
        when: "daemonset_selector_differs: {namespace: any, name: any, target: rendered}",
        holds: |s| {
            workloads(s, &[agent(&[("app", "a")])]);
            s.target = rendered(&[agent(&[("app", "b")])]);
        },
        does_not: |s| {
            workloads(s, &[agent(&[("app", "a")])]);
            s.target = rendered(&[WorkloadState { name: "other".to_owned(), ..agent(&[("app", "b")]) }]);
        },
    },
    Case {
        when: "agent_update_strategy: OnDelete",
        holds: |s| workloads(s, &[WorkloadState { update_strategy: Some("OnDelete".to_owned()), ..agent(&[]) }]),
        does_not: |s| {
            workloads(s, &[WorkloadState { update_strategy: Some("OnDelete".to_owned()), own: false, ..agent(&[]) }])
        },
    },
    Case {
        when: "agent_max_unavailable_gt: 1",
        holds: |s| workloads(s, &[WorkloadState { max_unavailable: Some("10%".to_owned()), ..agent(&[]) }]),
        does_not: |s| workloads(s, &[WorkloadState { max_unavailable: Some("1".to_owned()), ..agent(&[]) }]),
    },
    Case {
        when: "install_method: cilium-cli-classic",
        holds: |s| s.install = Part::Known(InstallMethod::CiliumCliClassic),
        does_not: |s| s.install = Part::Known(InstallMethod::Helm),
    },
    Case {
        when: "helm_flag: reuse-values",
        holds: |s| s.helm_flags = Part::Known(set(&["reuse-values"])),
        does_not: |s| s.helm_flags = Part::Known(set(&["reset-then-reuse-values"])),
    },
    Case {
        when: "host: {file: /f, present: true}",
        holds: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Known(String::new()))),
        does_not: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Absent)),
    },
    Case {
        when: "host: {file: /f, matches: '^a'}",
        holds: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Known("ab".to_owned()))),
        does_not: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Absent)),
    },
    Case {
        when: r"host: {file: /f, lacks: '(?m)^Manage=no$'}",
        holds: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Known("#Manage=no\n".to_owned()))),
        does_not: |s| host(s, |h| _ = h.files.insert("/f".to_owned(), Part::Known("[N]\nManage=no\n".to_owned()))),
    },
    Case {
        when: "host: {iface: weave, present: true}",
        holds: |s| host(s, |h| h.interfaces = Part::Known(set(&["weave"]))),
        does_not: |s| host(s, |h| h.interfaces = Part::Known(set(&["eth0"]))),
    },
    Case {
        when: "host: {iptables_chain: OLD-FWD, present: true}",
        holds: |s| {
            host(s, |h| {
                h.iptables = Part::Known(IptablesChains { nft: set(&["OLD-FWD"]), ..IptablesChains::default() })
            })
        },
        does_not: |s| {
            host(s, |h| {
                h.iptables = Part::Known(IptablesChains { nft: set(&["FORWARD"]), ..IptablesChains::default() })
            })
        },
    },
    Case {
        when: "host: {iptables_variants: both}",
        holds: |s| host(s, |h| h.iptables = Part::Known(IptablesChains { nft: set(&["A"]), legacy: set(&["B"]) })),
        does_not: |s| {
            host(s, |h| h.iptables = Part::Known(IptablesChains { nft: set(&["A"]), ..IptablesChains::default() }))
        },
    },
    Case {
        when: "host: {nft_table: t, absent: true}",
        holds: |s| host(s, |h| h.nft_tables = Part::Known(set(&[]))),
        does_not: |s| host(s, |h| h.nft_tables = Part::Known(set(&["t"]))),
    },
    Case {
        when: "host: {sysctl: net.x, equals: '1'}",
        holds: |s| host(s, |h| _ = h.sysctls.insert("net.x".to_owned(), Part::Known("1\n".to_owned()))),
        does_not: |s| host(s, |h| _ = h.sysctls.insert("net.x".to_owned(), Part::Known("0\n".to_owned()))),
    },
    Case {
        when: "host: {mount: /sys/fs/bpf, absent: true}",
        holds: |s| host(s, |h| h.mounts = Part::Known(set(&["/"]))),
        does_not: |s| host(s, |h| h.mounts = Part::Known(set(&["/sys/fs/bpf"]))),
    },
    Case {
        when: "host: {port: 8081, in_use: true}",
        holds: |s| {
            host(s, |h| h.ports_in_use = Part::Known(BTreeSet::from([8081])));
            workloads(s, &[agent(&[])]);
        },
        does_not: |s| {
            host(s, |h| h.ports_in_use = Part::Known(BTreeSet::from([8081])));
            workloads(s, &[WorkloadState { host_ports: BTreeSet::from([8081]), ..agent(&[]) }]);
        },
    },
    Case {
        when: "host: {port_of_target: true, in_use: true}",
        holds: |s| {
            host(s, |h| h.ports_in_use = Part::Known(BTreeSet::from([9964, 22])));
            workloads(s, &[agent(&[])]);
            s.target = rendered(&[WorkloadState { host_ports: BTreeSet::from([9964]), ..agent(&[]) }]);
        },
        does_not: |s| {
            host(s, |h| h.ports_in_use = Part::Known(BTreeSet::from([22])));
            workloads(s, &[agent(&[])]);
            s.target = rendered(&[WorkloadState { host_ports: BTreeSet::from([9964]), ..agent(&[]) }]);
        },
    },
    Case {
        when: "host: {main_cni_files_gt: 1}",
        holds: |s| {
            host(s, |h| h.main_cni_files = Part::Known(vec!["05-a.conflist".to_owned(), "10-b.conflist".to_owned()]))
        },
        does_not: |s| host(s, |h| h.main_cni_files = Part::Known(vec!["05-a.conflist".to_owned()])),
    },
    Case {
        when: "target_image_not_pullable: true",
        holds: |s| s.target.images_not_pulled = Part::Known(set(&["q/a:1"])),
        does_not: |s| s.target.images_not_pulled = Part::Known(set(&[])),
    },
];

/// Conditions that look at the step alone.
const OF_THE_STEP: &[&str] = &["always", "minor_hop_gt", "running_lt"];

#[test]
fn each_holds_where_it_should() {
    for case in CASES {
        let truth = answer(case.when, case.holds);
        assert!(matches!(&truth, Truth::Holds { because } if !because.is_empty()), "{}: {truth:?}", case.when);
    }
}

#[test]
fn each_does_not_hold_where_it_should_not() {
    for case in CASES {
        let truth = answer(case.when, case.does_not);
        assert!(matches!(&truth, Truth::DoesNotHold { because } if !because.is_empty()), "{}: {truth:?}", case.when);
    }
}

/// Nobody looked at anything: no condition may call that "no", or "yes".
#[test]
fn without_evidence_each_is_unknown() {
    for case in CASES {
        let truth = answer(case.when, |_| ());
        assert!(matches!(&truth, Truth::Unknown { why } if !why.is_empty()), "{}: {truth:?}", case.when);
    }
}

#[test]
fn every_condition_has_cases() {
    let mut tried: BTreeSet<&str> = OF_THE_STEP.iter().copied().collect();
    for case in CASES {
        tried.extend(condition(case.when).all().iter().map(|condition| condition.name()));
    }
    assert_eq!(tried, NAMES.iter().copied().collect());
}

#[test]
fn each_names_its_needs_and_itself_in_words() {
    for case in CASES.iter().filter(|case| !case.when.starts_with("policy_uses")) {
        let condition = condition(case.when);
        assert!(!condition.needs().is_empty(), "{}", case.when);
        assert!(condition.to_string().len() > 10, "{}: {condition}", case.when);
    }
}

#[test]
fn of_the_step() {
    let minor = |from, to| matches!(answer_for("minor_hop_gt: 1", from, to, |_| ()), Truth::Holds { .. });
    assert!(minor("1.17.0", "1.19.0") && minor("1.19.0", "1.17.0") && minor("1.19.0", "2.0.0"));
    assert!(!minor("1.18.0", "1.19.6") && !minor("1.19.0", "1.18.0"));
    let running = |from, when| answer_for(when, from, "1.20.0", |_| ());
    assert!(matches!(running("1.18.4", "running_lt: latest-patch"), Truth::Holds { .. }));
    assert!(matches!(running("1.18.9", "running_lt: latest-patch"), Truth::DoesNotHold { .. }));
    assert!(matches!(running("1.19.4", "running_lt: latest-patch"), Truth::Unknown { .. }));
    assert!(matches!(running("1.18.4", "running_lt: 1.18.5"), Truth::Holds { .. }));
    assert!(matches!(running("1.18.5", "running_lt: 1.18.5"), Truth::DoesNotHold { .. }));
    assert!(matches!(answer("always: true", |_| ()), Truth::Holds { .. }));
}

/// What was read in part, or cannot be read, is unknown as well.
#[test]
fn half_evidence_is_unknown() {
    let cases: &[(&str, Change)] = &[
        ("value_truthy_any: [nobody.knows]", |s| user(s, json!({}))),
        ("value_set_any: [a]", |s| s.values = Part::Absent),
        ("value_semver_lt: {path: a, version: 1.16.0}", |s| user(s, json!({"a": "old"}))),
        ("env_name_in: {path: a, names: [A]}", |s| user(s, json!({"a": {"A": 1}}))),
        ("config_equals: {configmap: c, file: f, key: k, value: v}", |s| config(s, "c", &[("f", "{")])),
        ("object_field: {resource: a, jsonpath: x, absent: true}", |s| {
            s.objects.insert("a".to_owned(), Part::Known(Objects::Count(3)));
        }),
        ("objects_exist_any: [a, b]", |s| objects(s, "a", &[])),
        ("node_kernel_lt: {version: '5.10'}", |s| node(s, |n| n.kernel = "custom".to_owned())),
        ("node_pods_free_lt: 1", |s| node(s, |_| ())),
        ("k8s_minor_not_in: tested", |s| s.kubernetes = Part::Absent),
        ("policy_uses: nobody-knows", |s| objects(s, "nps", &[])),
        ("host: {port: 8081, in_use: true}", |s| host(s, |h| h.ports_in_use = Part::Known(BTreeSet::from([8081])))),
        ("daemonset_selector_differs: {namespace: any, name: any, target: rendered}", |s| workloads(s, &[agent(&[])])),
        ("value_matches: {path: a, regex: x}", |s| {
            s.values = Part::Unknown("no permission to list secrets".to_owned())
        }),
    ];
    for (when, change) in cases {
        let truth = answer(when, *change);
        assert!(matches!(truth, Truth::Unknown { .. }), "{when}: {truth:?}");
    }
}

/// With several nodes one that is so is enough, and one that cannot be told leaves a "no" open.
#[test]
fn nodes_and_hosts_are_any() {
    let two = |second: &str| {
        let kernels = ["6.1.0", second];
        let list = kernels.map(|kernel| NodeSeen {
            name: kernel.to_owned(),
            kernel: kernel.to_owned(),
            ..NodeSeen::default()
        });
        Part::Known(list.to_vec())
    };
    let judge = |nodes: Part<Vec<NodeSeen>>| {
        let situation = Situation { nodes, ..Situation::default() };
        let version = Version::new(1, 19, 0);
        let look = Look {
            situation: &situation,
            hop: (&version, &version),
            whole: (&version, &version),
            support: None,
            defaults: None,
            features: &[],
        };
        condition("node_kernel_lt: {version: '5.10'}").answer(&look)
    };
    assert!(matches!(judge(two("5.4.0")), Truth::Holds { because } if because.contains("5.4.0")));
    assert!(matches!(judge(two("6.2.0")), Truth::DoesNotHold { .. }));
    assert!(matches!(judge(two("odd")), Truth::Unknown { why } if why.contains("odd")));
}

#[test]
fn the_targets_own_defaults_win() {
    let with = |own: Value| {
        let situation = Situation {
            values: Part::Known(Values { user: json!({}), target_defaults: Part::Known(own) }),
            ..Situation::default()
        };
        let (from, to, support, defaults) = (Version::new(1, 18, 0), Version::new(1, 19, 0), support(), defaults());
        let look = Look {
            situation: &situation,
            hop: (&from, &to),
            whole: (&from, &to),
            support: Some(&support),
            defaults: Some(&defaults),
            features: &[],
        };
        condition("value_truthy_any: [on]").answer(&look)
    };
    assert!(matches!(with(json!({"on": false})), Truth::DoesNotHold { .. }));
    assert!(matches!(with(json!({})), Truth::DoesNotHold { .. }));
    assert!(matches!(with(json!({"on": "x"})), Truth::Holds { .. }));
}

#[test]
fn mistakes_are_named() {
    let cases = [
        ("value_sett_any: [a]", "`value_sett_any` is not a condition, expected one of always, all"),
        ("{value_unset: a, always: true}", "a condition has one name, here are `value_unset` and `always`"),
        ("{}", "a condition needs a name"),
        ("always: false", "expected true"),
        ("all: []", "expected at least one entry"),
        ("value_unset: a..b", "is not a path of values"),
        ("value_equals: {path: a}", "missing field `value`"),
        ("value_equals: {path: a, value: 1, or: 2}", "unknown field `or`"),
        ("value_matches: {path: a, regex: '['}", "bad pattern"),
        ("value_semver_lt: {path: a, version: new}", "is not a version"),
        ("object_field: {resource: a, jsonpath: 'a[0]', present: true}", "is not a path"),
        ("install_method: snap", "unknown variant `snap`"),
        ("host: {file: /f}", "needs one of `present: true` and `absent: true`"),
        ("host: {port: 80, present: true}", "`port` needs `in_use: true`"),
        ("host: {present: true}", "a host condition looks at one of file"),
        ("k8s_minor_not_in: some", "neither `tested` nor a list"),
        ("running_lt: first", "is not a version"),
        ("just a text", "a condition: a map with one key"),
    ];
    for (yaml, expected) in cases {
        let error = serde_yaml::from_str::<Condition>(yaml).unwrap_err().to_string();
        assert!(error.contains(expected), "{yaml}: {error}");
    }
}

#[test]
fn a_condition_names_the_value_that_it_speaks_of() {
    let user = json!({"a": {"b": 1}, "dotted.key": {"x": null}});
    let given =
        Situation { values: Part::Known(Values { user, target_defaults: Part::Absent }), ..Situation::default() };
    let cases: [(&str, Option<&[&str]>); 9] = [
        ("value_set_any: [z, a.b]", Some(&["a", "b"])),
        ("value_set_any: [z, y]", None),
        ("value_set_any: [z]", Some(&["z"])),
        ("value_equals: {path: 'dotted\\.key.x', value: 1}", Some(&["dotted.key", "x"])),
        ("all: [{node_count_gt: 1}, {not: {value_truthy_any: [a.b]}}]", Some(&["a", "b"])),
        ("any: [{value_unset: z}, {value_in: {path: z, values: [1]}}]", Some(&["z"])),
        ("any: [{value_unset: z}, {value_not_in_any: {paths: [y, a], values: [1]}}]", Some(&["a"])),
        ("all: [{value_unset: z}, {not: {value_equals: {path: y, value: 1}}}]", Some(&["z"])),
        ("node_count_gt: 1", None),
    ];
    for (when, expected) in cases {
        let condition = condition(when);
        let found = condition.helm_value(&given).map(|keys| keys.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), expected, "{when}");
    }
}
