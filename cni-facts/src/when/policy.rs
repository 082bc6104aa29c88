//! `policy_uses`: features of network policies, as `data/policy-features.yaml` describes them.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::objects::{listed, name_of, some};
use super::{Ask, Look, Truth, logic};
use crate::situation::Need;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Uses(pub(super) String);

impl Ask for Uses {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let Some(feature) = look.features.iter().find(|feature| feature.id == self.0) else {
            return Truth::unknown(format!("how a policy shows that it uses {} is not known", self.0));
        };
        logic::any(feature.resources.iter().map(|resource| match listed(look, resource) {
            Err(unknown) => unknown,
            Ok(policies) => {
                let using: Vec<String> =
                    policies.iter().filter(|policy| feature.used_by(policy)).map(name_of).collect();
                match using.is_empty() {
                    true => Truth::not(format!("no {resource} use {}", self.0)),
                    false => Truth::holds(format!("{} used by {resource} {}", self.0, some(&using))),
                }
            }
        }))
    }

    /// The resources are known to the facts; [`Step::needs`](crate::Step::needs) adds them.
    fn needs(&self, _: &mut BTreeSet<Need>) {}

    fn words(&self) -> String {
        format!("a network policy uses {}", self.0)
    }
}
