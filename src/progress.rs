//! What is waited for, said while it lasts.

use std::rc::Rc;

/// Where somebody who waits says what for: the live line of a terminal, or nowhere.
#[derive(Clone)]
pub struct ProgressChannel(Rc<dyn Fn(&str)>);

impl ProgressChannel {
    /// Creates a progress channel; every message goes to `tell`.
    pub fn new(tell: impl Fn(&str) + 'static) -> Self {
        Self(Rc::new(tell))
    }

    /// Says what is waited for ("waiting for registry demo: Running"); an empty text takes the line away.
    pub fn show_message(&self, message: &str) {
        (self.0)(message);
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
