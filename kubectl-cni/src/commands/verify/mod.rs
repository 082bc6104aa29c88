//! `kubectl cni verify`: gather, start pods, probe in rounds, clean up, judge, print.

mod live;
mod policy;
mod rounds;
mod start;

use anyhow::Result;

use super::facts::facts;
use super::output::{print, problem, render};
use crate::assess::assess;
use crate::cli::{Format, VerifyArgs};
use crate::exit::Exit;
use crate::recording::{self, Recording};
use crate::report::{self, Report};

pub(super) async fn run(args: VerifyArgs) -> Result<Exit> {
    if args.print_rbac {
        print(&crate::rbac::manifest(args.pods.namespace.as_deref()));
        return Ok(Exit::Clean);
    }
    let facts = facts(args.facts.as_deref())?;
    if let Some(folder) = &args.from {
        let recording = Recording::load(folder)?;
        let report = assess(&recording, &facts, args.output.strict);
        print(&render(&report, &args.output));
        return conclude(&args, &report);
    }
    if let Some(folder) = &args.record {
        recording::prepare(folder)?;
    }
    if args.dry_run {
        return live::announce_only(&args, &facts).await;
    }
    let (mut recording, farewell) = live::record(&args, &facts).await?;
    // People see the verdict as soon as all that ran is gone; programs get one document, when nothing can be added to it any more.
    let early = args.output.output == Format::Human;
    if early {
        print(&render(&assess(&recording, &facts, args.output.strict), &args.output));
    }
    let late = farewell.wait(&mut recording.run).await;
    for object in &late {
        problem(&format!("still there: {object}"));
    }
    if let Some(folder) = &args.record {
        recording.save(folder)?;
    }
    let report = assess(&recording, &facts, args.output.strict);
    if !early {
        print(&render(&report, &args.output));
    }
    conclude(&args, &report)
}

/// Saves the report where that was asked for. The exit status is that of the report.
fn conclude(args: &VerifyArgs, report: &Report) -> Result<Exit> {
    if let Some(path) = &args.output.save {
        // The report is on standard output already; say so rather than lose the verdict.
        if let Err(error) = std::fs::write(path, report::json(report)) {
            problem(&format!("writing {}: {error}", path.display()));
            return Ok(Exit::Undecided);
        }
    }
    Ok(report::result(report, report.strict).into())
}
