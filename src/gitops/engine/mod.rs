//! Where jobs and runs are kept, and who may advance a job.
//!
//! A claim is the right to advance one job. It has an epoch that is higher than that of every claim before it; a claim
//! whose epoch is not the last one can save nothing any more. With [`files`] a claim is a lock that ends with the process;
//! an engine for several machines gives leases, which are renewed by [`GitopsEngine::renew_claim`] and checked by runs before each
//! write.

pub mod files;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(test)]
pub(crate) mod suite;

use std::fs::File;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;

use thiserror::Error;

use super::config::{GitopsConfig, StoreConfig};
use super::decide::{Answered, JobRequest};
use super::record::JobRecord;
use super::view::JobRun;
use crate::credentials::RemoteLog;

/// A change of a log of the credential store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialWrite {
    /// Text is added.
    Append,
    /// Text takes the place of all that is there.
    Replace,
    /// The log is removed.
    Remove,
}

/// Pending result of an engine. Everything runs on one thread.
pub type EngineFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, EngineError>> + 'a>>;

/// Why an engine cannot do something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineError {
    /// Another claim has a higher epoch: the holder of this one has lost the job.
    #[error("job `{job}` was taken over by another host (epoch {epoch} is not the last one)")]
    Fenced {
        /// The job.
        job: String,
        /// The epoch that is too low.
        epoch: u64,
    },
    /// The state storage cannot be read or written.
    #[error("cannot {what}: {why}")]
    Store {
        /// The attempted operation.
        what: String,
        /// Why it failed.
        why: String,
    },
}

/// The right to advance a job.
#[derive(Debug)]
pub struct Claim {
    /// The job.
    pub job: String,
    /// Number of this claim; a run that starts under it has it in its id.
    pub epoch: u64,
    /// The record, as it is now.
    pub record: JobRecord,
    /// A lock that ends with the last process that holds it; children get it as their standard input.
    pub lock: Option<File>,
    /// The lease, with an engine of several machines.
    pub lease: Option<Rc<Lease>>,
}

/// The lease of a claim: it ends unless its engine renews it.
#[derive(Debug)]
pub struct Lease {
    /// Name of the job's row.
    pub name: String,
    /// Number of the lease: higher than that of every one before it.
    pub fence: u64,
    /// The file with number and deadline, which children compare before each write.
    pub file: PathBuf,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A request that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Number of the request.
    pub ticket: String,
    /// The job.
    pub job: String,
    /// The request itself.
    pub request: JobRequest,
}

/// Documents of a run besides its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunDocument {
    /// The plan, as `ionplay plan -o` wrote it.
    Plan,
    /// The plan of the check after the apply.
    After,
    /// The events of the apply, one JSON object a line.
    Events,
    /// Output of the child processes.
    Output,
    /// The playbook that removes what the job no longer names.
    Prune,
}

impl RunDocument {
    /// All documents.
    pub const ALL: &[Self] = &[Self::Plan, Self::After, Self::Events, Self::Output, Self::Prune];

    /// Returns the name of its file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Plan => "plan.json",
            Self::After => "after.json",
            Self::Events => "events.jsonl",
            Self::Output => "output.txt",
            Self::Prune => "prune.yml",
        }
    }
}

/// Keeps jobs and runs, and gives claims.
pub trait GitopsEngine {
    /// Returns the record of a job; that of a new job, or of one whose record was lost, too.
    fn load_record<'a>(&'a self, job: &'a str) -> EngineFuture<'a, JobRecord>;

    /// Takes the right to advance a job; none while another holds it.
    fn claim_job<'a>(&'a self, job: &'a str) -> EngineFuture<'a, Option<Claim>>;

    /// Renews a claim.
    fn renew_claim<'a>(&'a self, claim: &'a Claim) -> EngineFuture<'a, ()>;

    /// Saves the record of a claimed job, so that it outlives a power failure.
    fn save_record<'a>(&'a self, claim: &'a Claim, record: &'a JobRecord) -> EngineFuture<'a, ()>;

    /// Gives a claim back.
    fn release_claim<'a>(&'a self, claim: Claim) -> EngineFuture<'a, ()>;

    /// Saves a run.
    fn save_run<'a>(&'a self, claim: &'a Claim, run: &'a JobRun) -> EngineFuture<'a, ()>;

    /// Returns a run.
    fn load_run<'a>(&'a self, run: &'a str) -> EngineFuture<'a, Option<JobRun>>;

    /// Removes a run and its documents.
    fn remove_run<'a>(&'a self, claim: &'a Claim, run: &'a str) -> EngineFuture<'a, ()>;

    /// Returns the folder of this machine in which the documents of a run are written.
    fn run_folder(&self, run: &str) -> PathBuf;

    /// Makes the documents in the folder of a run available to all machines.
    fn publish_documents<'a>(&'a self, claim: &'a Claim, run: &'a str) -> EngineFuture<'a, ()>;

    /// Returns a document of a run, from a byte on.
    fn read_document<'a>(&'a self, run: &'a str, document: RunDocument, from: u64)
    -> EngineFuture<'a, Option<Vec<u8>>>;

    /// Posts a request for the host that advances the job.
    fn post_request<'a>(&'a self, job: &'a str, request: &'a JobRequest) -> EngineFuture<'a, String>;

    /// Returns the requests that wait, oldest first.
    fn list_posted(&self) -> EngineFuture<'_, Vec<Posted>>;

    /// Answers a request.
    fn answer_request<'a>(&'a self, ticket: &'a str, answered: &'a Answered) -> EngineFuture<'a, ()>;

    /// Returns the answer to a request, and forgets it.
    fn take_reply<'a>(&'a self, ticket: &'a str) -> EngineFuture<'a, Option<Answered>>;

    /// Waits until a request may have been posted.
    fn wait_for_posts(&self) -> EngineFuture<'_, ()>;

    /// Returns the records of several jobs, in their order.
    fn load_records<'a>(&'a self, jobs: &'a [String]) -> EngineFuture<'a, Vec<JobRecord>> {
        Box::pin(async move {
            let mut records = Vec::with_capacity(jobs.len());
            for job in jobs {
                records.push(self.load_record(job).await?);
            }
            Ok(records)
        })
    }

    /// Brings the documents of a run into its folder on this machine.
    fn fetch_documents<'a>(&'a self, _run: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Takes another configuration.
    fn configure(&self, _config: &GitopsConfig) {}

    /// Makes this process one of those that attend to jobs.
    fn join_workers(&self) -> EngineFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Ends that.
    fn leave_workers(&self) -> EngineFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    /// Returns whether this process attends to a job, rather than another worker.
    fn is_responsible(&self, _job: &str) -> bool {
        true
    }

    /// Returns whether a worker on some machine attends to the jobs.
    fn is_served(&self) -> EngineFuture<'_, bool> {
        Box::pin(async { Ok(false) })
    }

    /// Returns whether this engine keeps the credential store of its runs.
    fn keeps_credentials(&self) -> bool {
        false
    }

    /// Begins a log of the credential store, held by this process.
    fn begin_credentials(&self) -> EngineFuture<'_, String> {
        Box::pin(async { Err(no_credentials()) })
    }

    /// Returns all logs of the credential store, oldest first.
    fn list_credentials(&self) -> EngineFuture<'_, Vec<RemoteLog>> {
        Box::pin(async { Err(no_credentials()) })
    }

    /// Holds a log of the credential store, if no living process does.
    fn hold_credentials<'a>(&'a self, _log: &'a str) -> EngineFuture<'a, bool> {
        Box::pin(async { Err(no_credentials()) })
    }

    /// Changes a log of the credential store that this process holds.
    fn write_credentials<'a>(&'a self, _: &'a str, _: &'a str, _: CredentialWrite) -> EngineFuture<'a, ()> {
        Box::pin(async { Err(no_credentials()) })
    }

    /// Holds a log of the credential store no longer.
    fn release_credentials<'a>(&'a self, _log: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async { Err(no_credentials()) })
    }

    /// Waits until another process has changed the records of jobs, and returns their names; none if it may be any.
    fn wait_for_changes(&self) -> EngineFuture<'_, Option<Vec<String>>> {
        Box::pin(std::future::pending())
    }
}

fn no_credentials() -> EngineError {
    EngineError::Store { what: "keep passwords".to_owned(), why: "this store keeps none".to_owned() }
}

/// Opens the store that a configuration names.
///
/// # Errors
/// If it cannot be used.
pub async fn open_engine(config: &GitopsConfig) -> Result<Rc<dyn GitopsEngine>, EngineError> {
    match &config.store {
        StoreConfig::Files => Ok(Rc::new(files::Files::open_folder(&config.state_dir)?.with_watcher())),
        #[cfg(feature = "postgres")]
        StoreConfig::Postgres(database) => {
            let failed = |error: super::config::SecretError| EngineError::Store {
                what: "connect to the database".to_owned(),
                why: error.to_string(),
            };
            let url = database.url.read().map_err(failed)?;
            Ok(postgres::Postgres::open(config, url.expose(), database.lease).await?)
        }
        #[cfg(not(feature = "postgres"))]
        StoreConfig::Postgres(_) => Err(EngineError::Store {
            what: "use PostgreSQL".to_owned(),
            why: "this program was built without the feature `postgres`".to_owned(),
        }),
    }
}

/// Returns the last runs of a job, newest first: one under way, one that waits, and those that have ended.
///
/// # Errors
/// If the store cannot be read.
pub async fn list_runs(engine: &dyn GitopsEngine, job: &str, limit: usize) -> Result<Vec<JobRun>, EngineError> {
    let record = engine.load_record(job).await?;
    let mut ids: Vec<&str> = Vec::new();
    ids.extend(record.active.as_ref().map(|active| active.run.as_str()));
    ids.extend(record.waiting.as_ref().map(|waiting| waiting.run.as_str()));
    ids.extend(record.runs.iter().map(String::as_str));
    let mut runs: Vec<JobRun> = Vec::new();
    for id in ids {
        if runs.len() < limit && !runs.iter().any(|run| run.run == id) {
            runs.extend(engine.load_run(id).await?);
        }
    }
    runs.sort_by_key(|run| std::cmp::Reverse((run.started, run.epoch)));
    Ok(runs)
}
