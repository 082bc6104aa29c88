//! Kubernetes quantities by value: `1000m` is `1`, `1Ki` is `1024`
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).

use std::cmp::Ordering;

use serde_json::Value;

/// A quantity in billionths, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads a quantity; `None` where it is none, or is finer than a billionth or too large to be held exactly.
    pub fn parse(text: &str) -> Option<Self> {
        let unit = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-')).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let (negative, number) = match number.as_bytes().first()? {
            b'-' => (true, &number[1..]),
            b'+' => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
            return None;
        }
        let (ten, two) = scale(unit)?;
        // mantissa * 10^(ten + 9 - digits after the point) * 2^two
        let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
        let mut value = if negative { -mantissa } else { mantissa }.checked_mul(1_i128.checked_shl(two)?)?;
        let mut ten = ten + 9 - i32::try_from(fraction.len()).ok()?;
        while ten > 0 {
            value = value.checked_mul(10)?;
            ten -= 1;
        }
        while ten < 0 {
            if value % 10 != 0 {
                return None;
            }
            value /= 10;
            ten += 1;
        }
        Some(Self(value))
    }

    /// Reads a quantity as manifests write them: a text or a plain number.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }
}

/// Compares two quantities; `None` where one is none.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    Some(Quantity::of(a)?.cmp(&Quantity::of(b)?))
}

/// Powers of ten and of two behind a suffix.
fn scale(unit: &str) -> Option<(i32, u32)> {
    Some(match unit {
        "" => (0, 0),
        "n" => (-9, 0),
        "u" => (-6, 0),
        "m" => (-3, 0),
        "k" => (3, 0),
        "M" => (6, 0),
        "G" => (9, 0),
        "T" => (12, 0),
        "P" => (15, 0),
        "E" => (18, 0),
        "Ki" => (0, 10),
        "Mi" => (0, 20),
        "Gi" => (0, 30),
        "Ti" => (0, 40),
        "Pi" => (0, 50),
        "Ei" => (0, 60),
        _ => {
            let exponent: i32 = unit.strip_prefix(['e', 'E'])?.parse().ok()?;
            (-40..=40).contains(&exponent).then_some((exponent, 0))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_compared_by_value() {
        let equal = [
            ("1000m", "1"),
            ("1", "1.0"),
            ("0.1", "100m"),
            ("1Ki", "1024"),
            ("1.5Gi", "1536Mi"),
            ("1e3", "1k"),
            ("1E3", "1000"),
            ("+1", "1"),
            ("0", "0m"),
            ("1n", "0.000000001"),
            ("12E", "12e18"),
        ];
        for (a, b) in equal {
            assert!(Quantity::parse(a).is_some(), "{a}");
            assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
        }
        for (less, more) in [("999m", "1"), ("1M", "1Mi"), ("-1", "0"), ("100Mi", "1Gi")] {
            assert!(Quantity::parse(less) < Quantity::parse(more), "{less} {more}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in [
            "",
            "x",
            "1x",
            ".",
            "-",
            "1.2.3",
            "1 ",
            "0.0000000001",
            "1e99",
            "1Kib",
            "--1",
            "9999999999999999999999999999999999E",
        ] {
            assert_eq!(Quantity::parse(text), None, "{text:?}");
        }
        assert_eq!(Quantity::of(&Value::Bool(true)), None);
    }

    #[test]
    fn numbers_and_texts_are_one() {
        assert_eq!(order(&1.into(), &"1000m".into()), Some(Ordering::Equal));
        assert_eq!(order(&1.into(), &Value::Null), None);
    }
}
