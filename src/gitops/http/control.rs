//! The core as HTTP sees it: everything that a route can ask or request.

use std::rc::Rc;

use jiff::Timestamp;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use super::super::hooks::HookVerifier;
use super::super::metrics::Metrics;
use super::super::view::{GitopsStatus, JobRun, Reason};
use crate::plan::Plan;

/// Why this process cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The loop makes no progress.
    #[error("the loop has not come round for {0} s")]
    Stuck(u64),
    /// The loop has not begun.
    #[error("the loop has not begun")]
    NotBegun,
    /// A repository was never reached.
    #[error("the repository of job `{0}` was not seen yet")]
    Unseen(String),
}

/// The core of `gitops`, as routes, page and metrics use it.
///
/// All calls are made on one thread, so an implementation may keep its state in an `Rc`. None of them may wait for a
/// run, except [`GitopsControl::wait_for_run`].
#[allow(async_fn_in_trait, reason = "the server runs on one thread and needs no `Send`")]
pub trait GitopsControl {
    /// Returns the status of all jobs.
    async fn read_status(&self) -> Result<GitopsStatus, ControlError>;

    /// Returns the last runs of a job, newest first, also those under way.
    async fn list_runs(&self, job: &str, limit: usize) -> Result<Vec<JobRun>, ControlError>;

    /// Returns a run.
    async fn read_run(&self, run: &str) -> Result<JobRun, ControlError>;

    /// Returns the events of a run from this byte on, whole lines only.
    async fn read_events(&self, run: &str, from: u64) -> Result<EventChunk, ControlError>;

    /// Returns the plan of a run, once it has one.
    async fn read_plan(&self, run: &str) -> Result<Option<Plan>, ControlError>;

    /// Makes a job due now, by [`Reason::Hook`] or [`Reason::Manual`].
    async fn request_run(&self, job: &str, reason: Reason) -> Result<Queued, ControlError>;

    /// Waits until the run that serves this request has ended, and returns it where one was recorded.
    async fn wait_for_run(&self, queued: &Queued) -> Result<Option<JobRun>, ControlError>;

    /// Suspends a job.
    async fn suspend_job(
        &self,
        job: &str,
        reason: Option<String>,
        until: Option<Timestamp>,
    ) -> Result<(), ControlError>;

    /// Ends the suspension of a job.
    async fn resume_job(&self, job: &str) -> Result<(), ControlError>;

    /// Makes a job due for an earlier commit: that of a run, a commit, or the one applied before.
    async fn roll_back(&self, job: &str, to: Option<String>) -> Result<Queued, ControlError>;

    /// Approves the waiting plan of a run. With a digest, only if it is the digest of that plan.
    async fn approve_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError>;

    /// Rejects the waiting plan of a run.
    async fn reject_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError>;

    /// Returns the verifier of a job's hook; none for a job without a hook and for no job.
    fn find_hook(&self, job: &str) -> Option<Rc<HookVerifier>>;

    /// Returns who may request changes, and where the page stands.
    fn access(&self) -> Rc<Access>;

    /// Returns whether the loop is alive. A failed job does not count: a restart would not cure it.
    fn check_health(&self) -> Result<(), NotReady>;

    /// Returns whether the configuration was read, the store is reachable and every repository was seen once.
    fn check_readiness(&self) -> Result<(), NotReady>;

    /// Returns the counters of this process.
    fn metrics(&self) -> &Metrics;

    /// Brings those up to date that are only worth it when somebody asks.
    fn refresh_metrics(&self) {}
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ControlError {
    /// The request makes no sense in the state that the job is in.
    #[error("{0}")]
    Conflict(String),
    /// The request cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// The run has ended, or waits for nothing.
    #[error("{0}")]
    NotWaiting(String),
    /// The plan is not the one that was approved.
    #[error("{0}")]
    OtherPlan(String),
    /// The core ends, or its store cannot be reached.
    #[error("{0}")]
    Unavailable(String),
    /// No job has this name.
    #[error("no job is called `{0}`")]
    UnknownJob(String),
    /// No run has this id.
    #[error("no run has the id `{0}`")]
    UnknownRun(String),
}

/// A request for a run that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Name of the job.
    pub job: String,
    /// Id of the run that serves the request, where it is known already.
    pub run: Option<String>,
    /// Whether a run that was queued before serves this request too.
    pub merged: bool,
}

/// Answer of a person to a plan that waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalAnswer {
    /// Digest of the plan that the person saw.
    pub digest: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Where the answer comes from: `api`, `page` or `cli`.
    pub by: String,
}

/// A part of the events of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventChunk {
    /// Whole lines of JSON.
    pub lines: String,
    /// Where the next part begins.
    pub next: u64,
    /// Whether the run has ended and nothing can follow.
    pub ended: bool,
}

/// Who may request changes, and where the page stands.
#[derive(Debug, Default)]
pub struct Access {
    /// The bearer token of the API.
    pub token: Option<ApiToken>,
    /// URL of the page as its users see it, without a slash at its end.
    pub public_url: Option<String>,
    /// The configuration file, for commands that the page shows.
    pub file: String,
    /// The state folder, for commands that the page shows.
    pub state_dir: String,
}

/// The bearer token of the API.
pub struct ApiToken(Zeroizing<String>);

impl ApiToken {
    /// Takes the text of a token file; white space around it does not count. None for an empty file.
    pub fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns a new random token.
    pub fn new_unknown() -> Self {
        Self(Zeroizing::new(uuid::Uuid::new_v4().to_string()))
    }

    /// Compares in constant time.
    pub fn is_same(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl std::fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiToken(********)")
    }
}
