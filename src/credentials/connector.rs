//! The API with a credential store: each creation is recorded before and after, and what earlier runs have left is known.

use std::rc::Rc;

use super::backend::Durability;
use super::store::{CreationRequest, CredentialStore};
use super::{StoreError, Subject};
use crate::ionos::api::{ApiFuture, Id};
use crate::ionos::model::{NewRegistry, NewToken, OneTimePassword, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiConnection, ApiDecorator, ApiError, Connector, EarlierRecord, RegistryApi};

/// Opens connections whose new tokens are recorded.
pub struct RecordingConnector {
    inner: Rc<dyn Connector>,
    store: Rc<CredentialStore>,
}

impl RecordingConnector {
    /// Returns a connector over one that reaches the service.
    pub fn new(inner: Rc<dyn Connector>, store: Rc<CredentialStore>) -> Self {
        Self { inner, store }
    }
}

impl Connector for RecordingConnector {
    fn connect(&self, connection: &ApiConnection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        let endpoint = &connection.endpoint;
        let service = match &endpoint.contract {
            Some(contract) => format!("{} ({contract})", endpoint.url),
            None => endpoint.url.clone(),
        };
        // A power failure takes a service on this machine with it.
        let durability = if is_on_this_machine(&endpoint.url) { Durability::Process } else { Durability::Power };
        let task = connection.task.clone();
        Ok(Rc::new(Recording { inner, store: Rc::clone(&self.store), service, durability, task }))
    }

    /// A process of its own has a store of its own, if entries outlive a process.
    fn may_be_left(&self) -> bool {
        self.store.is_lasting() && self.inner.may_be_left()
    }

    fn may_run_in_parallel(&self) -> bool {
        self.inner.may_run_in_parallel()
    }

    fn hand_on(&self, token: &str) {
        self.store.refresh_others();
        self.store.take_over(token);
    }

    fn mark_uncertain(&self, task: &str) {
        self.inner.mark_uncertain(task);
    }
}

fn is_on_this_machine(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| crate::address::is_loopback(&url))
}

struct Recording {
    inner: Rc<dyn RegistryApi>,
    store: Rc<CredentialStore>,
    service: String,
    durability: Durability,
    task: Option<String>,
}

impl Recording {
    async fn record_intent(&self, registry: &Id, new: &NewToken) -> Result<u64, ApiError> {
        let request = CreationRequest {
            subject: Subject {
                service: self.service.clone(),
                registry: registry.display_text().to_owned(),
                name: new.name.display_text().to_owned(),
            },
            service_time: self.inner.witness().clock,
            replaces: new.replaces.clone(),
            task: self.task.clone(),
            sent: serde_json::to_value(new).ok(),
        };
        let number = self.store.record_intent(request).map_err(|error| refuse_creation(&error))?;
        if let Err(error) = self.store.make_durable(self.durability).await {
            self.store.close(number);
            return Err(refuse_creation(&error));
        }
        Ok(number)
    }

    /// Refuses to remove a token that another run has created, or may be creating at this moment.
    fn check_not_of_others(&self, registry: &Id, id: &Id) -> Result<(), ApiError> {
        let names = self.store.own_unclear_tokens(registry.display_text());
        let others = self.store.read_others();
        let theirs = others.iter().find(|listed| {
            let entry = &listed.entry;
            let at_work = listed.is_held && entry.is_unclear() && names.contains(&entry.subject.name);
            entry.subject.registry == registry.display_text() && (entry.id() == Some(id.display_text()) || at_work)
        });
        match theirs {
            None => Ok(()),
            Some(_) => Err(ApiError::unsent("another run of this program has created it, or is about to")),
        }
    }
}

/// A creation that is not sent, because its password could be lost.
fn refuse_creation(error: &StoreError) -> ApiError {
    ApiError::unsent(format!(
        "the request was not sent, because the password could be lost: {error}. Free space there, or name another \
         folder with `IONPLAY_STATE_DIR`; `--no-journal` runs without the credential store"
    ))
}

/// An answer that does not count, because its password could not be kept: another host makes the token again.
fn lose_password(id: &str, error: &StoreError) -> ApiError {
    let message = format!("the password of the new token could not be kept, so it is not used: {error}");
    ApiError { carried_out: Some(Some(id.to_owned())), ..ApiError::unclear(message) }
}

impl ApiDecorator for Recording {
    fn inner_api(&self) -> &dyn RegistryApi {
        &*self.inner
    }

    fn recorded_creation(&self, registry: &Id, token: &Token) -> Option<EarlierRecord> {
        self.store.find_past(registry.display_text(), token)
    }

    fn recorded_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.store.find_successor(registry.display_text(), replaced)
    }
}

impl RegistryApi for Recording {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        self.inner.create_registry(new)
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        self.inner.patch_registry(id, patch)
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.inner.delete_registry(id).await?;
            self.store.forget_removed(id.display_text(), None);
            Ok(())
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token> {
        Box::pin(async move {
            let number = self.record_intent(registry, new).await?;
            let answer = self.inner.create_token(registry, new).await;
            match &answer {
                Ok(made) => {
                    let pair = made.properties.credentials.as_ref();
                    let password = pair
                        .and_then(|pair| pair.password.known())
                        .map(OneTimePassword::expose)
                        .filter(|password| !password.is_empty());
                    match password {
                        Some(password) => {
                            let id = made.id.display_text();
                            let kept = self.store.record_created(number, id, password, self.durability).await;
                            kept.map_err(|error| lose_password(id, &error))?;
                        }
                        None => {
                            let why = "the answer has no password".to_owned();
                            self.store.record_unclear(number, why, self.inner.witness().clock);
                        }
                    }
                    self.store.settle_token(registry.display_text(), new.name.display_text(), number);
                }
                Err(error) if error.leaves_outcome_open() => {
                    self.store.record_unclear(number, error.to_string(), self.inner.witness().clock);
                }
                // A refusal created nothing.
                Err(_) => self.store.close(number),
            }
            answer
        })
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token> {
        self.inner.patch_token(registry, id, patch)
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.inner.delete_token(registry, id).await?;
            self.store.forget_removed(registry.display_text(), Some(id.display_text()));
            Ok(())
        })
    }

    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        Box::pin(async move {
            self.check_not_of_others(registry, id)?;
            self.inner.take_back_token(registry, id).await
        })
    }

    fn mark_received(&self, token: &Id) {
        self.store.take_over(token.display_text());
    }

    fn note_missing(&self, registry: &Id, name: &str) {
        self.store.forget_missing(registry.display_text(), name);
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, ()> {
        self.inner.delete_repository(registry, name)
    }
}
