//! The life of one task on one host.
//!
//! The steps have Ansible's order: delegation, the loop list, then for each item the condition, the keywords, the arguments,
//! the module, and the evaluation of the result.

use std::path::PathBuf;
use std::rc::Rc;

use super::TaskRun;
use super::conditional::{self, ConditionOutcome};
use super::loop_result::{add_deprecations, deprecation_entry};
use super::loops::{self, Items, LoopControl};
use super::parallel_loop::{LoopParts, ParallelLoop};
use super::settings::{self, KeywordReader};
use super::task_result::{ItemResult, PassEnding, TaskResult};
use crate::diagnostic::Diagnostic;
use crate::executor::include;
use crate::executor::variables::scope::TaskScope;
use crate::playbook::task::Loop;
use crate::playbook::{Keyword, LoadResult};
use crate::report::ReportEvent;
use crate::template::{TemplateEngine, TemplateError, TemplateErrorKind};
use crate::value::{Dict, Value, python};
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
        let search = self.play.search_path(Some(self.task));
        let finished = match &self.task.looping {
            None => {
                let mut pass = self.run_item(&mut scope, &search).await;
                add_deprecations(&mut pass.result, self.tell_deprecations());
                self.complete_task(pass)
            }
            Some(looping) => self.run_loop(looping, &mut scope, &search).await,
        };
        for warning in self.run.globals.take_warnings() {
            self.run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(warning)));
        }
        finished
    }

    /// Warns about deprecated syntax that was met since the last time, and returns what the result has of it.
    fn tell_deprecations(&self) -> Vec<Value> {
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

    async fn run_loop(&self, looping: &Loop, scope: &mut TaskScope, search: &[PathBuf]) -> LoadResult<TaskResult> {
        let prepared = {
            let engine = TemplateEngine::new(&self.run.globals, scope, search);
            LoopControl::read(&engine, self.task).and_then(|control| {
                Ok((control, loops::evaluate_items(&engine, looping, self.task.action.short_name())?))
            })
        };
        let (control, items) = match prepared {
            Ok((control, Items::Known(items))) => (control, items),
            Ok((control, Items::Unknown(unknown))) => return self.unknown_items(&control, unknown, scope, search),
            Err(fault) => {
                let delegated_to = self.raw_delegation();
                return self.complete_task(ItemResult { delegated_to, ..self.without_items(fault, scope, search) });
            }
        };
        if items.is_empty() {
            let no_log = self.no_log(&TemplateEngine::new(&self.run.globals, scope, search));
            return self.complete_task(ItemResult {
                delegated_to: self.raw_delegation(),
                no_log,
                ..ItemResult::no_items()
            });
        }
        let mut passes = self.new_loop_result();
        // What the pass before has registered is seen by the next one.
        let mut seen: Option<Rc<Dict>> = None;
        let before = self.before_loop();
        let width = self.loop_width(&control, &items, scope)?;
        let parts = LoopParts { control: &control, items: &items, search };
        let mut parallel = (width > 1).then(|| ParallelLoop::new(self, parts, width));
        for index in 0..items.len() {
            if index > 0 && !control.pause.is_zero() {
                self.run.interrupt.pause_for(control.pause).await;
                // Whoever waits wants to see what has happened meanwhile.
                self.kept.iter().for_each(|kept| kept.clear());
            }
            self.run.bus.emit(&ReportEvent::ItemStart { number: index + 1, count: items.len() });
            let vars = Rc::new(control.build_item_variables(&items, index));
            scope.set_top([&vars].into_iter().chain(&seen).cloned().collect());
            let mut pass = match &mut parallel {
                None => self.run_item(scope, search).await,
                Some(parallel) => {
                    let Some(pass) = parallel.next_result().await else { continue };
                    scope.set_connection_target(pass.delegated_to.clone());
                    pass
                }
            };
            passes.add_deprecations(self.tell_deprecations());
            for (name, value) in vars.iter() {
                pass.result.insert(name.clone(), value.clone());
            }
            let label = match self.item_label(&control, scope, search, &items[index], &mut pass) {
                Value::Omit => {
                    if let Some(parallel) = &mut parallel {
                        parallel.finish_begun().await;
                    }
                    return self.complete_task(self.failed_around(omitted_label(), scope, search));
                }
                label => label,
            };
            self.tell_item(&pass, label);
            let stop = match self.needs_break(&control, scope, search, &pass) {
                Ok(stop) => stop,
                Err(fault) => {
                    return self.complete_task(self.failed_around(fault, scope, search));
                }
            };
            // What `break_when` notes is in no result.
            self.tell_deprecations();
            scope.set_top(Vec::new());
            if let Some(name) = &self.task.register {
                let mut registered = Dict::new();
                registered.set(&**name, self.registered_result(&pass).into());
                seen = Some(Rc::new(registered));
            }
            if pass.touched {
                scope.refresh_layers();
            }
            passes.add(pass);
            let has_more = parallel.as_ref().is_some_and(ParallelLoop::has_more);
            if stop || (self.run.interrupt.is_raised() && !has_more) {
                break;
            }
        }
        if let Some(before) = before.filter(|_| passes.has_failed()) {
            before.restore();
        }
        self.complete_loop(passes)
    }

    /// Runs a loop over an unknown list: one row represents all items, unless the condition is false for any item.
    fn unknown_items(
        &self,
        control: &LoopControl,
        unknown: Value,
        scope: &mut TaskScope,
        search: &[PathBuf],
    ) -> LoadResult<TaskResult> {
        scope.set_top(vec![Rc::new(control.build_item_variables(std::slice::from_ref(&unknown), 0))]);
        let mut pass = {
            let engine = TemplateEngine::new(&self.run.globals, &*scope, search);
            match conditional::evaluate_when(&engine, self.task) {
                Ok(ConditionOutcome::Fails(condition)) => ItemResult::skipped_by(&condition),
                Err(fault) => self.failed_before(fault, scope, search),
                Ok(ConditionOutcome::Holds | ConditionOutcome::Unknown(_)) => ItemResult {
                    may_notify: self.template_notify(&engine).unwrap_or_default(),
                    ..ItemResult::undetermined_by(&unknown)
                },
            }
        };
        scope.set_top(Vec::new());
        scope.refresh_layers();
        pass.result.set(control.variable.as_str(), unknown);
        pass.result.set("ansible_loop_var", control.variable.as_str().into());
        self.tell_item(&pass, Value::text("[*]"));
        let mut passes = self.new_loop_result();
        passes.add(pass);
        self.complete_loop(passes)
    }

    /// A loop list that cannot be made does not matter if the condition is false without it.
    fn without_items(&self, fault: TemplateError, scope: &TaskScope, search: &[PathBuf]) -> ItemResult {
        let engine = TemplateEngine::new(&self.run.globals, scope, search);
        match conditional::evaluate_when(&engine, self.task) {
            Ok(ConditionOutcome::Fails(condition)) => ItemResult::skipped_by(&condition),
            // A missing variable fails the task as such, anything else fails what leads up to it.
            _ if fault.kind == TemplateErrorKind::Undefined => self.failed_early(fault, scope, search),
            _ => self.failed_around(fault, scope, search),
        }
    }

    fn item_label(
        &self,
        control: &LoopControl,
        scope: &TaskScope,
        search: &[PathBuf],
        item: &Value,
        pass: &mut ItemResult,
    ) -> Value {
        if pass.no_log {
            return Value::text("(censored due to no_log)");
        }
        // The item itself is a template, too, where it comes from the keys of a mapping.
        let Some(written) = control.label.as_ref().or(Some(item).filter(|item| item.holds_template())) else {
            return item.clone();
        };
        let registered = self.registered_result(pass);
        let layered = self.with_register(scope, &registered);
        match TemplateEngine::new(&self.run.globals, &layered, search).evaluate_value(written) {
            Ok(label) => {
                if let Some(request) = &mut pass.include {
                    request.item = Some(label.clone());
                }
                label
            }
            Err(fault) => {
                let message = format!("Failed to template loop_control.label: {}", fault.full_message());
                let failed = self.failed_before(fault, scope, search);
                pass.result.set("msg", message.into());
                pass.ending.set_failed(true);
                (pass.ignored, pass.diagnostic) = (failed.ignored, failed.diagnostic);
                item.clone()
            }
        }
    }

    fn needs_break(
        &self,
        control: &LoopControl,
        scope: &TaskScope,
        search: &[PathBuf],
        pass: &ItemResult,
    ) -> Result<bool, TemplateError> {
        if control.break_when.is_none() {
            return Ok(false);
        }
        let layered = self.with_register(scope, &pass.result);
        control.needs_break(&TemplateEngine::new(&self.run.globals, &layered, search))
    }

    /// One pass, from the condition to the result.
    pub(super) async fn run_item(&self, scope: &mut TaskScope, search: &[PathBuf]) -> ItemResult {
        let delegated_to = match self.resolve_delegate(&TemplateEngine::new(&self.run.globals, scope, search)) {
            Ok(delegated_to) => delegated_to,
            Err(fault) => {
                let delegated_to = self.raw_delegation();
                return ItemResult { delegated_to, ..self.failed_early(fault, scope, search) };
            }
        };
        scope.set_connection_target(delegated_to.clone());
        let scope = &*scope;
        let engine = TemplateEngine::new(&self.run.globals, scope, search);
        match conditional::evaluate_when(&engine, self.task) {
            Ok(ConditionOutcome::Fails(condition)) => {
                return ItemResult { delegated_to, no_log: self.no_log(&engine), ..ItemResult::skipped_by(&condition) };
            }
            Ok(answer) => {
                let unknown = match answer {
                    ConditionOutcome::Unknown(unknown) => Some(Value::Unknown(unknown)),
                    _ => self.find_awaited_unknown(),
                };
                if let Some(unknown) = unknown {
                    let may_notify = self.template_notify(&engine).unwrap_or_default();
                    return ItemResult {
                        delegated_to,
                        no_log: self.no_log(&engine),
                        may_notify,
                        ..ItemResult::undetermined_by(&unknown)
                    };
                }
            }
            Err(fault) => return ItemResult { delegated_to, ..self.failed_early(fault, scope, search) },
        }
        let reader = KeywordReader { engine: &engine, task: self.task };
        let settings = match reader.read_settings(&self.run.options) {
            Ok(settings) => settings,
            Err(fault) if !reader.fails_late() => {
                return ItemResult { delegated_to, ..self.failed_early(fault, scope, search) };
            }
            Err(fault) => return ItemResult { delegated_to, ..self.failed_before(fault, scope, search) },
        };
        let notify = match self.template_notify(&engine) {
            Ok(names) => names,
            Err(fault) => return ItemResult { delegated_to, ..self.failed_early(fault, scope, search) },
        };
        let mut pass = match include::read_include_request(self, &engine) {
            Some(Ok(request)) => ItemResult {
                result: request.build_result(),
                include: Some(request),
                ending: PassEnding::Included,
                ..ItemResult::default()
            },
            Some(Err(fault)) => self.failed_before(fault, scope, search),
            None => self.run_with_retries(scope, search, &engine, &settings, delegated_to.as_deref()).await,
        };
        pass.ignored = if pass.ending.is_unreachable() { settings.ignore_unreachable } else { settings.ignore_errors };
        self.record_deliveries(&pass);
        pass.no_log |= settings.no_log;
        pass.delegated_to = delegated_to;
        if pass.may_change() {
            pass.may_notify = notify;
        } else {
            pass.notify = notify;
        }
        pass
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

    fn template_notify(&self, engine: &TemplateEngine<'_>) -> Result<Vec<String>, TemplateError> {
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

/// Why a loop ends whose label is omitted.
fn omitted_label() -> TemplateError {
    TemplateError::value("the `label` of `loop_control` came to `omit`, which cannot be shown")
        .hint("leave `label` out instead")
}
