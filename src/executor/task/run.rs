//! The life of one task on one host.
//!
//! The order of the steps is that of the original: delegation, the loop list, then for each pass the condition, the
//! keywords, the arguments, the module, and what the result is made into.

use std::path::PathBuf;
use std::rc::Rc;

use super::TaskRun;
use super::conditional::{self, Answer};
use super::loops::{self, Control, Items};
use super::settings::{self, Reader};
use super::task_result::{Finished, Pass};
use crate::diagnostic::Diagnostic;
use crate::executor::include;
use crate::executor::variables::scope::TaskScope;
use crate::playbook::task::Loop;
use crate::playbook::{Keyword, Loaded};
use crate::report::Event;
use crate::template::{Engine, Fault, FaultKind};
use crate::value::{Dict, Value, python};
use crate::yaml::Node;

impl TaskRun<'_> {
    /// Runs the task and tells its result.
    ///
    /// # Errors
    /// If it notifies a handler that nobody knows: that ends the run.
    pub async fn run(&self) -> Loaded<Finished> {
        crate::executor::variables::vars_files::renew(self.run, self.play, self.host)?;
        self.run.bus.emit(&Event::HostStart { label: self.label.clone(), host: Rc::clone(self.host) });
        let mut scope = TaskScope::new(self.run, Some(self.play), Some(self.task), self.host);
        let search = self.play.search_path(Some(self.task));
        let finished = match &self.task.looping {
            None => {
                let mut pass = self.pass(&mut scope, &search).await;
                self.tell_deprecations(&mut pass);
                self.finish_one(pass)
            }
            Some(looping) => self.run_loop(looping, &mut scope, &search).await,
        };
        for warning in self.run.globals.take_warnings() {
            self.run.bus.emit(&Event::Notice(Diagnostic::warning(warning)));
        }
        finished
    }

    /// Deprecated ways of writing are told, and are in the result.
    fn tell_deprecations(&self, pass: &mut Pass) {
        let messages = self.run.globals.take_deprecations();
        if messages.is_empty() {
            return;
        }
        let entry = |message: &String| Value::dict([("msg", Value::text(message.as_str()))]);
        pass.result.set("deprecations", Value::list(messages.iter().map(entry)));
        for message in messages {
            self.run.bus.emit(&Event::Notice(Diagnostic::deprecation(message)));
        }
    }

    async fn run_loop(&self, looping: &Loop, scope: &mut TaskScope, search: &[PathBuf]) -> Loaded<Finished> {
        let prepared = {
            let engine = Engine::new(&self.run.globals, scope, search);
            Control::read(&engine, self.task)
                .and_then(|control| Ok((control, loops::items(&engine, looping, self.task.action.short())?)))
        };
        let (control, items) = match prepared {
            Ok((control, Items::Known(items))) => (control, items),
            Ok((control, Items::Unknown(unknown))) => return self.unknown_items(&control, unknown, scope, search),
            Err(fault) => {
                let delegated_to = self.delegation_as_written();
                return self.finish_one(Pass { delegated_to, ..self.without_items(fault, scope, search) });
            }
        };
        if items.is_empty() {
            let no_log = self.no_log(&Engine::new(&self.run.globals, scope, search));
            return self.finish_one(Pass { delegated_to: self.delegation_as_written(), no_log, ..Pass::no_items() });
        }
        let mut passes = self.passes();
        // What the pass before has registered is seen by the next one.
        let mut seen: Option<Rc<Dict>> = None;
        let before = self.before_loop();
        for index in 0..items.len() {
            if index > 0 && !control.pause.is_zero() {
                self.run.interrupt.pause(control.pause).await;
                // Whoever waits wants to see what has happened meanwhile.
                self.kept.iter().for_each(|kept| _ = kept.clear());
            }
            let vars = Rc::new(control.variables(&items, index));
            scope.set_top([&vars].into_iter().chain(&seen).cloned().collect());
            let mut pass = self.pass(scope, search).await;
            self.tell_deprecations(&mut pass);
            for (name, value) in vars.iter() {
                pass.result.insert(name.clone(), value.clone());
            }
            let label = match self.item_label(&control, scope, search, &items[index], &mut pass) {
                Value::Omit => return self.finish_one(self.failed_around(omitted_label(), scope, search)),
                label => label,
            };
            self.tell_item(&pass, label);
            let stop = match self.breaks(&control, scope, search, &pass) {
                Ok(stop) => stop,
                Err(fault) => {
                    return self.finish_one(self.failed_around(fault, scope, search));
                }
            };
            scope.set_top(Vec::new());
            if let Some(name) = &self.task.register {
                let mut registered = Dict::new();
                registered.set(&**name, self.registered(&pass).into());
                seen = Some(Rc::new(registered));
            }
            if pass.touched {
                scope.refresh();
            }
            passes.add(pass);
            if stop || self.run.interrupt.is_raised() {
                break;
            }
        }
        if let Some(before) = before.filter(|_| passes.has_failed()) {
            before.restore();
        }
        self.finish_loop(passes)
    }

    /// A loop over what is not known yet: one row stands for all passes, unless the condition is false whatever the items
    /// are.
    fn unknown_items(
        &self,
        control: &Control,
        unknown: Value,
        scope: &mut TaskScope,
        search: &[PathBuf],
    ) -> Loaded<Finished> {
        scope.set_top(vec![Rc::new(control.variables(std::slice::from_ref(&unknown), 0))]);
        let mut pass = {
            let engine = Engine::new(&self.run.globals, &*scope, search);
            match conditional::when(&engine, self.task) {
                Ok(Answer::Fails(condition)) => Pass::skipped(&condition),
                Err(fault) => self.failed_before(fault, scope, search),
                Ok(Answer::Holds | Answer::Unknown(_)) => {
                    Pass { may_notify: self.notifications(&engine).unwrap_or_default(), ..Pass::undetermined(&unknown) }
                }
            }
        };
        scope.set_top(Vec::new());
        scope.refresh();
        pass.result.set(control.variable.as_str(), unknown);
        pass.result.set("ansible_loop_var", control.variable.as_str().into());
        self.tell_item(&pass, Value::text("[*]"));
        let mut passes = self.passes();
        passes.add(pass);
        self.finish_loop(passes)
    }

    /// A loop list that cannot be made does not matter if the condition is false without it.
    fn without_items(&self, fault: Fault, scope: &TaskScope, search: &[PathBuf]) -> Pass {
        let engine = Engine::new(&self.run.globals, scope, search);
        match conditional::when(&engine, self.task) {
            Ok(Answer::Fails(condition)) => Pass::skipped(&condition),
            // A missing variable fails the task as such, anything else fails what leads up to it.
            _ if fault.kind == FaultKind::Undefined => self.failed_early(fault, scope, search),
            _ => self.failed_around(fault, scope, search),
        }
    }

    fn item_label(
        &self,
        control: &Control,
        scope: &TaskScope,
        search: &[PathBuf],
        item: &Value,
        pass: &mut Pass,
    ) -> Value {
        if pass.no_log {
            return Value::text("(censored due to no_log)");
        }
        // The item itself is a template, too, where it comes from the keys of a mapping.
        let Some(written) = control.label.as_ref().or(Some(item).filter(|item| item.holds_template())) else {
            return item.clone();
        };
        let registered = self.registered(pass);
        let layered = self.with_register(scope, &registered);
        match Engine::new(&self.run.globals, &layered, search).value(written) {
            Ok(label) => {
                if let Some(request) = &mut pass.include {
                    request.item = Some(label.clone());
                }
                label
            }
            Err(fault) => {
                let message = format!("Failed to template loop_control.label: {}", fault.told());
                let failed = self.failed_before(fault, scope, search);
                pass.result.set("msg", message.into());
                (pass.failed, pass.ignored, pass.diagnostic) = (true, failed.ignored, failed.diagnostic);
                item.clone()
            }
        }
    }

    fn breaks(&self, control: &Control, scope: &TaskScope, search: &[PathBuf], pass: &Pass) -> Result<bool, Fault> {
        if control.break_when.is_none() {
            return Ok(false);
        }
        let layered = self.with_register(scope, &pass.result);
        control.breaks(&Engine::new(&self.run.globals, &layered, search))
    }

    /// One pass, from the condition to the result.
    async fn pass(&self, scope: &mut TaskScope, search: &[PathBuf]) -> Pass {
        let delegated_to = match self.delegate(&Engine::new(&self.run.globals, scope, search)) {
            Ok(delegated_to) => delegated_to,
            Err(fault) => {
                let delegated_to = self.delegation_as_written();
                return Pass { delegated_to, ..self.failed_early(fault, scope, search) };
            }
        };
        scope.reach(delegated_to.clone());
        let scope = &*scope;
        let engine = Engine::new(&self.run.globals, scope, search);
        match conditional::when(&engine, self.task) {
            Ok(Answer::Fails(condition)) => {
                return Pass { delegated_to, no_log: self.no_log(&engine), ..Pass::skipped(&condition) };
            }
            Ok(answer) => {
                let unknown = match answer {
                    Answer::Unknown(unknown) => Some(Value::Unknown(unknown)),
                    _ => self.doubtful_task(),
                };
                if let Some(unknown) = unknown {
                    let may_notify = self.notifications(&engine).unwrap_or_default();
                    return Pass {
                        delegated_to,
                        no_log: self.no_log(&engine),
                        may_notify,
                        ..Pass::undetermined(&unknown)
                    };
                }
            }
            Err(fault) => return Pass { delegated_to, ..self.failed_early(fault, scope, search) },
        }
        let reader = Reader { engine: &engine, task: self.task };
        let settings = match reader.settings(&self.run.options) {
            Ok(settings) => settings,
            Err(fault) if !reader.fails_late() => {
                return Pass { delegated_to, ..self.failed_early(fault, scope, search) };
            }
            Err(fault) => return Pass { delegated_to, ..self.failed_before(fault, scope, search) },
        };
        let notify = match self.notifications(&engine) {
            Ok(names) => names,
            Err(fault) => return Pass { delegated_to, ..self.failed_early(fault, scope, search) },
        };
        let mut pass = match include::request(self, &engine) {
            Some(Ok(request)) => {
                Pass { result: request.result(), include: Some(request), bare: true, ..Pass::default() }
            }
            Some(Err(fault)) => self.failed_before(fault, scope, search),
            None => self.tries(scope, search, &engine, &settings, delegated_to.as_deref()).await,
        };
        pass.ignored = if pass.unreachable { settings.ignore_unreachable } else { settings.ignore_errors };
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

    fn delegate(&self, engine: &Engine<'_>) -> Result<Option<Rc<str>>, Fault> {
        let reader = Reader { engine, task: self.task };
        match reader.value(Keyword::DelegateTo)? {
            Some(value) => {
                let Some(name) = value.as_str().map(str::to_owned) else {
                    let message = format!("the name of a host must be text, not {}", python::repr(&value));
                    return Err(Fault::value(message).or_at(self.task.keyword(Keyword::DelegateTo).map(Node::span)));
                };
                // An empty name is no other host.
                Ok((!name.is_empty()).then(|| Rc::from(name)))
            }
            None => Ok(None),
        }
    }

    /// Whether arguments and results are hidden. Where that cannot be told they are.
    pub(in crate::executor) fn no_log(&self, engine: &Engine<'_>) -> bool {
        let reader = Reader { engine, task: self.task };
        reader.bool(Keyword::NoLog).map_or(true, |flag| flag.unwrap_or(self.run.options.no_log))
    }

    fn notifications(&self, engine: &Engine<'_>) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        if let Some(node) = self.task.keyword(Keyword::Notify) {
            match engine.value(&node.to_value()).map_err(|fault| settings::processing(Keyword::Notify, fault))? {
                Value::List(items) => names.extend(items.iter().map(python::str)),
                Value::Null | Value::Omit => {}
                one => names.push(python::str(&one)),
            }
        }
        Ok(names)
    }
}

/// Why a loop ends whose label is omitted.
fn omitted_label() -> Fault {
    Fault::value("the `label` of `loop_control` came to `omit`, which cannot be shown")
        .hint("leave `label` out instead")
}
