//! The log of this run: its entries, and the lines that tell them.

use std::collections::BTreeMap;

use super::backend::{Backend, Durability, Log};
use super::entry::{self, Entry};
use super::error::StoreError;
use super::line::Line;

/// The log of this run.
pub(super) struct RunLog {
    log: Box<dyn Log>,
    entries: BTreeMap<u64, Entry>,
    next: u64,
    /// The log has lines that say nothing any more.
    is_stale: bool,
}

impl RunLog {
    /// Begins it.
    pub(super) fn begin(backend: &dyn Backend) -> Result<Self, StoreError> {
        Ok(Self { log: backend.begin()?, entries: BTreeMap::new(), next: 1, is_stale: false })
    }

    /// Adds an entry and gives its number. There is room for the answer then.
    pub(super) fn add(&mut self, mut entry: Entry, durability: Durability) -> Result<u64, StoreError> {
        let number = self.next;
        self.next += 1;
        self.log.reserve()?;
        entry.number = number;
        // All lines at once: half of an entry that is taken over would be an entry of its own.
        let mut text = text_of_entry(&entry)?;
        text.pop();
        self.log.append(&text, durability)?;
        self.entries.insert(number, entry);
        Ok(number)
    }

    /// Takes a step with the entry of its number. The step counts in this process even if it cannot be written.
    pub(super) fn advance(&mut self, number: u64, line: Line, durability: Durability) -> Result<(), StoreError> {
        let written = self.write(&line, durability);
        if let Some(entry) = self.entries.get_mut(&number) {
            self.is_stale |= matches!(line, Line::Delivered { .. });
            entry.advance(line);
        }
        written
    }

    /// Closes an entry: there is nothing to keep.
    pub(super) fn close(&mut self, number: u64) -> Result<(), StoreError> {
        self.is_stale = true;
        self.entries.remove(&number);
        self.write(&Line::Closed { number }, Durability::Process)
    }

    /// Returns the entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Returns the entry with the password of a token.
    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.values().find(|entry| entry.id() == Some(id))
    }

    /// Ends the log: removes it if there is nothing to keep, and else leaves the entries that there are, without
    /// passwords that have been delivered.
    pub(super) fn end(self) -> Result<(), StoreError> {
        let Self { mut log, entries, is_stale, .. } = self;
        let open: Vec<&Entry> = entries.values().filter(|entry| entry.is_open()).collect();
        if open.is_empty() {
            return log.remove();
        }
        if is_stale { log.replace(&text_of(&open, &[])?) } else { Ok(()) }
    }

    fn write(&mut self, line: &Line, durability: Durability) -> Result<(), StoreError> {
        let text = zeroize::Zeroizing::new(serde_json::to_string(line)?);
        self.log.append(&text, durability)
    }
}

/// Returns the lines of an entry under its own number.
fn text_of_entry(entry: &Entry) -> Result<zeroize::Zeroizing<String>, StoreError> {
    let mut text = zeroize::Zeroizing::new(String::new());
    for line in entry.to_lines(entry.number) {
        text.push_str(&zeroize::Zeroizing::new(serde_json::to_string(&line)?));
        text.push('\n');
    }
    Ok(text)
}

/// Returns the lines of entries, as a log has them.
fn text_of(entries: &[&Entry], unreadable: &[String]) -> Result<zeroize::Zeroizing<String>, StoreError> {
    let mut text = zeroize::Zeroizing::new(String::new());
    for (entry, number) in entries.iter().zip(1..) {
        for line in entry.to_lines(number) {
            text.push_str(&zeroize::Zeroizing::new(serde_json::to_string(&line)?));
            text.push('\n');
        }
    }
    for line in unreadable {
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

/// Changes the log of a run that has ended: `change` gets the entries and gives those that stay.
///
/// # Errors
/// If the log cannot be read or written. It is not changed then.
pub(super) fn edit(log: Box<dyn Log>, change: impl FnOnce(&mut Vec<Entry>)) -> Result<(), StoreError> {
    let parsed = entry::parse(&log.read()?);
    let mut entries: Vec<Entry> = parsed.entries.into_values().collect();
    change(&mut entries);
    entries.retain(Entry::is_open);
    let mut log = log;
    if entries.is_empty() && parsed.unreadable.is_empty() {
        return log.remove();
    }
    log.replace(&text_of(&entries.iter().collect::<Vec<_>>(), &parsed.unreadable)?)
}
