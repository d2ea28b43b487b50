//! The methods of Python's types that templates may call. What they change is noted in the engine's book of changes.

mod dict;
pub mod format;
mod list;
mod number;
mod text;
pub mod time;

use std::sync::atomic::Ordering;

use super::engine::TemplateEngine;
use super::error::TemplateError;
use super::objects::{Cycler, Function, LoopState};
use super::plugin::PluginArgs;
use super::range::Range;
use super::sequence;
use super::taint::Taint;
use crate::value::Value;

/// Whether values of this type have a method of that name.
pub fn has_method(value: &Value, name: &str) -> bool {
    let names: &[&str] = match value.below_taint() {
        Value::Str(_) => text::NAMES,
        Value::List(_) => list::NAMES,
        Value::Tuple(_) => &["count", "index"],
        Value::Set(_) => list::SET_NAMES,
        Value::Dict(_) => dict::NAMES,
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => number::INTEGER_NAMES,
        Value::Float(_) => number::FLOAT_NAMES,
        Value::Bytes(_) => &["decode", "hex"],
        Value::Time(_) => time::NAMES,
        Value::Object(object) => {
            let any = object.as_any();
            if any.downcast_ref::<Function>().is_some_and(|function| function.0 == "dict") {
                &["fromkeys"]
            } else if any.is::<Range>() {
                &["count", "index"]
            } else if any.is::<Cycler>() {
                &["next", "reset"]
            } else if any.is::<LoopState>() {
                &["cycle", "changed"]
            } else if super::api::object_to_mapping(&**object).is_some() {
                &["keys", "values", "items", "get"]
            } else {
                &[]
            }
        }
        _ => &[],
    };
    names.contains(&name)
}

/// An attribute that is no method (`d.year`).
pub fn get_property(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Time(of) => time::get_property(*of, name),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) | Value::Float(_) => number::get_property(value, name),
        // What `groupby` gives has names for its two parts.
        Value::Tuple(parts) => match (&parts[..], name) {
            ([of, Value::List(_)], "grouper") => Some(of.clone()),
            ([_, list @ Value::List(_)], "list") => Some(list.clone()),
            _ => None,
        },
        Value::Object(object) if object.as_any().is::<Cycler>() => object.get(&Value::text(name)),
        _ => None,
    }
}

/// Calls a method.
pub(super) fn call(
    engine: &TemplateEngine<'_>,
    of: &Value,
    name: &str,
    args: PluginArgs,
) -> Result<Value, TemplateError> {
    // What is put into a list or a mapping stays the same thing.
    let keep = super::mutation::is_changing(name) && matches!(of, Value::List(_) | Value::Dict(_));
    let args = if keep { args } else { engine.resolve_args_deep(args)? };
    for value in args.positional.iter().chain(args.named.iter().map(|(_, value)| value)) {
        match value {
            // A default for `get` and the like may be undefined; it is passed on.
            Value::Undefined(_) if !matches!(name, "get" | "append" | "pop") => return Ok(value.clone()),
            Value::Unknown(_) if matches!(of, Value::Str(_)) => return Ok(value.new_computed()),
            _ => {}
        }
    }
    let taint = Taint::from_inputs(of, &args);
    let args = if keep { args } else { args.without_taint() };
    let result = call_on(engine, of.below_taint(), name, args).map_err(|fault| taint.clean_message(fault))?;
    Ok(taint.taint_result(result))
}

/// Calls a method of a value whose taint has been noted.
fn call_on(engine: &TemplateEngine<'_>, of: &Value, name: &str, args: PluginArgs) -> Result<Value, TemplateError> {
    let now = engine.changes.current_value(of.clone());
    Ok(match &now {
        Value::Str(text) => text::call(engine, text, name, &args)?,
        Value::List(items) | Value::Tuple(items) => list::call(engine, of, items, name, &args)?,
        Value::Set(items) => list::call_set(engine, items, name, &args)?,
        Value::Dict(dict) => dict::call(engine, of, dict, name, &args)?,
        Value::Int(_) | Value::Bool(_) | Value::Big(_) | Value::Float(_) => number::call(&now, name)
            .ok_or_else(|| TemplateError::value(format!("{name}() has no answer for this number")))?,
        Value::Bytes(bytes) if name == "hex" => Value::text(crate::hex::encode_hex(bytes)),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::text(text),
            Err(error) => return Err(TemplateError::value(format!("'utf-8' codec can't decode: {error}"))),
        },
        Value::Time(time) => time::call(*time, name, &args)?,
        Value::Object(object) => {
            if object.as_any().is::<Function>() {
                dict::from_keys(engine, &args)?
            } else if object.as_any().is::<Range>() {
                let members = Value::tuple(sequence::list_members(of)?);
                list::call(engine, &members, members.as_slice().unwrap_or_default(), name, &args)?
            } else if let Some(cycler) = object.as_any().downcast_ref::<Cycler>() {
                let at = cycler.at.load(Ordering::Relaxed);
                let next = if name == "reset" { 0 } else { (at + 1) % cycler.items.len().max(1) };
                cycler.at.store(next, Ordering::Relaxed);
                if name == "reset" { Value::Null } else { cycler.items.get(at).cloned().unwrap_or(Value::Null) }
            } else if let Some(state) = object.as_any().downcast_ref::<LoopState>() {
                match name {
                    "changed" => Value::Bool(state.changed(args.positional)),
                    _ if args.positional.is_empty() => return Err(TemplateError::value("no items for cycling given")),
                    _ => args.positional[state.index() % args.positional.len()].clone(),
                }
            } else if let Some(entries) = super::api::object_to_mapping(&**object) {
                dict::call(engine, of, &entries, name, &args)?
            } else {
                return Err(missing_attribute(of, name));
            }
        }
        other => return Err(missing_attribute(other, name)),
    })
}

fn missing_attribute(of: &Value, name: &str) -> TemplateError {
    TemplateError::value(format!("'{}' object has no attribute '{name}'", of.type_name()))
}

/// A required argument.
fn require_arg(value: Option<Value>, method: &str, what: &str) -> Result<Value, TemplateError> {
    value.ok_or_else(|| TemplateError::value(format!("{method}() needs the argument `{what}`")))
}

/// An integer argument.
fn integer_arg(value: Option<Value>) -> Result<Option<i64>, TemplateError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Int(i)) => Ok(Some(i)),
        Some(Value::Bool(b)) => Ok(Some(i64::from(b))),
        Some(other) => {
            Err(TemplateError::value(format!("'{}' object cannot be interpreted as an integer", other.type_name())))
        }
    }
}
