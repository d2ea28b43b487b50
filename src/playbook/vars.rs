//! Variables as playbooks define them, and the names that they may have.

use std::rc::Rc;

use super::loader::Loader;
use super::{LoadError, LoadResult};
use crate::diagnostic::Diagnostic;
use crate::value::{Dict, Value, is_variable_name};
use crate::yaml::YamlNode;

impl Loader {
    /// The `vars` of a play, a block or a task, with a warning for names that are taken.
    ///
    /// # Errors
    /// As [`read_vars`].
    pub(super) fn read_vars(&self, node: Option<&YamlNode>, owner: &str) -> LoadResult<Option<Rc<Dict>>> {
        let vars = read_vars(node, owner)?;
        for entry in node.and_then(YamlNode::entries).unwrap_or_default() {
            let warning = entry.key.as_str().and_then(|name| super::reserved::reserved_warning(name, entry.key.span()));
            warning.into_iter().for_each(|warning| self.add_warning(warning));
        }
        Ok(vars)
    }
}

/// Reads a `vars` mapping and checks the names.
///
/// # Errors
/// If it is not a mapping (exit 4), or a name cannot be a variable's (exit 1).
pub fn read_vars(node: Option<&YamlNode>, owner: &str) -> LoadResult<Option<Rc<Dict>>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(None) };
    let Some(entries) = node.entries() else {
        return Err(Diagnostic::error(format!("`vars` of {owner} must be a mapping, not {}", node.description()))
            .at(node.span(), "")
            .hint("write `name: value` pairs without dashes")
            .into());
    };
    for entry in entries {
        check_variable_name(&entry.key)?;
    }
    match node.to_value() {
        Value::Dict(dict) => Ok(Some(Rc::new((*dict).clone()))),
        _ => Ok(None),
    }
}

/// Complains about a key that cannot be a variable's name.
///
/// # Errors
/// If it is not text, or not made of ASCII letters, digits and underscores.
pub fn check_variable_name(key: &YamlNode) -> LoadResult<()> {
    let message = match key.as_str() {
        Some(name) if is_variable_name(name) => return Ok(()),
        Some(name) => Diagnostic::error(format!("`{name}` cannot be the name of a variable"))
            .at(key.span(), "")
            .hint("use letters, digits and underscores, not beginning with a digit, and none of `true`, `false`, `none`, `not`"),
        None => Diagnostic::error(format!("the name of a variable must be text, not {}", key.description()))
            .at(key.span(), "")
            .hint(format!("quote it if it is a name: '{}'", key.span().text())),
    };
    Err(Box::new(LoadError::from_general(message)))
}
