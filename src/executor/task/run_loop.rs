//! The loop of a task: its list, then its items in their order.

use std::rc::Rc;

use super::TaskRun;
use super::conditional::{self, ConditionOutcome};
use super::loops::{self, Items, LoopControl};
use super::parallel_loop::{LoopParts, ParallelLoop};
use super::task_result::{ItemResult, TaskResult};
use crate::executor::variables::scope::TaskScope;
use crate::playbook::LoadResult;
use crate::playbook::task::Loop;
use crate::report::ReportEvent;
use crate::template::{TemplateError, TemplateErrorKind};
use crate::value::{Dict, Value};

impl TaskRun<'_> {
    /// Runs the task once for each item of its loop.
    pub(super) async fn run_loop(&self, looping: &Loop, scope: &mut TaskScope) -> LoadResult<TaskResult> {
        let prepared = {
            let engine = self.engine(scope);
            LoopControl::read(&engine, self.task).and_then(|control| {
                Ok((control, loops::evaluate_items(&engine, looping, self.task.action.short_name())?))
            })
        };
        match prepared {
            Ok((_, Items::Known(items))) if items.is_empty() => {
                let (delegated_to, no_log) = (self.raw_delegation(), self.no_log(&self.engine(scope)));
                self.complete_task(ItemResult { delegated_to, no_log, ..ItemResult::no_items() })
            }
            Ok((control, Items::Known(items))) => self.run_items(&control, &items, scope).await,
            Ok((control, Items::Unknown(unknown))) => self.unknown_items(&control, unknown, scope),
            Err(fault) => {
                let delegated_to = self.raw_delegation();
                self.complete_task(ItemResult { delegated_to, ..self.without_items(fault, scope) })
            }
        }
    }

    async fn run_items(&self, control: &LoopControl, items: &[Value], scope: &mut TaskScope) -> LoadResult<TaskResult> {
        let mut loop_result = self.new_loop_result();
        // What the item before has registered is seen by the next one.
        let mut registered: Option<Rc<Dict>> = None;
        let before = self.before_loop();
        let width = self.loop_width(control, items, scope)?;
        let parts = LoopParts { control, items };
        let mut parallel = (width > 1).then(|| ParallelLoop::new(self, parts, width));
        for (index, item) in items.iter().enumerate() {
            self.pause_before(index, control).await;
            self.run.bus.emit(&ReportEvent::ItemStart { number: index + 1, count: items.len() });
            let vars = Rc::new(control.build_item_variables(items, index));
            scope.set_top([&vars].into_iter().chain(&registered).cloned().collect());
            let mut item_result = match &mut parallel {
                None => self.run_item(scope).await,
                Some(parallel) => {
                    let Some(item_result) = parallel.next_result().await else { continue };
                    scope.set_connection_target(item_result.delegated_to.clone());
                    item_result
                }
            };
            loop_result.add_deprecations(self.tell_deprecations());
            for (name, value) in vars.iter() {
                item_result.result.insert(name.clone(), value.clone());
            }
            let stop = match self.end_item(control, scope, item, &mut item_result) {
                Ok(stop) => stop,
                Err(fault) => {
                    if let Some(parallel) = &mut parallel {
                        parallel.finish_begun().await;
                    }
                    return self.complete_task(self.failed_around(fault, scope));
                }
            };
            // What `break_when` notes is in no result.
            self.tell_deprecations();
            registered = self.registered_item(&item_result).or(registered);
            if item_result.touched {
                scope.refresh_layers();
            }
            loop_result.add(item_result);
            let has_more = parallel.as_ref().is_some_and(ParallelLoop::has_more);
            if stop || (self.run.interrupt.is_raised() && !has_more) {
                break;
            }
        }
        if let Some(before) = before.filter(|_| loop_result.has_failed()) {
            before.restore();
        }
        self.complete_loop(loop_result)
    }

    async fn pause_before(&self, index: usize, control: &LoopControl) {
        if index > 0 && !control.pause.is_zero() {
            self.run.interrupt.pause_for(control.pause).await;
            // A pause is there for the world to change.
            self.kept.iter().for_each(|kept| kept.clear());
        }
    }

    /// Tells the result of an item. Returns whether the loop ends with it.
    ///
    /// # Errors
    /// If the label or `break_when` cannot be evaluated; this fails the task.
    fn end_item(
        &self,
        control: &LoopControl,
        scope: &mut TaskScope,
        item: &Value,
        item_result: &mut ItemResult,
    ) -> Result<bool, TemplateError> {
        let label = match self.item_label(control, scope, item, item_result) {
            Value::Omit => return Err(omitted_label()),
            label => label,
        };
        self.tell_item(item_result, label);
        let stop = self.needs_break(control, scope, item_result)?;
        scope.set_top(Vec::new());
        Ok(stop)
    }

    /// The result of an item under the name that the task registers.
    fn registered_item(&self, item_result: &ItemResult) -> Option<Rc<Dict>> {
        let name = self.task.register.as_ref()?;
        let mut registered = Dict::new();
        registered.set(&**name, self.registered_result(item_result).into());
        Some(Rc::new(registered))
    }

    /// Runs a loop over an unknown list: one row represents all items, unless the condition is false for any item.
    fn unknown_items(&self, control: &LoopControl, unknown: Value, scope: &mut TaskScope) -> LoadResult<TaskResult> {
        scope.set_top(vec![Rc::new(control.build_item_variables(std::slice::from_ref(&unknown), 0))]);
        let mut item_result = {
            let engine = self.engine(&*scope);
            match conditional::evaluate_when(&engine, self.task) {
                Ok(ConditionOutcome::Fails(condition)) => ItemResult::skipped_by(&condition),
                Err(fault) => self.failed_before(fault, scope),
                Ok(ConditionOutcome::Holds | ConditionOutcome::Unknown(_)) => ItemResult {
                    may_notify: self.template_notify(&engine).unwrap_or_default(),
                    ..ItemResult::undetermined_by(&unknown)
                },
            }
        };
        scope.set_top(Vec::new());
        scope.refresh_layers();
        item_result.result.set(control.variable.as_str(), unknown);
        item_result.result.set("ansible_loop_var", control.variable.as_str().into());
        self.tell_item(&item_result, Value::text("[*]"));
        let mut loop_result = self.new_loop_result();
        loop_result.add(item_result);
        self.complete_loop(loop_result)
    }

    /// A loop list that cannot be made does not matter if the condition is false without it.
    fn without_items(&self, fault: TemplateError, scope: &TaskScope) -> ItemResult {
        let engine = self.engine(scope);
        match conditional::evaluate_when(&engine, self.task) {
            Ok(ConditionOutcome::Fails(condition)) => ItemResult::skipped_by(&condition),
            // A missing variable fails the task as such, anything else fails what leads up to it.
            _ if fault.kind == TemplateErrorKind::Undefined => self.failed_early(fault, scope),
            _ => self.failed_around(fault, scope),
        }
    }

    fn item_label(
        &self,
        control: &LoopControl,
        scope: &TaskScope,
        item: &Value,
        item_result: &mut ItemResult,
    ) -> Value {
        if item_result.no_log {
            return Value::text("(censored due to no_log)");
        }
        // The item itself is a template, too, where it comes from the keys of a mapping.
        let Some(written) = control.label.as_ref().or(Some(item).filter(|item| item.holds_template())) else {
            return item.clone();
        };
        let registered = self.registered_result(item_result);
        let layered = self.with_register(scope, &registered);
        match self.engine(&layered).evaluate_value(written) {
            Ok(label) => {
                if let Some(request) = &mut item_result.include {
                    request.item = Some(label.clone());
                }
                label
            }
            Err(fault) => {
                let message = format!("Failed to template loop_control.label: {}", fault.full_message());
                let failed = self.failed_before(fault, scope);
                item_result.result.set("msg", message.into());
                item_result.ending.set_failed(true);
                (item_result.ignored, item_result.diagnostic) = (failed.ignored, failed.diagnostic);
                item.clone()
            }
        }
    }

    fn needs_break(
        &self,
        control: &LoopControl,
        scope: &TaskScope,
        item_result: &ItemResult,
    ) -> Result<bool, TemplateError> {
        if control.break_when.is_none() {
            return Ok(false);
        }
        let layered = self.with_register(scope, &item_result.result);
        control.needs_break(&self.engine(&layered))
    }
}

/// Why a loop ends whose label is omitted.
fn omitted_label() -> TemplateError {
    TemplateError::value("the `label` of `loop_control` came to `omit`, which cannot be shown")
        .hint("leave `label` out instead")
}
