//! The plan of a commit that is not on the branch, for the people who review it.

use std::time::Duration;

use super::config::{GitopsConfig, JobConfig};
use super::repository::GitRepository;
use super::run::{RunContext, Runner, Secrets, collect_planned, redactor_of};
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

/// Plans a commit. Whoever wrote it need not be trusted, so it gets none of the job's secrets unless it is verified.
///
/// # Errors
/// With a sentence that says what failed.
pub async fn preview_commit(
    config: &GitopsConfig,
    job: &JobConfig,
    runner: &Runner,
    revision: &str,
) -> Result<Preview, String> {
    let limit = job.timeout;
    let repository = GitRepository::new(&job.git, &config.state_dir, limit);
    let commit = repository.fetch_revision(revision).await.map_err(|error| error.to_string())?;
    let folder = tempfile::Builder::new().prefix("preview-").tempdir_in(&config.state_dir);
    let folder = folder
        .map_err(|error| format!("cannot use the state folder: {}", crate::playbook::loader::plain_error(&error)))?;
    let checkout =
        repository.check_out(&commit, &folder.path().join("tree")).await.map_err(|error| error.to_string())?;
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
    let (step, plan) = bare.plan_job(&context).await.map_err(|error| error.to_string())?;
    let (None, Some(plan)) = (&step.error, plan) else {
        return Err(step.error.unwrap_or_else(|| "the plan was not written".to_owned()));
    };
    let planned = collect_planned(&plan, job, None);
    let redactor = redactor_of(job);
    let look = show::Look { paint: crate::report::style::Paint(false), width: 120 };
    Ok(Preview {
        commit,
        changes: planned.has_changes(),
        counts: planned.counts,
        text: redactor.redact(&show::render_text(&plan, look)).into_owned(),
        markdown: redactor.redact(&show::render_markdown(&plan)).into_owned(),
    })
}
