//! Texts cut, and lines written piece by piece. Beside `core::fmt`, whose machinery for numbers and addresses would be a sixth of the agent.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What stands before and after the first `separator`, an ASCII byte.
#[inline(never)]
pub fn cut(text: &str, separator: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Takes the pieces of a line, in order.
pub type Sink<'s> = dyn FnMut(&str) + 's;

/// A value of the grammar, which can write itself.
pub trait Text {
    /// Hands the pieces of the text to `out`.
    fn write(&self, out: &mut Sink<'_>);
}

/// The [`fmt::Display`] of a value, from its [`Text`].
pub(crate) fn display(value: &dyn Text, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut result = Ok(());
    value.write(&mut |piece| {
        if result.is_ok() {
            result = f.write_str(piece);
        }
    });
    result
}

/// Implements [`fmt::Display`] by [`Text`].
macro_rules! displayed {
    ($($name:ty),*) => {$(
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                $crate::text::display(self, f)
            }
        }
    )*};
}
pub(crate) use displayed;

/// A number in base 10 or 16.
#[inline(never)]
fn digits(out: &mut Sink<'_>, mut value: u64, base: u64) {
    let mut bytes = [0_u8; 20];
    let mut start = bytes.len();
    // Twenty digits hold every u64.
    for place in bytes.iter_mut().rev() {
        let digit = (value % base) as u8;
        *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
        start -= 1;
        value /= base;
        if value == 0 {
            break;
        }
    }
    out(bytes.get(start..).and_then(|digits| core::str::from_utf8(digits).ok()).unwrap_or(""));
}

/// A decimal number.
pub fn number(out: &mut Sink<'_>, value: u64) {
    digits(out, value, 10);
}

/// ` key=` (given so) and a number, where there is one.
pub(crate) fn number_field(out: &mut Sink<'_>, key: &str, value: Option<u32>) {
    if let Some(value) = value {
        out(key);
        number(out, u64::from(value));
    }
}

/// ` key=` (given so) and a text, where there is one.
pub(crate) fn text_field(out: &mut Sink<'_>, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        out(key);
        out(value);
    }
}

/// An address as the standard library writes it: RFC 5952.
#[inline(never)]
pub fn address(out: &mut Sink<'_>, address: &IpAddr) {
    match address {
        IpAddr::V4(v4) => dotted(out, v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => {
                out("::ffff:");
                dotted(out, &v4);
            }
            None => colons(out, v6),
        },
    }
}

fn dotted(out: &mut Sink<'_>, address: &Ipv4Addr) {
    let mut separator = "";
    for octet in address.octets() {
        out(separator);
        number(out, u64::from(octet));
        separator = ".";
    }
}

fn colons(out: &mut Sink<'_>, address: &Ipv6Addr) {
    let segments = address.segments();
    // The longest run of two or more zeros, the first of equals, becomes `::`.
    let (mut gap, mut gap_length, mut run) = (8, 1, 0);
    for (index, segment) in segments.iter().enumerate() {
        run = if *segment == 0 { run + 1 } else { 0 };
        if run > gap_length {
            (gap, gap_length) = (index + 1 - run, run);
        }
    }
    let mut separator = "";
    for (index, segment) in segments.iter().enumerate() {
        if index == gap {
            out("::");
            separator = "";
        } else if index < gap || index >= gap + gap_length {
            out(separator);
            digits(out, u64::from(*segment), 16);
            separator = ":";
        }
    }
}

/// An address and port; scopes have no place in the grammar.
pub fn socket(out: &mut Sink<'_>, to: &SocketAddr) {
    let (open, close) = if to.is_ipv6() { ("[", "]:") } else { ("", ":") };
    out(open);
    address(out, &to.ip());
    out(close);
    number(out, u64::from(to.port()));
}
