//! All jobs of one process: their records, who works on them, and how the outside sees them.
//!
//! `once` and `serve` use the same hub; they differ only in when they let it attend to a job.

mod attend;
mod note;
mod prune;
mod request;
mod run;
mod verify;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;
use tokio::sync::{Mutex, Notify, watch};

use super::agenda::Touched;
use super::clock;
use super::config::{GitopsConfig, JobConfig};
use super::decide::{Dependencies, JobRules, Next, derive_state, derive_status, next_step};
use super::engine::{Claim, EngineError, GitopsEngine};
use super::observer::Observer;
use super::record::JobRecord;
use super::repository::signers_digest;
use super::run::Runner;
use super::view::{GitopsStatus, JobRun, JobState, JobStatus, VERSION};

pub use attend::Attended;

/// Writes a line for the person who runs the program.
pub type LogWriter = Box<dyn Fn(&str)>;

/// All jobs of one process.
pub struct Hub {
    config: RefCell<Rc<GitopsConfig>>,
    /// Where jobs and runs are kept.
    pub engine: Rc<dyn GitopsEngine>,
    runner: Runner,
    slots: RefCell<IndexMap<String, Rc<Slot>>>,
    observers: RefCell<Vec<Rc<dyn Observer>>>,
    log: LogWriter,
    stop: watch::Sender<bool>,
    /// Something has changed: the loop looks again, and so do those who wait for a run.
    pub changed: Notify,
    ticks: watch::Sender<u64>,
    /// Jobs that the loop has to look at.
    touched: RefCell<Touched>,
    /// Jobs that depend on a job, directly.
    dependents: RefCell<HashMap<String, Vec<String>>>,
    /// Jobs that this process attends to; none for all.
    attended: RefCell<Option<BTreeSet<String>>>,
}

/// A job, and the work on it.
pub struct Slot {
    job: RefCell<Arc<JobConfig>>,
    record: RefCell<JobRecord>,
    claim: RefCell<Option<Rc<Claim>>>,
    busy: Cell<bool>,
    run: RefCell<Option<JobRun>>,
    signers: RefCell<Option<String>>,
    /// The store cannot be used: why.
    trouble: RefCell<Option<String>>,
    trouble_until: Cell<Option<Timestamp>>,
    saving: Mutex<()>,
    /// Since when this process tries to claim it, while another has it.
    tried: Cell<Option<std::time::Instant>>,
}

impl Slot {
    fn new(job: Arc<JobConfig>, record: JobRecord) -> Self {
        let signers = signers_digest(&job.git);
        Self {
            job: RefCell::new(job),
            record: RefCell::new(record),
            claim: RefCell::default(),
            busy: Cell::new(false),
            run: RefCell::default(),
            signers: RefCell::new(signers),
            trouble: RefCell::default(),
            trouble_until: Cell::new(None),
            saving: Mutex::new(()),
            tried: Cell::new(None),
        }
    }

    fn job(&self) -> Arc<JobConfig> {
        Arc::clone(&self.job.borrow())
    }

    /// Returns whether somebody works on it in this process.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// Makes the repository be looked at next.
    pub fn request_poll(&self) {
        self.record.borrow_mut().looked = None;
        self.trouble_until.set(None);
    }

    /// Returns a copy of the record.
    pub fn record(&self) -> JobRecord {
        self.record.borrow().clone()
    }
}

impl Hub {
    /// Reads the records of all jobs.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn load_jobs(
        config: GitopsConfig,
        engine: Rc<dyn GitopsEngine>,
        runner: Runner,
        log: LogWriter,
    ) -> Result<Rc<Self>, EngineError> {
        let hub = Self {
            config: RefCell::new(Rc::new(config)),
            engine,
            runner,
            slots: RefCell::default(),
            observers: RefCell::default(),
            log,
            stop: watch::Sender::new(false),
            changed: Notify::new(),
            ticks: watch::Sender::new(0),
            touched: RefCell::new(Touched::All),
            dependents: RefCell::default(),
            attended: RefCell::default(),
        };
        hub.engine.configure(&hub.config());
        let jobs: Vec<Arc<JobConfig>> = hub.config().jobs.values().cloned().collect();
        let names: Vec<String> = jobs.iter().map(|job| job.name.clone()).collect();
        for (job, record) in jobs.into_iter().zip(hub.engine.load_records(&names).await?) {
            hub.slots.borrow_mut().insert(job.name.clone(), Rc::new(Slot::new(job, record)));
        }
        hub.dependents.replace(list_dependents(&hub.config()));
        Ok(Rc::new(hub))
    }

    /// Takes another configuration. Jobs that are not in it any more end after the run under way.
    ///
    /// # Errors
    /// If the record of a new job cannot be read; then the old configuration stays.
    pub async fn reload_config(&self, config: GitopsConfig) -> Result<(), EngineError> {
        let mut slots = IndexMap::new();
        for (name, job) in &config.jobs {
            let old = self.find_slot(name);
            let slot = match old {
                Some(slot) => {
                    *slot.signers.borrow_mut() = signers_digest(&job.git);
                    *slot.job.borrow_mut() = Arc::clone(job);
                    slot
                }
                None => Rc::new(Slot::new(Arc::clone(job), self.engine.load_record(name).await?)),
            };
            slots.insert(name.clone(), slot);
        }
        self.engine.configure(&config);
        *self.slots.borrow_mut() = slots;
        self.dependents.replace(list_dependents(&config));
        *self.config.borrow_mut() = Rc::new(config);
        self.touch_all();
        Ok(())
    }

    /// Attends to these jobs only.
    pub fn attend_only(&self, jobs: &[String]) {
        *self.attended.borrow_mut() = Some(jobs.iter().cloned().collect());
    }

    /// Tells an observer of every change from now on.
    pub fn add_observer(&self, observer: Rc<dyn Observer>) {
        self.observers.borrow_mut().push(observer);
    }

    /// Returns the configuration.
    pub fn config(&self) -> Rc<GitopsConfig> {
        Rc::clone(&self.config.borrow())
    }

    /// Returns a job.
    pub fn find_slot(&self, job: &str) -> Option<Rc<Slot>> {
        self.slots.borrow().get(job).cloned()
    }

    /// Returns all jobs.
    pub fn slots(&self) -> Vec<(String, Rc<Slot>)> {
        self.slots.borrow().iter().map(|(name, slot)| (name.clone(), Rc::clone(slot))).collect()
    }

    /// Asks everything to end after the request under way.
    pub fn request_stop(&self) {
        self.stop.send_replace(true);
        self.touch_all();
    }

    /// Returns whether everything shall end.
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Writes a line to the log.
    pub fn log_line(&self, line: &str) {
        (self.log)(line);
    }

    /// Returns what starts runs.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Makes the loop look at a job, and at those that depend on it, and wakes those who wait for a change.
    pub fn touch_job(&self, job: &str) {
        let mut jobs = vec![job.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(job) = jobs.pop() {
            if seen.insert(job.clone()) {
                self.touched.borrow_mut().add(&job);
                jobs.extend(self.dependents.borrow().get(&job).into_iter().flatten().cloned());
            }
        }
        self.wake_waiters();
    }

    /// Makes the loop look at all jobs.
    pub fn touch_all(&self) {
        self.touched.replace(Touched::All);
        self.wake_waiters();
    }

    /// Takes the jobs that have changed since the last call.
    pub fn take_touched(&self) -> Touched {
        self.touched.take()
    }

    fn wake_waiters(&self) {
        self.ticks.send_modify(|ticks| *ticks += 1);
        self.changed.notify_one();
    }

    /// Returns a receiver that notices every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.ticks.subscribe()
    }

    /// Calls something with the rules of a job.
    pub(super) fn with_rules<T>(&self, slot: &Slot, call: impl FnOnce(&JobRecord, &JobRules<'_>) -> T) -> T {
        let job = slot.job();
        let dependencies = self.check_dependencies(&job, &mut Vec::new());
        let rules = JobRules::from_job(&job, dependencies, slot.signers.borrow().clone());
        call(&slot.record.borrow(), &rules)
    }

    /// Returns what is to be done for a job.
    pub fn next(&self, slot: &Slot, now: Timestamp) -> Next {
        if let Some(until) = slot.trouble_until.get().filter(|until| *until > now) {
            return Next::Sleep(Some(until));
        }
        if !slot.job().is_for_host(&self.config().host) {
            return Next::Sleep(None);
        }
        if !self.engine.is_responsible(&slot.job().name) {
            return Next::Sleep(None);
        }
        self.with_rules(slot, |record, rules| next_step(record, rules, now))
    }

    fn check_dependencies(&self, job: &JobConfig, path: &mut Vec<String>) -> Dependencies {
        let now = clock::now();
        let mut all = Dependencies::Fine;
        for name in &job.depends_on {
            let Some(slot) = self.find_slot(name).filter(|_| !path.contains(name)) else { continue };
            path.push(name.clone());
            let own = slot.job();
            let rules = JobRules::from_job(&own, self.check_dependencies(&own, path), slot.signers.borrow().clone());
            path.pop();
            let attended = self.attended.borrow().as_ref().is_none_or(|jobs| jobs.contains(name));
            let record = slot.record.borrow();
            let due = matches!(next_step(&record, &rules, now), Next::Start(..) | Next::Apply | Next::Recover);
            let state = derive_state(&record, &rules);
            let broken = matches!(state, JobState::Failed | JobState::Refused | JobState::Waiting | JobState::Blocked);
            let pending = state == JobState::Running || state == JobState::New || (due && state != JobState::Suspended);
            if attended && (record.active.is_some() || pending && !broken) {
                all = Dependencies::Pending(name.clone());
            } else if broken || pending && !attended {
                return Dependencies::Broken(name.clone());
            }
        }
        all
    }

    /// Returns the status of a job.
    pub fn job_status(&self, slot: &Slot, now: Timestamp) -> JobStatus {
        let mut status = self.with_rules(slot, |record, rules| derive_status(record, rules, now));
        if !slot.job().is_for_host(&self.config().host) && status.message.is_none() {
            let hosts = slot.job().hosts().join("`, `");
            status.message = Some(format!("it runs on `{hosts}`, not on this host, `{}`", self.config().host));
        }
        if let Some(trouble) = &*slot.trouble.borrow() {
            status.state = JobState::Failed;
            status.message = Some(trouble.clone());
        }
        status
    }

    /// Returns the status of all jobs.
    pub fn read_status(&self) -> GitopsStatus {
        let now = clock::now();
        let jobs = self.slots().iter().map(|(_, slot)| self.job_status(slot, now)).collect();
        GitopsStatus { version: VERSION, host: self.config().host.clone(), jobs }
    }

    /// Reads the records again that other processes have changed; all without names.
    pub async fn refresh_records(&self, jobs: Option<Vec<String>>) -> Result<(), EngineError> {
        if jobs.is_none() {
            // Which jobs are this host's may have changed, too.
            self.touch_all();
        }
        let names = jobs.unwrap_or_else(|| self.slots.borrow().keys().cloned().collect());
        let names: Vec<String> = names.into_iter().filter(|name| self.find_slot(name).is_some()).collect();
        let records = self.engine.load_records(&names).await?;
        for (name, record) in names.iter().zip(records) {
            let Some(slot) = self.find_slot(name) else { continue };
            // A job under way here has newer data.
            if !slot.is_busy() && slot.claim.borrow().is_none() {
                let record = attend::merge_seen(record, &slot.record.borrow());
                slot.record.replace(record);
            }
            self.touch_job(name);
        }
        Ok(())
    }

    /// Tells observers how a job has changed.
    fn announce_change(&self, slot: &Slot, before: &JobStatus) {
        let after = self.job_status(slot, clock::now());
        let job = slot.job();
        let observers = self.observers.borrow().clone();
        observers.iter().for_each(|observer| observer.status_changed(&job, before, &after));
        self.touch_job(&job.name);
    }

    fn announce_run(&self, slot: &Slot, run: &JobRun) {
        let job = slot.job();
        let observers = self.observers.borrow().clone();
        observers.iter().for_each(|observer| observer.run_changed(&job, run));
        self.touch_job(&job.name);
    }
}

/// Returns the jobs that depend on each job, directly.
fn list_dependents(config: &GitopsConfig) -> HashMap<String, Vec<String>> {
    let mut dependents: HashMap<String, Vec<String>> = HashMap::new();
    for job in config.jobs.values() {
        for needed in &job.depends_on {
            dependents.entry(needed.clone()).or_default().push(job.name.clone());
        }
    }
    dependents
}
