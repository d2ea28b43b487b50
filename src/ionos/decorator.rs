//! An API over another one that only its writes, or what earlier runs have left, make different.

use std::rc::Rc;

use super::api::{ApiFuture, Id, Witness};
use super::content::{Query, Reading, RegistryContents};
use super::model::{Location, Registry, Token};
use super::{EarlierRecord, RegistryApi, RegistryReads};

/// Forwards reads to the inner API.
pub trait ApiDecorator {
    /// Where the answers come from.
    fn inner_api(&self) -> &dyn RegistryApi;

    /// Returns an earlier run's record of this token, if there is one.
    fn recorded_creation(&self, registry: &Id, token: &Token) -> Option<EarlierRecord> {
        self.inner_api().find_earlier_record(registry, token)
    }

    /// Returns the token that an earlier run has made to replace this one.
    fn recorded_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.inner_api().find_successor(registry, replaced)
    }
}

impl<L: ApiDecorator> RegistryReads for L {
    fn witness(&self) -> Witness {
        self.inner_api().witness()
    }

    fn find_earlier_record(&self, registry: &Id, token: &Token) -> Option<EarlierRecord> {
        self.recorded_creation(registry, token)
    }

    fn find_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.recorded_successor(registry, replaced)
    }

    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>> {
        self.inner_api().list_locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool> {
        self.inner_api().name_taken(name)
    }

    fn list_registries<'a>(&'a self, name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>> {
        self.inner_api().list_registries(name)
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>> {
        self.inner_api().registry_id(name)
    }

    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>> {
        self.inner_api().get_registry(id)
    }

    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>> {
        self.inner_api().list_tokens(registry)
    }

    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>> {
        self.inner_api().get_token(registry, id)
    }

    fn list_contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a RegistryContents,
        query: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>> {
        self.inner_api().list_contents(registry, what, query)
    }

    fn get_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, Option<Reading>> {
        self.inner_api().get_repository(registry, name)
    }
}
