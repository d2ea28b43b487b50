//! Arguments and members as the type a filter wants, with Python's rules and complaints.

use std::cmp::Ordering;

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginCall;
use crate::value::{Dict, Value, python};

/// The value, if it is there.
///
/// # Errors
/// With the sentence of an undefined value.
pub fn require_defined(value: &Value) -> Result<&Value, TemplateError> {
    match value {
        Value::Undefined(why) => Err(TemplateError::from_undefined(why)),
        other => Ok(other),
    }
}

/// The value, if nothing in it is undefined at any depth.
///
/// # Errors
/// With the sentence of the first undefined member.
pub fn require_all_defined(value: &Value) -> Result<&Value, TemplateError> {
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => {
            for item in items.iter() {
                require_all_defined(item)?;
            }
        }
        Value::Dict(dict) => {
            for item in dict.values() {
                require_all_defined(item)?;
            }
        }
        other => {
            require_defined(other)?;
        }
    }
    Ok(value)
}

/// Python's `str(x)`.
///
/// # Errors
/// If the value or a member of it is undefined.
pub fn to_text(value: &Value) -> Result<String, TemplateError> {
    let value = require_all_defined(value)?;
    budget::reserve_printed(value, |_| 2)?;
    Ok(python::str(value))
}

/// A value in Python's notation.
///
/// # Errors
/// If something in it is undefined, or the text is too long.
pub fn repr(value: &Value) -> Result<String, TemplateError> {
    let value = require_all_defined(value)?;
    budget::reserve_printed(value, |_| 2)?;
    Ok(python::repr(value))
}

/// Text, and nothing that text could be made of: where Python calls a method that only its `str` has.
///
/// # Errors
/// If it is anything else, or undefined.
pub fn only_text(value: &Value) -> Result<&str, TemplateError> {
    match require_defined(value)? {
        Value::Str(text) => Ok(text.as_str()),
        other => {
            let fault = TemplateError::value(format!("wants text, not a value of type '{}'", other.type_name()));
            Err(fault.hint("make text of it first, as in `x | string`"))
        }
    }
}

/// A text argument, `default` where it was not given.
///
/// # Errors
/// If it is undefined.
pub fn text_or(value: Option<&Value>, default: &str) -> Result<String, TemplateError> {
    value.map_or_else(|| Ok(default.to_owned()), to_text)
}

/// A text argument that may be null or left out.
///
/// # Errors
/// If it is undefined.
pub fn optional_text(value: Option<&Value>) -> Result<Option<String>, TemplateError> {
    value.filter(|value| !value.is_null()).map(to_text).transpose()
}

/// An argument that only its truth is asked for.
pub fn flag_or(value: Option<&Value>, default: bool) -> bool {
    value.map_or(default, Value::is_true)
}

/// An argument that has to be given.
///
/// # Errors
/// If it was not.
pub fn require_arg(value: Option<Value>, name: &str) -> Result<Value, TemplateError> {
    value.ok_or_else(|| TemplateError::value(format!("missing 1 required positional argument: '{name}'")))
}

/// An integer argument (booleans count as 0 and 1).
///
/// # Errors
/// If it is something else.
pub fn to_integer(value: &Value) -> Result<i64, TemplateError> {
    match require_defined(value)?.below_taint() {
        Value::Int(i) => Ok(*i),
        Value::Bool(b) => Ok(i64::from(*b)),
        Value::Big(_) => Err(TemplateError::value("integer is too large here")),
        other => {
            Err(TemplateError::value(format!("'{}' object cannot be interpreted as an integer", other.type_name())))
        }
    }
}

/// An integer argument, `default` where it was not given.
///
/// # Errors
/// If it is something else.
pub fn integer_or(value: Option<&Value>, default: i64) -> Result<i64, TemplateError> {
    value.map_or(Ok(default), to_integer)
}

/// A number as a float, as `float(x)` takes numbers; text is not taken.
///
/// # Errors
/// If it is not a number.
pub fn to_real(value: &Value) -> Result<f64, TemplateError> {
    as_real(require_defined(value)?)
        .ok_or_else(|| TemplateError::value(format!("must be real number, not {}", value.type_name())))
}

/// A number as a float, `None` for everything else.
pub fn as_real(value: &Value) -> Option<f64> {
    match value.below_taint() {
        Value::Int(i) => Some(*i as f64),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Float(f) => Some(*f),
        Value::Big(number) => num_traits::ToPrimitive::to_f64(&**number),
        _ => None,
    }
}

/// The members of the input, all of which are looked at.
///
/// # Errors
/// If it cannot be iterated, or a member is undefined.
pub fn input_members(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    list_members(call, &call.input)
}

/// The members of an argument, all of which are looked at.
///
/// # Errors
/// If it cannot be iterated, or a member is undefined.
pub fn list_members(call: &PluginCall<'_>, value: &Value) -> Result<Vec<Value>, TemplateError> {
    let members = call.context.collect_members(require_defined(value)?)?;
    for member in &members {
        require_defined(member)?;
    }
    Ok(members)
}

/// The members of the input, of which some may be undefined.
///
/// # Errors
/// If it cannot be iterated.
pub fn lazy_items(call: &PluginCall<'_>) -> Result<Vec<Value>, TemplateError> {
    call.context.collect_members(&call.input)
}

/// The mapping, if all its values are there.
///
/// # Errors
/// If one is undefined.
pub fn require_values_defined(dict: &Dict) -> Result<&Dict, TemplateError> {
    for value in dict.values() {
        require_defined(value)?;
    }
    Ok(dict)
}

/// Returns the unknown result of an operation on an unknown member; `None` if all members are known.
pub fn unknown_among<'a>(values: impl IntoIterator<Item = &'a Value>) -> Option<Value> {
    values.into_iter().find_map(Value::first_unknown).map(|unknown| Value::unknown(unknown.describe_missing()))
}

/// The text that was made of some values; with an unknown among them it is unknown in turn, and shows the text around it.
pub fn text_of<'a>(written: String, values: impl IntoIterator<Item = &'a Value>) -> Value {
    match values.into_iter().find_map(Value::first_unknown) {
        Some(unknown) => Value::Unknown(std::sync::Arc::new(unknown.shown_as(written))),
        None => Value::text(written),
    }
}

/// Python's order, with Python's complaint.
///
/// # Errors
/// If one is undefined or the two have no order.
pub fn compare_values(a: &Value, b: &Value, operator: &str) -> Result<Ordering, TemplateError> {
    let (a, b) = (require_defined(a)?, require_defined(b)?);
    a.compare_order(b).map_err(|_| {
        let (a, b) = find_unordered(a, b);
        let (a, b) = (a.type_name(), b.type_name());
        TemplateError::value(format!("'{operator}' not supported between instances of '{a}' and '{b}'"))
    })
}

/// The innermost members that have no order.
fn find_unordered<'a>(a: &'a Value, b: &'a Value) -> (&'a Value, &'a Value) {
    match (a, b) {
        (Value::List(x), Value::List(y)) | (Value::Tuple(x), Value::Tuple(y)) => {
            x.iter().zip(y.iter()).find(|(x, y)| x != y).map_or((a, b), |(x, y)| find_unordered(x, y))
        }
        _ => (a, b),
    }
}

/// Sorts by keys as Python's `sorted` does: stable, also when reversed.
///
/// # Errors
/// If two keys have no order.
pub fn sort_by_key(items: Vec<(Value, Value)>, reverse: bool) -> Result<Vec<Value>, TemplateError> {
    let mut items = items;
    let mut failure = None;
    for pair in items.windows(2) {
        compare_values(&pair[1].0, &pair[0].0, "<")?;
    }
    items.sort_by(|(a, _), (b, _)| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        compare_values(b, a, "<").map_or_else(
            |fault| {
                failure.get_or_insert(fault);
                Ordering::Equal
            },
            Ordering::reverse,
        )
    });
    failure.map_or_else(|| Ok(items.into_iter().map(|(_, item)| item).collect()), Err)
}

/// Text in lower case, everything else as it is: the key of comparisons that ignore case.
pub fn ignore_case(value: Value) -> Value {
    match &value {
        Value::Str(text) => Value::text(text.to_lowercase()),
        _ => value,
    }
}

/// Whether the list has an equal member.
pub fn contains_value(items: &[Value], wanted: &Value) -> bool {
    items.iter().any(|item| item == wanted)
}
