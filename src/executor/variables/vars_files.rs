//! `vars_files` of a play.

use std::rc::Rc;

use super::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::executor::play::PlayRun;
use crate::executor::state::Run;
use crate::playbook::{Keyword, Loaded};
use crate::template::Engine;
use crate::value::{Dict, Value};
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
            // An entry with a variable that is not known yet is passed over, as a file that does not exist is.
            let Ok(name) = Engine::new(&run.globals, &scope, &[]).value(&candidate) else { break };
            let Value::Str(name) = name else {
                let message = format!("Invalid `vars_files` value of type '{}'", name.type_name());
                let message = match play.play.keyword(Keyword::VarsFiles) {
                    Some(node) => Diagnostic::error(message).at(node.span(), ""),
                    None => Diagnostic::error(message),
                };
                return Err(message
                    .hint("name a file, or a list of files of which the first that is there counts")
                    .into());
            };
            let path =
                ["vars", ""].iter().map(|sub| play.play.folder.join(sub).join(name.as_str())).find(|p| p.is_file());
            let Some(path) = path else { continue };
            if let Some(node) = run.loader.yaml(&path)? {
                vars.add(&mapping(&node)?, run.options.merge_hashes);
            }
            break;
        }
    }
    play.files.borrow_mut().insert(Rc::clone(host), Rc::new(vars));
    Ok(())
}

/// Reads them again for a host where their names depend on variables, which may have changed since.
///
/// # Errors
/// If a file is no mapping of variables.
pub fn renew(run: &Rc<Run>, play: &Rc<PlayRun>, host: &Rc<str>) -> Loaded<()> {
    match &play.play.vars_files {
        Some(written) if varies(written) => read(run, play, host),
        _ => Ok(()),
    }
}

fn varies(written: &Value) -> bool {
    match written {
        Value::Str(text) => text.is_template(),
        Value::List(items) => items.iter().any(varies),
        _ => false,
    }
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
    match node.to_value() {
        Value::Dict(dict) => Ok((*dict).clone()),
        _ => Err(Diagnostic::error(format!("a file of variables must hold a mapping, not {}", node.description()))
            .at(node.span(), "")
            .into()),
    }
}
