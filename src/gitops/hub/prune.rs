//! The steps of a run that prune: added to its plan where they are due.

use super::super::clock;
use super::super::decide::may_prune;
use super::super::engine::RunDocument;
use super::super::record::{MadeObject, TOKEN};
use super::super::run::{
    PruneStep, RunContext, after_steps, due_steps, mark_named, read_playbook_ids, steps_without_action, write_playbook,
};
use super::run::Work;
use crate::plan::Plan;

impl Work<'_> {
    /// Plans again with the steps that prune, if any are due. Returns the plan that counts, and the objects of the job as
    /// they are known after a run that has nothing to change.
    pub(super) async fn add_prune_steps(
        &self,
        run: &RunContext<'_>,
        plan: Plan,
    ) -> (Option<Plan>, Option<Vec<MadeObject>>) {
        let file = self.document_path(RunDocument::Prune);
        let _ = std::fs::remove_file(&file);
        let made = self.slot.record.borrow().objects.clone();
        let Some(objects) = mark_named(&made, &plan, clock::now()) else { return (Some(plan), None) };
        let permitted = self.hub.with_rules(self.slot, may_prune);
        let steps = if permitted { due_steps(&objects, run.job.prune, clock::now()) } else { Vec::new() };
        let steps: Vec<PruneStep> =
            steps.into_iter().filter(|step| !self.hub.is_named_elsewhere(&run.job.name, &step.object)).collect();
        if steps.is_empty() {
            return (Some(plan), Some(objects));
        }
        let hosts = if run.job.inventory.is_empty() { "localhost" } else { "all" };
        if let Err(error) = std::fs::write(&file, write_playbook(&steps, hosts)) {
            self.hub.log_line(&format!("{}: nothing is pruned: {error}", run.job.name));
            return (Some(plan), Some(objects));
        }
        let planned = self.hub.runner.plan_with_prune(run, &file).await;
        match planned {
            Ok((step, Some(with_steps))) if step.error.is_none() => {
                self.record_step(&step);
                let done = steps_without_action(&with_steps, &steps);
                let deletes = |object: &MadeObject| object.disabled || object.kind != TOKEN;
                (Some(with_steps), Some(after_steps(objects, &done, deletes)))
            }
            other => {
                let why = match other {
                    Ok((step, _)) => step.error.unwrap_or_else(|| "the plan was not written".to_owned()),
                    Err(error) => error.to_string(),
                };
                let _ = std::fs::remove_file(&file);
                self.hub.log_line(&format!("{}: nothing is pruned: {why}", run.job.name));
                (Some(plan), Some(objects))
            }
        }
    }

    /// Returns the ids of the objects that the plan of this run prunes.
    pub(super) fn read_pruned(&self) -> Vec<String> {
        read_playbook_ids(&std::fs::read_to_string(self.document_path(RunDocument::Prune)).unwrap_or_default())
    }
}

impl super::Hub {
    /// Returns whether another job of the file has an object, too: then it is not pruned.
    fn is_named_elsewhere(&self, job: &str, object: &MadeObject) -> bool {
        self.slots().iter().filter(|(name, _)| name != job).any(|(_, slot)| {
            let record = slot.record();
            let is_token = object.kind == TOKEN;
            let named = record
                .tokens
                .iter()
                .any(|token| is_token && token.name == object.name && Some(&token.registry) == object.parent.as_ref());
            named || record.objects.iter().any(|other| other.id == object.id && other.unnamed_since.is_none())
        })
    }
}
