//! Conditions about objects, CustomResourceDefinitions and served APIs.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::given::{same, scalar};
use super::{Ask, Look, Truth, logic};
use crate::jsonpath::JsonPath;
use crate::schema::{Pattern, not_empty, one_or_many};
use crate::situation::{CrdSeen, Need, Objects, Part};

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExistAny(#[serde(deserialize_with = "not_empty")] Vec<String>);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    /// One resource or several.
    #[serde(deserialize_with = "one_or_many")]
    resource: Vec<String>,
    jsonpath: JsonPath,
    equals: Option<Value>,
    matches: Option<Pattern>,
    startswith: Option<String>,
    present: Option<bool>,
    absent: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct OwnerReference(String);

#[derive(Debug, Clone, Deserialize)]
pub(super) struct CrdMissing(String);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CrdVersionMissing {
    crd: String,
    version: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CrdStoredVersionsGt {
    group: String,
    n: usize,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ApiMissing(String);

/// The objects of a resource, or what to answer without them.
pub(super) fn listed<'a>(look: &Look<'a>, resource: &str) -> Result<&'a [Value], Truth> {
    match look.situation.objects.get(resource) {
        Some(Part::Known(Objects::Listed(list))) => Ok(list),
        Some(Part::Known(Objects::Count(0))) => Ok(&[]),
        Some(Part::Known(Objects::Count(_))) => {
            Err(Truth::unknown(format!("{resource}: only counted, their content was not read")))
        }
        Some(Part::Absent) => Ok(&[]),
        Some(Part::Unknown(why)) => Err(Truth::unknown(format!("{resource}: {why}"))),
        None => Err(Truth::unknown(format!("{resource}: they were not looked at"))),
    }
}

/// `namespace/name` of an object.
pub(super) fn name_of(object: &Value) -> String {
    let text = |key: &str| object.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str);
    match (text("namespace"), text("name")) {
        (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
        (None, Some(name)) => name.to_owned(),
        _ => "(without a name)".to_owned(),
    }
}

/// The first three names and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    match names.len() {
        0..=3 => names.join(", "),
        more => format!("{} and {} more", names[..3].join(", "), more - 3),
    }
}

impl Ask for ExistAny {
    fn answer(&self, look: &Look<'_>) -> Truth {
        logic::any(self.0.iter().map(|resource| match look.situation.objects.get(resource) {
            Some(Part::Known(Objects::Count(0))) => Truth::not(format!("there are no {resource}")),
            Some(Part::Known(Objects::Listed(list))) if list.is_empty() => {
                Truth::not(format!("there are no {resource}"))
            }
            Some(Part::Known(Objects::Listed(list))) => {
                Truth::holds(format!("there are {resource}: {}", some(&list.iter().map(name_of).collect::<Vec<_>>())))
            }
            Some(Part::Known(Objects::Count(_))) => Truth::holds(format!("there are {resource}")),
            Some(Part::Absent) => Truth::not(format!("{resource} are not served")),
            Some(Part::Unknown(why)) => Truth::unknown(format!("{resource}: {why}")),
            None => Truth::unknown(format!("{resource}: they were not looked at")),
        }))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend(self.0.iter().cloned().map(Need::Exists));
    }

    fn words(&self) -> String {
        format!("there are {}", self.0.join(" or "))
    }
}

impl Field {
    fn fits(&self, found: &[&Value]) -> bool {
        let any = |so: &dyn Fn(&Value) -> bool| found.iter().any(|value| so(value));
        let text = |value: &Value| scalar(value).unwrap_or_else(|| value.to_string());
        let mut tests = vec![];
        tests.extend(self.equals.as_ref().map(|wanted| any(&|value| same(value, wanted))));
        tests.extend(self.matches.as_ref().map(|pattern| any(&|value| pattern.is_match(&text(value)))));
        tests.extend(self.startswith.as_ref().map(|start| any(&|value| text(value).starts_with(start.as_str()))));
        tests.extend(self.present.map(|wanted| found.is_empty() != wanted));
        tests.extend(self.absent.map(|wanted| found.is_empty() == wanted));
        tests.into_iter().all(|fits| fits)
    }

    fn demand(&self) -> String {
        let mut words = vec![];
        words.extend(self.equals.as_ref().map(|wanted| format!("is {wanted}")));
        words.extend(self.matches.as_ref().map(|pattern| format!("matches /{}/", pattern.as_str())));
        words.extend(self.startswith.as_ref().map(|start| format!("starts with {start:?}")));
        words.extend(self.present.map(|wanted| if wanted { "is there" } else { "is not there" }.to_owned()));
        words.extend(self.absent.map(|wanted| if wanted { "is not there" } else { "is there" }.to_owned()));
        words.join(" and ")
    }
}

impl Ask for Field {
    fn answer(&self, look: &Look<'_>) -> Truth {
        logic::any(self.resource.iter().map(|resource| match listed(look, resource) {
            Err(unknown) => unknown,
            Ok(objects) => {
                let fitting = objects.iter().filter(|object| self.fits(&self.jsonpath.find(object)));
                let names: Vec<String> = fitting.map(name_of).collect();
                match names.is_empty() {
                    true => Truth::not(format!(
                        "there are no {resource} where {} {}",
                        self.jsonpath.as_str(),
                        self.demand()
                    )),
                    false => Truth::holds(format!(
                        "{} {} in {resource} {}",
                        self.jsonpath.as_str(),
                        self.demand(),
                        some(&names)
                    )),
                }
            }
        }))
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        let metadata_only = self.jsonpath.in_metadata();
        into.extend(self.resource.iter().map(|resource| Need::Objects { resource: resource.clone(), metadata_only }));
    }

    fn words(&self) -> String {
        format!("{} of one of the {} {}", self.jsonpath.as_str(), self.resource.join(" or "), self.demand())
    }
}

impl Ask for OwnerReference {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match &look.situation.owner_api_versions {
            Part::Known(versions) => match versions.iter().find(|version| version.starts_with(&self.0)) {
                Some(version) => Truth::holds(format!("an object names an owner of {version}")),
                None => Truth::not(format!("no object names an owner of {}", self.0)),
            },
            Part::Absent => Truth::not("no object names an owner"),
            Part::Unknown(why) => Truth::unknown(format!("owner references of all objects: {why}")),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::OwnerApiVersions);
    }

    fn words(&self) -> String {
        format!("an object names an owner of {}", self.0)
    }
}

/// Judges the CustomResourceDefinitions.
fn crds(look: &Look<'_>, judge: impl Fn(&std::collections::BTreeMap<String, CrdSeen>) -> Truth) -> Truth {
    match &look.situation.crds {
        Part::Known(crds) => judge(crds),
        Part::Absent => judge(&std::collections::BTreeMap::new()),
        Part::Unknown(why) => Truth::unknown(format!("CustomResourceDefinitions: {why}")),
    }
}

impl Ask for CrdMissing {
    fn answer(&self, look: &Look<'_>) -> Truth {
        crds(look, |crds| match crds.contains_key(&self.0) {
            true => Truth::not(format!("CustomResourceDefinition {} is there", self.0)),
            false => Truth::holds(format!("CustomResourceDefinition {} is not there", self.0)),
        })
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Crds);
    }

    fn words(&self) -> String {
        format!("CustomResourceDefinition {} is not there", self.0)
    }
}

impl Ask for CrdVersionMissing {
    fn answer(&self, look: &Look<'_>) -> Truth {
        crds(look, |crds| match crds.get(&self.crd) {
            None => Truth::holds(format!("CustomResourceDefinition {} is not there", self.crd)),
            Some(crd) if crd.served.contains(&self.version) => {
                Truth::not(format!("{} serves {}", self.crd, self.version))
            }
            Some(crd) => {
                let served: Vec<&str> = crd.served.iter().map(String::as_str).collect();
                Truth::holds(format!("{} serves {} and not {}", self.crd, served.join(", "), self.version))
            }
        })
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Crds);
    }

    fn words(&self) -> String {
        format!("CustomResourceDefinition {} does not serve {}", self.crd, self.version)
    }
}

impl Ask for CrdStoredVersionsGt {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let of_group = |name: &str| name.split_once('.').is_some_and(|(_, group)| group == self.group);
        crds(look, |crds| {
            let more = crds.iter().filter(|(name, crd)| of_group(name) && crd.stored.len() > self.n);
            let names: Vec<String> = more.map(|(name, crd)| format!("{name} ({})", crd.stored.join(", "))).collect();
            match names.is_empty() {
                true => Truth::not(format!(
                    "no CustomResourceDefinition of {} lists more than {} stored version",
                    self.group, self.n
                )),
                false => Truth::holds(format!("several stored versions: {}", some(&names))),
            }
        })
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Crds);
    }

    fn words(&self) -> String {
        format!("a CustomResourceDefinition of {} lists more than {} stored version", self.group, self.n)
    }
}

impl Ask for ApiMissing {
    fn answer(&self, look: &Look<'_>) -> Truth {
        match &look.situation.apis {
            Part::Known(apis) if apis.contains(&self.0) => Truth::not(format!("{} is served", self.0)),
            Part::Known(_) | Part::Absent => Truth::holds(format!("{} is not served", self.0)),
            Part::Unknown(why) => Truth::unknown(format!("served APIs: {why}")),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::Apis);
    }

    fn words(&self) -> String {
        format!("{} is not served", self.0)
    }
}
