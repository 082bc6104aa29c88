//! Objects of a target in, what the API server would store of each out: a server-side apply with `dryRun=All`, so that
//! defaults, admission and the owners of fields are the server's own
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts>).

use serde_json::Value;

use super::live::{self, Wanted};
use super::{Server, Session};
use crate::foretold::{Conflict, Foretold, MANAGER};
use crate::source::connect::{Answer, Refusal};

pub(super) fn ask(session: &Session, server: &Server, objects: &[(Wanted, Value)]) -> Vec<Foretold> {
    live::each(objects, |(wanted, object)| one(session, server, wanted, object))
}

fn one(session: &Session, server: &Server, wanted: &Wanted, object: &Value) -> Foretold {
    let Some(path) = live::place(session, server, wanted) else {
        return Foretold::Unknown(format!("{} is not served", wanted.kind));
    };
    let apply = |force: bool| session.client.dry_apply(&path, MANAGER, force, object);
    let (conflicts, answer) = match apply(false) {
        Ok(Answer::Refused(refusal)) if refusal.status == 409 => (conflicts(&refusal), apply(true)),
        answer => (Vec::new(), answer),
    };
    match answer {
        Ok(Answer::Value(object)) => Foretold::Stored { object, conflicts },
        Ok(Answer::Refused(refusal)) if refusal.status == 422 => Foretold::Invalid(invalid(&refusal)),
        Ok(Answer::Refused(Refusal { said, .. })) if denied(&said) => Foretold::Invalid(said),
        Ok(Answer::Refused(Refusal { status: 403, said, .. })) => Foretold::Forbidden(said),
        Ok(Answer::Refused(Refusal { status, said, .. })) => Foretold::Unknown(format!("{said} ({status})")),
        Err(error) => Foretold::Unknown(format!("{error:#}")),
    }
}

/// Whether an admission webhook refused, and not a missing right.
fn denied(said: &str) -> bool {
    said.contains("admission webhook") && said.contains("denied the request")
}

/// What is wrong with which field. The server repeats the values that it was sent, which may be secret: of its words only
/// the reason is kept, behind the value.
fn invalid(refusal: &Refusal) -> String {
    let reason = |cause: &Value| {
        let field = cause["field"].as_str().unwrap_or("the object");
        let said = cause["message"].as_str().unwrap_or("not valid");
        format!("{field}: {}", said.rsplit(": ").next().unwrap_or(said))
    };
    match refusal.causes.iter().map(reason).collect::<Vec<_>>() {
        reasons if reasons.is_empty() => "it is not valid".to_owned(),
        reasons => reasons.join("; "),
    }
}

/// Who owns what, without the time that the server adds. Helm's own earlier way to write (`Update`) is no other manager.
fn conflicts(refusal: &Refusal) -> Vec<Conflict> {
    let conflict = |cause: &Value| {
        let manager = cause["message"].as_str()?.strip_prefix("conflict with \"")?.split('"').next()?.to_owned();
        let field = cause["field"].as_str()?.to_owned();
        (cause["reason"] == "FieldManagerConflict" && manager != MANAGER).then_some(Conflict { manager, field })
    };
    let mut found: Vec<Conflict> = refusal.causes.iter().filter_map(conflict).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_invalid_is_told_without_the_value() {
        let cause = json!({"field": "spec.template", "message": "Invalid value: core.PodSpec{Env: {\"TOKEN\": \"hunter2\"}}: field is immutable"});
        let refusal = |causes| Refusal { status: 422, said: "Invalid value: hunter2".to_owned(), causes };
        assert_eq!(invalid(&refusal(vec![cause])), "spec.template: field is immutable");
        assert_eq!(invalid(&refusal(Vec::new())), "it is not valid");
        assert!(denied("admission webhook \"a.b\" denied the request: no"));
        assert!(!denied("daemonsets.apps \"a\" is forbidden: User \"alice\" cannot patch resource"));
    }

    #[test]
    fn a_conflict_is_a_manager_and_a_field_and_no_time() {
        let cause =
            |message: &str, field: &str| json!({"reason": "FieldManagerConflict", "message": message, "field": field});
        let refusal = Refusal {
            status: 409,
            said: String::new(),
            causes: vec![
                cause("conflict with \"other\" using apps/v1", ".spec.b"),
                cause("conflict with \"kubectl-edit\" using apps/v1 at 2026-01-01T00:00:00Z", ".spec.a"),
                cause("conflict with \"helm\" using apps/v1 at 2026-01-01T00:00:00Z", ".spec.c"),
                cause("conflict with \"other\" using apps/v1", ".spec.b"),
                json!({"reason": "FieldValueInvalid", "message": "conflict with \"x\"", "field": ".spec"}),
            ],
        };
        let found: Vec<(String, String)> = conflicts(&refusal).into_iter().map(|c| (c.manager, c.field)).collect();
        let pair = |manager: &str, field: &str| (manager.to_owned(), field.to_owned());
        assert_eq!(found, [pair("kubectl-edit", ".spec.a"), pair("other", ".spec.b")]);
    }
}
