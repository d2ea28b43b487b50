//! Whoever wants to know how jobs and runs change: notifications, forges, metrics.

use super::config::JobConfig;
use super::view::{JobRun, JobStatus};

/// Is told of changes, and never holds up a run: what takes time goes into a queue.
pub trait Observer {
    /// A job has changed. Called for each change of its record, also where the public state stays the same.
    fn status_changed(&self, _job: &JobConfig, _before: &JobStatus, _after: &JobStatus) {}

    /// A run has changed: it began, got a plan, waits, goes on or has ended.
    fn run_changed(&self, _job: &JobConfig, _run: &JobRun) {}
}
