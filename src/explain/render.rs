//! The explanation of a task as text. Values of secrets are never in it.

use std::fmt::Write as _;

use super::requests::list_requests;
use super::{Evaluated, ExplainedTask, task_name};
use crate::modules;
use crate::playbook::Keyword;
use crate::value::Value;
use crate::value::json::{self, JsonStyle};

/// Stands in place of a secret.
const HIDDEN: &str = "********";

/// Returns the text about a task.
pub fn render_task(explained: &ExplainedTask) -> String {
    let task = &explained.numbered.task;
    let spec = modules::find_module(&task.action.full).map(|module| module.module_spec());
    let hides_all = task.find_keyword(Keyword::NoLog).is_some_and(|node| node.to_value().is_true());
    let mut out = format!("TASK {}: {}\n  at {}\n", explained.numbered.number, task_name(task), task.span);
    let module = spec.map_or(task.action.written.as_str(), |spec| spec.name);
    let _ = writeln!(out, "  {module} on {}", explained.host);
    if !explained.conditions.is_empty() {
        out.push_str("\nWHEN\n");
        for condition in &explained.conditions {
            let _ = writeln!(out, "  {}: {}", condition.text, show(&condition.verdict, false));
        }
    }
    if let Some(items) = &explained.loop_items {
        let _ = writeln!(out, "\nLOOP\n  {}", show(items, hides_all));
    }
    out.push_str("\nARGUMENTS\n");
    for (name, value) in &explained.arguments {
        let is_secret = spec.and_then(|spec| spec.find_param(name)).is_some_and(|param| param.secret);
        let _ = writeln!(out, "  {name}: {}", show(value, is_secret || hides_all));
    }
    if explained.arguments.is_empty() {
        out.push_str("  none\n");
    }
    if !explained.variables.is_empty() {
        out.push_str("\nVARIABLES\n");
        for (name, (label, value)) in &explained.variables {
            let _ = writeln!(out, "  {name}: {}\n      from {label}", show(value, hides_all));
        }
    }
    if let Some(spec) = spec.filter(|spec| spec.is_of_registry()) {
        let state = match explained.arguments.iter().find(|(name, _)| name == "state") {
            Some((_, Evaluated::Known(Value::Str(text)))) => text.as_str().to_owned(),
            _ => spec.states.first().copied().unwrap_or_default().to_owned(),
        };
        let requests = list_requests(spec.short_name(), &state);
        out.push_str("\nREQUESTS, at most\n");
        requests.iter().for_each(|request| out.push_str(&format!("  {request}\n")));
    }
    out
}

fn show(value: &Evaluated, is_hidden: bool) -> String {
    match value {
        Evaluated::Unknown(why) => format!("unknown: {why}"),
        Evaluated::Failed(why) => format!("fails: {why}"),
        Evaluated::Known(value) if is_hidden || value.holds_secret() => HIDDEN.to_owned(),
        Evaluated::Known(Value::Omit) => "omitted".to_owned(),
        Evaluated::Known(value) => json::to_string(value, JsonStyle::EVENT),
    }
}
