//! The notes of a dry run: every object that was observed, and every request that would be sent.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::digest::digest;
use super::host_effects::{Deed, Deeds, Does};
use super::model::{Observed, Write};
use super::record_writes::Watch;
use crate::ionos::api::Id;
use crate::ionos::error::ErrorKind;
use crate::ionos::{ApiError, Connection, Fact};

/// Account, kind, parent, id.
type Key = (String, String, Option<String>, String);

/// An observation of an object.
pub(super) struct Seen {
    pub(super) name: Option<String>,
    pub(super) fields: Map<String, Json>,
}

/// The notes.
#[derive(Default)]
pub struct Tape {
    alias: Option<String>,
    observed: RefCell<IndexMap<Key, Observed>>,
    writes: RefCell<Vec<Write>>,
    made: RefCell<Vec<(Id, usize)>>,
    deeds: RefCell<Vec<Deed>>,
}

impl Tape {
    /// An empty tape. With an alias, that is what every service is called: the embedded one has another port each time.
    pub fn new(alias: Option<String>) -> Rc<Self> {
        Rc::new(Self { alias, ..Self::default() })
    }

    /// Returns the observed objects.
    pub fn observed(&self) -> Vec<Observed> {
        let mut all: Vec<Observed> = self.observed.borrow().values().cloned().collect();
        all.sort_by(|a, b| (&a.account, &a.kind, &a.parent, &a.id).cmp(&(&b.account, &b.kind, &b.parent, &b.id)));
        all
    }

    /// Returns the predicted changes by other modules.
    pub fn deeds(&self) -> Vec<Deed> {
        self.deeds.borrow().clone()
    }

    /// Returns the predicted requests.
    pub fn writes(&self) -> Vec<Write> {
        self.writes.borrow().clone()
    }

    pub(super) fn account(&self, connection: &Connection) -> String {
        account(self.alias.as_deref(), connection)
    }

    pub(super) fn saw(&self, account: &str, kind: &str, parent: Option<&Id>, id: &str, seen: Option<Seen>) {
        let there = seen.is_some();
        let (name, fields) = seen.map_or((None, Map::new()), |seen| (seen.name, seen.fields));
        let fingerprint = digest(Json::Object(fields.clone()).to_string().as_bytes());
        let parent = parent.map(|id| id.shown().to_owned());
        let key = (account.to_owned(), kind.to_owned(), parent.clone(), id.to_owned());
        let observed = Observed {
            account: account.to_owned(),
            kind: kind.to_owned(),
            id: id.to_owned(),
            parent,
            name,
            there,
            fingerprint,
            fields,
        };
        self.observed.borrow_mut().insert(key, observed);
    }

    fn reference(&self, id: &Id) -> String {
        match id {
            Fact::Known(id) => id.clone(),
            Fact::Unknown(unknown) => {
                let made = self.made.borrow();
                let number = made.iter().find(|(known, _)| known == id).map(|(_, number)| *number);
                number.map_or_else(|| unknown.shown.clone(), |number| format!("#{number}"))
            }
        }
    }

    /// Notes a request, unless the dry run cannot tell whether it would be sent. What it makes gets its number.
    fn wrote<T>(&self, write: Write, answer: &Result<T, ApiError>, id: impl Fn(&T) -> Option<Id>) {
        if matches!(answer, Err(error) if error.kind == ErrorKind::Undetermined) {
            return;
        }
        let mut writes = self.writes.borrow_mut();
        writes.push(write);
        if let Some(id) = answer.as_ref().ok().and_then(id) {
            self.made.borrow_mut().push((id, writes.len()));
        }
    }
}

impl Deeds for Tape {
    fn foretold(&self, deed: Deed) {
        if deed.does != Does::Nothing {
            self.deeds.borrow_mut().push(deed);
        }
    }
}

/// Returns the name of a service in records.
pub(super) fn account(alias: Option<&str>, connection: &Connection) -> String {
    match (alias, &connection.endpoint.contract) {
        (Some(alias), _) => alias.to_owned(),
        (None, Some(contract)) => format!("{} ({contract})", connection.endpoint.url),
        (None, None) => connection.endpoint.url.clone(),
    }
}

impl Watch for Tape {
    fn before(&self, _: &Write) -> Result<(), ApiError> {
        Ok(())
    }

    fn after(&self, write: Write, failed: Option<&ApiError>, made: Option<&Id>) {
        let answer = failed.map_or(Ok(()), |error| Err(error.clone()));
        self.wrote(write, &answer, |()| made.cloned());
    }

    fn reference(&self, id: &Id) -> String {
        Self::reference(self, id)
    }
}
