//! Label sets of the metrics.

use prometheus_client::encoding::EncodeLabelSet;

/// One series a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct JobLabel {
    pub job: String,
}

impl JobLabel {
    pub fn new(job: &str) -> Self {
        Self { job: job.to_owned() }
    }
}

/// One series a job and state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabel {
    pub job: String,
    pub status: &'static str,
}

/// One series a job, with the commit that is applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CommitLabel {
    pub job: String,
    pub commit: String,
}

/// One series a job and outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub job: String,
    pub outcome: &'static str,
}

/// One series a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ResultLabel {
    pub result: &'static str,
}

/// One series a reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabel {
    pub reason: &'static str,
}

/// One series a sink and result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SinkLabel {
    pub sink: String,
    pub result: &'static str,
}

/// One series a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TokenLabel {
    pub registry: String,
    pub token: String,
}

impl TokenLabel {
    pub fn new(registry: &str, token: &str) -> Self {
        Self { registry: registry.to_owned(), token: token.to_owned() }
    }
}

/// The version of the program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VersionLabel {
    pub version: &'static str,
}
