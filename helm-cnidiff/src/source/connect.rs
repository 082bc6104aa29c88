//! An [`Access`] in, an HTTP client out.
//!
//! The Kubernetes client of `kubectl cni` would do, and would make this program half as large again as it may be; what
//! is needed here is a handful of GETs, and a PATCH that stores nothing.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};
use ureq::http::{Response, Uri};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body};

use super::kubeconfig::{self, Access, env};
use crate::cli::ConnectArgs;

/// Namespace of the release: `-n`, then what helm resolved.
pub fn namespace(args: &ConnectArgs) -> String {
    args.namespace.clone().or_else(|| env("HELM_NAMESPACE")).unwrap_or_else(|| "default".to_owned())
}

/// Bytes of one answer.
const LIMIT: u64 = 512 << 20;

/// A client of one API server.
pub(super) struct Client {
    agent: Agent,
    /// What every path is appended to.
    base: String,
    headers: Vec<(&'static str, String)>,
    /// Context of the kubeconfig; empty in a pod.
    pub context: String,
}

/// What came of a request.
pub(super) enum Answer {
    /// JSON.
    Value(Value),
    /// The server refused.
    Refused(Refusal),
}

/// A refusal.
pub(super) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The server's words.
    pub said: String,
    /// `details.causes` of the status object: one per field where fields are the reason.
    pub causes: Vec<Value>,
}

impl Client {
    pub(super) fn connect(args: &ConnectArgs) -> Result<Client> {
        let mut access = kubeconfig::access(args)?;
        if let Some(exec) = access.exec.take() {
            log_in(&mut access, &exec).with_context(|| format!("context {}", access.context))?;
        }
        Client::new(access)
    }

    fn new(access: Access) -> Result<Client> {
        let at =
            if access.context.is_empty() { "the cluster".to_owned() } else { format!("context {}", access.context) };
        let mut tls = TlsConfig::builder()
            .disable_verification(access.insecure)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
        if access.server.starts_with("https://") && !access.insecure {
            let (pem, origin) = match access.authority {
                Some(pem) => (pem, "the kubeconfig's certificate-authority"),
                None => (system_certificates(), "the system's certificates"),
            };
            let roots: Vec<Certificate<'static>> = certificates(&pem);
            if roots.is_empty() {
                bail!("{at}: {origin} hold no certificate in PEM");
            }
            tls = tls.root_certs(RootCerts::new_with_certs(&roots));
        }
        if let Some((certificate, key)) = access.certificate {
            let key = PrivateKey::from_pem(&key).map_err(|_| anyhow!("{at}: the client key is not PEM"))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&certificates(&certificate), key)));
        }
        let mut config = Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .user_agent(concat!("helm-cnidiff/", env!("CARGO_PKG_VERSION")));
        if !access.proxy.is_empty() {
            let proxy = ureq::Proxy::new(&access.proxy)
                .map_err(|error| anyhow!("{at}: proxy-url {}: {error}", access.proxy))?;
            config = config.proxy(Some(proxy));
        }
        let config = config.build();
        let (agent, base) = if access.tls_server_name.is_empty() {
            (Agent::new_with_config(config), access.server)
        } else {
            pinned(config, &access.server, &access.tls_server_name).with_context(|| at.clone())?
        };
        let mut headers = Vec::new();
        if !access.token.is_empty() {
            headers.push(("Authorization", format!("Bearer {}", access.token)));
        } else if let Some((name, password)) = access.basic {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
            headers.push(("Authorization", format!("Basic {text}")));
        }
        if !access.user.is_empty() {
            headers.push(("Impersonate-User", access.user));
        }
        headers.extend(access.groups.into_iter().map(|group| ("Impersonate-Group", group)));
        Ok(Client { agent, base, headers, context: access.context })
    }

    /// One GET.
    pub(super) fn get(&self, path: &str, accept: Option<&str>) -> Result<Answer> {
        let mut request =
            self.agent.get(format!("{}{path}", self.base)).header("Accept", accept.unwrap_or("application/json"));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.answer(path, request.call())
    }

    /// One server-side apply that stores nothing: `dryRun=All` is not the caller's to leave out. This is the only request
    /// that is not a GET.
    pub(super) fn dry_apply(&self, path: &str, manager: &str, force: bool, object: &Value) -> Result<Answer> {
        let path = format!("{path}?dryRun=All&fieldManager={manager}&force={force}");
        let mut request = self
            .agent
            .patch(format!("{}{path}", self.base))
            .header("Accept", "application/json")
            .header("Content-Type", "application/apply-patch+yaml");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.answer(&path, request.send(object.to_string().as_bytes()))
    }

    fn answer(&self, path: &str, response: Result<Response<Body>, ureq::Error>) -> Result<Answer> {
        let unreachable = |error: ureq::Error| {
            let at =
                if self.context.is_empty() { "this cluster".to_owned() } else { format!("context {}", self.context) };
            anyhow!(
                "no cluster: {at} at {} cannot be reached: {}; check the context with --kube-context",
                self.base,
                reason(&error)
            )
        };
        let mut response = response.map_err(unreachable)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LIMIT).read_to_vec().map_err(unreachable)?;
        let value = serde_json::from_slice::<Value>(&body);
        if (200..300).contains(&status) {
            let odd = || format!("{}{path} answers with something that is not JSON; is this an API server?", self.base);
            return value.map(Answer::Value).map_err(|_| anyhow!(odd()));
        }
        let mut value = value.unwrap_or_default();
        let said = value["message"].as_str().map_or_else(|| format!("HTTP {status}"), str::to_owned);
        let causes = match value.pointer_mut("/details/causes").map(Value::take) {
            Some(Value::Array(causes)) => causes,
            _ => Vec::new(),
        };
        Ok(Answer::Refused(Refusal { status, said, causes }))
    }
}

/// The reason of a failure in words that a reader can do something with.
fn reason(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "its name is not known (DNS)".to_owned(),
        ureq::Error::Timeout(_) => "it does not answer in time".to_owned(),
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    parse_pem(pem).filter_map(certificate).collect()
}

/// Where systems keep the certificates they trust.
fn system_certificates() -> Vec<u8> {
    let usual = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
    ];
    let paths = env("SSL_CERT_FILE").into_iter().chain(usual.map(str::to_owned));
    paths.filter_map(|path| std::fs::read(path).ok()).next().unwrap_or_default()
}

/// A client that verifies another name than the one it connects to.
fn pinned(config: ureq::config::Config, server: &str, name: &str) -> Result<(Agent, String)> {
    let uri: Uri = server.parse().with_context(|| format!("server {server}"))?;
    let host = uri.host().with_context(|| format!("server {server}"))?;
    let port = uri.port_u16().unwrap_or(443);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = (bare, port).to_socket_addrs().with_context(|| format!("server {server}"))?.next();
    let address = address.with_context(|| format!("server {server} has no address"))?;
    let agent = Agent::with_parts(config, DefaultConnector::default(), Pinned(address));
    Ok((agent, format!("https://{name}:{port}{}", uri.path().trim_end_matches('/'))))
}

/// Resolves every name to one address.
#[derive(Debug)]
struct Pinned(SocketAddr);

impl Resolver for Pinned {
    fn resolve(&self, _: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = DefaultResolver::default().empty();
        addresses.push(self.0);
        Ok(addresses)
    }
}

/// Runs an exec plugin (<https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>).
fn log_in(access: &mut Access, exec: &Value) -> Result<()> {
    let text = |key: &str| exec.get(key).and_then(Value::as_str).unwrap_or_default();
    let program = text("command");
    let mut info = json!({"apiVersion": text("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": false}});
    if let Some(cluster) = exec.get("cluster") {
        info["spec"]["cluster"] = cluster.clone();
    }
    let mut command = Command::new(program);
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    let list = |key: &str| exec.get(key).and_then(Value::as_array).into_iter().flatten();
    command.args(list("args").filter_map(Value::as_str));
    for variable in list("env") {
        if let (Some(name), Some(value)) = (variable["name"].as_str(), variable["value"].as_str()) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| {
        let hint = text("installHint").trim();
        anyhow!("cannot start {program}, which logs in: {error}{}{hint}", if hint.is_empty() { "" } else { "; " })
    })?;
    if !output.status.success() {
        bail!("{program}, which logs in, ended with {}; log in again", output.status);
    }
    let credential: Value =
        serde_json::from_slice(&output.stdout).with_context(|| format!("what {program} printed"))?;
    let status = |key: &str| credential.pointer(&format!("/status/{key}")).and_then(Value::as_str);
    if let Some(token) = status("token") {
        access.token = token.to_owned();
    }
    if let (Some(certificate), Some(key)) = (status("clientCertificateData"), status("clientKeyData")) {
        access.certificate = Some((certificate.as_bytes().to_vec(), key.as_bytes().to_vec()));
    }
    Ok(())
}
