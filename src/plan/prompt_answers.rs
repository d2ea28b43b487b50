//! Answers to prompts, so that one plan asks only once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

/// Answers by prompt.
#[derive(Default, Clone)]
pub struct Answers(RefCell<BTreeMap<String, String>>);

impl Answers {
    /// With these to begin with.
    pub fn from_known(known: BTreeMap<String, String>) -> Self {
        Self(RefCell::new(known))
    }

    /// Returns the answer to a prompt.
    pub fn get(&self, prompt: &str) -> Option<String> {
        self.0.borrow().get(prompt).cloned()
    }

    /// Keeps an answer.
    pub fn add_answer(&self, prompt: String, answer: String) {
        self.0.borrow_mut().insert(prompt, answer);
    }

    /// All of them.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.0.borrow().clone()
    }
}

/// They may be passwords.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers", self.0.borrow().len())
    }
}
