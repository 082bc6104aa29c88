//! Conditions about ConfigMaps: keys of `data`, and keys inside a YAML or JSON text kept there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::given::scalar;
use super::{Ask, Look, Truth};
use crate::schema::not_empty;
use crate::situation::{Need, Part};

type Data = BTreeMap<String, String>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeySetAny {
    configmap: String,
    #[serde(deserialize_with = "not_empty")]
    keys: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Equals {
    configmap: String,
    file: Option<String>,
    key: String,
    value: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DiffersFromTarget {
    configmap: String,
    file: Option<String>,
    key: String,
}

/// Where in a ConfigMap something stands.
pub(super) struct Place {
    pub(super) configmap: String,
    /// A key of `data` whose text is YAML or JSON; the key below is then a path inside it.
    pub(super) file: Option<String>,
    pub(super) key: String,
}

impl Place {
    /// The text at this place; `Ok(None)`: it is not there.
    pub(super) fn read(&self, data: &Data) -> Result<Option<String>, String> {
        let Some(file) = &self.file else {
            return Ok(data.get(&self.key).cloned());
        };
        let Some(text) = data.get(file) else {
            return Ok(None);
        };
        let root: Value = serde_yaml::from_str(text)
            .map_err(|error| format!("{file} in ConfigMap {} cannot be read: {error}", self.configmap))?;
        let mut at = &root;
        for key in self.key.split('.') {
            match at.get(key) {
                Some(value) => at = value,
                None => return Ok(None),
            }
        }
        Ok(match at {
            Value::Null => None,
            value => Some(scalar(value).unwrap_or_else(|| value.to_string())),
        })
    }

    fn name(&self) -> String {
        match &self.file {
            Some(file) => format!("{} of {file} in ConfigMap {}", self.key, self.configmap),
            None => format!("{} in ConfigMap {}", self.key, self.configmap),
        }
    }
}

/// The data of a running ConfigMap, or what to answer without it.
fn data<'a>(look: &Look<'a>, name: &str) -> Result<&'a Data, Truth> {
    match look.situation.configmaps.get(name) {
        Some(Part::Known(data)) => Ok(data),
        Some(Part::Absent) => Err(Truth::not(format!("there is no ConfigMap {name}"))),
        Some(Part::Unknown(why)) => Err(Truth::unknown(format!("ConfigMap {name}: {why}"))),
        None => Err(Truth::unknown(format!("ConfigMap {name}: it was not looked at"))),
    }
}

/// The data of the target's ConfigMap, or what to answer without it.
pub(super) fn target_data<'a>(look: &Look<'a>, name: &str) -> Result<&'a Data, Truth> {
    match &look.situation.target.configmaps {
        Part::Known(all) => all.get(name).ok_or_else(|| Truth::not(format!("the target has no ConfigMap {name}"))),
        Part::Absent => Err(Truth::not("the target has no ConfigMaps")),
        Part::Unknown(why) => Err(Truth::unknown(format!("ConfigMap {name} of the target: {why}"))),
    }
}

impl Ask for KeySetAny {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let data = match data(look, &self.configmap) {
            Ok(data) => data,
            Err(answer) => return answer,
        };
        let set: Vec<&str> = self.keys.iter().filter(|key| data.contains_key(*key)).map(String::as_str).collect();
        match set.is_empty() {
            true => Truth::not(format!("ConfigMap {} has none of these keys", self.configmap)),
            false => Truth::holds(format!("ConfigMap {} has {}", self.configmap, set.join(", "))),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::ConfigMap(self.configmap.clone()));
    }

    fn words(&self) -> String {
        format!("ConfigMap {} has {}", self.configmap, self.keys.join(" or "))
    }
}

impl Equals {
    fn at(&self) -> Place {
        Place { configmap: self.configmap.clone(), file: self.file.clone(), key: self.key.clone() }
    }
}

impl Ask for Equals {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let at = self.at();
        match data(look, &at.configmap).map(|data| at.read(data)) {
            Ok(Ok(Some(text))) => Truth::when(text == self.value, format!("{} is {text:?}", at.name())),
            Ok(Ok(None)) => Truth::not(format!("{} is not set", at.name())),
            Ok(Err(why)) => Truth::unknown(why),
            Err(answer) => answer,
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(Need::ConfigMap(self.configmap.clone()));
    }

    fn words(&self) -> String {
        format!("{} is {:?}", self.at().name(), self.value)
    }
}

impl DiffersFromTarget {
    fn at(&self) -> Place {
        Place { configmap: self.configmap.clone(), file: self.file.clone(), key: self.key.clone() }
    }
}

impl Ask for DiffersFromTarget {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let at = self.at();
        let (running, target) = match (data(look, &at.configmap), target_data(look, &at.configmap)) {
            (Ok(running), Ok(target)) => (at.read(running), at.read(target)),
            (Err(answer @ Truth::DoesNotHold { .. }), _) | (_, Err(answer @ Truth::DoesNotHold { .. })) => {
                return answer;
            }
            (Err(answer), _) | (_, Err(answer)) => return answer,
        };
        match (running, target) {
            (Ok(running), Ok(target)) => {
                let show = |text: &Option<String>| text.clone().unwrap_or_else(|| "not set".to_owned());
                let seen = format!("{} is {} now and {} in the target", at.name(), show(&running), show(&target));
                Truth::when(running != target, seen)
            }
            (Err(why), _) | (_, Err(why)) => Truth::unknown(why),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.extend([Need::ConfigMap(self.configmap.clone()), Need::TargetConfigMaps]);
    }

    fn words(&self) -> String {
        format!("{} differs between the cluster and the target", self.at().name())
    }
}
