//! `async_status`: looks at a background job.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::ionos::Connector;
use crate::modules::spec::Param;
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::value::Value;

use super::async_jobs::{self, AsyncJobStatus, JobStatusError};

static SPEC: Spec = Spec::new("ansible.builtin.async_status", "Checks a background job, or removes its result.")
    .examples(include_str!("examples/async_status.yml"))
    .anywhere()
    .params(&[&[
        Param::str("jid", "Id of the job.").required(),
        Param::str("mode", "`status` checks the job, `cleanup` removes its result.")
            .default("status")
            .choices(&["status", "cleanup"]),
    ]]);

/// The module.
pub struct AsyncStatus;

impl TaskModule for AsyncStatus {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            let id = args.str("jid").unwrap_or_default();
            let path = async_jobs::jobs_folder(context.environment).join(id);
            if args.str("mode") == Some("cleanup") {
                return clean_up(context, &path, id);
            }
            let status = poll_status(&path, id).await.map_err(|error| {
                let mut data = async_jobs::started_status(id);
                data.set("finished", true.into());
                async_jobs::complete_status(&mut data, &path);
                Failure { data, ..Failure::from_error(error) }
            })?;
            status.warnings.iter().for_each(|warning| context.warn(warning.as_str()));
            finished_outcome(context.registries, status)
        })
    }
}

/// How long a look waits for a job that is about to end: a look that comes a moment too early costs its playbook a
/// whole delay.
const PATIENCE: Duration = Duration::from_millis(250);

async fn poll_status(path: &Path, id: &str) -> Result<AsyncJobStatus, JobStatusError> {
    let begun = Instant::now();
    loop {
        let status = async_jobs::read_status(path, id)?;
        if status.is_finished() || begun.elapsed() >= PATIENCE {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The result of a job as the result of a task. With it the playbook has the passwords of tokens that the job has made.
///
/// # Errors
/// If the job failed.
pub fn finished_outcome(registries: &dyn Connector, status: AsyncJobStatus) -> Result<ModuleOutcome, Failure> {
    let AsyncJobStatus { result: mut status, tokens, warnings } = status;
    if !warnings.is_empty() {
        status.set("warnings", Value::list(warnings.into_iter().map(Value::text)));
    }
    tokens.iter().for_each(|token| registries.hand_on(token));
    let changed = status.remove("changed").is_some_and(|value| value.is_true());
    if status.remove("failed").is_some_and(|value| value.is_true()) {
        let message = status.get("msg").map(crate::value::python::str).unwrap_or_default();
        return Err(Failure { data: status, changed, ..Failure::new(message) });
    }
    Ok(ModuleOutcome::new(changed, status))
}

fn clean_up(context: &TaskContext<'_>, path: &Path, id: &str) -> Result<ModuleOutcome, Failure> {
    context
        .host
        .remove_file(path)
        .map_err(|error| Failure::new(format!("cannot remove `{}`: {error}", path.display())))?;
    let mut data = async_jobs::started_status(id);
    data.set("started", false.into());
    data.set("erased", path.display().to_string().into());
    async_jobs::complete_status(&mut data, path);
    data.remove("results_file");
    Ok(ModuleOutcome::new(false, data).with("failed", Value::Bool(false)))
}
