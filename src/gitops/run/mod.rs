//! Runs as child processes of this binary, by its public interface: plan files, events and exit codes.

mod command;
mod facts;
mod prune;
mod results;

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use super::child::{ChildOutput, ChildSetup, run_child};
use super::config::{JobConfig, SecretError};
use super::engine::RunDocument;
use crate::confinement::Confinement;
use crate::exit::Exit;
use crate::plan::{Plan, save};
use crate::secrets::Redactor;

pub use command::shell_line;
pub use facts::{MadeBefore, collect_objects, collect_planned, collect_tokens};
pub use prune::{
    PruneStep, after_steps, due_steps, mark_named, read_playbook_ids, steps_without_action, write_playbook,
};
pub use results::{list_saved_in_logs, list_saved_tokens, read_recap};

/// Starts children.
#[derive(Debug, Clone)]
pub struct Runner {
    /// This program.
    pub program: PathBuf,
    /// State directory of the children: the credential store lies below it.
    pub state_dir: PathBuf,
    /// Key that seals passwords and plans.
    pub seal_key_file: Option<PathBuf>,
    /// Socket of the credential store, if the engine keeps it.
    pub credentials: Option<PathBuf>,
    /// The mock registry that all runs share, with `--sandbox`.
    pub sandbox: Option<String>,
}

/// Inputs of one run.
pub struct RunContext<'a> {
    /// The job.
    pub job: &'a JobConfig,
    /// The folder that it runs in.
    pub folder: &'a Path,
    /// The folder of its documents.
    pub documents: &'a Path,
    /// A lock that its children hold.
    pub lock: Option<&'a File>,
    /// The file with the deadline of the lease, and the number of the claim.
    pub lease: Option<(&'a Path, u64)>,
    /// Raised when it shall end early.
    pub stop: Option<watch::Receiver<bool>>,
    /// How long it may still take.
    pub limit: Duration,
    /// Whether secrets of the job are given.
    pub secrets: Secrets,
    /// Limits of its children; none for commits that somebody has merged.
    pub confinement: Option<Confinement>,
}

/// Whether a run gets the secrets of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// It does.
    Given,
    /// It does not: its commit is not merged.
    Withheld,
}

impl RunContext<'_> {
    /// Returns the job as this run sees it: without its vault passwords where secrets are withheld.
    fn visible_job(&self) -> Cow<'_, JobConfig> {
        match self.secrets {
            Secrets::Given => Cow::Borrowed(self.job),
            Secrets::Withheld => Cow::Owned(JobConfig { vault_ids: Vec::new(), ..self.job.clone() }),
        }
    }
}

/// How a step ended.
#[derive(Debug)]
pub struct StepResult {
    /// The command that repeats it.
    pub command: Vec<String>,
    /// Exit status of the step.
    pub exit: Option<i32>,
    /// Output of the step, without secrets.
    pub output: String,
    /// Why it failed, in one or few lines; none if it did not.
    pub error: Option<String>,
    /// It was stopped by a signal to this program.
    pub stopped: bool,
}

/// Why a step could not even start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A secret is not there.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The child cannot be started.
    #[error("cannot start a run: {0}")]
    Start(String),
}

impl Runner {
    /// Makes the plan of a job in a checkout.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn plan_job(&self, run: &RunContext<'_>) -> Result<(StepResult, Option<Plan>), StepError> {
        self.plan_into(run, RunDocument::Plan, None).await
    }

    /// Makes the plan of a job with the steps that prune in `playbook`. If there is none, the plan of before stays.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn plan_with_prune(
        &self,
        run: &RunContext<'_>,
        playbook: &Path,
    ) -> Result<(StepResult, Option<Plan>), StepError> {
        let path = run.documents.join(RunDocument::Plan.file_name());
        let before = std::fs::read(&path).unwrap_or_default();
        let (step, plan) = self.plan_into(run, RunDocument::Plan, Some(playbook)).await?;
        if step.error.is_some() {
            std::fs::write(&path, before).map_err(|error| StepError::Start(error.to_string()))?;
        }
        Ok((step, plan))
    }

    /// Looks what a direct run has left. It cannot be foreseen in general, so a failure says nothing.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn look_after(&self, run: &RunContext<'_>) -> Result<(StepResult, Option<Plan>), StepError> {
        self.plan_into(run, RunDocument::After, None).await
    }

    async fn plan_into(
        &self,
        run: &RunContext<'_>,
        document: RunDocument,
        further: Option<&Path>,
    ) -> Result<(StepResult, Option<Plan>), StepError> {
        let path = run.documents.join(document.file_name());
        let _ = std::fs::remove_file(&path);
        let mut step = self.run_step(run, self.plan_command(&run.visible_job(), &path, further)).await?;
        let plan = save::read(&path).ok();
        match &plan {
            Some(plan) if !plan.failed.is_empty() => step.error = Some(facts::describe_failures(plan)),
            Some(_) => {}
            None if step.error.is_none() => step.error = Some("the plan was not written".to_owned()),
            None => {}
        }
        Ok((step, plan))
    }

    /// Applies the plan of a run, and returns the plan of the check after it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn apply_run(&self, run: &RunContext<'_>) -> Result<(StepResult, Option<Plan>), StepError> {
        let step = self.run_step(run, self.apply_command(run.job, run.documents)).await?;
        let after = save::read(&run.documents.join(RunDocument::After.file_name())).ok();
        Ok((step, after))
    }

    /// Checks that the plan of a run still fits.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn check_run(&self, run: &RunContext<'_>) -> Result<StepResult, StepError> {
        self.run_step(run, self.check_command(run.job, run.documents)).await
    }

    /// Runs the playbooks of a job without a plan.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn run_directly(&self, run: &RunContext<'_>) -> Result<StepResult, StepError> {
        self.run_step(run, self.run_command(run.job, run.documents)).await
    }

    async fn run_step(&self, run: &RunContext<'_>, command: Vec<String>) -> Result<StepResult, StepError> {
        let (environment, redactor) = self.child_environment(run)?;
        let mut real = command.clone();
        real[0] = self.program.display().to_string();
        let setup = ChildSetup {
            command: &real,
            folder: run.folder,
            environment: &environment,
            limit: run.limit,
            lock: run.lock,
            stop: run.stop.clone(),
        };
        let child = run_child(setup).await.map_err(|error| StepError::Start(error.to_string()))?;
        let error =
            (!child.is_success()).then(|| redactor.redact(&explain_failure(&child, run.job.timeout)).into_owned());
        let output = format!("$ {}\n{}{}", shell_line(&command), child.stdout, child.stderr);
        Ok(StepResult {
            command,
            exit: child.exit,
            output: redactor.redact(&output).into_owned(),
            error,
            stopped: child.stopped || child.exit == Some(i32::from(Exit::Interrupted.code())),
        })
    }
}

/// Why a child failed: its own words, as far as they say so.
fn explain_failure(child: &ChildOutput, limit: Duration) -> String {
    if child.timed_out {
        return format!("the time limit of {} was over", super::config::show_duration(limit));
    }
    let words = child.stderr.trim();
    let lines: Vec<&str> = words.lines().take(12).collect();
    if !lines.is_empty() {
        return lines.join("\n").trim_start_matches("error: ").to_owned();
    }
    // Failed tasks are told on the screen.
    let failed: Vec<&str> =
        child.stdout.lines().filter(|line| line.starts_with("fatal:") || line.starts_with("failed:")).collect();
    if let Some(last) = failed.last() {
        return (*last).to_owned();
    }
    match child.exit {
        Some(status) => format!("the run ended with status {status}"),
        None => "the run was ended by a signal".to_owned(),
    }
}

/// Returns what hides the secrets of a job.
pub fn redactor_of(job: &JobConfig) -> Redactor {
    let redactor = Redactor::new(false);
    let secrets = job.environment.values().filter_map(|value| match value {
        super::config::Environment::Secret(source) => source.read().ok(),
        super::config::Environment::Plain(_) => None,
    });
    secrets.for_each(|secret| redactor.add(secret.expose()));
    if let Some(password) = job.git.password.as_ref().and_then(|source| source.read().ok()) {
        redactor.add(password.expose());
    }
    redactor
}
