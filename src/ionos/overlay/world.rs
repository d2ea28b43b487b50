//! What a dry run has come to so far: objects that would be there, and those that would not.

use std::cell::RefCell;

use crate::ionos::api::Id;
use crate::ionos::model::{Registry, Token};

/// Predicted changes so far.
#[derive(Default)]
pub struct PlannedObjects {
    pub(super) registries: RefCell<Vec<Registry>>,
    pub(super) gone_registries: RefCell<Vec<Id>>,
    pub(super) tokens: RefCell<Vec<(Id, Token)>>,
    pub(super) gone_tokens: RefCell<Vec<(Id, Id)>>,
    pub(super) gone_repositories: RefCell<Vec<(Id, String)>>,
}

impl PlannedObjects {
    pub(super) fn planned_registry(&self, id: &Id) -> Option<Registry> {
        self.registries.borrow().iter().find(|registry| registry.id == *id).cloned()
    }

    pub(super) fn is_registry_gone(&self, id: &Id) -> bool {
        self.gone_registries.borrow().contains(id)
    }

    pub(super) fn put_registry(&self, registry: Registry) {
        let mut all = self.registries.borrow_mut();
        match all.iter_mut().find(|known| known.id == registry.id) {
            Some(known) => *known = registry,
            None => all.push(registry),
        }
    }

    pub(super) fn planned_token(&self, registry: &Id, id: &Id) -> Option<Token> {
        let all = self.tokens.borrow();
        all.iter().find(|(owner, token)| owner == registry && token.id == *id).map(|(_, token)| token.clone())
    }

    pub(super) fn is_token_gone(&self, registry: &Id, id: &Id) -> bool {
        self.gone_tokens.borrow().iter().any(|(owner, gone)| owner == registry && gone == id)
    }

    pub(super) fn is_repository_gone(&self, registry: &Id, name: &str) -> bool {
        self.gone_repositories.borrow().iter().any(|(owner, gone)| owner == registry && gone == name)
    }

    pub(super) fn put_token(&self, registry: &Id, token: Token) {
        let mut all = self.tokens.borrow_mut();
        match all.iter_mut().find(|(owner, known)| owner == registry && known.id == token.id) {
            Some((_, known)) => *known = token,
            None => all.push((registry.clone(), token)),
        }
    }

    /// Applies the predicted changes to observed registries.
    pub(super) fn registries_over(&self, observed: Vec<Registry>) -> Vec<Registry> {
        let mut list: Vec<Registry> = observed
            .into_iter()
            .filter(|registry| !self.is_registry_gone(&registry.id))
            .map(|registry| self.planned_registry(&registry.id).unwrap_or(registry))
            .collect();
        list.extend(self.registries.borrow().iter().filter(|registry| registry.id.is_unknown()).cloned());
        list
    }

    pub(super) fn tokens_over(&self, registry: &Id, observed: &[Token]) -> Vec<Token> {
        let mut list: Vec<Token> = observed
            .iter()
            .filter(|token| !self.is_token_gone(registry, &token.id))
            .map(|token| self.planned_token(registry, &token.id).unwrap_or_else(|| token.clone()))
            .collect();
        let planned = self.tokens.borrow();
        list.extend(planned.iter().filter(|(owner, t)| owner == registry && t.id.is_unknown()).map(|(_, t)| t.clone()));
        list
    }
}
