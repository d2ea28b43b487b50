//! Observers of jobs and runs: notifications, forges, metrics.

use super::config::JobConfig;
use super::view::{JobRun, JobStatus};

/// Is told of changes, and never holds up a run: what takes time goes into a queue.
pub trait Observer {
    /// A job has changed. Called for each change of its record, also where the public state stays the same.
    fn status_changed(&self, _job: &JobConfig, _before: &JobStatus, _after: &JobStatus) {}

    /// A run has changed: it began, got a plan, waits, goes on or has ended.
    fn run_changed(&self, _job: &JobConfig, _run: &JobRun) {}

    /// Something else has happened.
    fn occurred(&self, _occurrence: &Occurrence<'_>) {}
}

/// Something that happened besides changes of jobs and runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence<'a> {
    /// A repository was looked at.
    Polled {
        /// How long that took.
        took: std::time::Duration,
        /// Whether it was reached.
        succeeded: bool,
    },
    /// A job was claimed, so long after it was first tried.
    Claimed(std::time::Duration),
    /// A run was found that no process has any more.
    TakenOver,
    /// Another host has taken a job from this one.
    LeaseLost,
    /// A commit was refused: `unverified`, `rewritten` or `state_lost`.
    CommitRefused(&'static str),
    /// A time of a schedule was passed over.
    ScheduleSkipped,
    /// A token was created or replaced.
    TokenMade {
        /// Id of its registry.
        registry: &'a str,
        /// Name of the token.
        token: &'a str,
    },
}
