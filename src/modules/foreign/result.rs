//! The outcome of a foreign module, from what it has written.

use super::ForeignModule;
use crate::bridge::output::find_result;
use crate::diagnostic::Diagnostic;
use crate::modules::outcome::{Diff, Later, ModuleEffect};
use crate::modules::{Failure, ModuleOutcome, TaskContext};
use crate::value::{Dict, Value, python};

/// Output of a module.
#[derive(Debug, Default)]
pub struct RawOutput {
    /// The exit status.
    pub rc: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Values of parameters that the module must not log.
    pub secrets: Vec<String>,
    /// Packages of Python that the module imports and that are not installed.
    pub missing: Vec<String>,
}

/// Part of the message of a module that is asked for a dry run and does not support it.
const NO_CHECK_MODE: &str = "does not support check mode";

/// How hints name what to do for a package that is missing.
const INSTALL: &str = "install it for the interpreter that runs the module";

/// `-v`s from which on the traceback of a module is shown.
const SHOWS_TRACEBACK: u8 = 3;

/// Makes the outcome of a module from its output.
///
/// # Errors
/// If the module has failed, or there is no result in what it has written.
pub fn build_outcome(
    module: &ForeignModule,
    output: RawOutput,
    context: &TaskContext<'_>,
) -> Result<ModuleOutcome, Failure> {
    let secrets: Vec<ModuleEffect> = output.secrets.iter().cloned().map(ModuleEffect::Secret).collect();
    let Some(result) = find_result(&output.stdout) else {
        return Err(Failure { effects: secrets, ..describe_missing_result(&output, context) });
    };
    if let Some(junk) = &result.junk {
        context.warn(format!("Module invocation had junk after the JSON data: {junk}"));
    }
    let mut data = result.data;
    let mut flag = |name: &str| data.remove(name).is_some_and(|value| value.is_true());
    let (changed, failed, skipped) = (flag("changed"), flag("failed"), flag("skipped"));
    let failed = failed || data.get("rc").is_some_and(|rc| !matches!(python::str(rc).as_str(), "0" | "None"));
    if let Some(Value::List(warnings)) = data.remove("warnings") {
        warnings.iter().for_each(|warning| context.warn(message_of(warning)));
    }
    if let Some(Value::List(entries)) = data.remove("deprecations") {
        data.set("deprecations", Value::list(entries.iter().map(plain_deprecation)));
    }
    data.retain(|key, _| key.as_str().is_none_or(|key| !key.starts_with("_ansible_")));
    let diff = data.remove("diff").map(|diff| read_diffs(&diff)).unwrap_or_default();
    if failed {
        return Err(Failure { effects: secrets, ..build_failure(module, data, changed, context) });
    }
    let mut effects = secrets;
    if let Some(Value::Dict(facts)) = data.get("ansible_facts") {
        effects.push(ModuleEffect::Facts((**facts).clone()));
    }
    let said = data.get("msg").and_then(Value::as_str).unwrap_or_default();
    let later =
        if context.check && skipped && said.contains(NO_CHECK_MODE) { Later::Everything } else { Later::Nothing };
    Ok(ModuleOutcome { changed, skipped, data, diff, effects, later, ..ModuleOutcome::default() })
}

/// The sentence of a warning: it is text, or the mapping that ansible-core makes of it.
fn message_of(warning: &Value) -> String {
    let event = warning.get("event").unwrap_or(warning);
    event.get("msg").map_or_else(|| python::str(event), python::str)
}

/// A deprecation as results have it: what, and when it ends.
fn plain_deprecation(entry: &Value) -> Value {
    let mut plain = Dict::new();
    plain.set("msg", message_of(entry).into());
    for name in ["version", "date", "collection_name"] {
        if let Some(value) = entry.get(name).filter(|value| !value.is_null()) {
            plain.set(name, value.clone());
        }
    }
    plain.into()
}

fn build_failure(module: &ForeignModule, mut data: Dict, changed: bool, context: &TaskContext<'_>) -> Failure {
    let message = data.remove("msg").map(|message| python::str(&message)).unwrap_or_default();
    let mut failure = Failure { changed, ..Failure::new(message.clone()) };
    if let Some(package) = missing_package(&message) {
        let hint = format!("{INSTALL}: `pip install {package}`");
        let drawn = Diagnostic::error(format!("`{}` failed: {message}", module.told_name())).at(context.span, "");
        failure = failure.with_diagnostic(drawn.hint(hint));
    }
    if context.verbosity < SHOWS_TRACEBACK {
        data.remove("exception");
    }
    failure.data = data;
    failure
}

/// The package that a module misses, by the sentences of Python and of Ansible.
fn missing_package(message: &str) -> Option<&str> {
    let rest = ["No module named '", "Failed to import the required Python library ("]
        .iter()
        .find_map(|start| message.split_once(start))?
        .1;
    let name = rest.split(['\'', ')', '.']).next()?;
    (!name.is_empty() && !name.contains(char::is_whitespace)).then_some(name)
}

/// A module that has written no result: an error that it did not handle, or no module at all.
fn describe_missing_result(output: &RawOutput, context: &TaskContext<'_>) -> Failure {
    let traceback = output.stderr.contains("Traceback (most recent call last)");
    let last = output.stderr.lines().rev().find(|line| !line.trim().is_empty()).filter(|_| traceback);
    let Some(last) = last else {
        let message = "Module result deserialization failed: No start of json char found";
        return Failure::new(message)
            .with("module_stdout", output.stdout.as_str())
            .with("module_stderr", output.stderr.as_str())
            .with("rc", output.rc);
    };
    let why = last.split_once(": ").map_or(last, |(_, why)| why);
    let mut failure = Failure::new(format!("Task failed: Module failed: {why}"));
    if context.verbosity >= SHOWS_TRACEBACK {
        failure = failure.with("exception", output.stderr.as_str());
    }
    let drawn = Diagnostic::error(format!("the module ended with an error of its own: {last}")).at(context.span, "");
    if let Some(package) = missing_package(why) {
        return failure.with_diagnostic(drawn.hint(format!("{INSTALL}: `pip install {package}`")));
    }
    // Many modules pass over a package that is not there, and fail where they use it.
    let hint = match output.missing.as_slice() {
        [] => "`-vvv` shows the traceback".to_owned(),
        missing => format!("it imports what is not installed; {INSTALL}: `pip install {}`", missing.join(" ")),
    };
    failure.with_diagnostic(drawn.hint(hint))
}

/// Differences as modules give them: one mapping, or a list.
fn read_diffs(value: &Value) -> Vec<Diff> {
    let (items, listed) = match value {
        Value::List(items) => (items.to_vec(), true),
        other => (vec![other.clone()], false),
    };
    let text = |item: &Value, key: &str| item.get(key).map(python::str);
    let side = |item: &Value, key: &str| item.get(key).filter(|value| !value.is_null()).cloned();
    items
        .iter()
        .filter(|item| item.as_dict().is_some_and(|item| !item.is_empty()))
        .map(|item| Diff {
            before_header: text(item, "before_header").unwrap_or_default(),
            after_header: text(item, "after_header").unwrap_or_default(),
            before: side(item, "before"),
            after: side(item, "after"),
            unshown: Vec::new(),
            prepared: text(item, "prepared"),
            listed,
        })
        .collect()
}
