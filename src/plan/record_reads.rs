//! The API of a dry run that makes a plan, underneath: every object that is read is noted, and nothing can be written.

use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::model::plain_fields;
use super::recorder::{Seen, Tape};
use crate::ionos::api::{Answer, Id, Witness};
use crate::ionos::content::{Contents, Query, Reading};
use crate::ionos::model::{Location, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiError, Connection, Connector, Fact, Past, RegistryApi, RegistryReads};
use crate::reconcile::{registry_fields, token_fields};

fn seen_registry(registry: &Registry) -> Seen {
    let name = registry.properties.name.known().cloned();
    Seen { name, fields: plain_fields(&registry_fields(registry)) }
}

fn seen_token(token: &Token) -> Seen {
    Seen { name: token.properties.name.known().cloned(), fields: plain_fields(&token_fields(token)) }
}

/// Notes what is read.
pub(super) struct Watched {
    pub(super) inner: Rc<dyn Connector>,
    pub(super) tape: Rc<Tape>,
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

    fn successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.inner.successor(registry, replaced)
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
