//! Lists come in pages: their frame, and what is gathered from them.

use std::collections::HashSet;

use serde::Deserialize;

use super::api::Id;
use super::content::Reading;
use super::error::ApiError;
use super::model::{Registry, Token};

/// The frame of a list; only what decides about the next page.
#[derive(Deserialize)]
pub(super) struct ListPage<T> {
    #[serde(default = "Option::default")]
    pub(super) items: Option<Vec<T>>,
    #[serde(default)]
    pub(super) total: Option<usize>,
    #[serde(default)]
    pub(super) pagination: Option<PageCursor>,
}

/// Returns the error for an answer that is a list and names no members: nothing can be said of what is there.
pub(super) fn list_without_items() -> ApiError {
    ApiError::unclear("the API answered a list without `items`")
}

#[derive(Deserialize)]
pub(super) struct PageCursor {
    #[serde(default)]
    pub(super) limit: Option<usize>,
    #[serde(default)]
    pub(super) token: Option<String>,
}

/// An object without which an answer is none.
pub(super) trait Named {
    /// Returns the id of the object.
    fn object_id(&self) -> &Id;
}

impl Named for Registry {
    fn object_id(&self) -> &Id {
        &self.id
    }
}

impl Named for Token {
    fn object_id(&self) -> &Id {
        &self.id
    }
}

impl Named for Reading {
    fn object_id(&self) -> &Id {
        &self.id
    }
}

/// The most objects that a list may have. An account has a few hundred; a list that goes on has no end.
const MOST: usize = 100_000;

/// Members of a list, each once: a server that ignores offsets sends the same page again.
pub(super) struct PagedItems<T> {
    pub(super) items: Vec<T>,
    ids: HashSet<String>,
    pub(super) seen: usize,
    /// How many pages they came on.
    pages: usize,
}

impl<T> Default for PagedItems<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashSet::new(), seen: 0, pages: 0 }
    }
}

impl<T: Named> PagedItems<T> {
    /// Takes a page over; false if it had nothing new.
    ///
    /// # Errors
    /// If the list has no end.
    pub(super) fn take_page(&mut self, page: Vec<T>) -> Result<bool, ApiError> {
        self.pages += 1;
        self.seen += page.len();
        if self.seen > MOST || self.pages > MOST {
            let message = format!("the list has no end: after {} objects the service announces more", self.seen);
            return Err(ApiError::unclear(message));
        }
        if self.pages == 1 {
            // Most lists have one page, and nothing to compare it with.
            self.items = page;
            return Ok(!self.items.is_empty());
        }
        if self.pages == 2 {
            self.ids = self.items.iter().map(|item| item.object_id().display_text().to_owned()).collect();
        }
        let before = self.items.len();
        for item in page {
            if self.ids.insert(item.object_id().display_text().to_owned()) {
                self.items.push(item);
            }
        }
        Ok(self.items.len() > before)
    }

    /// Whether objects are missing although the service sent a page: it sent those of another page again.
    pub(super) fn is_incomplete(&self, total: Option<usize>, page: usize) -> bool {
        page > 0 && total.is_some_and(|total| total > self.items.len())
    }
}
