//! What is kept of a job from one run to the next.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::view::{Decision, LastRun, Outcome, Reason, Suspension};

/// Version of the format; a record of another one counts as unreadable.
pub const FORMAT: u32 = 1;

/// Everything that is kept of a job. Its fields change in [`super::decide`] only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobRecord {
    /// Version of the format.
    pub format: u32,
    /// Name of the job.
    pub job: String,
    /// Number of the last claim. Each claim has a higher one, and run ids are made of it.
    pub epoch: u64,
    /// Commit last seen on the branch.
    pub observed: Option<String>,
    /// Commit last tried.
    pub attempted: Option<String>,
    /// Commit last applied with success.
    pub applied: Option<String>,
    /// Commit that a person has accepted as the beginning of history: it counts without a signature.
    pub baseline: Option<String>,
    /// Why the history of the job is unknown; nothing is applied until a person says where it begins.
    pub lost: Option<String>,
    /// How the job is.
    pub health: Health,
    /// One line for a person.
    pub message: Option<String>,
    /// Objects that differ from what was applied.
    pub drift: u64,
    /// The run under way.
    pub active: Option<ActiveRun>,
    /// The run that waits for approval.
    pub waiting: Option<WaitingRun>,
    /// Triggers that no run has served yet.
    pub offers: Vec<Offer>,
    /// A suspension by a person.
    pub suspended: Option<Suspension>,
    /// Commit of the branch that is not tried again: it was rolled back or rejected.
    pub passed_over: Option<String>,
    /// The next try after a failure.
    pub retry: Option<RetryState>,
    /// The last run that ended.
    pub last_run: Option<LastRun>,
    /// When a run last ended well.
    pub last_success: Option<Timestamp>,
    /// When the repository was last looked at. Looks that find nothing new need not be saved.
    pub looked: Option<Timestamp>,
    /// When drift was last looked for.
    pub drift_looked: Option<Timestamp>,
    /// The schedule is served up to here.
    pub scheduled: Option<Timestamp>,
    /// Digest of the signers that the applied commit was verified with.
    pub signers: Option<String>,
    /// Tokens of the job, as its last plan saw them.
    pub tokens: Vec<KnownToken>,
    /// Tokens whose nearing expiry has made the job due, as `REGISTRY/NAME@DATE`.
    pub expiry_served: BTreeSet<String>,
    /// Objects that the job made.
    pub objects: Vec<MadeObject>,
    /// When a run was last allowed to prune.
    pub pruned: Option<Timestamp>,
    /// A plan that was approved and whose apply was interrupted: what is left of it needs no second approval.
    pub approved_before: Option<String>,
    /// Commits that were applied, newest first, for a rollback.
    pub applied_before: Vec<AppliedCommit>,
    /// Ids of the runs that are listed, newest first.
    pub runs: Vec<String>,
    /// How many runs had each outcome.
    pub counts: BTreeMap<String, u64>,
}

/// How a job is, apart from what is under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It never ran.
    #[default]
    New,
    /// The last run ended well.
    Fine,
    /// Drift was found and only reported.
    Drift,
    /// The last run failed.
    Failed,
    /// The commit or its plan was refused.
    Refused,
}

impl Health {
    /// Returns whether something is wrong that a run has to put right.
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Failed | Self::Refused)
    }
}

/// A step of a run, as far as recovery and display care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Fetches and verifies.
    Fetch,
    /// Plans.
    Plan,
    /// Applies.
    Apply,
}

/// A run under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRun {
    /// Id of the run.
    pub run: String,
    /// Number of the claim under which it runs.
    pub epoch: u64,
    /// Why it runs.
    pub reasons: Vec<Reason>,
    /// The commit, once known.
    pub commit: Option<String>,
    /// The commit to run.
    pub target: RunTarget,
    /// How far it is.
    pub phase: Phase,
    /// Since when.
    pub started: Timestamp,
    /// It applies a plan that a person or a rule has approved.
    pub approved: bool,
}

/// Which commit a run goes for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunTarget {
    /// Current commit of the branch or tag.
    Head,
    /// The applied commit again.
    Applied,
    /// An earlier commit, by request.
    Earlier(String),
}

/// A run that waits for approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingRun {
    /// Id of the run.
    pub run: String,
    /// Commit of the run.
    pub commit: String,
    /// Digest of its plan.
    pub digest: String,
    /// Why it ran.
    pub reasons: Vec<Reason>,
    /// The commit that was asked for.
    pub target: RunTarget,
    /// Since when it waits.
    pub since: Timestamp,
    /// When the rule approves it.
    pub approved_at: Option<Timestamp>,
    /// The approval, once there is one.
    pub approval: Option<Decision>,
}

/// A trigger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Why.
    pub reason: Reason,
    /// The earlier commit, of a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The next try after a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryState {
    /// How many runs have failed in a row.
    pub failures: u32,
    /// When it is tried again; without it, only by a new trigger.
    pub at: Option<Timestamp>,
    /// The repository was not reached: when it is, the job need not wait longer.
    pub unreachable: bool,
    /// Why the run that failed had started, as far as the next try is for the same.
    pub reasons: Vec<Reason>,
    /// The commit that was asked for.
    pub target: RunTarget,
    /// Where the branch stood then: only another commit ends the waiting.
    #[serde(default)]
    pub seen: Option<String>,
}

/// Kind of tokens in plans.
pub const TOKEN: &str = "Registry Token";

/// A token with its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownToken {
    /// Id of its registry.
    pub registry: String,
    /// Name of the token.
    pub name: String,
    /// Time of expiry.
    pub expiry: Timestamp,
}

impl KnownToken {
    /// Returns the key under which its nearing end is served once.
    pub fn expiry_key(&self) -> String {
        format!("{}/{}@{}", self.registry, self.name, self.expiry)
    }
}

/// An object that a job made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeObject {
    /// `Registry`, `Registry Token`, ..
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Id of the object.
    pub id: String,
    /// Id of what it belongs to.
    pub parent: Option<String>,
    /// Since when the job does not name it any more.
    pub unnamed_since: Option<Timestamp>,
    /// It was disabled because of that.
    #[serde(default)]
    pub disabled: bool,
}

/// A commit that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCommit {
    /// The commit.
    pub commit: String,
    /// The run that applied it.
    pub run: String,
}

impl JobRecord {
    /// The record of a job that never ran.
    pub fn new(job: &str) -> Self {
        Self { format: FORMAT, job: job.to_owned(), ..Self::default() }
    }

    /// The record of a job whose history is unknown.
    pub fn new_lost(job: &str, why: &str) -> Self {
        Self { lost: Some(why.to_owned()), health: Health::Refused, message: Some(why.to_owned()), ..Self::new(job) }
    }

    /// Returns the id of the run of a claim.
    pub fn run_id(&self, epoch: u64) -> String {
        format!("{}-{epoch}", self.job)
    }

    /// Returns the job of a run id.
    pub fn job_of_run(run: &str) -> Option<&str> {
        let (job, epoch) = run.rsplit_once('-')?;
        epoch.parse::<u64>().ok().map(|_| job)
    }

    /// Counts an outcome.
    pub fn count_outcome(&mut self, outcome: Outcome) {
        *self.counts.entry(outcome.as_str().to_owned()).or_default() += 1;
    }
}

/// The first digits of a commit, as people know it.
pub fn shorten_commit(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
