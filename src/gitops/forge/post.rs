//! What is queued for a forge.

use serde::{Deserialize, Serialize};

use super::status::CommitStatus;

/// Something to be posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForgePost {
    /// A status of a commit.
    Status(CommitStatus),
    /// The comment on the pull requests of a commit.
    Comment(PullRequestComment),
}

/// The one comment of a job on a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequestComment {
    /// The job: a pull request has one comment for each.
    pub job: String,
    /// A commit of the pull requests.
    pub commit: String,
    /// Markdown, without the marker.
    pub body: String,
}
