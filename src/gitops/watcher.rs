//! Watches jobs and runs: counts them, and has the changes announced.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::announce::{Announcer, JobNews};
use super::config::JobConfig;
use super::hub::Hub;
use super::metrics::Metrics;
use super::notify::ExpiringToken;
use super::observer::{Observer, Occurrence};
use super::view::{JobRun, JobStatus, Outcome};

/// Runs that are remembered as counted.
const REMEMBERED: usize = 1_000;

/// How often lasting states are looked at, for reminders.
const REMINDER_PERIOD: Duration = Duration::from_secs(30);

/// Watches the jobs of a hub.
pub struct Watcher {
    hub: Weak<Hub>,
    announcer: Rc<Announcer>,
    metrics: Rc<Metrics>,
    counted: RefCell<VecDeque<String>>,
}

impl Watcher {
    /// Watches a hub from now on.
    pub fn attach_to_hub(hub: &Rc<Hub>, announcer: Rc<Announcer>, metrics: Rc<Metrics>) -> Rc<Self> {
        let watcher = Rc::new(Self { hub: Rc::downgrade(hub), announcer, metrics, counted: RefCell::default() });
        let observer: Rc<Self> = Rc::clone(&watcher);
        hub.add_observer(observer);
        watcher
    }

    /// Looks at all jobs again and again, for reminders and tokens that end, and first for what happened just before an
    /// earlier process was killed. It never ends.
    pub async fn send_reminders(&self) {
        loop {
            self.check_all_jobs();
            tokio::time::sleep(REMINDER_PERIOD).await;
        }
    }

    /// Looks at all jobs.
    pub fn check_all_jobs(&self) {
        let Some(hub) = self.hub.upgrade() else { return };
        let now = Timestamp::now();
        for (name, slot) in hub.slots() {
            let record = slot.record();
            if let Some(at) = record.last_success {
                self.metrics.set_last_success(&name, at);
            }
            record.tokens.iter().for_each(|token| {
                self.metrics.set_token_expiry(&token.registry, &token.name, token.expiry);
            });
            if hub.engine.is_responsible(&name) && hub.config().find_job(&name).is_some_and(|job| is_announced(job)) {
                self.announce_job(&hub, &hub.job_status(&slot, now), None);
            }
        }
    }

    fn announce_job(&self, hub: &Hub, status: &JobStatus, run: Option<&JobRun>) {
        // The file may have been read again.
        self.announcer.set_config(hub.config());
        let expiring = find_expiring(hub, &status.job);
        if let Err(error) = self.announcer.queue_news(&JobNews { status, run, expiring: &expiring }) {
            hub.log_line(&format!("cannot queue the messages of job `{}`: {error}", status.job));
        }
    }

    fn count_run(&self, run: &JobRun) {
        let Some(outcome) = run.outcome.filter(|outcome| *outcome != Outcome::Waiting) else { return };
        let mut counted = self.counted.borrow_mut();
        if counted.contains(&run.run) {
            return;
        }
        counted.push_front(run.run.clone());
        counted.truncate(REMEMBERED);
        let took = run.ended.unwrap_or_else(Timestamp::now).duration_since(run.started);
        self.metrics.count_run(&run.job, outcome, Duration::try_from(took).unwrap_or_default());
        if outcome.is_fine() {
            self.metrics.set_last_success(&run.job, run.ended.unwrap_or_else(Timestamp::now));
        }
        if run.plan.as_ref().is_some_and(|plan| plan.undetermined > 0) {
            self.metrics.count_undetermined_plan();
        }
    }
}

impl Observer for Watcher {
    fn status_changed(&self, job: &JobConfig, before: &JobStatus, after: &JobStatus) {
        let Some(hub) = self.hub.upgrade() else { return };
        let is_news =
            before.state != after.state || before.last_run != after.last_run || before.waiting != after.waiting;
        if is_news && is_announced(job) {
            self.announce_job(&hub, after, None);
        }
    }

    fn occurred(&self, occurrence: &Occurrence<'_>) {
        match *occurrence {
            Occurrence::Polled { took, succeeded } => self.metrics.count_poll(took, succeeded),
            Occurrence::Claimed(waited) => self.metrics.count_lock_wait(waited),
            Occurrence::TakenOver => self.metrics.count_takeover(),
            Occurrence::LeaseLost => self.metrics.count_lost_lease(),
            Occurrence::CommitRefused(reason) => self.metrics.count_refused_commit(reason),
            Occurrence::ScheduleSkipped => self.metrics.count_skipped_schedule(),
            Occurrence::TokenMade { registry, token } => {
                self.metrics.set_token_rotation(registry, token, Timestamp::now());
            }
        }
    }

    fn run_changed(&self, job: &JobConfig, run: &JobRun) {
        self.count_run(run);
        let Some(hub) = self.hub.upgrade().filter(|_| is_announced(job)) else { return };
        let Some(slot) = hub.find_slot(&run.job) else { return };
        self.announce_job(&hub, &hub.job_status(&slot, Timestamp::now()), Some(run));
    }
}

/// Returns whether anything is to be sent about a job.
fn is_announced(job: &JobConfig) -> bool {
    !job.notify.is_empty() || job.forge.is_some()
}

/// Returns the tokens of a job that end sooner than the file allows.
fn find_expiring(hub: &Hub, job: &str) -> Vec<ExpiringToken> {
    let before = hub.config().find_job(job).and_then(|job| job.expiry);
    let (Some(before), Some(slot)) = (before, hub.find_slot(job)) else { return Vec::new() };
    let limit = SignedDuration::try_from(before).ok().and_then(|before| Timestamp::now().checked_add(before).ok());
    let Some(limit) = limit else { return Vec::new() };
    let tokens = slot.record().tokens.into_iter().filter(|token| token.expiry < limit);
    tokens.map(|token| ExpiringToken { registry: token.registry, name: token.name, at: token.expiry }).collect()
}
