//! The queue on disk: one folder a destination, one file a message.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::Notify;

/// Messages that wait for one destination; beyond that the oldest are dropped.
const MAX_QUEUED: usize = 500;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueuedMessage {
    /// Id, the same in every attempt, so that a receiver can tell a repeat.
    pub id: String,
    /// When it was queued.
    pub created: Timestamp,
    /// The message.
    pub body: Json,
}

/// Queues for all destinations of one process.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
    queues: RefCell<BTreeMap<String, VecDeque<Entry>>>,
    pub(super) wake: Notify,
}

#[derive(Debug, Clone)]
struct Entry {
    number: u64,
    id: String,
}

impl Outbox {
    /// Opens the queues below a folder, with what an earlier process has left. A message that cannot be read is
    /// dropped: nothing can be sent of it.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open_folder(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut queues = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(destination) = name.to_str().and_then(|name| percent_decode_str(name).decode_utf8().ok()) else {
                continue;
            };
            if entry.file_type()?.is_dir() {
                queues.insert(destination.into_owned(), read_queue(&entry.path())?);
            }
        }
        Ok(Self { folder: folder.to_owned(), queues: RefCell::new(queues), wake: Notify::new() })
    }

    /// Queues a message; it is on disk afterwards. A message whose id waits already is not queued again.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn push_message(&self, destination: &str, id: &str, body: &impl Serialize) -> io::Result<()> {
        let mut queues = self.queues.borrow_mut();
        let queue = queues.entry(destination.to_owned()).or_default();
        if queue.iter().any(|entry| entry.id == id) {
            return Ok(());
        }
        let mut number = queue.back().map_or(1, |last| last.number + 1);
        let body = serde_json::to_value(body).map_err(io::Error::other)?;
        let message = QueuedMessage { id: id.to_owned(), created: Timestamp::now(), body };
        fs::create_dir_all(self.folder_of(destination))?;
        // Another process may have queued something meanwhile.
        while self.path_of(destination, number).exists() {
            number += 1;
        }
        write_json(&self.path_of(destination, number), &message)?;
        queue.push_back(Entry { number, id: id.to_owned() });
        while queue.len() > MAX_QUEUED {
            if let Some(oldest) = queue.pop_front() {
                fs::remove_file(self.path_of(destination, oldest.number))?;
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Takes the right to send what is queued; none while another process has it. It ends with the file.
    pub(super) fn lock_sending(&self) -> Option<File> {
        let file = File::options().create(true).truncate(false).write(true).open(self.folder.join(".lock")).ok()?;
        file.try_lock().ok().map(|()| file)
    }

    /// Returns how many messages wait for all destinations.
    pub fn count_queued(&self) -> usize {
        self.queues.borrow().values().map(VecDeque::len).sum()
    }

    /// Returns the destinations for which messages wait.
    pub(super) fn list_destinations(&self) -> Vec<String> {
        let queues = self.queues.borrow();
        queues.iter().filter(|(_, queue)| !queue.is_empty()).map(|(destination, _)| destination.clone()).collect()
    }

    /// Returns the oldest message for a destination.
    pub(super) fn oldest_message(&self, destination: &str) -> Option<(u64, QueuedMessage)> {
        loop {
            let number = self.queues.borrow().get(destination)?.front()?.number;
            match read_json(&self.path_of(destination, number)) {
                Ok(message) => return Some((number, message)),
                // The file was removed or damaged by another hand.
                Err(_) => self.remove_message(destination, number),
            }
        }
    }

    /// Removes a message. One that stays on disk although it was sent would be sent again, so a failure is tried again
    /// with the next process only.
    pub(super) fn remove_message(&self, destination: &str, number: u64) {
        if let Some(queue) = self.queues.borrow_mut().get_mut(destination) {
            queue.retain(|entry| entry.number != number);
        }
        let _ = fs::remove_file(self.path_of(destination, number));
    }

    fn folder_of(&self, destination: &str) -> PathBuf {
        self.folder.join(utf8_percent_encode(destination, NON_ALPHANUMERIC).to_string())
    }

    fn path_of(&self, destination: &str, number: u64) -> PathBuf {
        self.folder_of(destination).join(format!("{number:012}.json"))
    }
}

fn read_queue(folder: &Path) -> io::Result<VecDeque<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        let message = read_json::<QueuedMessage>(&path).ok();
        match (number, message) {
            (Some(number), Some(message)) => entries.push(Entry { number, id: message.id }),
            _ => drop(fs::remove_file(path)),
        }
    }
    entries.sort_by_key(|entry| entry.number);
    Ok(entries.into())
}

/// Writes a document so that a reader, also after a crash, finds the old one or the new one.
///
/// # Errors
/// If it cannot be written.
pub fn write_json(path: &Path, document: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
    serde_json::to_writer(&mut file, document).map_err(io::Error::from)?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Reads a document.
///
/// # Errors
/// If it is not there, or not what is expected.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<T> {
    serde_json::from_slice(&fs::read(path)?).map_err(io::Error::from)
}
