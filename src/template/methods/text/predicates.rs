//! Methods that say what kind of characters a text has.

use super::TextCall;
use super::case::title_case;
use crate::template::error::TemplateError;
use crate::value::Value;

pub(super) fn isalnum(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| has_only(text, char::is_alphanumeric))
}

pub(super) fn isalpha(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| has_only(text, char::is_alphabetic))
}

pub(super) fn isascii(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, str::is_ascii)
}

/// Also `isdigit`.
pub(super) fn isdecimal(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| has_only(text, |c| c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())))
}

pub(super) fn isidentifier(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c == '_' || c.is_alphabetic()) && chars.all(|c| c == '_' || c.is_alphanumeric())
    })
}

pub(super) fn islower(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| text.contains(char::is_lowercase) && !text.contains(char::is_uppercase))
}

pub(super) fn isnumeric(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| has_only(text, char::is_numeric))
}

pub(super) fn isprintable(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| !text.contains(char::is_control))
}

pub(super) fn isspace(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| has_only(text, char::is_whitespace))
}

pub(super) fn istitle(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| text.contains(char::is_alphabetic) && title_case(text) == text)
}

pub(super) fn isupper(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    evaluate_predicate(call, |text| text.contains(char::is_uppercase) && !text.contains(char::is_lowercase))
}

/// The result of a predicate, which takes no arguments.
fn evaluate_predicate(call: &TextCall<'_>, holds: impl Fn(&str) -> bool) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::Bool(holds(call.data)))
}

/// Whether there are characters, all of a kind.
fn has_only(text: &str, is_kind: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_kind)
}
