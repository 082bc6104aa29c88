//! Where in which object a field is: what decides how its lists are read and whether a change of it replaces pods.

use crate::comparison::Step;

/// The kind of object that is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Keys that lead to the pod template; empty and `pod` unset where there is none.
    template: Option<&'static [&'static str]>,
    /// Values of `data` may be documents themselves.
    config: bool,
    /// The API server knows the kind, so the order of lists with merge keys means nothing.
    built_in: bool,
}

impl Scope {
    /// Scope of an object.
    pub fn of(group: &str, kind: &str) -> Self {
        let template: Option<&[&str]> = match (group, kind) {
            ("apps" | "extensions", "DaemonSet" | "Deployment" | "StatefulSet" | "ReplicaSet") | ("batch", "Job") => {
                Some(&["spec", "template"])
            }
            ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template"]),
            ("", "Pod") => Some(&[]),
            ("", "ReplicationController") => Some(&["spec", "template"]),
            _ => None,
        };
        Self { template, config: (group, kind) == ("", "ConfigMap"), built_in: crate::manifest::built_in(group) }
    }

    /// Scope of values: no object at all.
    pub fn values() -> Self {
        Self { template: None, config: false, built_in: false }
    }

    /// The steps below the pod template, if the path is in it.
    pub fn in_template<'a>(&self, path: &'a [Step]) -> Option<&'a [Step]> {
        let prefix = self.template?;
        let same = |(step, key): (&Step, &&str)| matches!(step, Step::Key(k) if k == *key);
        (path.len() >= prefix.len() && path.iter().zip(prefix).all(same)).then(|| &path[prefix.len()..])
    }

    /// The key, if the path is one of a ConfigMap's texts.
    pub fn config_key<'a>(&self, path: &'a [Step]) -> Option<&'a str> {
        match path {
            [Step::Key(data), Step::Key(key)] if self.config && data == "data" => Some(key),
            _ => None,
        }
    }

    /// Whether the order of a list counts that has no order of its own. In a pod template it does: the controllers
    /// compare the template as it is stored, and the API server keeps the order.
    pub fn order_counts(&self, path: &[Step]) -> bool {
        !self.built_in || self.in_template(path).is_some() || path.iter().any(|step| matches!(step, Step::Inside(_)))
    }
}
