//! Tests of `community.general`: types, domain names, modules.

use crate::template::error::TemplateError;
use crate::template::filters::community_general::types::describe_type;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{flag_or, integer_or, require_arg, to_text};
use crate::value::{Value, python};

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("community.general.a_module", a_module, "Whether a module of this name is built in."),
    Test::new("community.general.ansible_type", ansible_type, "Whether the value has one of the given types."),
    Test::new("community.general.fqdn_valid", fqdn_valid, "Whether the value is a fully qualified domain name."),
];

fn ansible_type(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [dtype, alias] = call.args.bind(["dtype", "alias"])?;
    let wanted = match require_arg(dtype, "dtype")? {
        Value::Str(one) => vec![one.as_str().to_owned()],
        Value::List(items) => items.iter().map(to_text).collect::<Result<_, _>>()?,
        other => {
            let (shown, kind) = (python::str(&other), other.type_name());
            let message = format!("The argument dtype must be a string or a list. dtype {shown} is <class '{kind}'>.");
            return Err(TemplateError::value(message));
        }
    };
    Ok(wanted.contains(&describe_type(&call.input, alias.as_ref())?))
}

fn fqdn_valid(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [min_labels, allow_underscores] = call.args.bind(["min_labels", "allow_underscores"])?;
    let least = integer_or(min_labels.as_ref(), 1)?;
    let underscores = flag_or(allow_underscores.as_ref(), false);
    let name = to_text(&call.input)?;
    let name = name.strip_suffix('.').unwrap_or(&name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || (underscores && c == '_'))
    };
    let labels: Vec<&str> = name.split('.').collect();
    let count = i64::try_from(labels.len()).unwrap_or(i64::MAX);
    Ok(name.len() <= 253 && count >= least && labels.into_iter().all(is_label))
}

fn a_module(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    match &call.input {
        Value::Str(name) => Ok(call.context.has_module(name)),
        other => Err(TemplateError::value(format!("unsupported type <class '{}'>", other.type_name()))),
    }
}
