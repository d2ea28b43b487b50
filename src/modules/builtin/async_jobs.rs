//! Background jobs: where their results are kept, and what a job is told.
//!
//! A job is a process of its own that outlives the run. It gets a description in a file that only the user can read,
//! and leaves its result in the status file, whole or not at all, which `async_status` and the waiting run look at.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::async_secrets;
use crate::bridge::{ModuleSearch, PythonUse};
use crate::host::{HostApi, RealHost, WriteOptions};
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value};

/// A background job.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// Id of the job.
    pub id: String,
    /// The module's full name.
    pub module: String,
    /// The name in the playbook, for messages.
    pub called: String,
    /// The templated arguments as JSON text.
    pub args: String,
    /// The task's environment.
    pub environment: Vec<(String, String)>,
    /// The folder of the playbook.
    pub base_dir: PathBuf,
    /// Seconds after which it is ended.
    pub limit: u64,
    /// Where the result goes.
    pub status: PathBuf,
    /// The key that seals one-time passwords.
    pub seal_key_file: Option<PathBuf>,
    /// Where modules are that are not part of this program.
    pub search: ModuleSearch,
    /// Whether modules written in Python may be run.
    pub python: PythonUse,
}

/// Where in a status file it stands which texts are secret.
const SECRETS: &str = "_ansible_secrets";

/// Where in a status file it stands which tokens were made.
const TOKENS: &str = "_ansible_tokens";

/// State of a job.
pub struct AsyncJobStatus {
    /// Result so far.
    pub result: Dict,
    /// The ids of tokens whose passwords are in it: the credential store keeps those until the run takes them over.
    pub tokens: Vec<String>,
    /// Warnings of the job.
    pub warnings: Vec<String>,
}

impl AsyncJobStatus {
    /// Whether the job has ended.
    pub fn is_finished(&self) -> bool {
        self.result.get("finished").is_some_and(Value::is_true)
    }
}

/// The folder of status files: `ANSIBLE_ASYNC_DIR` of the task, of this process, or `~/.ansible_async`.
pub fn jobs_folder(environment: &[(String, String)]) -> PathBuf {
    const VARIABLE: &str = "ANSIBLE_ASYNC_DIR";
    let own = environment.iter().rev().find(|(name, _)| name == VARIABLE).map(|(_, value)| value.clone());
    match own.or_else(|| std::env::var(VARIABLE).ok()).filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(crate::modules::args::expand_path(&folder)),
        None => std::env::home_dir().unwrap_or_default().join(".ansible_async"),
    }
}

/// A new id: unique on this machine, in the form that scripts know.
pub fn new_id() -> String {
    let number: u64 = rand::random_range(100_000_000_000..1_000_000_000_000);
    format!("j{number}.{}", std::process::id())
}

/// The status of a job that has just been started.
pub fn started_status(id: &str) -> Dict {
    let mut status = Dict::new();
    status.set("started", true.into());
    status.set("finished", false.into());
    status.set("ansible_job_id", id.into());
    status
}

/// Writes a file that only the user can read, whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn write_file(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    RealHost.make_dirs(folder)?;
    RealHost.write(path, text.as_bytes(), WriteOptions { bits: Some(0o600), unsafe_writes: false })
}

/// Writes a status, with the ids of tokens whose passwords are in it.
///
/// # Errors
/// If it cannot be written.
pub fn write_status(path: &Path, status: &Dict, tokens: &[String]) -> std::io::Result<()> {
    let mut told = status.clone();
    let secrets = async_secrets::secret_paths(status);
    if secrets.is_true() {
        told.set(SECRETS, secrets);
    }
    if !tokens.is_empty() {
        told.set(TOKENS, Value::list(tokens.iter().map(|id| Value::text(id.as_str()))));
    }
    write_file(path, &json::to_string(&Value::from(told), JsonStyle::EVENT))
}

/// A status that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobStatusError {
    /// There is no file of such a job.
    #[error("could not find job")]
    NoJob,
    /// The file has something else in it.
    #[error("Could not parse job output: {0}")]
    NotStatus(String),
}

/// Reads a status: what the job has left there, with the keys that every status has.
///
/// # Errors
/// If there is no such job, or its file is not a status.
pub fn read_status(path: &Path, id: &str) -> Result<AsyncJobStatus, JobStatusError> {
    let text = crate::input::read_text(path).map_err(|_| JobStatusError::NoJob)?;
    let mut status = match json::from_str(&text) {
        Ok(Value::Dict(status)) => (*status).clone(),
        _ => return Err(JobStatusError::NotStatus(text)),
    };
    if let Some(places) = status.remove(SECRETS) {
        async_secrets::taint_paths(&mut status, &places);
    }
    let mut texts = |key| match status.remove(key) {
        Some(Value::List(texts)) => texts.iter().map(crate::value::python::str).collect(),
        _ => Vec::new(),
    };
    let (tokens, warnings) = (texts(TOKENS), texts("warnings"));
    status.set("ansible_job_id", id.into());
    for key in ["started", "finished"] {
        let is = status.get(key).is_some_and(Value::is_true);
        status.set(key, is.into());
    }
    complete_status(&mut status, path);
    Ok(AsyncJobStatus { result: status, tokens, warnings })
}

/// The keys that every answer about a job has.
pub fn complete_status(status: &mut Dict, path: &Path) {
    status.set("results_file", path.display().to_string().into());
    for (key, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        let text = status.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        status.set(lines, Value::list(text.lines().map(Value::text)));
        status.set(key, text.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_back_with_its_usual_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/j1.2");
        assert_eq!(read_status(&path, "j1.2").map(|status| status.result), Err(JobStatusError::NoJob));
        write_status(&path, &started_status("j1.2"), &[]).unwrap();
        let status = read_status(&path, "j1.2").unwrap().result;
        assert_eq!(status.get("finished"), Some(&Value::Bool(false)));
        assert_eq!(status.get("stdout_lines"), Some(&Value::list([])));
        assert_eq!(RealHost.lstat(&path).unwrap().bits, 0o600);
    }

    #[test]
    fn the_tasks_own_folder_counts() {
        let own = [("ANSIBLE_ASYNC_DIR".to_owned(), "/somewhere".to_owned())];
        assert_eq!(jobs_folder(&own), Path::new("/somewhere"));
    }
}
