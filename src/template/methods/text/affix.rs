//! Methods about the two ends of a text.

use super::super::integer_arg;
use super::search::slice_chars;
use super::{TextCall, optional_text, plain_text};
use crate::template::error::TemplateError;
use crate::value::Value;

pub(super) fn strip(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    strip_text(call, |text, is_stripped| text.trim_matches(is_stripped))
}

pub(super) fn lstrip(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    strip_text(call, |text, is_stripped| text.trim_start_matches(is_stripped))
}

pub(super) fn rstrip(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    strip_text(call, |text, is_stripped| text.trim_end_matches(is_stripped))
}

/// Strips blanks, or the characters that are given.
fn strip_text(
    call: &TextCall<'_>,
    trim: for<'t> fn(&'t str, &dyn Fn(char) -> bool) -> &'t str,
) -> Result<Value, TemplateError> {
    let [chars] = call.args.bind(["chars"])?;
    Ok(Value::text(match optional_text(chars.as_ref())? {
        None => trim(call.data, &char::is_whitespace),
        Some(chars) => trim(call.data, &|c| chars.contains(c)),
    }))
}

pub(super) fn removeprefix(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [affix] = call.args.bind(["prefix"])?;
    let affix = call.require_arg(affix, "prefix")?;
    Ok(Value::text(call.data.strip_prefix(plain_text(&affix)?).unwrap_or(call.data)))
}

pub(super) fn removesuffix(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [affix] = call.args.bind(["prefix"])?;
    let affix = call.require_arg(affix, "prefix")?;
    Ok(Value::text(call.data.strip_suffix(plain_text(&affix)?).unwrap_or(call.data)))
}

pub(super) fn startswith(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    test_affix(call, |part, affix| part.starts_with(affix))
}

pub(super) fn endswith(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    test_affix(call, |part, affix| part.ends_with(affix))
}

/// Whether an affix, or one of a tuple, is at the end of a part of the text.
fn test_affix(call: &TextCall<'_>, is_at_end: fn(&str, &str) -> bool) -> Result<Value, TemplateError> {
    let [affix, start, end] = call.args.bind(["prefix", "start", "end"])?;
    let part = slice_chars(call.data, integer_arg(start)?, integer_arg(end)?).map_or("", |range| &call.data[range]);
    match &call.require_arg(affix, "prefix")? {
        Value::Str(affix) => Ok(Value::Bool(is_at_end(part, affix))),
        Value::Tuple(all) => Ok(Value::Bool(all.iter().filter_map(Value::as_str).any(|affix| is_at_end(part, affix)))),
        other => {
            let (name, kind) = (call.name, other.type_name());
            Err(TemplateError::value(format!("{name} first arg must be str or a tuple of str, not {kind}")))
        }
    }
}
