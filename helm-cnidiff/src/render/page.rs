//! Styled words in, wrapped lines out: the part of the terminal's report that knows columns and colours and nothing of charts.

use owo_colors::{OwoColorize, Style};

use super::text::{Safe, ascii, columns, commands, width};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Strong,
    Faint,
    Good,
    Info,
    Caution,
    Doubt,
    Bad,
    /// What goes away: red, but not as loud as what is bad.
    Gone,
}

/// A stretch of text without a break in it, with its looks.
pub(super) struct Word {
    pieces: Vec<(String, Look)>,
    /// It may be broken anywhere if it is wider than a line; a command or a name may not.
    breaks: bool,
}

impl Word {
    pub(super) fn new(text: impl Into<String>, look: Look) -> Self {
        Self { pieces: vec![(text.into(), look)], breaks: false }
    }

    fn columns(&self) -> usize {
        self.pieces.iter().map(|(text, _)| columns(text)).sum()
    }
}

/// What is already on a line before wrapped text starts, and where later lines of that text start.
pub(super) struct Lead {
    pub(super) painted: String,
    pub(super) columns: usize,
    pub(super) hang: usize,
}

/// A lead of spaces with everything after it flush.
pub(super) fn indent(at: usize) -> Lead {
    Lead { painted: " ".repeat(at), columns: at, hang: at }
}

pub(super) struct Page {
    pub(super) colour: bool,
    pub(super) ascii: bool,
    pub(super) width: usize,
    pub(super) out: String,
    pub(super) lines: usize,
}

impl Page {
    /// A sentence in words; what is between backticks is one word and stands out.
    pub(super) fn prose(&self, text: &Safe, look: Look) -> Vec<Word> {
        let text = self.shown(text.as_str());
        let mut words = Vec::new();
        let mut word = Vec::new();
        for (part, command) in commands(&text) {
            if command {
                let part = part.trim();
                // In colour the looks say where a command starts and ends.
                word.push(if self.colour { (part.to_owned(), Look::Strong) } else { (format!("`{part}`"), look) });
                continue;
            }
            for (i, piece) in part.split(' ').enumerate() {
                if i > 0 && !word.is_empty() {
                    words.push(Word { pieces: std::mem::take(&mut word), breaks: false });
                }
                if !piece.is_empty() {
                    word.push((piece.to_owned(), look));
                }
            }
        }
        if !word.is_empty() {
            words.push(Word { pieces: word, breaks: false });
        }
        words
    }

    /// Facts in a row, broken only between two of them unless one is very long.
    pub(super) fn facts(&self, text: &Safe, look: Look) -> Vec<Word> {
        const LONG: usize = 40;
        let facts: Vec<&str> = text.as_str().split(" · ").collect();
        let mut words = Vec::new();
        for (i, fact) in facts.iter().enumerate() {
            let dot = if i + 1 < facts.len() { " ·" } else { "" };
            let fact = Safe::new(format!("{fact}{dot}"));
            let wide = columns(fact.as_str());
            if facts.len() > 1 && wide <= LONG {
                words.push(Word::new(self.shown(fact.as_str()), look));
            } else {
                words.extend(self.prose(&fact, look));
            }
        }
        words
    }

    /// Words of a value, taken literally; one that is wider than a line is broken.
    pub(super) fn literal(&self, text: &Safe, look: Look) -> Vec<Word> {
        let text = self.shown(text.as_str());
        text.split(' ')
            .filter(|piece| !piece.is_empty())
            .map(|piece| Word { pieces: vec![(piece.to_owned(), look)], breaks: true })
            .collect()
    }

    /// The words behind a sign that no line break parts from the first of them.
    pub(super) fn signed(&self, sign: char, mut words: Vec<Word>, look: Look) -> Vec<Word> {
        match words.first_mut() {
            Some(first) => first.pieces.insert(0, (format!("{sign} "), look)),
            None => words.push(Word::new(sign, look)),
        }
        words
    }

    /// The words on one line, painted.
    pub(super) fn painted(&self, words: &[Word]) -> String {
        let one = |word: &Word| word.pieces.iter().map(|(text, look)| self.paint(text, *look)).collect::<String>();
        words.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// How many columns the words take on one line.
    pub(super) fn columns(&self, words: &[Word]) -> usize {
        words.iter().map(|word| word.columns() + 1).sum::<usize>().saturating_sub(1)
    }

    /// Writes the lead and the words after it, wrapped.
    pub(super) fn put(&mut self, lead: Lead, words: &[Word]) {
        let mut line = lead.painted;
        let mut used = lead.columns;
        let mut fresh = true;
        for word in words {
            let wide = word.columns();
            if word.breaks && wide > self.width.saturating_sub(lead.hang) {
                let gap = usize::from(!fresh);
                line.push_str(&" ".repeat(gap));
                used += gap;
                for (text, look) in &word.pieces {
                    for chunk in self.chunks(text, &mut used, lead.hang) {
                        match chunk {
                            Some(chunk) => line.push_str(&self.paint(&chunk, *look)),
                            None => {
                                let full = std::mem::replace(&mut line, " ".repeat(lead.hang));
                                self.line(&full);
                            }
                        }
                    }
                }
                fresh = false;
                continue;
            }
            let gap = usize::from(!fresh);
            if used + gap + wide > self.width && (!fresh || used > lead.hang) {
                self.line(&line);
                line = " ".repeat(lead.hang);
                used = lead.hang;
            } else {
                line.push_str(&" ".repeat(gap));
                used += gap;
            }
            for (text, look) in &word.pieces {
                line.push_str(&self.paint(text, *look));
            }
            used += wide;
            fresh = false;
        }
        self.line(&line);
    }

    /// The text in pieces that fit, broken behind a dot, a slash and the like if there is one; `None` is a new line.
    fn chunks(&self, text: &str, used: &mut usize, hang: usize) -> Vec<Option<String>> {
        const NEAR: usize = 24;
        let mut out = Vec::new();
        let mut chunk = String::new();
        for c in text.chars() {
            if *used + width(c) > self.width && *used > hang {
                let near = chunk.char_indices().rev().take(NEAR).find(|(_, c)| "./,:]@".contains(*c));
                let rest = near.map(|(at, c)| chunk.split_off(at + c.len_utf8())).unwrap_or_default();
                out.extend([Some(std::mem::replace(&mut chunk, rest)), None]);
                *used = hang + columns(&chunk);
            }
            chunk.push(c);
            *used += width(c);
        }
        out.push(Some(chunk));
        out
    }

    /// Writes one line, which may be painted.
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end_matches(' '));
        self.out.push('\n');
        self.lines += 1;
    }

    /// An empty line, but not at the top.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() {
            self.line("");
        }
    }

    /// The text as this terminal may see it.
    pub(super) fn shown(&self, text: &str) -> String {
        if self.ascii { ascii(text) } else { text.to_owned() }
    }

    /// The text in its looks; its own spaces are painted too.
    pub(super) fn paint(&self, text: &str, look: Look) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match look {
            Look::Plain => return text.to_owned(),
            Look::Strong => Style::new().bold(),
            Look::Faint => Style::new().dimmed(),
            Look::Good => Style::new().green(),
            Look::Info => Style::new().blue(),
            Look::Caution => Style::new().yellow(),
            Look::Doubt => Style::new().magenta(),
            Look::Bad => Style::new().red().bold(),
            Look::Gone => Style::new().red(),
        };
        text.style(style).to_string()
    }
}
