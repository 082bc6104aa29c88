//! The set of known CNIs: files in, [`Facts`] out; an error names file, line and key.

use std::fmt;

use crate::builtin;
use crate::schema::{Cni, Expect};

/// What is known of every CNI, in the order of their ids.
#[derive(Debug, Clone)]
pub struct Facts {
    cnis: Vec<Cni>,
}

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

impl Facts {
    /// What is compiled in.
    pub fn builtin() -> Self {
        // A file that does not load cannot pass this crate's tests, so no user meets this.
        Self::from_files(builtin::FILES.iter().copied()).expect("the built-in facts load")
    }

    /// What is compiled in, with files laid over it: one that has the id of a known CNI takes that one's place as a
    /// whole, any other is added. Which files those are, and reading them, is the caller's business.
    pub fn with_overlay<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, FactsError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        Self::builtin().overlay(files)
    }

    fn from_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FactsError> {
        Self { cnis: Vec::new() }.overlay(files)
    }

    fn overlay<N, T>(mut self, files: impl IntoIterator<Item = (N, T)>) -> Result<Self, FactsError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let mut given: Vec<(N, T, Cni)> = Vec::new();
        for (name, text) in files {
            let cni = read(name.as_ref(), text.as_ref())?;
            if given.iter().any(|(_, _, earlier)| earlier.id == cni.id) {
                let reason = format!("id: {:?} is given by an earlier file too", cni.id);
                return Err(error_at(name.as_ref(), text.as_ref(), "id:", reason));
            }
            given.push((name, text, cni));
        }
        let replaced = |known: &Cni| given.iter().any(|(_, _, cni)| cni.id == known.id);
        self.cnis.retain(|known| !replaced(known));
        self.cnis.extend(given.iter().map(|(_, _, cni)| cni.clone()));
        self.cnis.sort_by(|a, b| a.id.cmp(&b.id));
        for (name, text, cni) in &given {
            self.check_references(cni).map_err(|(key, reason)| {
                error_at(name.as_ref(), text.as_ref(), &format!("{key}:"), format!("detect.{key}: {reason}"))
            })?;
        }
        Ok(self)
    }

    /// All CNIs, ordered by id.
    pub fn all(&self) -> &[Cni] {
        &self.cnis
    }

    /// The CNI of that id.
    pub fn get(&self, id: &str) -> Option<&Cni> {
        self.cnis.iter().find(|cni| cni.id == id)
    }

    /// Ids that an entry refers to have to exist once all files are there. An error is key and reason.
    fn check_references(&self, cni: &Cni) -> Result<(), (&'static str, String)> {
        let lists = [("before", &cni.detect.before), ("policy_only_beside", &cni.detect.policy_only_beside)];
        for (key, list) in lists {
            if let Some(id) = list.iter().find(|id| self.get(id).is_none() || **id == cni.id) {
                return Err((key, format!("{id:?} is not the id of another CNI")));
            }
        }
        Ok(())
    }
}

fn read(name: &str, text: &str) -> Result<Cni, FactsError> {
    let cni: Cni = serde_yaml::from_str(text).map_err(|error| FactsError {
        file: name.to_owned(),
        line: error.location().map(|at| at.line()),
        column: error.location().map(|at| at.column()),
        reason: without_location(&error.to_string()),
    })?;
    let policy = &cni.network_policy;
    if policy.expect == Expect::Depends && policy.note.is_none() {
        let reason = "network_policy.note: `expect: depends` needs a note that says on what".to_owned();
        return Err(error_at(name, text, "network_policy:", reason));
    }
    Ok(cni)
}

/// An error about the first line that has the key.
fn error_at(name: &str, text: &str, key: &str, reason: String) -> FactsError {
    let line = text.lines().position(|line| line.trim_start().starts_with(key)).map(|index| index + 1);
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
