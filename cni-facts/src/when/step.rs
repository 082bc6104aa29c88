//! Conditions about the step itself.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use super::{Ask, Look, Truth};
use crate::schema::CheckedText;
use crate::situation::Need;
use crate::version::Version;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct MinorHopGt(u64);

#[derive(Debug, Clone)]
pub(super) enum RunningLt {
    /// The last patch that is known of the running minor.
    LatestPatch,
    /// This version.
    Version(Version),
}

impl Ask for MinorHopGt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let (from, to) = look.whole;
        match from.minors_to(to) {
            Some(minors) => Truth::when(minors > self.0, format!("{from} to {to} is {minors} minors")),
            None => Truth::holds(format!("{from} to {to} crosses a major version")),
        }
    }

    fn needs(&self, _: &mut BTreeSet<Need>) {}

    fn words(&self) -> String {
        format!("the step crosses more than {} minors", self.0)
    }
}

impl Ask for RunningLt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let running = look.whole.0;
        match self {
            Self::Version(version) => Truth::when(running < version, format!("{running} is running")),
            Self::LatestPatch => {
                let Some(minor) = look.support.and_then(|support| support.minor(running)) else {
                    return Truth::unknown(format!("the last patch of {} is not known", running.minor_text()));
                };
                match minor.last_patch.as_ref().or(minor.last_patch_seen.as_ref()) {
                    Some(last) => Truth::when(
                        running < last,
                        format!("{running} is running, {last} is the last patch that is known"),
                    ),
                    None => Truth::unknown(format!("the last patch of {} is not known", running.minor_text())),
                }
            }
        }
    }

    fn needs(&self, _: &mut BTreeSet<Need>) {}

    fn words(&self) -> String {
        match self {
            Self::LatestPatch => "the running version is not the last patch of its minor".to_owned(),
            Self::Version(version) => format!("the running version is below {version}"),
        }
    }
}

impl<'de> Deserialize<'de> for RunningLt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| match text {
            "latest-patch" => Ok(Self::LatestPatch),
            text => Version::parse(text).map(Self::Version).map_err(|error| format!("{error} or `latest-patch`")),
        };
        deserializer.deserialize_str(CheckedText(read))
    }
}
