//! Mappings made of lists, counts and INI text.

use crate::template::error::TemplateError;
use crate::template::lookups::{IniText, parse_ini_text};
use crate::template::plugin::{FilterPlugin, PluginCall};
use crate::template::python::coerce::{input_members, require_all_defined, require_arg};
use crate::value::{Dict, Value, python};

/// The family.
pub const TABLE: &[FilterPlugin] = &[
    FilterPlugin::new("community.general.counter", counter, "Counts the occurrences of each member."),
    FilterPlugin::new("community.general.dict", dict, "Converts pairs to a mapping."),
    FilterPlugin::new(
        "community.general.dict_kv",
        dict_kv,
        "Returns a mapping with one key and the input as its value.",
    ),
    FilterPlugin::new("community.general.from_ini", from_ini, "Parses INI text."),
    FilterPlugin::new(
        "community.general.groupby_as_dict",
        groupby_as_dict,
        "Converts a list of mappings to a mapping, keyed by one of their keys.",
    ),
    FilterPlugin::new("community.general.to_ini", to_ini, "Formats a mapping as INI text."),
];

fn unhashable(value: &Value) -> TemplateError {
    TemplateError::value(format!("unhashable type: '{}'", value.type_name()))
}

fn counter(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    if !matches!(require_all_defined(&call.input)?, Value::Str(_) | Value::List(_) | Value::Tuple(_) | Value::Object(_))
    {
        let (shown, kind) = (python::str(&call.input), call.input.type_name());
        return Err(TemplateError::value(format!(
            "Argument for community.general.counter must be a sequence (string or list). {shown} is <class '{kind}'>"
        )));
    }
    let mut counts = Dict::new();
    for item in input_members(call)? {
        if !item.is_hashable() {
            let message = "community.general.counter needs a sequence with hashable elements (int, float or str) - ";
            return Err(TemplateError::value(format!("{message}{}", unhashable(&item).message)));
        }
        let count = counts.get_value(&item).and_then(Value::as_int).unwrap_or(0);
        counts.insert(item, Value::Int(count + 1));
    }
    Ok(counts.into())
}

fn dict(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    if let Value::Dict(dict) = &call.input {
        return Ok(Value::Dict(dict.clone()));
    }
    let mut made = Dict::new();
    for (index, pair) in input_members(call)?.iter().enumerate() {
        let parts = match pair {
            Value::Str(text) => text.chars().map(|c| Value::text(c.to_string())).collect(),
            Value::List(parts) | Value::Tuple(parts) => parts.to_vec(),
            _ => {
                let message = format!("cannot convert dictionary update sequence element #{index} to a sequence");
                return Err(TemplateError::value(message));
            }
        };
        let [key, value] = parts.as_slice() else {
            let length = parts.len();
            let message = format!("dictionary update sequence element #{index} has length {length}; 2 is required");
            return Err(TemplateError::value(message));
        };
        if !key.is_hashable() {
            return Err(unhashable(key));
        }
        made.insert(key.clone(), value.clone());
    }
    Ok(made.into())
}

fn dict_kv(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [key] = call.args.bind(["key"])?;
    let key = require_arg(key, "key")?;
    if !key.is_hashable() {
        return Err(unhashable(&key));
    }
    Ok([(key, call.input.clone())].into_iter().collect::<Dict>().into())
}

fn groupby_as_dict(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [attribute] = call.args.bind(["attribute"])?;
    let attribute = require_arg(attribute, "attribute")?;
    if !matches!(call.input, Value::List(_) | Value::Tuple(_) | Value::Str(_) | Value::Object(_)) {
        return Err(TemplateError::value("Input is not a sequence"));
    }
    let mut groups = Dict::new();
    for (index, item) in input_members(call)?.into_iter().enumerate() {
        let Some(entry) = item.as_dict() else {
            return Err(TemplateError::value(format!("Sequence element #{index} is not a mapping")));
        };
        let Some(key) = entry.get_value(&attribute).cloned() else {
            return Err(TemplateError::value(format!("Attribute not contained in element #{index} of sequence")));
        };
        if !key.is_hashable() {
            return Err(unhashable(&key));
        }
        if groups.get_value(&key).is_some() {
            let key = python::repr(&key);
            return Err(TemplateError::value(format!("Multiple sequence entries have attribute value {key}")));
        }
        groups.insert(key, item);
    }
    Ok(groups.into())
}

fn from_ini(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Str(text) = require_all_defined(&call.input)? else {
        let kind = call.input.type_name();
        return Err(TemplateError::value(format!("from_ini requires a str, got <class '{kind}'>")));
    };
    let IniText { sections, defaults } = parse_ini_text(text)
        .map_err(|why| TemplateError::value(format!("from_ini failed to parse given string: {why}")))?;
    let mut result = Dict::new();
    for (name, section) in sections {
        let mut entries = defaults.clone();
        entries.extend(&section);
        result.set(name, entries.into());
    }
    if !defaults.is_empty() {
        result.set("DEFAULT", defaults.into());
    }
    Ok(result.into())
}

fn to_ini(call: &PluginCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let Value::Dict(data) = require_all_defined(&call.input)? else {
        let kind = call.input.type_name();
        return Err(TemplateError::value(format!("to_ini requires a dict, got <class '{kind}'>")));
    };
    if data.is_empty() {
        return Err(TemplateError::value("to_ini received an empty dict. An empty dict cannot be converted."));
    }
    let is_default = |entry: &(&Value, &Value)| entry.0.as_str() == Some("DEFAULT");
    let mut out = String::new();
    for (name, section) in data.iter().filter(is_default).chain(data.iter().filter(|entry| !is_default(entry))) {
        let Some(section) = section.as_dict() else {
            let kind = section.type_name();
            let message = format!("to_ini failed to parse given dict:'{kind}' object has no attribute 'items'");
            return Err(TemplateError::value(message));
        };
        out.push_str(&format!("[{}]\n", python::str(name)));
        for (key, value) in section.iter() {
            if value.is_null() {
                return Err(TemplateError::value("to_ini failed to parse given dict:option values must be strings"));
            }
            let value = python::str(value).replace('\n', "\n\t");
            out.push_str(&format!("{} = {value}\n", python::str(key)));
        }
        out.push('\n');
    }
    // The blank line that parts sections does not follow the last.
    out.pop();
    Ok(Value::text(out))
}
