//! Connection flags in, a client out.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::kubeconfig;
use crate::cli::ConnectArgs;

/// A cluster that can be asked.
#[derive(Clone)]
pub(crate) struct Cluster {
    /// The client.
    pub client: Client,
    /// Address of the API server.
    pub server: String,
    /// Context of the kubeconfig, "" where there is none (in a pod).
    pub context: String,
    /// Bound on one request with its retries.
    pub request_timeout: Duration,
}

/// Reads the kubeconfig as kubectl does (`--kubeconfig`, then `$KUBECONFIG` with several files, then `~/.kube/config`, then the pod's own
/// service account).
///
/// # Errors
///
/// One line that names the file or context and what to type next.
pub(crate) async fn connect(args: &ConnectArgs) -> Result<Cluster> {
    let kubeconfig = kubeconfig::read(args.kubeconfig.as_deref())?;
    let (mut config, context) = match kubeconfig {
        Some(kubeconfig) => {
            let context = args.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
            if context.is_empty() {
                bail!("the kubeconfig has no current context; choose one: {}", names(&kubeconfig));
            }
            if !kubeconfig.contexts.iter().any(|known| known.name == context) {
                bail!("there is no context {context:?} in the kubeconfig; known: {}", names(&kubeconfig));
            }
            let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
            let config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| plain(&error))
                .with_context(|| format!("context {context}"))?;
            (config, context)
        }
        None => match Config::incluster() {
            Ok(config) if args.context.is_none() => (config, String::new()),
            _ => bail!("no kubeconfig found: set KUBECONFIG, or pass --kubeconfig FILE"),
        },
    };
    config.connect_timeout = Some(Duration::from_secs(10).min(args.request_timeout));
    config.read_timeout = None;
    // So that an audit log tells whose requests these are.
    let agent = format!("kubectl-cni/{}", env!("CARGO_PKG_VERSION"));
    config.headers.push(("user-agent".parse().context("header name")?, agent.parse().context("user agent")?));
    config.default_retry = false; // cluster::call retries, bounded by the request timeout
    if let Some(user) = &args.impersonate {
        config.auth_info.impersonate = Some(user.clone());
    }
    if !args.impersonate_groups.is_empty() {
        if args.impersonate.is_none() {
            bail!("--as-group needs --as");
        }
        config.auth_info.impersonate_groups = Some(args.impersonate_groups.clone());
    }
    let server = config.cluster_url.to_string();
    let client = Client::try_from(config).with_context(|| format!("context {context}"))?;
    Ok(Cluster { client, server, context, request_timeout: args.request_timeout })
}

fn names(kubeconfig: &Kubeconfig) -> String {
    let names: Vec<String> = kubeconfig.contexts.iter().map(|context| format!("--context {}", context.name)).collect();
    if names.is_empty() { "it has none".to_owned() } else { names.join(", ") }
}

/// The error in one line: a YAML reader's picture of the place is left out, its line and column are not.
fn plain(error: &KubeconfigError) -> anyhow::Error {
    let text = error.to_string();
    anyhow::anyhow!("{}", text.lines().next().unwrap_or_default().trim())
}
