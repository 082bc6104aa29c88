//! A comparison as one HTML file: no script, nothing loaded, light and dark, folded where there is much, whole on paper.

use super::outline::{
    Body, Fact, Group, Item, Mark, NoteItem, Outline, Part, Place, Row, Table, level_word, row_aside,
};
use super::text::{Safe, commands, count, shorten};
use super::value::Limits;
use super::{Outcome, Show};
use crate::comparison::{Comparison, Level};

const STYLE: &str = include_str!("style.css");
/// Characters of a value that stand in its row; the whole of a longer one is folded beneath it.
const VALUE: usize = 240;
/// Rows of a group that are open at once.
const ROWS: usize = 40;

/// The comparison as an HTML document.
pub fn html(comparison: &Comparison, show: &Show) -> String {
    // All of it is in the file; what is much starts out folded.
    let outline =
        Outline::new(comparison, Show { all: true, ..*show }, Limits { value: usize::MAX, digest: usize::MAX });
    let mut page = Html { out: String::new(), all: show.all };
    page.document(&outline);
    page.out
}

struct Html {
    out: String,
    all: bool,
}

impl Html {
    fn push(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    fn document(&mut self, outline: &Outline) {
        let word = outline.outcome.word();
        let subject = if outline.subject.is_empty() { Safe::new("nothing compared") } else { outline.subject.clone() };
        let class = match outline.outcome {
            Outcome::Blocked => "bad",
            Outcome::Undecided => "doubt",
            Outcome::Risks => "caution",
            Outcome::Changes => "info",
            Outcome::Same => "good",
        };
        let tally: Vec<String> = outline.tally.iter().map(|phrase| escape(phrase.as_str())).collect();
        let title = escape(subject.as_str());
        let (tally, meaning) = (tally.join(", "), outline.outcome.meaning());
        self.push("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.push("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        self.push(
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
        );
        self.push("<meta name=\"color-scheme\" content=\"light dark\">\n");
        self.push(&format!(
            "<title>{word}: {title} · helm cnidiff</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        ));
        self.push(&format!("<header>\n<p class=\"tool\">helm cnidiff</p>\n<h1>{title}</h1>\n"));
        self.push(&format!(
            "<p class=\"verdict {class}\"><strong>{word}</strong> <span>{tally}. {meaning}.</span></p>\n"
        ));
        self.facts(&outline.facts);
        if outline.parts.len() > 2 {
            let links = outline.parts.iter().enumerate();
            let links: Vec<String> =
                links.map(|(i, part)| format!("<a href=\"#part-{i}\">{}</a>", escape(&part.title))).collect();
            self.push(&format!("<nav>{}</nav>\n", links.join(" · ")));
        }
        self.push("</header>\n");
        for (i, part) in outline.parts.iter().enumerate() {
            self.part(i, part);
        }
        if !outline.provenance.is_empty() {
            self.push("<section class=\"provenance\">\n<h2>Provenance</h2>\n");
            self.facts(&outline.provenance);
            self.push("</section>\n");
        }
        self.push("</main>\n</body>\n</html>\n");
    }

    fn facts(&mut self, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.push("<table class=\"facts\">\n");
        for fact in facts {
            let class = if fact.doubt { " class=\"doubt\"" } else { "" };
            let lines: Vec<String> = fact.lines.iter().map(|line| prose(line.as_str())).collect();
            self.push(&format!("<tr{class}><th>{}</th><td>{}</td></tr>\n", fact.label, lines.join("<br>")));
        }
        self.push("</table>\n");
    }

    fn part(&mut self, number: usize, part: &Part) {
        self.push(&format!("<section id=\"part-{number}\">\n<h2>{}</h2>\n", escape(&part.title)));
        for remark in &part.said {
            let class = if remark.level.is_some() { "remark caution" } else { "remark" };
            let sign = if remark.level.is_some() { "! " } else { "" };
            self.push(&format!("<p class=\"{class}\">{sign}{}</p>\n", prose(remark.text.as_str())));
        }
        for item in &part.items {
            match item {
                Item::Note(note) => self.note(note),
                Item::Group(group) => self.group(group),
                Item::Table(table) => self.table(table),
            }
        }
        self.push("</section>\n");
    }

    fn note(&mut self, note: &NoteItem) {
        let (class, open) = match note.level {
            Level::Blocker => ("bad", " open"),
            Level::Risk => ("caution", " open"),
            Level::Info => ("info", if self.all { " open" } else { "" }),
        };
        self.push(&format!(
            "<details class=\"note {class}\"{open}><summary><span class=\"tag\">{}</span> <b>{}</b> <code class=\"id\">{}</code></summary>\n",
            level_word(note.level),
            prose(note.title.as_str()),
            escape(note.id.as_str())
        ));
        if !note.places.is_empty() {
            self.push("<ul>\n");
            for place in &note.places {
                let mut words = Vec::new();
                words.extend((!place.title.is_empty()).then(|| format!("{}:", prose(place.title.as_str()))));
                words.extend((!place.object.is_empty()).then(|| format!("<b>{}</b>", escape(place.object.as_str()))));
                words.extend((!place.path.is_empty()).then(|| format!("<code>{}</code>", escape(place.path.as_str()))));
                words.extend(Some(place_markup(place)).filter(|body| !body.is_empty()));
                let also: Vec<String> =
                    place.also.iter().map(|path| format!("<code>{}</code>", escape(path.as_str()))).collect();
                let also = if also.is_empty() { String::new() } else { format!("<br>also {}", also.join(", ")) };
                self.push(&format!("<li>{}{also}</li>\n", words.join(" ")));
            }
            self.push("</ul>\n");
        }
        if !note.why.is_empty() {
            self.push(&format!("<p>{}</p>\n", prose(note.why.as_str())));
        }
        if !note.fix.is_empty() {
            self.push(&format!("<p class=\"next\"><b>Next:</b> {}</p>\n", prose(note.fix.as_str())));
        }
        if !note.source.is_empty() {
            self.push(&format!("<p class=\"source\">{}</p>\n", link(note.source.as_str())));
        }
        self.push("</details>\n");
    }

    fn group(&mut self, group: &Group) {
        let sign = sign_markup(group.mark);
        let title = escape(group.title.as_str());
        let mut asides = Vec::new();
        asides.extend((!group.aside.is_empty()).then(|| prose(group.aside.as_str())));
        asides.extend((!group.summary.is_empty()).then(|| prose(group.summary.as_str())));
        let aside = if asides.is_empty() { String::new() } else { format!(" <small>{}</small>", asides.join(" · ")) };
        if group.rows.is_empty() || group.brief {
            self.push(&format!("<p class=\"line\">{sign}<b>{title}</b>{aside}</p>\n"));
            return;
        }
        let few = group.rows.len() <= ROWS;
        let open = if self.all || group.open && few || group.rows.iter().any(Row::must) { " open" } else { "" };
        self.push(&format!("<details class=\"group\"{open}><summary>{sign}<b>{title}</b>{aside}</summary>\n"));
        self.push("<table class=\"rows\">\n<colgroup><col class=\"sign\"><col class=\"path\"><col><col class=\"aside\"></colgroup>\n");
        let mut under = &Safe::default();
        for row in &group.rows {
            if row.under != *under {
                under = &row.under;
                let markup =
                    format!("<tr class=\"under\"><td></td><td colspan=\"3\">{}</td></tr>\n", path_markup(under));
                self.push(if under.is_empty() {
                    "<tr class=\"under\"><td colspan=\"4\"></td></tr>\n"
                } else {
                    &markup
                });
            }
            self.row(row);
        }
        self.push("</table>\n</details>\n");
    }

    fn row(&mut self, row: &Row) {
        let level = match row.level {
            Some(Level::Blocker) => " bad",
            Some(Level::Risk) => " caution",
            _ => "",
        };
        let class = match row.mark {
            Mark::Added => "added",
            Mark::Removed => "removed",
            Mark::Changed => "changed",
            Mark::Same => "same",
        };
        let gutter = if row.must() { "!" } else { "" };
        let sign = escape(row.mark.sign().to_string().trim());
        let aside = prose(&row_aside(row));
        self.push(&format!(
            "<tr class=\"{class}{level}\"><td class=\"sign\">{gutter}{sign}</td><td class=\"path\">{}</td><td>{}</td><td class=\"aside\">{aside}</td></tr>\n",
            path_markup(&row.path),
            value_markup(&row.body)
        ));
    }

    fn table(&mut self, table: &Table) {
        self.push(&format!(
            "<details class=\"group\" open><summary><b>Where the ways to inherit values differ: {}</b> <small>* is this command</small></summary>\n<div class=\"wide\"><table class=\"modes\">\n<tr><th>Key</th>",
            count(table.rows.len(), "key")
        ));
        for column in &table.columns {
            let (class, star) = if column.chosen { (" class=\"chosen\"", " *") } else { ("", "") };
            self.push(&format!("<th{class}>{}{star}</th>", escape(column.name)));
        }
        self.push("</tr>\n");
        for (path, cells) in &table.rows {
            self.push(&format!("<tr><td class=\"path\">{}</td>", path_markup(path)));
            for (cell, column) in cells.iter().zip(&table.columns) {
                let class = if column.chosen { " class=\"chosen\"" } else { "" };
                self.push(&format!("<td{class}><code>{}</code></td>", escape(cell.as_str())));
            }
            self.push("</tr>\n");
        }
        self.push("</table></div>\n</details>\n");
    }
}

fn sign_markup(mark: Mark) -> String {
    let class = match mark {
        Mark::Added => "added",
        Mark::Removed => "removed",
        Mark::Changed => "changed",
        Mark::Same => return String::new(),
    };
    format!("<span class=\"sign {class}\">{}</span> ", mark.sign())
}

/// A path that a browser may break behind its dots.
fn path_markup(path: &Safe) -> String {
    escape(path.as_str()).replace('.', ".<wbr>").replace('[', "<wbr>[")
}

fn value_markup(body: &Body) -> String {
    match body {
        Body::Nothing => String::new(),
        Body::One(value) => format!("<code>{}</code>", folded(value)),
        Body::Pair { stem, old, new } => {
            let stem = if stem.is_empty() { String::new() } else { format!("<code>{}</code> ", folded(stem)) };
            let long = old.as_str().len().max(new.as_str().len()) > VALUE;
            if !long {
                let (old, new) = (escape(old.as_str()), escape(new.as_str()));
                return format!("{stem}<del>{old}</del> → <ins>{new}</ins>");
            }
            let (short_old, short_new) = super::text::shorten_pair(old.as_str(), new.as_str(), VALUE);
            format!(
                "{stem}<del>{}</del> → <ins>{}</ins>\n<details class=\"long\"><summary>both in full</summary><p><del>{}</del></p><p><ins>{}</ins></p></details>",
                escape(&short_old),
                escape(&short_new),
                escape(old.as_str()),
                escape(new.as_str())
            )
        }
        Body::Lines(lines) => {
            let mut out = String::from("<pre>");
            for (mark, line) in lines {
                let (open, close) = match mark {
                    Mark::Added => ("<ins>", "</ins>"),
                    Mark::Removed => ("<del>", "</del>"),
                    _ => ("", ""),
                };
                out.push_str(&format!("{open}{} {}{close}\n", escape(&mark.sign().to_string()), escape(line.as_str())));
            }
            out + "</pre>"
        }
    }
}

/// What a note says of its place: one value alone is told as come or gone.
fn place_markup(place: &Place) -> String {
    match (&place.body, place.mark) {
        (Body::One(value), Mark::Added) => format!("+ <ins>{}</ins>", escape(&shorten(value.as_str(), VALUE))),
        (Body::One(value), Mark::Removed) => format!("- <del>{}</del>", escape(&shorten(value.as_str(), VALUE))),
        _ => value_markup(&place.body),
    }
}

/// The value, and if it is long its whole beneath it.
fn folded(value: &Safe) -> String {
    let text = value.as_str();
    if text.len() <= VALUE {
        return escape(text);
    }
    let short = escape(&shorten(text, VALUE));
    format!("{short}</code>\n<details class=\"long\"><summary>in full</summary><p>{}</p></details><code>", escape(text))
}

fn prose(text: &str) -> String {
    let mut out = String::new();
    for (part, command) in commands(text) {
        let safe = escape(part);
        out.push_str(&if command { format!("<code>{safe}</code>") } else { safe });
    }
    out
}

/// A link where it is one; else text.
fn link(source: &str) -> String {
    let safe = escape(source);
    let url = source.starts_with("https://") && !source.contains(|c: char| c.is_whitespace());
    if url { format!("<a href=\"{safe}\" rel=\"noreferrer\">{safe}</a>") } else { safe }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<script>alert(\"1\")&'"), "&lt;script&gt;alert(&quot;1&quot;)&amp;&#39;");
        assert_eq!(link("javascript:alert(1)"), "javascript:alert(1)");
        assert_eq!(link("https://x\" onclick=y"), "https://x&quot; onclick=y");
        assert_eq!(link("https://x\"y"), "<a href=\"https://x&quot;y\" rel=\"noreferrer\">https://x&quot;y</a>");
        assert_eq!(prose("run `a<b`"), "run <code>a&lt;b</code>");
    }

    #[test]
    fn a_long_value_is_there_whole_too() {
        let long = Safe::new("x".repeat(500));
        let markup = value_markup(&Body::One(long.clone()));
        assert!(markup.contains("(500 characters)") && markup.contains(long.as_str()), "{markup}");
        assert_eq!(markup.matches("<code>").count(), markup.matches("</code>").count());
    }
}
