//! The jobs of this process, as the server sees them.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::daemon::Daemon;
use super::decide::{Answered, JobRequest};
use super::engine::{self, EngineError, RunDocument};
use super::hooks::{HookVerifier, Sender};
use super::http::{Access, ApiToken, ApprovalAnswer, ControlError, EventChunk, GitopsControl, NotReady, Queued};
use super::hub::Hub;
use super::metrics::Metrics;
use super::run::redactor_of;
use super::view::{GitopsStatus, JobRun, JobState, Outcome, Reason};
use crate::plan::Plan;

/// The loop comes round at least every ten seconds; three rounds late is not alive.
const STUCK: Duration = Duration::from_secs(30);

/// The jobs of this process.
pub struct HubControl {
    hub: Rc<Hub>,
    daemon: Rc<Daemon>,
    metrics: Rc<Metrics>,
    /// Every repository was seen once; that stays so.
    is_ready: OnceCell<()>,
}

impl HubControl {
    /// Offers the jobs of a hub to the server.
    pub fn new(hub: Rc<Hub>, daemon: Rc<Daemon>, metrics: Rc<Metrics>) -> Self {
        Self { hub, daemon, metrics, is_ready: OnceCell::new() }
    }

    fn check_job(&self, job: &str) -> Result<(), ControlError> {
        self.hub.find_slot(job).map(drop).ok_or_else(|| ControlError::UnknownJob(job.to_owned()))
    }

    async fn submit_request(&self, job: &str, request: &JobRequest) -> Result<(Option<String>, bool), ControlError> {
        self.check_job(job)?;
        if self.hub.is_stopping() {
            return Err(ControlError::Unavailable("the daemon ends".to_owned()));
        }
        let is_answer = matches!(request, JobRequest::Approve { .. } | JobRequest::Reject { .. });
        match self.hub.answer_request(job, request).await.map_err(to_unavailable)? {
            Answered::Done { run, merged } => Ok((run, merged)),
            Answered::OtherPlan { why } => Err(ControlError::OtherPlan(why)),
            Answered::Refused { why } if is_answer => Err(ControlError::NotWaiting(why)),
            Answered::Refused { why } => Err(ControlError::Conflict(why)),
            Answered::Status { .. } => Ok((None, false)),
        }
    }

    async fn queue_request(&self, job: &str, request: &JobRequest) -> Result<Queued, ControlError> {
        let (run, merged) = self.submit_request(job, request).await?;
        Ok(Queued { job: job.to_owned(), run, merged })
    }

    async fn read_document(&self, run: &str, document: RunDocument, from: u64) -> Result<Vec<u8>, ControlError> {
        let bytes = self.hub.engine.read_document(run, document, from).await.map_err(to_unavailable)?;
        Ok(bytes.unwrap_or_default())
    }

    /// Masks the secrets of a job in a document.
    fn redact_document(&self, job: &str, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        match self.hub.config().find_job(job) {
            Some(job) if !text.is_empty() => redactor_of(job).redact(&text).into_owned(),
            _ => text.into_owned(),
        }
    }

    /// Returns the commit that is meant: of a run, itself, or the one applied before.
    async fn resolve_target(&self, job: &str, to: Option<String>) -> Result<String, ControlError> {
        let Some(to) = to else {
            let slot = self.hub.find_slot(job).ok_or_else(|| ControlError::UnknownJob(job.to_owned()))?;
            let record = slot.record();
            let earlier = record.applied_before.iter().map(|applied| &applied.commit);
            let earlier = earlier.into_iter().find(|commit| Some(*commit) != record.applied.as_ref());
            let why = || ControlError::Conflict(format!("job `{job}` has no commit that was applied before"));
            return earlier.cloned().ok_or_else(why);
        };
        match self.hub.engine.load_run(&to).await.map_err(to_unavailable)? {
            Some(run) if run.job != job => {
                Err(ControlError::Invalid(format!("run `{to}` is of job `{}`, not of `{job}`", run.job)))
            }
            Some(run) => run.commit.ok_or_else(|| ControlError::Invalid(format!("run `{to}` has no commit"))),
            None => Ok(to),
        }
    }
}

impl GitopsControl for HubControl {
    async fn read_status(&self) -> Result<GitopsStatus, ControlError> {
        Ok(self.hub.read_status())
    }

    async fn list_runs(&self, job: &str, limit: usize) -> Result<Vec<JobRun>, ControlError> {
        self.check_job(job)?;
        engine::list_runs(&*self.hub.engine, job, limit).await.map_err(to_unavailable)
    }

    async fn read_run(&self, run: &str) -> Result<JobRun, ControlError> {
        let found = self.hub.engine.load_run(run).await.map_err(to_unavailable)?;
        found.ok_or_else(|| ControlError::UnknownRun(run.to_owned()))
    }

    async fn read_events(&self, run: &str, from: u64) -> Result<EventChunk, ControlError> {
        // The order matters: what a run wrote before it ended is read after it is known to have ended.
        let found = self.read_run(run).await?;
        let ended = found.outcome.is_some_and(|outcome| outcome != Outcome::Waiting);
        let mut bytes = self.read_document(run, RunDocument::Events, from).await?;
        // A line that is being written is read when it is whole.
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1));
        let next = from + bytes.len() as u64;
        Ok(EventChunk { lines: self.redact_document(&found.job, &bytes), next, ended })
    }

    async fn read_plan(&self, run: &str) -> Result<Option<Plan>, ControlError> {
        let job = self.read_run(run).await?.job;
        let bytes = self.read_document(run, RunDocument::Plan, 0).await?;
        Ok(serde_json::from_str(&self.redact_document(&job, &bytes)).ok())
    }

    async fn request_run(&self, job: &str, reason: Reason) -> Result<Queued, ControlError> {
        self.queue_request(job, &JobRequest::Run { reason }).await
    }

    async fn wait_for_run(&self, queued: &Queued) -> Result<Option<JobRun>, ControlError> {
        let Some(run) = &queued.run else { return Ok(None) };
        self.hub.wait_for_run(&queued.job, run).await.map_err(to_unavailable)
    }

    async fn suspend_job(
        &self,
        job: &str,
        reason: Option<String>,
        until: Option<Timestamp>,
    ) -> Result<(), ControlError> {
        self.submit_request(job, &JobRequest::Suspend { reason, until }).await.map(drop)
    }

    async fn resume_job(&self, job: &str) -> Result<(), ControlError> {
        self.submit_request(job, &JobRequest::Resume).await.map(drop)
    }

    async fn roll_back(&self, job: &str, to: Option<String>) -> Result<Queued, ControlError> {
        self.check_job(job)?;
        let to = self.resolve_target(job, to).await?;
        self.queue_request(job, &JobRequest::Rollback { to }).await
    }

    async fn approve_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError> {
        let job = self.read_run(run).await?.job;
        let ApprovalAnswer { digest, reason, by } = answer;
        self.submit_request(&job, &JobRequest::Approve { run: run.to_owned(), digest, by, reason }).await.map(drop)
    }

    async fn reject_run(&self, run: &str, answer: ApprovalAnswer) -> Result<(), ControlError> {
        let job = self.read_run(run).await?.job;
        let ApprovalAnswer { reason, by, .. } = answer;
        self.submit_request(&job, &JobRequest::Reject { run: run.to_owned(), reason, by }).await.map(drop)
    }

    fn find_hook(&self, job: &str) -> Option<Rc<HookVerifier>> {
        let config = self.hub.config();
        let hook = config.find_job(job)?.hook.as_ref()?;
        let secrets = hook.secrets.iter().filter_map(|source| match source.read() {
            Ok(secret) => Some(secret.expose().to_owned()),
            Err(error) => {
                self.hub.log_line(&format!("hook of job `{job}`: {error}"));
                None
            }
        });
        HookVerifier::new(hook.kind.and_then(Sender::from_name), secrets).map(Rc::new)
    }

    fn access(&self) -> Rc<Access> {
        let config = self.hub.config();
        let token = config.server.token.as_ref().map(|source| {
            let text = source.read().map(|secret| secret.expose().to_owned());
            // A token that cannot be read must not open the API: a random one takes its place.
            text.ok().and_then(|text| ApiToken::from_text(&text)).unwrap_or_else(ApiToken::new_unknown)
        });
        Rc::new(Access {
            token,
            public_url: config.server.public_url.clone(),
            file: config.file.display().to_string(),
            state_dir: config.state_dir.display().to_string(),
        })
    }

    fn check_health(&self) -> Result<(), NotReady> {
        match self.daemon.loop_age() {
            Some(age) if age < STUCK => Ok(()),
            Some(age) => Err(NotReady::Stuck(age.as_secs())),
            None => Err(NotReady::NotBegun),
        }
    }

    fn check_readiness(&self) -> Result<(), NotReady> {
        self.check_health()?;
        if self.is_ready.get().is_some() {
            return Ok(());
        }
        let status = self.hub.read_status();
        match status.jobs.iter().find(|job| job.observed.is_none() && job.state == JobState::New) {
            Some(job) => Err(NotReady::Unseen(job.job.clone())),
            None => {
                self.is_ready.get_or_init(|| ());
                Ok(())
            }
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    fn refresh_metrics(&self) {
        let (mut active, mut queued) = (0, 0);
        for (_, slot) in self.hub.slots() {
            let record = slot.record();
            active += usize::from(record.active.is_some());
            queued += usize::from(!record.offers.is_empty());
        }
        self.metrics.set_runs(active, queued);
    }
}

fn to_unavailable(error: EngineError) -> ControlError {
    ControlError::Unavailable(error.to_string())
}
