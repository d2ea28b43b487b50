//! Comparisons and membership, by Python's rules; what is not known yet compares as unknown.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::Comparison;
use super::engine::TemplateEngine;
use super::error::TemplateError;
use super::range::Range;
use crate::value::Value;

/// Remedy for text that is compared with a number.
const TEXT_AND_NUMBER: &str =
    "turn the text into a number with `| int` or `| float`; compare versions with the test `is version('1.2', '>=')`";

/// A comparison: a boolean, or unknown.
pub(super) fn compare_values(
    op: Comparison,
    left: &Value,
    right: &Value,
    engine: &TemplateEngine<'_>,
) -> Result<Value, TemplateError> {
    match op {
        Comparison::In => return evaluate_contains(right, left, engine),
        Comparison::NotIn => {
            return Ok(match evaluate_contains(right, left, engine)? {
                Value::Bool(b) => Value::Bool(!b),
                other => other,
            });
        }
        _ => {}
    }
    let (left, right) = (left.below_taint(), right.below_taint());
    reject_undefined(left)?;
    reject_undefined(right)?;
    // The same unknown is the same value, whatever it will be.
    if let (Value::Unknown(a), Value::Unknown(b), Comparison::Eq | Comparison::Ne) = (left, right, op)
        && Arc::ptr_eq(a, b)
    {
        return Ok(Value::Bool(op == Comparison::Eq));
    }
    if let Some(unknown) = unknown_in(left).or_else(|| unknown_in(right)) {
        return Ok(unknown);
    }
    let holds = match op {
        Comparison::Eq => is_equal(left, right),
        Comparison::Ne => !is_equal(left, right),
        _ if is_nan(left) || is_nan(right) => false,
        _ => is_in_order(op, left, right)?,
    };
    Ok(Value::Bool(holds))
}

/// Whether `<`, `<=`, `>` or `>=` holds.
fn is_in_order(op: Comparison, left: &Value, right: &Value) -> Result<bool, TemplateError> {
    let order = left.compare_order(right).map_err(|_| {
        let symbol = match op {
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            _ => ">=",
        };
        let (a, b) = (left.type_name(), right.type_name());
        let fault = TemplateError::value(format!("'{symbol}' not supported between instances of '{a}' and '{b}'"));
        match (left, right) {
            (Value::Str(_), Value::Int(_) | Value::Float(_)) | (Value::Int(_) | Value::Float(_), Value::Str(_)) => {
                fault.hint(TEXT_AND_NUMBER)
            }
            _ => fault,
        }
    })?;
    Ok(match op {
        Comparison::Lt => order == Ordering::Less,
        Comparison::Le => order != Ordering::Greater,
        Comparison::Gt => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(f) if f.is_nan())
}

fn is_equal(left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    // A range or a view of a mapping equals another with the same members.
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            a.type_name() == b.type_name() && a.members().is_some() && a.members() == b.members()
        }
        _ => false,
    }
}

fn reject_undefined(value: &Value) -> Result<(), TemplateError> {
    match value {
        Value::Undefined(why) => Err(TemplateError::from_undefined(why)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.iter().try_for_each(reject_undefined),
        Value::Dict(dict) => dict.values().try_for_each(reject_undefined),
        _ => Ok(()),
    }
}

fn unknown_in(value: &Value) -> Option<Value> {
    value.first_unknown().map(|unknown| Value::unknown(unknown.describe_missing()))
}

/// `item in container`
fn evaluate_contains(container: &Value, item: &Value, engine: &TemplateEngine<'_>) -> Result<Value, TemplateError> {
    if container.is_unknown() {
        return Ok(container.new_computed());
    }
    let found = match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(part.as_str()),
            Value::Unknown(_) => return Ok(item.new_computed()),
            other => {
                let message = format!("'in <string>' requires string as left operand, not {}", other.type_name());
                return Err(TemplateError::value(message));
            }
        },
        Value::Dict(dict) => match item {
            Value::Unknown(_) => return Ok(item.new_computed()),
            key if !key.is_hashable() => {
                return Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())));
            }
            key => dict.get_value(key).is_some(),
        },
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => {
            let members = container.as_slice().unwrap_or_default();
            engine.look_at(members.len())?;
            if members.iter().any(|member| !member.is_undefined() && is_equal(member, item)) {
                true
            } else {
                members.iter().try_for_each(reject_undefined)?;
                if let Some(unknown) = unknown_in(container).or_else(|| unknown_in(item)) {
                    return Ok(unknown);
                }
                false
            }
        }
        // `hostvars` knows hosts that it does not list.
        Value::Object(object) if super::api::object_to_mapping(&**object).is_some() => object.get(item).is_some(),
        Value::Object(object) if let Some(range) = object.as_any().downcast_ref::<Range>() => match item {
            Value::Int(number) => range.contains(*number),
            Value::Bool(bit) => range.contains(i64::from(*bit)),
            Value::Float(real) => real.fract() == 0.0 && range.contains(*real as i64),
            _ => false,
        },
        Value::Object(object) => match object.members() {
            Some(members) => engine.members_of(&Value::list(members))?.contains(item),
            None => return Err(not_a_container(container)),
        },
        other => return Err(not_a_container(other)),
    };
    Ok(Value::Bool(found))
}

fn not_a_container(value: &Value) -> TemplateError {
    TemplateError::value(format!("argument of type '{}' is not iterable", value.type_name()))
}
