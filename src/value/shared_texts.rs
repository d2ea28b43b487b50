//! Short texts that are used over and over, above all the keys of mappings: kept once and shared.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

/// Longer texts are hardly ever repeated, in bytes.
const LONGEST: usize = 32;

/// The number of names of a run that are remembered.
const NAMES: usize = 512;

thread_local! {
    static OF_RUN: RefCell<SharedTexts> = RefCell::new(SharedTexts::new(NAMES));
}

/// Returns a name (of a key, say) as it is shared in the whole run.
pub(super) fn share_name(name: &str) -> Arc<str> {
    OF_RUN.with_borrow_mut(|texts| texts.share(name))
}

/// A table of the texts that were met lately: each place of it has one, and a new one takes the place of the old.
pub struct SharedTexts {
    slots: Vec<Option<Arc<str>>>,
    hasher: RandomState,
}

impl SharedTexts {
    /// A table with so many places, at least one.
    pub fn new(count: usize) -> Self {
        Self { slots: vec![None; count.max(1)], hasher: RandomState::default() }
    }

    /// Returns the text; the one that is remembered, if there is one.
    pub fn share(&mut self, text: &str) -> Arc<str> {
        if text.len() > LONGEST {
            return text.into();
        }
        let place = self.hasher.hash_one(text) as usize % self.slots.len();
        match &mut self.slots[place] {
            Some(known) if **known == *text => Arc::clone(known),
            slot => Arc::clone(slot.insert(text.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_short_texts_are_one() {
        let mut texts = SharedTexts::new(1);
        let first = texts.share("name");
        assert!(Arc::ptr_eq(&first, &texts.share("name")));
        assert_eq!((&*texts.share("other"), &*texts.share("name")), ("other", "name"));
        let long = "x".repeat(LONGEST + 1);
        assert!(!Arc::ptr_eq(&texts.share(&long), &texts.share(&long)));
    }
}
