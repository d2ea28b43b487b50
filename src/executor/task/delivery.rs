//! One-time passwords that a task uses, and whether it delivers them.
//!
//! A task delivers a password if its module writes or passes on its arguments (a row of its spec), the password is in its
//! arguments or environment, and it succeeds. A file counts if the password is in it afterwards; a background job counts
//! once its result has been read.

use std::path::{Path, PathBuf};

use super::TaskRun;
use super::invoke::ModuleCall;
use super::prepare::Prepared;
use super::task_result::ItemResult;
use crate::executor::state::RunState;
use crate::modules::builtin::async_jobs;
use crate::modules::spec::HandsOn;
use crate::modules::{Failure, ModuleOutcome};
use crate::value::Value;

/// A larger file is not searched for a password.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A background job that was given passwords.
pub struct GivenJob {
    status: PathBuf,
    tokens: Vec<String>,
}

/// Returns the ids of tokens whose passwords a module has passed on, according to its outcome. It is decided later whether
/// the task counts as failed.
pub(in crate::executor) fn find_delivered(
    call: &ModuleCall<'_>,
    prepared: &Prepared,
    outcome: &Result<ModuleOutcome, Failure>,
) -> Vec<String> {
    let run = call.task.run;
    let (Some(store), Ok(outcome)) = (&run.credentials, outcome) else { return Vec::new() };
    let spec = prepared.module.module_spec();
    let is_status = spec.short_name() == "async_status";
    if (!is_status && !store.holds_passwords()) || call.is_prediction(prepared) || !is_success(outcome) {
        return Vec::new();
    }
    if is_status {
        return take_finished_job(run, outcome);
    }
    let given = || {
        let mut texts = Vec::new();
        prepared.given.iter().for_each(|(_, value)| crate::credentials::collect_texts(value, &mut texts));
        texts.extend(call.settings.environment.iter().map(|(_, value)| value.as_str()));
        store.find_given(&texts)
    };
    if call.settings.background > 0 && call.settings.poll <= 0 {
        if spec.hands_on != HandsOn::Nothing {
            remember_job(run, outcome, given());
        }
        return Vec::new();
    }
    match spec.hands_on {
        HandsOn::Nothing => Vec::new(),
        // A command that did not run, because of `creates` or `removes`, has changed nothing.
        HandsOn::WhenRun => {
            if outcome.changed {
                given()
            } else {
                Vec::new()
            }
        }
        HandsOn::WhenSent => {
            let method = prepared.args.str("method").unwrap_or("GET").to_uppercase();
            let asks_only =
                matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") && prepared.args.get("body").is_none();
            if asks_only || !outcome.data.contains("status") { Vec::new() } else { given() }
        }
        HandsOn::InFile => match find_output_file(prepared, outcome).map(read_file) {
            Some(Some(text)) => store.find_given(&[&text]),
            // A device or a pipe cannot be read again.
            Some(None) if outcome.changed => given(),
            _ => Vec::new(),
        },
    }
}

/// The file that a module has written, by its result or else its arguments.
fn find_output_file<'a>(prepared: &'a Prepared, outcome: &'a ModuleOutcome) -> Option<&'a Path> {
    let keys = ["dest", "path"];
    let returned = keys.iter().find_map(|key| outcome.data.get(key)?.as_str());
    returned.or_else(|| keys.iter().find_map(|key| prepared.args.str(key))).map(Path::new)
}

fn is_success(outcome: &ModuleOutcome) -> bool {
    !outcome.skipped && outcome.undetermined.is_none() && !outcome.data.get("failed").is_some_and(Value::is_true)
}

fn read_file(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LARGEST {
        return None;
    }
    Some(String::from_utf8_lossy(&std::fs::read(path).ok()?).into_owned())
}

fn remember_job(run: &RunState, outcome: &ModuleOutcome, tokens: Vec<String>) {
    let text = |key: &str| outcome.data.get(key).and_then(Value::as_str).map(str::to_owned);
    if let (Some(id), Some(status), false) = (text("ansible_job_id"), text("results_file"), tokens.is_empty()) {
        run.given_jobs.borrow_mut().insert(id, GivenJob { status: status.into(), tokens });
    }
}

fn take_finished_job(run: &RunState, outcome: &ModuleOutcome) -> Vec<String> {
    let is_finished = outcome.data.get("finished").is_some_and(Value::is_true);
    let id = outcome.data.get("ansible_job_id").and_then(Value::as_str).filter(|_| is_finished);
    let job = id.and_then(|id| run.given_jobs.borrow_mut().remove(id));
    job.map(|job| job.tokens).unwrap_or_default()
}

impl TaskRun<'_> {
    /// Records the deliveries of a task after it has succeeded.
    pub(in crate::executor) fn record_deliveries(&self, item_result: &ItemResult) {
        let Some(store) = self
            .run
            .credentials
            .as_ref()
            .filter(|_| !item_result.ending.is_failed() && !item_result.ending.is_skipped())
        else {
            return;
        };
        for token in &item_result.delivered {
            store.mark_delivered(token, &format!("task \"{}\" on {}", self.label.task, self.host));
        }
    }
}

/// Looks at background jobs whose results were not read: those that have ended well have delivered what they were given.
pub(in crate::executor) fn settle_jobs(run: &RunState) {
    let Some(store) = &run.credentials else { return };
    for (id, job) in run.given_jobs.take() {
        let status = async_jobs::read_status(&job.status, &id);
        let is_done =
            status.is_ok_and(|status| status.is_finished() && !status.result.get("failed").is_some_and(Value::is_true));
        if is_done {
            job.tokens.iter().for_each(|token| _ = store.mark_delivered(token, &format!("job {id}")));
        }
    }
}
