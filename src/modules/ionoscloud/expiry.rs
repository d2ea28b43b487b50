//! `expiry_date`: what is accepted.
//!
//! Absolute: RFC 3339, a blank or `t` instead of `T`, without seconds, a date alone (midnight), Unix seconds (from
//! 20,000,000,000 on they are taken for milliseconds, as Ansible does). Without an offset UTC is assumed.
//! Relative, an addition of ours: `+30d`, `+12h`, `+1y`, `+1d12h`, with `s`, `min`, `h`, `d`, `w`, `mo` (30 days) and
//! `y` (365 days). A lone `m` is refused, because half of its readers take it for minutes and half for months. A
//! relative date is a limit: see [`Expiry::Within`]. `never`, and null, remove an expiry.

use jiff::civil::{Date as Day, DateTime, Time};
use jiff::{SignedDuration, Timestamp};

use crate::ionos::Date;
use crate::reconcile::Expiry;

/// Seconds of each unit.
const UNITS: [(&str, i64); 7] =
    [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400), ("w", 604_800), ("mo", 2_592_000), ("y", 31_536_000)];

/// From here on digits are milliseconds.
const MILLISECONDS_FROM: i64 = 20_000_000_000;

/// A parsed expiry, and whether its offset was assumed.
#[derive(Debug, PartialEq)]
pub(super) struct ParsedExpiry {
    /// When.
    pub expiry: Expiry,
    /// The text said no offset, and UTC was taken.
    pub assumed_utc: bool,
}

/// Text that gives no expiry, or no length of time; the sentence says what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpiryError {
    /// The text is empty.
    #[error("`expiry_date` is empty; omit it to keep the expiry, or set it to `never`")]
    Empty,
    /// The text is neither absolute nor relative.
    #[error("`expiry_date` `{0}` is not a date; write it like `2031-03-01T12:00:00Z`, `2031-03-01`, `+30d` or `never`")]
    NotDate(String),
    /// The time cannot be expressed as a date.
    #[error("{subject} is too far away")]
    TooFar {
        /// The setting and its text.
        subject: String,
    },
    /// No time is given.
    #[error("{subject} gives no time; write for example `30d` (units: {})", list_units())]
    NoTime {
        /// The setting and its text.
        subject: String,
    },
    /// A unit has no number before it.
    #[error("{subject} needs a number before each unit, as in `30d`")]
    NoNumber {
        /// The setting and its text.
        subject: String,
    },
    /// The unit `m` can be read in two ways.
    #[error("{subject}: `m` could be minutes or months; write `min` or `mo`")]
    AmbiguousUnit {
        /// The setting and its text.
        subject: String,
    },
    /// A unit does not exist.
    #[error("{subject}: `{unit}` is not a unit of time; known are {}", list_units())]
    UnknownUnit {
        /// The setting and its text.
        subject: String,
        /// The unit.
        unit: String,
    },
}

fn list_units() -> String {
    UNITS.map(|(unit, _)| format!("`{unit}`")).join(", ")
}

/// Reads an expiry.
///
/// # Errors
/// With a sentence that says what is accepted.
pub(super) fn parse_expiry(text: &str, now: Timestamp) -> Result<ParsedExpiry, ExpiryError> {
    let text = text.trim();
    let exactly = |expiry| Ok(ParsedExpiry { expiry, assumed_utc: false });
    let too_far = |_| ExpiryError::TooFar { subject: format!("`expiry_date` `{text}`") };
    if text.is_empty() {
        return Err(ExpiryError::Empty);
    }
    if text.eq_ignore_ascii_case("never") {
        return exactly(Expiry::Never);
    }
    if let Some(spans) = text.strip_prefix('+') {
        let seconds = relative_seconds(spans)?;
        let limit = now.checked_add(SignedDuration::from_secs(seconds)).map_err(too_far)?;
        let whole = Timestamp::from_second(limit.as_second()).unwrap_or(limit);
        return exactly(Expiry::Within(Date::At(whole)));
    }
    if let Ok(number) = text.parse::<i64>() {
        let instant = if number.abs() >= MILLISECONDS_FROM {
            Timestamp::from_millisecond(number)
        } else {
            Timestamp::from_second(number)
        };
        let instant = instant.map_err(too_far)?;
        return exactly(Expiry::At(Date::At(instant)));
    }
    let (instant, assumed_utc) = parse_absolute(text).ok_or_else(|| ExpiryError::NotDate(text.to_owned()))?;
    Ok(ParsedExpiry { expiry: Expiry::At(Date::At(instant)), assumed_utc })
}

fn relative_seconds(spans: &str) -> Result<i64, ExpiryError> {
    parse_seconds(spans, &format!("`expiry_date` `+{spans}`"))
}

/// Returns the seconds of a length of time such as `14d` or `1d12h`; `subject` begins every complaint.
///
/// # Errors
/// With a sentence that says what is accepted.
pub fn parse_seconds(spans: &str, subject: &str) -> Result<i64, ExpiryError> {
    let subject = || subject.to_owned();
    let mut rest = spans.trim();
    let mut total: i64 = 0;
    if rest.is_empty() {
        return Err(ExpiryError::NoTime { subject: subject() });
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number: i64 = rest[..digits].parse().map_err(|_| ExpiryError::NoNumber { subject: subject() })?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = rest[..letters].to_lowercase();
        rest = rest[letters..].trim_start();
        if unit == "m" {
            return Err(ExpiryError::AmbiguousUnit { subject: subject() });
        }
        let seconds = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds);
        let seconds = seconds.ok_or_else(|| ExpiryError::UnknownUnit { subject: subject(), unit })?;
        let span = number.checked_mul(seconds).and_then(|span| total.checked_add(span));
        total = span.ok_or_else(|| ExpiryError::TooFar { subject: subject() })?;
    }
    Ok(total)
}

/// An instant, and whether UTC was assumed.
fn parse_absolute(text: &str) -> Option<(Timestamp, bool)> {
    let day: Day = text.get(..10)?.parse().ok().filter(|_| text.as_bytes()[4] == b'-')?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some((to_timestamp(day.to_datetime(Time::midnight()), 0)?, true));
    }
    let clock = rest.strip_prefix(['T', 't', ' ', '_'])?.trim_start();
    let (clock, offset) = match clock.find(['Z', 'z', '+', '-']) {
        Some(place) => (clock[..place].trim_end(), Some(&clock[place..])),
        None => (clock, None),
    };
    if clock.len() < 5 || !clock.bytes().all(|b| b.is_ascii_digit() || b == b':' || b == b'.') {
        return None;
    }
    let time: Time = clock.parse().ok()?;
    let seconds = match offset {
        None | Some("Z" | "z") => 0,
        Some(offset) => offset_seconds(offset)?,
    };
    Some((to_timestamp(day.to_datetime(time), seconds)?, offset.is_none()))
}

fn offset_seconds(offset: &str) -> Option<i64> {
    let digits: String = offset[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    let size = (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)?;
    Some(if offset.starts_with('-') { -size } else { size })
}

fn to_timestamp(local: DateTime, offset: i64) -> Option<Timestamp> {
    let utc = format!("{local}Z").parse::<Timestamp>().ok()?;
    utc.checked_sub(SignedDuration::from_secs(offset)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    #[track_caller]
    fn at(text: &str, expected: &str, assumed_utc: bool) {
        let expiry = Expiry::At(Date::read(expected));
        assert_eq!(parse_expiry(text, now()), Ok(ParsedExpiry { expiry, assumed_utc }), "{text}");
    }

    #[track_caller]
    fn within(text: &str, expected: &str) {
        let expiry = Expiry::Within(Date::read(expected));
        assert_eq!(parse_expiry(text, now()), Ok(ParsedExpiry { expiry, assumed_utc: false }), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, part: &str) {
        let why = parse_expiry(text, now()).unwrap_err().to_string();
        assert!(why.contains(part), "{why}");
    }

    #[test]
    fn absolute_forms() {
        at("2031-03-01T12:00:00Z", "2031-03-01T12:00:00Z", false);
        at("2031-03-01t12:00:00z", "2031-03-01T12:00:00Z", false);
        at("2031-03-01T12:00:00+02:00", "2031-03-01T10:00:00Z", false);
        at("2031-03-01 12:00:00 -0230", "2031-03-01T14:30:00Z", false);
        at("2031-03-01 12:00:00.5", "2031-03-01T12:00:00.5Z", true);
        at("2031-03-01T12:00", "2031-03-01T12:00:00Z", true);
        at("2031-03-01", "2031-03-01T00:00:00Z", true);
        at("1930132800", "2031-03-01T12:00:00Z", false);
        at("1930132800000", "2031-03-01T12:00:00Z", false);
    }

    #[test]
    fn relative_forms() {
        within("+30d", "2030-01-31T00:00:00Z");
        within("+12h", "2030-01-01T12:00:00Z");
        within("+1d 12h", "2030-01-02T12:00:00Z");
        within("+1y", "2031-01-01T00:00:00Z");
        within("+2w", "2030-01-15T00:00:00Z");
        within("+1mo", "2030-01-31T00:00:00Z");
    }

    #[test]
    fn everything_else_is_refused_with_a_reason() {
        refused("", "is empty");
        refused("next week", "is not a date");
        refused("2031-13-01", "is not a date");
        refused("2031-03-01Tlater", "is not a date");
        refused("+30m", "minutes or months");
        refused("+30 fortnights", "not a unit of time");
        refused("+d", "needs a number");
        refused("+", "gives no time");
        refused("+99999999999999999y", "too far away");
        refused("é2031-03-01", "is not a date");
    }

    #[test]
    fn never_is_a_word() {
        assert_eq!(parse_expiry("never", now()).unwrap().expiry, Expiry::Never);
    }
}
