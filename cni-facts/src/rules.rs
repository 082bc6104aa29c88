//! Rules of version steps: `data/<cni>/…/*.yaml` in, checked [`Rule`]s out.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use crate::schema::{Trust, not_empty, rule_id, schema_one, text};
use crate::situation::Need;
use crate::version::{Range, Version};
use crate::when::Condition;

/// A file of rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    #[serde(deserialize_with = "schema_one")]
    #[expect(dead_code, reason = "checked while it is read")]
    pub(crate) schema: u32,
    /// Ids of the CNIs the rules are about; `any` is every CNI.
    #[serde(deserialize_with = "not_empty")]
    pub(crate) applies_to: Vec<String>,
    #[serde(deserialize_with = "not_empty")]
    pub(crate) rules: Vec<Rule>,
}

/// Something to know about a step from one version to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Frozen, kebab-case with versions.
    #[serde(deserialize_with = "rule_id")]
    pub id: String,
    /// Ids of the CNIs it is about, where they are fewer than its file's. Filled with the file's when there are none.
    #[serde(default)]
    pub only: Vec<String>,
    /// Running versions it is about.
    pub from: Range,
    /// Target versions it is about.
    pub to: Range,
    /// How bad it is if it is true; see [`Rule::level`] for how bad it counts.
    pub severity: Severity,
    /// What sort of change it is.
    pub kind: Kind,
    /// Which installations it concerns.
    pub when: Condition,
    /// What is or will be so.
    #[serde(deserialize_with = "text")]
    pub message: String,
    /// What to do.
    #[serde(deserialize_with = "text")]
    pub fix: String,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
    /// How it was found.
    pub derived: Derived,
    /// How far it can be trusted.
    #[serde(default = "Trust::high")]
    pub confidence: Trust,
    /// The value that takes the place of the one that is gone.
    pub replacement: Option<String>,
    /// The default before, as YAML.
    pub default_from: Option<String>,
    /// The default after, as YAML.
    pub default_to: Option<String>,
    /// Charts that refuse to render; present in exactly the rules that say so.
    pub refused: Option<Refused>,
    /// What else to know.
    pub note: Option<String>,
}

/// Charts that refuse to render where a rule holds, as found by rendering them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The charts that refuse; any one of the ranges.
    #[serde(deserialize_with = "not_empty")]
    pub charts: Vec<Range>,
    /// A piece of the message that they refuse with.
    pub says: Option<String>,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it first.
    Warning,
    /// Do not upgrade before it is dealt with.
    Blocker,
}

/// How a rule was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derived {
    /// By comparing charts or manifests with a program.
    Mechanical,
    /// From upgrade notes, release notes or reports.
    Notes,
}

macro_rules! kinds {
    ($($variant:ident $name:literal $words:literal;)*) => {
        /// What sort of change a rule is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        pub enum Kind {
            $(#[doc = $words] #[serde(rename = $name)] $variant,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// As files write it: `helm-value-removed`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    Behaviour "behaviour" "Something works differently.";
    Capacity "capacity" "Something needs more room.";
    ConfigKeyRemoved "config-key-removed" "A key of a ConfigMap is gone.";
    ConfigValueChanged "config-value-changed" "A key of a ConfigMap is read differently.";
    ConfigValueRemoved "config-value-removed" "A value of a key of a ConfigMap is gone.";
    CrdChange "crd-change" "A custom resource changes.";
    DefaultChanged "default-changed" "A default changes.";
    Eol "eol" "Support ends.";
    HelmValidation "helm-validation" "The chart checks something.";
    HelmValue "helm-value" "A Helm value matters.";
    HelmValueRemoved "helm-value-removed" "A Helm value is gone.";
    HelmValueRenamed "helm-value-renamed" "A Helm value has another name or shape.";
    Host "host" "Something on the nodes matters.";
    ImageRegistry "image-registry" "Images come from elsewhere.";
    K8sRange "k8s-range" "The Kubernetes version matters.";
    KernelMax "kernel-max" "A kernel is too new.";
    KernelMin "kernel-min" "A kernel is too old.";
    ManualStep "manual-step" "Somebody has to do something.";
    Metrics "metrics" "Metrics change.";
    Path "path" "The way the upgrade is done matters.";
    Policy "policy" "Policies change their meaning.";
    Rbac "rbac" "Permissions change.";
    SelectorImmutable "selector-immutable" "A selector changes, which the API refuses.";
}

impl Rule {
    /// Whether it is about a step between these two.
    pub fn covers(&self, from: &Version, to: &Version) -> bool {
        self.from.contains(from) && self.to.contains(to)
    }

    /// The minor at which what it says begins, as `1.19`; `None`: it is not tied to one.
    pub fn boundary(&self) -> Option<String> {
        let [major, minor, _] = self.to.bounds().0?;
        (!self.from.is_any()).then(|| format!("{major}.{minor}"))
    }

    /// Whether it is about every step.
    pub fn is_about_every_step(&self) -> bool {
        self.from.is_any() && self.to.is_any()
    }

    /// How bad it counts when the target is this version.
    ///
    /// Only what was read first-hand can block: a rule whose confidence is not high is a warning at most. A rule about a
    /// chart that refuses blocks for the charts that do; the others take the value and ignore it, which is a warning.
    pub fn level(&self, target: &Version) -> Severity {
        if self.confidence < Trust::High || self.refused.as_ref().is_some_and(|refused| !refused.by(target)) {
            return self.severity.min(Severity::Warning);
        }
        self.severity
    }

    /// What to add to its message when the target is this version: why it counts less, how far it can be trusted.
    pub fn caveat(&self, target: &Version) -> Option<String> {
        let mut parts = Vec::new();
        if let Some(refused) = &self.refused
            && !refused.by(target)
        {
            parts.push(format!(
                "The chart of {target} does not refuse this but renders without a word; those that refuse: {refused}."
            ));
        }
        match self.confidence {
            Trust::High => {}
            Trust::Medium => parts.push("Second-hand, or seen in one place only.".to_owned()),
            Trust::Low => parts.push("Not checked against a first-hand text.".to_owned()),
        }
        if self.confidence < Trust::High && self.severity == Severity::Blocker {
            parts.push("It would block if it were confirmed.".to_owned());
        }
        (!parts.is_empty()).then(|| parts.join(" "))
    }

    /// The parts of a [`Situation`](crate::Situation) it reads. What `policy_uses` reads is left to [`Step::needs`](crate::Step::needs).
    pub fn needs(&self) -> BTreeSet<Need> {
        self.when.needs()
    }
}

impl Refused {
    /// Whether the chart of a version refuses.
    pub fn by(&self, target: &Version) -> bool {
        self.charts.iter().any(|charts| charts.contains(target))
    }
}

/// The charts: `>=1.14.0, <1.19.0`.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let charts: Vec<&str> = self.charts.iter().map(Range::as_str).collect();
        f.write_str(&charts.join(" or "))
    }
}

impl Severity {
    /// As files and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Blocker => "blocker",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
