//! Lookups that act: where nothing may be run, they give unknown values.

use super::error::TemplateError;
use super::plugin::short_name;
use crate::value::Unknown;

/// Which lookups may be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LookupPolicy {
    /// All of them.
    #[default]
    All,
    /// Those that run no command, send no request and write no file; the others give unknown values.
    WithoutEffects,
}

/// Lookups that run commands, send requests or write files.
const ACTING_LOOKUPS: &[&str] = &["lines", "password", "pipe", "url"];

impl LookupPolicy {
    /// Refuses a lookup that the rule does not allow.
    ///
    /// # Errors
    /// As for an unknown value: what the lookup would give is known when the playbook runs.
    pub(super) fn check_lookup(self, name: &str) -> Result<(), TemplateError> {
        if self == Self::All || !ACTING_LOOKUPS.contains(&short_name(name)) {
            return Ok(());
        }
        let unknown =
            Unknown::new_because(format!("the result of the lookup `{name}` is known when the playbook runs"));
        Err(TemplateError::from_unknown(&unknown))
    }
}
