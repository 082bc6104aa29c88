//! Documents in, a set of Kubernetes objects out, keyed by what makes two of them the same; odd documents become
//! warnings, never failures.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use cni_facts::{ContainerSeen, Evidence, WorkloadSeen};
use serde_json::{Map, Value};

use crate::comparison::{ObjectRef, Warning};

/// One document of a manifest, already parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Where it stood, for messages: `document 4`, `crds/tigera.yaml`.
    pub place: String,
    /// Its content; `null` for an empty document, which is skipped in silence.
    pub value: Value,
    /// It comes from the chart's `crds/` folder, which helm applies on install only.
    pub install_only: bool,
}

impl Document {
    /// Numbers the documents of one stream from 1.
    pub fn number(values: impl IntoIterator<Item = Value>) -> Vec<Self> {
        let place = |at: usize| format!("document {}", at + 1);
        let numbered = values.into_iter().enumerate();
        numbered.map(|(at, value)| Self { place: place(at), value, install_only: false }).collect()
    }
}

/// What makes two objects the same one. The version of the API is not part of it, so that an object is found again
/// after a bump from `v1beta1` to `v1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace; empty for what has none.
    pub namespace: String,
    /// Name; the prefix where the API server makes the rest up (`generateName`).
    pub name: String,
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// How it is named in messages.
    pub id: ObjectRef,
    /// The whole document.
    pub value: Value,
    /// See [`Document::install_only`].
    pub install_only: bool,
}

/// Objects by key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectSet {
    /// The objects.
    pub objects: BTreeMap<Key, Object>,
}

impl ObjectSet {
    /// Reads documents of one side. Objects of kinds that live in namespaces and name none get `default_namespace`, as
    /// helm does it. Of two documents for one object the last one counts, as with `kubectl apply`.
    pub fn read(side: &str, documents: Vec<Document>, default_namespace: &str) -> (Self, Vec<Warning>) {
        let mut reader = Reader {
            side,
            default_namespace,
            cluster_scoped: cluster_scoped_resources(&documents),
            set: Self::default(),
            warnings: Vec::new(),
        };
        for document in documents {
            reader.add(document, 0);
        }
        (reader.set, reader.warnings)
    }

    /// Objects of one kind, whatever the version of their API.
    pub fn of_kind<'a>(&'a self, group: &'a str, kind: &'a str) -> impl Iterator<Item = &'a Object> + 'a {
        self.objects.iter().filter(move |(key, _)| key.group == group && key.kind == kind).map(|(_, object)| object)
    }

    /// What the set shows of the CNI in it, for [`cni_facts::detect`]. Parts that a manifest cannot show stay unread.
    pub fn evidence(&self) -> Evidence {
        let workloads = |kind| self.of_kind("apps", kind).map(workload).collect::<Vec<_>>();
        let mut groups: BTreeSet<String> = BTreeSet::new();
        for crd in self.of_kind("apiextensions.k8s.io", "CustomResourceDefinition") {
            groups.extend(crd.value.pointer("/spec/group").and_then(Value::as_str).map(str::to_owned));
        }
        // A custom resource in the manifest needs its group as well; it tells as much as the definition.
        groups.extend(self.objects.keys().filter(|key| !built_in(&key.group)).map(|key| key.group.clone()));
        Evidence {
            daemonsets: Some(workloads("DaemonSet")),
            deployments: Some(workloads("Deployment")),
            // None rather than empty: what the cluster serves beyond this manifest was not looked at.
            crd_groups: (!groups.is_empty()).then_some(groups),
            configmaps: Some(self.of_kind("", "ConfigMap").map(|object| object.id.name.clone()).collect()),
            ..Evidence::default()
        }
    }
}

struct Reader<'a> {
    side: &'a str,
    default_namespace: &'a str,
    /// Group and kind of custom resources that this very manifest defines without namespaces.
    cluster_scoped: BTreeSet<(String, String)>,
    set: ObjectSet,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    fn warn(&mut self, place: &str, text: impl Into<String>) {
        self.warnings.push(Warning { side: self.side.to_owned(), place: place.to_owned(), text: text.into() });
    }

    fn add(&mut self, document: Document, depth: usize) {
        let Document { place, value, install_only } = document;
        let mut map = match value {
            Value::Null => return,
            Value::Object(map) => map,
            other => return self.warn(&place, format!("a {} and no Kubernetes object; left out", type_name(&other))),
        };
        let text = |field: &str| map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if api_version.is_empty() || kind.is_empty() {
            let missing = if kind.is_empty() { "kind" } else { "apiVersion" };
            return self.warn(&place, format!("no {missing}, so no Kubernetes object; left out"));
        }
        if kind.ends_with("List") && map.get("items").is_some_and(Value::is_array) {
            // Lists hold objects; a list in a list is nobody's manifest, so the depth needs no more than a stop.
            if depth > 4 {
                return self.warn(&place, "lists in lists, more than four deep; left out");
            }
            let Some(Value::Array(items)) = map.remove("items") else { return };
            for (at, item) in items.into_iter().enumerate() {
                let place = format!("{place}, item {}", at + 1);
                self.add(Document { place, value: typed(item, &api_version, &kind), install_only }, depth + 1);
            }
            return;
        }
        let meta = map.get("metadata").and_then(Value::as_object);
        let meta_text = |field: &str| meta.and_then(|m| m.get(field)).and_then(Value::as_str).unwrap_or_default();
        let mut name = meta_text("name").to_owned();
        let namespace = meta_text("namespace").to_owned();
        if name.is_empty() {
            name = meta_text("generateName").to_owned();
            if name.is_empty() {
                return self.warn(&place, format!("{kind} without a name; left out"));
            }
            self.warn(&place, format!("{kind} {name}… gets its name from the API server; compared by that prefix"));
        }
        let group = api_version.split_once('/').map_or("", |(group, _)| group).to_owned();
        let namespace = self.namespace_of(&group, &kind, namespace);
        let key = Key { group, kind: kind.clone(), namespace: namespace.clone(), name: name.clone() };
        let id = ObjectRef { api_version, kind, namespace, name };
        let object = Object { id, value: Value::Object(map), install_only };
        match self.set.objects.entry(key) {
            Entry::Vacant(free) => {
                free.insert(object);
            }
            Entry::Occupied(mut taken) => {
                let same = taken.get().value == object.value;
                let how = if same { "with the same content" } else { "and they differ; the last one counts" };
                let text = format!("{} is there twice, {how}", object.id);
                taken.insert(object);
                self.warn(&place, text);
            }
        }
    }

    fn namespace_of(&self, group: &str, kind: &str, written: String) -> String {
        if cluster_kind(group, kind) || self.cluster_scoped.contains(&(group.to_owned(), kind.to_owned())) {
            return String::new();
        }
        // Of a custom resource that is not defined here the scope is not known: what is written stands.
        if written.is_empty() && built_in(group) { self.default_namespace.to_owned() } else { written }
    }
}

/// Items of a typed list (`ConfigMapList`) may leave out what the list says.
fn typed(mut item: Value, api_version: &str, list_kind: &str) -> Value {
    if let (Value::Object(map), Some(kind)) = (&mut item, list_kind.strip_suffix("List"))
        && !kind.is_empty()
    {
        map.entry("apiVersion").or_insert_with(|| api_version.into());
        map.entry("kind").or_insert_with(|| kind.into());
    }
    item
}

fn cluster_scoped_resources(documents: &[Document]) -> BTreeSet<(String, String)> {
    let definitions = documents.iter().filter(|d| d.value["kind"] == "CustomResourceDefinition");
    let cluster = definitions.filter(|d| d.value["spec"]["scope"] == "Cluster");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    cluster.map(|d| (text(&d.value["spec"]["group"]), text(&d.value["spec"]["names"]["kind"]))).collect()
}

/// Whether the API server itself serves the group.
pub(crate) fn built_in(group: &str) -> bool {
    !group.contains('.') || (group.ends_with(".k8s.io") && !BUILT_WITH_CRDS.contains(&group))
}

/// Groups under `k8s.io` that are custom resources all the same.
const BUILT_WITH_CRDS: [&str; 4] =
    ["gateway.networking.k8s.io", "snapshot.storage.k8s.io", "policy.networking.k8s.io", "metrics.k8s.io"];

/// Kinds of the API server that live outside namespaces
/// (`kubectl api-resources --namespaced=false`).
fn cluster_kind(group: &str, kind: &str) -> bool {
    match group {
        "" => matches!(kind, "Namespace" | "Node" | "PersistentVolume" | "ComponentStatus"),
        "rbac.authorization.k8s.io" => matches!(kind, "ClusterRole" | "ClusterRoleBinding"),
        "storage.k8s.io" => kind != "CSIStorageCapacity",
        "networking.k8s.io" => matches!(kind, "IngressClass" | "IPAddress" | "ServiceCIDR"),
        "policy" => kind == "PodSecurityPolicy",
        "apiextensions.k8s.io"
        | "apiregistration.k8s.io"
        | "admissionregistration.k8s.io"
        | "scheduling.k8s.io"
        | "node.k8s.io"
        | "flowcontrol.apiserver.k8s.io"
        | "certificates.k8s.io" => true,
        _ => false,
    }
}

/// What a value is, in the words of messages.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

fn workload(object: &Object) -> WorkloadSeen {
    let spec = &object.value["spec"];
    let pod = &spec["template"]["spec"];
    let seen = |list: &str, init: bool| {
        let items = pod[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
        let one = move |item: &Value| ContainerSeen {
            name: text(item, "name"),
            image: text(item, "image"),
            init,
            pull_policy: item["imagePullPolicy"].as_str().map(str::to_owned),
        };
        items.iter().map(one).collect::<Vec<_>>()
    };
    let mut containers = seen("initContainers", true);
    containers.extend(seen("containers", false));
    let secrets = pod["imagePullSecrets"].as_array().map(Vec::as_slice).unwrap_or_default();
    WorkloadSeen {
        namespace: object.id.namespace.clone(),
        name: object.id.name.clone(),
        labels: texts(object.value["metadata"]["labels"].as_object()),
        selector: texts(spec["selector"]["matchLabels"].as_object()),
        containers,
        pull_secrets: secrets.iter().filter_map(|s| s["name"].as_str()).map(str::to_owned).collect(),
    }
}

fn texts(map: Option<&Map<String, Value>>) -> BTreeMap<String, String> {
    let pairs = map.into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(values: Vec<Value>) -> (ObjectSet, Vec<Warning>) {
        ObjectSet::read("old", Document::number(values), "kube-system")
    }

    fn config_map(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
    }

    #[test]
    fn odd_documents_are_named_and_lose_nothing_else() {
        let (set, warnings) = read(vec![
            Value::Null,
            json!([1]),
            json!({"kind": "ConfigMap"}),
            json!({"apiVersion": "v1"}),
            json!({"apiVersion": "v1", "kind": "Secret"}),
            config_map("a"),
        ]);
        assert_eq!(set.objects.len(), 1);
        let told: Vec<String> = warnings.iter().map(|w| format!("{}: {}", w.place, w.text)).collect();
        assert_eq!(
            told,
            [
                "document 2: a list and no Kubernetes object; left out",
                "document 3: no apiVersion, so no Kubernetes object; left out",
                "document 4: no kind, so no Kubernetes object; left out",
                "document 5: Secret without a name; left out",
            ]
        );
    }

    #[test]
    fn of_two_documents_for_one_object_the_last_counts_and_that_is_said() {
        let mut second = config_map("a");
        second["data"] = json!({"k": "v"});
        let (set, warnings) = read(vec![config_map("a"), second.clone(), second.clone()]);
        assert_eq!(set.objects.values().next().unwrap().value, second);
        let told: Vec<&str> = warnings.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(
            told,
            [
                "ConfigMap kube-system/a is there twice, and they differ; the last one counts",
                "ConfigMap kube-system/a is there twice, with the same content",
            ]
        );
    }

    #[test]
    fn lists_are_flattened() {
        let (set, warnings) = read(vec![
            json!({"apiVersion": "v1", "kind": "List", "items": [config_map("a"), config_map("b"), 7]}),
            json!({"apiVersion": "v1", "kind": "ConfigMapList", "items": [{"metadata": {"name": "c"}}]}),
        ]);
        let names: Vec<&str> = set.objects.keys().map(|key| key.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(warnings.len(), 1);
        assert_eq!(warnings[0].place, "document 1, item 3");
    }

    #[test]
    fn namespaces_are_filled_in_where_the_kind_has_one() {
        let object = |api: &str, kind: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}});
        let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "pools.example.io"},
            "spec": {"group": "example.io", "scope": "Cluster", "names": {"kind": "Pool"}}});
        let mut pool = object("example.io/v1", "Pool");
        pool["metadata"]["namespace"] = json!("stray");
        let (set, _) = read(vec![
            pool,
            definition,
            object("v1", "ConfigMap"),
            object("v1", "Namespace"),
            object("rbac.authorization.k8s.io/v1", "ClusterRole"),
            object("rbac.authorization.k8s.io/v1", "Role"),
            object("operator.tigera.io/v1", "Installation"),
        ]);
        let told: Vec<String> = set.objects.values().map(|object| object.id.to_string()).collect();
        assert_eq!(
            told,
            [
                "ConfigMap kube-system/x",
                "Namespace x",
                "CustomResourceDefinition pools.example.io",
                "Pool x",
                "Installation x",
                "ClusterRole x",
                "Role kube-system/x",
            ]
        );
    }

    #[test]
    fn evidence_names_workloads_groups_and_config() {
        let agent = json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": "cilium", "labels": {"k8s-app": "cilium"}},
            "spec": {"selector": {"matchLabels": {"k8s-app": "cilium"}}, "template": {"spec": {
                "imagePullSecrets": [{"name": "reg"}],
                "initContainers": [{"name": "config", "image": "i:1"}],
                "containers": [{"name": "cilium-agent", "image": "a:1", "imagePullPolicy": "Always"}]}}}});
        let (set, _) = read(vec![agent, config_map("cilium-config")]);
        let evidence = set.evidence();
        let daemonsets = evidence.daemonsets.unwrap();
        assert_eq!(daemonsets[0].containers.iter().map(|c| c.init).collect::<Vec<_>>(), [true, false]);
        assert_eq!(daemonsets[0].pull_secrets, ["reg"]);
        assert_eq!(evidence.configmaps.unwrap().into_iter().collect::<Vec<_>>(), ["cilium-config"]);
        assert_eq!(evidence.crd_groups, None);
        assert_eq!(evidence.deployments, Some(vec![]));
    }
}
