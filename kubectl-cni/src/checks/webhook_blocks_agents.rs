//! Could a webhook keep the CNI's own pods from being made?

use std::collections::BTreeMap;

use k8s_openapi::api::admissionregistration::v1::{RuleWithOperations, WebhookClientConfig};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{Check, Judge};
use crate::preflight::Upgrade;
use crate::report::{CheckResult, Verdict};
use crate::snapshot::Gathered;

pub(super) const CHECK: Check = Check {
    id: "webhook-blocks-agents",
    section: "Ways to get stuck",
    title: "no webhook stands between the CNI and its pods",
    means: "A webhook with failurePolicy Fail that is asked about the CNI's own pods and runs in a pod itself can lock the cluster: without the CNI it is \
            not reachable, and without its answer the CNI's pods are not made.",
    remedy: "Leave the CNI's namespace out of the webhook by namespaceSelector, or set its failurePolicy to Ignore for the time of the upgrade.",
    judge: Judge::Upgrade(run),
};

/// What counts of a webhook, whether it changes or refuses.
struct Hook<'a> {
    name: String,
    fails: bool,
    client: &'a WebhookClientConfig,
    rules: &'a [RuleWithOperations],
    namespaces: Option<&'a LabelSelector>,
    objects: Option<&'a LabelSelector>,
    conditions: bool,
}

fn run(check: &Check, upgrade: &Upgrade<'_>) -> Vec<CheckResult> {
    let survey = upgrade.survey;
    let (mutating, validating) = match (&survey.mutating_webhooks, &survey.validating_webhooks) {
        (Ok(mutating), Ok(validating)) => (mutating, validating),
        (Err(missing), _) | (_, Err(missing)) => return vec![check.result(Verdict::Unknown, missing.to_string())],
    };
    let mut hooks: Vec<Hook<'_>> = Vec::new();
    for config in mutating {
        hooks.extend(config.webhooks.iter().flatten().map(|hook| Hook {
            name: format!("{}/{}", config.metadata.name.as_deref().unwrap_or_default(), hook.name),
            fails: hook.failure_policy.as_deref() != Some("Ignore"),
            client: &hook.client_config,
            rules: hook.rules.as_deref().unwrap_or_default(),
            namespaces: hook.namespace_selector.as_ref(),
            objects: hook.object_selector.as_ref(),
            conditions: hook.match_conditions.as_ref().is_some_and(|all| !all.is_empty()),
        }));
    }
    for config in validating {
        hooks.extend(config.webhooks.iter().flatten().map(|hook| Hook {
            name: format!("{}/{}", config.metadata.name.as_deref().unwrap_or_default(), hook.name),
            fails: hook.failure_policy.as_deref() != Some("Ignore"),
            client: &hook.client_config,
            rules: hook.rules.as_deref().unwrap_or_default(),
            namespaces: hook.namespace_selector.as_ref(),
            objects: hook.object_selector.as_ref(),
            conditions: hook.match_conditions.as_ref().is_some_and(|all| !all.is_empty()),
        }));
    }
    let mut results = Vec::new();
    for set in super::agent_sets(upgrade) {
        let namespace = set.metadata.namespace.clone().unwrap_or_default();
        let template = set.spec.as_ref().and_then(|spec| spec.template.metadata.clone()).unwrap_or_default();
        let labels = template.labels.unwrap_or_default();
        let of_namespace = survey.namespaces.get(&namespace);
        let (mut blocking, mut open) = (Vec::new(), Vec::new());
        for hook in
            hooks.iter().filter(|hook| hook.fails && asked_about_pods(hook.rules) && chosen(hook.objects, &labels))
        {
            let line = match &hook.client.service {
                Some(service) => format!("{}: asks Service {}/{}", hook.name, service.namespace, service.name),
                // Outside of the cluster; the network of pods is not needed to reach it.
                None => continue,
            };
            match in_namespace(hook.namespaces, of_namespace) {
                Ok(false) => {}
                Ok(true) if hook.conditions => {
                    open.push(format!("{line}, under matchConditions, which are not evaluated"))
                }
                Ok(true) => blocking.push(line),
                Err(why) => open.push(format!("{line}; {why}")),
            }
        }
        let mut result = match (blocking.is_empty(), open.is_empty()) {
            (false, _) => check.result(Verdict::Warn, blocking.remove(0)),
            (true, false) => check.result(Verdict::Unknown, open.remove(0)),
            (true, true) => check.result(Verdict::Pass, ""),
        };
        result.evidence = [blocking, open].concat();
        result.title = format!("{}: {}", check.title, super::place(set));
        results.push(result);
    }
    results
}

fn asked_about_pods(rules: &[RuleWithOperations]) -> bool {
    let has = |list: &Option<Vec<String>>, wanted: &[&str]| {
        list.iter().flatten().any(|one| one == "*" || wanted.contains(&one.as_str()))
    };
    rules.iter().any(|rule| {
        has(&rule.operations, &["CREATE"])
            && has(&rule.api_groups, &[""])
            && has(&rule.resources, &["pods", "*/*", "pods/*"])
            && rule.scope.as_deref() != Some("Cluster")
    })
}

/// Whether a webhook is asked about objects of a namespace.
fn in_namespace(
    selector: Option<&LabelSelector>,
    labels: Option<&Gathered<BTreeMap<String, String>>>,
) -> Result<bool, String> {
    let Some(selector) = selector.filter(|selector| **selector != LabelSelector::default()) else { return Ok(true) };
    match labels {
        Some(Ok(labels)) => Ok(chosen(Some(selector), labels)),
        Some(Err(missing)) => Err(format!("labels of the namespace: {missing}")),
        None => Err("the labels of the namespace were not read".to_owned()),
    }
}

fn chosen(selector: Option<&LabelSelector>, labels: &BTreeMap<String, String>) -> bool {
    let Some(selector) = selector else { return true };
    selector.match_labels.iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().flatten().all(|one| {
            let value = labels.get(&one.key);
            let listed = value.is_some_and(|value| one.values.iter().flatten().any(|other| other == value));
            match one.operator.as_str() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => true,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

    #[test]
    fn selectors_choose_as_the_api_server_does() {
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let cases = [
            ("a", "In", vec!["b"], true),
            ("a", "NotIn", vec!["b"], false),
            ("x", "NotIn", vec!["b"], true),
            ("a", "Exists", vec![], true),
            ("a", "DoesNotExist", vec![], false),
            ("x", "In", vec!["b"], false),
        ];
        for (key, operator, values, expected) in cases {
            let requirement = LabelSelectorRequirement {
                key: key.to_owned(),
                operator: operator.to_owned(),
                values: Some(values.iter().map(ToString::to_string).collect()),
            };
            let selector = LabelSelector { match_expressions: Some(vec![requirement]), ..LabelSelector::default() };
            assert_eq!(chosen(Some(&selector), &labels), expected, "{key} {operator} {values:?}");
        }
    }
}
