//! Comparisons.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::template::error::TemplateError;
use crate::template::plugin::{PluginCall, Test};
use crate::template::python::coerce::{as_real, compare_values, require_arg, require_defined};
use crate::value::Value;

/// The family.
pub const TABLE: &[Test] = &[
    Test::new("!=", ne, "Whether the values differ."),
    Test::new("<", lt, "Whether the value is less than another."),
    Test::new("<=", le, "Whether the value is less than or equal to another."),
    Test::new("==", eq, "Whether the values are equal."),
    Test::new(">", gt, "Whether the value is greater than another."),
    Test::new(">=", ge, "Whether the value is greater than or equal to another."),
    Test::new("divisibleby", divisible_by, "Whether the number is divisible by another."),
    Test::new("eq", eq, "Whether the values are equal."),
    Test::new("equalto", eq, "Whether the values are equal."),
    Test::new("ge", ge, "Whether the value is greater than or equal to another."),
    Test::new("greaterthan", gt, "Whether the value is greater than another."),
    Test::new("gt", gt, "Whether the value is greater than another."),
    Test::new("in", is_in, "Whether another value contains the value."),
    Test::new("le", le, "Whether the value is less than or equal to another."),
    Test::new("lessthan", lt, "Whether the value is less than another."),
    Test::new("lt", lt, "Whether the value is less than another."),
    Test::new("ne", ne, "Whether the values differ."),
    Test::new("sameas", same_as, "Whether the values are the same object."),
];

fn read_other(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [other] = call.args.bind(["b"])?;
    let other = require_arg(other, "b")?;
    require_defined(&other)?;
    Ok(other)
}

fn eq(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    Ok(call.input == read_other(call)?)
}

fn ne(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    eq(call).map(|equal| !equal)
}

/// A NaN has no order: every comparison with it is false.
fn is_ordered(call: &PluginCall<'_>, operator: &str, wanted: &[Ordering]) -> Result<bool, TemplateError> {
    let other = read_other(call)?;
    let found = compare_values(&call.input, &other, operator)?;
    let nan = [&call.input, &other].into_iter().any(|value| as_real(value).is_some_and(f64::is_nan));
    Ok(!nan && wanted.contains(&found))
}

fn lt(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_ordered(call, "<", &[Ordering::Less])
}

fn le(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_ordered(call, "<=", &[Ordering::Less, Ordering::Equal])
}

fn gt(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_ordered(call, ">", &[Ordering::Greater])
}

fn ge(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    is_ordered(call, ">=", &[Ordering::Greater, Ordering::Equal])
}

fn is_in(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let container = read_other(call)?;
    is_member(&call.input, &container, call)
}

/// Python's `in`.
///
/// # Errors
/// If the container has no members, or is text and the member is not.
pub fn is_member(member: &Value, container: &Value, call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    match (container, require_defined(member)?) {
        (Value::Str(text), Value::Str(part)) => Ok(text.contains(part.as_str())),
        (Value::Str(_), other) => {
            let kind = other.type_name();
            Err(TemplateError::value(format!("'in <string>' requires string as left operand, not {kind}")))
        }
        (Value::Dict(dict), member) => Ok(member.is_hashable() && dict.get_value(member).is_some()),
        (Value::List(members) | Value::Tuple(members) | Value::Set(members), member) => {
            for candidate in members.iter() {
                if require_defined(candidate)? == member {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Object(_), member) => Ok(call.context.collect_members(container)?.contains(member)),
        (other, _) => Err(TemplateError::value(format!("argument of type '{}' is not iterable", other.type_name()))),
    }
}

/// Python's `is`: containers are the same only if they are one; small values if they are equal and of one type.
fn same_as(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let other = read_other(call)?;
    Ok(match (&call.input, &other) {
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) | (Value::Set(a), Value::Set(b)) => {
            Arc::ptr_eq(a, b)
        }
        (Value::Dict(a), Value::Dict(b)) => Arc::ptr_eq(a, b),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b) && a == b,
    })
}

fn divisible_by(call: &PluginCall<'_>) -> Result<bool, TemplateError> {
    let [divisor] = call.args.bind(["num"])?;
    let divisor = require_arg(divisor, "num")?;
    if let Value::Str(_) = call.input {
        return Err(TemplateError::value("not all arguments converted during string formatting"));
    }
    let (Some(number), Some(by)) = (as_real(&call.input), as_real(require_defined(&divisor)?)) else {
        let (a, b) = (call.input.type_name(), divisor.type_name());
        return Err(TemplateError::value(format!("unsupported operand type(s) for %: '{a}' and '{b}'")));
    };
    if by == 0.0 {
        return Err(TemplateError::value("integer modulo by zero"));
    }
    if let (Value::Big(big), Value::Int(by)) = (&call.input, &divisor) {
        return Ok((&**big % by) == num_bigint::BigInt::ZERO);
    }
    Ok(number.rem_euclid(by.abs()) == 0.0)
}
