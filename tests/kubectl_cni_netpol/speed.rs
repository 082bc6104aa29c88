//! How long the full matrix of a large cluster takes; asked for by name, in a release build.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use kubectl_cni::netpol::labels::Labels;
use kubectl_cni::netpol::lower::network_policy::network_policy;
use kubectl_cni::netpol::matrix::matrix;
use kubectl_cni::netpol::model::Protocol;
use kubectl_cni::netpol::world::{Pod, PodName, Traffic, World};
use kubectl_cni::probe::topology::Family;
use serde_json::json;

/// 100 namespaces of 10 workloads of 10 replicas, every pod with a label of its own; 10 policies a namespace, with all kinds of peer.
fn large() -> World {
    let mut world = World::default();
    for namespace in 0..100 {
        let name = format!("team-{namespace}");
        world.add_namespace(&name, Labels::from([("tier".to_owned(), format!("t{}", namespace % 7))]));
        for pod in 0..100 {
            let labels = [("app", format!("app-{}", pod % 10)), ("index", format!("{namespace}-{pod}"))];
            let address = Ipv4Addr::new(10, 0, u8::try_from(namespace).unwrap(), pod);
            world.add_pod(Pod {
                name: PodName::new(&name, &format!("pod-{pod}")),
                labels: labels.map(|(key, value)| (key.to_owned(), value)).into(),
                ports: Vec::new(),
                addresses: vec![address.into()],
                host_network: false,
                node: None,
            });
        }
        for policy in 0..10 {
            let written = json!({"metadata": {"namespace": name, "name": format!("p{policy}")}, "spec": {
                "podSelector": {"matchLabels": {"app": format!("app-{policy}")}},
                "ingress": [
                    {"from": [{"podSelector": {"matchLabels": {"app": format!("app-{}", (policy + 1) % 10)}}},
                        {"namespaceSelector": {"matchLabels": {"tier": format!("t{}", policy % 7)}},
                            "podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["app-3"]}]}}],
                        "ports": [{"port": 80, "endPort": 90}]},
                    {"from": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}],
                "egress": [{"to": [{"namespaceSelector": {}}]}, {"ports": [{"port": 53, "protocol": "UDP"}]}]}});
            world.add_policy(network_policy(&serde_json::from_value(written).unwrap()).unwrap().0);
        }
    }
    world
}

#[test]
#[ignore = "takes a release build to mean anything"]
fn ten_thousand_pods_and_a_thousand_policies_in_two_seconds() {
    let world = large();
    assert_eq!((world.pods.len(), world.policies.len()), (10_000, 1_000));
    let start = Instant::now();
    let matrix = matrix(&world, Traffic::Port(Protocol::Tcp, 80), Family::V4);
    let took = start.elapsed();
    println!("{} classes, {} cells: {took:?}", matrix.classes.len(), matrix.classes.len().pow(2));
    assert!(took < Duration::from_secs(2), "{took:?}");
}
