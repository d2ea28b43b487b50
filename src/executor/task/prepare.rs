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
    let full = find_full_name(task, engine)?;
    let module = find_task_module(task, &full)?;
    let mut raw = Dict::new();
    add_module_defaults(&mut raw, task, &full, engine)?;
    add_args_template(&mut raw, task, &full, engine)?;
    let mut given = if raw.is_empty() {
        template_arguments(engine, &full, &task.args.values)?
    } else {
        raw.extend(&task.args.values);
        template_arguments(engine, &full, &raw)?
    };
    read_free_form(&mut given, module, task, &full)?;
    // What was computed from a secret must not be shown either, whatever the module makes of it.
    let redactor = run.run.bus.redactor();
    given.iter().for_each(|(_, value)| redactor.add_all(value));
    let checked = check_arguments(module, &given, task)?;
    mask_secret_arguments(run, module, &checked.args);
    for warning in checked.warnings {
        run.run.bus.emit(&ReportEvent::Notice(Diagnostic::warning(warning)));
    }
    Ok(Prepared { module, given, args: checked.args })
}

/// The full name of the action, which may be written as a template.
fn find_full_name(task: &Task, engine: &TemplateEngine<'_>) -> Result<String, Failure> {
    if !task.action.full.is_empty() {
        return Ok(task.action.full.clone());
    }
    let written = engine.evaluate_value(&Value::Str(task.action.written.clone()))?;
    let name = python::str(&written);
    action::resolve_name(&name).ok_or_else(|| {
        let drawn = Diagnostic::error(format!("there is no module `{name}`")).at(&task.span, "");
        let message = format!("Task failed: Cannot resolve {} to an action or module.", python::repr(&written));
        Failure::new(message).with_diagnostic(drawn).breaking_off()
    })
}

fn find_task_module(task: &Task, full: &str) -> Result<&'static dyn TaskModule, Failure> {
    modules::find_module(full).ok_or_else(|| {
        if action::resolve_name(full).is_none() {
            return Failure::from(action::unknown_module(full, &task.span)).breaking_off();
        }
        let message = Diagnostic::error(format!("there is no module `{full}` in this program"));
        Failure::from(message.at(&task.span, "")).breaking_off()
    })
}

/// Adds what `module_defaults` has for the module or one of its groups, the outermost first.
fn add_module_defaults(raw: &mut Dict, task: &Task, full: &str, engine: &TemplateEngine<'_>) -> Result<(), Failure> {
    for node in task.keyword_all(Keyword::ModuleDefaults) {
        for defaults in into_list(engine.evaluate_value(&node.to_value())?) {
            let Value::Dict(defaults) = defaults else { continue };
            for (name, values) in defaults.iter() {
                let name = python::str(name);
                if !(group_has(&name, full) || action::resolve_name(&name).is_some_and(|known| known == full)) {
                    continue;
                }
                match values {
                    Value::Dict(values) => raw.extend(values),
                    Value::Null | Value::Omit => {}
                    other => {
                        let kind = other.type_name();
                        let message = format!("`module_defaults` of `{name}` must be a mapping, not {kind}");
                        return Err(Failure::from(Diagnostic::error(message).at(node.span(), "")).breaking_off());
                    }
                }
            }
        }
    }
    Ok(())
}

/// Adds what the template of `args` gives.
fn add_args_template(raw: &mut Dict, task: &Task, full: &str, engine: &TemplateEngine<'_>) -> Result<(), Failure> {
    let Some(template) = &task.args.template else { return Ok(()) };
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
    Ok(())
}

/// Text in place of arguments: a template that gives a mapping stands for them; other text is refused by modules that
/// take none.
fn read_free_form(given: &mut Dict, module: &dyn TaskModule, task: &Task, full: &str) -> Result<(), Failure> {
    let free_form = module.module_spec().free_form;
    if free_form != FreeForm::Raw
        && let Some(Value::Dict(values)) = given.get("_raw_params").cloned()
    {
        given.remove("_raw_params");
        let named = std::mem::replace(given, (*values).clone());
        given.extend(&named);
    }
    if free_form == FreeForm::Pairs && given.contains("_raw_params") {
        let message = format!("Task failed: Action '{full}' does not support raw params.");
        let drawn = Diagnostic::error(format!("`{}` takes no free text", task.action.written.as_str()))
            .at(&task.args.span, "")
            .hint("write the arguments as a mapping below the module's name");
        return Err(Failure::new(message).with_diagnostic(drawn).breaking_off());
    }
    Ok(())
}

/// Masks the values of secret parameters, wherever they came from, and passwords in the address of the service.
fn mask_secret_arguments(run: &TaskRun<'_>, module: &dyn TaskModule, args: &ModuleArgs) {
    let bus = &run.run.bus;
    for param in module.module_spec().all_params().filter(|param| param.secret) {
        let mut names = std::iter::once(&param.name).chain(param.aliases);
        let Some(Value::Str(secret)) = names.find_map(|name| args.get(name)) else { continue };
        bus.redactor().add(secret);
        if !secret.is_empty() && !Redactor::is_findable(secret) {
            let message = format!("the value of `{}` is too short to be masked in output", param.name);
            let shortest = secrets::SHORTEST;
            let hint =
                format!("secrets of fewer than {shortest} characters are masked only where they are used as such");
            let warning = Diagnostic::warning(message).at(&run.task.args.span, "").hint(hint);
            bus.emit(&ReportEvent::Notice(warning));
        }
    }
    let api_url = args.get("api_url").and_then(Value::as_str);
    api_url.map(address::find_secrets).unwrap_or_default().iter().for_each(|secret| bus.redactor().add(secret));
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
    let mut given = Dict::with_capacity(raw.len());
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
