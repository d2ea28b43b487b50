//! How a run ends.

use crate::gitops::view::Outcome;

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnding {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, unless it ended well.
    pub error: Option<String>,
    /// Whether another try may help.
    pub retry: bool,
}

impl RunEnding {
    /// An end that needs no explanation.
    pub fn from_outcome(outcome: Outcome) -> Self {
        Self { outcome, error: None, retry: false }
    }

    /// A failure that is tried again.
    pub fn from_failure(error: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, error: Some(error.into()), retry: true }
    }

    /// A refusal.
    pub fn from_refusal(error: impl Into<String>) -> Self {
        Self { outcome: Outcome::Refused, error: Some(error.into()), retry: false }
    }
}
