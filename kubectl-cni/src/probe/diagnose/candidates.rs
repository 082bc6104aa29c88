//! Which causes the failures suggest.

use std::collections::HashSet;

use super::cause::{Cause, Packets, Pairs};
use super::cover::{Class, Facts};
use crate::probe::plan::{DnsServer, Origin, PORT, PORT_2, Path};
use crate::probe::topology::Family;

impl Facts<'_> {
    /// Every cause that at least one failure suggests.
    pub(super) fn candidates(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = Vec::new();
        let mut known: HashSet<Cause> = HashSet::new();
        let mut add = |cause: Cause| {
            if known.insert(cause) {
                causes.push(cause);
            }
        };
        let families: Vec<Option<Family>> = if self.topology.families().len() > 1 {
            vec![None, Some(Family::V4), Some(Family::V6)]
        } else {
            vec![None]
        };
        let all_packets = [
            Packets::Any,
            Packets::Tcp,
            Packets::Udp,
            Packets::Large,
            Packets::TcpPort(PORT),
            Packets::TcpPort(PORT_2),
            Packets::UdpPort(PORT),
            Packets::UdpPort(PORT_2),
        ];
        let transports = [Packets::Any, Packets::Tcp, Packets::Udp];
        let mut pod_scopes: Vec<(Pairs, Origin)> = Vec::new();
        let mut known_scopes: HashSet<(Pairs, Origin)> = HashSet::new();
        for (_, bad) in self.of(Class::Pods).filter(|(_, one)| one.bad()) {
            let Path::Pod { to, .. } = bad.probe.path else { continue };
            let from = bad.probe.node;
            let scopes = if from == to {
                vec![Pairs::Same(from), Pairs::AllSame]
            } else {
                let between = Pairs::Between(from.min(to), from.max(to));
                vec![
                    Pairs::OneWay(from, to),
                    between,
                    Pairs::From(from),
                    Pairs::To(to),
                    Pairs::Node(from),
                    Pairs::Node(to),
                    Pairs::AllCross,
                ]
            };
            for pairs in scopes {
                if known_scopes.insert((pairs, bad.probe.origin)) {
                    pod_scopes.push((pairs, bad.probe.origin));
                }
            }
        }
        for (pairs, origin) in pod_scopes {
            for packets in all_packets {
                for family in &families {
                    add(Cause::Pods { pairs, packets, family: *family, origin });
                }
            }
        }
        for (_, bad) in self.of(Class::ClusterIp).filter(|(_, one)| one.bad()) {
            for packets in transports {
                for family in &families {
                    add(Cause::ServiceFrom { node: bad.probe.node, packets, family: *family });
                    add(Cause::ServiceEverywhere { packets, family: *family });
                }
            }
        }
        for (_, bad) in self.of(Class::NodePort).filter(|(_, one)| one.bad()) {
            let Path::NodePort { to, .. } = bad.probe.path else { continue };
            for packets in transports {
                add(Cause::NodePortTo { node: to, packets });
                add(Cause::NodePortEverywhere { packets });
            }
        }
        for (_, bad) in self.of(Class::Api).filter(|(_, one)| one.bad()) {
            add(Cause::ApiFrom(bad.probe.node));
            add(Cause::ApiEverywhere);
        }
        for (_, bad) in self.of(Class::Dns).filter(|(_, one)| one.bad()) {
            let Path::Dns { server, question, tcp } = bad.probe.path else { continue };
            if let DnsServer::Pod(pod) = server {
                add(Cause::DnsPod(pod));
                add(Cause::DnsPodTransport { pod, tcp });
                add(Cause::DnsPodAnswer { pod, question });
            } else {
                add(Cause::DnsFrom(bad.probe.node));
                add(Cause::DnsEverywhere);
            }
        }
        for (_, bad) in self.of(Class::Node).filter(|(_, one)| one.bad()) {
            let Path::Node { to } = bad.probe.path else { continue };
            add(Cause::NodeFromPods(to));
        }
        for (_, bad) in self.of(Class::External).filter(|(_, one)| one.bad()) {
            let Path::External { target } = bad.probe.path else { continue };
            add(Cause::ExternalEverywhere(target));
            add(Cause::ExternalFrom { node: bad.probe.node, target });
        }
        causes
    }
}
