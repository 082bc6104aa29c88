//! Will each node get the agent's image?

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};

pub(super) const CHECK: Check = Check {
    id: "agent-image-pull",
    section: "CNI agents",
    title: "agents can start without the registry",
    means: "With pull policy Always an agent that restarts asks the registry even when the image is on the node: when the registry, or the network to \
            it, is away, the node stays without its CNI agent. A pull secret means that the target's image has to be reachable with that secret, too.",
    remedy: "Set imagePullPolicy: IfNotPresent, and pull the target's image on every node beforehand.",
    judge: Judge::Upgrade(run),
};

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let of = |(set, spec): (super::Place, &k8s_openapi::api::core::v1::PodSpec)| {
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let always: Vec<String> = containers
            .filter(|one| one.image_pull_policy.as_deref() == Some("Always"))
            .map(|one| format!("container {}: {}", one.name, one.image.as_deref().unwrap_or_default()))
            .collect();
        let secrets: Vec<String> = spec.image_pull_secrets.iter().flatten().map(|one| one.name.clone()).collect();
        let mut result = match (always.is_empty(), secrets.is_empty()) {
            (false, _) => check.result(Verdict::Warn, "imagePullPolicy is Always"),
            (true, false) => check.result(Verdict::Note, format!("pulled with the secret {}", secrets.join(", "))),
            (true, true) => check.result(Verdict::Pass, ""),
        };
        result.evidence = always;
        result.title = format!("{}: {set}", check.title);
        result
    };
    super::agent_specs(upgrade).into_iter().map(of).collect()
}
