//! The API with a credential store: each creation is recorded before and after, and what earlier runs have left is known.

use std::rc::Rc;

use super::backend::Durability;
use super::store::{CredentialStore, Request};
use super::{StoreError, Subject};
use crate::ionos::api::{Answer, Id};
use crate::ionos::model::{NewRegistry, NewToken, Password, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiError, Connection, Connector, Layer, Past, RegistryApi};

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
    fn connect(&self, connection: &Connection) -> Result<Rc<dyn RegistryApi>, ApiError> {
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

    fn hand_on(&self, token: &str) {
        self.store.refresh();
        self.store.take_over(token);
    }

    fn doubt(&self, task: &str) {
        self.inner.doubt(task);
    }
}

fn is_on_this_machine(url: &str) -> bool {
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

struct Recording {
    inner: Rc<dyn RegistryApi>,
    store: Rc<CredentialStore>,
    service: String,
    durability: Durability,
    task: Option<String>,
}

impl Recording {
    fn record_intent(&self, registry: &Id, new: &NewToken) -> Result<u64, ApiError> {
        let request = Request {
            subject: Subject {
                service: self.service.clone(),
                registry: registry.shown().to_owned(),
                name: new.name.shown().to_owned(),
            },
            service_time: self.inner.witness().clock,
            replaces: new.replaces.clone(),
            task: self.task.clone(),
            sent: serde_json::to_value(new).ok(),
            durability: self.durability,
        };
        self.store.record_intent(request).map_err(|error| refusal(&error))
    }

    /// Refuses to remove a token that another run has created, or may be creating at this moment.
    fn check_not_of_others(&self, registry: &Id, id: &Id) -> Result<(), ApiError> {
        let names = self.store.own_unclear(registry.shown());
        let others = self.store.read_others();
        let theirs = others.iter().find(|listed| {
            let entry = &listed.entry;
            let at_work = listed.is_held && entry.is_unclear() && names.contains(&entry.subject.name);
            entry.subject.registry == registry.shown() && (entry.id() == Some(id.shown()) || at_work)
        });
        match theirs {
            None => Ok(()),
            Some(_) => Err(ApiError::unsent("another run of this program has created it, or is about to")),
        }
    }
}

/// A creation that is not sent, because its password could be lost.
fn refusal(error: &StoreError) -> ApiError {
    ApiError::unsent(format!(
        "the request was not sent, because the password could be lost: {error}. Make room there, or name another folder with \
         `IONPLAY_STATE_DIR`; `--no-journal` goes on without the credential store"
    ))
}

impl Layer for Recording {
    fn beneath(&self) -> &dyn RegistryApi {
        &*self.inner
    }

    fn left_behind(&self, registry: &Id, token: &Token) -> Option<Past> {
        self.store.find_past(registry.shown(), token)
    }

    fn left_successor(&self, registry: &Id, replaced: &str) -> Option<String> {
        self.store.find_successor(registry.shown(), replaced)
    }
}

impl RegistryApi for Recording {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> Answer<'a, Registry> {
        self.inner.create_registry(new)
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> Answer<'a, Registry> {
        self.inner.patch_registry(id, patch)
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> Answer<'a, ()> {
        Box::pin(async move {
            self.inner.delete_registry(id).await?;
            self.store.forget_removed(id.shown(), None);
            Ok(())
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> Answer<'a, Token> {
        Box::pin(async move {
            let number = self.record_intent(registry, new)?;
            let answer = self.inner.create_token(registry, new).await;
            match &answer {
                Ok(made) => {
                    let pair = made.properties.credentials.as_ref();
                    let password = pair
                        .and_then(|pair| pair.password.known())
                        .map(Password::expose)
                        .filter(|password| !password.is_empty());
                    match password {
                        Some(password) => {
                            self.store.record_created(number, made.id.shown(), password, self.durability);
                        }
                        None => {
                            let why = "the answer has no password".to_owned();
                            self.store.record_unclear(number, why, self.inner.witness().clock);
                        }
                    }
                    self.store.settle(registry.shown(), new.name.shown(), number);
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

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> Answer<'a, Token> {
        self.inner.patch_token(registry, id, patch)
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, ()> {
        Box::pin(async move {
            self.inner.delete_token(registry, id).await?;
            self.store.forget_removed(registry.shown(), Some(id.shown()));
            Ok(())
        })
    }

    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, ()> {
        Box::pin(async move {
            self.check_not_of_others(registry, id)?;
            self.inner.take_back_token(registry, id).await
        })
    }

    fn hand_on(&self, token: &Id) {
        self.store.take_over(token.shown());
    }

    fn note_missing(&self, registry: &Id, name: &str) {
        self.store.forget_missing(registry.shown(), name);
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, ()> {
        self.inner.delete_repository(registry, name)
    }
}
