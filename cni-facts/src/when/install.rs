//! Conditions about how the CNI is installed and how the upgrade is run.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Ask, Look, Truth};
use crate::situation::{InstallMethod, Need, Part};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct MethodIs(InstallMethod);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct HelmFlag(String);

fn words(method: InstallMethod) -> &'static str {
    match method {
        InstallMethod::Helm => "it is installed with Helm",
        InstallMethod::Manifest => "it is installed from a manifest",
        InstallMethod::Operator => "it is installed by an operator",
        InstallMethod::CiliumCliClassic => "it was installed by its command line tool without Helm",
        InstallMethod::Addon => "a distribution or cloud provider manages it",
    }
}

impl Ask for MethodIs {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match &look.situation.install {
            Part::Known(method) => Truth::when(*method == self.0, words(*method)),
            Part::Absent => Truth::not("it is not installed"),
            Part::Unknown(why) => Truth::unknown(format!("how it is installed: {why}")),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Install);
    }

    fn words(&self) -> String {
        words(self.0).to_owned()
    }
}

impl Ask for HelmFlag {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match &look.situation.helm_flags {
            Part::Known(flags) if flags.contains(&self.0) => Truth::holds(format!("helm is to be run with {}", self.0)),
            Part::Known(_) => Truth::not(format!("helm is not to be run with {}", self.0)),
            Part::Absent => Truth::not("helm is not to be run"),
            Part::Unknown(why) => Truth::unknown(format!("how helm is to be run: {why}")),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::HelmFlags);
    }

    fn words(&self) -> String {
        format!("helm is run with {}", self.0)
    }
}
