//! Pods, namespaces and nodes in; their part of the [`World`] out.

use std::net::IpAddr;

use k8s_openapi::api::core::v1::{Container, Namespace, Node, Pod};

use super::LowerError;
use crate::netpol::model::Protocol;
use crate::netpol::world::{self, NamedPort, PodName, World};

/// Adds a pod. One that has ended is left out: its address may be another's by now.
///
/// # Errors
/// Where it has no name or no namespace.
pub fn add_pod(world: &mut World, from: &Pod) -> Result<(), LowerError> {
    let name = from.metadata.name.clone().unwrap_or_default();
    let namespace = from.metadata.namespace.clone().unwrap_or_default();
    if name.is_empty() || namespace.is_empty() {
        return Err(LowerError::Nameless(format!("Pod {namespace}/{name}")));
    }
    let status = from.status.clone().unwrap_or_default();
    if matches!(status.phase.as_deref(), Some("Succeeded" | "Failed")) {
        return Ok(());
    }
    let spec = from.spec.clone().unwrap_or_default();
    let listed = status.pod_ips.iter().flatten().map(|ip| ip.ip.as_str());
    let mut addresses: Vec<IpAddr> =
        listed.chain(status.pod_ip.as_deref()).filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    let sidecars =
        spec.init_containers.iter().flatten().filter(|init| init.restart_policy.as_deref() == Some("Always"));
    let mut ports: Vec<NamedPort> = spec.containers.iter().chain(sidecars).flat_map(named_ports).collect();
    ports.sort_unstable();
    ports.dedup();
    world.add_pod(world::Pod {
        name: PodName { namespace, name },
        labels: from.metadata.labels.clone().unwrap_or_default(),
        ports,
        addresses,
        host_network: spec.host_network.unwrap_or(false),
        node: spec.node_name,
    });
    Ok(())
}

fn named_ports(container: &Container) -> impl Iterator<Item = NamedPort> {
    container.ports.iter().flatten().filter_map(|port| {
        let named = port.protocol.as_deref().unwrap_or("TCP");
        Some(NamedPort {
            name: port.name.clone()?,
            protocol: Protocol::ALL.into_iter().find(|protocol| protocol.name() == named)?,
            port: u16::try_from(port.container_port).ok()?,
        })
    })
}

/// Adds a namespace.
///
/// # Errors
/// Where it has no name.
pub fn add_namespace(world: &mut World, from: &Namespace) -> Result<(), LowerError> {
    let name = from.metadata.name.clone().ok_or_else(|| LowerError::Nameless("Namespace".to_owned()))?;
    world.add_namespace(&name, from.metadata.labels.clone().unwrap_or_default());
    Ok(())
}

/// Adds a node.
///
/// # Errors
/// Where it has no name.
pub fn add_node(world: &mut World, from: &Node) -> Result<(), LowerError> {
    let name = from.metadata.name.clone().ok_or_else(|| LowerError::Nameless("Node".to_owned()))?;
    let status = from.status.clone().unwrap_or_default();
    let addresses = status.addresses.iter().flatten().filter_map(|address| address.address.parse().ok()).collect();
    let labels = from.metadata.labels.clone().unwrap_or_default();
    world.nodes.insert(name, world::Node { labels, addresses });
    Ok(())
}
