//! `async` and `poll`: tasks that run in the background.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use super::foreground;
use super::invoke::ModuleCall;
use super::prepare::Prepared;
use crate::bridge::ModuleSearch;
use crate::diagnostic::Diagnostic;
use crate::modules::builtin::async_jobs::{self, Job};
use crate::modules::builtin::async_status;
use crate::modules::foreign;
use crate::modules::spec::BackgroundSupport;
use crate::modules::{Failure, ModuleOutcome};
use crate::report::ReportEvent;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// The hidden subcommand that runs a job.
pub const SUBCOMMAND: &str = "async-job";

/// Runs a module in the background. In a dry run it is predicted immediately, so that later tasks see its changes, and its
/// job has already ended. The same applies to requests that must not leave this process.
///
/// # Errors
/// If it cannot be started, fails, or takes longer than `async` allows.
pub async fn run_in_background(call: &ModuleCall<'_>, prepared: &Prepared) -> Result<ModuleOutcome, Failure> {
    let spec = prepared.module.module_spec();
    if spec.background == BackgroundSupport::BoundToRun {
        let message = format!("This action ({}) does not support async.", spec.short_name());
        let drawn = Diagnostic::error(message.as_str()).at(&call.task.task.span, "").hint("leave out `async`");
        return Err(Failure::new(message).with_diagnostic(drawn).breaking_off());
    }
    let id = async_jobs::new_id();
    let status = async_jobs::jobs_folder(&call.settings.environment).join(&id);
    // What somebody has to see who is in this process: the overlay, a plan's guard, the embedded service.
    let stays = spec.is_of_registry() && !call.task.run.registries.may_be_left();
    if stays || call.is_prediction(prepared) {
        let result = foreground::run_in_foreground(call, prepared).await;
        if call.settings.poll > 0 {
            return result;
        }
        let actions = match &result {
            Ok(outcome) => outcome.actions.clone(),
            Err(failure) => failure.actions.clone(),
        };
        async_jobs::write_status(&status, &build_job_status(&id, result), &[]).map_err(describe_start_error)?;
        if call.is_prediction(prepared) {
            call.task.run.predicted_jobs.borrow_mut().push(status.clone());
        }
        return Ok(ModuleOutcome { actions, ..build_started_outcome(&id, &status) });
    }
    let limit = u64::try_from(call.settings.background).unwrap_or(1);
    start_job(call, prepared, &id, &status, limit).map_err(describe_start_error)?;
    if call.settings.poll <= 0 {
        return Ok(build_started_outcome(&id, &status));
    }
    wait_for_job(call, &id, &status, limit).await
}

fn describe_start_error(error: std::io::Error) -> Failure {
    Failure::new(format!("cannot start the background job: {error}"))
}

fn build_started_outcome(id: &str, status: &Path) -> ModuleOutcome {
    ModuleOutcome::new(true, async_jobs::started_status(id)).with("results_file", status.display().to_string())
}

/// Starts a module in a process of its own.
fn start_job(call: &ModuleCall<'_>, prepared: &Prepared, id: &str, status: &Path, limit: u64) -> std::io::Result<()> {
    let spec = prepared.module.module_spec();
    spawn_job(&Job {
        id: id.to_owned(),
        module: spec.name.to_owned(),
        called: call.task.task.action.written.as_str().to_owned(),
        args: json::to_string(&Value::from(prepared.given.clone()), JsonStyle::PYTHON),
        environment: call.settings.environment.clone(),
        base_dir: call.task.play.play.folder.to_path_buf(),
        // The waiting task gives up first.
        limit: limit.saturating_add(1),
        status: status.to_path_buf(),
        seal_key_file: call.task.run.options.seal_key_file.clone(),
        search: if spec.is_foreign() { foreign::current_search() } else { ModuleSearch::default() },
        python: call.task.run.bridge.python_use(),
    })
}

/// Writes the description and starts the process, in a group of its own so that Ctrl-C does not reach it.
fn spawn_job(job: &Job) -> std::io::Result<()> {
    async_jobs::write_status(&job.status, &async_jobs::started_status(&job.id), &[])?;
    let description = job.status.with_file_name(format!(".{}.job", job.id));
    async_jobs::write_file(&description, &serde_json::to_string(job).map_err(std::io::Error::other)?)?;
    Command::new(std::env::current_exe()?)
        .arg(SUBCOMMAND)
        .arg(&description)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map(|_| ())
}

async fn wait_for_job(call: &ModuleCall<'_>, id: &str, path: &Path, limit: u64) -> Result<ModuleOutcome, Failure> {
    let run = call.task.run;
    let pause = u64::try_from(call.settings.poll).unwrap_or(1);
    let mut left = limit;
    loop {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        left = left.saturating_sub(pause);
        let status = async_jobs::read_status(path, id).map_err(Failure::from_error)?;
        if status.is_finished() {
            // As Ansible does: the task that has waited has the result.
            let _ = std::fs::remove_file(path);
            let warned = status.warnings.iter().map(|warning| Diagnostic::warning(warning.as_str()));
            warned.for_each(|warning| run.bus.emit(&ReportEvent::Notice(warning)));
            return async_status::finished_outcome(&*run.registries, status);
        }
        run.bus.emit(&ReportEvent::Polling { host: Rc::clone(call.task.host), job: id.to_owned() });
        if left == 0 || run.interrupt.is_raised() {
            let message = format!("async task did not complete within the requested time - {limit}s");
            return Err(Failure::new(message).with("async_result", Value::from(status.result)));
        }
    }
}

/// The status that a job leaves at its end.
pub fn build_job_status(id: &str, result: Result<ModuleOutcome, Failure>) -> Dict {
    let (mut status, changed, failed) = match result {
        Ok(outcome) => (outcome.data, outcome.changed, false),
        Err(failure) => {
            let mut data = failure.data;
            if !data.contains("msg") {
                data.set("msg", failure.message.into());
            }
            (data, failure.changed, true)
        }
    };
    status.set("changed", changed.into());
    status.set("failed", failed.into());
    status.set("started", true.into());
    status.set("finished", true.into());
    status.set("ansible_job_id", id.into());
    status
}
