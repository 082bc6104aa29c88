//! Values in, one line of text out: plain where it cannot be misread, quoted where it could.

use serde_json::Value;

use super::text::{Safe, shorten, shorten_pair};
use crate::comparison::{Image, Shown};

/// How much of a value is shown.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Characters of a value; a longer one is shortened in the middle.
    pub(super) value: usize,
    /// Hexadecimal digits of an image's digest; with none it is only said that it changes.
    pub(super) digest: usize,
}

/// The value on one line, not longer than allowed.
pub(super) fn shown(value: &Shown, limits: Limits) -> Safe {
    Safe::new(shorten(full(value).as_str(), limits.value))
}

/// Two values, behind what stays the same where both are images; where they are long, the place where they part is in
/// sight.
pub(super) fn pair(old: &Shown, new: &Shown, limits: Limits) -> (Safe, Safe, Safe) {
    if let (Some(old), Some(new)) = (pinned(old), pinned(new)) {
        let (stem, old, new, _) = image(&old, &new, limits);
        return (stem, old, new);
    }
    let (old, new) = shorten_pair(full(old).as_str(), full(new).as_str(), limits.value);
    (Safe::default(), Safe::new(old), Safe::new(new))
}

/// The image that the value names, if it does so by digest; without one, what looks like an image may be something else.
fn pinned(value: &Shown) -> Option<Image> {
    let Shown::Value(Value::String(text)) = value else { return None };
    let (rest, digest) = text.split_once('@').filter(|(_, digest)| digest.starts_with("sha256:"))?;
    let (repository, tag) = rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((rest, ""));
    Some(Image { repository: repository.into(), tag: tag.into(), digest: digest.into() })
}

/// A change of an image: what stays, what was, what will be, and what there is to say at the side.
pub(super) fn image(old: &Image, new: &Image, limits: Limits) -> (Safe, Safe, Safe, &'static str) {
    let (old, new) = (&apart(old), &apart(new));
    let digest_words = match (old.digest == new.digest, old.digest.is_empty(), new.digest.is_empty()) {
        (true, _, _) => "",
        (false, true, _) => "now pinned by digest",
        (false, _, true) => "no longer pinned by digest",
        _ if limits.digest > 0 => "",
        _ => "digest too",
    };
    let (stem, before, after, aside) = if old.repository != new.repository {
        if old.tag == new.tag && old.digest == new.digest {
            (String::new(), old.repository.clone(), new.repository.clone(), "the same tag from elsewhere")
        } else {
            (String::new(), reference(old, limits.digest), reference(new, limits.digest), digest_words)
        }
    } else if old.tag != new.tag {
        (old.repository.clone(), version(old, limits.digest), version(new, limits.digest), digest_words)
    } else {
        let digits = limits.digest.max(12);
        let tag = if old.tag.is_empty() { String::new() } else { format!(":{}", old.tag) };
        let both = !old.digest.is_empty() && !new.digest.is_empty();
        let aside = if both && !tag.is_empty() { "same tag, another digest" } else { digest_words };
        let aside = if both && tag.is_empty() { "" } else { aside };
        (format!("{}{tag}", old.repository), digest(&old.digest, digits), digest(&new.digest, digits), aside)
    };
    let (before, after) = shorten_pair(&before, &after, limits.value);
    (Safe::new(shorten(&stem, limits.value)), Safe::new(before), Safe::new(after), aside)
}

/// The image with the digest where it belongs: some charts keep it in the tag.
fn apart(image: &Image) -> Image {
    match image.tag.split_once('@') {
        Some((tag, digest)) if image.digest.is_empty() => {
            Image { repository: image.repository.clone(), tag: tag.to_owned(), digest: digest.to_owned() }
        }
        _ => image.clone(),
    }
}

/// `quay.io/cilium/cilium:v1.19.6`
fn reference(image: &Image, digits: usize) -> String {
    let parted = if image.tag.is_empty() { "@" } else { ":" };
    format!("{}{parted}{}", image.repository, version(image, digits))
}

/// `v1.19.6`, with a digest where digits of it are wanted or it is all there is.
fn version(image: &Image, digits: usize) -> String {
    match (image.tag.as_str(), image.digest.as_str()) {
        ("", "") => "(no tag)".to_owned(),
        ("", text) => digest(text, digits.max(12)),
        (tag, text) if digits > 0 && !text.is_empty() => format!("{tag}@{}", digest(text, digits)),
        (tag, _) => tag.to_owned(),
    }
}

/// `sha256:49d87af187ee…`
fn digest(digest: &str, digits: usize) -> String {
    if digest.is_empty() {
        return "(no digest)".to_owned();
    }
    let (algorithm, hex) = digest.split_once(':').unwrap_or(("", digest));
    let cut: String = hex.chars().take(digits).collect();
    let more = if cut.len() < hex.len() { "…" } else { "" };
    let colon = if algorithm.is_empty() { "" } else { ":" };
    format!("{algorithm}{colon}{cut}{more}")
}

fn full(value: &Shown) -> Safe {
    Safe::new(match value {
        Shown::Absent => "(not set)".to_owned(),
        Shown::Secret { hash } => format!("(secret {hash})"),
        Shown::Value(Value::String(text)) if bare(text, "") => text.clone(),
        Shown::Value(value) => flow(value),
    })
}

fn flow(value: &Value) -> String {
    let mut out = String::new();
    write_flow(value, &mut out);
    out
}

fn write_flow(value: &Value, out: &mut String) {
    match value {
        Value::String(text) if bare(text, ",:{}[]\"'") => out.push_str(text),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_flow(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                out.push_str(key);
                out.push_str(": ");
                write_flow(value, out);
            }
            out.push('}');
        }
        // Strings that could be misread come out quoted, line breaks in them as \n.
        other => out.push_str(&other.to_string()),
    }
}

/// Whether the string can stand without quotes: nobody would take it for another type, or not see where it ends.
fn bare(text: &str, inside: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let digits_first = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    let number = digits_first
        && (text.replace('_', "").parse::<f64>().is_ok()
            || text.starts_with("0x")
            || text.starts_with("0o")
            || text.chars().all(|c| c.is_ascii_digit() || c == ':'));
    let other_type = number || matches!(word.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "~");
    let looks_built = text.starts_with(['{', '[', '"', '\'', '(']);
    !text.is_empty()
        && text.trim() == text
        && !other_type
        && !looks_built
        && !text.contains(|c: char| c.is_control() || inside.contains(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WIDE: Limits = Limits { value: 200, digest: 0 };

    #[test]
    fn a_value_cannot_be_taken_for_another_type() {
        let cases = [
            (json!("vxlan"), "vxlan"),
            (json!("true"), "\"true\""),
            (json!(true), "true"),
            (json!("9879"), "\"9879\""),
            (json!(9879), "9879"),
            (json!("1.18"), "\"1.18\""),
            (json!("10.0.0.0/8"), "10.0.0.0/8"),
            (json!("10.0.0.1"), "10.0.0.1"),
            (json!("0x1f"), "\"0x1f\""),
            (json!("0s"), "0s"),
            (json!(""), "\"\""),
            (json!(null), "null"),
            (json!(" x"), "\" x\""),
            (json!("a\nb"), "\"a\\nb\""),
            (json!("(not set)"), "\"(not set)\""),
            (json!("{a: 1}"), "\"{a: 1}\""),
            (json!({"a": "x, y", "b": [1, "1", "c"]}), "{a: \"x, y\", b: [1, \"1\", c]}"),
            (json!([]), "[]"),
            (json!({}), "{}"),
        ];
        for (value, expected) in cases {
            assert_eq!(shown(&Shown::Value(value), WIDE).as_str(), expected);
        }
        assert_eq!(shown(&Shown::Secret { hash: "1a2b3c4d".into() }, WIDE).as_str(), "(secret 1a2b3c4d)");
        assert_eq!(shown(&Shown::Absent, WIDE).as_str(), "(not set)");
    }

    #[test]
    fn two_images_by_digest_are_told_as_images() {
        let of = |text: &str| Shown::Value(text.into());
        let (stem, old, new) = pair(&of("q:5000/c:v1@sha256:aa"), &of("q:5000/c:v2@sha256:bb"), WIDE);
        assert_eq!(format!("{stem} | {old} | {new}"), "q:5000/c | v1 | v2");
        let (stem, old, new) = pair(&of("a:b"), &of("a:c"), WIDE);
        assert_eq!(format!("{stem} | {old} | {new}"), " | a:b | a:c");
    }

    #[test]
    fn an_image_is_one_change() {
        let of = |repository: &str, tag: &str, digest: &str| Image {
            repository: repository.into(),
            tag: tag.into(),
            digest: digest.into(),
        };
        let (a, b) = ("sha256:49d87af187eeeb9e9e3e", "sha256:0df5b2750b64c49843ab");
        let cases = [
            (of("q/c", "v1", ""), of("q/c", "v2", ""), "q/c | v1 | v2 | "),
            (of("q/c", "v1", a), of("q/c", "v2", b), "q/c | v1 | v2 | digest too"),
            (
                of("q/c", "v1", a),
                of("q/c", "v1", b),
                "q/c:v1 | sha256:49d87af187ee… | sha256:0df5b2750b64… | same tag, another digest",
            ),
            (
                of("q/c", "v1", ""),
                of("q/c", "v1", b),
                "q/c:v1 | (no digest) | sha256:0df5b2750b64… | now pinned by digest",
            ),
            (of("q/c", "v1", a), of("m/c", "v2", b), " | q/c:v1 | m/c:v2 | digest too"),
            (of("q/c", "v1", a), of("m/c", "v1", a), " | q/c | m/c | the same tag from elsewhere"),
            (of("q/c", "", a), of("q/c", "", b), "q/c | sha256:49d87af187ee… | sha256:0df5b2750b64… | "),
            (of("q/c", "", ""), of("q/c", "v2", ""), "q/c | (no tag) | v2 | "),
            (of("q/c", "v1@sha256:aa", ""), of("q/c", "v2", b), "q/c | v1 | v2 | digest too"),
        ];
        for (old, new, expected) in cases {
            let (stem, before, after, aside) = image(&old, &new, WIDE);
            assert_eq!(format!("{stem} | {before} | {after} | {aside}"), expected);
        }
        let full = Limits { digest: 64, ..WIDE };
        let (_, before, after, aside) = image(&of("q/c", "v1", a), &of("q/c", "v2", b), full);
        assert_eq!((before.as_str(), aside), ("v1@sha256:49d87af187eeeb9e9e3e", ""));
        assert_eq!(after.as_str(), "v2@sha256:0df5b2750b64c49843ab");
    }
}
