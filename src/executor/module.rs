//! A task meets its module: arguments, context, background jobs, time limit.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::background;
use super::keywords::Settings;
use super::scope::TaskScope;
use super::task::TaskRun;
use super::witness;
use crate::diagnostic::Diagnostic;
use crate::modules::spec::{CheckSupport, FreeForm};
use crate::modules::{self, Args, Failure, InventoryView, Module, Outcome, TaskContext, args};
use crate::playbook::{Keyword, action};
use crate::report::Event;
use crate::template::{Engine, Fault};
use crate::value::{Dict, Unknown, Value, python};

/// What the controller does itself in the original: their results tell nothing of an invocation.
pub const IN_CONTROLLER: &[&str] = &[
    "add_host",
    "assert",
    "debug",
    "fail",
    "group_by",
    "include_vars",
    "pause",
    "set_fact",
    "set_stats",
    "validate_argument_spec",
];

/// Of these, those that break off where they cannot do their work, with no result for `failed_when` to judge.
const BREAKING_OFF: &[&str] = &["add_host", "debug", "group_by", "set_fact", "set_stats"];

/// A module with arguments that are ready.
pub struct Prepared {
    /// The module.
    pub module: &'static dyn Module,
    /// The templated arguments as given, for background jobs.
    pub given: Dict,
    /// The checked arguments.
    pub args: Args,
}

/// One call of a module.
pub struct Call<'a> {
    /// The task on its host.
    pub task: &'a TaskRun<'a>,
    /// Its variables.
    pub scope: &'a TaskScope,
    /// Folders for relative names.
    pub search: &'a [PathBuf],
    /// Its settings.
    pub settings: &'a Settings,
    /// The host it is delegated to.
    pub delegated_to: Option<&'a str>,
}

impl Call<'_> {
    /// Whether the module only foretells. `check_mode: false` makes tasks of a dry run real, but not those of registry
    /// objects: a dry run sends no writing request.
    pub(super) fn foretells(&self, prepared: &Prepared) -> bool {
        self.settings.check || (self.task.run.options.check && prepared.module.spec().is_of_registry())
    }
}

/// Finds the module and prepares its arguments: defaults, templates, the check against the spec.
///
/// # Errors
/// If the module is unknown, a template fails, or the arguments are wrong.
pub fn prepare(run: &TaskRun<'_>, engine: &Engine<'_>) -> Result<Prepared, Failure> {
    let task = run.task;
    let mut raw = Dict::new();
    let full = if task.action.full.is_empty() {
        let written = engine.value(&Value::Str(task.action.written.clone()))?;
        let name = python::str(&written);
        action::resolve(&name).ok_or_else(|| {
            Failure::from(Diagnostic::error(format!("there is no module `{name}`")).at(&task.span, "")).breaking_off()
        })?
    } else {
        task.action.full.clone()
    };
    let module = modules::find(&full).ok_or_else(|| {
        let message = Diagnostic::error(format!("there is no module `{full}` in this program"));
        Failure::from(message.at(&task.span, "")).breaking_off()
    })?;
    for node in task.keyword_all(Keyword::ModuleDefaults) {
        let defaults = engine.value(&node.to_value())?;
        for defaults in listed(defaults) {
            let Value::Dict(defaults) = defaults else { continue };
            for (name, values) in defaults.iter() {
                let name = python::str(name);
                let meant = action::resolve(&name).is_some_and(|known| known == full) || group_has(&name, &full);
                if let (true, Value::Dict(values)) = (meant, values) {
                    raw.extend(values);
                }
            }
        }
    }
    if let Some(template) = &task.args.template {
        match engine.value(template)? {
            Value::Dict(values) => raw.extend(&values),
            Value::Omit | Value::Null => {}
            other => {
                let message = format!("`args` must be a mapping, not {}", other.type_name());
                return Err(Failure::from(Diagnostic::error(message).at(&task.args.span, "")).breaking_off());
            }
        }
    }
    raw.extend(&task.args.values);
    let mut given = templated(engine, &full, &raw)?;
    // A template in place of the arguments.
    if module.spec().free_form != FreeForm::Raw
        && let Some(Value::Dict(values)) = given.get("_raw_params").cloned()
    {
        given.remove("_raw_params");
        let named = std::mem::replace(&mut given, (*values).clone());
        given.extend(&named);
    }
    if module.spec().free_form == FreeForm::Pairs && given.contains("_raw_params") {
        let message = format!("Task failed: Action '{full}' does not support raw params.");
        let drawn = Diagnostic::error(format!("`{}` takes no free text", task.action.written.as_str()))
            .at(&task.args.span, "")
            .hint("write the arguments as a mapping below the module's name");
        return Err(Failure::new(message).drawn(drawn).breaking_off());
    }
    // What was computed from a secret must not be shown either, whatever the module makes of it.
    given.iter().for_each(|(_, value)| run.run.bus.redactor().add_all(value));
    let checked = args::check(module.spec(), &given, &task.action.written).map_err(|failure| match () {
        () if IN_CONTROLLER.contains(&module.spec().short_name()) => at(failure, &task.args.span).breaking_off(),
        () => at(failure, &task.args.span),
    })?;
    // So are the values of secret parameters, wherever they came from.
    checked.args.values().iter().for_each(|(_, value)| run.run.bus.redactor().add_all(value));
    for warning in checked.warnings {
        run.run.bus.emit(&Event::Notice(Diagnostic::warning(warning)));
    }
    Ok(Prepared { module, given, args: checked.args })
}

/// Adds the place to a failure that has none.
fn at(failure: Failure, span: &crate::source::Span) -> Failure {
    let diagnostic = match &failure.diagnostic {
        Some(diagnostic) if !diagnostic.labels.is_empty() => return failure,
        Some(diagnostic) => (**diagnostic).clone(),
        None => Diagnostic::error(failure.message.clone()),
    };
    failure.drawn(diagnostic.at(span, ""))
}

/// `group/ionoscloud...` in `module_defaults`.
fn group_has(name: &str, full: &str) -> bool {
    name.strip_prefix("group/").is_some_and(|group| {
        let collection = full.rsplit_once('.').map_or("", |(collection, _)| collection);
        group == collection || group.rsplit_once('.').is_some_and(|(c, _)| c == collection)
    })
}

fn listed(value: Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => vec![other],
    }
}

/// Templates each argument; omitted ones go away.
fn templated(engine: &Engine<'_>, full: &str, raw: &Dict) -> Result<Dict, Fault> {
    let mut given = Dict::new();
    for (name, value) in raw.iter() {
        let name = match name {
            Value::Str(text) if text.is_template() => engine.value(name)?,
            other => other.clone(),
        };
        match engine.value(value) {
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

/// Runs the module in the foreground or in the background.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn call(call: &Call<'_>, prepared: &Prepared) -> Result<Outcome, Failure> {
    if let Some(unknown) = awaited(prepared) {
        let awaits = unknown.sentence();
        return if call.foretells(prepared) {
            Ok(Outcome { undetermined: Some(awaits), ..Outcome::default() })
        } else {
            Err(Failure::new(format!("an argument is known to a dry run only: it waits for {awaits}")))
        };
    }
    if !call.foretells(prepared) {
        witness::may(call, prepared).await?;
    }
    match call.settings.background {
        ..=0 => foreground(call, prepared).await,
        _ => background::run(call, prepared).await,
    }
}

/// Runs the module here and now.
///
/// # Errors
/// If the module fails, or the time limit has passed.
pub async fn foreground(call: &Call<'_>, prepared: &Prepared) -> Result<Outcome, Failure> {
    let run = call.task.run;
    let spec = prepared.module.spec();
    let check = call.foretells(prepared);
    if check && spec.check == CheckSupport::None {
        let message = format!("remote module ({}) does not support check mode", spec.short_name());
        let outcome = Outcome { skipped: true, later: modules::Later::Everything, ..Outcome::default() };
        witness::foretold(call, spec, &Ok(outcome.clone()));
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
    let mut result = once(call, prepared, check, &warnings).await;
    if check {
        witness::foretold(call, spec, &result);
    }
    add_lines(match &mut result {
        Ok(outcome) => &mut outcome.data,
        Err(failure) => &mut failure.data,
    });
    let warnings = warnings.take();
    if !warnings.is_empty() {
        let kept = Value::list(warnings.iter().map(|warning| Value::text(warning.as_str())));
        match &mut result {
            Ok(outcome) => outcome.data.set("warnings", kept),
            Err(failure) => failure.data.set("warnings", kept),
        }
    }
    for warning in warnings {
        run.bus.emit(&Event::Notice(Diagnostic::warning(warning)));
    }
    result
}

/// What of the arguments has to be known first. Modules of registry objects plan with what is not known.
fn awaited(prepared: &Prepared) -> Option<&Arc<Unknown>> {
    let spec = prepared.module.spec();
    if spec.is_of_registry() { None } else { spec.awaited(prepared.args.values()) }
}

/// Runs the module once, for real or foretelling.
pub(super) async fn once(
    call: &Call<'_>,
    prepared: &Prepared,
    check: bool,
    warnings: &RefCell<Vec<String>>,
) -> Result<Outcome, Failure> {
    let run = call.task.run;
    let engine = Engine::new(&run.globals, call.scope, call.search);
    let bus = Rc::clone(&run.bus);
    let inventory = View(call.task);
    let context = TaskContext {
        host_name: call.delegated_to.unwrap_or(call.task.host),
        host: if check { &*run.foretold_host_api } else { &*run.host_api },
        registries: if check { &*run.foretold_registries } else { &*run.registries },
        template: &engine,
        environment: &call.settings.environment,
        check,
        diff: call.settings.diff,
        verbosity: run.options.verbosity,
        search_path: call.search,
        base_dir: &call.task.play.play.folder,
        span: &call.task.task.args.span,
        raw_args: &call.task.task.args.values,
        inventory: &inventory,
        warnings,
        interrupt: &run.interrupt,
        kept: call.task.kept.clone(),
        progress: Rc::new(move |message: &str| bus.emit(&Event::Progress(message.to_owned()))),
    };
    // A request that has been sent to the API is waited for even when the user interrupts: its answer may hold a
    // password that is told only once.
    let spec = prepared.module.spec();
    let shielded = spec.is_of_registry();
    let result = limited(call, prepared.module.run(&prepared.args, &context), shielded).await;
    if BREAKING_OFF.contains(&spec.short_name()) { result.map_err(Failure::breaking_off) } else { result }
}

/// What a module says on its streams is there in lines too.
fn add_lines(data: &mut Dict) {
    for (stream, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let Some(text) = data.get(stream).and_then(Value::as_str).filter(|_| !data.contains(lines)) {
            let split = crate::template::python::text::split_lines(text).into_iter().map(Value::text);
            data.set(lines, Value::list(split));
        }
    }
}

async fn limited(
    call: &Call<'_>,
    work: modules::Local<'_, Result<Outcome, Failure>>,
    shielded: bool,
) -> Result<Outcome, Failure> {
    let run = call.task.run;
    let interruptible = async {
        tokio::select! {
            biased;
            result = work => result,
            () = run.interrupt.raised(), if !shielded => Err(Failure::new("interrupted")),
        }
    };
    match call.settings.timeout {
        None => interruptible.await,
        Some(seconds) => match tokio::time::timeout(Duration::from_secs(seconds), interruptible).await {
            Ok(result) => result,
            Err(_) => {
                let period = Value::dict([
                    ("period", Value::from(seconds)),
                    ("frame", Value::text("interrupted at the module")),
                ]);
                let message = format!("Task failed: Timed out after {seconds} second(s).");
                Err(Failure::new(message).with("timedout", period).breaking_off())
            }
        },
    }
}

struct View<'a>(&'a TaskRun<'a>);

impl InventoryView for View<'_> {
    fn has_host(&self, name: &str) -> bool {
        self.0.run.inventory.borrow().has_host(name)
    }

    fn has_group(&self, name: &str) -> bool {
        self.0.run.inventory.borrow().has_group(name)
    }
}
