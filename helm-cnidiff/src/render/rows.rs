//! Changes as rows of a terminal: signs, paths, values and side notes, each in their column as far as the width allows.

use super::human::Human;
use super::outline::{Body, Mark, Row, Table, row_aside};
use super::page::{Lead, Look, Word, indent};
use super::text::{Safe, columns, count, shorten, shorten_pair};
use crate::comparison::Level;

/// Characters of a value that are shown at least.
const SHORTEST: usize = 24;
/// Columns of what says that a value is shortened, and how long it is.
const LENGTH: usize = 20;

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

impl Human {
    pub(super) fn rows(&mut self, rows: &[&Row], at: usize) {
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
        // Where what stands beside them is short, paths have more room.
        let room = self.page.width - lead;
        let beside = |row: &&Row| {
            self.page.columns(&self.body(&row.body, row.mark, self.limit())) + columns(&row_aside(row)) + 4
        };
        let widest = rows.iter().map(beside).max().unwrap_or(0);
        let most = room.saturating_sub(widest).clamp(room * 2 / 5, room * 3 / 5);
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
        let start = lead + if path <= beside { beside } else { path } + if path == 0 { 0 } else { 2 };
        let aside = columns(&self.page.shown(&row_aside(row)));
        let mut body = self.body(&row.body, row.mark, self.limit());
        if !self.all && aside > 0 && start + self.page.columns(&body) + 2 + aside > self.page.width {
            // A shorter value leaves room for the side note.
            let room = self.page.width.saturating_sub(start + 2 + aside + LENGTH);
            if matches!(row.body, Body::One(_)) && room >= SHORTEST {
                body = self.body(&row.body, row.mark, room);
            }
        }
        let used = if body.is_empty() { lead + path } else { start + self.page.columns(&body) };
        Drawn { body, start, used, one_line: used <= self.page.width, aside }
    }

    /// The values in words, each of at most so many characters.
    pub(super) fn body(&self, body: &Body, mark: Mark, limit: usize) -> Vec<Word> {
        match body {
            Body::Nothing | Body::Lines(_) => Vec::new(),
            Body::One(value) => self.page.literal(&Safe::new(shorten(value.as_str(), limit)), value_look(mark)),
            Body::Pair { stem, old, new } => {
                let (old, new) = shorten_pair(old.as_str(), new.as_str(), limit);
                let mut words = self.page.literal(stem, Look::Plain);
                words.extend(self.page.literal(&Safe::new(old), Look::Gone));
                words.extend(self.page.prose(&Safe::new("→"), Look::Faint));
                words.extend(self.page.literal(&Safe::new(new), Look::Good));
                words
            }
        }
    }

    /// Characters of a value.
    pub(super) fn limit(&self) -> usize {
        match self.squeeze.narrow {
            _ if self.all => usize::MAX,
            true => (self.page.width / 2).max(40),
            false => self.page.width * 2,
        }
    }

    fn row(&mut self, row: &Row, drawn: Drawn, at: usize, aside_at: usize) {
        let lead = at + 4;
        let gutter = if row.must() { self.page.paint("!", level_look(row.level)) } else { " ".to_owned() };
        let path = self.page.shown(row.path.as_str());
        let path_look = if row.must() { Look::Strong } else { Look::Plain };
        let signs = format!("{}{gutter} {} ", " ".repeat(at), self.sign(row.mark));
        let aside = Safe::new(row_aside(row));
        let aside = self.page.prose(&aside, if row.must() { level_look(row.level) } else { Look::Faint });
        if lead + columns(&path) > self.page.width {
            // Everything in turn beneath the beginning of the path.
            let words = self.page.literal(&row.path, path_look);
            self.page.put(Lead { painted: signs, columns: lead, hang: lead + 2 }, &words);
            if !aside.is_empty() {
                self.page.put(indent(lead + 2), &aside);
            }
            self.beneath(row, lead + 2);
            return;
        }
        let mut painted = signs + &self.page.paint(&path, path_look);
        let mut used = lead + columns(&path);
        let mut aside_at = aside_at;
        if !drawn.one_line {
            aside_at = used;
        } else if !drawn.body.is_empty() {
            painted.push_str(&" ".repeat(drawn.start - used));
            painted.push_str(&self.page.painted(&drawn.body));
            used = drawn.used;
        }
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
            self.beneath(row, lead + 2);
        } else if let Body::Lines(lines) = &row.body {
            self.text(lines, lead + 2);
        }
    }

    /// Values too wide to stand beside the path, beneath it.
    fn beneath(&mut self, row: &Row, at: usize) {
        let one_line = self.body(&row.body, row.mark, self.limit());
        match &row.body {
            Body::Nothing => {}
            Body::Lines(lines) => self.text(lines, at),
            Body::Pair { stem, old, new } if at + self.page.columns(&one_line) > self.page.width => {
                if !stem.is_empty() {
                    let words = self.page.literal(stem, Look::Plain);
                    self.page.put(indent(at), &words);
                }
                let (old, new) = shorten_pair(old.as_str(), new.as_str(), self.limit());
                self.value("-", &Safe::new(old), Look::Gone, at);
                self.value("+", &Safe::new(new), Look::Good, at);
            }
            _ => self.page.put(indent(at), &one_line),
        }
    }

    fn value(&mut self, sign: &str, text: &Safe, look: Look, at: usize) {
        let painted = " ".repeat(at) + &self.page.paint(sign, look) + " ";
        let words = self.page.literal(text, look);
        self.page.put(Lead { painted, columns: at + 2, hang: at + 2 }, &words);
    }

    fn text(&mut self, lines: &[(Mark, Safe)], at: usize) {
        let few = if self.all { usize::MAX } else { self.squeeze.others.saturating_mul(2).max(4) };
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
    pub(super) fn sign(&self, mark: Mark) -> String {
        match mark {
            Mark::Same => " ".to_owned(),
            mark => self.page.paint(&mark.sign().to_string(), mark_look(mark)),
        }
    }

    pub(super) fn table(&mut self, table: &Table, few: usize) {
        let names: Vec<String> =
            table.columns.iter().map(|c| format!("{}{}", c.name, if c.chosen { " *" } else { "" })).collect();
        let title = Safe::new(format!("Where the ways to inherit values differ: {}", count(table.rows.len(), "key")));
        let mut words = self.page.literal(&title, Look::Strong);
        if self.squeeze.bare {
            self.folded = true;
            words.extend(self.page.prose(&Safe::new("(`--values-only` shows them)"), Look::Faint));
            self.page.put(Lead { painted: String::new(), columns: 0, hang: 2 }, &words);
            return;
        }
        words.extend(self.page.prose(&Safe::new("(* is this command)"), Look::Faint));
        self.page.put(Lead { painted: String::new(), columns: 0, hang: 2 }, &words);
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
            for (path, cells) in rows {
                let words = self.page.literal(path, Look::Plain);
                self.page.put(Lead { painted: "    ".to_owned(), columns: 4, hang: 6 }, &words);
                let mut words = Vec::new();
                for (i, ((text, name), column)) in cells.iter().zip(&names).zip(&table.columns).enumerate() {
                    if i > 0 {
                        words.push(Word::new(self.page.shown("·"), Look::Faint));
                    }
                    words.push(Word::new(name, Look::Faint));
                    words.extend(self.page.literal(text, if column.chosen { Look::Strong } else { Look::Plain }));
                }
                self.page.put(Lead { painted: "      ".to_owned(), columns: 6, hang: 8 }, &words);
            }
        }
        self.more(table.rows.len() - shown, "key", 4);
    }
}

fn mark_look(mark: Mark) -> Look {
    match mark {
        Mark::Added => Look::Good,
        Mark::Removed => Look::Gone,
        Mark::Changed => Look::Caution,
        Mark::Same => Look::Plain,
    }
}

pub(super) fn value_look(mark: Mark) -> Look {
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
