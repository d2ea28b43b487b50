//! The file of one run: lines are added as things happen, and it is locked while the run lives.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use super::entry::{self, Entry, Line, Secret};
use super::{Shelf, Subject};

/// The open journal of a run.
pub(super) struct Book {
    file: File,
    path: PathBuf,
    entries: Vec<Entry>,
    next: u64,
    /// The file's name survives a power failure.
    lasting: bool,
}

impl Book {
    /// A new one on the shelf.
    pub(super) fn open(shelf: &Shelf) -> std::io::Result<Self> {
        let (file, path) = shelf.add()?;
        file.lock()?;
        Ok(Self { file, path, entries: Vec::new(), next: 1, lasting: false })
    }

    pub(super) fn ask(&mut self, subject: &Subject, durable: bool) -> std::io::Result<u64> {
        let (number, at) = (self.next, jiff::Timestamp::now().to_string());
        self.next += 1;
        let Subject { service, registry, name } = subject.clone();
        self.add(&Line::Asked { number, service, registry, name, at: at.clone() }, durable)?;
        self.entries.push(Entry { number, subject: subject.clone(), asked: at, state: entry::State::Asked });
        Ok(number)
    }

    pub(super) fn answered(&mut self, number: u64, id: &str, secret: &Secret, durable: bool) -> std::io::Result<()> {
        let (password, sealed) = match secret {
            Secret::Plain(password) => (Some(password.to_string()), None),
            Secret::Sealed(envelope) => (None, Some(envelope.clone())),
        };
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.number == number) {
            entry.state = entry::State::Made { id: id.to_owned(), secret: secret.clone() };
        }
        self.add(&Line::Made { number, id: id.to_owned(), password, sealed }, durable)
    }

    pub(super) fn close(&mut self, number: u64) -> std::io::Result<()> {
        self.entries.retain(|entry| entry.number != number);
        self.add(&Line::Closed { number }, false)
    }

    pub(super) fn close_all(&mut self, meant: &dyn Fn(&Entry) -> bool) -> std::io::Result<()> {
        let numbers: Vec<u64> = self.entries.iter().filter(|entry| meant(entry)).map(|entry| entry.number).collect();
        numbers.into_iter().try_for_each(|number| self.close(number))
    }

    /// What is not closed.
    pub(super) fn open_entries(&self) -> Vec<Entry> {
        self.entries.clone()
    }

    /// Nothing of it is needed any more.
    pub(super) fn remove(self) -> std::io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    /// A killed process leaves what it has written; only a power failure needs more than that.
    fn add(&mut self, line: &Line, durable: bool) -> std::io::Result<()> {
        let mut text = zeroize::Zeroizing::new(serde_json::to_vec(line)?);
        text.push(b'\n');
        self.file.write_all(&text)?;
        if !durable {
            return Ok(());
        }
        // The name has to last as long as what is in the file.
        if let Some(folder) = self.path.parent().filter(|_| !self.lasting) {
            File::open(folder)?.sync_all()?;
            self.lasting = true;
        }
        self.file.sync_data()
    }
}
