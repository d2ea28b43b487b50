//! What of a job's configuration the loop decides by.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::config::{Approval, CronSchedule, Drift, JobConfig, Mode, Prune, Retry};

/// How the jobs are that a job depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Dependencies {
    /// All are fine.
    #[default]
    Fine,
    /// One of them runs or is due: this job comes after it.
    Pending(String),
    /// One of them is not fine.
    Broken(String),
}

/// The rules of a job.
#[derive(Debug, Clone)]
pub struct JobRules<'a> {
    /// How often the repository is looked at.
    pub poll: Duration,
    /// When the job runs by the clock.
    pub schedule: Option<&'a CronSchedule>,
    /// How often drift is looked for.
    pub drift: Option<(Duration, Drift)>,
    /// A token that ends sooner makes the job due.
    pub expiry: Option<Duration>,
    /// Pauses after failures.
    pub retry: Retry,
    /// When a plan may be applied.
    pub approve: &'a Approval,
    /// Handling of objects that are not named any more.
    pub prune: Prune,
    /// Whether a branch that does not descend from the applied commit is followed.
    pub allow_rewrite: bool,
    /// Whether there is a plan.
    pub mode: Mode,
    /// The file suspends the job.
    pub suspended: bool,
    /// How the jobs are that this one depends on.
    pub dependencies: Dependencies,
    /// Digest of the signers that count now.
    pub signers: Option<String>,
}

impl<'a> JobRules<'a> {
    /// Returns the rules of a job.
    pub fn from_job(job: &'a JobConfig, dependencies: Dependencies, signers: Option<String>) -> Self {
        Self {
            poll: job.poll,
            schedule: job.schedule.as_ref(),
            drift: job.drift,
            expiry: job.expiry,
            retry: job.retry,
            approve: &job.approve,
            prune: job.prune,
            allow_rewrite: job.git.allow_rewrite,
            mode: job.mode,
            suspended: job.suspend,
            dependencies,
            signers,
        }
    }
}

/// Returns a time later by a duration; at the end of time it stays there.
pub(super) fn add_saturating(time: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Returns a duration shortened by up to a tenth, by a number that is the same for the same job and occasion. Jobs of one
/// interval spread out, and none is ever late.
pub fn apply_jitter(duration: Duration, job: &str, occasion: u64) -> Duration {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ occasion.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in job.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // The low bits of this hash follow the last letters too closely.
    let share = (hash ^ (hash >> 29)) % 1000;
    duration - duration.mul_f64(share as f64 / 10_000.0)
}

/// Returns the pause before the next try after so many failures in a row.
pub(super) fn retry_pause(retry: Retry, job: &str, failures: u32) -> Duration {
    let doubled = retry.first.saturating_mul(1u32.checked_shl(failures.saturating_sub(1).min(16)).unwrap_or(u32::MAX));
    apply_jitter(doubled.min(retry.max), job, u64::from(failures))
}
