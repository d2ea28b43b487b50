//! The loop of a job as a pure function: record and event in, record and effect out. No I/O, no clock.
//!
//! A driver ([`super::daemon`], or the simulation of the tests) asks [`next_step`] when something is to be done, claims
//! the job, and then feeds what happened into [`decide_event`]. It saves each record before it carries out the effect, so that
//! after a crash the record says what may have happened.

mod due;
mod end;
mod ending;
mod prune;
mod request;
mod rules;
#[cfg(test)]
mod simulation;
mod step;

pub use due::{Next, next_due, next_step};
pub use end::{derive_state, derive_status};
pub use ending::RunEnding;
pub use prune::next_prune_step_at;
pub use request::{Answered, JobRequest, answer_request};
pub use rules::{Dependencies, JobRules};
pub use step::{Applied, Fetched, Planned, Relation, RunEvent, decide_event, may_prune};

use super::record::{JobRecord, RunTarget};
use super::view::Decision;

/// Next step of a driver for a run.
#[derive(Debug, Clone, PartialEq)]
pub enum RunEffect {
    /// Fetch and verify.
    Fetch {
        /// The commit to fetch.
        target: RunTarget,
    },
    /// Make the plan of the commit.
    Plan {
        /// The commit.
        commit: String,
    },
    /// Apply the plan of the run.
    Apply {
        /// The commit.
        commit: String,
    },
    /// Wait for approval: nothing is to be done now.
    Wait,
    /// The run has ended.
    End(RunEnding),
    /// The run that waited has ended.
    EndWaiting {
        /// Id of the run.
        run: String,
        /// How.
        ended: RunEnding,
        /// The answer of the person who ended it.
        decision: Option<Decision>,
    },
}

/// The record after an event, and what is to be done.
pub type Decided = (JobRecord, Vec<RunEffect>);
