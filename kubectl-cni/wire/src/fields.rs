//! A line cut into its fields: words by position, then `key=value` in any order.

use crate::text::cut;
use crate::{MAGIC, MAX_LINE, MAX_NAME, WireError};
use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;

/// The fields of one line, read from left to right; `None` at its end.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(Option<&'a str>);

impl<'a> Fields<'a> {
    /// The fields of `text`, which has passed [`checked`].
    pub(crate) fn new(text: &'a str) -> Self {
        Fields(Some(text))
    }

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0?;
        let (field, rest) = match cut(text, b' ') {
            Some((field, rest)) => (field, Some(rest)),
            None => (text, None),
        };
        self.0 = rest;
        Some(field)
    }

    /// The next field by position.
    pub(crate) fn word(&mut self, name: &'static str) -> Result<&'a str, WireError> {
        self.next().ok_or(WireError::Missing(name))
    }

    /// The next field by position, read as `T`.
    pub(crate) fn value<T: FieldValue<'a>>(&mut self, name: &'static str) -> Result<T, WireError> {
        T::read(self.word(name)?).ok_or(WireError::Invalid(name))
    }

    /// The rest, which has to be `key=value` throughout.
    #[inline(never)]
    pub(crate) fn keys(self) -> Result<Keys<'a>, WireError> {
        let mut rest = self;
        while let Some(field) = rest.next() {
            if cut(field, b'=').is_none() {
                return Err(WireError::NotKeyValue);
            }
        }
        Ok(Keys(self))
    }

    /// Refuses a line that goes on.
    pub(crate) fn end(self) -> Result<(), WireError> {
        if self.0.is_none() { Ok(()) } else { Err(WireError::Trailing) }
    }
}

/// The `key=value` fields of a line. A key that nobody asks for is unknown here, so it is ignored.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a>(Fields<'a>);

impl<'a> Keys<'a> {
    /// The value of a key, which may come once.
    #[inline(never)]
    pub(crate) fn get(self, name: &'static str) -> Result<Option<&'a str>, WireError> {
        let (mut fields, mut found) = (self.0, None);
        while let Some(field) = fields.next() {
            if let Some((key, value)) = cut(field, b'=')
                && key == name
            {
                if found.is_some() {
                    return Err(WireError::Twice(name));
                }
                found = Some(value);
            }
        }
        Ok(found)
    }

    /// The value of a key, read as `T`.
    pub(crate) fn read<T: FieldValue<'a>>(self, name: &'static str) -> Result<Option<T>, WireError> {
        match self.get(name)? {
            None => Ok(None),
            Some(text) => T::read(text).map(Some).ok_or(WireError::Invalid(name)),
        }
    }

    /// The value of a key that has to be there, read as `T`.
    pub(crate) fn needed<T: FieldValue<'a>>(self, name: &'static str) -> Result<T, WireError> {
        self.read(name)?.ok_or(WireError::Missing(name))
    }

    /// A number within `bounds`.
    #[inline(never)]
    pub(crate) fn number(self, name: &'static str, bounds: RangeInclusive<u32>) -> Result<Option<u32>, WireError> {
        match self.read(name)? {
            Some(value) if !bounds.contains(&value) => Err(WireError::Invalid(name)),
            other => Ok(other),
        }
    }
}

/// The line as text, if it is one at all: its length, its bytes and its spaces are right.
/// A comment (`#…`) may hold spaces as it likes.
#[inline(never)]
pub(crate) fn checked(line: &[u8]) -> Result<&str, WireError> {
    if line.len() > MAX_LINE {
        return Err(WireError::TooLong);
    }
    let (mut odd, mut before) = (false, b' ');
    for byte in line {
        if !matches!(byte, b' '..=b'~') {
            return Err(WireError::NotPrintable);
        }
        odd |= before == b' ' && *byte == b' ';
        before = *byte;
    }
    let text = core::str::from_utf8(line).map_err(|_| WireError::NotPrintable)?;
    match text.as_bytes().first() {
        None => Err(WireError::Empty),
        Some(b'#') => Ok(text),
        Some(_) if odd || before == b' ' => Err(WireError::Spacing),
        Some(_) => Ok(text),
    }
}

/// The error for a first word that is not ours, told apart from ours in another version.
pub(crate) fn unknown_first_word(word: &str) -> WireError {
    if word.starts_with("cni-probe/") && word != MAGIC { WireError::Version } else { WireError::UnknownLine }
}

/// What can stand in a field.
pub(crate) trait FieldValue<'a>: Sized {
    /// The value, or `None` where the text is none.
    fn read(text: &'a str) -> Option<Self>;
}

impl FieldValue<'_> for u64 {
    /// Digits only.
    #[inline(never)]
    fn read(text: &str) -> Option<Self> {
        let mut value: u64 = 0;
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        (!text.is_empty()).then_some(value)
    }
}

macro_rules! narrower {
    ($($number:ty),*) => {$(
        impl FieldValue<'_> for $number {
            fn read(text: &str) -> Option<Self> {
                u64::read(text)?.try_into().ok()
            }
        }
    )*};
}
narrower!(u8, u16, u32);

impl FieldValue<'_> for IpAddr {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FieldValue<'_> for SocketAddr {
    /// No scope: a link-local address means nothing to the other side.
    fn read(text: &str) -> Option<Self> {
        let address: Self = text.parse().ok()?;
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
#[inline(never)]
pub fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether `text` is a domain name without an empty label; a dot may close it.
#[inline(never)]
pub fn is_domain(text: &str) -> bool {
    let mut label = 0;
    for byte in text.bytes() {
        label = match byte {
            b'.' if label > 0 => 0,
            b'-' | b'_' if label < 63 => label + 1,
            _ if byte.is_ascii_alphanumeric() && label < 63 => label + 1,
            _ => return false,
        };
    }
    (1..=MAX_NAME).contains(&text.len())
}
