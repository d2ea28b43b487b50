//! Attending to a job: look, claim, and carry out what the loop decides.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::super::clock;
use super::super::decide::{Next, RunEffect, RunEvent, decide_event};
use super::super::engine::{Claim, EngineError};
use super::super::observer::Occurrence;
use super::super::record::JobRecord;
use super::super::repository::{GitRepository, signers_digest};
use super::super::view::{JobStatus, Outcome, Reason};
use super::{Hub, Slot};

/// After trouble with the store a job is left alone for so long.
const TROUBLE_PAUSE: Duration = Duration::from_secs(5);

/// Result of attending to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attended {
    /// Nothing was due.
    Nothing,
    /// Another process works on the job.
    Elsewhere,
    /// The repository was looked at, or a suspension ended.
    Looked,
    /// A run was carried out, as far as it goes.
    Ran,
}

/// Marks a job as worked on.
struct Busy<'a>(&'a Slot);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.busy.set(false);
    }
}

impl Hub {
    /// Does the next thing for a job, if something is due.
    pub async fn attend_job(&self, slot: &Rc<Slot>) -> Attended {
        if slot.busy.replace(true) {
            return Attended::Elsewhere;
        }
        let _busy = Busy(slot);
        let attended = match self.next(slot, clock::now()) {
            Next::Sleep(_) => Ok(Attended::Nothing),
            Next::Look => {
                self.poll_branch(slot).await;
                Ok(Attended::Looked)
            }
            _ => self.work_on_job(slot).await,
        };
        // Who waits for another process looks again later.
        if !matches!(attended, Ok(Attended::Elsewhere)) {
            self.touch_job(&slot.job().name);
        }
        match attended {
            Ok(attended) => {
                if attended != Attended::Nothing && attended != Attended::Elsewhere {
                    slot.trouble.take();
                }
                attended
            }
            Err(error) => {
                if matches!(error, EngineError::Fenced { .. }) {
                    self.note(&Occurrence::LeaseLost);
                }
                let before = self.job_status(slot, clock::now());
                self.log_line(&format!("{}: {error}", slot.job().name));
                slot.claim.take();
                *slot.trouble.borrow_mut() = Some(error.to_string());
                let pause = jiff::SignedDuration::try_from(TROUBLE_PAUSE).unwrap_or_default();
                slot.trouble_until.set(clock::now().checked_add(pause).ok());
                // The stored record counts, not the one that could not be saved.
                if let Ok(record) = self.engine.load_record(&slot.job().name).await {
                    slot.record.replace(record);
                }
                self.announce_change(slot, &before);
                Attended::Ran
            }
        }
    }

    /// Looks where the branch stands. What it finds need not be saved: the next look finds it again.
    async fn poll_branch(&self, slot: &Slot) {
        let job = slot.job();
        *slot.signers.borrow_mut() = signers_digest(&job.git);
        let began = std::time::Instant::now();
        let found = GitRepository::new(&job.git, &self.config().state_dir, job.timeout).resolve_head().await;
        self.note_poll(began.elapsed(), found.is_ok());
        let before = self.job_status(slot, clock::now());
        let found = found.map_err(|error| error.to_string());
        self.feed_event(slot, RunEvent::Looked(found));
        let after = self.job_status(slot, clock::now());
        if before.observed != after.observed || before.state != after.state {
            self.announce_change(slot, &before);
        }
    }

    /// Feeds an event into the loop; the record of the slot is the one after it.
    pub(super) fn feed_event(&self, slot: &Slot, event: RunEvent) -> Vec<RunEffect> {
        let now = clock::now();
        let (record, effects) = self.with_rules(slot, |record, rules| decide_event(record, rules, event, now));
        slot.record.replace(record);
        effects
    }

    /// Saves the record of a claimed job.
    pub(super) async fn save_record(&self, slot: &Slot, claim: &Claim) -> Result<(), EngineError> {
        let _one = slot.saving.lock().await;
        let record = slot.record();
        self.engine.save_record(claim, &record).await
    }

    /// Takes a job; none if another process has it.
    pub(super) async fn claim_slot(&self, slot: &Slot) -> Result<Option<Rc<Claim>>, EngineError> {
        let tried = slot.tried.get().unwrap_or_else(std::time::Instant::now);
        let Some(claim) = self.engine.claim_job(&slot.job().name).await? else {
            slot.tried.set(Some(tried));
            return Ok(None);
        };
        slot.tried.set(None);
        self.note(&Occurrence::Claimed(tried.elapsed()));
        let record = merge_seen(claim.record.clone(), &slot.record.borrow());
        slot.record.replace(record);
        let claim = Rc::new(claim);
        slot.claim.replace(Some(Rc::clone(&claim)));
        Ok(Some(claim))
    }

    /// Gives a job back.
    pub(super) async fn release_slot(&self, slot: &Slot, claim: Rc<Claim>) -> Result<(), EngineError> {
        slot.claim.take();
        match Rc::try_unwrap(claim) {
            Ok(claim) => self.engine.release_claim(claim).await,
            // Somebody saves with it right now; it ends when they are done.
            Err(_) => Ok(()),
        }
    }

    /// Claims a job and does what is due for it.
    async fn work_on_job(&self, slot: &Rc<Slot>) -> Result<Attended, EngineError> {
        let Some(claim) = self.claim_slot(slot).await? else { return Ok(Attended::Elsewhere) };
        let worked = self.work_claimed(slot, &claim).await;
        self.release_slot(slot, claim).await?;
        worked
    }

    async fn work_claimed(&self, slot: &Rc<Slot>, claim: &Rc<Claim>) -> Result<Attended, EngineError> {
        let before = self.job_status(slot, clock::now());
        // The record may say another thing than what was known before the claim.
        let (event, attended) = match self.next(slot, clock::now()) {
            Next::Sleep(_) | Next::Look => return Ok(Attended::Nothing),
            Next::Resume => (RunEvent::Resume, Attended::Looked),
            Next::Recover => {
                self.note(&Occurrence::TakenOver);
                let why = "the process that ran it ended before it did".to_owned();
                (RunEvent::Interrupted(why), Attended::Looked)
            }
            Next::Start(reasons, target) => {
                if reasons.contains(&Reason::Schedule) {
                    self.note_skipped_schedule(slot, clock::now());
                }
                (RunEvent::Begin { epoch: claim.epoch, reasons, target }, Attended::Ran)
            }
            Next::Apply => (RunEvent::BeginApply { epoch: claim.epoch }, Attended::Ran),
        };
        self.open_run(slot, &event).await?;
        let effects = self.feed_event(slot, event);
        self.begin_run(slot, claim).await?;
        self.carry_out(slot, claim, effects, before).await?;
        Ok(attended)
    }

    /// Carries out effects until there is nothing more to do.
    pub(super) async fn carry_out(
        &self,
        slot: &Rc<Slot>,
        claim: &Rc<Claim>,
        effects: Vec<RunEffect>,
        mut before: JobStatus,
    ) -> Result<(), EngineError> {
        let mut work = super::run::Work::new(self, slot, claim);
        let mut effects: VecDeque<RunEffect> = effects.into();
        self.save_decision(slot, claim, &effects, &mut before).await?;
        while let Some(effect) = effects.pop_front() {
            let event = match effect {
                RunEffect::Fetch { target } => Some(work.fetch_target(&target).await?),
                RunEffect::Plan { commit } => Some(work.plan_commit(&commit).await?),
                RunEffect::Apply { commit } => Some(work.apply_plan(&commit).await?),
                RunEffect::Wait | RunEffect::End(_) | RunEffect::EndWaiting { .. } => None,
            };
            if let Some(event) = event {
                let more: VecDeque<RunEffect> = self.feed_event(slot, event).into();
                self.save_decision(slot, claim, &more, &mut before).await?;
                effects.extend(more);
            }
        }
        Ok(())
    }

    /// Writes down what was decided, before it is carried out: runs that end or wait first, then the record.
    async fn save_decision(
        &self,
        slot: &Rc<Slot>,
        claim: &Rc<Claim>,
        effects: &VecDeque<RunEffect>,
        before: &mut JobStatus,
    ) -> Result<(), EngineError> {
        for effect in effects {
            match effect {
                RunEffect::Wait => self.put_run_aside(slot, claim).await?,
                RunEffect::End(ended) => self.end_run(slot, claim, ended).await?,
                RunEffect::EndWaiting { .. } => self.end_waiting_run(slot, claim, effect).await?,
                RunEffect::Fetch { .. } | RunEffect::Plan { .. } | RunEffect::Apply { .. } => {}
            }
        }
        self.save_record(slot, claim).await?;
        self.announce_change(slot, before);
        *before = self.job_status(slot, clock::now());
        for effect in effects {
            if let RunEffect::End(ended) = effect
                && matches!(ended.outcome, Outcome::Applied | Outcome::Corrected | Outcome::RolledBack)
            {
                self.wake_dependents(&slot.job().name).await?;
            }
        }
        self.prune_runs(slot, claim).await
    }

    /// Makes the jobs due that depend on one that has just applied something.
    async fn wake_dependents(&self, job: &str) -> Result<(), EngineError> {
        let dependents = self.dependents.borrow().get(job).cloned().unwrap_or_default();
        for name in dependents {
            if self.find_slot(&name).is_some_and(|slot| slot.record.borrow().applied.is_some()) {
                self.offer_quietly(&name, Reason::Dependency).await?;
            }
        }
        Ok(())
    }
}

/// Returns a record as it was saved, with the findings of later polls, which are not saved yet.
pub(super) fn merge_seen(mut record: JobRecord, seen: &JobRecord) -> JobRecord {
    if record.looked > seen.looked {
        return record;
    }
    record.looked = seen.looked;
    record.observed = seen.observed.clone().or(record.observed);
    for offer in &seen.offers {
        if offer.reason == Reason::Poll && !record.offers.contains(offer) {
            record.offers.push(offer.clone());
        }
    }
    if let (Some(retry), Some(seen)) = (&mut record.retry, &seen.retry)
        && retry.failures == seen.failures
    {
        retry.at = seen.at.or(retry.at);
    }
    record
}
