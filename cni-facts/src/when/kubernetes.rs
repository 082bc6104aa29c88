//! Conditions about the control plane's version.

use std::collections::BTreeSet;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Ask, Look, Truth};
use crate::situation::{Need, Part};
use crate::support::Supported;
use crate::version::Version;

#[derive(Debug, Clone)]
pub(super) enum MinorNotIn {
    /// Those that the support table lists for the target.
    Tested,
    /// These.
    Listed(Vec<Version>),
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Lt(Version);

fn version<'a>(look: &Look<'a>) -> Result<&'a Version, Truth> {
    match &look.situation.kubernetes {
        Part::Known(version) => Ok(version),
        Part::Absent => Err(Truth::unknown("the control plane's version: there is no cluster")),
        Part::Unknown(why) => Err(Truth::unknown(format!("the control plane's version: {why}"))),
    }
}

impl Ask for MinorNotIn {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let running = match version(look) {
            Ok(version) => version,
            Err(unknown) => return unknown,
        };
        match self {
            Self::Listed(minors) => {
                let seen = format!("Kubernetes is {}", running.minor_text());
                Truth::when(!minors.iter().any(|minor| minor.same_minor(running)), seen)
            }
            Self::Tested => match look.support.map(|support| support.kubernetes(look.hop.1, running)) {
                Some(Supported::Yes) => {
                    Truth::not(format!("Kubernetes {} is tested with {}", running.minor_text(), look.hop.1))
                }
                Some(Supported::No { expected }) => Truth::holds(format!(
                    "Kubernetes is {}, tested with {} are {expected}",
                    running.minor_text(),
                    look.hop.1
                )),
                Some(Supported::Unknown { why }) => Truth::unknown(why),
                None => Truth::unknown("no support table is known"),
            },
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Kubernetes);
    }

    fn words(&self) -> String {
        match self {
            Self::Tested => "the control plane's minor is not among those tested with the target".to_owned(),
            Self::Listed(minors) => {
                let minors: Vec<String> = minors.iter().map(Version::minor_text).collect();
                format!("the control plane's minor is none of {}", minors.join(", "))
            }
        }
    }
}

impl Ask for Lt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match version(look) {
            Ok(version) => Truth::when(*version < self.0, format!("Kubernetes is {}", version.minor_text())),
            Err(unknown) => unknown,
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Kubernetes);
    }

    fn words(&self) -> String {
        format!("Kubernetes is older than {}", self.0.minor_text())
    }
}

impl<'de> Deserialize<'de> for MinorNotIn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = MinorNotIn;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`tested` or a list of minors such as [\"1.33\", \"1.34\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<MinorNotIn, E> {
                match text {
                    "tested" => Ok(MinorNotIn::Tested),
                    other => Err(E::custom(format!("{other:?} is neither `tested` nor a list of minors"))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<MinorNotIn, A::Error> {
                let mut minors = Vec::new();
                while let Some(minor) = entries.next_element()? {
                    minors.push(minor);
                }
                Ok(MinorNotIn::Listed(minors))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
