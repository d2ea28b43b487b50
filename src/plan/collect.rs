//! Gathers from the events of a run what a plan and a detailed exit status are made of.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::model::{Counts, Step};
use crate::reconcile::Record;
use crate::report::event::Outcome;
use crate::report::{Event, Status, Writer};
use crate::secrets::Redactor;

/// Collected results of a run.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Actions on registry objects, done or predicted.
    pub records: Vec<Record>,
    /// Changes of modules that are not about registry objects.
    pub others: Vec<Step>,
    /// Tasks of which nothing can be said.
    pub undetermined: Vec<Step>,
    /// Tasks that failed for good.
    pub failed: Vec<Step>,
}

impl Gathered {
    /// How often each thing was, or would be, done.
    pub fn counts(&self) -> Counts {
        let done = self.records.iter().filter(|record| record.error.is_none()).map(|record| record.verb.name());
        Counts::of(done, [&self.undetermined, &self.others, &self.failed].map(Vec::len))
    }
}

/// The writer that gathers.
#[derive(Default)]
pub struct Gather {
    gathered: Rc<RefCell<Gathered>>,
    /// The pass of the loop under way that failed last, by host.
    passes: HashMap<Rc<str>, Step>,
}

impl Gather {
    /// A writer and what it gathers into.
    pub fn new() -> (Self, Rc<RefCell<Gathered>>) {
        let gather = Self::default();
        let shared = Rc::clone(&gather.gathered);
        (gather, shared)
    }

    fn note(&mut self, outcome: &Outcome, redactor: &Redactor) {
        let step = |why: Option<String>| Step {
            task: outcome.label.task.to_string(),
            host: outcome.host.to_string(),
            item: outcome.item.as_ref().map(|item| redactor.show(item)),
            why: why.map(|why| redactor.redact(&why).into_owned()),
        };
        let mut all = self.gathered.borrow_mut();
        let is_item = outcome.item.is_some();
        let failed = matches!(outcome.status, Status::Failed | Status::Unreachable);
        if is_item && failed {
            self.passes.insert(
                Rc::clone(&outcome.host),
                step(outcome.result.get("msg").map(|message| redactor.show(message))),
            );
        }
        // The line of a whole loop repeats what its passes have said.
        if outcome.looped && !is_item {
            // It only says that a pass failed; which one, and why, is what people want to know.
            let pass = self.passes.remove(&outcome.host);
            if failed {
                all.failed.push(
                    pass.unwrap_or_else(|| step(outcome.result.get("msg").map(|message| redactor.show(message)))),
                );
            }
            return;
        }
        if let Some(awaits) = &outcome.undetermined {
            all.undetermined.push(step(Some(awaits.clone())));
        } else if failed && !is_item {
            all.failed.push(step(outcome.result.get("msg").map(|message| redactor.show(message))));
        } else if outcome.status == Status::Changed && !outcome.label.action.starts_with("ionoscloudsdk.") {
            all.others.push(step(None));
        }
    }
}

impl Writer for Gather {
    fn event(&mut self, event: &Event, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            Event::Item(outcome) | Event::Host(outcome) => self.note(outcome, redactor),
            Event::Recap { records, .. } => self.gathered.borrow_mut().records.clone_from(records),
            _ => {}
        }
        Ok(())
    }
}
