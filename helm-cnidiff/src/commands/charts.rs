//! `helm cnidiff charts OLD NEW`: two charts, without a cluster.

use std::thread;

use anyhow::Result;

use super::known::Around;
use super::{gather, known, output};
use crate::cli::{ChartsArgs, FetchArgs, ModeArgs};
use crate::compare::{Input, compare};
use crate::comparison::{Provenance, Rendered};
use crate::diff::values::{self, Case};
use crate::exit::Exit;
use crate::inherit::Inherited;
use crate::noise::Origin;
use crate::risk::Circumstances;
use crate::source::chart::{self, Located};
use crate::source::cluster::namespace;
use crate::source::helm::{Helm, Template, Values};
use crate::source::joined;

pub(super) fn run(args: &ChartsArgs) -> Result<Exit> {
    let helm = Helm::find()?;
    let (facts, facts_used) = gather::facts(&args.output)?;
    let stdin = gather::stdin(&args.values)?;
    let stdin = stdin.as_deref();
    let old_fetch =
        FetchArgs { version: args.old_version.clone().or_else(|| args.fetch.version.clone()), ..args.fetch.clone() };
    let (old, new) = thread::scope(|scope| {
        let old = scope.spawn(|| chart::locate(&args.old, &old_fetch, || Ok(helm.clone())));
        let new = chart::locate(&args.new, &args.fetch, || Ok(helm.clone()));
        (joined(old), new)
    });
    let (old, new) = (old?, new?);
    let namespace = namespace(&args.connect);
    let name = args.name.clone().unwrap_or_else(|| new.chart.metadata.name.clone());
    let render = |located: &Located| {
        let template = Template {
            release: &name,
            namespace: &namespace,
            chart: &located.path,
            render: &args.render,
            kube_version: None,
            api_versions: &[],
            is_upgrade: true,
        };
        gather::rendered(
            &helm,
            &template,
            Values::Typed(&args.values, stdin),
            gather::chart_side(located),
            &located.chart,
        )
    };
    let (before, after, typed) = thread::scope(|scope| {
        let before = scope.spawn(|| render(&old));
        let after = scope.spawn(|| render(&new));
        (joined(before), joined(after), helm.typed_values(&args.values, stdin))
    });
    let mut before = before.map_err(|error| known::explain(&facts, &old.chart.metadata, error))?;
    let mut after = after.map_err(|error| known::explain(&facts, &new.chart.metadata, error))?;
    let (user, version) = typed?;
    before.warnings.extend(gather::odd(&old));
    after.warnings.extend(gather::odd(&new));
    let origin = Origin { rendered: true, given: gather::texts(&user), ..Origin::default() };
    let options = gather::options(&namespace, origin);
    let options = gather::rendered_options(&before.objects, &after.objects, options, || Ok(render(&new)?.objects))?;
    let provenance = Provenance {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        from_digest: before.side.digest.clone(),
        to_digest: after.side.digest.clone(),
        helm: Some(version.to_string()),
        flags: gather::flags(&args.fetch, &args.values, ModeArgs::default(), &args.render),
        rendered: Rendered::Offline {
            kube_version: args.render.kube_version.clone(),
            api_versions: args.render.api_versions.len(),
        },
        facts: facts_used,
        ..Provenance::default()
    };
    let inherited = Inherited { config: user.clone(), ..Inherited::default() };
    let around = Around { values: Some((&inherited, &new.chart.values)), ..Around::default() };
    let (step, facts_know) = known::judge(&facts, &before, &after, &around);
    let renames = known::renames(&facts, step.as_ref(), &user);
    let input = Input {
        old: before,
        new: after,
        options,
        circumstances: Circumstances::default(),
        notes: facts_know.notes,
        unknown: facts_know.unknown,
        secrets: gather::secrets([&user]),
        show_secrets: args.output.show_secrets,
        provenance,
    };
    let redactor = input.redactor();
    let mut comparison = compare(input);
    let case = Case {
        old: &old.chart,
        new: &new.chart,
        templates: &new.templates(),
        before: &user,
        config: &user,
        renames: &renames,
    };
    let compared = values::compare(&case, None, &redactor);
    comparison.verdict.dead_overrides = compared.dead();
    comparison.add_notes(compared.notes);
    comparison.values = Some(compared.values);
    output::report(&comparison, &args.output)
}
