//! `always`, `all`, `any`, `not`: answers in, one answer out, in Kleene's three-valued logic.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use super::{Ask, Condition, Look, Truth};
use crate::schema::not_empty;
use crate::situation::Need;

/// `always: true`.
#[derive(Debug, Clone)]
pub(super) struct Always;

/// `all: [...]`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct All(#[serde(deserialize_with = "not_empty")] pub(super) Vec<Condition>);

/// `any: [...]`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Any(#[serde(deserialize_with = "not_empty")] pub(super) Vec<Condition>);

/// `not: {...}`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Not(pub(super) Box<Condition>);

/// One `no` decides; otherwise one `unknown` leaves it open.
pub(super) fn all(answers: impl IntoIterator<Item = Truth>) -> Truth {
    let (mut seen, mut open) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Truth::DoesNotHold { .. } => return answer,
            Truth::Holds { because } => seen.push(because),
            Truth::Unknown { why } => open.push(why),
        }
    }
    if open.is_empty() { Truth::holds(joined(seen)) } else { Truth::unknown(joined(open)) }
}

/// One `yes` decides; otherwise one `unknown` leaves it open.
pub(super) fn any(answers: impl IntoIterator<Item = Truth>) -> Truth {
    let (mut seen, mut open) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer {
            Truth::Holds { .. } => return answer,
            Truth::DoesNotHold { because } => seen.push(because),
            Truth::Unknown { why } => open.push(why),
        }
    }
    if open.is_empty() { Truth::not(joined(seen)) } else { Truth::unknown(joined(open)) }
}

fn not(answer: Truth) -> Truth {
    match answer {
        Truth::Holds { because } => Truth::not(because),
        Truth::DoesNotHold { because } => Truth::holds(because),
        unknown @ Truth::Unknown { .. } => unknown,
    }
}

/// Clauses without repetition, in order; "always" says nothing beside another.
fn joined(texts: Vec<String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !text.is_empty() && !once.contains(&text) {
            once.push(text);
        }
    }
    once.join("; ")
}

fn words(list: &[Condition], between: &str) -> String {
    let one = |condition: &Condition| match condition.name() {
        "all" | "any" => format!("({condition})"),
        _ => condition.to_string(),
    };
    list.iter().map(one).collect::<Vec<_>>().join(between)
}

impl Ask for Always {
    fn answer(&self, _: &Look<'_>) -> Truth {
        Truth::holds("it concerns every installation")
    }

    fn needs(&self, _: &mut BTreeSet<Need>) {}

    fn words(&self) -> String {
        "always".to_owned()
    }
}

impl Ask for All {
    fn answer(&self, look: &Look<'_>) -> Truth {
        all(self.0.iter().map(|condition| condition.answer(look)))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend(self.0.iter().flat_map(Condition::needs));
    }

    fn words(&self) -> String {
        words(&self.0, " and ")
    }
}

impl Ask for Any {
    fn answer(&self, look: &Look<'_>) -> Truth {
        any(self.0.iter().map(|condition| condition.answer(look)))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend(self.0.iter().flat_map(Condition::needs));
    }

    fn words(&self) -> String {
        words(&self.0, " or ")
    }
}

impl Ask for Not {
    fn answer(&self, look: &Look<'_>) -> Truth {
        not(self.0.answer(look))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend(self.0.needs());
    }

    fn words(&self) -> String {
        format!("not ({})", self.0)
    }
}

impl<'de> Deserialize<'de> for Always {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::target::only_true(deserializer).map(|()| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str) -> Truth {
        match name {
            "yes" => Truth::holds("y"),
            "no" => Truth::not("n"),
            _ => Truth::unknown("u"),
        }
    }

    #[test]
    fn kleene() {
        let names = ["yes", "no", "open"];
        for a in names {
            for b in names {
                let expected_all = match (a, b) {
                    ("yes", "yes") => "yes",
                    ("no", _) | (_, "no") => "no",
                    _ => "open",
                };
                let expected_any = match (a, b) {
                    ("no", "no") => "no",
                    ("yes", _) | (_, "yes") => "yes",
                    _ => "open",
                };
                assert_eq!(all([given(a), given(b)]), given(expected_all), "{a} and {b}");
                assert_eq!(any([given(a), given(b)]), given(expected_any), "{a} or {b}");
            }
        }
        assert_eq!(not(given("open")), given("open"));
        assert_eq!(not(Truth::holds("x")), Truth::not("x"));
        assert_eq!(not(Truth::not("x")), Truth::holds("x"));
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let open = all([Truth::unknown("no nodes"), Truth::holds("y"), Truth::unknown("no values")]);
        assert_eq!(open, Truth::unknown("no nodes; no values"));
    }
}
