//! The plan of a commit that is not on the branch, for the people who review it.

use std::time::Duration;

use super::config::{Environment, GitopsConfig, JobConfig};
use super::repository::{GitRepository, RepositoryError};
use super::run::{RunContext, Runner, Secrets, StepError, collect_planned, redactor_of};
use super::view::PlanCounts;
use crate::plan::show;

/// A preview.
pub struct Preview {
    /// The commit.
    pub commit: String,
    /// Counts of its plan.
    pub counts: PlanCounts,
    /// Whether applying it would change anything.
    pub changes: bool,
    /// The plan for a terminal.
    pub text: String,
    /// The plan for a comment.
    pub markdown: String,
}

/// Failure of a preview. Its texts contain no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    /// The commit cannot be fetched or checked out.
    #[error("{0}")]
    Git(String),
    /// The state folder cannot be used.
    #[error("cannot use the state folder: {0}")]
    Folder(String),
    /// The plan cannot be started.
    #[error(transparent)]
    Start(#[from] StepError),
    /// The plan failed.
    #[error("{why}{}", describe_withheld(withheld))]
    Plan {
        /// The commit.
        commit: String,
        /// Why, in its own words.
        why: String,
        /// Variables of the job that the plan did not get.
        withheld: Vec<String>,
    },
}

/// Says which secrets a plan may have failed for.
fn describe_withheld(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("\na preview gets no secret of its job: `{name}` is not set"),
        names => format!("\na preview gets no secret of its job: `{}` are not set", names.join("`, `")),
    }
}

/// Plans a commit. Its author need not be trusted, so it gets none of the job's secrets.
///
/// # Errors
/// If it cannot be fetched, or its plan fails.
pub async fn preview_commit(
    config: &GitopsConfig,
    job: &JobConfig,
    runner: &Runner,
    revision: &str,
) -> Result<Preview, PreviewError> {
    let limit = job.timeout;
    let redactor = redactor_of(job);
    let git_error = |error: RepositoryError| PreviewError::Git(redactor.redact(&error.to_string()).into_owned());
    let repository = GitRepository::new(&job.git, &config.state_dir, limit);
    let commit = repository.fetch_revision(revision).await.map_err(git_error)?;
    let folder = tempfile::Builder::new().prefix("preview-").tempdir_in(&config.state_dir);
    let folder = folder.map_err(|error| PreviewError::Folder(crate::playbook::loader::plain_error(&error)))?;
    let checkout = repository.check_out(&commit, &folder.path().join("tree")).await.map_err(git_error)?;
    // Passwords kept by other runs are none of its business either.
    let bare = Runner { state_dir: folder.path().to_path_buf(), seal_key_file: None, ..runner.clone() };
    let context = RunContext {
        job,
        folder: &checkout.folder().join(job.folder()),
        documents: folder.path(),
        lock: None,
        lease: None,
        stop: None,
        limit: limit.max(Duration::from_secs(1)),
        secrets: Secrets::Withheld,
    };
    let (step, plan) = bare.plan_job(&context).await?;
    let (None, Some(plan)) = (&step.error, plan) else {
        let why = step.error.unwrap_or_else(|| "the plan was not written".to_owned());
        return Err(PreviewError::Plan { commit, why, withheld: list_secrets(job) });
    };
    let planned = collect_planned(&plan, job, None);
    let look = show::Look { paint: crate::report::style::Paint(false), width: 120 };
    Ok(Preview {
        commit,
        changes: planned.has_changes(),
        counts: planned.counts,
        text: redactor.redact(&show::render_text(&plan, look)).into_owned(),
        markdown: redactor.redact(&show::render_markdown(&plan)).into_owned(),
    })
}

/// Names of the variables of a job that hold secrets.
fn list_secrets(job: &JobConfig) -> Vec<String> {
    let secrets = job.environment.iter().filter(|(_, value)| matches!(value, Environment::Secret(_)));
    secrets.map(|(name, _)| name.clone()).collect()
}
