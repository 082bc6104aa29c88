//! What do the agents say of themselves?

use super::{Check, Inputs, Judge, some_of};
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-self-report",
    section: "CNI agents",
    title: "agents call themselves healthy",
    means: "Runs the agent's own status command in its container and reads the answer. That container is privileged, so a right to exec into it is \
            a right over the node: it is only done with --allow-exec.",
    remedy: "Run the command that is shown by hand and read the whole answer.",
    judge: Judge::Run(run),
};

fn run(check: &Check, inputs: &Inputs<'_>) -> Vec<CheckResult> {
    let commands: Vec<String> = inputs
        .detections
        .iter()
        .filter_map(|detection| Some(inputs.facts.get(&detection.id)?.health.exec.first()?.command.join(" ")))
        .collect();
    if commands.is_empty() {
        return Vec::new();
    }
    if !inputs.recording.options.allow_exec {
        let mut result = check.result(Verdict::Skip, "needs exec into the privileged agent");
        result.hint = Some("--allow-exec".to_owned());
        return vec![result];
    }
    let answers = &inputs.recording.snapshot.agent_status;
    if answers.is_empty() {
        return vec![check.result(Verdict::Unknown, "no agent could be asked")];
    }
    let mut bad = Vec::new();
    let mut unknown = Vec::new();
    for (pod, answer) in answers {
        match answer {
            Ok(text) => match read(text) {
                Some(true) => {}
                Some(false) => bad.push(format!("{pod}: {}", first_line(text))),
                None => unknown.push(format!("{pod}: cannot read the answer {:?}", first_line(text))),
            },
            Err(missing) => unknown.push(format!("{pod}: {missing}")),
        }
    }
    let mut result = if !bad.is_empty() {
        check.result(Verdict::Fail, some_of(&bad, 1))
    } else if !unknown.is_empty() {
        check.result(Verdict::Unknown, some_of(&unknown, 1))
    } else {
        check.result(Verdict::Pass, format!("{} of {}", answers.len(), answers.len()))
    };
    result.evidence = bad.into_iter().chain(unknown).skip(1).take(5).collect();
    vec![result]
}

/// Cilium's `status -o json` and Calico's readiness command; `None` when the answer is neither.
fn read(text: &str) -> Option<bool> {
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        let state = |part: &str| value[part]["state"].as_str().map(|state| state.eq_ignore_ascii_case("ok"));
        return state("cilium").map(|cilium| cilium && state("kubernetes").unwrap_or(true));
    }
    let lower = text.to_lowercase();
    if lower.contains("not ready") || lower.contains("error") || lower.contains("unhealthy") {
        return Some(false);
    }
    (lower.trim() == "ok" || lower.contains("ready")).then_some(true)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
