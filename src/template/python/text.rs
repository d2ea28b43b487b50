//! Text as Python's `str` methods see it.

use crate::template::budget;
use crate::template::error::TemplateError;
use crate::value::Value;

/// Reads a boolean word as Ansible does (`yes`, `on`, `1`, `true`, .. in any case); `None` for other values.
pub fn boolean_word(value: &Value) -> Option<bool> {
    match value.below_taint() {
        Value::Bool(b) => Some(*b),
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        Value::Str(text) => match text.trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Python's `splitlines()`.
pub fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(end) = rest.find(is_line_break) else {
            lines.push(rest);
            break;
        };
        lines.push(&rest[..end]);
        let width =
            if rest[end..].starts_with("\r\n") { 2 } else { rest[end..].chars().next().map_or(1, char::len_utf8) };
        rest = &rest[end + width..];
    }
    lines
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Python's `capitalize()`: the first character in upper case, the others in lower case.
pub fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

/// Python's `replace()`: all, or the first `count`.
///
/// # Errors
/// If the result is too large.
pub fn replace_text(text: &str, old: &str, new: &str, count: Option<usize>) -> Result<String, TemplateError> {
    if new.len() > old.len() {
        let found = if old.is_empty() { char_count(text) + 1 } else { text.matches(old).count() };
        let times = count.map_or(found, |count| count.min(found));
        budget::reserve_bytes(text.len().saturating_add(times.saturating_mul(new.len() - old.len())))?;
    }
    Ok(match count {
        Some(count) => text.replacen(old, new, count),
        None => text.replace(old, new),
    })
}

/// The number of characters.
pub fn char_count(text: &str) -> usize {
    text.chars().count()
}

/// The first `count` characters.
pub fn take_chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}
