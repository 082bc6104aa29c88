//! Policies as they are understood, free of optional fields: what lowering produces and the simulator reads.

use super::cidr::Cidr;
use super::labels::Selector;

/// The protocols that policies can name. Everything else (ICMP, ARP) is [`super::world::Traffic::Other`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        }
    }
}

/// Which end of a connection a rule speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Into the selected pods.
    Ingress,
    /// Out of the selected pods.
    Egress,
}

impl Direction {
    /// The two of them.
    pub const BOTH: [Direction; 2] = [Direction::Ingress, Direction::Egress];

    /// "ingress" or "egress".
    pub fn name(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }

    /// The other one.
    pub fn other(self) -> Direction {
        match self {
            Direction::Ingress => Direction::Egress,
            Direction::Egress => Direction::Ingress,
        }
    }
}

/// The ports of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Every port of every protocol.
    All,
    /// Any of these; an empty list (everything in it was unreadable) is no port at all.
    AnyOf(Vec<PortMatch>),
}

/// One item of a list of ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortMatch {
    /// Every port of a protocol.
    Protocol(Protocol),
    /// From the first to the last port, both included.
    Range(Protocol, u16, u16),
    /// The port that the destination pod gives this name; without a protocol, in any of them.
    Named(Option<Protocol>, String),
}

/// A NetworkPolicy of networking.k8s.io/v1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The pods of its namespace that it isolates.
    pub subject: Selector,
    /// What may come in; `None` where the policy says nothing of this direction.
    pub ingress: Option<Vec<Rule>>,
    /// What may go out; `None` where the policy says nothing of this direction.
    pub egress: Option<Vec<Rule>>,
}

impl Policy {
    /// The rules of a direction, `None` where the policy does not isolate in it.
    pub fn rules(&self, direction: Direction) -> Option<&[Rule]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

/// Something that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// With whom.
    pub peers: Peers,
    /// On which ports of the destination.
    pub ports: Ports,
}

/// The peers of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// Anyone, inside or outside the cluster.
    Anyone,
    /// Any of these; an empty list (everything in it was unreadable) is nobody.
    AnyOf(Vec<Peer>),
}

/// One item of from or to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Selected pods of the policy's own namespace.
    OwnNamespace(Selector),
    /// Selected pods of selected namespaces.
    Pods {
        /// The namespaces.
        namespaces: Selector,
        /// The pods in them.
        pods: Selector,
    },
    /// Addresses.
    Block {
        /// In this range
        cidr: Cidr,
        /// but in none of these.
        except: Vec<Cidr>,
    },
}

/// Which kind a cluster-wide policy was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TierKind {
    /// policy.networking.k8s.io/v1alpha2.
    ClusterNetworkPolicy,
    /// policy.networking.k8s.io/v1alpha1.
    AdminNetworkPolicy,
    /// policy.networking.k8s.io/v1alpha1.
    BaselineAdminNetworkPolicy,
}

impl TierKind {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            TierKind::ClusterNetworkPolicy => "ClusterNetworkPolicy",
            TierKind::AdminNetworkPolicy => "AdminNetworkPolicy",
            TierKind::BaselineAdminNetworkPolicy => "BaselineAdminNetworkPolicy",
        }
    }
}

/// Before or after NetworkPolicy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Before it; cannot be overridden.
    Admin,
    /// After it; for pods that no NetworkPolicy isolates.
    Baseline,
}

/// What a rule of a cluster-wide policy does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Lets it through for good.
    Accept,
    /// Drops it for good.
    Deny,
    /// Leaves it to the next tier.
    Pass,
}

/// A cluster-wide policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierPolicy {
    /// The kind it was written as.
    pub kind: TierKind,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Lower comes first; equal ones in no certain order.
    pub priority: i64,
    /// The namespaces of the pods it applies to.
    pub namespaces: Selector,
    /// The pods in them; never those in their node's network.
    pub pods: Selector,
    /// Rules for what comes in, first match wins.
    pub ingress: Vec<TierRule>,
    /// Rules for what goes out, first match wins.
    pub egress: Vec<TierRule>,
}

impl TierPolicy {
    /// The rules of a direction.
    pub fn rules(&self, direction: Direction) -> &[TierRule] {
        match direction {
            Direction::Ingress => &self.ingress,
            Direction::Egress => &self.egress,
        }
    }
}

/// A rule of a cluster-wide policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierRule {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// What it does.
    pub action: Action,
    /// To traffic with any of these
    pub peers: Vec<TierPeer>,
    /// on any of these.
    pub ports: Ports,
}

/// One item of from or to in a cluster-wide policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TierPeer {
    /// Selected pods of selected namespaces, never those in their node's network.
    Pods {
        /// The namespaces.
        namespaces: Selector,
        /// The pods in them.
        pods: Selector,
    },
    /// Addresses, those of pods included.
    Networks(Vec<Cidr>),
    /// Addresses of selected nodes.
    Nodes(Selector),
    /// Addresses that these names have at the time; which ones nobody can tell from the policy.
    DomainNames(Vec<String>),
    /// Everything: what an unreadable Deny or Pass rule has to be taken for.
    Everything,
}
