//! Methods of mappings.

use std::sync::Arc;

use super::require_arg;
use super::table::{MethodCall, MethodPlugin};
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::template::sequence;
use crate::value::{Dict, Value, python};

type DictCall<'a> = MethodCall<'a, Dict>;

/// The methods, sorted by name.
pub const TABLE: &[MethodPlugin<Dict>] = &[
    MethodPlugin::new("clear", clear),
    MethodPlugin::new("copy", copy),
    MethodPlugin::new("fromkeys", fromkeys),
    MethodPlugin::new("get", get),
    MethodPlugin::new("items", items),
    MethodPlugin::new("keys", keys),
    MethodPlugin::new("pop", pop),
    MethodPlugin::new("popitem", popitem),
    MethodPlugin::new("setdefault", setdefault),
    MethodPlugin::new("update", update),
    MethodPlugin::new("values", values),
];

/// A view of a mapping, which Ansible turns into a list as soon as a template has it.
fn view_list(members: impl Iterator<Item = Value>) -> Value {
    Value::List(Arc::new(members.collect()))
}

fn keys(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(view_list(call.data.keys().map(sequence::to_plain_key)))
}

fn values(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(view_list(call.data.values().cloned()))
}

fn items(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(view_list(call.data.iter().map(|(key, value)| Value::tuple([sequence::to_plain_key(key), value.clone()]))))
}

fn get(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    with_key(call, |key, default| match call.data.get_value(&key) {
        Some(value) => Ok(value.clone()),
        None => Ok(default.unwrap_or(Value::Null)),
    })
}

fn setdefault(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    with_key(call, |key, default| {
        if let Some(value) = call.data.get_value(&key) {
            return Ok(value.clone());
        }
        let (mut dict, default) = (call.data.clone(), default.unwrap_or(Value::Null));
        dict.insert(key, default.clone());
        call.change_to(dict.into());
        Ok(default)
    })
}

fn pop(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    with_key(call, |key, default| {
        let Some(value) = call.data.get_value(&key) else {
            return default.ok_or_else(|| TemplateError::value(python::repr(&key)));
        };
        let mut rest = call.data.clone();
        rest.remove_value(&key);
        call.change_to(rest.into());
        Ok(value.clone())
    })
}

/// Runs a method of a key and a default. A key that is not known yet gives a result that is not known yet.
fn with_key(
    call: &DictCall<'_>,
    run: impl FnOnce(Value, Option<Value>) -> Result<Value, TemplateError>,
) -> Result<Value, TemplateError> {
    let [key, default] = call.args.bind(["key", "default"])?;
    let key = call.require_arg(key, "key")?;
    if key.is_unknown() {
        return Ok(key.new_computed());
    }
    if !key.is_hashable() {
        return Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())));
    }
    run(key, default)
}

fn popitem(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Some((key, value)) = call.data.iter().next_back() else {
        return Err(TemplateError::value("popitem(): dictionary is empty"));
    };
    let mut rest = call.data.clone();
    rest.remove_value(key);
    call.change_to(rest.into());
    Ok(Value::tuple([sequence::to_plain_key(key), value.clone()]))
}

fn copy(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(call.data.clone().into())
}

fn clear(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    call.change_to(Dict::new().into());
    Ok(Value::Null)
}

fn update(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    let mut dict = call.data.clone();
    if let Value::Dict(more) = crate::template::functions::dict(call.engine, call.args.clone())? {
        dict.extend(&more);
    }
    call.change_to(dict.into());
    Ok(Value::Null)
}

fn fromkeys(call: &DictCall<'_>) -> Result<Value, TemplateError> {
    from_keys(call.engine, call.args)
}

/// `dict.fromkeys(keys, value)`
pub fn from_keys(engine: &TemplateEngine<'_>, args: &PluginArgs) -> Result<Value, TemplateError> {
    let [keys, value] = args.bind(["iterable", "value"])?;
    let value = value.unwrap_or(Value::Null);
    let keys = engine.members_of(&require_arg(keys, "fromkeys", "iterable")?)?;
    let keys = keys.into_iter().filter(Value::is_hashable);
    Ok(keys.map(|key| (key, value.clone())).collect::<Dict>().into())
}
