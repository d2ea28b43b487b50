//! The plan of a commit that is not on the branch, for the people who review it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{Environment, GitopsConfig, JobConfig};
use super::repository::{GitRepository, RepositoryError};
use super::run::{RunContext, Runner, Secrets, StepError, collect_planned, redactor_of};
use super::view::PlanCounts;
use crate::confinement::Confinement;
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
    #[error("{why}{}{}", describe_withheld(withheld), describe_confinement(*author))]
    Plan {
        /// The commit.
        commit: String,
        /// Why, in its own words.
        why: String,
        /// Variables and vault passwords of the job that the plan did not get.
        withheld: Vec<String>,
        /// Who wrote the commit.
        author: Author,
    },
}

/// Says which secrets a plan may have failed for.
fn describe_withheld(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("\na preview gets no secret of its job: it has no {}", names.join(", ")),
    }
}

/// Says what else a plan may have failed for.
fn describe_confinement(author: Author) -> &'static str {
    match author {
        Author::Unknown => {
            "\nit starts no program and reads no file with secrets; for a commit of somebody you trust, use `--trusted`"
        }
        Author::Trusted => "",
    }
}

/// Who wrote the commit of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Anybody: the plan is confined.
    Unknown,
    /// Somebody who may start programs on this machine and read its files.
    Trusted,
}

/// Returns the limits of a plan: the secrets of this machine are hidden from it, its own folder lies below one of them.
fn confine_preview(config: &GitopsConfig, folder: &Path) -> Confinement {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let mut hidden: Vec<PathBuf> = config.secret_files();
    hidden.push(config.state_dir.clone());
    // Programs keep keys and logins there: `.ssh`, `.docker`, `.netrc`.
    let home = std::env::var_os("HOME").map(PathBuf::from).into_iter();
    let entries = home.filter_map(|home| std::fs::read_dir(home).ok()).flatten().flatten();
    hidden.extend(
        entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".")).map(|entry| entry.path()),
    );
    Confinement { folder: absolute(folder.to_path_buf()), hidden: hidden.into_iter().map(absolute).collect() }
}

/// Plans a commit. Its author need not be trusted, so it gets none of the job's secrets, and cannot fetch them.
///
/// # Errors
/// If it cannot be fetched, or its plan fails.
pub async fn preview_commit(
    config: &GitopsConfig,
    job: &JobConfig,
    runner: &Runner,
    revision: &str,
    author: Author,
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
        confinement: (author == Author::Unknown).then(|| confine_preview(config, folder.path())),
    };
    let (step, plan) = bare.plan_job(&context).await?;
    let (None, Some(plan)) = (&step.error, plan) else {
        let why = step.error.unwrap_or_else(|| "the plan was not written".to_owned());
        return Err(PreviewError::Plan { commit, why, withheld: list_secrets(job), author });
    };
    let planned = collect_planned(&plan, job, None);
    let look = show::Look { paint: crate::report::style::Paint(false), width: 120, wraps: false };
    Ok(Preview {
        commit,
        changes: planned.has_changes(),
        counts: planned.counts,
        text: redactor.redact(&show::render_text(&plan, look)).into_owned(),
        markdown: redactor.redact(&show::render_markdown(&plan)).into_owned(),
    })
}

/// Describes the secrets of a job that a plan could have asked for.
fn list_secrets(job: &JobConfig) -> Vec<String> {
    let secrets = job.environment.iter().filter(|(_, value)| matches!(value, Environment::Secret(_)));
    let variables = secrets.map(|(name, _)| format!("`{name}`"));
    let vault = (!job.vault_ids.is_empty()).then(|| "vault password".to_owned());
    variables.chain(vault).collect()
}
