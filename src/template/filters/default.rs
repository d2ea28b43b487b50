//! What may be missing: `default`, `mandatory`; and `ternary`, `type_debug`.

use crate::template::error::TemplateError;
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{flag_or, list_members, optional_text, require_arg, require_defined};
use crate::value::{UndefinedCause, Value};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("d", default, "Returns a default value if the input is undefined.").undefined().unknown(),
    FilterPlugin::new("default", default, "Returns a default value if the input is undefined.").undefined().unknown(),
    FilterPlugin::new("mandatory", mandatory, "Fails if the input is undefined.").undefined().unknown(),
    FilterPlugin::new("ansible._protomatter.finalize", finalize, "Returns the input as plain data, as a task gets it."),
    FilterPlugin::new("ansible._protomatter.origin", origin, "Returns where the input comes from, or null."),
    FilterPlugin::new("ternary", ternary, "Returns one value if the input is true, another if it is false.")
        .undefined()
        .unknown()
        .sets_taint(),
    FilterPlugin::new("type_debug", type_debug, "Returns the name of the Python type of the input.")
        .undefined()
        .sets_taint(),
];

fn default(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [default, boolean] = call.args.bind(["default_value", "boolean"])?;
    let missing = call.input.is_undefined() || (flag_or(boolean.as_ref(), false) && !call.input.is_true());
    Ok(if missing { default.unwrap_or_else(|| Value::text("")) } else { call.input.clone() })
}

fn mandatory(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [message] = call.args.bind(["msg"])?;
    let Value::Undefined(why) = &call.input else { return Ok(call.input.clone()) };
    let message = optional_text(message.as_ref())?.unwrap_or_else(|| {
        let name = match why.cause.as_deref() {
            Some(UndefinedCause::Variable(name)) => format!("'{name}' "),
            _ => String::new(),
        };
        format!("Mandatory variable {name}not defined.")
    });
    Err(TemplateError::value(message).or_at(why.span.as_ref()))
}

fn finalize(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    to_plain_lists(call, &call.input)
}

fn origin(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = &call.input else { return Ok(Value::Null) };
    Ok(text.describe_origin().map_or(Value::Null, Value::text))
}

/// Tuples, sets and views as lists, at any depth.
fn to_plain_lists(call: &PluginCall<'_>, value: &Value) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Object(_) => {
            let members = list_members(call, value)?;
            Value::list(members.iter().map(|member| to_plain_lists(call, member)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Dict(dict) => {
            let entries = dict.iter().map(|(key, member)| Ok((key.clone(), to_plain_lists(call, member)?)));
            Value::from(entries.collect::<Result<crate::value::Dict, TemplateError>>()?)
        }
        other => require_defined(other)?.clone(),
    })
}

fn ternary(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [yes, no, null] = call.args.bind(["true_val", "false_val", "none_val"])?;
    let (yes, no) = (require_arg(yes, "true_val")?, require_arg(no, "false_val")?);
    if call.input.is_unknown() {
        return Ok(call.input.new_computed());
    }
    // The value that is not chosen may be missing.
    require_defined(&call.input)?;
    match null.filter(|null| !null.is_null()) {
        Some(null) if call.input.is_null() => Ok(null),
        _ => Ok(if call.input.is_true() { yes } else { no }),
    }
}

fn type_debug(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(match &call.input {
        Value::Undefined(_) => "UndefinedMarker",
        other => other.type_name(),
    }))
}
