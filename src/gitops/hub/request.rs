//! Requests of people and hooks, answered.

use std::rc::Rc;
use std::time::Duration;

use super::super::clock;
use super::super::decide::{Answered, JobRequest, answer_request};
use super::super::engine::EngineError;
use super::super::record::{JobRecord, Offer};
use super::super::view::{JobRun, Reason};
use super::{Hub, Slot};

/// The worker of another machine answers within this time.
const ELSEWHERE_PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries to take a job that another process has.
const PAUSE: Duration = Duration::from_millis(20);

impl Hub {
    /// Answers a request to a job.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub async fn answer_request(&self, job: &str, request: &JobRequest) -> Result<Answered, EngineError> {
        let Some(slot) = self.find_slot(job) else {
            return Ok(Answered::Refused { why: format!("there is no job `{job}`") });
        };
        if let JobRequest::Approve { run, digest, .. } = request
            && let Some(answered) = self.check_before_approval(&slot, run, digest.as_deref()).await?
        {
            return Ok(answered);
        }
        self.change_record(&slot, request).await
    }

    /// Checks that the plan that waits still fits. A plan that does not is made again, and waits anew.
    async fn check_before_approval(
        &self,
        slot: &Rc<Slot>,
        run: &str,
        digest: Option<&str>,
    ) -> Result<Option<Answered>, EngineError> {
        while slot.busy.replace(true) {
            self.wait_for_change().await;
        }
        let checked = self.check_claimed(slot, run, digest).await;
        slot.busy.set(false);
        self.touch_job(&slot.job().name);
        checked
    }

    async fn check_claimed(
        &self,
        slot: &Rc<Slot>,
        run: &str,
        digest: Option<&str>,
    ) -> Result<Option<Answered>, EngineError> {
        let claim = loop {
            match self.claim_slot(slot).await? {
                Some(claim) => break claim,
                None => tokio::time::sleep(PAUSE).await,
            }
        };
        let waiting = slot.record.borrow().waiting.clone().filter(|waiting| waiting.run == run);
        let misfit = match waiting {
            // The answer to these needs no check.
            None => Ok(None),
            Some(waiting) if digest.is_some_and(|digest| digest != waiting.digest) => Ok(None),
            Some(waiting) => self.find_misfit(slot, run, &waiting.commit).await,
        };
        let answered = match misfit {
            Ok(None) => None,
            Ok(Some(why)) => {
                slot.record.borrow_mut().offers.push(Offer { reason: Reason::Manual, to: None });
                self.save_record(slot, &claim).await?;
                let why = format!("the plan of run `{run}` is outdated: {why}; a new plan will wait for approval");
                Some(Answered::OtherPlan { why })
            }
            Err(error) => Some(Answered::Refused { why: format!("cannot check whether the plan still fits: {error}") }),
        };
        self.release_slot(slot, claim).await?;
        Ok(answered)
    }

    /// Answers a request and saves what it changes.
    async fn change_record(&self, slot: &Rc<Slot>, request: &JobRequest) -> Result<Answered, EngineError> {
        loop {
            let held = slot.claim.borrow().clone();
            let (claim, own) = match held {
                Some(claim) => (claim, false),
                None if slot.is_busy() => {
                    // It looks at the repository, and will be done soon; or it is just about to claim.
                    self.wait_for_change().await;
                    continue;
                }
                None => {
                    slot.busy.set(true);
                    let claimed = self.claim_slot(slot).await;
                    slot.busy.set(false);
                    match claimed? {
                        Some(claim) => (claim, true),
                        None if !self.engine.is_responsible(&slot.job().name) => {
                            return self.ask_elsewhere(&slot.job().name, request).await;
                        }
                        None => {
                            tokio::time::sleep(PAUSE).await;
                            continue;
                        }
                    }
                }
            };
            let now = clock::now();
            let before = self.job_status(slot, now);
            let (record, effects, answered) =
                self.with_rules(slot, |record, rules| answer_request(record, rules, request, now));
            slot.record.replace(record);
            if own {
                slot.busy.set(true);
                let done = self.carry_out(slot, &claim, effects, before).await;
                let released = self.release_slot(slot, claim).await;
                slot.busy.set(false);
                done?;
                released?;
            } else {
                // The run under way goes on; a plan may have waited beside it.
                for effect in &effects {
                    self.end_waiting_run(slot, &claim, effect).await?;
                }
                self.save_record(slot, &claim).await?;
                self.announce_change(slot, &before);
            }
            self.touch_job(&slot.job().name);
            return Ok(answered);
        }
    }

    /// Has a request answered by the worker that has the job.
    async fn ask_elsewhere(&self, job: &str, request: &JobRequest) -> Result<Answered, EngineError> {
        let ticket = self.engine.post_request(job, request).await?;
        let began = std::time::Instant::now();
        while began.elapsed() < ELSEWHERE_PATIENCE {
            if let Some(answered) = self.engine.take_reply(&ticket).await? {
                return Ok(answered);
            }
            tokio::time::sleep(PAUSE).await;
        }
        let why = format!("the worker that has job `{job}` does not answer; the request stays posted");
        Ok(Answered::Refused { why })
    }

    /// Makes a job due without telling anybody.
    pub(super) async fn offer_quietly(&self, job: &str, reason: Reason) -> Result<(), EngineError> {
        let Some(slot) = self.find_slot(job) else { return Ok(()) };
        let offer = Offer { reason, to: None };
        if !slot.record.borrow().offers.contains(&offer) {
            slot.record.borrow_mut().offers.push(offer.clone());
            self.touch_job(job);
        }
        let claim = slot.claim.borrow().clone();
        if let Some(claim) = claim {
            return self.save_record(&slot, &claim).await;
        }
        if let Some(claim) = self.engine.claim_job(job).await? {
            let mut record: JobRecord = claim.record.clone();
            if !record.offers.contains(&offer) {
                record.offers.push(offer);
            }
            self.engine.save_record(&claim, &record).await?;
            self.engine.release_claim(claim).await?;
        } else if !self.engine.is_responsible(job) {
            // The worker that has it right now takes the wish from here.
            self.engine.post_request(job, &JobRequest::Run { reason }).await?;
        }
        Ok(())
    }

    /// Waits until something has changed.
    pub async fn wait_for_change(&self) {
        let mut changes = self.subscribe();
        let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
    }

    /// Waits until a run has ended or waits for approval; none if it was not worth listing.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn wait_for_run(&self, job: &str, run: &str) -> Result<Option<JobRun>, EngineError> {
        let epoch: u64 = run.rsplit_once('-').and_then(|(_, epoch)| epoch.parse().ok()).unwrap_or_default();
        loop {
            if let Some(found) = self.engine.load_run(run).await?
                && found.outcome.is_some()
            {
                return Ok(Some(found));
            }
            let Some(slot) = self.find_slot(job) else { return Ok(None) };
            let record = self.engine.load_record(job).await?;
            let served = record.epoch >= epoch && record.active.is_none() && record.offers.is_empty();
            if (served && !slot.is_busy()) || self.is_stopping() {
                return self.engine.load_run(run).await;
            }
            self.wait_for_change().await;
        }
    }
}
