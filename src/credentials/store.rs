//! The store of a run: its requests, answers and deliveries.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::backend::{Backend, Durability};
use super::catalog::{Catalog, Listed};
use super::entry::{CreationProgress, CredentialEntry, KeepReason, StoredSecret, created_line};
use super::error::StoreError;
use super::given::PasswordMatcher;
use super::line::LogLine;
use super::run_log::{self, RunLog};
use super::{CredentialKey, Subject};
use crate::ionos::model::Predecessor;
use crate::vars::vault;

/// The credential store of one run.
pub struct CredentialStore {
    pub(super) backend: Rc<dyn Backend>,
    pub(super) key: Option<CredentialKey>,
    warn: Box<dyn Fn(String)>,
    own: RefCell<Option<RunLog>>,
    /// The entries of runs that had ended when they were read.
    others: RefCell<Option<Vec<Listed>>>,
    matchers: RefCell<BTreeMap<String, Rc<PasswordMatcher>>>,
    /// The place cannot be read; the user is warned once.
    is_unreadable: Cell<bool>,
}

/// A request that is about to be sent.
pub(super) struct CreationRequest {
    pub(super) subject: Subject,
    pub(super) service_time: Option<Timestamp>,
    pub(super) replaces: Option<Predecessor>,
    pub(super) task: Option<String>,
    pub(super) sent: Option<Json>,
}

/// A password that this run holds in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPassword {
    /// The name of the token.
    pub name: String,
    /// Id of the token.
    pub id: String,
    /// The id of its registry.
    pub registry: String,
    /// Why it is in the store.
    pub reason: KeepReason,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// With success.
    Well,
    /// With a failure, or interrupted.
    Badly,
}

/// Entries that remain in the store after a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UnusedPasswords {
    /// The passwords that no task has used.
    pub passwords: Vec<HeldPassword>,
    /// The names of tokens that may have been created.
    pub unclear: Vec<String>,
}

impl CredentialStore {
    /// Returns the store of a run; with a key passwords are sealed. Nothing is written before a token is requested.
    pub fn new(backend: Rc<dyn Backend>, key: Option<CredentialKey>, warn: Box<dyn Fn(String)>) -> Self {
        Self {
            backend,
            key,
            warn,
            own: RefCell::default(),
            others: RefCell::default(),
            matchers: RefCell::default(),
            is_unreadable: Cell::default(),
        }
    }

    /// Returns whether entries outlive the process.
    pub fn is_lasting(&self) -> bool {
        self.backend.is_lasting()
    }

    /// Records that a token is about to be requested. The request may be sent once this is durable.
    pub(super) fn record_intent(&self, request: CreationRequest) -> Result<u64, StoreError> {
        let entry = CredentialEntry {
            number: 0,
            subject: request.subject,
            requested: Timestamp::now().to_string(),
            service_time: request.service_time,
            replaces: request.replaces,
            task: request.task,
            reason: KeepReason::Pending,
            facts: BTreeMap::new(),
            sent: request.sent,
            progress: CreationProgress::Intended,
        };
        self.add(entry, Durability::Process)
    }

    fn add(&self, entry: CredentialEntry, durability: Durability) -> Result<u64, StoreError> {
        let mut own = self.own.borrow_mut();
        if own.is_none() {
            *own = Some(RunLog::begin_log(&*self.backend)?);
        }
        match own.as_mut() {
            Some(log) => log.add(entry, durability),
            None => Err(StoreError::NoFolder),
        }
    }

    /// Makes what was recorded so far durable. Requests that are about to be recorded share one write to the disk.
    pub(super) async fn make_durable(&self, durability: Durability) -> Result<(), StoreError> {
        if durability == Durability::Process {
            return Ok(());
        }
        let line = self.own.borrow().as_ref().map_or(0, RunLog::count_added);
        tokio::task::yield_now().await;
        self.own.borrow_mut().as_mut().map_or(Ok(()), |log| log.sync_until(line))
    }

    /// Records the answer with the password.
    ///
    /// # Errors
    /// If it cannot be kept, and another host will therefore make the token again: this run must not hand the password out.
    /// On one machine that is a warning, because the run may still deliver it.
    pub(super) async fn record_created(
        &self,
        number: u64,
        id: &str,
        password: &str,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let password = Zeroizing::new(password.to_owned());
        let secret = match &self.key {
            None => StoredSecret::Plain(password),
            Some(key) => StoredSecret::Sealed(vault::encrypt_text(password.as_bytes(), key, Some("token"), None)),
        };
        let line = created_line(number, id, Some(&secret));
        if self.backend.is_shared() {
            let mut own = self.own.borrow_mut();
            return own.as_mut().map_or(Ok(()), |log| log.advance_if_written(number, line, durability));
        }
        self.write(|log| log.advance_entry(number, line, Durability::Process));
        if let Err(error) = self.make_durable(durability).await {
            self.warn_unwritten(&error);
        }
        Ok(())
    }

    /// Records that nothing says whether the token was created.
    pub(super) fn record_unclear(&self, number: u64, why: String, service_time: Option<Timestamp>) {
        let service_time = service_time.map(|at| at.to_string());
        self.write(|log| {
            log.advance_entry(number, LogLine::Unclear { number, why, service_time }, Durability::Process)
        });
    }

    /// Records that the request created nothing.
    pub(super) fn close(&self, number: u64) {
        self.write(|log| log.close(number));
    }

    /// Records that a token of this name was created just now, under this number: whatever else the store knows of one
    /// of its name is over.
    pub(super) fn settle_token(&self, registry: &str, name: &str, number: u64) {
        let meant = |entry: &CredentialEntry| entry.subject.registry == registry && entry.subject.name == name;
        self.close_own_entries(&|entry| meant(entry) && entry.number != number);
        self.forget_others(&meant);
    }

    /// Records that a token is gone, or a registry with all its tokens: their passwords are useless.
    pub(super) fn forget_removed(&self, registry: &str, token: Option<&str>) {
        let meant = |entry: &CredentialEntry| {
            entry.subject.registry == registry && token.is_none_or(|token| entry.id() == Some(token))
        };
        self.close_own_entries(&meant);
        self.forget_others(&meant);
    }

    /// Records that there is no token of this name: a request of unknown outcome has created none.
    pub(super) fn forget_missing(&self, registry: &str, name: &str) {
        let meant = |entry: &CredentialEntry| {
            entry.is_unclear() && entry.subject.registry == registry && entry.subject.name == name
        };
        self.close_own_entries(&meant);
        self.forget_others(&meant);
    }

    fn close_own_entries(&self, meant: &dyn Fn(&CredentialEntry) -> bool) {
        let numbers: Vec<u64> = {
            let own = self.own.borrow();
            let entries = own.iter().flat_map(RunLog::entries);
            entries.filter(|entry| meant(entry)).map(|entry| entry.number).collect()
        };
        numbers.into_iter().for_each(|number| self.close(number));
    }

    fn forget_others(&self, meant: &dyn Fn(&CredentialEntry) -> bool) {
        let found: Vec<Listed> = self.other_entries().iter().filter(|listed| meant(&listed.entry)).cloned().collect();
        for listed in found {
            match super::catalog::forget_entry(&*self.backend, &listed) {
                Ok(()) | Err(StoreError::Held(_)) => {}
                Err(error) => (self.warn)(format!("an entry of the credential store cannot be removed: {error}")),
            }
            self.drop_cached(&listed);
        }
    }

    /// Returns the entry of a token, given by its id, that an earlier run has left.
    fn find_other(&self, token: &str) -> Option<Listed> {
        self.other_entries().iter().find(|listed| listed.entry.id() == Some(token)).cloned()
    }

    fn drop_cached(&self, listed: &Listed) {
        if let Some(all) = self.others.borrow_mut().as_mut() {
            all.retain(|other| other.log != listed.log || !other.entry.is_same_request(&listed.entry));
        }
    }

    /// Returns the entries of runs that have ended. Thousands of passwords may be kept, and each token asks: nothing is
    /// copied.
    pub(super) fn other_entries(&self) -> Ref<'_, [Listed]> {
        if self.others.borrow().is_none() {
            let mut ended = self.read_others();
            ended.retain(|listed| !listed.is_held);
            self.others.replace(Some(ended));
        }
        Ref::map(self.others.borrow(), |others| others.as_deref().unwrap_or_default())
    }

    /// Returns the entries of all other runs as they are now.
    pub(super) fn read_others(&self) -> Vec<Listed> {
        match Catalog::read(&*self.backend) {
            Ok(catalog) => {
                if !self.is_unreadable.replace(!catalog.problems.is_empty()) {
                    catalog.problems.into_iter().for_each(|problem| (self.warn)(problem));
                }
                let is_own = |listed: &Listed| {
                    self.own.borrow().as_ref().is_some_and(|log| {
                        listed.is_held && log.entries().any(|entry| entry.is_same_request(&listed.entry))
                    })
                };
                catalog.entries.into_iter().filter(|listed| !is_own(listed)).collect()
            }
            Err(error) => {
                if !self.is_unreadable.replace(true) {
                    (self.warn)(format!("the credential store cannot be read: {error}"));
                }
                Vec::new()
            }
        }
    }

    /// Looks at the other runs again: a process of this run has left something.
    pub(super) fn refresh_others(&self) {
        self.others.take();
    }

    /// Takes the entry of a token over from a run that has ended. The password is in both logs for a moment, never in
    /// none.
    pub(super) fn take_over(&self, token: &str) -> bool {
        let Some(listed) = self.find_other(token) else { return false };
        let taken = (|| {
            // Another run may have been faster.
            let Some(log) = self.backend.hold_log(&listed.log)? else { return Ok(false) };
            self.add(listed.entry.clone(), Durability::Power)?;
            run_log::edit_log(log, |entries| entries.retain(|entry| !entry.is_same_request(&listed.entry)))?;
            Ok(true)
        })();
        self.drop_cached(&listed);
        if matches!(taken, Ok(true)) {
            // The name is the token's: a request of unknown outcome, whose run was killed before the one that made this
            // token, has left none. A kill between the two notes of that run leaves both.
            self.forget_missing(&listed.entry.subject.registry, &listed.entry.subject.name);
        }
        taken.unwrap_or_else(|error: StoreError| {
            (self.warn)(format!("the password of token `{}` stays where it is: {error}", listed.entry.subject.name));
            false
        })
    }

    /// Returns what this run has in its own log of a token.
    pub(super) fn own_entry(&self, token: &str) -> Option<CredentialEntry> {
        self.own.borrow().as_ref()?.find_token(token).cloned()
    }

    /// Returns the log of this run, if it has one yet.
    pub(super) fn own_log(&self) -> Ref<'_, Option<RunLog>> {
        self.own.borrow()
    }

    /// Returns the names of tokens in a registry that this run has requested without learning the outcome.
    pub(super) fn own_unclear_tokens(&self, registry: &str) -> Vec<String> {
        let own = self.own.borrow();
        let entries = own.iter().flat_map(RunLog::entries);
        let unclear = entries.filter(|entry| entry.is_unclear() && entry.subject.registry == registry);
        unclear.map(|entry| entry.subject.name.clone()).collect()
    }

    /// Returns whether this run holds a password that has not been delivered.
    pub fn holds_passwords(&self) -> bool {
        self.own.borrow().iter().flat_map(RunLog::entries).any(CredentialEntry::has_password)
    }

    /// Returns the passwords that this run holds and that have not been delivered.
    pub fn held_passwords(&self) -> Vec<HeldPassword> {
        let own = self.own.borrow();
        let entries = own.iter().flat_map(RunLog::entries).filter(|entry| entry.has_password());
        let held = entries.filter_map(|entry| {
            Some(HeldPassword {
                name: entry.subject.name.clone(),
                id: entry.id()?.to_owned(),
                registry: entry.subject.registry.clone(),
                reason: entry.reason,
            })
        });
        held.collect()
    }

    /// Returns the password that this run holds of a token, given by its id.
    pub fn find_password(&self, token: &str) -> Option<Zeroizing<String>> {
        self.own_entry(token)?.unseal_password(self.key.as_ref()).ok()
    }

    /// Returns the facts that are remembered of a token, given by its id: of this run, or of those before it.
    pub fn remembered_values(&self, token: &str) -> BTreeMap<String, Json> {
        let own = self.own_entry(token).map(|entry| entry.facts);
        own.or_else(|| self.find_other(token).map(|listed| listed.entry.facts)).unwrap_or_default()
    }

    /// Remembers a fact about a token, given by its id; null forgets it. Facts outlive the password, and end with the
    /// token. Returns whether the store knows the token.
    pub fn record_fact(&self, token: &str, key: &str, value: Json) -> bool {
        self.record_line(token, |number| LogLine::Fact { number, key: key.to_owned(), value }, Durability::Power)
    }

    /// Records that the password of a token, given by its id, has been delivered. Returns whether the store knows the token.
    pub fn mark_delivered(&self, token: &str, to: &str) -> bool {
        self.matchers.borrow_mut().remove(token);
        self.record_line(token, |number| LogLine::Delivered { number, to: to.to_owned() }, Durability::Process)
    }

    /// Records that the password of a token, given by its id, stays in the store on purpose. Returns whether the store knows
    /// the token.
    pub fn mark_stored(&self, token: &str) -> bool {
        self.record_line(token, |number| LogLine::Stored { number }, Durability::Power)
    }

    fn record_line(&self, token: &str, line: impl FnOnce(u64) -> LogLine, durability: Durability) -> bool {
        if self.own_entry(token).is_none() && !self.take_over(token) {
            return false;
        }
        let Some(number) = self.own_entry(token).map(|entry| entry.number) else { return false };
        self.write(|log| log.advance_entry(number, line(number), durability));
        true
    }

    /// Returns the ids of tokens whose passwords are in any of these texts, in any spelling.
    pub fn find_given(&self, texts: &[&str]) -> Vec<String> {
        let held = self.held_passwords();
        let given = held.iter().filter(|held| {
            self.password_matcher(held).is_some_and(|matcher| texts.iter().any(|text| matcher.is_in(text)))
        });
        given.map(|held| held.id.clone()).collect()
    }

    fn password_matcher(&self, held: &HeldPassword) -> Option<Rc<PasswordMatcher>> {
        if let Some(known) = self.matchers.borrow().get(&held.id) {
            return Some(Rc::clone(known));
        }
        let matcher = Rc::new(PasswordMatcher::new(&held.name, &self.find_password(&held.id)?));
        self.matchers.borrow_mut().insert(held.id.clone(), Rc::clone(&matcher));
        Some(matcher)
    }

    /// Frees the log of a process that makes a token for a run, and gives the ids of tokens whose passwords are in it: the
    /// run takes them over when it reads the result.
    pub fn release_log(&self) -> Vec<String> {
        let ids = self.held_passwords().into_iter().map(|held| held.id).collect();
        self.end_log();
        ids
    }

    /// Ends the run. Passwords that no task has used stay in the store.
    pub fn end_run(&self, end: RunEnd) -> UnusedPasswords {
        let unused: Vec<HeldPassword> =
            self.held_passwords().into_iter().filter(|held| held.reason != KeepReason::Stored).collect();
        if end == RunEnd::Well {
            for held in unused.iter().filter(|held| held.reason == KeepReason::Pending) {
                self.record_line(&held.id, |number| LogLine::Kept { number }, Durability::Process);
            }
        }
        let unclear = {
            let own = self.own.borrow();
            let entries = own.iter().flat_map(RunLog::entries).filter(|entry| entry.is_unclear());
            entries.map(|entry| entry.subject.name.clone()).collect()
        };
        self.end_log();
        UnusedPasswords { passwords: unused, unclear }
    }

    fn end_log(&self) {
        if let Some(Err(error)) = self.own.take().map(RunLog::end_log) {
            (self.warn)(format!("the log of this run in the credential store cannot be ended: {error}"));
        }
    }

    fn write(&self, step: impl FnOnce(&mut RunLog) -> Result<(), StoreError>) {
        let written = self.own.borrow_mut().as_mut().map(step);
        if let Some(Err(error)) = written {
            self.warn_unwritten(&error);
        }
    }

    fn warn_unwritten(&self, error: &StoreError) {
        (self.warn)(format!(
            "the credential store cannot be written: {error}; if this run ends before a task has stored the password, it is \
             lost"
        ));
    }
}
