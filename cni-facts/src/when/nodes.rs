//! Conditions about nodes: one that is so is enough, and one that cannot be told leaves it open.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::config::{Place, target_data};
use super::objects::{listed, some};
use super::{Ask, Look, Truth, logic};
use crate::jsonpath::JsonPath;
use crate::kernel::{RhelBackport, below};
use crate::net::Span;
use crate::schema::{Pattern, not_empty};
use crate::situation::{Need, NodeSeen, Part};
use crate::version::Version;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KernelLt {
    version: Version,
    rhel: Option<RhelBackport>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct KernelGe(Version);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct OsMatches(Pattern);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct CountGt(usize);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct PodsFreeLt(i64);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct AddressIn(#[serde(deserialize_with = "not_empty")] Vec<AddressPlace>);

/// Where addresses stand.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressPlace {
    resource: String,
    jsonpath: JsonPath,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PodCidrOutsideTarget {
    configmap: String,
    file: Option<String>,
    #[serde(deserialize_with = "not_empty")]
    keys: Vec<String>,
}

fn nodes<'a>(look: &Look<'a>) -> Result<&'a [NodeSeen], Truth> {
    match &look.situation.nodes {
        Part::Known(nodes) => Ok(nodes),
        Part::Absent => Err(Truth::unknown("nodes: there is no cluster")),
        Part::Unknown(why) => Err(Truth::unknown(format!("nodes: {why}"))),
    }
}

/// Judges every node. `so` gives what was seen where it is so, `None` where it is not.
fn any_node(look: &Look<'_>, no: &str, so: impl Fn(&NodeSeen) -> Result<Option<String>, String>) -> Truth {
    let nodes = match nodes(look) {
        Ok(nodes) => nodes,
        Err(unknown) => return unknown,
    };
    let (mut seen, mut open) = (Vec::new(), Vec::new());
    for node in nodes {
        match so(node) {
            Ok(Some(what)) => seen.push(format!("{} {what}", node.name)),
            Ok(None) => {}
            Err(why) => open.push(format!("{}: {why}", node.name)),
        }
    }
    if !seen.is_empty() {
        return Truth::holds(format!("node {}", some(&seen)));
    }
    if open.is_empty() { Truth::not(no) } else { Truth::unknown(format!("node {}", some(&open))) }
}

macro_rules! needs_nodes {
    () => {
        fn needs(&self, into: &mut BTreeSet<Need>) {
            into.insert(Need::Nodes);
        }
    };
}

/// Only Linux nodes run an agent with a kernel of its own to speak of.
fn linux(node: &NodeSeen) -> bool {
    node.os != "windows"
}

impl Ask for KernelLt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        any_node(look, &format!("every kernel is {} or newer, or has the backport", self.version), |node| {
            let is_below = linux(node) && below(&self.version, self.rhel.as_ref(), &node.kernel, &node.os_image)?;
            Ok(is_below.then(|| format!("has Linux {}", node.kernel)))
        })
    }

    needs_nodes!();

    fn words(&self) -> String {
        match &self.rhel {
            Some(rhel) => format!(
                "a node has Linux below {} (and not the {} of a RHEL family from {})",
                self.version,
                rhel.kernel.minor_text(),
                rhel.min.minor_text()
            ),
            None => format!("a node has Linux below {}", self.version),
        }
    }
}

impl Ask for KernelGe {
    fn answer(&self, look: &Look<'_>) -> Truth {
        any_node(look, &format!("every kernel is older than {}", self.0), |node| {
            let kernel = Version::of_kernel(&node.kernel);
            match kernel {
                _ if !linux(node) => Ok(None),
                Ok(kernel) => Ok((kernel >= self.0).then(|| format!("has Linux {}", node.kernel))),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    needs_nodes!();

    fn words(&self) -> String {
        format!("a node has Linux {} or newer", self.0)
    }
}

impl Ask for OsMatches {
    fn answer(&self, look: &Look<'_>) -> Truth {
        any_node(look, &format!("no node's operating system matches /{}/", self.0.as_str()), |node| {
            match node.os_image.is_empty() {
                true => Err("its operating system is not known".to_owned()),
                false => Ok(self.0.is_match(&node.os_image).then(|| format!("runs {}", node.os_image))),
            }
        })
    }

    needs_nodes!();

    fn words(&self) -> String {
        format!("a node's operating system matches /{}/", self.0.as_str())
    }
}

impl Ask for CountGt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match nodes(look) {
            Ok(nodes) => Truth::when(nodes.len() > self.0, format!("there are {} nodes", nodes.len())),
            Err(unknown) => unknown,
        }
    }

    needs_nodes!();

    fn words(&self) -> String {
        format!("there are more than {} nodes", self.0)
    }
}

impl Ask for PodsFreeLt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        any_node(look, &format!("every node has room for {} more", self.0), |node| match node.pods_free {
            Some(free) => Ok((free < self.0).then(|| format!("has room for {} more pods", free.max(0)))),
            None => Err("its pods were not counted".to_owned()),
        })
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend([Need::Nodes, Need::PodsFree]);
    }

    fn words(&self) -> String {
        format!("a node has room for fewer than {} more pods", self.0)
    }
}

impl AddressPlace {
    fn judge(&self, look: &Look<'_>, nodes: &[NodeSeen]) -> Truth {
        let objects = match listed(look, &self.resource) {
            Ok(objects) => objects,
            Err(unknown) => return unknown,
        };
        for object in objects {
            for found in self.jsonpath.find(object) {
                let Some(span) = span(found) else {
                    let why = format!(
                        "{} {}: {found} is neither an address nor a range",
                        self.resource,
                        super::objects::name_of(object)
                    );
                    return Truth::unknown(why);
                };
                let inside = |node: &&NodeSeen| node.addresses.iter().any(|address| span.has(*address));
                if let Some(node) = nodes.iter().find(inside) {
                    let object = super::objects::name_of(object);
                    return Truth::holds(format!("an address of node {} is in {} {object}", node.name, self.resource));
                }
            }
        }
        Truth::not(format!("no {} has an address of a node", self.resource))
    }
}

/// An address, a CIDR, or a map with `cidr`, or with `start` and perhaps `stop`.
fn span(value: &Value) -> Option<Span> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    match value {
        Value::String(text) => Span::parse(text),
        _ => match (text("cidr"), text("start")) {
            (Some(cidr), _) => Span::parse(cidr),
            (None, Some(start)) => Span::between(start, text("stop").unwrap_or(start)),
            (None, None) => None,
        },
    }
}

impl Ask for AddressIn {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match nodes(look) {
            Ok(nodes) => logic::any(self.0.iter().map(|place| place.judge(look, nodes))),
            Err(unknown) => unknown,
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Nodes);
        into.extend(
            self.0.iter().map(|place| Need::Objects { resource: place.resource.clone(), metadata_only: false }),
        );
    }

    fn words(&self) -> String {
        let places: Vec<String> =
            self.0.iter().map(|place| format!("{} of {}", place.jsonpath.as_str(), place.resource)).collect();
        format!("an address of a node is in {}", places.join(" or "))
    }
}

impl Ask for PodCidrOutsideTarget {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let data = match target_data(look, &self.configmap) {
            Ok(data) => data,
            Err(answer) => return answer,
        };
        let mut networks = Vec::new();
        for key in &self.keys {
            let place = Place { configmap: self.configmap.clone(), file: self.file.clone(), key: key.clone() };
            match place.read(data) {
                Ok(Some(text)) => match Span::parse(&text) {
                    Some(span) => networks.push((text, span)),
                    None => return Truth::unknown(format!("{key} of the target is {text:?}, which is not a CIDR")),
                },
                Ok(None) => {}
                Err(why) => return Truth::unknown(why),
            }
        }
        let names: Vec<&str> = networks.iter().map(|(text, _)| text.as_str()).collect();
        any_node(look, &format!("every pod CIDR is in {}", names.join(" or ")), |node| {
            for cidr in &node.pod_cidrs {
                let own = Span::parse(cidr).ok_or_else(|| format!("its pod CIDR {cidr:?} is not a CIDR"))?;
                if !networks.iter().any(|(_, network)| network.covers(own)) {
                    return Ok(Some(format!("has the pod CIDR {cidr}, the target's network is {}", names.join(", "))));
                }
            }
            match node.pod_cidrs.is_empty() {
                true => Err("it has no pod CIDR".to_owned()),
                false => Ok(None),
            }
        })
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend([Need::Nodes, Need::TargetConfigMaps]);
    }

    fn words(&self) -> String {
        format!(
            "a node's pod CIDR is outside {} of ConfigMap {} in the target",
            self.keys.join(" and "),
            self.configmap
        )
    }
}
