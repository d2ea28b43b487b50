//! Running a foreign module.

use std::path::{Path, PathBuf};

use super::arguments::build_arguments;
use super::result::{RawOutput, build_outcome};
use super::{ForeignModule, registry};
use crate::bridge::program::{self, ProgramCall};
use crate::bridge::{ArgumentStyle, BridgeError, ModuleKind, PythonOutput, PythonRequest, PythonUse};
use crate::diagnostic::Diagnostic;
use crate::host::RunError;
use crate::modules::spec::CheckSupport;
use crate::modules::{Failure, ModuleArgs, ModuleOutcome, TaskContext};
use crate::value::json::{self, JsonStyle};
use crate::value::{Dict, Value, python};

/// Runs a module, or says why it cannot be run.
///
/// # Errors
/// If it cannot be run, or fails.
pub async fn run_foreign(
    module: &ForeignModule,
    args: &ModuleArgs,
    context: &TaskContext<'_>,
) -> Result<ModuleOutcome, Failure> {
    let arguments = build_arguments(module, args, context)?;
    if module.needs_python() {
        require_permission(module, context)?;
    }
    let path = module.path();
    let output = match &module.kind {
        ModuleKind::AnsiblePython => run_in_worker(module, arguments, context).await?,
        ModuleKind::PythonScript(style) => {
            let python = find_interpreter(context)?;
            run_program(module, vec![python.display().to_string()], *style, &arguments, context).await?
        }
        ModuleKind::Script(words, style) => {
            let words = replace_interpreter(words, context);
            run_program(module, words, *style, &arguments, context).await?
        }
        ModuleKind::Binary => run_program(module, Vec::new(), ArgumentStyle::Json, &arguments, context).await?,
        ModuleKind::Stub => {
            let hint = "action plugins are not bridged; use other modules for what the task does";
            return Err(refuse(module, "is done by an action plugin", hint, context));
        }
        ModuleKind::NoInterpreter => {
            let hint = format!("let the first line of `{}` be `#!INTERPRETER`", path.display());
            return Err(refuse(module, "does not say what runs it", &hint, context));
        }
    };
    build_outcome(module, output, context)
}

fn refuse(module: &ForeignModule, why: &str, hint: &str, context: &TaskContext<'_>) -> Failure {
    let message = format!("the module `{}` {why}", module.told_name());
    Failure::from(Diagnostic::error(message).at(context.span, "").hint(hint)).breaking_off()
}

fn require_permission(module: &ForeignModule, context: &TaskContext<'_>) -> Result<(), Failure> {
    match context.bridge.map(crate::bridge::Bridge::python_use) {
        Some(PythonUse::Allowed) => Ok(()),
        _ => {
            let hint = "allow it with `--allow-python`, or with `allow_python_modules = true` in `ansible.cfg`";
            let why = format!("is written in Python (`{}`), and needs your permission to run", module.path().display());
            Err(refuse(module, &why, hint, context))
        }
    }
}

/// The interpreter for Python modules: the variable `ansible_python_interpreter`, or `python3`.
fn find_interpreter(context: &TaskContext<'_>) -> Result<PathBuf, Failure> {
    let given = context.template.get_variable("ansible_python_interpreter")?.map(|value| python::str(&value));
    let given = given.filter(|name| !name.is_empty() && !name.starts_with("auto"));
    let known = registry::current_search().python;
    let found = match (&given, known) {
        (Some(name), _) if name.contains('/') => Some(PathBuf::from(name)).filter(|path| context.host.is_file(path)),
        (Some(name), _) => context.find_program(name),
        (None, Some(known)) => Some(known),
        (None, None) => context.find_program("python3"),
    };
    found.ok_or_else(|| {
        let name = given.as_deref().unwrap_or("python3");
        let message = Diagnostic::error(format!("there is no Python interpreter `{name}`")).at(context.span, "");
        let message = message.hint("install Python 3 and `ansible-core`, or set `ansible_python_interpreter`");
        Failure::from(message).breaking_off()
    })
}

async fn run_in_worker(
    module: &ForeignModule,
    arguments: Dict,
    context: &TaskContext<'_>,
) -> Result<RawOutput, Failure> {
    let python = find_interpreter(context)?;
    let Some(bridge) = context.bridge else {
        return Err(refuse(module, "cannot run here", "run it in a playbook", context));
    };
    let search = registry::current_search();
    let text = json::to_string(&Value::from(arguments), JsonStyle::PYTHON);
    let request = PythonRequest {
        name: module.found.name.clone(),
        path: module.found.path.clone(),
        import_name: module.found.import_name(),
        arguments: serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()))?,
        environment: context.environment.iter().cloned().collect(),
        collections: if module.found.collections_folder.is_some() { search.collection_folders() } else { Vec::new() },
        module_utils: search.module_utils,
    };
    match bridge.run_python(&python, &request).await {
        Ok(output) => {
            let PythonOutput { rc, stdout, stderr, secrets, missing } = output;
            Ok(RawOutput { rc, stdout, stderr, secrets, missing })
        }
        Err(error) => Err(describe_bridge_error(&error, &python, context)),
    }
}

fn describe_bridge_error(error: &BridgeError, python: &Path, context: &TaskContext<'_>) -> Failure {
    let message = Diagnostic::error(error.to_string()).at(context.span, "");
    let install = format!("`{} -m pip install ansible-core`", python.display());
    Failure::from(match error {
        BridgeError::NoAnsible { .. } => message
            .hint(format!("install what Python modules need: {install}"))
            .hint("or name an interpreter that has it: set `ansible_python_interpreter`"),
        BridgeError::Start { .. } => {
            message.hint("set `ansible_python_interpreter` to a Python 3 that has `ansible-core`")
        }
        BridgeError::Ended { .. } => message,
    })
    .breaking_off()
}

/// `ansible_bash_interpreter` stands in for the `bash` of a first line, and so with others.
fn replace_interpreter(words: &[String], context: &TaskContext<'_>) -> Vec<String> {
    let mut words = words.to_vec();
    if let Some(first) = words.first_mut() {
        let name = first.rsplit('/').next().unwrap_or_default();
        if let Ok(Some(Value::Str(other))) = context.template.get_variable(&format!("ansible_{name}_interpreter")) {
            *first = other.as_str().to_owned();
        }
    }
    words
}

/// Runs a program with its arguments in a file. In check mode this happens only if the module says that it supports it.
async fn run_program(
    module: &ForeignModule,
    interpreter: Vec<String>,
    style: ArgumentStyle,
    arguments: &Dict,
    context: &TaskContext<'_>,
) -> Result<RawOutput, Failure> {
    let is_binary = interpreter.is_empty();
    if is_binary && !context.host.is_executable(module.path()) {
        let hint = format!("`chmod +x {}`", module.path().display());
        return Err(refuse(module, "is a program without permission to run", &hint, context));
    }
    let call = ProgramCall::prepare(module.path(), interpreter, style, arguments)
        .map_err(|error| Failure::new(format!("cannot write the arguments of the module: {error}")))?;
    let command = program::build_command(&call, context.environment);
    let is_asked = context.check && module.spec.check == CheckSupport::Full;
    let ran = if is_asked { context.host.run_query(&command).await } else { context.host.run_command(&command).await };
    match ran {
        Ok(output) => Ok(RawOutput {
            rc: output.rc,
            stdout: output.stdout_text(),
            stderr: output.stderr_text(),
            ..RawOutput::default()
        }),
        Err(RunError::Start(error)) => {
            let why = error.to_string();
            let why = why.split(" (os error").next().unwrap_or_default();
            let program = command.words.first().map_or("", String::as_str);
            Err(refuse(module, &format!("cannot be started: `{program}`: {why}"), "check its first line", context))
        }
        Err(error) => Err(Failure::new(format!("the module did not end: {error}"))),
    }
}
