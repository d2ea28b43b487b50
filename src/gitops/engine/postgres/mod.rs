//! The engine of several machines: rows in PostgreSQL, and leases with a number that is compared before each write.
//!
//! The loop decides when a job is due; the database only says who may advance it. So there is no queue beside it that
//! could be of another opinion.

mod credentials;
mod lease;
mod link;
mod members;
mod schema;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use super::{Claim, EngineError, EngineFuture, GitopsEngine, Lease, Posted, RunDocument};
use crate::credentials::RemoteLog;
use crate::gitops::config::{GitopsConfig, Placement};
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::engine::CredentialWrite;
use crate::gitops::record::{FORMAT, JobRecord};
use crate::gitops::view::JobRun;
use crate::lease::boot_time;
use lease::Leases;
use link::{Link, Notice, Parameters};
use members::Members;

/// Requests without an answer are forgotten.
const FORGET: &str = "delete from ionplay_gitops.request where posted < clock_timestamp() - interval '1 day'";

/// Changes within this time are read together.
const GATHERING: Duration = Duration::from_millis(50);

/// State in PostgreSQL.
pub struct Postgres {
    link: Link,
    host: String,
    /// Name of this process among those that hold leases: another one with each start.
    worker: String,
    folder: PathBuf,
    leases: Leases,
    members: Members,
    placements: RefCell<HashMap<String, Placement>>,
    posts: Notify,
    changes: Notify,
    changed: RefCell<BTreeSet<String>>,
    has_lost_track: Cell<bool>,
}

/// Name that tells engines of one database apart.
pub struct PostgresSetup<'a> {
    /// URL of the database.
    pub url: &'a str,
    /// Name of this host.
    pub host: &'a str,
    /// State folder of this machine.
    pub folder: &'a Path,
    /// How long a lease lasts.
    pub lease: Duration,
}

impl Postgres {
    /// Connects as the configuration says.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn open(config: &GitopsConfig, url: &str, lease: Duration) -> Result<Rc<Self>, EngineError> {
        let setup = PostgresSetup { url, host: &config.host, folder: &config.state_dir, lease };
        let engine = Self::connect(setup).await?;
        engine.configure(config);
        Ok(engine)
    }

    /// Connects.
    ///
    /// # Errors
    /// If the database cannot be used.
    pub async fn connect(setup: PostgresSetup<'_>) -> Result<Rc<Self>, EngineError> {
        let (link, notices) = Link::open(setup.url, setup.host).await?;
        if !link.has_known_tables().await? {
            let why = "its tables are of another version of this program".to_owned();
            return Err(EngineError::Store { what: "use the database".to_owned(), why });
        }
        let worker = format!("{}/{}", setup.host, uuid::Uuid::new_v4());
        let engine = Rc::new(Self {
            link,
            host: setup.host.to_owned(),
            members: Members::new(worker.clone(), setup.host.to_owned(), setup.lease),
            worker,
            folder: setup.folder.to_path_buf(),
            leases: Leases::new(setup.lease),
            placements: RefCell::default(),
            posts: Notify::new(),
            changes: Notify::new(),
            changed: RefCell::default(),
            has_lost_track: Cell::new(false),
        });
        tokio::task::spawn_local(listen(Rc::downgrade(&engine), notices));
        tokio::task::spawn_local(keep_alive(Rc::downgrade(&engine), setup.lease / 6));
        Ok(engine)
    }

    /// Returns the name of a job's row: a job that runs on every host has one for each.
    fn row_name(&self, job: &str) -> String {
        let every = matches!(self.placements.borrow().get(job), Some(Placement::Every));
        if every { format!("{job}@{}", self.host) } else { job.to_owned() }
    }

    /// Runs a statement that changes something as the holder of a claim; it has to give a row.
    async fn write_claimed(
        &self,
        what: &str,
        claim: &Claim,
        sql: &str,
        parameters: Parameters<'_>,
    ) -> Result<(), EngineError> {
        let rows = self.link.query(what, sql, parameters).await?;
        if rows.is_empty() {
            return Err(EngineError::Fenced { job: claim.job.clone(), epoch: claim.epoch });
        }
        Ok(())
    }

    fn read_record(&self, job: &str, text: Option<&str>, last: Option<u64>) -> JobRecord {
        let why = match (text.map(serde_json::from_str::<JobRecord>), last) {
            (Some(Ok(record)), _) if record.format == FORMAT && record.job == job => return record,
            (Some(Ok(_)), _) => "has another format".to_owned(),
            (Some(Err(error)), _) => format!("cannot be read: {error}"),
            (None, None) => return JobRecord::new(job),
            (None, Some(_)) => "is missing, although the store has runs of it".to_owned(),
        };
        let message = format!(
            "the state of job `{job}` was lost (its row in the database {why}): nothing is applied until you set the \
             applied commit, with `ionplay gitops accept-baseline FILE {job} COMMIT`"
        );
        JobRecord { epoch: last.unwrap_or_default(), ..JobRecord::new_lost(job, &message) }
    }

    /// Returns the highest number of a run of a job that is kept.
    async fn last_epoch(&self, name: &str) -> Result<Option<u64>, EngineError> {
        let sql = "select max(substring(run from '[0-9]+$')::bigint) from ionplay_gitops.run where job = $1";
        let rows = self.link.query("read runs", sql, &[&name]).await?;
        let last: Option<i64> = rows.first().and_then(|row| row.get(0));
        Ok(last.and_then(|last| u64::try_from(last).ok()))
    }

    fn row_of_run(&self, run: &str) -> Option<String> {
        JobRecord::job_of_run(run).map(|job| self.row_name(job))
    }
}

fn encode<T: Serialize>(value: &T) -> String {
    // Plain data with text keys: there is nothing that could fail.
    serde_json::to_string(value).unwrap_or_default()
}

fn fence_of(claim: &Claim) -> (String, i64) {
    let lease = claim.lease.as_ref();
    let name = lease.map_or_else(|| claim.job.clone(), |lease| lease.name.clone());
    (name, lease.map_or(-1, |lease| i64::try_from(lease.fence).unwrap_or(i64::MAX)))
}

/// Hands notices on to those who wait for them.
async fn listen(engine: Weak<Postgres>, mut notices: mpsc::UnboundedReceiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        let Some(engine) = engine.upgrade() else { return };
        match notice {
            Notice::Posted => engine.posts.notify_one(),
            Notice::Changed(name) => {
                let (job, host) = name.split_once('@').unwrap_or((&name, &engine.host));
                if host == engine.host {
                    engine.changed.borrow_mut().insert(job.to_owned());
                    engine.changes.notify_one();
                }
            }
            Notice::Reconnected => {
                engine.has_lost_track.set(true);
                engine.changes.notify_one();
                engine.posts.notify_one();
            }
        }
    }
}

/// Renews leases and the membership until the engine is gone.
async fn keep_alive(engine: Weak<Postgres>, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        let Some(engine) = engine.upgrade() else { return };
        // Entries first: a host that takes the job over must find those of its run free.
        let _ = engine.renew_held_credentials().await;
        // What fails is tried again with the next round; leases that end meanwhile end for their runs, too.
        let _ = engine.leases.renew(&engine.link, &engine.worker).await;
        if let Ok(true) = engine.members.refresh(&engine.link).await {
            // Other jobs are this host's from now on.
            engine.has_lost_track.set(true);
            engine.changes.notify_one();
            engine.posts.notify_one();
            let _ = engine.link.query("forget old requests", FORGET, &[]).await;
        }
    }
}

impl GitopsEngine for Postgres {
    fn load_record<'a>(&'a self, job: &'a str) -> EngineFuture<'a, JobRecord> {
        Box::pin(async move {
            let name = self.row_name(job);
            let sql = "select record from ionplay_gitops.job where name = $1";
            let rows = self.link.query("read the state of a job", sql, &[&name]).await?;
            let text: Option<&str> = rows.first().and_then(|row| row.get(0));
            let last = if text.is_none() { self.last_epoch(&name).await? } else { None };
            Ok(self.read_record(job, text, last))
        })
    }

    fn load_records<'a>(&'a self, jobs: &'a [String]) -> EngineFuture<'a, Vec<JobRecord>> {
        Box::pin(async move {
            let names: Vec<String> = jobs.iter().map(|job| self.row_name(job)).collect();
            let sql = "select name, record from ionplay_gitops.job where name = any($1) and record is not null";
            let rows = self.link.query("read the state of all jobs", sql, &[&names]).await?;
            let known: HashMap<&str, &str> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            // Only a job without a record can have lost it. This is asked at each change of a job: it must not read all runs.
            let missing: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| !known.contains_key(name)).collect();
            let sql = "select job, max(substring(run from '[0-9]+$')::bigint) from ionplay_gitops.run
                where job = any($1) group by job";
            let rows = match missing[..] {
                [] => Vec::new(),
                _ => self.link.query("read runs", sql, &[&missing]).await?,
            };
            let runs: HashMap<&str, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let mut records = Vec::with_capacity(jobs.len());
            for (job, name) in jobs.iter().zip(&names) {
                let last = runs.get(name.as_str()).and_then(|last| u64::try_from(*last).ok());
                records.push(self.read_record(job, known.get(name.as_str()).copied(), last));
            }
            Ok(records)
        })
    }

    fn claim_job<'a>(&'a self, job: &'a str) -> EngineFuture<'a, Option<Claim>> {
        Box::pin(async move {
            let name = self.row_name(job);
            if self.leases.has(&name) {
                return Ok(None);
            }
            let asked = boot_time();
            let insert = "insert into ionplay_gitops.job (name) values ($1) on conflict do nothing";
            // This process may have claimed it before its connection broke, and not have heard of it.
            let update = "update ionplay_gitops.job set fence = fence + 1, owner = $2,
                lease_until = clock_timestamp() + make_interval(secs => $3)
                where name = $1 and (owner is null or owner = $2 or lease_until < clock_timestamp())
                returning fence, record";
            let seconds = self.leases.period.as_secs_f64();
            let what = "claim a job";
            let mut rows = self.link.query(what, update, &[&name, &self.worker, &seconds]).await?;
            if rows.is_empty() {
                let sql = "select 1 from ionplay_gitops.job where name = $1";
                if !self.link.query(what, sql, &[&name]).await?.is_empty() {
                    return Ok(None);
                }
                self.link.query(what, insert, &[&name]).await?;
                rows = self.link.query(what, update, &[&name, &self.worker, &seconds]).await?;
            }
            let Some(row) = rows.first() else { return Ok(None) };
            let (fence, text): (i64, Option<&str>) = (row.get(0), row.get(1));
            let last = if text.is_none() { self.last_epoch(&name).await? } else { None };
            let record = self.read_record(job, text, last);
            let fence = u64::try_from(fence).unwrap_or_default();
            let file = self.folder.join("leases").join(format!("{}-{name}", self.worker.replace('/', "-")));
            let lease = self.leases.add(Lease { name, fence, file }, asked)?;
            let epoch = record.epoch + 1;
            Ok(Some(Claim { job: job.to_owned(), epoch, record, lock: None, lease: Some(lease) }))
        })
    }

    fn renew_claim<'a>(&'a self, claim: &'a Claim) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            self.leases.renew(&self.link, &self.worker).await?;
            let (name, fence) = fence_of(claim);
            let sql = "select 1 from ionplay_gitops.job where name = $1 and fence = $2";
            self.write_claimed("renew a lease", claim, sql, &[&name, &fence]).await
        })
    }

    fn save_record<'a>(&'a self, claim: &'a Claim, record: &'a JobRecord) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let (name, fence) = fence_of(claim);
            let sql = "update ionplay_gitops.job set record = $3 where name = $1 and fence = $2
                returning pg_notify('ionplay_gitops', 'job:' || name)::text";
            self.write_claimed("save the state of a job", claim, sql, &[&name, &fence, &encode(record)]).await
        })
    }

    fn release_claim<'a>(&'a self, claim: Claim) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let (name, fence) = fence_of(&claim);
            self.leases.forget(&name);
            drop(claim);
            let sql = lease::RELEASE;
            self.link.query("release a job", sql, &[&vec![name], &vec![fence]]).await.map(drop)
        })
    }

    fn save_run<'a>(&'a self, claim: &'a Claim, run: &'a JobRun) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let folder = self.run_folder(&run.run);
            std::fs::create_dir_all(&folder).map_err(|error| EngineError::Store {
                what: format!("make the folder `{}`", folder.display()),
                why: crate::playbook::loader::plain_error(&error),
            })?;
            let (name, fence) = fence_of(claim);
            let sql = "with mine as (select name from ionplay_gitops.job where name = $1 and fence = $2 for share)
                insert into ionplay_gitops.run (job, run, content) select name, $3, $4 from mine
                on conflict (job, run) do update set content = excluded.content returning 1";
            self.write_claimed("save a run", claim, sql, &[&name, &fence, &run.run, &encode(run)]).await
        })
    }

    fn load_run<'a>(&'a self, run: &'a str) -> EngineFuture<'a, Option<JobRun>> {
        Box::pin(async move {
            let Some(name) = self.row_of_run(run) else { return Ok(None) };
            let sql = "select content from ionplay_gitops.run where job = $1 and run = $2";
            let rows = self.link.query("read a run", sql, &[&name, &run]).await?;
            Ok(rows.first().and_then(|row| serde_json::from_str(row.get(0)).ok()))
        })
    }

    fn remove_run<'a>(&'a self, claim: &'a Claim, run: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let (name, fence) = fence_of(claim);
            let sql = "with mine as (select name from ionplay_gitops.job where name = $1 and fence = $2 for share),
                documents as (delete from ionplay_gitops.document d using mine where d.job = mine.name and d.run = $3),
                runs as (delete from ionplay_gitops.run r using mine where r.job = mine.name and r.run = $3)
                select name from mine";
            self.write_claimed("remove a run", claim, sql, &[&name, &fence, &run]).await?;
            let _ = std::fs::remove_dir_all(self.run_folder(run));
            Ok(())
        })
    }

    fn run_folder(&self, run: &str) -> PathBuf {
        self.folder.join("runs").join(run)
    }

    fn publish_documents<'a>(&'a self, claim: &'a Claim, run: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let (job, fence) = fence_of(claim);
            let sql = "with mine as (select name from ionplay_gitops.job where name = $1 and fence = $2 for share)
                insert into ionplay_gitops.document (job, run, name, content) select name, $3, $4, $5 from mine
                on conflict (job, run, name) do update set content = excluded.content returning 1";
            for document in RunDocument::ALL {
                let name = document.file_name();
                let Ok(content) = std::fs::read(self.run_folder(run).join(name)) else { continue };
                self.write_claimed("save a document", claim, sql, &[&job, &fence, &run, &name, &content]).await?;
            }
            Ok(())
        })
    }

    fn fetch_documents<'a>(&'a self, run: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let folder = self.run_folder(run);
            for document in RunDocument::ALL {
                let path = folder.join(document.file_name());
                if path.exists() {
                    continue;
                }
                if let Some(content) = self.read_document(run, *document, 0).await? {
                    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, content));
                    written.map_err(|error| EngineError::Store {
                        what: format!("write `{}`", path.display()),
                        why: crate::playbook::loader::plain_error(&error),
                    })?;
                }
            }
            Ok(())
        })
    }

    fn read_document<'a>(
        &'a self,
        run: &'a str,
        document: RunDocument,
        from: u64,
    ) -> EngineFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let Some(job) = self.row_of_run(run).filter(|_| !run.contains('/') && !run.starts_with('.')) else {
                return Ok(None);
            };
            let name = document.file_name();
            let cut =
                |bytes: Vec<u8>| bytes.get(usize::try_from(from).unwrap_or(usize::MAX)..).unwrap_or_default().to_vec();
            // A run of this machine that is under way has written more than was published.
            if self.leases.has(&job)
                && let Ok(bytes) = std::fs::read(self.run_folder(run).join(name))
            {
                return Ok(Some(cut(bytes)));
            }
            let sql = "select content from ionplay_gitops.document where job = $1 and run = $2 and name = $3";
            let rows = self.link.query("read a document", sql, &[&job, &run, &name]).await?;
            Ok(rows.first().map(|row| cut(row.get(0))))
        })
    }

    fn post_request<'a>(&'a self, job: &'a str, request: &'a JobRequest) -> EngineFuture<'a, String> {
        Box::pin(async move {
            let ticket = uuid::Uuid::new_v4().to_string();
            let sql = "with posted as (insert into ionplay_gitops.request (ticket, job, request) values ($1, $2, $3)
                on conflict do nothing) select pg_notify('ionplay_gitops', 'request')::text";
            let name = self.row_name(job);
            self.link.query("post a request", sql, &[&ticket, &name, &encode(request)]).await?;
            Ok(ticket)
        })
    }

    fn list_posted(&self) -> EngineFuture<'_, Vec<Posted>> {
        Box::pin(async move {
            let sql = "select ticket, job, request from ionplay_gitops.request where answer is null order by number";
            let rows = self.link.query("read requests", sql, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                let (ticket, name, request): (String, &str, &str) = (row.get(0), row.get(1), row.get(2));
                let (job, host) = name.split_once('@').unwrap_or((name, &self.host));
                let request = serde_json::from_str(request).ok().filter(|_| host == self.host)?;
                Some(Posted { ticket, job: job.to_owned(), request })
            };
            Ok(rows.iter().filter_map(read).collect())
        })
    }

    fn answer_request<'a>(&'a self, ticket: &'a str, answered: &'a Answered) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let sql = "update ionplay_gitops.request set answer = $2 where ticket = $1";
            self.link.query("answer a request", sql, &[&ticket, &encode(answered)]).await.map(drop)
        })
    }

    fn take_reply<'a>(&'a self, ticket: &'a str) -> EngineFuture<'a, Option<Answered>> {
        Box::pin(async move {
            let sql = "delete from ionplay_gitops.request where ticket = $1 and answer is not null returning answer";
            let rows = self.link.query("read an answer", sql, &[&ticket]).await?;
            Ok(rows.first().and_then(|row| serde_json::from_str(row.get(0)).ok()))
        })
    }

    fn wait_for_posts(&self) -> EngineFuture<'_, ()> {
        Box::pin(async move {
            // A notice may get lost with its connection.
            let _ = tokio::time::timeout(Duration::from_secs(5), self.posts.notified()).await;
            Ok(())
        })
    }

    fn configure(&self, config: &GitopsConfig) {
        let placements = config.jobs.iter().map(|(name, job)| (name.clone(), job.runs_on.clone()));
        self.placements.replace(placements.collect());
    }

    fn join_workers(&self) -> EngineFuture<'_, ()> {
        Box::pin(async move { self.members.join(&self.link).await })
    }

    fn leave_workers(&self) -> EngineFuture<'_, ()> {
        Box::pin(async move { self.members.leave(&self.link).await })
    }

    fn is_responsible(&self, job: &str) -> bool {
        let placements = self.placements.borrow();
        match placements.get(job) {
            Some(Placement::Every) => true,
            Some(Placement::Hosts(hosts)) => self.members.is_chosen(job, |host| hosts.iter().any(|name| name == host)),
            _ => self.members.is_chosen(job, |_| true),
        }
    }

    fn keeps_credentials(&self) -> bool {
        true
    }

    fn begin_credentials(&self) -> EngineFuture<'_, String> {
        Box::pin(self.begin_log())
    }

    fn list_credentials(&self) -> EngineFuture<'_, Vec<RemoteLog>> {
        Box::pin(self.list_logs())
    }

    fn hold_credentials<'a>(&'a self, log: &'a str) -> EngineFuture<'a, bool> {
        Box::pin(self.hold_log(log))
    }

    fn write_credentials<'a>(&'a self, log: &'a str, text: &'a str, write: CredentialWrite) -> EngineFuture<'a, ()> {
        Box::pin(self.write_log(log, text, write))
    }

    fn release_credentials<'a>(&'a self, log: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(self.release_log(log))
    }

    fn is_served(&self) -> EngineFuture<'_, bool> {
        Box::pin(async move { self.members.is_any_alive(&self.link).await })
    }

    fn wait_for_changes(&self) -> EngineFuture<'_, Option<Vec<String>>> {
        Box::pin(async move {
            self.changes.notified().await;
            // A run changes its job several times in a row: all workers would read each of these changes.
            tokio::time::sleep(GATHERING).await;
            let changed = std::mem::take(&mut *self.changed.borrow_mut());
            Ok((!self.has_lost_track.take()).then(|| changed.into_iter().collect()))
        })
    }
}
