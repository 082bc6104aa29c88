//! `kubectl cni preflight`: read the cluster or a folder, judge, print. Creates nothing.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use cni_facts::{Detection, Facts, Need, Role, Version};
use serde_json::Value;

use super::facts::facts;
use super::output::{Progress, print, problem, render};
use crate::checks;
use crate::cli::{FailOn, PreflightArgs};
use crate::cluster;
use crate::exit::Exit;
use crate::preflight::target::{self, Target};
use crate::preflight::{Request, assess};
use crate::report;
use crate::snapshot::Missing;
use crate::survey::{Survey, folder};

pub(super) async fn run(args: PreflightArgs) -> Result<Exit> {
    if args.print_rbac {
        print(&crate::rbac::preflight());
        return Ok(Exit::Clean);
    }
    let facts = facts(args.facts.as_deref())?;
    let request = request(&args, &facts)?;
    if let Some(folder) = &args.snapshot {
        crate::recording::prepare(folder)?;
    }
    let survey = match &args.from {
        Some(folder) => folder::load(folder)?,
        None => read(&args, &request, &facts).await?,
    };
    if let Some(folder) = &args.snapshot {
        folder::save(&survey, folder)?;
    }
    let report = assess(&survey, &request, &facts);
    print(&render(&report, &args.output));
    if let Some(path) = &args.output.save
        && let Err(error) = std::fs::write(path, report::json(&report))
    {
        problem(&format!("writing {}: {error}", path.display()));
        return Ok(Exit::Undecided);
    }
    Ok(report::result(&report, report.strict).into())
}

async fn read(args: &PreflightArgs, request: &Request, facts: &Facts) -> Result<Survey> {
    let cluster = cluster::connect(&args.connect).await?;
    let progress = Progress::new(args.output.quiet);
    progress.say("reading the cluster");
    // A folder can be asked about any step later on, so it gets what any rule looks at.
    let every = args.snapshot.is_some();
    let needs =
        |detections: &[Detection]| needs(facts, detections, if every { None } else { request.to.as_deref() }, every);
    let (survey, _) = cluster::survey(&cluster, facts, needs).await;
    progress.finish();
    let snapshot = &survey.snapshot;
    if let (Err(why), Err(_), Err(_)) = (&snapshot.server_version, &snapshot.nodes, &snapshot.daemonsets)
        && matches!(why, Missing::Failed(_))
    {
        bail!("{}: {why}", cluster.server);
    }
    Ok(survey)
}

/// What the rules at hand look at: those of the step, or all of the CNI.
fn needs(facts: &Facts, detections: &[Detection], to: Option<&str>, every: bool) -> BTreeSet<Need> {
    let Some(main) = detections.iter().find(|detection| detection.role == Role::Main) else { return BTreeSet::new() };
    if every {
        let mut needs: BTreeSet<Need> = facts.rules(&main.id).iter().flat_map(|rule| rule.needs()).collect();
        let resources = facts.policy_features().iter().flat_map(|feature| &feature.resources);
        needs.extend(resources.map(|resource| Need::Objects { resource: resource.clone(), metadata_only: false }));
        return needs;
    }
    let step = to.zip(main.version.as_deref()).and_then(|(to, from)| cni_facts::step(facts, &main.id, from, to).ok());
    step.map(|step| step.needs()).unwrap_or_default()
}

fn request(args: &PreflightArgs, facts: &Facts) -> Result<Request> {
    let mut target = Target::default();
    for path in &args.values {
        let name = path.display().to_string();
        let new = target::values(&name, &text(path)?)?;
        target.values = Some(match target.values.take() {
            Some(old) => merged(old, new),
            None => new,
        });
        target.values_files.push(name);
    }
    let mut to = args.to.clone();
    if let Some(folder) = &args.chart {
        if !folder.is_dir() {
            bail!(
                "--chart {}: not a folder; unpack the chart first: helm pull CHART --version VERSION --untar",
                folder.display()
            );
        }
        let (about, defaults) = (folder.join("Chart.yaml"), folder.join("values.yaml"));
        let version = target::chart_version(&about.display().to_string(), &text(&about)?)?;
        to = to.or(Some(version));
        target.defaults = Some(target::values(&defaults.display().to_string(), &text(&defaults)?)?);
        target.chart = Some(folder.display().to_string());
    }
    if let Some(path) = &args.manifest {
        let name = path.display().to_string();
        let manifest = target::manifest(&name, &text(path)?, facts)?;
        let version = manifest.detection.as_ref().and_then(|detection| detection.version.clone());
        if let (Some(to), Some(version)) = (&to, &version)
            && Version::parse(to).ok() != Version::parse(version).ok()
        {
            bail!("{name} has version {version}, --to says {to}: leave --to out, or take the manifest of {to}");
        }
        to = to.or(version);
        target.manifest = Some(manifest);
        target.manifest_file = Some(name);
    }
    if let Some(to) = &to {
        Version::parse(to).map_err(|error| anyhow::anyhow!("--to {to}: {error}"))?;
    }
    known(facts, "--only", &args.only)?;
    known(facts, "--skip", &args.skip)?;
    Ok(Request {
        to: to.map(|to| to.strip_prefix('v').map(str::to_owned).unwrap_or(to)),
        target,
        only: args.only.clone(),
        skip: args.skip.clone(),
        strict: args.output.strict,
        warnings_fail: args.fail_on == FailOn::Warning,
    })
}

fn text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Later files win, key by key, as Helm has it.
fn merged(old: Value, new: Value) -> Value {
    match (old, new) {
        (Value::Object(mut old), Value::Object(new)) => {
            for (key, value) in new {
                let before = old.remove(&key).unwrap_or(Value::Null);
                old.insert(key, merged(before, value));
            }
            Value::Object(old)
        }
        (_, new) => new,
    }
}

/// A wrong id would silently leave nothing, or everything.
fn known(facts: &Facts, flag: &str, ids: &[String]) -> Result<()> {
    for id in ids {
        if checks::all().iter().any(|check| check.id == id) || facts.rule(id).is_some() {
            continue;
        }
        let near = cni_facts::similar(facts, id);
        let hint = match near.first() {
            Some(near) => format!("did you mean {near}?"),
            None => "`kubectl cni explain` lists the checks".to_owned(),
        };
        bail!("{flag}: there is no check or rule {id:?}; {hint}");
    }
    Ok(())
}
