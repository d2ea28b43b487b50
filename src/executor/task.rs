//! The life of one task on one host.
//!
//! The order of the steps is that of SEMANTICS in the original: delegation, the loop list, then for each pass the
//! condition, the keywords, the arguments, the module, and what the result is made into.

use std::rc::Rc;

use super::conditional::{self, Answer};
use super::cursor::Fate;
use super::include::{self, Request};
use super::keywords::{Reader, Settings};
use super::loops::{self, Control, Items};
use super::module;
use super::passes::{Passes, Summed};
use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use crate::diagnostic::Diagnostic;
use crate::modules::{self, Diff, Effect, Failure};
use crate::playbook::{Keyword, Task};
use crate::report::event::Outcome;
use crate::report::{Event, Status, TaskLabel};
use crate::template::{Engine, Fault, Scope};
use crate::value::{Dict, Value, python};

/// What is known when a task has ended on a host.
pub struct Finished {
    /// How it ended.
    pub status: Status,
    /// What `register` keeps.
    pub result: Rc<Dict>,
    /// Lists of tasks to go on with.
    pub includes: Vec<Request>,
    /// Handlers to notify, as written and templated.
    pub notify: Vec<String>,
}

/// A task that is about to run on a host.
pub struct TaskRun<'a> {
    /// The run.
    pub run: &'a Rc<Run>,
    /// The play.
    pub play: &'a Rc<PlayRun>,
    /// The task.
    pub task: &'a Rc<Task>,
    /// How it is shown.
    pub label: &'a TaskLabel,
    /// The host.
    pub host: &'a Rc<str>,
    /// The hosts that results and facts are kept for: more than one for `run_once`.
    pub targets: &'a [Rc<str>],
    /// Where a failure leads.
    pub fate: Fate,
}

/// What came of one pass.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) result: Dict,
    pub(super) changed: bool,
    pub(super) failed: bool,
    pub(super) skipped: bool,
    pub(super) ignored: bool,
    pub(super) no_log: bool,
    pub(super) always_shown: bool,
    pub(super) diff: Vec<Diff>,
    pub(super) diagnostic: Option<Box<Diagnostic>>,
    pub(super) delegated_to: Option<Rc<str>>,
    pub(super) undetermined: Option<String>,
    pub(super) include: Option<Request>,
    pub(super) notify: Vec<String>,
    /// It has set facts or variables, or changed the inventory.
    pub(super) touched: bool,
}

/// A scope with the result of the task itself in it, for conditions about the result.
struct Registered<'a> {
    own: Option<(Rc<str>, Value)>,
    under: &'a TaskScope,
}

impl Scope for Registered<'_> {
    fn get(&self, name: &str) -> Option<Value> {
        match &self.own {
            Some((own, value)) if **own == *name => Some(value.clone()),
            _ => self.under.get(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.under.names();
        names.extend(self.own.iter().map(|(name, _)| name.to_string()));
        names
    }
}

/// What hidden results say.
const CENSORED: &str = "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

impl TaskRun<'_> {
    /// Runs the task and tells its result.
    pub async fn run(&self) -> Finished {
        let mut scope = TaskScope::new(self.run, Some(self.play), Some(self.task), self.host);
        let search = self.play.search_path(Some(self.task));
        let finished = match &self.task.looping {
            None => {
                let pass = self.pass(&mut scope, &search).await;
                self.finish_one(pass)
            }
            Some(looping) => self.run_loop(looping, &mut scope, &search).await,
        };
        for warning in self.run.globals.take_warnings() {
            self.run.bus.emit(&Event::Notice(Diagnostic::warning(warning)));
        }
        finished
    }

    async fn run_loop(
        &self,
        looping: &crate::playbook::task::Loop,
        scope: &mut TaskScope,
        search: &[std::path::PathBuf],
    ) -> Finished {
        let prepared = {
            let engine = Engine::new(&self.run.globals, scope, search);
            Control::read(&engine, self.task).and_then(|control| Ok((control, loops::items(&engine, looping)?)))
        };
        let (control, items) = match prepared {
            Ok((control, Items::Known(items))) => (control, items),
            Ok((control, Items::Unknown(unknown))) => {
                return self.unknown_items(&control, unknown, scope, search);
            }
            Err(fault) => return self.finish_one(self.no_items(fault, scope, search)),
        };
        if items.is_empty() {
            let mut pass = Pass { skipped: true, ..Pass::default() };
            pass.result.set("skipped", true.into());
            pass.result.set("skipped_reason", "No items in the list".into());
            pass.result.set("results", Value::list([]));
            return self.finish_one(pass);
        }
        let mut passes = self.passes();
        for index in 0..items.len() {
            if index > 0 && !control.pause.is_zero() {
                tokio::time::sleep(control.pause).await;
            }
            let vars = Rc::new(control.variables(&items, index));
            scope.set_top(vec![Rc::clone(&vars)]);
            let mut pass = self.pass(scope, search).await;
            for (name, value) in vars.iter() {
                pass.result.insert(name.clone(), value.clone());
            }
            let label = self.item_label(&control, scope, search, &items[index], &mut pass);
            let stop = self.breaks(&control, scope, search, &mut pass);
            self.tell_item(&pass, label);
            scope.set_top(Vec::new());
            if pass.touched {
                scope.refresh();
            }
            passes.add(pass);
            if stop || self.run.interrupted.get() {
                break;
            }
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
        search: &[std::path::PathBuf],
    ) -> Finished {
        scope.set_top(vec![Rc::new(control.variables(std::slice::from_ref(&unknown), 0))]);
        let mut pass = {
            let engine = Engine::new(&self.run.globals, &*scope, search);
            match conditional::when(&engine, self.task) {
                Ok(Answer::Fails(condition)) => skipped(&condition),
                Err(fault) => self.failed_before(fault, scope, search),
                Ok(Answer::Holds | Answer::Unknown(_)) => undetermined(&unknown),
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
    fn no_items(&self, fault: Fault, scope: &TaskScope, search: &[std::path::PathBuf]) -> Pass {
        let engine = Engine::new(&self.run.globals, scope, search);
        match conditional::when(&engine, self.task) {
            Ok(Answer::Fails(condition)) => skipped(&condition),
            _ => self.failed_before(fault, scope, search),
        }
    }

    fn item_label(
        &self,
        control: &Control,
        scope: &TaskScope,
        search: &[std::path::PathBuf],
        item: &Value,
        pass: &mut Pass,
    ) -> Value {
        if pass.no_log {
            return Value::text("(censored due to no_log)");
        }
        let Some(written) = &control.label else { return item.clone() };
        match Engine::new(&self.run.globals, scope, search).value(written) {
            Ok(label) => label,
            Err(fault) => {
                *pass = Pass { result: std::mem::take(&mut pass.result), ..self.failed_before(fault, scope, search) };
                item.clone()
            }
        }
    }

    fn breaks(&self, control: &Control, scope: &mut TaskScope, search: &[std::path::PathBuf], pass: &mut Pass) -> bool {
        if control.break_when.is_none() {
            return false;
        }
        let scope = &*scope;
        let layered = self.with_register(scope, &pass.result);
        match control.breaks(&Engine::new(&self.run.globals, &layered, search)) {
            Ok(stop) => stop,
            Err(fault) => {
                let failed = self.failed_before(fault, scope, search);
                pass.result.extend(&failed.result);
                pass.failed = true;
                pass.diagnostic = failed.diagnostic;
                true
            }
        }
    }

    /// One pass, from the condition to the result.
    async fn pass(&self, scope: &mut TaskScope, search: &[std::path::PathBuf]) -> Pass {
        let scope = &*scope;
        let engine = Engine::new(&self.run.globals, scope, search);
        let delegated_to = match self.delegate(&engine) {
            Ok(delegated_to) => delegated_to,
            Err(fault) => return self.failed_before(fault, scope, search),
        };
        match conditional::when(&engine, self.task) {
            Ok(Answer::Holds) => {}
            Ok(Answer::Fails(condition)) => {
                return Pass { delegated_to, no_log: self.no_log(&engine), ..skipped(&condition) };
            }
            Ok(Answer::Unknown(unknown)) => {
                return Pass { delegated_to, ..undetermined(&Value::Unknown(unknown)) };
            }
            Err(fault) => return Pass { delegated_to, ..self.failed_before(fault, scope, search) },
        }
        let reader = Reader { engine: &engine, task: self.task };
        let settings = match reader.settings(&self.run.options) {
            Ok(settings) => settings,
            Err(fault) => return Pass { delegated_to, ..self.failed_before(fault, scope, search) },
        };
        let mut pass = match include::request(self, &engine) {
            Some(Ok(request)) => Pass { include: Some(request), ..Pass::default() },
            Some(Err(fault)) => self.failed_before(fault, scope, search),
            None => self.tries(scope, search, &engine, &settings, delegated_to.as_deref()).await,
        };
        pass.ignored = settings.ignore_errors;
        pass.no_log |= settings.no_log;
        pass.delegated_to = delegated_to;
        if pass.changed && !pass.failed {
            match self.notifications(&engine) {
                Ok(names) => pass.notify = names,
                Err(fault) => {
                    let failed = self.failed_before(fault, scope, search);
                    pass.result.extend(&failed.result);
                    pass.failed = true;
                    pass.diagnostic = failed.diagnostic;
                }
            }
        }
        pass
    }

    fn delegate(&self, engine: &Engine<'_>) -> Result<Option<Rc<str>>, Fault> {
        let reader = Reader { engine, task: self.task };
        match reader.value(Keyword::DelegateTo)? {
            Some(value) => {
                let name = python::str(&value);
                if name.is_empty() {
                    return Err(Fault::value("`delegate_to` is empty"));
                }
                Ok(Some(Rc::from(name)))
            }
            None => Ok(None),
        }
    }

    fn no_log(&self, engine: &Engine<'_>) -> bool {
        Reader { engine, task: self.task }.bool(Keyword::NoLog).ok().flatten().unwrap_or(false)
    }

    fn notifications(&self, engine: &Engine<'_>) -> Result<Vec<String>, Fault> {
        let mut names = Vec::new();
        for node in self.task.keyword_all(Keyword::Notify) {
            match engine.value(&node.to_value())? {
                Value::List(items) => names.extend(items.iter().map(python::str)),
                Value::Null | Value::Omit => {}
                one => names.push(python::str(&one)),
            }
        }
        Ok(names)
    }

    /// Runs the module until its conditions are met or the tries are used up.
    async fn tries(
        &self,
        scope: &TaskScope,
        search: &[std::path::PathBuf],
        engine: &Engine<'_>,
        settings: &Settings,
        delegated_to: Option<&str>,
    ) -> Pass {
        let prepared = match module::prepare(self, engine) {
            Ok(prepared) => prepared,
            Err(failure) => return self.failed(failure),
        };
        let has_until = self.task.keywords.has(Keyword::Until);
        let tries = match (settings.retries, has_until) {
            (None, false) => 1,
            (None, true) => 4,
            (Some(retries), _) => retries.max(0) + 1,
        };
        let mut attempt = 1;
        loop {
            let call = module::Call { task: self, scope, search, settings, delegated_to };
            let mut pass = match module::call(&call, &prepared).await {
                Ok(outcome) => self.succeeded(outcome, settings, delegated_to),
                Err(failure) => self.failed(failure),
            };
            pass.always_shown |= match prepared.module.spec().short_name() {
                "debug" => true,
                // A quiet assertion has nothing to say.
                "assert" => pass.result.contains("msg"),
                _ => false,
            };
            if pass.undetermined.is_some() {
                return pass;
            }
            self.judge(scope, search, &mut pass);
            if tries <= 1 {
                return pass;
            }
            pass.result.set("attempts", attempt.into());
            let satisfied = self.satisfied(scope, search, &mut pass, has_until);
            if satisfied {
                return pass;
            }
            if attempt >= tries || self.run.interrupted.get() {
                pass.result.set("attempts", (tries - 1).into());
                pass.failed = true;
                return pass;
            }
            self.run.bus.emit(&Event::Retry {
                label: self.label.clone(),
                host: Rc::clone(self.host),
                left: tries - attempt,
                result: Rc::new(self.shown(&pass)),
            });
            tokio::time::sleep(settings.delay).await;
            attempt += 1;
        }
    }

    fn satisfied(&self, scope: &TaskScope, search: &[std::path::PathBuf], pass: &mut Pass, has_until: bool) -> bool {
        if !has_until {
            return !pass.failed;
        }
        let layered = self.with_register(scope, &self.registered(pass));
        match conditional::holds(&Engine::new(&self.run.globals, &layered, search), self.task, Keyword::Until) {
            Ok(holds) => holds.unwrap_or(true),
            Err(fault) => {
                let failed = self.failed_before(fault, scope, search);
                pass.result.extend(&failed.result);
                pass.failed = true;
                pass.diagnostic = failed.diagnostic;
                true
            }
        }
    }

    /// `changed_when` and `failed_when`.
    fn judge(&self, scope: &TaskScope, search: &[std::path::PathBuf], pass: &mut Pass) {
        for keyword in [Keyword::ChangedWhen, Keyword::FailedWhen] {
            if !self.task.keywords.has(keyword) {
                continue;
            }
            let layered = self.with_register(scope, &self.registered(pass));
            let verdict = conditional::holds(&Engine::new(&self.run.globals, &layered, search), self.task, keyword);
            let key = if keyword == Keyword::ChangedWhen { "changed_when_result" } else { "failed_when_result" };
            match verdict {
                Ok(None) => {}
                Ok(Some(verdict)) if keyword == Keyword::ChangedWhen => pass.changed = verdict,
                Ok(Some(verdict)) => {
                    pass.result.set(key, verdict.into());
                    pass.failed = verdict;
                    if !verdict {
                        pass.diagnostic = None;
                    }
                }
                Err(fault) => {
                    pass.result.set(key, fault.message.as_str().into());
                    pass.failed = true;
                    pass.diagnostic = Some(Box::new(Diagnostic::from(fault)));
                }
            }
        }
    }

    /// The variables of the scope with the result so far under its registered name.
    fn with_register<'s>(&self, scope: &'s TaskScope, result: &Dict) -> Registered<'s> {
        let own = self.task.register.as_ref().map(|name| (Rc::clone(name), Value::from(result.clone())));
        Registered { own, under: scope }
    }

    /// The result as `register` keeps it.
    fn registered(&self, pass: &Pass) -> Dict {
        let mut result = pass.result.clone();
        result.set("changed", pass.changed.into());
        result.set("failed", pass.failed.into());
        result
    }

    fn succeeded(&self, outcome: modules::Outcome, settings: &Settings, delegated_to: Option<&str>) -> Pass {
        self.note_records(outcome.actions);
        let touched = !outcome.effects.is_empty();
        let regrouped = match self.apply_effects(outcome.effects, settings, delegated_to) {
            Ok(regrouped) => regrouped,
            Err(message) => return self.failed(Failure::from(message)),
        };
        let mut result = self.tainted(outcome.data);
        let no_log = result.remove("_ansible_no_log").is_some_and(|hidden| hidden.is_true());
        if outcome.skipped {
            result.set("skipped", true.into());
        }
        let diff = if settings.diff { outcome.diff } else { Vec::new() };
        if !diff.is_empty() {
            let values: Vec<Value> = diff.iter().map(crate::report::diff::as_value).collect();
            let value = if let [one] = &values[..] { one.clone() } else { Value::list(values) };
            result.set("diff", value);
        }
        let failed = matches!(result.get("failed"), Some(value) if value.is_true());
        Pass {
            changed: outcome.changed || regrouped,
            skipped: outcome.skipped,
            no_log,
            undetermined: outcome.undetermined,
            result,
            failed,
            diff,
            touched,
            ..Pass::default()
        }
    }

    /// A failure of the module, or of its arguments.
    fn failed(&self, failure: Failure) -> Pass {
        self.note_records(failure.actions);
        let mut result = self.tainted(failure.data);
        result.set("msg", failure.message.as_str().into());
        if !result.contains("exception") {
            result.set("exception", "(traceback unavailable)".into());
        }
        let diagnostic = failure.diagnostic.unwrap_or_else(|| {
            let summary = failure.message.lines().next().unwrap_or("the task failed");
            Box::new(Diagnostic::error(summary).at(&self.task.span, ""))
        });
        Pass { result, changed: failure.changed, failed: true, diagnostic: Some(diagnostic), ..Pass::default() }
    }

    /// A failure before the module could run. Whether it is ignored is asked all the same.
    fn failed_before(&self, fault: Fault, scope: &TaskScope, search: &[std::path::PathBuf]) -> Pass {
        let engine = Engine::new(&self.run.globals, scope, search);
        let reader = Reader { engine: &engine, task: self.task };
        let ignored = reader.bool(Keyword::IgnoreErrors).ok().flatten().unwrap_or(false);
        let mut diagnostic = Diagnostic::from(fault.or_at(Some(&self.task.span)));
        diagnostic.summary = format!("task failed: {}", diagnostic.summary);
        let mut pass = self.failed(Failure::default().drawn(diagnostic));
        pass.ignored = ignored;
        pass.no_log = self.no_log(&engine);
        pass
    }

    /// The result with its secrets known to the door, and with every text that holds one typed as secret.
    fn tainted(&self, result: Dict) -> Dict {
        let redactor = self.run.bus.redactor();
        result.iter().for_each(|(_, value)| redactor.add_all(value));
        match redactor.taint(Value::from(result)) {
            Value::Dict(dict) => std::sync::Arc::unwrap_or_clone(dict),
            _ => Dict::new(),
        }
    }

    fn note_records(&self, records: Vec<crate::reconcile::Record>) {
        self.run.records.borrow_mut().extend(records);
    }

    /// Gives whether the inventory has changed.
    fn apply_effects(
        &self,
        effects: Vec<Effect>,
        settings: &Settings,
        delegated_to: Option<&str>,
    ) -> Result<bool, Diagnostic> {
        let mut regrouped = false;
        let delegate: Option<[Rc<str>; 1]> =
            delegated_to.filter(|_| settings.delegate_facts).map(|target| [Rc::from(target)]);
        let targets: &[Rc<str>] = delegate.as_ref().map_or(self.targets, |one| &one[..]);
        for effect in effects {
            match effect {
                Effect::SetFacts { facts, cacheable } => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.vars.borrow_mut()).extend(&facts);
                        if cacheable {
                            Rc::make_mut(&mut state.facts.borrow_mut()).extend(&facts);
                        }
                    }
                }
                Effect::Facts(facts) => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.facts.borrow_mut()).extend(&facts);
                    }
                }
                Effect::IncludeVars(vars) => {
                    for host in targets {
                        let state = self.run.host(host);
                        Rc::make_mut(&mut state.included.borrow_mut()).extend(&vars);
                    }
                }
                Effect::Stats { data, per_host, aggregate } => {
                    let host = per_host.then_some(&**self.host);
                    self.run.tally.borrow_mut().add_custom(host, &data, aggregate);
                }
                Effect::AddHost { name, groups, vars } => {
                    regrouped |= self.run.inventory.borrow_mut().add_host(&name, &groups, &vars)?;
                }
                Effect::GroupBy { group, parents } => {
                    regrouped |= self.run.inventory.borrow_mut().group_by(self.host, &group, &parents)?;
                }
                Effect::Secret(secret) => self.run.bus.redactor().add(&secret),
            }
        }
        Ok(regrouped)
    }

    fn tell_item(&self, pass: &Pass, label: Value) {
        let status = status_of(pass);
        // For an item a failure is a failure, whatever becomes of the task.
        let outcome = self.outcome(pass, status, Some(label));
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
            diagnostic: pass.diagnostic.clone().filter(|_| pass.failed && !pass.no_log),
            always_shown: pass.always_shown && !pass.failed,
            looped: false,
            ignored: pass.ignored,
            undetermined: pass.undetermined.clone(),
        }
    }

    /// The result as events and screens show it.
    fn shown(&self, pass: &Pass) -> Dict {
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
        shown.retain(|key, _| {
            !key.as_str().is_some_and(|k| {
                matches!(k, "failed" | "skipped" | "unreachable" | "results") || k.starts_with("_ansible_")
            })
        });
        shown
    }

    fn finish_one(&self, pass: Pass) -> Finished {
        let mut result = pass.result.clone();
        result.set("changed", pass.changed.into());
        if !pass.failed || !result.contains("failed") {
            result.set("failed", pass.failed.into());
        }
        if pass.skipped {
            result.set("skipped", true.into());
        }
        let status = self.status(&pass);
        let mut outcome = self.outcome(&pass, status, None);
        if pass.include.is_none() || status == Status::Failed {
            outcome.looped = false;
        }
        let finished = Finished {
            status,
            result: Rc::new(result),
            includes: pass.include.clone().into_iter().collect(),
            notify: if pass.failed { Vec::new() } else { pass.notify.clone() },
        };
        self.register(&finished.result, pass.undetermined.as_deref());
        if finished.includes.is_empty() {
            self.tell(outcome, pass.changed);
        }
        finished
    }

    /// The passes of the loop before the first. Only `register` and a rescue section see the results of passes later.
    fn passes(&self) -> Passes {
        Passes::new(self.task.register.is_some() || self.fate == Fate::Rescued)
    }

    fn finish_loop(&self, passes: Passes) -> Finished {
        let Summed { whole, unknown, includes, notify } = passes.sum();
        let (changed, failed) = (whole.changed, whole.failed);
        let status = self.status(&whole);
        let mut outcome = self.outcome(&whole, status, None);
        outcome.looped = true;
        outcome.always_shown = false;
        let mut registered = whole.result;
        registered.set("failed", failed.into());
        let finished = Finished { status, result: Rc::new(registered), includes, notify };
        self.register(&finished.result, unknown.as_deref());
        if finished.includes.is_empty() {
            self.tell(outcome, changed);
        } else {
            self.run.bus.emit(&Event::Host(outcome));
        }
        finished
    }

    fn status(&self, pass: &Pass) -> Status {
        match status_of(pass) {
            Status::Failed if pass.ignored => Status::Ignored,
            Status::Failed if self.fate == Fate::Rescued => Status::Rescued,
            other => other,
        }
    }

    /// Tells the host's result and counts it.
    pub(super) fn tell(&self, outcome: Outcome, changed: bool) {
        self.run.tally.borrow_mut().count(self.host, outcome.status, changed);
        self.run.bus.emit(&Event::Host(outcome));
    }

    fn register(&self, result: &Rc<Dict>, unknown: Option<&str>) {
        let Some(name) = &self.task.register else { return };
        let value = match unknown {
            Some(awaits) => Value::unknown(awaits),
            None => Value::Dict(std::sync::Arc::new((**result).clone())),
        };
        for host in self.targets {
            self.run.host(host).set(name, value.clone());
        }
    }

    /// Tells the result of an include, which comes when its file has been read.
    pub(super) fn tell_include(&self, result: Result<Dict, Failure>, looped: bool) {
        let pass = match result {
            Ok(data) => Pass { result: data, ..Pass::default() },
            Err(failure) => self.failed(failure),
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

fn status_of(pass: &Pass) -> Status {
    if pass.failed {
        Status::Failed
    } else if pass.skipped {
        Status::Skipped
    } else if pass.changed {
        Status::Changed
    } else {
        Status::Ok
    }
}

fn skipped(condition: &Value) -> Pass {
    let mut result = Dict::new();
    result.set("skipped", true.into());
    result.set("skip_reason", "Conditional result was False".into());
    result.set("false_condition", condition.clone());
    Pass { result, skipped: true, ..Pass::default() }
}

/// Nothing can be said before something has been created.
fn undetermined(unknown: &Value) -> Pass {
    let awaits = match unknown {
        Value::Unknown(unknown) => unknown.awaits.clone(),
        _ => String::new(),
    };
    let mut result = Dict::new();
    result.set("skipped", true.into());
    result.set("skip_reason", format!("cannot be known in a dry run: {awaits}").into());
    result.set("undetermined", true.into());
    Pass { result, skipped: true, undetermined: Some(awaits), ..Pass::default() }
}

/// The name of a task as it is shown: templated, stripped, with its role before it.
pub fn label(run: &Rc<Run>, play: &Rc<PlayRun>, task: &Rc<Task>, host: &Rc<str>) -> TaskLabel {
    let action: Rc<str> =
        if task.action.full.is_empty() { Rc::from(&*task.action.written) } else { Rc::from(&*task.action.full) };
    let name = match &task.name {
        Some(Value::Str(text)) if text.is_template() => {
            let scope = TaskScope::new(run, Some(play), Some(task), host);
            Engine::new(&run.globals, &scope, &play.search_path(Some(task))).text(text)
        }
        Some(other) => python::str(other),
        None => String::new(),
    };
    let name = name.trim();
    let name = if !name.is_empty() {
        name.to_owned()
    } else if task.action.short() == "include_role" {
        let role = ["name", "role"].iter().find_map(|key| task.args.values.get(key));
        format!("{} : {}", task.action.written.as_str(), role.map(python::str).unwrap_or_default())
    } else {
        task.action.written.as_str().to_owned()
    };
    let name = match task.role() {
        Some(role) => format!("{} : {name}", role.name),
        None => name,
    };
    TaskLabel {
        play: Rc::clone(&play.name),
        task: Rc::from(name),
        action,
        handler: task.handler,
        place: Some(Rc::from(task.span.to_string())),
    }
}

/// The name of a task as it is written, with its role, for listings.
pub fn plain_name(task: &Task) -> String {
    let name = task.name.as_ref().map(python::str).unwrap_or_default();
    let name = if name.trim().is_empty() { task.action.written.as_str().to_owned() } else { name.trim().to_owned() };
    match task.role() {
        Some(role) => format!("{} : {name}", role.name),
        None => name,
    }
}
