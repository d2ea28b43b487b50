//! Everything in the store, for commands: list, show, forget, deliver.

use serde_json::Value as Json;

use super::backend::Backend;
use super::entry::{self, CredentialEntry};
use super::error::StoreError;
use super::line::LogLine;
use super::run_log;

/// An entry, and the log it is in.
#[derive(Clone)]
pub struct Listed {
    /// The entry.
    pub entry: CredentialEntry,
    /// The name of its log.
    pub log: String,
    /// Whether the run of the entry is under way.
    pub is_held: bool,
}

/// The entries of all runs.
#[derive(Default)]
pub struct Catalog {
    /// The entries, oldest first.
    pub entries: Vec<Listed>,
    /// Logs that cannot be read.
    pub problems: Vec<String>,
}

impl Catalog {
    /// Reads all logs. Logs of runs that have ended and left nothing are removed.
    ///
    /// # Errors
    /// If the logs cannot be listed, or the place is not safe.
    pub fn read(backend: &dyn Backend) -> Result<Self, StoreError> {
        let mut catalog = Self::default();
        for stored in backend.read_all()? {
            let text = match stored.text {
                Ok(text) => text,
                Err(error) => {
                    catalog.problems.push(error.to_string());
                    continue;
                }
            };
            let parsed = entry::parse_log(&text);
            if !parsed.unreadable.is_empty() {
                catalog.problems.push(format!(
                    "{} lines of `{}` in {} cannot be read: they are damaged, or written by a newer version",
                    parsed.unreadable.len(),
                    stored.name,
                    backend.describe_place()
                ));
            }
            if parsed.entries.is_empty() && parsed.unreadable.is_empty() && !stored.is_held {
                clear_log(backend, &stored.name);
            }
            let listed = |entry| Listed { entry, log: stored.name.clone(), is_held: stored.is_held };
            catalog.entries.extend(parsed.entries.into_values().map(listed));
        }
        catalog.drop_copies(backend);
        Ok(catalog)
    }

    /// A run that took an entry over may have been killed before it removed the old one: one entry of a token is enough.
    fn drop_copies(&mut self, backend: &dyn Backend) {
        let mut seen = std::collections::HashSet::new();
        let with_id: Vec<CredentialEntry> =
            self.entries.iter().map(|listed| &listed.entry).filter(|entry| !entry.is_unclear()).cloned().collect();
        let is_known =
            |entry: &CredentialEntry| entry.is_unclear() && with_id.iter().any(|other| other.is_same_request(entry));
        let mut copies = Vec::new();
        let mut index = self.entries.len();
        while index > 0 {
            index -= 1;
            let entry = &self.entries[index].entry;
            let is_copy = entry.id().map_or_else(|| is_known(entry), |id| !seen.insert(id.to_owned()));
            if is_copy {
                copies.push(self.entries.remove(index));
            }
        }
        for copy in copies {
            // A copy that cannot be removed now is removed the next time.
            let _ = forget_entry(backend, &copy);
        }
    }

    /// Returns the entries of a token, by its name or its id.
    pub fn find_token(&self, token: &str) -> Vec<&Listed> {
        let meant = |listed: &&Listed| listed.entry.subject.name == token || listed.entry.id() == Some(token);
        self.entries.iter().filter(meant).collect()
    }
}

/// Removes a log in which nothing is left.
fn clear_log(backend: &dyn Backend, name: &str) {
    // Another process may be about to do the same; what stays is looked at again the next time.
    if let Ok(Some(log)) = backend.hold_log(name) {
        let _ = run_log::edit_log(log, |_| {});
    }
}

/// Removes an entry from the store; the token stays as it is.
///
/// # Errors
/// If its run is under way, or the log cannot be written.
pub fn forget_entry(backend: &dyn Backend, listed: &Listed) -> Result<(), StoreError> {
    change_entries(backend, listed, |entries, number| entries.retain(|entry| entry.number != number))
}

/// Marks the password of an entry delivered: it is removed from the store. Facts about the token stay.
///
/// # Errors
/// If its run is under way, or the log cannot be written.
pub fn mark_delivered(backend: &dyn Backend, listed: &Listed, to: &str) -> Result<(), StoreError> {
    advance_entry(backend, listed, |number| LogLine::Delivered { number, to: to.to_owned() })
}

/// Remembers a fact about the token of an entry; null forgets it.
///
/// # Errors
/// If its run is under way, or the log cannot be written.
pub fn record_fact(backend: &dyn Backend, listed: &Listed, key: &str, value: Json) -> Result<(), StoreError> {
    advance_entry(backend, listed, |number| LogLine::Fact { number, key: key.to_owned(), value })
}

fn advance_entry(backend: &dyn Backend, listed: &Listed, step: impl FnOnce(u64) -> LogLine) -> Result<(), StoreError> {
    change_entries(backend, listed, |entries, number| {
        if let Some(entry) = entries.iter_mut().find(|entry| entry.number == number) {
            entry.apply_line(step(number));
        }
    })
}

fn change_entries(
    backend: &dyn Backend,
    listed: &Listed,
    change: impl FnOnce(&mut Vec<CredentialEntry>, u64),
) -> Result<(), StoreError> {
    let name = || listed.entry.subject.name.clone();
    if listed.is_held {
        return Err(StoreError::Held(name()));
    }
    let Some(log) = backend.hold_log(&listed.log)? else { return Err(StoreError::Held(name())) };
    run_log::edit_log(log, |entries| {
        // The log may have been rewritten since: the token counts, not its number.
        let same = |entry: &&CredentialEntry| entry.is_same_request(&listed.entry);
        if let Some(number) = entries.iter().find(same).map(|entry| entry.number) {
            change(entries, number);
        }
    })
}
