//! An API whose writing requests somebody watches: the notes of a dry run, or the guard of a real one.

use std::rc::Rc;

use serde_json::Value as Json;

use super::model::Write;
use super::requests;
use crate::ionos::api::{ApiFuture, Id};
use crate::ionos::model::{NewRegistry, NewToken, Registry, RegistryPatch, Token, TokenPatch};
use crate::ionos::{ApiDecorator, ApiError, RegistryApi};

/// Sees every writing request and its answer.
pub(super) trait WriteObserver {
    /// Whether a request may be sent.
    fn before_write(&self, write: &Write) -> Result<(), ApiError>;
    /// Records the result of a write, and the id of a created object.
    fn after_write(&self, write: Write, failed: Option<&ApiError>, made: Option<&Id>);
    /// Returns the placeholder for an id.
    fn placeholder_for(&self, id: &Id) -> String;
    /// Whether the object of a creation of unknown outcome may be removed.
    fn taking_back(&self, removal: &Write) -> Result<(), ApiError> {
        self.before_write(removal)
    }
}

/// An API whose writes are watched.
pub(super) struct WriteRecordingApi<W> {
    pub(super) inner: Rc<dyn RegistryApi>,
    pub(super) watch: Rc<W>,
    pub(super) account: String,
}

impl<W: WriteObserver> WriteRecordingApi<W> {
    fn write(&self, call: &str, registry: Option<&Id>, object: Option<String>, body: Option<Json>) -> Write {
        let registry = registry.map(|id| self.watch.placeholder_for(id));
        Write { call: call.to_owned(), account: self.account.clone(), registry, object, body }
    }

    async fn send_write<T>(
        &self,
        write: Write,
        answer: ApiFuture<'_, T>,
        made: impl Fn(&T) -> Option<&Id>,
    ) -> Result<T, ApiError> {
        self.watch.before_write(&write)?;
        let answer = answer.await;
        self.watch.after_write(write, answer.as_ref().err(), answer.as_ref().ok().and_then(made));
        answer
    }
}

impl<W: WriteObserver> ApiDecorator for WriteRecordingApi<W> {
    fn inner_api(&self) -> &dyn RegistryApi {
        &*self.inner
    }
}

impl<W: WriteObserver> RegistryApi for WriteRecordingApi<W> {
    fn create_registry<'a>(&'a self, new: &'a NewRegistry) -> ApiFuture<'a, Registry> {
        let write = self.write("create_registry", None, None, Some(requests::new_registry(new)));
        Box::pin(self.send_write(write, self.inner.create_registry(new), |made| Some(&made.id)))
    }

    fn patch_registry<'a>(&'a self, id: &'a Id, patch: &'a RegistryPatch) -> ApiFuture<'a, Registry> {
        let write = self.write("patch_registry", Some(id), None, Some(requests::registry_patch(patch)));
        Box::pin(self.send_write(write, self.inner.patch_registry(id, patch), |_| None))
    }

    fn delete_registry<'a>(&'a self, id: &'a Id) -> ApiFuture<'a, ()> {
        let write = self.write("delete_registry", Some(id), None, None);
        Box::pin(self.send_write(write, self.inner.delete_registry(id), |()| None))
    }

    fn create_token<'a>(&'a self, registry: &'a Id, new: &'a NewToken) -> ApiFuture<'a, Token> {
        let write = self.write("create_token", Some(registry), None, Some(requests::new_token(new)));
        Box::pin(self.send_write(write, self.inner.create_token(registry, new), |made| Some(&made.id)))
    }

    fn patch_token<'a>(&'a self, registry: &'a Id, id: &'a Id, patch: &'a TokenPatch) -> ApiFuture<'a, Token> {
        let object = Some(self.watch.placeholder_for(id));
        let write = self.write("patch_token", Some(registry), object, Some(requests::token_patch(patch)));
        Box::pin(self.send_write(write, self.inner.patch_token(registry, id, patch), |_| None))
    }

    fn delete_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        let write = self.write("delete_token", Some(registry), Some(self.watch.placeholder_for(id)), None);
        Box::pin(self.send_write(write, self.inner.delete_token(registry, id), |()| None))
    }

    fn mark_received(&self, token: &Id) {
        self.inner.mark_received(token);
    }

    fn note_missing(&self, registry: &Id, name: &str) {
        self.inner.note_missing(registry, name);
    }

    fn take_back_token<'a>(&'a self, registry: &'a Id, id: &'a Id) -> ApiFuture<'a, ()> {
        let removal = self.write("delete_token", Some(registry), Some(self.watch.placeholder_for(id)), None);
        Box::pin(async move {
            self.watch.taking_back(&removal)?;
            let answer = self.inner.take_back_token(registry, id).await;
            // A plan has to hold the removal: what an earlier run has left is removed by a run that made nothing yet.
            self.watch.after_write(removal, answer.as_ref().err(), None);
            answer
        })
    }

    fn delete_repository<'a>(&'a self, registry: &'a Id, name: &'a str) -> ApiFuture<'a, ()> {
        let write = self.write("delete_repository", Some(registry), Some(name.to_owned()), None);
        Box::pin(self.send_write(write, self.inner.delete_repository(registry, name), |()| None))
    }
}
