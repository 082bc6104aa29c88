//! Things that change while a policy is there.

use serde_json::json;

use super::parts::{apply, pod_a, policy, usual, within};
use super::stage::{Stage, labels};
use super::{Action, Case};
use crate::netpol::model::Direction;
use crate::netpol::world::PodName;

pub(super) fn cases(stage: &Stage) -> Vec<Case> {
    let usual = usual("x", &pod_a());
    let on = || apply(std::slice::from_ref(&usual));
    let shut = policy("x", "usual", &pod_a(), &Direction::BOTH.map(|direction| (direction, json!([]))));
    let pod = PodName::new("y", "d");
    let address = stage.world.pods.get(&PodName::new("z", "c")).map(|pod| pod.addresses.clone()).unwrap_or_default();
    let mut late = Stage::pod(pod.clone(), address.into_iter().map(beside).collect(), None);
    late.labels = labels("pod", "b");
    let case =
        |name: &str, intent: &str, steps| Case::new(format!("action/{name}"), &["classic", "action"], intent, steps);
    let ns_pod = PodName::new("y-2", "b");
    let mut elsewhere = late.clone();
    elsewhere.name = ns_pod;
    vec![
        case("policy-delete", "a deleted policy no longer isolates", vec![on(), vec![Action::Delete(usual.clone())]]),
        case("policy-update", "an updated policy counts as it is now", vec![on(), apply(&[shut])]),
        case(
            "namespace-create-delete",
            "pods of a namespace made after the policy are its peers, until the namespace goes",
            vec![
                on(),
                vec![Action::CreateNamespace("y-2".to_owned(), labels("ns", "y")), Action::CreatePod(elsewhere)],
                vec![Action::DeleteNamespace("y-2".to_owned())],
            ],
        ),
        case(
            "namespace-labels",
            "a namespace that gets other labels is another peer",
            vec![
                on(),
                vec![Action::LabelNamespace("y".to_owned(), labels("ns", "other"))],
                vec![Action::LabelNamespace("y".to_owned(), labels("ns", "y"))],
            ],
        ),
        case(
            "pod-create-delete",
            "a pod made after the policy is its peer, until it goes",
            vec![on(), vec![Action::CreatePod(late)], vec![Action::DeletePod(pod)]],
        ),
        case(
            "pod-labels",
            "a pod that gets other labels is another peer",
            vec![
                on(),
                vec![Action::LabelPod(PodName::new("y", "b"), labels("pod", "other"))],
                vec![Action::LabelPod(PodName::new("y", "b"), labels("pod", "b"))],
            ],
        ),
        Case::new(
            "namespace-name/ingress",
            &["classic", "namespace-name", "ingress"],
            "kubernetes.io/metadata.name chooses a namespace by its name (ingress)",
            vec![apply(&[by_name(Direction::Ingress)])],
        ),
        Case::new(
            "namespace-name/egress",
            &["classic", "namespace-name", "egress"],
            "kubernetes.io/metadata.name chooses a namespace by its name (egress)",
            vec![apply(&[by_name(Direction::Egress)])],
        ),
    ]
}

fn by_name(direction: Direction) -> serde_json::Value {
    let peers = json!([{"namespaceSelector": within("kubernetes.io/metadata.name", &["y"])}]);
    policy("x", "by-name", &pod_a(), &[(direction, json!([super::parts::rule(direction, &peers, &json!([]))]))])
}

/// Stands for the address of a pod that is not there yet; a run puts the real one in its place.
fn beside(address: std::net::IpAddr) -> std::net::IpAddr {
    match address {
        std::net::IpAddr::V4(address) => std::net::IpAddr::V4((u32::from(address) ^ 0x40).into()),
        std::net::IpAddr::V6(address) => std::net::IpAddr::V6((u128::from(address) ^ 0x40).into()),
    }
}
