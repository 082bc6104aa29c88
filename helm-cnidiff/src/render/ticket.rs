//! What goes into a change ticket: pieces in the order of the report, as many as the ticket holds. The verdict is never cut.

use super::Show;
use super::outline::{Group, Item, Kind, NoteItem, Outline, Table};
use super::text::{Safe, count, shorten, thousands};
use super::value::Limits;
use crate::comparison::{Comparison, Level};

/// How much a ticket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketStyle {
    /// Characters the ticket takes, at least [`LEAST`](TicketStyle::LEAST). Bytes are held to the same number, since some trackers count those.
    pub max_chars: usize,
    /// How much of the report.
    pub show: Show,
}

impl TicketStyle {
    /// Characters without which a verdict has no room.
    pub const LEAST: usize = 8_000;
    /// For GitHub, whose API refuses more than 65,536 characters.
    pub const GITHUB: Self = Self { max_chars: 60_000, show: Show::DEFAULT };
    /// For GitLab, which takes 1,000,000 characters; kept to what a browser opens without effort.
    pub const GITLAB: Self = Self { max_chars: 200_000, show: Show::DEFAULT };
    /// For Jira, which takes 32,767 characters unless an administrator says otherwise.
    pub const JIRA: Self = Self { max_chars: 30_000, show: Show::DEFAULT };
}

/// Rows of a group, tried in turn until it fits.
const FEW: [usize; 4] = [200, 40, 12, 3];

/// One kind of markup.
pub(super) trait Markup {
    /// Title and verdict; `left_out` says what the ticket has no room for.
    fn verdict(&self, outline: &Outline, left_out: &str) -> String;
    /// A heading.
    fn heading(&self, title: &str) -> String;
    /// A sentence; `loud` for a warning.
    fn remark(&self, text: &str, loud: bool) -> String;
    /// A note with at most `few` places.
    fn note(&self, note: &NoteItem, few: usize) -> String;
    /// A group with at most `few` rows besides those that must be shown.
    fn group(&self, group: &Group, few: usize) -> String;
    /// The table of the ways to inherit values, at most `few` rows.
    fn table(&self, table: &Table, few: usize) -> String;
    /// How to get the same again.
    fn provenance(&self, outline: &Outline) -> String;
}

/// Characters below which nothing fits.
const SMALLEST: usize = 100;
/// Characters of one value in a ticket.
const VALUE: usize = 300;

/// The ticket.
pub(super) fn ticket(comparison: &Comparison, style: &TicketStyle, markup: &impl Markup) -> String {
    let limits =
        if style.show.all { Limits { value: 20_000, digest: usize::MAX } } else { Limits { value: VALUE, digest: 12 } };
    let mut outline = Outline::new(comparison, style.show, limits);
    let max = style.max_chars.max(TicketStyle::LEAST);
    // The verdict is not cut, so it must not be able to fill the ticket by itself, whatever the names in it.
    outline.subject = cut(&outline.subject, max / 100);
    outline.facts.iter_mut().flat_map(|fact| &mut fact.lines).for_each(|line| *line = cut(line, max / 100));
    outline.provenance.iter_mut().flat_map(|fact| &mut fact.lines).for_each(|line| *line = cut(line, max / 40));
    assemble(&outline, max, style.show.all, markup)
}

fn cut(line: &Safe, most: usize) -> Safe {
    Safe::new(shorten(line.as_str(), most))
}

fn assemble(outline: &Outline, max: usize, all: bool, markup: &impl Markup) -> String {
    let provenance = markup.provenance(outline);
    // Room for the sentence about what was left out, and for the blank lines.
    let fixed = markup.verdict(outline, "").len() + provenance.len() + 300;
    let mut room = max.saturating_sub(fixed);
    let mut blocks = Vec::new();
    let (mut objects, mut objects_shown, mut notes, mut notes_shown, mut others) = (0, 0, 0, 0, 0);
    for part in &outline.parts {
        let mut head = vec![markup.heading(&part.title)];
        head.extend(part.said.iter().map(|said| markup.remark(said.text.as_str(), said.level.is_some())));
        let head = head.join("\n\n");
        let mut head_taken = false;
        let mut take = |text: String, room: &mut usize| {
            let head_cost = if head_taken { 0 } else { head.len() + 2 };
            if text.len() + 2 + head_cost > *room {
                return false;
            }
            *room -= text.len() + 2 + head_cost;
            if !head_taken {
                blocks.push(head.clone());
                head_taken = true;
            }
            blocks.push(text);
            true
        };
        if part.items.is_empty() {
            take(String::new(), &mut room);
        }
        for item in &part.items {
            let drawn = |few: usize| match item {
                Item::Note(note) => markup.note(note, few),
                Item::Group(group) => markup.group(group, few),
                Item::Table(table) => markup.table(table, few),
            };
            let first = [if all { usize::MAX } else { FEW[0] }];
            let fits = room > SMALLEST && first.iter().chain(&FEW[1..]).any(|few| take(drawn(*few), &mut room));
            match item {
                Item::Note(_) => {
                    notes += 1;
                    notes_shown += usize::from(fits);
                }
                Item::Group(_) if matches!(part.kind, Kind::DaemonSets | Kind::Objects) => {
                    objects += 1;
                    objects_shown += usize::from(fits);
                }
                _ => others += usize::from(!fits),
            }
        }
    }
    let mut left_out = Vec::new();
    if notes_shown < notes {
        left_out.push(format!("{} of {} shown", thousands(notes_shown), count(notes, "note")));
    }
    if objects_shown < objects {
        left_out.push(format!("{} of {} shown", thousands(objects_shown), count(objects, "object")));
    }
    if others > 0 {
        left_out.push(format!("{} not shown", count(others, "other list")));
    }
    let left_out = if left_out.is_empty() {
        String::new()
    } else {
        format!("{}: a ticket holds {} characters. The whole is in `-o html`.", left_out.join(", "), thousands(max))
    };
    let mut all_blocks = vec![markup.verdict(outline, &left_out)];
    all_blocks.extend(blocks);
    all_blocks.push(provenance);
    all_blocks.retain(|block| !block.is_empty());
    all_blocks.join("\n\n") + "\n"
}

/// Word of a level in a ticket, loud where it has to be.
pub(super) fn is_loud(level: Level) -> bool {
    level != Level::Info
}
