//! The points at which the API leaves the outcome open.

use std::fmt;

/// Why a decision is undefined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It hangs on whether an ipBlock matches the address of a pod.
    BlockOnPod,
    /// It hangs on whether policy sees the address before or after rewriting.
    BeforeOrAfterRewriting,
    /// It hangs on whether the source still has its own address behind a node port or load balancer.
    SourceRewritten,
    /// It hangs on an address that is not known.
    AddressUnknown,
    /// It hangs on whether pods in their node's network count as pods.
    HostNetwork,
    /// A pod calls itself through a Service.
    Hairpin,
    /// Policies name TCP, UDP and SCTP; for everything else nothing is promised.
    OtherProtocol,
    /// It hangs on what a domain name resolves to.
    DomainName,
    /// Policies of the same tier and priority disagree.
    PriorityTie,
    /// A NetworkPolicy isolates the pod in the other direction only, and Baseline would deny.
    BaselineOfHalfIsolated,
    /// A cluster-wide policy would cut a pod off from its own node.
    OwnNode,
    /// An end of the connection is not part of this world.
    NotHere,
}

impl Why {
    /// All of them.
    pub const ALL: [Why; 12] = [
        Why::BlockOnPod,
        Why::BeforeOrAfterRewriting,
        Why::SourceRewritten,
        Why::AddressUnknown,
        Why::HostNetwork,
        Why::Hairpin,
        Why::OtherProtocol,
        Why::DomainName,
        Why::PriorityTie,
        Why::BaselineOfHalfIsolated,
        Why::OwnNode,
        Why::NotHere,
    ];

    /// Where it is said, or asked.
    pub fn source(self) -> &'static str {
        const POLICIES: &str = "https://kubernetes.io/docs/concepts/services-networking/network-policies/";
        const CLUSTER: &str = "https://network-policy-api.sigs.k8s.io/reference/spec/";
        match self {
            Why::BlockOnPod
            | Why::BeforeOrAfterRewriting
            | Why::SourceRewritten
            | Why::HostNetwork
            | Why::OtherProtocol => POLICIES,
            Why::Hairpin => "https://github.com/kubernetes/kubernetes/issues/95879",
            Why::DomainName | Why::PriorityTie | Why::BaselineOfHalfIsolated => CLUSTER,
            Why::OwnNode => "https://github.com/kubernetes-sigs/network-policy-api/issues/314",
            Why::AddressUnknown | Why::NotHere => "",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::BlockOnPod => "whether an ipBlock matches pod addresses is left to the implementation",
            Why::BeforeOrAfterRewriting => {
                "whether policy sees the Service's address or the one behind it is left to the implementation"
            }
            Why::SourceRewritten => "the source may arrive with a node's address",
            Why::AddressUnknown => "an address that decides is not known",
            Why::HostNetwork => "whether pods in their node's network count as pods is left to the implementation",
            Why::Hairpin => "a pod reaching itself through a Service is left to the implementation",
            Why::OtherProtocol => "policies promise nothing for protocols other than TCP, UDP and SCTP",
            Why::DomainName => "what a domain name resolves to cannot be told from the policy",
            Why::PriorityTie => "policies of the same priority disagree, and their order is not defined",
            Why::BaselineOfHalfIsolated => {
                "whether Baseline still counts for a pod that a NetworkPolicy isolates in the other direction is not settled"
            }
            Why::OwnNode => "whether cluster-wide policies may cut a pod off from its own node is not settled",
            Why::NotHere => "an end of the connection is not known",
        })
    }
}
