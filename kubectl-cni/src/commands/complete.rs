//! Shell completion: scripts for the program's own name, and kubectl's protocol for `kubectl cni`.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::output::print;
use crate::cli::{Cli, CompleteArgs, CompletionArgs};
use crate::exit::Exit;

/// The file kubectl runs, from version 1.26 (<https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/>).
const SHIM_NAME: &str = "kubectl_complete-cni";
const SHIM: &str = include_str!("../../../krew/kubectl_complete-cni");

/// Prints a script, or installs the file kubectl looks for.
pub(super) fn script(args: &CompletionArgs) -> Result<Exit> {
    if args.what == "install" {
        return install(args);
    }
    let Ok(shell) = args.what.parse::<Shell>() else {
        bail!("unknown shell {:?}: use bash, zsh, fish, powershell, or install", args.what);
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kubectl-cni", &mut text);
    print(&String::from_utf8_lossy(&text));
    Ok(Exit::Clean)
}

fn install(args: &CompletionArgs) -> Result<Exit> {
    let folder: PathBuf = match &args.dir {
        Some(folder) => folder.clone(),
        None => {
            let program = std::env::current_exe().context("finding this program")?;
            program.parent().map(PathBuf::from).context("finding this program's folder")?
        }
    };
    let path = folder.join(SHIM_NAME);
    std::fs::write(&path, SHIM)
        .with_context(|| format!("writing {} (choose a folder on PATH with --dir)", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .with_context(|| format!("making {} executable", path.display()))?;
    }
    print(&format!("wrote {}; kubectl 1.26 and later complete `kubectl cni` with it\n", path.display()));
    Ok(Exit::Clean)
}

/// Answers cobra's completion protocol: one candidate a line, a tab before its description, then `:` and the directive
/// (4: no file names).
pub(super) fn answer(args: &CompleteArgs) -> Result<Exit> {
    let mut command = Cli::command();
    let words: Vec<OsString> =
        std::iter::once("kubectl-cni".into()).chain(args.words.iter().map(OsString::from)).collect();
    let index = words.len().saturating_sub(1).max(1);
    let words = if words.len() < 2 { vec!["kubectl-cni".into(), OsString::new()] } else { words };
    let candidates = clap_complete::engine::complete(&mut command, words, index, None).unwrap_or_default();
    let ids = args.words.first().is_some_and(|first| first == "explain") && args.words.len() == 2;
    let mut text = String::new();
    for candidate in candidates.iter().filter(|candidate| !candidate.is_hide_set()) {
        let value = candidate.get_value().to_string_lossy();
        match candidate.get_help() {
            Some(help) => text.push_str(&format!("{value}\t{help}\n")),
            None => text.push_str(&format!("{value}\n")),
        }
    }
    if ids {
        for check in crate::checks::all().iter().filter(|check| check.id.starts_with(args.words[1].as_str())) {
            text.push_str(&format!("{}\t{}\n", check.id, check.title));
        }
    }
    print(&format!("{text}:4\n"));
    Ok(Exit::Clean)
}
