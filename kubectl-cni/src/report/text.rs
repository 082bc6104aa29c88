//! Strings from a cluster in, strings that are safe to show out, and how wide they are. Event messages can be written by whoever may create a pod.

/// The text on one line, with everything visible that could steer a terminal, reorder a line or hide in it.
pub(super) fn printable(text: &str) -> String {
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

/// Control, format and tag characters, and the two code points XML knows no way to write.
fn hidden(c: char) -> bool {
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
            '↔' => out.push_str("<->"),
            '…' => out.push_str("..."),
            '·' => out.push('|'),
            '×' => out.push('x'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '‐'..='―' | '─' => out.push('-'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            'µ' | 'μ' => out.push('u'),
            _ => out.push('?'),
        }
    }
    out
}

/// Columns a terminal gives to the text: two for East Asian wide characters and emoji, none for combining marks.
pub(super) fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{300}'..='\u{36f}' | '\u{fe00}'..='\u{fe0f}' => 0,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' => 2,
            '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ff60}'
            | '\u{1f300}'..='\u{1faff}'
            | '\u{20000}'..='\u{3fffd}' => 2,
            _ => 1,
        })
        .sum()
}

/// Parts of a hint in turn, `true` for a command, which stood between backticks. A backtick without a partner is text.
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

/// "6.2 s", "2 min 05 s".
pub(super) fn duration(ms: u64) -> String {
    // From 59.95 s on, one decimal would round up to a minute of sixty seconds.
    if ms < 59_950 {
        format!("{}.{} s", (ms + 50) / 1000, (ms + 50) % 1000 / 100)
    } else {
        let seconds = (ms + 500) / 1000;
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// "1 node", "3 nodes".
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
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
        assert_eq!(columns("node"), 4);
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("e\u{301}"), 1);
    }

    #[test]
    fn commands_stand_between_backticks() {
        assert_eq!(
            commands("run `kubectl get ds`, then look"),
            [("run ", false), ("kubectl get ds", true), (", then look", false)]
        );
        assert_eq!(commands("a lone ` stays"), [("a lone ` stays", false)]);
        assert_eq!(commands(""), []);
    }

    #[test]
    fn durations_read_well() {
        let read: Vec<String> = [0, 49, 6_249, 59_949, 59_950, 125_000].into_iter().map(duration).collect();
        assert_eq!(read, ["0.0 s", "0.0 s", "6.2 s", "59.9 s", "1 min 00 s", "2 min 05 s"]);
    }

    #[test]
    fn ascii_is_ascii() {
        assert_eq!(ascii("n1→n2 · 5 µs … 日"), "n1->n2 | 5 us ... ?");
    }
}
