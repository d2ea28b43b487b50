//! Whether a plan that waits still fits, checked at the moment of its approval.

use std::time::Duration;

use super::super::engine::EngineError;
use super::super::run::{RunContext, Secrets, StepError};
use super::run::CheckoutError;
use super::{Hub, Slot};
use crate::exit::Exit;

/// The check of a plan may take so long.
const LIMIT: Duration = Duration::from_secs(300);

/// Why it cannot be checked whether a plan still fits.
#[derive(Debug, thiserror::Error)]
pub(super) enum MisfitError {
    /// The commit of the plan cannot be used.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// The documents of the run are not there.
    #[error(transparent)]
    Documents(#[from] EngineError),
    /// The check cannot be started.
    #[error(transparent)]
    Start(#[from] StepError),
    /// The check failed, in its own words.
    #[error("{0}")]
    Check(String),
}

impl Hub {
    /// Returns why the plan that waits does not fit any more; none if it does.
    ///
    /// # Errors
    /// If it cannot be checked.
    pub(super) async fn find_misfit(
        &self,
        slot: &Slot,
        run: &str,
        commit: &str,
    ) -> Result<Option<String>, MisfitError> {
        let job = slot.job();
        let checkout = self.check_out(&job, commit, LIMIT).await?;
        let folder = checkout.folder().join(job.folder());
        self.engine.fetch_documents(run).await?;
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
            confinement: None,
        };
        let step = self.runner.check_run(&context).await?;
        let misfits = [Exit::PlanUnusable, Exit::PlanPlaybook, Exit::PlanWorld, Exit::PlanApplied, Exit::PlanAccount];
        match (step.error, step.exit) {
            (None, _) => Ok(None),
            (Some(why), Some(exit)) if misfits.iter().any(|misfit| i32::from(misfit.code()) == exit) => Ok(Some(why)),
            (Some(why), _) => Err(MisfitError::Check(why)),
        }
    }
}
