//! `raw`: a line for the shell, with nothing around it.

use super::script::output_outcome;
use crate::host::{HostCommand, RunError};
use crate::modules::spec::{FreeForm, HandsOn, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};

static SPEC: Spec = Spec::new("ansible.builtin.raw", "Runs a command in a shell, without module features.")
    .examples(include_str!("examples/raw.yml"))
    .hands_on(HandsOn::WhenRun)
    .params(&[&[
        Param::str("_raw_params", "The command as free text.").hidden(),
        Param::str("executable", "Path of the shell.").default("/bin/sh"),
    ]])
    .free_form(FreeForm::Raw);

/// The module.
pub struct Raw;

impl TaskModule for Raw {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_raw(args, context))
    }
}

async fn run_raw(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let Some(line) = args.str("_raw_params").filter(|line| !line.trim().is_empty()) else {
        return Err(Failure::new("no command given"));
    };
    if !context.environment.is_empty() {
        context.warn("raw module does not support the environment keyword");
    }
    let shell = args.str("executable").filter(|shell| !shell.is_empty()).unwrap_or("/bin/sh");
    match context.host.run_command(&HostCommand::for_shell(shell, line)).await {
        Err(RunError::Foretold) => Ok(ModuleOutcome { skipped: true, ..ModuleOutcome::default() }),
        ended => output_outcome(ended),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::testing::{Bench, yaml};
    use crate::value::Value;

    #[test]
    fn lines_run_in_a_shell() {
        let bench = Bench::new("");
        let outcome = bench.run(&Raw, "_raw_params: 'echo a; echo b >&2'").unwrap();
        let expected = yaml("{rc: 0, stdout: \"a\\n\", stdout_lines: [a], stderr: \"b\\n\", stderr_lines: [b]}");
        assert_eq!(Value::from(outcome.data), expected);
        assert!(outcome.changed);
        let failure = bench.run(&Raw, "_raw_params: exit 3").unwrap_err();
        assert_eq!((failure.message.as_str(), failure.changed), ("non-zero return code", true));
        assert_eq!(failure.data.get("rc"), Some(&3.into()));
        assert_eq!(bench.fails(&Raw, "executable: /bin/sh"), "no command given");
    }

    #[test]
    fn nothing_runs_in_a_dry_run() {
        let bench = Bench { check: true, ..Bench::new("") };
        assert!(bench.run(&Raw, "_raw_params: exit 3").unwrap().skipped);
    }
}
