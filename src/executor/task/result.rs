//! The shapes of results: of one pass, of a loop, as they are registered and as they are shown.

use std::path::PathBuf;
use std::rc::Rc;

use super::TaskRun;
use super::effects;
use super::loop_result::{Passes, Summed};
use super::settings::{Reader, Settings};
use super::task_result::{Finished, NO_TRACEBACK, Pass, no_exception};
use crate::diagnostic::Diagnostic;
use crate::executor::strategy::cursor::Fate;
use crate::executor::variables::scope::TaskScope;
use crate::modules::{self, Failure};
use crate::playbook::{Keyword, Loaded};
use crate::report::event::Outcome;
use crate::report::{Event, Status};
use crate::template::{Engine, Fault, FaultKind};
use crate::value::{Dict, Value};

/// Text that replaces hidden results.
const CENSORED: &str = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

impl TaskRun<'_> {
    /// A module that did its work.
    pub(in crate::executor) fn succeeded(
        &self,
        outcome: modules::Outcome,
        settings: &Settings,
        delegated_to: Option<&str>,
    ) -> Pass {
        self.note_records(&outcome.actions);
        let touched = !outcome.effects.is_empty();
        let (effects, at_once) = outcome.effects.into_iter().partition(effects::waits);
        if let Err(message) = self.apply_effects(at_once, settings, delegated_to) {
            return self.failed(Failure::from(message));
        }
        let mut result = self.tainted(outcome.data);
        let no_log = result.remove("_ansible_no_log").is_some_and(|hidden| hidden.is_true());
        if outcome.skipped {
            result.set("skipped", true.into());
        }
        let diff = if settings.diff { outcome.diff } else { Vec::new() };
        if !diff.is_empty() {
            let values: Vec<Value> = diff.iter().map(modules::Diff::to_value).collect();
            let value =
                if let ([one], false) = (&values[..], diff[0].listed) { one.clone() } else { Value::list(values) };
            result.set("diff", value);
        }
        let failed = matches!(result.get("failed"), Some(value) if value.is_true());
        if failed {
            no_exception(&mut result);
        }
        Pass {
            changed: outcome.changed,
            skipped: outcome.skipped,
            no_log,
            undetermined: outcome.undetermined,
            later: if settings.check_only { modules::Later::Nothing } else { outcome.later },
            records: outcome.actions,
            result,
            failed,
            diff,
            touched,
            effects,
            ..Pass::default()
        }
    }

    /// A failure of the module, or of its arguments.
    pub(in crate::executor) fn failed(&self, failure: Failure) -> Pass {
        self.note_records(&failure.actions);
        for effect in failure.effects {
            if let modules::Effect::Secret(secret) = effect {
                self.run.bus.redactor().add(&secret);
            }
        }
        let mut result = self.tainted(failure.data);
        // `fail` keeps the type of what it was told to say.
        if !result.contains("msg") {
            result.set("msg", failure.message.as_str().into());
        }
        no_exception(&mut result);
        let diagnostic = failure.diagnostic.unwrap_or_else(|| {
            let summary = failure.message.lines().next().unwrap_or("the task failed");
            Box::new(Diagnostic::error(summary).at(&self.task.span, ""))
        });
        Pass {
            result,
            changed: failure.changed,
            failed: true,
            broke_off: failure.broke_off,
            records: failure.actions,
            diagnostic: Some(diagnostic),
            ..Pass::default()
        }
    }

    /// A failure before the module could run. Whether it is ignored is asked all the same.
    pub(in crate::executor) fn failed_before(&self, fault: Fault, scope: &TaskScope, search: &[PathBuf]) -> Pass {
        if fault.kind == FaultKind::Unknown {
            return Pass::undetermined(&Value::unknown(fault.message));
        }
        let engine = Engine::new(&self.run.globals, scope, search);
        let reader = Reader { engine: &engine, task: self.task };
        // What cannot be converted counts as it is written: any text at all means yes.
        let ignored = reader.bool(Keyword::IgnoreErrors).map_or(true, |flag| flag.unwrap_or(false));
        let mut pass = self.failed(Failure::from(fault.or_at(Some(&self.task.span))));
        pass.ignored = ignored;
        pass.no_log = self.no_log(&engine);
        pass
    }

    /// A failure before any keyword was evaluated: whether it is ignored is asked of the keyword as it is written, where a
    /// template counts as yes whatever it would give.
    pub(in crate::executor) fn failed_early(&self, fault: Fault, scope: &TaskScope, search: &[PathBuf]) -> Pass {
        let ignored = self.task.keyword(Keyword::IgnoreErrors).is_some_and(|node| node.to_value().is_true());
        Pass { ignored, ..self.failed_before(fault, scope, search) }
    }

    /// A failure of what is around the passes of a loop: there is no task yet that could be judged.
    pub(in crate::executor) fn failed_around(&self, fault: Fault, scope: &TaskScope, search: &[PathBuf]) -> Pass {
        let told = fault.told();
        let mut pass = Pass { unjudged: true, ..self.failed_early(fault, scope, search) };
        pass.result.set("msg", told.into());
        pass
    }

    /// The result with its secrets known to the door, and with every text that holds one typed as secret.
    fn tainted(&self, result: Dict) -> Dict {
        let redactor = self.run.bus.redactor();
        result.iter().for_each(|(_, value)| redactor.add_all(value));
        let mut tainted = match redactor.taint(Value::from(result)) {
            Value::Dict(dict) => std::sync::Arc::unwrap_or_clone(dict),
            _ => Dict::new(),
        };
        // A secret that is spread over lines is in none of them alone, and its pieces are in several.
        for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
            let spread = tainted.get(text).is_some_and(Value::is_tainted);
            if let Some(value) = tainted.get(lines).filter(|_| spread) {
                let hidden = value.clone().into_tainted();
                tainted.set(lines, hidden);
            }
        }
        tainted
    }

    fn note_records(&self, records: &[crate::reconcile::Record]) {
        self.run.records.borrow_mut().extend_from_slice(records);
    }

    /// Tells the end of a pass of a loop.
    pub(in crate::executor) fn tell_item(&self, pass: &Pass, label: Value) {
        self.spread_doubt(pass);
        // For an item a failure is a failure, whatever becomes of the task.
        let outcome = self.outcome(pass, pass.status(), Some(label));
        self.run.bus.emit(&Event::Item(outcome));
    }

    fn outcome(&self, pass: &Pass, status: Status, item: Option<Value>) -> Outcome {
        Outcome {
            label: self.label.clone(),
            host: Rc::clone(self.host),
            delegated_to: pass.delegated_to.clone(),
            status,
            result: Rc::new(self.shown(pass)),
            item,
            diff: if pass.no_log { Vec::new() } else { pass.diff.clone() },
            records: pass.records.clone(),
            diagnostic: pass.diagnostic.clone().filter(|_| pass.failed && !pass.no_log),
            always_shown: pass.always_shown && !pass.no_log,
            looped: false,
            ignored: pass.ignored,
            unreachable: pass.unreachable,
            undetermined: pass.doubt(),
        }
    }

    /// The result as events and screens show it.
    pub(in crate::executor) fn shown(&self, pass: &Pass) -> Dict {
        if pass.no_log {
            let mut censored = Dict::new();
            censored.set("censored", CENSORED.into());
            censored.set("changed", pass.changed.into());
            if let Some(attempts) = pass.result.get("attempts") {
                censored.set("attempts", attempts.clone());
            }
            return censored;
        }
        let mut shown = Dict::new();
        shown.set("changed", pass.changed.into());
        shown.extend(&pass.result);
        shown.set("changed", pass.changed.into());
        if pass.unjudged {
            shown.remove("changed");
        }
        let verbose = self.run.options.verbosity > 2;
        shown.retain(|key, value| {
            !key.as_str().is_some_and(|k| match k {
                "failed" | "skipped" | "unreachable" | "results" => true,
                "invocation" => !verbose,
                // Ansible's results have the key; there is nothing to show in it.
                "exception" => value.as_str() == Some(NO_TRACEBACK),
                other => other.starts_with("_ansible_"),
            })
        });
        shown
    }

    /// Ends a task without a loop.
    ///
    /// # Errors
    /// If it notifies a handler that nobody knows.
    pub(in crate::executor) fn finish_one(&self, pass: Pass) -> Loaded<Finished> {
        self.spread_doubt(&pass);
        let mut result = self.registered(&pass);
        result.remove("invocation");
        if pass.skipped {
            result.set("skipped", true.into());
        }
        let status = self.status(&pass);
        self.begin_role(&pass);
        let outcome = self.outcome(&pass, status, None);
        let finished = Finished {
            status,
            result: Rc::new(result),
            includes: pass.include.clone().into_iter().collect(),
            no_log: pass.no_log,
            always_shown: pass.always_shown,
            may_fail: self.run.globals.foreseen.is_kept() && pass.may_fail(),
        };
        if !pass.is_of_rescue() {
            self.register(&finished.result, pass.unknown());
        }
        self.notify(if pass.failed || !pass.changed { &[] } else { &pass.notify })?;
        self.may_notify(&pass)?;
        if finished.includes.is_empty() {
            self.tell(outcome, pass.changed);
        }
        Ok(finished)
    }

    /// The passes of the loop before the first. Only `register` and a rescue section see the results of passes later.
    pub(in crate::executor) fn passes(&self) -> Passes {
        Passes::new(self.task.register.is_some() || self.fate != Fate::Failed)
    }

    /// Ends a task with a loop.
    ///
    /// # Errors
    /// If it notifies a handler that nobody knows.
    pub(in crate::executor) fn finish_loop(&self, passes: Passes) -> Loaded<Finished> {
        let Summed { mut whole, unknown, includes, notify } = passes.sum();
        self.may_notify(&whole)?;
        whole.delegated_to = self.delegation_as_written();
        let status = self.status(&whole);
        self.begin_role(&whole);
        let mut outcome = self.outcome(&whole, status, None);
        outcome.looped = true;
        outcome.always_shown = false;
        let (changed, of_rescue) = (whole.changed, whole.is_of_rescue());
        let (no_log, always_shown) = (whole.no_log, false);
        let may_fail = self.run.globals.foreseen.is_kept() && whole.may_fail();
        let finished = Finished { status, result: Rc::new(whole.result), includes, no_log, always_shown, may_fail };
        if !of_rescue {
            self.register(&finished.result, unknown);
        }
        self.notify(&notify)?;
        if finished.includes.is_empty() {
            self.tell(outcome, changed);
        } else {
            self.run.bus.emit(&Event::Host(outcome));
        }
        Ok(finished)
    }

    /// A role has begun on a host once a task of it has run there; on hosts that a task speaks for it has not.
    fn begin_role(&self, pass: &Pass) {
        if let Some(role) = self.task.role().filter(|_| !pass.skipped && !pass.unreachable) {
            role.begin(self.host);
        }
    }

    /// A loop as a whole is delegated to no host in particular.
    pub(in crate::executor) fn delegation_as_written(&self) -> Option<Rc<str>> {
        let written = self.task.keyword(Keyword::DelegateTo)?.to_value();
        (!written.is_null()).then(|| Rc::from(crate::value::python::str(&written)))
    }

    fn status(&self, pass: &Pass) -> Status {
        match pass.status() {
            Status::Failed | Status::Unreachable if pass.ignored => Status::Ignored,
            Status::Failed if self.fate == Fate::Rescued => Status::Rescued,
            other => other,
        }
    }

    /// Tells the host's result and counts it.
    fn tell(&self, outcome: Outcome, changed: bool) {
        let counted = match outcome.status {
            Status::Failed if self.fate == Fate::RescuedAround => Status::Rescued,
            status => status,
        };
        self.run.tally.borrow_mut().count(self.host, counted, changed);
        self.run.bus.emit(&Event::Host(outcome));
    }

    fn notify(&self, names: &[String]) -> Loaded<()> {
        crate::executor::handlers::notify(self.run, self.play, self.task, self.host, names)
    }

    fn register(&self, result: &Rc<Dict>, unknown: Option<Value>) {
        let Some(name) = &self.task.register else { return };
        let value = unknown.unwrap_or_else(|| Value::Dict(std::sync::Arc::new((**result).clone()))).stored();
        if self.run.options.check {
            super::unknowns::name_unknowns(&value, name, self.label);
        }
        for host in self.targets {
            self.run.host(host).set(name, value.clone());
        }
    }

    /// Tells the result of an include, which comes when its file has been read.
    pub(in crate::executor) fn tell_include(&self, finished: &Finished, result: Result<Dict, Failure>) {
        let looped = self.task.looping.is_some();
        let no_log = finished.no_log;
        let pass = match result {
            Ok(data) => Pass { result: data, no_log, ..Pass::default() },
            Err(failure) => Pass { no_log, ..self.failed(failure) },
        };
        // The original counts a missing include as failed even where a rescue takes over.
        let status = if pass.failed { Status::Failed } else { Status::Ok };
        self.run.tally.borrow_mut().count(self.host, status, false);
        // The passes of a loop have told their results; only a failure is news.
        if !looped || pass.failed {
            self.run.bus.emit(&Event::Host(self.outcome(&pass, status, None)));
        }
    }
}
