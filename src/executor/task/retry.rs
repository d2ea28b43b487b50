//! Running a module until its conditions are met: `until`, `retries`, `changed_when`, `failed_when`.

use std::rc::Rc;

use super::TaskRun;
use super::conditional::{self, ConditionOutcome};
use super::connection;
use super::delivery;
use super::dispatch;
use super::invoke::ModuleCall;
use super::prepare::{Prepared, prepare_module};
use super::settings::TaskSettings;
use super::task_result::{FailureKind, ItemEnding, ItemResult, no_exception};
use crate::diagnostic::Diagnostic;
use crate::executor::variables::scope::TaskScope;
use crate::modules::spec::{ResultDisplay, RunsOn};
use crate::modules::{self, Failure, Later, ModuleEffect};
use crate::playbook::Keyword;
use crate::report::ReportEvent;
use crate::template::{TemplateEngine, VariableScope};
use crate::value::{Dict, Value};

/// A scope with the result of the task and its variables, for conditions on the result.
pub(in crate::executor) struct Registered<'a> {
    own: Option<(Rc<str>, Value)>,
    set: Vec<&'a Dict>,
    under: &'a TaskScope,
}

impl VariableScope for Registered<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match &self.own {
            Some((own, value)) if **own == *name => Some(value.clone()),
            _ => self.set.iter().find_map(|set| set.get(name).cloned()).or_else(|| self.under.get(name)),
        }
    }

    fn variable_names(&self) -> Vec<String> {
        let mut names = self.under.variable_names();
        names.extend(self.own.iter().map(|(name, _)| name.to_string()));
        names.extend(self.set.iter().flat_map(|set| set.keys()).filter_map(|key| key.as_str().map(str::to_owned)));
        names
    }
}

impl TaskRun<'_> {
    /// Runs the module until its conditions are met or the tries are used up, and lets its effects take place.
    pub(in crate::executor) async fn run_with_retries(
        &self,
        call: &ModuleCall<'_>,
        engine: &TemplateEngine<'_>,
    ) -> ItemResult {
        let mut item_result = self.until_satisfied(call, engine).await;
        let effects = std::mem::take(&mut item_result.effects);
        if item_result.ending.is_failed() {
            if !item_result.result.contains("msg") {
                item_result.result.set("msg", "Task failed: Action failed: Unknown error.".into());
            }
            return item_result;
        }
        match self.apply_effects(effects, call.settings, call.delegated_to) {
            Ok(false) => {}
            Ok(true) => {
                item_result.changed = true;
                self.apply_result_conditions(call.scope, &mut item_result);
            }
            Err(message) => return self.build_failure(Failure::from(message)),
        }
        item_result
    }

    async fn until_satisfied(&self, call: &ModuleCall<'_>, engine: &TemplateEngine<'_>) -> ItemResult {
        let prepared = prepare_module(self, engine);
        let refusal = match &prepared {
            Ok(prepared) => self.reject_unreachable(call, engine, prepared),
            Err(failure) => failure.broke_off.then(|| self.build_failure(failure.clone())),
        };
        if let Some(item_result) = refusal {
            return item_result;
        }
        let tries = self.count_tries(call.settings);
        let mut attempt = 1;
        loop {
            let mut item_result = match &prepared {
                Ok(prepared) => self.one_try(call, prepared).await,
                Err(failure) => self.build_failure(failure.clone()),
            };
            if item_result.undetermined.is_some() || item_result.ending == ItemEnding::Failed(FailureKind::BrokeOff) {
                return item_result;
            }
            // The conditions may ask how many tries it took.
            if tries > 1 {
                item_result.result.set("attempts", attempt.into());
            }
            self.apply_result_conditions(call.scope, &mut item_result);
            if tries <= 1 {
                return item_result;
            }
            match self.is_satisfied(call.scope, &mut item_result) {
                Ok(true) => return item_result,
                Ok(false) => {}
                Err(failed) => return *failed,
            }
            if attempt >= tries || self.run.interrupt.is_raised() {
                item_result.result.set("attempts", (tries - 1).into());
                // `failed_when` has the last word on the task, though its result says that the tries were in vain.
                item_result.exhausted = true;
                item_result.ending.set_failed(item_result.result.get("failed_when_result").is_none_or(Value::is_true));
                no_exception(&mut item_result.result);
                return item_result;
            }
            if !self.wait_for_retry(call.settings, &item_result, tries - attempt).await {
                item_result.ending.set_failed(true);
                no_exception(&mut item_result.result);
                return item_result;
            }
            attempt += 1;
        }
    }

    /// How often the module is run at most.
    fn count_tries(&self, settings: &TaskSettings) -> i64 {
        match settings.retries {
            None if self.has_until() => 4,
            None => 1,
            Some(retries) => retries.max(0) + 1,
        }
    }

    fn has_until(&self) -> bool {
        conditional::find_conditions(self.task, Keyword::Until).is_some()
    }

    /// Tells that `left` tries are left, and waits for the next one; `false` if the run was interrupted meanwhile.
    async fn wait_for_retry(&self, settings: &TaskSettings, item_result: &ItemResult, left: i64) -> bool {
        self.run.bus.emit(&ReportEvent::Retry {
            label: self.label.clone(),
            host: Rc::clone(self.host),
            left,
            result: Rc::new(self.display_result(item_result)),
        });
        let goes_on = self.run.interrupt.pause_for(settings.delay).await;
        // The next try is to see whether something has changed at the service.
        if let Some(kept) = self.kept.as_ref().filter(|_| goes_on) {
            kept.clear();
        }
        goes_on
    }

    /// The end of a task that would act on another machine, or as another user.
    fn reject_unreachable(
        &self,
        call: &ModuleCall<'_>,
        engine: &TemplateEngine<'_>,
        prepared: &Prepared,
    ) -> Option<ItemResult> {
        let delegated_to = call.delegated_to;
        // The variables of the task count for the host that it is delegated to as well.
        let delegate =
            delegated_to.map(|host| TaskScope::new(self.run, Some(self.play), Some(self.task), &Rc::from(host)));
        let target = connection::ConnectionTarget {
            host: delegated_to.unwrap_or(self.host),
            connection: delegate.as_ref().unwrap_or(call.scope).get("ansible_connection"),
            option: self.run.options.connection.as_deref(),
        };
        let spec = prepared.module.module_spec();
        match connection::explain_unreachable(engine, self.task, spec, &target) {
            Ok(None) => {}
            Ok(Some(message)) => {
                let mut item_result = self.build_failure(Failure::from(message));
                item_result.ending = ItemEnding::Failed(FailureKind::Unreachable);
                item_result.result.set("unreachable", true.into());
                return Some(item_result);
            }
            Err(fault) => return Some(self.build_failure(Failure::from(fault))),
        }
        if spec.runs_on == RunsOn::Controller {
            return None;
        }
        let refusal = connection::check_user(engine, self.task, self.run.options.r#become).err()?;
        Some(self.build_failure(Failure::from(refusal)))
    }

    async fn one_try(&self, call: &ModuleCall<'_>, prepared: &Prepared) -> ItemResult {
        let outcome = dispatch::run_module(call, prepared).await;
        let delivered = delivery::find_delivered(call, prepared, &outcome);
        let mut item_result = match outcome {
            Ok(outcome) => self.build_success(outcome, call.settings, call.delegated_to),
            Err(failure) => self.build_failure(failure),
        };
        item_result.delivered = delivered;
        item_result.always_shown |= match prepared.module.module_spec().shown {
            ResultDisplay::Always => true,
            ResultDisplay::UnlessQuiet => !prepared.args.get("quiet").is_some_and(Value::is_true),
            ResultDisplay::WhenVerbose => false,
        };
        // As Ansible's modules do; what the controller does itself has none, nor has a job that has begun.
        let leaves = call.settings.background > 0 && call.settings.poll <= 0;
        let spec = prepared.module.module_spec();
        // A foreign module says itself how it was called.
        if !leaves && !spec.is_foreign() && spec.runs_on != RunsOn::Controller {
            let arguments = Value::dict([("module_args", Value::from(prepared.args.values().clone()))]);
            item_result.result.set("invocation", arguments);
        }
        item_result
    }

    fn is_satisfied(&self, scope: &TaskScope, item_result: &mut ItemResult) -> Result<bool, Box<ItemResult>> {
        if !self.has_until() {
            return Ok(!item_result.ending.is_failed());
        }
        let answer = {
            let layered = self.with_item_result(scope, item_result);
            conditional::evaluate_keyword(&self.engine(&layered), self.task, Keyword::Until)
        };
        match answer {
            Ok(Some(ConditionOutcome::Unknown(unknown))) => {
                // In the real run it may never come true, and a further try may find another world than this one.
                item_result.later = Later::Everything;
                item_result.open.failed.get_or_insert_with(|| unknown.describe_missing());
                item_result.open.changed.get_or_insert_with(|| unknown.describe_missing());
                Ok(true)
            }
            Ok(answer) => Ok(!matches!(answer, Some(ConditionOutcome::Fails(_)))),
            Err(fault) => Err(Box::new(self.failed_before(fault, scope))),
        }
    }

    /// `changed_when` and `failed_when`.
    fn apply_result_conditions(&self, scope: &TaskScope, item_result: &mut ItemResult) {
        if item_result.ending.is_skipped() {
            return;
        }
        for keyword in [Keyword::ChangedWhen, Keyword::FailedWhen] {
            if conditional::find_conditions(self.task, keyword).is_none() {
                continue;
            }
            let layered = self.with_item_result(scope, item_result);
            let answer = conditional::evaluate_keyword(&self.engine(&layered), self.task, keyword);
            let key = if keyword == Keyword::ChangedWhen { "changed_when_result" } else { "failed_when_result" };
            match answer.map(|answer| answer.map(|answer| answer.into_result())) {
                Ok(None) => {}
                Ok(Some(Err(unknown))) => {
                    let open = &mut item_result.open;
                    let slot = if keyword == Keyword::ChangedWhen { &mut open.changed } else { &mut open.failed };
                    *slot = Some(unknown.describe_missing());
                    if keyword == Keyword::FailedWhen {
                        // The rest is predicted for the case that it does not fail, whatever the module says.
                        item_result.ending.set_failed(false);
                        item_result.diagnostic = None;
                    }
                }
                Ok(Some(Ok(verdict))) if keyword == Keyword::ChangedWhen => item_result.changed = verdict,
                Ok(Some(Ok(verdict))) => {
                    item_result.result.set(key, verdict.into());
                    let exception = item_result.result.remove("exception");
                    let module = modules::find_module(&self.task.action.full);
                    let of_module = module.is_none_or(|module| module.module_spec().runs_on != RunsOn::Controller);
                    if let Some(exception) = exception.filter(|_| !verdict && of_module) {
                        item_result.result.set("failed_when_suppressed_exception", exception);
                    }
                    item_result.ending.set_failed(verdict);
                    if !verdict {
                        item_result.diagnostic = None;
                    } else if item_result.diagnostic.is_none() {
                        item_result.diagnostic = Some(Box::new(self.describe_failed_when(&item_result.result)));
                    }
                }
                Err(fault) => {
                    item_result.result.set(key, fault.full_message().into());
                    item_result.ending.set_failed(true);
                    item_result.diagnostic = Some(Box::new(Diagnostic::from(fault)));
                    break;
                }
            }
        }
        if item_result.ending.is_failed() {
            no_exception(&mut item_result.result);
        }
    }

    /// Describes a module that succeeded and fails by `failed_when`.
    fn describe_failed_when(&self, result: &Dict) -> Diagnostic {
        let said = result.get("msg").and_then(Value::as_str).filter(|said| !said.is_empty());
        let message = match said {
            Some(said) => format!("`failed_when` is met: {said}"),
            None => "`failed_when` is met".to_owned(),
        };
        Diagnostic::error(message).at(&self.task.span, "")
    }

    /// The variables of the scope with the result so far under its registered name.
    pub(in crate::executor) fn with_register<'s>(&self, scope: &'s TaskScope, result: &Dict) -> Registered<'s> {
        let own = self.task.register.as_ref().map(|name| (Rc::clone(name), Value::from(result.clone())));
        if let Some((name, value)) = own.as_ref().filter(|_| self.run.options.check) {
            super::unknowns::name_unknowns(value, name, self.label);
        }
        Registered { own, set: Vec::new(), under: scope }
    }

    /// Returns the same scope with the variables that a loop item is about to set.
    fn with_item_result<'s>(&self, scope: &'s TaskScope, item_result: &'s ItemResult) -> Registered<'s> {
        let set = item_result.effects.iter().filter_map(|effect| match effect {
            ModuleEffect::SetFacts { facts, .. } | ModuleEffect::IncludeVars(facts) => Some(facts),
            _ => None,
        });
        Registered { set: set.collect(), ..self.with_register(scope, &self.registered_result(item_result)) }
    }

    /// The result as `register` keeps it.
    pub(in crate::executor) fn registered_result(&self, item_result: &ItemResult) -> Dict {
        let mut result = item_result.result.clone();
        if item_result.ending.has_run() {
            result.set("failed", (item_result.ending.is_failed() || item_result.exhausted).into());
        }
        if item_result.ending != ItemEnding::Failed(FailureKind::Early) {
            result.set("changed", item_result.changed.into());
        }
        item_result.hide_deferred(&mut result);
        result
    }
}
