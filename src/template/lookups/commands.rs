//! What programs on this machine print.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use super::call::{lookup_error, require_text, warn_unknown_options};
use crate::input;
use crate::template::budget;
use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::plugin::{Lookup, PluginCall};
use crate::value::Value;

/// `lines pipe`
pub const TABLE: &[Lookup] = &[
    Lookup::new("lines", lines, "Returns the output lines of commands."),
    Lookup::new("pipe", pipe, "Returns the output of commands, without trailing white space."),
];

fn pipe(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    call.args.positional.iter().map(|term| Ok(Value::text(run_command(call, term)?.trim_end()))).collect()
}

fn lines(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    warn_unknown_options(call, &[]);
    let mut lines = Vec::new();
    for term in &call.args.positional {
        lines.extend(run_command(call, term)?.lines().map(Value::text));
    }
    Ok(lines)
}

/// Runs a command in the playbook's folder.
fn run_command(call: &PluginCall<'_>, term: &Value) -> Result<String, TemplateError> {
    let command = require_text(call, term)?;
    call.context.note_outside_call();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &command]).current_dir(call.context.base_dir()).stdin(Stdio::null()).stderr(Stdio::piped());
    let output =
        input::output_of(&mut shell, budget::LARGEST as u64, input::Ends::Group).map_err(|why| match why.kind() {
            ErrorKind::FileTooLarge => {
                let most = budget::LARGEST >> 20;
                let message = format!("the command `{command}` printed more than {most} MiB and was ended");
                TemplateError::new(TemplateErrorKind::Limit, message)
                    .hint("let it write a file, and read what you need of it")
            }
            _ => lookup_error(format!("the command `{command}` cannot be run: {why}")),
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let fault = lookup_error(format!("the command `{command}` ended with {}", output.status));
    Err(if said.is_empty() { fault } else { fault.hint(format!("it said: {said}")) })
}

#[cfg(test)]
mod tests {
    use crate::template::lookups::stage::Stage;

    #[test]
    fn commands() {
        let stage = Stage::default();
        assert_eq!(stage.run_to_json("pipe", r#"["echo a; echo b"]"#, "{}").unwrap(), r#"["a\nb"]"#);
        assert_eq!(stage.run_to_json("lines", r#"["echo a; echo b", "echo c"]"#, "{}").unwrap(), r#"["a", "b", "c"]"#);
        let problem = stage.run_to_json("pipe", r#"["echo no >&2; exit 3"]"#, "{}").unwrap_err();
        assert_eq!(problem.message, "the command `echo no >&2; exit 3` ended with exit status: 3");
        assert_eq!(problem.hints, ["it said: no"]);
    }
}
