//! Modules that run in the foreground, for real or as a prediction.

use std::cell::RefCell;

use super::invoke::ModuleCall;
use super::item_turn::run_module_in_turn;
use super::plan_guard;
use super::prepare::Prepared;
use crate::diagnostic::Diagnostic;
use crate::modules::spec::CheckSupport;
use crate::modules::{Failure, Later, ModuleOutcome};
use crate::report::ReportEvent;
use crate::value::{Dict, Value};

/// Runs the module here and now.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn run_in_foreground(call: &ModuleCall<'_>, prepared: &Prepared) -> Result<ModuleOutcome, Failure> {
    let run = call.task.run;
    let spec = prepared.module.module_spec();
    let check = call.is_prediction(prepared);
    if check && spec.check == CheckSupport::None {
        let name = if spec.is_foreign() { spec.told_name() } else { spec.short_name() };
        let message = format!("remote module ({name}) does not support check mode");
        let outcome = ModuleOutcome { skipped: true, later: Later::Everything, ..ModuleOutcome::default() };
        plan_guard::record_prediction(call, spec, &Ok(outcome.clone()));
        return Ok(outcome.with("msg", message));
    }
    // Credentials in the environment of the task are as secret as those among its arguments.
    let names = spec.all_params().filter(|param| param.secret).filter_map(|param| param.env);
    for name in names {
        let given = call.settings.environment.iter().filter(|(known, _)| known == name);
        given.for_each(|(_, value)| run.bus.redactor().add(value));
    }
    let warnings: RefCell<Vec<String>> = RefCell::default();
    if check && !call.settings.check && !spec.states.is_empty() {
        let said = "`check_mode: false` does not count for registry objects: a dry run sends no writing request";
        warnings.borrow_mut().push(said.to_owned());
    }
    let mut result = run_module_in_turn(call, prepared, check, &warnings).await;
    if check {
        plan_guard::record_prediction(call, spec, &result);
    }
    add_lines(match &mut result {
        Ok(outcome) => &mut outcome.data,
        Err(failure) => &mut failure.data,
    });
    if spec.is_foreign() {
        tell_deprecations(call, &result);
    }
    let warnings = warnings.take();
    if !warnings.is_empty() {
        let kept = Value::list(warnings.iter().map(|warning| Value::text(warning.as_str())));
        match &mut result {
            Ok(outcome) => outcome.data.set("warnings", kept),
            Err(failure) => failure.data.set("warnings", kept),
        }
    }
    for warning in warnings {
        run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(warning)));
    }
    result
}

/// Tells what a foreign module calls deprecated; its result has it, too.
fn tell_deprecations(call: &ModuleCall<'_>, result: &Result<ModuleOutcome, Failure>) {
    let data = result.as_ref().map_or_else(|failure| &failure.data, |outcome| &outcome.data);
    let entries = data.get("deprecations").and_then(Value::as_slice).unwrap_or_default();
    for message in entries.iter().filter_map(|entry| entry.get("msg")).filter_map(Value::as_str) {
        call.task.run.bus.emit(&ReportEvent::Notice(Diagnostic::deprecation(message)));
    }
}

/// Adds the lines of the module's output streams to its result.
fn add_lines(data: &mut Dict) {
    for (stream, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let Some(text) = data.get(stream).and_then(Value::as_str).filter(|_| !data.contains(lines)) {
            let split = crate::template::python::text::split_lines(text).into_iter().map(Value::text);
            data.set(lines, Value::list(split));
        }
    }
}
