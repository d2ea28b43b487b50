//! Points in time as the API writes them, and a clock that tests can move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MockTime(pub i64);

impl MockTime {
    /// Reads an RFC 3339 date-time; one without an offset counts as UTC, since clients are known to send such.
    pub fn parse_date_time(text: &str) -> Option<Self> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(Self(at.as_millisecond()));
        }
        // A date alone is not a date-time.
        if !text.contains(['T', 't', ' ']) {
            return None;
        }
        let civil: DateTime = text.parse().ok()?;
        let at = TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Self(at.as_millisecond()))
    }

    /// The form of the API: UTC, whole seconds, `2022-10-08T15:56:04Z`.
    pub fn to_api(self) -> String {
        Self(self.0.div_euclid(1000) * 1000).to_exact()
    }

    /// As the header `Date` has it.
    pub fn to_http(self) -> String {
        let at = Timestamp::from_millisecond(self.0).unwrap_or_default();
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// The moment `by` later.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    fn to_exact(self) -> String {
        Timestamp::from_millisecond(self.0)
            .unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
            .to_string()
    }
}

impl Serialize for MockTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_exact())
    }
}

impl<'de> Deserialize<'de> for MockTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_date_time(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a date-time like 2031-03-01T00:00:00Z")))
    }
}

/// The server's clock: real time, or faster, or put forward, so that tests do not wait for an expiry.
#[derive(Debug)]
pub struct Clock {
    begun: Instant,
    start: i64,
    scale: f64,
    ahead: AtomicI64,
}

impl Clock {
    /// A clock that stands at `start` (none: the real time) and runs `scale` times as fast as a real one.
    pub fn new(start: Option<MockTime>, scale: f64) -> Self {
        let start = start.map_or_else(|| Timestamp::now().as_millisecond(), |at| at.0);
        Self { begun: Instant::now(), start, scale, ahead: AtomicI64::new(0) }
    }

    /// Returns the time of the clock.
    pub fn now(&self) -> MockTime {
        let elapsed = self.begun.elapsed().as_secs_f64() * 1000.0 * self.scale;
        // `as` saturates, which is what a clock far in the future should do.
        MockTime(self.start.saturating_add(elapsed as i64).saturating_add(self.ahead.load(Ordering::Relaxed)))
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: Duration) {
        self.ahead.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: Option<&str>) {
        assert_eq!(MockTime::parse_date_time(text).map(MockTime::to_api).as_deref(), expected);
    }

    #[test]
    fn date_times() {
        case("2031-03-01T00:00:00Z", Some("2031-03-01T00:00:00Z"));
        case("2031-03-01T02:00:00.750+02:00", Some("2031-03-01T00:00:00Z"));
        case("2031-03-01 00:00:00Z", Some("2031-03-01T00:00:00Z"));
        case("2031-03-01T00:00:00", Some("2031-03-01T00:00:00Z"));
        case("2031-03-01", None);
        case("", None);
        case("next week", None);
    }

    #[test]
    fn dates_of_headers() {
        let at = MockTime::parse_date_time("2031-01-02T04:04:05.9+01:00").expect("a date");
        assert_eq!(at.to_http(), "Thu, 02 Jan 2031 03:04:05 GMT");
    }

    #[test]
    fn a_clock_can_be_moved_and_hurried() {
        let clock = Clock::new(MockTime::parse_date_time("2031-03-01T00:00:00Z"), 0.0);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_api(), "2031-03-01T00:01:30Z");
        let fast = Clock::new(MockTime::parse_date_time("2031-03-01T00:00:00Z"), 1e9);
        std::thread::sleep(Duration::from_millis(2));
        assert!(fast.now() > MockTime::parse_date_time("2031-03-20T00:00:00Z").expect("a date"));
    }
}
