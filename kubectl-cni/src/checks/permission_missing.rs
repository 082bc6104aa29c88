//! Was everything allowed that the command wanted to read and do?

use super::{Check, Inputs, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::{Gathered, Missing};

pub(super) const CHECK: Check = Check {
    id: "permission-missing",
    section: "Access",
    title: "everything needed may be read and done",
    means: "verify reads nodes, workloads and the CNI's own objects, and creates a few objects of its own; preflight reads only. What the API server refuses cannot be \
            judged: the checks that depend on it say \"unknown\", and so does the run.",
    remedy: "Give the missing rights: `kubectl cni verify --print-rbac` prints the least that is needed. With rights in one namespace only, use \
             --namespace. When the refusal is an admission policy's, its message says what it wants: see --label, --annotation, --image, \
             --priority-class.",
    judge: Judge::Each { run, upgrade },
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let snapshot = &inputs.recording.snapshot;
    let mut missing: Vec<String> = Vec::new();
    let mut note = |what: &str, reason: &Missing| {
        let line =
            if matches!(reason, Missing::Forbidden { .. }) { reason.to_string() } else { format!("{what}: {reason}") };
        if !missing.contains(&line) {
            missing.push(line);
        }
    };
    fn reason<T>(part: &Gathered<T>) -> Option<&Missing> {
        part.as_ref().err()
    }
    let parts = [
        ("server version", reason(&snapshot.server_version)),
        ("nodes", reason(&snapshot.nodes)),
        ("daemonsets", reason(&snapshot.daemonsets)),
        ("deployments", reason(&snapshot.deployments)),
        ("API groups", reason(&snapshot.groups)),
        ("agent pods", reason(&snapshot.agent_pods)),
        ("controller revisions", reason(&snapshot.revisions)),
        ("network policies", reason(&snapshot.network_policies)),
    ];
    for (what, reason) in parts {
        if let Some(reason) = reason {
            note(what, reason);
        }
    }
    for (what, reason) in inputs.recording.topology_missing.iter().chain(&inputs.recording.denied) {
        note(what, reason);
    }
    if missing.is_empty() {
        return vec![check.result(Verdict::Pass, "")];
    }
    let mut result = check.result(Verdict::Unknown, missing[0].clone());
    result.evidence = missing.split_off(1);
    result.hint = Some("`kubectl cni verify --print-rbac`: the least rights that are needed; with rights in one namespace only: `--namespace NAME`".to_owned());
    vec![result]
}

fn upgrade(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let mut missing: Vec<String> = Vec::new();
    for (what, reason) in upgrade.survey.missing() {
        let line =
            if matches!(reason, Missing::Forbidden { .. }) { reason.to_string() } else { format!("{what}: {reason}") };
        if !line.contains(crate::survey::NOT_NEEDED) && !missing.contains(&line) {
            missing.push(line);
        }
    }
    let mut result = if missing.is_empty() {
        check.result(Verdict::Pass, "")
    } else {
        let mut result = check.result(Verdict::Unknown, missing[0].clone());
        result.evidence = missing.split_off(1);
        result.hint = Some("`kubectl cni preflight --print-rbac`: the least rights that are needed".to_owned());
        result
    };
    result.title = "everything needed may be read".to_owned();
    vec![result]
}
