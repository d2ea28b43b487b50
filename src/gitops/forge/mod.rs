//! Commit statuses, and one comment for each pull request, on the forge of a job.
//!
//! Statuses go out on changes only. Both wait in a queue of their own, so that a forge that is down delays nothing.

mod api;
mod comment;
mod dialect;
mod post;
mod status;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::config::ForgeConfig;
use super::delivery::{Outbox, read_json, write_json};
use super::http::page::run_path;
use super::view::JobRun;

pub use api::ForgeClient;
pub use comment::{MAX_COMMENT, build_comment};
pub use post::{ForgePost, PullRequestComment};
pub use status::{CommitState, CommitStatus};

/// Prefix of the queues of forges.
pub(super) const DESTINATION: &str = "forge:";

/// Statuses that are remembered for each job.
const REMEMBERED: usize = 50;

/// Decides which statuses are posted, and queues them.
pub struct ForgeReporter {
    outbox: Rc<Outbox>,
    folder: PathBuf,
    posted: RefCell<HashMap<String, Posted>>,
}

/// Statuses that were queued last, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Posted {
    statuses: VecDeque<CommitStatus>,
    count: u64,
}

impl ForgeReporter {
    /// Opens the memory of what was posted, below the state folder.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn open_folder(outbox: Rc<Outbox>, folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { outbox, folder: folder.to_owned(), posted: RefCell::default() })
    }

    /// Queues the status of the commit of a run, if it is another than the one before. It may be called at any time and
    /// any number of times.
    ///
    /// # Errors
    /// If the queue cannot be written. The next call tries again.
    pub fn report_run(&self, forge: &ForgeConfig, run: &JobRun, public_url: Option<&str>) -> io::Result<()> {
        if !forge.status {
            return Ok(());
        }
        let url = public_url.map(|url| format!("{url}{}", run_path(&run.run)));
        let Some(status) = CommitStatus::of_run(run, url) else { return Ok(()) };
        self.report_status(&run.job, status)
    }

    /// Queues a status of a commit, if it is another than the one before.
    ///
    /// # Errors
    /// If the queue cannot be written.
    pub fn report_status(&self, job: &str, status: CommitStatus) -> io::Result<()> {
        let mut all = self.posted.borrow_mut();
        let posted = all.entry(job.to_owned()).or_insert_with(|| read_json(&self.memory_path(job)).unwrap_or_default());
        if posted.statuses.iter().find(|other| other.is_about(&status)).is_some_and(|other| other.covers(&status)) {
            return Ok(());
        }
        let mut next = posted.clone();
        next.count += 1;
        next.statuses.retain(|other| !other.is_about(&status));
        next.statuses.push_front(status.clone());
        next.statuses.truncate(REMEMBERED);
        let id = format!("status.{}", next.count);
        self.outbox.push_message(&format!("{DESTINATION}{job}"), &id, &ForgePost::Status(status))?;
        write_json(&self.memory_path(job), &next)?;
        *posted = next;
        Ok(())
    }

    fn memory_path(&self, job: &str) -> PathBuf {
        self.folder.join(format!("{}.json", utf8_percent_encode(job, NON_ALPHANUMERIC)))
    }
}
