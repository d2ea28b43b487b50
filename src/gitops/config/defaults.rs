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
    pub fn layer(&self, key: &str) -> &'a Mapping<'a> {
        match self.defaults {
            Some(defaults) if self.own.entry(key).is_none() && defaults.entry(key).is_some() => defaults,
            _ => self.own,
        }
    }

    /// Returns whether either of them has the key.
    pub fn has(&self, key: &str) -> bool {
        self.layer(key).entry(key).is_some()
    }
}
