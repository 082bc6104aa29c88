//! The language of a rule's `when`: a condition and a situation in, one of three answers out.
//!
//! A condition is a map with one key, its name. What could not be looked at makes it [`Truth::Unknown`], and `all`,
//! `any` and `not` carry that on as Kleene's logic does, so that it never turns into "no".

mod config;
mod given;
mod host;
mod install;
mod kubernetes;
mod logic;
mod nodes;
mod objects;
mod policy;
mod step;
mod target;
mod values;
mod workloads;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::defaults::Defaults;
use crate::policy_feature::PolicyFeature;
use crate::situation::{Need, Part, Situation};
use crate::support::Support;
use crate::version::Version;

/// What a condition came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It is so; the text says what was seen.
    Holds {
        /// What was seen.
        because: String,
    },
    /// It is not so; the text says what was seen.
    DoesNotHold {
        /// What was seen.
        because: String,
    },
    /// It cannot be told; the text says what is missing.
    Unknown {
        /// What is missing.
        why: String,
    },
}

/// A condition of a rule.
#[derive(Debug, Clone)]
pub struct Condition(Kind);

/// What a condition is judged by.
pub(crate) struct Look<'a> {
    pub(crate) situation: &'a Situation,
    /// The hop at hand.
    pub(crate) hop: (&'a Version, &'a Version),
    /// The whole step it belongs to.
    pub(crate) whole: (&'a Version, &'a Version),
    pub(crate) support: Option<&'a Support>,
    pub(crate) defaults: Option<&'a Defaults>,
    pub(crate) features: &'a [PolicyFeature],
}

/// What each condition can do.
pub(crate) trait Ask {
    /// Whether it is so.
    fn answer(&self, look: &Look<'_>) -> Truth;
    /// What it reads.
    fn needs(&self, into: &mut BTreeSet<Need>);
    /// The condition in words, as a clause.
    fn words(&self) -> String;
    /// The Helm values that it asks for.
    fn values(&self) -> Vec<&given::ValuePath> {
        Vec::new()
    }
}

macro_rules! conditions {
    ($($name:literal $variant:ident($type:ty) $meaning:literal;)*) => {
        #[derive(Debug, Clone)]
        enum Kind {
            $($variant($type),)*
        }

        /// Name and meaning of every condition, in the order of the documentation.
        pub const CONDITIONS: &[(&str, &str)] = &[$(($name, $meaning),)*];

        const NAMES: &[&str] = &[$($name,)*];

        impl Kind {
            fn ask(&self) -> &dyn Ask {
                match self {
                    $(Self::$variant(condition) => condition,)*
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            fn read<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Self, A::Error> {
                match name {
                    $($name => Ok(Self::$variant(map.next_value()?)),)*
                    other => Err(de::Error::unknown_variant(other, NAMES)),
                }
            }
        }
    };
}

conditions! {
    "always" Always(logic::Always) "`true`: unconditional";
    "all" All(logic::All) "a list: every condition in it holds";
    "any" Any(logic::Any) "a list: at least one condition in it holds";
    "not" Not(logic::Not) "one condition that does not hold";
    "value_set_any" ValueSetAny(values::SetAny) "a list of paths: the user gives one of these Helm values, whatever it is (null takes a value away, so it does not count)";
    "value_truthy_any" ValueTruthyAny(values::TruthyAny) "a list of paths: one of these is true or not empty, given by the user or else as the target chart's default";
    "value_unset" ValueUnset(values::Unset) "a path: the user gives nothing there";
    "value_equals" ValueEquals(values::Equals) "`{path, value}`: the user gives exactly this";
    "value_in" ValueIn(values::In) "`{path, values}`: the user gives one of these; null among them stands for giving nothing";
    "value_not_in_any" ValueNotInAny(values::NotInAny) "`{paths, values}`: one of these paths has something else; null as above";
    "value_matches" ValueMatches(values::Matches) "`{path, regex}`: the user gives a text that matches";
    "value_not_matches" ValueNotMatches(values::NotMatches) "`{path, regex}`: the user gives something that does not match";
    "value_len_gt" ValueLenGt(values::LenGt) "`{path, len}`: the user gives a text of more characters, or a list or map of more entries";
    "value_nonzero" ValueNonzero(values::Nonzero) "a path: the user gives something that is neither 0 nor empty";
    "value_int_in_ranges" ValueIntInRanges(values::IntInRanges) "`{path, ranges}`: the user gives a whole number within one of these `[first, last]`";
    "value_is_scalar" ValueIsScalar(values::IsScalar) "a path: the user gives a scalar or a list (where the new chart has a map)";
    "value_semver_lt" ValueSemverLt(values::SemverLt) "`{path, version}`: the user gives a version below this one";
    "env_name_in" EnvNameIn(values::EnvNameIn) "`{path, names}`: the list of environment variables there has one of these names";
    "config_key_set_any" ConfigKeySetAny(config::KeySetAny) "`{configmap, keys}`: the ConfigMap has one of these keys";
    "config_equals" ConfigEquals(config::Equals) "`{configmap, file, key, value}`: the key has this value; with `file` the key is looked for inside that YAML or JSON text";
    "config_differs_from_target" ConfigDiffersFromTarget(config::DiffersFromTarget) "`{configmap, file, key}`: the target gives this key another value";
    "objects_exist_any" ObjectsExistAny(objects::ExistAny) "a list of resources: at least one object of one of them exists";
    "object_field" ObjectField(objects::Field) "`{resource, jsonpath, equals|matches|startswith|present|absent}`: one object has such a field; `absent` means that one object lacks it";
    "owner_reference" OwnerReference(objects::OwnerReference) "text: an object names an owner whose apiVersion starts with it";
    "crd_missing" CrdMissing(objects::CrdMissing) "a full name: that CustomResourceDefinition is not there";
    "crd_version_missing" CrdVersionMissing(objects::CrdVersionMissing) "`{crd, version}`: it is not there or does not serve that version";
    "crd_stored_versions_gt" CrdStoredVersionsGt(objects::CrdStoredVersionsGt) "`{group, n}`: a CustomResourceDefinition of the group lists more than n stored versions";
    "api_group_version_missing" ApiGroupVersionMissing(objects::ApiMissing) "group/version that is not served";
    "policy_uses" PolicyUses(policy::Uses) "a feature of `policy-features.yaml` that some network policy uses";
    "node_kernel_lt" NodeKernelLt(nodes::KernelLt) "`{version, rhel: {min, kernel}}`: a node's kernel is older; a RHEL family of at least `min` may have `kernel` instead";
    "node_kernel_ge" NodeKernelGe(nodes::KernelGe) "a version: a node's kernel is this or newer";
    "node_os_matches" NodeOsMatches(nodes::OsMatches) "a regex on a node's osImage";
    "node_count_gt" NodeCountGt(nodes::CountGt) "a number: there are more nodes";
    "node_pods_free_lt" NodePodsFreeLt(nodes::PodsFreeLt) "a number: a node has room for fewer pods";
    "node_address_in" NodeAddressIn(nodes::AddressIn) "a list of `{resource, jsonpath}`: an address of a node is in the addresses, CIDRs or `{start, stop}` ranges found there";
    "pod_cidr_outside_target" PodCidrOutsideTarget(nodes::PodCidrOutsideTarget) "`{configmap, file, keys}`: a node's pod CIDR is in none of the networks that the target's ConfigMap names";
    "k8s_minor_not_in" K8sMinorNotIn(kubernetes::MinorNotIn) "`tested`, or a list of minors: the control plane's minor is not among those tested with the target";
    "k8s_lt" K8sLt(kubernetes::Lt) "a version: the control plane is older";
    "minor_hop_gt" MinorHopGt(step::MinorHopGt) "a number: the whole step crosses more minors, in either direction";
    "running_lt" RunningLt(step::RunningLt) "a version, or `latest-patch`: the running version is older";
    "daemonset_exists" DaemonsetExists(workloads::Exists) "`{namespace, name}`: it is there";
    "daemonset_selector_differs" DaemonsetSelectorDiffers(workloads::SelectorDiffers) "`{namespace, name, target}`: the selector of the running DaemonSet is not the target's; `any` and `rendered` compare all workloads with the rendered target";
    "agent_update_strategy" AgentUpdateStrategy(workloads::UpdateStrategy) "text: a DaemonSet of the CNI has this update strategy";
    "agent_max_unavailable_gt" AgentMaxUnavailableGt(workloads::MaxUnavailableGt) "a number: a DaemonSet of the CNI lets more pods be away at once, or a percentage";
    "install_method" InstallMethodIs(install::MethodIs) "helm, manifest, operator, cilium-cli-classic or addon";
    "helm_flag" HelmFlag(install::HelmFlag) "a flag of the planned helm command, or `install`";
    "host" Host(host::Host) "`{file|iface|iptables_chain|iptables_variants|nft_table|sysctl|mount|port|port_of_target|main_cni_files_gt: …}`: so on a node, as seen by something that runs there";
    "target_image_not_pullable" TargetImageNotPullable(target::ImageNotPullable) "`true`: pulling an image of the target was tried and went wrong";
}

// === impl Condition ===

impl Condition {
    pub(crate) fn answer(&self, look: &Look<'_>) -> Truth {
        self.0.ask().answer(look)
    }

    /// The parts of a [`Situation`] that it reads.
    pub fn needs(&self) -> BTreeSet<Need> {
        let mut needs = BTreeSet::new();
        self.0.ask().needs(&mut needs);
        needs
    }

    /// Its name: `value_set_any`.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// It and all conditions inside it.
    pub fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let inside = match &self.0 {
            Kind::All(list) => list.0.iter().collect(),
            Kind::Any(list) => list.0.iter().collect(),
            Kind::Not(one) => vec![&*one.0],
            _ => Vec::new(),
        };
        all.extend(inside.into_iter().flat_map(Self::all));
        all
    }

    /// The Helm value that it speaks of, key by key: the first one, here or inside, that the user gives; where
    /// the user gives none of them, the only one; of several conditions that must all hold the first, a rule's subject.
    pub fn helm_value(&self, situation: &Situation) -> Option<&[String]> {
        let paths: Vec<&given::ValuePath> = self.all().into_iter().flat_map(|one| one.0.ask().values()).collect();
        let user = if let Part::Known(values) = &situation.values { Some(&values.user) } else { None };
        let is_given = |path: &&&given::ValuePath| {
            user.is_some_and(|user| !matches!(given::find(user, path), given::Given::Nothing))
        };
        let same = || paths.iter().all(|path| path.text == paths[0].text);
        let told = paths.iter().find(is_given).or_else(|| paths.first().filter(|_| same()));
        let subject = || match &self.0 {
            Kind::All(list) => list.0.first()?.helm_value(situation),
            _ => None,
        };
        told.map(|path| path.keys.as_slice()).or_else(subject)
    }

    /// Whether it is `always: true`.
    pub fn is_always(&self) -> bool {
        matches!(self.0, Kind::Always(_))
    }

    /// The feature of `policy-features.yaml` that it names, if it does.
    pub(crate) fn policy_feature(&self) -> Option<&str> {
        match &self.0 {
            Kind::PolicyUses(uses) => Some(&uses.0),
            _ => None,
        }
    }
}

/// The condition in words, as a clause: `Helm value tunnel is set`.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.ask().words())
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'de> Visitor<'de> for One {
            type Value = Condition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a condition: a map with one key, its name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Condition, A::Error> {
                let Some(Name(name)) = map.next_key()? else {
                    return Err(de::Error::custom("a condition needs a name; `always: true` is the unconditional one"));
                };
                let kind = Kind::read(&name, &mut map)?;
                match map.next_key::<String>()? {
                    None => Ok(Condition(kind)),
                    Some(second) => Err(de::Error::custom(format!(
                        "a condition has one name, here are `{name}` and `{second}`; join them with `all` or `any`"
                    ))),
                }
            }
        }
        deserializer.deserialize_map(One)
    }
}

/// A condition's name, checked while it is read so that an error has its place.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let known = |name: &str| match NAMES.contains(&name) {
            true => Ok(Self(name.to_owned())),
            false => Err(format!("`{name}` is not a condition, expected one of {}", NAMES.join(", "))),
        };
        deserializer.deserialize_str(crate::schema::CheckedText(known))
    }
}

// === impl Truth ===

impl Truth {
    pub(crate) fn holds(because: impl Into<String>) -> Self {
        Self::Holds { because: because.into() }
    }

    pub(crate) fn not(because: impl Into<String>) -> Self {
        Self::DoesNotHold { because: because.into() }
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }

    /// Either answer to a yes-or-no question about the same observation.
    pub(crate) fn when(is_so: bool, seen: impl Into<String>) -> Self {
        if is_so { Self::holds(seen) } else { Self::not(seen) }
    }
}
