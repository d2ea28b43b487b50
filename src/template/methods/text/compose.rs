//! Methods that make a text, or bytes, of a text and other values.

use super::super::{format, integer_arg};
use super::{TextCall, optional_text, plain_text};
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::template::plugin::PluginArgs;
use crate::template::python::charset::Encoding;
use crate::template::python::text::replace_text;
use crate::value::Value;

pub(super) fn join(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [items] = call.args.bind(["iterable"])?;
    let items = call.engine.members_of(&call.require_arg(items, "iterable")?)?;
    let length: usize = items.iter().filter_map(Value::as_str).map(str::len).sum();
    budget::reserve_bytes(length.saturating_add(items.len().saturating_mul(call.data.len())))?;
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push_str(call.data);
        }
        match item {
            Value::Str(item) => out.push_str(item),
            Value::Unknown(_) => return Ok(item.new_computed()),
            Value::Undefined(why) => return Err(TemplateError::from_undefined(why)),
            other => {
                let kind = other.type_name();
                return Err(TemplateError::value(format!("sequence item {at}: expected str instance, {kind} found")));
            }
        }
    }
    Ok(Value::text(out))
}

pub(super) fn replace(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [old, new, count] = call.args.bind(["old", "new", "count"])?;
    let (old, new) = (call.require_arg(old, "old")?, call.require_arg(new, "new")?);
    let (old, new) = (plain_text(&old)?, plain_text(&new)?);
    let count = integer_arg(count)?.and_then(|count| usize::try_from(count).ok());
    replace_text(call.data, old, new, count).map(Value::text)
}

pub(super) fn format(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    format::format_text(call.engine, call.data, call.args)
}

pub(super) fn format_map(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let Some(Value::Dict(dict)) = call.args.positional.first() else {
        return Err(TemplateError::value("format_map() needs a mapping"));
    };
    let named = dict.iter().filter_map(|(k, v)| Some((k.as_str()?.into(), v.clone()))).collect();
    format::format_text(call.engine, call.data, &PluginArgs { positional: Vec::new(), named })
}

pub(super) fn encode(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [encoding, _errors] = call.args.bind(["encoding", "errors"])?;
    let encoding = Encoding::from_name(optional_text(encoding.as_ref())?.unwrap_or("utf-8"))?;
    Ok(Value::Bytes(encoding.encode(call.data)?.into()))
}
