//! Is it there, of which type, true or false.

use crate::template::error::{TemplateError, TemplateErrorKind};
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{as_real, flag_or, to_text};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("boolean", boolean, "Whether the value is a boolean."),
    Test::new("callable", callable, "Whether the value is callable."),
    Test::new("defined", defined, "Whether the value is defined.").undefined().unknown(),
    Test::new("escaped", escaped, "Whether the value is text escaped for HTML."),
    Test::new("even", even, "Whether the value is an even number."),
    Test::new("false", is_false, "Whether the value is the boolean false."),
    Test::new("falsy", falsy, "Whether the value is falsy."),
    Test::new("float", float, "Whether the value is a float."),
    Test::new("integer", integer, "Whether the value is an integer."),
    Test::new("isnan", nan, "Whether the value is NaN."),
    Test::new("iterable", iterable, "Whether the value is iterable."),
    Test::new("lower", lower, "Whether the text is in lower case."),
    Test::new("mapping", mapping, "Whether the value is a mapping."),
    Test::new("nan", nan, "Whether the value is NaN."),
    Test::new("none", none, "Whether the value is null."),
    Test::new("number", number, "Whether the value is a number."),
    Test::new("odd", odd, "Whether the value is an odd number."),
    Test::new("sequence", sequence, "Whether the value is a sequence."),
    Test::new("string", string, "Whether the value is text."),
    Test::new("true", is_true, "Whether the value is the boolean true."),
    Test::new("truthy", truthy, "Whether the value is truthy."),
    Test::new("undefined", undefined, "Whether the value is undefined.").undefined().unknown(),
    Test::new("upper", upper, "Whether the text is in upper case."),
];

fn defined(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    match &call.input {
        // What is unknown is there; whether it has a certain member is another question.
        Value::Unknown(unknown) if unknown.member => {
            Err(TemplateError::new(TemplateErrorKind::Unknown, unknown.describe_missing()))
        }
        input => Ok(!input.is_undefined()),
    }
}

fn undefined(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    defined(call).map(|there| !there)
}

fn boolean(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Bool(_)))
}

fn is_true(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Bool(true)))
}

fn is_false(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Bool(false)))
}

fn none(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(call.input.is_null())
}

fn integer(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Int(_) | Value::Big(_)))
}

fn float(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Float(_)))
}

fn number(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(as_real(&call.input).is_some())
}

fn string(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Str(_) | Value::Sealed(_)))
}

fn mapping(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Dict(_)))
}

fn sequence(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(match &call.input {
        Value::Str(_) | Value::Sealed(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) => true,
        Value::Object(object) => object.members().is_some() && object.length().is_some(),
        _ => false,
    })
}

fn iterable(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(match &call.input {
        Value::Str(_) | Value::Sealed(_) | Value::Bytes(_) => true,
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_) => true,
        Value::Object(object) => object.members().is_some(),
        _ => false,
    })
}

/// Functions and macros: things of the engine's that have no members.
fn callable(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(match &call.input {
        Value::Object(object) => {
            object.members().is_none() && !matches!(object.type_name(), "Namespace" | "Cycler" | "LoopContext")
        }
        _ => false,
    })
}

fn escaped(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(&call.input, Value::Str(text) if text.is_markup()))
}

fn even(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    remainder_of_two(call).map(|remainder| remainder == 0.0)
}

fn odd(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [] = call.args.bind([])?;
    remainder_of_two(call).map(|remainder| remainder == 1.0)
}

fn remainder_of_two(call: &PluginCall<'_>) -> Result<f64, TemplateError> {
    match &call.input {
        Value::Int(i) => Ok(i.rem_euclid(2) as f64),
        Value::Big(number) => Ok(f64::from(u8::from(number.bit(0)))),
        Value::Float(f) => Ok(f.rem_euclid(2.0)),
        Value::Bool(b) => Ok(f64::from(u8::from(*b))),
        // Python takes `%` of a text for formatting.
        Value::Str(_) => Err(TemplateError::value("not all arguments converted during string formatting")),
        other => {
            let kind = other.type_name();
            Err(TemplateError::value(format!("unsupported operand type(s) for %: '{kind}' and 'int'")))
        }
    }
}

fn lower(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let input = to_text(&call.input)?;
    Ok(input.chars().any(char::is_lowercase) && !input.chars().any(char::is_uppercase))
}

fn upper(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let input = to_text(&call.input)?;
    Ok(input.chars().any(char::is_uppercase) && !input.chars().any(char::is_lowercase))
}

fn nan(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(matches!(call.input, Value::Float(f) if f.is_nan()))
}

fn truthy(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [convert] = call.args.bind(["convert_bool"])?;
    if flag_or(convert.as_ref(), false)
        && let Some(b) = crate::template::python::text::boolean_word(&call.input)
    {
        return Ok(b);
    }
    Ok(call.input.is_true())
}

fn falsy(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    truthy(call).map(|truthy| !truthy)
}
