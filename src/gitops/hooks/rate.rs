//! The limit of hooks: so many a minute and job.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Hooks that a job takes within a minute.
pub const PER_MINUTE: usize = 60;

const WINDOW: Duration = Duration::from_secs(60);

/// Counts the requests of the last minute, by name.
#[derive(Debug, Default)]
pub struct RateLimit {
    seen: HashMap<String, VecDeque<Instant>>,
}

impl RateLimit {
    /// Counts a request.
    ///
    /// # Errors
    /// If the minute is full: how long the sender should wait.
    pub fn count_request(&mut self, name: &str, now: Instant) -> Result<(), Duration> {
        let seen = self.seen.entry(name.to_owned()).or_default();
        while seen.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            seen.pop_front();
        }
        if seen.len() >= PER_MINUTE {
            let first = seen.front().copied().unwrap_or(now);
            return Err(WINDOW.saturating_sub(now.duration_since(first)));
        }
        seen.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_requests_within_a_minute_are_admitted() {
        let (mut limit, start) = (RateLimit::default(), Instant::now());
        for second in 0..60 {
            limit.count_request("a", start + Duration::from_millis(second * 500)).unwrap();
        }
        let wait = limit.count_request("a", start + Duration::from_secs(30)).unwrap_err();
        assert_eq!(wait, Duration::from_secs(30));
        limit.count_request("b", start + Duration::from_secs(30)).unwrap();
        limit.count_request("a", start + Duration::from_secs(60)).unwrap();
        limit.count_request("a", start + Duration::from_secs(60)).unwrap_err();
    }
}
