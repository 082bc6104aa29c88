//! Do the agents keep running?

use k8s_openapi::api::core::v1::Pod;

use super::agent_version_skew::belongs;
use super::{Check, Judge, count, some_of};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-unstable",
    section: "CNI agents",
    title: "agents keep running",
    means: "An agent that was killed for memory or ended with an error will do so again, most likely while it starts on the new version. Counters of \
            restarts begin when a pod is made, so a few old ones say little; those of three or more are named.",
    remedy: "kubectl logs --previous and kubectl describe of the pods that are named. OOMKilled: raise the memory limit first.",
    judge: Judge::Upgrade(run),
};

/// Restarts that are taken for chance.
const FEW: i32 = 3;

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let mut results = Vec::new();
    for agent in upgrade.seen.detections.iter().flat_map(|detection| &detection.agents) {
        let mut result = match &upgrade.survey.snapshot.agent_pods {
            Err(missing) => check.result(Verdict::Unknown, missing.to_string()),
            Ok(pods) => judge(check, pods.iter().filter(|pod| belongs(pod, &agent.namespace, &agent.selector))),
        };
        result.title = format!("{}: {}/{}", check.title, agent.namespace, agent.name);
        results.push(result);
    }
    results
}

fn judge<'a>(check: &Check, pods: impl Iterator<Item = &'a Pod>) -> CheckResult {
    let (mut killed, mut restarted, mut total) = (Vec::new(), Vec::new(), 0);
    for pod in pods {
        let Some(status) = &pod.status else { continue };
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or("no node");
        for one in status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten()) {
            let last = [&one.state, &one.last_state].into_iter().flatten().find_map(|state| state.terminated.as_ref());
            let reason = last.and_then(|last| last.reason.as_deref()).unwrap_or_default();
            total += one.restart_count;
            if reason == "OOMKilled" {
                killed.push(format!("{name} on {node}: container {} was killed for memory", one.name));
            } else if one.restart_count >= FEW {
                let why = last.map(|last| format!(", last exit {} {reason}", last.exit_code)).unwrap_or_default();
                restarted
                    .push(format!("{name} on {node}: container {}, {} restarts{why}", one.name, one.restart_count));
            }
        }
    }
    let (verdict, mut lines) = match (killed.is_empty(), restarted.is_empty()) {
        (false, _) => (Verdict::Fail, [killed, restarted].concat()),
        (true, false) => (Verdict::Warn, restarted),
        (true, true) if total > 0 => {
            return check
                .result(Verdict::Note, format!("{} in all", count(usize::try_from(total).unwrap_or(0), "restart")));
        }
        (true, true) => return check.result(Verdict::Pass, ""),
    };
    let mut result = check.result(verdict, some_of(&lines, 1));
    result.evidence = lines.split_off(1);
    result
}
