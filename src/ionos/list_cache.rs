//! Lists that tasks share.
//!
//! Each item of a loop, and each of several tasks in a row, would read the same list again, so it is kept, kept up with what
//! this run itself writes. What others write meanwhile is noticed when the service refuses (409, 404): then the list is
//! dropped and the task looks again before it gives up.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Deferred;
use super::model::{Registry, Token};

/// A list, and when it was read.
struct CachedList<T> {
    items: T,
    read_at: Instant,
}

/// The lists of one account at one service.
#[derive(Default)]
pub struct ListCache {
    tokens: RefCell<HashMap<String, CachedList<Rc<Vec<Token>>>>>,
    registries: RefCell<HashMap<Option<String>, CachedList<Vec<Registry>>>>,
    /// Registries and names of tokens whose creation was requested.
    requested: RefCell<HashSet<(String, String)>>,
    /// Items of a loop that want the same list wait for the one that reads it.
    readings: RefCell<HashMap<ListName, Arc<Mutex<()>>>>,
    readers: Cell<usize>,
    /// Changes since the first of the lists that are being read was asked for.
    changes: RefCell<Vec<ListChange>>,
    /// Counts how often all lists were dropped.
    drops: Cell<u64>,
}

/// A list of the service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ListName {
    /// The tokens of a registry.
    Tokens(String),
    /// The registries of a name, or all.
    Registries(Option<String>),
}

/// A write of this run that lists show.
#[derive(Clone)]
enum ListChange {
    PutToken(String, Token),
    RemoveToken(String, String),
    PutRegistry(Registry),
    RemoveRegistry(String),
}

/// The right to read a list that others wait for.
pub(super) struct ListReading<'a> {
    cache: &'a ListCache,
    drops: u64,
    begun: Instant,
    /// The number of changes that had been made before.
    before: usize,
    _turn: OwnedMutexGuard<()>,
}

impl Drop for ListReading<'_> {
    fn drop(&mut self) {
        let readers = self.cache.readers.get() - 1;
        self.cache.readers.set(readers);
        if readers == 0 {
            self.cache.changes.borrow_mut().clear();
        }
    }
}

impl ListCache {
    /// Drops all lists; true if there was one.
    pub fn clear(&self) -> bool {
        let had = !self.tokens.borrow().is_empty() || !self.registries.borrow().is_empty();
        self.tokens.borrow_mut().clear();
        self.registries.borrow_mut().clear();
        self.drops.set(self.drops.get() + 1);
        had
    }

    /// Drops lists that were read longer ago.
    pub(super) fn drop_older_than(&self, age: Duration) {
        self.tokens.borrow_mut().retain(|_, list| list.read_at.elapsed() <= age);
        self.registries.borrow_mut().retain(|_, list| list.read_at.elapsed() <= age);
    }

    /// Waits until no other item reads the list. It may be there then.
    pub(super) async fn begin_reading(&self, list: ListName) -> ListReading<'_> {
        let turn = Arc::clone(self.readings.borrow_mut().entry(list).or_default());
        let turn = turn.lock_owned().await;
        self.readers.set(self.readers.get() + 1);
        ListReading {
            cache: self,
            drops: self.drops.get(),
            begun: Instant::now(),
            before: self.changes.borrow().len(),
            _turn: turn,
        }
    }

    /// Records that a token of this name is requested.
    pub(super) fn note_requested(&self, registry: &str, name: &str) {
        self.requested.borrow_mut().insert((registry.to_owned(), name.to_owned()));
    }

    /// Returns the names of tokens in a registry that were requested.
    pub(super) fn requested_names(&self, registry: &str) -> Vec<String> {
        let requested = self.requested.borrow();
        requested.iter().filter(|(of, _)| of == registry).map(|(_, name)| name.clone()).collect()
    }

    /// The tokens of a registry, if they are kept.
    pub(super) fn cached_tokens(&self, registry: &str) -> Option<Rc<Vec<Token>>> {
        self.tokens.borrow().get(registry).map(|list| Rc::clone(&list.items))
    }

    /// Keeps the tokens of a registry, unless all lists were dropped since they were asked for.
    pub(super) fn keep_tokens(&self, registry: &str, tokens: &Rc<Vec<Token>>, reading: &ListReading<'_>) {
        if reading.drops == self.drops.get() {
            let list = CachedList { items: Rc::clone(tokens), read_at: reading.begun };
            self.tokens.borrow_mut().insert(registry.to_owned(), list);
            self.repeat_changes(reading);
        }
    }

    /// A token was made or changed.
    pub(super) fn put_token(&self, registry: &str, token: &Token) {
        let mut token = token.clone();
        // A list does not tell passwords.
        if let Some(pair) = &mut token.properties.credentials {
            pair.password = Deferred::default();
        }
        self.change(ListChange::PutToken(registry.to_owned(), token));
    }

    /// A token was removed.
    pub(super) fn remove_token(&self, registry: &str, id: &str) {
        self.change(ListChange::RemoveToken(registry.to_owned(), id.to_owned()));
    }

    /// The registries of a list, by the name that was asked for.
    pub(super) fn cached_registries(&self, name: Option<&str>) -> Option<Vec<Registry>> {
        self.registries.borrow().get(&name.map(str::to_owned)).map(|list| list.items.clone())
    }

    /// Keeps a list of registries, unless all lists were dropped since it was asked for.
    pub(super) fn keep_registries(&self, name: Option<&str>, registries: &[Registry], reading: &ListReading<'_>) {
        if reading.drops == self.drops.get() {
            let list = CachedList { items: registries.to_vec(), read_at: reading.begun };
            self.registries.borrow_mut().insert(name.map(str::to_owned), list);
            self.repeat_changes(reading);
        }
    }

    /// A registry was made or changed.
    pub(super) fn put_registry(&self, registry: &Registry) {
        self.change(ListChange::PutRegistry(registry.clone()));
    }

    /// A registry was removed, with its tokens.
    pub(super) fn remove_registry(&self, id: &str) {
        self.change(ListChange::RemoveRegistry(id.to_owned()));
    }

    fn change(&self, change: ListChange) {
        self.apply_change(&change);
        if self.readers.get() > 0 {
            self.changes.borrow_mut().push(change);
        }
    }

    /// The service may have listed what is there before it carried out a change that was answered meanwhile.
    fn repeat_changes(&self, reading: &ListReading<'_>) {
        for change in &self.changes.borrow()[reading.before..] {
            self.apply_change(change);
        }
    }

    fn apply_change(&self, change: &ListChange) {
        match change {
            ListChange::PutToken(registry, token) => {
                let mut tokens = self.tokens.borrow_mut();
                let Some(list) = tokens.get_mut(registry).map(|list| Rc::make_mut(&mut list.items)) else { return };
                match list.iter_mut().find(|known| known.id == token.id) {
                    Some(known) => *known = token.clone(),
                    None => list.push(token.clone()),
                }
            }
            ListChange::RemoveToken(registry, id) => {
                if let Some(list) = self.tokens.borrow_mut().get_mut(registry) {
                    Rc::make_mut(&mut list.items).retain(|token| token.id.display_text() != id);
                }
            }
            ListChange::PutRegistry(registry) => {
                let own = registry.properties.name.display_text();
                for (name, list) in self.registries.borrow_mut().iter_mut() {
                    let list = &mut list.items;
                    match list.iter_mut().find(|known| known.id == registry.id) {
                        Some(known) => *known = registry.clone(),
                        None if name.as_deref().is_none_or(|name| own.contains(name)) => list.push(registry.clone()),
                        None => {}
                    }
                }
            }
            ListChange::RemoveRegistry(id) => {
                self.tokens.borrow_mut().remove(id);
                for list in self.registries.borrow_mut().values_mut() {
                    list.items.retain(|registry| registry.id.display_text() != id);
                }
            }
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

    async fn keep_tokens(kept: &ListCache, tokens: Vec<Token>) {
        let reading = kept.begin_reading(ListName::Tokens("r".to_owned())).await;
        kept.keep_tokens("r", &Rc::new(tokens), &reading);
    }

    async fn keep_no_registries(kept: &ListCache, name: Option<&str>) {
        let reading = kept.begin_reading(ListName::Registries(name.map(str::to_owned))).await;
        kept.keep_registries(name, &[], &reading);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn list_that_is_read_meanwhile_gets_the_changes() {
        let kept = ListCache::default();
        let reading = kept.begin_reading(ListName::Tokens("r".to_owned())).await;
        kept.put_token("r", &token("3", "made meanwhile"));
        kept.remove_token("r", "1");
        kept.keep_tokens("r", &Rc::new(vec![token("1", "a"), token("2", "b")]), &reading);
        drop(reading);
        assert_eq!(names(&kept), ["b", "made meanwhile"]);
        let reading = kept.begin_reading(ListName::Tokens("r".to_owned())).await;
        kept.clear();
        kept.keep_tokens("r", &Rc::default(), &reading);
        assert_eq!(kept.cached_tokens("r"), None, "it was asked for before all were dropped");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_kept_list_follows_what_this_run_writes() {
        let kept = ListCache::default();
        kept.put_token("r", &token("0", "nobody asked"));
        assert_eq!(kept.cached_tokens("r"), None);
        keep_tokens(&kept, vec![token("1", "a"), token("2", "b")]).await;
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

    #[tokio::test(flavor = "current_thread")]
    async fn registries_are_kept_by_what_was_asked() {
        let kept = ListCache::default();
        let mut registry = Registry { id: Deferred::Known("1".to_owned()), ..Registry::default() };
        registry.properties.name = Deferred::Known("demo-1".to_owned());
        keep_no_registries(&kept, None).await;
        keep_no_registries(&kept, Some("demo")).await;
        keep_no_registries(&kept, Some("other")).await;
        kept.put_registry(&registry);
        let count = |name| kept.cached_registries(name).map(|list| list.len());
        assert_eq!((count(None), count(Some("demo")), count(Some("other"))), (Some(1), Some(1), Some(0)));
        kept.remove_registry("1");
        assert_eq!((count(None), kept.clear(), count(None)), (Some(0), true, None));
    }
}
