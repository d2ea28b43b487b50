//! Dates as the API has them: instants, whatever their text looks like.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// A date and time of the API.
///
/// Text that is not a date is kept as it is rather than refused: a model that cannot be read because of one odd time
/// stamp is useless. Such a date equals only the same text.
#[derive(Debug, Clone)]
pub enum Date {
    /// An instant.
    At(Timestamp),
    /// Something that the server calls a date.
    Odd(String),
}

impl Date {
    /// Reads what a server sends.
    pub fn read(text: &str) -> Self {
        match text.trim().parse::<Timestamp>() {
            Ok(instant) => Self::At(instant),
            // Without an offset the API means UTC, as every sample of it says `Z`.
            Err(_) => match format!("{}Z", text.trim()).parse::<Timestamp>() {
                Ok(instant) => Self::At(instant),
                Err(_) => Self::Odd(text.to_owned()),
            },
        }
    }

    /// The instant, if it is one.
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::At(instant) => Some(*instant),
            Self::Odd(_) => None,
        }
    }

    /// The form of results: ISO 8601 with `+00:00`.
    pub fn to_result_text(&self) -> String {
        match self {
            Self::At(instant) => format!("{}+00:00", local_form(*instant)),
            Self::Odd(text) => text.clone(),
        }
    }

    /// The form of requests: RFC 3339 with `Z`.
    pub fn to_request_text(&self) -> String {
        match self {
            Self::At(instant) => format!("{}Z", local_form(*instant)),
            Self::Odd(text) => text.clone(),
        }
    }
}

fn local_form(instant: Timestamp) -> String {
    let utc = instant.to_zoned(TimeZone::UTC).datetime();
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        utc.year(),
        utc.month(),
        utc.day(),
        utc.hour(),
        utc.minute(),
        utc.second()
    );
    let micros = utc.subsec_nanosecond() / 1000;
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    text
}

impl PartialEq for Date {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At(a), Self::At(b)) => a == b,
            (Self::Odd(a), Self::Odd(b)) => a == b,
            _ => false,
        }
    }
}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.instant()?.cmp(&other.instant()?))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&String::deserialize(deserializer)?))
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_request_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_instants() {
        assert_eq!(Date::read("2031-01-02T04:04:05+01:00"), Date::read("2031-01-02T03:04:05Z"));
        assert_eq!(Date::read("2031-01-02T03:04:05.000Z"), Date::read("2031-01-02T03:04:05"));
        assert_ne!(Date::read("2031-01-02T03:04:05Z"), Date::read("2031-01-02T03:04:06Z"));
        assert_eq!(Date::read("2031-01-02T04:04:05+01:00").to_result_text(), "2031-01-02T03:04:05+00:00");
        assert_eq!(Date::read("2031-01-02T03:04:05.25Z").to_request_text(), "2031-01-02T03:04:05.250000Z");
    }

    #[test]
    fn odd_dates_are_kept() {
        assert_eq!(Date::read("whenever").to_result_text(), "whenever");
        assert_ne!(Date::read("whenever"), Date::read("2031-01-02T03:04:05Z"));
    }
}
