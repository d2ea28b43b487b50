//! Changes to files and commands of modules: recorded for a plan, and checked against it when it is applied.
//!
//! Requests about registry objects are held to their plan by the connector, see [`crate::plan::Guard`].

use std::cell::RefCell;

use super::invoke::{ModuleCall, run_module_once};
use super::prepare::Prepared;
use crate::modules::spec::{CheckSupport, RunsOn};
use crate::modules::{Failure, Later, ModuleOutcome, Spec};
use crate::plan::host_effects::{EffectKind, PlannedEffect};
use crate::secrets::Redactor;
use crate::template::Context;
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

/// Whether a module acts on files or runs something.
fn is_guarded(spec: &Spec) -> bool {
    !spec.is_of_registry() && spec.runs_on != RunsOn::Controller
}

/// Reports the changes predicted by a dry run.
pub(in crate::executor) fn record_prediction(
    call: &ModuleCall<'_>,
    spec: &Spec,
    result: &Result<ModuleOutcome, Failure>,
) {
    if let Some(effects) = call.task.run.effects.as_ref().filter(|_| is_guarded(spec)) {
        // Nothing says what a foreign module does besides.
        let does = if spec.is_foreign() { EffectKind::Unknown } else { classify_result(result) };
        effects.record_prediction(describe_action(call, does));
    }
}

/// Checks whether a real run may make this change; a dry run of the module predicts it first.
///
/// # Errors
/// If the plan does not have it.
pub(in crate::executor) async fn authorize_call(call: &ModuleCall<'_>, prepared: &Prepared) -> Result<(), Failure> {
    let spec = prepared.module.module_spec();
    let Some(effects) = call.task.run.effects.as_ref().filter(|_| is_guarded(spec)) else { return Ok(()) };
    let does = match spec.check {
        CheckSupport::None => EffectKind::Unknown,
        _ if spec.is_foreign() => EffectKind::Unknown,
        _ => classify_result(&run_module_once(call, prepared, true, &RefCell::default(), None).await),
    };
    effects.authorize_effect(&describe_action(call, does)).map_err(Failure::from_error)
}

fn classify_result(result: &Result<ModuleOutcome, Failure>) -> EffectKind {
    match result {
        Ok(outcome) if outcome.undetermined.is_some() || outcome.later != Later::Nothing => EffectKind::Unknown,
        Ok(outcome) if outcome.changed => EffectKind::Change,
        Ok(_) => EffectKind::Nothing,
        Err(_) => EffectKind::Unknown,
    }
}

/// Keys of a registered result that differ between a dry run and the real run of a task.
const OF_ONE_RUN: &[&str] = &["msg", "invocation", "diff", "warnings", "deprecations"];

/// The part of a loop item that is the same in a dry run and in the real run. Items that are results of tasks describe
/// their own run as well, and a file is read by who looks at it.
fn identify_item(item: &Value) -> Value {
    match item {
        Value::Dict(dict) => {
            let is_result = dict.contains("changed") && dict.contains("failed");
            let is_file = dict.contains("atime") && dict.contains("mtime");
            let is_lasting = |key: &Value| match key.as_str() {
                Some("atime") => !is_file,
                Some(key) => !is_result || !OF_ONE_RUN.contains(&key),
                None => true,
            };
            let lasting = dict.iter().filter(|(key, _)| is_lasting(key));
            Value::from(lasting.map(|(key, value)| (key.clone(), identify_item(value))).collect::<Dict>())
        }
        Value::List(items) => Value::list(items.iter().map(identify_item)),
        other => other.clone(),
    }
}

/// An item as a plan keeps it: mappings and lists as JSON, so that they can be compared part by part.
fn describe_item(item: &Value, redactor: &Redactor) -> String {
    let item = identify_item(item);
    match item {
        Value::Dict(_) | Value::List(_) => {
            let style = JsonStyle { mask_secrets: true, ..JsonStyle::EVENT };
            redactor.redact_json(&json::to_string(&item, style)).into_owned()
        }
        other => redactor.show_value(&other),
    }
}

fn describe_action(call: &ModuleCall<'_>, does: EffectKind) -> PlannedEffect {
    let task = call.task;
    let engine = task.engine(call.scope);
    let item = task.task.looping.as_ref().and_then(|_| {
        let name = engine.get_variable("ansible_loop_var").ok().flatten()?;
        engine.get_variable(&python::str(&name)).ok().flatten()
    });
    let redactor = task.run.bus.redactor();
    PlannedEffect {
        task: task.label.task.to_string(),
        host: task.host.to_string(),
        item: item.map(|item| describe_item(&item, redactor)),
        does,
    }
}
