//! Lists that a looped task keeps.
//!
//! Each pass of a loop would read the same list again, so the task keeps it for its further passes, kept up with what this
//! run itself writes. What others write meanwhile is noticed when the service refuses (409, 404): then the list is
//! dropped and the task looks again before it gives up.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::Deferred;
use super::model::{Registry, Token};

/// The lists of one looped task on one host.
#[derive(Default)]
pub struct ListCache {
    tokens: RefCell<HashMap<String, Rc<Vec<Token>>>>,
    registries: RefCell<HashMap<Option<String>, Vec<Registry>>>,
}

impl ListCache {
    /// Drops all lists; true if there was one.
    pub fn clear(&self) -> bool {
        let had = !self.tokens.borrow().is_empty() || !self.registries.borrow().is_empty();
        self.tokens.borrow_mut().clear();
        self.registries.borrow_mut().clear();
        had
    }

    /// The tokens of a registry, if they are kept.
    pub(super) fn cached_tokens(&self, registry: &str) -> Option<Rc<Vec<Token>>> {
        self.tokens.borrow().get(registry).cloned()
    }

    /// Keeps the tokens of a registry.
    pub(super) fn keep_tokens(&self, registry: &str, tokens: &Rc<Vec<Token>>) {
        self.tokens.borrow_mut().insert(registry.to_owned(), Rc::clone(tokens));
    }

    /// A token was made or changed.
    pub(super) fn put_token(&self, registry: &str, token: &Token) {
        if let Some(list) = self.tokens.borrow_mut().get_mut(registry).map(Rc::make_mut) {
            let mut token = token.clone();
            // A list does not tell passwords.
            if let Some(pair) = &mut token.properties.credentials {
                pair.password = Deferred::default();
            }
            match list.iter_mut().find(|known| known.id == token.id) {
                Some(known) => *known = token,
                None => list.push(token),
            }
        }
    }

    /// A token was removed.
    pub(super) fn remove_token(&self, registry: &str, id: &str) {
        if let Some(list) = self.tokens.borrow_mut().get_mut(registry).map(Rc::make_mut) {
            list.retain(|token| token.id.display_text() != id);
        }
    }

    /// The registries of a list, by the name that was asked for.
    pub(super) fn cached_registries(&self, name: Option<&str>) -> Option<Vec<Registry>> {
        self.registries.borrow().get(&name.map(str::to_owned)).cloned()
    }

    /// Keeps a list of registries.
    pub(super) fn keep_registries(&self, name: Option<&str>, registries: &[Registry]) {
        self.registries.borrow_mut().insert(name.map(str::to_owned), registries.to_vec());
    }

    /// A registry was made or changed.
    pub(super) fn put_registry(&self, registry: &Registry) {
        let own = registry.properties.name.display_text();
        for (name, list) in self.registries.borrow_mut().iter_mut() {
            match list.iter_mut().find(|known| known.id == registry.id) {
                Some(known) => *known = registry.clone(),
                None if name.as_deref().is_none_or(|name| own.contains(name)) => list.push(registry.clone()),
                None => {}
            }
        }
    }

    /// A registry was removed, with its tokens.
    pub(super) fn remove_registry(&self, id: &str) {
        self.tokens.borrow_mut().remove(id);
        for list in self.registries.borrow_mut().values_mut() {
            list.retain(|registry| registry.id.display_text() != id);
        }
    }
}

impl std::fmt::Debug for ListCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ionos::model::{LoginPair, OneTimePassword};

    fn token(id: &str, name: &str) -> Token {
        let mut token = Token { id: Deferred::Known(id.to_owned()), ..Token::default() };
        token.properties.name = Deferred::Known(name.to_owned());
        token
    }

    fn names(kept: &ListCache) -> Vec<String> {
        kept.cached_tokens("r").unwrap().iter().map(|token| token.properties.name.display_text().to_owned()).collect()
    }

    #[test]
    fn a_kept_list_follows_what_this_run_writes() {
        let kept = ListCache::default();
        kept.put_token("r", &token("0", "nobody asked"));
        assert_eq!(kept.cached_tokens("r"), None);
        kept.keep_tokens("r", &Rc::new(vec![token("1", "a"), token("2", "b")]));
        let mut made = token("3", "c");
        let password = Deferred::Known(OneTimePassword::new("only-shown-here"));
        made.properties.credentials = Some(LoginPair { username: Deferred::default(), password });
        kept.put_token("r", &made);
        kept.put_token("r", &token("1", "changed"));
        kept.remove_token("r", "2");
        assert_eq!(names(&kept), ["changed", "c"]);
        let pair = kept.cached_tokens("r").unwrap()[1].properties.credentials.clone().unwrap();
        assert!(pair.password.known().is_some_and(OneTimePassword::is_empty));
        kept.remove_registry("r");
        assert_eq!(kept.cached_tokens("r"), None);
        assert!(!kept.clear());
    }

    #[test]
    fn registries_are_kept_by_what_was_asked() {
        let kept = ListCache::default();
        let mut registry = Registry { id: Deferred::Known("1".to_owned()), ..Registry::default() };
        registry.properties.name = Deferred::Known("demo-1".to_owned());
        kept.keep_registries(None, &[]);
        kept.keep_registries(Some("demo"), &[]);
        kept.keep_registries(Some("other"), &[]);
        kept.put_registry(&registry);
        let count = |name| kept.cached_registries(name).map(|list| list.len());
        assert_eq!((count(None), count(Some("demo")), count(Some("other"))), (Some(1), Some(1), Some(0)));
        kept.remove_registry("1");
        assert_eq!((count(None), kept.clear(), count(None)), (Some(0), true, None));
    }
}
