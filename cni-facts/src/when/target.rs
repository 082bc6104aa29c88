//! Conditions about the target that somebody tried out, and the reading of `true` that they share.

use std::collections::BTreeSet;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::objects::some;
use super::{Ask, Look, Truth};
use crate::situation::{Need, Part};

/// `target_image_not_pullable: true`.
#[derive(Debug, Clone)]
pub(super) struct ImageNotPullable;

impl Ask for ImageNotPullable {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match &look.situation.target.images_not_pulled {
            Part::Known(images) if images.is_empty() => Truth::not("every image of the target was pulled"),
            Part::Known(images) => {
                Truth::holds(format!("could not be pulled: {}", some(&images.iter().cloned().collect::<Vec<_>>())))
            }
            Part::Absent => Truth::not("the target has no images"),
            Part::Unknown(why) => Truth::unknown(format!("whether the target's images can be pulled: {why}")),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::TargetImages);
    }

    fn words(&self) -> String {
        "an image of the target cannot be pulled".to_owned()
    }
}

impl<'de> Deserialize<'de> for ImageNotPullable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        only_true(deserializer).map(|()| Self)
    }
}

/// Reads `true` and nothing else.
pub(super) fn only_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    struct True;

    impl Visitor<'_> for True {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("true")
        }

        fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
            if value { Ok(()) } else { Err(E::custom("expected true; for the opposite put it below `not`")) }
        }
    }
    deserializer.deserialize_bool(True)
}
