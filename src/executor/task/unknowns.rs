//! Unknown values in a dry run, and their consequences.

use std::rc::Rc;

use super::TaskRun;
use super::task_result::ItemResult;
use crate::executor::handlers::{self, DoubtfulHandlers};
use crate::playbook::LoadResult;
use crate::report::TaskLabel;
use crate::value::{Value, python};

impl TaskRun<'_> {
    /// Marks the consequences of an undetermined task: paths that it may have written are in doubt, and so are the facts
    /// that it may have set.
    pub(in crate::executor) fn mark_consequences_unknown(&self, item_result: &ItemResult) {
        let Some(awaits) = item_result.undetermined.as_ref().filter(|_| !item_result.is_of_rescue()) else { return };
        self.mark_files_unknown(item_result);
        let action = &*self.label.action;
        let writes = action.starts_with("ionoscloudsdk.") && !action.ends_with("_info");
        if writes || action.contains(".include_") || action.contains(".import_") {
            self.run.predicting_registries.mark_uncertain(&self.label.task);
        }
        if action.ends_with(".include_vars") {
            for host in self.targets {
                let state = self.run.host_state(host);
                match self.task.args.values.get("name").and_then(Value::as_str) {
                    Some(name) => {
                        Rc::make_mut(&mut state.included.borrow_mut()).set(name, Value::unknown(awaits.as_str()))
                    }
                    None => *state.unread_variables.borrow_mut() = Some(awaits.clone()),
                }
            }
        }
        if action.ends_with(".set_fact") {
            for name in self.task.args.values.keys().filter_map(Value::as_str).filter(|name| *name != "cacheable") {
                for host in self.targets {
                    self.run.host_state(host).set_variable(name, Value::unknown(awaits.as_str()));
                }
            }
        }
    }

    /// Records the handlers that the real run may notify. As with Ansible in check mode, only handlers on registry objects are
    /// shown for such a task.
    pub(in crate::executor) fn may_notify(&self, item_result: &ItemResult) -> LoadResult<()> {
        let Some(awaits) = item_result.explain_uncertainty().filter(|_| !item_result.is_of_rescue()) else {
            return Ok(());
        };
        let is_shown = item_result.undetermined.is_some() || item_result.open.changed.is_some();
        let which = if is_shown { DoubtfulHandlers::All } else { DoubtfulHandlers::OfRegistry };
        handlers::may_notify(&self.host_task(), &item_result.may_notify, which, &awaits)
    }

    /// Returns the unknown that a handler, or a task in a `rescue`, waits for.
    pub(in crate::executor) fn find_awaited_unknown(&self) -> Option<Value> {
        let doubtful = self.play.doubtful_tasks.borrow();
        let awaits = doubtful.get(&std::rc::Rc::as_ptr(self.task))?.get(self.host)?;
        Some(Value::unknown(awaits.as_str()))
    }
}

/// Records the origin of unknown values in a registered result.
pub(in crate::executor) fn name_unknowns(value: &Value, variable: &str, label: &TaskLabel) {
    match value {
        Value::Unknown(unknown) => unknown.set_origin(|| {
            let place = label.place.as_deref().map(|place| format!(" ({place})")).unwrap_or_default();
            format!("`{variable}` of task \"{}\"{place}", label.task)
        }),
        Value::List(items) | Value::Tuple(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| item.has_unknown()) {
                name_unknowns(item, &format!("{variable}[{index}]"), label);
            }
        }
        Value::Dict(dict) => {
            for (key, item) in dict.iter().filter(|(_, item)| item.has_unknown()) {
                name_unknowns(item, &format!("{variable}.{}", python::str(key)), label);
            }
        }
        _ => {}
    }
}
