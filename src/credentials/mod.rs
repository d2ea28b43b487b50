//! The journal of one-time passwords.
//!
//! The service tells the password of a token once, in the answer to its creation. What a run is about to ask is written
//! down before it is asked, and what was answered before anybody else learns it. When the run has ended well the playbook
//! has had the password, and the file goes. Of a run that was killed, or failed, it stays: the next run that meets the token
//! hands its password on, and `ionplay token` shows it.
//!
//! Each run has a file of its own in the folder of passwords, readable by its user only, and holds a lock on it while it
//! lives.

mod connector;
mod entry;
pub mod login;
mod run_file;
pub mod sinks;
mod store;

use std::cell::{OnceCell, RefCell};
use std::path::PathBuf;

use zeroize::Zeroizing;

pub use connector::JournalledConnector;
pub use entry::Entry;
pub use store::{Left, Shelf};

use crate::ionos::{Date, Past};
use crate::vars::vault;
use run_file::Book;

/// Seals passwords.
pub type Key = Zeroizing<Vec<u8>>;

/// What a token is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The base URL, and the contract if one was named.
    pub service: String,
    /// The id of its registry.
    pub registry: String,
    /// Its name.
    pub name: String,
}

/// The journal of one run.
pub struct Journal {
    shelf: Option<Shelf>,
    key: Option<Key>,
    warn: Box<dyn Fn(String)>,
    book: RefCell<Option<Book>>,
    /// What runs before this one have left.
    left: RefCell<Option<Vec<Left>>>,
    /// What of that was handed on.
    handed: RefCell<Vec<Left>>,
    /// Creations of unknown outcome: what became of them the run tells before it ends, unless it is killed.
    doubtful: RefCell<Vec<u64>>,
    /// It was told that nothing can be kept here.
    broken: OnceCell<()>,
}

impl Journal {
    /// A journal in this folder; with a key passwords are sealed. Nothing is written before a token is made.
    pub fn new(folder: Option<PathBuf>, key: Option<Key>, warn: Box<dyn Fn(String)>) -> Self {
        Self {
            shelf: folder.map(Shelf::new),
            key,
            warn,
            book: RefCell::default(),
            left: RefCell::default(),
            handed: RefCell::default(),
            doubtful: RefCell::default(),
            broken: OnceCell::new(),
        }
    }

    /// Notes that a token is about to be asked for. With `durable` it survives a power failure, too.
    fn ask(&self, subject: &Subject, durable: bool) -> Option<u64> {
        let mut book = self.book.borrow_mut();
        let asked = (|| {
            if book.is_none() {
                let shelf = self.shelf.as_ref().ok_or_else(|| std::io::Error::other("there is no home folder"))?;
                *book = Some(Book::open(shelf)?);
            }
            book.as_mut().map(|book| book.ask(subject, durable)).transpose()
        })();
        match asked {
            Ok(number) => number,
            Err(error) => {
                // The run goes on: a machine on which nothing can be kept may make tokens all the same.
                if self.broken.set(()).is_ok() {
                    (self.warn)(format!(
                        "the passwords of new tokens cannot be journalled ({error}): if this run is killed, they are lost; \
                         `IONPLAY_STATE_DIR` can name a folder for them"
                    ));
                }
                None
            }
        }
    }

    /// Notes the answer.
    fn answered(&self, number: u64, id: &str, password: &str, durable: bool) {
        let password = Zeroizing::new(password.to_owned());
        let secret = match &self.key {
            None => entry::Secret::Plain(password),
            Some(key) => entry::Secret::Sealed(vault::encrypt(password.as_bytes(), key, Some("token"), None)),
        };
        self.write(|book| book.answered(number, id, &secret, durable));
    }

    /// Notes that there is nothing to keep: the run itself has told what became of it.
    fn close(&self, number: u64) {
        self.write(|book| book.close(number));
    }

    /// Notes that nobody knows yet whether there is something to keep. If the run is killed before it has found out, the
    /// next one learns that the token was asked for.
    fn doubt(&self, number: u64) {
        self.doubtful.borrow_mut().push(number);
    }

    fn write(&self, what: impl FnOnce(&mut Book) -> std::io::Result<()>) {
        let Some(Err(error)) = self.book.borrow_mut().as_mut().map(what) else { return };
        (self.warn)(format!("the journal of passwords cannot be written: {error}"));
    }

    /// What is left of runs that are over, as far as it is about this.
    fn left(&self, about: impl Fn(&Entry) -> bool) -> Vec<Left> {
        let mut known = self.left.borrow_mut();
        let all = known.get_or_insert_with(|| {
            let all = self.shelf.as_ref().map(Shelf::left).unwrap_or_default();
            all.into_iter().filter(|left| !left.alive).collect()
        });
        all.iter().filter(|left| about(&left.entry)).cloned().collect()
    }

    /// What an earlier run has left of this token.
    fn past(&self, subject: &Subject, id: &str, created: Option<&Date>) -> Option<Past> {
        let left = self.left(|entry| entry.subject == *subject);
        if let Some(left) = left.iter().find(|left| left.entry.id() == Some(id)) {
            return Some(match left.entry.password(self.key.as_ref()) {
                Ok(password) => Past::Password(password.as_str().to_owned()),
                Err(why) => Past::Sealed(format!("{why:#}")),
            });
        }
        let asked = left.iter().find(|left| left.entry.id().is_none() && left.entry.may_have_made(created));
        asked.map(|left| Past::Lost(left.entry.asked.clone()))
    }

    /// The playbook has the password of a token that an earlier run had left.
    fn hand_on(&self, id: &str) {
        self.handed.borrow_mut().extend(self.left(|entry| entry.id() == Some(id)));
    }

    /// The playbook has the password of a token that a background job has made meanwhile.
    fn meet(&self, id: &str) {
        self.left.take();
        self.hand_on(id);
    }

    /// A token was made: what was left of one of its name is settled.
    fn settle(&self, subject: &Subject) {
        self.forget(self.left(|entry| entry.subject == *subject));
    }

    /// A token is gone, or all tokens of a registry are: nobody needs their passwords.
    fn gone(&self, service: &str, registry: &str, token: Option<&str>) {
        let meant = |entry: &Entry| {
            let here = entry.subject.service == service && entry.subject.registry == registry;
            here && token.is_none_or(|id| entry.id() == Some(id))
        };
        self.write(|book| book.close_all(&meant));
        self.forget(self.left(meant));
    }

    fn forget(&self, those: Vec<Left>) {
        let Some(shelf) = &self.shelf else { return };
        for left in those {
            if let Err(error) = shelf.forget(&left) {
                (self.warn)(format!("the journal of passwords cannot be written: {error:#}"));
            }
            let same = |other: &Left| other.file == left.file && other.entry.number == left.entry.number;
            self.left.borrow_mut().iter_mut().for_each(|all| all.retain(|other| !same(other)));
        }
    }

    /// A background job has ended, and its result is about to be left for whoever asks for it. Gives the ids of the tokens
    /// whose passwords are kept until somebody has.
    pub fn leave(&self) -> Vec<String> {
        let open = self.close_book(false);
        open.iter().filter_map(Entry::id).map(str::to_owned).collect()
    }

    /// What the job was handed of earlier runs has been left in its result.
    pub fn left_behind(&self) {
        self.forget(self.handed.take());
    }

    /// Closes the book and gives what is kept in it; all of it is done with if the run has ended well.
    fn close_book(&self, well: bool) -> Vec<Entry> {
        self.doubtful.take().into_iter().for_each(|number| self.close(number));
        let Some(book) = self.book.borrow_mut().take() else { return Vec::new() };
        let open = if well { Vec::new() } else { book.open_entries() };
        if open.is_empty()
            && let Err(error) = book.remove()
        {
            (self.warn)(format!("the journal of passwords cannot be removed: {error}"));
        }
        open
    }

    /// The run has ended. If it ended well, the playbook has had all passwords and none is kept; else this says what is.
    pub fn end(&self, well: bool) -> Vec<String> {
        let handed = self.handed.take();
        if well {
            self.forget(handed);
        }
        let open = self.close_book(well);
        let names = |made: bool| -> Vec<String> {
            let of_kind = open.iter().filter(|entry| entry.id().is_some() == made);
            of_kind.map(|entry| format!("`{}`", entry.subject.name)).collect()
        };
        let mut said = Vec::new();
        match names(true).as_slice() {
            [] => {}
            [one] => said.push(format!(
                "the password of token {one} is kept, because this run did not end well: the next run that meets the token \
                 hands it on, and `ionplay token list` shows what there is"
            )),
            many => said.push(format!(
                "the passwords of {} tokens are kept, because this run did not end well: the next run that meets a token \
                 hands its password on, and `ionplay token list` shows what there is",
                many.len()
            )),
        }
        for name in names(false) {
            said.push(format!("token {name} was asked for, and the run ended before the answer: it may exist"));
        }
        said
    }
}
