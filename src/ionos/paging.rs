//! Lists come in pages: their frame, and what is gathered from them.

use std::collections::HashSet;

use serde::Deserialize;

use super::api::Id;
use super::content::Reading;
use super::model::{Registry, Token};

/// The frame of a list; only what decides about the next page.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    #[serde(default = "Option::default")]
    pub(super) items: Option<Vec<T>>,
    #[serde(default)]
    pub(super) total: Option<usize>,
    #[serde(default)]
    pub(super) pagination: Option<Cursor>,
}

#[derive(Deserialize)]
pub(super) struct Cursor {
    #[serde(default)]
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) token: Option<String>,
}

/// An object without which an answer is none.
pub(super) trait Named {
    /// Returns the id of the object.
    fn id(&self) -> &Id;
}

impl Named for Registry {
    fn id(&self) -> &Id {
        &self.id
    }
}

impl Named for Token {
    fn id(&self) -> &Id {
        &self.id
    }
}

impl Named for Reading {
    fn id(&self) -> &Id {
        &self.id
    }
}

/// Members of a list, each once: a server that ignores offsets sends the same page again.
pub(super) struct Gathered<T> {
    pub(super) items: Vec<T>,
    ids: HashSet<String>,
    pub(super) seen: usize,
    /// How many pages they came on.
    pages: usize,
}

impl<T> Default for Gathered<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashSet::new(), seen: 0, pages: 0 }
    }
}

impl<T: Named> Gathered<T> {
    /// Takes a page over; false if it had nothing new.
    pub(super) fn take(&mut self, page: Vec<T>) -> bool {
        self.pages += 1;
        self.seen += page.len();
        if self.pages == 1 {
            // Most lists have one page, and nothing to compare it with.
            self.items = page;
            return !self.items.is_empty();
        }
        if self.pages == 2 {
            self.ids = self.items.iter().map(|item| item.id().shown().to_owned()).collect();
        }
        let before = self.items.len();
        for item in page {
            if self.ids.insert(item.id().shown().to_owned()) {
                self.items.push(item);
            }
        }
        self.items.len() > before
    }
}
