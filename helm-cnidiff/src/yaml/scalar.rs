//! The text of a scalar in, what Helm makes of it out.

use serde_json::{Number, Value};

/// A scalar, resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `i64`.
    Large(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// What a plain scalar without a tag means.
    pub(super) fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                return Self::Bool(true);
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
                return Self::Bool(false);
            }
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Self::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => return Self::Float(f64::NEG_INFINITY),
            _ => {}
        }
        match text.as_bytes()[0] {
            b'.' => float(&without_separators(text)).map(Self::Float),
            b'0'..=b'9' | b'+' | b'-' => Self::number(text),
            _ => None,
        }
        .unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    fn number(text: &str) -> Option<Self> {
        let text = text.replace('_', "");
        if let Some(number) = integer(&text) {
            return Some(number);
        }
        if styled_float(&text)
            && let Some(number) = float(&text)
        {
            return Some(Self::Float(number));
        }
        // `0b-11` is -3: the digits are read once more behind the prefix, with a sign of their own.
        let digits = text.strip_prefix("0b")?;
        i64::from_str_radix(digits, 2).ok().filter(|_| digits.starts_with(['+', '-'])).map(Self::Int)
    }

    /// What a scalar with a tag of YAML's own means.
    pub(super) fn tagged(tag: &str, text: &str) -> Result<Self, String> {
        let refused = |is: &str| Err(format!("cannot read !!{is} `{text}` as !!{tag}"));
        match tag {
            "str" => return Ok(Self::Text(text.to_owned())),
            "binary" => {
                use base64::Engine as _;
                let compact: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
                return match base64::engine::general_purpose::STANDARD.decode(compact) {
                    Ok(bytes) => Ok(Self::Text(String::from_utf8_lossy(&bytes).into_owned())),
                    Err(_) => Err("!!binary that is not base64".to_owned()),
                };
            }
            "bool" | "int" | "float" | "null" | "timestamp" => {}
            _ => return Ok(Self::Text(text.to_owned())),
        }
        let read = Self::plain(text);
        match (tag, &read) {
            ("bool", Self::Bool(_)) | ("int", Self::Int(_) | Self::Large(_)) | ("null", Self::Null) => Ok(read),
            ("float", Self::Float(_) | Self::Int(_)) => Ok(read),
            ("timestamp", Self::Text(text)) if text.starts_with(|c: char| c.is_ascii_digit()) => Ok(read),
            (_, Self::Null) => refused("null"),
            (_, Self::Bool(_)) => refused("bool"),
            (_, Self::Int(_) | Self::Large(_)) => refused("int"),
            (_, Self::Float(_)) => refused("float"),
            (_, Self::Text(_)) => refused("str"),
        }
    }

    /// As a JSON value.
    pub(super) fn value(self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Int(value) => value.into(),
            Self::Large(value) => value.into(),
            Self::Float(value) => number(value)?,
            Self::Text(text) => text.into(),
        })
    }

    /// As a key of a JSON object.
    pub(super) fn key(self) -> Result<String, String> {
        match self {
            Self::Null => Err("null cannot be a key".to_owned()),
            Self::Bool(value) => Ok(value.to_string()),
            Self::Int(value) => Ok(value.to_string()),
            Self::Large(value) => Err(format!("{value} is too large for a key; quote it")),
            Self::Float(value) => Ok(float_key(value)),
            Self::Text(text) => Ok(text),
        }
    }
}

/// The key that an alias stands for.
pub(super) fn key_of(tree: Value) -> Result<String, String> {
    match tree {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole.to_string()),
            (None, Some(float)) if !number.is_u64() => Ok(float_key(float)),
            _ => Err(format!("{number} is too large for a key; quote it")),
        },
        Value::Null => Err("null cannot be a key".to_owned()),
        Value::Array(_) | Value::Object(_) => Err("a map or a list cannot be a key".to_owned()),
    }
}

/// Decimal, `0x`, `0o`, `0b` and octal by a leading zero, with a sign, in 64 bits.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return i64::try_from(-i128::from(magnitude)).ok().map(Scalar::Int);
    }
    match i64::try_from(magnitude) {
        Ok(whole) => Some(Scalar::Int(whole)),
        // A sign and more than 63 bits is no whole number any more.
        Err(_) if text.starts_with('+') => None,
        Err(_) => Some(Scalar::Large(magnitude)),
    }
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn styled_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

/// Underscores between digits are left out; elsewhere they stay, and make it a text.
fn without_separators(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| digit(at.checked_sub(1)) && digit(Some(at + 1));
    text.char_indices().filter(|(at, c)| *c != '_' || !separates(*at)).map(|(_, c)| c).collect()
}

/// A finite float; what is out of range is none.
fn float(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

/// Whole numbers lose their fraction on the way through JSON, as `1e3` and `1.0` do in Helm.
fn number(value: f64) -> Result<Value, String> {
    if value.fract() == 0.0
        && let Some(whole) = whole(value)
    {
        return Ok(whole);
    }
    Number::from_f64(value)
        .map(Value::Number)
        .ok_or_else(|| "infinity and not-a-number have no place in JSON, so Helm refuses them".to_owned())
}

fn whole(value: f64) -> Option<Value> {
    const TWO_63: f64 = 9_223_372_036_854_775_808.0;
    if value.abs() < TWO_63 {
        Some(Value::from(value as i64))
    } else if value > 0.0 && value < 2.0 * TWO_63 {
        Some(Value::from(value as u64))
    } else {
        None
    }
}

/// A float as a key: in single precision, shortest, with an exponent below 1e-4 and from 1e6 on.
fn float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{:e}", value as f32);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{}", value as f32);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
