//! Strings from a chart or a cluster in, strings that are safe to show out, and how wide they are.

use std::fmt;

/// Text on one line in which nothing steers a terminal, reorders a line or hides. There is no other way to make one
/// than [`Safe::new`], and writers take nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Safe(String);

impl Safe {
    pub(super) fn new(text: impl AsRef<str>) -> Self {
        Self(printable(text.as_ref()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Safe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text on one line, with everything visible that could steer a terminal, reorder a line or hide in it.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Control, format and tag characters, and two code points that are no characters.
pub(super) fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text in ASCII for terminals that show nothing else.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '→' => out.push_str("->"),
            '←' => out.push_str("<-"),
            '…' => out.push_str("..."),
            '·' => out.push('|'),
            '×' => out.push('x'),
            '‼' => out.push('!'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '‐'..='―' | '─' => out.push('-'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            _ => out.push('?'),
        }
    }
    out
}

/// Columns a terminal gives to the text: two for East Asian wide characters and emoji, none for combining marks.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Columns of one character.
pub(super) fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' => 2,
        '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Parts of a sentence in turn, `true` for a command, which stood between backticks. A backtick without a partner is text.
pub(super) fn commands(text: &str) -> Vec<(&str, bool)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((command, after)) = after.split_once('`') else { break };
        parts.push((before, false));
        parts.push((command, true));
        rest = after;
    }
    parts.push((rest, false));
    parts.retain(|(part, _)| !part.is_empty());
    parts
}

/// "1 node", "3 nodes", "1,204 keys".
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(n), if n == 1 { "" } else { "s" })
}

/// "1,204".
pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The text if it has at most `limit` characters; else its beginning and end and how long it is.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    around(text, 0, limit)
}

/// Two texts as [`shorten`] gives them, but so that the place where they part is in sight.
pub(super) fn shorten_pair(old: &str, new: &str, limit: usize) -> (String, String) {
    let parting = old.chars().zip(new.chars()).take_while(|(a, b)| a == b).count();
    (around(old, parting, limit), around(new, parting, limit))
}

/// What is around the character number `at`, where the text has more than `limit` characters.
fn around(text: &str, at: usize, limit: usize) -> String {
    // Bytes are never fewer than characters: most texts need no counting.
    if text.len() <= limit {
        return text.to_owned();
    }
    let length = text.chars().count();
    if length <= limit {
        return text.to_owned();
    }
    let slice = |from: usize, to: usize| text.chars().skip(from).take(to - from).collect::<String>();
    let tail = slice(length - limit / 6, length);
    let said = format!("({} characters)", thousands(length));
    if at < limit / 2 {
        return format!("{} … {tail} {said}", slice(0, limit * 2 / 3));
    }
    let start = (at - limit / 12).min(length - limit / 2);
    let stop = start + limit / 2;
    let head = slice(0, limit / 6);
    if stop + limit / 6 >= length {
        return format!("{head} … {} {said}", slice(start, length));
    }
    format!("{head} … {} … {tail} {said}", slice(start, stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\u{9b}31mc"), "a\\u{1b}[2Jb\\u{9b}31mc");
        assert_eq!(printable("one\r\ntwo\tthree"), "one  two three");
        assert_eq!(printable("name\u{202e}gpj.\u{200b}exe"), "name\\u{202e}gpj.\\u{200b}exe");
        assert_eq!(printable("node-1 é 日本 🦀"), "node-1 é 日本 🦀");
    }

    #[test]
    fn columns_are_those_of_a_terminal() {
        assert_eq!([columns("node"), columns("日本"), columns("e\u{301}")], [4, 4, 1]);
    }

    #[test]
    fn commands_stand_between_backticks() {
        assert_eq!(
            commands("run `kubectl get ds`, then look"),
            [("run ", false), ("kubectl get ds", true), (", then look", false)]
        );
        assert_eq!(commands("a lone ` stays"), [("a lone ` stays", false)]);
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(count(1, "key"), "1 key");
        assert_eq!(ascii("a → b … ≤ 日"), "a -> b ... <= ?");
    }

    #[test]
    fn long_texts_keep_both_ends_and_say_their_length() {
        assert_eq!(shorten("short", 24), "short");
        let long: String = ('a'..='z').cycle().take(1_300).collect();
        assert_eq!(shorten(&long, 24), "abcdefghijklmnop … wxyz (1,300 characters)");
        assert_eq!(shorten(&"é".repeat(24), 24), "é".repeat(24));
    }

    #[test]
    fn two_long_texts_show_where_they_part() {
        for at in [0, 11, 12, 100, 500, 970, 980, 995, 999] {
            let mut other: Vec<char> = "x".repeat(1_000).chars().collect();
            other[at] = 'Y';
            let (old, new) = shorten_pair(&"x".repeat(1_000), &other.iter().collect::<String>(), 48);
            assert!(new.contains('Y') && old != new, "{at}: {old} | {new}");
            assert!(new.chars().count() <= 48 + 30, "{at}: {new}");
        }
        let (old, new) = shorten_pair(&"x".repeat(1_000), &"x".repeat(1_001), 48);
        assert_ne!(old, new);
    }
}
