//! Text in Markdown that is nothing but text: no markup, mention, reference, emoji, link or HTML comes out of it, neither
//! at GitHub nor at GitLab.

use super::text::commands;

/// A block of code whose fence is longer than any run of backticks in it.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

/// A sentence: commands as code, the rest taken literally.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (part, command) in commands(text) {
        out.push_str(&if command { code(part) } else { escape(part) });
    }
    out
}

/// A link where it is one and cannot be anything else; else text.
pub(super) fn link(source: &str) -> String {
    let url = |c: char| c.is_ascii_alphanumeric() || "-._~/?#=&%:+,".contains(c);
    if source.starts_with("https://") && source.chars().all(url) { format!("<{source}>") } else { prose(source) }
}

/// A pipe ends a table cell even inside a code span; outside of one [`escape`] has written it as an entity.
pub(super) fn in_cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// A code span, which no Markdown, mention or link in the text gets out of.
pub(super) fn code(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A space of no width, which parts what would become a mention, a reference, an emoji or a link after Markdown is
/// done with its escapes.
const PART: &str = "&#8203;";

/// Running text with everything taken literally.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        let rest = &text[i + c.len_utf8()..];
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '|' => out.push_str("&#124;"),
            '&' => out.push_str(&format!("&amp;{}", if before_word(rest) { PART } else { "" })),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' | '!' | '{' | '}' => {
                out.extend(['\\', c]);
                if parts(c, last_three(text, i), rest) {
                    out.push_str(PART);
                }
            }
            '-' | '+' | '=' if out.is_empty() => out.extend(['\\', c]),
            '.' if is_www(text, i) => out.push_str(&format!("{PART}.")),
            '.' | ')' if !out.is_empty() && out.bytes().all(|b| b.is_ascii_digit()) => out.extend(['\\', c]),
            c => {
                out.push(c);
                if parts(c, last_three(text, i), rest) {
                    out.push_str(PART);
                }
            }
        }
    }
    out
}

/// Text inside an HTML tag that Markdown lets through.
pub(super) fn inline_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        let rest = &text[i + c.len_utf8()..];
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            // They mean nothing in HTML; but not every reader of Markdown knows where HTML ends.
            '[' => out.push_str("&#91;"),
            ']' => out.push_str("&#93;"),
            '`' => out.push_str("&#96;"),
            '.' if is_www(text, i) => out.push_str(&format!("{PART}.")),
            c => out.push(c),
        }
        if parts(c, last_three(text, i), rest) || c == '&' && before_word(rest) {
            out.push_str(PART);
        }
    }
    out
}

/// Whether something has to stand between this character and the next.
fn parts(c: char, before: &str, rest: &str) -> bool {
    match c {
        '@' | '#' => true,
        // References of GitLab: merge requests, labels, snippets, milestones.
        '!' | '~' | '$' | '%' => before_word(rest),
        // Its inline changes.
        '{' | '[' => rest.starts_with(['+', '-']),
        '+' => rest.starts_with('}'),
        '-' => {
            rest.starts_with(']')
                || before.to_ascii_lowercase().ends_with("gh") && rest.starts_with(|c: char| c.is_ascii_digit())
        }
        ':' => rest.starts_with("//") || shortcode(rest),
        _ => false,
    }
}

/// Whether the dot at the byte `at` ends a `www.`, which is a link as soon as the dot follows.
fn is_www(text: &str, at: usize) -> bool {
    last_three(text, at).eq_ignore_ascii_case("www")
}

/// Up to three characters before the byte `at`.
fn last_three(text: &str, at: usize) -> &str {
    let from = text[..at].char_indices().rev().take(3).last().map_or(at, |(from, _)| from);
    &text[from..at]
}

fn before_word(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '_'))
}

/// Whether what follows a colon is the rest of `:emoji:`.
fn shortcode(rest: &str) -> bool {
    let name = rest.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-'))).next().unwrap_or("");
    !name.is_empty() && rest[name.len()..].starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let cases = [
            ("3 of 3, kube-flannel-ds", "3 of 3, kube-flannel-ds"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("@all see #12 and GH-12", "@&#8203;all see #&#8203;12 and GH-&#8203;12"),
            ("[x](https://evil)", "\\[x\\](https:&#8203;//evil)"),
            ("www.evil.example", "www&#8203;.evil.example"),
            ("for now.", "for now."),
            ("- a | b", "\\- a &#124; b"),
            ("1. x", "1\\. x"),
            ("so :tada: it is 10:20", "so :&#8203;tada: it is 10:20"),
            ("!5 ~bug %v1 &7 $3", "\\!&#8203;5 \\~&#8203;bug %&#8203;v1 &amp;&#8203;7 \\$&#8203;3"),
            ("{+ x +}", "\\{&#8203;+ x +&#8203;\\}"),
            ("a & b", "a &amp; b"),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(inline_html("<b>@x \"#1\""), "&lt;b&gt;@&#8203;x &quot;#&#8203;1&quot;");
    }

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "");
        assert_eq!(in_cell(&code("a|b")), "`a\\|b`");
        assert_eq!(fenced("diff", "a"), "```diff\na\n```");
        assert_eq!(fenced("diff", "`````"), "``````diff\n`````\n``````");
    }

    #[test]
    fn a_link_is_nothing_else() {
        assert_eq!(link("https://docs.cilium.io/en/v1.19/#notes"), "<https://docs.cilium.io/en/v1.19/#notes>");
        assert_eq!(link("https://x> <b>"), "https:&#8203;//x&gt; &lt;b&gt;");
        assert_eq!(link("javascript:alert"), "javascript:alert");
    }

    #[test]
    fn commands_are_code() {
        assert_eq!(prose("try `kubectl get <pod>` @once"), "try `kubectl get <pod>` @&#8203;once");
    }
}
