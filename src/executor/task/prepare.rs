//! A task meets its module: which one it is, and its arguments, templated and checked.

use super::TaskRun;
use crate::address;
use crate::diagnostic::Diagnostic;
use crate::modules::args::Checked;
use crate::modules::spec::{FreeForm, RunsOn};
use crate::modules::{self, Failure, ModuleArgs, TaskModule, args};
use crate::playbook::{Keyword, Task, action};
use crate::report::ReportEvent;
use crate::secrets::{self, Redactor};
use crate::template::{TemplateEngine, TemplateError};
use crate::value::{Dict, Value, python};

/// A module with arguments that are ready.
pub struct Prepared {
    /// The module.
    pub module: &'static dyn TaskModule,
    /// The templated arguments as given, for background jobs.
    pub given: Dict,
    /// The checked arguments.
    pub args: ModuleArgs,
}

/// Finds the module and prepares its arguments: defaults, templates, the check against the spec.
///
/// # Errors
/// If the module is unknown, a template fails, or the arguments are wrong.
pub fn prepare_module(run: &TaskRun<'_>, engine: &TemplateEngine<'_>) -> Result<Prepared, Failure> {
    let task = run.task;
    let mut raw = Dict::new();
    let full = if task.action.full.is_empty() {
        let written = engine.evaluate_value(&Value::Str(task.action.written.clone()))?;
        let name = python::str(&written);
        action::resolve_name(&name).ok_or_else(|| {
            let drawn = Diagnostic::error(format!("there is no module `{name}`")).at(&task.span, "");
            let message = format!("Task failed: Cannot resolve {} to an action or module.", python::repr(&written));
            Failure::new(message).with_diagnostic(drawn).breaking_off()
        })?
    } else {
        task.action.full.clone()
    };
    let module = modules::find_module(&full).ok_or_else(|| {
        if action::resolve_name(&full).is_none() {
            return Failure::from(action::unknown_module(&full, &task.span)).breaking_off();
        }
        let message = Diagnostic::error(format!("there is no module `{full}` in this program"));
        Failure::from(message.at(&task.span, "")).breaking_off()
    })?;
    for node in task.keyword_all(Keyword::ModuleDefaults) {
        let defaults = engine.evaluate_value(&node.to_value())?;
        for defaults in into_list(defaults) {
            let Value::Dict(defaults) = defaults else { continue };
            for (name, values) in defaults.iter() {
                let name = python::str(name);
                let meant = action::resolve_name(&name).is_some_and(|known| known == full) || group_has(&name, &full);
                match values {
                    Value::Dict(values) if meant => raw.extend(values),
                    Value::Null | Value::Omit => {}
                    other if meant => {
                        let message =
                            format!("`module_defaults` of `{name}` must be a mapping, not {}", other.type_name());
                        return Err(Failure::from(Diagnostic::error(message).at(node.span(), "")).breaking_off());
                    }
                    _ => {}
                }
            }
        }
    }
    if let Some(template) = &task.args.template {
        match engine.evaluate_value(template)? {
            Value::Dict(values) => raw.extend(&values),
            Value::Omit | Value::Null => {}
            other => {
                let message = format!("`args` must be a mapping, not {}", other.type_name());
                let drawn = Diagnostic::error(&message).at(&task.args.span, "");
                let message = format!("Finalization of task args for '{full}' failed: {message}");
                return Err(Failure::new(message).with_diagnostic(drawn).breaking_off());
            }
        }
    }
    raw.extend(&task.args.values);
    let mut given = template_arguments(engine, &full, &raw)?;
    // A template in place of the arguments.
    if module.module_spec().free_form != FreeForm::Raw
        && let Some(Value::Dict(values)) = given.get("_raw_params").cloned()
    {
        given.remove("_raw_params");
        let named = std::mem::replace(&mut given, (*values).clone());
        given.extend(&named);
    }
    if module.module_spec().free_form == FreeForm::Pairs && given.contains("_raw_params") {
        let message = format!("Task failed: Action '{full}' does not support raw params.");
        let drawn = Diagnostic::error(format!("`{}` takes no free text", task.action.written.as_str()))
            .at(&task.args.span, "")
            .hint("write the arguments as a mapping below the module's name");
        return Err(Failure::new(message).with_diagnostic(drawn).breaking_off());
    }
    // What was computed from a secret must not be shown either, whatever the module makes of it.
    given.iter().for_each(|(_, value)| run.run.bus.redactor().add_all(value));
    let checked = check_arguments(module, &given, task)?;
    // So are the values of secret parameters, wherever they came from.
    for param in module.module_spec().all_params().filter(|param| param.secret) {
        let mut names = std::iter::once(&param.name).chain(param.aliases);
        let Some(Value::Str(secret)) = names.find_map(|name| checked.args.get(name)) else { continue };
        run.run.bus.redactor().add(secret);
        if !secret.is_empty() && !Redactor::is_findable(secret) {
            let message = format!("the value of `{}` is too short to be masked in output", param.name);
            let hint = format!(
                "secrets of fewer than {} characters are masked only where they are used as such",
                secrets::SHORTEST
            );
            run.run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(message).at(&task.args.span, "").hint(hint)));
        }
    }
    let api_url = checked.args.get("api_url").and_then(Value::as_str);
    api_url.map(address::find_secrets).unwrap_or_default().iter().for_each(|secret| run.run.bus.redactor().add(secret));
    for warning in checked.warnings {
        run.run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(warning)));
    }
    Ok(Prepared { module, given, args: checked.args })
}

/// Checks the arguments, unless the module does that itself.
fn check_arguments(module: &dyn TaskModule, given: &Dict, task: &Task) -> Result<Checked, Failure> {
    let spec = module.module_spec();
    if module.checks_own_arguments() {
        return Ok(Checked { args: ModuleArgs::new(given.clone()), warnings: Vec::new() });
    }
    args::check_args(spec, given, &task.action.written).map_err(|failure| {
        let failure = add_span(failure, &task.args.span);
        if spec.runs_on == RunsOn::Controller { failure.breaking_off() } else { failure }
    })
}

/// Adds the place to a failure that has none.
fn add_span(failure: Failure, span: &crate::source::Span) -> Failure {
    let diagnostic = match &failure.diagnostic {
        Some(diagnostic) if !diagnostic.labels.is_empty() => return failure,
        Some(diagnostic) => (**diagnostic).clone(),
        None => Diagnostic::error(failure.message.clone()),
    };
    failure.with_diagnostic(diagnostic.at(span, ""))
}

/// `group/ionoscloud...` in `module_defaults`.
fn group_has(name: &str, full: &str) -> bool {
    name.strip_prefix("group/").is_some_and(|group| {
        let collection = full.rsplit_once('.').map_or("", |(collection, _)| collection);
        group == collection || group.rsplit_once('.').is_some_and(|(c, _)| c == collection)
    })
}

fn into_list(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => vec![other],
    }
}

/// Templates each argument; omitted ones go away.
fn template_arguments(engine: &TemplateEngine<'_>, full: &str, raw: &Dict) -> Result<Dict, TemplateError> {
    let mut given = Dict::new();
    for (name, value) in raw.iter() {
        let name = match name {
            Value::Str(text) if text.is_template() => engine.evaluate_value(name)?,
            other => other.clone(),
        };
        match engine.evaluate_value(value) {
            Ok(Value::Omit) => {}
            Ok(value) => _ = given.insert(name, value),
            Err(fault) => {
                let doing = format!("Error while resolving value for {}", python::repr(&name));
                return Err(fault.during(doing).during(format!("Finalization of task args for '{full}' failed")));
            }
        }
    }
    Ok(given)
}
