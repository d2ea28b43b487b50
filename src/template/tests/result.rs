//! What a task's result says: failed, changed, skipped, ..

use crate::template::error::TemplateError;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::require_defined;
use crate::value::{Dict, Value};

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("change", changed, "Whether the task made a change."),
    Test::new("changed", changed, "Whether the task made a change."),
    Test::new("failed", failed, "Whether the task failed."),
    Test::new("failure", failed, "Whether the task failed."),
    Test::new("finished", finished, "Whether the background job has finished."),
    Test::new("reachable", reachable, "Whether the host was reachable."),
    Test::new("skip", skipped, "Whether the task was skipped."),
    Test::new("skipped", skipped, "Whether the task was skipped."),
    Test::new("started", started, "Whether the background job has started."),
    Test::new("succeeded", succeeded, "Whether the task did not fail."),
    Test::new("success", succeeded, "Whether the task did not fail."),
    Test::new("successful", succeeded, "Whether the task did not fail."),
    Test::new("timedout", timed_out, "Whether the task timed out."),
    Test::new("unreachable", unreachable, "Whether the host was unreachable."),
];

fn read_result<'a>(call: &'a PluginCall<'_>) -> Result<&'a Dict, TemplateError> {
    call.input.as_dict().ok_or_else(|| {
        TemplateError::value(format!("The '{}' test expects a dictionary", call.name)).hint("register a task's result")
    })
}

/// The truth of a key, `default` where it is not there.
fn is_key_true(call: &PluginCall<'_>, key: &str, default: bool) -> Result<bool, TemplateError> {
    read_result(call)?.get(key).map_or(Ok(default), |value| match value {
        Value::Unknown(unknown) => Err(TemplateError::from_unknown(unknown)),
        value => require_defined(value).map(Value::is_true),
    })
}

fn failed(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_key_true(call, "failed", false)
}

fn succeeded(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    failed(call).map(|failed| !failed)
}

fn skipped(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_key_true(call, "skipped", false)
}

fn unreachable(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_key_true(call, "unreachable", false)
}

fn reachable(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    unreachable(call).map(|unreachable| !unreachable)
}

fn started(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_key_true(call, "started", true)
}

fn finished(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_key_true(call, "finished", true)
}

/// Where a loop's result does not say, its items do.
fn changed(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let result = read_result(call)?;
    if let (None, Some(Value::List(items))) = (result.get("changed"), result.get("results"))
        && let Some(Value::Dict(_)) = items.first()
    {
        let changed = |item: &Value| item.get("changed").is_some_and(|value| !value.is_unknown() && value.is_true());
        let unknown = items.iter().find_map(|item| item.get("changed").unwrap_or(item).as_unknown());
        return match unknown {
            Some(unknown) if !items.iter().any(changed) => Err(TemplateError::from_unknown(unknown)),
            _ => Ok(items.iter().any(changed)),
        };
    }
    is_key_true(call, "changed", false)
}

fn timed_out(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    match read_result(call)?.get("timedout") {
        None => Ok(false),
        Some(Value::Dict(details)) => Ok(details.get("period").is_some_and(Value::is_true)),
        Some(other) if !other.is_true() => Ok(false),
        Some(other) => Err(TemplateError::value(format!("`timedout` is a mapping, not {}", other.type_name()))),
    }
}
