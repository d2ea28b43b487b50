//! What has members: all of them, a slice of them, and how many there may be.

use std::sync::Arc;

use num_traits::Signed;

use super::budget;
use super::error::TemplateError;
use super::range::Range;
use crate::value::{Dict, Value};

/// A key of a mapping among its keys: no template here, also where it looks like one.
pub(super) fn to_plain_key(key: &Value) -> Value {
    match key {
        Value::Str(text) if text.is_template() => Value::Str(text.clone().into_key()),
        other => other.clone(),
    }
}

/// The raw members of anything that can be iterated.
pub(super) fn list_members(value: &Value) -> Result<Vec<Value>, TemplateError> {
    match value {
        Value::List(items) | Value::Tuple(items) | Value::Set(items) => Ok(items.to_vec()),
        Value::Dict(dict) => Ok(dict.keys().map(to_plain_key).collect()),
        Value::Str(text) => {
            let mut buffer = [0; 4];
            Ok(text.chars().map(|c| Value::text(&*c.encode_utf8(&mut buffer))).collect())
        }
        Value::Bytes(bytes) => Ok(bytes.iter().map(|byte| Value::Int(i64::from(*byte))).collect()),
        Value::Undefined(why) => Err(TemplateError::from_undefined(why)),
        Value::Unknown(unknown) => Err(TemplateError::from_unknown(unknown)),
        Value::Object(object) => {
            if let Some(range) = object.as_any().downcast_ref::<Range>() {
                budget::grow_members(range.count())?;
            }
            object
                .members()
                .ok_or_else(|| TemplateError::value(format!("'{}' object is not iterable", value.type_name())))
        }
        other => Err(TemplateError::value(format!("'{}' object is not iterable", other.type_name()))),
    }
}

/// `of[start:stop:step]`
pub(super) fn slice_value(of: &Value, bounds: &[Option<Value>; 3]) -> Result<Value, TemplateError> {
    if of.is_unknown() {
        return Ok(of.new_computed());
    }
    let mut numbers = [None, None, None];
    for (slot, bound) in numbers.iter_mut().zip(bounds) {
        *slot = match bound {
            None | Some(Value::Null) => None,
            Some(Value::Int(i)) => Some(*i),
            Some(Value::Bool(b)) => Some(i64::from(*b)),
            Some(Value::Big(big)) => Some(if big.is_negative() { i64::MIN / 2 } else { i64::MAX / 2 }),
            Some(unknown @ Value::Unknown(_)) => return Ok(unknown.new_computed()),
            Some(_) => {
                return Err(TemplateError::value("slice indices must be integers or None or have an __index__ method"));
            }
        };
    }
    let [start, stop, step] = numbers;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(TemplateError::value("slice step cannot be zero"));
    }
    // Where it begins and ends among so many members.
    let bounds = |length: usize| {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let clamp =
            |at: i64, low: i64, high: i64| (if at < 0 { at.saturating_add(length) } else { at }).clamp(low, high);
        if step > 0 {
            (start.map_or(0, |at| clamp(at, 0, length)), stop.map_or(length, |at| clamp(at, 0, length)))
        } else {
            (start.map_or(length - 1, |at| clamp(at, -1, length - 1)), stop.map_or(-1, |at| clamp(at, -1, length - 1)))
        }
    };
    let pick = |length: usize| -> Vec<usize> {
        let mut picked = Vec::new();
        let (mut at, end) = bounds(length);
        while if step > 0 { at < end } else { at > end } {
            picked.extend(usize::try_from(at));
            at = at.saturating_add(step);
        }
        picked
    };
    match of {
        Value::Str(text) => {
            let chars: Vec<char> = text.chars().collect();
            Ok(Value::text(pick(chars.len()).into_iter().map(|at| chars[at]).collect::<String>()))
        }
        Value::List(items) => Ok(Value::list(pick(items.len()).into_iter().map(|at| items[at].clone()))),
        Value::Tuple(items) => Ok(Value::tuple(pick(items.len()).into_iter().map(|at| items[at].clone()))),
        Value::Bytes(bytes) => Ok(Value::Bytes(pick(bytes.len()).into_iter().map(|at| bytes[at]).collect())),
        Value::Object(object) if let Some(range) = object.as_any().downcast_ref::<Range>() => {
            let (first, end) = bounds(range.count());
            let member = |at: i64| range.start.saturating_add(at.saturating_mul(range.step));
            let step = range.step.saturating_mul(step);
            Ok(Value::Object(Arc::new(Range { start: member(first), stop: member(end), step })))
        }
        other => Err(TemplateError::value(format!("'{}' object is not subscriptable", other.type_name()))),
    }
}

/// The entries of anything that is like a mapping.
pub(super) fn list_entries(value: &Value) -> Option<Dict> {
    match value {
        Value::Dict(dict) => Some((**dict).clone()),
        Value::Object(object) => {
            let keys = object.members()?;
            Some(keys.into_iter().filter_map(|key| object.get(&key).map(|value| (key, value))).collect())
        }
        _ => None,
    }
}
