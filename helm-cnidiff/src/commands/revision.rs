//! `helm cnidiff revision RELEASE FROM [TO]`: two stored revisions, and so what a rollback would do.

use anyhow::Result;

use super::known::Around;
use super::{gather, known, output};
use crate::cli::RevisionArgs;
use crate::compare::{Half, Input, compare};
use crate::comparison::Provenance;
use crate::diff::values::{self, Case};
use crate::exit::Exit;
use crate::inherit::Inherited;
use crate::noise::Origin;
use crate::release::Release;
use crate::risk::Circumstances;
use crate::source::cluster::Session;

pub(super) fn run(args: &RevisionArgs) -> Result<Exit> {
    let (known_facts, facts) = gather::facts(&args.output)?;
    let session = Session::open(&args.connect)?;
    let [from, to] = session.revisions(&args.release, [Some(args.from), args.to])?;
    let half = |release: &Release| -> Result<Half> {
        let side = gather::release_side(release);
        let manifest = gather::stored_manifest(release, !args.no_hooks);
        let name = format!("manifest of {}", side.label);
        gather::half(side, &name, &manifest, Some(&release.chart), &session.namespace)
    };
    let (old, new) = (half(&from)?, half(&to)?);
    let provenance = Provenance {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        release: Some(format!("{}/{}", to.namespace, to.name)),
        revision: Some(format!("{} and {}", from.revision, to.revision)),
        from_digest: old.side.digest.clone(),
        to_digest: new.side.digest.clone(),
        facts,
        ..Provenance::default()
    };
    let origin = Origin { rendered: true, given: gather::texts(&to.config), ..Origin::default() };
    let inherited = Inherited { config: to.config.clone(), ..Inherited::default() };
    let around = Around { values: Some((&inherited, &to.chart.values)), ..Around::default() };
    let (step, facts_know) = known::judge(&known_facts, &old, &new, &around);
    let renames = known::renames(&known_facts, step.as_ref(), &to.config);
    let input = Input {
        old,
        new,
        options: gather::options(&session.namespace, origin),
        circumstances: Circumstances::default(),
        notes: facts_know.notes,
        unknown: facts_know.unknown,
        secrets: gather::secrets([&from.config, &to.config]),
        show_secrets: args.output.show_secrets,
        provenance,
    };
    let redactor = input.redactor();
    let mut comparison = compare(input);
    let case = Case {
        old: &from.chart,
        new: &to.chart,
        templates: "",
        before: &from.config,
        config: &to.config,
        renames: &renames,
    };
    let compared = values::compare(&case, None, &redactor);
    comparison.values = Some(compared.values);
    output::report(&comparison, &args.output)
}
