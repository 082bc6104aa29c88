//! What more than one comparison gathers: documents of charts and releases, facts, sides, provenance.

use std::collections::BTreeSet;
use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use cni_facts::Facts;
use serde_json::{Map, Value};

use crate::cli::{FetchArgs, ModeArgs, OutputArgs, RenderArgs, ValueArgs};
use crate::compare::Half;
use crate::comparison::{Side, Warning};
use crate::diff::objects::{self, Delta, Options};
use crate::manifest::{Document, ObjectSet};
use crate::noise::{Origin, Regenerated};
use crate::redact::secret_name;
use crate::release::{Chart, Release};
use crate::source::chart::Located;
use crate::source::files;
use crate::source::helm::{Helm, Template, Values};
use crate::yaml;

/// Standard input, where a values file is `-`: read once, because helm is asked more than once.
pub(super) fn stdin(values: &ValueArgs) -> Result<Option<Vec<u8>>> {
    match values.files.iter().filter(|file| file.trim() == "-").count() {
        0 => Ok(None),
        1 => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().take(files::LIMIT).read_to_end(&mut bytes).context("values on standard input")?;
            Ok(Some(bytes))
        }
        _ => bail!("standard input can be a values file only once"),
    }
}

/// The built-in facts, and those of `--facts`.
pub(super) fn facts(args: &OutputArgs) -> Result<(Facts, Vec<String>)> {
    let Some(folder) = &args.facts else { return Ok((Facts::builtin(), Vec::new())) };
    let overlay = files::overlay(folder)?;
    let texts = overlay.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    let facts = Facts::with_overlay(texts).with_context(|| format!("--facts {}", folder.display()))?;
    let names = overlay.iter().map(|(name, text)| format!("{name} {}", short(&files::digest(text.as_bytes()))));
    Ok((facts, names.collect()))
}

fn short(digest: &str) -> &str {
    digest.get(..19).unwrap_or(digest)
}

/// One side: documents, and files of `crds/`, read.
pub(super) fn half(side: Side, name: &str, manifest: &str, chart: Option<&Chart>, namespace: &str) -> Result<Half> {
    let mut manifest = files::documents(name, manifest.as_bytes())?;
    for (path, text) in chart.into_iter().flat_map(|chart| &chart.crds) {
        let crds = files::documents(path, text.as_bytes())?;
        manifest.odd.extend(crds.odd);
        manifest.documents.extend(crds.documents.into_iter().map(|crd| Document { install_only: true, ..crd }));
    }
    Ok(read(side, manifest, namespace))
}

/// One side, from a manifest that was read.
pub(super) fn read(side: Side, manifest: files::Manifest, namespace: &str) -> Half {
    let (objects, mut warnings) = ObjectSet::read(&side.label, manifest.documents, namespace);
    let odd = |(place, text): (String, String)| Warning { side: side.label.clone(), place, text };
    warnings.extend(manifest.odd.into_iter().map(odd));
    Half { side, objects, warnings }
}

/// Objects and hooks of a release, as one stream.
pub(super) fn stored_manifest(release: &Release, hooks: bool) -> String {
    let mut text = release.manifest.clone();
    for hook in release.hooks.iter().filter(|_| hooks) {
        text.push_str("\n---\n");
        text.push_str(&hook.manifest);
    }
    text
}

/// A stored release as a side.
pub(super) fn release_side(release: &Release) -> Side {
    let metadata = &release.chart.metadata;
    Side {
        label: format!("release {}, revision {}", release.name, release.revision),
        chart: Some(metadata.name.clone()),
        version: Some(metadata.version.clone()),
        app_version: metadata.app_version.clone(),
        kube_range: metadata.kube_version.clone(),
        release: Some(release.name.clone()),
        namespace: Some(release.namespace.clone()),
        revision: Some(release.revision),
        status: Some(release.status.clone()),
        digest: Some(release.digest.clone()),
    }
}

/// A chart as a side.
pub(super) fn chart_side(located: &Located) -> Side {
    let metadata = &located.chart.metadata;
    Side {
        label: format!("chart {}", located.name),
        chart: Some(metadata.name.clone()),
        version: Some(metadata.version.clone()),
        app_version: metadata.app_version.clone(),
        kube_range: metadata.kube_version.clone(),
        digest: Some(located.digest.clone()),
        ..Side::default()
    }
}

/// How to compare what came out of helm.
pub(super) fn options(namespace: &str, origin: Origin) -> Options {
    Options { yaml: blob, origin, namespace: namespace.to_owned() }
}

/// A text inside an object, as YAML.
fn blob(text: &str) -> Option<Value> {
    let mut documents = yaml::read(text.as_bytes()).ok()?;
    if documents.len() == 1 { documents.pop().map(|document| document.value) } else { None }
}

/// How to compare two renders. Where a Secret differs in a way that no rule of noise explains, the target is rendered a
/// second time: what differs between two renders of one chart was made up by the templates.
pub(super) fn rendered_options(
    old: &ObjectSet,
    new: &ObjectSet,
    options: Options,
    render: impl FnOnce() -> Result<ObjectSet>,
) -> Result<Options> {
    let odd =
        |delta: &Delta<'_>| delta.kind() == "Secret" && delta.old.is_some() && delta.new.is_some() && delta.is_shown();
    if !objects::compare(old, new, &options).deltas.iter().any(odd) {
        return Ok(options);
    }
    let regenerated = Regenerated::between(new, &render()?);
    Ok(Options { origin: Origin { regenerated, ..options.origin }, ..options })
}

/// Renders a chart into a side.
pub(super) fn rendered(
    helm: &Helm,
    template: &Template<'_>,
    values: Values<'_>,
    side: Side,
    chart: &Chart,
) -> Result<Half> {
    let text = helm.template(template, values).with_context(|| side.label.clone())?;
    let name = format!("what helm rendered of {}", side.label);
    half(side, &name, &text, Some(chart), template.namespace)
}

/// What is odd in a chart's values.
pub(super) fn odd(located: &Located) -> Vec<Warning> {
    let odd = located.odd.iter().cloned();
    odd.map(|(place, text)| Warning { side: format!("chart {}", located.name), place, text }).collect()
}

/// Values of the user, for the key of the hashes that stand for secrets.
pub(super) fn secrets<const N: usize>(values: [&Map<String, Value>; N]) -> Vec<Value> {
    values.into_iter().map(|map| Value::Object(map.clone())).collect()
}

/// Every text in some values.
pub(super) fn texts(values: &Map<String, Value>) -> BTreeSet<String> {
    fn walk(value: &Value, texts: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => {
                texts.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, texts)),
            Value::Object(map) => map.values().for_each(|value| walk(value, texts)),
            _ => {}
        }
    }
    let mut texts = BTreeSet::new();
    values.values().for_each(|value| walk(value, &mut texts));
    texts
}

/// Flags that shape the result, as they were typed, without what looks secret.
pub(super) fn flags(fetch: &FetchArgs, values: &ValueArgs, mode: ModeArgs, render: &RenderArgs) -> Vec<String> {
    let mut flags = Vec::new();
    for (flag, text) in
        [("--version", &fetch.version), ("--repo", &fetch.repo), ("--kube-version", &render.kube_version)]
    {
        flags.extend(text.iter().map(|text| format!("{flag} {text}")));
    }
    let lists = [
        ("-f", &values.files),
        ("--set", &values.set),
        ("--set-string", &values.set_string),
        ("--set-json", &values.set_json),
        ("--set-file", &values.set_file),
        ("--set-literal", &values.set_literal),
        ("--api-versions", &render.api_versions),
    ];
    for (flag, texts) in lists {
        flags.extend(texts.iter().map(|text| format!("{flag} {}", without_secrets(text))));
    }
    let switches = [
        ("--devel", fetch.devel),
        ("--reset-values", mode.reset_values),
        ("--reuse-values", mode.reuse_values),
        ("--reset-then-reuse-values", mode.reset_then_reuse_values),
        ("--no-hooks", render.no_hooks),
        ("--skip-schema-validation", render.skip_schema_validation),
        ("--enable-dns", render.enable_dns),
        ("--post-renderer", render.post_renderer.is_some()),
    ];
    flags.extend(switches.iter().filter(|(_, set)| *set).map(|(flag, _)| (*flag).to_owned()));
    flags
}

/// `a.password=x,b=y` without `x`; everything behind the first secret name goes, since a comma may belong to it.
fn without_secrets(text: &str) -> String {
    let mut at = 0;
    for part in text.split_inclusive(',') {
        if let Some((name, _)) = part.split_once('=')
            && name.split(['.', '[', ']']).any(secret_name)
        {
            return format!("{}{name}=<secret>", &text[..at]);
        }
        at += part.len();
    }
    // A map or list in JSON may hold anything.
    match text.split_once('=') {
        Some((name, value)) if value.trim_start().starts_with(['{', '[']) && value.contains(':') => {
            format!("{name}=<…>")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_on_the_command_line_are_not_repeated() {
        let cases = [
            ("a.b=c", "a.b=c"),
            ("a.password=x,b=y", "a.password=<secret>"),
            ("b=y,db.token=a,b", "b=y,db.token=<secret>"),
            (r#"a={"password": "x"}"#, "a=<…>"),
            ("values.yaml", "values.yaml"),
        ];
        for (typed, shown) in cases {
            assert_eq!(without_secrets(typed), shown);
        }
    }
}
