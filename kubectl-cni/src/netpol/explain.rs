//! A decision in, words out.

use super::model::Action;
use super::simulate::{Because, Decision, Outcome, Reason};

/// One sentence: the outcome and what decided it.
pub fn explain(decision: &Decision) -> String {
    let because: Vec<String> = decision.because.iter().map(words).collect();
    let because = because.join("; ");
    match decision.outcome {
        Outcome::Allowed => format!("allowed: {because}"),
        Outcome::Denied => format!("denied: {because}"),
        Outcome::Undefined(why) if because.is_empty() => format!("undefined: {why}"),
        Outcome::Undefined(why) => format!("undefined: {why} ({because})"),
    }
}

fn words(because: &Because) -> String {
    match because {
        Because::Itself => "a pod can always reach itself".to_owned(),
        Because::NoPod => "no policy applies to either end".to_owned(),
        Because::Policy { direction, pod, reason } => {
            let side = format!("{} of {pod}", direction.name());
            let own = |policy: &str| format!("NetworkPolicy {}/{policy}", pod.namespace);
            match reason {
                Reason::NotIsolated => format!("{side} is not isolated"),
                Reason::OwnNode => format!("{side} is open to the pod's own node"),
                Reason::Isolated(policy) => format!("{side} is isolated by {}, and no rule matches", own(policy)),
                Reason::Rule(policy, rule) => {
                    format!("{side} is matched by {} spec.{}[{rule}]", own(policy), direction.name())
                }
                Reason::Tier { kind, policy, rule, named, action } => {
                    let action = match action {
                        Action::Accept => "accepted",
                        Action::Deny => "denied",
                        Action::Pass => "passed on",
                    };
                    let named = named.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
                    format!("{side} is {action} by {} {policy} spec.{}[{rule}]{named}", kind.name(), direction.name())
                }
            }
        }
    }
}
