//! What do the agents say of themselves?

use super::{Check, Inputs, Judge, some_of};
use crate::report::{CheckResult, Verdict};
use crate::snapshot::AgentAnswer;

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
            Ok(answer) => match read(answer) {
                Health::Good => {}
                Health::Bad(why) => bad.push(format!("{pod}: {why}")),
                Health::Unknown(why) => unknown.push(format!("{pod}: {why}")),
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

#[derive(Debug, PartialEq)]
enum Health {
    Good,
    Bad(String),
    Unknown(String),
}

/// A controller of the Cilium agent that failed so often in a row is stuck; fewer come and go.
const CONTROLLER_FAILURES: u64 = 5;

/// What an answer means: the fields of `cilium-dbg status -o json`, else the exit status alone, as the kubelet takes it.
fn read(answer: &AgentAnswer) -> Health {
    let command = answer.command.join(" ");
    let first = answer.output.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    match answer.exit {
        None => return Health::Unknown(format!("the container has no `{command}`")),
        Some(0) => {}
        Some(code) => return Health::Bad(format!("`{command}` exits {code}: {first}")),
    }
    if !answer.command.iter().any(|word| word == "json") {
        return Health::Good;
    }
    match serde_json::from_str::<serde_json::Value>(&answer.output) {
        Ok(status) => read_cilium(&status),
        Err(_) => Health::Unknown(format!("cannot read the answer of `{command}`: {first:?}")),
    }
}

fn read_cilium(status: &serde_json::Value) -> Health {
    let mut bad = Vec::new();
    let Some(cilium) = status["cilium"]["state"].as_str() else {
        return Health::Unknown("the answer says nothing of cilium.state".to_owned());
    };
    let parts = [("cilium", Some(cilium)), ("kubernetes", status["kubernetes"]["state"].as_str())];
    for (part, state) in parts {
        if let Some(state) = state.filter(|state| !state.eq_ignore_ascii_case("ok")) {
            let message = status[part]["msg"].as_str().unwrap_or_default();
            bad.push(format!("{part} is {state} {message}").trim_end().to_owned());
        }
    }
    if let Some(health) =
        status["cluster"]["ciliumHealth"]["state"].as_str().filter(|state| !state.eq_ignore_ascii_case("ok"))
    {
        bad.push(format!("cilium-health is {health}"));
    }
    for probe in status["stale"].as_object().into_iter().flat_map(|stale| stale.keys()) {
        bad.push(format!("no news of {probe}"));
    }
    for controller in status["controllers"].as_array().into_iter().flatten() {
        let failures = controller["status"]["consecutive-failure-count"].as_u64().unwrap_or(0);
        if failures >= CONTROLLER_FAILURES {
            let name = controller["name"].as_str().unwrap_or("?");
            bad.push(format!("controller {name} failed {failures} times in a row"));
        }
    }
    if bad.is_empty() { Health::Good } else { Health::Bad(bad.join("; ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(command: &[&str], exit: Option<i32>, output: &str) -> AgentAnswer {
        AgentAnswer {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            exit,
            output: output.to_owned(),
        }
    }

    #[test]
    fn cilium_is_read_by_field() {
        let cilium = |output: &str| read(&answer(&["cilium-dbg", "status", "-o", "json"], Some(0), output));
        let good = r#"{"cilium":{"state":"Ok"},"kubernetes":{"state":"Ok"},"cluster":{"ciliumHealth":{"state":"Ok"}},"stale":{},
            "controllers":[{"name":"a","status":{"consecutive-failure-count":1,"failure-count":900}}]}"#;
        assert_eq!(cilium(good), Health::Good);
        for (from, to, part) in [
            (
                r#""cilium":{"state":"Ok"}"#,
                r#""cilium":{"state":"Failure","msg":"no BPF"}"#,
                "cilium is Failure no BPF",
            ),
            (r#""kubernetes":{"state":"Ok"}"#, r#""kubernetes":{"state":"Warning"}"#, "kubernetes is Warning"),
            (r#""ciliumHealth":{"state":"Ok"}"#, r#""ciliumHealth":{"state":"Failure"}"#, "cilium-health is Failure"),
            (r#""stale":{}"#, r#""stale":{"kvstore":"2026-01-01"}"#, "no news of kvstore"),
            (r#"count":1"#, r#"count":5"#, "controller a failed 5 times in a row"),
        ] {
            assert_eq!(cilium(&good.replacen(from, to, 1)), Health::Bad(part.to_owned()), "{part}");
        }
        for text in ["", "OK", "{}", "[1]"] {
            assert!(matches!(cilium(text), Health::Unknown(_)), "{text:?}");
        }
    }

    #[test]
    fn other_agents_are_read_by_exit_status() {
        let calico = |exit, output: &str| read(&answer(&["/bin/calico-node", "-felix-ready"], exit, output));
        assert_eq!(calico(Some(0), ""), Health::Good);
        let bad = calico(Some(1), "\ncalico/node is not ready: felix is not ready\n");
        assert!(
            matches!(bad, Health::Bad(why) if why.ends_with("exits 1: calico/node is not ready: felix is not ready"))
        );
        assert!(matches!(calico(None, ""), Health::Unknown(why) if why.contains("has no `/bin/calico-node")));
    }
}
