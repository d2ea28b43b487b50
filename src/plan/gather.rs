//! Gathers from the events of a run what a plan and a detailed exit status are made of.

use std::cell::RefCell;
use std::rc::Rc;

use super::model::Step;
use crate::reconcile::{Record, Verb};
use crate::report::event::Outcome;
use crate::report::{Event, Status, Writer};
use crate::secrets::Redactor;
use crate::value::python;

/// What was gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    /// What happened, or would happen, to registry objects.
    pub records: Vec<Record>,
    /// Changes of modules that are not about registry objects.
    pub others: Vec<Step>,
    /// Tasks of which nothing can be said.
    pub undetermined: Vec<Step>,
    /// Tasks that failed for good.
    pub failed: Vec<Step>,
}

impl Gathered {
    /// Whether anything was, or would be, changed.
    pub fn changes(&self) -> bool {
        !self.others.is_empty() || self.records.iter().any(|r| r.verb != Verb::Nothing && r.error.is_none())
    }
}

/// The writer that gathers.
#[derive(Default)]
pub struct Gather(Rc<RefCell<Gathered>>);

impl Gather {
    /// A writer and what it gathers into.
    pub fn new() -> (Self, Rc<RefCell<Gathered>>) {
        let gather = Self::default();
        let shared = Rc::clone(&gather.0);
        (gather, shared)
    }

    fn note(&self, outcome: &Outcome, redactor: &Redactor) {
        let step = |why: Option<String>| Step {
            task: outcome.label.task.to_string(),
            host: outcome.host.to_string(),
            item: outcome.item.as_ref().map(|item| redactor.redact(&python::str(item)).into_owned()),
            why: why.map(|why| redactor.redact(&why).into_owned()),
        };
        let mut all = self.0.borrow_mut();
        let is_item = outcome.item.is_some();
        // The line of a whole loop repeats what its passes have said.
        if outcome.looped && !is_item {
            if matches!(outcome.status, Status::Failed | Status::Unreachable) {
                all.failed.push(step(outcome.result.get("msg").map(python::str)));
            }
            return;
        }
        if let Some(awaits) = &outcome.undetermined {
            all.undetermined.push(step(Some(awaits.clone())));
        } else if matches!(outcome.status, Status::Failed | Status::Unreachable) && !is_item {
            all.failed.push(step(outcome.result.get("msg").map(python::str)));
        } else if outcome.status == Status::Changed && !outcome.label.action.starts_with("ionoscloudsdk.") {
            all.others.push(step(None));
        }
    }
}

impl Writer for Gather {
    fn event(&mut self, event: &Event, redactor: &Redactor) -> std::io::Result<()> {
        match event {
            Event::Item(outcome) | Event::Host(outcome) => self.note(outcome, redactor),
            Event::Recap { records, .. } => self.0.borrow_mut().records.clone_from(records),
            _ => {}
        }
        Ok(())
    }
}
