//! The time, as documents write it.

use jiff::{Timestamp, TimestampRound, Unit};

/// Returns the time to the millisecond: more digits would only make documents harder to read.
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(Unit::Millisecond).mode(jiff::RoundMode::Trunc)).unwrap_or(now)
}
