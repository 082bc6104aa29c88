//! `kubectl cni preflight` against a small API server that answers from the healthy cluster's folder and does wrong where it is told to.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What goes wrong with a path.
#[derive(Clone, Copy)]
enum Fault {
    Status(u16),
    /// Half of the answer.
    Torn,
}

type Asked = Arc<Mutex<Vec<String>>>;

/// Starts the server on a free port; it ends with the test. Returns its port and the paths that were asked for.
fn serve(faults: BTreeMap<&'static str, Fault>) -> (u16, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Asked::default();
    let (log, answers) = (asked.clone(), Arc::new(answers()));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (log, answers, faults) = (log.clone(), answers.clone(), faults.clone());
            std::thread::spawn(move || answer(stream, &answers, &faults, &log));
        }
    });
    (port, asked)
}

fn answer(mut stream: TcpStream, answers: &BTreeMap<String, Value>, faults: &BTreeMap<&str, Fault>, log: &Asked) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let target = first.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    log.lock().unwrap().push(target.to_owned());
    let fault = faults.get(path).or(faults.get("*")).copied();
    let status = |code: u16| {
        let message = format!("{path} is not for you: cannot list");
        let reason = if code == 404 { "NotFound" } else { "" };
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code})
    };
    let (code, mut body) = match (fault, answers.get(path)) {
        (Some(Fault::Status(code)), _) => (code, status(code).to_string()),
        (_, Some(value)) => (200, value.to_string()),
        (_, None) => (404, status(404).to_string()),
    };
    if matches!(fault, Some(Fault::Torn)) {
        body.truncate(body.len() / 2);
    }
    let head = format!(
        "HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

fn answers() -> BTreeMap<String, Value> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/clusters/healthy-flannel"));
    let read = |name: &str| -> Value { serde_json::from_str(&fs::read_to_string(folder.join(name)).unwrap()).unwrap() };
    let list = |kind: &str, version: &str, items: Value| json!({"kind": kind, "apiVersion": version, "metadata": {}, "items": items});
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for one in read("apis.json").as_array().unwrap() {
        let (group, version) = one.as_str().unwrap().split_once('/').unwrap();
        groups.entry(group.to_owned()).or_default().push(json!({"groupVersion": one, "version": version}));
    }
    let groups: Vec<Value> = groups
        .into_iter()
        .map(|(name, versions)| json!({"name": name, "preferredVersion": versions[0].clone(), "versions": versions}))
        .collect();
    let sets = read("daemonsets.json");
    let agent = sets.as_array().unwrap().iter().find(|set| set["metadata"]["name"] == "kube-flannel-ds").unwrap();
    let mut meta = agent["metadata"].clone();
    meta["managedFields"] = json!([{"manager": "kubectl", "operation": "Apply"}]);
    let configmap = |key: &str| json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "x"}, "data": read("configmaps.json")[key]["Ok"].clone()});
    let mut all = BTreeMap::new();
    let mut put = |path: &str, value: Value| all.insert(path.to_owned(), value);
    put(
        "/version",
        json!({"major": "1", "minor": "36", "gitVersion": read("server-version.json"), "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "", "platform": ""}),
    );
    put("/apis", json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}));
    put("/api/v1/nodes", list("NodeList", "v1", read("nodes.json")));
    put("/apis/apps/v1/daemonsets", list("DaemonSetList", "apps/v1", sets.clone()));
    put("/apis/apps/v1/deployments", list("DeploymentList", "apps/v1", read("deployments.json")));
    put("/api/v1/namespaces/kube-flannel/pods", list("PodList", "v1", read("agent-pods.json")));
    put(
        "/apis/apps/v1/namespaces/kube-flannel/controllerrevisions",
        list("ControllerRevisionList", "apps/v1", read("revisions.json")),
    );
    put(
        "/apis/apps/v1/namespaces/kube-flannel/daemonsets/kube-flannel-ds",
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}),
    );
    put("/apis/networking.k8s.io/v1/networkpolicies", list("PartialObjectMetadataList", "meta.k8s.io/v1", json!([])));
    put(
        "/apis/networking.k8s.io/v1/servicecidrs",
        list(
            "ServiceCIDRList",
            "networking.k8s.io/v1",
            json!([{"metadata": {"name": "kubernetes"}, "spec": {"cidrs": read("service-cidrs.json")}}]),
        ),
    );
    put("/apis/policy/v1/poddisruptionbudgets", list("PodDisruptionBudgetList", "policy/v1", json!([])));
    for kind in ["mutating", "validating"] {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations");
        put(&path, list("List", "admissionregistration.k8s.io/v1", json!([])));
    }
    put(
        "/api/v1/namespaces/default/services/kubernetes",
        json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "kubernetes"}, "spec": {"clusterIPs": read("api-service.json")}}),
    );
    put(
        "/api/v1/namespaces/kube-flannel",
        json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-flannel", "labels": read("namespaces.json")["kube-flannel"]["Ok"].clone()}}),
    );
    put("/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg", configmap("kube-flannel/kube-flannel-cfg"));
    put("/api/v1/namespaces/kube-system/configmaps/kube-proxy", configmap("kube-system/kube-proxy"));
    all
}

fn preflight(port: u16, args: &[&str]) -> Output {
    let file = std::env::temp_dir().join(format!("kubectl-cni-api-{}-{port}.yaml", std::process::id()));
    let text = format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\ncontexts: [{{name: fake, context: {{cluster: c, user: u}}}}]\ncurrent-context: fake\n"
    );
    fs::write(&file, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_kubectl-cni"))
        .args(["preflight", "--kubeconfig", file.to_str().unwrap(), "--to", "0.28.10", "--request-timeout", "1s"])
        .args(args)
        .env_clear()
        .env("COLUMNS", "200")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    output
}

#[test]
fn a_healthy_cluster_costs_few_requests_and_none_for_secrets_or_all_pods() {
    let (port, asked) = serve(BTreeMap::new());
    let output = preflight(port, &[]);
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{out}");
    let asked = asked.lock().unwrap();
    assert!(asked.len() <= 22, "{} requests: {asked:#?}", asked.len());
    let never =
        |path: &&String| path.contains("secrets") || path.starts_with("/api/v1/pods") || path.contains("endpoint");
    assert!(asked.iter().find(never).is_none(), "{asked:#?}");
    assert!(
        asked
            .iter()
            .filter(|path| path.contains("nodes") || path.contains("/daemonsets?"))
            .all(|path| path.contains("limit=")),
        "{asked:#?}"
    );
}

#[test]
fn what_the_api_server_refuses_is_named_and_never_a_pass() {
    let paths = [
        "/version",
        "/apis",
        "/api/v1/nodes",
        "/apis/apps/v1/daemonsets",
        "/apis/apps/v1/deployments",
        "/api/v1/namespaces/kube-flannel/pods",
        "/apis/apps/v1/namespaces/kube-flannel/controllerrevisions",
        "/apis/networking.k8s.io/v1/servicecidrs",
        "/apis/policy/v1/poddisruptionbudgets",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        "/api/v1/namespaces/kube-flannel/configmaps/kube-flannel-cfg",
        "/api/v1/namespaces/kube-flannel",
    ];
    let faults: [(Fault, &str); 5] = [
        (Fault::Status(401), "does not accept these credentials (401 Unauthorized)"),
        (Fault::Status(403), "no permission to"),
        (Fault::Status(429), "gave up after 1 s"),
        (Fault::Status(500), "gave up after 1 s"),
        (Fault::Torn, ""),
    ];
    std::thread::scope(|scope| {
        for path in paths {
            scope.spawn(move || {
                for (fault, says) in faults {
                    let (port, _) = serve(BTreeMap::from([(path, fault)]));
                    let output = preflight(port, &[]);
                    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
                    assert_eq!(output.status.code(), Some(2), "{path} {says}: {text}");
                    assert!(text.contains(says), "{path}: {says:?} is not in {text}");
                    assert!(text.contains("unknown"), "{path}: {text}");
                }
            });
        }
    });
}

#[test]
fn what_is_not_served_is_absent_and_nothing_at_all_is_one_line() {
    // An API server without PodDisruptionBudgets or ServiceCIDRs: the one is odd and said, the other is looked for elsewhere.
    let (port, asked) = serve(BTreeMap::from([("/apis/networking.k8s.io/v1/servicecidrs", Fault::Status(404))]));
    let output = preflight(port, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(asked.lock().unwrap().iter().any(|path| path.ends_with("configmaps/kubeadm-config")));
    for (code, part) in [(401, "does not accept these credentials"), (500, "gave up after 1 s")] {
        let (port, _) = serve(BTreeMap::from([("*", Fault::Status(code))]));
        let output = preflight(port, &[]);
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), err.lines().count(), output.stdout.len()), (Some(2), 1, 0), "{err}");
        assert!(err.contains(part), "{err}");
    }
}
