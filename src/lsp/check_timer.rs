//! When to check a text that changes: at once where a check is quick, after a pause in the typing where it takes long.

use std::time::{Duration, Instant};

/// Longest pause in the typing to wait for.
const MAX_PAUSE: Duration = Duration::from_millis(150);
/// Share of the time of a check that the pause before the next one lasts: one in this many.
const PAUSE_SHARE: u32 = 4;
/// Longest time that a check is put off, however fast somebody types.
const MAX_DELAY: Duration = Duration::from_millis(600);

/// Decides when the next check begins. The pause is a fourth of the time that the last check took: long enough for keys that
/// are pressed at once to cost one check, and too short to be noticed.
#[derive(Debug, Default)]
pub struct CheckTimer {
    /// First and last change since the last check.
    changes: Option<(Instant, Instant)>,
    /// Duration of the last check.
    check_time: Duration,
}

impl CheckTimer {
    /// Notes that a text has changed.
    pub fn note_change(&mut self, now: Instant) {
        let first = self.changes.map_or(now, |(first, _)| first);
        self.changes = Some((first, now));
    }

    /// Notes that a text was checked.
    pub fn note_check(&mut self, took: Duration) {
        self.check_time = took;
        self.changes = None;
    }

    /// Returns how long to wait for further changes; zero if the check is due.
    pub fn time_left(&self, now: Instant) -> Duration {
        let Some((first, last)) = self.changes else { return Duration::ZERO };
        let due = (last + (self.check_time / PAUSE_SHARE).min(MAX_PAUSE)).min(first + MAX_DELAY);
        due.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn check_waits_for_a_pause_in_proportion_to_the_last_check() {
        let (mut timer, start) = (CheckTimer::default(), Instant::now());
        timer.note_change(start);
        assert_eq!(timer.time_left(start), ms(0), "nothing is known of the time of a check");
        timer.note_check(ms(40));
        assert_eq!(timer.time_left(start), ms(0), "nothing has changed");
        timer.note_change(start);
        assert_eq!(timer.time_left(start), ms(10));
        timer.note_change(start + ms(5));
        assert_eq!(timer.time_left(start + ms(7)), ms(8));
        assert_eq!(timer.time_left(start + ms(20)), ms(0));
    }

    #[test]
    fn check_of_a_long_text_is_not_put_off_for_ever() {
        let (mut timer, start) = (CheckTimer::default(), Instant::now());
        timer.note_check(ms(5000));
        timer.note_change(start);
        assert_eq!(timer.time_left(start), MAX_PAUSE);
        timer.note_change(start + ms(550));
        assert_eq!(timer.time_left(start + ms(560)), ms(40));
    }
}
