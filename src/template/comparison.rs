//! Comparisons and membership, by Python's rules; what is not known yet compares as unknown.

use std::cmp::Ordering;
use std::sync::Arc;

use super::ast::Comparison;
use super::engine::Engine;
use super::error::Fault;
use super::range::Range;
use crate::value::Value;

/// A comparison: a boolean, or unknown.
pub(super) fn compare(op: Comparison, left: &Value, right: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    match op {
        Comparison::In => return contains(right, left, engine),
        Comparison::NotIn => {
            return Ok(match contains(right, left, engine)? {
                Value::Bool(b) => Value::Bool(!b),
                other => other,
            });
        }
        _ => {}
    }
    let (left, right) = (left.below_taint(), right.below_taint());
    refuse_poison(left)?;
    refuse_poison(right)?;
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
        Comparison::Eq => equal(left, right),
        Comparison::Ne => !equal(left, right),
        _ => {
            if is_nan(left) || is_nan(right) {
                return Ok(Value::Bool(false));
            }
            let order = left.order(right).map_err(|_| {
                let symbol = match op {
                    Comparison::Lt => "<",
                    Comparison::Le => "<=",
                    Comparison::Gt => ">",
                    _ => ">=",
                };
                let (a, b) = (left.type_name(), right.type_name());
                Fault::value(format!("'{symbol}' not supported between instances of '{a}' and '{b}'"))
            })?;
            match op {
                Comparison::Lt => order == Ordering::Less,
                Comparison::Le => order != Ordering::Greater,
                Comparison::Gt => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }
        }
    };
    Ok(Value::Bool(holds))
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(f) if f.is_nan())
}

fn equal(left: &Value, right: &Value) -> bool {
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

fn refuse_poison(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Undefined(why) => Err(Fault::using(why)),
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => items.iter().try_for_each(refuse_poison),
        Value::Dict(dict) => dict.values().try_for_each(refuse_poison),
        _ => Ok(()),
    }
}

fn unknown_in(value: &Value) -> Option<Value> {
    value.first_unknown().map(|unknown| Value::unknown(unknown.sentence()))
}

/// `item in container`
fn contains(container: &Value, item: &Value, engine: &Engine<'_>) -> Result<Value, Fault> {
    if container.is_unknown() {
        return Ok(container.computed());
    }
    let found = match container {
        Value::Str(text) => match item {
            Value::Str(part) => text.contains(part.as_str()),
            Value::Unknown(_) => return Ok(item.computed()),
            other => {
                let message = format!("'in <string>' requires string as left operand, not {}", other.type_name());
                return Err(Fault::value(message));
            }
        },
        Value::Dict(dict) => match item {
            Value::Unknown(_) => return Ok(item.computed()),
            key if !key.is_hashable() => {
                return Err(Fault::value(format!("unhashable type: '{}'", key.type_name())));
            }
            key => dict.get_value(key).is_some(),
        },
        Value::List(_) | Value::Tuple(_) | Value::Set(_) => {
            let members = container.as_slice().unwrap_or_default();
            engine.look_at(members.len())?;
            if members.iter().any(|member| !member.is_undefined() && equal(member, item)) {
                true
            } else {
                members.iter().try_for_each(refuse_poison)?;
                if let Some(unknown) = unknown_in(container).or_else(|| unknown_in(item)) {
                    return Ok(unknown);
                }
                false
            }
        }
        // `hostvars` knows hosts that it does not list.
        Value::Object(object) if super::api::mapping(&**object).is_some() => object.get(item).is_some(),
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

fn not_a_container(value: &Value) -> Fault {
    Fault::value(format!("argument of type '{}' is not iterable", value.type_name()))
}
