//! The set of known facts: files in, [`Facts`] out.
//!
//! What is compiled in is read when it is asked for and not before: a program that prints its version reads nothing, one
//! that looks at a Flannel cluster does not read the rules of Cilium.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::backup::Backup;
use crate::builtin;
use crate::defaults::Defaults;
use crate::host::Host;
use crate::incident::{Incident, Incidents};
use crate::migration::{Method, Migration, Migrations};
use crate::overlay::Own;
use crate::policy_feature::{PolicyFeature, PolicyFeatures};
use crate::read::{self, FactsError, error_at, parse};
use crate::rules::{Rule, RuleFile};
use crate::schema::Cni;
use crate::support::Support;

/// The id under which rules are kept that are about every CNI.
pub(crate) const ANY: &str = "any";

/// What is known: every CNI, the rules of its version steps, what it is tested with, the ways from one to another.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Built-in CNIs and those of the user, by id.
    pub(crate) cnis: OnceLock<Vec<Cni>>,
    /// One per folder of `data/`, in the order of [`builtin::FOLDERS`].
    folders: Vec<OnceLock<Folder>>,
    migrations: OnceLock<Migrations>,
    features: OnceLock<Vec<PolicyFeature>>,
    incidents: OnceLock<Vec<Incident>>,
    /// What the user brought.
    pub(crate) own: Own,
}

/// What a folder of `data/` holds besides the CNI itself.
#[derive(Debug, Clone, Default)]
struct Folder {
    rules: Vec<Rule>,
    support: Option<Support>,
    defaults: Option<Defaults>,
    backup: Option<Backup>,
    host: Option<Host>,
}

impl Facts {
    /// What is compiled in. Nothing is read yet.
    pub fn builtin() -> Self {
        Self { folders: builtin::FOLDERS.iter().map(|_| OnceLock::new()).collect(), ..Self::default() }
    }

    /// All CNIs, ordered by id.
    pub fn all(&self) -> &[Cni] {
        self.cnis.get_or_init(|| laid_over(std::iter::empty()))
    }

    /// The CNI of that id.
    pub fn get(&self, id: &str) -> Option<&Cni> {
        self.all().iter().find(|cni| cni.id == id)
    }

    /// Whether anything is known by that id.
    pub(crate) fn knows(&self, cni: &str) -> bool {
        self.get(cni).is_some()
    }

    /// The rules about a CNI, those about every CNI included: in the order of the files, the user's last.
    pub fn rules(&self, cni: &str) -> Vec<&Rule> {
        let about = |rule: &&Rule| rule.only.iter().any(|id| id == cni || id == ANY);
        self.rules_in(&self.folders_of(cni)).filter(about).collect()
    }

    /// The rule of that id.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.all_rules().into_iter().find(|rule| rule.id == id)
    }

    /// The rules that explain why a chart refused to render, by helm's own message; several where one message has
    /// several causes.
    pub fn rules_for_refusal(&self, cni: &str, message: &str) -> Vec<&Rule> {
        let says = |rule: &&Rule| {
            let piece = rule.refused.as_ref().and_then(|refused| refused.says.as_deref());
            piece.is_some_and(|piece| message.contains(piece))
        };
        self.rules(cni).into_iter().filter(says).collect()
    }

    /// All rules, in the order of the files, the user's last.
    pub fn all_rules(&self) -> Vec<&Rule> {
        let every: Vec<usize> = (0..self.folders.len()).collect();
        self.rules_in(&every).collect()
    }

    /// What a CNI is tested with.
    pub fn support(&self, cni: &str) -> Option<&Support> {
        let about = |support: &&Support| support.applies_to.iter().any(|id| id == cni);
        let built_in =
            || self.folders_of(cni).into_iter().find_map(|index| self.folder(index).support.as_ref().filter(about));
        self.own.supports.iter().find(about).or_else(built_in)
    }

    /// What has to be saved of a CNI, with what it shares with another.
    pub fn backup(&self, cni: &str) -> Option<Backup> {
        let of = |id: &str| {
            let built_in = || self.folder_named(id)?.backup.as_ref();
            self.own.backups.iter().find(|backup| backup.id == id).or_else(built_in)
        };
        let own = of(cni)?.clone();
        Some(match own.same_as.as_deref().and_then(of) {
            Some(shared) => own.after(shared),
            None => own,
        })
    }

    /// What a CNI puts on a node; `any`: what is true of every node.
    pub fn host(&self, cni: &str) -> Option<&Host> {
        let of = |id: &str| {
            let built_in = || self.folder_named(id)?.host.as_ref();
            self.own.hosts.iter().find(|host| host.id == id).or_else(built_in)
        };
        let own = of(cni)?;
        match &own.same_as {
            Some(other) => of(other),
            None => Some(own),
        }
    }

    /// The CNI that comes in a chart of that name.
    pub fn of_chart(&self, chart: &str) -> Option<&Cni> {
        self.all().iter().find(|cni| cni.detect.helm.as_ref().is_some_and(|helm| helm.chart == chart))
    }

    /// Ways from one CNI to another.
    pub fn migrations(&self) -> Vec<&Migration> {
        let built_in = self.built_in_migrations().migrations.iter();
        let kept = built_in.filter(|one| self.own.migrations.iter().all(|own| own.id != one.id));
        kept.chain(&self.own.migrations).collect()
    }

    /// The ways to go about a migration, in general.
    pub fn migration_methods(&self) -> Vec<&Method> {
        let built_in = self.built_in_migrations().methods.iter();
        let kept = built_in.filter(|one| self.own.methods.iter().all(|own| own.id != one.id));
        kept.chain(&self.own.methods).collect()
    }

    /// Features of network policies that rules refer to.
    pub fn policy_features(&self) -> &[PolicyFeature] {
        self.features.get_or_init(|| {
            let file = builtin::POLICY_FEATURES;
            let file: PolicyFeatures = parse(file.name, &file.text()).expect("the built-in facts load");
            let own = &self.own.features;
            let kept = file.policy_features.into_iter().filter(|one| own.iter().all(|own| own.id != one.id));
            kept.chain(own.iter().cloned()).collect()
        })
    }

    /// Upgrades that went wrong for others.
    pub fn incidents(&self) -> &[Incident] {
        self.incidents.get_or_init(|| {
            let file = builtin::INCIDENTS;
            let file: Incidents = parse(file.name, &file.text()).expect("the built-in facts load");
            file.incidents
        })
    }

    pub(crate) fn defaults(&self, cni: &str) -> Option<&Defaults> {
        self.folders_of(cni).into_iter().find_map(|index| self.folder(index).defaults.as_ref())
    }

    /// Whether there are rules about this CNI and not about every one.
    pub(crate) fn has_own_rules(&self, cni: &str) -> bool {
        self.rules(cni).iter().any(|rule| rule.only.iter().any(|id| id == cni))
    }

    /// Rules of folders and of the user, without built-in rules that the user replaced.
    fn rules_in<'a>(&'a self, folders: &[usize]) -> impl Iterator<Item = &'a Rule> + use<'a> {
        let replaced: BTreeSet<&str> = self.own.rules.iter().map(|rule| rule.id.as_str()).collect();
        let folders: Vec<&Folder> = folders.iter().map(|index| self.folder(*index)).collect();
        let built_in = folders.into_iter().flat_map(|folder| &folder.rules);
        built_in.filter(move |rule| !replaced.contains(rule.id.as_str())).chain(&self.own.rules)
    }

    /// Folders that can hold something about a CNI: its own, its family's, the one about every CNI.
    fn folders_of(&self, cni: &str) -> Vec<usize> {
        let family = self.get(cni).and_then(|cni| cni.family.as_deref());
        let about = |name: &str| name == cni || Some(name) == family || name == ANY;
        let named = builtin::FOLDERS.iter().enumerate().filter(|(_, folder)| about(folder.name));
        named.map(|(index, _)| index).collect()
    }

    fn folder_named(&self, name: &str) -> Option<&Folder> {
        Some(self.folder(builtin::FOLDERS.iter().position(|folder| folder.name == name)?))
    }

    fn folder(&self, index: usize) -> &Folder {
        // A file that does not load cannot pass this crate's tests, so no user meets this.
        self.folders[index].get_or_init(|| Folder::load(&builtin::FOLDERS[index]).expect("the built-in facts load"))
    }

    fn built_in_migrations(&self) -> &Migrations {
        self.migrations.get_or_init(|| {
            let mut all = Migrations::default();
            for file in builtin::MIGRATIONS {
                let file: Migrations = parse(file.name, &file.text()).expect("the built-in facts load");
                all.methods.extend(file.methods);
                all.migrations.extend(file.migrations);
            }
            all
        })
    }
}

/// The built-in CNIs with others laid over, ordered by id.
pub(crate) fn laid_over(own: impl Iterator<Item = Cni>) -> Vec<Cni> {
    let own: Vec<Cni> = own.collect();
    let built_in =
        builtin::CNIS.iter().map(|file| read::cni(file.name, &file.text()).expect("the built-in facts load"));
    let mut all: Vec<Cni> = built_in.filter(|cni| own.iter().all(|other| other.id != cni.id)).collect();
    all.extend(own);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

impl Folder {
    fn load(folder: &builtin::Folder) -> Result<Self, FactsError> {
        let mut loaded = Self::default();
        for file in folder.rules {
            let text = file.text();
            loaded.rules.extend(narrowed(file.name, &text, parse(file.name, &text)?)?);
        }
        if let Some(file) = &folder.support {
            loaded.support = Some(parse(file.name, &file.text())?);
        }
        if let Some(file) = &folder.defaults {
            loaded.defaults = Some(parse(file.name, &file.text())?);
        }
        if let Some(file) = &folder.backup {
            loaded.backup = Some(parse(file.name, &file.text())?);
        }
        if let Some(file) = &folder.host {
            loaded.host = Some(parse(file.name, &file.text())?);
        }
        Ok(loaded)
    }
}

/// Rules with the ids of their CNIs filled in; narrowing is only allowed to ids of the file.
pub(crate) fn narrowed(name: &str, text: &str, file: RuleFile) -> Result<Vec<Rule>, FactsError> {
    let mut rules = file.rules;
    for rule in &mut rules {
        if let Some(id) = rule.only.iter().find(|id| !file.applies_to.contains(id)) {
            let reason = format!("rule {}: only: {id:?} is not in applies_to of the file", rule.id);
            return Err(error_at(name, text, &format!("id: {}", rule.id), reason));
        }
        if rule.only.is_empty() {
            rule.only.clone_from(&file.applies_to);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that prints its version pays nothing for the facts, and nobody pays for rules of other CNIs.
    #[test]
    fn nothing_is_read_before_it_is_asked_for() {
        let facts = Facts::builtin();
        assert!(facts.cnis.get().is_none() && facts.migrations.get().is_none() && facts.incidents.get().is_none());
        assert!(facts.features.get().is_none() && facts.folders.iter().all(|folder| folder.get().is_none()));
        assert!(!facts.rules("flannel").is_empty());
        let read = |name: &str| {
            let index = builtin::FOLDERS.iter().position(|folder| folder.name == name);
            index.is_some_and(|index| facts.folders[index].get().is_some())
        };
        assert!(read("flannel") && read("any") && !read("cilium") && !read("calico"));
    }
}
