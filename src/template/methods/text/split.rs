//! Methods that split a text.

use super::super::integer_arg;
use super::{TextCall, optional_text, plain_text};
use crate::template::error::TemplateError;
use crate::value::Value;

/// The end of a text at which splitting begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SplitFrom {
    Left,
    Right,
}

pub(super) fn split(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    split_text(call, SplitFrom::Left)
}

pub(super) fn rsplit(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    split_text(call, SplitFrom::Right)
}

fn split_text(call: &TextCall<'_>, from: SplitFrom) -> Result<Value, TemplateError> {
    let [separator, most] = call.args.bind(["sep", "maxsplit"])?;
    let most = integer_arg(most)?.and_then(|most| usize::try_from(most).ok());
    let (text, from_right) = (call.data, from == SplitFrom::Right);
    let mut parts: Vec<&str> = match (optional_text(separator.as_ref())?, most) {
        (Some(""), _) => return Err(TemplateError::value("empty separator")),
        (Some(separator), None) => text.split(separator).collect(),
        (Some(separator), Some(most)) if from_right => text.rsplitn(most.saturating_add(1), separator).collect(),
        (Some(separator), Some(most)) => text.splitn(most.saturating_add(1), separator).collect(),
        (None, None) => text.split_whitespace().collect(),
        (None, Some(most)) => split_at_blanks(text, most, from),
    };
    if from_right && most.is_some() {
        parts.reverse();
    }
    Ok(Value::list(parts.into_iter().map(Value::text)))
}

/// Splits at runs of blanks; the parts in the order in which they are found.
fn split_at_blanks(text: &str, most: usize, from: SplitFrom) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = match from {
        SplitFrom::Left => text.trim_start(),
        SplitFrom::Right => text.trim_end(),
    };
    while parts.len() < most && !rest.is_empty() {
        let (part, after) = match from {
            SplitFrom::Left => {
                let Some(at) = rest.find(char::is_whitespace) else { break };
                (&rest[..at], rest[at..].trim_start())
            }
            SplitFrom::Right => {
                let Some(at) = rest.rfind(char::is_whitespace) else { break };
                let blank = rest[at..].chars().next().map_or(1, char::len_utf8);
                (&rest[at + blank..], rest[..at].trim_end())
            }
        };
        parts.push(part);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

pub(super) fn splitlines(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [keep] = call.args.bind(["keepends"])?;
    let ends = if keep.is_some_and(|keep| keep.is_true()) { LineEnds::Keep } else { LineEnds::Drop };
    Ok(Value::list(split_lines(call.data, ends).into_iter().map(Value::text)))
}

/// Whether lines keep the characters that end them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    Keep,
    Drop,
}

fn split_lines(text: &str, ends: LineEnds) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_end = matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}' | '\u{1d}' | '\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        );
        if !is_end {
            line.push(c);
            continue;
        }
        if ends == LineEnds::Keep {
            line.push(c);
        }
        if c == '\r' && chars.peek() == Some(&'\n') {
            chars.next();
            if ends == LineEnds::Keep {
                line.push('\n');
            }
        }
        lines.push(std::mem::take(&mut line));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

pub(super) fn partition(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let separator = bind_separator(call)?;
    let text = call.data;
    Ok(partition_at(text, &separator, text.find(separator.as_str()), [text, "", ""]))
}

pub(super) fn rpartition(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let separator = bind_separator(call)?;
    let text = call.data;
    Ok(partition_at(text, &separator, text.rfind(separator.as_str()), ["", "", text]))
}

fn bind_separator(call: &TextCall<'_>) -> Result<String, TemplateError> {
    let [separator] = call.args.bind(["sep"])?;
    let separator = call.require_arg(separator, "sep")?;
    let separator = plain_text(&separator)?;
    if separator.is_empty() {
        return Err(TemplateError::value("empty separator"));
    }
    Ok(separator.to_owned())
}

/// The parts before, at and after a separator, or those for a text without one.
fn partition_at<'a>(text: &'a str, separator: &'a str, at: Option<usize>, without: [&'a str; 3]) -> Value {
    let parts = at.map_or(without, |at| [&text[..at], separator, &text[at + separator.len()..]]);
    Value::tuple(parts.map(Value::text))
}
