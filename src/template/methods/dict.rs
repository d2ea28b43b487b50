//! Methods of mappings.

use std::sync::Arc;

use super::require_arg;
use crate::template::engine::TemplateEngine;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::template::sequence;
use crate::value::{Dict, Value, python};

pub const NAMES: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// Calls a method of `of`, which has these entries now.
pub fn call(
    engine: &TemplateEngine<'_>,
    of: &Value,
    dict: &Dict,
    name: &str,
    args: &PluginArgs,
) -> Result<Value, TemplateError> {
    let change = |dict: Dict| engine.changes.set_current(of, dict.into());
    // The reference turns views into lists as soon as a template has them.
    let list = |items: Vec<Value>| Ok(Value::List(Arc::new(items)));
    if ["keys", "values", "items", "copy", "clear", "popitem"].contains(&name) {
        let [] = args.bind([])?;
    }
    match name {
        "keys" => list(dict.keys().map(sequence::to_plain_key).collect()),
        "values" => list(dict.values().cloned().collect()),
        "items" => list(dict.iter().map(|(k, v)| Value::tuple([sequence::to_plain_key(k), v.clone()])).collect()),
        "get" | "setdefault" | "pop" => {
            let [key, default] = args.bind(["key", "default"])?;
            let key = require_arg(key, name, "key")?;
            if key.is_unknown() {
                return Ok(key.new_computed());
            }
            if !key.is_hashable() {
                return Err(TemplateError::value(format!("unhashable type: '{}'", key.type_name())));
            }
            match (dict.get_value(&key), default) {
                (Some(value), _) => {
                    if name == "pop" {
                        let mut dict = dict.clone();
                        dict.remove_value(&key);
                        change(dict);
                    }
                    Ok(value.clone())
                }
                (None, default) if name == "setdefault" => {
                    let (mut dict, default) = (dict.clone(), default.unwrap_or(Value::Null));
                    dict.insert(key, default.clone());
                    change(dict);
                    Ok(default)
                }
                (None, Some(default)) => Ok(default),
                (None, None) if name == "pop" => Err(TemplateError::value(python::repr(&key))),
                (None, None) => Ok(Value::Null),
            }
        }
        "popitem" => match dict.iter().next_back() {
            Some((key, value)) => {
                let mut rest = dict.clone();
                rest.remove_value(key);
                change(rest);
                Ok(Value::tuple([sequence::to_plain_key(key), value.clone()]))
            }
            None => Err(TemplateError::value("popitem(): dictionary is empty")),
        },
        "copy" => Ok(dict.clone().into()),
        "fromkeys" => from_keys(engine, args),
        "clear" => {
            change(Dict::new());
            Ok(Value::Null)
        }
        "update" => {
            let mut dict = dict.clone();
            if let Value::Dict(more) = crate::template::functions::dict(engine, args.clone())? {
                dict.extend(&more);
            }
            change(dict);
            Ok(Value::Null)
        }
        other => Err(TemplateError::value(format!("'dict' object has no attribute '{other}'"))),
    }
}

/// `dict.fromkeys(keys, value)`
pub fn from_keys(engine: &TemplateEngine<'_>, args: &PluginArgs) -> Result<Value, TemplateError> {
    let [keys, value] = args.bind(["iterable", "value"])?;
    let value = value.unwrap_or(Value::Null);
    let keys = engine.members_of(&require_arg(keys, "fromkeys", "iterable")?)?;
    let keys = keys.into_iter().filter(Value::is_hashable);
    Ok(keys.map(|key| (key, value.clone())).collect::<Dict>().into())
}
