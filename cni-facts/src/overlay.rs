//! The user's own files: laid over the built-in facts, with everything they refer to looked up.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::backup::Backup;
use crate::facts::{ANY, Facts, laid_over, narrowed};
use crate::host::Host;
use crate::migration::{Method, Migration};
use crate::policy_feature::PolicyFeature;
use crate::read::{FactsError, File, error_at};
use crate::rules::{Rule, RuleFile};
use crate::schema::Cni;
use crate::support::Support;

/// What the user brought, besides CNIs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Own {
    pub(crate) rules: Vec<Rule>,
    pub(crate) supports: Vec<Support>,
    pub(crate) backups: Vec<Backup>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) methods: Vec<Method>,
    pub(crate) migrations: Vec<Migration>,
    pub(crate) features: Vec<PolicyFeature>,
}

/// A file as the caller gave it.
#[derive(Clone, Copy)]
struct Given<'a> {
    name: &'a str,
    text: &'a str,
}

impl Facts {
    /// What is compiled in, with files laid over it. A file says by its keys what it is: a CNI, rules, a support table,
    /// what to save, what is on a node, migrations, policy features. What has the id of a known thing takes its place as
    /// a whole, anything else is added. Which files those are, and reading them, is the caller's business.
    ///
    /// # Errors
    /// When a file does not read, gives an id twice, or refers to something that is not there.
    pub fn with_overlay<N, T>(files: impl IntoIterator<Item = (N, T)>) -> Result<Self, FactsError>
    where
        N: AsRef<str>,
        T: AsRef<str>,
    {
        let files: Vec<(N, T)> = files.into_iter().collect();
        let given: Vec<Given<'_>> =
            files.iter().map(|(name, text)| Given { name: name.as_ref(), text: text.as_ref() }).collect();
        let mut facts = Self::builtin();
        let mut seen = BTreeSet::new();
        let (mut cnis, mut rules, mut about) = (Vec::new(), Vec::new(), Vec::new());
        for file in given {
            let mut once = |what: &'static str, key: &str, id: &str| match seen.insert((what, id.to_owned())) {
                true => Ok(()),
                false => {
                    Err(file.error(&format!("{key}: {id}"), format!("{key}: {id:?} is given by an earlier entry too")))
                }
            };
            match File::read(file.name, file.text)? {
                File::Cni(cni) => {
                    once("cni", "id", &cni.id)?;
                    cnis.push((file, *cni));
                }
                File::Rules(read) => {
                    read.rules.iter().try_for_each(|rule| once("rule", "id", &rule.id))?;
                    rules.push((file, read));
                }
                File::Support(support) => {
                    support.applies_to.iter().try_for_each(|id| once("support", "applies_to", id))?;
                    about.push((file, "applies_to", support.applies_to.clone()));
                    facts.own.supports.push(*support);
                }
                File::Backup(backup) => {
                    once("backup", "id", &backup.id)?;
                    about.push((file, "id", vec![backup.id.clone()]));
                    about.push((file, "same_as", backup.same_as.iter().cloned().collect()));
                    facts.own.backups.push(backup);
                }
                File::Host(host) => {
                    once("host", "id", &host.id)?;
                    about.push((file, "id", vec![host.id.clone()]));
                    about.push((file, "same_as", host.same_as.iter().cloned().collect()));
                    facts.own.hosts.push(*host);
                }
                File::Migrations(read) => {
                    read.methods.iter().try_for_each(|one| once("method", "id", &one.id))?;
                    read.migrations.iter().try_for_each(|one| once("migration", "id", &one.id))?;
                    let ends = read.migrations.iter().flat_map(|one| one.from.iter().chain(&one.to).cloned());
                    about.push((file, "from", ends.collect()));
                    facts.own.methods.extend(read.methods);
                    facts.own.migrations.extend(read.migrations);
                }
                File::PolicyFeatures(read) => {
                    read.policy_features.iter().try_for_each(|one| once("feature", "id", &one.id))?;
                    facts.own.features.extend(read.policy_features);
                }
                File::Defaults => {
                    let reason = "defaults: defaults of charts cannot be laid over; give the chart itself".to_owned();
                    return Err(file.error("defaults:", reason));
                }
            }
        }
        facts.cnis = OnceLock::from(laid_over(cnis.iter().map(|(_, cni)| cni.clone())));
        for (file, cni) in &cnis {
            facts.check_references(*file, cni)?;
        }
        for (file, key, ids) in about {
            facts.check_ids(file, key, &ids)?;
        }
        for (file, read) in rules {
            facts.check_rules(file, &read)?;
            facts.own.rules.extend(narrowed(file.name, file.text, read)?);
        }
        Ok(facts)
    }

    /// Ids that an entry refers to have to exist once all files are there.
    fn check_references(&self, file: Given<'_>, cni: &Cni) -> Result<(), FactsError> {
        let lists = [("before", &cni.detect.before), ("policy_only_beside", &cni.detect.policy_only_beside)];
        for (key, list) in lists {
            if let Some(id) = list.iter().find(|id| self.get(id).is_none() || **id == cni.id) {
                return Err(
                    file.error(&format!("{key}:"), format!("detect.{key}: {id:?} is not the id of another CNI"))
                );
            }
        }
        Ok(())
    }

    /// What rules refer to has to be there.
    fn check_rules(&self, file: Given<'_>, read: &RuleFile) -> Result<(), FactsError> {
        self.check_ids(file, "applies_to", &read.applies_to)?;
        for rule in &read.rules {
            for feature in rule.when.all().into_iter().filter_map(|condition| condition.policy_feature()) {
                if self.policy_features().iter().all(|known| known.id != feature) {
                    let reason = format!("rule {}: policy_uses: {feature:?} is not among the policy features", rule.id);
                    return Err(file.error(&format!("id: {}", rule.id), reason));
                }
            }
        }
        Ok(())
    }

    fn check_ids(&self, file: Given<'_>, key: &str, ids: &[String]) -> Result<(), FactsError> {
        match ids.iter().find(|id| *id != ANY && !self.knows(id)) {
            Some(id) => Err(file.error(&format!("{key}:"), format!("{key}: {id:?} is not the id of a CNI"))),
            None => Ok(()),
        }
    }
}

impl Given<'_> {
    /// An error about the first line that starts with the key.
    fn error(self, key: &str, reason: String) -> FactsError {
        error_at(self.name, self.text, key, reason)
    }
}
