//! The shapes of results: of one item, of a loop, as they are registered and as they are shown.

use std::rc::Rc;

use super::TaskRun;
use super::effects;
use super::loop_result::{LoopResult, LoopSummary};
use super::settings::{KeywordReader, TaskSettings};
use super::task_result::{FailureKind, ItemEnding, ItemResult, NO_TRACEBACK, SkipKind, TaskResult, no_exception};
use crate::diagnostic::Diagnostic;
use crate::executor::strategy::cursor::Fate;
use crate::executor::variables::scope::TaskScope;
use crate::modules::{self, Failure};
use crate::playbook::{Keyword, LoadResult};
use crate::report::event::ReportedOutcome;
use crate::report::{OutcomeStatus, ReportEvent};
use crate::template::{TemplateError, TemplateErrorKind};
use crate::value::{Dict, Value};

/// Text that replaces hidden results.
const CENSORED: &str = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

impl TaskRun<'_> {
    /// A module that did its work.
    pub(in crate::executor) fn build_success(
        &self,
        outcome: modules::ModuleOutcome,
        settings: &TaskSettings,
        delegated_to: Option<&str>,
    ) -> ItemResult {
        self.note_records(&outcome.actions);
        let touched = !outcome.effects.is_empty();
        let (effects, at_once) = outcome.effects.into_iter().partition(effects::is_deferred);
        if let Err(message) = self.apply_effects(at_once, settings, delegated_to) {
            return self.build_failure(Failure::from(message));
        }
        let mut result = self.taint_result(outcome.data);
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
        let ending = match (failed, outcome.skipped) {
            (true, _) => ItemEnding::Failed(FailureKind::Judged),
            (false, true) => ItemEnding::Skipped(SkipKind::ByModule),
            (false, false) => ItemEnding::Ran,
        };
        ItemResult {
            ending,
            changed: outcome.changed,
            no_log,
            undetermined: outcome.undetermined,
            later: if settings.check_only { modules::Later::Nothing } else { outcome.later },
            records: outcome.actions,
            result,
            diff,
            touched,
            effects,
            ..ItemResult::default()
        }
    }

    /// A failure of the module, or of its arguments.
    pub(in crate::executor) fn build_failure(&self, failure: Failure) -> ItemResult {
        self.note_records(&failure.actions);
        for effect in failure.effects {
            if let modules::ModuleEffect::Secret(secret) = effect {
                self.run.bus.redactor().add(&secret);
            }
        }
        let mut result = self.taint_result(failure.data);
        // `fail` keeps the type of what it was told to say.
        if !result.contains("msg") {
            result.set("msg", failure.message.as_str().into());
        }
        no_exception(&mut result);
        let diagnostic = failure.diagnostic.unwrap_or_else(|| {
            let summary = failure.message.lines().next().unwrap_or("the task failed");
            Box::new(Diagnostic::error(summary).at(&self.task.span, ""))
        });
        ItemResult {
            result,
            changed: failure.changed,
            ending: ItemEnding::Failed(if failure.broke_off { FailureKind::BrokeOff } else { FailureKind::Judged }),
            records: failure.actions,
            diagnostic: Some(diagnostic),
            ..ItemResult::default()
        }
    }

    /// A failure before the module could run. Whether it is ignored is asked all the same.
    pub(in crate::executor) fn failed_before(&self, fault: TemplateError, scope: &TaskScope) -> ItemResult {
        if fault.kind == TemplateErrorKind::Unknown {
            return ItemResult::undetermined_by(&Value::unknown(fault.message));
        }
        let engine = self.engine(scope);
        let reader = KeywordReader { engine: &engine, task: self.task };
        // What cannot be converted counts as it is written: any text at all means yes.
        let ignored = reader.read_bool(Keyword::IgnoreErrors).map_or(true, |flag| flag.unwrap_or(false));
        let mut item_result = self.build_failure(Failure::from(fault.or_at(Some(&self.task.span))));
        item_result.ignored = ignored;
        item_result.no_log = self.no_log(&engine);
        item_result
    }

    /// A failure before any keyword was evaluated: whether it is ignored is asked of the keyword as it is written, where a
    /// template counts as yes whatever it would give.
    pub(in crate::executor) fn failed_early(&self, fault: TemplateError, scope: &TaskScope) -> ItemResult {
        let ignored = self.task.find_keyword(Keyword::IgnoreErrors).is_some_and(|node| node.to_value().is_true());
        ItemResult { ignored, ..self.failed_before(fault, scope) }
    }

    /// A failure outside of the loop items: there is no task result to judge yet.
    pub(in crate::executor) fn failed_around(&self, fault: TemplateError, scope: &TaskScope) -> ItemResult {
        let told = fault.full_message();
        let mut item_result =
            ItemResult { ending: ItemEnding::Failed(FailureKind::Early), ..self.failed_early(fault, scope) };
        item_result.result.set("msg", told.into());
        item_result
    }

    /// The result with its secrets known to the door, and with every text that holds one typed as secret.
    fn taint_result(&self, result: Dict) -> Dict {
        let redactor = self.run.bus.redactor();
        result.iter().for_each(|(_, value)| redactor.add_all(value));
        let mut tainted = match redactor.taint_value(Value::from(result)) {
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

    /// Reports the end of a loop item.
    pub(in crate::executor) fn tell_item(&self, item_result: &ItemResult, label: Value) {
        self.mark_consequences_unknown(item_result);
        // For an item a failure is a failure, whatever becomes of the task.
        let outcome = self.build_outcome(item_result, item_result.status(), Some(label));
        self.run.bus.emit(&ReportEvent::Item(outcome));
    }

    fn build_outcome(&self, item_result: &ItemResult, status: OutcomeStatus, item: Option<Value>) -> ReportedOutcome {
        ReportedOutcome {
            label: self.label.clone(),
            host: Rc::clone(self.host),
            delegated_to: item_result.delegated_to.clone(),
            status,
            result: Rc::new(self.display_result(item_result)),
            item,
            diff: if item_result.no_log { Vec::new() } else { item_result.diff.clone() },
            records: item_result.records.clone(),
            diagnostic: item_result
                .diagnostic
                .clone()
                .filter(|_| item_result.ending.is_failed() && !item_result.no_log),
            always_shown: item_result.always_shown && !item_result.no_log,
            looped: false,
            ignored: item_result.ignored,
            unreachable: item_result.ending.is_unreachable(),
            undetermined: item_result.explain_uncertainty(),
        }
    }

    /// The result as events and screens show it.
    pub(in crate::executor) fn display_result(&self, item_result: &ItemResult) -> Dict {
        if item_result.no_log {
            let mut censored = Dict::new();
            censored.set("censored", CENSORED.into());
            censored.set("changed", item_result.changed.into());
            if let Some(attempts) = item_result.result.get("attempts") {
                censored.set("attempts", attempts.clone());
            }
            return censored;
        }
        let verbose = self.run.options.verbosity > 2;
        let is_hidden = |key: &Value, value: &Value| {
            key.as_str().is_some_and(|name| match name {
                "changed" | "failed" | "skipped" | "unreachable" | "results" => true,
                "invocation" => !verbose,
                // Ansible's results have the key; there is nothing to show in it.
                "exception" => value.as_str() == Some(NO_TRACEBACK),
                other => other.starts_with("_ansible_"),
            })
        };
        let mut shown = Dict::with_capacity(item_result.result.len() + 1);
        if item_result.ending != ItemEnding::Failed(FailureKind::Early) {
            shown.set("changed", item_result.changed.into());
        }
        for (key, value) in item_result.result.iter().filter(|(key, value)| !is_hidden(key, value)) {
            shown.insert(key.clone(), value.clone());
        }
        shown
    }

    /// Ends a task without a loop.
    ///
    /// # Errors
    /// If it notifies an unknown handler.
    pub(in crate::executor) fn complete_task(&self, item_result: ItemResult) -> LoadResult<TaskResult> {
        self.mark_consequences_unknown(&item_result);
        let mut result = self.registered_result(&item_result);
        result.remove("invocation");
        if item_result.ending.is_skipped() {
            result.set("skipped", true.into());
        }
        let status = self.final_status(&item_result);
        self.begin_role(&item_result);
        let outcome = self.build_outcome(&item_result, status, None);
        let finished = TaskResult {
            status,
            result: Rc::new(result),
            includes: item_result.include.clone().into_iter().collect(),
            no_log: item_result.no_log,
            always_shown: item_result.always_shown,
            may_fail: self.run.globals.pending.is_tracking() && item_result.may_fail(),
        };
        if !item_result.is_of_rescue() {
            self.register_result(&finished.result, item_result.unknown_result());
        }
        self.notify_handlers(if item_result.ending.is_failed() || !item_result.changed {
            &[]
        } else {
            &item_result.notify
        })?;
        self.may_notify(&item_result)?;
        if finished.includes.is_empty() {
            self.report_outcome(outcome, item_result.changed);
        }
        Ok(finished)
    }

    /// Starts a loop without results. Only `register` and a rescue section read the results of loop items later.
    pub(in crate::executor) fn new_loop_result(&self) -> LoopResult {
        LoopResult::new(self.task.register.is_some() || self.fate != Fate::Failed)
    }

    /// Ends a task with a loop.
    ///
    /// # Errors
    /// If it notifies an unknown handler.
    pub(in crate::executor) fn complete_loop(&self, loop_result: LoopResult) -> LoadResult<TaskResult> {
        let LoopSummary { mut whole, unknown, includes, notify } = loop_result.into_summary();
        self.may_notify(&whole)?;
        whole.delegated_to = self.raw_delegation();
        let status = self.final_status(&whole);
        self.begin_role(&whole);
        let mut outcome = self.build_outcome(&whole, status, None);
        outcome.looped = true;
        outcome.always_shown = false;
        let (changed, of_rescue) = (whole.changed, whole.is_of_rescue());
        let (no_log, always_shown) = (whole.no_log, false);
        let may_fail = self.run.globals.pending.is_tracking() && whole.may_fail();
        let finished = TaskResult { status, result: Rc::new(whole.result), includes, no_log, always_shown, may_fail };
        if !of_rescue {
            self.register_result(&finished.result, unknown);
        }
        self.notify_handlers(&notify)?;
        if finished.includes.is_empty() {
            self.report_outcome(outcome, changed);
        } else {
            self.run.bus.emit(&ReportEvent::Host(outcome));
        }
        Ok(finished)
    }

    /// A role has begun on a host once a task of it has run there; on hosts that a task speaks for it has not.
    fn begin_role(&self, item_result: &ItemResult) {
        if let Some(role) =
            self.task.role().filter(|_| !item_result.ending.is_skipped() && !item_result.ending.is_unreachable())
        {
            role.record_begin(self.host);
        }
    }

    /// A loop as a whole is delegated to no host in particular.
    pub(in crate::executor) fn raw_delegation(&self) -> Option<Rc<str>> {
        let written = self.task.find_keyword(Keyword::DelegateTo)?.to_value();
        (!written.is_null()).then(|| Rc::from(crate::value::python::str(&written)))
    }

    fn final_status(&self, item_result: &ItemResult) -> OutcomeStatus {
        match item_result.status() {
            OutcomeStatus::Failed | OutcomeStatus::Unreachable if item_result.ignored => OutcomeStatus::Ignored,
            OutcomeStatus::Failed if self.fate == Fate::Rescued => OutcomeStatus::Rescued,
            other => other,
        }
    }

    /// Tells the host's result and counts it.
    fn report_outcome(&self, outcome: ReportedOutcome, changed: bool) {
        let counted = match outcome.status {
            OutcomeStatus::Failed if self.fate == Fate::RescuedAround => OutcomeStatus::Rescued,
            status => status,
        };
        self.run.tally.borrow_mut().count_result(self.host, counted, changed);
        self.run.bus.emit(&ReportEvent::Host(outcome));
    }

    fn notify_handlers(&self, names: &[String]) -> LoadResult<()> {
        crate::executor::handlers::notify_handlers(&self.host_task(), names)
    }

    fn register_result(&self, result: &Rc<Dict>, unknown: Option<Value>) {
        let Some(name) = &self.task.register else { return };
        let value = unknown.unwrap_or_else(|| Value::Dict(std::sync::Arc::new((**result).clone()))).into_stored();
        if self.run.options.check {
            super::unknowns::name_unknowns(&value, name, self.label);
        }
        for host in self.targets {
            self.run.host_state(host).set_variable(name, value.clone());
        }
    }

    /// Tells the result of an include, which comes when its file has been read.
    pub(in crate::executor) fn tell_include(&self, finished: &TaskResult, result: Result<Dict, Failure>) {
        let looped = self.task.looping.is_some();
        let no_log = finished.no_log;
        let item_result = match result {
            Ok(data) => ItemResult { result: data, no_log, ..ItemResult::default() },
            Err(failure) => ItemResult { no_log, ..self.build_failure(failure) },
        };
        // Ansible counts a missing include as failed even where a rescue takes over.
        let status = if item_result.ending.is_failed() { OutcomeStatus::Failed } else { OutcomeStatus::Ok };
        self.run.tally.borrow_mut().count_result(self.host, status, false);
        // The items of a loop have reported their results; only a failure is news.
        if !looped || item_result.ending.is_failed() {
            self.run.bus.emit(&ReportEvent::Host(self.build_outcome(&item_result, status, None)));
        }
    }
}
