//! The API of a dry run that makes a plan, underneath: every object that is read is noted, and nothing can be written.

use std::rc::Rc;

use serde_json::{Map, Value as Json};

use super::model::plain_fields;
use super::recorder::{DryRunRecorder, ObjectKey, Seen};
use crate::ionos::api::{ApiFuture, Id, Witness};
use crate::ionos::content::{Query, Reading, RegistryContents};
use crate::ionos::model::{Location, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiConnection, ApiError, Connector, Deferred, EarlierRecord, RegistryApi, RegistryReads};
use crate::reconcile::{registry_fields, token_fields};

fn seen_registry(registry: &Registry) -> Seen {
    let name = registry.properties.name.known().cloned();
    Seen { name, fields: plain_fields(&registry_fields(registry)) }
}

fn seen_token(token: &Token) -> Seen {
    Seen { name: token.properties.name.known().cloned(), fields: plain_fields(&token_fields(token)) }
}

/// Records reads.
pub(super) struct ReadRecordingConnector {
    pub(super) inner: Rc<dyn Connector>,
    pub(super) recorder: Rc<DryRunRecorder>,
}

struct ReadRecordingApi {
    inner: Rc<dyn RegistryApi>,
    recorder: Rc<DryRunRecorder>,
    account: String,
}

impl Connector for ReadRecordingConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        Ok(Rc::new(ReadRecordingApi {
            inner,
            recorder: Rc::clone(&self.recorder),
            account: self.recorder.account_of(connection),
        }))
    }
}

impl ReadRecordingApi {
    fn record_seen(&self, kind: &str, parent: Option<&Id>, id: &str, seen: Option<Seen>) {
        self.recorder.record_seen(ObjectKey { account: &self.account, kind, parent, id }, seen);
    }
}

impl RegistryReads for ReadRecordingApi {
    fn witness(&self) -> Witness {
        self.inner.witness()
    }

    fn find_earlier_record(&self, registry: &Id, token: &Token) -> Option<EarlierRecord> {
        self.inner.find_earlier_record(registry, token)
    }

    fn find_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.inner.find_successor(registry, replaced)
    }

    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>> {
        self.inner.list_locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool> {
        Box::pin(async move {
            let taken = self.inner.name_taken(name).await?;
            let seen = taken.then(|| Seen { name: None, fields: Map::new() });
            self.record_seen("registry name", None, name, seen);
            Ok(taken)
        })
    }

    fn list_registries<'a>(&'a self, name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>> {
        Box::pin(async move {
            let all = self.inner.list_registries(name).await?;
            for registry in &all {
                self.record_seen("registry", None, registry.id.display_text(), Some(seen_registry(registry)));
            }
            Ok(all)
        })
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>> {
        Box::pin(async move {
            let found = self.inner.registry_id(name).await?;
            let seen = found.as_ref().map(|id| {
                let fields = [("id".to_owned(), Json::from(id.display_text()))].into_iter().collect();
                Seen { name: None, fields }
            });
            self.record_seen("registry of name", None, name, seen);
            Ok(found)
        })
    }

    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>> {
        Box::pin(async move {
            let found = self.inner.get_registry(id).await?;
            self.record_seen("registry", None, id.display_text(), found.as_ref().map(seen_registry));
            Ok(found)
        })
    }

    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>> {
        Box::pin(async move {
            let found = self.inner.list_tokens(registry).await?;
            match &found {
                Some(tokens) => {
                    tokens.iter().for_each(|t| {
                        self.record_seen("token", Some(registry), t.id.display_text(), Some(seen_token(t)))
                    });
                }
                None => self.record_seen("registry", None, registry.display_text(), None),
            }
            Ok(found)
        })
    }

    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>> {
        Box::pin(async move {
            let found = self.inner.get_token(registry, id).await?;
            self.record_seen("token", Some(registry), id.display_text(), found.as_ref().map(seen_token));
            Ok(found)
        })
    }

    fn list_contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a RegistryContents,
        query: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>> {
        Box::pin(async move {
            let found = self.inner.list_contents(registry, what, query).await?;
            let (kind, parent) = match what {
                RegistryContents::Repositories => ("repository", registry.clone()),
                RegistryContents::Artifacts => ("artifact", registry.clone()),
                RegistryContents::ArtifactsOf(repository) => ("artifact", Deferred::Known(repository.clone())),
                RegistryContents::Vulnerabilities { artifact, .. } => {
                    ("vulnerability", Deferred::Known(artifact.clone()))
                }
            };
            for reading in found.iter().flatten() {
                self.record_seen(
                    kind,
                    Some(&parent),
                    reading.id.display_text(),
                    Some(Seen { name: None, fields: Map::new() }),
                );
            }
            Ok(found)
        })
    }

    fn get_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, Option<Reading>> {
        Box::pin(async move {
            let found = self.inner.get_repository(registry, name).await?;
            let seen = found.as_ref().map(|_| Seen { name: None, fields: Map::new() });
            self.record_seen("repository", Some(registry), name, seen);
            Ok(found)
        })
    }
}

/// A dry run never writes through this client.
fn read_only_error() -> ApiError {
    ApiError::unsent("a dry run sends no writing request")
}

impl RegistryApi for ReadRecordingApi {
    fn create_registry<'a>(&'a self, _: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn patch_registry<'a>(&'a self, _: &'a Id, _: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn delete_registry<'a>(&'a self, _: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn create_token<'a>(&'a self, _: &'a Id, _: &'a NewToken) -> ApiFuture<'a, Token> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn patch_token<'a>(&'a self, _: &'a Id, _: &'a Id, _: &'a TokenPatch) -> ApiFuture<'a, Token> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn delete_token<'a>(&'a self, _: &'a Id, _: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async { Err(read_only_error()) })
    }

    fn delete_repository<'a>(&'a self, _: &'a Id, _: &'a str) -> ApiFuture<'a, ()> {
        Box::pin(async { Err(read_only_error()) })
    }
}
