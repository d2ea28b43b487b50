//! Names of types, one level deep.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::require_all_defined;
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[FilterPlugin::new(
    "community.general.reveal_ansible_type",
    reveal_ansible_type,
    "Returns the type of a value and of its members.",
)];

fn reveal_ansible_type(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [alias] = call.args.bind(["alias"])?;
    Ok(Value::text(describe_type(&call.input, alias.as_ref())?))
}

/// Returns the name of a value's type with those of its members, as in `list[int|str]`; text that the user wrote is
/// `_AnsibleTaggedStr`. `alias` gives names other names.
///
/// # Errors
/// If something is undefined, or `alias` is not a mapping.
pub fn describe_type(value: &Value, alias: Option<&Value>) -> Result<String, TemplateError> {
    let alias = match alias {
        None | Some(Value::Null) => Dict::new(),
        Some(Value::Dict(alias)) => (**alias).clone(),
        Some(other) => {
            let (shown, kind) = (python::str(other), other.type_name());
            return Err(TemplateError::value(format!("The argument alias must be a dictionary. {shown} is {kind}")));
        }
    };
    let name = |value: &Value| {
        let name = match value {
            Value::Str(text) if text.is_trusted() => "_AnsibleTaggedStr",
            other => other.type_name(),
        };
        alias.get(name).map_or_else(|| name.to_owned(), python::str)
    };
    let join = |values: Vec<&Value>| {
        let mut names: Vec<String> = values.into_iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        names.join("|")
    };
    Ok(match require_all_defined(value)? {
        Value::List(items) if !items.is_empty() => format!("{}[{}]", name(value), join(items.iter().collect())),
        Value::Dict(dict) if !dict.is_empty() => {
            format!("{}[{}, {}]", name(value), join(dict.keys().collect()), join(dict.values().collect()))
        }
        other => name(other),
    })
}
