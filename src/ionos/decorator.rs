//! An API over another one that only its writes, or what earlier runs have left, make different.

use std::rc::Rc;

use super::api::{Answer, Id, Witness};
use super::content::{Contents, Query, Reading};
use super::model::{Location, Registry, Token};
use super::{Past, RegistryApi, RegistryReads};

/// Forwards reads to the inner API.
pub trait Layer {
    /// Where the answers come from.
    fn beneath(&self) -> &dyn RegistryApi;

    /// Returns an earlier run's record of this token, if there is one.
    fn left_behind(&self, registry: &Id, token: &Token) -> Option<Past> {
        self.beneath().past(registry, token)
    }

    /// Returns the token that an earlier run has made to replace this one.
    fn left_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.beneath().successor(registry, replaced)
    }
}

impl<L: Layer> RegistryReads for L {
    fn witness(&self) -> Witness {
        self.beneath().witness()
    }

    fn past(&self, registry: &Id, token: &Token) -> Option<Past> {
        self.left_behind(registry, token)
    }

    fn successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.left_successor(registry, replaced)
    }

    fn locations(&self) -> Answer<'_, Vec<Location>> {
        self.beneath().locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        self.beneath().name_taken(name)
    }

    fn registries<'a>(&'a self, name: Option<&'a str>) -> Answer<'a, Vec<Registry>> {
        self.beneath().registries(name)
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> Answer<'a, Option<Id>> {
        self.beneath().registry_id(name)
    }

    fn registry<'a>(&'a self, id: &'a Id) -> Answer<'a, Option<Registry>> {
        self.beneath().registry(id)
    }

    fn tokens<'a>(&'a self, registry: &'a Id) -> Answer<'a, Option<Rc<Vec<Token>>>> {
        self.beneath().tokens(registry)
    }

    fn token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, Option<Token>> {
        self.beneath().token(registry, id)
    }

    fn contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a Contents,
        query: &'a Query,
    ) -> Answer<'a, Option<Vec<Reading>>> {
        self.beneath().contents(registry, what, query)
    }

    fn repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, Option<Reading>> {
        self.beneath().repository(registry, name)
    }
}
