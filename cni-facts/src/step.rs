//! A version step: a CNI and two versions in, the path to take and the rules that concern it out.

use std::collections::BTreeSet;
use std::fmt;

use crate::facts::Facts;
use crate::rules::{Rule, Severity};
use crate::situation::{Need, Situation};
use crate::support::{Maintenance, Support};
use crate::version::{Version, VersionError};
use crate::when::{Look, Truth};

/// A step from one version of a CNI to another.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    facts: &'a Facts,
    cni: String,
    /// The running version.
    pub from: Version,
    /// The target version.
    pub to: Version,
    /// Which way it goes.
    pub direction: Direction,
    /// The supported path; one hop where the project knows no limit. Never empty, except when both versions are the same.
    pub hops: Vec<Hop>,
    /// The rules that concern it: first those of every step, then those of each hop, older boundaries first.
    pub rules: Vec<StepRule<'a>>,
    /// What is not supported about it as it stands.
    pub unsupported: Vec<Unsupported>,
}

/// Which way a step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To a newer version.
    Up,
    /// To the same version.
    Same,
    /// To an older version.
    Down,
}

/// One upgrade of a supported path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Before it.
    pub from: Version,
    /// After it: between hops the last patch of that minor that is known, or its `.0`.
    pub to: Version,
    /// Whether [`to`](Self::to) is a release that is known to exist.
    pub is_known: bool,
}

/// A rule within a step.
#[derive(Debug, Clone)]
pub struct StepRule<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Index of the hop it belongs to; `None`: of the step as a whole.
    pub hop: Option<usize>,
}

/// What came out for a rule.
#[derive(Debug, Clone)]
pub struct Judged<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Index of the hop it belongs to; `None`: of the step as a whole.
    pub hop: Option<usize>,
    /// How bad it counts if it holds, or may if that is unknown.
    pub level: Severity,
    /// What to add to its message, if anything.
    pub caveat: Option<String>,
    /// Whether it concerns this installation.
    pub truth: Truth,
}

/// Something that is not supported about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsupported {
    /// It crosses more minors at once than the project tests; [`Step::hops`] has the path.
    HopTooBig {
        /// Minors it crosses.
        minors: u64,
        /// Minors it may cross.
        limit: u64,
    },
    /// It crosses a major version, and what that asks for is not known.
    MajorVersion,
    /// The running version is older than the project's upgrade instructions.
    FromTooOld {
        /// First version they cover.
        first: Version,
    },
    /// The target gets no patches any more.
    TargetEol,
    /// Nothing is known of the target's minor.
    TargetUnlisted,
    /// No rules are known for this CNI beyond those for all.
    NoRules,
}

/// Why there is no step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepError {
    /// No such CNI.
    UnknownCni(String),
    /// One of the versions is not one.
    Version(VersionError),
}

/// The step between two versions of a CNI (an id in `facts`). Versions as [`Version::parse`] reads them.
///
/// # Errors
/// When the CNI is not known or one of the versions is not a version.
pub fn step<'a>(facts: &'a Facts, cni: &str, from: &str, to: &str) -> Result<Step<'a>, StepError> {
    if !facts.knows(cni) {
        return Err(StepError::UnknownCni(cni.to_owned()));
    }
    let (from, to) = (Version::parse(from)?, Version::parse(to)?);
    let support = facts.support(cni);
    let direction = match from.cmp(&to) {
        std::cmp::Ordering::Less => Direction::Up,
        std::cmp::Ordering::Equal => Direction::Same,
        std::cmp::Ordering::Greater => Direction::Down,
    };
    let hops = hops(&from, &to, support);
    let rules = rules(facts.rules(cni), &from, &to, &hops);
    let unsupported = unsupported(facts, cni, &from, &to, support);
    Ok(Step { facts, cni: cni.to_owned(), from, to, direction, hops, rules, unsupported })
}

/// Minor by minor where the project knows a limit, in one hop where it does not.
fn hops(from: &Version, to: &Version, support: Option<&Support>) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut at = from.clone();
    if let (Some(limit), Some(minors)) = (support.and_then(|support| support.policy.upgrade_hop), from.minors_to(to)) {
        let mut left = minors;
        while left > limit.max(1) {
            left -= limit.max(1);
            let minor = if to > from { to.minor() - left } else { to.minor() + left };
            let first = Version::new(to.major(), minor, 0);
            let last = support
                .and_then(|support| support.minor(&first))
                .and_then(|minor| minor.last_patch.as_ref().or(minor.last_patch_seen.as_ref()));
            let next = last.filter(|last| last.same_minor(&first)).unwrap_or(&first).clone();
            hops.push(Hop { from: at, to: next.clone(), is_known: last.is_some() });
            at = next;
        }
    }
    if at != *to {
        hops.push(Hop { from: at, to: to.clone(), is_known: true });
    }
    hops
}

fn rules<'a>(rules: Vec<&'a Rule>, from: &Version, to: &Version, hops: &[Hop]) -> Vec<StepRule<'a>> {
    let mut found: Vec<StepRule<'a>> = Vec::new();
    for rule in rules {
        if rule.is_about_every_step() {
            found.push(StepRule { rule, hop: None });
            continue;
        }
        let at = hops.iter().position(|hop| rule.covers(&hop.from, &hop.to));
        match at {
            Some(index) => found.push(StepRule { rule, hop: Some(index) }),
            // Nothing on the path meets it, but going there at once would.
            None if rule.covers(from, to) => found.push(StepRule { rule, hop: None }),
            None => {}
        }
    }
    let key =
        |one: &StepRule<'_>| (one.hop.map(|hop| hop + 1), one.rule.to.bounds().0, std::cmp::Reverse(one.rule.severity));
    found.sort_by_key(key);
    found
}

fn unsupported(facts: &Facts, cni: &str, from: &Version, to: &Version, support: Option<&Support>) -> Vec<Unsupported> {
    let mut list = Vec::new();
    let policy = support.map(|support| &support.policy);
    match (from.minors_to(to), policy.and_then(|policy| policy.upgrade_hop)) {
        (Some(minors), Some(limit)) if minors > limit => list.push(Unsupported::HopTooBig { minors, limit }),
        (None, _) => list.push(Unsupported::MajorVersion),
        _ => {}
    }
    if let Some(first) = policy.and_then(|policy| policy.upgrades_from.as_ref()).filter(|first| from < first) {
        list.push(Unsupported::FromTooOld { first: first.clone() });
    }
    match support.map(|support| support.minor(to)) {
        Some(Some(minor)) if minor.state == Maintenance::Eol => list.push(Unsupported::TargetEol),
        Some(Some(_)) => {}
        Some(None) | None => list.push(Unsupported::TargetUnlisted),
    }
    if !facts.has_own_rules(cni) {
        list.push(Unsupported::NoRules);
    }
    list
}

impl<'a> Step<'a> {
    /// Id of the CNI.
    pub fn cni(&self) -> &str {
        &self.cni
    }

    /// Everything that its rules read, so that nothing else has to be gathered.
    pub fn needs(&self) -> BTreeSet<Need> {
        let mut needs: BTreeSet<Need> = self.rules.iter().flat_map(|one| one.rule.needs()).collect();
        for one in &self.rules {
            for feature in one.rule.when.all().into_iter().filter_map(|condition| condition.policy_feature()) {
                let feature = self.facts.policy_features().iter().find(|known| known.id == feature);
                let resources = feature.into_iter().flat_map(|feature| &feature.resources);
                needs.extend(
                    resources.map(|resource| Need::Objects { resource: resource.clone(), metadata_only: false }),
                );
            }
        }
        needs
    }

    /// Judges every rule of the step for a situation, in the order of [`rules`](Self::rules). Nothing is left out: what
    /// cannot be told comes back as [`Truth::Unknown`].
    pub fn judge(&self, situation: &Situation) -> Vec<Judged<'a>> {
        self.rules.iter().map(|one| self.judge_one(one, situation)).collect()
    }

    fn judge_one(&self, one: &StepRule<'a>, situation: &Situation) -> Judged<'a> {
        let (from, to) = match one.hop.map(|hop| &self.hops[hop]) {
            Some(hop) => (&hop.from, &hop.to),
            None => (&self.from, &self.to),
        };
        let look = Look {
            situation,
            hop: (from, to),
            whole: (&self.from, &self.to),
            support: self.facts.support(&self.cni),
            defaults: self.facts.defaults(&self.cni),
            features: self.facts.policy_features(),
        };
        let rule = one.rule;
        Judged { rule, hop: one.hop, level: rule.level(to), caveat: rule.caveat(to), truth: rule.when.answer(&look) }
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HopTooBig { minors, limit } => {
                write!(f, "it crosses {minors} minors at once, tested is {limit} at a time")
            }
            Self::MajorVersion => f.write_str("it crosses a major version, and what that asks for is not known"),
            Self::FromTooOld { first } => write!(f, "the project describes upgrades from {first} on"),
            Self::TargetEol => f.write_str("the target's minor gets no patches any more"),
            Self::TargetUnlisted => f.write_str("nothing is known of the target's minor"),
            Self::NoRules => f.write_str("no rules are known for this CNI beyond those for all"),
        }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCni(id) => write!(f, "no CNI is known by the id {id:?}"),
            Self::Version(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StepError {}

impl From<VersionError> for StepError {
    fn from(error: VersionError) -> Self {
        Self::Version(error)
    }
}
