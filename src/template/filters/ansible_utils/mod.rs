//! Filters of the collection `ansible.utils` that need nothing but their input.

pub mod facts;
pub mod hardware;
pub mod ipaddr;
mod ipaddr_queries;
pub mod keys;
pub mod networks;
pub mod paths;
pub mod subnets;
pub mod xml;

use crate::template::error::TemplateError;
use crate::template::network::python_integer;
use crate::template::python::coerce::{require_defined, to_text};
use crate::value::Value;

/// Returns a text parameter that must be given.
///
/// # Errors
/// If it was not, or is undefined.
pub(super) fn required_text(value: Option<&Value>, name: &str) -> Result<String, TemplateError> {
    value.map_or_else(|| Err(missing(name)), to_text)
}

/// Returns an integer parameter, which may be written as text.
///
/// # Errors
/// If it is something else.
pub(super) fn integer_parameter(value: &Value, name: &str) -> Result<num_bigint::BigInt, TemplateError> {
    let value = require_defined(value)?;
    let number = match value.below_taint() {
        Value::Int(number) => Some((*number).into()),
        Value::Bool(flag) => Some(i64::from(*flag).into()),
        Value::Big(number) => Some((**number).clone()),
        Value::Str(text) => python_integer(text),
        _ => None,
    };
    number.ok_or_else(|| {
        let (kind, shown) = (value.type_name(), crate::value::python::repr(value));
        TemplateError::value(format!(
            "argument '{name}' is of type {kind} and we were unable to convert to int: {shown} cannot be converted to an int"
        ))
    })
}

/// Returns the error about a parameter that was not given.
pub(super) fn missing(name: &str) -> TemplateError {
    TemplateError::value(format!("missing required arguments: {name}"))
}
