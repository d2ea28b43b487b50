//! Inventories that are programs: `--list` prints all groups, `--host NAME` the variables of one host.

use std::path::Path;
use std::process::{Command, Stdio};

use super::model::{Model, Origin};
use super::{read, tree};
use crate::diagnostic::Diagnostic;
use crate::input;
use crate::source::Source;
use crate::value::Value;

/// Runs a script and reads what it prints into the model; texts in it are templates as in any inventory.
///
/// # Errors
/// With one sentence, if it cannot be run or prints something else.
pub fn load_script(path: &Path, origin: &Origin, model: &mut Model) -> Result<(), Diagnostic> {
    let list = run_script(path, &["--list"])?;
    if let Some(vars) = tree::read_list(&list, origin, model)? {
        for (host, vars) in vars.iter() {
            set_vars(model, &crate::value::python::str(host), vars)?;
        }
        return Ok(());
    }
    let own = |host: &super::model::HostEntry| host.source.as_ref().is_some_and(|source| source.file == origin.file);
    let hosts: Vec<_> = model.hosts.iter().filter(|(_, host)| own(host)).map(|(name, _)| name.clone()).collect();
    for host in hosts {
        let vars = run_script(path, &["--host", &host])?;
        set_vars(model, &host, &vars)?;
    }
    Ok(())
}

fn set_vars(model: &mut Model, host: &str, vars: &Value) -> Result<(), Diagnostic> {
    let vars = vars.as_dict().ok_or_else(|| format!("the variables of the host `{host}` must be an object"))?;
    model.set_host_vars(host, vars);
    Ok(())
}

fn run_script(path: &Path, arguments: &[&str]) -> Result<Value, Diagnostic> {
    // A name without a folder would be looked for in PATH.
    let program = std::path::absolute(path).map_err(|why| why.to_string())?;
    let mut command = Command::new(program);
    command.args(arguments).stderr(Stdio::piped());
    let output = input::output_of(&mut command, input::LARGEST_OUTPUT, input::Ends::Program)
        .map_err(|why| format!("cannot run it: {why}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Diagnostic::error(format!(
            "`{}` ended with {}: {}",
            arguments.join(" "),
            output.status,
            said.trim()
        )));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| "it printed other than UTF-8".to_owned())?;
    if text.trim().is_empty() {
        return Ok(Value::from(crate::value::Dict::new()));
    }
    let source = Source::new(path.display().to_string(), text);
    let value = crate::value::json::from_str(source.text()).map_err(|why| format!("it printed no JSON: {why}"))?;
    Ok(read::mark_trusted(&value, &source.span(0..source.text().len())))
}
