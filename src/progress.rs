//! What is waited for, said while it lasts.

use std::rc::Rc;
use std::time::Instant;

/// A request that was answered, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpan {
    /// `GET`, `POST`, ..
    pub method: String,
    /// Path below the base URL of the service, without a query.
    pub path: String,
    /// The HTTP status; none if no answer came.
    pub status: Option<u16>,
    /// When it was sent.
    pub sent: Instant,
    /// When the answer was complete.
    pub ended: Instant,
}

/// Where somebody who waits says what for: the live line of a terminal, or nowhere.
#[derive(Clone)]
pub struct ProgressChannel {
    tell: Rc<dyn Fn(&str)>,
    note_request: Rc<dyn Fn(RequestSpan)>,
}

impl ProgressChannel {
    /// Creates a progress channel; every message goes to `tell`.
    pub fn new(tell: impl Fn(&str) + 'static) -> Self {
        Self { tell: Rc::new(tell), note_request: Rc::new(|_| {}) }
    }

    /// The same channel; every request goes to `note_request`.
    #[must_use]
    pub fn with_requests(self, note_request: impl Fn(RequestSpan) + 'static) -> Self {
        Self { note_request: Rc::new(note_request), ..self }
    }

    /// Says what is waited for ("waiting for registry demo: Running"); an empty text takes the line away.
    pub fn show_message(&self, message: &str) {
        (self.tell)(message);
    }

    /// Notes a request that has ended.
    pub fn note_request(&self, span: RequestSpan) {
        (self.note_request)(span);
    }
}

/// Discards every message.
impl Default for ProgressChannel {
    fn default() -> Self {
        Self::new(|_| {})
    }
}

impl std::fmt::Debug for ProgressChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}
