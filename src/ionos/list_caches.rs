//! The shared lists of all accounts and services of a run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use super::connection::Endpoint;
use super::list_cache::ListCache;

/// The lists of all accounts and services.
#[derive(Debug, Default)]
pub struct ListCaches {
    by_endpoint: RefCell<HashMap<Endpoint, Rc<ListCache>>>,
    /// Every call of a module reads anew.
    is_fresh: bool,
}

impl ListCaches {
    /// Returns caches whose lists are dropped before every call of a module.
    pub fn always_fresh() -> Self {
        Self { is_fresh: true, ..Self::default() }
    }

    /// Whether every call of a module reads anew.
    pub fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Returns the lists of a connection.
    pub fn of_endpoint(&self, endpoint: &Endpoint) -> Rc<ListCache> {
        Rc::clone(self.by_endpoint.borrow_mut().entry(endpoint.clone()).or_default())
    }

    /// Drops all lists.
    pub fn clear(&self) {
        self.by_endpoint.borrow().values().for_each(|lists| _ = lists.clear());
    }

    /// Drops lists that were read longer ago.
    pub fn drop_older_than(&self, age: Duration) {
        self.by_endpoint.borrow().values().for_each(|lists| lists.drop_older_than(age));
    }
}
