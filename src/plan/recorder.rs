//! The notes of a dry run: every object that was observed, and every request that would be sent.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::digest::sha256_hex;
use super::host_effects::{EffectKind, EffectObserver, PlannedEffect};
use super::model::{Observed, Write};
use super::record_writes::WriteObserver;
use crate::ionos::api::Id;
use crate::ionos::error::ErrorKind;
use crate::ionos::{ApiConnection, ApiError, Deferred};

/// Account, kind, parent, id.
type Key = (String, String, Option<String>, String);

/// Which object is looked at.
pub(super) struct ObjectKey<'a> {
    /// The account it belongs to.
    pub(super) account: &'a str,
    /// The kind of object, or what of it is looked at.
    pub(super) kind: &'a str,
    /// The object it is a part of.
    pub(super) parent: Option<&'a Id>,
    /// The id, or the name where the object is looked for by name.
    pub(super) id: &'a str,
}

/// An observation of an object.
pub(super) struct Seen {
    pub(super) name: Option<String>,
    pub(super) fields: Map<String, Json>,
}

/// The notes.
#[derive(Default)]
pub struct DryRunRecorder {
    alias: Option<String>,
    observed: RefCell<IndexMap<Key, Observed>>,
    writes: RefCell<Vec<Write>>,
    made: RefCell<Vec<(Id, usize)>>,
    effects: RefCell<Vec<PlannedEffect>>,
}

impl DryRunRecorder {
    /// An empty recorder. An alias replaces the name of every service: the embedded one has another port each time.
    pub fn new(alias: Option<String>) -> Rc<Self> {
        Rc::new(Self { alias, ..Self::default() })
    }

    /// Returns the observed objects.
    pub fn observed_objects(&self) -> Vec<Observed> {
        let mut all: Vec<Observed> = self.observed.borrow().values().cloned().collect();
        all.sort_by(|a, b| (&a.account, &a.kind, &a.parent, &a.id).cmp(&(&b.account, &b.kind, &b.parent, &b.id)));
        all
    }

    /// Returns the predicted changes by other modules.
    pub fn predicted_effects(&self) -> Vec<PlannedEffect> {
        self.effects.borrow().clone()
    }

    /// Returns the predicted requests.
    pub fn predicted_writes(&self) -> Vec<Write> {
        self.writes.borrow().clone()
    }

    pub(super) fn account_of(&self, connection: &ApiConnection) -> String {
        account_name(self.alias.as_deref(), connection)
    }

    /// Records that an object was looked at; without `seen` it was not there.
    pub(super) fn record_seen(&self, key: ObjectKey<'_>, seen: Option<Seen>) {
        let ObjectKey { account, kind, parent, id } = key;
        let there = seen.is_some();
        let (name, fields) = seen.map_or((None, Map::new()), |seen| (seen.name, seen.fields));
        let fingerprint = sha256_hex(Json::Object(fields.clone()).to_string().as_bytes());
        let parent = parent.map(|id| id.display_text().to_owned());
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

    fn reference_to(&self, id: &Id) -> String {
        match id {
            Deferred::Known(id) => id.clone(),
            Deferred::Unknown(unknown) => {
                let made = self.made.borrow();
                let number = made.iter().find(|(known, _)| known == id).map(|(_, number)| *number);
                number.map_or_else(|| unknown.shown.clone(), |number| format!("#{number}"))
            }
        }
    }

    /// Records a request, unless the dry run is not certain to send it. The created object gets its number.
    fn record_write<T>(&self, write: Write, answer: &Result<T, ApiError>, id: impl Fn(&T) -> Option<Id>) {
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

impl EffectObserver for DryRunRecorder {
    fn record_prediction(&self, effect: PlannedEffect) {
        if effect.does != EffectKind::Nothing {
            self.effects.borrow_mut().push(effect);
        }
    }
}

/// Returns the name of a service in records.
pub(super) fn account_name(alias: Option<&str>, connection: &ApiConnection) -> String {
    match (alias, &connection.endpoint.contract) {
        (Some(alias), _) => alias.to_owned(),
        (None, Some(contract)) => format!("{} ({contract})", connection.endpoint.url),
        (None, None) => connection.endpoint.url.clone(),
    }
}

impl WriteObserver for DryRunRecorder {
    fn before_write(&self, _: &Write) -> Result<(), ApiError> {
        Ok(())
    }

    fn after_write(&self, write: Write, failed: Option<&ApiError>, made: Option<&Id>) {
        let answer = failed.map_or(Ok(()), |error| Err(error.clone()));
        self.record_write(write, &answer, |()| made.cloned());
    }

    fn placeholder_for(&self, id: &Id) -> String {
        Self::reference_to(self, id)
    }
}
