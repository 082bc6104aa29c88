//! Kubeconfig files and helm's environment in, one cluster and one user out.
//!
//! Read as kubectl and helm read them: `$KUBECONFIG` may name several files of which the first definition counts, paths
//! in a file are relative to it, and `--kube-apiserver` and its kin lie on top.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Map, Value};

use crate::cli::ConnectArgs;
use crate::yaml;

/// Where to connect and as whom. Texts are empty where nothing is said.
#[derive(Debug, Clone, Default)]
pub(super) struct Access {
    /// Context of the kubeconfig; empty in a pod.
    pub context: String,
    /// `https://…`
    pub server: String,
    /// Name to verify the server's certificate against, instead of the one in `server`.
    pub tls_server_name: String,
    /// The server's certificate is not verified.
    pub insecure: bool,
    /// Certificates to trust, PEM; `None` for those of the system.
    pub authority: Option<Vec<u8>>,
    /// Proxy of this cluster; empty for that of the environment.
    pub proxy: String,
    /// Client certificate and key, PEM.
    pub certificate: Option<(Vec<u8>, Vec<u8>)>,
    /// Bearer token.
    pub token: String,
    /// User name and password.
    pub basic: Option<(String, String)>,
    /// Program that hands out credentials.
    pub exec: Option<Value>,
    /// User to impersonate.
    pub user: String,
    /// Groups to impersonate.
    pub groups: Vec<String>,
}

pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// One entry, with the folder of the file that it stands in.
#[derive(Debug, Clone, Default)]
struct Entry {
    name: String,
    value: Value,
    folder: PathBuf,
}

impl Entry {
    fn text(&self, key: &str) -> String {
        match self.value.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    /// What stands under `key-data` in base64, or in the file that `key` names.
    fn content(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let data = self.text(&format!("{key}-data"));
        if !data.is_empty() {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(data.trim());
            return decoded.map(Some).map_err(|_| anyhow!("kubeconfig: {key}-data of {:?} is not base64", self.name));
        }
        match self.text(key) {
            path if path.is_empty() => Ok(None),
            path => {
                let path = self.folder.join(path);
                std::fs::read(&path).map(Some).with_context(|| format!("kubeconfig: {key} {}", path.display()))
            }
        }
    }
}

#[derive(Debug, Default)]
struct Kubeconfig {
    clusters: Vec<Entry>,
    users: Vec<Entry>,
    contexts: Vec<Entry>,
    current: String,
    found: bool,
}

impl Kubeconfig {
    fn read(args: &ConnectArgs) -> Result<Self> {
        let (paths, origin) = match (&args.kubeconfig, std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()))
        {
            (Some(path), _) => (vec![path.clone()], ""),
            (None, Some(list)) => (
                std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect(),
                " (from the environment variable KUBECONFIG)",
            ),
            (None, None) => (
                env("HOME")
                    .or_else(|| env("USERPROFILE"))
                    .map(|home| Path::new(&home).join(".kube/config"))
                    .into_iter()
                    .collect(),
                "",
            ),
        };
        let mut read = Self::default();
        let mut missing = None;
        for path in paths {
            match std::fs::read(&path) {
                Ok(text) => read.add(&path, &text).with_context(|| format!("kubeconfig {}", path.display()))?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing = Some(path),
                Err(error) => return Err(error).with_context(|| format!("kubeconfig {}", path.display())),
            }
        }
        match missing {
            Some(path) if !read.found && (args.kubeconfig.is_some() || !origin.is_empty()) => {
                bail!("kubeconfig {}: no such file{origin}", path.display())
            }
            _ => Ok(read),
        }
    }

    fn add(&mut self, path: &Path, text: &[u8]) -> Result<()> {
        let (map, _) = yaml::read_map(text)?;
        self.found = true;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let entries = |list: &str, inner: &str| -> Vec<Entry> {
            let entries = map.get(list).and_then(Value::as_array).into_iter().flatten();
            let entry = |entry: &Value| {
                let name = entry.get("name")?.as_str()?.to_owned();
                Some(Entry { name, value: entry.get(inner).cloned().unwrap_or_default(), folder: folder.clone() })
            };
            entries.filter_map(entry).collect()
        };
        for (known, new) in [
            (&mut self.clusters, entries("clusters", "cluster")),
            (&mut self.users, entries("users", "user")),
            (&mut self.contexts, entries("contexts", "context")),
        ] {
            for entry in new {
                if !known.iter().any(|earlier| earlier.name == entry.name) {
                    known.push(entry);
                }
            }
        }
        if self.current.is_empty() {
            self.current = map.get("current-context").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        Ok(())
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.contexts.iter().map(|context| context.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

/// Finds out where to connect and as whom.
pub(super) fn access(args: &ConnectArgs) -> Result<Access> {
    let kubeconfig = Kubeconfig::read(args)?;
    let wanted = args.kube_context.clone().or_else(|| env("HELM_KUBECONTEXT"));
    let context = wanted.clone().unwrap_or_else(|| kubeconfig.current.clone());
    let server = env("HELM_KUBEAPISERVER");
    let mut access = match kubeconfig.contexts.iter().find(|known| known.name == context) {
        Some(entry) => in_context(&kubeconfig, entry)?,
        None if server.is_some() => Access::default(),
        None if wanted.is_some() => {
            bail!("there is no context {context:?} in the kubeconfig; known: {}", kubeconfig.names())
        }
        None if kubeconfig.found && !kubeconfig.contexts.is_empty() => {
            bail!("the kubeconfig has no current context; choose one with --kube-context: {}", kubeconfig.names())
        }
        None => match in_pod() {
            Some(access) => access,
            None => bail!(
                "no cluster: there is no kubeconfig; set KUBECONFIG, or pass --kubeconfig FILE (two charts need none: helm cnidiff charts OLD NEW)"
            ),
        },
    };
    if let Some(server) = server {
        access.server = server;
    }
    if let Some(file) = env("HELM_KUBECAFILE") {
        access.authority = Some(std::fs::read(&file).with_context(|| format!("--kube-ca-file {file}"))?);
    }
    access.insecure |= env("HELM_KUBEINSECURE_SKIP_TLS_VERIFY").is_some_and(|value| value == "true");
    if let Some(name) = env("HELM_KUBETLS_SERVER_NAME") {
        access.tls_server_name = name;
    }
    if let Some(token) = env("HELM_KUBETOKEN") {
        access.token = token;
    }
    if let Some(user) = env("HELM_KUBEASUSER") {
        access.user = user;
    }
    if let Some(groups) = env("HELM_KUBEASGROUPS") {
        access.groups = groups.split(',').map(str::to_owned).collect();
    }
    if access.server.is_empty() {
        access.server = "http://localhost:8080".to_owned();
    }
    if !access.server.contains("://") {
        access.server = format!("https://{}", access.server);
    }
    access.server = access.server.trim_end_matches('/').to_owned();
    Ok(access)
}

fn in_context(kubeconfig: &Kubeconfig, context: &Entry) -> Result<Access> {
    let name = &context.name;
    let cluster_name = context.text("cluster");
    let Some(cluster) = kubeconfig.clusters.iter().find(|known| known.name == cluster_name) else {
        bail!("context {name}: there is no cluster {cluster_name:?} in the kubeconfig");
    };
    let user_name = context.text("user");
    let user = match kubeconfig.users.iter().find(|known| known.name == user_name) {
        Some(user) => user.clone(),
        None if user_name.is_empty() => Entry::default(),
        None => bail!("context {name}: there is no user {user_name:?} in the kubeconfig"),
    };
    if let Some(provider) = user.value.pointer("/auth-provider/name").and_then(Value::as_str) {
        bail!(
            "context {name}: users of auth-provider {provider:?} cannot be logged in here; use an exec plugin, or pass --kube-token"
        );
    }
    let certificate = match (user.content("client-certificate")?, user.content("client-key")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => bail!(
            "context {name}: user {user_name:?} has a client certificate without key, or a key without certificate"
        ),
    };
    let mut token = user.text("token");
    let file = user.text("tokenFile");
    if !file.is_empty() {
        let path = user.folder.join(&file);
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("kubeconfig: tokenFile {}", path.display()))?;
        token = text.trim().to_owned();
    }
    let name_and_password = (user.text("username"), user.text("password"));
    let groups = user.value.get("as-groups").and_then(Value::as_array).into_iter().flatten();
    let exec = user.value.get("exec").filter(|exec| exec.is_object()).cloned();
    let exec = exec.map(|exec| with_cluster(exec, cluster)).transpose()?;
    Ok(Access {
        context: name.clone(),
        server: cluster.text("server"),
        tls_server_name: cluster.text("tls-server-name"),
        insecure: cluster.value.get("insecure-skip-tls-verify") == Some(&Value::Bool(true)),
        authority: cluster.content("certificate-authority")?,
        proxy: cluster.text("proxy-url"),
        certificate,
        token,
        basic: Some(name_and_password).filter(|(name, _)| !name.is_empty()),
        exec,
        user: user.text("as"),
        groups: groups.filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

/// Adds what an exec plugin is told of the cluster, where it wants to know.
fn with_cluster(mut exec: Value, cluster: &Entry) -> Result<Value> {
    if exec.get("provideClusterInfo") == Some(&Value::Bool(true)) {
        use base64::Engine as _;
        let mut about = Map::new();
        about.insert("server".into(), cluster.text("server").into());
        about.insert("tls-server-name".into(), cluster.text("tls-server-name").into());
        if let Some(authority) = cluster.content("certificate-authority")? {
            let data = base64::engine::general_purpose::STANDARD.encode(authority);
            about.insert("certificate-authority-data".into(), data.into());
        }
        exec["cluster"] = about.into();
    }
    // A relative command with a slash is relative to the file.
    if let Some(command) = exec.get("command").and_then(Value::as_str)
        && command.contains('/')
    {
        exec["command"] = cluster.folder.join(command).to_string_lossy().into_owned().into();
    }
    Ok(exec)
}

/// The service account of a pod.
fn in_pod() -> Option<Access> {
    let folder = Path::new("/var/run/secrets/kubernetes.io/serviceaccount");
    let (host, port) = (env("KUBERNETES_SERVICE_HOST")?, env("KUBERNETES_SERVICE_PORT")?);
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(Access {
        server: format!("https://{host}:{port}"),
        authority: std::fs::read(folder.join("ca.crt")).ok(),
        token: std::fs::read_to_string(folder.join("token")).ok()?.trim().to_owned(),
        ..Access::default()
    })
}
