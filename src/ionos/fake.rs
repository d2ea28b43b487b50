//! A small account in memory with scripted mishaps, for unit tests of what stands above the API.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::api::{ApiFuture, Id, Witness};
use super::content::{Query, Reading, RegistryContents};
use super::model::{
    Location, LoginPair, Metadata, NewRegistry, NewToken, OneTimePassword, Registry, RegistryPatch, RegistryProperties,
    Token, TokenPatch, TokenProperties,
};
use super::{ApiError, Date, Deferred, RegistryApi, RegistryReads};

/// A fault that replaces the next write.
#[derive(Debug, Clone)]
pub enum Mishap {
    /// Carried out, but the answer is lost.
    AnswerLost,
    /// Carried out, and the answer breaks off after it has said so.
    AnswerTorn,
    /// Lost on its way there.
    RequestLost,
    /// Refused.
    Refused(ApiError),
    /// No mishap.
    None,
}

/// An account.
#[derive(Default)]
pub struct Account {
    /// Registries of the account.
    pub registries: RefCell<Vec<Registry>>,
    /// Their tokens, by registry.
    pub tokens: RefCell<Vec<(Id, Token)>>,
    /// Writes that arrived.
    pub writes: Cell<u32>,
    /// Reads that arrived.
    pub reads: Cell<u32>,
    /// For the next writes.
    pub mishaps: RefCell<VecDeque<Mishap>>,
    /// Tokens that another client creates while a request of ours is lost.
    pub meanwhile: RefCell<Vec<(Id, Token)>>,
    /// Facts that the fake service reports about itself.
    pub witness: RefCell<Witness>,
}

impl Account {
    /// One registry with tokens.
    pub fn with_tokens(name: &str, tokens: &[&str]) -> Self {
        let account = Self::default();
        account.witness.borrow_mut().clock = Some(jiff::Timestamp::now());
        let id =
            account.put_registry(&NewRegistry { name: Deferred::Known(name.to_owned()), ..NewRegistry::default() }).id;
        for token in tokens {
            account.put_token(&id, &NewToken { name: Deferred::Known((*token).to_owned()), ..NewToken::default() });
        }
        account
    }

    fn new_metadata(state: &str) -> Metadata {
        Metadata {
            created_date: Deferred::Known(Some(Date::At(jiff::Timestamp::now()))),
            state: Deferred::Known(Some(state.to_owned())),
            ..Metadata::default()
        }
    }

    fn put_registry(&self, new: &NewRegistry) -> Registry {
        let mut all = self.registries.borrow_mut();
        let registry = Registry {
            id: Deferred::Known(format!("00000000-0000-4000-8000-{:012}", all.len() + 1)),
            kind: Some("registry".to_owned()),
            metadata: Self::new_metadata("Running"),
            properties: RegistryProperties {
                name: new.name.clone(),
                location: new.location.clone(),
                features: new.features.clone().map_or(Deferred::Known(None), |f| f.map(Some)),
                garbage_collection_schedule: new
                    .garbage_collection_schedule
                    .clone()
                    .map_or(Deferred::Known(None), |s| s.map(Some)),
                ..RegistryProperties::default()
            },
            ..Registry::default()
        };
        all.push(registry.clone());
        registry
    }

    /// A token is there.
    pub fn put_token(&self, registry: &Id, new: &NewToken) -> Token {
        let token = self.token_of(new, 0);
        self.tokens.borrow_mut().push((registry.clone(), token.clone()));
        token
    }

    /// The names of its tokens.
    pub fn token_names(&self) -> Vec<String> {
        self.tokens.borrow().iter().map(|(_, token)| token.properties.name.display_text().to_owned()).collect()
    }

    /// A token that is not there yet, behind so many others.
    pub fn token_of(&self, new: &NewToken, ahead: usize) -> Token {
        Token {
            id: Deferred::Known(format!("00000000-0000-4000-9000-{:012}", self.tokens.borrow().len() + ahead + 1)),
            kind: Some("token".to_owned()),
            metadata: Self::new_metadata("enabled"),
            properties: TokenProperties {
                name: new.name.clone(),
                status: new.status.clone().map_or(Deferred::Known(Some("enabled".to_owned())), |s| s.map(Some)),
                expiry_date: new.expiry_date.clone().unwrap_or_default(),
                scopes: new.scopes.clone().map_or(Deferred::Known(None), |s| s.map(Some)),
                credentials: Some(LoginPair { username: new.name.clone(), password: Deferred::default() }),
            },
            ..Token::default()
        }
    }

    fn write<T>(&self, carry_out: impl FnOnce() -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.writes.set(self.writes.get() + 1);
        let mishap = self.mishaps.borrow_mut().pop_front().unwrap_or(Mishap::None);
        match mishap {
            Mishap::None => carry_out(),
            Mishap::AnswerLost => carry_out().and_then(|_| Err(ApiError::unclear("the answer was lost"))),
            Mishap::AnswerTorn => {
                carry_out()?;
                Err(ApiError { carried_out: Some(None), ..ApiError::unclear("the answer broke off") })
            }
            Mishap::RequestLost => {
                self.tokens.borrow_mut().append(&mut self.meanwhile.borrow_mut());
                Err(ApiError::unclear("the answer was lost"))
            }
            Mishap::Refused(error) => Err(error),
        }
    }

    fn read(&self) {
        self.reads.set(self.reads.get() + 1);
    }
}

fn not_found() -> ApiError {
    ApiError::refused(404, "no such thing")
}

impl RegistryReads for Account {
    fn witness(&self) -> Witness {
        self.witness.borrow().clone()
    }

    fn list_locations(&self) -> ApiFuture<'_, Vec<Location>> {
        Box::pin(async { Ok(vec![Location { id: "de/fra".to_owned() }]) })
    }

    fn name_taken<'a>(&'a self, name: &'a str) -> ApiFuture<'a, bool> {
        Box::pin(async move {
            self.read();
            Ok(self.registries.borrow().iter().any(|r| r.properties.name.display_text() == name))
        })
    }

    fn list_registries<'a>(&'a self, _name: Option<&'a str>) -> ApiFuture<'a, Vec<Registry>> {
        Box::pin(async move {
            self.read();
            Ok(self.registries.borrow().clone())
        })
    }

    fn registry_id<'a>(&'a self, name: &'a str) -> ApiFuture<'a, Option<Id>> {
        Box::pin(async move {
            self.read();
            let all = self.registries.borrow();
            Ok(all.iter().find(|r| r.properties.name.display_text() == name).map(|r| r.id.clone()))
        })
    }

    fn get_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, Option<Registry>> {
        Box::pin(async move {
            self.read();
            Ok(self.registries.borrow().iter().find(|r| r.id == *id).cloned())
        })
    }

    fn list_tokens<'a>(&'a self, registry: &'a Id) -> ApiFuture<'a, Option<Rc<Vec<Token>>>> {
        Box::pin(async move {
            self.read();
            if !self.registries.borrow().iter().any(|r| r.id == *registry) {
                return Ok(None);
            }
            let all = self.tokens.borrow();
            Ok(Some(Rc::new(all.iter().filter(|(owner, _)| owner == registry).map(|(_, t)| t.clone()).collect())))
        })
    }

    fn get_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, Option<Token>> {
        Box::pin(async move {
            self.read();
            let all = self.tokens.borrow();
            Ok(all.iter().find(|(owner, t)| owner == registry && t.id == *id).map(|(_, t)| t.clone()))
        })
    }

    fn list_contents<'a>(
        &'a self,
        _: &'a Id,
        _: &'a RegistryContents,
        _: &'a Query,
    ) -> ApiFuture<'a, Option<Vec<Reading>>> {
        Box::pin(async { Ok(Some(Vec::new())) })
    }

    fn get_repository<'a>(&'a self, _: &'a Id, _: &'a str) -> ApiFuture<'a, Option<Reading>> {
        Box::pin(async { Ok(None) })
    }
}

impl RegistryApi for Account {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        Box::pin(async move { self.write(|| Ok(self.put_registry(new))) })
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        Box::pin(async move {
            self.write(|| {
                let mut all = self.registries.borrow_mut();
                let registry = all.iter_mut().find(|r| r.id == *id).ok_or_else(not_found)?;
                if let Some(schedule) = &patch.garbage_collection_schedule {
                    registry.properties.garbage_collection_schedule = schedule.clone().map(Some);
                }
                if let Some(features) = &patch.features {
                    registry.properties.features = features.clone().map(Some);
                }
                if let Some(list) = &patch.api_subnet_allow_list {
                    registry.properties.api_subnet_allow_list = list.clone().map(Some);
                }
                Ok(registry.clone())
            })
        })
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.write(|| {
                self.registries.borrow_mut().retain(|r| r.id != *id);
                Ok(())
            })
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            self.write(|| {
                let name = new.name.display_text();
                if self
                    .tokens
                    .borrow()
                    .iter()
                    .any(|(owner, t)| owner == registry && t.properties.name.display_text() == name)
                {
                    return Err(ApiError::refused(409, "name is in use"));
                }
                let mut token = self.put_token(registry, new);
                let password = Deferred::Known(OneTimePassword::new("only-shown-here"));
                token.properties.credentials = Some(LoginPair { username: new.name.clone(), password });
                Ok(token)
            })
        })
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            self.write(|| {
                let mut all = self.tokens.borrow_mut();
                let (_, token) = all.iter_mut().find(|(o, t)| o == registry && t.id == *id).ok_or_else(not_found)?;
                if let Some(expiry) = &patch.expiry_date {
                    token.properties.expiry_date = expiry.clone();
                }
                if let Some(scopes) = &patch.scopes {
                    token.properties.scopes = scopes.clone().map(Some);
                }
                if let Some(status) = &patch.status {
                    token.properties.status = status.clone().map(Some);
                }
                Ok(token.clone())
            })
        })
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.write(|| {
                let mut all = self.tokens.borrow_mut();
                let before = all.len();
                all.retain(|(owner, t)| owner != registry || t.id != *id);
                if all.len() == before { Err(not_found()) } else { Ok(()) }
            })
        })
    }

    fn delete_repository<'a>(&'a self, _: &'a Id, _: &'a str) -> ApiFuture<'a, ()> {
        Box::pin(async { Err(not_found()) })
    }
}
