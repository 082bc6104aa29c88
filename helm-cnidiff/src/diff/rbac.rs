//! Two roles in, what the new one grants more and less out: rules are grouped in many ways and mean the same, verbs on
//! resources are what counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::comparison::Grant;

/// Grants that a role gained and lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// What the new role allows and the old one did not, sorted.
    pub gained: Vec<Grant>,
    /// What the old role allowed and the new one does not, sorted.
    pub lost: Vec<Grant>,
}

/// One verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct One<'a> {
    group: &'a str,
    resource: &'a str,
    name: &'a str,
    verb: &'a str,
}

/// Compares the rules of two roles.
pub fn compare(old: &Value, new: &Value) -> Grants {
    let (before, after) = (expanded(old), expanded(new));
    Grants { gained: beyond(&after, &before), lost: beyond(&before, &after) }
}

/// Every grant of a role.
pub fn of(role: &Value) -> Vec<Grant> {
    beyond(&expanded(role), &BTreeSet::new())
}

fn expanded(role: &Value) -> BTreeSet<One<'_>> {
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().into_iter().flatten() {
        let texts = |field: &str| -> Vec<&str> {
            rule[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let verbs = texts("verbs");
        for verb in &verbs {
            all.extend(texts("nonResourceURLs").into_iter().map(|url| One {
                group: "",
                resource: url,
                name: "",
                verb,
            }));
        }
        let names = texts("resourceNames");
        let names = if names.is_empty() { vec![""] } else { names };
        for (group, resource) in
            texts("apiGroups").iter().flat_map(|g| texts("resources").into_iter().map(move |r| (*g, r)))
        {
            for name in &names {
                all.extend(verbs.iter().map(|verb| One { group, resource, name, verb }));
            }
        }
    }
    all
}

/// What of `more` nothing in `less` covers, verbs of one resource together.
fn beyond(more: &BTreeSet<One<'_>>, less: &BTreeSet<One<'_>>) -> Vec<Grant> {
    let wide: Vec<&One<'_>> = less.iter().filter(|one| one.is_wide()).collect();
    let mut verbs: BTreeMap<(&str, &str, &str), Vec<String>> = BTreeMap::new();
    for one in more.iter().filter(|one| !less.contains(*one) && !wide.iter().any(|w| w.covers(one))) {
        verbs.entry((one.group, one.resource, one.name)).or_default().push(one.verb.to_owned());
    }
    let grant = |((group, resource, name), verbs): ((&str, &str, &str), Vec<String>)| Grant {
        group: group.to_owned(),
        resource: resource.to_owned(),
        resource_name: name.to_owned(),
        verbs,
    };
    verbs.into_iter().map(grant).collect()
}

impl One<'_> {
    fn is_wide(&self) -> bool {
        self.name.is_empty() || self.group == "*" || self.resource.contains('*') || self.verb == "*"
    }

    /// As the authorizer matches
    /// (<https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/rbac/v1/evaluation_helpers.go>).
    fn covers(&self, other: &One<'_>) -> bool {
        let url = other.resource.starts_with('/');
        let path = self.resource.strip_suffix('*').is_some_and(|prefix| other.resource.starts_with(prefix));
        // `*/scale` is that subresource of everything.
        let sub =
            self.resource.strip_prefix('*').is_some_and(|rest| rest.starts_with('/') && other.resource.ends_with(rest));
        let resource = self.resource == other.resource || if url { path } else { self.resource == "*" || sub };
        resource
            && (self.group == "*" && !url || self.group == other.group)
            && (self.name.is_empty() || self.name == other.name)
            && (self.verb == "*" || self.verb == other.verb)
            && url == self.resource.starts_with('/')
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(rules: Value) -> Value {
        json!({"rules": rules})
    }

    fn told(grants: &[Grant]) -> Vec<String> {
        let one = |g: &Grant| format!("{}/{} {} {}", g.group, g.resource, g.resource_name, g.verbs.join(","));
        grants.iter().map(one).collect()
    }

    #[test]
    fn grouping_and_order_say_nothing() {
        let old = role(json!([
            {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list"]},
            {"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]));
        let new = role(json!([
            {"nonResourceURLs": ["/healthz"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list", "get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "get"]}]));
        assert_eq!(compare(&old, &new), Grants::default());
    }

    #[test]
    fn verbs_on_resources_are_gained_and_lost() {
        let old = role(json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "watch"]}]));
        let new = role(json!([{"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get", "delete"]}]));
        let change = compare(&old, &new);
        assert_eq!(told(&change.gained), ["/pods  delete", "apps/pods  delete,get"]);
        assert_eq!(told(&change.lost), ["/pods  watch"]);
    }

    #[test]
    fn what_a_star_covers_is_neither_gained_nor_lost() {
        let wide = role(json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]));
        let narrow =
            role(json!([{"apiGroups": [""], "resources": ["pods"], "resourceNames": ["x"], "verbs": ["get"]}]));
        assert_eq!(told(&compare(&wide, &narrow).gained), Vec::<String>::new());
        assert_eq!(told(&compare(&wide, &narrow).lost), ["*/*  *"]);
        assert_eq!(told(&compare(&narrow, &wide).gained), ["*/*  *"]);
        let scale = role(json!([{"apiGroups": ["apps"], "resources": ["*/scale"], "verbs": ["get"]}]));
        let one = role(json!([{"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get"]}]));
        assert!(compare(&scale, &one).gained.is_empty());
        let urls = role(json!([{"nonResourceURLs": ["/metrics/*"], "verbs": ["get"]}]));
        let url = role(json!([{"nonResourceURLs": ["/metrics/cadvisor"], "verbs": ["get"]}]));
        assert!(compare(&urls, &url).gained.is_empty());
        assert_eq!(told(&compare(&wide, &url).gained), ["//metrics/cadvisor  get"]);
    }

    #[test]
    fn a_name_narrows_a_grant() {
        let all = role(json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]));
        let one =
            role(json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}]));
        assert_eq!(told(&compare(&one, &all).gained), ["/secrets  get"]);
        assert!(compare(&all, &one).gained.is_empty());
        assert_eq!(told(&compare(&all, &one).lost), ["/secrets  get"]);
    }
}
