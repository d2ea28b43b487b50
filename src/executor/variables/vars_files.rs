//! `vars_files` of a play.

use std::rc::Rc;

use super::fact_cache::GATHERED;
use super::scope::TaskScope;
use crate::diagnostic::Diagnostic;
use crate::executor::play::PlayRun;
use crate::executor::state::RunState;
use crate::playbook::{Keyword, LoadError, LoadResult};
use crate::template::{TemplateEngine, TemplateErrorKind};
use crate::value::{Dict, Value};
use crate::yaml::YamlNode;

/// Reads the `vars_files` of a play for a host. Ignores a missing file; if an entry is a list, reads the first existing
/// file.
///
/// # Errors
/// If a file is not a mapping of variables.
pub fn read(run: &Rc<RunState>, play: &Rc<PlayRun>, host: &Rc<str>) -> LoadResult<()> {
    read_as(run, play, host, Undefined::PassedOver)
}

/// Handling of an entry with an undefined variable.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undefined {
    /// The variable may become known later, so the entry is ignored, like a missing file.
    PassedOver,
    /// Everything is known by now.
    Refused,
}

fn read_as(run: &Rc<RunState>, play: &Rc<PlayRun>, host: &Rc<str>, undefined: Undefined) -> LoadResult<()> {
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
            let scope = TaskScope::new(run, Some(play), None, host).with_vars(Rc::new(vars.clone()));
            let name = match TemplateEngine::new(&run.globals, &scope, &[]).evaluate_value(&candidate) {
                Ok(name) => name,
                Err(fault) if undefined == Undefined::Refused && fault.kind == TemplateErrorKind::Undefined => {
                    let place = play.play.find_keyword(Keyword::VarsFiles).map(YamlNode::span);
                    return Err(Box::new(LoadError::from_general(Diagnostic::from(fault.or_at(place)))));
                }
                Err(_) => break,
            };
            let Value::Str(name) = name else {
                let message = format!("Invalid `vars_files` value of type '{}'", name.type_name());
                let message = match play.play.find_keyword(Keyword::VarsFiles) {
                    Some(node) => Diagnostic::error(message).at(node.span(), ""),
                    None => Diagnostic::error(message),
                };
                return Err(message
                    .hint("name a file, or a list of files, of which the first existing one is read")
                    .into());
            };
            let path =
                ["vars", ""].iter().map(|sub| play.play.folder.join(sub).join(name.as_str())).find(|p| p.is_file());
            let Some(path) = path else { continue };
            if let Some(node) = run.loader.read_yaml(&path)? {
                vars.add(&read_mapping(&node)?, run.options.merge_hashes);
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
/// If a file is not a mapping of variables, or, once the host has facts, an entry has a variable that is not known.
pub fn reread_vars_files(run: &Rc<RunState>, play: &Rc<PlayRun>, host: &Rc<str>) -> LoadResult<()> {
    match &play.play.vars_files {
        Some(written) if has_template(written) => {
            let has_facts = run.host_state(host).facts.borrow().contains(GATHERED);
            read_as(run, play, host, if has_facts { Undefined::Refused } else { Undefined::PassedOver })
        }
        _ => Ok(()),
    }
}

fn has_template(written: &Value) -> bool {
    match written {
        Value::Str(text) => text.is_template(),
        Value::List(items) => items.iter().any(has_template),
        _ => false,
    }
}

/// The variables of a file.
fn read_mapping(node: &YamlNode) -> LoadResult<Dict> {
    if node.is_null() {
        return Ok(Dict::new());
    }
    // A list of mappings is as good as one mapping; later ones win.
    if let Some(parts) = node.items().filter(|parts| parts.iter().all(|part| part.entries().is_some())) {
        let mut all = Dict::new();
        for part in parts {
            all.extend(&read_mapping(part)?);
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
