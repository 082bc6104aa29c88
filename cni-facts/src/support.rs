//! The support matrix: what each minor of a CNI is tested with. `data/<cni>/support.yaml` and a version in, an answer
//! out; what the table does not say is unknown, never "no".

use serde::Deserialize;

use crate::kernel::{RhelBackport, below};
use crate::schema::{Trust, not_empty, schema_one, text};
use crate::version::{Range, Version};

/// The file `support.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// Version of this format; 1.
    #[serde(deserialize_with = "schema_one")]
    pub schema: u32,
    /// Ids of the CNIs it is about.
    #[serde(deserialize_with = "not_empty")]
    pub applies_to: Vec<String>,
    /// Month it was looked up: `2026-11`.
    #[serde(deserialize_with = "text")]
    pub as_of: String,
    /// How the project maintains and upgrades.
    pub policy: Policy,
    /// The newest release that was seen, where that matters.
    pub latest_seen: Option<String>,
    /// Architectures of its images, as Go spells them; empty: not known.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// Operating systems of nodes it runs on; empty: not known.
    #[serde(default)]
    pub operating_systems: Vec<String>,
    /// Source of the two lists above.
    pub platforms_source: Option<String>,
    /// Minors, oldest first.
    #[serde(default)]
    pub minors: Vec<Minor>,
    /// Features that need more than the floor.
    #[serde(default)]
    pub features: Vec<Feature>,
    /// What to know when reading it.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// How a project maintains and upgrades.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// How many minors get patches.
    pub maintained_minors: Option<u32>,
    /// How many minors one upgrade may cross; `None`: no limit is published.
    pub upgrade_hop: Option<u64>,
    /// First version from which the project documents upgrades.
    pub upgrades_from: Option<Version>,
    /// What else is said.
    pub note: Option<String>,
    /// Trust in it.
    #[serde(default = "Trust::high")]
    pub confidence: Trust,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// A minor, or a run of minors that are alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minor {
    /// The minor: `1.19`.
    pub minor: Version,
    /// The last minor of the run.
    pub through: Option<Version>,
    /// What the chart's `kubeVersion` asks for; helm refuses below it.
    pub chart_kubernetes: Option<Range>,
    /// Kubernetes minors it is tested with; `None`: not seen, never "none".
    pub tested_kubernetes: Option<Vec<Version>>,
    /// The last Kubernetes minor it can run on at all.
    pub kubernetes_max: Option<Version>,
    /// Kernel floor.
    pub kernel_min: Option<Version>,
    /// The backport that the floor accepts.
    pub kernel_rhel: Option<RhelBackport>,
    /// Whether it is maintained.
    pub state: Maintenance,
    /// Its last patch, when there will be no more.
    pub last_patch: Option<Version>,
    /// The last patch that was seen.
    pub last_patch_seen: Option<Version>,
    /// Other things that are true of it.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Trust in it.
    #[serde(default = "Trust::high")]
    pub confidence: Trust,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// Whether a minor is maintained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maintenance {
    /// It gets patches.
    Maintained,
    /// It gets none.
    Eol,
    /// Not known.
    Unknown,
}

/// A feature that needs more than the floor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// What it is.
    #[serde(deserialize_with = "text")]
    pub feature: String,
    /// Kernel it needs.
    pub kernel_min: Option<Version>,
    /// What else it needs.
    pub needs: Option<String>,
    /// Where it was read.
    #[serde(deserialize_with = "text")]
    pub source: String,
}

/// What the table says to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supported {
    /// It is supported, or tested.
    Yes,
    /// It is not.
    No {
        /// What would be.
        expected: String,
    },
    /// The table does not say.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Support {
    /// The entry of a version's minor.
    pub fn minor(&self, version: &Version) -> Option<&Minor> {
        self.minors.iter().find(|minor| minor.has(version))
    }

    /// Whether a Kubernetes version is tested with a version of the CNI.
    pub fn kubernetes(&self, version: &Version, kubernetes: &Version) -> Supported {
        let Some(minor) = self.minor(version) else { return unlisted(version) };
        if let Some(range) = &minor.chart_kubernetes
            && !range.contains(kubernetes)
        {
            return Supported::No { expected: format!("{range} (the chart refuses anything else)") };
        }
        if let Some(max) = &minor.kubernetes_max
            && (kubernetes.major(), kubernetes.minor()) > (max.major(), max.minor())
        {
            return Supported::No { expected: format!("at most {}", max.minor_text()) };
        }
        match &minor.tested_kubernetes {
            None => Supported::Unknown {
                why: format!("which Kubernetes minors {} is tested with is not known", version.minor_text()),
            },
            Some(tested) if tested.iter().any(|tested| tested.same_minor(kubernetes)) => Supported::Yes,
            Some(tested) => {
                Supported::No { expected: tested.iter().map(Version::minor_text).collect::<Vec<_>>().join(", ") }
            }
        }
    }

    /// Whether a node's kernel reaches the floor of a version. `kernel` and `os_image` as the node reports them.
    pub fn kernel(&self, version: &Version, kernel: &str, os_image: &str) -> Supported {
        let Some(minor) = self.minor(version) else { return unlisted(version) };
        let Some(floor) = &minor.kernel_min else {
            return Supported::Unknown { why: format!("the kernel floor of {} is not known", version.minor_text()) };
        };
        match below(floor, minor.kernel_rhel.as_ref(), kernel, os_image) {
            Ok(false) => Supported::Yes,
            Ok(true) => Supported::No { expected: format!("Linux {floor} or newer") },
            Err(why) => Supported::Unknown { why },
        }
    }

    /// Whether there are images for an architecture (`amd64`, as nodes report it).
    pub fn architecture(&self, architecture: &str) -> Supported {
        listed(&self.architectures, architecture, "architectures")
    }

    /// Whether it runs on nodes of an operating system (`linux`, as nodes report it).
    pub fn operating_system(&self, os: &str) -> Supported {
        listed(&self.operating_systems, os, "operating systems")
    }
}

fn unlisted(version: &Version) -> Supported {
    Supported::Unknown { why: format!("nothing is known of {}", version.minor_text()) }
}

fn listed(list: &[String], wanted: &str, what: &str) -> Supported {
    match list {
        [] => Supported::Unknown { why: format!("its {what} are not known") },
        list if list.iter().any(|one| one == wanted) => Supported::Yes,
        list => Supported::No { expected: list.join(", ") },
    }
}

impl Minor {
    fn has(&self, version: &Version) -> bool {
        let minor = |version: &Version| (version.major(), version.minor());
        let last = self.through.as_ref().unwrap_or(&self.minor);
        (minor(&self.minor)..=minor(last)).contains(&minor(version))
    }
}
