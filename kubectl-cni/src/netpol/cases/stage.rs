//! The pods that cases are about: three namespaces of three pods, each serving two ports in every protocol under a name of its own.

use std::net::IpAddr;

use crate::netpol::labels::Labels;
use crate::netpol::model::Protocol;
use crate::netpol::world::{NamedPort, Pod, PodName, World};
use crate::probe::topology::Family;

/// The namespaces, labelled `ns`.
pub const NAMESPACES: [&str; 3] = ["x", "y", "z"];
/// The pods of each, labelled `pod`.
pub const PODS: [&str; 3] = ["a", "b", "c"];
/// The ports each serves.
pub const PORTS: [u16; 2] = [80, 81];

/// A second name for a TCP port: of the first in pods a and b, of the second in pods c. Who resolves it once for all pods is found out.
pub const OWN_PORT: &str = "own-port";

/// Where cases start.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Namespaces and pods, no policy.
    pub world: World,
    /// The families that pods have addresses in, the first of them the one that single-family cases use.
    pub families: Vec<Family>,
}

impl Stage {
    /// The stage on these nodes (pods are dealt out in turn, so that both same-node and cross-node pairs are there with two nodes or more),
    /// with these addresses.
    pub fn new(nodes: &[&str], families: &[Family], address: impl Fn(&PodName, Family) -> Option<IpAddr>) -> Stage {
        let mut world = World::default();
        let mut nodes = nodes.iter().cycle();
        for namespace in NAMESPACES {
            world.add_namespace(namespace, labels("ns", namespace));
            for pod in PODS {
                let name = PodName::new(namespace, pod);
                let addresses = families.iter().filter_map(|family| address(&name, *family)).collect();
                world.add_pod(Stage::pod(name, addresses, nodes.next().copied()));
            }
        }
        Stage { world, families: families.to_vec() }
    }

    /// A pod of the stage.
    pub fn pod(name: PodName, addresses: Vec<IpAddr>, node: Option<&str>) -> Pod {
        let ports = Protocol::ALL
            .into_iter()
            .flat_map(|protocol| PORTS.map(|port| NamedPort { name: port_name(protocol, port), protocol, port }));
        let mut ports: Vec<NamedPort> = ports.collect();
        let own = if name.name == "c" { PORTS[1] } else { PORTS[0] };
        ports.push(NamedPort { name: OWN_PORT.to_owned(), protocol: Protocol::Tcp, port: own });
        let labels = labels("pod", &name.name);
        Pod { labels, ports, addresses, host_network: false, node: node.map(str::to_owned), name }
    }
}

/// The name of a port, as `serve-80-tcp`.
pub(super) fn port_name(protocol: Protocol, port: u16) -> String {
    format!("serve-{port}-{}", protocol.name().to_lowercase())
}

pub(super) fn labels(key: &str, value: &str) -> Labels {
    Labels::from([(key.to_owned(), value.to_owned())])
}
