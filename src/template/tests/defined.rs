//! Is it there, of which type, true or false.

use crate::template::error::{Fault, FaultKind};
use crate::template::plugin::{Call, Test};
use crate::template::python::coerce::{as_real, flag, text};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("boolean", boolean, "Whether it is a boolean."),
    Test::new("callable", callable, "Whether it can be called."),
    Test::new("defined", defined, "Whether it is there.").undefined().unknown(),
    Test::new("escaped", escaped, "Whether it is text that is escaped for HTML."),
    Test::new("even", even, "Whether it is an even number."),
    Test::new("false", is_false, "Whether it is the boolean false."),
    Test::new("falsy", falsy, "Whether it counts as false."),
    Test::new("float", float, "Whether it is a float."),
    Test::new("integer", integer, "Whether it is an integer."),
    Test::new("isnan", nan, "Whether it is not a number."),
    Test::new("iterable", iterable, "Whether it has members."),
    Test::new("lower", lower, "Whether it is text in lower case."),
    Test::new("mapping", mapping, "Whether it is a mapping."),
    Test::new("nan", nan, "Whether it is not a number."),
    Test::new("none", none, "Whether it is null."),
    Test::new("number", number, "Whether it is a number."),
    Test::new("odd", odd, "Whether it is an odd number."),
    Test::new("sequence", sequence, "Whether it has members and a length."),
    Test::new("string", string, "Whether it is text."),
    Test::new("true", is_true, "Whether it is the boolean true."),
    Test::new("truthy", truthy, "Whether it counts as true."),
    Test::new("undefined", undefined, "Whether it is not there.").undefined().unknown(),
    Test::new("upper", upper, "Whether it is text in upper case."),
];

fn defined(call: &Call<'_>) -> Result<bool, Fault> {
    match &call.input {
        // What is unknown is there; whether it has a certain member is another question.
        Value::Unknown(unknown) if unknown.member => Err(Fault::new(FaultKind::Unknown, unknown.sentence())),
        input => Ok(!input.is_undefined()),
    }
}

fn undefined(call: &Call<'_>) -> Result<bool, Fault> {
    defined(call).map(|there| !there)
}

fn boolean(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Bool(_)))
}

fn is_true(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Bool(true)))
}

fn is_false(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Bool(false)))
}

fn none(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(call.input.is_null())
}

fn integer(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Int(_) | Value::Big(_)))
}

fn float(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Float(_)))
}

fn number(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(as_real(&call.input).is_some())
}

fn string(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Str(_) | Value::Sealed(_)))
}

fn mapping(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Dict(_)))
}

fn sequence(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(match &call.input {
        Value::Str(_) | Value::Sealed(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_) | Value::Dict(_) => true,
        Value::Object(object) => object.members().is_some() && object.length().is_some(),
        _ => false,
    })
}

fn iterable(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(match &call.input {
        Value::Str(_) | Value::Sealed(_) | Value::Bytes(_) => true,
        Value::List(_) | Value::Tuple(_) | Value::Set(_) | Value::Dict(_) => true,
        Value::Object(object) => object.members().is_some(),
        _ => false,
    })
}

/// Functions and macros: things of the engine's that have no members.
fn callable(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(match &call.input {
        Value::Object(object) => {
            object.members().is_none() && !matches!(object.type_name(), "Namespace" | "Cycler" | "LoopContext")
        }
        _ => false,
    })
}

fn escaped(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(&call.input, Value::Str(text) if text.is_markup()))
}

fn even(call: &Call<'_>) -> Result<bool, Fault> {
    let [] = call.args.bind([])?;
    remainder_of_two(call).map(|remainder| remainder == 0.0)
}

fn odd(call: &Call<'_>) -> Result<bool, Fault> {
    let [] = call.args.bind([])?;
    remainder_of_two(call).map(|remainder| remainder == 1.0)
}

fn remainder_of_two(call: &Call<'_>) -> Result<f64, Fault> {
    match &call.input {
        Value::Int(i) => Ok(i.rem_euclid(2) as f64),
        Value::Big(number) => Ok(f64::from(u8::from(number.bit(0)))),
        Value::Float(f) => Ok(f.rem_euclid(2.0)),
        Value::Bool(b) => Ok(f64::from(u8::from(*b))),
        // Python takes `%` of a text for formatting.
        Value::Str(_) => Err(Fault::value("not all arguments converted during string formatting")),
        other => {
            let kind = other.type_name();
            Err(Fault::value(format!("unsupported operand type(s) for %: '{kind}' and 'int'")))
        }
    }
}

fn lower(call: &Call<'_>) -> Result<bool, Fault> {
    let input = text(&call.input)?;
    Ok(input.chars().any(char::is_lowercase) && !input.chars().any(char::is_uppercase))
}

fn upper(call: &Call<'_>) -> Result<bool, Fault> {
    let input = text(&call.input)?;
    Ok(input.chars().any(char::is_uppercase) && !input.chars().any(char::is_lowercase))
}

fn nan(call: &Call<'_>) -> Result<bool, Fault> {
    Ok(matches!(call.input, Value::Float(f) if f.is_nan()))
}

fn truthy(call: &Call<'_>) -> Result<bool, Fault> {
    let [convert] = call.args.bind(["convert_bool"])?;
    if flag(convert.as_ref(), false)
        && let Some(b) = crate::template::python::text::boolean_word(&call.input)
    {
        return Ok(b);
    }
    Ok(call.input.is_true())
}

fn falsy(call: &Call<'_>) -> Result<bool, Fault> {
    truthy(call).map(|truthy| !truthy)
}
