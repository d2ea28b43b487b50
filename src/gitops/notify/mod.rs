//! Notifications: transitions of jobs, in the form that each receiver reads, through a queue of their own.

mod chat;
mod memory;
mod message;
mod push;
#[cfg(test)]
mod tests;
mod transition;

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;

use super::config::{NotifierConfig, SecretSource};
use super::delivery::{Outbox, OutgoingRequest, RequestError};
use super::view::{JobRun, JobStatus};
use memory::JobMemory;

pub use message::{Notification, describe_counts};

pub use transition::ExpiringToken;

/// Prefix of the queues of sinks.
pub(super) const DESTINATION: &str = "notify:";

/// Decides which transitions are sent, and queues them.
pub struct NotificationCenter {
    outbox: Rc<Outbox>,
    folder: PathBuf,
    host: String,
    memories: RefCell<HashMap<String, JobMemory>>,
}

/// A look at a job after something may have changed.
pub struct JobObservation<'a> {
    /// State of the job.
    pub status: &'a JobStatus,
    /// Last run, for details.
    pub run: Option<&'a JobRun>,
    /// Tokens that expire soon.
    pub expiring: &'a [ExpiringToken],
    /// URL of the page, for links.
    pub public_url: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

impl NotificationCenter {
    /// Opens the memory of what was sent, below the state folder.
    ///
    /// # Errors
    /// If its folder cannot be made.
    pub fn open_folder(outbox: Rc<Outbox>, folder: &Path, host: &str) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { outbox, folder: folder.to_owned(), host: host.to_owned(), memories: RefCell::default() })
    }

    /// Queues what each of a job's receivers has to hear of it now: transitions, once, and reminders. It may be called at
    /// any time and any number of times; nothing is sent again.
    ///
    /// # Errors
    /// If the queue cannot be written. The next call tries again.
    pub fn queue_notifications<'a>(
        &self,
        sinks: impl IntoIterator<Item = &'a NotifierConfig>,
        observation: &JobObservation<'_>,
    ) -> io::Result<()> {
        let job = &observation.status.job;
        let mut memories = self.memories.borrow_mut();
        let memory = memories.entry(job.clone()).or_insert_with(|| JobMemory::read(&self.folder, job));
        let mut next = memory.clone();
        let occurrences = transition::find_occurrences(&mut next, observation);
        for sink in sinks {
            for occurrence in transition::choose_notifications(&mut next, sink, &occurrences, observation.now) {
                let notification = Notification::new(&occurrence, observation, &self.host);
                self.outbox.push_message(&format!("{DESTINATION}{}", sink.name), &notification.id, &notification)?;
            }
        }
        if next != *memory {
            next.write(&self.folder, job)?;
            *memory = next;
        }
        Ok(())
    }
}

/// Returns the request that brings a notification to a receiver.
///
/// # Errors
/// If the address or the token of the receiver cannot be read.
pub fn build_request(sink: &NotifierConfig, notification: &Notification) -> Result<OutgoingRequest, RequestError> {
    let read = |source: &SecretSource| {
        source
            .read()
            .map(|text| text.expose().trim().to_owned())
            .map_err(|error| RequestError::Address(error.to_string()))
    };
    let url = read(&sink.url)?;
    let token = sink.token.as_ref().map(read).transpose()?;
    push::build_request(sink.kind, &url, token.as_deref(), notification)
}
