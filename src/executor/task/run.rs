//! The life of one task on one host.
//!
//! The steps have Ansible's order: delegation, the loop list, then for each item the condition, the keywords, the arguments,
//! the module, and the evaluation of the result.

use std::rc::Rc;

use super::TaskRun;
use super::conditional::{self, ConditionOutcome};
use super::invoke::ModuleCall;
use super::loop_result::{add_deprecations, deprecation_entry};
use super::settings::{self, KeywordReader};
use super::task_result::{ItemEnding, ItemResult, TaskResult};
use crate::diagnostic::Diagnostic;
use crate::executor::include;
use crate::executor::variables::scope::TaskScope;
use crate::playbook::{Keyword, LoadResult};
use crate::report::ReportEvent;
use crate::template::{TemplateEngine, TemplateError};
use crate::value::{Value, python};
use crate::yaml::YamlNode;

impl TaskRun<'_> {
    /// Runs the task and tells its result.
    ///
    /// # Errors
    /// If it notifies an unknown handler; this ends the run.
    pub async fn run_task(&self) -> LoadResult<TaskResult> {
        let _outside = self.run.lists.begin_task(self.task);
        crate::executor::variables::vars_files::reread_vars_files(self.run, self.play, self.host)?;
        self.run.bus.emit(&ReportEvent::HostStart { label: self.label.clone(), host: Rc::clone(self.host) });
        let mut scope = TaskScope::new(self.run, Some(self.play), Some(self.task), self.host);
        let finished = match &self.task.looping {
            None => {
                let mut item_result = self.run_item(&mut scope).await;
                add_deprecations(&mut item_result.result, self.tell_deprecations());
                self.complete_task(item_result)
            }
            Some(looping) => self.run_loop(looping, &mut scope).await,
        };
        for warning in self.run.globals.take_warnings() {
            self.run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(warning)));
        }
        finished
    }

    /// Warns about deprecated syntax that was met since the last time, and returns what the result has of it.
    pub(super) fn tell_deprecations(&self) -> Vec<Value> {
        let mut shown: Vec<String> = Vec::new();
        let mut entries = Vec::new();
        for met in self.run.globals.take_deprecations() {
            entries.extend(met.rule.map(deprecation_entry));
            if !shown.contains(&met.message) {
                self.run.bus.emit(&ReportEvent::Notice(Diagnostic::deprecation(met.message.as_str())));
                shown.push(met.message);
            }
        }
        entries
    }

    /// One item (the whole task without a loop), from the condition to the result.
    pub(super) async fn run_item(&self, scope: &mut TaskScope) -> ItemResult {
        let delegated_to = match self.resolve_delegate(&self.engine(scope)) {
            Ok(delegated_to) => delegated_to,
            Err(fault) => {
                let delegated_to = self.raw_delegation();
                return ItemResult { delegated_to, ..self.failed_early(fault, scope) };
            }
        };
        scope.set_connection_target(delegated_to.clone());
        let scope = &*scope;
        let engine = self.engine(scope);
        if let Some(item_result) = self.stop_by_condition(&engine, scope) {
            return ItemResult { delegated_to, ..item_result };
        }
        let reader = KeywordReader { engine: &engine, task: self.task };
        let settings = match reader.read_settings(&self.run.options) {
            Ok(settings) => settings,
            Err(fault) if !reader.fails_late() => {
                return ItemResult { delegated_to, ..self.failed_early(fault, scope) };
            }
            Err(fault) => return ItemResult { delegated_to, ..self.failed_before(fault, scope) },
        };
        let notify = match self.template_notify(&engine) {
            Ok(names) => names,
            Err(fault) => return ItemResult { delegated_to, ..self.failed_early(fault, scope) },
        };
        let mut item_result = match include::read_include_request(self, &engine) {
            Some(Ok(request)) => ItemResult {
                result: request.build_result(),
                include: Some(request),
                ending: ItemEnding::Included,
                ..ItemResult::default()
            },
            Some(Err(fault)) => self.failed_before(fault, scope),
            None => {
                let delegated_to = delegated_to.as_deref();
                let call = ModuleCall { task: self, scope, settings: &settings, delegated_to };
                self.run_with_retries(&call, &engine).await
            }
        };
        item_result.ignored =
            if item_result.ending.is_unreachable() { settings.ignore_unreachable } else { settings.ignore_errors };
        self.record_deliveries(&item_result);
        item_result.no_log |= settings.no_log;
        item_result.delegated_to = delegated_to;
        if item_result.may_change() {
            item_result.may_notify = notify;
        } else {
            item_result.notify = notify;
        }
        item_result
    }

    /// The result of an item whose condition does not hold, is not known, or cannot be evaluated.
    fn stop_by_condition(&self, engine: &TemplateEngine<'_>, scope: &TaskScope) -> Option<ItemResult> {
        let unknown = match conditional::evaluate_when(engine, self.task) {
            Ok(ConditionOutcome::Fails(condition)) => {
                return Some(ItemResult { no_log: self.no_log(engine), ..ItemResult::skipped_by(&condition) });
            }
            Ok(ConditionOutcome::Unknown(unknown)) => Value::Unknown(unknown),
            Ok(ConditionOutcome::Holds) => self.find_awaited_unknown()?,
            Err(fault) => return Some(self.failed_early(fault, scope)),
        };
        let may_notify = self.template_notify(engine).unwrap_or_default();
        Some(ItemResult { no_log: self.no_log(engine), may_notify, ..ItemResult::undetermined_by(&unknown) })
    }

    fn resolve_delegate(&self, engine: &TemplateEngine<'_>) -> Result<Option<Rc<str>>, TemplateError> {
        let reader = KeywordReader { engine, task: self.task };
        match reader.read_value(Keyword::DelegateTo)? {
            Some(value) => {
                let Some(name) = value.as_str().map(str::to_owned) else {
                    let message = format!("the name of a host must be text, not {}", python::repr(&value));
                    return Err(TemplateError::value(message)
                        .or_at(self.task.find_keyword(Keyword::DelegateTo).map(YamlNode::span)));
                };
                // An empty name is no other host.
                Ok((!name.is_empty()).then(|| Rc::from(name)))
            }
            None => Ok(None),
        }
    }

    /// Returns whether arguments and results are hidden; they are if this cannot be resolved.
    pub(in crate::executor) fn no_log(&self, engine: &TemplateEngine<'_>) -> bool {
        let reader = KeywordReader { engine, task: self.task };
        reader.read_bool(Keyword::NoLog).map_or(true, |flag| flag.unwrap_or(self.run.options.no_log))
    }

    pub(super) fn template_notify(&self, engine: &TemplateEngine<'_>) -> Result<Vec<String>, TemplateError> {
        let mut names = Vec::new();
        if let Some(node) = self.task.find_keyword(Keyword::Notify) {
            match engine
                .evaluate_value(&node.to_value())
                .map_err(|fault| settings::add_keyword_context(Keyword::Notify, fault))?
            {
                Value::List(items) => names.extend(items.iter().map(python::str)),
                Value::Null | Value::Omit => {}
                one => names.push(python::str(&one)),
            }
        }
        Ok(names)
    }
}
