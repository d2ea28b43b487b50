//! `command` and `shell`: programs and shell lines.

use std::path::PathBuf;

use super::words;
use crate::diagnostic::Diagnostic;
use crate::host::{CommandOutput, HostApi, HostCommand as Run, RunError};
use crate::input::describe_io_error;
use crate::modules::args::{expand_home, expand_variables};
use crate::modules::glob;
use crate::modules::spec::{CheckSupport, FreeForm, HandsOn, Param, ParamKind};
use crate::modules::{Failure, Later, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::filters::text::shell_quoted;
use crate::value::{Dict, Value};

const PARAMS: &[Param] = &[
    Param::str("_raw_params", "The command as free text.").hidden(),
    Param::bool("_uses_shell", "Whether a shell runs the command.").default("false").hidden(),
    Param::str("cmd", "The command."),
    Param::list("argv", &ParamKind::Str, "The command as a list of arguments."),
    Param::path("chdir", "Working folder."),
    Param::str("executable", "Path of the shell."),
    Param::bool("expand_argument_vars", "Expand environment variables in the arguments.").default("true"),
    Param::path("creates", "Do not run if a file matches this pattern."),
    Param::path("removes", "Run only if a file matches this pattern."),
    Param::str("stdin", "Standard input of the command."),
    Param::bool("stdin_add_newline", "Append a line break to `stdin`.").default("true"),
    Param::bool("strip_empty_ends", "Strip line breaks from the end of the output.").default("true"),
];

const fn command_spec(name: &'static str, about: &'static str) -> Spec {
    Spec {
        mutually_exclusive: &[&["_raw_params", "cmd", "argv"]],
        required_one_of: &[&["_raw_params", "cmd", "argv"]],
        ..Spec::new(name, about)
            .hands_on(HandsOn::WhenRun)
            .params(&[PARAMS])
            .free_form(FreeForm::Raw)
            .check(CheckSupport::Partial)
    }
}

static COMMAND: Spec =
    command_spec("ansible.builtin.command", "Runs a program.").examples(include_str!("examples/command.yml"));
static SHELL: Spec =
    command_spec("ansible.builtin.shell", "Runs a command in a shell.").examples(include_str!("examples/shell.yml"));

/// The module that runs a program.
pub struct CommandModule;

/// The module that runs a line in a shell.
pub struct Shell;

impl TaskModule for CommandModule {
    fn module_spec(&self) -> &'static Spec {
        &COMMAND
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        let interpreter = if args.bool("_uses_shell") { Interpreter::Shell } else { Interpreter::None };
        Box::pin(run_command(args, context, interpreter))
    }
}

impl TaskModule for Shell {
    fn module_spec(&self) -> &'static Spec {
        &SHELL
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(async move {
            // A shell replaces them itself.
            if context.raw_arg("expand_argument_vars").is_some() {
                return Err(Failure::new("Unsupported parameters for (shell) module: expand_argument_vars"));
            }
            run_command(args, context, Interpreter::Shell).await
        })
    }
}

/// The status of a command that is none.
const NOTHING_TO_RUN: i32 = 257;

/// How the words of a command reach the system.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interpreter {
    /// A shell takes the line.
    Shell,
    /// No program but the command itself.
    None,
}

async fn run_command(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    interpreter: Interpreter,
) -> Result<ModuleOutcome, Failure> {
    let mut result = CommandResult::new();
    let mut command = Run { words: read_words(args, context, interpreter, &mut result)?, ..Run::default() };
    if command.words.is_empty() {
        result.cmd = if args.get("argv").is_some() { Value::text("") } else { Value::Null };
        return Err(result.take_failure("No command given", Some(NOTHING_TO_RUN)));
    }
    command.folder = args.str("chdir").map(PathBuf::from);
    if command.folder.as_deref().is_some_and(|folder| !context.host.is_dir(folder)) {
        return Err(result.take_failure("Unable to change directory before execution.", None));
    }
    if let Some((pattern, is)) = reason_not_to_run(args, context.host, command.folder.as_deref()) {
        let did = if context.check { "Would" } else { "Did" };
        result.message = format!("{did} not run command since '{pattern}' {is}");
        result.stdout = format!("skipped, since {pattern} {is}");
        return Ok(ModuleOutcome::new(false, result.result_data(Some(0))));
    }
    command.environment = context.environment.to_vec();
    command.stdin = args.get("stdin").map(|text| {
        let newline = if args.bool("stdin_add_newline") { "\n" } else { "" };
        format!("{}{newline}", crate::value::python::str(text)).into_bytes()
    });
    let start = jiff::Zoned::now();
    match context.host.run_command(&command).await {
        Ok(output) => {
            result.times = Some((start, jiff::Zoned::now()));
            finish_command(args, result, &output)
        }
        Err(RunError::Foretold) => Ok(predict_command(args, result)),
        Err(RunError::Start(error)) => Err(explain_failed_start(&command, context, result, &error)),
        Err(RunError::Timeout) => Err(result.take_failure("the command took too long and was ended", None)),
        Err(RunError::TooMuch) => Err(result.take_failure("the output of the command exceeds the limit", None)),
    }
}

/// The words of the command, from the line or from `argv`; the result gets them as they are shown.
fn read_words(
    args: &ModuleArgs,
    context: &TaskContext<'_>,
    interpreter: Interpreter,
    result: &mut CommandResult,
) -> Result<Vec<String>, Failure> {
    let shell = interpreter == Interpreter::Shell;
    if let Some(executable) = args.str("executable").filter(|_| !shell) {
        context.warn(format!(
            "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using \
             '{executable}'."
        ));
    }
    let for_shell = |line: &str| Run::for_shell(args.str("executable").unwrap_or("/bin/sh"), line).words;
    let line = args.str("_raw_params").filter(|text| !text.is_empty()).or_else(|| args.str("cmd"));
    let mut command_words = match line.filter(|line| !line.is_empty()) {
        Some(line) if shell => {
            result.cmd = line.into();
            for_shell(line)
        }
        Some(line) => {
            let split = words::split_words(line).map_err(|open| {
                Failure::new(open.to_string())
                    .with_diagnostic(Diagnostic::error(format!("{open}: `{line}`")).at(context.span, ""))
            })?;
            result.cmd = Value::list(split.iter().map(|word| Value::text(word.as_str())));
            split
        }
        None => {
            let argv = args.get("argv").and_then(Value::as_slice).unwrap_or_default();
            let given: Vec<String> = argv.iter().map(crate::value::python::str).collect();
            result.cmd = Value::list(argv.iter().cloned());
            if shell && !given.is_empty() { for_shell(&given.join(" ")) } else { given }
        }
    };
    if !shell && args.bool("expand_argument_vars") {
        let variable = |name: &str| {
            let own = context.environment.iter().rev().find(|(known, _)| known == name);
            own.map(|(_, value)| value.clone()).or_else(|| std::env::var(name).ok())
        };
        command_words = command_words.iter().map(|word| expand_home(&expand_variables(word, variable))).collect();
    }
    Ok(command_words)
}

/// The pattern of `creates` or `removes` because of which nothing runs, and what is the matter with it.
fn reason_not_to_run<'a>(
    args: &'a ModuleArgs,
    host: &dyn HostApi,
    folder: Option<&std::path::Path>,
) -> Option<(&'a str, &'static str)> {
    [("creates", true, "exists"), ("removes", false, "does not exist")].into_iter().find_map(|(name, met, is)| {
        let pattern = args.str(name).filter(|pattern| !pattern.is_empty())?;
        (has_match(host, pattern, folder) == met).then_some((pattern, is))
    })
}

/// The result of a command that has ended.
fn finish_command(
    args: &ModuleArgs,
    mut result: CommandResult,
    output: &CommandOutput,
) -> Result<ModuleOutcome, Failure> {
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if args.bool("strip_empty_ends") { text.trim_end_matches(['\r', '\n']).to_owned() } else { text.into_owned() }
    };
    (result.stdout, result.stderr) = (text(&output.stdout), text(&output.stderr));
    if output.rc == 0 {
        return Ok(ModuleOutcome::new(true, result.result_data(Some(0))));
    }
    Err(Failure { changed: true, ..result.take_failure("non-zero return code", Some(output.rc)) })
}

/// The result of a command that a dry run does not start.
fn predict_command(args: &ModuleArgs, mut result: CommandResult) -> ModuleOutcome {
    result.message = "Command would have run if not in check mode".to_owned();
    let skipped = args.get("creates").is_none() && args.get("removes").is_none();
    let later = Later::Keys(&["rc", "stdout", "stdout_lines", "stderr", "stderr_lines"]);
    ModuleOutcome { skipped, later, ..ModuleOutcome::new(!skipped, result.result_data(Some(0))) }
}

fn explain_failed_start(
    command: &Run,
    context: &TaskContext<'_>,
    mut result: CommandResult,
    error: &std::io::Error,
) -> Failure {
    let words: Vec<String> = command.words.iter().map(|word| shell_quoted(word)).collect();
    result.cmd = words.join(" ").into();
    let rc = error.raw_os_error().unwrap_or(2);
    let why = describe_io_error(error);
    let program = command.words.first().map_or("", String::as_str);
    let drawn = Diagnostic::error(format!("cannot run `{program}`: {why}")).at(context.span, "");
    let mut failure = result.take_failure("Error executing command.", Some(rc)).with_diagnostic(drawn);
    for name in ["start", "end", "delta"] {
        failure.data.remove(name);
    }
    failure
}

/// Whether a file matches the pattern, which is seen from the folder of the command.
fn has_match(host: &dyn HostApi, pattern: &str, folder: Option<&std::path::Path>) -> bool {
    let path = folder.map_or_else(|| PathBuf::from(pattern), |folder| folder.join(pattern));
    !glob::expand_glob(host, &path.to_string_lossy()).is_empty()
}

struct CommandResult {
    cmd: Value,
    stdout: String,
    stderr: String,
    message: String,
    times: Option<(jiff::Zoned, jiff::Zoned)>,
}

impl CommandResult {
    fn new() -> Self {
        Self { cmd: Value::Null, stdout: String::new(), stderr: String::new(), message: String::new(), times: None }
    }

    fn result_data(self, rc: Option<i32>) -> Dict {
        let shown = |time: &jiff::Zoned| Value::text(time.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string());
        let (start, end, delta) = match &self.times {
            Some((start, end)) => {
                let took = end.timestamp().as_microsecond() - start.timestamp().as_microsecond();
                (shown(start), shown(end), Value::text(crate::value::Time::from_micros(took).to_text()))
            }
            None => (Value::Null, Value::Null, Value::Null),
        };
        let lines =
            |text: &str| Value::list(crate::template::python::text::split_lines(text).into_iter().map(Value::text));
        let mut data = Dict::new();
        data.set("stdout_lines", lines(&self.stdout));
        data.set("stderr_lines", lines(&self.stderr));
        data.set("stdout", self.stdout.into());
        data.set("stderr", self.stderr.into());
        data.set("rc", rc.into());
        data.set("cmd", self.cmd);
        data.set("start", start);
        data.set("end", end);
        data.set("delta", delta);
        data.set("msg", self.message.into());
        data
    }

    fn take_failure(&mut self, message: &str, rc: Option<i32>) -> Failure {
        let mut said = std::mem::replace(self, Self::new());
        said.message = message.to_owned();
        Failure { data: said.result_data(rc), ..Failure::new(message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};

    fn keys(data: &Dict) -> String {
        let mut keys: Vec<_> = data.keys().map(crate::value::python::str).collect();
        keys.sort();
        keys.join(" ")
    }

    #[test]
    fn programs_run_and_say_something() {
        let bench = Bench { environment: vec![("X".into(), "y".into())], ..Bench::new("") };
        let outcome = bench.run(&CommandModule, r#"_raw_params: printf '%s\n\n' $X "a b""#).unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.data.get("cmd"), Some(&yaml(r"[printf, '%s\n\n', $X, a b]")));
        let outcome = bench.run(&Shell, "_raw_params: 'echo $X; echo e >&2'").unwrap();
        assert_eq!(outcome.data.get("stdout_lines"), Some(&yaml("[y]")));
        assert_eq!(outcome.data.get("stderr"), Some(&"e".into()));
        assert_eq!(keys(&outcome.data), "cmd delta end msg rc start stderr stderr_lines stdout stdout_lines");
        let failure = bench.run(&Shell, "cmd: exit 3").unwrap_err();
        assert_eq!((failure.message.as_str(), failure.changed), ("non-zero return code", true));
        let kept = bench.gives(&CommandModule, "{argv: [cat], stdin: x, strip_empty_ends: false}", "stdout");
        assert_eq!(kept.as_str(), Some("x\n"));
    }

    #[test]
    fn commands_that_cannot_run() {
        let bench = Bench::new("");
        let failure = bench.run(&CommandModule, "_raw_params: no-such-program x").unwrap_err();
        assert_eq!(failure.message, "Error executing command.");
        assert_eq!(keys(&failure.data), "cmd msg rc stderr stderr_lines stdout stdout_lines");
        assert_eq!(failure.data.get("cmd"), Some(&"no-such-program x".into()));
        assert_eq!(failure.data.get("rc"), Some(&2.into()));
        assert_eq!(bench.fails(&CommandModule, "cmd: \"echo 'x\""), "No closing quotation");
        assert_eq!(bench.fails(&CommandModule, "cmd: ''"), "No command given");
        let nowhere = bench.fails(&CommandModule, "{cmd: ls, chdir: /none}");
        assert_eq!(nowhere, "Unable to change directory before execution.");
        let nothing = bench.fails(&CommandModule, "chdir: /");
        assert_eq!(nothing, "one of the following is required: _raw_params, cmd, argv");
    }

    #[test]
    fn files_decide_whether_commands_run() {
        let mut bench = Bench::new("");
        let outcome = bench.run(&CommandModule, "{cmd: 'false', creates: /t*p}").unwrap();
        assert!(!outcome.changed && !outcome.skipped);
        assert_eq!(outcome.data.get("msg"), Some(&"Did not run command since '/t*p' exists".into()));
        bench.check = true;
        assert!(bench.run(&CommandModule, "cmd: 'false'").unwrap().skipped);
        let outcome = bench.run(&CommandModule, "{cmd: 'false', creates: /none}").unwrap();
        assert!(outcome.changed && !outcome.skipped);
    }
}
