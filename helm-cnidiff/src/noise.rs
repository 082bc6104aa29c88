//! Differences that say nothing, each folded by a named rule.
//!
//! A rule folds what the API server, the node and the reader cannot tell apart, or what differs between two renders of
//! one chart. It never folds the only reason for which pods are replaced: what stands in a pod template is folded
//! beside other changes of that template, and shown where it is alone.

mod defaults;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::comparison::Step;
use crate::diff::objects::Delta;
use crate::diff::quantity;
use crate::diff::scope::Scope;
use crate::diff::tree::{Edit, What};
use crate::manifest::{Key, ObjectSet};

/// A rule that folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Frozen, kebab-case.
    pub id: &'static str,
    /// What it folds, and why that is no difference.
    pub title: &'static str,
    /// What it folds in a pod template replaces pods all the same.
    pub restarts: bool,
    /// What it folds is another at each render: its values say nothing, and would make two reports on one input differ.
    pub random: bool,
}

const fn rule(id: &'static str, title: &'static str) -> Rule {
    Rule { id, title, restarts: false, random: false }
}

const CHART_LABELS: Rule = Rule {
    id: "chart-labels",
    title: "labels and annotations that repeat the version of the chart or the application",
    restarts: true,
    random: false,
};
const CHECKSUMS: Rule = Rule {
    id: "checksums",
    title: "checksum annotations where everything they could sum up is itself folded",
    restarts: true,
    random: true,
};
const CRD_DESCRIPTIONS: Rule = rule("crd-descriptions", "wording in the schema of a CustomResourceDefinition");
const DEPRECATED_ALIAS: Rule = rule(
    "deprecated-alias",
    "serviceAccount, the old name of serviceAccountName: the API server keeps the two equal by itself",
);
const DOCUMENT_LAYOUT: Rule = rule(
    "document-layout",
    "spacing, comments and order of keys in a document inside a ConfigMap with the same content",
);
const LIST_ORDER: Rule =
    rule("list-order", "order of lists whose items are known by name and whose order says nothing");
const LIVE_METADATA: Rule = rule("live-metadata", "metadata and status that the API server and its controllers write");
const NULL_AND_ABSENT: Rule =
    rule("null-and-absent", "null or empty against not there, where the API server sees no difference");
const QUANTITY_SPELLING: Rule = rule("quantity-spelling", "two spellings of one quantity or number: 1000m and 1");
const RBAC_SPELLING: Rule = rule("rbac-spelling", "rules of a role that are grouped differently and grant the same");
const REGENERATED: Rule = Rule {
    id: "regenerated-secrets",
    title: "certificates, keys and Secrets that are made anew each time the chart is rendered",
    restarts: false,
    random: true,
};
const SERVER_DEFAULTS: Rule =
    rule("server-defaults", "fields that the API server fills in with the value they have anyway");
const TOOL_ANNOTATIONS: Rule = rule("tool-annotations", "annotations in which a generator writes its own version");

/// Every rule, by id.
pub const RULES: [Rule; 13] = [
    CHART_LABELS,
    CHECKSUMS,
    CRD_DESCRIPTIONS,
    DEPRECATED_ALIAS,
    DOCUMENT_LAYOUT,
    LIST_ORDER,
    LIVE_METADATA,
    NULL_AND_ABSENT,
    QUANTITY_SPELLING,
    RBAC_SPELLING,
    REGENERATED,
    SERVER_DEFAULTS,
    TOOL_ANNOTATIONS,
];

/// Places that differ between two renders of the same chart with the same values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regenerated(BTreeSet<(Key, Vec<Step>)>);

impl Regenerated {
    /// Compares two renders of the same chart.
    pub fn between(first: &ObjectSet, second: &ObjectSet) -> Self {
        let mut places = BTreeSet::new();
        for (key, object) in &first.objects {
            let Some(other) = second.objects.get(key) else { continue };
            let scope = Scope::of(&key.group, &key.kind);
            let edits = crate::diff::tree::diff(scope, crate::diff::text::no_yaml, &object.value, &other.value);
            places.extend(edits.into_iter().map(|edit| (key.clone(), edit.path.0)));
        }
        Self(places)
    }

    /// Adds what another pair of renders shows.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn has(&self, key: &Key, path: &[Step]) -> bool {
        self.0.contains(&(key.clone(), path.to_vec()))
    }
}

/// What is known of where the two sides come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Helm rendered both sides, so that certificates which nobody gave are made anew each time.
    pub rendered: bool,
    /// One side is read from a cluster: the API server has filled in defaults.
    pub live: bool,
    /// Places that differ between two renders.
    pub regenerated: Regenerated,
    /// Texts that the user gave as values: a certificate among them is not made anew.
    pub given: BTreeSet<String>,
}

/// Folds what can be told by looking at one difference of one object.
pub(crate) fn fold(origin: &Origin, namespace: &str, key: &Key, delta: &mut Delta<'_>) {
    let (old, new) = (delta.old.map(|o| &o.value), delta.new.map(|o| &o.value));
    let scope = delta.scope;
    let regenerated = [old, new].into_iter().flatten().any(made_anew);
    let one = |edit: &Edit| -> Option<Rule> {
        let path = &edit.path.0;
        match edit.what {
            What::Layout => return Some(DOCUMENT_LAYOUT),
            What::Order { counts: false, .. } => return Some(LIST_ORDER),
            What::Order { .. } => return None,
            What::Value => {}
        }
        if regenerated && label_key(path) == Some(MADE_ANEW) {
            Some(REGENERATED)
        } else if null_and_absent(scope, edit) || namespace_written(namespace, edit) {
            Some(NULL_AND_ABSENT)
        } else if same_number(edit) {
            Some(QUANTITY_SPELLING)
        } else if server_writes(origin, path) {
            Some(LIVE_METADATA)
        } else if secret_data(key, path) && regenerated
            || origin.regenerated.has(key, path)
            || origin.rendered && certificate(&origin.given, key, edit)
        {
            Some(REGENERATED)
        } else if account_alias(scope, edit, old, new) {
            Some(DEPRECATED_ALIAS)
        } else if tool_annotation(path) {
            Some(TOOL_ANNOTATIONS)
        } else if key.kind == "CustomResourceDefinition" && description(path) {
            Some(CRD_DESCRIPTIONS)
        } else if origin.live && defaults::server_default(scope, edit, old, new) {
            Some(SERVER_DEFAULTS)
        } else {
            None
        }
    };
    delta.fold(one);
    let same_grants = delta.same_grants();
    delta.fold(|edit| (same_grants && edit.path.starts_with(&["rules"])).then_some(RBAC_SPELLING));
    let shown_elsewhere =
        delta.edits.iter().any(|edit| scope.in_template(&edit.path.0).is_some() && !chart_label(&edit.path.0));
    delta.fold(|edit| {
        let alone = scope.in_template(&edit.path.0).is_some() && !shown_elsewhere;
        (chart_label(&edit.path.0) && !alone).then_some(CHART_LABELS)
    });
}

/// Folds checksum annotations where no ConfigMap or Secret differs but by noise.
pub(crate) fn fold_checksums(deltas: &mut [Delta<'_>]) {
    let config = |delta: &Delta<'_>| matches!(delta.kind(), "ConfigMap" | "Secret");
    let shown = deltas.iter().any(|delta| config(delta) && delta.is_shown());
    let folded = deltas.iter().any(|delta| config(delta) && !delta.is_shown() && !delta.folded.is_empty());
    if shown || !folded {
        return;
    }
    for delta in deltas {
        delta.fold(|edit| checksum(edit).then_some(CHECKSUMS));
    }
}

fn keys(path: &[Step]) -> Option<Vec<&str>> {
    path.iter().map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None }).collect()
}

fn last_key(path: &[Step]) -> Option<&str> {
    match path.last() {
        Some(Step::Key(key)) => Some(key),
        _ => None,
    }
}

fn empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        _ => false,
    }
}

/// The namespace that an object gets anyway is written out on one side only.
fn namespace_written(namespace: &str, edit: &Edit) -> bool {
    let sides = match (&edit.old, &edit.new) {
        (None | Some(Value::Null), Some(written)) | (Some(written), None | Some(Value::Null)) => Some(written),
        _ => None,
    };
    keys(&edit.path.0).is_some_and(|keys| keys == ["metadata", "namespace"])
        && sides.is_some_and(|written| written == namespace)
}

/// Null is dropped by the API server everywhere; empty is the same as not there in fields whose type is no pointer.
fn null_and_absent(scope: Scope, edit: &Edit) -> bool {
    let null = |value: Option<&Value>| matches!(value, None | Some(Value::Null));
    let (old, new) = (edit.old.as_ref(), edit.new.as_ref());
    if null(old) && null(new) {
        return !edit.path.0.iter().any(|step| matches!(step, Step::Inside(_)));
    }
    const EMPTY_IS_NONE: [&str; 22] = [
        "labels",
        "annotations",
        "resources",
        "limits",
        "requests",
        "nodeSelector",
        "tolerations",
        "env",
        "envFrom",
        "args",
        "command",
        "volumeMounts",
        "volumes",
        "ports",
        "imagePullSecrets",
        "initContainers",
        "finalizers",
        "hostAliases",
        "topologySpreadConstraints",
        "readinessGates",
        "data",
        "binaryData",
    ];
    let pod =
        scope.in_template(&edit.path.0).is_some() || edit.path.starts_with(&["metadata"]) || edit.path.0.len() == 1;
    pod && empty(old) && empty(new) && last_key(&edit.path.0).is_some_and(|key| EMPTY_IS_NONE.contains(&key))
}

/// Quantities are compared by value by the API server as well; `1` and `1.0` are one number.
fn same_number(edit: &Edit) -> bool {
    let (Some(old), Some(new)) = (&edit.old, &edit.new) else { return false };
    if let (Value::Number(a), Value::Number(b)) = (old, new) {
        return a.as_f64() == b.as_f64();
    }
    is_quantity(&edit.path.0) && quantity::order(old, new) == Some(std::cmp::Ordering::Equal)
}

/// Whether the field at a path is a quantity.
pub(crate) fn is_quantity(path: &[Step]) -> bool {
    let mut back =
        path.iter().rev().filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None });
    let (field, parent) = (back.next().unwrap_or_default(), back.next().unwrap_or_default());
    matches!(parent, "limits" | "requests" | "hard" | "capacity")
        || matches!(field, "sizeLimit" | "divisor" | "averageValue")
}

/// Status is never applied; the rest stands in objects that were read from a cluster.
fn server_writes(origin: &Origin, path: &[Step]) -> bool {
    if path.first() == Some(&Step::Key("status".into())) {
        return true;
    }
    let Some(keys) = keys(&path[..path.len().min(3)]) else { return false };
    match keys.as_slice() {
        _ if !origin.live => false,
        [
            "metadata",
            "uid" | "resourceVersion" | "generation" | "creationTimestamp" | "managedFields" | "selfLink",
            ..,
        ] => true,
        ["metadata", "annotations" | "labels", key] => {
            matches!(
                *key,
                "kubectl.kubernetes.io/last-applied-configuration"
                    | "deprecated.daemonset.template.generation"
                    | "deployment.kubernetes.io/revision"
                    | "meta.helm.sh/release-name"
                    | "meta.helm.sh/release-namespace"
                    | "app.kubernetes.io/managed-by"
            )
        }
        _ => false,
    }
}

/// Cilium's mark for what its chart makes anew at each render, from 1.19 on.
const MADE_ANEW: &str = "cilium.io/helm-template-non-idempotent";

fn made_anew(object: &Value) -> bool {
    object["metadata"]["labels"][MADE_ANEW] == "true"
}

fn secret_data(key: &Key, path: &[Step]) -> bool {
    key.kind == "Secret" && matches!(path.first(), Some(Step::Key(k)) if k == "data" || k == "stringData")
}

/// A certificate or key on both sides that nobody gave.
fn certificate(given: &BTreeSet<String>, key: &Key, edit: &Edit) -> bool {
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    let (Some(old), Some(new)) = (text(&edit.old), text(&edit.new)) else { return false };
    let pem = |text: &str| text.starts_with("LS0tLS1CRUdJTi") || text.starts_with("-----BEGIN ");
    let place = secret_data(key, &edit.path.0) || last_key(&edit.path.0) == Some("caBundle");
    place && pem(&old) && pem(&new) && !given.contains(&new) && !given.contains(&old)
}

fn label_key(path: &[Step]) -> Option<&str> {
    match path {
        [.., Step::Key(meta), Step::Key(map), Step::Key(key)]
            if meta == "metadata" && matches!(map.as_str(), "labels" | "annotations") =>
        {
            Some(key)
        }
        _ => None,
    }
}

fn chart_label(path: &[Step]) -> bool {
    const VERSIONED: [&str; 5] = ["helm.sh/chart", "chart", "app.kubernetes.io/version", "heritage", "chart-version"];
    label_key(path).is_some_and(|key| VERSIONED.contains(&key))
}

fn tool_annotation(path: &[Step]) -> bool {
    label_key(path) == Some("controller-gen.kubebuilder.io/version")
}

/// An annotation that sums up configuration so that its pods are replaced.
pub(crate) fn checksum(edit: &Edit) -> bool {
    let hex = |value: &Option<Value>| {
        let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
        text.len() >= 8 && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let named = |key: &str| ["checksum", "hash", "sha256"].iter().any(|word| key.to_ascii_lowercase().contains(word));
    label_key(&edit.path.0).is_some_and(named) && hex(&edit.old) && hex(&edit.new)
}

/// Wording of a schema: `description` and examples, unless that is the name of a property.
fn description(path: &[Step]) -> bool {
    let schema = path.iter().position(|step| matches!(step, Step::Key(key) if key == "openAPIV3Schema"));
    let Some(at) = schema else {
        return matches!(path, [.., Step::Key(list), Step::Item(_), Step::Key(key)]
            if list == "additionalPrinterColumns" && key == "description");
    };
    let named = |key: &str| matches!(key, "description" | "example" | "externalDocs" | "title");
    let below = &path[at..];
    let word = below.iter().position(|step| matches!(step, Step::Key(key) if named(key)));
    word.is_some_and(|at| !matches!(&below[at - 1], Step::Key(key) if key == "properties"))
}

/// `serviceAccount` comes or goes and the account is the same.
fn account_alias(scope: Scope, edit: &Edit, old: Option<&Value>, new: Option<&Value>) -> bool {
    (edit.old.is_none() || edit.new.is_none())
        && scope.in_template(&edit.path.0).is_some()
        && last_key(&edit.path.0) == Some("serviceAccount")
        && same_account(old, new)
}

/// `serviceAccount` is the old name of `serviceAccountName`, which the server fills in from it.
fn same_account(old: Option<&Value>, new: Option<&Value>) -> bool {
    let name = |side: Option<&Value>| {
        let pod = side.map(|v| &v["spec"]["template"]["spec"]);
        pod.and_then(|pod| pod["serviceAccountName"].as_str().or(pod["serviceAccount"].as_str())).map(str::to_owned)
    };
    name(old) == name(new)
}
