//! A comparison in Jira's wiki markup. Jira has no language for diffs, so changes stand in `{noformat}`, where the
//! signs carry the meaning, and nothing but its own end has to be kept out.

use super::Outcome;
use super::outline::{Body, Fact, Group, Mark, NoteItem, Outline, Place, Row, Table, level_word, row_aside};
use super::text::{Safe, commands, count};
use super::ticket::{Markup, TicketStyle, ticket};
use crate::comparison::{Comparison, Level};

/// The comparison as wiki markup for a Jira description or comment.
pub fn jira(comparison: &Comparison, style: &TicketStyle) -> String {
    ticket(comparison, style, &Jira { all: style.show.all })
}

struct Jira {
    all: bool,
}

/// Rows of one group.
const ROWS: usize = 40;

// Colours that can be read on white and on Jira's dark theme.
const RED: &str = "#de350b";
const AMBER: &str = "#b65c02";
const GREEN: &str = "#1f845a";
const BLUE: &str = "#0c66e4";
const PURPLE: &str = "#8f7ee7";

impl Markup for Jira {
    fn verdict(&self, outline: &Outline, left_out: &str) -> String {
        let word = outline.outcome.word();
        let colour = match outline.outcome {
            Outcome::Blocked => RED,
            Outcome::Undecided => PURPLE,
            Outcome::Risks => AMBER,
            Outcome::Changes => BLUE,
            Outcome::Same => GREEN,
        };
        let subject = match outline.subject.as_str() {
            "" => String::new(),
            subject => format!(", {}", escape(subject)),
        };
        let tally: Vec<String> = outline.tally.iter().map(|phrase| escape(phrase.as_str())).collect();
        let mut blocks = vec![
            format!("h2. helm cnidiff: {{color:{colour}}}{word}{{color}}{subject}"),
            format!("*{word}*: {}. {}.", tally.join(", "), outline.outcome.meaning()),
        ];
        if !left_out.is_empty() {
            blocks.push(format!("*Cut to fit.* {}", prose(left_out)));
        }
        blocks.extend(facts(&outline.facts, |line| prose(line.as_str())));
        blocks.join("\n\n")
    }

    fn heading(&self, title: &str) -> String {
        format!("h3. {}", escape(title))
    }

    fn remark(&self, text: &str, loud: bool) -> String {
        if loud { format!("{{color:{AMBER}}}{}{{color}}", prose(text)) } else { prose(text) }
    }

    fn note(&self, note: &NoteItem, few: usize) -> String {
        let word = level_word(note.level);
        let word = match note.level {
            Level::Blocker => format!("{{color:{RED}}}*{word}*{{color}}"),
            Level::Risk => format!("{{color:{AMBER}}}*{word}*{{color}}"),
            Level::Info => word.to_owned(),
        };
        let mut lines = vec![format!("* {word}: {} ({})", prose(note.title.as_str()), escape(note.id.as_str()))];
        let few = if note.places.len() <= few.saturating_add(1) { note.places.len() } else { few };
        lines.extend(note.places[..few].iter().map(|place| format!("** {}", self::place(place))));
        if few < note.places.len() {
            lines.push(format!("** … and {}", count(note.places.len() - few, "more place")));
        }
        if !note.why.is_empty() {
            lines.push(format!("** {}", prose(note.why.as_str())));
        }
        if !note.fix.is_empty() {
            lines.push(format!("** *Next:* {}", prose(note.fix.as_str())));
        }
        if !note.source.is_empty() {
            lines.push(format!("** Source: {}", link(note.source.as_str())));
        }
        lines.join("\n")
    }

    fn group(&self, group: &Group, few: usize) -> String {
        // Jira's own markup folds nothing, so what would be folded is only counted.
        let closed = group.brief || !group.open && !self.all;
        let few = if self.all { few } else { few.min(ROWS) };
        let (rows, left_out) = if closed { (Vec::new(), 0) } else { group.choice(few) };
        let sign = if group.mark == Mark::Same { String::new() } else { escape(&format!("{} ", group.mark.sign())) };
        let mut tail = String::new();
        for text in [&group.aside, &group.summary] {
            if !text.is_empty() && (text != &group.summary || rows.is_empty()) {
                tail.push_str(&format!(" · {}", prose(text.as_str())));
            }
        }
        let head = format!("{sign}*{}*{tail}", escape(group.title.as_str()));
        if rows.is_empty() {
            return head;
        }
        let mut lines = Vec::new();
        let mut under = Safe::default();
        for row in rows {
            if row.under != under {
                lines.push(if row.under.is_empty() { String::new() } else { format!("  {}", row.under) });
                under = row.under.clone();
            }
            lines.extend(self::row(row));
        }
        if left_out > 0 {
            lines.push(format!("  … and {}", count(left_out, &format!("more {}", group.noun))));
        }
        format!("{head}\n{}", noformat(&lines.join("\n")))
    }

    fn table(&self, table: &Table, few: usize) -> String {
        let few = if table.rows.len() <= few.saturating_add(1) { table.rows.len() } else { few };
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("{}{}", escape(column.name), if column.chosen { " (this command)" } else { "" }))
            .collect();
        let mut lines = vec![
            format!("*Where the ways to inherit values differ: {}*", count(table.rows.len(), "key")),
            String::new(),
            format!("||Key||{}||", names.join("||")),
        ];
        for (path, cells) in &table.rows[..few] {
            let cells: Vec<String> = cells.iter().map(|cell| escape(cell.as_str())).collect();
            lines.push(format!("|{}|{}|", escape(path.as_str()), cells.join("|")));
        }
        if few < table.rows.len() {
            lines.push(String::new());
            lines.push(format!("… and {}", count(table.rows.len() - few, "more key")));
        }
        lines.join("\n")
    }

    fn provenance(&self, outline: &Outline) -> String {
        let table = facts(&outline.provenance, |line| escape(line.as_str()));
        table.map(|table| format!("h3. Provenance\n\n{table}")).unwrap_or_default()
    }
}

fn place(place: &Place) -> String {
    let mut words = Vec::new();
    words.extend((!place.title.is_empty()).then(|| format!("{}:", prose(place.title.as_str()))));
    words.extend((!place.object.is_empty()).then(|| format!("*{}*", escape(place.object.as_str()))));
    words.extend((!place.path.is_empty()).then(|| escape(place.path.as_str())));
    let mut text = words.join(" ");
    let body = match &place.body {
        Body::Nothing | Body::Lines(_) => String::new(),
        Body::One(value) => format!("{}{}", place.was_or_now(), escape(value.as_str())),
        Body::Pair { stem, old, new } => {
            let stem = if stem.is_empty() { String::new() } else { format!("{} ", escape(stem.as_str())) };
            format!(
                "{stem}{{color:{RED}}}{}{{color}} → {{color:{GREEN}}}{}{{color}}",
                escape(old.as_str()),
                escape(new.as_str())
            )
        }
    };
    if !body.is_empty() {
        text = if text.is_empty() { body } else { format!("{text}: {body}") };
    }
    if !place.also.is_empty() {
        let few = place.also.len().min(8);
        let also: Vec<String> = place.also[..few].iter().map(|path| escape(path.as_str())).collect();
        text.push_str(&format!("; also {}", also.join(", ")));
        if few < place.also.len() {
            text.push_str(&format!(" and {} more", place.also.len() - few));
        }
    }
    text
}

fn row(row: &Row) -> Vec<String> {
    let aside = row_aside(row);
    let aside = if aside.is_empty() { String::new() } else { format!("   # {}", Safe::new(aside)) };
    let (path, sign) = (&row.path, row.mark.sign());
    let gutter = if row.must() { '!' } else { ' ' };
    match &row.body {
        Body::Nothing => vec![format!("{gutter}{sign} {path}{aside}")],
        Body::One(value) => vec![format!("{gutter}{sign} {path}: {value}{aside}")],
        Body::Pair { stem, old, new } => {
            let gap = if stem.is_empty() { "" } else { " " };
            vec![format!("{gutter}{sign} {path}: {stem}{gap}{old} → {new}{aside}")]
        }
        Body::Lines(text) => {
            let mut lines = vec![format!("{gutter}{sign} {path}:{aside}")];
            lines.extend(text.iter().map(|(mark, line)| format!("    {} {line}", mark.sign())));
            lines
        }
    }
}

fn facts(facts: &[Fact], show: impl Fn(&Safe) -> String) -> Option<String> {
    let row = |fact: &Fact| {
        let lines: Vec<String> = fact.lines.iter().map(&show).collect();
        format!("||{}|{}|", fact.label, lines.join("\n"))
    };
    let rows: Vec<String> = facts.iter().map(row).collect();
    (!rows.is_empty()).then(|| rows.join("\n"))
}

/// Text in which only its own end has a meaning, so that end is parted by a space of no width.
fn noformat(text: &str) -> String {
    format!("{{noformat}}\n{}\n{{noformat}}", text.replace("{noformat", "{\u{200b}noformat"))
}

fn prose(text: &str) -> String {
    let mut out = String::new();
    for (part, command) in commands(text) {
        let safe = escape(part);
        out.push_str(&if command { format!("{{{{{safe}}}}}") } else { safe });
    }
    out
}

/// A link where it is one and cannot be anything else; else text.
fn link(source: &str) -> String {
    let url = |c: char| c.is_ascii_alphanumeric() || "-._~/?#=&%:+,".contains(c);
    if source.starts_with("https://") && source.chars().all(url) { format!("[{source}]") } else { prose(source) }
}

/// Running text with everything taken literally.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        let rest = &text[i + c.len_utf8()..];
        match c {
            // A backslash escapes what has a meaning; two of them would be a line break.
            '\\' => out.push_str("&#92;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '{' | '}' | '[' | ']' | '*' | '_' | '^' | '~' | '|' | '!' | '#' | '?' => out.extend(['\\', c]),
            '+' | '-' if !joins(&out, rest) => out.extend(['\\', c]),
            // Smileys, dashes and links.
            '(' | ':' | ';' if rest.starts_with(|c: char| !c.is_alphanumeric() && c != ' ') || emoticon(rest) => {
                out.extend([c, '\u{200b}'])
            }
            'h' if out.is_empty() && heading(rest) => out.push_str("h\u{200b}"),
            'b' if out.is_empty() && rest.starts_with("q. ") => out.push_str("b\u{200b}"),
            '@' => out.extend(['@', '\u{200b}']),
            c => out.push(c),
        }
    }
    out
}

/// Whether a dash or plus stands inside a word, where Jira takes it literally.
fn joins(before: &str, after: &str) -> bool {
    before.ends_with(|c: char| c.is_alphanumeric()) && after.starts_with(|c: char| c.is_alphanumeric())
}

fn emoticon(rest: &str) -> bool {
    ["x)", "y)", "n)", "i)", "on)", "off)", "D", "P", "p"].iter().any(|tail| rest.starts_with(tail))
}

fn heading(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit()) && rest[1..].starts_with(". ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let cases = [
            ("kube-system/cilium", "kube-system/cilium"),
            ("{noformat}{color:red}", "\\{noformat\\}\\{color:red\\}"),
            ("[~admin] [x|http://evil]", "\\[\\~admin\\] \\[x\\|http:\u{200b}//evil\\]"),
            ("*bold* _it_ -gone-", "\\*bold\\* \\_it\\_ \\-gone\\-"),
            ("a\\\\b", "a&#92;&#92;b"),
            ("(!) :) x", "(\u{200b}\\!) :\u{200b}) x"),
            ("h1. title", "h\u{200b}1. title"),
            ("!pic.png!", "\\!pic.png\\!"),
            ("10:20 (see)", "10:20 (see)"),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected);
        }
        assert_eq!(noformat("a {noformat} b"), "{noformat}\na {\u{200b}noformat} b\n{noformat}");
        assert_eq!(prose("try `kubectl get ds`"), "try {{kubectl get ds}}");
    }
}
