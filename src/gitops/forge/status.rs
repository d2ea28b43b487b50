//! The status of a commit.

use serde::{Deserialize, Serialize};

use super::super::notify::describe_counts;
use super::super::view::{JobRun, Outcome};

/// Longest description; GitHub takes no more.
const MAX_DESCRIPTION: usize = 140;

/// State of a commit, as forges know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitState {
    /// Something waits.
    Pending,
    /// A run is under way.
    Running,
    /// All is well.
    Success,
    /// The commit is at fault.
    Failure,
    /// Something else is at fault.
    Error,
    /// A newer commit came.
    Canceled,
}

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitStatus {
    /// The commit.
    pub commit: String,
    /// Context of the status: `ionplay/JOB`.
    pub context: String,
    /// The state.
    pub state: CommitState,
    /// One line.
    pub description: String,
    /// Where the run can be seen.
    pub url: Option<String>,
}

impl CommitStatus {
    /// Returns the context of a job.
    pub fn context_for(job: &str) -> String {
        format!("ionplay/{job}")
    }

    /// Makes a status; the description is cut where it is too long.
    pub fn new(job: &str, commit: &str, state: CommitState, description: &str, url: Option<String>) -> Self {
        let line = description.lines().next().unwrap_or_default();
        let mut description: String = line.chars().take(MAX_DESCRIPTION).collect();
        if description.len() < line.len() {
            description = line.chars().take(MAX_DESCRIPTION - 1).chain(['…']).collect();
        }
        Self { commit: commit.to_owned(), context: Self::context_for(job), state, description, url }
    }

    /// Returns the status of a run's commit; none where it has no commit, or says nothing about one.
    pub fn of_run(run: &JobRun, url: Option<String>) -> Option<Self> {
        // A rollback may name something that is not a commit: no forge knows it.
        let commit = run.commit.as_deref().filter(|commit| is_full_commit(commit))?;
        let counts = run.plan.as_ref().map(describe_counts);
        let with_counts =
            |word: &str| counts.as_ref().map_or_else(|| word.to_owned(), |counts| format!("{word}: {counts}"));
        let with_error = |word: &str| {
            let error = run.error.as_deref().and_then(|error| error.lines().find(|line| !line.trim().is_empty()));
            error.map_or_else(|| word.to_owned(), |error| format!("{word}: {}", error.trim()))
        };
        let (state, description) = match run.outcome {
            None => (CommitState::Running, "running".to_owned()),
            Some(Outcome::Waiting) => (CommitState::Pending, with_counts("waits for approval")),
            Some(Outcome::Applied) => (CommitState::Success, with_counts("applied")),
            // Drift comes and goes; the commit is applied all the while.
            Some(Outcome::Unchanged | Outcome::Corrected | Outcome::Drifted) => {
                (CommitState::Success, "applied".to_owned())
            }
            Some(Outcome::RolledBack) => (CommitState::Success, "applied again by a rollback".to_owned()),
            Some(Outcome::Rejected) => (CommitState::Failure, with_error("rejected")),
            Some(Outcome::Refused) => (CommitState::Failure, with_error("refused")),
            Some(Outcome::Failed) => (CommitState::Failure, with_error("failed")),
            Some(Outcome::Interrupted) => (CommitState::Error, with_error("interrupted")),
            Some(Outcome::Superseded) => (CommitState::Canceled, "a newer commit came".to_owned()),
        };
        Some(Self::new(&run.job, commit, state, &description, url))
    }

    /// Returns whether both are about the same commit and context.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        self.commit == other.commit && self.context == other.context
    }

    /// Returns whether the other status says nothing new. A commit that is applied stays so, however often it is looked
    /// at, and by whichever run.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self.state, other.state) {
            (CommitState::Success, CommitState::Success | CommitState::Running) => true,
            (before, after) => before == after && self.description == other.description,
        }
    }
}

/// Whether this is the whole name of a commit, by SHA-1 or SHA-256.
fn is_full_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}
