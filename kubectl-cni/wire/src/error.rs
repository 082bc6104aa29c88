//! Why a line was refused.

use crate::MAGIC;
use crate::text::{Sink, Text, displayed};

/// Why a line was refused; its `Display` is what a `bad` line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// Longer than [`crate::MAX_LINE`].
    TooLong,
    /// A byte that is not printable ASCII.
    NotPrintable,
    /// An empty line.
    Empty,
    /// Two spaces in a row, or a space at an end.
    Spacing,
    /// `cni-probe/` with another number than [`crate::VERSION`].
    Version,
    /// A first word that the grammar does not know.
    UnknownLine,
    /// A probe kind that the grammar does not know.
    UnknownKind,
    /// Something after the last field.
    Trailing,
    /// A field after the positional ones that is no `key=value`.
    NotKeyValue,
    /// The field of this name is missing.
    Missing(&'static str),
    /// The field of this name came twice.
    Twice(&'static str),
    /// The field of this name does not hold what it should.
    Invalid(&'static str),
}

impl WireError {
    /// What is wrong, and the field it is wrong with, if it is one: the text is the one after the other.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            WireError::TooLong => ("line too long", ""),
            WireError::NotPrintable => ("not printable ASCII", ""),
            WireError::Empty => ("empty line", ""),
            WireError::Spacing => ("fields are separated by one space", ""),
            WireError::Version => ("another version of the grammar; this side speaks ", MAGIC),
            WireError::UnknownLine => ("unknown first word", ""),
            WireError::UnknownKind => ("unknown kind", ""),
            WireError::Trailing => ("unexpected field at the end", ""),
            WireError::NotKeyValue => ("field is not key=value", ""),
            WireError::Missing(field) => ("missing ", field),
            WireError::Twice(field) => ("twice: ", field),
            WireError::Invalid(field) => ("invalid ", field),
        }
    }
}

impl Text for WireError {
    fn write(&self, out: &mut Sink<'_>) {
        let (what, field) = self.words();
        out(what);
        out(field);
    }
}

displayed!(WireError);

impl core::error::Error for WireError {}
