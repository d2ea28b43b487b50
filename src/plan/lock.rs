//! A plan is applied once, by one process: a file next to it records when that began and how it ended.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::PlanRefusal;

/// Contents of the lock file.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    plan: String,
    begun: String,
    ended: Option<String>,
}

/// The right to apply a plan. It ends with the process, however that ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    plan: String,
}

/// Why there is no right.
#[derive(Debug)]
pub enum LockError {
    /// The plan is being applied, or was.
    Refused(PlanRefusal),
    /// The file next to it cannot be used.
    Broken(anyhow::Error),
}

impl From<anyhow::Error> for LockError {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

impl Lock {
    /// Takes the right to apply the plan of this digest from this file.
    ///
    /// # Errors
    /// If another process has it, or the plan was begun before.
    pub fn acquire_lock(plan: &Path, digest: &str) -> Result<Self, LockError> {
        let mut name = plan.as_os_str().to_owned();
        name.push(".applied");
        let path = PathBuf::from(name);
        let failed = || format!("cannot write `{}`", path.display());
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(&path).with_context(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LockError::Refused(PlanRefusal::Busy)),
            Err(TryLockError::Error(error)) => {
                return Err(LockError::Broken(anyhow::Error::new(error).context(failed())));
            }
        }
        let mut text = String::new();
        // A file that says nothing readable was cut off before it could: then nothing was sent either.
        let _ = file.read_to_string(&mut text);
        if let Ok(mark) = serde_json::from_str::<Mark>(&text)
            && mark.plan == digest
        {
            return Err(LockError::Refused(match mark.ended {
                Some(ended) => PlanRefusal::Applied(format!("its run ended {ended}; make a new plan")),
                None => PlanRefusal::Applied(format!(
                    "its run began {} and was interrupted: it may be partly applied; a new plan shows the rest",
                    mark.begun
                )),
            }));
        }
        Ok(Self { file, path, plan: digest.to_owned() })
    }

    /// Notes that the plan is being applied, before the first request.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record_begin(&mut self) -> anyhow::Result<()> {
        self.write(None)
    }

    /// Notes that the run has come to its end.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn record_end(&mut self) -> anyhow::Result<()> {
        self.write(Some(jiff::Timestamp::now().to_string()))
    }

    fn write(&mut self, ended: Option<String>) -> anyhow::Result<()> {
        let mark = Mark { plan: self.plan.clone(), begun: jiff::Timestamp::now().to_string(), ended };
        let failed = || format!("cannot write `{}`", self.path.display());
        self.file.set_len(0).with_context(failed)?;
        self.file.rewind().with_context(failed)?;
        self.file.write_all(serde_json::to_string(&mark)?.as_bytes()).with_context(failed)?;
        self.file.sync_all().with_context(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(plan: &Path, digest: &str, says: &str) {
        match Lock::acquire_lock(plan, digest) {
            Err(LockError::Refused(refusal)) => assert!(refusal.to_string().contains(says), "{refusal}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_plan_is_applied_once_and_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let plan = folder.path().join("p");
        let mut lock = Lock::acquire_lock(&plan, "d").unwrap();
        refused(&plan, "d", "another process");
        // Nothing was begun.
        drop(lock);
        lock = Lock::acquire_lock(&plan, "d").unwrap();
        lock.record_begin().unwrap();
        drop(lock);
        refused(&plan, "d", "interrupted");
        lock = Lock::acquire_lock(&plan, "another plan in the same file").unwrap();
        lock.record_begin().unwrap();
        lock.record_end().unwrap();
        drop(lock);
        refused(&plan, "another plan in the same file", "its run ended");
    }
}
