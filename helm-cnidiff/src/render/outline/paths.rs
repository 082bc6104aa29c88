//! Paths as they are shown: neighbours say once where they lie.

use crate::comparison::{FieldPath, Step};
use crate::render::text::Safe;

/// A path, or the part of it behind the first `from` steps.
pub(super) fn path(path: &FieldPath, from: usize) -> Safe {
    Safe::new(FieldPath(path.0[from..].to_vec()).to_string())
}

/// How many steps of a path are said once for a run of neighbours: up to the container, the pod's spec, the document
/// inside a text. What is left begins with a key.
pub(super) fn shared_steps(path: &FieldPath) -> usize {
    let most = path.0.len().saturating_sub(1);
    let key = |at: &usize| matches!(path.0.get(*at), Some(Step::Key(_)));
    (0..=steps_to_owner(path).min(most)).rev().find(key).unwrap_or(0)
}

fn steps_to_owner(path: &FieldPath) -> usize {
    let containers = |key: &str| matches!(key, "containers" | "initContainers" | "ephemeralContainers");
    let in_container = path
        .0
        .windows(2)
        .position(|pair| matches!(pair, [Step::Key(key), Step::Item(_) | Step::Index(_)] if containers(key)));
    if let Some(at) = in_container {
        return at + 2;
    }
    if let Some(at) = path.0.iter().rposition(|step| matches!(step, Step::Inside(_))) {
        return at + 1;
    }
    let is = |at: usize, keys: &[&str]| matches!(path.0.get(at), Some(Step::Key(key)) if keys.contains(&key.as_str()));
    if path.starts_with(&["spec", "template"]) {
        return 2 + usize::from(is(2, &["spec", "metadata"]));
    }
    if path.starts_with(&["spec", "jobTemplate", "spec", "template", "spec"]) {
        return 5;
    }
    usize::from(is(0, &["data", "stringData", "binaryData"]))
}

/// Says once what a run of neighbours has in common.
pub(super) fn with_shared_paths(paths: &[&FieldPath]) -> Vec<(Safe, Safe)> {
    let mut out = Vec::with_capacity(paths.len());
    let mut from = 0;
    while from < paths.len() {
        let steps = shared_steps(paths[from]);
        let head = &paths[from].0[..steps];
        let same = |path: &&&FieldPath| path.0.len() > steps && path.0.starts_with(head) && shared_steps(path) == steps;
        let run = paths[from..].iter().take_while(same).count();
        if run < 2 || steps == 0 {
            out.push((Safe::default(), path(paths[from], 0)));
            from += 1;
            continue;
        }
        let under = Safe::new(FieldPath(head.to_vec()).to_string());
        out.extend(paths[from..from + run].iter().map(|p| (under.clone(), path(p, steps))));
        from += run;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Format;

    fn key(text: &str) -> Step {
        Step::Key(text.into())
    }

    #[test]
    fn neighbours_say_once_where_they_are() {
        let agent = |rest: &str| {
            let mut path = FieldPath::keys(["spec", "template", "spec", "containers"]).then(Step::Item("agent".into()));
            path.0.push(key(rest));
            path
        };
        let net = |rest: &str| {
            let mut path = FieldPath::keys(["data", "net-conf.json"]).then(Step::Inside(Format::Json));
            path.0.push(key(rest));
            path
        };
        let paths = [
            FieldPath::keys(["spec", "selector"]),
            agent("image"),
            agent("args"),
            FieldPath::keys(["spec", "template", "spec", "hostPID"]),
            FieldPath::keys(["spec", "template", "spec", "volumes"]),
            net("Network"),
            net("MTU"),
        ];
        let whole = FieldPath::keys(["spec", "template", "spec", "containers"]).then(Step::Item("agent".into()));
        assert_eq!(path(&whole, shared_steps(&whole)).as_str(), "containers[agent]");
        let said = with_shared_paths(&paths.iter().collect::<Vec<_>>());
        let said: Vec<String> = said.iter().map(|(under, path)| format!("{under} | {path}")).collect();
        assert_eq!(
            said,
            [
                " | spec.selector",
                "spec.template.spec.containers[agent] | image",
                "spec.template.spec.containers[agent] | args",
                "spec.template.spec | hostPID",
                "spec.template.spec | volumes",
                "data[\"net-conf.json\"]: | Network",
                "data[\"net-conf.json\"]: | MTU",
            ]
        );
    }
}
