//! A comparison as GitHub-flavoured Markdown for a change ticket. GitLab's dialect is the same but where
//! [`Flavour`] says otherwise.

use super::escape::{code, escape, fenced, in_cell, inline_html, link, prose};
use super::outline::{Body, Fact, Group, Mark, NoteItem, Outline, Place, Row, Table, level_word, row_aside};
use super::text::{Safe, count};
use super::ticket::{Markup, TicketStyle, is_loud, ticket};
use crate::comparison::Comparison;

/// The comparison as a Markdown document for a GitHub issue, pull request or job summary.
pub fn markdown(comparison: &Comparison, style: &TicketStyle) -> String {
    ticket(comparison, style, &Markdown { flavour: Flavour::GitHub })
}

pub(super) struct Markdown {
    pub(super) flavour: Flavour,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// A `!` line of a diff fence is shown in a colour of its own.
    GitHub,
    /// It is not, so before and after stand on a line each; but there is markup for an inline change.
    GitLab,
}

/// Columns up to which before and after stand on one line of a fence.
const ONE_LINE: usize = 110;

/// Rows of a list that stand open in a ticket.
const OPEN_ROWS: usize = 30;

impl Markup for Markdown {
    fn verdict(&self, outline: &Outline, left_out: &str) -> String {
        let word = outline.outcome.word();
        let subject = match outline.subject.as_str() {
            "" => String::new(),
            subject => format!(", {}", escape(subject)),
        };
        let tally: Vec<String> = outline.tally.iter().map(|phrase| escape(phrase.as_str())).collect();
        let mut blocks = vec![
            format!("## helm cnidiff: {word}{subject}"),
            format!("**{word}**: {}. {}.", tally.join(", "), outline.outcome.meaning()),
        ];
        if !left_out.is_empty() {
            blocks.push(format!("> **Cut to fit.** {}", prose(left_out)));
        }
        blocks.extend(facts(&outline.facts, |line| prose(line.as_str())));
        blocks.join("\n\n")
    }

    fn heading(&self, title: &str) -> String {
        format!("### {title}")
    }

    fn remark(&self, text: &str, loud: bool) -> String {
        if loud { format!("**!** {}", prose(text)) } else { prose(text) }
    }

    fn note(&self, note: &NoteItem, few: usize) -> String {
        let word = level_word(note.level);
        let word = if is_loud(note.level) { format!("**{word}**") } else { word.to_owned() };
        let mut lines = vec![format!("- {word}: {} {}", prose(note.title.as_str()), code(note.id.as_str()))];
        let few = if note.places.len() <= few.saturating_add(1) { note.places.len() } else { few };
        lines.extend(note.places[..few].iter().map(|place| format!("  - {}", self.place(place))));
        if few < note.places.len() {
            lines.push(format!("  - … and {}", count(note.places.len() - few, "more place")));
        }
        if !note.why.is_empty() {
            lines.push(format!("  - {}", prose(note.why.as_str())));
        }
        if !note.fix.is_empty() {
            lines.push(format!("  - **Next:** {}", prose(note.fix.as_str())));
        }
        if !note.source.is_empty() {
            lines.push(format!("  - Source: {}", link(note.source.as_str())));
        }
        lines.join("\n")
    }

    fn group(&self, group: &Group, few: usize) -> String {
        let (rows, left_out) = group.choice(few);
        let object = group.mark != Mark::Same;
        if rows.is_empty() || group.brief {
            let tail: Vec<String> = [&group.aside, &group.summary]
                .iter()
                .filter(|text| !text.is_empty())
                .map(|text| prose(text.as_str()))
                .collect();
            let tail = if tail.is_empty() { String::new() } else { format!(": {}", tail.join("; ")) };
            return format!("- **{}** {}{tail}", escape(&group.mark.sign().to_string()), code(group.title.as_str()));
        }
        let fence = self.fence(&rows, left_out, group.noun);
        let folded = object || !group.open || rows.len() > OPEN_ROWS;
        let title = inline_html(group.title.as_str());
        let sign = if object { format!("{} ", inline_html(&group.mark.sign().to_string())) } else { String::new() };
        let mut aside: Vec<String> = Vec::new();
        aside.extend((!group.aside.is_empty()).then(|| inline_html(group.aside.as_str())));
        aside.extend((!group.summary.is_empty() && object).then(|| inline_html(group.summary.as_str())));
        let aside = if aside.is_empty() { String::new() } else { format!(" · {}", aside.join(" · ")) };
        if folded {
            let open = group.prominent || rows.iter().any(|row| row.must());
            let open = if open { " open" } else { "" };
            format!("<details{open}><summary>{sign}<b>{title}</b>{aside}</summary>\n\n{fence}\n\n</details>")
        } else {
            let aside =
                if group.aside.is_empty() { String::new() } else { format!(" · {}", prose(group.aside.as_str())) };
            format!("**{}**{aside}\n\n{fence}", escape(group.title.as_str()))
        }
    }

    fn table(&self, table: &Table, few: usize) -> String {
        let few = if table.rows.len() <= few.saturating_add(1) { table.rows.len() } else { few };
        let names: Vec<String> = table
            .columns
            .iter()
            .map(
                |column| {
                    if column.chosen { format!("**{}** (this command)", column.name) } else { column.name.to_owned() }
                },
            )
            .collect();
        let mut lines = vec![
            format!("**Where the ways to inherit values differ: {}**", count(table.rows.len(), "key")),
            String::new(),
            format!("| Key | {} |", names.join(" | ")),
            format!("|---|{}", "---|".repeat(names.len())),
        ];
        for (path, cells) in &table.rows[..few] {
            let cells: Vec<String> = cells.iter().map(|cell| in_cell(&code(cell.as_str()))).collect();
            lines.push(format!("| {} | {} |", in_cell(&code(path.as_str())), cells.join(" | ")));
        }
        if few < table.rows.len() {
            lines.push(String::new());
            lines.push(format!("… and {}", count(table.rows.len() - few, "more key")));
        }
        lines.join("\n")
    }

    fn provenance(&self, outline: &Outline) -> String {
        let table = facts(&outline.provenance, |line| code(line.as_str()));
        table.map(|table| format!("### Provenance\n\n{table}")).unwrap_or_default()
    }
}

impl Markdown {
    fn place(&self, place: &Place) -> String {
        let mut words = Vec::new();
        words.extend((!place.title.is_empty()).then(|| format!("{}:", prose(place.title.as_str()))));
        words.extend((!place.object.is_empty()).then(|| code(place.object.as_str())));
        words.extend((!place.path.is_empty()).then(|| code(place.path.as_str())));
        let mut text = words.join(" ");
        let body = match &place.body {
            Body::Nothing | Body::Lines(_) => String::new(),
            Body::One(value) => format!("{}{}", place.was_or_now(), code(value.as_str())),
            Body::Pair { stem, old, new } => {
                let stem = if stem.is_empty() { String::new() } else { format!("{} ", code(stem.as_str())) };
                match self.flavour {
                    Flavour::GitHub => format!("{stem}{} → {}", code(old.as_str()), code(new.as_str())),
                    Flavour::GitLab => {
                        format!("{stem}[- {} -] {{+ {} +}}", escape(old.as_str()), escape(new.as_str()))
                    }
                }
            }
        };
        if !body.is_empty() {
            text = if text.is_empty() { body } else { format!("{text}: {body}") };
        }
        if !place.also.is_empty() {
            let few = place.also.len().min(8);
            let also: Vec<String> = place.also[..few].iter().map(|path| code(path.as_str())).collect();
            text.push_str(&format!("; also {}", also.join(", ")));
            if few < place.also.len() {
                text.push_str(&format!(" and {} more", place.also.len() - few));
            }
        }
        text
    }

    /// A diff fence that no content gets out of.
    fn fence(&self, rows: &[&Row], left_out: usize, noun: &str) -> String {
        let mut lines = Vec::new();
        let mut under = Safe::default();
        for row in rows {
            if row.under != under {
                lines.push(if row.under.is_empty() { String::new() } else { format!("@@ {} @@", row.under) });
                under = row.under.clone();
            }
            lines.extend(self.row(row));
        }
        if left_out > 0 {
            lines.push(format!("  … and {}", count(left_out, &format!("more {noun}"))));
        }
        fenced("diff", &lines.join("\n"))
    }

    fn row(&self, row: &Row) -> Vec<String> {
        let aside = row_aside(row);
        let aside = if aside.is_empty() { String::new() } else { format!("   # {}", Safe::new(aside)) };
        let (path, sign) = (&row.path, row.mark.sign());
        let changed = match self.flavour {
            Flavour::GitHub => '!',
            Flavour::GitLab => ' ',
        };
        match &row.body {
            Body::Nothing if row.mark == Mark::Changed => vec![format!("{changed} {path}{aside}")],
            Body::Nothing => vec![format!("{sign} {path}{aside}")],
            Body::One(value) if row.mark == Mark::Changed => vec![format!("{changed} {path}: {value}{aside}")],
            Body::One(value) => vec![format!("{sign} {path}: {value}{aside}")],
            Body::Pair { stem, old, new } => {
                let gap = if stem.is_empty() { "" } else { " " };
                let long = [path, stem, old, new].iter().map(|text| text.as_str().chars().count()).sum::<usize>();
                if self.flavour == Flavour::GitHub && long <= ONE_LINE {
                    vec![format!("! {path}: {stem}{gap}{old} → {new}{aside}")]
                } else {
                    vec![format!("- {path}: {stem}{gap}{old}"), format!("+ {path}: {stem}{gap}{new}{aside}")]
                }
            }
            Body::Lines(text) => {
                let mut lines = vec![format!("{changed} {path}:{aside}")];
                lines.extend(text.iter().map(|(mark, line)| format!("{} {line}", mark.sign())));
                lines
            }
        }
    }
}

/// A table of words and what belongs to them.
fn facts(facts: &[Fact], show: impl Fn(&Safe) -> String) -> Option<String> {
    let mut rows = facts.iter().map(|fact| {
        let lines: Vec<String> = fact.lines.iter().map(|line| in_cell(&show(line))).collect();
        let label = if fact.doubt { format!("**{}**", fact.label) } else { fact.label.to_owned() };
        format!("| {label} | {} |", lines.join("<br>"))
    });
    // A table has to have a head; an empty one would be shown.
    let mut table = rows.next()? + "\n|---|---|";
    for row in rows {
        table.push('\n');
        table.push_str(&row);
    }
    Some(table)
}
