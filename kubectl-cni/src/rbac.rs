//! The least rights that `verify` and `preflight` need, as YAML. The live tests run with exactly these.

/// Reading, cluster-wide.
const READ: &str = "\
# What `kubectl cni verify` reads. No Secrets, no nodes/proxy, no wildcards.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-cni-verify
rules:
- apiGroups: [\"\"]
  resources: [nodes, pods]
  verbs: [list]
- apiGroups: [\"\"]
  resources: [services]   # the cluster DNS Service, and default/kubernetes
  verbs: [get, list]
- apiGroups: [apps]
  resources: [daemonsets, deployments, controllerrevisions]
  verbs: [list]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list]
# The CNI's own objects, where they are served.
- apiGroups: [cilium.io, crd.projectcalico.org, operator.tigera.io]
  resources: [ciliumnodes, ciliumendpoints, ciliumbgpnodeconfigs, clusterinformations, felixconfigurations, blockaffinities, ipamblocks, caliconodestatuses, tigerastatuses, installations]
  verbs: [list]
";

/// Reading, of `preflight`.
const PREFLIGHT: &str = "\
# What `kubectl cni preflight` reads, and all it does. No Secrets, no nodes/proxy. The resources of the CNI are read by the rules that look at them;
# leave out the groups that your cluster does not serve.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kubectl-cni-preflight
rules:
- apiGroups: [\"\"]
  resources: [nodes, pods, services]
  verbs: [list]
- apiGroups: [\"\"]
  resources: [services]   # default/kubernetes
  resourceNames: [kubernetes]
  verbs: [get]
- apiGroups: [\"\"]
  resources: [configmaps, namespaces]   # the CNI's own and kube-proxy's by name
  verbs: [get]
- apiGroups: [apps]
  resources: [daemonsets, deployments, controllerrevisions]
  verbs: [list]
- apiGroups: [apps]
  resources: [daemonsets]   # the metadata of the CNI's own: who manages them
  verbs: [get]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies, servicecidrs]
  verbs: [list]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list]
- apiGroups: [admissionregistration.k8s.io]
  resources: [mutatingwebhookconfigurations, validatingwebhookconfigurations]
  verbs: [list]
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [list]
- apiGroups: [cilium.io, crd.projectcalico.org, projectcalico.org, operator.tigera.io, policy.networking.k8s.io, gateway.networking.k8s.io]
  resources: [\"*\"]
  verbs: [list]
";

/// The rights of `preflight`.
pub fn preflight() -> String {
    PREFLIGHT.to_owned()
}

/// Creating in a namespace of its own.
const OWN_NAMESPACE: &str = "\
# What it creates, in a namespace of its own that it makes and removes. To keep even that narrower, make a namespace, bind the Role below
# in it instead, and pass --namespace.
- apiGroups: [\"\"]
  resources: [namespaces]
  verbs: [get, list, create, delete]
";

/// Rights inside the probe namespace.
const INSIDE: &str = "\
- apiGroups: [\"\"]
  resources: [configmaps]
  verbs: [get, create, patch, delete]
- apiGroups: [\"\"]
  resources: [services]
  verbs: [get, list, create, delete]
- apiGroups: [\"\"]
  resources: [pods]
  verbs: [list, watch, create, deletecollection]   # create: only ever sent as a dry run
- apiGroups: [\"\"]
  resources: [pods/exec]   # without it, plans go in by ConfigMap and results come out by pod log
  verbs: [create, get]
- apiGroups: [\"\"]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [\"\"]
  resources: [events]
  verbs: [list]
- apiGroups: [apps]
  resources: [daemonsets]
  verbs: [get, create, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, delete]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list]
";

/// Everything, ready for `kubectl apply -f -`. With a namespace, what is created is bound there only.
pub fn manifest(namespace: Option<&str>) -> String {
    match namespace {
        None => format!("{READ}{OWN_NAMESPACE}{INSIDE}"),
        Some(namespace) => {
            let cleanup = "- apiGroups: [\"\"]\n  resources: [configmaps, services]\n  verbs: [list]\n- apiGroups: [apps]\n  resources: [daemonsets]\n  verbs: [list]\n- apiGroups: [networking.k8s.io]\n  resources: [networkpolicies]\n  verbs: [list]\n";
            format!(
                "{READ}---\n# What it creates, in namespace {namespace} only.\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: kubectl-cni-verify\n  namespace: {namespace}\nrules:\n{INSIDE}{cleanup}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_yaml_without_secrets_or_wildcards() {
        for text in [manifest(None), manifest(Some("probes"))] {
            let mut rules = 0;
            for document in serde_yaml::Deserializer::from_str(&text) {
                let value: serde_json::Value = serde::Deserialize::deserialize(document).expect("YAML");
                for rule in value["rules"].as_array().expect("rules") {
                    rules += 1;
                    let text = rule.to_string();
                    assert!(
                        !text.contains("secrets") && !text.contains('*') && !text.contains("nodes/proxy"),
                        "{text}"
                    );
                }
            }
            assert!(rules > 8);
        }
    }
}
