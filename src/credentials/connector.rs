//! The API with a journal: what it makes is noted before and after, and what earlier runs have left is known.

use std::rc::Rc;

use super::{Journal, Subject};
use crate::ionos::api::{Answer, Id};
use crate::ionos::error::ErrorKind;
use crate::ionos::model::{NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiError, Connection, Connector, Layer, Past, RegistryApi};

/// Opens connections whose new tokens are journalled.
pub struct JournalledConnector {
    inner: Rc<dyn Connector>,
    journal: Rc<Journal>,
}

impl JournalledConnector {
    /// Over connections that reach the service.
    pub fn new(inner: Rc<dyn Connector>, journal: Rc<Journal>) -> Self {
        Self { inner, journal }
    }
}

impl Connector for JournalledConnector {
    fn connect(&self, connection: &Connection) -> Result<Rc<dyn RegistryApi>, ApiError> {
        let inner = self.inner.connect(connection)?;
        let endpoint = &connection.endpoint;
        let service = match &endpoint.contract {
            Some(contract) => format!("{} ({contract})", endpoint.url),
            None => endpoint.url.clone(),
        };
        // A power failure takes a service on this machine with it.
        let near =
            ["http://127.", "http://localhost", "http://[::1]"].iter().any(|host| endpoint.url.starts_with(host));
        Ok(Rc::new(Journalled { inner, journal: Rc::clone(&self.journal), service, durable: !near }))
    }

    /// A process of its own has a journal of its own.
    fn may_be_left(&self) -> bool {
        true
    }

    fn hand_on(&self, token: &str) {
        self.journal.meet(token);
    }

    fn doubt(&self, task: &str) {
        self.inner.doubt(task);
    }
}

struct Journalled {
    inner: Rc<dyn RegistryApi>,
    journal: Rc<Journal>,
    service: String,
    durable: bool,
}

impl Journalled {
    fn subject(&self, registry: &Id, name: &str) -> Subject {
        Subject { service: self.service.clone(), registry: registry.shown().to_owned(), name: name.to_owned() }
    }
}

impl Layer for Journalled {
    fn beneath(&self) -> &dyn RegistryApi {
        &*self.inner
    }

    fn left_behind(&self, registry: &Id, token: &Token) -> Option<Past> {
        let created = token.metadata.created_date.known().and_then(Option::as_ref);
        self.journal.past(&self.subject(registry, token.properties.name.shown()), token.id.shown(), created)
    }
}

impl RegistryApi for Journalled {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> Answer<'a, Registry> {
        self.inner.create_registry(new)
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> Answer<'a, Registry> {
        self.inner.patch_registry(id, patch)
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> Answer<'a, ()> {
        Box::pin(async move {
            self.inner.delete_registry(id).await?;
            self.journal.gone(&self.service, id.shown(), None);
            Ok(())
        })
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> Answer<'a, Token> {
        Box::pin(async move {
            let subject = self.subject(registry, new.name.shown());
            let number = self.journal.ask(&subject, self.durable);
            let answer = self.inner.create_token(registry, new).await;
            if answer.is_ok() {
                self.journal.settle(&subject);
            }
            let Some(number) = number else { return answer };
            let told = answer.as_ref().ok().and_then(|made| {
                let password = made.properties.credentials.as_ref()?.password.known()?.expose();
                (!password.is_empty()).then(|| (made.id.shown(), password))
            });
            match (told, &answer) {
                (Some((id, password)), _) => self.journal.answered(number, id, password, self.durable),
                (None, Err(error)) if error.kind == ErrorKind::Unclear => self.journal.doubt(number),
                // No password was told, or a failure that the run itself tells.
                (None, _) => self.journal.close(number),
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
            self.journal.gone(&self.service, registry.shown(), Some(id.shown()));
            Ok(())
        })
    }

    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> Answer<'a, ()> {
        self.inner.take_back_token(registry, id)
    }

    fn hand_on(&self, token: &Id) {
        self.journal.hand_on(token.shown());
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> Answer<'a, ()> {
        self.inner.delete_repository(registry, name)
    }
}
