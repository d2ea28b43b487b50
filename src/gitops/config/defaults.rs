//! A job's own keys over those of `defaults`.

use super::reader::Mapping;

/// The mapping of a job, and the one that holds what it does not name itself.
pub(super) struct Layered<'a> {
    /// The job.
    pub own: &'a Mapping<'a>,
    /// `defaults`.
    pub defaults: Option<&'a Mapping<'a>>,
}

impl<'a> Layered<'a> {
    /// Returns the mapping that has a key: the job's own one first.
    pub fn layer_with(&self, key: &str) -> &'a Mapping<'a> {
        match self.defaults {
            Some(defaults) if self.own.find_entry(key).is_none() && defaults.find_entry(key).is_some() => defaults,
            _ => self.own,
        }
    }

    /// Returns whether either of them has the key.
    pub fn has_key(&self, key: &str) -> bool {
        self.layer_with(key).find_entry(key).is_some()
    }
}
