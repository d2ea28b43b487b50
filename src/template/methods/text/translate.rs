//! Replacing characters by a table: `maketrans` and `translate`.

use super::TextCall;
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::value::{Dict, Value};

/// A table from code points to code points, text or null.
pub(super) fn maketrans(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let mut table = Dict::new();
    match &call.args.positional[..] {
        [Value::Dict(map)] => {
            for (key, value) in map.iter() {
                let key = match key.as_str().map(|key| key.chars().collect::<Vec<_>>()) {
                    Some(chars) if chars.len() == 1 => code_point(chars[0]),
                    Some(_) => return Err(TemplateError::value("string keys in translate table must be of length 1")),
                    None => key.clone(),
                };
                table.insert(key, value.clone());
            }
        }
        [Value::Str(from), Value::Str(to), rest @ ..] => {
            if from.chars().count() != to.chars().count() {
                return Err(TemplateError::value("the first two maketrans arguments must have equal length"));
            }
            for (a, b) in from.chars().zip(to.chars()) {
                table.insert(code_point(a), code_point(b));
            }
            for gone in rest.first().and_then(Value::as_str).unwrap_or("").chars() {
                table.insert(code_point(gone), Value::Null);
            }
        }
        _ => return Err(TemplateError::value("maketrans() needs a mapping or two texts")),
    }
    Ok(table.into())
}

pub(super) fn translate(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let Some(Value::Dict(table)) = call.args.positional.first() else {
        return Err(TemplateError::value("translate() needs a table"));
    };
    let longest = table.values().filter_map(Value::as_str).map(str::len).max().unwrap_or(0);
    budget::reserve_bytes(call.data.len().saturating_mul(longest.max(1)))?;
    let mut out = String::new();
    for c in call.data.chars() {
        match table.get_value(&code_point(c)) {
            None => out.push(c),
            Some(Value::Str(text)) => out.push_str(text),
            Some(Value::Int(code)) => out.extend(u32::try_from(*code).ok().and_then(char::from_u32)),
            Some(_) => {}
        }
    }
    Ok(Value::text(out))
}

fn code_point(c: char) -> Value {
    Value::Int(i64::from(u32::from(c)))
}
