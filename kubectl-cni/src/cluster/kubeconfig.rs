//! Reads kubeconfig files as kubectl does. The client's own reader would bring a second YAML reader into the program, a fourteenth of it.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use kube::config::Kubeconfig;
use serde::Deserialize as _;

/// `--kubeconfig FILE`, else `$KUBECONFIG`, else `~/.kube/config`, else nothing. In the list of `$KUBECONFIG` files that are not there are
/// passed over as long as one is.
///
/// # Errors
///
/// One line that names the file.
pub(super) fn read(given: Option<&Path>) -> Result<Option<Kubeconfig>> {
    if let Some(path) = given {
        return match file(path)? {
            Some(kubeconfig) => Ok(Some(kubeconfig)),
            None => bail!("kubeconfig {}: No such file or directory", path.display()),
        };
    }
    let Some(list) = std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) else {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
        return match home {
            Some(home) => file(&PathBuf::from(home).join(".kube").join("config")),
            None => Ok(None),
        };
    };
    let mut merged: Option<Kubeconfig> = None;
    for path in std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()) {
        let Some(next) = file(&path)? else { continue };
        merged = Some(match merged {
            Some(merged) => merged.merge(next).map_err(|error| anyhow!("kubeconfig {}: {error}", path.display()))?,
            None => next,
        });
    }
    if merged.is_none() {
        bail!("kubeconfig {}: no such file (from the environment variable KUBECONFIG)", list.display());
    }
    Ok(merged)
}

/// One file; `None` when it is not there.
fn file(path: &Path) -> Result<Option<Kubeconfig>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => bail!("kubeconfig {}: {error}", path.display()),
    };
    parse(&text, path.parent()).with_context(|| format!("kubeconfig {}", path.display())).map(Some)
}

/// All documents of a text, merged. Paths in it are relative to the folder it lies in.
fn parse(text: &str, folder: Option<&Path>) -> Result<Kubeconfig> {
    let mut merged = Kubeconfig::default();
    for document in serde_yaml::Deserializer::from_str(text.trim_start_matches('\u{feff}')) {
        // In one line: a YAML reader's picture of the place is left out, its line and column are not.
        let one_line = |error: String| anyhow!("{}", error.lines().next().unwrap_or_default().trim());
        let next = Option::<Kubeconfig>::deserialize(document).map_err(|error| one_line(error.to_string()))?;
        let Some(mut next) = next else { continue };
        if let Some(folder) = folder {
            place(&mut next, folder);
        }
        merged = merged.merge(next).map_err(|error| one_line(error.to_string()))?;
    }
    Ok(merged)
}

/// Makes relative paths absolute. A command of an exec plugin is a path only where it has a separator, else it is looked for on PATH
/// (client-go, `GetAuthInfoFileReferences`).
fn place(kubeconfig: &mut Kubeconfig, folder: &Path) {
    let join = |path: &mut Option<String>| {
        if let Some(relative) = path.as_ref().filter(|path| !path.is_empty() && Path::new(path).is_relative()) {
            *path = folder.join(relative).to_str().map(str::to_owned).or_else(|| path.clone());
        }
    };
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        join(&mut cluster.certificate_authority);
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        join(&mut user.client_certificate);
        join(&mut user.client_key);
        join(&mut user.token_file);
        if let Some(exec) =
            user.exec.as_mut().filter(|exec| exec.command.as_ref().is_some_and(|one| one.contains(MAIN_SEPARATOR)))
        {
            join(&mut exec.command);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_relative_to_the_file() {
        let text = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: c, cluster: {server: 'https://x', certificate-authority: ca.crt}}]\n\
            users:\n- name: u\n  user: {client-certificate: /abs/u.crt, client-key: keys/u.key, exec: {apiVersion: v1, command: ./login, args: [a]}}\n\
            - name: v\n  user: {tokenFile: token, exec: {apiVersion: v1, command: aws}}\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n";
        let read = parse(text, Some(Path::new("/etc/kube"))).unwrap();
        let user = |index: usize| read.auth_infos[index].auth_info.clone().unwrap();
        assert_eq!(
            read.clusters[0].cluster.clone().unwrap().certificate_authority.as_deref(),
            Some("/etc/kube/ca.crt")
        );
        assert_eq!(user(0).client_certificate.as_deref(), Some("/abs/u.crt"));
        assert_eq!(user(0).client_key.as_deref(), Some("/etc/kube/keys/u.key"));
        assert_eq!(user(0).exec.unwrap().command.as_deref(), Some("/etc/kube/./login"));
        assert_eq!(user(1).token_file.as_deref(), Some("/etc/kube/token"));
        assert_eq!(user(1).exec.unwrap().command.as_deref(), Some("aws"));
        assert_eq!(read.current_context.as_deref(), Some("a"));
    }

    #[test]
    fn documents_are_merged_and_an_empty_file_is_empty() {
        assert!(parse("", None).unwrap().contexts.is_empty());
        assert!(parse("# nothing\n", None).unwrap().contexts.is_empty());
        let two = "current-context: a\ncontexts: [{name: a}]\n---\ncurrent-context: b\ncontexts: [{name: b}]\n";
        let read = parse(two, None).unwrap();
        assert_eq!((read.current_context.as_deref(), read.contexts.len()), (Some("a"), 2));
        let error = parse("contexts: {", None).unwrap_err().to_string();
        assert!(error.contains("line 1") && !error.contains('\n'), "{error}");
    }
}
