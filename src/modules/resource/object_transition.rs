//! Actions on objects: the action, with the object before and after it.

use crate::reconcile::Verb;

/// An action on an object.
pub(super) struct ObjectTransition<'a, T> {
    /// The action.
    pub(super) verb: Verb,
    /// The object before it, if there was one.
    pub(super) before: Option<&'a T>,
    /// The object after it, if there is one.
    pub(super) after: Option<&'a T>,
    /// Why a replacement is necessary.
    pub(super) reason: Option<String>,
}

impl<'a, T> ObjectTransition<'a, T> {
    /// An action without a reason of its own.
    pub(super) fn new(verb: Verb, before: Option<&'a T>, after: Option<&'a T>) -> Self {
        Self { verb, before, after, reason: None }
    }

    /// An action of which it is known what it was to do, not what has become of it.
    pub(super) fn attempt(verb: Verb, before: Option<&'a T>) -> Self {
        Self::new(verb, before, None)
    }
}
