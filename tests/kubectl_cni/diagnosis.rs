//! Fault in, expected explanation out: the table behind the live tests. Each row also proves the reverse, that nothing else is claimed.

use std::collections::BTreeSet;

use kubectl_cni::probe::diagnose::{Diagnosis, diagnose};
use kubectl_cni::probe::judge::judge;
use kubectl_cni::probe::topology::Family;

use crate::model::{Answers, Faults, Packet, answer};

const V4: &[Family] = &[Family::V4];
const DUAL: &[Family] = &[Family::V4, Family::V6];

fn run(n: usize, families: &[Family], faults: &Faults) -> Diagnosis {
    let Answers { topology, plan, runs, witness } = answer(n, families, faults);
    let judged = judge(&topology, &plan, &runs);
    diagnose(&topology, &judged, &witness)
}

fn dropping(lost: impl Fn(&Packet) -> bool + 'static) -> Faults {
    Faults { drop: vec![Box::new(lost)], ..Faults::default() }
}

#[track_caller]
fn check(diagnosis: &Diagnosis, causes: &[&str]) {
    let found: Vec<&str> = diagnosis.explanations.iter().map(|explanation| explanation.cause.as_str()).collect();
    assert_eq!(found.len(), causes.len(), "found {found:#?}, left {:#?}", diagnosis.unexplained);
    for cause in causes {
        assert!(found.iter().any(|text| text.contains(cause)), "{cause:?} is not in {found:#?}");
    }
    assert!(diagnosis.unexplained.is_empty(), "{causes:?} leaves {:#?}", diagnosis.unexplained);
}

fn between(packet: &Packet, a: usize, b: usize) -> bool {
    (packet.from, packet.to) == (a, b) || (packet.from, packet.to) == (b, a)
}

#[test]
fn healthy_networks_need_no_explanation() {
    for n in [1, 2, 3, 7, 120] {
        check(&run(n, V4, &Faults::default()), &[]);
    }
    check(&run(3, DUAL, &Faults::default()), &[]);
}

#[test]
fn one_node_cut_off() {
    check(
        &run(3, V4, &dropping(|packet| packet.from == 2 || packet.to == 2)),
        &["everything to and from node n2 is lost"],
    );
    check(
        &run(5, V4, &dropping(|packet| packet.from == 0 || packet.to == 0)),
        &["everything to and from node n0 is lost"],
    );
}

#[test]
fn one_direction_of_one_node() {
    check(&run(4, V4, &dropping(|packet| packet.to == 2)), &["everything to node n2, in that direction only, is lost"]);
    check(
        &run(4, V4, &dropping(|packet| packet.from == 2)),
        &["everything from node n2, in that direction only, is lost"],
    );
}

#[test]
fn one_pair_one_direction() {
    let faults = dropping(|packet| (packet.from, packet.to) == (0, 1));
    check(&run(3, V4, &faults), &["everything from node n0 to node n1, in that direction only, is lost"]);
    // New connections only: answers still pass, so the other direction works.
    let faults = dropping(|packet| (packet.from, packet.to) == (0, 1) && !packet.reply);
    check(&run(3, V4, &faults), &["everything from node n0 to node n1, in that direction only, is lost"]);
}

#[test]
fn one_pair_both_directions() {
    check(
        &run(3, V4, &dropping(|packet| between(packet, 0, 1))),
        &["everything between nodes n0 and n1, in both directions, is lost"],
    );
}

#[test]
fn protocols_and_ports() {
    check(
        &run(3, V4, &dropping(|packet| between(packet, 0, 1) && !packet.tcp)),
        &["UDP only: everything between nodes n0 and n1, in both directions, is lost"],
    );
    check(
        &run(3, V4, &dropping(|packet| between(packet, 0, 1) && packet.tcp)),
        &["TCP only: everything between nodes n0 and n1, in both directions, is lost"],
    );
    check(&run(3, V4, &dropping(|packet| !packet.tcp)), &["UDP only: everything between all nodes is lost"]);
    let faults = dropping(|packet| between(packet, 0, 1) && packet.tcp && packet.port == 18081);
    check(
        &run(3, V4, &faults),
        &["TCP port 18081 only: everything between nodes n0 and n1, in both directions, is lost"],
    );
    let faults = dropping(|packet| between(packet, 0, 1) && packet.tcp && packet.port == 18080);
    check(
        &run(3, V4, &faults),
        &["TCP port 18080 only: everything between nodes n0 and n1, in both directions, is lost"],
    );
}

#[test]
fn large_packets() {
    check(
        &run(3, V4, &dropping(|packet| packet.size > 1400)),
        &["packets above 1400 bytes between all nodes are lost (MTU): the pods' route promises 1450"],
    );
    let faults = dropping(|packet| packet.size > 1300 && (packet.from == 1 || packet.to == 1));
    check(&run(4, V4, &faults), &["packets above 1300 bytes to and from node n1 are lost"]);
    let faults = dropping(|packet| packet.size > 1400 && (packet.from, packet.to) == (0, 1));
    check(
        &run(3, V4, &faults),
        &["packets above 1400 bytes from node n0 to node n1, in that direction only, are lost"],
    );
}

#[test]
fn one_family() {
    let faults = dropping(|packet| packet.family == Family::V6);
    check(&run(3, DUAL, &faults), &["everything between all nodes is lost (IPv6 only)"]);
    let faults = dropping(|packet| packet.family == Family::V6 && between(packet, 0, 2));
    check(&run(3, DUAL, &faults), &["everything between nodes n0 and n2, in both directions, is lost (IPv6 only)"]);
}

#[test]
fn services() {
    let faults = Faults { no_services: BTreeSet::from([1]), ..Faults::default() };
    check(&run(3, V4, &faults), &["Services cannot be reached from n1"]);
    let faults = Faults { stale_services: BTreeSet::from([1]), ..Faults::default() };
    let diagnosis = run(3, V4, &faults);
    check(&diagnosis, &["Services cannot be reached from n1"]);
    assert!(
        diagnosis.explanations[0].evidence.iter().any(|line| line.contains("no longer updated")),
        "{:?}",
        diagnosis.explanations[0].evidence
    );
}

#[test]
fn dns() {
    check(
        &run(3, V4, &Faults { dns_down: BTreeSet::from([1]), ..Faults::default() }),
        &["DNS pod dns1 on n1 answers nobody"],
    );
    check(
        &run(3, V4, &Faults { dns_lies: BTreeSet::from([0]), ..Faults::default() }),
        &["DNS pod dns0 on n0 gives wrong answers"],
    );
}

#[test]
fn everything_between_nodes() {
    check(&run(3, V4, &dropping(|packet| packet.from != packet.to)), &["everything between all nodes is lost"]);
    check(
        &run(2, V4, &dropping(|packet| packet.from != packet.to)),
        &["everything between nodes n0 and n1, in both directions, is lost"],
    );
}

#[test]
fn two_faults_at_once() {
    let mut faults = dropping(|packet| between(packet, 0, 1));
    faults.dns_down.insert(1);
    check(
        &run(4, V4, &faults),
        &["everything between nodes n0 and n1, in both directions, is lost", "DNS pod dns1 on n1 answers nobody"],
    );

    let mut faults = dropping(|packet| packet.size > 1400);
    faults.stale_services.insert(2);
    check(
        &run(3, V4, &faults),
        &["packets above 1400 bytes between all nodes are lost", "Services cannot be reached from n2"],
    );

    let mut faults = dropping(|packet| packet.from == 3 || packet.to == 3);
    faults.drop.push(Box::new(|packet| between(packet, 0, 1) && !packet.tcp));
    check(
        &run(5, V4, &faults),
        &[
            "everything to and from node n3 is lost",
            "UDP only: everything between nodes n0 and n1, in both directions, is lost",
        ],
    );

    let mut faults = dropping(|packet| between(packet, 0, 1) && packet.tcp && packet.port == 18081);
    faults.dns_lies.insert(0);
    check(
        &run(3, V4, &faults),
        &[
            "TCP port 18081 only: everything between nodes n0 and n1, in both directions, is lost",
            "DNS pod dns0 on n0 gives wrong answers",
        ],
    );

    let faults = Faults { dns_down: BTreeSet::from([0]), no_services: BTreeSet::from([2]), ..Faults::default() };
    check(&run(3, V4, &faults), &["DNS pod dns0 on n0 answers nobody", "Services cannot be reached from n2"]);
}

#[test]
fn a_cause_is_never_claimed_against_a_working_path() {
    // A lossy path that fails one probe of each kind but not all: no scope fits, so the failures stay unexplained rather than mis-named.
    let faults = dropping(|packet| {
        (packet.from, packet.to) == (0, 1) && packet.tcp && packet.port == 18081 && !packet.reply && packet.size == 100
    });
    check(
        &run(3, V4, &faults),
        &["TCP port 18081 only: everything from node n0 to node n1, in that direction only, is lost"],
    );
}

#[test]
fn a_large_circulant_finds_a_node() {
    check(
        &run(150, V4, &dropping(|packet| packet.from == 77 || packet.to == 77)),
        &["everything to and from node n77 is lost"],
    );
}

#[test]
fn a_hundred_nodes_that_all_fail_are_one_cause() {
    // Full mesh: 60,000 pod probes fail, and each pair suggests causes of its own.
    let everything = dropping(|packet| packet.from != packet.to);
    check(&run(100, V4, &everything), &["everything between all nodes is lost"]);
}
