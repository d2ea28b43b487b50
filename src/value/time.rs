//! Dates, time stamps and durations, as YAML and the date filters make them.

use jiff::civil::{Date, DateTime};

/// A date, a time stamp with or without an offset, or a duration.
#[derive(Debug, Clone, Copy)]
pub enum Time {
    /// A day.
    Date(Date),
    /// A time stamp that does not say its offset.
    Naive(DateTime),
    /// A time stamp in local terms with its offset from UTC in seconds.
    Aware(DateTime, i32),
    /// A duration.
    Delta(Micros),
}

/// A number of microseconds of any size, without the alignment of its integer: that would make every value larger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Micros([u8; 16]);

impl Micros {
    /// The number.
    pub fn get(self) -> i128 {
        i128::from_ne_bytes(self.0)
    }
}

impl From<i128> for Micros {
    fn from(micros: i128) -> Self {
        Self(micros.to_ne_bytes())
    }
}

impl std::fmt::Debug for Micros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.get().fmt(f)
    }
}

impl Time {
    /// A duration of so many microseconds.
    pub fn from_micros(micros: impl Into<i128>) -> Self {
        Self::Delta(Micros::from(micros.into()))
    }

    /// The Python type name.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Date(_) => "date",
            Self::Naive(_) | Self::Aware(..) => "datetime",
            Self::Delta(_) => "timedelta",
        }
    }

    /// Microseconds since 1970 in UTC; an offset that is not said counts as UTC. `None` for a duration.
    pub fn micros_since_epoch(self) -> Option<i128> {
        let (local, offset) = match self {
            Self::Date(date) => (date.to_datetime(jiff::civil::Time::midnight()), 0),
            Self::Naive(local) => (local, 0),
            Self::Aware(local, offset) => (local, offset),
            Self::Delta(_) => return None,
        };
        let days = i128::from(days_since_epoch(local.date()));
        let seconds = i128::from(local.hour()) * 3600 + i128::from(local.minute()) * 60 + i128::from(local.second());
        let whole = days * 86_400 + seconds - i128::from(offset);
        Some(whole * 1_000_000 + i128::from(local.subsec_nanosecond()) / 1000)
    }

    /// ISO form, as Python's `isoformat` writes it.
    pub fn isoformat(self) -> String {
        match self {
            Self::Date(date) => iso_date(date),
            Self::Naive(local) => iso_time(local, 'T'),
            Self::Aware(local, offset) => format!("{}{}", iso_time(local, 'T'), iso_offset(offset)),
            Self::Delta(_) => self.to_text(),
        }
    }

    /// Returns Python's `str`: a blank between date and time, `1 day, 2:03:04` for a duration.
    pub fn to_text(self) -> String {
        match self {
            Self::Date(date) => iso_date(date),
            Self::Naive(local) => iso_time(local, ' '),
            Self::Aware(local, offset) => format!("{}{}", iso_time(local, ' '), iso_offset(offset)),
            Self::Delta(micros) => delta_text(micros.get()),
        }
    }
}

/// Days from 1970-01-01, negative before.
fn days_since_epoch(date: Date) -> i64 {
    // Howard Hinnant's days-from-civil, with March as the first month so that leap days come last.
    let year = i64::from(date.year()) - i64::from(date.month() <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (i64::from(date.month()) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i64::from(date.day()) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn iso_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

fn iso_time(local: DateTime, separator: char) -> String {
    let date = iso_date(local.date());
    let mut text = format!("{date}{separator}{:02}:{:02}:{:02}", local.hour(), local.minute(), local.second());
    let micros = local.subsec_nanosecond() / 1000;
    if micros != 0 {
        text.push_str(&format!(".{micros:06}"));
    }
    text
}

fn iso_offset(offset: i32) -> String {
    let (sign, seconds) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

fn delta_text(micros: i128) -> String {
    const DAY: i128 = 86_400_000_000;
    let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let mut text = match days {
        0 => String::new(),
        1 | -1 => format!("{days} day, "),
        _ => format!("{days} days, "),
    };
    text.push_str(&format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if fraction != 0 {
        text.push_str(&format!(".{fraction:06}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn instants_and_their_forms() {
        let local = date(2024, 3, 5).at(10, 11, 12, 0);
        assert_eq!(Time::Aware(local, 7200).isoformat(), "2024-03-05T10:11:12+02:00");
        assert_eq!(Time::Naive(local).to_text(), "2024-03-05 10:11:12");
        let utc = date(2024, 3, 5).at(8, 11, 12, 0);
        assert_eq!(Time::Aware(local, 7200).micros_since_epoch(), Time::Aware(utc, 0).micros_since_epoch());
        assert_eq!(Time::Naive(date(1970, 1, 2).at(0, 0, 0, 0)).micros_since_epoch(), Some(86_400_000_000));
        assert_eq!(Time::from_micros(93_784_000_000_i64).to_text(), "1 day, 2:03:04");
    }
}
