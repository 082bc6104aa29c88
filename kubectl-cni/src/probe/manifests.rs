//! Run settings in, Kubernetes objects out: all that `verify` ever creates, and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::{PORT, PORT_2, PORT_HOST, PORT_POLICY};

/// Label with the run id; everything we create carries it and nothing without it is ever removed.
pub const RUN_LABEL: &str = "kubectl-cni/run";
/// Label that says the same of all runs.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kubectl-cni");
/// Annotation with the Unix time at which a running command last said that it is alive.
pub const RENEWED: &str = "kubectl-cni/renewed";
/// Where the agent is mounted.
pub const AGENT_PATH: &str = "/cni-probe/agent";
/// Where plans are mounted when they come by ConfigMap.
const PLAN_DIR: &str = "/cni-plan";

/// What varies between runs.
#[derive(Clone, Debug, Default)]
pub struct RunSpec {
    /// Run id: five of `[a-z0-9]`.
    pub id: String,
    /// Namespace of the probe pods.
    pub namespace: String,
    /// Whether the namespace is ours to create and remove.
    pub own_namespace: bool,
    /// Namespace of the host-network pods.
    pub host_namespace: Option<String>,
    /// Image.
    pub image: String,
    /// Architectures of the nodes, each with its agent.
    pub architectures: Vec<String>,
    /// Only nodes with these labels.
    pub node_selector: Vec<(String, String)>,
    /// Only these nodes; empty for all.
    pub nodes: Vec<String>,
    /// More labels.
    pub labels: Vec<(String, String)>,
    /// Annotations.
    pub annotations: Vec<(String, String)>,
    /// PriorityClass.
    pub priority_class: Option<String>,
    /// Pull secrets.
    pub pull_secrets: Vec<String>,
    /// Whether every node offers ephemeral storage, so that a request for it can be met.
    pub ephemeral_storage: bool,
    /// Unix time after which the agents stop serving by themselves.
    pub until: u64,
    /// Unix time of the start, for the heartbeat.
    pub now: u64,
}

/// Which DaemonSet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Is probed.
    Server,
    /// Probes, asked by exec.
    Client,
    /// Probes once by a mounted plan and writes results to its log.
    LogClient,
    /// Probes and is probed in the node's own network.
    Host,
}

impl Role {
    /// Value of the component label.
    pub fn component(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Client | Role::LogClient => "client",
            Role::Host => "host",
        }
    }
}

impl RunSpec {
    /// Name of an object of this run.
    pub fn name(&self, part: &str) -> String {
        format!("cni-{part}-{}", self.id)
    }

    fn labels(&self, component: Option<&str>) -> BTreeMap<String, String> {
        let mut labels: BTreeMap<String, String> = self.labels.iter().cloned().collect();
        labels.insert("app.kubernetes.io/name".to_owned(), "cni-verify".to_owned());
        labels.insert("app.kubernetes.io/instance".to_owned(), self.id.clone());
        labels.insert("app.kubernetes.io/version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        labels.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
        labels.insert(RUN_LABEL.to_owned(), self.id.clone());
        if let Some(component) = component {
            labels.insert("app.kubernetes.io/component".to_owned(), component.to_owned());
        }
        labels
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        self.annotations.iter().cloned().collect()
    }

    fn meta(&self, namespace: &str, name: String, component: Option<&str>) -> Value {
        json!({"name": name, "namespace": namespace, "labels": self.labels(component), "annotations": self.annotations()})
    }

    fn select(&self, component: &str) -> Value {
        json!({RUN_LABEL: self.id, "app.kubernetes.io/component": component})
    }

    /// The namespaces, unless an existing one is used.
    pub fn namespaces(&self) -> Vec<Value> {
        let namespace = |name: &str, level: &str| {
            let mut labels = self.labels(None);
            for mode in ["enforce", "warn", "audit"] {
                labels.insert(format!("pod-security.kubernetes.io/{mode}"), level.to_owned());
            }
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels, "annotations": self.annotations()}})
        };
        let own = self.own_namespace.then(|| namespace(&self.namespace, "restricted"));
        let host = self.host_namespace.as_ref().map(|name| namespace(name, "privileged"));
        own.into_iter().chain(host).collect()
    }

    /// The agent as a ConfigMap, in every namespace that has pods. It is the first object of a run and the last to go.
    pub fn agent_config_map(&self, namespace: &str) -> Value {
        let mut data = serde_json::Map::new();
        for arch in &self.architectures {
            if let Some(bytes) = super::agent::for_arch(arch) {
                data.insert(format!("agent-{arch}"), json!(k8s_openapi::ByteString(bytes.to_vec())));
            }
        }
        let mut annotations = self.annotations();
        annotations.insert(RENEWED.to_owned(), self.now.to_string());
        let mut meta = self.meta(namespace, self.name("agent"), None);
        meta["annotations"] = json!(annotations);
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "binaryData": data})
    }

    /// Plans by node name as ConfigMaps below the 1 MiB limit of one object.
    pub fn plan_config_maps(&self, plans: &BTreeMap<String, String>, generation: usize) -> Vec<Value> {
        const LIMIT: usize = 900 * 1024;
        let mut parts: Vec<BTreeMap<&String, &String>> = vec![BTreeMap::new()];
        let mut size = 0;
        for (node, plan) in plans {
            if size + plan.len() > LIMIT && size > 0 {
                parts.push(BTreeMap::new());
                size = 0;
            }
            size += plan.len() + node.len();
            if let Some(last) = parts.last_mut() {
                last.insert(node, plan);
            }
        }
        parts
            .into_iter()
            .enumerate()
            .map(|(index, data)| {
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": self.meta(&self.namespace, self.name(&format!("plan{generation}-{index}")), None), "data": data})
            })
            .collect()
    }

    /// One DaemonSet per architecture.
    pub fn daemonsets(&self, role: Role, plan_maps: &[String]) -> Vec<Value> {
        self.architectures
            .iter()
            .map(|arch| {
                let component = role.component();
                let name =
                    if arch == "amd64" { self.name(component) } else { self.name(&format!("{component}-{arch}")) };
                let namespace = self.namespace_of(role);
                json!({
                    "apiVersion": "apps/v1",
                    "kind": "DaemonSet",
                    "metadata": self.meta(namespace, name, Some(component)),
                    "spec": {
                        "selector": {"matchLabels": self.arch_select(component, arch)},
                        "updateStrategy": {"type": "OnDelete"},
                        "template": self.pod_template(role, arch, plan_maps),
                    }
                })
            })
            .collect()
    }

    /// One pod as a DaemonSet would make it, to have it looked at by admission.
    pub fn sample_pod(&self, role: Role) -> Value {
        let arch = self.architectures.first().map_or("amd64", String::as_str);
        let template = self.pod_template(role, arch, &[]);
        let mut meta = self.meta(
            self.namespace_of(role),
            self.name(&format!("{}-sample", role.component())),
            Some(role.component()),
        );
        meta["labels"] = template["metadata"]["labels"].clone();
        // Some policies refuse pods that no controller owns. Only ever sent as a dry run, so nobody looks for the owner.
        let owner = self.name(role.component());
        meta["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": owner, "uid": "00000000-0000-0000-0000-000000000000", "controller": true}]);
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]})
    }

    fn namespace_of(&self, role: Role) -> &str {
        match (role, &self.host_namespace) {
            (Role::Host, Some(namespace)) => namespace,
            _ => &self.namespace,
        }
    }

    fn arch_select(&self, component: &str, arch: &str) -> Value {
        json!({RUN_LABEL: self.id, "app.kubernetes.io/component": component, "kubectl-cni/arch": arch})
    }

    fn pod_template(&self, role: Role, arch: &str, plan_maps: &[String]) -> Value {
        let host = role == Role::Host;
        let component = role.component();
        let mut labels = self.labels(Some(component));
        labels.insert("kubectl-cni/arch".to_owned(), arch.to_owned());
        let (ports, health) = if host {
            (format!("tcp={PORT_HOST} udp={PORT_HOST}"), PORT_HOST)
        } else {
            (format!("tcp={PORT},{PORT_2},{PORT_POLICY} udp={PORT},{PORT_2}"), PORT)
        };
        // A plan that comes by ConfigMap mixes Services with pods, so its client is no witness of a direction and has a name of its own.
        let (verb, own) = if role == Role::LogClient { ("run", "log-client") } else { ("serve", component) };
        let mut command = vec![AGENT_PATH.to_owned(), verb.to_owned(), format!("name=$(NODE)/{own}/{}", self.id)];
        command.extend(ports.split(' ').map(str::to_owned));
        command.push(format!("until={}", self.until));
        let mut volumes = vec![json!({
            "name": "agent",
            "configMap": {"name": self.name("agent"), "defaultMode": 0o555, "items": [{"key": format!("agent-{arch}"), "path": "agent"}]}
        })];
        let mut mounts = vec![json!({"name": "agent", "mountPath": "/cni-probe", "readOnly": true})];
        if role == Role::LogClient {
            command.push(format!("plan={PLAN_DIR}/$(NODE)"));
            let sources: Vec<Value> = plan_maps.iter().map(|name| json!({"configMap": {"name": name}})).collect();
            volumes.push(json!({"name": "plan", "projected": {"sources": sources}}));
            mounts.push(json!({"name": "plan", "mountPath": PLAN_DIR, "readOnly": true}));
        }
        let probe = |period: u32, failures: u32| json!({"httpGet": {"path": "/", "port": health, "scheme": "HTTP"}, "periodSeconds": period, "timeoutSeconds": 2, "failureThreshold": failures});
        let mut container = json!({
            "name": "agent",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": command,
            "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
            "resources": {
                "requests": {"cpu": "10m", "memory": "16Mi"},
                "limits": {"cpu": "500m", "memory": "64Mi"},
            },
            // Ready says that the kubelet reaches the pod. Liveness is there because policies ask for it; it is lenient, since a restart
            // would lose what we want to see.
            "readinessProbe": probe(1, 2),
            "livenessProbe": probe(10, 30),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "runAsNonRoot": true,
                "privileged": false,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumeMounts": mounts,
        });
        if !host {
            container["ports"] = json!([
                {"name": "tcp", "containerPort": PORT, "protocol": "TCP"},
                {"name": "udp", "containerPort": PORT, "protocol": "UDP"},
            ]);
        }
        if self.ephemeral_storage {
            container["resources"]["requests"]["ephemeral-storage"] = json!("1Mi");
            container["resources"]["limits"]["ephemeral-storage"] = json!("16Mi");
        }
        let mut spec = json!({
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": 1,
            "hostNetwork": host,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": self.node_terms(arch)}}},
            "containers": [container],
            "volumes": volumes,
        });
        if !self.node_selector.is_empty() {
            spec["nodeSelector"] = json!(self.node_selector.iter().cloned().collect::<BTreeMap<_, _>>());
        }
        if let Some(class) = &self.priority_class {
            spec["priorityClassName"] = json!(class);
        }
        if !self.pull_secrets.is_empty() {
            spec["imagePullSecrets"] =
                json!(self.pull_secrets.iter().map(|name| json!({"name": name})).collect::<Vec<_>>());
        }
        json!({"metadata": {"labels": labels, "annotations": self.annotations()}, "spec": spec})
    }

    /// Linux nodes of one architecture; with names, one term for each, since `matchFields` takes a single value.
    fn node_terms(&self, arch: &str) -> Value {
        let expressions = json!([
            {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]},
            {"key": "kubernetes.io/arch", "operator": "In", "values": [arch]},
        ]);
        if self.nodes.is_empty() {
            return json!([{"matchExpressions": expressions}]);
        }
        let terms = self.nodes.iter().map(|node| {
            json!({"matchExpressions": expressions, "matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]})
        });
        json!(terms.collect::<Vec<_>>())
    }

    /// Services to the server pods: with a cluster IP, with node ports, headless. Pods that are not ready count too: whether the kubelet
    /// reaches them is a question of its own.
    pub fn services(&self) -> Vec<Value> {
        let service = |part: &str, extra: Value| {
            let mut spec = json!({
                "selector": self.select("server"),
                "ipFamilyPolicy": "PreferDualStack",
                "publishNotReadyAddresses": true,
                "ports": [
                    {"name": "tcp", "port": PORT, "targetPort": PORT, "protocol": "TCP"},
                    {"name": "udp", "port": PORT, "targetPort": PORT, "protocol": "UDP"},
                ],
            });
            for (key, value) in extra.as_object().into_iter().flatten() {
                spec[key] = value.clone();
            }
            json!({"apiVersion": "v1", "kind": "Service", "metadata": self.meta(&self.namespace, self.name(part), None), "spec": spec})
        };
        vec![
            service("service", json!({"type": "ClusterIP"})),
            service("nodeport", json!({"type": "NodePort"})),
            service("headless", json!({"clusterIP": "None"})),
        ]
    }

    /// A policy that shuts the policy port of the server pods and leaves every other port open.
    pub fn deny_policy(&self) -> Value {
        let ports = |protocol: &str| [PORT, PORT_2].map(|port| json!({"protocol": protocol, "port": port}));
        json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": self.meta(&self.namespace, self.name("deny"), None),
            "spec": {
                "podSelector": {"matchLabels": self.select("server")},
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": ports("TCP").into_iter().chain(ports("UDP")).collect::<Vec<_>>()}],
            }
        })
    }

    /// Everything a default run creates, in order, for people to read.
    pub fn everything(&self, policy: bool, log: bool) -> Vec<Value> {
        let client = if log { Role::LogClient } else { Role::Client };
        let mut objects = self.namespaces();
        objects.push(self.agent_config_map(&self.namespace));
        objects.extend(self.daemonsets(Role::Server, &[]));
        objects.extend(self.daemonsets(client, &[self.name("plan0-0")]));
        objects.extend(self.services());
        if let Some(host) = &self.host_namespace {
            objects.push(self.agent_config_map(host));
            objects.extend(self.daemonsets(Role::Host, &[]));
        }
        if policy {
            objects.push(self.deny_policy());
        }
        objects
    }
}
