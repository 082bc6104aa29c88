//! A line cut into its fields: words by position, then `key=value` in any order.

use crate::{MAGIC, MAX_LINE, MAX_NAME, WireError};
use core::str::{FromStr, Split};

/// The fields of one line, read from left to right.
#[derive(Clone)]
pub(crate) struct Fields<'a>(Split<'a, char>);

impl<'a> Fields<'a> {
    /// The fields of `text`, which has passed [`checked`].
    pub(crate) fn new(text: &'a str) -> Self {
        Fields(text.split(' '))
    }

    /// The next field by position.
    pub(crate) fn word(&mut self, name: &'static str) -> Result<&'a str, WireError> {
        self.0.next().ok_or(WireError::Missing(name))
    }

    /// The next field by position, read as `T`.
    pub(crate) fn value<T: FieldValue<'a>>(&mut self, name: &'static str) -> Result<T, WireError> {
        read(name, self.word(name)?)
    }

    /// Hands every remaining `key=value` to `each`.
    pub(crate) fn keys(self, mut each: impl FnMut(&'a str, &'a str) -> Result<(), WireError>) -> Result<(), WireError> {
        for field in self.0 {
            let (key, value) = field.split_once('=').ok_or(WireError::NotKeyValue)?;
            each(key, value)?;
        }
        Ok(())
    }

    /// Refuses a line that goes on.
    pub(crate) fn end(mut self) -> Result<(), WireError> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err(WireError::Trailing),
        }
    }
}

/// The line as text, if it is one at all: its length, its bytes and its spaces are right.
/// A comment (`#…`) may hold spaces as it likes.
pub(crate) fn checked(line: &[u8]) -> Result<&str, WireError> {
    if line.len() > MAX_LINE {
        return Err(WireError::TooLong);
    }
    if !line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(WireError::NotPrintable);
    }
    let text = core::str::from_utf8(line).map_err(|_| WireError::NotPrintable)?;
    if text.is_empty() {
        return Err(WireError::Empty);
    }
    let odd = text.starts_with(' ') || text.ends_with(' ') || text.contains("  ");
    if odd && !text.starts_with('#') {
        return Err(WireError::Spacing);
    }
    Ok(text)
}

/// The error for a first word that is not ours, told apart from ours in another version.
pub(crate) fn unknown_first_word(word: &str) -> WireError {
    if word.starts_with("cni-probe/") && word != MAGIC { WireError::Version } else { WireError::UnknownLine }
}

/// Puts a `key=value` into its place, which has to be empty still.
pub(crate) fn once<'a, T: FieldValue<'a>>(
    slot: &mut Option<T>,
    name: &'static str,
    value: &'a str,
) -> Result<(), WireError> {
    if slot.is_some() {
        return Err(WireError::Twice(name));
    }
    *slot = Some(read(name, value)?);
    Ok(())
}

fn read<'a, T: FieldValue<'a>>(name: &'static str, value: &'a str) -> Result<T, WireError> {
    T::read(value).ok_or(WireError::Invalid(name))
}

/// What can stand in a field.
pub(crate) trait FieldValue<'a>: Sized {
    /// The value, or `None` where the text is none.
    fn read(text: &'a str) -> Option<Self>;
}

macro_rules! decimal {
    ($($number:ty),*) => {$(
        impl FieldValue<'_> for $number {
            fn read(text: &str) -> Option<Self> {
                number(text)?.try_into().ok()
            }
        }
    )*};
}
decimal!(u8, u16, u32, u64);

/// A decimal number: digits only.
fn number(text: &str) -> Option<u64> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    u64::from_str(text).ok()
}

impl FieldValue<'_> for core::net::IpAddr {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FieldValue<'_> for core::net::SocketAddr {
    /// No scope: a link-local address means nothing to the other side.
    fn read(text: &str) -> Option<Self> {
        let address = Self::from_str(text).ok()?;
        match address {
            Self::V6(v6) if v6.scope_id() != 0 || v6.flowinfo() != 0 => None,
            _ => Some(address),
        }
    }
}

/// The name of a server or client: see [`is_name`].
#[derive(Clone, Copy)]
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl<'a> FieldValue<'a> for Name<'a> {
    fn read(text: &'a str) -> Option<Self> {
        is_name(text).then_some(Name(text))
    }
}

/// Whether `text` can be the name of a server or client: 1 to 253 of `A-Z a-z 0-9 . - _ /`.
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// A domain name as a query or a search line holds it, without an empty label; a dot may close it.
#[derive(Clone, Copy)]
pub(crate) struct Domain<'a>(pub(crate) &'a str);

impl<'a> FieldValue<'a> for Domain<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let labels = text.strip_suffix('.').unwrap_or(text);
        let right = labels.len() <= MAX_NAME && labels.split('.').all(is_label);
        right.then_some(Domain(text))
    }
}

pub(crate) fn is_label(label: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=63).contains(&label.len()) && label.bytes().all(allowed)
}
