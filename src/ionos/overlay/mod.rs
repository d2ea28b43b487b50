//! The world of check mode: reads pass through, writes stay in memory, later reads see them.
//!
//! No writing request is ever sent from here: there is no line that passes a write on. What only the service can say
//! (ids, passwords, host names, who made it when) is unknown; what its description says about defaults is assumed.

mod planned;
mod world;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use planned::{planned_registry, planned_token};
pub use world::PlannedObjects;

use crate::ionos::api::{ApiFuture, Id, Witness};
use crate::ionos::content::{Query, Reading, RegistryContents};
use crate::ionos::model::{Location, NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiConnection, ApiError, Connector, Deferred, EarlierRecord, RegistryApi, RegistryReads};

/// Opens predicting connections over real ones.
///
/// There is one world for all connections to one service and contract: every reader sees what any task would have
/// done.
pub struct OverlayConnector {
    inner: Rc<dyn Connector>,
    worlds: RefCell<HashMap<Account, Rc<PlannedObjects>>>,
    doubt: Rc<RefCell<Option<String>>>,
}

/// Base URL and contract.
type Account = (String, Option<String>);

impl OverlayConnector {
    /// A dry run over what `inner` reads.
    pub fn new(inner: Rc<dyn Connector>) -> Self {
        Self { inner, worlds: RefCell::default(), doubt: Rc::default() }
    }
}

impl Connector for OverlayConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        let key = (connection.endpoint.url.clone(), connection.endpoint.contract.clone());
        let world = Rc::clone(self.worlds.borrow_mut().entry(key).or_default());
        match &*self.doubt.borrow() {
            None => Ok(Rc::new(Overlay { inner, world })),
            Some(task) => {
                Err(ApiError::undetermined(format!("what task \"{task}\" does, which may change what is there")))
            }
        }
    }

    fn mark_uncertain(&self, task: &str) {
        self.doubt.borrow_mut().get_or_insert_with(|| task.to_owned());
    }
}

/// The API as it would be.
pub struct Overlay {
    inner: Rc<dyn RegistryApi>,
    world: Rc<PlannedObjects>,
}

/// Somebody asks about an object that this world has not planned.
fn unheard_of(id: &Id, what: &str) -> Result<(), ApiError> {
    match id {
        Deferred::Known(_) => Ok(()),
        Deferred::Unknown(unknown) => {
            Err(ApiError::undetermined(format!("the {what}: {}", unknown.describe_missing())))
        }
    }
}

impl RegistryReads for Overlay {
    fn witness(&self) -> Witness {
        self.inner.witness()
    }

    fn find_earlier_record(&self, registry: &Id, token: &Token) -> Option<EarlierRecord> {
        // A token that this run would create has no record from an earlier run.
        if token.id.is_unknown() { None } else { self.inner.find_earlier_record(registry, token) }
    }

    fn find_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.inner.find_successor(registry, replaced)
    }

    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>> {
        self.inner.list_locations()
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool> {
        Box::pin(async move {
            let named = |registry: &&Registry| registry.properties.name.known().is_some_and(|known| known == name);
            if self.world.registries.borrow().iter().any(|registry| named(&registry)) {
                return Ok(true);
            }
            if !self.inner.name_taken(name).await? {
                return Ok(false);
            }
            // It is taken, unless by a registry that would be gone by now.
            if self.world.gone_registries.borrow().is_empty() {
                return Ok(true);
            }
            let holder = self.inner.registry_id(name).await?;
            Ok(!holder.is_some_and(|id| self.world.is_registry_gone(&id)))
        })
    }

    fn list_registries<'a>(&'a self, name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>> {
        Box::pin(async move { Ok(self.world.registries_over(self.inner.list_registries(name).await?)) })
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>> {
        Box::pin(async move {
            let planned = {
                let all = self.world.registries.borrow();
                let found = all.iter().find(|r| r.properties.name.known().is_some_and(|known| known == name));
                found.map(|registry| registry.id.clone())
            };
            if planned.is_some() {
                return Ok(planned);
            }
            let found = self.inner.registry_id(name).await?;
            Ok(found.filter(|id| !self.world.is_registry_gone(id)))
        })
    }

    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>> {
        Box::pin(async move {
            if self.world.is_registry_gone(id) {
                return Ok(None);
            }
            if let Some(registry) = self.world.planned_registry(id) {
                return Ok(Some(registry));
            }
            unheard_of(id, "registry")?;
            self.inner.get_registry(id).await
        })
    }

    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>> {
        Box::pin(async move {
            if self.world.is_registry_gone(registry) {
                return Ok(None);
            }
            if registry.is_unknown() {
                if self.world.planned_registry(registry).is_none() {
                    unheard_of(registry, "registry")?;
                }
                return Ok(Some(Rc::new(self.world.tokens_over(registry, &[]))));
            }
            let observed = self.inner.list_tokens(registry).await?;
            Ok(observed.map(|tokens| Rc::new(self.world.tokens_over(registry, &tokens))))
        })
    }

    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>> {
        Box::pin(async move {
            if self.world.is_registry_gone(registry) || self.world.is_token_gone(registry, id) {
                return Ok(None);
            }
            if let Some(token) = self.world.planned_token(registry, id) {
                return Ok(Some(token));
            }
            unheard_of(id, "token")?;
            if registry.is_unknown() {
                // Only what a dry run has planned can be in a registry that it has planned.
                return if self.world.planned_registry(registry).is_some() {
                    Ok(None)
                } else {
                    unheard_of(registry, "registry").map(|()| None)
                };
            }
            self.inner.get_token(registry, id).await
        })
    }

    fn list_contents<'a>(
        &'a self,
        registry: &'a Id,
        what: &'a RegistryContents,
        query: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>> {
        Box::pin(async move {
            if self.world.is_registry_gone(registry)
                || what.repository().is_some_and(|name| self.world.is_repository_gone(registry, name))
            {
                return Ok(None);
            }
            if registry.is_unknown() {
                if self.world.planned_registry(registry).is_none() {
                    unheard_of(registry, "registry")?;
                }
                // A registry that does not exist yet has no contents.
                return Ok(what.repository().is_none().then(Vec::new));
            }
            let mut found = self.inner.list_contents(registry, what, query).await?;
            if let Some(list) = &mut found {
                list.retain(|reading| {
                    let home = match what {
                        RegistryContents::Repositories => reading.id.known().map(String::as_str),
                        RegistryContents::Artifacts => {
                            reading.json.pointer("/properties/repositoryName").and_then(|n| n.as_str())
                        }
                        _ => None,
                    };
                    !home.is_some_and(|name| self.world.is_repository_gone(registry, name))
                });
            }
            Ok(found)
        })
    }

    fn get_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, Option<Reading>> {
        Box::pin(async move {
            if self.world.is_registry_gone(registry) || self.world.is_repository_gone(registry, name) {
                return Ok(None);
            }
            if registry.is_unknown() {
                if self.world.planned_registry(registry).is_none() {
                    unheard_of(registry, "registry")?;
                }
                return Ok(None);
            }
            self.inner.get_repository(registry, name).await
        })
    }
}

impl RegistryApi for Overlay {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        Box::pin(async move {
            if let Some(name) = new.name.known()
                && self.name_taken(name).await?
            {
                return Err(ApiError::refused(409, format!("the registry name `{name}` is taken")));
            }
            let registry = planned_registry(new);
            self.world.put_registry(registry.clone());
            Ok(registry)
        })
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        Box::pin(async move {
            let mut registry = self.get_registry(id).await?.ok_or_else(|| missing_error("registry"))?;
            let have = &mut registry.properties;
            if let Some(schedule) = &patch.garbage_collection_schedule {
                have.garbage_collection_schedule = schedule.clone().map(Some);
            }
            if let Some(features) = &patch.features {
                have.features = features.clone().map(Some);
            }
            if let Some(list) = &patch.api_subnet_allow_list {
                have.api_subnet_allow_list = list.clone().map(Some);
            }
            self.world.put_registry(registry.clone());
            Ok(registry)
        })
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.get_registry(id).await?.ok_or_else(|| missing_error("registry"))?;
            self.world.registries.borrow_mut().retain(|registry| registry.id != *id);
            self.world.tokens.borrow_mut().retain(|(owner, _)| owner != id);
            self.world.gone_registries.borrow_mut().push(id.clone());
            Ok(())
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            let tokens = self.list_tokens(registry).await?.ok_or_else(|| missing_error("registry"))?;
            if let Some(name) = new.name.known()
                && tokens.iter().any(|token| token.properties.name.known() == Some(name))
            {
                return Err(ApiError::refused(409, format!("the token name `{name}` is in use")));
            }
            let token = planned_token(new);
            self.world.put_token(registry, token.clone());
            Ok(token)
        })
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            let mut token = self.get_token(registry, id).await?.ok_or_else(|| missing_error("token"))?;
            let have = &mut token.properties;
            if let Some(expiry) = &patch.expiry_date {
                have.expiry_date = expiry.clone();
            }
            if let Some(scopes) = &patch.scopes {
                have.scopes = scopes.clone().map(Some);
            }
            if let Some(status) = &patch.status {
                have.status = status.clone().map(Some);
                token.metadata.state = have.status.clone();
            }
            self.world.put_token(registry, token.clone());
            Ok(token)
        })
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.get_token(registry, id).await?.ok_or_else(|| missing_error("token"))?;
            self.world.tokens.borrow_mut().retain(|(owner, token)| owner != registry || token.id != *id);
            self.world.gone_tokens.borrow_mut().push((registry.clone(), id.clone()));
            Ok(())
        })
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.get_repository(registry, name).await?.ok_or_else(|| missing_error("repository"))?;
            if name.contains('/') {
                // The description forbids the slash in this one call; the effect at the service is unknown.
                return Err(ApiError::undetermined(format!(
                    "whether the API removes a repository whose name has a slash (`{name}`); its description allows none there"
                )));
            }
            self.world.gone_repositories.borrow_mut().push((registry.clone(), name.to_owned()));
            Ok(())
        })
    }
}

fn missing_error(what: &str) -> ApiError {
    ApiError::refused(404, format!("there is no such {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::fake;

    fn known(text: &str) -> Id {
        Deferred::Known(text.to_owned())
    }

    fn new_registry(name: &str) -> NewRegistry {
        NewRegistry { name: known(name), location: known("de/fra"), ..NewRegistry::default() }
    }

    fn new_token(name: &str) -> NewToken {
        NewToken { name: known(name), ..NewToken::default() }
    }

    fn over(account: fake::Account) -> (Overlay, Rc<fake::Account>) {
        let account = Rc::new(account);
        let inner: Rc<dyn RegistryApi> = account.clone();
        (Overlay { inner, world: Rc::default() }, account)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_empty_account_is_played_through_without_a_write() {
        let (api, account) = over(fake::Account::default());
        let registry = api.create_registry(&new_registry("demo")).await.unwrap();
        assert!(registry.id.is_unknown());
        assert_eq!(api.registry_id("demo").await.unwrap(), Some(registry.id.clone()));
        let token = api.create_token(&registry.id, &new_token("ci")).await.unwrap();
        assert!(token.properties.credentials.unwrap().password.is_unknown());
        assert_eq!(api.list_tokens(&registry.id).await.unwrap().unwrap().len(), 1);
        api.delete_token(&registry.id, &token.id).await.unwrap();
        assert_eq!(api.list_tokens(&registry.id).await.unwrap().unwrap().len(), 0);
        assert_eq!(api.get_token(&registry.id, &token.id).await.unwrap(), None);
        api.delete_registry(&registry.id).await.unwrap();
        assert_eq!(api.list_tokens(&registry.id).await.unwrap(), None);
        assert!(!api.name_taken("demo").await.unwrap());
        assert_eq!(account.writes.get(), 0);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn conflicts_are_foretold() {
        let (api, _) = over(fake::Account::with_tokens("demo", &["ci"]));
        let id = api.registry_id("demo").await.unwrap().unwrap();
        assert!(api.create_registry(&new_registry("demo")).await.unwrap_err().is_conflict());
        assert!(api.create_token(&id, &new_token("ci")).await.unwrap_err().is_conflict());
        api.create_token(&id, &new_token("new")).await.unwrap();
        assert!(api.create_token(&id, &new_token("new")).await.unwrap_err().is_conflict());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn what_is_there_is_changed_and_removed_in_memory_only() {
        let (api, account) = over(fake::Account::with_tokens("demo", &["ci", "cd"]));
        let registry = api.registry_id("demo").await.unwrap().unwrap();
        let id = api.list_tokens(&registry).await.unwrap().unwrap()[0].id.clone();
        let patch = TokenPatch { status: Some(known("disabled")), ..TokenPatch::default() };
        api.patch_token(&registry, &id, &patch).await.unwrap();
        let seen = api.get_token(&registry, &id).await.unwrap().unwrap();
        assert_eq!(seen.properties.status, Deferred::Known(Some("disabled".to_owned())));
        api.delete_token(&registry, &id).await.unwrap();
        assert_eq!(api.list_tokens(&registry).await.unwrap().unwrap().len(), 1);
        // The name is free again.
        api.create_token(&registry, &new_token("ci")).await.unwrap();
        api.delete_registry(&registry).await.unwrap();
        api.create_registry(&new_registry("demo")).await.unwrap();
        let again = api.registry_id("demo").await.unwrap().unwrap();
        assert!(api.list_tokens(&again).await.unwrap().unwrap().is_empty());
        assert_eq!(account.writes.get(), 0);
        assert_eq!(account.list_tokens(&registry).await.unwrap().unwrap().len(), 2);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_stranger_s_unknown_is_undetermined() {
        let (api, _) = over(fake::Account::default());
        let error = api.list_tokens(&Deferred::known_after("something else")).await.unwrap_err();
        assert_eq!(error.kind, crate::ionos::error::ErrorKind::Undetermined);
    }
}
