//! A comparison as lines for a terminal: the verdict on the first screen, then what it rests on, folded to a length that
//! a person reads.

use super::fold::{NO_SQUEEZE, SQUEEZES, Squeeze};
use super::outline::{Body, Fact, Group, Item, Kind, Mark, NoteItem, Outline, Part, Place, Row, level_word};
use super::page::{Lead, Look, Page, Word, indent};
use super::rows::value_look;
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

/// Lines that the report is folded to, if what is important leaves room for that; on a narrow terminal as many more as
/// they are shorter.
const LINES: usize = 120;
/// Columns from which on a terminal is not narrow.
const NARROW: usize = 80;
/// Columns of "× BLOCKER  ": symbol, word, gaps.
const MARK: usize = 11;
/// Columns of a value that may be wrapped together with its path.
const SHORT: usize = 16;
/// Columns of the verdict's labels.
const LABEL: usize = 10;
/// A report of more lines says its result once more at the end.
const SCREEN: usize = 24;

/// The comparison as text, every line ended.
pub fn human(comparison: &Comparison, style: &HumanStyle) -> String {
    let width = style.width.clamp(40, 160);
    let draw = |outline: &Outline, squeeze: &'static Squeeze| {
        let page = Page { colour: style.colour, ascii: style.ascii, width, out: String::new(), lines: 0 };
        let mut report = Human { page, squeeze, all: style.show.all, folded: false };
        report.all(outline);
        report.page
    };
    let digest = if style.show.all { usize::MAX } else { 0 };
    // Values are shortened when it is known how much room there is.
    let outline = Outline::new(comparison, style.show, Limits { value: usize::MAX, digest });
    if style.show.all {
        return draw(&outline, &NO_SQUEEZE).out;
    }
    let mut page = draw(&outline, &SQUEEZES[0]);
    for squeeze in &SQUEEZES[1..] {
        if page.lines <= LINES * NARROW / width.min(NARROW) {
            break;
        }
        page = draw(&outline, squeeze);
    }
    page.out
}

/// The report while it is drawn.
pub(super) struct Human {
    pub(super) page: Page,
    pub(super) squeeze: &'static Squeeze,
    pub(super) all: bool,
    /// Something was left out.
    pub(super) folded: bool,
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
        if self.folded {
            self.page.gap();
            let text = Safe::new("Some of it is only counted here: `--all` shows everything.");
            self.sentence(&text, Look::Faint, 0);
        }
        if self.page.lines > SCREEN {
            if !self.folded {
                self.page.gap();
            }
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
            let words = self.page.facts(line, if fact.doubt { Look::Doubt } else { Look::Plain });
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
        let few = match part.kind {
            Kind::DaemonSets => self.squeeze.daemonsets,
            Kind::Values | Kind::Noise => self.squeeze.values,
            _ => self.squeeze.others,
        };
        let shown = self.chosen(part);
        for item in shown.iter().map(|at| &part.items[*at]) {
            match item {
                Item::Note(note) => self.note(note),
                Item::Group(group) if matches!(group.noun, "override" | "default") => {
                    self.group(group, few.saturating_mul(4))
                }
                Item::Group(group) => self.group(group, few),
                Item::Table(table) => self.table(table, few.max(4)),
            }
        }
        self.more(part.items.len() - shown.len(), part.kind.noun(), 0);
    }

    /// Items that are shown, by their places: those that must be, then what goes away, then as many as there is room for.
    fn chosen(&self, part: &Part) -> Vec<usize> {
        let few = match part.kind {
            Kind::Notes => self.squeeze.values,
            Kind::Objects => self.squeeze.objects,
            _ => usize::MAX,
        };
        let few = if part.items.len() <= few.saturating_add(1) { usize::MAX } else { few };
        let rank = |item: &Item| match item {
            Item::Note(note) if note.level == Level::Info => 2,
            Item::Group(group) if group.rows.iter().any(Row::must) => 0,
            Item::Group(group) if group.mark == Mark::Removed => 1,
            Item::Group(_) => 2,
            Item::Note(_) | Item::Table(_) => 0,
        };
        let mut order: Vec<usize> = (0..part.items.len()).collect();
        order.sort_by_key(|at| rank(&part.items[*at]));
        let must = order.iter().take_while(|at| rank(&part.items[**at]) == 0).count();
        // Notes are where blockers and risks are told; objects they are about may be counted.
        order.truncate(if part.kind == Kind::Notes { must.max(few) } else { few });
        order.sort_unstable();
        order
    }

    /// What is left out.
    pub(super) fn more(&mut self, left_out: usize, noun: &str, at: usize) {
        self.more_of(left_out, noun, "", at);
    }

    fn more_of(&mut self, left_out: usize, noun: &str, tail: &str, at: usize) {
        if left_out > 0 {
            self.folded = true;
            let text = Safe::new(format!("… and {}{tail}", count(left_out, &format!("more {noun}"))));
            self.sentence(&text, Look::Faint, at);
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
        let brief = !self.all
            && match note.level {
                Level::Blocker => false,
                Level::Risk => self.squeeze.brief,
                Level::Info => self.squeeze.values < 16,
            };
        let few = if brief { 1 } else { self.squeeze.values.max(3) };
        let places = if note.places.len() <= few.saturating_add(1) { note.places.len() } else { few };
        // A value that the title names already has no line of its own where room is short.
        let bare = |place: &Place| {
            place.object.is_empty()
                && place.also.is_empty()
                && matches!(place.body, Body::Nothing)
                && note.title.as_str().contains(place.path.as_str())
        };
        for place in note.places[..places].iter().filter(|place| !(brief && bare(place))) {
            if !place.title.is_empty() && !brief {
                self.sentence(&place.title, Look::Plain, MARK);
            }
            self.place(place);
        }
        self.elsewhere(&note.places[places..]);
        let mut why = self.page.prose(&note.why, Look::Faint);
        if !note.source.is_empty() {
            let url = note.source.as_str().starts_with("https://");
            let source = if url { note.source.clone() } else { Safe::new(format!("({})", note.source)) };
            why.extend(self.page.prose(&source, if url { Look::Info } else { Look::Faint }));
        }
        if brief {
            self.folded |= !why.is_empty();
        } else if !why.is_empty() {
            self.page.put(indent(MARK + 2), &why);
        }
        if !note.fix.is_empty() && (!brief || note.level != Level::Info) {
            let arrow = if self.page.ascii { "> " } else { "→ " };
            let painted = " ".repeat(MARK) + &self.page.paint(arrow.trim_end(), Look::Info) + " ";
            let words = self.page.prose(&note.fix, Look::Plain);
            self.page.put(Lead { painted, columns: MARK + 2, hang: MARK + 2 }, &words);
        }
    }

    /// Objects to which a note applies as well, by their names.
    fn elsewhere(&mut self, places: &[Place]) {
        const FEW: usize = 6;
        if places.is_empty() {
            return;
        }
        self.folded = true;
        let mut names: Vec<&str> =
            places.iter().map(|place| place.object.as_str()).filter(|name| !name.is_empty()).collect();
        names.dedup();
        let few = if names.len() <= FEW + 1 { names.len() } else { FEW };
        let more = if names.is_empty() { places.len() } else { names.len() - few };
        // A kind is said once for all that follow.
        let kind = |name: &str| name.split_once(' ').map_or("", |(kind, _)| kind).to_owned();
        let mut text = String::from("also");
        for (i, name) in names[..few].iter().enumerate() {
            let same = i > 0 && kind(names[i - 1]) == kind(name);
            let comma = if i > 0 { "," } else { "" };
            text.push_str(&format!("{comma} {}", if same { name[kind(name).len()..].trim_start() } else { name }));
        }
        if more > 0 {
            text.push_str(&format!(" and {}", count(more, "more place")));
        }
        let words = self.page.literal(&Safe::new(text), Look::Faint);
        self.page.put(Lead { painted: " ".repeat(MARK + 2), columns: MARK + 2, hang: MARK + 4 }, &words);
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
        let path = self.short(&place.path, place);
        words.extend(self.page.literal(&path, Look::Plain));
        let mut body = self.body(&place.body, place.mark, self.limit());
        if let Body::One(_) = place.body {
            body = self.page.signed(place.mark.sign(), body, value_look(place.mark));
        }
        let room = self.page.width.saturating_sub(at);
        let wide = self.page.columns(&body);
        let lead = || Lead { painted: " ".repeat(at), columns: at, hang: at + 2 };
        if wide <= SHORT || self.page.columns(&words) + 2 + wide <= room {
            if !body.is_empty() && !words.is_empty() {
                words.push(Word::new("", Look::Plain));
            }
            words.extend(body);
            self.page.put(lead(), &words);
        } else {
            self.page.put(lead(), &words);
            self.page.put(Lead { painted: " ".repeat(at + 2), columns: at + 2, hang: at + 4 }, &body);
        }
        if !place.also.is_empty() {
            let few = if self.all { usize::MAX } else { 4 };
            let shown = if place.also.len() <= few.saturating_add(1) { place.also.len() } else { few };
            let also = place.also[..shown].iter().map(|path| self.short(path, place).to_string());
            let mut text = also.collect::<Vec<_>>().join(", ");
            if shown < place.also.len() {
                text.push_str(&format!(" and {} more", place.also.len() - shown));
                self.folded = true;
            }
            let words = self.page.literal(&Safe::new(format!("also {text}")), Look::Faint);
            self.page.put(indent(at), &words);
        }
    }

    /// The path without what everybody knows: that the object it is of has a pod template.
    fn short(&self, path: &Safe, place: &Place) -> Safe {
        match path.as_str().strip_prefix("spec.template.spec.") {
            Some(rest) if !self.all && !place.object.is_empty() => Safe::new(format!("…{rest}")),
            _ => path.clone(),
        }
    }

    fn group(&mut self, group: &Group, few: usize) {
        let (rows, left_out) =
            if group.brief { (Vec::new(), 0) } else { group.choice(if group.open || self.all { few } else { 0 }) };
        let folded = rows.is_empty() && !group.brief;
        self.folded |= folded;
        let object = group.mark != Mark::Same;
        let lead = if object { 2 } else { 0 };
        let painted = if object { self.sign(group.mark) + " " } else { String::new() };
        let mut title = self.page.literal(&group.title, Look::Strong);
        let mut aside = self.page.prose(&group.aside, Look::Faint);
        let counted = self.squeeze.bare && (group.noun == "image" || group.noun == "key" && group.mark == Mark::Added);
        if rows.is_empty() && !counted {
            let colon = if group.summary.is_empty() || group.names.is_empty() { "" } else { ": " };
            let summary = Safe::new(format!("{}{colon}{}", group.summary, group.names));
            if !aside.is_empty() && !summary.is_empty() {
                aside.push(Word::new(self.page.shown("·"), Look::Faint));
            }
            aside.extend(self.page.prose(&summary, Look::Faint));
        }
        if !aside.is_empty() && self.page.columns(&title) + 2 + self.page.columns(&aside) > self.page.width - lead {
            self.page.put(Lead { painted, columns: lead, hang: lead + 2 }, &title);
            self.page.put(indent(lead + 4), &aside);
        } else {
            if !aside.is_empty() {
                title.push(Word::new("", Look::Plain));
                title.extend(aside);
            }
            self.page.put(Lead { painted, columns: lead, hang: lead + 2 }, &title);
        }
        self.rows(&rows, 0);
        if !rows.is_empty() {
            let told = |row: &&Row| row.must() && !group.keeps;
            let told = group.rows.iter().filter(told).count() - rows.iter().copied().filter(told).count();
            let tail = match told {
                0 => String::new(),
                n if n == left_out => ", told above".to_owned(),
                n => format!(", {n} told above"),
            };
            self.more_of(left_out, group.noun, &tail, 4);
        }
    }

    fn provenance(&mut self, facts: &[Fact]) {
        self.page.gap();
        let mut words = Vec::new();
        let last = facts.len() - 1;
        for (i, fact) in facts.iter().enumerate() {
            let label = if fact.label == "tool" { "" } else { fact.label };
            words.extend((!label.is_empty()).then(|| Word::new(label, Look::Faint)));
            for line in &fact.lines {
                let line = if self.all { line.clone() } else { Safe::new(short_digests(line.as_str())) };
                words.extend(self.page.literal(&line, Look::Faint));
            }
            words.extend((i < last).then(|| Word::new(self.page.shown("·"), Look::Faint)));
        }
        let label = self.page.paint("made by", Look::Faint) + "   ";
        self.page.put(Lead { painted: label, columns: LABEL, hang: LABEL }, &words);
    }
}

/// The line with twelve digits of each digest in it, enough to tell one from another.
fn short_digests(line: &str) -> String {
    let short = |word: &str| match word.strip_prefix("sha256:") {
        Some(hex) if hex.len() > 12 && hex.is_ascii() => format!("sha256:{}…", &hex[..12]),
        _ => word.to_owned(),
    };
    line.split(' ').map(short).collect::<Vec<_>>().join(" ")
}
