//! Whether a plan that waits still fits, checked at the moment of its approval.

use std::time::Duration;

use super::super::run::{RunContext, Secrets};
use super::{Hub, Slot};
use crate::exit::Exit;

/// The check of a plan may take so long.
const LIMIT: Duration = Duration::from_secs(300);

impl Hub {
    /// Returns why the plan that waits does not fit any more; none if it does.
    ///
    /// # Errors
    /// If it cannot be checked.
    pub(super) async fn find_misfit(&self, slot: &Slot, run: &str, commit: &str) -> Result<Option<String>, String> {
        let job = slot.job();
        let checkout = self.check_out(&job, commit, LIMIT).await?;
        let folder = checkout.folder().join(job.folder());
        self.engine.fetch_documents(run).await.map_err(|error| error.to_string())?;
        let documents = self.engine.run_folder(run);
        let claim = slot.claim.borrow().clone();
        let context = RunContext {
            job: &job,
            folder: &folder,
            documents: &documents,
            lock: claim.as_ref().and_then(|claim| claim.lock.as_ref()),
            lease: None,
            stop: Some(self.stop.subscribe()),
            limit: LIMIT,
            secrets: Secrets::Given,
        };
        let step = self.runner.check_run(&context).await.map_err(|error| error.to_string())?;
        let misfits = [Exit::PlanUnusable, Exit::PlanPlaybook, Exit::PlanWorld, Exit::PlanApplied, Exit::PlanAccount];
        match (step.error, step.exit) {
            (None, _) => Ok(None),
            (Some(why), Some(exit)) if misfits.iter().any(|misfit| i32::from(misfit.code()) == exit) => Ok(Some(why)),
            (Some(why), _) => Err(why),
        }
    }
}
