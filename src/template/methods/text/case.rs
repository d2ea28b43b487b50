//! Upper and lower case.

use super::TextCall;
use crate::template::error::TemplateError;
use crate::template::python::text;
use crate::value::Value;

pub(super) fn lower(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(call.data.to_lowercase()))
}

pub(super) fn casefold(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    // The one letter whose folding is not its small form, apart from rare ligatures.
    Ok(Value::text(call.data.to_lowercase().replace('ß', "ss")))
}

pub(super) fn upper(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(call.data.to_uppercase()))
}

pub(super) fn capitalize(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(text::capitalize(call.data)))
}

pub(super) fn swapcase(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    let mut out = String::new();
    for c in call.data.chars() {
        if c.is_uppercase() { out.extend(c.to_lowercase()) } else { out.extend(c.to_uppercase()) }
    }
    Ok(Value::text(out))
}

pub(super) fn title(call: &TextCall<'_>) -> Result<Value, TemplateError> {
    let [] = call.args.bind([])?;
    Ok(Value::text(title_case(call.data)))
}

/// The first letter of every word in upper case, the others in lower case.
pub(super) fn title_case(text: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}
