//! Do Services have exactly one that serves them, and does the CNI find the API server without them?

use k8s_openapi::api::core::v1::PodSpec;

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::Missing;

pub(super) const CHECK: Check = Check {
    id: "service-proxy-conflict",
    section: "Networks",
    title: "Services are served by exactly one",
    means: "Services are served by kube-proxy or by a CNI that takes its place. Both at once fight over the same packets; neither means that no Service \
            works. A CNI that takes kube-proxy's place cannot use the Service `kubernetes` to find the API server: it must be told an address \
            (k8sServiceHost) that is there before it, neither a Service's nor a pod's.",
    remedy: "Remove kube-proxy or switch the replacement off. Set k8sServiceHost and k8sServicePort to the API server's own address or load balancer.",
    judge: Judge::Upgrade(run),
};

/// The one CNI whose settings are looked at here, and where it keeps them
/// (<https://docs.cilium.io/en/stable/network/kubernetes/kubeproxy-free/>).
const CILIUM: (&str, &str, &str) = ("cilium", "cilium-config", "kube-proxy-replacement");

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let (id, configmap, key) = CILIUM;
    let Some(agent) = upgrade.main.filter(|main| main.id == id).and_then(|main| main.agents.first()) else {
        return Vec::new();
    };
    let replaces = match upgrade.survey.configmap(&agent.namespace, configmap) {
        Ok(data) => data.get(key).map(String::as_str).unwrap_or("false"),
        Err(Missing::Absent) => "false",
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let proxy = match &upgrade.survey.snapshot.daemonsets {
        Ok(sets) => sets.iter().any(|set| set.metadata.name.as_deref() == Some("kube-proxy")),
        Err(missing) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let full = matches!(replaces, "true" | "strict");
    let mut results = vec![match (full, proxy) {
        (true, true) => {
            check.result(Verdict::Warn, format!("{key} is {replaces:?}, and the DaemonSet kube-proxy runs too"))
        }
        // Some distributions run kube-proxy as a program of the node, which is not seen from here.
        (false, false) => check.result(
            Verdict::Note,
            format!(
                "{key} is {replaces:?}, and there is no DaemonSet kube-proxy; a program of the node may serve them"
            ),
        ),
        (true, false) => check.result(Verdict::Pass, format!("by the CNI ({key} is {replaces:?})")),
        (false, true) => check.result(Verdict::Pass, "by kube-proxy"),
    }];
    if full {
        let spec = super::agent_specs(upgrade).into_iter().next().map(|(_, spec)| spec);
        let mut result = host(check, upgrade, spec, &agent.container);
        result.title = "the CNI finds the API server without Services".to_owned();
        results.push(result);
    }
    results
}

fn host(check: &Check, upgrade: &Upgrade<'_>, spec: Option<&PodSpec>, container: &str) -> CheckResult {
    let env = spec.into_iter().flat_map(|spec| &spec.containers).find(|one| one.name == container);
    let value = |name: &str| {
        env.iter()
            .flat_map(|one| one.env.iter().flatten())
            .find(|one| one.name == name)
            .and_then(|one| one.value.clone())
    };
    let Some(host) = value("KUBERNETES_SERVICE_HOST") else {
        return check.result(
            Verdict::Fail,
            "k8sServiceHost is not set: the agents look for the API server at a Service that they serve themselves",
        );
    };
    let port = value("KUBERNETES_SERVICE_PORT").unwrap_or_default();
    let shown = format!("k8sServiceHost {host}, port {port}");
    if let Ok(services) = &upgrade.survey.api_service
        && services.contains(&host)
    {
        return check.result(Verdict::Fail, format!("{shown}: that is the cluster IP of the Service kubernetes"));
    }
    let pod = upgrade.survey.snapshot.nodes.iter().flatten().find_map(|node| {
        let cidrs = node.spec.iter().flat_map(|spec| spec.pod_cidrs.iter().flatten());
        let mut inside = cidrs.filter(|cidr| super::networks_overlap::contains(cidr, &host));
        inside.next().cloned()
    });
    if let Some(cidr) = pod {
        return check.result(Verdict::Fail, format!("{shown}: that is an address of a pod, out of {cidr}"));
    }
    match &upgrade.survey.api_service {
        Err(missing) => {
            check.result(Verdict::Unknown, format!("{shown}; whether it is the Service kubernetes: {missing}"))
        }
        Ok(_) if host == "localhost" || host.starts_with("127.") => {
            check.result(Verdict::Note, format!("{shown}: there must be a proxy to the API server on every node"))
        }
        Ok(_) => check.result(Verdict::Pass, shown),
    }
}
