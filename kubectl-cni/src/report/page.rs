//! Styled words in, wrapped lines out: the part of the human report that knows columns and colours and nothing of checks.

use owo_colors::{OwoColorize, Style};

use super::HumanStyle;
use super::text::{ascii, columns, commands, printable};

#[derive(Clone, Copy)]
pub(super) enum Look {
    Plain,
    Strong,
    Heading,
    Faint,
    Good,
    Info,
    Caution,
    Doubt,
    Bad,
}

/// A stretch of text without a break in it, with its looks.
pub(super) struct Word(pub(super) Vec<(String, Look)>);

impl Word {
    fn columns(&self) -> usize {
        self.0.iter().map(|(text, _)| columns(text)).sum()
    }
}

/// What is already on a line before wrapped text starts, and where later lines of that text start.
pub(super) struct Lead {
    pub(super) painted: String,
    pub(super) columns: usize,
    pub(super) hang: usize,
}

pub(super) struct Page<'a> {
    pub(super) style: &'a HumanStyle,
    pub(super) width: usize,
    pub(super) out: String,
}

impl Page<'_> {
    /// Facts in a row, broken only between two of them unless one is very long.
    pub(super) fn joined(&self, facts: &[String], look: Look) -> Vec<Word> {
        let mut words = Vec::new();
        for (i, fact) in facts.iter().enumerate() {
            let text = if i + 1 < facts.len() { format!("{fact} ·") } else { fact.clone() };
            let text = self.safe(&text);
            if columns(&text) > 40 {
                words.extend(self.words(&text, look, false));
            } else {
                words.push(Word(vec![(text, look)]));
            }
        }
        words
    }

    /// The text in words; with `with_commands` what is between backticks is one word and stands out.
    pub(super) fn words(&self, text: &str, look: Look, with_commands: bool) -> Vec<Word> {
        let text = self.safe(text);
        let parts = if with_commands { commands(&text) } else { vec![(text.as_str(), false)] };
        let mut words = Vec::new();
        let mut word = Vec::new();
        for (part, command) in parts {
            if command {
                // In colour the looks say where a command starts and ends.
                word.push(if self.style.colour {
                    (part.to_owned(), Look::Strong)
                } else {
                    (format!("`{part}`"), look)
                });
                continue;
            }
            for (i, piece) in part.split(' ').enumerate() {
                if i > 0 && !word.is_empty() {
                    words.push(Word(std::mem::take(&mut word)));
                }
                if !piece.is_empty() {
                    word.push((piece.to_owned(), look));
                }
            }
        }
        if !word.is_empty() {
            words.push(Word(word));
        }
        words
    }

    /// How many lines the words take in `room` columns; many if one of them does not fit at all.
    pub(super) fn lines(&self, words: &[Word], room: usize) -> usize {
        let (mut lines, mut used) = (1, 0);
        for word in words {
            let wide = word.columns();
            if wide > room {
                return usize::MAX;
            }
            if used > 0 && used + 1 + wide > room {
                lines += 1;
                used = wide;
            } else {
                used += wide + usize::from(used > 0);
            }
        }
        lines
    }

    /// Writes the lead and the words after it, wrapped.
    pub(super) fn put(&mut self, lead: Lead, words: &[Word]) {
        let mut line = lead.painted;
        let mut used = lead.columns;
        let mut fresh = true;
        for word in words {
            let wide = word.columns();
            let gap = usize::from(!fresh);
            if used + gap + wide > self.width && (!fresh || used > lead.hang) {
                self.line(&line);
                line = " ".repeat(lead.hang);
                used = lead.hang;
            } else {
                line.push_str(&" ".repeat(gap));
                used += gap;
            }
            for (text, look) in &word.0 {
                line.push_str(&self.paint(text, *look));
            }
            used += wide;
            fresh = false;
        }
        self.line(&line);
    }

    /// Writes one line, which may be painted.
    pub(super) fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end_matches(' '));
        self.out.push('\n');
    }

    /// The text as this terminal may see it.
    pub(super) fn safe(&self, text: &str) -> String {
        let text = printable(text);
        if self.style.ascii { ascii(&text) } else { text }
    }

    /// Paints what is between the spaces at either end, so that no escape sequence hides a trailing space.
    pub(super) fn paint_words(&self, text: &str, look: Look) -> String {
        let inner = text.trim_matches(' ');
        text.replacen(inner, &self.paint(inner, look), 1)
    }

    /// The text in its looks; its own spaces are painted too.
    pub(super) fn paint(&self, text: &str, look: Look) -> String {
        let style = match look {
            _ if !self.style.colour => return text.to_owned(),
            Look::Plain => return text.to_owned(),
            Look::Strong | Look::Heading => Style::new().bold(),
            Look::Faint => Style::new().dimmed(),
            Look::Good => Style::new().green(),
            Look::Info => Style::new().blue(),
            Look::Caution => Style::new().yellow(),
            Look::Doubt => Style::new().magenta(),
            Look::Bad => Style::new().red().bold(),
        };
        text.style(style).to_string()
    }
}

/// A lead of spaces with everything after it flush.
pub(super) fn indent(at: usize) -> Lead {
    Lead { painted: " ".repeat(at), columns: at, hang: at }
}
