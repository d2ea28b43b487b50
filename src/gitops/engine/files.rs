//! The engine of one machine: files and locks in the state folder.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::fs::inotify;
use serde::{Deserialize, Serialize};
use tokio::io::unix::AsyncFd;

use super::{Claim, EngineError, EngineFuture, GitopsEngine, Posted, RunDocument};
use crate::gitops::decide::{Answered, JobRequest};
use crate::gitops::record::{FORMAT, JobRecord};
use crate::gitops::view::JobRun;

/// Where no notification of the file system comes, new requests are found within this time.
const POLL: Duration = Duration::from_millis(500);

/// State in files.
pub struct Files {
    folder: PathBuf,
    watch: Option<AsyncFd<std::os::fd::OwnedFd>>,
    tickets: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct RequestFile {
    job: String,
    request: JobRequest,
}

fn store_error(what: &str, path: &Path, error: &std::io::Error) -> EngineError {
    let what = format!("{what} `{}`", path.display());
    EngineError::Store { what, why: crate::playbook::loader::plain_error(error) }
}

impl Files {
    /// Opens a state folder, and makes it if it is not there.
    ///
    /// # Errors
    /// If it cannot be used.
    pub fn open_folder(folder: &Path) -> Result<Self, EngineError> {
        for part in ["jobs", "runs", "requests"] {
            let path = folder.join(part);
            DirBuilder::new()
                .recursive(true)
                .mode(0o750)
                .create(&path)
                .map_err(|error| store_error("make the folder", &path, &error))?;
        }
        // Others may list nothing below it: there are passwords in it.
        Ok(Self { folder: folder.to_path_buf(), watch: None, tickets: AtomicU64::new(0) })
    }

    /// Watches for requests. Needs a runtime.
    #[must_use]
    pub fn with_watcher(mut self) -> Self {
        self.watch = watch_folder(&self.folder.join("requests"));
        self
    }

    fn job_file(&self, job: &str) -> PathBuf {
        self.folder.join("jobs").join(format!("{job}.json"))
    }

    fn request_file(&self, ticket: &str, kind: &str) -> PathBuf {
        self.folder.join("requests").join(format!("{ticket}.{kind}"))
    }

    fn read_record(&self, job: &str) -> JobRecord {
        let path = self.job_file(job);
        let last = self.last_epoch(job);
        let why = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<JobRecord>(&bytes) {
                Ok(record) if record.format == FORMAT && record.job == job => return record,
                Ok(_) => "has another format".to_owned(),
                Err(error) => format!("cannot be read: {error}"),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match last {
                None => return JobRecord::new(job),
                Some(_) => "is missing, although the store has runs of it".to_owned(),
            },
            Err(error) => format!("cannot be read: {}", crate::playbook::loader::plain_error(&error)),
        };
        let message = format!(
            "the state of job `{job}` was lost (`{}` {why}): nothing is applied until you set the applied commit, \
             with `ionplay gitops accept-baseline FILE {job} COMMIT`",
            path.display()
        );
        JobRecord { epoch: last.unwrap_or_default(), ..JobRecord::new_lost(job, &message) }
    }

    /// The highest number of a run of the job that is kept.
    fn last_epoch(&self, job: &str) -> Option<u64> {
        let folder = fs::read_dir(self.folder.join("runs")).ok()?;
        let names = folder.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let epochs = names.filter_map(|name| {
            let (of, epoch) = name.rsplit_once('-')?;
            (of == job).then(|| epoch.parse().ok())?
        });
        epochs.max()
    }
}

/// Writes a file so that after any crash it is the old or the new one.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let write = || -> std::io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| store_error("write", path, &error))
}

fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    // Plain data with text keys: there is nothing that could fail.
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

impl GitopsEngine for Files {
    fn load_record<'a>(&'a self, job: &'a str) -> EngineFuture<'a, JobRecord> {
        Box::pin(async move { Ok(self.read_record(job)) })
    }

    fn claim_job<'a>(&'a self, job: &'a str) -> EngineFuture<'a, Option<Claim>> {
        Box::pin(async move {
            let path = self.folder.join("jobs").join(format!("{job}.lock"));
            let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o640).open(&path);
            let lock = opened.map_err(|error| store_error("open", &path, &error))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(store_error("lock", &path, &error)),
            }
            let record = self.read_record(job);
            Ok(Some(Claim { job: job.to_owned(), epoch: record.epoch + 1, record, lock: Some(lock), lease: None }))
        })
    }

    fn renew_claim<'a>(&'a self, _: &'a Claim) -> EngineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn save_record<'a>(&'a self, claim: &'a Claim, record: &'a JobRecord) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let path = self.job_file(&claim.job);
            if let Ok(bytes) = fs::read(&path) {
                match serde_json::from_slice::<JobRecord>(&bytes) {
                    Ok(there) if there.epoch > claim.epoch => {
                        return Err(EngineError::Fenced { job: claim.job.clone(), epoch: claim.epoch });
                    }
                    Ok(_) => {}
                    // Keep an unreadable record; a person may be able to use it.
                    Err(_) => _ = fs::rename(&path, path.with_extension("json.lost")),
                }
            }
            write_durably(&path, &to_json(record))
        })
    }

    fn release_claim<'a>(&'a self, claim: Claim) -> EngineFuture<'a, ()> {
        drop(claim);
        Box::pin(async { Ok(()) })
    }

    fn save_run<'a>(&'a self, _: &'a Claim, run: &'a JobRun) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let folder = self.run_folder(&run.run);
            let made = DirBuilder::new().recursive(true).mode(0o750).create(&folder);
            made.map_err(|error| store_error("make the folder", &folder, &error))?;
            write_durably(&folder.join("run.json"), &to_json(run))
        })
    }

    fn load_run<'a>(&'a self, run: &'a str) -> EngineFuture<'a, Option<JobRun>> {
        Box::pin(async move {
            // Names come from users: nothing outside of the folder is read.
            if run.contains('/') || run.starts_with('.') {
                return Ok(None);
            }
            let bytes = fs::read(self.run_folder(run).join("run.json"));
            Ok(bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()))
        })
    }

    fn remove_run<'a>(&'a self, _: &'a Claim, run: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            let folder = self.run_folder(run);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(store_error("remove", &folder, &error))
                }
                _ => Ok(()),
            }
        })
    }

    fn run_folder(&self, run: &str) -> PathBuf {
        self.folder.join("runs").join(run)
    }

    fn publish_documents<'a>(&'a self, _: &'a Claim, _: &'a str) -> EngineFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn read_document<'a>(
        &'a self,
        run: &'a str,
        document: RunDocument,
        from: u64,
    ) -> EngineFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            if run.contains('/') || run.starts_with('.') {
                return Ok(None);
            }
            let read = || -> std::io::Result<Vec<u8>> {
                let mut file = File::open(self.run_folder(run).join(document.file_name()))?;
                file.seek(std::io::SeekFrom::Start(from))?;
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(bytes)
            };
            Ok(read().ok())
        })
    }

    fn post_request<'a>(&'a self, job: &'a str, request: &'a JobRequest) -> EngineFuture<'a, String> {
        Box::pin(async move {
            let number = self.tickets.fetch_add(1, Ordering::Relaxed);
            let now = jiff::Timestamp::now().as_nanosecond();
            let ticket = format!("{now:020}-{}-{number}", std::process::id());
            let file = RequestFile { job: job.to_owned(), request: request.clone() };
            write_durably(&self.request_file(&ticket, "json"), &to_json(&file))?;
            Ok(ticket)
        })
    }

    fn list_posted(&self) -> EngineFuture<'_, Vec<Posted>> {
        Box::pin(async move {
            let folder = self.folder.join("requests");
            let entries = fs::read_dir(&folder).map_err(|error| store_error("read the folder", &folder, &error))?;
            let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            names.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
            names.sort();
            let read = |path: &PathBuf| {
                let file: RequestFile = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
                let ticket = path.file_stem()?.to_string_lossy().into_owned();
                Some(Posted { ticket, job: file.job, request: file.request })
            };
            Ok(names.iter().filter_map(read).collect())
        })
    }

    fn answer_request<'a>(&'a self, ticket: &'a str, answered: &'a Answered) -> EngineFuture<'a, ()> {
        Box::pin(async move {
            write_durably(&self.request_file(ticket, "answer"), &to_json(answered))?;
            let path = self.request_file(ticket, "json");
            fs::remove_file(&path).map_err(|error| store_error("remove", &path, &error))
        })
    }

    fn take_reply<'a>(&'a self, ticket: &'a str) -> EngineFuture<'a, Option<Answered>> {
        Box::pin(async move {
            let path = self.request_file(ticket, "answer");
            let Ok(bytes) = fs::read(&path) else { return Ok(None) };
            let _ = fs::remove_file(&path);
            Ok(serde_json::from_slice(&bytes).ok())
        })
    }

    fn wait_for_posts(&self) -> EngineFuture<'_, ()> {
        Box::pin(async move {
            let Some(watch) = &self.watch else {
                tokio::time::sleep(POLL).await;
                return Ok(());
            };
            if let Ok(Ok(mut ready)) = tokio::time::timeout(10 * POLL, watch.readable()).await {
                let mut buffer = [0; 4096];
                while rustix::io::read(watch.get_ref(), &mut buffer).is_ok_and(|count| count > 0) {}
                ready.clear_ready();
            }
            Ok(())
        })
    }
}

/// Watches a folder for files that are moved into it; `None` where the system cannot.
// The warning is about descriptors that close early; an owned one does not.
#[allow(deprecated, reason = "the alternative needs unsafe code")]
fn watch_folder(folder: &Path) -> Option<AsyncFd<std::os::fd::OwnedFd>> {
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC).ok()?;
    inotify::add_watch(&watch, folder, inotify::WatchFlags::MOVED_TO).ok()?;
    AsyncFd::new(watch).ok()
}
