//! `kubectl cni cleanup`: find runs that left objects, say which, remove them.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

use super::output::{notice, print, problem};
use crate::cli::CleanupArgs;
use crate::cluster::{Leftover, connect, find_leftovers, remove};
use crate::exit::Exit;
use crate::snapshot::Missing;

pub(super) async fn run(args: CleanupArgs) -> Result<Exit> {
    let cluster = connect(&args.connect).await?;
    let (mut found, missing) = find_leftovers(&cluster, args.namespace.as_deref()).await;
    if let (true, Some(Missing::Failed(why))) = (found.is_empty(), missing.first()) {
        bail!("{}: {why}", cluster.server);
    }
    if let Some(wanted) = &args.run {
        found.retain(|leftover| leftover.run == *wanted);
        if found.is_empty() && missing.is_empty() {
            bail!("no objects of run {wanted:?} are there; `kubectl cni cleanup --dry-run` lists what is");
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut left = Vec::new();
    let mut active = 0;
    for leftover in &found {
        if args.run.is_none() && !args.all && leftover.active(now) {
            active += 1;
            notice(&format!(
                "run {} seems to be going on; to remove it all the same: kubectl cni cleanup --run {}",
                leftover.run, leftover.run
            ));
            continue;
        }
        print(&list(leftover, args.dry_run));
        if !args.dry_run {
            left.extend(remove(&cluster, leftover).await);
        }
    }
    for missing in &missing {
        notice(&format!("not looked at: {missing}"));
    }
    for object in &left {
        problem(&format!("still there: {object}"));
    }
    if found.is_empty() && missing.is_empty() {
        print("nothing left behind\n");
    }
    // What could not be looked at may hold leftovers: not a clean answer.
    Ok(if !left.is_empty() || !missing.is_empty() {
        Exit::Undecided
    } else if active > 0 || (args.dry_run && !found.is_empty()) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

fn list(leftover: &Leftover, dry_run: bool) -> String {
    let verb = if dry_run { "would remove" } else { "removing" };
    let mut text = format!("{verb} run {}:\n", leftover.run);
    for object in &leftover.objects {
        text.push_str(&format!("  {object}\n"));
    }
    text
}
