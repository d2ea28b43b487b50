//! Methods of mappings.

use std::sync::Arc;

use super::need;
use crate::template::engine::Engine;
use crate::template::error::Fault;
use crate::template::plugin::Args;
use crate::template::sequence;
use crate::value::{Dict, Value, python};

pub const NAMES: &[&str] =
    &["clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"];

/// Calls a method of `of`, which has these entries now.
pub fn call(engine: &Engine<'_>, of: &Value, dict: &Dict, name: &str, args: &Args) -> Result<Value, Fault> {
    let change = |dict: Dict| engine.changes.set(of, dict.into());
    // The reference turns views into lists as soon as a template has them.
    let list = |items: Vec<Value>| Ok(Value::List(Arc::new(items)));
    if ["keys", "values", "items", "copy", "clear", "popitem"].contains(&name) {
        let [] = args.bind([])?;
    }
    match name {
        "keys" => list(dict.keys().map(sequence::key).collect()),
        "values" => list(dict.values().cloned().collect()),
        "items" => list(dict.iter().map(|(k, v)| Value::tuple([sequence::key(k), v.clone()])).collect()),
        "get" | "setdefault" | "pop" => {
            let [key, default] = args.bind(["key", "default"])?;
            let key = need(key, name, "key")?;
            if key.is_unknown() {
                return Ok(key.computed());
            }
            if !key.is_hashable() {
                return Err(Fault::value(format!("unhashable type: '{}'", key.type_name())));
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
                (None, None) if name == "pop" => Err(Fault::value(python::repr(&key))),
                (None, None) => Ok(Value::Null),
            }
        }
        "popitem" => match dict.iter().next_back() {
            Some((key, value)) => {
                let mut rest = dict.clone();
                rest.remove_value(key);
                change(rest);
                Ok(Value::tuple([sequence::key(key), value.clone()]))
            }
            None => Err(Fault::value("popitem(): dictionary is empty")),
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
        other => Err(Fault::value(format!("'dict' object has no attribute '{other}'"))),
    }
}

/// `dict.fromkeys(keys, value)`
pub fn from_keys(engine: &Engine<'_>, args: &Args) -> Result<Value, Fault> {
    let [keys, value] = args.bind(["iterable", "value"])?;
    let value = value.unwrap_or(Value::Null);
    let keys = engine.members_of(&need(keys, "fromkeys", "iterable")?)?;
    let keys = keys.into_iter().filter(Value::is_hashable);
    Ok(keys.map(|key| (key, value.clone())).collect::<Dict>().into())
}
