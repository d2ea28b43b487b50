//! When things happened: clock times, durations, and one number for each task of a run.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use jiff::Timestamp;

use super::event::{ReportEvent, ReportedOutcome, TaskLabel};
use crate::playbook::Task;

/// Follows the events of a run and knows how long each of them took.
#[derive(Debug)]
pub struct Timeline {
    started: Instant,
    started_at: Timestamp,
    /// Numbers of tasks by their addresses. The tasks are kept, so that no address is used twice.
    tasks: HashMap<*const Task, (usize, Rc<Task>)>,
    /// When a task began on a host.
    begun: HashMap<(*const Task, Rc<str>), Instant>,
    /// When the loop item under way began on a host.
    item_begun: HashMap<(*const Task, Rc<str>), Instant>,
}

/// When a task, or an item of its loop, ran on a host.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Seconds from the start of the run.
    pub start: f64,
    /// Seconds.
    pub duration: f64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            started_at: Timestamp::now(),
            tasks: HashMap::new(),
            begun: HashMap::new(),
            item_begun: HashMap::new(),
        }
    }
}

impl Timeline {
    /// When the run started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Seconds since the run started.
    pub fn elapsed_seconds(&self) -> f64 {
        round_seconds(self.started.elapsed().as_secs_f64())
    }

    /// Notes where tasks begin; to be called with each event, before its times are asked for.
    pub fn note(&mut self, event: &ReportEvent) {
        if let ReportEvent::HostStart { label, host } = event {
            let key = (Rc::as_ptr(&label.definition), Rc::clone(host));
            let now = Instant::now();
            self.begun.insert(key.clone(), now);
            self.item_begun.insert(key, now);
        }
    }

    /// Returns the number of a task: 1 for the first that started. Handlers and tasks of later batches keep theirs.
    pub fn number_task(&mut self, label: &TaskLabel) -> usize {
        let next = self.tasks.len() + 1;
        self.tasks.entry(Rc::as_ptr(&label.definition)).or_insert_with(|| (next, Rc::clone(&label.definition))).0
    }

    /// Returns when an item ran that has just ended; the next one begins now.
    pub fn end_item(&mut self, outcome: &ReportedOutcome) -> Stretch {
        let key = (Rc::as_ptr(&outcome.label.definition), Rc::clone(&outcome.host));
        let now = Instant::now();
        let begun = self.item_begun.insert(key, now).unwrap_or(now);
        self.measure(begun, now)
    }

    /// Returns when a task ran that has just ended.
    pub fn end_task(&mut self, outcome: &ReportedOutcome) -> Stretch {
        let key = (Rc::as_ptr(&outcome.label.definition), Rc::clone(&outcome.host));
        self.item_begun.remove(&key);
        let now = Instant::now();
        let begun = self.begun.remove(&key).unwrap_or(now);
        self.measure(begun, now)
    }

    /// Returns when something ran that began and ended at these times.
    pub fn measure(&self, begun: Instant, ended: Instant) -> Stretch {
        Stretch {
            start: round_seconds(begun.saturating_duration_since(self.started).as_secs_f64()),
            duration: round_seconds(ended.saturating_duration_since(begun).as_secs_f64()),
        }
    }
}

/// The clock time in UTC, to the millisecond.
pub fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Microseconds are enough.
fn round_seconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}
