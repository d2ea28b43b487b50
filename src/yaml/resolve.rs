//! What a scalar without quotes means: YAML 1.1, with PyYAML's regular expressions spelt out by hand.

use jiff::civil::{Date, DateTime};
use num_bigint::BigInt;

use crate::value::{Time, Value};

/// Type of a plain scalar.
#[derive(Debug, Clone, PartialEq)]
pub enum Plain {
    /// Text as it stands.
    Text,
    /// Something that is not text.
    Value(Value),
    /// `<<`, which merges a mapping where it is a key.
    Merge,
    /// `=`, which YAML 1.1 keeps for itself.
    Default,
}

/// Why a scalar that looks like a number or a date is none.
pub type ScalarError = &'static str;

/// Python refuses to read integers with more digits than this.
const MAX_DIGITS: usize = 4300;

/// Says what a plain scalar is.
///
/// # Errors
/// When it has the form of a number or a date but is none, such as `2024-13-01` or `0b_`.
pub fn resolve_plain(text: &str) -> Result<Plain, ScalarError> {
    let Some(first) = text.bytes().next() else { return Ok(Plain::Value(Value::Null)) };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => Ok(resolve_word(text)),
        b'<' if text == "<<" => Ok(Plain::Merge),
        b'=' if text == "=" => Ok(Plain::Default),
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            if is_float(text) {
                return resolve_float(text).map(Plain::Value);
            }
            if is_integer(text) {
                return resolve_integer(text).map(Plain::Value);
            }
            if is_timestamp(text) {
                return resolve_timestamp(text).map(Plain::Value);
            }
            Ok(Plain::Text)
        }
        _ => Ok(Plain::Text),
    }
}

fn resolve_word(text: &str) -> Plain {
    match text {
        "~" | "null" | "Null" | "NULL" => Plain::Value(Value::Null),
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Plain::Value(Value::Bool(true)),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Plain::Value(Value::Bool(false)),
        _ => Plain::Text,
    }
}

/// The value of `!!bool`.
///
/// # Errors
/// When the text is none of the words.
pub fn resolve_bool(text: &str) -> Result<Value, ScalarError> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Ok(Value::Bool(true)),
        "no" | "false" | "off" => Ok(Value::Bool(false)),
        _ => Err("not a boolean"),
    }
}

/// Takes a sign off.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn has_only(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn digit_or_gap(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

/// `:[0-5]?[0-9]`, one or more times.
fn is_sixties<'a>(parts: impl Iterator<Item = &'a str>) -> bool {
    let mut count = 0;
    for part in parts {
        count += 1;
        let ok = match part.as_bytes() {
            [unit] => unit.is_ascii_digit(),
            [ten, unit] => matches!(ten, b'0'..=b'5') && unit.is_ascii_digit(),
            _ => false,
        };
        if !ok {
            return false;
        }
    }
    count > 0
}

fn is_integer(text: &str) -> bool {
    let (_, digits) = split_sign(text);
    if digits == "0" {
        return true;
    }
    if let Some(rest) = digits.strip_prefix("0b") {
        return !rest.is_empty() && has_only(rest, |b| matches!(b, b'0' | b'1' | b'_'));
    }
    if let Some(rest) = digits.strip_prefix("0x") {
        return !rest.is_empty() && has_only(rest, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if let Some(rest) = digits.strip_prefix('0') {
        return !rest.is_empty() && has_only(rest, |b| matches!(b, b'0'..=b'7' | b'_'));
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let mut parts = digits.split(':');
    let whole = parts.next().unwrap_or("");
    has_only(whole, digit_or_gap) && (whole.len() == digits.len() || is_sixties(parts))
}

/// `e+10`: the sign is a must.
fn is_exponent(text: &str) -> bool {
    let rest = text.strip_prefix(['e', 'E']).and_then(|rest| rest.strip_prefix(['+', '-']));
    rest.is_some_and(|digits| !digits.is_empty() && has_only(digits, |b| b.is_ascii_digit()))
}

/// Digits and gaps with an exponent or nothing after them.
fn is_fraction(text: &str) -> bool {
    let end = text.bytes().position(|b| !digit_or_gap(b)).unwrap_or(text.len());
    end == text.len() || is_exponent(&text[end..])
}

fn is_float(text: &str) -> bool {
    let (_, digits) = split_sign(text);
    let Some((whole, fraction)) = digits.split_once('.') else { return false };
    if whole.is_empty() {
        let signed = digits.len() != text.len();
        return matches!(fraction, "inf" | "Inf" | "INF")
            || !signed
                && (matches!(fraction, "nan" | "NaN" | "NAN")
                    || fraction.starts_with(|c: char| c.is_ascii_digit()) && is_fraction(fraction));
    }
    if !whole.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or("");
    if !has_only(first, digit_or_gap) {
        return false;
    }
    if first.len() == whole.len() {
        is_fraction(fraction)
    } else {
        is_sixties(parts) && has_only(fraction, digit_or_gap)
    }
}

/// The integer that a text is, in any of the bases; this is also the meaning of `!!int`.
///
/// # Errors
/// When it is none.
pub fn resolve_integer(text: &str) -> Result<Value, ScalarError> {
    const NONE: ScalarError = "not an integer";
    let cleaned = text.replace('_', "");
    let (negative, digits) = split_sign(cleaned.trim());
    if digits.len() > MAX_DIGITS {
        return Err("an integer with too many digits");
    }
    let parse = |digits: &str, base: u32| -> Result<BigInt, ScalarError> {
        // Big numbers are rare; the small ones must not pay for them.
        if let Ok(small) = i64::from_str_radix(digits, base) {
            return Ok(BigInt::from(small));
        }
        BigInt::parse_bytes(digits.as_bytes(), base).ok_or(NONE)
    };
    if digits.starts_with(['+', '-']) {
        return Err(NONE);
    }
    let number = if let Some(rest) = digits.strip_prefix("0b") {
        parse(rest, 2)?
    } else if let Some(rest) = digits.strip_prefix("0x") {
        parse(rest, 16)?
    } else if digits.starts_with('0') {
        parse(digits, 8)?
    } else if digits.contains(':') {
        let mut sum = BigInt::from(0);
        for part in digits.split(':') {
            sum = sum * 60 + parse(part, 10)?;
        }
        sum
    } else {
        if let Ok(small) = digits.parse::<i64>() {
            return Ok(Value::Int(if negative { -small } else { small }));
        }
        parse(digits, 10)?
    };
    Ok(Value::big(if negative { -number } else { number }))
}

/// The float that a text is; this is also the meaning of `!!float`.
///
/// # Errors
/// When it is none.
pub fn resolve_float(text: &str) -> Result<Value, ScalarError> {
    const NONE: ScalarError = "not a number";
    let cleaned = text.replace('_', "").to_ascii_lowercase();
    let (negative, digits) = split_sign(cleaned.trim());
    let number = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => {
            // Added up from the smallest part, as the reference does: the order shows in the last digit.
            let (mut sum, mut base) = (0.0, 1.0);
            for part in digits.rsplit(':') {
                sum += part.trim().parse::<f64>().map_err(|_| NONE)? * base;
                base *= 60.0;
            }
            sum
        }
    };
    Ok(Value::Float(if negative { -number } else { number }))
}

/// A cursor over the ASCII text of a time stamp.
struct Stamp<'a>(&'a [u8]);

impl Stamp<'_> {
    /// A number with at least `min` and at most `max` digits.
    fn read_number(&mut self, min: usize, max: usize) -> Option<i32> {
        let count = self.0.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        if count < min {
            return None;
        }
        let number = self.0[..count].iter().fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0'));
        self.0 = &self.0[count..];
        Some(number)
    }

    fn read_byte(&mut self, wanted: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == wanted).then(|| self.0 = rest)
    }

    fn skip_blanks(&mut self) -> usize {
        let count = self.0.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.0 = &self.0[count..];
        count
    }
}

/// The parts of a time stamp, not yet checked against the calendar.
struct Parts {
    date: [i32; 3],
    time: Option<[i32; 4]>,
    offset: Option<i32>,
}

fn parse_parts(text: &str) -> Option<Parts> {
    let mut at = Stamp(text.as_bytes());
    let year = at.read_number(4, 4)?;
    at.read_byte(b'-')?;
    let month = at.read_number(1, 2)?;
    at.read_byte(b'-')?;
    let day = at.read_number(1, 2)?;
    let date = [year, month, day];
    if at.0.is_empty() {
        return Some(Parts { date, time: None, offset: None });
    }
    if at.read_byte(b'T').or_else(|| at.read_byte(b't')).is_none() && at.skip_blanks() == 0 {
        return None;
    }
    let hour = at.read_number(1, 2)?;
    at.read_byte(b':')?;
    let minute = at.read_number(2, 2)?;
    at.read_byte(b':')?;
    let second = at.read_number(2, 2)?;
    let mut micros = 0;
    if at.read_byte(b'.').is_some() {
        let digits = at.0.iter().take_while(|b| b.is_ascii_digit()).count();
        for index in 0..6 {
            micros = micros * 10 + at.0[..digits].get(index).map_or(0, |digit| i32::from(digit - b'0'));
        }
        at.0 = &at.0[digits..];
    }
    let time = Some([hour, minute, second, micros]);
    let before = at.0;
    at.skip_blanks();
    let negative = match at.0.first() {
        None if before.is_empty() => return Some(Parts { date, time, offset: None }),
        Some(b'Z') if at.0.len() == 1 => return Some(Parts { date, time, offset: Some(0) }),
        Some(b'-') => true,
        Some(b'+') => false,
        _ => return None,
    };
    at.0 = &at.0[1..];
    let hours = at.read_number(1, 2)?;
    let minutes = if at.read_byte(b':').is_some() { at.read_number(2, 2)? } else { 0 };
    let seconds = hours * 3600 + minutes * 60;
    at.0.is_empty().then_some(Parts { date, time, offset: Some(if negative { -seconds } else { seconds }) })
}

/// A date alone must be written with all its digits; with a time it need not.
fn is_timestamp(text: &str) -> bool {
    parse_parts(text).is_some_and(|parts| parts.time.is_some() || text.len() == "2024-03-05".len())
}

/// The date or time stamp that a text is; this is also the meaning of `!!timestamp`.
///
/// # Errors
/// When it is none, or no such day or time exists.
pub fn resolve_timestamp(text: &str) -> Result<Value, ScalarError> {
    const NONE: ScalarError = "no such day in the calendar";
    let Parts { date: [year, month, day], time, offset } = parse_parts(text).ok_or("not a date")?;
    let small = |number: i32| i8::try_from(number).map_err(|_| NONE);
    let date = Date::new(i16::try_from(year).map_err(|_| NONE)?, small(month)?, small(day)?).map_err(|_| NONE)?;
    if year == 0 {
        return Err(NONE);
    }
    let Some([hour, minute, second, micros]) = time else { return Ok(Value::Time(Time::Date(date))) };
    let clock = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, micros * 1000)
        .map_err(|_| "no such time of day")?;
    let local = DateTime::from_parts(date, clock);
    match offset {
        None => Ok(Value::Time(Time::Naive(local))),
        Some(seconds) if seconds.abs() < 86_400 => Ok(Value::Time(Time::Aware(local, seconds))),
        Some(_) => Err("an offset from UTC of a day or more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::python;

    fn shown(text: &str) -> String {
        match resolve_plain(text) {
            Ok(Plain::Text) => "text".to_owned(),
            Ok(Plain::Merge) => "merge".to_owned(),
            Ok(Plain::Default) => "value".to_owned(),
            Ok(Plain::Value(value)) => python::repr(&value),
            Err(_) => "error".to_owned(),
        }
    }

    /// The table was made with PyYAML: scalar, tab, Python's `repr` (or `text`, `merge`, `value`, `error`).
    #[test]
    fn scalars_mean_what_they_mean_to_pyyaml() {
        let table = include_str!("../../tests/data/yaml_scalars.txt");
        let mut count = 0;
        let mut wrong = Vec::new();
        for (scalar, expected) in table.lines().filter_map(|line| line.split_once('\t')) {
            count += 1;
            let found = shown(scalar);
            if found != expected {
                wrong.push(format!("`{scalar}`: {found}, not {expected}"));
            }
        }
        assert!(count > 4000, "the table is cut short: {count} lines");
        assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn tags_read_what_a_plain_scalar_would_not() {
        assert_eq!(resolve_float("1e3"), Ok(Value::Float(1000.0)));
        assert_eq!(resolve_float("1"), Ok(Value::Float(1.0)));
        assert_eq!(resolve_integer("abc"), Err("not an integer"));
        assert_eq!(resolve_integer(""), Err("not an integer"));
        assert!(resolve_integer(&"9".repeat(5000)).is_err());
        assert_eq!(resolve_bool("YeS"), Ok(Value::Bool(true)));
        assert!(resolve_timestamp("2024-1-2").is_ok());
    }
}
