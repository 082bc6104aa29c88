//! Are the CNI's operator, Typha and other helpers healthy?

use cni_facts::WorkloadKind;

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "companion-not-ready",
    section: "CNI agents",
    title: "the CNI's other workloads are ready",
    means: "Operators hand out addresses and keep custom resources in order, Typha stands between agents and the API server: when they are not ready, \
            agents that restart may wait for them.",
    remedy: "kubectl describe the workload that is named, and read its log, before anything else.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let snapshot = &upgrade.survey.snapshot;
    let mut results = Vec::new();
    for companion in upgrade.seen.detections.iter().flat_map(|detection| &detection.companions) {
        let is = |namespace: &Option<String>, name: &Option<String>| {
            namespace.as_ref() == Some(&companion.namespace) && name.as_ref() == Some(&companion.name)
        };
        let (ready, wanted) = match companion.kind {
            WorkloadKind::Deployment => {
                let found =
                    snapshot.deployments.iter().flatten().find(|one| is(&one.metadata.namespace, &one.metadata.name));
                let Some(found) = found else { continue };
                let ready = found.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
                (ready, found.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1))
            }
            WorkloadKind::Daemonset => {
                let found =
                    snapshot.daemonsets.iter().flatten().find(|one| is(&one.metadata.namespace, &one.metadata.name));
                let Some(status) = found.and_then(|one| one.status.as_ref()) else { continue };
                (status.number_ready, status.desired_number_scheduled)
            }
        };
        let mut result = match (ready >= wanted, wanted, companion.optional) {
            (true, 0, false) => check.result(Verdict::Warn, "it is scaled to 0"),
            (true, ..) => check.result(Verdict::Pass, format!("{ready} of {wanted}")),
            (false, _, true) => check.result(Verdict::Warn, format!("{ready} of {wanted} ready")),
            (false, _, false) => check.result(Verdict::Fail, format!("{ready} of {wanted} ready")),
        };
        result.title = format!("ready: {}/{}", companion.namespace, companion.name);
        results.push(result);
    }
    results
}
