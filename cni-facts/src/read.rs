//! Files of facts: a name and a text in, checked types out; an error names file, line, column and what was expected.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::backup::Backup;
use crate::host::Host;
use crate::migration::Migrations;
use crate::policy_feature::PolicyFeatures;
use crate::rules::RuleFile;
use crate::schema::{Cni, Expect};
use crate::support::Support;

/// Why a file of facts cannot be used. Shown as `file:line:column: reason`, the reason starting with the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line, from 1, where it is known.
    pub line: Option<usize>,
    /// Column, from 1, where it is known.
    pub column: Option<usize>,
    /// Key and reason.
    pub reason: String,
}

/// What a file turned out to be.
pub(crate) enum File {
    Cni(Box<Cni>),
    Rules(RuleFile),
    Support(Box<Support>),
    Backup(Backup),
    Host(Box<Host>),
    Defaults,
    Migrations(Migrations),
    PolicyFeatures(PolicyFeatures),
}

/// The keys that tell what a file is; no other kind has them at the top.
const KINDS: &[(&str, &[&str])] = &[
    ("cni", &["detect"]),
    ("rules", &["rules"]),
    ("support", &["minors", "policy"]),
    ("backup", &["resources", "runtime_state", "secrets", "configmaps", "objects"]),
    ("host", &["cni_conf", "interfaces", "iptables_chains", "state_dirs", "conf_dirs"]),
    ("defaults", &["defaults"]),
    ("migrations", &["migrations", "methods"]),
    ("features", &["policy_features"]),
];

impl File {
    /// Reads a file of whatever kind.
    pub(crate) fn read(name: &str, text: &str) -> Result<Self, FactsError> {
        let top: serde_yaml::Value = parse(name, text)?;
        let kind = KINDS.iter().find(|(_, keys)| keys.iter().any(|key| top.get(*key).is_some()));
        Ok(match kind.map(|(kind, _)| *kind) {
            Some("rules") => Self::Rules(parse(name, text)?),
            Some("support") => Self::Support(parse(name, text)?),
            Some("backup") => Self::Backup(parse(name, text)?),
            Some("host") => Self::Host(parse(name, text)?),
            Some("defaults") => Self::Defaults,
            Some("migrations") => Self::Migrations(parse(name, text)?),
            Some("features") => Self::PolicyFeatures(parse(name, text)?),
            // Without any of them it is most likely a CNI whose key is misspelt; its reader says what is missing.
            _ => Self::Cni(Box::new(cni(name, text)?)),
        })
    }
}

/// Reads a file that describes a CNI.
pub(crate) fn cni(name: &str, text: &str) -> Result<Cni, FactsError> {
    let cni: Cni = parse(name, text)?;
    let policy = &cni.network_policy;
    if policy.expect == Expect::Depends && policy.note.is_none() {
        let reason = "network_policy.note: `expect: depends` needs a note that says on what".to_owned();
        return Err(error_at(name, text, "network_policy:", reason));
    }
    Ok(cni)
}

/// Reads a file of a known kind.
pub(crate) fn parse<T: DeserializeOwned>(name: &str, text: &str) -> Result<T, FactsError> {
    serde_yaml::from_str(text).map_err(|error| FactsError {
        file: name.to_owned(),
        line: error.location().map(|at| at.line()),
        column: error.location().map(|at| at.column()),
        reason: without_location(&error.to_string()),
    })
}

/// An error about the first line that starts with the key, list dashes aside.
pub(crate) fn error_at(name: &str, text: &str, key: &str, reason: String) -> FactsError {
    let starts = |line: &str| line.trim_start_matches([' ', '-']).starts_with(key);
    let line = text.lines().position(starts).map(|index| index + 1);
    FactsError { file: name.to_owned(), line, column: None, reason }
}

/// serde_yaml ends its messages with the place, which is shown in front already.
fn without_location(message: &str) -> String {
    match message.rfind(" at line ") {
        Some(at) => message[..at].to_owned(),
        None => message.to_owned(),
    }
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for FactsError {}
