//! The methods of Python's types that templates may call. What they change is noted in the engine's book of changes.

mod dict;
pub mod format;
mod list;
mod number;
mod set;
mod table;
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
use crate::value::{Object, Value};
use table::{MethodCall, find_method, missing_attribute, run_method};

/// Whether values of this type have a method of that name.
pub fn has_method(value: &Value, name: &str) -> bool {
    match value.below_taint() {
        Value::Str(_) => find_method(text::TABLE, name).is_some(),
        Value::List(_) => find_method(list::TABLE, name).is_some(),
        Value::Tuple(_) => find_method(list::SEQUENCE_TABLE, name).is_some(),
        Value::Set(_) => find_method(set::TABLE, name).is_some(),
        Value::Dict(_) => find_method(dict::TABLE, name).is_some(),
        Value::Int(_) | Value::Big(_) | Value::Bool(_) => number::INTEGER_NAMES.contains(&name),
        Value::Float(_) => number::FLOAT_NAMES.contains(&name),
        Value::Bytes(_) => matches!(name, "decode" | "hex"),
        Value::Time(_) => find_method(time::TABLE, name).is_some(),
        Value::Object(object) => object_has_method(&**object, name),
        _ => false,
    }
}

fn object_has_method(object: &dyn Object, name: &str) -> bool {
    let any = object.as_any();
    if any.downcast_ref::<Function>().is_some_and(|function| function.0 == "dict") {
        name == "fromkeys"
    } else if any.is::<Range>() {
        find_method(list::SEQUENCE_TABLE, name).is_some()
    } else if any.is::<Cycler>() {
        matches!(name, "next" | "reset")
    } else if any.is::<LoopState>() {
        matches!(name, "cycle" | "changed")
    } else if super::api::object_to_mapping(object).is_some() {
        matches!(name, "keys" | "values" | "items" | "get")
    } else {
        false
    }
}

/// An attribute that is not a method (`d.year`).
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
    match &now {
        Value::Str(text) => run_method(text::TABLE, &MethodCall { engine, of, data: text.as_str(), name, args: &args }),
        Value::List(items) | Value::Tuple(items) => {
            run_method(list::TABLE, &MethodCall { engine, of, data: items.as_slice(), name, args: &args })
        }
        Value::Set(items) => {
            run_method(set::TABLE, &MethodCall { engine, of, data: items.as_slice(), name, args: &args })
        }
        Value::Dict(dict) => run_method(dict::TABLE, &MethodCall { engine, of, data: &**dict, name, args: &args }),
        Value::Time(time) => run_method(time::TABLE, &MethodCall { engine, of, data: time, name, args: &args }),
        Value::Int(_) | Value::Bool(_) | Value::Big(_) | Value::Float(_) => number::call(&now, name)
            .ok_or_else(|| TemplateError::value(format!("{name}() has no answer for this number"))),
        Value::Bytes(bytes) => call_bytes(bytes, name),
        Value::Object(object) => call_object(engine, of, &**object, name, args),
        other => Err(missing_attribute(other, name)),
    }
}

/// `hex` and `decode`.
fn call_bytes(bytes: &[u8], name: &str) -> Result<Value, TemplateError> {
    if name == "hex" {
        return Ok(Value::text(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
    let text = std::str::from_utf8(bytes);
    text.map(Value::text).map_err(|error| TemplateError::value(format!("'utf-8' codec can't decode: {error}")))
}

fn call_object(
    engine: &TemplateEngine<'_>,
    of: &Value,
    object: &dyn Object,
    name: &str,
    args: PluginArgs,
) -> Result<Value, TemplateError> {
    let any = object.as_any();
    if any.is::<Function>() {
        dict::from_keys(engine, &args)
    } else if any.is::<Range>() {
        let members = Value::tuple(sequence::list_members(of)?);
        let data = members.as_slice().unwrap_or_default();
        run_method(list::SEQUENCE_TABLE, &MethodCall { engine, of: &members, data, name, args: &args })
    } else if let Some(cycler) = any.downcast_ref::<Cycler>() {
        Ok(call_cycler(cycler, name))
    } else if let Some(state) = any.downcast_ref::<LoopState>() {
        call_loop_state(state, name, args)
    } else if let Some(entries) = super::api::object_to_mapping(object) {
        run_method(dict::TABLE, &MethodCall { engine, of, data: &entries, name, args: &args })
    } else {
        Err(missing_attribute(of, name))
    }
}

/// `next` and `reset`.
fn call_cycler(cycler: &Cycler, name: &str) -> Value {
    if name == "reset" {
        cycler.at.store(0, Ordering::Relaxed);
        return Value::Null;
    }
    let at = cycler.at.load(Ordering::Relaxed);
    cycler.at.store((at + 1) % cycler.items.len().max(1), Ordering::Relaxed);
    cycler.items.get(at).cloned().unwrap_or(Value::Null)
}

/// `changed` and `cycle`.
fn call_loop_state(state: &LoopState, name: &str, args: PluginArgs) -> Result<Value, TemplateError> {
    let values = args.positional;
    if name == "changed" {
        return Ok(Value::Bool(state.changed(values)));
    }
    match values.get(state.index() % values.len().max(1)) {
        Some(value) => Ok(value.clone()),
        None => Err(TemplateError::value("no items for cycling given")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A look-up halves the table, so a row in the wrong place would never be found.
    #[track_caller]
    fn check_sorted<T: ?Sized>(rows: &[table::MethodPlugin<T>]) {
        let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn tables_of_methods_are_sorted_by_name() {
        check_sorted(text::TABLE);
        check_sorted(list::TABLE);
        check_sorted(list::SEQUENCE_TABLE);
        check_sorted(set::TABLE);
        check_sorted(dict::TABLE);
        check_sorted(time::TABLE);
    }
}
