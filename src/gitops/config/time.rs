//! Durations, points in time and cron schedules.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Reason for which a text cannot be read as a time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TimeError {
    /// It is not a duration.
    #[error("expected a duration such as `30s`, `5m`, `2h` or `7d`, got `{0}`")]
    Duration(String),
    /// It is neither a point in time nor a duration.
    #[error("expected a time such as `2027-01-31T12:00:00Z` or a duration from now such as `2h`, got `{0}`")]
    Time(String),
    /// It is a duration that ends after the last date there is.
    #[error("`{0}` is too far away")]
    TooFar(String),
    /// It is not a cron expression, for this reason.
    #[error("{0}")]
    Cron(String),
}

/// Reads a duration such as `30s`, `5m`, `2h`, `7d` or `1h30m`.
///
/// # Errors
/// With what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, TimeError> {
    let wrong = || TimeError::Duration(text.to_owned());
    let (mut total, mut number, mut parts) = (0u64, String::new(), 0);
    for letter in text.trim().chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        let unit = match letter {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let count: u64 = number.parse().map_err(|_| wrong())?;
        total = count.checked_mul(unit).and_then(|seconds| total.checked_add(seconds)).ok_or_else(wrong)?;
        number.clear();
        parts += 1;
    }
    // A hundred years are more than any clock here needs, and far from any overflow.
    if parts == 0 || !number.is_empty() || total > 100 * 366 * 86_400 {
        return Err(wrong());
    }
    Ok(Duration::from_secs(total))
}

/// Returns a duration in its largest whole unit (`90s`, `5m`, `2h`, `7d`).
pub fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    match units.into_iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", seconds / size),
        None => format!("{seconds}s"),
    }
}

/// Reads a point in time: ISO 8601 with a zone, or a duration from now.
///
/// # Errors
/// With what was expected.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp, TimeError> {
    if let Ok(duration) = parse_duration(text) {
        return SignedDuration::try_from(duration)
            .ok()
            .and_then(|duration| now.checked_add(duration).ok())
            .and_then(|time| Timestamp::from_second(time.as_second()).ok())
            .ok_or_else(|| TimeError::TooFar(text.to_owned()));
    }
    text.parse().map_err(|_| TimeError::Time(text.to_owned()))
}

/// A cron schedule with its time zone.
#[derive(Clone)]
pub struct CronSchedule {
    text: String,
    zone: String,
    crontab: cronexpr::Crontab,
}

impl CronSchedule {
    /// Reads a cron expression of five fields in a time zone.
    ///
    /// # Errors
    /// With what is wrong in it.
    pub fn parse_cron(text: &str, zone: &str) -> Result<Self, TimeError> {
        let crontab = cronexpr::parse_crontab(&format!("{} {zone}", text.trim()));
        // The library's picture of the error shows the zone that was added; only its last line says why.
        let crontab = crontab
            .map_err(|error| TimeError::Cron(error.to_string().lines().last().unwrap_or_default().trim().to_owned()))?;
        Ok(Self { text: text.to_owned(), zone: zone.to_owned(), crontab })
    }

    /// Returns the first time after another one.
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let start = cronexpr::MakeTimestamp::from_second(time.as_second()).ok()?;
        let next = self.crontab.find_next(start).ok()?;
        Timestamp::from_second(next.timestamp().as_second()).ok()
    }
}

impl fmt::Debug for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schedule({} {})", self.text, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_number_and_a_unit() {
        for (text, seconds) in [("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604_800), ("1h30m", 5400), (" 1m ", 60)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "5", "m", "5 m", "-5m", "1.5h", "5y", "99999999999999999999s", "99999999999d"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shown_durations_are_read_back() {
        for text in ["30s", "90s", "5m", "2h", "7d"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn times_have_a_zone_or_count_from_now() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        assert_eq!(parse_time("2h", now).unwrap().to_string(), "2026-11-30T02:00:00Z");
        let between: Timestamp = "2026-11-30T00:00:00.123456789Z".parse().unwrap();
        assert_eq!(parse_time("2h", between).unwrap().to_string(), "2026-11-30T02:00:00Z");
        assert_eq!(parse_time("2026-12-24T18:00:00+01:00", now).unwrap().to_string(), "2026-12-24T17:00:00Z");
        assert!(parse_time("2026-12-24T18:00:00", now).is_err());
        assert!(parse_time("tomorrow", now).unwrap_err().to_string().contains("got `tomorrow`"));
    }

    #[test]
    fn schedules_follow_their_time_zone() {
        let schedule = CronSchedule::parse_cron("0 3 * * 1", "Europe/Berlin").unwrap();
        let after = |text: &str| schedule.next_after(text.parse().unwrap()).unwrap().to_string();
        assert_eq!(after("2026-11-29T00:00:00Z"), "2026-11-30T02:00:00Z");
        assert_eq!(after("2026-11-30T02:00:00Z"), "2026-12-07T02:00:00Z");
        assert_eq!(after("2026-06-30T02:00:00Z"), "2026-07-06T01:00:00Z");
        assert!(CronSchedule::parse_cron("0 3 * *", "UTC").is_err());
        assert!(CronSchedule::parse_cron("99 3 * * *", "UTC").is_err());
        assert!(CronSchedule::parse_cron("0 3 * * *", "Mars/Olympus").is_err());
    }
}
