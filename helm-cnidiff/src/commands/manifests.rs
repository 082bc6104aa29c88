//! `helm cnidiff manifests OLD NEW` and `helm cnidiff manifest -f FILE`: what is not installed by helm.

use anyhow::{Result, bail};

use super::known::Around;
use super::{gather, known, output};
use crate::cli::{ManifestArgs, ManifestsArgs};
use crate::compare::{Input, compare};
use crate::comparison::{Provenance, Rendered, Side};
use crate::exit::Exit;
use crate::noise::Origin;
use crate::risk::{AppliedBy, Circumstances};
use crate::source::cluster::{Session, Wanted, namespace};
use crate::source::files::{self, Manifest};
use crate::source::joined;

/// Two files.
pub(super) fn files(args: &ManifestsArgs) -> Result<Exit> {
    if args.old.as_os_str() == "-" && args.new.as_os_str() == "-" {
        bail!("standard input can be OLD or NEW, not both");
    }
    let (known_facts, facts) = gather::facts(&args.output)?;
    let namespace = namespace(&args.connect);
    let (old, new) = std::thread::scope(|scope| {
        let old = scope.spawn(|| files::manifest(&args.old));
        let new = files::manifest(&args.new);
        (joined(old), new)
    });
    let (old, new) = (old?, new?);
    let old = gather::read(side(&args.old.to_string_lossy(), &old), old, &namespace);
    let new = gather::read(side(&args.new.to_string_lossy(), &new), new, &namespace);
    let provenance = Provenance {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        from_digest: old.side.digest.clone(),
        to_digest: new.side.digest.clone(),
        facts,
        ..Provenance::default()
    };
    let (_, facts_know) = known::judge(&known_facts, &old, &new, &Around::default());
    let input = Input {
        old,
        new,
        options: gather::options(&namespace, Origin::default()),
        circumstances: Circumstances { applied_by: AppliedBy::Kubectl, ..Circumstances::default() },
        notes: facts_know.notes,
        unknown: facts_know.unknown,
        secrets: Vec::new(),
        show_secrets: args.output.show_secrets,
        provenance,
    };
    output::report(&compare(input), &args.output)
}

/// Live objects and a file.
pub(super) fn live(args: &ManifestArgs) -> Result<Exit> {
    let (known_facts, facts) = gather::facts(&args.output)?;
    let mut target = Manifest::default();
    let mut names = Vec::new();
    for path in &args.files {
        let manifest = files::manifest(path)?;
        names.push(if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() });
        target.documents.extend(manifest.documents);
        target.odd.extend(manifest.odd);
        target.digest = if target.digest.is_empty() {
            manifest.digest
        } else {
            files::digest(format!("{}{}", target.digest, manifest.digest).as_bytes())
        };
    }
    let session = Session::open(&args.connect)?;
    let new = gather::read(side(&names.join(", "), &target), target, &session.namespace);
    let wanted: Vec<Wanted> = new.objects.objects.values().map(super::upgrade::wanted).collect();
    if wanted.is_empty() {
        bail!("{}: there is no Kubernetes object in it", names.join(", "));
    }
    let found = session.manifest(&wanted)?;
    let manifest = Manifest { documents: found.live.documents, ..Manifest::default() };
    let label = if session.context().is_empty() {
        "live objects".to_owned()
    } else {
        format!("live objects of context {}", session.context())
    };
    let old = gather::read(Side { label, ..Side::default() }, manifest, &session.namespace);
    let provenance = Provenance {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        to_digest: new.side.digest.clone(),
        rendered: Rendered::Given,
        facts,
        ..Provenance::default()
    };
    let (_, facts_know) = known::judge(&known_facts, &old, &new, &Around::default());
    let input = Input {
        old,
        new,
        options: gather::options(&session.namespace, Origin { live: true, ..Origin::default() }),
        circumstances: Circumstances {
            nodes: found.nodes,
            pods: found.daemonsets,
            release: None,
            applied_by: AppliedBy::Kubectl,
        },
        notes: facts_know.notes,
        unknown: [found.live.unknown, facts_know.unknown].concat(),
        secrets: Vec::new(),
        show_secrets: args.output.show_secrets,
        provenance,
    };
    output::report(&compare(input), &args.output)
}

fn side(label: &str, manifest: &Manifest) -> Side {
    Side { label: label.to_owned(), digest: Some(manifest.digest.clone()), ..Side::default() }
}
