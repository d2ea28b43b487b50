//! Values that only the server, or the real run, can say.

use std::sync::OnceLock;

/// Text that replaces an unknown value in output.
pub const KNOWN_AFTER_CREATION: &str = "<known after creation>";

/// A value that only the server can say.
#[derive(Debug, Clone)]
pub struct Unknown {
    /// Printed form: text around the unknown part is kept, as in `id-<known after creation>`.
    pub shown: String,
    /// Event that makes it known, such as `the creation of registry token "ci"`.
    pub awaits: String,
    /// The variable that held it first and the task that made it; empty for what was computed from another unknown,
    /// whose origin its `awaits` tells.
    origin: OnceLock<String>,
    /// It would be a member of something unknown, which may or may not have such a member.
    pub member: bool,
    /// It is given to an object that is to be created, alone or with text round it: nothing that is there can be equal to
    /// it. Whatever else is computed from it may be.
    pub is_new: bool,
}

impl Unknown {
    /// Creates the unknown result of a task: the variable that registers it gives it its name.
    pub fn new_result(awaits: impl Into<String>) -> Self {
        Self {
            shown: KNOWN_AFTER_CREATION.to_owned(),
            awaits: awaits.into(),
            origin: OnceLock::new(),
            member: false,
            is_new: false,
        }
    }

    /// Creates the unknown of an object that is to be created, such as its id.
    pub fn new_created(awaits: impl Into<String>) -> Self {
        Self { is_new: true, ..Self::new_result(awaits) }
    }

    /// Creates an unknown that follows from another, which [`Unknown::describe_missing`] has described completely.
    pub fn new_because(sentence: impl Into<String>) -> Self {
        Self { origin: OnceLock::from(String::new()), ..Self::new_result(sentence) }
    }

    /// A member of it, which may not even be there.
    #[must_use]
    pub fn a_member(&self) -> Self {
        Self { member: true, ..Self::new_because(self.describe_missing()) }
    }

    /// The same unknown with text around it.
    #[must_use]
    pub fn shown_as(&self, shown: impl Into<String>) -> Self {
        Self { shown: shown.into(), ..self.clone() }
    }

    /// Tells where it comes from, unless that was told before.
    pub fn set_origin(&self, origin: impl FnOnce() -> String) {
        self.origin.get_or_init(origin);
    }

    /// Describes the missing value, its origin, and the event that makes it known.
    pub fn describe_missing(&self) -> String {
        match self.origin.get().filter(|origin| !origin.is_empty()) {
            Some(origin) => format!("{origin}, known after {}", self.awaits),
            None => self.awaits.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_told_once_and_kept_by_text_around_it() {
        let id = Unknown::new_result("the creation of registry `demo`");
        assert_eq!(id.describe_missing(), "the creation of registry `demo`");
        id.set_origin(|| "`made.registry.id`".to_owned());
        id.set_origin(|| "`copy.registry.id`".to_owned());
        let around = id.shown_as("id-<known after creation>");
        assert_eq!(around.describe_missing(), "`made.registry.id`, known after the creation of registry `demo`");
        let follows = Unknown::new_because(id.describe_missing());
        follows.set_origin(|| "`other`".to_owned());
        assert_eq!(follows.describe_missing(), id.describe_missing());
    }
}
