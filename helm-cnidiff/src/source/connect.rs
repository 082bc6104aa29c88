//! Helm's environment and the hidden connection flags in, a client out.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use kube::config::{AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster, NamedContext};
use kube::{Client, Config};

use crate::cli::ConnectArgs;

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Namespace of the release: `-n`, then what helm resolved.
pub fn namespace(args: &ConnectArgs) -> String {
    args.namespace.clone().or_else(|| env("HELM_NAMESPACE")).unwrap_or_else(|| "default".to_owned())
}

/// Reads the kubeconfig as helm does, with helm's own overrides on top, and says which context it is.
pub(super) async fn connect(args: &ConnectArgs) -> Result<(Client, String)> {
    let (mut kubeconfig, found) = read(args)?;
    let wanted = args.kube_context.clone().or_else(|| env("HELM_KUBECONTEXT"));
    let context = wanted.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    let server = env("HELM_KUBEAPISERVER");
    let mut config = if kubeconfig.contexts.iter().any(|known| known.name == context) || server.is_some() {
        let context = overrides(&mut kubeconfig, &context, server);
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(plain).with_context(|| format!("context {context}"))?
    } else if let Some(wanted) = wanted {
        bail!("there is no context {wanted:?} in the kubeconfig; known: {}", names(&kubeconfig));
    } else if found {
        bail!("the kubeconfig has no current context; choose one with --kube-context: {}", names(&kubeconfig));
    } else {
        match Config::incluster() {
            Ok(config) => config,
            Err(_) => bail!("no cluster: there is no kubeconfig; set KUBECONFIG, or pass --kubeconfig FILE (two charts need none: helm cnidiff charts OLD NEW)"),
        }
    };
    config.connect_timeout = Some(Duration::from_secs(10));
    config.read_timeout = Some(Duration::from_secs(60));
    let client = Client::try_from(config).with_context(|| format!("context {context}"))?;
    Ok((client, context))
}

fn read(args: &ConnectArgs) -> Result<(Kubeconfig, bool)> {
    let path: Option<PathBuf> = args.kubeconfig.clone();
    let read = match &path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    match read {
        Ok(kubeconfig) => Ok((kubeconfig, true)),
        Err(KubeconfigError::ReadConfig(error, at)) if error.kind() == std::io::ErrorKind::NotFound => {
            if path.is_some() {
                bail!("kubeconfig {}: no such file", at.display());
            }
            if env("KUBECONFIG").is_some() {
                bail!("kubeconfig {}: no such file (from the environment variable KUBECONFIG)", at.display());
            }
            Ok((Kubeconfig::default(), false))
        }
        Err(KubeconfigError::FindPath) => Ok((Kubeconfig::default(), false)),
        Err(error) => Err(plain(error)).context("kubeconfig"),
    }
}

/// Puts `--kube-apiserver` and its kin, which helm hands over in the environment, into the context that is used.
fn overrides(kubeconfig: &mut Kubeconfig, context: &str, server: Option<String>) -> String {
    let name = if context.is_empty() { "helm" } else { context }.to_owned();
    if !kubeconfig.contexts.iter().any(|known| known.name == name) {
        let context = Context { cluster: name.clone(), user: Some(name.clone()), ..Context::default() };
        kubeconfig.contexts.push(NamedContext { name: name.clone(), context: Some(context), ..NamedContext::default() });
        kubeconfig.clusters.push(NamedCluster { name: name.clone(), cluster: Some(Cluster::default()), ..NamedCluster::default() });
        kubeconfig.auth_infos.push(NamedAuthInfo { name: name.clone(), auth_info: Some(AuthInfo::default()), ..NamedAuthInfo::default() });
    }
    let used = kubeconfig.contexts.iter().find(|known| known.name == name).and_then(|known| known.context.clone()).unwrap_or_default();
    if let Some(cluster) = kubeconfig.clusters.iter_mut().find(|known| known.name == used.cluster).and_then(|known| known.cluster.as_mut()) {
        if server.is_some() {
            cluster.server = server;
        }
        if let Some(file) = env("HELM_KUBECAFILE") {
            cluster.certificate_authority = Some(file);
            cluster.certificate_authority_data = None;
        }
        if env("HELM_KUBEINSECURE_SKIP_TLS_VERIFY").is_some_and(|value| value == "true") {
            cluster.insecure_skip_tls_verify = Some(true);
        }
        if let Some(name) = env("HELM_KUBETLS_SERVER_NAME") {
            cluster.tls_server_name = Some(name);
        }
    }
    let user = used.user.unwrap_or_default();
    if let Some(auth) = kubeconfig.auth_infos.iter_mut().find(|known| known.name == user).and_then(|known| known.auth_info.as_mut()) {
        if let Some(token) = env("HELM_KUBETOKEN") {
            auth.token = Some(token.into());
        }
        if let Some(user) = env("HELM_KUBEASUSER") {
            auth.impersonate = Some(user);
        }
        if let Some(groups) = env("HELM_KUBEASGROUPS") {
            auth.impersonate_groups = Some(groups.split(',').map(str::to_owned).collect());
        }
    }
    name
}

fn names(kubeconfig: &Kubeconfig) -> String {
    let names: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn plain(error: KubeconfigError) -> anyhow::Error {
    match error {
        KubeconfigError::ReadConfig(error, path) => anyhow::anyhow!("{}: {error}", path.display()),
        other => anyhow::Error::new(other),
    }
}
