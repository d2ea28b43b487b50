//! Git repositories: bare mirrors shared by the jobs of one address, verified commits, read-only checkouts.
//!
//! Git is called as a program. It never asks, runs no hook, reads no configuration of users or of the system, and may use
//! only the transport that the address names.

mod checkout;
mod git;
mod local;
mod mirror;
mod verify;
mod version;

use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::config::{GitConfig, SecretError};
use super::decide::{Fetched, Relation};
use super::record::RunTarget;

pub use checkout::{Checkout, remove_tree};
pub(crate) use git::inherited_variables as inherited_environment;
pub use verify::signers_digest;

/// Why a repository cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RepositoryError {
    /// Git ended with an error.
    #[error("{what}: {words}")]
    Git {
        /// The attempted operation.
        what: String,
        /// Git's own words.
        words: String,
    },
    /// Git took too long.
    #[error("{what}: git did not end within {limit}")]
    Slow {
        /// The attempted operation.
        what: String,
        /// How long it had.
        limit: String,
    },
    /// There is no git program, or it cannot be started.
    #[error("cannot run git: {0}; install git, or put it on the PATH")]
    NoGit(String),
    /// The branch or tag is not there.
    #[error("{0}")]
    NoRevision(String),
    /// A credential is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The tree holds something that is not checked out.
    #[error("{0}")]
    Tree(String),
    /// A folder cannot be used.
    #[error("cannot use `{path}`: {why}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        why: String,
    },
}

/// The repository of a job.
pub struct GitRepository<'a> {
    config: &'a GitConfig,
    mirror: PathBuf,
    limit: Duration,
}

impl<'a> GitRepository<'a> {
    /// The repository that a job names, with mirrors below the state folder; each call of git has this time.
    pub fn new(config: &'a GitConfig, state: &Path, limit: Duration) -> Self {
        Self { config, mirror: mirror::mirror_folder(state, &config.url), limit }
    }

    /// Returns where the branch or tag stands, in the cheapest way there is.
    ///
    /// # Errors
    /// In git's words.
    pub async fn resolve_head(&self) -> Result<String, RepositoryError> {
        if let Some(commit) = local::read_head(self.config) {
            return Ok(commit);
        }
        self.list_remote().await
    }

    /// Fetches what a run goes for, and verifies it unless it is the baseline.
    ///
    /// # Errors
    /// If it cannot be reached; a commit that is not accepted is not an error.
    pub async fn fetch_target(
        &self,
        target: &RunTarget,
        applied: Option<&str>,
        baseline: Option<&str>,
    ) -> Result<Fetched, RepositoryError> {
        let _lock = self.lock_mirror().await?;
        self.prepare_mirror().await?;
        let head = match target {
            RunTarget::Applied => None,
            RunTarget::Head | RunTarget::Earlier(_) => Some(self.fetch_head().await?),
        };
        let commit = match (target, &head) {
            (RunTarget::Head, Some(head)) => head.clone(),
            (RunTarget::Earlier(to), Some(head)) => match self.resolve_within(to, head).await {
                Ok(commit) => commit,
                Err(why) => {
                    let relation = Relation::Unrelated;
                    return Ok(Fetched {
                        commit: to.clone(),
                        head: Some(head.clone()),
                        relation,
                        unverified: Some(why.to_string()),
                    });
                }
            },
            _ => applied.unwrap_or_default().to_owned(),
        };
        let relation = self.relate_commit(&commit, applied).await?;
        // A person has accepted the baseline itself; what comes after it is verified.
        let unverified = match baseline {
            Some(baseline) if baseline == commit => None,
            _ => self.verify_commit(&commit, applied, relation).await?,
        };
        Ok(Fetched { commit, head, relation, unverified })
    }

    /// Fetches one revision that need not be on the branch, for a preview.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn fetch_revision(&self, revision: &str) -> Result<String, RepositoryError> {
        let _lock = self.lock_mirror().await?;
        self.prepare_mirror().await?;
        self.fetch_any(revision).await
    }

    /// Makes a read-only checkout of a commit that was fetched before.
    ///
    /// # Errors
    /// If it cannot be made, or holds a link that leaves it.
    pub async fn check_out(&self, commit: &str, folder: &Path) -> Result<Checkout, RepositoryError> {
        let _lock = self.lock_mirror().await?;
        self.prepare_mirror().await?;
        self.check_out_into(commit, folder).await
    }
}
