//! Which items of two lists are the same one: by the merge keys of Kubernetes, as sets, by flag name, or by place.
//!
//! Sources: the `patchMergeKey` and `listMapKey` marks of the Kubernetes API types
//! (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>), and for what they leave out
//! (tolerations, capabilities, arguments) what the field means.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use similar::DiffOp;

use super::scope::Scope;
use crate::comparison::Step;

/// How a list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Items are maps with an identity.
    Merge(Identity),
    /// Items are what they are; their order means nothing.
    Set,
    /// Arguments of a program, known by the name of the flag.
    Flags,
    /// Items are known by their place only.
    Sequence,
    /// Nothing is known of the list: it is looked at.
    Guess,
}

/// What identifies the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Fields that make up the identity; a missing one counts as empty, but not all of them may be missing.
    keys: &'static [&'static str],
    /// Items left over that agree on this, and on nobody else's, are the same item with another identity.
    second: Second,
    /// The order of the items has a meaning of its own.
    ordered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Second {
    None,
    /// The value of a field.
    Field(&'static str),
    /// Everything but a field.
    AllBut(&'static str),
    /// Repository of the image.
    Image,
}

const fn by(keys: &'static [&'static str], second: Second) -> Reading {
    Reading::Merge(Identity { keys, second, ordered: false })
}

/// How the list at `path` is read.
pub fn reading(scope: Scope, path: &[Step]) -> Reading {
    let mut keys = path.iter().rev().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        _ => None,
    });
    if path.iter().any(|step| matches!(step, Step::Inside(_))) {
        return Reading::Guess;
    }
    let (field, parent) = (keys.next().unwrap_or_default(), keys.next().unwrap_or_default());
    match field {
        "containers" | "ephemeralContainers" => by(&["name"], Second::Image),
        "initContainers" => Reading::Merge(Identity { keys: &["name"], second: Second::Image, ordered: true }),
        "volumes" => by(&["name"], Second::AllBut("name")),
        "env" | "imagePullSecrets" | "resourceClaims" | "webhooks" | "sysctls" => by(&["name"], Second::None),
        "volumeMounts" => by(&["mountPath"], Second::Field("name")),
        "volumeDevices" => by(&["devicePath"], Second::Field("name")),
        "ports" if scope.in_template(path).is_some() || parent == "containers" => {
            by(&["containerPort", "protocol"], Second::Field("name"))
        }
        "ports" if parent == "spec" => by(&["port", "protocol"], Second::Field("name")),
        "hostAliases" => by(&["ip"], Second::None),
        "topologySpreadConstraints" => by(&["topologyKey", "whenUnsatisfiable"], Second::None),
        "tolerations" => by(&["key", "operator", "value", "effect", "tolerationSeconds"], Second::Field("key")),
        "matchExpressions" | "matchFields" => by(&["key", "operator"], Second::Field("key")),
        "subjects" => by(&["kind", "apiGroup", "namespace", "name"], Second::Field("name")),
        "secrets" => by(&["name"], Second::None),
        "ownerReferences" => by(&["uid"], Second::None),
        "additionalPrinterColumns" => by(&["name"], Second::None),
        "items" if matches!(parent, "configMap" | "secret") => by(&["key"], Second::Field("path")),
        "finalizers"
        | "verbs"
        | "apiGroups"
        | "resources"
        | "resourceNames"
        | "nonResourceURLs"
        | "accessModes"
        | "shortNames"
        | "categories"
        | "policyTypes"
        | "supplementalGroups"
        | "mountOptions"
        | "apiVersions"
        | "operations"
        | "ipFamilies"
        | "loadBalancerSourceRanges"
        | "externalIPs"
        | "enum" => Reading::Set,
        "add" | "drop" if parent == "capabilities" => Reading::Set,
        "values" if matches!(parent, "matchExpressions" | "matchFields") => Reading::Set,
        "args" => Reading::Flags,
        // The program and its arguments in one list; without a flag in it, it is a sequence all the same.
        "command" if parent != "exec" => Reading::Flags,
        "command" => Reading::Sequence,
        _ => Reading::Guess,
    }
}

/// Items of two lists, matched.
#[derive(Debug, Default)]
pub struct Matching {
    /// Label, old index, new index; in new order.
    pub pairs: Vec<(Step, usize, usize)>,
    /// Label and index of what is gone.
    pub removed: Vec<(Step, usize)>,
    /// Label and index of what is new.
    pub added: Vec<(Step, usize)>,
    /// Whether a changed order of the pairs is to be told, if the surroundings do not decide.
    pub ordered: bool,
}

/// Matches the items of two lists that are read as `reading` says.
pub fn match_items(reading: Reading, old: &[Value], new: &[Value]) -> Matching {
    match reading {
        Reading::Merge(identity) if maps(old) && maps(new) => by_identity(identity, old, new),
        Reading::Set => by_labels(old, new, full_label, false),
        Reading::Flags => by_flag(old, new),
        Reading::Guess | Reading::Merge(_) => match guess(old, new) {
            Some(field) => {
                let keys = std::slice::from_ref(field);
                by_identity(Identity { keys, second: Second::None, ordered: true }, old, new)
            }
            None => by_place(old, new),
        },
        Reading::Sequence => by_place(old, new),
    }
}

fn maps(items: &[Value]) -> bool {
    items.iter().all(Value::is_object)
}

/// Labels that tell the items of one list apart: a second item of the same identity gets `#2`.
fn labels(items: &[Value], label: impl Fn(&Value) -> String) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let one = |item| {
        let label = label(item);
        let times = seen.entry(label.clone()).and_modify(|n| *n += 1).or_insert(1);
        if *times == 1 { label } else { format!("{label}#{times}") }
    };
    items.iter().map(one).collect()
}

fn identity_label(identity: Identity, item: &Value) -> String {
    let text = |key: &str| item.get(key).map(scalar_text).unwrap_or_default();
    match identity.keys {
        [key] => text(key),
        // An unset protocol is TCP; the server fills it in.
        ["containerPort" | "port", "protocol"] => {
            let protocol = item.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
            format!("{}/{protocol}", text(identity.keys[0]))
        }
        // `kind namespace/name` reads like an object anywhere else.
        ["kind", "apiGroup", ..] => match text("namespace").as_str() {
            "" => format!("{} {}", text("kind"), text("name")),
            namespace => format!("{} {namespace}/{}", text("kind"), text("name")),
        },
        ["key", "operator", "value", ..] => toleration_label(item),
        keys => keys.iter().map(|key| text(key)).filter(|t| !t.is_empty()).collect::<Vec<_>>().join(" "),
    }
}

/// As `kubectl describe` writes them: `key=value:effect op=Exists for 300s`.
fn toleration_label(item: &Value) -> String {
    let text = |key: &str| item.get(key).map(scalar_text).unwrap_or_default();
    let (key, value, effect) = (text("key"), text("value"), text("effect"));
    let mut label = if key.is_empty() { "*".to_owned() } else { key };
    if !value.is_empty() {
        label = format!("{label}={value}");
    }
    if !effect.is_empty() {
        label = format!("{label}:{effect}");
    }
    if text("operator") == "Exists" {
        label.push_str(" op=Exists");
    }
    let seconds = text("tolerationSeconds");
    if seconds.is_empty() { label } else { format!("{label} for {seconds}s") }
}

fn scalar_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn full_label(item: &Value) -> String {
    match item {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn by_identity(identity: Identity, old: &[Value], new: &[Value]) -> Matching {
    let mut matching = by_labels(old, new, |item| identity_label(identity, item), identity.ordered);
    pair_left_overs(identity.second, old, new, &mut matching);
    matching
}

fn by_labels(old: &[Value], new: &[Value], label: impl Fn(&Value) -> String, ordered: bool) -> Matching {
    let (old_labels, new_labels) = (labels(old, &label), labels(new, &label));
    let at: HashMap<&str, usize> = old_labels.iter().enumerate().map(|(i, label)| (label.as_str(), i)).collect();
    let mut matching = Matching { ordered, ..Matching::default() };
    let mut found = vec![false; old.len()];
    for (j, label) in new_labels.iter().enumerate() {
        let step = Step::Item(label.clone());
        match at.get(label.as_str()) {
            Some(&i) => {
                found[i] = true;
                matching.pairs.push((step, i, j));
            }
            None => matching.added.push((step, j)),
        }
    }
    let lost = old_labels.into_iter().enumerate().filter(|(i, _)| !found[*i]);
    matching.removed = lost.map(|(i, label)| (Step::Item(label), i)).collect();
    matching
}

/// An item whose identity changed is one change, not one item less and one more.
fn pair_left_overs(second: Second, old: &[Value], new: &[Value], matching: &mut Matching) {
    let key = |item: &Value| match second {
        Second::None => None,
        // An absent field is one as well: `operator: Exists` without a key.
        Second::Field(field) => Some(item.get(field).map(scalar_text).unwrap_or_default()),
        Second::AllBut(field) => {
            let mut rest = item.as_object().cloned().unwrap_or_default();
            rest.remove(field);
            Some(Value::Object(rest).to_string())
        }
        Second::Image => {
            let image = item.get("image").and_then(Value::as_str)?;
            Some(cni_facts::ImageRef::parse(image).repository.to_owned())
        }
    };
    let unique = |left: &[(Step, usize)], items: &[Value]| {
        let mut seen: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for (place, (_, at)) in left.iter().enumerate() {
            if let Some(key) = key(&items[*at]) {
                seen.entry(key).and_modify(|once| *once = None).or_insert(Some(place));
            }
        }
        seen
    };
    let (gone, come) = (unique(&matching.removed, old), unique(&matching.added, new));
    let pairs: Vec<(usize, usize)> = gone.iter().filter_map(|(key, i)| Some(((*i)?, (*come.get(key)?)?))).collect();
    for &(i, j) in &pairs {
        let (label, old_at) = matching.removed[i].clone();
        matching.pairs.push((label, old_at, matching.added[j].1));
    }
    let (i, j): (BTreeSet<usize>, BTreeSet<usize>) = pairs.into_iter().unzip();
    let mut at = 0..;
    matching.removed.retain(|_| !at.next().is_some_and(|n| i.contains(&n)));
    let mut at = 0..;
    matching.added.retain(|_| !at.next().is_some_and(|n| j.contains(&n)));
    matching.pairs.sort_by_key(|(_, _, j)| *j);
}

/// The field by which the items of a list of nothing known can be told apart on both sides.
fn guess(old: &[Value], new: &[Value]) -> Option<&'static &'static str> {
    const FIELDS: [&str; 9] = ["name", "key", "id", "type", "ip", "cidr", "path", "port", "url"];
    if !maps(old) || !maps(new) {
        return None;
    }
    let distinct = |items: &[Value], field: &str| {
        let mut seen = BTreeSet::new();
        let scalar = |item: &Value| match item.get(field) {
            Some(value @ (Value::String(_) | Value::Number(_))) => Some(scalar_text(value)),
            _ => None,
        };
        items.iter().all(|item| scalar(item).is_some_and(|text| seen.insert(text)))
    };
    FIELDS.iter().find(|field| distinct(old, field) && distinct(new, field))
}

fn flag_name(item: &Value) -> Option<&str> {
    let text = match item {
        Value::Array(words) => words.first()?.as_str()?,
        other => other.as_str()?,
    };
    let name = text.split_once('=').map_or(text, |(name, _)| name);
    let letter = name.trim_start_matches('-').bytes().next()?;
    // `-1` is a number, `-` is standard input.
    (name.starts_with('-') && letter.is_ascii_alphabetic()).then_some(name)
}

/// Arguments as items: `--flag value` becomes one item, a list of both words. `-f value` does not: a single letter is
/// as often a switch in front of something else (`cp -f from to`).
pub fn words(arguments: &[Value]) -> Vec<Value> {
    let mut items: Vec<Value> = Vec::with_capacity(arguments.len());
    for word in arguments {
        let long = |name: &str| name.trim_start_matches('-').len() > 1;
        let bare =
            |item: &Value| item.as_str().is_some_and(|text| !text.contains('=')) && flag_name(item).is_some_and(long);
        match items.last_mut() {
            Some(flag) if bare(flag) && word.is_string() && !word.as_str().is_some_and(|w| w.starts_with('-')) => {
                *flag = Value::Array(vec![flag.take(), word.clone()]);
            }
            _ => items.push(word.clone()),
        }
    }
    items
}

/// The opposite of [`words`].
pub fn unwords(items: Vec<Value>) -> Vec<Value> {
    let flat = items.into_iter().flat_map(|item| match item {
        Value::Array(words) => words,
        other => vec![other],
    });
    flat.collect()
}

/// A flag that is there several times on either side is known by its whole text; positional words by their place
/// among themselves.
fn by_flag(old: &[Value], new: &[Value]) -> Matching {
    let repeated: BTreeSet<&str> = [old, new].iter().flat_map(|side| repeats(side)).collect();
    let flags =
        |side: &[Value]| -> Vec<Value> { side.iter().filter(|item| flag_name(item).is_some()).cloned().collect() };
    let label = |item: &Value| match flag_name(item) {
        Some(name) if !repeated.contains(name) => name.to_owned(),
        _ => full_label(item),
    };
    let places = |side: &[Value], flag: bool| -> Vec<usize> {
        side.iter().enumerate().filter(|(_, item)| flag_name(item).is_some() == flag).map(|(at, _)| at).collect()
    };
    let words =
        |side: &[Value]| -> Vec<Value> { side.iter().filter(|item| flag_name(item).is_none()).cloned().collect() };
    let mut matching = Matching { ordered: true, ..Matching::default() };
    for (part, flag) in
        [(by_labels(&flags(old), &flags(new), label, true), true), (by_place(&words(old), &words(new)), false)]
    {
        let (old_at, new_at) = (places(old, flag), places(new, flag));
        // A place is one in the whole list.
        let step = |step: Step, at: usize| if flag { step } else { Step::Index(at) };
        matching.pairs.extend(part.pairs.into_iter().map(|(s, i, j)| (step(s, new_at[j]), old_at[i], new_at[j])));
        matching.removed.extend(part.removed.into_iter().map(|(s, i)| (step(s, old_at[i]), old_at[i])));
        matching.added.extend(part.added.into_iter().map(|(s, j)| (step(s, new_at[j]), new_at[j])));
    }
    matching.pairs.sort_by_key(|(_, _, j)| *j);
    matching.removed.sort_by_key(|(_, i)| *i);
    matching.added.sort_by_key(|(_, j)| *j);
    matching
}

fn repeats(items: &[Value]) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    items.iter().filter_map(flag_name).filter(|name| !seen.insert(*name)).collect()
}

/// Longest common run of equal items; what is replaced in between is paired one by one.
fn by_place(old: &[Value], new: &[Value]) -> Matching {
    let mut numbers: HashMap<&Value, u32> = HashMap::new();
    let mut number = |item| {
        let next = numbers.len() as u32;
        *numbers.entry(item).or_insert(next)
    };
    let a: Vec<u32> = old.iter().map(&mut number).collect();
    let b: Vec<u32> = new.iter().map(&mut number).collect();
    let mut matching = Matching { ordered: true, ..Matching::default() };
    for op in super::sequence::diff(&a, &b) {
        let (i, n, j, m) = match op {
            DiffOp::Equal { old_index, new_index, len } => (old_index, len, new_index, len),
            DiffOp::Delete { old_index, old_len, new_index } => (old_index, old_len, new_index, 0),
            DiffOp::Insert { old_index, new_index, new_len } => (old_index, 0, new_index, new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => (old_index, old_len, new_index, new_len),
        };
        let both = n.min(m);
        matching.pairs.extend((0..both).map(|k| (Step::Index(j + k), i + k, j + k)));
        matching.removed.extend((both..n).map(|k| (Step::Index(i + k), i + k)));
        matching.added.extend((both..m).map(|k| (Step::Index(j + k), j + k)));
    }
    matching
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matched(old: Value, new: Value) -> Vec<String> {
        let words = |list: &Value| super::words(list.as_array().unwrap());
        let (old, new) = (words(&old), words(&new));
        let matching = match_items(Reading::Flags, &old, &new);
        let name = |step: &Step| match step {
            Step::Item(label) => label.clone(),
            Step::Index(at) => at.to_string(),
            Step::Key(_) | Step::Inside(_) => String::new(),
        };
        let mut told: Vec<String> = matching.removed.iter().map(|(step, _)| format!("- {}", name(step))).collect();
        let changed = matching.pairs.iter().filter(|(_, i, j)| old[*i] != new[*j]);
        told.extend(changed.map(|(step, i, j)| format!("~ {} {} {}", name(step), old[*i], new[*j])));
        told.extend(matching.added.iter().map(|(step, _)| format!("+ {}", name(step))));
        told
    }

    #[test]
    fn arguments_are_known_by_their_flag() {
        let cases: [(Value, Value, &[&str]); 8] = [
            (json!(["--v=2", "--x"]), json!(["--x", "--v=4"]), &["~ --v \"--v=2\" \"--v=4\""]),
            (
                json!(["--iface", "eth0"]),
                json!(["--iface", "eth1"]),
                &["~ --iface [\"--iface\",\"eth0\"] [\"--iface\",\"eth1\"]"],
            ),
            (json!(["-f", "/a", "/b"]), json!(["/a", "/b"]), &["- -f"]),
            (json!(["cp", "/a", "/b"]), json!(["cp", "/a", "/c"]), &["~ 2 \"/b\" \"/c\""]),
            // The same flag twice: each is known by its whole text.
            (json!(["--if=a", "--if=b"]), json!(["--if=b", "--if=c"]), &["- --if=a", "+ --if=c"]),
            (json!(["--a", "--b"]), json!(["--a=false"]), &["- --b", "~ --a \"--a\" \"--a=false\""]),
            (json!(["-1", "-"]), json!(["-2", "-"]), &["~ 0 \"-1\" \"-2\""]),
            (json!([]), json!(["--a"]), &["+ --a"]),
        ];
        for (old, new, expected) in cases {
            assert_eq!(matched(old.clone(), new.clone()), expected, "{old} {new}");
        }
    }

    #[test]
    fn tolerations_are_labelled_as_kubectl_describes_them() {
        let Reading::Merge(identity) = reading(Scope::of("apps", "DaemonSet"), &[Step::Key("tolerations".into())])
        else {
            panic!("tolerations have an identity")
        };
        let cases = [
            (json!({"operator": "Exists"}), "* op=Exists"),
            (json!({"key": "a", "value": "b", "effect": "NoSchedule"}), "a=b:NoSchedule"),
            (
                json!({"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}),
                "a:NoExecute op=Exists for 30s",
            ),
        ];
        for (item, expected) in cases {
            assert_eq!(identity_label(identity, &item), expected);
        }
    }
}
