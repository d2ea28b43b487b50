//! What may be missing: `default`, `mandatory`; and `ternary`, `type_debug`.

use crate::template::error::Fault;
use crate::template::plugin::{Call, Filter};
use crate::template::python::coerce::{flag, members, optional_text, required, touch};
use crate::value::Value;

/// The family.
pub const TABLE: &[Filter] = &[
    Filter::new("d", default, "Gives another value where the input is undefined.").undefined().unknown(),
    Filter::new("default", default, "Gives another value where the input is undefined.").undefined().unknown(),
    Filter::new("mandatory", mandatory, "Fails where the input is undefined.").undefined().unknown(),
    Filter::new("ansible._protomatter.finalize", finalize, "Gives plain data, as a task would get it."),
    Filter::new("ternary", ternary, "Chooses between values by the truth of the input.")
        .undefined()
        .unknown()
        .sets_taint(),
    Filter::new("type_debug", type_debug, "Names the Python type of the input.").undefined().sets_taint(),
];

fn default(call: &Call<'_>) -> Result<Value, Fault> {
    let [default, boolean] = call.args.bind(["default_value", "boolean"])?;
    let missing = call.input.is_undefined() || (flag(boolean.as_ref(), false) && !call.input.is_true());
    Ok(if missing { default.unwrap_or_else(|| Value::text("")) } else { call.input.clone() })
}

fn mandatory(call: &Call<'_>) -> Result<Value, Fault> {
    let [message] = call.args.bind(["msg"])?;
    let Value::Undefined(why) = &call.input else { return Ok(call.input.clone()) };
    let message = optional_text(message.as_ref())?.unwrap_or_else(|| {
        let name = why.message.strip_suffix(" is undefined").unwrap_or("");
        let name = if name.is_empty() { String::new() } else { format!("{name} ") };
        format!("Mandatory variable {name}not defined.")
    });
    Err(Fault::value(message).or_at(why.span.as_ref()))
}

fn finalize(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    plain(call, &call.input)
}

/// Tuples, sets and views as lists, at any depth.
fn plain(call: &Call<'_>, value: &Value) -> Result<Value, Fault> {
    Ok(match value {
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Object(_) => {
            let members = members(call, value)?;
            Value::list(members.iter().map(|member| plain(call, member)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Dict(dict) => {
            let entries = dict.iter().map(|(key, member)| Ok((key.clone(), plain(call, member)?)));
            Value::from(entries.collect::<Result<crate::value::Dict, Fault>>()?)
        }
        other => touch(other)?.clone(),
    })
}

fn ternary(call: &Call<'_>) -> Result<Value, Fault> {
    let [yes, no, null] = call.args.bind(["true_val", "false_val", "none_val"])?;
    let (yes, no) = (required(yes, "true_val")?, required(no, "false_val")?);
    if call.input.is_unknown() {
        return Ok(call.input.computed());
    }
    // The value that is not chosen may be missing.
    touch(&call.input)?;
    match null.filter(|null| !null.is_null()) {
        Some(null) if call.input.is_null() => Ok(null),
        _ => Ok(if call.input.is_true() { yes } else { no }),
    }
}

fn type_debug(call: &Call<'_>) -> Result<Value, Fault> {
    let [] = call.args.bind([])?;
    Ok(Value::text(match &call.input {
        Value::Undefined(_) => "UndefinedMarker",
        other => other.type_name(),
    }))
}
