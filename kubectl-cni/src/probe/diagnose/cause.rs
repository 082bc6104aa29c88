//! What may be wrong: node pairs, packets, causes, and how wide a claim each is.

use crate::probe::plan::{How, Origin, PORT, Question};
use crate::probe::topology::Family;

/// Which node pairs a cause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Pairs {
    AllCross,
    AllSame,
    Node(usize),
    From(usize),
    To(usize),
    Between(usize, usize),
    OneWay(usize, usize),
    Same(usize),
}

impl Pairs {
    /// Whether some pair with this node is among them. Of more than one node, every node is in a pair with any other.
    pub(super) fn may_touch(self, node: usize) -> bool {
        match self {
            Pairs::AllCross | Pairs::AllSame | Pairs::Node(_) | Pairs::From(_) | Pairs::To(_) => true,
            Pairs::Between(a, b) | Pairs::OneWay(a, b) => node == a || node == b,
            Pairs::Same(a) => node == a,
        }
    }
}

/// Which packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Packets {
    Any,
    Tcp,
    Udp,
    TcpPort(u16),
    UdpPort(u16),
    Large,
}

/// A candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cause {
    Pods { pairs: Pairs, packets: Packets, family: Option<Family>, origin: Origin },
    ServiceFrom { node: usize, packets: Packets, family: Option<Family> },
    ServiceEverywhere { packets: Packets, family: Option<Family> },
    NodePortTo { node: usize, packets: Packets },
    NodePortEverywhere { packets: Packets },
    ApiFrom(usize),
    ApiEverywhere,
    DnsPod(usize),
    DnsPodTransport { pod: usize, tcp: bool },
    DnsPodAnswer { pod: usize, question: Question },
    DnsFrom(usize),
    DnsEverywhere,
    NodeFromPods(usize),
    ExternalEverywhere(usize),
    ExternalFrom { node: usize, target: usize },
}

impl Cause {
    /// How wide a claim it is; the narrower wins a tie.
    pub(super) fn breadth(&self) -> usize {
        match self {
            Cause::Pods { pairs, packets, family, .. } => {
                let pairs = match pairs {
                    Pairs::Same(_) | Pairs::OneWay(..) => 0,
                    Pairs::Between(..) => 1,
                    Pairs::From(_) | Pairs::To(_) => 2,
                    Pairs::Node(_) => 3,
                    Pairs::AllSame | Pairs::AllCross => 4,
                };
                let packets = match packets {
                    Packets::Any => 0,
                    Packets::Tcp | Packets::Udp | Packets::Large => 1,
                    Packets::TcpPort(_) | Packets::UdpPort(_) => 2,
                };
                10 * pairs + 2 * packets + usize::from(family.is_some())
            }
            Cause::DnsPod(_) => 10,
            Cause::ServiceFrom { packets, family, .. } => {
                20 + usize::from(*packets != Packets::Any) + usize::from(family.is_some())
            }
            Cause::ApiFrom(_)
            | Cause::DnsFrom(_)
            | Cause::NodePortTo { .. }
            | Cause::NodeFromPods(_)
            | Cause::ExternalFrom { .. } => 30,
            Cause::DnsPodTransport { .. } | Cause::DnsPodAnswer { .. } => 35,
            Cause::ExternalEverywhere(_) => 40,
            Cause::ServiceEverywhere { .. }
            | Cause::NodePortEverywhere { .. }
            | Cause::ApiEverywhere
            | Cause::DnsEverywhere => 40,
        }
    }
}

pub(super) fn packets_match(packets: Packets, how: How) -> bool {
    match packets {
        Packets::Any => true,
        Packets::Tcp => matches!(how, How::Tcp(_) | How::Bulk),
        Packets::Udp => matches!(how, How::Udp(_) | How::Largest),
        Packets::TcpPort(port) => how == How::Tcp(port) || (how == How::Bulk && port == PORT),
        Packets::UdpPort(port) => how == How::Udp(port) || (how == How::Largest && port == PORT),
        Packets::Large => how == How::Largest,
    }
}

pub(super) fn pairs_match(pairs: Pairs, from: usize, to: usize) -> bool {
    match pairs {
        Pairs::AllCross => from != to,
        Pairs::AllSame => from == to,
        Pairs::Node(node) => from != to && (from == node || to == node),
        Pairs::From(node) => from != to && from == node,
        Pairs::To(node) => from != to && to == node,
        Pairs::Between(a, b) => (from, to) == (a, b) || (from, to) == (b, a),
        Pairs::OneWay(a, b) => (from, to) == (a, b),
        Pairs::Same(node) => from == node && to == node,
    }
}
