//! Methods that look for a part of a text.

use std::ops::Range;

use super::super::integer_arg;
use super::{TextCall, plain_text};
use crate::template::error::TemplateError;
use crate::value::Value;

/// The result of looking for a part.
enum SearchResult {
    /// The character it begins at.
    At(usize),
    NotFound,
    /// The start of the search lies behind its end.
    EmptyRange,
}

pub(super) fn find(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    search_text(call, |within, wanted| within.find(wanted)).map(position_or_minus_one)
}

pub(super) fn rfind(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    search_text(call, |within, wanted| within.rfind(wanted)).map(position_or_minus_one)
}

pub(super) fn index(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    search_text(call, |within, wanted| within.find(wanted)).and_then(require_position)
}

pub(super) fn rindex(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    search_text(call, |within, wanted| within.rfind(wanted)).and_then(require_position)
}

pub(super) fn count(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let (wanted, range) = bind_search(call)?;
    let wanted = plain_text(&wanted)?;
    let Some(range) = range else { return Ok(Value::Int(0)) };
    let within = &call.data[range];
    Ok(Value::from(if wanted.is_empty() { within.chars().count() + 1 } else { within.matches(wanted).count() }))
}

/// Looks for a part with a function that gives the byte at which it begins.
fn search_text(
    call: &TextCall<'_>,
    find_byte: impl Fn(&str, &str) -> Option<usize>,
) -> Result<SearchResult, TemplateError> {
    let (wanted, range) = bind_search(call)?;
    let wanted = plain_text(&wanted)?;
    let Some(range) = range else { return Ok(SearchResult::EmptyRange) };
    Ok(match find_byte(&call.data[range.clone()], wanted) {
        Some(at) => SearchResult::At(call.data[..range.start + at].chars().count()),
        None => SearchResult::NotFound,
    })
}

/// The part that is wanted, and the bytes among which to look for it.
fn bind_search(call: &TextCall<'_>) -> Result<(Value, Option<Range<usize>>), TemplateError> {
    let [wanted, start, end] = call.args.bind(["sub", "start", "end"])?;
    let wanted = call.require_arg(wanted, "sub")?;
    // Said before anything about the bounds.
    plain_text(&wanted)?;
    Ok((wanted, slice_chars(call.data, integer_arg(start)?, integer_arg(end)?)))
}

fn position_or_minus_one(result: SearchResult) -> Value {
    match result {
        SearchResult::At(position) => Value::from(position),
        SearchResult::NotFound | SearchResult::EmptyRange => Value::Int(-1),
    }
}

fn require_position(result: SearchResult) -> Result<Value, TemplateError> {
    match result {
        SearchResult::NotFound => Err(TemplateError::value("substring not found")),
        other => Ok(position_or_minus_one(other)),
    }
}

/// The bytes of `text[start:end]`, bounds in characters; `None` if the start lies behind the end.
pub(super) fn slice_chars(text: &str, start: Option<i64>, end: Option<i64>) -> Option<Range<usize>> {
    let length = i64::try_from(text.chars().count()).ok()?;
    let at = |index: i64| if index < 0 { index.saturating_add(length).max(0) } else { index };
    let (start, end) = (at(start.unwrap_or(0)), at(end.unwrap_or(length)).min(length));
    if start > end {
        return None;
    }
    let byte = |index: i64| {
        let index = usize::try_from(index).unwrap_or(0);
        text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
    };
    Some(byte(start)..byte(end))
}
