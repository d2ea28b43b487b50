//! The steps of a run, carried out, and the document that tells of it.

use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::super::clock;
use super::super::config::{JobConfig, Mode};
use super::super::decide::{Applied, Fetched, Planned, Relation, RunEffect, RunEnding, RunEvent};
use super::super::engine::{Claim, EngineError, RunDocument};
use super::super::observer::Occurrence;
use super::super::record::{JobRecord, RunTarget};
use super::super::repository::{Checkout, GitRepository};
use super::super::run::{
    self, MadeBefore, RunContext, Secrets, StepResult, collect_objects, collect_planned, collect_tokens,
};
use super::super::view::{Decision, JobRun, Outcome, PlanCounts, RunStep, StepName};
use super::{Hub, Slot};
use crate::exit::Exit;
use crate::plan::{Plan, save};

/// Why the files of a commit cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CheckoutError {
    /// Git cannot make the checkout. Its words have no secret.
    #[error("{0}")]
    Git(String),
    /// The commit has no such folder.
    #[error("commit {commit} has no folder `{path}`; check `git.path`")]
    NoFolder {
        /// The commit.
        commit: String,
        /// The folder.
        path: String,
    },
}

/// The work on one run.
pub(super) struct Work<'a> {
    pub(super) hub: &'a Hub,
    pub(super) slot: &'a Rc<Slot>,
    claim: &'a Rc<Claim>,
    began: Instant,
    checkout: Option<Checkout>,
}

impl<'a> Work<'a> {
    pub fn new(hub: &'a Hub, slot: &'a Rc<Slot>, claim: &'a Rc<Claim>) -> Self {
        Self { hub, slot, claim, began: Instant::now(), checkout: None }
    }

    fn remaining_time(&self, job: &JobConfig) -> Duration {
        job.timeout.saturating_sub(self.began.elapsed()).max(Duration::from_secs(1))
    }

    /// Writes down that a step begins.
    async fn begin_step(&self, step: StepName) -> Result<(), EngineError> {
        self.hub
            .change_run(self.slot, self.claim, |run| {
                run.steps.push(RunStep { step, started: clock::now(), ended: None, exit: None });
            })
            .await
    }

    fn finish_step(&self, exit: Option<i32>) {
        if let Some(run) = &mut *self.slot.run.borrow_mut()
            && let Some(step) = run.steps.last_mut()
        {
            step.ended = Some(clock::now());
            step.exit = exit;
        }
    }

    /// Fetches and verifies.
    pub async fn fetch_target(&mut self, target: &RunTarget) -> Result<RunEvent, EngineError> {
        self.begin_step(StepName::Fetch).await?;
        let job = self.slot.job();
        *self.slot.signers.borrow_mut() = super::super::repository::signers_digest(&job.git);
        let (applied, baseline) = {
            let record = self.slot.record.borrow();
            (record.applied.clone(), record.baseline.clone())
        };
        let state = self.hub.config().state_dir.clone();
        let repository = GitRepository::new(&job.git, &state, self.remaining_time(&job));
        let mut stop = self.hub.stop.subscribe();
        let began = Instant::now();
        let fetched = tokio::select! {
            fetched = repository.fetch_target(target, applied.as_deref(), baseline.as_deref()) => fetched,
            _ = stop.wait_for(|stop| *stop) => {
                return Ok(RunEvent::Interrupted("the program received a signal to end".to_owned()));
            }
        };
        self.finish_step(None);
        if let (Some(run), Ok(fetched)) = (&mut *self.slot.run.borrow_mut(), &fetched) {
            run.commit = Some(fetched.commit.clone());
        }
        self.hub.note_poll(began.elapsed(), fetched.is_ok());
        if let Ok(fetched) = &fetched {
            self.note_refused(&job, target, fetched);
        }
        let redactor = run::redactor_of(&job);
        Ok(RunEvent::Fetched(fetched.map_err(|error| redactor.redact(&error.to_string()).into_owned())))
    }

    fn note_refused(&self, job: &JobConfig, target: &RunTarget, fetched: &Fetched) {
        let rewritten = fetched.relation == Relation::Unrelated && *target == RunTarget::Head && !job.git.allow_rewrite;
        let reason = if self.slot.record.borrow().lost.is_some() {
            "state_lost"
        } else if fetched.unverified.is_some() {
            "unverified"
        } else if rewritten {
            "rewritten"
        } else {
            return;
        };
        self.hub.note(&Occurrence::CommitRefused(reason));
    }

    /// Checks the commit out and plans it.
    pub async fn plan_commit(&mut self, commit: &str) -> Result<RunEvent, EngineError> {
        self.hub.change_run(self.slot, self.claim, |run| run.commit = Some(commit.to_owned())).await?;
        let job = self.slot.job();
        self.begin_step(StepName::Plan).await?;
        if let Err(error) = self.check_out(&job, commit).await {
            self.finish_step(None);
            return Ok(RunEvent::Planned(Err(error.to_string())));
        }
        if job.mode == Mode::Direct {
            self.finish_step(None);
            return Ok(RunEvent::Planned(Ok(self.plan_of_direct_run())));
        }
        let context = self.build_context(&job);
        let planned = self.hub.runner.plan_job(&context.as_run(&job, self)).await;
        let (step, plan) = match planned {
            Ok(planned) => planned,
            Err(error) => return Ok(RunEvent::Planned(Err(error.to_string()))),
        };
        self.record_step(&step);
        if step.stopped && self.hub.is_stopping() {
            return Ok(RunEvent::Interrupted("the program received a signal to end".to_owned()));
        }
        let (plan, objects) = match plan {
            Some(plan) if step.error.is_none() => self.add_prune_steps(&context.as_run(&job, self), plan).await,
            plan => (plan, None),
        };
        let approved = self.slot.record.borrow().approved_before.clone();
        if let Some(run) = &approved {
            self.hub.engine.fetch_documents(run).await?;
        }
        let approved = approved.and_then(|run| save::read(&self.document_of(&run, RunDocument::Plan)).ok());
        let planned = plan.as_ref().map(|plan| collect_planned(plan, &job, approved.as_ref()));
        let planned = planned.map(|planned| Planned { objects, ..planned });
        if let Some(planned) = &planned {
            let counts = planned.counts.clone();
            self.hub.change_run(self.slot, self.claim, |run| run.plan = Some(counts)).await?;
        }
        self.hub.engine.publish_documents(self.claim, &self.run_id()).await?;
        Ok(RunEvent::Planned(match (step.error, planned) {
            (None, Some(planned)) => Ok(planned),
            (error, _) => Err(error.unwrap_or_else(|| "the plan was not written".to_owned())),
        }))
    }

    /// A direct run has no plan: it may change anything.
    fn plan_of_direct_run(&self) -> Planned {
        let record = self.slot.record.borrow();
        Planned {
            counts: PlanCounts {
                digest: String::new(),
                create: 0,
                update: 0,
                replace: 0,
                delete: 0,
                unchanged: 0,
                undetermined: 1,
            },
            others: 0,
            drifted: 0,
            only_ignored: false,
            tokens: record.tokens.clone(),
            within_approved: false,
            objects: None,
        }
    }

    /// Applies the plan of the run.
    pub async fn apply_plan(&mut self, commit: &str) -> Result<RunEvent, EngineError> {
        let job = self.slot.job();
        if self.hub.is_stopping() {
            return Ok(RunEvent::Interrupted("the program received a signal to end".to_owned()));
        }
        self.begin_step(StepName::Apply).await?;
        if self.checkout.is_none()
            && let Err(error) = self.check_out(&job, commit).await
        {
            self.finish_step(None);
            return Ok(RunEvent::Applied(Err(RunEnding::from_failure(error.to_string()))));
        }
        let context = self.build_context(&job);
        let as_run = context.as_run(&job, self);
        let result = match job.mode {
            Mode::Plan => self.hub.runner.apply_run(&as_run).await,
            Mode::Direct => self.hub.runner.run_directly(&as_run).await.map(|step| (step, None)),
        };
        let (step, after) = match result {
            Ok(applied) => applied,
            Err(error) => return Ok(RunEvent::Applied(Err(RunEnding::from_failure(error.to_string())))),
        };
        self.record_step(&step);
        let recap = run::read_recap(&self.document_path(RunDocument::Events));
        let kept = self.saved_passwords(&job).await?;
        self.hub
            .change_run(self.slot, self.claim, |run| {
                run.recap = recap;
                run.passwords_kept = kept;
            })
            .await?;
        let after = match (job.mode, &step.error) {
            (Mode::Direct, None) => self.look_after(&as_run).await?,
            _ => after,
        };
        self.hub.engine.publish_documents(self.claim, &self.run_id()).await?;
        if step.stopped && self.hub.is_stopping() {
            return Ok(RunEvent::Interrupted("the program received a signal to end".to_owned()));
        }
        Ok(RunEvent::Applied(match step.error {
            None => Ok(self.summarize_apply(after.as_ref())),
            Some(why) => Err(self.classify_end(step.exit, why)),
        }))
    }

    /// Looks what a direct run has left: changes that are still to be made, and tokens with their ends.
    async fn look_after(&self, run: &RunContext<'_>) -> Result<Option<Plan>, EngineError> {
        self.begin_step(StepName::Check).await?;
        let Ok((step, plan)) = self.hub.runner.look_after(run).await else { return Ok(None) };
        self.record_step(&step);
        Ok(plan.filter(|_| step.error.is_none()))
    }

    fn summarize_apply(&self, after: Option<&Plan>) -> Applied {
        let record = self.slot.record.borrow();
        let Some(after) = after else {
            return Applied { left: 0, tokens: record.tokens.clone(), objects: record.objects.clone() };
        };
        let applied = save::read(&self.document_path(RunDocument::Plan)).ok();
        let pruned = self.read_pruned();
        let before =
            MadeBefore { objects: &record.objects, applied: applied.as_ref(), pruned: &pruned, now: clock::now() };
        if let Some(applied) = &applied {
            self.hub.note_made_tokens(applied);
        }
        // What a task does by itself each time is not drift.
        let changes = after.count_actions();
        let left = changes.create + changes.update + changes.replace + changes.delete;
        Applied {
            left: u64::try_from(left).unwrap_or(u64::MAX),
            tokens: collect_tokens(after, &pruned),
            objects: collect_objects(after, &before),
        }
    }

    /// A plan that is not applicable is refused; what failed on the way has failed.
    fn classify_end(&self, exit: Option<i32>, why: String) -> RunEnding {
        let refusals = [
            Exit::PlanUnusable,
            Exit::PlanPlaybook,
            Exit::PlanWorld,
            Exit::PlanApplied,
            Exit::PlanDeviation,
            Exit::PlanAccount,
            Exit::PlanBusy,
        ];
        let refused = exit.is_some_and(|exit| refusals.iter().any(|known| i32::from(known.code()) == exit));
        RunEnding { outcome: if refused { Outcome::Refused } else { Outcome::Failed }, error: Some(why), retry: true }
    }

    async fn saved_passwords(&self, job: &JobConfig) -> Result<Vec<String>, EngineError> {
        let kept = match self.hub.runner.credentials {
            Some(_) => run::list_saved_in_logs(self.hub.engine.list_credentials().await?),
            None => run::list_saved_tokens(self.hub.config().credentials_dir()),
        };
        if job.mode == Mode::Direct {
            return Ok(kept);
        }
        let plan = save::read(&self.document_path(RunDocument::Plan)).ok();
        let named = |name: &String| plan.iter().flat_map(|plan| &plan.actions).any(|action| action.name == *name);
        Ok(kept.into_iter().filter(named).collect())
    }

    fn run_id(&self) -> String {
        self.slot.run.borrow().as_ref().map(|run| run.run.clone()).unwrap_or_default()
    }

    pub(super) fn document_path(&self, document: RunDocument) -> PathBuf {
        self.document_of(&self.run_id(), document)
    }

    fn document_of(&self, run: &str, document: RunDocument) -> PathBuf {
        self.hub.engine.run_folder(run).join(document.file_name())
    }

    async fn check_out(&mut self, job: &JobConfig, commit: &str) -> Result<(), CheckoutError> {
        self.checkout = None;
        let checkout = self.hub.check_out(job, commit, self.remaining_time(job)).await?;
        self.checkout = Some(checkout);
        Ok(())
    }

    /// Keeps what a step printed and the command that repeats it.
    pub(super) fn record_step(&self, step: &StepResult) {
        self.finish_step(step.exit);
        if let Some(run) = &mut *self.slot.run.borrow_mut() {
            run.commands.push(step.command.clone());
        }
        let path = self.document_path(RunDocument::Output);
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // A full disk must not fail what was done.
        let _ = opened.and_then(|mut file| file.write_all(step.output.as_bytes()));
    }

    fn build_context(&self, job: &JobConfig) -> Context {
        let root = self.checkout.as_ref().map(|checkout| checkout.folder().to_path_buf()).unwrap_or_default();
        Context { folder: root.join(job.folder()), documents: self.hub.engine.run_folder(&self.run_id()) }
    }
}

/// The folders of a run.
struct Context {
    folder: PathBuf,
    documents: PathBuf,
}

impl Context {
    fn as_run<'a>(&'a self, job: &'a JobConfig, work: &'a Work<'_>) -> RunContext<'a> {
        RunContext {
            job,
            folder: &self.folder,
            documents: &self.documents,
            lock: work.claim.lock.as_ref(),
            lease: work.claim.lease.as_deref().map(|lease| (lease.file.as_path(), lease.fence)),
            stop: Some(work.hub.stop.subscribe()),
            limit: work.remaining_time(job),
            secrets: Secrets::Given,
            confinement: None,
        }
    }
}

impl Hub {
    /// Makes the checkout of a job. It is always the same folder: a job has one run at a time.
    pub(super) async fn check_out(
        &self,
        job: &JobConfig,
        commit: &str,
        limit: Duration,
    ) -> Result<Checkout, CheckoutError> {
        let state = self.config().state_dir.clone();
        let folder = self.config().host_dir().join("work").join(&job.name);
        let checkout = GitRepository::new(&job.git, &state, limit).check_out(commit, &folder).await;
        let checkout = checkout
            .map_err(|error| CheckoutError::Git(run::redactor_of(job).redact(&error.to_string()).into_owned()))?;
        let inside = checkout.folder().join(job.folder());
        if !inside.is_dir() {
            let commit = commit.get(..12).unwrap_or(commit).to_owned();
            return Err(CheckoutError::NoFolder { commit, path: job.git.path.clone() });
        }
        Ok(checkout)
    }

    /// Takes the document of a run that goes on.
    pub(super) async fn open_run(&self, slot: &Slot, event: &RunEvent) -> Result<(), EngineError> {
        let id = match event {
            RunEvent::BeginApply { .. } => slot.record.borrow().waiting.as_ref().map(|waiting| waiting.run.clone()),
            RunEvent::Interrupted(_) => slot.record.borrow().active.as_ref().map(|active| active.run.clone()),
            _ => None,
        };
        if let (Some(id), RunEvent::BeginApply { .. }) = (&id, event) {
            self.engine.fetch_documents(id).await?;
        }
        let run = match id {
            Some(id) => self.engine.load_run(&id).await?.or_else(|| self.new_run(&slot.record.borrow())),
            None => None,
        };
        let decision = match event {
            RunEvent::BeginApply { .. } => slot.record.borrow().waiting.as_ref().and_then(|waiting| {
                let by_rule = || Decision { approved: true, by: "rule".to_owned(), at: clock::now(), reason: None };
                waiting.approval.clone().or_else(|| waiting.approved_at.map(|_| by_rule()))
            }),
            _ => None,
        };
        slot.run.replace(run.map(|run| JobRun { decision: decision.or(run.decision.clone()), ..run }));
        Ok(())
    }

    fn new_run(&self, record: &JobRecord) -> Option<JobRun> {
        let active = record.active.as_ref()?;
        Some(JobRun {
            run: active.run.clone(),
            job: record.job.clone(),
            commit: active.commit.clone(),
            reasons: active.reasons.clone(),
            outcome: None,
            started: active.started,
            ended: None,
            host: self.config().host.clone(),
            epoch: active.epoch,
            plan: None,
            recap: Default::default(),
            commands: Vec::new(),
            passwords_kept: Vec::new(),
            error: None,
            decision: None,
            steps: Vec::new(),
        })
    }

    /// Writes down that a run begins, or goes on.
    pub(super) async fn begin_run(&self, slot: &Slot, claim: &Claim) -> Result<(), EngineError> {
        if slot.record.borrow().active.is_none() {
            return Ok(());
        }
        // The record first: after a crash it says that there was a run.
        self.save_record(slot, claim).await?;
        let new = self.new_run(&slot.record.borrow());
        {
            let mut run = slot.run.borrow_mut();
            match (&mut *run, new) {
                (Some(run), Some(new)) => {
                    (run.outcome, run.ended, run.epoch, run.host) = (None, None, new.epoch, new.host);
                }
                (empty, new) => *empty = new,
            }
            if let Some(run) = &*run {
                let reasons: Vec<&str> = run.reasons.iter().map(|reason| reason.as_str()).collect();
                self.log_line(&format!("{}: run {} ({})", run.job, run.run, reasons.join(", ")));
            }
        }
        self.change_run(slot, claim, |_| ()).await
    }

    /// Changes the document of the run under way, and saves it.
    pub(super) async fn change_run(
        &self,
        slot: &Slot,
        claim: &Claim,
        change: impl FnOnce(&mut JobRun),
    ) -> Result<(), EngineError> {
        let Some(mut run) = slot.run.borrow().clone() else { return Ok(()) };
        change(&mut run);
        slot.run.replace(Some(run.clone()));
        self.engine.save_run(claim, &run).await?;
        self.announce_run(slot, &run);
        Ok(())
    }

    /// Writes down that a run waits for approval.
    pub(super) async fn put_run_aside(&self, slot: &Slot, claim: &Claim) -> Result<(), EngineError> {
        self.change_run(slot, claim, |run| run.outcome = Some(Outcome::Waiting)).await?;
        if let Some(run) = slot.run.take() {
            self.log_line(&format!("{}: run {} waits for approval", run.job, run.run));
        }
        Ok(())
    }

    /// Writes down how a run ended.
    pub(super) async fn end_run(&self, slot: &Slot, claim: &Claim, ended: &RunEnding) -> Result<(), EngineError> {
        let now = clock::now();
        self.change_run(slot, claim, |run| close_run(run, ended, now)).await?;
        let Some(run) = slot.run.take() else { return Ok(()) };
        self.log_line(&describe_end(&run));
        let listed = slot.record.borrow().runs.contains(&run.run);
        if !listed {
            self.engine.remove_run(claim, &run.run).await?;
        }
        Ok(())
    }

    /// Writes down how a run ended that waited; of other effects there is nothing to write here.
    pub(super) async fn end_waiting_run(
        &self,
        slot: &Slot,
        claim: &Claim,
        effect: &RunEffect,
    ) -> Result<(), EngineError> {
        let RunEffect::EndWaiting { run: id, ended, decision } = effect else { return Ok(()) };
        let Some(mut run) = self.engine.load_run(id).await? else { return Ok(()) };
        close_run(&mut run, ended, clock::now());
        run.decision = decision.clone().or(run.decision);
        self.engine.save_run(claim, &run).await?;
        self.log_line(&describe_end(&run));
        self.announce_run(slot, &run);
        Ok(())
    }

    /// Removes runs beyond those that the job keeps.
    pub(super) async fn prune_runs(&self, slot: &Slot, claim: &Claim) -> Result<(), EngineError> {
        let keep = slot.job().keep_runs;
        let over: Vec<String> = {
            let mut record = slot.record.borrow_mut();
            let at = record.runs.len().min(keep);
            record.runs.split_off(at)
        };
        if over.is_empty() {
            return Ok(());
        }
        self.save_record(slot, claim).await?;
        for run in over {
            self.engine.remove_run(claim, &run).await?;
        }
        Ok(())
    }
}

fn close_run(run: &mut JobRun, ended: &RunEnding, now: Timestamp) {
    run.outcome = Some(ended.outcome);
    run.error.clone_from(&ended.error);
    run.ended = Some(now);
    for step in run.steps.iter_mut().filter(|step| step.ended.is_none()) {
        step.ended = Some(now);
    }
}

fn describe_end(run: &JobRun) -> String {
    let outcome = run.outcome.map(|outcome| outcome.as_str()).unwrap_or_default();
    let commit =
        run.commit.as_deref().map(|commit| format!(" at {}", commit.get(..12).unwrap_or(commit))).unwrap_or_default();
    let why =
        run.error.as_deref().and_then(|error| error.lines().next()).map(|why| format!(": {why}")).unwrap_or_default();
    format!("{}: run {} {outcome}{commit}{why}", run.job, run.run)
}
