//! Values in, values that may be printed out: secrets become a short keyed hash.
//!
//! The key is drawn from all secrets of both sides, so that the same input gives the same report and a hash can neither
//! be looked up nor compared with another report's.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::comparison::{FieldPath, Shown, Step, TextLine};

/// Decides what may be printed.
#[derive(Debug, Clone)]
pub struct Redactor {
    show: bool,
    key: [u8; 32],
}

/// What an object's kind says about its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Nothing: names decide.
    Plain,
    /// A Secret: everything in it but its metadata is one.
    Secret,
}

impl Subject {
    /// The subject of an object.
    pub fn of(group: &str, kind: &str) -> Self {
        if (group, kind) == ("", "Secret") { Self::Secret } else { Self::Plain }
    }
}

impl Redactor {
    /// `material` is all that is secret on both sides, in a fixed order; what else is in there does no harm.
    /// With `show` nothing is redacted.
    pub fn new<'a>(show: bool, material: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut hash = Sha256::new();
        for value in material {
            hash.update(value.to_string());
            hash.update([0]);
        }
        Self { show, key: hash.finalize().into() }
    }

    /// The value at a path, as it may be printed. Secrets inside a larger value are replaced in place.
    pub fn shown(&self, subject: Subject, path: &FieldPath, value: Option<&Value>) -> Shown {
        match value {
            None => Shown::Absent,
            Some(value) if self.show => Shown::Value(value.clone()),
            Some(value) if secret_place(subject, &path.0) && holds_secret(subject, value) => {
                Shown::Secret { hash: self.hash(value) }
            }
            Some(Value::String(text)) if secret_text(text) => Shown::Secret { hash: self.hash(&text.as_str().into()) },
            Some(value) => Shown::Value(self.scrubbed(subject, &mut path.0.clone(), value)),
        }
    }

    /// A value that is a secret wherever it stands.
    pub fn secret(&self, value: Option<&Value>) -> Shown {
        match value {
            None => Shown::Absent,
            Some(value) if self.show => Shown::Value(value.clone()),
            Some(value) => Shown::Secret { hash: self.hash(value) },
        }
    }

    /// Lines of a text, each without what looks secret in it.
    pub fn lines(&self, lines: Vec<TextLine>) -> Vec<TextLine> {
        if self.show {
            return lines;
        }
        lines.into_iter().map(|line| TextLine { text: self.line(&line.text), ..line }).collect()
    }

    /// Everything after the first name of a secret and its `:` or `=`, and passwords in URLs.
    fn line(&self, text: &str) -> String {
        let text = self.url(text);
        for (at, separator) in text.match_indices([':', '=']) {
            let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            let name = text[..at].trim_end_matches(['"', '\'', ' ']);
            let word = name.rsplit(|c| !letters(c)).next().unwrap_or_default();
            let rest = &text[at + separator.len()..];
            let value = rest.trim();
            // What follows a scheme is no value: `token://`.
            if secret_name(word) && !value.is_empty() && !value.starts_with("//") && !value.starts_with("$(") {
                let start = text.len() - rest.trim_start().len();
                return format!("{}{}", &text[..start], self.mark(&value.into()));
            }
        }
        text
    }

    /// `https://user:password@host`
    fn url(&self, text: &str) -> String {
        let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
        let end = rest.find(['/', ' ', '"', '\n']).unwrap_or(rest.len());
        match rest[..end].rsplit_once('@').and_then(|(user, _)| user.split_once(':')) {
            Some((user, password)) if !password.is_empty() => {
                let after = &rest[user.len() + 1 + password.len()..];
                format!("{scheme}://{user}:{}{after}", self.mark(&password.into()))
            }
            _ => format!("{scheme}://{}{}", &rest[..end], self.url(&rest[end..])),
        }
    }

    fn text(&self, text: &str) -> Value {
        if text.trim_start().starts_with(['{', '['])
            && let Ok(tree @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
        {
            let clean = self.scrubbed(Subject::Plain, &mut Vec::new(), &tree);
            return if clean == tree { text.into() } else { clean.to_string().into() };
        }
        if text.starts_with('-') || text.contains('\n') {
            return text.split('\n').map(|line| self.line(line)).collect::<Vec<_>>().join("\n").into();
        }
        self.url(text).into()
    }

    fn scrubbed(&self, subject: Subject, path: &mut Vec<Step>, value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let mut clean = Map::new();
                let named =
                    ["name", "key"].iter().any(|key| map.get(*key).and_then(Value::as_str).is_some_and(secret_name));
                for (key, value) in map {
                    path.push(Step::Key(key.clone()));
                    let secret = secret_place(subject, path) || (named && key == "value");
                    let value = match value {
                        value if secret && holds_secret(subject, value) => self.mark(value).into(),
                        value => self.scrubbed(subject, path, value),
                    };
                    path.pop();
                    clean.insert(key.clone(), value);
                }
                Value::Object(clean)
            }
            Value::Array(items) => {
                let mut clean = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    // `--token` and what stands behind it.
                    let flag = at.checked_sub(1).and_then(|before| items[before].as_str());
                    let flag =
                        flag.is_some_and(|flag| flag.starts_with('-') && !flag.contains('=') && secret_name(flag));
                    if flag && item.as_str().is_some_and(|word| !word.starts_with('-')) {
                        clean.push(self.mark(item).into());
                        continue;
                    }
                    path.push(Step::Index(at));
                    clean.push(self.scrubbed(subject, path, item));
                    path.pop();
                }
                Value::Array(clean)
            }
            Value::String(text) if secret_text(text) => self.mark(value).into(),
            Value::String(text) => self.text(text),
            other => other.clone(),
        }
    }

    fn mark(&self, value: &Value) -> String {
        format!("<secret {}>", self.hash(value))
    }

    fn hash(&self, value: &Value) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(value.to_string());
        // Twice, as HMAC does, so that nothing can be appended.
        let inner = hash.finalize();
        let mut outer = Sha256::new();
        outer.update(self.key);
        outer.update(inner);
        outer.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a value can be a secret. A map is none itself: it is looked into, for it may be the description of a field
/// or of a volume. In a Secret everything is one.
fn holds_secret(subject: Subject, value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        // A reference to a variable says where the secret is.
        Value::String(text) => !(text.is_empty() || text.starts_with("$(") && text.ends_with(')')),
        Value::Array(items) => !items.is_empty() && (subject == Subject::Secret || items.iter().all(Value::is_string)),
        Value::Object(map) => !map.is_empty() && subject == Subject::Secret,
        Value::Number(_) => true,
    }
}

fn holds_value(key: &str) -> bool {
    matches!(key, "value" | "data" | "stringData" | "plaintext" | "literal")
}

/// Whether a path leads to a secret.
fn secret_place(subject: Subject, path: &[Step]) -> bool {
    let top = match path.first() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    if subject == Subject::Secret {
        match top {
            "data" | "stringData" => return true,
            // kubectl keeps the whole object in there.
            "metadata" => {
                let last = path.last();
                return matches!(last, Some(Step::Key(key)) if key.ends_with("last-applied-configuration"));
            }
            _ => {}
        }
    }
    let mut steps = path.iter().rev();
    match (steps.next(), steps.next()) {
        (Some(Step::Key(key)), Some(Step::Item(item))) if key == "value" => secret_name(item),
        (Some(Step::Key(key)), Some(Step::Key(parent))) if holds_value(key) && secret_name(parent) => true,
        (Some(Step::Key(key)), _) => secret_name(key),
        // Arguments are known by their flag.
        (Some(Step::Item(item)), Some(Step::Key(list))) if list == "args" || list == "command" => secret_name(item),
        (Some(Step::Index(_)), Some(Step::Key(list))) => secret_name(list),
        _ => false,
    }
}

/// Whether a key, an environment variable or a flag names a secret itself, not where one is kept.
pub fn secret_name(name: &str) -> bool {
    let word: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    const SECRET: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "privatekey",
        "accesskey",
        "credential",
        "tlskey",
        "cakey",
        "psk",
    ];
    // Names, places, switches and life times are no secrets: `secretName`, `tokenTTL`, `automountServiceAccountToken`.
    const ABOUT: [&str; 25] = [
        "name",
        "names",
        "ref",
        "refs",
        "namespace",
        "path",
        "file",
        "dir",
        "mount",
        "enabled",
        "create",
        "method",
        "type",
        "ttl",
        "expirationseconds",
        "duration",
        "secrets",
        "backend",
        "url",
        "audience",
        "annotations",
        "labels",
        "mode",
        "sync",
        "projection",
    ];
    let mentions = SECRET.iter().any(|part| word.contains(part));
    let pull = word.contains("pull") && word.ends_with("secret");
    let switch = word.starts_with("automount") || word.starts_with("enable") || word.contains("tokenreview");
    mentions && !pull && !switch && !ABOUT.iter().any(|end| word.ends_with(end))
}

/// Whether a text is a secret wherever it stands.
fn secret_text(text: &str) -> bool {
    text.contains("PRIVATE KEY-----")
        // The same in base64: `-----BEGIN … PRIVATE KEY` begins with `LS0tLS1CRUdJTi`; a certificate does as well, and
        // is left out of reports in this form for the same price.
        || text.starts_with("LS0tLS1CRUdJTi")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(false, [&json!("key")])
    }

    #[test]
    fn names_of_secrets_are_told_from_names_of_their_places() {
        for name in [
            "password",
            "DB_PASSWORD",
            "adminToken",
            "apiKey",
            "tls.key.privateKey",
            "--token",
            "clientSecret",
            "ipsec-psk",
        ] {
            assert!(secret_name(name), "{name}");
        }
        for name in [
            "secretName",
            "automountServiceAccountToken",
            "imagePullSecrets",
            "tokenTTL",
            "secretsNamespace",
            "key",
            "secretsBackend",
            "mountPath",
            "name",
            "enableTokenReview",
            "secretRef",
            "keyFile",
            "passwordFile",
        ] {
            assert!(!secret_name(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_hashed_wherever_they_stand() {
        let hidden = [
            (Subject::Secret, FieldPath::keys(["data", "a"]), json!("eA==")),
            (Subject::Secret, FieldPath::keys(["stringData", "a"]), json!("hunter2")),
            (Subject::Secret, FieldPath::keys(["data"]), json!({"a": "eA=="})),
            (Subject::Plain, FieldPath::keys(["etcd", "password"]), json!("hunter2")),
            (Subject::Plain, FieldPath::keys(["x"]), json!("-----BEGIN EC PRIVATE KEY-----\nhunter2")),
            (
                Subject::Plain,
                FieldPath(vec![Step::Key("env".into()), Step::Item("DB_TOKEN".into()), Step::Key("value".into())]),
                json!("hunter2"),
            ),
            (
                Subject::Plain,
                FieldPath(vec![Step::Key("args".into()), Step::Item("--token".into())]),
                json!("--token=hunter2"),
            ),
            (
                Subject::Secret,
                FieldPath::keys(["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]),
                json!("{hunter2}"),
            ),
        ];
        for (subject, path, value) in hidden {
            let shown = redactor().shown(subject, &path, Some(&value));
            assert!(matches!(&shown, Shown::Secret { hash } if hash.len() == 8), "{path} {shown:?}");
        }
        let path = FieldPath::keys(["metadata", "name"]);
        assert_eq!(redactor().shown(Subject::Secret, &path, Some(&json!("s"))), Shown::Value(json!("s")));
    }

    #[test]
    fn secrets_inside_larger_values_are_replaced_in_place() {
        let container = json!({"name": "c", "args": ["--token=hunter2", "--debug=true"],
            "env": [{"name": "PASSWORD", "value": "hunter2"}, {"name": "A", "value": "b"}]});
        let Shown::Value(shown) = redactor().shown(Subject::Plain, &FieldPath::keys(["containers"]), Some(&container))
        else {
            panic!("a value is expected")
        };
        assert!(!shown.to_string().contains("hunter2"), "{shown}");
        assert!(shown["args"][0].as_str().unwrap().starts_with("--token=<secret "));
        assert_eq!(shown["args"][1], "--debug=true");
        assert_eq!(shown["env"][1]["value"], "b");
        let whole = json!({"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "hunter2"}});
        let Shown::Value(shown) = redactor().shown(Subject::Secret, &FieldPath::default(), Some(&whole)) else {
            panic!("a value is expected")
        };
        assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains("eA=="), "{shown}");
    }

    #[test]
    fn texts_are_looked_into() {
        for text in [
            "{\"a\": {\"password\": \"hunter2\"}}",
            "[{\"key\": \"db-password\", \"value\": \"hunter2\"}]",
            "https://user:hunter2@example.org/x",
            "see http://a/b and http://u:hunter2@c/d",
            "a: 1\nb: {\"x\": 1, \"token\": \"hunter2\"}\n",
            "-token=hunter2",
            "{\"password\": {\"value\": \"hunter2\"}}",
        ] {
            let shown = redactor().shown(Subject::Plain, &FieldPath::keys(["x"]), Some(&json!(text)));
            assert!(!format!("{shown:?}").contains("hunter2"), "{shown:?}");
        }
        let args = json!(["--token", "hunter2", "--name", "n"]);
        let shown = redactor().shown(Subject::Plain, &FieldPath::keys(["args"]), Some(&args));
        assert!(!format!("{shown:?}").contains("hunter2") && format!("{shown:?}").contains("\"n\""), "{shown:?}");
        for text in
            ["quay.io/external-secrets/operator:v1", "{\"mtu\": 1500}", "https://example.org:443/a@b", "one\ntwo: 2\n"]
        {
            let shown = redactor().shown(Subject::Plain, &FieldPath::keys(["x"]), Some(&json!(text)));
            assert_eq!(shown, Shown::Value(json!(text)));
        }
    }

    #[test]
    fn a_line_keeps_its_name_and_loses_its_secret() {
        let line = |text: &str| redactor().line(text);
        assert!(line("  password: hunter2").starts_with("  password: <secret "));
        assert!(line("export TOKEN=hunter2").starts_with("export TOKEN=<secret "));
        assert_eq!(line("mtu: 1500"), "mtu: 1500");
        assert_eq!(line("password:"), "password:");
    }

    #[test]
    fn equal_secrets_have_equal_hashes_in_one_report_only() {
        let path = FieldPath::keys(["password"]);
        let one = |r: &Redactor, text: &str| r.shown(Subject::Plain, &path, Some(&json!(text)));
        let other = Redactor::new(false, [&json!("another")]);
        assert_eq!(one(&redactor(), "a"), one(&redactor(), "a"));
        assert_ne!(one(&redactor(), "a"), one(&redactor(), "b"));
        assert_ne!(one(&redactor(), "a"), one(&other, "a"));
        let open = Redactor::new(true, []);
        assert_eq!(one(&open, "a"), Shown::Value(json!("a")));
    }
}
