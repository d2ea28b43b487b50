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

/// Returns a path with its ids cut to their first digits: the rest tells people nothing.
pub fn shorten_ids(path: &str) -> String {
    let is_id = |part: &str| uuid::Uuid::parse_str(part).is_ok();
    let parts = path.split('/').map(|part| match part.get(..8).filter(|_| is_id(part)) {
        Some(start) => format!("{start}…"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Takes the method and the path of a request that is sent.
type RequestStart = dyn Fn(&str, &str);

/// Where somebody who waits says what for: the live line of a terminal, or nowhere.
#[derive(Clone)]
pub struct ProgressChannel {
    tell: Rc<dyn Fn(&str)>,
    begin_request: Rc<RequestStart>,
    note_request: Rc<dyn Fn(RequestSpan)>,
}

impl ProgressChannel {
    /// Creates a progress channel; every message goes to `tell`.
    pub fn new(tell: impl Fn(&str) + 'static) -> Self {
        Self { tell: Rc::new(tell), begin_request: Rc::new(|_, _| {}), note_request: Rc::new(|_| {}) }
    }

    /// The same channel; every request goes to `begin_request`, by method and path, and to `note_request` when it has ended.
    #[must_use]
    pub fn with_requests(
        self,
        begin_request: impl Fn(&str, &str) + 'static,
        note_request: impl Fn(RequestSpan) + 'static,
    ) -> Self {
        Self { begin_request: Rc::new(begin_request), note_request: Rc::new(note_request), ..self }
    }

    /// Says what is waited for ("waiting for registry demo: Running"); an empty text takes the line away.
    pub fn show_message(&self, message: &str) {
        (self.tell)(message);
    }

    /// Notes a request that is sent: its method, and its path without a query.
    pub fn begin_request(&self, method: &str, path: &str) {
        (self.begin_request)(method, path);
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
