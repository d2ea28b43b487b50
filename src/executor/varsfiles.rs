//! `vars_files` and `vars_prompt` of a play.

use std::io::IsTerminal;
use std::rc::Rc;

use super::play::PlayRun;
use super::scope::TaskScope;
use super::state::Run;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Loaded, Problem};
use crate::report::Event;
use crate::template::Engine;
use crate::value::{Dict, Text, Value, python};
use crate::yaml::Node;

/// Reads the `vars_files` of a play for a host. A file that is not there is passed over; of an entry that is a list the
/// first that exists counts.
///
/// # Errors
/// If a file is no mapping of variables.
pub fn read(run: &Rc<Run>, play: &Rc<PlayRun>, host: &Rc<str>) -> Loaded<()> {
    let Some(written) = &play.play.vars_files else { return Ok(()) };
    let entries = match written {
        Value::List(items) => items.to_vec(),
        Value::Null => return Ok(()),
        one => vec![one.clone()],
    };
    let mut vars = Dict::new();
    for entry in entries {
        let candidates = match &entry {
            Value::List(items) => items.to_vec(),
            one => vec![one.clone()],
        };
        for candidate in candidates {
            let scope = TaskScope::new(run, Some(play), None, host).with(Rc::new(vars.clone()));
            // A name with a variable that is not known yet is passed over, as a file that does not exist is.
            let Ok(name) = Engine::new(&run.globals, &scope, &[]).value(&candidate) else { continue };
            let name = python::str(&name);
            let path = ["vars", ""].iter().map(|sub| play.play.folder.join(sub).join(&name)).find(|p| p.is_file());
            let Some(path) = path else { continue };
            if let Some(node) = run.loader.yaml(&path)? {
                vars.extend(&mapping(&node)?);
            }
            break;
        }
    }
    play.files.borrow_mut().insert(Rc::clone(host), Rc::new(vars));
    Ok(())
}

/// The variables of a file.
fn mapping(node: &Node) -> Loaded<Dict> {
    if node.is_null() {
        return Ok(Dict::new());
    }
    // A list of mappings is as good as one mapping; later ones win.
    if let Some(parts) = node.items().filter(|parts| parts.iter().all(|part| part.entries().is_some())) {
        let mut all = Dict::new();
        for part in parts {
            all.extend(&mapping(part)?);
        }
        return Ok(all);
    }
    for entry in node.entries().unwrap_or_default() {
        crate::playbook::block::check_variable_name(&entry.key)?;
    }
    match node.to_value() {
        Value::Dict(dict) => Ok((*dict).clone()),
        _ => Err(Diagnostic::error(format!("a file of variables must hold a mapping, not {}", node.description()))
            .at(node.span(), "")
            .into()),
    }
}

/// Asks for the variables of `vars_prompt`. What `-e` gives is not asked for; without a terminal the default counts.
///
/// # Errors
/// If an entry has no name, or two answers differ where confirmation is wanted.
pub fn prompt(run: &Rc<Run>, prompts: &Node) -> Loaded<Dict> {
    let mut answers = Dict::new();
    for node in prompts.items().unwrap_or(std::slice::from_ref(prompts)) {
        let text = |key: &str| node.get(key).map(|n| python::str(&n.to_value()));
        let flag = |key: &str, default: bool| {
            node.get(key).and_then(|n| super::keywords::boolean(&n.to_value())).unwrap_or(default)
        };
        let Some(name) = text("name") else {
            return Err(Diagnostic::error("an entry of `vars_prompt` needs a `name`").at(node.span(), "").into());
        };
        if run.extra_vars.contains(&name) {
            continue;
        }
        let default = node.get("default").filter(|n| !n.is_null()).map(Node::to_value);
        let question = text("prompt").unwrap_or_else(|| name.clone());
        let answer = if std::io::stdin().is_terminal() {
            ask(&question, default.as_ref(), flag("private", true), flag("confirm", false))
                .map_err(|error| Box::new(Problem::general(Diagnostic::error(error.to_string()).at(node.span(), ""))))?
                .map(Value::from)
        } else {
            run.bus.emit(&Event::Notice(Diagnostic::warning("Not prompting as we are not in interactive mode")));
            None
        };
        // The original stores the word where nobody can be asked.
        let answer = answer.or(default).unwrap_or_else(|| Value::text("None"));
        let answer = match answer {
            Value::Str(answer) if flag("unsafe", false) => Value::Str(answer.into_data()),
            Value::Str(answer) if answer.origin().is_none() => {
                Value::Str(Text::written(answer.shared(), node.span().clone()))
            }
            other => other,
        };
        answers.set(name, answer);
    }
    Ok(answers)
}

fn ask(question: &str, default: Option<&Value>, private: bool, confirm: bool) -> std::io::Result<Option<String>> {
    let terminal = console::Term::stderr();
    let shown = default.map(|d| format!(" [{}]", python::str(d))).unwrap_or_default();
    loop {
        let once = |label: &str| -> std::io::Result<String> {
            terminal.write_str(&format!("{label}{shown}: "))?;
            if private { terminal.read_secure_line() } else { terminal.read_line() }
        };
        let answer = once(question)?;
        if confirm && once(&format!("confirm {question}"))? != answer {
            terminal.write_line("***** VALUES ENTERED DO NOT MATCH ****")?;
            continue;
        }
        return Ok((!answer.is_empty()).then_some(answer));
    }
}
