//! What the hub notices besides states and runs: told to observers, which count it.

use std::time::Duration;

use super::super::observer::Occurrence;
use super::super::record::TOKEN;
use super::{Hub, Slot};
use crate::plan::Plan;

/// So many skipped times of a schedule are counted one by one.
const COUNTED: usize = 1_000;

impl Hub {
    /// Tells observers of an occurrence.
    pub(super) fn note(&self, occurrence: &Occurrence<'_>) {
        let observers = self.observers.borrow().clone();
        observers.iter().for_each(|observer| observer.occurred(occurrence));
    }

    /// Notes a look at a repository.
    pub(super) fn note_poll(&self, took: Duration, succeeded: bool) {
        self.note(&Occurrence::Polled { took, succeeded });
    }

    /// Notes the tokens that a plan has made.
    pub(super) fn note_made_tokens(&self, applied: &Plan) {
        for action in applied.actions.iter().filter(|action| action.kind == TOKEN) {
            if let ("create" | "replace", Some(registry)) = (&*action.action, action.parent.as_str()) {
                self.note(&Occurrence::TokenMade { registry, token: &action.name });
            }
        }
    }

    /// Notes the missed times of a schedule: between the last run by it and now, but for the last of them.
    pub(super) fn note_skipped_schedule(&self, slot: &Slot, now: jiff::Timestamp) {
        let job = slot.job();
        let (Some(schedule), Some(mut last)) = (&job.schedule, slot.record.borrow().scheduled) else { return };
        let mut passed = 0_usize;
        while let Some(next) = schedule.next_after(last).filter(|next| *next <= now && passed < COUNTED) {
            passed += 1;
            last = next;
        }
        (1..passed).for_each(|_| self.note(&Occurrence::ScheduleSkipped));
    }
}
