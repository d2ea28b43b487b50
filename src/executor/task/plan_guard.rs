//! What modules do to files and run as commands, told to whoever makes a plan, and held to it when the plan is applied.
//!
//! Requests about registry objects are held to their plan by the connector, see [`crate::plan::Guard`].

use std::cell::RefCell;

use super::invoke::{ModuleCall, run_module_once};
use super::prepare::{IN_CONTROLLER, Prepared};
use crate::modules::spec::CheckSupport;
use crate::modules::{Failure, Later, ModuleOutcome, Spec};
use crate::plan::host_effects::{EffectKind, PlannedEffect};
use crate::template::{Context, TemplateEngine};
use crate::value::{Dict, Value, python};

/// Whether a module acts on files or runs something.
fn is_guarded(spec: &Spec) -> bool {
    !spec.is_of_registry() && !IN_CONTROLLER.contains(&spec.short_name())
}

/// Tells what a dry run has come to.
pub(in crate::executor) fn record_prediction(
    call: &ModuleCall<'_>,
    spec: &Spec,
    result: &Result<ModuleOutcome, Failure>,
) {
    if let Some(deeds) = call.task.run.deeds.as_ref().filter(|_| is_guarded(spec)) {
        deeds.record_prediction(describe_action(call, classify_result(result)));
    }
}

/// Asks whether a real run may do this; the module is asked in a dry run first what it would do.
///
/// # Errors
/// If the plan does not have it.
pub(in crate::executor) async fn authorize_call(call: &ModuleCall<'_>, prepared: &Prepared) -> Result<(), Failure> {
    let spec = prepared.module.module_spec();
    let Some(deeds) = call.task.run.deeds.as_ref().filter(|_| is_guarded(spec)) else { return Ok(()) };
    let does = match spec.check {
        CheckSupport::None => EffectKind::Unknown,
        _ => classify_result(&run_module_once(call, prepared, true, &RefCell::default(), None).await),
    };
    deeds.authorize_effect(&describe_action(call, does)).map_err(Failure::new)
}

fn classify_result(result: &Result<ModuleOutcome, Failure>) -> EffectKind {
    match result {
        Ok(outcome) if outcome.undetermined.is_some() || outcome.later != Later::Nothing => EffectKind::Unknown,
        Ok(outcome) if outcome.changed => EffectKind::Change,
        Ok(_) => EffectKind::Nothing,
        Err(_) => EffectKind::Unknown,
    }
}

/// What of a registered result differs between a dry run and the real run of the same task.
const OF_ONE_RUN: &[&str] = &["msg", "invocation", "diff", "warnings", "deprecations"];

/// The part of a loop item that is the same in a dry run and in the real run. Items that are results of tasks describe
/// their own run as well.
fn identify_item(item: Value) -> Value {
    match &item {
        Value::Dict(result) if result.contains("changed") && result.contains("failed") => {
            let is_lasting = |key: &Value| key.as_str().is_none_or(|key| !OF_ONE_RUN.contains(&key));
            let lasting = result.iter().filter(|(key, _)| is_lasting(key));
            Value::from(lasting.map(|(key, value)| (key.clone(), value.clone())).collect::<Dict>())
        }
        _ => item,
    }
}

fn describe_action(call: &ModuleCall<'_>, does: EffectKind) -> PlannedEffect {
    let task = call.task;
    let engine = TemplateEngine::new(&task.run.globals, call.scope, call.search);
    let item = task.task.looping.as_ref().and_then(|_| {
        let name = engine.get_variable("ansible_loop_var").ok().flatten()?;
        engine.get_variable(&python::str(&name)).ok().flatten()
    });
    let redactor = task.run.bus.redactor();
    PlannedEffect {
        task: task.label.task.to_string(),
        host: task.host.to_string(),
        item: item.map(|item| redactor.show_value(&identify_item(item))),
        does,
    }
}
