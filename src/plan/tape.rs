//! The notes of a dry run: every object that was observed, and every request that would be sent.

use std::cell::RefCell;
use std::rc::Rc;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::deeds::{Deed, Deeds, Does};
use super::digest::digest;
use super::model::{Observed, Write, plain_fields};
use super::requests;
use crate::ionos::api::{Answer, Id, Witness};
use crate::ionos::content::{Contents, Query, Reading};
use crate::ionos::error::ErrorKind;
use crate::ionos::model::{Location, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiError, Connection, Connector, Fact, OverlayConnector, Past, RegistryApi, RegistryReads};
use crate::reconcile::{registry_fields, token_fields};

/// Account, kind, parent, id.
type Key = (String, String, Option<String>, String);

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

    /// A connector for a dry run over `real` that takes notes.
    pub fn over(self: &Rc<Self>, real: Rc<dyn Connector>) -> Rc<dyn Connector> {
        let watched = Watched { inner: real, tape: Rc::clone(self) };
        Rc::new(Noting { inner: Rc::new(OverlayConnector::new(Rc::new(watched))), tape: Rc::clone(self) })
    }

    /// What was observed.
    pub fn observed(&self) -> Vec<Observed> {
        let mut all: Vec<Observed> = self.observed.borrow().values().cloned().collect();
        all.sort_by(|a, b| (&a.account, &a.kind, &a.parent, &a.id).cmp(&(&b.account, &b.kind, &b.parent, &b.id)));
        all
    }

    /// What other modules would do.
    pub fn deeds(&self) -> Vec<Deed> {
        self.deeds.borrow().clone()
    }

    /// What would be sent.
    pub fn writes(&self) -> Vec<Write> {
        self.writes.borrow().clone()
    }

    fn account(&self, connection: &Connection) -> String {
        account(self.alias.as_deref(), connection)
    }

    fn saw(&self, account: &str, kind: &str, parent: Option<&Id>, id: &str, seen: Option<Seen>) {
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

/// What a service is called in notes.
pub(super) fn account(alias: Option<&str>, connection: &Connection) -> String {
    match (alias, &connection.endpoint.contract) {
        (Some(alias), _) => alias.to_owned(),
        (None, Some(contract)) => format!("{} ({contract})", connection.endpoint.url),
        (None, None) => connection.endpoint.url.clone(),
    }
}

struct Seen {
    name: Option<String>,
    fields: Map<String, Json>,
}

fn seen_registry(registry: &Registry) -> Seen {
    let name = registry.properties.name.known().cloned();
    Seen { name, fields: plain_fields(&registry_fields(registry)) }
}

fn seen_token(token: &Token) -> Seen {
    Seen { name: token.properties.name.known().cloned(), fields: plain_fields(&token_fields(token)) }
}

/// Notes what is read.
struct Watched {
    inner: Rc<dyn Connector>,
    tape: Rc<Tape>,
}

struct WatchedApi {
    inner: Rc<dyn RegistryApi>,
    tape: Rc<Tape>,
    account: String,
}

impl Connector for Watched {
    fn connect(&self, connection: &Connection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(WatchedApi { inner, tape: Rc::clone(&self.tape), account: self.tape.account(connection) }))
    }
}

impl WatchedApi {
    fn saw(&self, kind: &str, parent: Option<&Id>, id: &str, seen: Option<Seen>) {
        self.tape.saw(&self.account, kind, parent, id, seen);
    }
}

impl RegistryReads for WatchedApi {
    fn witness(&self) -> Witness {
        self.inner.witness()
    }

    fn past(&self, registry: &Id, token: &Token) -> Option<Past> {
        self.inner.past(registry, token)
    }

    fn locations(&self) -> Answer<'_, Vec<Location>> {
        self.inner.locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            let taken = self.inner.name_taken(name).await?;
            let seen = taken.then(|| Seen { name: None, fields: Map::new() });
            self.saw("registry name", None, name, seen);
            Ok(taken)
        })
    }

    fn registries<'a>(&'a self, name: Option<&'a str>) -> Answer<'a, Vec<Registry>> {
        Box::pin(async move {
            let all = self.inner.registries(name).await?;
            for registry in &all {
                self.saw("registry", None, registry.id.shown(), Some(seen_registry(registry)));
            }
            Ok(all)
        })
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Id>> {
        Box::pin(async move {
            let found = self.inner.registry_id(name).await?;
            let seen = found.as_ref().map(|id| {
                let fields = [("id".to_owned(), Json::from(id.shown()))].into_iter().collect();
                Seen { name: None, fields }
            });
            self.saw("registry of name", None, name, seen);
            Ok(found)
        })
    }

    fn registry<'a>(&'a self, id: &'a Id) -> Answer<'a, Option<Registry>> {
        Box::pin(async move {
            let found = self.inner.registry(id).await?;
            self.saw("registry", None, id.shown(), found.as_ref().map(seen_registry));
            Ok(found)
        })
    }

    fn tokens<'a>(&'a self, registry: &'a Id) -> Answer<'a, Option<Rc<Vec<Token>>>> {
        Box::pin(async move {
            let found = self.inner.tokens(registry).await?;
            match &found {
                Some(tokens) => {
                    tokens.iter().for_each(|t| self.saw("token", Some(registry), t.id.shown(), Some(seen_token(t))));
                }
                None => self.saw("registry", None, registry.shown(), None),
            }
            Ok(found)
        })
    }

    fn token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, Option<Token>> {
        Box::pin(async move {
            let found = self.inner.token(registry, id).await?;
            self.saw("token", Some(registry), id.shown(), found.as_ref().map(seen_token));
            Ok(found)
        })
    }

    fn contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a Contents,
        query: &'a Query,
    ) -> Answer<'a, Option<Vec<Reading>>> {
        Box::pin(async move {
            let found = self.inner.contents(registry, what, query).await?;
            let (kind, parent) = match what {
                Contents::Repositories => ("repository", registry.clone()),
                Contents::Artifacts => ("artifact", registry.clone()),
                Contents::ArtifactsOf(repository) => ("artifact", Fact::Known(repository.clone())),
                Contents::Vulnerabilities { artifact, .. } => ("vulnerability", Fact::Known(artifact.clone())),
            };
            for reading in found.iter().flatten() {
                self.saw(kind, Some(&parent), reading.id.shown(), Some(Seen { name: None, fields: Map::new() }));
            }
            Ok(found)
        })
    }

    fn repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, Option<Reading>> {
        Box::pin(async move {
            let found = self.inner.repository(registry, name).await?;
            let seen = found.as_ref().map(|_| Seen { name: None, fields: Map::new() });
            self.saw("repository", Some(registry), name, seen);
            Ok(found)
        })
    }
}

/// A dry run never writes to what it watches.
fn never() -> ApiError {
    ApiError::unsent("a dry run sends no writing request")
}

impl RegistryApi for WatchedApi {
    fn create_registry<'a>(&'a self, _: &'a NewRegistry) -> Answer<'a, Registry> {
        Box::pin(async { Err(never()) })
    }

    fn patch_registry<'a>(&'a self, _: &'a Id, _: &'a RegistryPatch) -> Answer<'a, Registry> {
        Box::pin(async { Err(never()) })
    }

    fn delete_registry<'a>(&'a self, _: &'a Id) -> Answer<'a, ()> {
        Box::pin(async { Err(never()) })
    }

    fn create_token<'a>(&'a self, _: &'a Id, _: &'a NewToken) -> Answer<'a, Token> {
        Box::pin(async { Err(never()) })
    }

    fn patch_token<'a>(&'a self, _: &'a Id, _: &'a Id, _: &'a TokenPatch) -> Answer<'a, Token> {
        Box::pin(async { Err(never()) })
    }

    fn delete_token<'a>(&'a self, _: &'a Id, _: &'a Id) -> Answer<'a, ()> {
        Box::pin(async { Err(never()) })
    }

    fn delete_repository<'a>(&'a self, _: &'a Id, _: &'a str) -> Answer<'a, ()> {
        Box::pin(async { Err(never()) })
    }
}

/// Notes what would be written.
struct Noting {
    inner: Rc<dyn Connector>,
    tape: Rc<Tape>,
}

impl Connector for Noting {
    fn connect(&self, connection: &Connection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(Written { inner, watch: Rc::clone(&self.tape), account: self.tape.account(connection) }))
    }

    fn doubt(&self, task: &str) {
        self.inner.doubt(task);
    }
}

/// Sees every writing request and its answer.
pub(super) trait Watch {
    /// Whether a request may be sent.
    fn before(&self, write: &Write) -> Result<(), ApiError>;
    /// What came of it, and the id of what it made.
    fn after(&self, write: Write, failed: Option<&ApiError>, made: Option<&Id>);
    /// What stands for an id.
    fn reference(&self, id: &Id) -> String;
    /// Whether what a creation of unknown outcome has made may be removed again.
    fn taking_back(&self, removal: &Write) -> Result<(), ApiError> {
        self.before(removal)
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

/// An API whose writes are watched.
pub(super) struct Written<W> {
    pub(super) inner: Rc<dyn RegistryApi>,
    pub(super) watch: Rc<W>,
    pub(super) account: String,
}

impl<W: Watch> Written<W> {
    fn write(&self, call: &str, registry: Option<&Id>, object: Option<String>, body: Option<Json>) -> Write {
        let registry = registry.map(|id| self.watch.reference(id));
        Write { call: call.to_owned(), account: self.account.clone(), registry, object, body }
    }

    async fn send<T>(
        &self,
        write: Write,
        answer: Answer<'_, T>,
        made: impl Fn(&T) -> Option<&Id>,
    ) -> Result<T, ApiError> {
        self.watch.before(&write)?;
        let answer = answer.await;
        self.watch.after(write, answer.as_ref().err(), answer.as_ref().ok().and_then(made));
        answer
    }
}

impl<W: Watch> RegistryReads for Written<W> {
    fn witness(&self) -> Witness {
        self.inner.witness()
    }

    fn past(&self, registry: &Id, token: &Token) -> Option<Past> {
        self.inner.past(registry, token)
    }

    fn locations(&self) -> Answer<'_, Vec<Location>> {
        self.inner.locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        self.inner.name_taken(name)
    }

    fn registries<'a>(&'a self, name: Option<&'a str>) -> Answer<'a, Vec<Registry>> {
        self.inner.registries(name)
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Id>> {
        self.inner.registry_id(name)
    }

    fn registry<'a>(&'a self, id: &'a Id) -> Answer<'a, Option<Registry>> {
        self.inner.registry(id)
    }

    fn tokens<'a>(&'a self, registry: &'a Id) -> Answer<'a, Option<Rc<Vec<Token>>>> {
        self.inner.tokens(registry)
    }

    fn token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, Option<Token>> {
        self.inner.token(registry, id)
    }

    fn contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a Contents,
        query: &'a Query,
    ) -> Answer<'a, Option<Vec<Reading>>> {
        self.inner.contents(registry, what, query)
    }

    fn repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, Option<Reading>> {
        self.inner.repository(registry, name)
    }
}

impl<W: Watch> RegistryApi for Written<W> {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> Answer<'a, Registry> {
        let write = self.write("create_registry", None, None, Some(requests::new_registry(new)));
        Box::pin(self.send(write, self.inner.create_registry(new), |made| Some(&made.id)))
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> Answer<'a, Registry> {
        let write = self.write("patch_registry", Some(id), None, Some(requests::registry_patch(patch)));
        Box::pin(self.send(write, self.inner.patch_registry(id, patch), |_| None))
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> Answer<'a, ()> {
        let write = self.write("delete_registry", Some(id), None, None);
        Box::pin(self.send(write, self.inner.delete_registry(id), |()| None))
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> Answer<'a, Token> {
        let write = self.write("create_token", Some(registry), None, Some(requests::new_token(new)));
        Box::pin(self.send(write, self.inner.create_token(registry, new), |made| Some(&made.id)))
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> Answer<'a, Token> {
        let object = Some(self.watch.reference(id));
        let write = self.write("patch_token", Some(registry), object, Some(requests::token_patch(patch)));
        Box::pin(self.send(write, self.inner.patch_token(registry, id, patch), |_| None))
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, ()> {
        let write = self.write("delete_token", Some(registry), Some(self.watch.reference(id)), None);
        Box::pin(self.send(write, self.inner.delete_token(registry, id), |()| None))
    }

    fn hand_on(&self, token: &Id) {
        self.inner.hand_on(token);
    }

    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, ()> {
        let removal = self.write("delete_token", Some(registry), Some(self.watch.reference(id)), None);
        Box::pin(async move {
            self.watch.taking_back(&removal)?;
            self.inner.take_back_token(registry, id).await
        })
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, ()> {
        let write = self.write("delete_repository", Some(registry), Some(name.to_owned()), None);
        Box::pin(self.send(write, self.inner.delete_repository(registry, name), |()| None))
    }
}
