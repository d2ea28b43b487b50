//! How many requests to one service may be under way at once.
//!
//! There is no limit until the service refuses a request because there are too many (429). Then half of those that were under
//! way are allowed, and each round of answers allows one more. `Retry-After` holds for every request of the run.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::interrupt::Interrupt;

/// The pace of requests to one service.
#[derive(Default)]
pub(super) struct RequestPace {
    limit: Cell<Option<usize>>,
    under_way: Cell<usize>,
    /// The most that were under way when the limit was set.
    peak: Cell<usize>,
    /// Answers since the limit was last changed.
    answers: Cell<usize>,
    /// Counts how often the limit was lowered.
    round: Cell<u64>,
    held_until: Cell<Option<Instant>>,
    ended: Notify,
}

/// A request that is under way.
pub(super) struct PacedRequest<'a> {
    pace: &'a RequestPace,
    round: u64,
}

impl Drop for PacedRequest<'_> {
    fn drop(&mut self) {
        self.pace.under_way.set(self.pace.under_way.get() - 1);
        self.pace.ended.notify_waiters();
    }
}

impl RequestPace {
    /// Waits until a request may be sent. What cannot wait so long, or is wanted no more, is sent at once: its answer says
    /// what is wrong.
    pub(super) async fn begin_request(&self, deadline: Instant, interrupt: &Interrupt) -> PacedRequest<'_> {
        loop {
            if let Some(until) = self.held_until.get().filter(|until| *until > Instant::now() && *until <= deadline)
                && interrupt.pause_for(until.saturating_duration_since(Instant::now())).await
            {
                continue;
            }
            let ended = self.ended.notified();
            if self.limit.get().is_none_or(|limit| self.under_way.get() < limit) {
                break;
            }
            ended.await;
        }
        self.under_way.set(self.under_way.get() + 1);
        PacedRequest { pace: self, round: self.round.get() }
    }

    /// Holds all requests back for the time that the service has named.
    pub(super) fn hold_requests(&self, pause: Duration) {
        let until = instant_after(pause);
        if self.held_until.get().is_none_or(|known| known < until) {
            self.held_until.set(Some(until));
        }
    }
}

impl PacedRequest<'_> {
    /// The request was answered.
    pub(super) fn note_answer(&self) {
        let Some(limit) = self.pace.limit.get() else { return };
        let answers = self.pace.answers.get() + 1;
        if answers < limit {
            self.pace.answers.set(answers);
            return;
        }
        self.pace.answers.set(0);
        self.pace.limit.set(Some(limit + 1).filter(|limit| *limit <= self.pace.peak.get()));
        self.pace.ended.notify_waiters();
    }

    /// The request was refused because there were too many. Returns whether others beside it may have been the reason.
    pub(super) fn note_refusal(&self) -> bool {
        let beside = self.pace.under_way.get();
        if self.round == self.pace.round.get() {
            if self.pace.limit.get().is_none() {
                self.pace.peak.set(beside);
            }
            self.pace.limit.set(Some((beside / 2).max(1)));
            self.pace.answers.set(0);
            self.pace.round.set(self.round + 1);
            return beside > 1;
        }
        // It had been sent before the limit was lowered.
        true
    }
}

/// The moment after a time, however long that is.
pub(super) fn instant_after(time: Duration) -> Instant {
    /// Longer than any run lasts, and short enough for every clock.
    const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
    Instant::now() + time.min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn begin<'a>(pace: &'a RequestPace, many: usize) -> Vec<PacedRequest<'a>> {
        let (interrupt, deadline) = (Interrupt::default(), Instant::now() + Duration::from_secs(60));
        let mut requests = Vec::new();
        for _ in 0..many {
            requests.push(pace.begin_request(deadline, &interrupt).await);
        }
        requests
    }

    #[tokio::test(flavor = "current_thread")]
    async fn refusals_halve_the_limit_once_a_round_and_answers_raise_it() {
        let pace = RequestPace::default();
        let requests = begin(&pace, 8).await;
        assert!(requests[0].note_refusal() && requests[1].note_refusal());
        assert_eq!(pace.limit.get(), Some(4), "both had been sent at once");
        drop(requests);
        let requests = begin(&pace, 4).await;
        (0..3).for_each(|_| requests[0].note_answer());
        assert_eq!(pace.limit.get(), Some(4));
        requests[0].note_answer();
        assert_eq!(pace.limit.get(), Some(5));
        (0..40).for_each(|_| requests[0].note_answer());
        assert_eq!(pace.limit.get(), None, "as many as there were before");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn single_request_is_refused_by_its_own_fault() {
        let pace = RequestPace::default();
        let requests = begin(&pace, 1).await;
        assert!(!requests[0].note_refusal());
        assert_eq!(pace.limit.get(), Some(1));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn held_requests_wait_unless_that_exceeds_their_patience() {
        let pace = RequestPace::default();
        pace.hold_requests(Duration::from_millis(30));
        let begun = Instant::now();
        drop(begin(&pace, 1).await);
        assert!(begun.elapsed() >= Duration::from_millis(30));
        pace.hold_requests(Duration::from_secs(600));
        drop(begin(&pace, 1).await);
        assert!(begun.elapsed() < Duration::from_secs(300));
    }
}
