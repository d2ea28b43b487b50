//! `script`: runs a script that stands with the playbook.

use std::path::Path;

use super::copy::{not_found, open_file};
use super::files::base_name;
use super::words;
use crate::host::{CommandOutput, HostApi, HostCommand, RealHost, RunError, WriteOptions};
use crate::modules::spec::{CheckSupport, FreeForm, HandsOn, Param};
use crate::modules::{Failure, ModuleArgs, ModuleFuture, ModuleOutcome, Spec, TaskContext, TaskModule};
use crate::template::python::text::split_lines;
use crate::value::Value;

static SPEC: Spec = Spec {
    mutually_exclusive: &[&["_raw_params", "cmd"]],
    required_one_of: &[&["_raw_params", "cmd"]],
    ..Spec::new("ansible.builtin.script", "Runs a local script on the host.")
        .examples(include_str!("examples/script.yml"))
        .bound_to_run()
        .hands_on(HandsOn::WhenRun)
        .params(&[&[
            Param::str("_raw_params", "The script and its arguments as free text.").hidden(),
            Param::str("cmd", "The script and its arguments."),
            Param::path("creates", "Do not run if this file exists."),
            Param::path("removes", "Run only if this file exists."),
            Param::str("chdir", "Working folder, as an absolute path."),
            Param::str("executable", "Interpreter of the script, with arguments."),
            Param::bool("decrypt", "Decrypt a vaulted script.").default("true"),
        ]])
        .free_form(FreeForm::Raw)
        .check(CheckSupport::Partial)
};

/// The module.
pub struct Script;

impl TaskModule for Script {
    fn module_spec(&self) -> &'static Spec {
        &SPEC
    }

    fn run_module<'a>(
        &'a self,
        args: &'a ModuleArgs,
        context: &'a TaskContext<'a>,
    ) -> ModuleFuture<'a, Result<ModuleOutcome, Failure>> {
        Box::pin(run_script(args, context))
    }
}

async fn run_script(args: &ModuleArgs, context: &TaskContext<'_>) -> Result<ModuleOutcome, Failure> {
    let path = |name: &str| args.str(name).filter(|path| !path.is_empty());
    for (name, met, is) in [("creates", true, "exists"), ("removes", false, "does not exist")] {
        if let Some(path) = path(name).filter(|path| context.host.exists(Path::new(path)) == met) {
            return Ok(skipped_outcome(format!("{path} {is}, matching {name} option")));
        }
    }
    let folder = path("chdir");
    if let Some(folder) = folder.filter(|folder| !folder.starts_with('/')) {
        let message = format!("chdir {folder} must be an absolute path for a Unix-aware remote node");
        return Err(Failure::new(message));
    }
    let line = path("_raw_params").or(args.str("cmd")).unwrap_or_default().trim();
    let words = words::split_words(line).map_err(|open| Failure::new(open.to_string()))?;
    let Some(name) = words.first() else { return Err(Failure::new("no script is named")) };
    let found = context.find_file("files", name).ok_or_else(|| not_found(context, "files", name))?;
    if context.check {
        // The content of the script decides what it does, so its digest counts.
        let _ = context.template.read(&found);
        return Ok(if path("creates").or(path("removes")).is_some() {
            ModuleOutcome { changed: true, ..ModuleOutcome::default() }
        } else {
            skipped_outcome("Check mode is not supported for this task.".to_owned())
        });
    }
    // A copy, since the script itself may be vaulted, and need not be executable.
    let content = open_file(context, &found, args.bool("decrypt"))?.content;
    let failed = |error: std::io::Error| Failure::new(format!("cannot prepare the script: {error}"));
    let place = tempfile::Builder::new().prefix("ionplay-").tempdir().map_err(failed)?;
    let copy = place.path().join(base_name(name));
    RealHost.write(&copy, &content, WriteOptions { bits: Some(0o700), unsafe_writes: false }).map_err(failed)?;
    let mut line = line.replace(name.as_str(), &copy.to_string_lossy());
    if let Some(executable) = path("executable") {
        line = format!("{executable} {line}");
    }
    if let Some(folder) = folder {
        line = format!("cd '{}' && {line}", folder.replace('\'', "'\\''"));
    }
    let mut command = HostCommand::for_shell("/bin/sh", &line);
    command.environment = context.environment.to_vec();
    output_outcome(context.host.run_command(&command).await)
}

fn skipped_outcome(message: String) -> ModuleOutcome {
    ModuleOutcome { skipped: true, ..ModuleOutcome::default() }.with("msg", message)
}

/// Turns the output of a script into an outcome, unchanged: nothing is cut off.
pub(super) fn output_outcome(ended: Result<CommandOutput, RunError>) -> Result<ModuleOutcome, Failure> {
    let output = ended.map_err(|error| match error {
        RunError::Start(error) => Failure::new(format!("cannot start the shell: {error}")),
        RunError::Timeout => Failure::new("the command took too long and was ended"),
        RunError::TooMuch => Failure::new("the output of the command exceeds the limit"),
        RunError::Foretold => Failure::new("nothing is run in a dry run"),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let lines = |text: &str| Value::list(split_lines(text).into_iter().map(Value::text));
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let outcome = ModuleOutcome { changed: true, ..ModuleOutcome::default() }
        .with("rc", output.rc)
        .with("stdout_lines", lines(&stdout))
        .with("stdout", stdout)
        .with("stderr_lines", lines(&stderr))
        .with("stderr", stderr);
    if output.rc == 0 {
        return Ok(outcome);
    }
    Err(Failure { data: outcome.data, changed: true, ..Failure::new("non-zero return code") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::builtin::files::testing::Folder;
    use crate::modules::builtin::testing::Bench;

    fn bench(folder: &Folder) -> Bench {
        folder.write("files/s.sh", "#!/bin/sh\necho \"$# $2 $X $(pwd)\"\n");
        folder.write("files/my script", "#!/bin/sh\nexit 4\n");
        let environment = vec![("X".to_owned(), "x".to_owned())];
        Bench { folder: folder.path().to_path_buf(), environment, ..Bench::new("") }
    }

    #[test]
    fn scripts_get_their_arguments() {
        let folder = Folder::new();
        let bench = bench(&folder);
        let given = "{_raw_params: 's.sh one \"two words\"', chdir: /}";
        assert_eq!(bench.gives(&Script, given, "stdout"), "2 two words x /\n".into());
        let failure = bench.run(&Script, "cmd: \"'my script' a\"").unwrap_err();
        assert_eq!((failure.message.as_str(), failure.data.get("rc")), ("non-zero return code", Some(&4.into())));
        let with_program = "{cmd: s.sh, executable: 'echo run'}";
        assert!(bench.gives(&Script, with_program, "stdout").as_str().unwrap().starts_with("run /"));
    }

    #[test]
    fn scripts_that_do_not_run() {
        let folder = Folder::new();
        let mut bench = bench(&folder);
        let outcome = bench.run(&Script, "{cmd: s.sh, creates: /}").unwrap();
        assert!(outcome.skipped && outcome.data.get("msg") == Some(&"/ exists, matching creates option".into()));
        assert_eq!(bench.fails(&Script, "cmd: s.sh 'x"), "No closing quotation");
        assert!(bench.fails(&Script, "{cmd: s.sh, chdir: rel}").contains("must be an absolute path"));
        assert!(bench.fails(&Script, "cmd: gone.sh").starts_with("Could not find or access 'gone.sh'"));
        bench.check = true;
        assert!(bench.run(&Script, "cmd: s.sh").unwrap().skipped);
        assert!(bench.run(&Script, "{cmd: s.sh, creates: /none}").unwrap().changed);
    }
}
