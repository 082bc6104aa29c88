//! YAML text in, JSON trees out, exactly as Helm reads it: YAML 1.1 scalars, turned into JSON before anything else.
//!
//! Rules are those of Helm 3 and 4 alike (both read through `sigs.k8s.io/yaml`), found by running them; the table in
//! `tests/helm` holds this reader against the real programs. What differs from a YAML 1.2 reader:
//!
//! - plain `y`, `yes`, `on` and their opposites are booleans, as keys too; `0755` is 493, `1_000` is 1000, `1:30` a string;
//! - whole numbers stay whole (`1e3` is 1000), `.inf` and `.nan` are errors, numbers as keys become strings;
//! - `<<` merges where it stands: what follows it wins over it, and it wins over what stands before it;
//! - of two equal keys the last one counts (with a warning, because a reviewer wants to know).

mod scalar;

use std::collections::HashMap;
use std::fmt;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};

use scalar::Scalar;

/// One document of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    /// Line on which it starts, from 1.
    pub line: usize,
    /// Its content; `null` for an empty document.
    pub value: Value,
    /// What Helm accepts in silence and a reader should know of.
    pub warnings: Vec<Odd>,
}

/// Something odd in a document that is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// Line, from 1.
    pub line: usize,
    /// What is odd there.
    pub what: String,
}

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for YamlError {}

/// How deep maps and lists may be nested. Helm stops at 10,000; no chart comes near, and a stack has an end.
const DEPTH: usize = 200;

/// Reads every document of a text.
pub fn read(text: &[u8]) -> Result<Vec<Document>, YamlError> {
    let text = decode(text)?;
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.bom_inside_document_as_content = true;
    options.block_scalar_eof_without_line_feed = true;
    options.block_nesting_limit = DEPTH;
    options.flow_nesting_limit = DEPTH;
    let mut reader = Reader::new(Parser::new_from_str_with_options(&text, options));
    reader.stream()
}

/// Reads a text that is one map, as values files and Chart.yaml are: only the first document counts, nothing at all is
/// an empty map.
pub fn read_map(text: &[u8]) -> Result<(Map<String, Value>, Vec<Odd>), YamlError> {
    let first = read(text)?.into_iter().next().unwrap_or_default();
    match first.value {
        Value::Null => Ok((Map::new(), first.warnings)),
        Value::Object(map) => Ok((map, first.warnings)),
        other => {
            let what = format!("a map is expected here, this is a {}", type_name(&other));
            Err(YamlError { line: first.line.max(1), column: 1, what })
        }
    }
}

/// What a reader calls a value's type: `string`, `number`, `boolean`, `list`, `map`, `null`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

/// UTF-8, or UTF-16 with a byte-order mark (PowerShell's `>` writes it), into a text without the mark.
fn decode(bytes: &[u8]) -> Result<std::borrow::Cow<'_, str>, YamlError> {
    let wide = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map(Into::into).map_err(|_| YamlError {
            line: 1,
            column: 1,
            what: "not valid UTF-16".to_owned(),
        })
    };
    match bytes {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            match std::str::from_utf8(bytes) {
                // YAML 1.1 ends lines at these as well.
                Ok(text) if text.contains(['\u{85}', '\u{2028}', '\u{2029}']) => {
                    Ok(text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n").into())
                }
                Ok(text) => Ok(text.into()),
                Err(error) => {
                    let before = &bytes[..error.valid_up_to()];
                    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
                    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                    let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
                    let what = "a byte that is not UTF-8; is this a text file?".to_owned();
                    Err(YamlError { line, column, what })
                }
            }
        }
    }
}

/// A value that an anchor names, and how many nodes it holds.
struct Anchored {
    value: Value,
    nodes: usize,
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, Anchored>,
    warnings: Vec<Odd>,
    /// Nodes read in this document, with aliases counted in full, and how many of them came from aliases.
    nodes: usize,
    aliased: usize,
}

/// One node, before it is known whether it is a value or a key.
enum Node {
    Scalar(Scalar),
    Tree(Value),
}

impl<'a> Reader<'a> {
    fn new(parser: Parser<'a, granit_parser::StrInput<'a>>) -> Self {
        Self { parser, anchors: HashMap::new(), warnings: Vec::new(), nodes: 0, aliased: 0 }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                Err(YamlError { line: error.marker().line(), column: error.marker().col() + 1, what: error.info() })
            }
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn stream(&mut self) -> Result<Vec<Document>, YamlError> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::DocumentStart(..), span) => {
                    self.anchors.clear();
                    (self.nodes, self.aliased) = (0, 0);
                    let (event, at) = self.next()?;
                    let node = self.node(event, at, 0)?;
                    let value = self.value(node, at)?;
                    let warnings = std::mem::take(&mut self.warnings);
                    documents.push(Document { line: span.start.line(), value, warnings });
                }
                (Event::StreamEnd, _) => return Ok(documents),
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, YamlError> {
        if depth > DEPTH {
            return Err(error(span, format!("nested more than {DEPTH} levels deep")));
        }
        let before = self.nodes;
        self.nodes += 1;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = resolve(&text, style, tag.as_deref()).map_err(|what| error(span, what))?;
                (anchor, Node::Scalar(scalar))
            }
            Event::SequenceStart(_, anchor, _) => (anchor, Node::Tree(self.list(depth)?)),
            Event::MappingStart(_, anchor, _) => (anchor, Node::Tree(self.map(depth)?)),
            Event::Alias(id) => return Ok(Node::Tree(self.alias(id, span)?)),
            other => return Err(error(span, format!("unexpected {other:?}"))),
        };
        if anchor != 0 {
            let value = match &node {
                Node::Scalar(scalar) => scalar.clone().value().map_err(|what| error(span, what))?,
                Node::Tree(tree) => tree.clone(),
            };
            self.anchors.insert(anchor, Anchored { value, nodes: self.nodes - before });
        }
        Ok(node)
    }

    fn value(&self, node: Node, span: Span) -> Result<Value, YamlError> {
        match node {
            Node::Scalar(scalar) => scalar.value().map_err(|what| error(span, what)),
            Node::Tree(tree) => Ok(tree),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::Array(items));
            }
            let node = self.node(event, span, depth + 1)?;
            items.push(self.value(node, span)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut map = Map::new();
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(map));
            }
            let merge = is_merge(&event);
            let key = self.node(event, at, depth + 1)?;
            let (event, span) = self.next()?;
            let node = self.node(event, span, depth + 1)?;
            let value = self.value(node, span)?;
            if merge {
                merge_into(&mut map, value).map_err(|what| error(span, what))?;
                continue;
            }
            let key = match key {
                Node::Scalar(scalar) => scalar.key(),
                Node::Tree(tree) => scalar::key_of(tree),
            }
            .map_err(|what| error(at, what))?;
            if map.contains_key(&key) {
                let what = format!("key {key:?} stands twice in this map; the last one counts");
                self.warnings.push(Odd { line: at.start.line(), what });
            }
            map.insert(key, value);
        }
    }

    /// A copy of what an anchor names, unless aliases of aliases make a small text huge.
    fn alias(&mut self, id: usize, span: Span) -> Result<Value, YamlError> {
        let Some(anchored) = self.anchors.get(&id) else {
            return Err(error(span, "this alias stands inside what it names".to_owned()));
        };
        self.nodes += anchored.nodes;
        self.aliased += anchored.nodes;
        // The same bounds as Helm's reader has, so that what it refuses is refused.
        let (low, high) = (400_000.0, 4_000_000.0);
        let nodes = self.nodes as f64;
        let allowed = 0.99 - 0.89 * ((nodes - low) / (high - low)).clamp(0.0, 1.0);
        if self.aliased > 100 && self.nodes > 1000 && self.aliased as f64 / nodes > allowed {
            return Err(error(span, "excessive aliasing: aliases of aliases make this document too large".to_owned()));
        }
        Ok(anchored.value.clone())
    }
}

fn error(span: Span, what: String) -> YamlError {
    YamlError { line: span.start.line().max(1), column: span.start.col() + 1, what }
}

fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, String> {
    let yaml_tag = tag.map(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:"));
    match (tag, yaml_tag) {
        (None, _) if style != ScalarStyle::Plain => Ok(Scalar::Text(text.to_owned())),
        (None, _) => Ok(Scalar::plain(text)),
        (Some(_), Some(Some(name))) => Scalar::tagged(&name, text),
        // A tag of somebody's own, or a lone `!`, is dropped and the text stays a text.
        (Some(_), _) => Ok(Scalar::Text(text.to_owned())),
    }
}

fn is_merge(event: &Event<'_>) -> bool {
    let Event::Scalar(text, style, _, tag) = event else { return false };
    let tagged = tag.as_deref().map(|tag| tag.suffix_in_namespace("tag:yaml.org,2002:").as_deref() == Some("merge"));
    text == "<<" && tagged.unwrap_or(*style == ScalarStyle::Plain)
}

/// Merges a map, or a list of maps of which the first one wins.
fn merge_into(map: &mut Map<String, Value>, value: Value) -> Result<(), String> {
    let not_a_map = || "`<<` merges a map or a list of maps".to_owned();
    match value {
        Value::Object(other) => map.extend(other),
        Value::Array(items) => {
            for item in items.into_iter().rev() {
                let Value::Object(other) = item else { return Err(not_a_map()) };
                map.extend(other);
            }
        }
        _ => return Err(not_a_map()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
