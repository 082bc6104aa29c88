//! Address ranges as text (`10.0.0.0/8`, `10.0.0.1`), compared as numbers.

use std::net::IpAddr;

/// Addresses from the first to the last, of one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    v6: bool,
    first: u128,
    last: u128,
}

impl Span {
    /// Reads an address or a CIDR. Host bits are ignored, as the kernel does.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text.trim(), None),
        };
        let (v6, number) = number(address.parse().ok()?);
        let bits = if v6 { 128 } else { 32 };
        let length = length.unwrap_or(bits);
        let free = bits.checked_sub(length)?;
        let mask = if free == 128 { u128::MAX } else { (1_u128 << free) - 1 };
        Some(Self { v6, first: number & !mask, last: number | mask })
    }

    /// From its ends.
    pub(crate) fn between(start: &str, stop: &str) -> Option<Self> {
        let ((v6, first), (other, last)) = (number(start.trim().parse().ok()?), number(stop.trim().parse().ok()?));
        (v6 == other && first <= last).then_some(Self { v6, first, last })
    }

    /// Whether the other lies in it as a whole.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.v6 == other.v6 && self.first <= other.first && other.last <= self.last
    }

    /// Whether the address lies in it.
    pub(crate) fn has(self, address: IpAddr) -> bool {
        let (v6, number) = number(address);
        self.v6 == v6 && (self.first..=self.last).contains(&number)
    }
}

fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(v4) => (false, u32::from(v4).into()),
        IpAddr::V6(v6) => (true, v6.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_and_have() {
        let span = |text: &str| Span::parse(text).unwrap();
        assert!(span("10.244.0.0/16").covers(span("10.244.3.0/24")));
        assert!(!span("10.244.0.0/16").covers(span("10.245.0.0/24")));
        assert!(!span("10.244.3.0/24").covers(span("10.244.0.0/16")));
        assert!(span("::/0").covers(span("fd00::/64")) && !span("::/0").covers(span("10.0.0.0/8")));
        assert!(span("0.0.0.0/0").has("192.0.2.1".parse().unwrap()));
        assert!(
            span("192.0.2.1").has("192.0.2.1".parse().unwrap()) && !span("192.0.2.1").has("192.0.2.2".parse().unwrap())
        );
        assert!(Span::between("10.0.0.5", "10.0.0.9").unwrap().has("10.0.0.9".parse().unwrap()));
    }

    #[test]
    fn what_is_no_span_is_none() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "a/8", "10.0.0.0/x"] {
            assert!(Span::parse(text).is_none(), "{text}");
        }
        assert!(Span::between("10.0.0.9", "10.0.0.5").is_none() && Span::between("10.0.0.1", "fd00::1").is_none());
    }
}
