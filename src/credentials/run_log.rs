//! The log of this run: its entries, and the lines that tell them.

use std::collections::BTreeMap;

use super::backend::{Backend, CredentialLog, Durability};
use super::entry::{self, CredentialEntry};
use super::error::StoreError;
use super::line::LogLine;

/// The log of this run.
pub(super) struct RunLog {
    log: Box<dyn CredentialLog>,
    entries: BTreeMap<u64, CredentialEntry>,
    next: u64,
    /// The log has lines that say nothing any more.
    is_stale: bool,
    /// Lines that were added, and how many of them survive a power failure.
    added: u64,
    synced: u64,
    /// The first and the last line that may be lost: making them durable failed, and a further try would not tell.
    doubtful: Option<(u64, u64)>,
}

impl RunLog {
    /// Begins it.
    pub(super) fn begin_log(backend: &dyn Backend) -> Result<Self, StoreError> {
        Ok(Self {
            log: backend.begin_log()?,
            entries: BTreeMap::new(),
            next: 1,
            is_stale: false,
            added: 0,
            synced: 0,
            doubtful: None,
        })
    }

    /// Adds an entry and gives its number. There is room for the answer then.
    pub(super) fn add(&mut self, mut entry: CredentialEntry, durability: Durability) -> Result<u64, StoreError> {
        let number = self.next;
        self.next += 1;
        let awaited = self.entries.values().filter(|entry| entry.is_unclear()).count();
        self.log.reserve_space(1 + awaited as u64)?;
        entry.number = number;
        // All lines at once: half of an entry that is taken over would be an entry of its own.
        let mut text = text_of_entry(&entry)?;
        text.pop();
        self.log.append_line(&text, durability)?;
        self.added += 1;
        self.entries.insert(number, entry);
        Ok(number)
    }

    /// Takes a step with the entry of its number. The step counts in this process even if it cannot be written.
    pub(super) fn advance_entry(
        &mut self,
        number: u64,
        line: LogLine,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let written = self.write(&line, durability);
        self.advance_in_memory(number, line);
        written
    }

    /// Takes a step that counts only once it is written.
    pub(super) fn advance_if_written(
        &mut self,
        number: u64,
        line: LogLine,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.write(&line, durability)?;
        self.advance_in_memory(number, line);
        Ok(())
    }

    fn advance_in_memory(&mut self, number: u64, line: LogLine) {
        if let Some(entry) = self.entries.get_mut(&number) {
            self.is_stale |= matches!(line, LogLine::Delivered { .. });
            entry.apply_line(line);
        }
    }

    /// Closes an entry: there is nothing to keep.
    pub(super) fn close(&mut self, number: u64) -> Result<(), StoreError> {
        self.is_stale = true;
        self.entries.remove(&number);
        self.write(&LogLine::Closed { number }, Durability::Process)
    }

    /// Returns the entries.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &CredentialEntry> {
        self.entries.values()
    }

    /// Returns the entry with the password of a token.
    pub(super) fn find_token(&self, id: &str) -> Option<&CredentialEntry> {
        self.entries.values().find(|entry| entry.id() == Some(id))
    }

    /// Ends the log: removes it if there is nothing to keep, and else leaves the entries that there are, without
    /// passwords that have been delivered.
    pub(super) fn end_log(self) -> Result<(), StoreError> {
        let Self { mut log, entries, is_stale, .. } = self;
        let open: Vec<&CredentialEntry> = entries.values().filter(|entry| entry.is_open()).collect();
        if open.is_empty() {
            return log.remove_log();
        }
        if is_stale { log.replace_lines(&text_of(&open, &[])?) } else { Ok(()) }
    }

    fn write(&mut self, line: &LogLine, durability: Durability) -> Result<(), StoreError> {
        let text = zeroize::Zeroizing::new(serde_json::to_string(line)?);
        self.log.append_line(&text, durability)?;
        self.added += 1;
        Ok(())
    }

    /// Returns how many lines were added so far.
    pub(super) fn count_added(&self) -> u64 {
        self.added
    }

    /// Makes the first lines, so many, survive a power failure, with all that were added since.
    ///
    /// # Errors
    /// If the disk does not take them, or has failed to take them before.
    pub(super) fn sync_until(&mut self, line: u64) -> Result<(), StoreError> {
        if self.doubtful.is_some_and(|(first, last)| (first..=last).contains(&line)) {
            return Err(StoreError::Doubtful);
        }
        if line <= self.synced {
            return Ok(());
        }
        match self.log.sync_lines() {
            Ok(()) => {
                self.synced = self.added;
                Ok(())
            }
            // The system reports a failed write once; the next call would succeed without having written anything.
            Err(error) => {
                let first = self.doubtful.map_or(self.synced + 1, |(first, _)| first);
                self.doubtful = Some((first, self.added));
                Err(error)
            }
        }
    }
}

/// Returns the lines of an entry under its own number.
fn text_of_entry(entry: &CredentialEntry) -> Result<zeroize::Zeroizing<String>, StoreError> {
    let mut text = zeroize::Zeroizing::new(String::new());
    for line in entry.to_lines(entry.number) {
        text.push_str(&zeroize::Zeroizing::new(serde_json::to_string(&line)?));
        text.push('\n');
    }
    Ok(text)
}

/// Returns the lines of entries, as a log has them.
fn text_of(entries: &[&CredentialEntry], unreadable: &[String]) -> Result<zeroize::Zeroizing<String>, StoreError> {
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
pub(super) fn edit_log(
    log: Box<dyn CredentialLog>,
    change: impl FnOnce(&mut Vec<CredentialEntry>),
) -> Result<(), StoreError> {
    let parsed = entry::parse_log(&log.read()?);
    let mut entries: Vec<CredentialEntry> = parsed.entries.into_values().collect();
    change(&mut entries);
    entries.retain(CredentialEntry::is_open);
    let mut log = log;
    if entries.is_empty() && parsed.unreadable.is_empty() {
        return log.remove_log();
    }
    log.replace_lines(&text_of(&entries.iter().collect::<Vec<_>>(), &parsed.unreadable)?)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use zeroize::Zeroizing;

    use super::*;
    use crate::credentials::backend::StoredLog;

    /// A disk that fails to take lines as often as it is told.
    #[derive(Clone, Default)]
    struct Disk {
        syncs: Rc<Cell<usize>>,
        failures: Rc<Cell<usize>>,
        lines: Rc<RefCell<Vec<String>>>,
    }

    impl Backend for Disk {
        fn begin_log(&self) -> Result<Box<dyn CredentialLog>, StoreError> {
            Ok(Box::new(self.clone()))
        }

        fn read_all(&self) -> Result<Vec<StoredLog>, StoreError> {
            Ok(Vec::new())
        }

        fn hold_log(&self, _: &str) -> Result<Option<Box<dyn CredentialLog>>, StoreError> {
            Ok(None)
        }

        fn describe_place(&self) -> String {
            String::new()
        }
    }

    impl CredentialLog for Disk {
        fn append_line(&mut self, line: &str, _: Durability) -> Result<(), StoreError> {
            self.lines.borrow_mut().push(line.to_owned());
            Ok(())
        }

        fn sync_lines(&mut self) -> Result<(), StoreError> {
            self.syncs.set(self.syncs.get() + 1);
            match self.failures.get() {
                0 => Ok(()),
                left => {
                    self.failures.set(left - 1);
                    Err(StoreError::NoFolder)
                }
            }
        }

        fn read(&self) -> Result<Zeroizing<String>, StoreError> {
            Ok(Zeroizing::new(self.lines.borrow().join("\n")))
        }

        fn replace_lines(&mut self, _: &str) -> Result<(), StoreError> {
            Ok(())
        }

        fn remove_log(self: Box<Self>) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn add_lines(log: &mut RunLog, count: u64) -> u64 {
        (0..count).for_each(|number| log.close(number).unwrap());
        log.count_added()
    }

    #[test]
    fn lines_that_were_added_meanwhile_share_one_write_to_the_disk() {
        let disk = Disk::default();
        let mut log = RunLog::begin_log(&disk).unwrap();
        let last = add_lines(&mut log, 8);
        (1..=last).for_each(|line| log.sync_until(line).unwrap());
        assert_eq!(disk.syncs.get(), 1);
        let line = add_lines(&mut log, 1);
        log.sync_until(line).unwrap();
        assert_eq!(disk.syncs.get(), 2);
    }

    #[test]
    fn line_that_the_disk_did_not_take_never_counts_as_durable() {
        let disk = Disk::default();
        let mut log = RunLog::begin_log(&disk).unwrap();
        let durable = add_lines(&mut log, 1);
        log.sync_until(durable).unwrap();
        disk.failures.set(1);
        let (first, second) = (add_lines(&mut log, 1), add_lines(&mut log, 1));
        assert!(log.sync_until(first).is_err());
        assert!(log.sync_until(second).is_err(), "one failure is for all lines that shared it");
        let later = add_lines(&mut log, 1);
        log.sync_until(later).unwrap();
        assert!(log.sync_until(second).is_err() && log.sync_until(durable).is_ok());
    }
}
