//! Collects data for plans and detailed exit codes from the events of a run.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::model::{Counts, PlannedTask};
use crate::reconcile::Record;
use crate::report::event::ReportedOutcome;
use crate::report::{OutcomeStatus, ReportEvent, Writer};
use crate::secrets::Redactor;

/// Collected results of a run.
#[derive(Debug, Default)]
pub struct CollectedResults {
    /// Actions on registry objects, done or predicted.
    pub records: Vec<Record>,
    /// Changes of modules that are not about registry objects.
    pub others: Vec<PlannedTask>,
    /// Tasks of which nothing can be said.
    pub undetermined: Vec<PlannedTask>,
    /// Tasks with unhandled failures.
    pub failed: Vec<PlannedTask>,
}

impl CollectedResults {
    /// How often each thing was, or would be, done.
    pub fn count_actions(&self) -> Counts {
        let done = self.records.iter().filter(|record| record.error.is_none()).map(|record| record.verb.name());
        Counts::from_actions(done, [&self.undetermined, &self.others, &self.failed].map(Vec::len))
    }
}

/// The writer that gathers.
#[derive(Default)]
pub struct ResultCollector {
    gathered: Rc<RefCell<CollectedResults>>,
    /// The item of the loop under way that failed last, by host.
    failed_items: HashMap<Rc<str>, PlannedTask>,
}

impl ResultCollector {
    /// A writer, and the collection that it fills.
    pub fn new() -> (Self, Rc<RefCell<CollectedResults>>) {
        let gather = Self::default();
        let shared = Rc::clone(&gather.gathered);
        (gather, shared)
    }

    fn record_outcome(&mut self, outcome: &ReportedOutcome, redactor: &Redactor) {
        let step = |why: Option<String>| PlannedTask {
            task: outcome.label.task.to_string(),
            host: outcome.host.to_string(),
            item: outcome.item.as_ref().map(|item| redactor.show_value(item)),
            why: why.map(|why| redactor.redact(&why).into_owned()),
        };
        let mut all = self.gathered.borrow_mut();
        let is_item = outcome.item.is_some();
        let failed = matches!(outcome.status, OutcomeStatus::Failed | OutcomeStatus::Unreachable);
        if is_item && failed {
            self.failed_items.insert(
                Rc::clone(&outcome.host),
                step(outcome.result.get("msg").map(|message| redactor.show_value(message))),
            );
        }
        // The line of a whole loop repeats the messages of its items.
        if outcome.looped && !is_item {
            // It only says that an item failed; which one, and why, is what people want to know.
            let item_result = self.failed_items.remove(&outcome.host);
            if failed {
                all.failed
                    .push(item_result.unwrap_or_else(|| {
                        step(outcome.result.get("msg").map(|message| redactor.show_value(message)))
                    }));
            }
            return;
        }
        if let Some(awaits) = &outcome.undetermined {
            all.undetermined.push(step(Some(awaits.clone())));
        } else if failed && !is_item {
            all.failed.push(step(outcome.result.get("msg").map(|message| redactor.show_value(message))));
        } else if outcome.status == OutcomeStatus::Changed && !outcome.label.action.starts_with("ionoscloudsdk.") {
            all.others.push(step(None));
        }
    }
}

impl Writer for ResultCollector {
    fn write_event(&mut self, event: &ReportEvent, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            ReportEvent::Item(outcome) | ReportEvent::Host(outcome) => self.record_outcome(outcome, redactor),
            ReportEvent::Recap { records, .. } => self.gathered.borrow_mut().records.clone_from(records),
            _ => {}
        }
        Ok(())
    }
}
