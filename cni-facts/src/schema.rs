//! The shape of `data/<id>/cni.yaml`: YAML in, checked types out.
//!
//! Unknown keys are errors, and so are values that could never be used (a pattern that does not compile, an entry
//! without sources), so that the error names the line.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use regex::Regex;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// One CNI flavour: what is true of it whichever version step is at hand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cni {
    /// Version of this format; 1.
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    /// Frozen, kebab-case, equal to the folder's name.
    #[serde(deserialize_with = "kebab")]
    pub id: String,
    /// As people write it.
    pub name: String,
    /// Flavours of one project share a family.
    pub family: Option<String>,
    /// What it does in a cluster.
    pub role: Role,
    /// Whether its project still lives.
    #[serde(default)]
    pub state: State,
    /// The ways people install it.
    pub install_methods: Vec<String>,
    /// How it is recognised.
    pub detect: Detect,
    /// Whether NetworkPolicy objects have an effect.
    pub network_policy: NetworkPolicyFacts,
    /// How packets travel between nodes; empty when unknown or when it never encapsulates.
    #[serde(default)]
    pub encapsulation: Vec<Encapsulation>,
    /// Ports it listens on.
    #[serde(default)]
    pub ports: Vec<Port>,
    /// Where it says how it is.
    #[serde(default)]
    pub health: Health,
    /// What keeps working while its agent is not running.
    pub while_agent_down: AgentDown,
    /// How far the entry can be trusted where a part does not say otherwise.
    pub confidence: Trust,
    /// Where the entry was read, never empty.
    #[serde(deserialize_with = "not_empty")]
    pub sources: Vec<String>,
}

/// What a CNI does in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Gives pods their network.
    Main,
    /// Enforces policy on a network that another one gives.
    PolicyOnly,
    /// Calls other CNIs.
    Meta,
}

/// Whether a project still lives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has releases.
    #[default]
    Maintained,
    /// It has ended.
    Eol,
}

/// How far a fact can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Not checked against a first-hand text.
    Low,
    /// Second-hand, or read from one version only.
    Medium,
    /// Read from the project's own manifests, source or documentation.
    High,
}

/// How a CNI is recognised.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// Flavours this one contains or is made of: a DaemonSet that is this one's is not counted as theirs.
    #[serde(default)]
    pub before: Vec<String>,
    /// Main CNIs beside which this one only enforces policy.
    #[serde(default)]
    pub policy_only_beside: Vec<String>,
    /// Where it usually lives; never a condition by itself.
    pub namespaces: Vec<String>,
    /// The DaemonSets that are its agent; any one of them is enough.
    #[serde(deserialize_with = "not_empty")]
    pub agents: Vec<AgentRule>,
    /// What must also be so, where it is known, besides an agent.
    #[serde(default)]
    pub only_if: Context,
    /// Its other workloads.
    #[serde(default)]
    pub companions: Vec<CompanionRule>,
    /// What lets one guess when DaemonSets cannot be read; any one of them is enough.
    #[serde(default)]
    pub hints: Vec<HintRule>,
    /// Built into a node program instead of running as a DaemonSet.
    pub embedded: Option<EmbeddedRule>,
    /// API groups it brings along; they stay behind when it is removed, so they never prove that it runs.
    pub crd_groups: Vec<String>,
    /// Labels of the nodes it runs on, where its provider sets any; they support a finding.
    #[serde(default)]
    pub node_labels: Vec<String>,
    /// The chart it comes in.
    pub helm: Option<Helm>,
    /// Trust in this part, when it differs.
    pub confidence: Option<Trust>,
}

/// How an agent DaemonSet looks. Without `needs`, two of the four signals (name, selector, containers, image) must
/// agree and one of them must be the containers or the image: names and labels are too easily alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentRule {
    /// Names it goes by.
    pub names: Vec<String>,
    /// Pairs that `spec.selector.matchLabels` contains.
    #[serde(default)]
    pub selector: BTreeMap<String, String>,
    /// Containers it has, all of them; the first is the agent. Empty when not known.
    #[serde(default)]
    pub containers: Vec<String>,
    /// Names the first container has or had elsewhere (other distributions, older versions).
    #[serde(default)]
    pub container_aliases: Vec<String>,
    /// Matches the agent's image without tag and digest, whatever the registry.
    pub image: Option<Pattern>,
    /// Finds the group `version` in the image's tag; `v1.2.3…` when absent.
    pub tag: Option<Pattern>,
    /// Signals that must agree, instead of any two.
    #[serde(default)]
    pub needs: Vec<Signal>,
    /// What to know about it.
    pub note: Option<String>,
}

/// One of the things about a DaemonSet that tell whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signal {
    /// `metadata.name`.
    Name,
    /// `spec.selector.matchLabels`.
    Selector,
    /// Names of containers.
    Containers,
    /// The image's repository.
    Image,
}

/// Conditions about the surroundings of an agent. An empty list is no condition; in a filled one any entry will do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The agent is in one of these.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// One of these API groups is served.
    #[serde(default)]
    pub crd_groups: Vec<String>,
}

/// Another workload of a CNI, recognised by its exact name in a namespace of the CNI.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanionRule {
    /// What it is.
    pub kind: WorkloadKind,
    /// Its name.
    pub name: String,
    /// Its own namespaces, when they differ from the CNI's.
    #[serde(default)]
    pub namespaces: Vec<String>,
    /// Whether the CNI works without it.
    #[serde(default)]
    pub optional: bool,
    /// What its being there means, or since when it exists.
    pub note: Option<String>,
}

/// A kind of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// `apps/v1` DaemonSet.
    Daemonset,
    /// `apps/v1` Deployment.
    Deployment,
}

/// Things that together make a CNI probable; all that are listed must be there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintRule {
    /// API groups served.
    #[serde(default)]
    pub crd_groups: Vec<String>,
    /// ConfigMaps by name.
    #[serde(default)]
    pub configmaps: Vec<String>,
    /// Deployments by name.
    #[serde(default)]
    pub deployments: Vec<String>,
    /// Annotation keys on nodes.
    #[serde(default)]
    pub node_annotations: Vec<String>,
}

/// A CNI inside a node program: seen by its traces on nodes while no DaemonSet provides a network.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedRule {
    /// The program: `k3s`.
    pub host: String,
    /// Annotation keys it leaves on nodes, all of them.
    #[serde(deserialize_with = "not_empty")]
    pub node_annotations: Vec<String>,
    /// Matches the kubelet version of such a node.
    pub kubelet_version: Pattern,
    /// What to know about it.
    pub note: Option<String>,
    /// Trust in this part, when it differs.
    pub confidence: Option<Trust>,
}

/// The chart a CNI comes in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helm {
    /// Its name, as in the label `helm.sh/chart`.
    pub chart: String,
    /// Where it is published.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// The release name that the documentation uses.
    pub release: Option<String>,
    /// Whether the chart's version is the CNI's version too.
    pub version_is_cni: bool,
}

/// Whether NetworkPolicy objects have an effect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkPolicyFacts {
    /// What holds when no rule below does.
    pub expect: Expect,
    /// Why, or by what. Required for `depends`.
    pub note: Option<String>,
    /// Exceptions; the first that holds decides.
    #[serde(default)]
    pub rules: Vec<PolicyRule>,
    /// Other policy kinds it enforces, with versions where they matter.
    #[serde(default)]
    pub also: Vec<String>,
    /// Trust in this part, when it differs.
    pub confidence: Option<Trust>,
}

/// What to expect of a NetworkPolicy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expect {
    /// It is enforced.
    Enforces,
    /// It has no effect.
    DoesNot,
    /// It depends on something the API does not show.
    Depends,
}

/// An exception to a CNI's usual enforcement.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// When it holds.
    #[serde(rename = "if")]
    pub condition: PolicyCondition,
    /// What to expect then.
    pub expect: Expect,
    /// Why.
    pub note: String,
}

/// When a [`PolicyRule`] holds: everything given must.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyCondition {
    /// The agent DaemonSet has this container.
    pub container: Option<String>,
    /// The agent DaemonSet lacks this container.
    pub without_container: Option<String>,
    /// A companion of this name was seen.
    pub companion: Option<String>,
    /// It is built into a node program.
    pub embedded: Option<bool>,
    /// The version is this or later. Undecided when the version is not known.
    pub from: Option<String>,
    /// The version is earlier than this. Undecided when the version is not known.
    pub below: Option<String>,
}

/// A way packets travel between nodes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encapsulation {
    /// What is put around the packet.
    pub kind: Tunnel,
    /// Its UDP port unless configured otherwise.
    pub port: Option<u16>,
    /// Its network device on a node.
    pub device: Option<String>,
    /// Its device for IPv6, when that is another.
    pub device_v6: Option<String>,
    /// Whether it is what an unconfigured installation uses; `None` when not known.
    pub default: Option<bool>,
    /// When it is in use.
    pub when: Option<String>,
}

/// What is put around a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tunnel {
    /// Nothing: routes on the nodes or in the network.
    None,
    /// VXLAN.
    Vxlan,
    /// Geneve.
    Geneve,
    /// IP in IP.
    Ipip,
    /// WireGuard.
    Wireguard,
    /// A user-space UDP tunnel.
    Udp,
}

/// An IP family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IpFamily {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Tunnel {
    /// Bytes it takes from each packet on a link of that family, options not counted (`None`: depends on the program).
    ///
    /// VXLAN: outer IP, UDP 8, VXLAN 8, inner Ethernet 14 (RFC 7348 §5). Geneve: the same without options (RFC 8926
    /// §3.4). IP in IP: one IP header (RFC 2003 §3). WireGuard: IP, UDP 8, type 4, receiver 4, counter 8, tag 16
    /// (<https://www.wireguard.com/papers/wireguard.pdf> §5.4.6).
    pub fn overhead(self, outer: IpFamily) -> Option<u16> {
        let ip = match outer {
            IpFamily::V4 => 20,
            IpFamily::V6 => 40,
        };
        match self {
            Tunnel::None => Some(0),
            Tunnel::Vxlan | Tunnel::Geneve => Some(ip + 8 + 8 + 14),
            Tunnel::Ipip => Some(ip),
            Tunnel::Wireguard => Some(ip + 8 + 4 + 4 + 8 + 16),
            Tunnel::Udp => None,
        }
    }
}

/// A port a CNI listens on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// What listens there.
    pub name: String,
    /// Its number.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
    /// Whether nodes must reach each other there, as opposed to the node itself or a collector; `None`: not known.
    pub between_nodes: Option<bool>,
    /// Since when, or under which setting.
    pub when: Option<String>,
    /// Trust in this entry, when it differs.
    pub confidence: Option<Trust>,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Where a CNI says how it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What it writes into the node condition `NetworkUnavailable`.
    #[serde(default)]
    pub node_conditions: Vec<NodeCondition>,
    /// Annotations it keeps on every node it runs on.
    #[serde(default)]
    pub node_annotations: Vec<String>,
    /// Objects whose content tells, readable without entering a pod.
    #[serde(default)]
    pub objects: Vec<HealthObject>,
    /// What the agent answers over HTTP.
    #[serde(default)]
    pub http: Vec<HttpHealth>,
    /// What can be asked inside the agent's container.
    #[serde(default)]
    pub exec: Vec<ExecHealth>,
    /// What the agent's readiness means.
    #[serde(default)]
    pub agent: Vec<AgentHealth>,
    /// Trust in this part, when it differs.
    pub confidence: Option<Trust>,
}

/// What a CNI writes into the node condition `NetworkUnavailable`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCondition {
    /// The condition's `reason`.
    pub reason: String,
    /// Whether it means that the network works.
    pub up: bool,
    /// Whether it is written at start and stop only, so that it can be stale.
    #[serde(default)]
    pub can_be_stale: bool,
}

/// An object whose content tells how a CNI is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthObject {
    /// `plural.group`, as `kubectl get` takes it.
    pub resource: String,
    /// The one that counts, when not all do.
    pub name: Option<String>,
    /// Fields worth reading.
    pub fields: Vec<String>,
    /// How they are read.
    pub reading: Option<String>,
    /// When it exists at all; its absence is no error then.
    pub when: Option<String>,
}

/// Health over HTTP.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpHealth {
    /// The address as seen from the node.
    pub url: String,
    /// Since when, or under which setting.
    pub when: Option<String>,
}

/// A health command inside the agent's container.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecHealth {
    /// The command.
    #[serde(deserialize_with = "not_empty")]
    pub command: Vec<String>,
    /// First version that has it; `None`: as far back as is known.
    pub from: Option<String>,
    /// First version that no longer has it.
    pub below: Option<String>,
    /// What to read in the answer.
    pub reading: Option<String>,
}

/// What the agent's readiness means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentHealth {
    /// The meaning.
    pub ready_means: String,
    /// For which versions or settings.
    pub when: Option<String>,
}

/// What keeps working while the agent is not running.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentDown {
    /// What happens to traffic between pods that exist.
    pub forwarding: Forwarding,
    /// Why.
    pub why: Option<String>,
    /// What no longer works.
    #[serde(default)]
    pub stops: Vec<String>,
    /// What must be so on the host for that to hold.
    pub needs: Option<String>,
    /// Trust in this part, when it differs.
    pub confidence: Option<Trust>,
}

/// What happens to traffic between existing pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forwarding {
    /// It goes on.
    Continues,
    /// Some of it goes on; `why` says which.
    Partly,
}

/// A regular expression that compiled.
#[derive(Clone)]
pub struct Pattern(Regex);

// === impl Trust ===

impl Trust {
    /// For serde's `default`.
    pub(crate) fn high() -> Self {
        Self::High
    }

    /// As files write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

// === impl Cni ===

impl Cni {
    /// The version an image of this CNI carries in its tag, without a leading `v` and without suffixes. The image's
    /// name is not looked at.
    pub fn version_of_image(&self, image: &str) -> Option<String> {
        self.detect.agents.iter().find_map(|rule| rule.version_of_image(image))
    }
}

impl AgentRule {
    /// As [`Cni::version_of_image`], for one agent.
    pub fn version_of_image(&self, image: &str) -> Option<String> {
        self.version_of_tag(crate::ImageRef::parse(image).tag?)
    }

    /// The version in a tag, or in a label that is written like one.
    pub(crate) fn version_of_tag(&self, tag: &str) -> Option<String> {
        match &self.tag {
            Some(pattern) => pattern.version(tag),
            None => crate::recognise::plain_version(tag),
        }
    }
}

// === impl Pattern ===

impl Pattern {
    /// Whether it is found in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The group `version` of the first match.
    pub fn version(&self, text: &str) -> Option<String> {
        Some(self.0.captures(text)?.name("version")?.as_str().to_owned())
    }

    /// The expression as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.0)
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let compile = |text: &str| Regex::new(text).map(Self).map_err(|error| format!("bad pattern: {error}"));
        deserializer.deserialize_str(CheckedText(compile))
    }
}

// === checks while reading ===
//
// They are visitors rather than functions over a value already read, because the YAML reader gives an error the place
// and key of the value that is being visited.

pub(crate) struct CheckedText<F>(pub(crate) F);

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for CheckedText<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

struct SchemaOne;

impl Visitor<'_> for SchemaOne {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number 1")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
        match number {
            1 => Ok(1),
            other => Err(E::custom(format!("schema {other} is not known, expected 1"))),
        }
    }
}

struct NotEmpty<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NotEmpty<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list with at least one entry")
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        if list.is_empty() {
            return Err(de::Error::custom("expected at least one entry"));
        }
        Ok(list)
    }
}

pub(crate) fn schema_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_u64(SchemaOne)
}

pub(crate) fn kebab<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    deserializer.deserialize_str(CheckedText(|id: &str| {
        if id.split('-').all(lower) {
            Ok(id.to_owned())
        } else {
            Err(format!("id {id:?} is not lower-case words joined by hyphens"))
        }
    }))
}

pub(crate) fn not_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(NotEmpty(PhantomData))
}

/// A text, or a list of texts.
pub(crate) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Either;

    impl<'de> Visitor<'de> for Either {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, entries: A) -> Result<Vec<String>, A::Error> {
            NotEmpty(PhantomData).visit_seq(entries)
        }
    }
    deserializer.deserialize_any(Either)
}

/// A text with something in it.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_str(CheckedText(|text: &str| match text.trim().is_empty() {
        true => Err("expected a text, it is empty".to_owned()),
        false => Ok(text.to_owned()),
    }))
}

/// A kebab-case id; dots are allowed, because versions are part of ids of rules.
pub(crate) fn rule_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    deserializer.deserialize_str(CheckedText(|id: &str| {
        match id.split('-').all(|part| !part.is_empty() && part.chars().all(plain)) {
            true => Ok(id.to_owned()),
            false => Err(format!("id {id:?} is not lower-case words, numbers and dots joined by hyphens")),
        }
    }))
}
