//! `helm cnidiff RELEASE CHART`: what is installed against what it is to be upgraded to.
//!
//! The release, the chart and what the user typed are gathered at the same time; rendering waits for all three, because
//! the templates see the cluster's API versions and the values that the upgrade would use.

use std::thread;

use anyhow::{Result, bail};
use serde_json::Map;

use super::known::Around;
use super::live::{self, Sides};
use super::{gather, known, output};
use crate::cli::UpgradeArgs;
use crate::compare::{Half, Input, compare};
use crate::comparison::{Comparison, Mode, Provenance, Rendered};
use crate::diff::values::{self, Case, Inheritance};
use crate::exit::Exit;
use crate::inherit::{ModeFlags, NullDefaults, inherit};
use crate::noise::Origin;
use crate::risk::{AppliedBy, Circumstances, ReleaseState};
use crate::source::chart;
use crate::source::cluster::{Current, Session, Wanted};
use crate::source::helm::{Helm, Template, Values};
use crate::source::joined;

pub(super) fn run(args: &UpgradeArgs) -> Result<Exit> {
    let comparison = gathered(args)?;
    output::report(&comparison, &args.output)
}

fn gathered(args: &UpgradeArgs) -> Result<Comparison> {
    let Some(name) = args.release.as_deref() else {
        bail!("which release, and which chart? helm cnidiff RELEASE CHART; helm cnidiff --help has examples");
    };
    let Some(chart) = args.chart.as_deref() else {
        bail!(
            "release {name} against which chart? helm cnidiff {name} CHART, for example cilium/cilium --version 1.19.6"
        );
    };
    let helm = Helm::find()?;
    let (facts, facts_used) = gather::facts(&args.output)?;
    let stdin = gather::stdin(&args.values)?;
    let (current, located, typed) = thread::scope(|scope| {
        let located = scope.spawn(|| chart::locate(chart, &args.fetch, || Ok(helm.clone())));
        // Helm says its version while the cluster is asked; later it would take time from rendering.
        let typed = scope.spawn(|| match args.values.is_empty() {
            true => helm.version().map(|version| (Map::new(), version)),
            false => helm.typed_values(&args.values, stdin.as_deref()),
        });
        let current = Session::open(&args.connect).and_then(|session| {
            let current = session.current(name)?;
            Ok((session, current))
        });
        (current, joined(located), joined(typed))
    });
    let (session, current) = current?;
    let located = located?;
    let (user, version) = typed?;
    let mode_flags = ModeFlags {
        reset: args.mode.reset_values,
        reuse: args.mode.reuse_values,
        reset_then_reuse: args.mode.reset_then_reuse_values,
    };
    let mode = mode_flags.mode(&user);
    let namespace = session.namespace.as_str();

    let target = located.chart.clone();
    let located = if mode == Mode::Reuse {
        located.with_values(&inherit(mode, &user, &current.release, &target, version.null_defaults()).defaults)?
    } else {
        located
    };
    let config = inherit(mode, &user, &current.release, &target, NullDefaults::Kept).config;
    let template = Template {
        release: name,
        namespace,
        chart: &located.path,
        render: &args.render,
        kube_version: current.server.version.as_deref(),
        api_versions: &current.server.api_versions,
        is_upgrade: true,
    };
    let render =
        || gather::rendered(&helm, &template, Values::Computed(&config), gather::chart_side(&located), &target);
    let (new, old) = thread::scope(|scope| {
        let new = scope.spawn(render);
        let old = stored(args, &current, namespace);
        (joined(new), old)
    });
    let mut new = new.map_err(|error| known::explain(&facts, &target.metadata, error))?;
    let mut old = old?;
    new.warnings.extend(gather::odd(&located));
    let mut unknown = current.unknown.clone();
    let before = old.objects.clone();
    if args.live {
        unknown.extend(live::read(&session, &current, &mut old, &new.objects)?);
    }
    let origin = Origin { rendered: !args.live, live: args.live, given: gather::texts(&config), ..Origin::default() };
    let options = gather::options(namespace, origin);
    let options = gather::rendered_options(&old.objects, &new.objects, options, || Ok(render()?.objects))?;
    let mut notes = Vec::new();
    if args.live {
        let asked =
            live::ask(&session, &current, version, Sides { before: &before, old: &old, new: &mut new }, &options);
        notes.extend(asked.notes);
        unknown.extend(asked.unknown);
    }
    let mut flags_used = gather::flags(&args.fetch, &args.values, args.mode, &args.render);
    flags_used.extend(args.live.then(|| "--live".to_owned()));
    let provenance = Provenance {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        release: Some(format!("{}/{}", current.release.namespace, current.release.name)),
        revision: Some(current.release.revision.to_string()),
        from_digest: old.side.digest.clone(),
        to_digest: new.side.digest.clone(),
        helm: Some(version.to_string()),
        flags: flags_used,
        rendered: Rendered::Offline {
            kube_version: args.render.kube_version.clone().or_else(|| current.server.version.clone()),
            api_versions: current.server.api_versions.len() + args.render.api_versions.len(),
        },
        facts: facts_used,
    };
    let newest = current.history.last().map_or(current.release.status.as_str(), |newest| newest.status.as_str());
    let circumstances = Circumstances {
        nodes: current.nodes,
        pods: current.daemonsets.clone(),
        release: Some(ReleaseState {
            name: current.release.name.clone(),
            status: newest.to_owned(),
            stored_bytes: current.release.stored_bytes as u64,
            next_bytes: 0,
        }),
        applied_by: AppliedBy::Helm,
    };
    let inherited = inherit(mode, &user, &current.release, &target, version.null_defaults());
    let flags = args.mode.flags();
    let around = Around {
        values: Some((&inherited, &target.values)),
        flags: &flags,
        api_versions: &current.server.api_versions,
        kubernetes: current.server.version.as_deref(),
    };
    let (step, facts_know) = known::judge(&facts, &old, &new, &around);
    let renames = known::renames(&facts, step.as_ref(), &config);
    let input = Input {
        old,
        new,
        options,
        circumstances,
        notes: [notes, facts_know.notes].concat(),
        unknown: [unknown, facts_know.unknown].concat(),
        secrets: gather::secrets([&current.release.config, &user]),
        show_secrets: args.output.show_secrets,
        provenance,
    };
    let redactor = input.redactor();
    let mut comparison = compare(input);
    let inheritance =
        Inheritance { release: &current.release, user: &user, chosen: mode, nulls: version.null_defaults() };
    let case = Case {
        old: &current.release.chart,
        new: &target,
        templates: &located.templates(),
        before: &current.release.config,
        config: &config,
        renames: &renames,
    };
    let compared = values::compare(&case, Some(&inheritance), &redactor);
    comparison.verdict.dead_overrides = compared.dead();
    comparison.add_notes(compared.notes);
    comparison.values = Some(compared.values);
    Ok(comparison)
}

/// The old side: what helm has stored.
fn stored(args: &UpgradeArgs, current: &Current, namespace: &str) -> Result<Half> {
    let release = &current.release;
    let side = gather::release_side(release);
    let manifest = gather::stored_manifest(release, !args.render.no_hooks);
    let name = format!("manifest of {}", side.label);
    gather::half(side, &name, &manifest, Some(&release.chart), namespace)
}

pub(super) fn wanted(object: &crate::manifest::Object) -> Wanted {
    let id = &object.id;
    Wanted {
        api_version: id.api_version.clone(),
        kind: id.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
    }
}
