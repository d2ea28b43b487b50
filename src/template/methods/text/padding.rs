//! Methods that bring a text to a width.

use super::super::integer_arg;
use super::{TextCall, optional_text};
use crate::template::budget;
use crate::template::error::TemplateError;
use crate::value::Value;

pub(super) fn center(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    // Python puts the odd one to the left if the width is odd.
    pad_text(call, |missing, width| missing / 2 + (missing & width & 1))
}

pub(super) fn ljust(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    pad_text(call, |_, _| 0)
}

pub(super) fn rjust(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    pad_text(call, |missing, _| missing)
}

/// Fills up to a width; `count_left` says how many of the missing characters go before the text.
fn pad_text(call: &TextCall<'_>, count_left: fn(usize, usize) -> usize) -> Result<Value, TemplateError> {
    let [width, fill] = call.args.bind(["width", "fillchar"])?;
    let width = read_size(Some(call.require_arg(width, "width")?))?.unwrap_or(0);
    let fill = optional_text(fill.as_ref())?.unwrap_or(" ");
    if fill.chars().count() != 1 {
        return Err(TemplateError::value("The fill character must be exactly one character long"));
    }
    let missing = width.saturating_sub(call.data.chars().count());
    let left = count_left(missing, width);
    let filled = |count: usize| budget::repeat_text(fill, count);
    Ok(Value::text(format!("{}{}{}", filled(left)?, call.data, filled(missing - left)?)))
}

pub(super) fn zfill(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [width] = call.args.bind(["width"])?;
    let width = read_size(width)?.unwrap_or(0);
    let text = call.data;
    let zeros = budget::repeat_text("0", width.saturating_sub(text.chars().count()))?;
    Ok(Value::text(match text.strip_prefix(['+', '-']) {
        Some(rest) => format!("{}{zeros}{rest}", &text[..1]),
        None => format!("{zeros}{text}"),
    }))
}

pub(super) fn expandtabs(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [size] = call.args.bind(["tabsize"])?;
    let size = read_size(size)?.unwrap_or(8);
    let tabs = call.data.matches('\t').count();
    budget::reserve_bytes(call.data.len().saturating_add(tabs.saturating_mul(size)))?;
    Ok(Value::text(expand_tabs(call.data, size)))
}

/// A size; one below zero is none.
fn read_size(value: Option<Value>) -> Result<Option<usize>, TemplateError> {
    Ok(integer_arg(value)?.and_then(|size| usize::try_from(size).ok()))
}

fn expand_tabs(text: &str, size: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for c in text.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let blanks = size - column % size;
                out.extend(std::iter::repeat_n(' ', blanks));
                column += blanks;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}
