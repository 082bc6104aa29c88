//! A comparison as lines for a terminal: the verdict on the first screen, then what it rests on, folded to a length that
//! a person reads.

use super::outline::{
    Body, Fact, Group, Item, Mark, NoteItem, Outline, Part, Place, Row, Table, level_word, row_aside,
};
use super::page::{Lead, Look, Page, Word, indent};
use super::text::{Safe, columns, count};
use super::value::Limits;
use super::{Outcome, Show};
use crate::comparison::{Comparison, Level};

/// How the reader's terminal wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanStyle {
    /// Colour by escape sequences.
    pub colour: bool,
    /// Columns to wrap at, taken as at least 40 and at most 160. A name or a command longer than that stays whole.
    pub width: usize,
    /// ASCII characters only.
    pub ascii: bool,
    /// How much of it. Unless it is all, what is less important is folded until about 120 lines are left.
    pub show: Show,
}

/// Lines that the report is folded to, if what is important leaves room for that.
const LINES: usize = 120;
/// Rows shown of each group, tried in turn until the lines are few enough.
const FEW: [usize; 9] = [60, 40, 24, 16, 10, 7, 4, 2, 0];
/// Columns of "× BLOCKER  ": symbol, word, gaps.
const MARK: usize = 11;
/// Columns of the verdict's labels.
const LABEL: usize = 10;
/// A report of more lines says its result once more at the end.
const SCREEN: usize = 24;

/// The comparison as text, every line ended.
pub fn human(comparison: &Comparison, style: &HumanStyle) -> String {
    let width = style.width.clamp(40, 160);
    let limits = if style.show.all {
        Limits { value: usize::MAX, digest: usize::MAX }
    } else {
        Limits { value: width * 2, digest: 0 }
    };
    let outline = Outline::new(comparison, style.show, limits);
    let draw = |few: usize| {
        let page = Page { colour: style.colour, ascii: style.ascii, width, out: String::new(), lines: 0 };
        let mut report = Human { page, few, all: style.show.all };
        report.all(&outline);
        report.page
    };
    if style.show.all {
        return draw(usize::MAX).out;
    }
    let mut page = draw(FEW[0]);
    for few in &FEW[1..] {
        if page.lines <= LINES {
            break;
        }
        page = draw(*few);
    }
    page.out
}

struct Human {
    page: Page,
    few: usize,
    all: bool,
}

impl Human {
    fn all(&mut self, outline: &Outline) {
        let subject = self.page.prose(&outline.subject, Look::Plain);
        let name = self.page.paint("helm cnidiff", Look::Strong) + "  ";
        self.page.put(Lead { painted: name, columns: 14, hang: 14 }, &subject);
        self.result(outline);
        if !outline.facts.is_empty() {
            self.page.gap();
            for fact in &outline.facts {
                self.fact(fact);
            }
        }
        for part in &outline.parts {
            self.part(part);
        }
        if !outline.provenance.is_empty() {
            self.provenance(&outline.provenance);
        }
        if self.page.lines > SCREEN {
            self.page.gap();
            self.result(outline);
        }
    }

    fn result(&mut self, outline: &Outline) {
        let word = outline.outcome.word();
        let look = match outline.outcome {
            Outcome::Blocked => Look::Bad,
            Outcome::Undecided => Look::Doubt,
            Outcome::Risks => Look::Caution,
            Outcome::Changes => Look::Info,
            Outcome::Same => Look::Good,
        };
        let painted = format!("result: {}  ", self.page.paint(word, look));
        let last = outline.tally.len().saturating_sub(1);
        let mut words = Vec::new();
        for (i, phrase) in outline.tally.iter().enumerate() {
            let comma = if i < last { "," } else { "" };
            words.push(Word::new(self.page.shown(phrase.as_str()) + comma, Look::Plain));
        }
        self.page.put(Lead { painted, columns: 10 + word.len(), hang: 8 }, &words);
    }

    fn fact(&mut self, fact: &Fact) {
        for (i, line) in fact.lines.iter().enumerate() {
            let label = if i == 0 { fact.label } else { "" };
            let look = if fact.doubt { Look::Doubt } else { Look::Faint };
            let pad = " ".repeat(LABEL - label.len());
            let painted = self.page.paint(label, look) + &pad;
            let words = self.page.prose(line, if fact.doubt { Look::Doubt } else { Look::Plain });
            self.page.put(Lead { painted, columns: LABEL, hang: LABEL + 2 }, &words);
        }
    }

    fn heading(&mut self, title: &str) {
        self.page.gap();
        let title = self.page.shown(title);
        let rule = if self.page.ascii { "-" } else { "─" }.repeat(columns(&title));
        let (title, rule) = (self.page.paint(&title, Look::Strong), self.page.paint(&rule, Look::Faint));
        self.page.line(&title);
        self.page.line(&rule);
    }

    fn part(&mut self, part: &Part) {
        self.heading(&part.title);
        for remark in &part.said {
            let look = if remark.level.is_some() { Look::Caution } else { Look::Faint };
            let sign = if remark.level.is_some() { "! " } else { "" };
            let painted = self.page.paint(sign.trim_end(), look) + if sign.is_empty() { "" } else { " " };
            let words = self.page.prose(&remark.text, look);
            self.page.put(Lead { painted, columns: sign.len(), hang: sign.len() }, &words);
        }
        let mut left_out = 0;
        let mut shown = 0;
        for item in &part.items {
            let must = match item {
                Item::Note(note) => note.level != Level::Info,
                Item::Group(group) => part.noun != "object" || group.rows.iter().any(Row::must),
                Item::Table(_) => true,
            };
            if !must && shown >= self.few {
                left_out += 1;
                continue;
            }
            shown += usize::from(!must);
            match item {
                Item::Note(note) => self.note(note),
                Item::Group(group) => self.group(group),
                Item::Table(table) => self.table(table),
            }
        }
        self.more(left_out, part.noun, 0);
    }

    /// What is left out, and how to see it.
    fn more(&mut self, left_out: usize, noun: &str, at: usize) {
        if left_out > 0 {
            let text = Safe::new(format!("… and {}: `--all` shows them", count(left_out, &format!("more {noun}"))));
            let words = self.page.prose(&text, Look::Faint);
            self.page.put(indent(at), &words);
        }
    }

    fn note(&mut self, note: &NoteItem) {
        let (symbol, plain, look) = match note.level {
            Level::Blocker => ("×", "x", Look::Bad),
            Level::Risk => ("‼", "!", Look::Caution),
            Level::Info => ("i", "i", Look::Info),
        };
        let symbol = if self.page.ascii { plain } else { symbol };
        let mark = format!("{symbol} {}", level_word(note.level));
        let pad = " ".repeat(MARK - columns(&mark));
        let painted = self.page.paint(&mark, look) + &pad;
        let mut words =
            self.page.prose(&note.title, if note.level == Level::Blocker { Look::Strong } else { Look::Plain });
        words.push(Word::new(format!("[{}]", self.page.shown(note.id.as_str())), Look::Faint));
        self.page.put(Lead { painted, columns: MARK, hang: MARK }, &words);
        let brief = note.level == Level::Info && !self.all && self.few < 16;
        let few = self.few.max(3);
        let places = if note.places.len() <= few.saturating_add(1) { note.places.len() } else { few };
        for place in note.places.iter().take(if brief { 1 } else { places }) {
            self.place(place);
        }
        if !brief {
            self.more(note.places.len() - places, "place", MARK + 2);
            self.sentence(&note.why, Look::Faint, MARK + 2);
        }
        if !note.fix.is_empty() && !brief {
            let arrow = if self.page.ascii { "> " } else { "→ " };
            let painted = " ".repeat(MARK) + &self.page.paint(arrow.trim_end(), Look::Info) + " ";
            let words = self.page.prose(&note.fix, Look::Plain);
            self.page.put(Lead { painted, columns: MARK + 2, hang: MARK + 2 }, &words);
        }
        if !brief {
            self.sentence(&note.source, Look::Faint, MARK + 2);
        }
    }

    fn sentence(&mut self, text: &Safe, look: Look, at: usize) {
        if !text.is_empty() {
            let words = self.page.prose(text, look);
            self.page.put(indent(at), &words);
        }
    }

    fn place(&mut self, place: &Place) {
        let at = MARK + 2;
        let mut words = self.page.prose(&place.object, Look::Plain);
        words.extend(self.page.literal(&place.path, Look::Plain));
        let body = match &place.body {
            Body::Nothing | Body::Lines(_) => Vec::new(),
            Body::One(value) => self.page.literal(value, Look::Plain),
            Body::Pair { stem, old, new } => self.pair(stem, old, new),
        };
        if !body.is_empty() && !words.is_empty() {
            let room = self.page.width.saturating_sub(at);
            if self.page.columns(&words) + 2 + self.page.columns(&body) <= room {
                words.push(Word::new("", Look::Plain));
                words.extend(body);
                self.page.put(indent(at), &words);
            } else {
                self.page.put(Lead { painted: " ".repeat(at), columns: at, hang: at + 2 }, &words);
                self.page.put(Lead { painted: " ".repeat(at + 2), columns: at + 2, hang: at + 4 }, &body);
            }
        } else {
            words.extend(body);
            self.page.put(Lead { painted: " ".repeat(at), columns: at, hang: at + 2 }, &words);
        }
        if !place.also.is_empty() {
            let few = if self.all { usize::MAX } else { self.few.clamp(2, 6) };
            let shown = if place.also.len() <= few.saturating_add(1) { place.also.len() } else { few };
            let mut text = place.also[..shown].iter().map(Safe::as_str).collect::<Vec<_>>().join(", ");
            if shown < place.also.len() {
                text.push_str(&format!(" and {} more", place.also.len() - shown));
            }
            self.sentence(&Safe::new(format!("also {text}")), Look::Faint, at);
        }
    }

    fn pair(&self, stem: &Safe, old: &Safe, new: &Safe) -> Vec<Word> {
        let mut words = self.page.literal(stem, Look::Plain);
        words.extend(self.page.literal(old, Look::Gone));
        words.extend(self.page.prose(&Safe::new("→"), Look::Faint));
        words.extend(self.page.literal(new, Look::Good));
        words
    }

    fn group(&mut self, group: &Group) {
        let object = group.mark != Mark::Same || !group.open;
        let sign = group.mark.sign();
        let lead = if object { 2 } else { 0 };
        let painted =
            if object { self.page.paint(sign.to_string().trim(), mark_look(group.mark)) + " " } else { String::new() };
        let mut title = self.page.literal(&group.title, Look::Strong);
        let closed = !group.open && !self.all;
        let mut aside = self.page.prose(&group.aside, Look::Faint);
        if closed && !group.summary.is_empty() {
            if !aside.is_empty() {
                aside.push(Word::new(self.page.shown("·"), Look::Faint));
            }
            aside.extend(self.page.prose(&group.summary, Look::Faint));
        }
        let room = self.page.width.saturating_sub(lead);
        if !aside.is_empty() && self.page.columns(&title) + 2 + self.page.columns(&aside) > room {
            self.page.put(Lead { painted, columns: lead, hang: lead + 2 }, &title);
            self.page.put(Lead { painted: " ".repeat(lead + 4), columns: lead + 4, hang: lead + 4 }, &aside);
        } else {
            if !aside.is_empty() {
                title.push(Word::new("", Look::Plain));
                title.extend(aside);
            }
            self.page.put(Lead { painted, columns: lead, hang: lead + 2 }, &title);
        }
        let few = if closed { 0 } else { self.few };
        let (rows, left_out) =
            if closed { (group.rows.iter().filter(|row| row.must()).collect(), 0) } else { group.choice(few) };
        self.rows(&rows, 2);
        self.more(left_out, group.noun, 4);
    }

    fn rows(&mut self, rows: &[&Row], at: usize) {
        let mut from = 0;
        while from < rows.len() {
            let under = &rows[from].under;
            let run = rows[from..].iter().take_while(|row| row.under == *under).count();
            let run = &rows[from..from + run];
            let mut at = at;
            if !under.is_empty() {
                let words = self.page.literal(under, Look::Faint);
                self.page.put(Lead { painted: " ".repeat(at + 2), columns: at + 2, hang: at + 4 }, &words);
                at += 2;
            }
            self.run(run, at);
            from += run.len();
        }
    }

    /// Rows that stand under one another, their values and their side notes each in a column.
    fn run(&mut self, rows: &[&Row], at: usize) {
        let lead = at + 4;
        let most = (self.page.width - lead) * 2 / 5;
        let paths = rows.iter().filter(|row| !matches!(row.body, Body::Nothing));
        let paths = paths.map(|row| columns(&self.page.shown(row.path.as_str())));
        let beside = paths.filter(|path| *path <= most).max().unwrap_or(0);
        let drawn: Vec<Drawn> = rows.iter().map(|row| self.drawn(row, lead, beside)).collect();
        let used = drawn.iter().filter(|row| row.aside > 0 && row.one_line).map(|row| row.used).max().unwrap_or(0);
        for (row, drawn) in rows.iter().zip(drawn) {
            self.row(row, drawn, at, used);
        }
    }

    fn drawn(&self, row: &Row, lead: usize, beside: usize) -> Drawn {
        let path = columns(&self.page.shown(row.path.as_str()));
        let body = match &row.body {
            Body::Nothing | Body::Lines(_) => Vec::new(),
            Body::One(value) => self.page.literal(value, value_look(row.mark)),
            Body::Pair { stem, old, new } => self.pair(stem, old, new),
        };
        let wide = self.page.columns(&body);
        let start = lead + if path <= beside { beside } else { path } + if path == 0 { 0 } else { 2 };
        let used = if wide == 0 { lead + path } else { start + wide };
        let one_line = used <= self.page.width;
        let aside = columns(&self.page.shown(&row_aside(row)));
        Drawn { body, start, used, one_line, aside }
    }

    fn row(&mut self, row: &Row, drawn: Drawn, at: usize, aside_at: usize) {
        let lead = at + 4;
        let gutter = if row.must() { self.page.paint("!", level_look(row.level)) } else { " ".to_owned() };
        let path = self.page.shown(row.path.as_str());
        let path_look = if row.must() { Look::Strong } else { Look::Plain };
        let mut painted =
            format!("{}{gutter} {} {}", " ".repeat(at), self.sign(row.mark), self.page.paint(&path, path_look));
        let mut used = lead + columns(&path);
        let mut aside_at = aside_at;
        if !drawn.one_line {
            aside_at = used;
        } else if !drawn.body.is_empty() {
            painted.push_str(&" ".repeat(drawn.start - used));
            painted.push_str(&self.page.painted(&drawn.body));
            used = drawn.used;
        }
        let aside = Safe::new(row_aside(row));
        let aside = self.page.prose(&aside, if row.must() { level_look(row.level) } else { Look::Faint });
        let aligned = aside_at.max(used) + 2;
        let start = if aligned + drawn.aside <= self.page.width { aligned } else { used + 2 };
        if drawn.aside > 0 && start + drawn.aside <= self.page.width {
            painted.push_str(&" ".repeat(start - used));
            self.page.put(Lead { painted, columns: start, hang: start }, &aside);
        } else {
            self.page.line(&painted);
            if drawn.aside > 0 {
                self.page.put(indent(lead + 2), &aside);
            }
        }
        if !drawn.one_line {
            self.values(row, lead + 2);
        }
        if let Body::Lines(lines) = &row.body {
            self.text(lines, lead + 2);
        }
    }

    /// Values too wide to stand beside the path, beneath it.
    fn values(&mut self, row: &Row, at: usize) {
        match &row.body {
            Body::Nothing | Body::Lines(_) => {}
            Body::One(text) => self.value("", text, value_look(row.mark), at),
            Body::Pair { stem, old, new } => {
                if !stem.is_empty() {
                    self.value("", stem, Look::Plain, at);
                }
                self.value("-", old, Look::Gone, at);
                self.value("+", new, Look::Good, at);
            }
        }
    }

    fn value(&mut self, sign: &str, text: &Safe, look: Look, at: usize) {
        let painted = " ".repeat(at) + &self.page.paint(sign, look) + if sign.is_empty() { "" } else { " " };
        let hang = at + if sign.is_empty() { 0 } else { 2 };
        let words = self.page.literal(text, look);
        self.page.put(Lead { painted, columns: hang, hang }, &words);
    }

    fn text(&mut self, lines: &[(Mark, Safe)], at: usize) {
        let few = if self.all { usize::MAX } else { self.few.saturating_mul(2).max(4) };
        let shown = if lines.len() <= few.saturating_add(1) { lines.len() } else { few };
        for (mark, text) in &lines[..shown] {
            let look = match mark {
                Mark::Added => Look::Good,
                Mark::Removed => Look::Gone,
                _ => Look::Faint,
            };
            let inner = text.as_str().trim_start();
            let inset = (text.as_str().len() - inner.len()).min(self.page.width / 3);
            let painted = format!("{}{} {}", " ".repeat(at), self.sign(*mark), " ".repeat(inset));
            let words = self.page.literal(&Safe::new(inner), look);
            let start = at + 2 + inset;
            self.page.put(Lead { painted, columns: start, hang: start }, &words);
        }
        self.more(lines.len() - shown, "line", at + 2);
    }

    /// The sign in its colour, one column wide.
    fn sign(&self, mark: Mark) -> String {
        match mark {
            Mark::Same => " ".to_owned(),
            mark => self.page.paint(&mark.sign().to_string(), mark_look(mark)),
        }
    }

    fn table(&mut self, table: &Table) {
        let names: Vec<String> =
            table.columns.iter().map(|c| format!("{}{}", c.name, if c.chosen { " *" } else { "" })).collect();
        let title = Safe::new(format!("Where the ways to inherit values differ: {}", count(table.rows.len(), "key")));
        let mut words = self.page.literal(&title, Look::Strong);
        words.extend(self.page.prose(&Safe::new("(* is this command)"), Look::Faint));
        self.page.put(Lead { painted: String::new(), columns: 0, hang: 2 }, &words);
        let few = self.few.max(4);
        let shown = if table.rows.len() <= few.saturating_add(1) { table.rows.len() } else { few };
        let rows = &table.rows[..shown];
        let cell = |text: &Safe| columns(&self.page.shown(text.as_str()));
        let left = rows.iter().map(|(path, _)| cell(path)).max().unwrap_or(0);
        let wide: Vec<usize> = (0..names.len())
            .map(|i| rows.iter().map(|(_, cells)| cell(&cells[i])).max().unwrap_or(0).max(columns(&names[i])))
            .collect();
        if 4 + left + wide.iter().map(|wide| wide + 2).sum::<usize>() <= self.page.width {
            let mut line = " ".repeat(4 + left);
            for ((name, wide), column) in names.iter().zip(&wide).zip(&table.columns) {
                let look = if column.chosen { Look::Strong } else { Look::Faint };
                line.push_str(&format!("  {}{}", self.page.paint(name, look), " ".repeat(wide - columns(name))));
            }
            self.page.line(&line);
            for (path, cells) in rows {
                let path = self.page.shown(path.as_str());
                let mut line = format!("    {path}{}", " ".repeat(left - columns(&path)));
                for ((text, wide), column) in cells.iter().zip(&wide).zip(&table.columns) {
                    let text = self.page.shown(text.as_str());
                    let pad = " ".repeat(wide - columns(&text));
                    let look = if column.chosen { Look::Strong } else { Look::Plain };
                    line.push_str(&format!("  {}{pad}", self.page.paint(&text, look)));
                }
                self.page.line(&line);
            }
        } else {
            let label = names.iter().map(|name| columns(name)).max().unwrap_or(0);
            for (path, cells) in rows {
                let words = self.page.literal(path, Look::Plain);
                self.page.put(Lead { painted: "    ".to_owned(), columns: 4, hang: 6 }, &words);
                for ((text, name), column) in cells.iter().zip(&names).zip(&table.columns) {
                    let look = if column.chosen { Look::Strong } else { Look::Plain };
                    let pad = " ".repeat(label - columns(name) + 2);
                    let painted = format!("      {}{pad}", self.page.paint(name, Look::Faint));
                    let words = self.page.literal(text, look);
                    self.page.put(Lead { painted, columns: label + 8, hang: label + 8 }, &words);
                }
            }
        }
        self.more(table.rows.len() - shown, "key", 4);
    }

    fn provenance(&mut self, facts: &[Fact]) {
        self.heading("Provenance");
        for fact in facts {
            for line in &fact.lines {
                let label = self.page.paint(fact.label, Look::Faint) + &" ".repeat(LABEL - fact.label.len());
                let words = self.page.literal(line, Look::Faint);
                self.page.put(Lead { painted: label, columns: LABEL, hang: LABEL }, &words);
            }
        }
    }
}

/// A row before it is put down.
struct Drawn {
    body: Vec<Word>,
    /// Column at which the values start.
    start: usize,
    /// Column at which they end, if they stand on one line.
    used: usize,
    one_line: bool,
    /// Columns of the side note.
    aside: usize,
}

fn mark_look(mark: Mark) -> Look {
    match mark {
        Mark::Added => Look::Good,
        Mark::Removed => Look::Gone,
        Mark::Changed => Look::Caution,
        Mark::Same => Look::Plain,
    }
}

fn value_look(mark: Mark) -> Look {
    match mark {
        Mark::Added => Look::Good,
        Mark::Removed => Look::Gone,
        Mark::Changed | Mark::Same => Look::Plain,
    }
}

fn level_look(level: Option<Level>) -> Look {
    match level {
        Some(Level::Blocker) => Look::Bad,
        Some(Level::Risk) => Look::Caution,
        _ => Look::Faint,
    }
}
